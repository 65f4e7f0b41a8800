package expr

import (
	"regexp"

	"github.com/expr-lang/expr/ast"

	"github.com/dspi-lang/dspi/lang/types"
)

func (c *checker) unary(n *ast.UnaryNode) types.Type {
	switch n.Operator {
	case "!", "not":
		return c.condition(n.Node, "what stands after `"+n.Operator+"`")
	}
	t := c.present(n.Node, c.value(n.Node, nil), "what stands after `"+n.Operator+"`")
	if types.IsInvalid(t) {
		return t
	}
	b, ok := base(t)
	switch {
	case ok && b == types.AnyBase:
		return types.JSON
	case !ok || !number(b):
		c.wrongOperand(locSpan(n.Location()), n.Operator, n.Node, t, "a number")
		return types.Invalid{}
	}
	if l, ok := t.(*types.Literal); ok {
		switch v := l.Value.(type) {
		case int:
			if n.Operator == "-" {
				return &types.Literal{Value: -v}
			}
		case float64:
			if n.Operator == "-" {
				return &types.Literal{Value: -v}
			}
		}
		return l
	}
	if b == types.IntBase {
		return types.Int
	}
	return types.Float
}

func (c *checker) binary(n *ast.BinaryNode, want types.Type) types.Type {
	switch op := n.Operator; op {
	case "&&", "and", "||", "or":
		a := c.condition(n.Left, "the left side of `"+op+"`")
		var b types.Type
		c.given(n.Left, op == "&&" || op == "and", func() {
			b = c.condition(n.Right, "the right side of `"+op+"`")
		})
		if types.IsInvalid(a) || types.IsInvalid(b) {
			return types.Invalid{}
		}
		return types.Bool
	case "??":
		return c.coalesce(n, want)
	case "==", "!=":
		return c.equality(n)
	case "in":
		return c.in(n)
	}
	a, b := c.value(n.Left, nil), c.value(n.Right, nil)
	a = c.present(n.Left, a, "the left side of `"+n.Operator+"`")
	b = c.present(n.Right, b, "the right side of `"+n.Operator+"`")
	if types.IsInvalid(a) || types.IsInvalid(b) {
		return types.Invalid{}
	}
	switch n.Operator {
	case "<", ">", "<=", ">=":
		return c.order(n, a, b)
	case "contains", "startsWith", "endsWith", "matches":
		return c.textual(n, a, b)
	case "..":
		if !c.holds(a, types.IntBase) || !c.holds(b, types.IntBase) {
			c.wrongOperands(n, a, b, "whole numbers on both sides")
			return types.Invalid{}
		}
		return &types.List{Elem: types.Int}
	}
	return c.arithmetic(n, a, b)
}

// holds reports whether a value of t is held as b, or may turn out to be.
func (c *checker) holds(t types.Type, b types.Base) bool {
	x, ok := base(t)
	return ok && (x == b || x == types.AnyBase || b == types.FloatBase && x == types.IntBase)
}

// arithmetic infers + - * / % ** ^. Division and powers give a float, as in
// expr; the rest an int when both sides are ints.
func (c *checker) arithmetic(n *ast.BinaryNode, a, b types.Type) types.Type {
	x, okA := base(a)
	y, okB := base(b)
	if okA && okB {
		anyText := n.Operator == "+" && (x == types.StringBase || x == types.AnyBase) && (y == types.StringBase || y == types.AnyBase)
		anyNumber := (number(x) || x == types.AnyBase) && (number(y) || y == types.AnyBase)
		switch {
		case anyText && (x == types.StringBase || y == types.StringBase):
			return types.String
		case !anyNumber:
		case n.Operator == "%":
			if c.holds(a, types.IntBase) && c.holds(b, types.IntBase) {
				return types.Int
			}
			c.wrongOperands(n, a, b, "whole numbers on both sides")
			return types.Invalid{}
		case n.Operator == "/" || n.Operator == "**" || n.Operator == "^":
			return types.Float
		case x == types.AnyBase || y == types.AnyBase:
			return types.JSON
		case x == types.IntBase && y == types.IntBase:
			return types.Int
		default:
			return types.Float
		}
	}
	if n.Operator == "+" {
		c.cannotAdd(n, a, b)
	} else {
		c.wrongOperands(n, a, b, "numbers on both sides")
	}
	return types.Invalid{}
}

func (c *checker) order(n *ast.BinaryNode, a, b types.Type) types.Type {
	x, okA := base(a)
	y, okB := base(b)
	switch {
	case okA && okB && x == types.AnyBase || y == types.AnyBase && okA:
		return types.Bool
	case okA && okB && (number(x) && number(y) || x == types.StringBase && y == types.StringBase):
		return types.Bool
	}
	c.wrongOperands(n, a, b, "two numbers or two texts")
	return types.Invalid{}
}

func (c *checker) textual(n *ast.BinaryNode, a, b types.Type) types.Type {
	_, isList := a.(*types.List)
	if n.Operator == "contains" && isList {
		c.listContains(n, a, b)
		return types.Invalid{}
	}
	if !c.holds(a, types.StringBase) || !c.holds(b, types.StringBase) {
		c.wrongOperands(n, a, b, "text on both sides")
		return types.Invalid{}
	}
	if p, ok := n.Right.(*ast.StringNode); ok && n.Operator == "matches" {
		if _, err := regexp.Compile(p.Value); err != nil {
			c.badPattern(locSpan(p.Location()), err)
			return types.Invalid{}
		}
	}
	return types.Bool
}

// coalesce infers `a ?? b`: a, or b where a is null.
func (c *checker) coalesce(n *ast.BinaryNode, want types.Type) types.Type {
	a := c.value(n.Left, want)
	var b types.Type
	if want == nil && !types.IsInvalid(a) {
		want, _ = types.Unwrap(a)
	}
	b = c.value(n.Right, want)
	if types.IsInvalid(a) || types.IsInvalid(b) {
		return types.Invalid{}
	}
	if types.Equal(a, types.Null) {
		return b
	}
	inner, _ := types.Unwrap(a)
	if e, ok := inner.(*types.Enum); ok { // a text that names a value is one
		if l, ok := b.(*types.Literal); ok {
			if s, ok := l.Value.(string); ok {
				if _, ok := e.Member(s); !ok {
					c.unknownChoice(n.Right, e, s)
					return types.Invalid{}
				}
				c.enumOf(n, e)
				return e
			}
		}
	}
	if !c.nullable(a) && !isJSON(a) {
		return a // b is never asked for
	}
	if c.alternatives(n.Left, n.Right) {
		b, _ = types.Unwrap(b)
	}
	return join(inner, b)
}

// alternatives reports whether two operands are outputs of steps of which exactly
// one runs, null only where their step was skipped.
func (c *checker) alternatives(left, right ast.Node) bool {
	a, ok1 := c.skippable(left)
	b, ok2 := c.skippable(right)
	return ok1 && ok2 && c.scope != nil && (c.scope.Alternatives[a] == b || c.scope.Alternatives[b] == a)
}

// skippable returns the step whose output a node is, if null stands for its
// being skipped only.
func (c *checker) skippable(n ast.Node) (step string, ok bool) {
	m, ok := n.(*ast.MemberNode)
	if !ok {
		return "", false
	}
	root, isName := m.Node.(*ast.IdentifierNode)
	name, dot := c.dotted(m)
	if !isName || !dot {
		return "", false
	}
	sym, ok := c.scope.Lookup(root.Value)
	if !ok || sym.Type != nil {
		return "", false
	}
	out, ok := member(sym.Members, name)
	return root.Value, ok && out.Skipped
}

func (c *checker) equality(n *ast.BinaryNode) types.Type {
	a, b := c.value(n.Left, nil), c.value(n.Right, nil)
	if types.IsInvalid(a) || types.IsInvalid(b) {
		return types.Bool // whatever it is, the comparison is true or false
	}
	if c.comparable(n, n.Left, a, n.Right, b, false) {
		return types.Bool
	}
	return types.Invalid{}
}

// comparable reports whether a value of a can equal one of b, after a report if
// not. nested is true for an element of a list after `in`.
func (c *checker) comparable(op *ast.BinaryNode, left ast.Node, a types.Type, right ast.Node, b types.Type, nested bool) bool {
	ua, _ := types.Unwrap(a)
	ub, _ := types.Unwrap(b)
	for _, side := range []struct {
		choices, text types.Type
		at            ast.Node
	}{{ua, ub, right}, {ub, ua, left}} {
		l, ok := side.text.(*types.Literal)
		if !ok {
			continue
		}
		if s, ok := l.Value.(string); ok && closed(side.choices) && !isChoice(side.choices, s) {
			c.unknownChoice(side.at, side.choices, s)
			return false
		}
	}
	if e, ok := ua.(*types.Enum); ok {
		c.enumOf(op, e)
	} else if e, ok := ub.(*types.Enum); ok {
		c.enumOf(op, e)
	}
	if overlap(a, b) {
		return true
	}
	if !nested {
		c.neverEqual(op, a, b)
	}
	return false
}

func (c *checker) enumOf(n ast.Node, e *types.Enum) {
	if c.facts.enums == nil {
		c.facts.enums = map[ast.Node]*types.Enum{}
	}
	c.facts.enums[n] = e
}

// closed reports whether t lists its values: an enum or a union of fixed texts.
func closed(t types.Type) bool {
	switch t := t.(type) {
	case *types.Enum:
		return true
	case *types.Union:
		for _, m := range t.Members {
			l, ok := m.(*types.Literal)
			if !ok {
				return false
			}
			if _, ok := l.Value.(string); !ok {
				return false
			}
		}
		return true
	}
	return false
}

// isChoice reports whether s is one of the values that t lists.
func isChoice(t types.Type, s string) bool {
	switch t := t.(type) {
	case *types.Enum:
		_, ok := t.Member(s)
		return ok
	case *types.Union:
		for _, m := range t.Members {
			if m.(*types.Literal).Value == s {
				return true
			}
		}
	}
	return false
}

// overlap reports whether some value is of both types.
func overlap(a, b types.Type) bool {
	if types.IsInvalid(a) || types.IsInvalid(b) || isJSON(a) || isJSON(b) {
		return true
	}
	a, b = shapeOf(a), shapeOf(b)
	ua, na := types.Unwrap(a)
	ub, nb := types.Unwrap(b)
	if na || nb {
		return na && nb || types.Equal(a, types.Null) || types.Equal(b, types.Null) || overlap(ua, ub)
	}
	if types.Equal(a, types.Null) || types.Equal(b, types.Null) {
		return true // `x == null` on a value that cannot be null is only idle
	}
	if u, ok := a.(*types.Union); ok {
		for _, m := range u.Members {
			if s, ok := literalText(m); ok && closed(b) {
				if isChoice(b, s) {
					return true
				}
				continue
			}
			if overlap(m, b) {
				return true
			}
		}
		return false
	}
	if _, ok := b.(*types.Union); ok {
		return overlap(b, a)
	}
	la, okA := a.(*types.Literal)
	lb, okB := b.(*types.Literal)
	if okA && okB {
		x, fineA := base(la)
		y, fineB := base(lb)
		return fineA && fineB && (x == y || number(x) && number(y))
	}
	for _, side := range [][2]types.Type{{a, b}, {b, a}} {
		if e, ok := side[0].(*types.Enum); ok {
			if s, ok := literalText(side[1]); ok {
				return isChoice(e, s)
			}
		}
	}
	ea, okA := a.(*types.Enum)
	eb, okB := b.(*types.Enum)
	if okA && okB {
		return ea == eb
	}
	_, modelA := a.(types.Model)
	_, modelB := b.(types.Model)
	_, moduleA := a.(types.Module)
	_, moduleB := b.(types.Module)
	if modelA || modelB || moduleA || moduleB {
		return modelA == modelB && moduleA == moduleB
	}
	x, okX := base(a)
	y, okY := base(b)
	if okX && okY {
		return x == y || number(x) && number(y)
	}
	if okX != okY {
		return false
	}
	return types.Fits(a, b) || types.Fits(b, a) || alike(a, b)
}

// alike reports whether a and b are both lists or both objects.
func alike(a, b types.Type) bool {
	shape := func(t types.Type) int {
		switch t.(type) {
		case *types.List, *types.Tuple:
			return 1
		case *types.Map, *types.Record:
			return 2
		}
		return 0
	}
	if la, ok := a.(*types.List); ok {
		if lb, ok := b.(*types.List); ok {
			return overlap(la.Elem, lb.Elem)
		}
	}
	return shape(a) == shape(b)
}

// in infers `x in list` and `name in object`.
func (c *checker) in(n *ast.BinaryNode) types.Type {
	a, b := c.value(n.Left, nil), c.value(n.Right, nil)
	b = c.present(n.Right, b, "the right side of `in`")
	if types.IsInvalid(a) || types.IsInvalid(b) {
		return types.Bool
	}
	switch t := shapeOf(b).(type) {
	case *types.List:
		if lit, ok := n.Right.(*ast.ArrayNode); ok {
			for _, m := range lit.Nodes {
				quiet := &checker{reporter: reporter{x: c.x}, scope: c.scope, locals: c.locals, loops: c.loops, known: c.known}
				if !c.comparable(n, n.Left, a, m, quiet.value(m, nil), true) {
					if et := quiet.value(m, nil); !overlap(a, et) {
						c.neverEqual(n, a, b)
						return types.Invalid{}
					}
				}
			}
			return types.Bool
		}
		if c.comparable(n, n.Left, a, n.Right, t.Elem, true) {
			return types.Bool
		}
	case *types.Tuple:
		return types.Bool
	case *types.Map, *types.Record:
		if c.holds(a, types.StringBase) {
			return types.Bool
		}
	default:
		if isJSON(b) {
			return types.Bool
		}
		if c.holds(b, types.StringBase) && c.holds(a, types.StringBase) {
			c.inText(n)
			return types.Invalid{}
		}
		c.wrongOperands(n, a, b, "a list or an object on the right")
		return types.Invalid{}
	}
	c.neverEqual(n, a, b)
	return types.Invalid{}
}
