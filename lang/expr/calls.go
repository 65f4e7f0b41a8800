package expr

import (
	"github.com/expr-lang/expr/ast"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/types"
)

// call is a call of a function, however expr holds it.
type call struct {
	node ast.Node
	name string
	at   source.Span // of the name
	args []ast.Node
	row  *Function
}

func (c *checker) callNode(n *ast.CallNode, want types.Type) types.Type {
	switch f := n.Callee.(type) {
	case *ast.IdentifierNode:
		if f.Value == textCall {
			for _, a := range n.Arguments {
				c.part(a)
			}
			return types.String
		}
		return c.call(&call{node: n, name: f.Value, at: locSpan(f.Location()), args: n.Arguments}, want)
	case *ast.MemberNode:
		c.methodCall(n, f)
		return types.Invalid{}
	}
	c.notCallable(c.x.rangeOf(n.Callee))
	return types.Invalid{}
}

// part checks one part of a template.
func (c *checker) part(n ast.Node) {
	if _, fixed := n.(*ast.StringNode); fixed {
		return
	}
	t := c.value(n, types.String)
	if types.IsInvalid(t) {
		return
	}
	switch t.(type) {
	case types.Model, types.Module:
		c.add("E0315", c.x.rangeOf(n), "this is %s, which has no text", an(t)).
			Say("A template takes the text of a value. A model or module is chosen, not shown.")
		return
	}
	if c.nullable(t) {
		c.nullInText(n, t)
	}
}

// call infers the call of a function of the table, or a conversion.
func (c *checker) call(x *call, want types.Type) types.Type {
	row, ok := c.scope.function(x.name)
	if ok && row.Host && !c.scope.allows(x.name) {
		c.hostOnly(x)
		return types.Invalid{}
	}
	if !ok {
		if sym, found := c.scope.Lookup(x.name); found {
			if to := sym.converts(); to != nil {
				return c.convert(x, to)
			}
		}
		c.unknownFunction(x)
		for _, a := range x.args {
			if _, isPredicate := a.(*ast.PredicateNode); !isPredicate {
				c.value(a, nil)
			}
		}
		return types.Invalid{}
	}
	x.row = row
	return row.infer(c, x, want)
}

// convert infers `Queue(x)`.
func (c *checker) convert(x *call, to types.Type) types.Type {
	if len(x.args) != 1 {
		c.wrongCount(x, "text")
		return types.Invalid{}
	}
	t := c.present(x.args[0], c.value(x.args[0], types.String), "what `"+x.name+"` converts")
	if types.IsInvalid(t) {
		return t
	}
	if !c.holds(t, types.StringBase) {
		c.wrongArgument(x, 0, t, "text")
		return types.Invalid{}
	}
	if l, ok := t.(*types.Literal); ok {
		if s, ok := l.Value.(string); ok && closed(to) && !isChoice(to, s) {
			c.unknownChoice(x.args[0], to, s)
			return types.Invalid{}
		}
	}
	c.target(x.node, to)
	return types.NewOptional(to)
}

func (c *checker) target(n ast.Node, to types.Type) {
	if c.facts.targets == nil {
		c.facts.targets = map[ast.Node]types.Type{}
	}
	c.facts.targets[n] = to
}

// param is one parameter of a function of the table.
type param struct {
	name     string
	takes    takes
	optional bool
	many     bool // any number of these
}

// takes says what a parameter takes.
type takes uint8

const (
	anything takes = iota // not null
	text_
	whole
	aNumber
	aList
	texts
	numbers
	sortable // a list of numbers or of texts
	anObject
	sized   // list, text or object
	order   // "asc" or "desc"
	numeric // a number or a text that holds one
	listOrObject
	numberOrNumbers
	yes  // a predicate that gives true or false
	each // a predicate that gives any value
	eachNumber
	folds // a predicate with `acc`
)

func (t takes) predicate() bool { return t >= yes }

// words says for people what a parameter takes.
func (t takes) words() string {
	return [...]string{
		"a value", "text", "a whole number", "a number", "a list", "a list of texts", "a list of numbers",
		"a list of numbers or of texts", "an object", "a list, a text or an object", "\"asc\" or \"desc\"",
		"a number, or a text that holds one", "a list or an object", "numbers, or a list of numbers",
		"a condition on `it`", "an expression with `it`", "a number made from `it`", "an expression with `acc` and `it`",
	}[t]
}

// accepts reports whether a value of typ can be given to a parameter.
func (c *checker) accepts(t takes, typ types.Type) bool {
	if types.IsInvalid(typ) || isJSON(typ) {
		return true
	}
	typ = shapeOf(typ)
	elem := elemOf(typ)
	b, primitive := base(typ)
	isText := primitive && b == types.StringBase
	isNumber := primitive && number(b)
	_, isMap := typ.(*types.Map)
	_, isRecord := typ.(*types.Record)
	elems := func(fits func(types.Base) bool) bool {
		if elem == nil || types.IsInvalid(elem) {
			return elem != nil
		}
		b, ok := base(elem)
		return ok && (b == types.AnyBase || fits(b))
	}
	textBase := func(b types.Base) bool { return b == types.StringBase }
	switch t {
	case anything:
		return true
	case text_:
		return isText
	case whole:
		return primitive && b == types.IntBase
	case aNumber:
		return isNumber
	case aList:
		return elem != nil
	case texts:
		return elems(textBase)
	case numbers:
		return elems(number)
	case sortable:
		return elems(func(b types.Base) bool { return number(b) || b == types.StringBase })
	case anObject:
		return isMap || isRecord
	case sized:
		return elem != nil || isText || isMap || isRecord
	case order:
		l, ok := typ.(*types.Literal)
		return isText && (!ok || l.Value == "asc" || l.Value == "desc")
	case numeric:
		return isNumber || isText
	case listOrObject:
		return elem != nil || isMap || isRecord
	case numberOrNumbers:
		return isNumber || elems(number)
	}
	return false
}

// elemOf returns the type of a list's elements, or nil for what is no list.
func elemOf(t types.Type) types.Type {
	switch t := shapeOf(t).(type) {
	case *types.List:
		return t.Elem
	case *types.Tuple:
		var out types.Type = types.Invalid{}
		for _, e := range t.Elems {
			out = join(out, e)
		}
		return out
	}
	if isJSON(t) {
		return types.JSON
	}
	return nil
}

// oneOf is elemOf for an element that is looked at: one of `[]`, of which nothing
// is known, may be anything.
func oneOf(t types.Type) types.Type {
	e := elemOf(t)
	if e != nil && types.IsInvalid(e) && !types.IsInvalid(t) {
		return types.JSON
	}
	return e
}

// infer checks the arguments of a call against the row's parameters and returns
// the type of the result.
func (f *Function) infer(c *checker, x *call, want types.Type) types.Type {
	need, most := 0, len(f.params)
	for _, p := range f.params {
		if !p.optional {
			need++
		}
		if p.many {
			most = 1 << 30
		}
	}
	if len(x.args) < need || len(x.args) > most {
		c.wrongCount(x, f.Params)
		return types.Invalid{}
	}
	args := make([]types.Type, len(x.args))
	bad := false
	for i, a := range x.args {
		p := f.params[min(i, len(f.params)-1)]
		if p.takes.predicate() {
			args[i] = c.predicate(x, f, i, p, args)
		} else {
			args[i] = c.argument(x, i, p, a)
		}
		if types.IsInvalid(args[i]) {
			bad = true
		}
	}
	if bad {
		return types.Invalid{}
	}
	return f.result(c, x, args, want)
}

func (c *checker) argument(x *call, i int, p param, a ast.Node) types.Type {
	t := c.value(a, nil)
	if types.IsInvalid(t) {
		return t
	}
	if c.nullable(t) {
		c.mayBeNull(a, t, "what `"+x.name+"` is given")
		return types.Invalid{}
	}
	if !c.accepts(p.takes, t) {
		c.wrongArgument(x, i, t, p.takes.words())
		return types.Invalid{}
	}
	return t
}

// predicate infers the expression that a function runs for each element.
func (c *checker) predicate(x *call, f *Function, i int, p param, args []types.Type) types.Type {
	n, ok := x.args[i].(*ast.PredicateNode)
	if !ok {
		return types.Invalid{}
	}
	elem := oneOf(args[0])
	if elem == nil {
		elem = types.Invalid{} // the list was reported
	}
	in := loop{elem: elem, name: f.Name}
	if p.takes == folds {
		in.acc = elem
		if len(x.args) > i+1 { // acc begins as the third argument
			quiet := &checker{reporter: reporter{x: c.x}, scope: c.scope, locals: c.locals, loops: c.loops, known: c.known}
			in.acc = Widen(quiet.value(x.args[i+1], nil))
		}
	}
	c.loops = append(c.loops, in)
	defer func() { c.loops = c.loops[:len(c.loops)-1] }()
	if p.takes == yes {
		return c.condition(n.Node, "what `"+x.name+"` asks of each element")
	}
	t := c.value(n.Node, nil)
	if p.takes == eachNumber && !types.IsInvalid(t) {
		t = c.present(n.Node, t, "what `"+x.name+"` adds up")
		if b, ok := base(t); !types.IsInvalid(t) && (!ok || !number(b) && b != types.AnyBase) {
			c.wrongArgument(x, i, t, "a number made from `it`")
			return types.Invalid{}
		}
	}
	if p.takes == folds && isJSON(t) {
		return t // what acc becomes is known when it runs, and so is what it is in the end
	}
	if p.takes == folds && !types.IsInvalid(t) && !types.IsInvalid(in.acc) {
		t = Widen(t)
		if out := join(in.acc, t); !types.Fits(t, in.acc) {
			// `acc + it.score` from 0: the first turn tells that acc is a float
			c.loops[len(c.loops)-1].acc = out
			again := &checker{reporter: reporter{x: c.x}, scope: c.scope, locals: c.locals, loops: c.loops, known: c.known}
			if u := Widen(again.value(n.Node, nil)); len(again.diags) > 0 || !types.Fits(u, out) {
				c.foldDiffers(x, i, in.acc, t)
				return types.Invalid{}
			}
			return out
		}
		return in.acc
	}
	return t
}
