package syntax

// Walk calls visit for n and, when visit returns true, for what n holds, in the
// order of the text. Expressions and strings are leaves.
func Walk(n Node, visit func(Node) bool) {
	if n == nil || !visit(n) {
		return
	}
	items := func(list []Item) {
		for _, it := range list {
			Walk(it, visit)
		}
	}
	typ := func(t TypeExpr) {
		if t != nil {
			Walk(t, visit)
		}
	}
	expr := func(e *Expr) {
		if e != nil {
			Walk(e, visit)
		}
	}
	str := func(s *String) {
		if s != nil {
			Walk(s, visit)
		}
	}
	switch n := n.(type) {
	case *Import:
		str(n.Path)
	case *TypeAlias:
		typ(n.Type)
	case *Block:
		typ(n.Type)
		if n.Body != nil {
			items(n.Body.Items)
		}
	case *Attribute:
		expr(n.Value)
	case *Let:
		expr(n.Value)
	case *Field:
		typ(n.Type)
		expr(n.Default)
		str(n.Description)
	case *EnumMember:
		str(n.Shown)
		str(n.Description)
	case *NamedType:
		for _, a := range n.Args {
			typ(a)
		}
		for _, p := range n.Params {
			expr(p.Value)
		}
	case *RecordType:
		items(n.Items)
	case *OptionalType:
		typ(n.Elem)
	case *SliceType:
		typ(n.Elem)
	case *UnionType:
		for _, m := range n.Members {
			typ(m)
		}
	}
}
