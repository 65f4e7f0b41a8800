package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
)

// The words about names.

func (c *checker) unknownModule(fs *fileScope, at source.Place, name string, skip int32) *diag.Diagnostic {
	at.Start += skip
	names := append(c.u.ModuleNames(), fs.visible(programKind)...)
	d := diag.New("E0202", at, "no module of this name")
	doc := func(n string) string {
		if m, ok := c.u.Module(n); ok {
			return m.Doc
		}
		switch n {
		case "repeat":
			return "steps again and again"
		case "outputs":
			return "where the program's outputs come from"
		case "state":
			return "what the rounds of a `repeat` hand on"
		case "next":
			return "the state of the next round of a `repeat`"
		}
		return "a program of this project"
	}
	candidates := names
	if skip == 0 { // what else may stand where a step does
		candidates = append([]string{"repeat", "outputs", "state", "next"}, names...)
	}
	near, ok := diag.Nearest(name, candidates)
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
		if t := s.at.Text(); strings.HasPrefix(t, `"`) && strings.HasSuffix(t, `"`) && !strings.Contains(t, `\`) {
			d.Fix("write the fields themselves", source.Place{File: s.at.File, Span: s.attr.Span}, t[1:len(t)-1])
		}
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
