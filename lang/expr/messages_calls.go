package expr

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/types"
)

// What is said about operators and functions that do not fit what they are given.

func (c *checker) wrongOperand(at source.Span, op string, n ast.Node, t types.Type, wants string) {
	c.add("E0302", at, "`%s` takes %s", op, wants).Relate(c.at(c.x.rangeOf(n)), "this is %s", an(t))
}

// wrongOperands is an operator whose sides do not fit it.
func (c *checker) wrongOperands(n *ast.BinaryNode, a, b types.Type, wants string) *diag.Diagnostic {
	at := locSpan(n.Location())
	return c.add("E0302", at, "`%s` takes %s", n.Operator, wants).
		Relate(c.at(c.x.rangeOf(n.Left)), "this is %s", an(a)).
		Relate(c.at(c.x.rangeOf(n.Right)), "this is %s", an(b))
}

// cannotAdd is a `+` between what cannot be added.
func (c *checker) cannotAdd(n *ast.BinaryNode, a, b types.Type) {
	wants := "two numbers or two texts"
	x, okA := base(a)
	y, okB := base(b)
	d := c.wrongOperands(n, a, b, wants)
	whole := c.at(c.x.rangeOf(n))
	switch {
	case okA && x == types.StringBase || okB && y == types.StringBase:
		d.Fix("put it into the text with `${…}`", whole, `"`+c.asPart(n.Left)+c.asPart(n.Right)+`"`)
	case elemOf(a) != nil && elemOf(b) != nil:
		d.Fix("put the lists together with `concat`", whole, "concat("+c.textOf(n.Left)+", "+c.textOf(n.Right)+")")
	}
}

// asPart writes an operand as part of a template.
func (c *checker) asPart(n ast.Node) string {
	text := c.textOf(n)
	if _, ok := n.(*ast.StringNode); ok && len(text) > 1 && text[0] == '"' {
		return text[1 : len(text)-1]
	}
	if b, ok := n.(*ast.BinaryNode); ok && b.Operator == "+" { // "a" + x + "b"
		if l, ok := base((&checker{reporter: reporter{x: c.x}, scope: c.scope, locals: c.locals, loops: c.loops, known: c.known}).value(b, nil)); ok && l == types.StringBase {
			return c.asPart(b.Left) + c.asPart(b.Right)
		}
	}
	return "${" + text + "}"
}

func (c *checker) listContains(n *ast.BinaryNode, a, b types.Type) {
	c.wrongOperands(n, a, b, "text on both sides").
		Fix("ask a list with `in`", c.at(c.x.rangeOf(n)), c.textOf(n.Right)+" in "+c.textOf(n.Left))
}

func (c *checker) inText(n *ast.BinaryNode) {
	c.add("E0302", locSpan(n.Location()), "`in` asks a list or an object").
		Fix("ask a text with `contains`", c.at(c.x.rangeOf(n)), c.textOf(n.Right)+" contains "+c.textOf(n.Left))
}

func (c *checker) neverEqual(n *ast.BinaryNode, a, b types.Type) {
	d := c.add("E0302", locSpan(n.Location()), "these can never be equal").
		Relate(c.at(c.x.rangeOf(n.Left)), "this is %s", an(a)).
		Relate(c.at(c.x.rangeOf(n.Right)), "this is %s", an(b))
	if n.Operator == "in" {
		return
	}
	quoted := func(side ast.Node, t, other types.Type) {
		l, ok := t.(*types.Literal)
		if b, fine := base(other); ok && fine && b == types.StringBase && l.Value != nil {
			d.Fix("compare with a text", c.at(c.x.rangeOf(side)), types.FormatLiteral(fmt.Sprint(l.Value)))
		}
		if s, isText := literalText(t); isText {
			if b, fine := base(other); fine && b != types.StringBase && b != types.AnyBase {
				d.Fix("compare without quotes", c.at(c.x.rangeOf(side)), s)
			}
		}
	}
	quoted(n.Left, a, b)
	quoted(n.Right, b, a)
}

func literalText(t types.Type) (string, bool) {
	l, ok := t.(*types.Literal)
	if !ok {
		return "", false
	}
	s, ok := l.Value.(string)
	return s, ok
}

func (c *checker) badPattern(at source.Span, err error) {
	c.add("E0302", at, "this is not a pattern: %s", patternFault(err)).
		Hint("patterns are RE2's; between backticks a backslash stands for itself")
}

// otherNames are what other languages call functions that dspi has.
var otherNames = map[string]string{
	"length": "len", "size": "len", "str": "string", "toString": "string", "to_string": "string", "tostring": "string",
	"uppercase": "upper", "toUpperCase": "upper", "toupper": "upper", "to_upper": "upper", "lowercase": "lower",
	"toLowerCase": "lower", "tolower": "lower", "to_lower": "lower", "strip": "trim", "avg": "mean", "average": "mean",
	"append": "concat", "extend": "concat", "unique": "uniq", "distinct": "uniq", "sorted": "sort", "reversed": "reverse",
	"to_json": "toJSON", "jsonencode": "toJSON", "json": "toJSON", "dumps": "toJSON", "from_json": "fromJSON",
	"jsondecode": "fromJSON", "parseJSON": "fromJSON", "loads": "fromJSON", "url_encode": "urlencode", "encodeURIComponent": "urlencode",
	"startswith": "hasPrefix", "starts_with": "hasPrefix", "endswith": "hasSuffix", "ends_with": "hasSuffix",
	"parseInt": "int", "parseFloat": "float", "some": "any", "every": "all", "fold": "reduce", "foreach": "map",
	"index": "indexOf", "indexof": "indexOf", "group_by": "groupBy", "sort_by": "sortBy", "trim_prefix": "trimPrefix",
	"trim_suffix": "trimSuffix", "replaceAll": "replace", "maximum": "max", "minimum": "min", "getenv": "env",
}

// impure are functions of expr whose result depends on when or where they run.
var impure = []string{"now", "date", "timezone", "duration", "today", "time", "random", "rand", "uuid"}

func (c *checker) unknownFunction(x *call) {
	d := c.add("E0207", x.at, "there is no function called `%s`", x.name)
	if slices.Contains(impure, x.name) {
		d.Say("An expression gives the same value whenever it runs, so it knows no clock and no chance.")
		d.Hint("make it an input of the program: `dspi run FILE today=…`")
		return
	}
	if write, ok := otherNames[x.name]; ok {
		if f := functions[write]; !f.Host || c.scope.allows(write) {
			d.Fix("did you mean `"+write+"`?", c.at(x.at), write)
			return
		}
	}
	if near, ok := diag.Nearest(x.name, c.functionNames()); ok {
		d.Fix("did you mean `"+near+"`?", c.at(x.at), near)
		return
	}
	if near, ok := diag.Nearest(x.name, slices.Sorted(maps.Keys(otherNames))); ok {
		d.Fix("did you mean `"+otherNames[near]+"`?", c.at(x.at), otherNames[near])
		return
	}
	if _, ok := c.scope.Lookup(x.name); ok {
		d.Primary.Text = fmt.Sprintf("`%s` is a value, not a function", x.name)
		return
	}
	d.Hint("to list every function: dspi doc functions")
}

func (c *checker) hostOnly(x *call) {
	if x.name != "env" {
		c.add("E0207", x.at, "`%s` cannot be called here", x.name).
			Say("It judges what a program gives, so it is for metrics and tests.")
		return
	}
	c.add("E0207", x.at, "`%s` cannot be called here", x.name).
		Say("Only the default of a variable may read the environment, so that everything a run depends on is a variable.").
		Hint("declare `variable NAME: string { default = %s(…) }` and use `var.NAME` here", x.name)
}

// methodCall is `x.upper()`.
func (c *checker) methodCall(n *ast.CallNode, f *ast.MemberNode) {
	p, ok := f.Property.(*ast.StringNode)
	if !ok {
		c.notCallable(c.x.rangeOf(f))
		return
	}
	at := locSpan(p.Location())
	d := c.add("E0207", at, "values have no functions of their own; a function stands before what it is given")
	name := p.Value
	if other, ok := otherNames[name]; ok {
		name = other
	}
	args := []string{c.textOf(f.Node)}
	for _, a := range n.Arguments {
		args = append(args, c.textOf(a))
	}
	whole := c.at(c.x.rangeOf(n))
	switch name {
	case "contains", "includes":
		if len(args) == 2 {
			d.Fix("write `contains`", whole, args[0]+" contains "+args[1])
			d.Fix("write `in`", whole, args[1]+" in "+args[0])
		}
		return
	case "join":
		if len(args) == 2 { // ", ".join(xs)
			d.Fix("write `join`", whole, "join("+args[1]+", "+args[0]+")")
		}
	}
	if _, ok := functions[name]; ok {
		d.Fix("write `"+name+"(…)`", whole, name+"("+strings.Join(args, ", ")+")")
	}
}

func (c *checker) notCallable(at source.Span) {
	c.add("E0207", at, "this is no function and cannot be called")
}

func (c *checker) wrongCount(x *call, params string) {
	d := c.add("E0303", x.at, "`%s` is given %s", x.name, arguments(len(x.args)))
	d.Say("%s", usage(x, params))
}

// usage shows how a function is called.
func usage(x *call, params string) string {
	doc := ""
	if x.row != nil {
		doc = "   # " + x.row.Doc
	}
	return fmt.Sprintf("It is called so:\n\n    %s(%s)%s", x.name, params, doc)
}

func arguments(n int) string {
	switch n {
	case 0:
		return "nothing"
	case 1:
		return "1 argument"
	}
	return fmt.Sprintf("%d arguments", n)
}

func (c *checker) wrongArgument(x *call, i int, t types.Type, words string) {
	at := c.x.rangeOf(x.args[i])
	d := c.add("E0303", at, "this is %s; `%s` takes %s here", an(t), x.name, words)
	text := c.textOf(x.args[i])
	switch {
	case x.name == "join" && i == 0 && elemOf(t) != nil:
		d.Fix("make each element a text", c.at(at), "map("+text+", string(it))")
	case words == text_.words() && elemOf(t) == nil:
		d.Fix("make it a text", c.at(at), "string("+text+")")
	}
	if x.row != nil {
		d.Say("%s", usage(x, x.row.Params))
	}
}

func (c *checker) foldDiffers(x *call, i int, acc, t types.Type) {
	c.add("E0303", c.x.rangeOf(x.args[i]), "`acc` is %s, and this makes it %s", an(acc), an(t)).
		Say("What the expression gives becomes `acc` for the next element, so both must have one type.").
		Hint("the third argument of `reduce` is what `acc` begins as: `reduce(list, acc + it.n, 0)`")
}

func (c *checker) oneOfWhat(x *call) {
	c.add("E0303", x.at, "it cannot be seen here which values are meant").
		Say("`one_of` brings a text to the enum or the fixed texts that its place wants, and this place wants no such type.").
		Hint("to name the enum: `ENUM(text)`")
}
