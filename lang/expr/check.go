package expr

import (
	"github.com/expr-lang/expr/ast"

	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// checker infers the types of one expression. Every method that infers returns
// types.Invalid for what a mistake was reported about, and Invalid fits
// everything, so that one mistake makes one message.
type checker struct {
	reporter
	scope     *Scope
	locals    []local
	loops     []loop
	known     []string // keys (see key) of what is not null here
	sensitive bool
	loose     bool // json has a part in it
	facts     facts
}

// facts are what Check knows and Compile needs. Maps are nil until used.
type facts struct {
	members map[ast.Node]string     // an enum's value: its name
	targets map[ast.Node]types.Type // one_of(x), Queue(x): the type converted to
	enums   map[ast.Node]*types.Enum
}

// local is a name bound by let.
type local struct {
	name string
	typ  types.Type
	id   int
}

// loop is a predicate around the node now being inferred.
type loop struct {
	elem types.Type
	acc  types.Type // of reduce; nil elsewhere
	name string     // of the function
}

// value infers the type of a node that must be a value, not a namespace. want is
// the type that the place wants, or nil.
func (c *checker) value(n ast.Node, want types.Type) types.Type {
	t := c.infer(n, want)
	if ns, ok := t.(namespace); ok {
		c.notAValue(c.x.rangeOf(n), ns)
		return types.Invalid{}
	}
	if isJSON(t) {
		c.loose = true
	}
	if p, ok := t.(*types.Primitive); ok && p.Row.Sensitive {
		c.sensitive = true // an api_key, wherever it comes from
	}
	if o, ok := t.(*types.Optional); ok && len(c.known) > 0 {
		if k := c.key(n); k != "" && c.isKnown(k) {
			return o.Elem
		}
	}
	return t
}

// infer is value for what may also be a namespace.
func (c *checker) infer(n ast.Node, want types.Type) types.Type {
	switch n := n.(type) {
	case *ast.NilNode:
		return types.Null
	case *ast.BoolNode:
		return &types.Literal{Value: n.Value}
	case *ast.IntegerNode:
		return &types.Literal{Value: n.Value}
	case *ast.FloatNode:
		return &types.Literal{Value: n.Value}
	case *ast.StringNode:
		return &types.Literal{Value: n.Value}
	case *ast.IdentifierNode:
		return c.name(n)
	case *ast.PointerNode:
		return c.pointer(n)
	case *ast.MemberNode:
		return c.member(n)
	case *ast.ChainNode:
		return c.chain(n)
	case *ast.SliceNode:
		return c.slice(n)
	case *ast.UnaryNode:
		return c.unary(n)
	case *ast.BinaryNode:
		return c.binary(n, want)
	case *ast.ConditionalNode:
		return c.conditional(n, want)
	case *ast.BuiltinNode:
		return c.call(&call{node: n, name: n.Name, at: locSpan(n.Location()), args: n.Arguments}, want)
	case *ast.CallNode:
		return c.callNode(n, want)
	case *ast.ArrayNode:
		return c.list(n, want)
	case *ast.MapNode:
		return c.record(n, want)
	case *ast.VariableDeclaratorNode:
		t := c.value(n.Value, nil)
		for _, l := range c.locals {
			if l.name == n.Name {
				c.twice(locSpan(n.Location()), n.Name)
			}
		}
		c.locals = append(c.locals, local{n.Name, t, n.Location().From})
		out := c.value(n.Expr, want)
		c.locals = c.locals[:len(c.locals)-1]
		return out
	}
	return types.Invalid{} // what resolve has reported
}

// condition infers a node that must be true or false. role says what for: "the
// left side of `&&`"; "" is the whole expression.
func (c *checker) condition(n ast.Node, role string) types.Type {
	t := c.value(n, types.Bool)
	if types.IsInvalid(t) {
		return t
	}
	if c.nullable(t) {
		c.mayBeNull(n, t, role)
		return types.Invalid{}
	}
	if b, ok := base(t); !ok || b != types.BoolBase && b != types.AnyBase {
		c.notBool(n, t, role)
		return types.Invalid{}
	}
	return types.Bool
}

// nullable reports whether a value of t may be null as far as the checker knows;
// json is taken at its word and checked when it runs.
func (c *checker) nullable(t types.Type) bool {
	switch t := t.(type) {
	case *types.Optional:
		return true
	case *types.Literal:
		return t.Value == nil
	}
	return false
}

// present returns t without null, after a report when it may be null.
func (c *checker) present(n ast.Node, t types.Type, role string) types.Type {
	if !c.nullable(t) {
		return t
	}
	c.mayBeNull(n, t, role)
	return types.Invalid{}
}

// base returns how a value of t is held, if all its values are held alike.
func base(t types.Type) (types.Base, bool) {
	switch t := t.(type) {
	case *types.Primitive:
		return t.Row.Base, t.Row.Base != types.ShapedBase
	case *types.Enum, types.Model, types.Module:
		return types.StringBase, true
	case *types.Literal:
		switch t.Value.(type) {
		case string:
			return types.StringBase, true
		case bool:
			return types.BoolBase, true
		case int:
			return types.IntBase, true
		case float64:
			return types.FloatBase, true
		}
	case *types.Union:
		b, ok := base(t.Members[0])
		for _, m := range t.Members[1:] {
			x, fine := base(m)
			switch {
			case !ok || !fine:
				return 0, false
			case x == b:
			case number(x) && number(b):
				b = types.FloatBase
			default:
				return 0, false
			}
		}
		return b, ok
	}
	return 0, false
}

// shapeOf returns the structure of a type that has one under a name of its own:
// of `embedding` a list, of `message` a record. Any other type is itself.
func shapeOf(t types.Type) types.Type {
	if p, ok := t.(*types.Primitive); ok && p.Row.Base == types.ShapedBase {
		return p.Shape()
	}
	return t
}

func number(b types.Base) bool { return b == types.IntBase || b == types.FloatBase }

// isJSON reports whether t is json: anything goes, and is checked when it runs.
func isJSON(t types.Type) bool {
	b, ok := base(t)
	return ok && b == types.AnyBase
}

// Widen returns t with fixed values replaced by what they are values of: the type
// of `"a"` becomes string, that of `[1, 2]` list[int]. It is the type to give to
// a name that is to hold other values later.
func Widen(t types.Type) types.Type { return widen(t, true) }

func widen(t types.Type, unions bool) types.Type {
	switch t := t.(type) {
	case *types.Literal:
		switch t.Value.(type) {
		case string:
			return types.String
		case bool:
			return types.Bool
		case int:
			return types.Int
		case float64:
			return types.Float
		}
	case *types.Optional:
		return types.NewOptional(widen(t.Elem, unions))
	case *types.List:
		return &types.List{Elem: widen(t.Elem, unions), Constraints: t.Constraints}
	case *types.Union:
		if !unions {
			return t
		}
		out := make([]types.Type, len(t.Members))
		for i, m := range t.Members {
			out[i] = widen(m, unions)
		}
		var u types.Type = types.NewUnion(out...)
		if b, ok := base(u); ok && b == types.FloatBase {
			return types.Float
		}
		return u
	case *types.Record:
		if t.Name != "" {
			return t
		}
		out := &types.Record{Fields: make([]types.Field, len(t.Fields))}
		for i, f := range t.Fields {
			f.Type = widen(f.Type, unions)
			out.Fields[i] = f
		}
		return out
	}
	return t
}

// maxChoices is how many fixed values a type may list before it becomes their
// common type: a list of a thousand texts is a list of strings.
const maxChoices = 32

// join returns the type of a value that has either type.
func join(a, b types.Type) types.Type {
	switch {
	case types.IsInvalid(a):
		return b
	case types.IsInvalid(b), types.Equal(a, b):
		return a
	case isJSON(a) || isJSON(b):
		return types.JSON
	}
	ua, oa := types.Unwrap(a)
	ub, ob := types.Unwrap(b)
	switch {
	case types.Equal(a, types.Null):
		return types.NewOptional(b)
	case types.Equal(b, types.Null):
		return types.NewOptional(a)
	case oa || ob:
		return types.NewOptional(join(ua, ub))
	}
	if la, ok := a.(*types.List); ok {
		if lb, ok := b.(*types.List); ok {
			return &types.List{Elem: join(la.Elem, lb.Elem)}
		}
	}
	ba, okA := base(a)
	bb, okB := base(b)
	if okA && okB && number(ba) && number(bb) && ba != bb {
		return types.Float
	}
	ra, recordA := a.(*types.Record)
	rb, recordB := b.(*types.Record)
	switch {
	case recordA && recordB:
		if u, ok := joinRecords(ra, rb); ok {
			return u
		}
	case types.Fits(a, b):
		return b
	case types.Fits(b, a):
		return a
	}
	u := types.NewUnion(a, b)
	if x, ok := u.(*types.Union); ok && len(x.Members) > maxChoices {
		return widen(u, true)
	}
	return u
}

// joinRecords joins two records with the same names.
func joinRecords(a, b *types.Record) (types.Type, bool) {
	if a.Name != "" || b.Name != "" || len(a.Fields) != len(b.Fields) {
		return nil, false
	}
	out := &types.Record{}
	for _, f := range a.Fields {
		g, ok := b.Field(f.Name)
		if !ok {
			return nil, false
		}
		out.Fields = append(out.Fields, types.Field{Name: f.Name, Type: join(f.Type, g.Type)})
	}
	return out, true
}

func (c *checker) conditional(n *ast.ConditionalNode, want types.Type) types.Type {
	c.condition(n.Cond, "what stands before `?`")
	var a, b types.Type
	c.given(n.Cond, true, func() { a = c.value(n.Exp1, want) })
	c.given(n.Cond, false, func() { b = c.value(n.Exp2, want) })
	if types.IsInvalid(a) || types.IsInvalid(b) {
		return types.Invalid{}
	}
	return join(a, b)
}

func (c *checker) list(n *ast.ArrayNode, want types.Type) types.Type {
	var elemWant types.Type
	inner, _ := types.Unwrap(orInvalid(want))
	tuple, isTuple := inner.(*types.Tuple)
	if l, ok := inner.(*types.List); ok {
		elemWant = l.Elem
	}
	if len(n.Nodes) == 0 {
		if elemWant != nil {
			return &types.List{Elem: elemWant}
		}
		return &types.List{Elem: types.Invalid{}}
	}
	isTuple = isTuple && len(tuple.Elems) == len(n.Nodes)
	elems := make([]types.Type, len(n.Nodes))
	var elem types.Type
	bad := false
	for i, m := range n.Nodes {
		w := elemWant
		if isTuple {
			w = tuple.Elems[i]
		}
		elems[i] = c.value(m, w)
		bad = bad || types.IsInvalid(elems[i])
		if i == 0 {
			elem = elems[i]
		} else {
			elem = join(elem, elems[i])
		}
	}
	if bad {
		elem = types.Invalid{}
	}
	if isTuple && !bad {
		return &types.Tuple{Elems: elems}
	}
	return &types.List{Elem: elem}
}

func orInvalid(t types.Type) types.Type {
	if t == nil {
		return types.Invalid{}
	}
	return t
}

func (c *checker) record(n *ast.MapNode, want types.Type) types.Type {
	inner, _ := types.Unwrap(orInvalid(want))
	wanted := func(name string) types.Type {
		switch w := inner.(type) {
		case *types.Record:
			if f, ok := w.Field(name); ok {
				return f.Type
			}
		case *types.Map:
			return w.Elem
		}
		return nil
	}
	out := &types.Record{Fields: make([]types.Field, 0, len(n.Pairs))}
	var elem types.Type = types.Invalid{}
	computed := false
	seen := make(map[string]bool, len(n.Pairs))
	for _, p := range n.Pairs {
		p := p.(*ast.PairNode)
		key, fixed := p.Key.(*ast.StringNode)
		if !fixed {
			computed = true
			kt := c.present(p.Key, c.value(p.Key, types.String), "the name of a field")
			if b, ok := base(kt); !types.IsInvalid(kt) && (!ok || b != types.StringBase && b != types.AnyBase) {
				c.keyNotText(c.x.rangeOf(p.Key), kt)
			}
			elem = join(elem, c.value(p.Value, wanted("")))
			continue
		}
		if seen[key.Value] {
			c.fieldTwice(locSpan(key.Location()), key.Value)
		}
		seen[key.Value] = true
		t := c.value(p.Value, wanted(key.Value))
		elem = join(elem, t)
		out.Fields = append(out.Fields, types.Field{Name: key.Value, Type: t})
	}
	if computed {
		return &types.Map{Elem: elem}
	}
	return out
}

// constant returns the value of a node that holds nothing but fixed values.
func constant(n ast.Node) (any, bool) {
	switch n := n.(type) {
	case *ast.NilNode:
		return nil, true
	case *ast.BoolNode:
		return n.Value, true
	case *ast.IntegerNode:
		return n.Value, true
	case *ast.FloatNode:
		return n.Value, true
	case *ast.StringNode:
		return n.Value, true
	case *ast.UnaryNode:
		v, ok := constant(n.Node)
		switch x := v.(type) {
		case int:
			if n.Operator == "-" && ok {
				return -x, true
			}
			return x, ok && n.Operator == "+"
		case float64:
			if n.Operator == "-" && ok {
				return -x, true
			}
			return x, ok && n.Operator == "+"
		}
	case *ast.ArrayNode:
		out := make([]any, len(n.Nodes))
		for i, m := range n.Nodes {
			v, ok := constant(m)
			if !ok {
				return nil, false
			}
			out[i] = v
		}
		return out, true
	case *ast.MapNode:
		out := &value.Object{}
		for _, p := range n.Pairs {
			p := p.(*ast.PairNode)
			k, fixed := p.Key.(*ast.StringNode)
			v, ok := constant(p.Value)
			if !fixed || !ok {
				return nil, false
			}
			out.Set(k.Value, v)
		}
		return out, true
	}
	return nil, false
}
