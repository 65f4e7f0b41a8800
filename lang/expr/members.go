package expr

import (
	"github.com/expr-lang/expr/ast"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/types"
)

// namespace is what infer returns for a name that is no value but has members.
type namespace struct {
	types.Invalid
	path    string // as written: `draft`, `var.rag`
	kind    string
	noun    string
	members []Member
	place   source.Place
	symbol  *Symbol
}

func (c *checker) name(n *ast.IdentifierNode) types.Type {
	for i := len(c.locals) - 1; i >= 0; i-- {
		if c.locals[i].name == n.Value {
			return c.locals[i].typ
		}
	}
	sym, ok := c.scope.Lookup(n.Value)
	if !ok {
		c.unknownName(n)
		return types.Invalid{}
	}
	if sym.Sensitive {
		c.sensitive = true
	}
	if sym.Type == nil {
		return namespace{path: sym.Name, kind: sym.Kind, noun: sym.Noun, members: sym.Members, place: sym.Place, symbol: sym}
	}
	return sym.Type
}

func (c *checker) pointer(n *ast.PointerNode) types.Type {
	if len(c.loops) == 0 {
		return types.Invalid{} // a bare `.name`, reported when it was read
	}
	in := c.loops[len(c.loops)-1]
	switch n.Name {
	case "index":
		return types.Int
	case "acc":
		if in.acc == nil {
			c.accOutside(locSpan(n.Location()), in.name)
			return types.Invalid{}
		}
		return in.acc
	}
	return in.elem
}

// chain infers `a?.b.c`: null as soon as what stands before a `?.` is.
func (c *checker) chain(n *ast.ChainNode) types.Type {
	t := c.value(n.Node, nil)
	if types.IsInvalid(t) || !c.mayStop(n.Node) {
		return t
	}
	return types.NewOptional(t)
}

// mayStop reports whether a chain has a `?.` behind something that may be null.
func (c *checker) mayStop(n ast.Node) bool {
	m, ok := n.(*ast.MemberNode)
	if !ok {
		return false
	}
	if m.Optional {
		quiet := &checker{reporter: reporter{x: c.x}, scope: c.scope, locals: c.locals, loops: c.loops, known: c.known}
		t := quiet.value(m.Node, nil)
		if quiet.nullable(t) || isJSON(t) {
			return true
		}
	}
	return c.mayStop(m.Node)
}

// member infers `x.name` and `x[index]`.
func (c *checker) member(n *ast.MemberNode) types.Type {
	of := c.infer(n.Node, nil)
	name, dot := c.dotted(n)
	if ns, ok := of.(namespace); ok {
		if p, fixed := n.Property.(*ast.StringNode); fixed {
			name, dot = p.Value, true // draft["answer"]
		}
		if !dot {
			c.notAValue(c.x.rangeOf(n.Node), ns)
			return types.Invalid{}
		}
		return c.memberOf(n, ns, name)
	}
	if types.IsInvalid(of) {
		if !dot {
			c.value(n.Property, nil)
		}
		return of
	}
	if o, ok := of.(*types.Optional); ok {
		if k := c.key(n.Node); n.Optional || k != "" && c.isKnown(k) {
			of = o.Elem
		} else {
			c.nullBeforeMember(n, of)
			return types.Invalid{}
		}
	} else if types.Equal(of, types.Null) {
		if n.Optional {
			return types.Null
		}
		c.nullBeforeMember(n, of)
		return types.Invalid{}
	}
	if of = shapeOf(of); dot {
		return c.field(n, of, name)
	}
	return c.index(n, of)
}

// dotted returns the name of `x.name`.
func (c *checker) dotted(n *ast.MemberNode) (string, bool) {
	p, ok := n.Property.(*ast.StringNode)
	if !ok || p.Location() != n.Location() {
		return "", false
	}
	return p.Value, true
}

func (c *checker) memberOf(n *ast.MemberNode, ns namespace, name string) types.Type {
	m, ok := member(ns.members, name)
	if !ok {
		c.unknownMember(locSpan(n.Property.Location()), name, ns)
		return types.Invalid{}
	}
	if m.Sensitive {
		c.sensitive = true
	}
	switch {
	case m.Type != nil:
		if _, isEnum := m.Type.(*types.Enum); isEnum && ns.kind == "enum" {
			if c.facts.members == nil {
				c.facts.members = map[ast.Node]string{}
			}
			c.facts.members[n] = name
		}
		return m.Type
	case m.Members != nil:
		return namespace{path: ns.path + "." + name, kind: ns.kind, noun: m.Noun, members: m.Members, place: m.Place}
	}
	if ns.kind == "declarations" {
		c.add("E0208", c.x.rangeOf(n), "`%s.%s` is a %s, not a value", ns.path, name, ns.noun).
			Say("It is named in settings that ask for a %s, and cannot be part of an expression.", ns.noun)
	}
	return types.Invalid{} // a declaration that is no value: for the caller to judge
}

// field infers `x.name` on a value.
func (c *checker) field(n *ast.MemberNode, of types.Type, name string) types.Type {
	switch t := of.(type) {
	case *types.Record:
		if f, ok := t.Field(name); ok {
			return f.Type
		}
		c.unknownField(n, t, name)
		return types.Invalid{}
	case *types.Map:
		return types.NewOptional(t.Elem)
	case *types.Union:
		var out types.Type = types.Invalid{}
		for _, m := range t.Members {
			r, ok := shapeOf(m).(*types.Record)
			if !ok {
				c.noFields(n, of, name)
				return types.Invalid{}
			}
			f, ok := r.Field(name)
			if !ok {
				c.unknownField(n, r, name)
				return types.Invalid{}
			}
			out = join(out, f.Type)
		}
		return out
	}
	if isJSON(of) {
		return types.JSON
	}
	c.noFields(n, of, name)
	return types.Invalid{}
}

// index infers `x[i]`.
func (c *checker) index(n *ast.MemberNode, of types.Type) types.Type {
	i := c.value(n.Property, nil)
	i = c.present(n.Property, i, "an index")
	wants := func(want types.Base, words string) bool {
		if types.IsInvalid(i) {
			return false
		}
		if b, ok := base(i); ok && (b == want || b == types.AnyBase) {
			return true
		}
		c.wrongIndex(c.x.rangeOf(n.Property), i, of, words)
		return false
	}
	switch t := of.(type) {
	case *types.List:
		if wants(types.IntBase, "a position: a whole number, counted from 0") {
			return oneOf(t)
		}
		return types.Invalid{}
	case *types.Tuple:
		if !wants(types.IntBase, "a position: a whole number, counted from 0") {
			return types.Invalid{}
		}
		if v, ok := constant(n.Property); ok {
			k := v.(int)
			if k < 0 {
				k += len(t.Elems)
			}
			if k < 0 || k >= len(t.Elems) {
				c.noSuchPosition(c.x.rangeOf(n.Property), t, v.(int))
				return types.Invalid{}
			}
			return t.Elems[k]
		}
		var out types.Type = types.Invalid{}
		for _, e := range t.Elems {
			out = join(out, e)
		}
		return out
	case *types.Map:
		if wants(types.StringBase, "a name: a text") {
			return types.NewOptional(t.Elem)
		}
		return types.Invalid{}
	case *types.Record:
		if p, ok := n.Property.(*ast.StringNode); ok {
			if f, ok := t.Field(p.Value); ok {
				return f.Type
			}
			c.unknownField(n, t, p.Value)
			return types.Invalid{}
		}
		wants(types.StringBase, "the name of a field, as fixed text")
		var out types.Type = types.Null
		for _, f := range t.Fields {
			out = join(out, f.Type)
		}
		return out
	}
	if b, ok := base(of); ok {
		switch b {
		case types.StringBase:
			if wants(types.IntBase, "a position: a whole number, counted from 0") {
				return types.String
			}
			return types.Invalid{}
		case types.AnyBase:
			return types.JSON
		}
	}
	c.noIndex(n, of)
	return types.Invalid{}
}

// slice infers `x[from:to]` on lists and texts.
func (c *checker) slice(n *ast.SliceNode) types.Type {
	of := c.present(n.Node, c.value(n.Node, nil), "the value before `[`")
	for _, end := range []ast.Node{n.From, n.To} {
		if end == nil {
			continue
		}
		i := c.present(end, c.value(end, nil), "the end of a slice")
		if b, ok := base(i); !types.IsInvalid(i) && (!ok || b != types.IntBase && b != types.AnyBase) {
			c.wrongIndex(c.x.rangeOf(end), i, of, "a position: a whole number, counted from 0")
		}
	}
	switch t := shapeOf(of).(type) {
	case *types.List:
		return &types.List{Elem: t.Elem}
	case *types.Tuple:
		var out types.Type = types.Invalid{}
		for _, e := range t.Elems {
			out = join(out, e)
		}
		return &types.List{Elem: out}
	case types.Invalid:
		return of
	}
	if b, ok := base(of); ok && b == types.StringBase {
		return types.String
	}
	if isJSON(of) {
		return types.JSON
	}
	c.noSlice(n, of)
	return types.Invalid{}
}
