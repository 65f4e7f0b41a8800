package expr

import (
	"github.com/expr-lang/expr/ast"

	"github.com/dspi-lang/dspi/lang/source"
)

// rangeOf returns the bytes of a resolved node, from its first token to its last,
// with the parentheses that belong to it.
func (e *Expr) rangeOf(n ast.Node) source.Span {
	from, to := e.ends(n)
	for changed := true; changed; {
		changed = false
		for _, p := range e.pairs {
			switch in, out := p.open >= from && p.open < to, p.close >= from && p.close < to; {
			case in && p.close >= to:
				to, changed = p.close+1, true
			case out && p.open < from:
				from, changed = p.open, true
			}
		}
	}
	return spanAt(from, to)
}

// ends is rangeOf without balancing parentheses: `(a + b) * c` begins at `a`.
func (e *Expr) ends(n ast.Node) (from, to int) {
	return (&ranger{Expr: e}).ends(n)
}

// ranger finds the ends of nodes; with a memory, of all nodes of a tree in one go.
type ranger struct {
	*Expr
	memory map[ast.Node][2]int // may be nil
}

func (e *ranger) ends(n ast.Node) (from, to int) {
	if e.memory == nil {
		return e.find(n)
	}
	if at, ok := e.memory[n]; ok {
		return at[0], at[1]
	}
	from, to = e.find(n)
	e.memory[n] = [2]int{from, to}
	return from, to
}

func (e *ranger) find(n ast.Node) (from, to int) {
	if n == nil {
		return int(e.span.Start), int(e.span.Start)
	}
	l := n.Location()
	from, to = l.From, l.To
	join := func(m ast.Node) {
		if m == nil {
			return
		}
		a, b := e.ends(m)
		from, to = min(from, a), max(to, b)
	}
	switch x := n.(type) {
	case *ast.UnaryNode:
		join(x.Node)
	case *ast.BinaryNode:
		join(x.Left)
		join(x.Right)
	case *ast.ChainNode:
		join(x.Node)
	case *ast.MemberNode:
		join(x.Node)
		if x.Location() != x.Property.Location() {
			to = max(to, e.closer(l.From))
		}
	case *ast.SliceNode:
		join(x.Node)
		to = max(to, e.closer(l.From))
	case *ast.CallNode:
		if id, ok := x.Callee.(*ast.IdentifierNode); ok && id.Value == textCall {
			return from, to
		}
		join(x.Callee)
		to = max(to, e.closerAfter(l.To))
		for _, a := range x.Arguments {
			join(a)
		}
	case *ast.BuiltinNode:
		to = max(to, e.closerAfter(l.To))
		for _, a := range x.Arguments {
			join(a)
		}
	case *ast.PredicateNode:
		return e.ends(x.Node)
	case *ast.VariableDeclaratorNode:
		join(x.Expr)
	case *ast.SequenceNode:
		for _, m := range x.Nodes {
			join(m)
		}
	case *ast.ConditionalNode:
		from, to = e.ends(x.Cond)
		join(x.Exp1)
		join(x.Exp2)
	case *ast.ArrayNode, *ast.MapNode:
		to = max(to, e.closer(l.From))
	}
	return from, to
}

// closer returns the end of the bracket pair that opens at a byte.
func (e *Expr) closer(open int) int {
	for _, p := range e.pairs {
		if p.open == open {
			return p.close + 1
		}
	}
	return open + 1
}

// closerAfter returns the end of the first bracket pair that opens at or after a
// byte.
func (e *Expr) closerAfter(at int) int {
	best := -1
	for i, p := range e.pairs {
		if p.open >= at && (best < 0 || p.open < e.pairs[best].open) {
			best = i
		}
	}
	if best < 0 {
		return at
	}
	return e.pairs[best].close + 1
}
