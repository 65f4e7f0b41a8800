package check

import (
	"fmt"
	"strings"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/lang/value"
)

// The words of the checker's messages that are used in more than one place or
// need more than a line.

func quotedList(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = code(n)
	}
	return strings.Join(out, ", ")
}

// article puts `a` or `an` before a type in backticks.
func article(name string) string {
	if name != "" && strings.ContainsRune("aeioAEIO", rune(name[0])) {
		return "an " + code(name)
	}
	return "a " + code(name)
}

// describe names a fixed value and its type: "the text `\"x\"`".
func describe(v any, t types.Type) string {
	switch v := v.(type) {
	case nil:
		return "`null`"
	case string:
		return "a text"
	case bool:
		return code(fmt.Sprint(v))
	case int:
		return "the whole number " + fmt.Sprint(v)
	case float64:
		return "the number " + types.FormatFloat(v)
	}
	if t == nil {
		return "a value of another kind"
	}
	return article(t.String())
}

func literalText(v any) any {
	switch v.(type) {
	case []any, *value.Object:
		return string(value.EncodeJSON(v))
	}
	return v
}

// literalTexts returns the texts that a type allows, for suggestions.
func literalTexts(t types.Type) []string {
	t, _ = types.Unwrap(t)
	switch t := t.(type) {
	case *types.Literal:
		if s, ok := t.Value.(string); ok {
			return []string{s}
		}
	case *types.Union:
		var out []string
		for _, m := range t.Members {
			out = append(out, literalTexts(m)...)
		}
		return out
	case *types.Enum:
		var out []string
		for _, m := range t.Members {
			out = append(out, m.Name)
		}
		return out
	}
	return nil
}

func faultLines(faults []value.Fault) string {
	var b strings.Builder
	for _, f := range faults {
		b.WriteString("    " + f.String() + "\n")
	}
	return b.String()
}

// headOf returns where an item begins, for messages about the item as a whole.
func headOf(it syntax.Item) source.Span {
	switch it := it.(type) {
	case *syntax.Block:
		return it.KindSpan()
	case *syntax.Attribute:
		return it.Name.Span
	case *syntax.Field:
		return it.Name.Span
	case *syntax.TypeAlias:
		return it.Name.Span
	}
	return it.Range()
}

func fieldLines(fs []types.Field, added func(string) string) string {
	var b strings.Builder
	for _, f := range fs {
		fmt.Fprintf(&b, "    %s: %s%s\n", f.Name, f.Type, added(f.Name))
	}
	return b.String()
}

func noAddition(string) string { return "" }

// outputLines lists what a step makes.
func outputLines(st *program.Step) string {
	return fieldLines(st.Signature.Outputs, func(name string) string {
		if _, own := st.Declared.Output(name); own {
			return ""
		}
		return "      (added by " + st.Module + ")"
	})
}

// Writing.

func wrongArrow(fs *fileScope, a *syntax.Arrow) *diag.Diagnostic {
	at := fs.place(a.Span)
	return diag.New("E0101", at, "a signature uses `->`").
		Say("A signature reads: inputs, then `->`, then outputs.\n\n`dspi fmt` makes this change for you.").
		Fix("write `->`", at, "->")
}

func withoutArrow(fs *fileScope, first, last syntax.Item) *diag.Diagnostic {
	at := fs.place(first.Range().To(last.Range()))
	d := diag.New("E0118", at, "there is no `->` here").
		Say("A signature reads: inputs, then `->`, then outputs.\n\n    question: string -> answer: string")
	if first == last {
		end := source.Place{File: at.File, Span: source.Span{Start: at.End, End: at.End}}
		d.Fix("add an output", end, " -> answer: string")
	}
	return d
}

func signatureInTwoPlaces(fs *fileScope, it syntax.Item, before syntax.Item) *diag.Diagnostic {
	return diag.New("E0120", fs.place(headOf(it)), "this belongs with the other fields").
		Relate(fs.place(headOf(before)), "the signature ended here").
		Say("The fields of a signature and its `->` stand together. Settings and blocks go before or behind them.")
}

func spelling(at source.Place, label, written string) *diag.Diagnostic {
	return diag.New("E0121", at, label).Fix("write "+code(written), at, written)
}

func fieldWithEquals(fs *fileScope, a *syntax.Attribute) *diag.Diagnostic {
	at := fs.place(a.Span)
	d := diag.New("E0121", at, "a field is written `name: type`").
		Say("`:` starts a type, `=` starts a value.")
	if a.Value != nil && nameOf(a.Value) != "" {
		between := fs.place(source.Span{Start: a.Name.End, End: a.Value.Start})
		d.Fix("write a `:`", between, ": ")
	}
	return d
}

func notAllowedHere(at source.Place, what, where, instead string) *diag.Diagnostic {
	return diag.New("E0125", at, what+" cannot stand in "+where).
		Say("%s.", strings.ToUpper(instead[:1])+instead[1:])
}

func attributeAtTop(fs *fileScope, a *syntax.Attribute) *diag.Diagnostic {
	at := fs.place(a.Name.Span)
	d := diag.New("E0125", at, "a setting stands in a block").
		Say("At the top of a file stand blocks such as `program hello { … }` and `model fast { … }`.")
	if a.Value != nil {
		d.Hint("a value that can be set from outside: variable %s: string { default = %s }", a.Name.Name, a.Value.Text)
	}
	return d
}

func signatureAtTop(fs *fileScope, it syntax.Item) *diag.Diagnostic {
	return diag.New("E0125", fs.place(headOf(it)), "fields stand in a block").
		Say("A signature belongs to a program, a step or a `signature` block:\n\n    program hello {\n      question: string -> answer: string\n    }")
}

func templateInLiteral(at source.Place, what string) *diag.Diagnostic {
	return diag.New("E0117", at, "`${` cannot stand in "+what).
		Say("This text must be known before anything runs, so it is taken as it stands. For the two characters themselves write `$${`.").
		Fix("take it as text", source.Place{File: at.File, Span: source.Span{Start: at.Start, End: at.Start}}, "$")
}

// Blocks.

func (c *checker) unknownBlock(fs *fileScope, b *syntax.Block) *diag.Diagnostic {
	name := b.KindName()
	at := fs.place(b.KindSpan())
	names := c.u.BlockNames()
	d := diag.New("E0206", at, "no block is called "+code(name))
	near, ok := diag.Nearest(name, names)
	if !ok && c.terraformBlock(fs, b, d) {
		return d
	}
	if !ok {
		near, ok = blockHabits[name]
	}
	if ok {
		d.Primary.Text = "did you mean " + code(near) + "?"
		d.Fix("write "+code(near), at, near)
	} else if _, isModule := c.u.Module(name); isModule {
		d.Primary.Text = code(name) + " is a step and stands in a program"
		return d.Say("    program %s {\n      question: string -> answer: string\n\n      %s respond { … }\n    }", orName(b, "ask"), name)
	}
	return d.Say("At the top of a file these can stand: %s.", quotedList(names))
}

var blockHabits = map[string]string{
	"class": "type", "struct": "type", "interface": "type", "record": "type", "object": "type",
	"function": "program", "func": "program", "def": "program", "module": "program", "flow": "program", "pipeline": "program",
	"client": "model", "llm": "model", "lm": "model", "provider": "model", "var": "variable",
}

func orName(b *syntax.Block, name string) string {
	if len(b.Labels) > 0 {
		return b.Labels[0].Name
	}
	return name
}

func blockWithoutName(fs *fileScope, b *syntax.Block) *diag.Diagnostic {
	at := fs.place(b.KindSpan())
	return diag.New("E0122", at, "this block needs a name").
		Say("It reads `%s NAME { … }`; by the name other places refer to it.", b.KindName())
}

func blockWithManyNames(fs *fileScope, b *syntax.Block) *diag.Diagnostic {
	i := min(1, len(b.Labels)-1)
	at := fs.place(b.Labels[i].Span)
	if i == 0 {
		return diag.New("E0123", at, code(b.KindName())+" takes no name")
	}
	return diag.New("E0123", at, "a block has one name").Relate(fs.place(b.Labels[0].Span), "this one")
}

func unknownInnerBlock(fs *fileScope, b *syntax.Block, where string, table *universe.Block) *diag.Diagnostic {
	at := fs.place(b.KindSpan())
	var names []string
	for _, x := range table.Blocks {
		names = append(names, x.Name)
	}
	d := diag.New("E0206", at, where+" has no block "+code(b.KindName()))
	if near, ok := diag.Nearest(b.KindName(), names); ok {
		d.Fix("did you mean "+code(near)+"?", at, near)
	}
	if len(names) == 0 {
		return d.Say("There are no blocks in it.")
	}
	return d.Say("These blocks can stand in it: %s.", quotedList(names))
}

// unknownInnerModule speaks of a block in a wrapping module that is none of a
// step's own blocks.
func (c *checker) unknownInnerModule(fs *fileScope, b *syntax.Block, table *universe.Block) *diag.Diagnostic {
	for _, x := range table.Blocks {
		if _, ok := diag.Nearest(b.KindName(), []string{x.Name}); ok {
			return unknownInnerBlock(fs, b, "a step", table)
		}
	}
	return c.unknownModule(fs, fs.place(b.KindSpan()), b.KindName(), 0)
}

func programWithoutSignature(d *decl) *diag.Diagnostic {
	return diag.New("E0126", d.place, code(d.name)+" says neither what goes in nor what comes out").
		Say("A program begins with its signature:\n\n    program %s {\n      question: string -> answer: string\n    }", d.name)
}

func variableWithoutType(fs *fileScope, d *decl, b *syntax.Block) *diag.Diagnostic {
	end := source.Place{File: d.place.File, Span: source.Span{Start: d.place.End, End: d.place.End}}
	return diag.New("E0113", d.place, "what type has "+code(d.name)+"?").
		Say("A variable reads `variable %s: TYPE { … }`; its type says which values it may have.", d.name).
		Fix("make it text", end, ": string")
}

// variableWithTypeSetting is Terraform's `variable "k" { type = number }`.
func variableWithTypeSetting(fs *fileScope, b *syntax.Block, a *syntax.Attribute) *diag.Diagnostic {
	label := fs.place(b.Labels[0].Span)
	d := diag.New("E0113", fs.place(a.Span), "the type of a variable stands behind its name").
		Say("A variable reads `variable %s: TYPE { … }`.", b.Labels[0].Name)
	d.Fixes = append(d.Fixes, diag.Fix{Title: "write it there", Edits: []diag.Edit{
		{Place: label, Text: b.Labels[0].Name + ": " + a.Value.Text},
		{Place: wholeLines(fs.place(a.Span)), Text: ""},
	}})
	return d
}

func declaredTwice(at, first source.Place, name, what, before string) *diag.Diagnostic {
	text := "declared here first"
	if what != before {
		text = "a " + before + " of this name is declared here"
	}
	return diag.New("E0205", at, "a second "+what+" "+code(name)).Relate(first, "%s", text)
}

func nameIsTaken(at source.Place, name, what string) *diag.Diagnostic {
	d := diag.New("E0213", at, code(name)+" has a meaning of its own")
	if builtinType(name) {
		return d.Say("`%s` is a built-in type, so %s cannot have this name.", name, what)
	}
	return d.Say("In expressions `%s` means something else, so %s cannot have this name.", name, what)
}
