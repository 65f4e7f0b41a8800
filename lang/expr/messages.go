package expr

import (
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/types"
)

// What is said about expressions whose names and types do not fit.

// show writes a type for a message: of `"abc"` that is string.
func show(t types.Type) string {
	if types.Equal(t, types.Null) {
		return "`null`"
	}
	return "`" + widen(t, false).String() + "`"
}

// table lays out names with types and remarks, one a line, indented.
func table(ms []Member) string {
	wide := 0
	for _, m := range ms {
		if m.Doc != "" {
			wide = max(wide, len(m.Name)+len(typeWord(m.Type))+2)
		}
	}
	var b strings.Builder
	for _, m := range ms {
		line := m.Name
		if m.Type != nil && !types.IsInvalid(m.Type) {
			line += ": " + typeWord(m.Type)
		}
		if m.Doc != "" {
			line = fmt.Sprintf("%-*s  (%s)", wide, line, m.Doc)
		}
		b.WriteString("    " + strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}

func typeWord(t types.Type) string {
	if t == nil || types.IsInvalid(t) {
		return ""
	}
	return t.String()
}

func memberNames(ms []Member) []string {
	out := make([]string, len(ms))
	for i, m := range ms {
		out[i] = m.Name
	}
	return out
}

// tooMany is how many names a message lists at most.
const tooMany = 24

// habitNames are what other languages call values that dspi has.
var habitNames = map[string]string{
	"None": "null", "nil": "null", "undefined": "null", "NULL": "null", "Null": "null",
	"True": "true", "TRUE": "true", "False": "false", "FALSE": "false",
}

func (c *checker) unknownName(n *ast.IdentifierNode) {
	at := locSpan(n.Location())
	name := n.Value
	if write, ok := habitNames[name]; ok {
		c.add("E0121", at, "dspi writes `%s`", write).Fix("write `"+write+"`", c.at(at), write)
		return
	}
	if c.scope != nil && c.scope.Hidden != nil {
		if why := c.scope.Hidden(name); why != "" {
			c.add("E0219", at, "`%s` cannot be used here", name).Say("%s", why)
			return
		}
	}
	if name == "it" || name == "it_index" || name == "acc" {
		c.add("E0203", at, "`%s` has a meaning only inside functions such as `map` and `filter`", name)
		return
	}
	d := c.add("E0203", at, "no `%s` can be seen here", name)
	if _, ok := functions[name]; ok {
		d.Primary.Text = fmt.Sprintf("`%s` is a function, not a value", name)
		d.Hint("to call it: `%s(%s)`", name, functions[name].Params)
		return
	}
	symbols := c.scope.Symbols()
	names := make([]string, 0, len(symbols)+len(c.locals))
	ms := make([]Member, 0, len(symbols))
	for _, s := range symbols {
		names = append(names, s.Name)
		ms = append(ms, Member{Name: s.Name, Type: s.Type, Doc: s.Kind})
	}
	for _, l := range c.locals {
		names = append(names, l.name)
	}
	near, ok := diag.Nearest(name, names)
	if !ok {
		near, ok = rootHabits[name]
		ok = ok && slices.Contains(names, near)
	}
	if ok {
		d.Fix("did you mean `"+near+"`?", c.at(at), near)
	}
	var owners []string // `answr` that is an output of a step
	for _, s := range symbols {
		if m, ok := member(s.Members, name); ok && (s.Kind == "step" || s.Kind == "enum" || s.Name == "var") {
			owners = append(owners, s.Name+"."+m.Name)
		}
	}
	for _, o := range owners[:min(len(owners), 3)] {
		d.Fix("did you mean `"+o+"`?", c.at(at), o)
	}
	switch {
	case len(ms) == 0:
		d.Say("No names can be used here: only fixed values and functions.")
	case len(d.Fixes) > 0:
	case len(ms) <= tooMany:
		d.Say("%s", "These names can be used here:\n\n"+table(ms))
	}
	if len(owners) == 0 && len(d.Fixes) == 0 {
		d.Hint("to write it as text: %s", types.FormatLiteral(name))
	}
}

func (c *checker) unknownMember(at source.Span, name string, ns namespace) {
	code, noun := diag.Code("E0208"), ns.noun
	if noun == "" {
		noun = "member"
	}
	switch ns.kind {
	case "step":
		code = "E0201"
	case "enum":
		code = "E0217"
	case "row":
		code = "E0220"
	case "prediction":
		code = "E0216"
	}
	d := c.add(code, at, "`%s` has no %s called `%s`", ns.path, noun, name)
	if code == "E0208" {
		d.Primary.Text = fmt.Sprintf("there is no %s called `%s`", noun, name)
	}
	if !ns.place.IsZero() {
		d.Relate(ns.place, "`%s` is declared here", ns.path)
	}
	names := memberNames(ns.members)
	near, ok := diag.Nearest(name, names)
	if !ok {
		near, ok = memberHabits[ns.kind][name]
	}
	if ok {
		d.Fix("did you mean `"+near+"`?", c.at(at), near)
	}
	if code == "E0217" { // the text that the model sees
		for _, m := range ns.members {
			if e, ok := m.Type.(*types.Enum); ok {
				if x, ok := e.Member(name); ok {
					d.Fix("did you mean `"+x.Name+"`?", c.at(at), x.Name)
				}
				break
			}
		}
	}
	switch {
	case len(ns.members) == 0:
		d.Say("No %s is declared.", noun)
	case len(ns.members) > tooMany:
	case code == "E0201":
		d.Say("%s", "The step `"+ns.path+"` produces these outputs:\n\n"+table(ns.members))
	case code == "E0217":
		d.Say("%s", "`"+ns.path+"` has these values:\n\n"+choices(ns.members[0].Type, names))
	default:
		d.Say("%s", "These exist:\n\n"+table(prefixed(ns.path, ns.members)))
	}
}

func prefixed(path string, ms []Member) []Member {
	out := slices.Clone(ms)
	for i := range out {
		out[i].Name = path + "." + out[i].Name
	}
	return out
}

// choices lists the values of a type that lists its values.
func choices(t types.Type, names []string) string {
	var b strings.Builder
	switch t := t.(type) {
	case *types.Enum:
		for _, m := range t.Members {
			line := m.Name
			if m.Shown != "" && m.Shown != m.Name {
				line += " = " + types.FormatLiteral(m.Shown)
			}
			b.WriteString("    " + line + "\n")
		}
	case *types.Union:
		for _, m := range t.Members {
			b.WriteString("    " + m.String() + "\n")
		}
	default:
		for _, n := range names {
			b.WriteString("    " + n + "\n")
		}
	}
	return b.String()
}

// unknownChoice is a text that is none of the values of t.
func (c *checker) unknownChoice(n ast.Node, t types.Type, s string) {
	at := c.x.rangeOf(n)
	d := c.add("E0217", at, "%s is none of these values", types.FormatLiteral(s))
	var names []string
	noun := "The type"
	switch t := t.(type) {
	case *types.Enum:
		noun = "The enum `" + t.Name + "`"
		d.Primary.Text = fmt.Sprintf("`%s` has no value %s", t.Name, types.FormatLiteral(s))
		for _, m := range t.Members {
			names = append(names, m.Name)
			if m.Shown != "" && m.Shown != m.Name {
				names = append(names, m.Shown)
			}
		}
	case *types.Union:
		for _, m := range t.Members {
			names = append(names, m.(*types.Literal).Value.(string))
		}
	}
	if near, ok := diag.Nearest(s, names); ok {
		d.Fix("did you mean "+types.FormatLiteral(near)+"?", c.at(at), types.FormatLiteral(near))
	}
	if len(names) <= 2*tooMany {
		d.Say("%s", noun+" has these values:\n\n"+choices(t, nil))
	}
}

func (c *checker) unknownField(n *ast.MemberNode, t *types.Record, name string) {
	at := locSpan(n.Property.Location())
	of := show(t)
	if t.Name == "" {
		of = "`" + short(c.textOf(n.Node)) + "`"
	}
	d := c.add("E0218", at, "%s has no field called `%s`", of, name)
	ms := make([]Member, len(t.Fields))
	for i, f := range t.Fields {
		ms[i] = Member{Name: f.Name, Type: f.Type}
	}
	if near, ok := diag.Nearest(name, memberNames(ms)); ok {
		if c.textAt(at) == name {
			d.Fix("did you mean `"+near+"`?", c.at(at), near)
		} else {
			d.Fix("did you mean `"+near+"`?", c.at(at), types.FormatLiteral(near))
		}
	}
	if len(ms) == 0 {
		d.Say("It has no fields.")
	} else if len(ms) <= tooMany {
		d.Say("%s", "It has these fields:\n\n"+table(ms))
	}
}

// noFields is `.name` on a value that has no fields.
func (c *checker) noFields(n *ast.MemberNode, of types.Type, name string) {
	at := locSpan(n.Property.Location())
	d := c.add("E0314", at, "%s has no fields", an(of))
	whole := c.at(c.x.rangeOf(n))
	base := c.textOf(n.Node)
	if slices.Contains([]string{"length", "size", "count", "len"}, name) && c.accepts(sized, of) {
		d.Fix("use `len`", whole, "len("+base+")")
		return
	}
	if l, ok := of.(*types.List); ok {
		d.Primary.Text = fmt.Sprintf("`%s` is a list; its elements may have fields, the list has none", short(base))
		if _, record := l.Elem.(*types.Record); record {
			d.Fix("take the field of each element", whole, "map("+base+", it."+name+")")
		}
	}
}

func (c *checker) noIndex(n *ast.MemberNode, of types.Type) {
	c.add("E0314", c.x.rangeOf(n.Node), "%s has no elements", an(of)).
		Hint("`[…]` takes an element of a list, a value of an object or a character of a text")
}

func (c *checker) noSlice(n *ast.SliceNode, of types.Type) {
	c.add("E0314", c.x.rangeOf(n.Node), "%s has no parts; `[from:to]` takes a part of a list or text", an(of))
}

func (c *checker) wrongIndex(at source.Span, i, of types.Type, words string) {
	c.add("E0302", at, "this is %s", an(i)).Say("%s is asked with %s.", upperFirst(an(of)), words)
}

func (c *checker) noSuchPosition(at source.Span, t *types.Tuple, i int) {
	c.add("E0302", at, "there is no element %d", i).
		Say("%s has %d elements, counted from 0.", upperFirst(an(t)), len(t.Elems))
}

func upperFirst(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func an(t types.Type) string {
	s := show(t)
	if types.Equal(t, types.Null) {
		return s
	}
	if strings.ContainsRune("aeiou", rune(s[1])) {
		return "an " + s
	}
	return "a " + s
}

// notAValue is a namespace where a value is needed.
func (c *checker) notAValue(at source.Span, ns namespace) {
	code := diag.Code("E0208")
	if ns.kind == "step" {
		code = "E0201"
	}
	noun := ns.noun
	if noun == "" {
		noun = "member"
	}
	if ns.kind == "enum" {
		code = "E0217"
	}
	d := c.add(code, at, "`%s` is no value by itself; say which %s", ns.path, noun)
	if len(ns.members) > 0 && len(ns.members) <= tooMany {
		d.Say("%s", "These can be named:\n\n"+table(prefixed(ns.path, ns.members)))
	}
	if len(ns.members) <= 3 {
		for _, m := range ns.members {
			d.Fix("did you mean `"+ns.path+"."+m.Name+"`?", c.at(at), ns.path+"."+m.Name)
		}
	}
}

// instead returns what can stand for null in place of a t.
func instead(t types.Type) string {
	inner, _ := types.Unwrap(t)
	if _, ok := inner.(*types.List); ok {
		return "[]"
	}
	switch b, ok := base(inner); {
	case !ok || closed(inner):
	case b == types.StringBase:
		return `""`
	case b == types.IntBase:
		return "0"
	case b == types.FloatBase:
		return "0.0"
	case b == types.BoolBase:
		return "false"
	}
	return ""
}

// mayBeNull is an operand that may be null.
func (c *checker) mayBeNull(n ast.Node, t types.Type, role string) {
	at := c.x.rangeOf(n)
	if types.Equal(t, types.Null) {
		c.add("E0304", at, "this is always null")
		return
	}
	d := c.add("E0304", at, "this is %s: it may be null", an(t))
	text := c.textOf(n)
	if v := instead(t); v != "" {
		if _, coalesced := n.(*ast.BinaryNode); !coalesced {
			d.Fix("say what to use instead of null", c.at(at), "("+text+" ?? "+v+")")
		}
	}
	if role != "" {
		d.Say("%s must be there.", upperFirst(role))
	}
	if c.key(n) != "" {
		d.Hint("to use it only where it is there: `%s != null && …`, or `%s != null ? … : …`", text, text)
	}
}

// nullBeforeMember is `a.x` where a may be null.
func (c *checker) nullBeforeMember(n *ast.MemberNode, t types.Type) {
	at := c.x.rangeOf(n.Node)
	if types.Equal(t, types.Null) {
		c.add("E0304", at, "this is always null and has no fields")
		return
	}
	d := c.add("E0304", at, "this is %s: it may be null", an(t))
	d.Say("With `?.` the result is null where `%s` is.", short(c.textOf(n.Node)))
	gap := spanAt(int(at.End), n.Location().From)
	if _, dot := c.dotted(n); dot {
		d.Fix("write `?.`", c.at(gap), "?.")
		whole := c.x.rangeOf(n)
		inner, _ := types.Unwrap(t)
		if r, ok := inner.(*types.Record); ok {
			if f, ok := r.Field(n.Property.(*ast.StringNode).Value); ok {
				if v := instead(f.Type); v != "" {
					d.Fix("write `?.` and say what to use instead of null", c.at(whole), "("+c.textOf(n.Node)+"?."+f.Name+" ?? "+v+")")
				}
			}
		}
	} else {
		d.Fix("write `?.`", c.at(spanAt(int(at.End), int(at.End))), "?.")
	}
}

func (c *checker) nullInText(n ast.Node, t types.Type) {
	at := c.x.rangeOf(n)
	if types.Equal(t, types.Null) {
		c.add("E0315", at, "this is always null")
		return
	}
	d := c.add("E0315", at, "this is %s: it may be null", an(t))
	d.Say("A template takes what is there; what to write for null has to be said.")
	v := instead(t)
	if v == "" {
		v = `""`
	}
	d.Fix("say what to write for null", c.at(at), c.textOf(n)+" ?? "+v)
}

func (c *checker) notBool(n ast.Node, t types.Type, role string) {
	at := c.x.rangeOf(n)
	d := c.add("E0308", at, "this is %s, not `true` or `false`", an(t))
	if role != "" {
		d.Say("%s is a condition.", upperFirst(role))
	}
	text := c.textOf(n)
	switch b, ok := base(t); {
	case ok && b == types.StringBase && !closed(t):
		d.Fix("ask whether it is not empty", c.at(at), text+` != ""`)
	case ok && number(b):
		d.Fix("ask whether it is not 0", c.at(at), text+" != 0")
	case elemOf(t) != nil:
		d.Fix("ask whether it is not empty", c.at(at), "len("+text+") > 0")
	}
}

func (c *checker) accOutside(at source.Span, function string) {
	c.add("E0203", at, "`acc` has a meaning only inside `reduce`, and this is `%s`", function)
}

func (c *checker) twice(at source.Span, name string) {
	c.add("E0205", at, "`%s` is bound already in this expression", name).Hint("choose another name")
}

func (c *checker) fieldTwice(at source.Span, name string) {
	c.add("E0205", at, "`%s` stands twice in this object", name)
}

func (c *checker) keyNotText(at source.Span, t types.Type) {
	c.add("E0302", at, "this is %s; the name of a field is text", an(t))
}
