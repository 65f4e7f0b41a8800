package check

import (
	"fmt"
	"slices"
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

// notYet speaks of a part of the language that this version does not have.
func notYet(at source.Place, p universe.Plan) *diag.Diagnostic {
	return diag.New("E0510", at, "this version of dspi has no "+code(p.Name)+" yet").
		Say("`%s` belongs to the language (%s), but this version can neither check nor run it.", p.Name, p.Doc).
		Hint("to see what there is: dspi doc")
}

// Blocks.

func (c *checker) unknownBlock(fs *fileScope, b *syntax.Block) *diag.Diagnostic {
	name := b.KindName()
	at := fs.place(b.KindSpan())
	names := c.u.BlockNames()
	d := diag.New("E0206", at, "no block is called "+code(name))
	near, ok := diag.Nearest(name, names)
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

// Names.

func (c *checker) unknownModule(fs *fileScope, at source.Place, name string, skip int32) *diag.Diagnostic {
	at.Start += skip
	names := append(c.u.ModuleNames(), fs.visible(programKind)...)
	d := diag.New("E0202", at, "no module of this name")
	doc := func(n string) string {
		if m, ok := c.u.Module(n); ok {
			return m.Doc
		}
		return "a program of this project"
	}
	near, ok := diag.Nearest(name, names)
	if !ok {
		near, ok = moduleHabits[name]
		ok = ok && slices.Contains(names, near)
	}
	var b strings.Builder
	b.WriteString("No module of that name is built in, and no program of that name is declared. ")
	if ok {
		d.Primary.Text = "did you mean " + code(near) + "?"
		d.Fix("write "+code(near), at, near)
		names = closest(near, names)
		b.WriteString("The closest:\n\n")
	} else {
		b.WriteString("There are:\n\n")
	}
	width := 0
	for _, n := range names {
		width = max(width, len(n))
	}
	for i, n := range names {
		if i == 12 {
			fmt.Fprintf(&b, "    and %d more\n", len(names)-i)
			break
		}
		fmt.Fprintf(&b, "    %-*s     %s\n", width, n, doc(n))
	}
	return d.Say("%s", b.String()).Hint("to list every module: dspi doc modules")
}

// closest returns near and the names that share a word with it.
func closest(near string, names []string) []string {
	out := []string{near}
	for _, n := range names {
		for _, word := range strings.Split(n, "_") {
			if n != near && len(word) > 2 && slices.Contains(strings.Split(near, "_"), word) {
				out = append(out, n)
				break
			}
		}
	}
	return out
}

var moduleHabits = map[string]string{
	"Predict": "predict", "ChainOfThought": "chain_of_thought", "cot": "chain_of_thought", "CoT": "chain_of_thought",
	"TypedPredictor": "predict", "llm": "predict", "call": "predict", "generate": "predict", "prompt": "predict",
}

func (c *checker) unknownType(fs *fileScope, te *syntax.NamedType) *diag.Diagnostic {
	name := te.Name()
	at := fs.place(te.Path[0].Span.To(te.Path[len(te.Path)-1].Span))
	var builtin []string
	for _, r := range types.Table() {
		builtin = append(builtin, r.Name)
	}
	builtin = append(builtin, "list", "map", "tuple")
	declared := slices.DeleteFunc(fs.visible(typeKind), func(n string) bool {
		d, _ := fs.lookup(typeKind, n)
		return d.word == "signature"
	})
	d := diag.New("E0204", at, "no type of this name")
	if near, ok := diag.Nearest(name, append(slices.Clone(declared), builtin...)); ok {
		d.Fix("did you mean "+code(near)+"?", at, near)
	}
	say := "Built in: " + quotedList(builtin) + "."
	if len(declared) > 0 {
		say = "Declared: " + quotedList(declared) + ". " + say
	}
	return d.Say("%s", say)
}

func typeArguments(at source.Place, name, form string, n int) *diag.Diagnostic {
	d := diag.New("E0311", at, fmt.Sprintf("%s is written %s", code(name), code(form)))
	switch {
	case n == 0 && name == "list":
		return d.Say("A list says what is in it.").Fix("a list of texts", at, "list[string]")
	case n == 0 && name == "map":
		return d.Say("A map says what is in it; its names are text.").Fix("a map of texts", at, "map[string, string]")
	}
	return d.Say("%s in brackets here.", strings.ToUpper(plural(n, "type stands", "types stand")[:1])+plural(n, "type stands", "types stand")[1:])
}

func (c *checker) unknownSignature(fs *fileScope, at source.Place, name string, other *decl) *diag.Diagnostic {
	names := slices.DeleteFunc(fs.visible(typeKind), func(n string) bool {
		d, _ := fs.lookup(typeKind, n)
		return d.word != "signature"
	})
	d := diag.New("E0210", at, "no signature of this name")
	if other != nil {
		d.Primary.Text = code(name) + " is a " + other.word + ", not a signature"
		d.Relate(other.place, "declared here")
	}
	if near, ok := diag.Nearest(name, names); ok {
		d.Fix("did you mean "+code(near)+"?", at, near)
	}
	if len(names) == 0 {
		return d.Say("No signature is declared. One reads:\n\n    signature %s {\n      question: string -> answer: string\n    }", name)
	}
	return d.Say("Declared are: %s.", quotedList(names))
}

func signatureByName(s *setting) *diag.Diagnostic {
	d := diag.New("E0310", s.at, "the name of a signature is expected here")
	if strings.Contains(s.at.Text(), "->") {
		return d.Say("Fields stand in the block itself, without `signature =`:\n\n    question: string -> answer: string")
	}
	return d.Say("`signature` names a declared signature: `signature = Triage`.")
}

func (c *checker) unknownModel(fs *fileScope, at source.Place, name string) *diag.Diagnostic {
	names := fs.visible(modelKind)
	nameAt := at
	nameAt.Start += int32(len("model."))
	d := diag.New("E0208", nameAt, "no model of this name is declared")
	if near, ok := diag.Nearest(name, names); ok {
		d.Fix("did you mean "+code(near)+"?", nameAt, near)
	}
	if len(names) == 0 {
		return d.Say("No model is declared. One reads:\n\n    model %s {\n      provider = \"openai\"\n      name     = \"gpt-4o-mini\"\n    }", name)
	}
	return d.Say("Declared are: %s.", quotedList(names))
}

func (c *checker) unknownVariable(fs *fileScope, at source.Place, name string) *diag.Diagnostic {
	names := fs.visible(variableKind)
	at.Start += int32(len("var."))
	d := diag.New("E0208", at, "no variable of this name is declared")
	if near, ok := diag.Nearest(name, names); ok {
		d.Fix("did you mean "+code(near)+"?", at, near)
	}
	if len(names) > 0 {
		d.Say("Declared are: %s.", quotedList(names))
	}
	return d
}

func (c *checker) unknownProvider(at source.Place, name string) *diag.Diagnostic {
	d := diag.New("E0504", at, "no provider is called "+code(name))
	names := c.u.ProviderNames()
	if near, ok := diag.Nearest(name, names); ok && strings.HasPrefix(at.Text(), `"`) {
		d.Fix("did you mean "+code(near)+"?", at, strings.Replace(at.Text(), name, near, 1))
	}
	var b strings.Builder
	b.WriteString("These providers are built in:\n\n")
	for _, p := range c.u.Providers {
		fmt.Fprintf(&b, "    %-10s  %s\n", p.Name, p.Doc)
	}
	b.WriteString("\nA server that speaks chat completions is reached with `provider = \"openai\"` and its `base_url`.")
	return d.Say("%s", b.String())
}

func unknownModelOf(at source.Place, p *universe.Provider, name string) *diag.Diagnostic {
	d := diag.New("E0507", at, code(p.Name)+" has no model "+code(name))
	if near, ok := diag.Nearest(name, p.Models); ok || len(p.Models) == 1 {
		if !ok {
			near = p.Models[0]
		}
		d.Fix("did you mean "+code(near)+"?", at, strings.Replace(at.Text(), name, near, 1))
	}
	return d.Say("It has: %s.", quotedList(p.Models))
}

// Settings.

func (c *checker) unknownSetting(at source.Place, name string, b *syntax.Block, table *universe.Block) *diag.Diagnostic {
	var names []string
	for _, s := range table.Settings {
		names = append(names, s.Name)
	}
	what := "the block " + code(b.KindName())
	if table.Name == "step" {
		what = "a step"
	}
	d := diag.New("E0501", at, what+" has no setting "+code(name))
	near, ok := diag.Nearest(name, names)
	if !ok {
		near, ok = settingHabits[name]
		ok = ok && slices.Contains(names, near)
	}
	if ok {
		d.Fix("did you mean "+code(near)+"?", at, near)
	}
	switch {
	case name == "depends_on" || name == "after" || name == "needs":
		return d.Say("The order of steps comes from what they read: a step that reads `other.answer` waits for `other`.")
	case table.Names:
		return d
	case len(names) == 0:
		return d.Say("It has no settings.")
	}
	if table.Name == "step" || table.Name == "program" {
		where := "inputs { " + name + " = … }"
		if table.Name == "program" {
			where = "outputs { " + name + " = … }"
		}
		return d.Say("Its settings: %s.\n\nA name of yours gets its value in a block: `%s`.", quotedList(names), where)
	}
	return d.Say("Its settings: %s.", quotedList(names))
}

var settingHabits = map[string]string{
	"prompt": "instructions", "system": "instructions", "system_prompt": "instructions", "desc": "description", "docstring": "instructions",
	"llm": "model", "lm": "model", "temp": "temperature", "max_output_tokens": "max_tokens", "maxTokens": "max_tokens",
	"url": "base_url", "endpoint": "base_url", "api_base": "base_url", "key": "api_key", "token": "api_key",
	"model_name": "name", "model": "name", "secret": "sensitive", "value": "default", "max_retries": "retries",
}

func settingIsMissing(fs *fileScope, b *syntax.Block, s *universe.Setting) *diag.Diagnostic {
	return diag.New("E0502", fs.place(b.KindSpan()), code(b.KindName())+" has no "+code(s.Name)).Say("%s", s.Doc)
}

func settingHasWrongType(s *setting, got, want types.Type) *diag.Diagnostic {
	d := diag.New("E0310", s.at, code(s.decl.Name)+" is "+article(want.String())+", this is "+article(got.String())).
		Say("%s", s.decl.Doc)
	if types.Equal(want, types.String) {
		if n := nameOf(s.attr.Value); n != "" && !strings.Contains(n, ".") {
			d.Fix("put the text in quotes", s.at, `"`+n+`"`)
		}
	}
	if text, ok := s.info.Constant.(string); ok && s.info.IsConstant {
		if v, faults := value.ParseText(want, text); len(faults) == 0 {
			d.Fix("without quotes", s.at, types.FormatLiteral(v))
		}
	}
	return d
}

func unknownChoice(s *setting, text string) *diag.Diagnostic {
	d := diag.New("E0507", s.at, code(s.decl.Name)+" cannot be "+types.FormatLiteral(text)).
		Say("It is one of %s. %s", quotedList(s.decl.Choices), s.decl.Doc)
	if near, ok := diag.Nearest(text, s.decl.Choices); ok {
		d.Fix("did you mean "+types.FormatLiteral(near)+"?", s.at, types.FormatLiteral(near))
	}
	return d
}

func secretEscapes(at source.Place, where string) *diag.Diagnostic {
	return diag.New("E0505", at, "a secret would flow into "+where).
		Say("A value made of a sensitive variable is a secret, too. Secrets may flow to `api_key` and `base_url` of a model only, never into a prompt, an output or a message.")
}

// Steps.

func notBinding(fs *fileScope, it syntax.Item, block string) *diag.Diagnostic {
	d := diag.New("E0125", fs.place(headOf(it)), "a `"+block+"` block holds `name = value`").
		Say("`:` starts a type, `=` starts a value. In `%s { … }` names get values.", block)
	if f, ok := it.(*syntax.Field); ok && f.Type == nil {
		at := fs.place(f.Name.Span)
		d.Fix("bind it to the value of the same name", at, f.Name.Name+" = "+f.Name.Name)
	} else if ok && f.Default == nil {
		if n, named := f.Type.(*syntax.NamedType); named && !n.HasArgs && len(n.Params) == 0 {
			between := fs.place(source.Span{Start: f.Name.End, End: n.Start})
			d.Fix("write a `=`", between, " = ")
		}
	}
	return d
}

func (c *checker) unknownInput(b *body, s *stepNode, a *syntax.Attribute) *diag.Diagnostic {
	at := b.fs.place(a.Name.Span)
	st := s.step
	d := diag.New("E0215", at, code(st.Name)+" has no input called "+code(a.Name.Name)).
		Relate(c.signaturePlace(b, s), "the inputs of %s come from here", code(st.Name))
	var names []string
	for _, f := range st.Declared.Inputs {
		names = append(names, f.Name)
	}
	if near, ok := diag.Nearest(a.Name.Name, names); ok {
		d.Fix("did you mean "+code(near)+"?", at, near)
	}
	if len(names) == 0 {
		return d.Say("It has no inputs.")
	}
	return d.Say("The step `%s` takes these inputs:\n\n%s", st.Name, fieldLines(st.Declared.Inputs, noAddition))
}

// signaturePlace returns where the signature of a step is written.
func (c *checker) signaturePlace(b *body, s *stepNode) source.Place {
	if s.step.Program != nil {
		return s.step.Program.Place
	}
	block := s.block
	if x, ok := s.settings["signature"]; ok {
		if d, ok := b.fs.lookup(typeKind, nameOf(x.attr.Value)); ok {
			return d.place
		}
	}
	if !s.own {
		block = b.block
		if x, ok := b.settings["signature"]; ok {
			if d, ok := b.fs.lookup(typeKind, nameOf(x.attr.Value)); ok {
				return d.place
			}
		}
	}
	if block == nil || block.Body == nil {
		return source.Place{}
	}
	var span source.Span
	for _, it := range block.Body.Items {
		if isSignaturePart(it) {
			if span.Len() == 0 {
				span = it.Range()
			}
			span = span.To(it.Range())
		}
	}
	if span.Len() == 0 {
		return source.Place{}
	}
	return b.fs.place(span)
}

// fieldPlace returns where a field of a step's or program's block is written.
func fieldPlace(fs *fileScope, block *syntax.Block, name string) source.Place {
	if block == nil || block.Body == nil {
		return source.Place{}
	}
	for _, it := range block.Body.Items {
		if f, ok := it.(*syntax.Field); ok && f.Name.Name == name {
			return fs.place(f.Span)
		}
	}
	return source.Place{}
}

func (c *checker) stepReceives(b *body, s *stepNode, f *types.Field, v program.Value) *diag.Diagnostic {
	st := s.step
	d := diag.New("E0301", v.Place, "this is "+article(v.Type.String()))
	if at := fieldPlace(b.fs, s.block, f.Name); s.own && !at.IsZero() {
		d.Relate(at, "%s asks for %s here", code(st.Name), code(f.Type.String()))
	} else {
		d.Relate(c.signaturePlace(b, s), "%s asks for %s here", code(st.Name), code(f.Type.String()))
	}
	say := fmt.Sprintf("    needs     %s\n    receives  %s\n", f.Type, v.Type)
	if refs := v.Expr.Refs(); len(refs) == 1 {
		if other, ok := b.prog.Step(refs[0].Root); ok || refs[0].Root != "" {
			if other == nil {
				other = b.stepNamed(refs[0].Root)
			}
			if other != nil {
				say += fmt.Sprintf("\nThe step `%s` produces these outputs:\n\n%s", other.Name, outputLines(other))
				for _, o := range other.Signature.Outputs {
					if !types.IsInvalid(o.Type) && types.Fits(o.Type, f.Type) && v.Text() == refs[0].Root+"."+lastPart(v.Text()) {
						d.Fix("did you mean "+code(other.Name+"."+o.Name)+"?", v.Place, other.Name+"."+o.Name)
						break
					}
				}
			}
		}
	}
	return d.Say("%s", say)
}

func lastPart(text string) string { return text[strings.LastIndexByte(text, '.')+1:] }

func (b *body) stepNamed(name string) *program.Step {
	for _, s := range b.steps {
		if s.step.Name == name {
			return s.step
		}
	}
	return nil
}

func (c *checker) autoBindsWrong(b *body, s *stepNode, f, in *types.Field) *diag.Diagnostic {
	at := fieldPlace(b.fs, s.block, f.Name)
	if at.IsZero() || !s.own {
		at = s.step.Place
	}
	d := diag.New("E0301", at, fmt.Sprintf("%s takes the program's input %s, which is %s", code(s.step.Name), code(f.Name), article(in.Type.String())))
	d.Relate(fieldPlace(b.fs, b.block, in.Name), "the program's input is declared here")
	return d.Say("    needs     %s\n    receives  %s\n\nAn input that is not bound takes the program's input of the same name. Bind it in the step: `inputs { %s = … }`.", f.Type, in.Type, f.Name)
}

func (c *checker) inputsAreMissing(b *body, s *stepNode, missing []types.Field) *diag.Diagnostic {
	st := s.step
	names := make([]string, len(missing))
	for i, f := range missing {
		names[i] = f.Name
	}
	verb := "is"
	if len(names) > 1 {
		verb = "are"
	}
	d := diag.New("E0402", st.Place, fmt.Sprintf("%s of %s %s not bound", quotedList(names), code(st.Name), verb))
	if at := fieldPlace(b.fs, s.block, names[0]); s.own && !at.IsZero() {
		d.Relate(at, "asked for here")
	}
	var say strings.Builder
	say.WriteString("An input that is not bound takes the program's input of the same name, but ")
	if len(b.prog.Signature.Inputs) == 0 {
		say.WriteString("the program has no inputs.\n")
	} else {
		fmt.Fprintf(&say, "the program's inputs are:\n\n%s", fieldLines(b.prog.Signature.Inputs, noAddition))
	}
	// Offer the one value that would fit, where there is just one.
	binds := make([]string, 0, len(missing))
	for _, f := range missing {
		source := b.onlyFit(st, f)
		if source == "" {
			binds = nil
			break
		}
		binds = append(binds, f.Name+" = "+source)
	}
	if s.inputs == nil && len(binds) > 0 && s.block != nil && s.block.Body != nil && s.block.Body.Close.Len() > 0 {
		d.Fix("bind "+quotedList(names), b.fs.place(s.block.Body.Close), insertBlock(b.fs, s.block, "inputs { "+strings.Join(binds, ", ")+" }"))
	}
	return d.Say("%s", say.String()).Hint("bind it in the step: inputs { %s = … }", names[0])
}

// insertBlock returns the text that puts a line before a block's `}`.
func insertBlock(fs *fileScope, b *syntax.Block, line string) string {
	src := fs.file.Source
	if src.LineOf(b.Body.Open.Start) == src.LineOf(b.Body.Close.Start) {
		return "\n" + indentOf(src, b.Start) + "  " + line + "\n" + indentOf(src, b.Start) + "}"
	}
	return "  " + line + "\n" + indentOf(src, b.Start) + "}"
}

func indentOf(src *source.File, offset int32) string {
	line := src.Line(src.LineOf(offset))
	return line[:len(line)-len(strings.TrimLeft(line, " \t"))]
}

// onlyFit returns the one output of another step with the field's name or, if
// there is none, with its type; "" when there is not exactly one.
func (b *body) onlyFit(st *program.Step, f types.Field) string {
	var byName, byType []string
	for _, other := range b.steps {
		if other.step == st {
			continue
		}
		for _, o := range other.step.Declared.Outputs {
			if types.IsInvalid(o.Type) || !types.Fits(o.Type, f.Type) {
				continue
			}
			text := other.step.Name + "." + o.Name
			byType = append(byType, text)
			if o.Name == f.Name {
				byName = append(byName, text)
			}
		}
	}
	switch {
	case len(byName) == 1:
		return byName[0]
	case len(byName) == 0 && len(byType) == 1:
		return byType[0]
	}
	return ""
}

func (c *checker) unknownOutput(b *body, a *syntax.Attribute) *diag.Diagnostic {
	at := b.fs.place(a.Name.Span)
	d := diag.New("E0216", at, "the program has no output called "+code(a.Name.Name))
	var names []string
	for _, f := range b.prog.Signature.Outputs {
		names = append(names, f.Name)
	}
	if near, ok := diag.Nearest(a.Name.Name, names); ok {
		d.Fix("did you mean "+code(near)+"?", at, near)
	}
	return d.Say("The program `%s` produces these outputs:\n\n%s", b.prog.Name, fieldLines(b.prog.Signature.Outputs, noAddition))
}

func (c *checker) outputHasWrongType(b *body, f *types.Field, v program.Value) *diag.Diagnostic {
	var d *diag.Diagnostic
	if v.Expr != nil {
		d = diag.New("E0309", v.Place, "this is "+article(v.Type.String()))
	} else {
		d = diag.New("E0309", v.Place, fmt.Sprintf("%s of %s is %s", code(v.Field), code(v.Root), article(v.Type.String())))
	}
	d.Relate(fieldPlace(b.fs, b.block, f.Name), "the program promises %s here", code(f.Type.String()))
	return d.Say("    promised  %s\n    given     %s", f.Type, v.Type)
}

func (c *checker) outputIsMissing(b *body, f types.Field) *diag.Diagnostic {
	at := fieldPlace(b.fs, b.block, f.Name)
	if at.IsZero() {
		at = b.prog.Place
	}
	d := diag.New("E0403", at, "no step makes "+code(f.Name))
	var say strings.Builder
	say.WriteString("An output that is not bound takes the field of the same name, if exactly one step makes it. The steps make:\n\n")
	for _, s := range b.steps {
		for _, o := range s.step.Signature.Outputs {
			fmt.Fprintf(&say, "    %s.%s: %s\n", s.step.Name, o.Name, o.Type)
		}
	}
	d.Say("%s", say.String())
	if only := b.onlyFit(nil, f); only != "" && b.outputs == nil && b.block.Body != nil && b.block.Body.Close.Len() > 0 {
		d.Fix("bind "+code(f.Name), b.fs.place(b.block.Body.Close), insertBlock(b.fs, b.block, "outputs { "+f.Name+" = "+only+" }"))
	}
	return d.Hint("bind it in the program: outputs { %s = … }", f.Name)
}

func outputByMany(b *body, f types.Field, makers []*stepNode) *diag.Diagnostic {
	at := fieldPlace(b.fs, b.block, f.Name)
	if at.IsZero() {
		at = b.prog.Place
	}
	d := diag.New("E0404", at, "which "+code(f.Name)+"?")
	for _, s := range makers {
		d.Relate(s.step.Place, "%s makes one", code(s.step.Name))
	}
	last := makers[len(makers)-1].step.Name
	if b.outputs == nil && b.block.Body != nil && b.block.Body.Close.Len() > 0 {
		for i := len(makers) - 1; i >= 0; i-- {
			from := makers[i].step.Name + "." + f.Name
			d.Fix("take the one of "+code(makers[i].step.Name), b.fs.place(b.block.Body.Close), insertBlock(b.fs, b.block, "outputs { "+f.Name+" = "+from+" }"))
		}
		return d.Say("An output that is not bound takes the field of the same name, but several steps make one.")
	}
	return d.Say("An output that is not bound takes the field of the same name, but several steps make one.").
		Hint("say which: outputs { %s = %s.%s }", f.Name, last, f.Name)
}
