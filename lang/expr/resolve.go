package expr

import (
	"slices"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser/operator"

	"github.com/dspi-lang/dspi/lang/source"
)

// resolve goes once over a tree of expr's parser, brings places to bytes of the
// file, puts back the strings that expr did not see, tells `it`, `acc`, null and
// let names from references, and reports what expr reads but dspi does not have.
func (r *reader) resolve(n *ast.Node, c *chunk) {
	switch x := (*n).(type) {
	case nil:
	case *ast.IdentifierNode:
		r.identifier(n, x, c)
	case *ast.NilNode:
		r.place(x, c)
		r.habit(locSpan(x.Location()), "nil", "null", "means “no value”")
	case *ast.StringNode:
		r.place(x, c)
	case *ast.UnaryNode:
		r.place(x, c)
		r.resolve(&x.Node, c)
		r.mixed(x.Operator, x.Location(), x.Node)
	case *ast.BinaryNode:
		r.binary(x, c)
	case *ast.ChainNode:
		r.place(x, c)
		r.resolve(&x.Node, c)
	case *ast.MemberNode:
		if ref, ok := r.reference(x, c); ok {
			r.addRef(ref)
			r.placeNames(x, c)
			return
		}
		r.link(x, c)
	case *ast.SliceNode:
		r.place(x, c)
		r.resolve(&x.Node, c)
		r.resolve(&x.From, c)
		r.resolve(&x.To, c)
	case *ast.CallNode:
		r.place(x, c)
		switch f := x.Callee.(type) {
		case *ast.IdentifierNode:
			if t, ok := c.text(f.Location()); ok {
				r.stringCalled(spanAt(c.base+t.from, c.base+t.to))
				r.fatal = true
			}
			r.place(f, c)
		default:
			r.resolve(&x.Callee, c)
		}
		for i := range x.Arguments {
			r.resolve(&x.Arguments[i], c)
		}
	case *ast.BuiltinNode:
		r.place(x, c)
		for i := range x.Arguments {
			if p, ok := x.Arguments[i].(*ast.PredicateNode); ok {
				r.place(p, c)
				r.loops++
				r.resolve(&p.Node, c)
				r.loops--
				continue
			}
			r.resolve(&x.Arguments[i], c)
		}
	case *ast.PointerNode: // `.name` in a predicate: `#` is a comment
		r.place(x, c)
		r.bareDot(locSpan(x.Location()))
	case *ast.VariableDeclaratorNode:
		r.place(x, c)
		switch x.Name {
		case "it", "it_index", "acc", "null":
			r.reserved(locSpan(x.Location()), x.Name)
		}
		r.resolve(&x.Value, c)
		r.locals = append(r.locals, x.Name)
		r.resolve(&x.Expr, c)
		r.locals = r.locals[:len(r.locals)-1]
	case *ast.SequenceNode:
		r.place(x, c)
		for i := range x.Nodes {
			r.resolve(&x.Nodes[i], c)
		}
		if len(x.Nodes) > 1 {
			r.sequence(r.x.rangeOf(x.Nodes[1]))
		}
	case *ast.ConditionalNode:
		shared := x.Exp1 == x.Cond // a ?: b
		r.place(x, c)
		r.resolve(&x.Cond, c)
		if shared {
			x.Exp1 = x.Cond
		} else {
			r.resolve(&x.Exp1, c)
		}
		r.resolve(&x.Exp2, c)
		switch {
		case shared:
			r.elvis(x)
			*n = located(&ast.BinaryNode{Operator: "??", Left: x.Cond, Right: x.Exp2}, x.Location())
		case !x.Ternary:
			r.ifElse(x)
		}
	case *ast.ArrayNode:
		r.place(x, c)
		for i := range x.Nodes {
			r.resolve(&x.Nodes[i], c)
		}
	case *ast.MapNode:
		r.place(x, c)
		for _, p := range x.Pairs {
			p := p.(*ast.PairNode)
			r.key(p, c)
			r.resolve(&p.Value, c)
		}
	default:
		r.place(x, c)
	}
}

// place turns the place of a node into bytes of the file.
func (r *reader) place(n ast.Node, c *chunk) {
	if c.plain {
		return
	}
	l := n.Location()
	n.SetLocation(file.Location{From: c.at(l.From), To: c.at(l.To)})
}

func (r *reader) local(name string) bool { return slices.Contains(r.locals, name) }

func (r *reader) identifier(n *ast.Node, x *ast.IdentifierNode, c *chunk) {
	if t, ok := c.text(x.Location()); ok {
		src := r.x.text[c.base-int(r.x.span.Start):]
		if lit := r.literal(src, t, c.base); lit != nil {
			*n = lit
		}
		return
	}
	r.place(x, c)
	loc := x.Location()
	switch {
	case x.Value == "null":
		*n = located(&ast.NilNode{}, loc)
	case r.local(x.Value):
	case r.loops > 0 && x.Value == "it":
		*n = located(&ast.PointerNode{}, loc)
	case r.loops > 0 && x.Value == "it_index":
		*n = located(&ast.PointerNode{Name: "index"}, loc)
	case r.loops > 0 && x.Value == "acc":
		*n = located(&ast.PointerNode{Name: "acc"}, loc)
	default:
		at := locSpan(loc)
		r.addRef(Ref{Root: x.Value, Span: at, Parts: []source.Span{at}})
	}
}

func (r *reader) addRef(ref Ref) { r.x.refs = append(r.x.refs, ref) }

// reference returns the reference that a chain of names is. The nodes keep
// their places as expr gave them.
func (r *reader) reference(n ast.Node, c *chunk) (Ref, bool) {
	depth := 0
	for m := n; ; depth++ {
		x, ok := m.(*ast.MemberNode)
		if !ok {
			id, ok := m.(*ast.IdentifierNode)
			if !ok || depth == 0 {
				return Ref{}, false
			}
			if _, isText := c.text(id.Location()); isText || id.Value == "null" || r.local(id.Value) ||
				r.loops > 0 && (id.Value == "it" || id.Value == "it_index" || id.Value == "acc") {
				return Ref{}, false
			}
			break
		}
		if _, ok := r.property(x, c); !ok {
			// `docs.passages[0].text`: what stands before the index is the reference
			return Ref{}, false
		}
		m = x.Node
	}
	ref := Ref{Path: make([]string, depth), Parts: make([]source.Span, depth+1)}
	for i := depth; i > 0; i-- {
		x := n.(*ast.MemberNode)
		ref.Path[i-1], _ = r.property(x, c)
		l := x.Property.Location()
		ref.Parts[i] = spanAt(c.at(l.From), c.at(l.To))
		n = x.Node
	}
	id := n.(*ast.IdentifierNode)
	ref.Root = id.Value
	ref.Parts[0] = spanAt(c.at(id.Location().From), c.at(id.Location().To))
	ref.Span = ref.Parts[0].To(ref.Parts[depth])
	return ref, true
}

// property returns the name in `x.name`; the `[i]` of an index is none.
func (r *reader) property(x *ast.MemberNode, c *chunk) (string, bool) {
	s, ok := x.Property.(*ast.StringNode)
	if !ok || x.Location() != s.Location() { // an index stands at its bracket
		return "", false
	}
	_, isText := c.text(s.Location())
	return s.Value, !isText
}

// placeNames places the nodes of a chain of names.
func (r *reader) placeNames(n ast.Node, c *chunk) {
	for {
		x, ok := n.(*ast.MemberNode)
		if !ok {
			r.place(n, c)
			return
		}
		r.place(x.Property, c)
		r.place(x, c)
		n = x.Node
	}
}

// link resolves the last link of a chain that is no reference as a whole.
func (r *reader) link(x *ast.MemberNode, c *chunk) {
	dot := x.Location() == x.Property.Location()
	r.resolve(&x.Node, c)
	if !dot {
		r.resolve(&x.Property, c)
	} else {
		if t, isText := c.text(x.Property.Location()); isText {
			r.stringAfterDot(spanAt(c.base+t.from, c.base+t.to))
			r.fatal = true
		}
		r.place(x.Property, c)
	}
	r.place(x, c)
}

// key resolves the name in `{name: value}`.
func (r *reader) key(p *ast.PairNode, c *chunk) {
	s, ok := p.Key.(*ast.StringNode)
	if !ok {
		r.resolve(&p.Key, c)
		return
	}
	t, isText := c.text(s.Location())
	r.place(s, c)
	if !isText {
		return
	}
	src := r.x.text[c.base-int(r.x.span.Start):]
	if lit := r.literal(src, t, c.base); lit != nil {
		if _, fixed := lit.(*ast.StringNode); !fixed {
			r.templateKey(locSpan(lit.Location()))
		}
		p.Key = lit
	}
}

func (r *reader) binary(x *ast.BinaryNode, c *chunk) {
	r.place(x, c)
	// a < b < c is (a < b) && (b < c) with one node for both b.
	if x.Operator == "&&" {
		if right, ok := x.Right.(*ast.BinaryNode); ok && operator.IsComparison(right.Operator) {
			if middle := lastOperand(x.Left); middle != nil && *middle == right.Left {
				r.resolve(&x.Left, c)
				right.Left = *lastOperand(x.Left)
				r.place(right, c)
				r.resolve(&right.Right, c)
				r.mixed(right.Operator, right.Location(), right.Right)
				return
			}
		}
	}
	r.resolve(&x.Left, c)
	r.resolve(&x.Right, c)
	if x.Operator != "??" {
		r.mixed(x.Operator, x.Location(), x.Left)
		r.mixed(x.Operator, x.Location(), x.Right)
	}
}

// lastOperand returns the last operand of a chain of comparisons.
func lastOperand(n ast.Node) *ast.Node {
	b, ok := n.(*ast.BinaryNode)
	if ok && b.Operator == "&&" {
		b, ok = b.Right.(*ast.BinaryNode)
	}
	if ok && operator.IsComparison(b.Operator) {
		return &b.Right
	}
	return nil
}

// mixed reports a `??` that is an operand of another operator and does not stand
// in parentheses: which of the two is meant to come first cannot be seen.
func (r *reader) mixed(op string, at file.Location, operand ast.Node) {
	b, ok := operand.(*ast.BinaryNode)
	if !ok || b.Operator != "??" {
		return
	}
	inner := r.x.rangeOf(b)
	i := int(inner.Start-r.x.span.Start) - 1
	for i >= 0 && (r.x.text[i] == ' ' || r.x.text[i] == '\t' || r.x.text[i] == '\n' || r.x.text[i] == '\r') {
		i--
	}
	for _, p := range r.x.pairs { // parentheses around the `??` that do not hold the operator
		if p.open == i+int(r.x.span.Start) && p.close >= int(inner.End) && !(p.open < at.From && at.From < p.close) {
			return
		}
	}
	r.coalesceMixed(op, locSpan(at), inner)
}
