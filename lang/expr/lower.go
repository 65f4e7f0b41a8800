package expr

import (
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"

	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// lowerer turns a checked tree into one for expr's compiler. The checked tree is
// not changed.
//
// What is left to expr's machine is control: constants, `let`, `&&`, `||`, `?:`
// and the loops of predicates. Everything that reads or computes a value becomes
// a call of a function whose name begins with `$` and whose first argument is the
// run (expr's `$env`), because the machine's own operations work on Go maps,
// wrap around on overflow, give infinity for a division by zero, and count
// nothing.
type lowerer struct {
	ranges ranger
	facts  *facts
	locals []string
	temps  int
}

var (
	boolType = reflect.TypeFor[bool]()
	listType = reflect.TypeFor[[]any]()
)

// typed tells expr's compiler the Go type of a node, so that it does not
// dereference what is a pointer on purpose.
func typed(n ast.Node, t reflect.Type) ast.Node {
	n.SetType(t)
	return n
}

func (l *lowerer) loc(n ast.Node) file.Location {
	from, to := l.ranges.ends(n)
	return file.Location{From: from, To: to}
}

// call makes a call of a `$` function that stands for n.
func (l *lowerer) call(n ast.Node, name string, args ...ast.Node) ast.Node {
	loc := l.loc(n)
	all := make([]ast.Node, 0, len(args)+1)
	all = append(all, located(&ast.IdentifierNode{Value: "$env"}, loc))
	all = append(all, args...)
	return located(&ast.CallNode{Callee: located(&ast.IdentifierNode{Value: "$" + name}, loc), Arguments: all}, loc)
}

func (l *lowerer) constant(n ast.Node, v any) ast.Node {
	return located(&ast.ConstantNode{Value: v}, n.Location())
}

func (l *lowerer) temp() string {
	l.temps++
	return "$" + strconv.Itoa(l.temps)
}

// bind makes `let NAME = v; use(NAME)`.
func (l *lowerer) bind(n, v ast.Node, use func(name ast.Node) ast.Node) ast.Node {
	name := l.temp()
	loc := l.loc(n)
	ref := func() ast.Node { return typed(located(&ast.IdentifierNode{Value: name}, loc), listType) }
	return located(&ast.VariableDeclaratorNode{Name: name, Value: v, Expr: use(ref())}, loc)
}

// truth lowers a node that must be true or false.
func (l *lowerer) truth(n ast.Node) ast.Node {
	out := l.node(n)
	switch x := n.(type) {
	case *ast.BoolNode:
		return typed(out, boolType)
	case *ast.UnaryNode:
		if x.Operator == "!" || x.Operator == "not" {
			return typed(out, boolType)
		}
	case *ast.BinaryNode:
		switch x.Operator {
		case "??", "+", "-", "*", "/", "%", "**", "^", "..":
		default:
			return typed(out, boolType)
		}
	case *ast.BuiltinNode:
		switch x.Name {
		case "all", "any", "none", "one":
			return typed(out, boolType)
		}
	}
	return typed(l.call(n, "bool", out), boolType)
}

func (l *lowerer) nodes(ns []ast.Node) []ast.Node {
	out := make([]ast.Node, len(ns))
	for i, n := range ns {
		out[i] = l.node(n)
	}
	return out
}

func (l *lowerer) node(n ast.Node) ast.Node {
	switch x := n.(type) {
	case nil:
		return &ast.NilNode{}
	case *ast.IntegerNode:
		return l.constant(n, x.Value)
	case *ast.FloatNode:
		return l.constant(n, x.Value)
	case *ast.StringNode:
		return l.constant(n, x.Value)
	case *ast.BoolNode:
		return located(&ast.BoolNode{Value: x.Value}, x.Location())
	case *ast.IdentifierNode:
		for i := len(l.locals) - 1; i >= 0; i-- {
			if l.locals[i] == x.Value {
				return located(&ast.IdentifierNode{Value: x.Value}, x.Location())
			}
		}
		return l.call(n, "name", l.constant(n, x.Value))
	case *ast.PointerNode:
		return located(&ast.PointerNode{Name: x.Name}, x.Location())
	case *ast.MemberNode:
		return l.member(x)
	case *ast.ChainNode:
		return l.chain(x.Node, func(v ast.Node) ast.Node { return v })
	case *ast.SliceNode:
		return l.call(n, "slice", l.node(x.Node), l.node(x.From), l.node(x.To))
	case *ast.UnaryNode:
		switch x.Operator {
		case "!", "not":
			return located(&ast.UnaryNode{Operator: "!", Node: l.truth(x.Node)}, l.loc(n))
		case "-":
			return l.call(n, "negate", l.node(x.Node))
		}
		return l.call(n, "number", l.node(x.Node))
	case *ast.BinaryNode:
		return l.binary(x)
	case *ast.ConditionalNode:
		return located(&ast.ConditionalNode{Cond: l.truth(x.Cond), Exp1: l.node(x.Exp1), Exp2: l.node(x.Exp2)}, l.loc(n))
	case *ast.VariableDeclaratorNode:
		v := l.node(x.Value)
		l.locals = append(l.locals, x.Name)
		in := l.node(x.Expr)
		l.locals = l.locals[:len(l.locals)-1]
		return located(&ast.VariableDeclaratorNode{Name: x.Name, Value: v, Expr: in}, l.loc(n))
	case *ast.ArrayNode:
		return located(&ast.ArrayNode{Nodes: l.nodes(x.Nodes)}, l.loc(n))
	case *ast.MapNode:
		args := make([]ast.Node, 0, 2*len(x.Pairs))
		for _, p := range x.Pairs {
			p := p.(*ast.PairNode)
			args = append(args, l.node(p.Key), l.node(p.Value))
		}
		return l.call(n, "object", args...)
	case *ast.CallNode:
		f, ok := x.Callee.(*ast.IdentifierNode)
		switch {
		case !ok:
			return located(&ast.NilNode{}, x.Location()) // the checker refused it
		case f.Value == textCall:
			return l.call(n, "text", l.nodes(x.Arguments)...)
		}
		return l.function(n, f.Value, x.Arguments)
	case *ast.BuiltinNode:
		return l.function(n, x.Name, x.Arguments)
	}
	return located(&ast.NilNode{}, n.Location())
}

func (l *lowerer) member(x *ast.MemberNode) ast.Node {
	if name, ok := l.facts.members[x]; ok {
		return l.constant(x, name)
	}
	return l.call(x, ".", l.node(x.Node), l.node(x.Property))
}

// chain lowers `a?.b.c` inside out: wrap says what is done with its value. What
// stands before a `?.` is bound to a name; if it is null, so is the whole chain.
func (l *lowerer) chain(n ast.Node, wrap func(ast.Node) ast.Node) ast.Node {
	m, ok := n.(*ast.MemberNode)
	if !ok {
		return wrap(l.node(n))
	}
	if _, fixed := l.facts.members[m]; fixed {
		return wrap(l.node(n))
	}
	if !m.Optional {
		return l.chain(m.Node, func(v ast.Node) ast.Node {
			return wrap(l.call(m, ".", v, l.node(m.Property)))
		})
	}
	return l.chain(m.Node, func(v ast.Node) ast.Node {
		return l.bind(m, v, func(name ast.Node) ast.Node {
			rest := wrap(l.call(m, ".", name, l.node(m.Property)))
			return l.unless(m, name, located(&ast.NilNode{}, m.Location()), rest)
		})
	})
}

// unless makes `name is null ? null : rest`.
func (l *lowerer) unless(n, name, null, rest ast.Node) ast.Node {
	return located(&ast.ConditionalNode{Cond: typed(l.call(n, "null", name), boolType), Exp1: null, Exp2: rest}, l.loc(n))
}

func (l *lowerer) binary(x *ast.BinaryNode) ast.Node {
	enum := func(n ast.Node) ast.Node {
		if e, ok := l.facts.enums[x]; ok {
			return l.call(x, "enum", l.constant(x, e), n)
		}
		return n
	}
	switch x.Operator {
	case "&&", "and":
		return located(&ast.BinaryNode{Operator: "&&", Left: l.truth(x.Left), Right: l.truth(x.Right)}, l.loc(x))
	case "||", "or":
		return located(&ast.BinaryNode{Operator: "||", Left: l.truth(x.Left), Right: l.truth(x.Right)}, l.loc(x))
	case "??":
		return l.bind(x, l.node(x.Left), func(name ast.Node) ast.Node {
			return l.unless(x, name, enum(l.node(x.Right)), name)
		})
	case "==", "!=", "in":
		return l.call(x, x.Operator, enum(l.node(x.Left)), enum(l.node(x.Right)))
	case "matches":
		if s, ok := x.Right.(*ast.StringNode); ok {
			if re, err := regexp.Compile(s.Value); err == nil {
				return l.call(x, "matches", l.node(x.Left), l.constant(x.Right, re))
			}
		}
	}
	return l.call(x, x.Operator, l.node(x.Left), l.node(x.Right))
}

func (l *lowerer) function(n ast.Node, name string, args []ast.Node) ast.Node {
	if to, ok := l.facts.targets[n]; ok {
		return l.call(n, "choice", l.constant(n, to), l.node(args[0]))
	}
	f, ok := functions[name]
	switch {
	case !ok || f.Host: // one that is not in the table is one of Scope.Own
		return l.call(n, "host", append([]ast.Node{l.constant(n, name)}, l.nodes(args)...)...)
	case f.shape == looping:
		return l.loop(n, f, args)
	case f.shape == mapped && len(args) > 1:
		list := typed(l.call(args[0], "list", l.node(args[0])), listType)
		return l.bind(n, list, func(xs ast.Node) ast.Node {
			keys := located(&ast.BuiltinNode{Name: "map", Arguments: []ast.Node{xs, l.body(args[1], false)}}, l.loc(n))
			return l.call(n, name, append([]ast.Node{xs, keys}, l.nodes(args[2:])...)...)
		})
	}
	return l.call(n, name, l.nodes(args)...)
}

// loop lowers a predicate that expr's machine runs.
func (l *lowerer) loop(n ast.Node, f *Function, args []ast.Node) ast.Node {
	out := []ast.Node{
		typed(l.call(args[0], "list", l.node(args[0])), listType),
		l.body(args[1], f.params[1].takes == yes),
	}
	for _, a := range args[2:] {
		out = append(out, typed(l.node(a), listType))
	}
	return located(&ast.BuiltinNode{Name: f.Name, Arguments: out}, l.loc(n))
}

// body lowers what runs for each element: every turn is a step.
func (l *lowerer) body(n ast.Node, truth bool) ast.Node {
	p := n.(*ast.PredicateNode)
	tick := "tick"
	if truth {
		tick = "tickbool"
	}
	return located(&ast.PredicateNode{Node: l.call(p.Node, tick, l.node(p.Node))}, p.Location())
}

// config is what expr's compiler needs to know; its table of functions is shared
// and not changed.
func config() *conf.Config {
	return &conf.Config{ShortCircuit: true, Functions: machine()}
}

// machine returns the `$` functions.
var machine = sync.OnceValue(func() conf.FunctionsTable {
	table := conf.FunctionsTable{}
	add := func(name string, f func(r *run, a []any) (any, error)) {
		table["$"+name] = &builtin.Function{Name: "$" + name, Func: func(params ...any) (any, error) {
			return f(params[0].(*run), params[1:])
		}}
	}
	for name, f := range functions {
		if f.run != nil {
			add(name, f.run)
		}
	}
	for _, op := range []string{"+", "-", "*", "/", "%", "**", "^"} {
		add(op, func(r *run, a []any) (any, error) {
			if s, ok := a[0].(string); ok && op == "+" {
				if t, ok := a[1].(string); ok {
					if err := r.grow(len(s) + len(t)); err != nil {
						return nil, err
					}
				}
			}
			return arithmetic(op, a[0], a[1])
		})
	}
	compare := func(op string, swap, not bool) {
		add(op, func(_ *run, a []any) (any, error) {
			x, y := a[0], a[1]
			if swap {
				x, y = y, x
			}
			less, err := lessThan(x, y)
			return less != not, err
		})
	}
	compare("<", false, false)
	compare(">", true, false)
	compare("<=", true, true)
	compare(">=", false, true)
	textual := func(op string, f func(s, t string) bool) {
		add(op, func(_ *run, a []any) (any, error) {
			s, err := asText(a[0])
			if err != nil {
				return nil, err
			}
			t, err := asText(a[1])
			return f(s, t), err
		})
	}
	textual("contains", strings.Contains)
	textual("startsWith", strings.HasPrefix)
	textual("endsWith", strings.HasSuffix)
	add("matches", func(r *run, a []any) (any, error) {
		s, err := asText(a[0])
		if err != nil {
			return nil, err
		}
		if err := r.spend(1 + len(s)/16); err != nil {
			return nil, err
		}
		if re, ok := a[1].(*regexp.Regexp); ok {
			return re.MatchString(s), nil
		}
		p, err := asText(a[1])
		if err != nil {
			return nil, err
		}
		re, err := regexp.Compile(p)
		if err != nil {
			return nil, failed("%s is not a pattern: %s", quote(p), patternFault(err))
		}
		return re.MatchString(s), nil
	})
	add("==", func(_ *run, a []any) (any, error) { return value.Equal(a[0], a[1]), nil })
	add("!=", func(_ *run, a []any) (any, error) { return !value.Equal(a[0], a[1]), nil })
	add("in", func(r *run, a []any) (any, error) { return contained(r, a[0], a[1]) })
	add("..", func(r *run, a []any) (any, error) { return r.numbers(a[0], a[1]) })
	add("name", func(r *run, a []any) (any, error) { return r.name(a[0].(string)) })
	add(".", func(_ *run, a []any) (any, error) { return get(a[0], a[1]) })
	add("slice", func(r *run, a []any) (any, error) { return slice(r, a[0], a[1], a[2]) })
	add("negate", func(_ *run, a []any) (any, error) { return arithmetic("-", 0, a[0]) })
	add("number", func(_ *run, a []any) (any, error) {
		_, err := asFloat(a[0])
		return a[0], err
	})
	add("bool", func(_ *run, a []any) (any, error) { return asBool(a[0]) })
	add("null", func(_ *run, a []any) (any, error) { return a[0] == nil, nil })
	add("list", func(_ *run, a []any) (any, error) {
		l, err := asList(a[0])
		if l == nil {
			l = []any{} // expr's machine takes a nil list for no list
		}
		return l, err
	})
	add("text", func(r *run, a []any) (any, error) { return r.text(a) })
	add("object", func(r *run, a []any) (any, error) {
		o := &value.Object{}
		for i := 0; i < len(a); i += 2 {
			name, err := asText(a[i])
			if err != nil {
				return nil, err
			}
			o.Set(name, a[i+1])
		}
		return o, r.grow(elementSize * len(a))
	})
	add("enum", func(_ *run, a []any) (any, error) { return enumName(a[0].(*types.Enum), a[1]), nil })
	add("choice", func(_ *run, a []any) (any, error) { return choice(a[0].(types.Type), a[1]) })
	add("host", func(r *run, a []any) (any, error) { return r.host(a[0].(string), a[1:]) })
	add("tick", func(r *run, a []any) (any, error) { return a[0], r.spend(1) })
	add("tickbool", func(r *run, a []any) (any, error) {
		if err := r.spend(1); err != nil {
			return nil, err
		}
		return asBool(a[0])
	})
	return table
})

func asBool(v any) (any, error) {
	if b, ok := v.(bool); ok {
		return b, nil
	}
	return nil, expected("true or false", v)
}
