package expr

import "github.com/expr-lang/expr/ast"

// StaysFalse reports whether the expression, once it is false while the values of
// growing names are still being written, stays false whatever is added to them: a
// text only gets longer, a list gets more elements. `len(answer) <= 280` is such a
// one; `answer contains "Seine"` is not.
//
// It looks at len, contains, comparisons, not, && and ||, and says no to all else
// that reads a growing name.
func (e *Expr) StaysFalse(growing func(name string) bool) bool {
	if e.root == nil {
		return false
	}
	g := grower{growing}
	return g.stays(e.root, false)
}

type grower struct{ growing func(string) bool }

// stays reports whether a condition that has the truth want now has it for good.
func (g grower) stays(n ast.Node, want bool) bool {
	if g.settled(n) {
		return true
	}
	switch x := n.(type) {
	case *ast.UnaryNode:
		if x.Operator == "not" || x.Operator == "!" {
			return g.stays(x.Node, !want)
		}
	case *ast.BinaryNode:
		switch x.Operator {
		case "&&", "and", "||", "or":
			return g.stays(x.Left, want) && g.stays(x.Right, want)
		case "contains":
			return want && g.settled(x.Right) && g.bare(x.Left)
		case "<", "<=":
			return !want && g.length(x.Left) && g.settled(x.Right) || want && g.settled(x.Left) && g.length(x.Right)
		case ">", ">=":
			return want && g.length(x.Left) && g.settled(x.Right) || !want && g.settled(x.Left) && g.length(x.Right)
		}
	}
	return false
}

// length reports whether n is len of something that grows.
func (g grower) length(n ast.Node) bool {
	name, args := "", []ast.Node(nil)
	switch x := n.(type) {
	case *ast.BuiltinNode:
		name, args = x.Name, x.Arguments
	case *ast.CallNode:
		if id, ok := x.Callee.(*ast.IdentifierNode); ok {
			name, args = id.Value, x.Arguments
		}
	}
	return name == "len" && len(args) == 1 && g.bare(args[0])
}

func (g grower) bare(n ast.Node) bool {
	_, ok := n.(*ast.IdentifierNode)
	return ok
}

// settled reports whether nothing in n grows.
func (g grower) settled(n ast.Node) bool {
	v := &growingNames{growing: g.growing}
	ast.Walk(&n, v)
	return !v.found
}

type growingNames struct {
	growing func(string) bool
	found   bool
}

func (v *growingNames) Visit(n *ast.Node) {
	if id, ok := (*n).(*ast.IdentifierNode); ok && v.growing(id.Value) {
		v.found = true
	}
}
