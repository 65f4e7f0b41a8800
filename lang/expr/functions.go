package expr

import (
	"context"
	"slices"

	"github.com/dspi-lang/dspi/lang/types"
)

// Function is a row of the one table of functions: what the checker, the runtime,
// the help and the editor know about it.
type Function struct {
	Name    string
	Params  string // "list, condition"; what is in [ ] may be left out
	Result  string // a type, or words: "list[T]"
	Doc     string // one line
	Example string // an expression
	Gives   string // what the example gives, as dspi writes it
	// Host marks a function that only some places allow (Scope.Host) and that
	// the host supplies when the expression runs (WithHost).
	Host bool

	params []param
	result func(c *checker, x *call, args []types.Type, want types.Type) types.Type
	// run computes the function; nil for those that are loops of expr's machine.
	run func(r *run, args []any) (any, error)
	// shape says how a loop is lowered.
	shape shape
}

// shape says how the call of a function is lowered.
type shape uint8

const (
	plain   shape = iota // a call of run
	looping              // expr's own loop, the list and the body guarded
	mapped               // run(list, map(list, body), rest…)
)

// HostFunc computes a function that the host supplies, such as env.
type HostFunc func(ctx context.Context, args []any) (any, error)

// Functions returns every function, in the order of the reference.
func Functions() []Function {
	out := make([]Function, len(order_))
	for i, name := range order_ {
		out[i] = *functions[name]
	}
	return out
}

var (
	functions map[string]*Function // filled by init, not changed later
	order_    []string
)

func init() { // not an initialiser: rows refer to the checker, the checker to the table
	functions = map[string]*Function{}
	for _, rows := range [][]Function{loopFunctions(), listFunctions(), textFunctions(), numberFunctions(), valueFunctions(), citationFunctions(), metricFunctions()} {
		for _, f := range rows {
			functions[f.Name] = &f
			order_ = append(order_, f.Name)
		}
	}
}

// functionNames returns the names of the functions that a scope may call.
func (c *checker) functionNames() []string {
	names := slices.Clone(order_)
	names = slices.DeleteFunc(names, func(n string) bool { return functions[n].Host && !c.scope.allows(n) })
	if c.scope != nil {
		for _, f := range c.scope.Own {
			names = append(names, f.Name)
		}
	}
	for _, s := range c.scope.Symbols() {
		if s.converts() != nil {
			names = append(names, s.Name)
		}
	}
	return names
}

// The results of functions.

type resultFunc = func(c *checker, x *call, args []types.Type, want types.Type) types.Type

func gives(t types.Type) resultFunc {
	return func(*checker, *call, []types.Type, types.Type) types.Type { return t }
}

// sameList gives a list of what the first argument holds.
func sameList(_ *checker, _ *call, args []types.Type, _ types.Type) types.Type {
	return &types.List{Elem: elemOf(args[0])}
}

// element gives an element of the first argument, or null.
func element(_ *checker, _ *call, args []types.Type, _ types.Type) types.Type {
	return types.NewOptional(oneOf(args[0]))
}

// sameNumber gives int for ints and float for anything else.
func sameNumber(_ *checker, _ *call, args []types.Type, _ types.Type) types.Type {
	t := args[len(args)-1]
	if e := elemOf(t); e != nil && !isJSON(t) {
		t = e
	}
	switch b, _ := base(t); {
	case types.IsInvalid(t), b == types.AnyBase:
		return types.JSON
	case b == types.IntBase:
		return types.Int
	}
	return types.Float
}

// the parameters that many functions share
var (
	pList      = param{name: "list", takes: aList}
	pCondition = param{name: "condition", takes: yes}
	pText      = param{name: "text", takes: text_}
)

func loopFunctions() []Function {
	cond := []param{pList, pCondition}
	return []Function{
		{Name: "filter", Params: "list, condition", Result: "list[T]", Doc: "the elements for which the condition holds",
			Example: `filter([1, 5, 9], it > 3)`, Gives: "[5,9]", params: cond, result: sameList, shape: looping},
		{Name: "map", Params: "list, expression", Result: "list", Doc: "what the expression gives for each element",
			Example: `map(["a", "b"], upper(it))`, Gives: `["A","B"]`, params: []param{pList, {name: "expression", takes: each}}, shape: looping,
			result: func(_ *checker, _ *call, args []types.Type, _ types.Type) types.Type {
				return &types.List{Elem: args[1]}
			}},
		{Name: "all", Params: "list, condition", Result: "bool", Doc: "whether the condition holds for every element",
			Example: `all([2, 4], it > 1)`, Gives: "true", params: cond, result: gives(types.Bool), shape: looping},
		{Name: "any", Params: "list, condition", Result: "bool", Doc: "whether the condition holds for an element",
			Example: `any([2, 4], it > 3)`, Gives: "true", params: cond, result: gives(types.Bool), shape: looping},
		{Name: "none", Params: "list, condition", Result: "bool", Doc: "whether the condition holds for no element",
			Example: `none([2, 4], it > 4)`, Gives: "true", params: cond, result: gives(types.Bool), shape: looping},
		{Name: "one", Params: "list, condition", Result: "bool", Doc: "whether the condition holds for exactly one element",
			Example: `one([2, 4], it > 3)`, Gives: "true", params: cond, result: gives(types.Bool), shape: looping},
		{Name: "count", Params: "list, condition", Result: "int", Doc: "for how many elements the condition holds",
			Example: `count([1, 5, 9], it > 3)`, Gives: "2", params: cond, result: gives(types.Int), shape: looping},
		{Name: "find", Params: "list, condition", Result: "T?", Doc: "the first element for which the condition holds, or null",
			Example: `find([1, 5, 9], it > 3)`, Gives: "5", params: cond, result: element, shape: looping},
		{Name: "findLast", Params: "list, condition", Result: "T?", Doc: "the last element for which the condition holds, or null",
			Example: `findLast([1, 5, 9], it > 3)`, Gives: "9", params: cond, result: element, shape: looping},
		{Name: "findIndex", Params: "list, condition", Result: "int?", Doc: "the position of the first element for which the condition holds, or null",
			Example: `findIndex([1, 5, 9], it > 3)`, Gives: "1", params: cond, result: gives(types.NewOptional(types.Int)), shape: looping},
		{Name: "findLastIndex", Params: "list, condition", Result: "int?", Doc: "the position of the last element for which the condition holds, or null",
			Example: `findLastIndex([1, 5, 9], it > 3)`, Gives: "2", params: cond, result: gives(types.NewOptional(types.Int)), shape: looping},
		{Name: "reduce", Params: "list, expression[, start]", Result: "the type of start", Doc: "goes over the list with `acc`, which begins as start (else as the first element) and becomes what the expression gives",
			Example: `reduce([1, 2, 3], acc + it, 0)`, Gives: "6", shape: looping,
			params: []param{pList, {name: "expression", takes: folds}, {name: "start", takes: anything, optional: true}},
			result: func(_ *checker, _ *call, args []types.Type, _ types.Type) types.Type { return args[1] }},
		{Name: "sum", Params: "list[, expression]", Result: "int or float", Doc: "the numbers of a list, or what the expression makes of its elements, added up",
			Example: `sum([{price: 2}, {price: 3}], it.price)`, Gives: "5", shape: mapped,
			params: []param{{name: "list", takes: aList}, {name: "expression", takes: eachNumber, optional: true}},
			result: sumResult, run: runSum},
		{Name: "groupBy", Params: "list, expression", Result: "map[string, list[T]]", Doc: "the elements by what the expression gives for them, as text; groups in the order in which they turn up",
			Example: `groupBy(["ant", "bee", "asp"], it[0])`, Gives: `{"a":["ant","asp"],"b":["bee"]}`, shape: mapped,
			params: []param{pList, {name: "expression", takes: each}},
			result: func(c *checker, x *call, args []types.Type, _ types.Type) types.Type {
				b, ok := base(args[1])
				if !ok || b == types.FloatBase {
					c.wrongArgument(x, 1, args[1], "text, a whole number or true and false")
					return types.Invalid{}
				}
				return &types.Map{Elem: &types.List{Elem: elemOf(args[0])}}
			}, run: runGroupBy},
		{Name: "sortBy", Params: "list, expression[, \"desc\"]", Result: "list[T]", Doc: "the elements in the order of what the expression gives for them; equals keep their order",
			Example: `sortBy([{n: 2}, {n: 1}], it.n)`, Gives: `[{"n":1},{"n":2}]`, shape: mapped,
			params: []param{pList, {name: "expression", takes: each}, {name: "order", takes: order, optional: true}},
			result: func(c *checker, x *call, args []types.Type, _ types.Type) types.Type {
				b, ok := base(args[1])
				if !ok || b == types.BoolBase {
					c.wrongArgument(x, 1, args[1], "numbers or texts to sort by")
					return types.Invalid{}
				}
				return &types.List{Elem: elemOf(args[0])}
			}, run: runSortBy},
	}
}

func sumResult(c *checker, x *call, args []types.Type, want types.Type) types.Type {
	if len(args) == 1 {
		if !c.accepts(numbers, args[0]) {
			c.wrongArgument(x, 0, args[0], "a list of numbers")
			return types.Invalid{}
		}
		return sameNumber(c, x, args, want)
	}
	return sameNumber(c, x, []types.Type{&types.List{Elem: args[1]}}, want)
}
