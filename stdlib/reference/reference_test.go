package reference_test

import (
	"cmp"
	"context"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/lang/check"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/parser"
	"github.com/dspi-lang/dspi/stdlib"
	"github.com/dspi-lang/dspi/stdlib/metrics"
	"github.com/dspi-lang/dspi/stdlib/modules"
	"github.com/dspi-lang/dspi/stdlib/providers"
	"github.com/dspi-lang/dspi/stdlib/reference"
)

var update = flag.Bool("update", false, "rewrite docs/reference")

const folder = "../../docs/reference"

// TestReference holds docs/reference to the tables. The page about commands is
// cmd/dspi's.
func TestReference(t *testing.T) {
	want := map[string]bool{"commands.md": true}
	for _, p := range reference.Pages() {
		want[p.Name] = true
		path := filepath.Join(folder, p.Name)
		if *update {
			if err := os.WriteFile(path, []byte(p.Text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		have, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if string(have) != p.Text {
			t.Errorf("%s is not current: go test ./stdlib/reference -update", path)
		}
	}
	files, err := filepath.Glob(folder + "/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !want[filepath.Base(f)] {
			t.Errorf("%s is made by nothing", f)
		}
	}
}

// TestLinks: what a page links to is there.
func TestLinks(t *testing.T) {
	for _, p := range reference.Pages() {
		for _, part := range strings.Split(codeSpan.ReplaceAllString(p.Text, ""), "](")[1:] {
			target, _, _ := strings.Cut(part, ")")
			file, anchor, _ := strings.Cut(target, "#")
			text := p.Text
			if file != "" {
				data, err := os.ReadFile(filepath.Join(folder, file))
				if err != nil {
					t.Errorf("%s links to %s: %v", p.Name, target, err)
					continue
				}
				text = string(data)
			}
			if anchor != "" && !hasHeading(text, anchor) {
				t.Errorf("%s links to %s, which has no such heading", p.Name, target)
			}
		}
	}
}

var codeSpan = regexp.MustCompile("`[^`]*`")

func hasHeading(text, anchor string) bool {
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			continue
		}
		name := strings.ToLower(strings.TrimSpace(strings.TrimLeft(line, "#")))
		if strings.ReplaceAll(strings.ReplaceAll(name, ".", ""), " ", "-") == anchor {
			return true
		}
	}
	return false
}

// TestImplementations: what is declared is implemented or says what is missing,
// and what is implemented is declared.
func TestImplementations(t *testing.T) {
	u := stdlib.Universe()
	declared := map[string]bool{}
	for _, m := range u.Modules {
		declared[m.Name] = true
		_, runs := stdlib.Module(m.Name)
		switch {
		case m.Name == "module": // stands for another
		case m.Name == "python" || m.Name == "dspy": // interpreter/python runs them
		case runs && m.Pending != "":
			t.Errorf("%s runs, and says that %s is missing", m.Name, m.Pending)
		case !runs && m.Pending == "":
			t.Errorf("%s neither runs nor says what is missing", m.Name)
		}
	}
	for _, e := range modules.All() {
		if !declared[e.Name] {
			t.Errorf("the module %s is not declared", e.Name)
		}
	}
	for _, p := range u.Providers {
		_, err := providers.Open(providers.Config{Provider: p.Name, Model: "replies.jsonl", Key: "a key"})
		if err != nil && strings.Contains(err.Error(), "no provider is called") {
			t.Errorf("the provider %s: %v", p.Name, err)
		}
	}
	if _, err := providers.Open(providers.Config{Provider: "nobody"}); err == nil {
		t.Error("a provider that is not declared opens")
	}
	var adapters []string
	for _, a := range u.Adapters {
		adapters = append(adapters, a.Name)
	}
	if !slices.Equal(adapters, prompt.Names()) {
		t.Errorf("the adapters %v are declared, %v are implemented", adapters, prompt.Names())
	}
	computed := metrics.Functions()
	for _, m := range u.Metrics {
		if _, ok := computed[m.Name]; ok != (m.Params != "") {
			t.Errorf("the metric %s: computed %v, called with %q", m.Name, ok, m.Params)
		}
		delete(computed, m.Name)
	}
	for name := range computed {
		t.Errorf("the metric %s is not declared", name)
	}
}

// TestWords: every declaration says what it is, in the form that lists expect.
func TestWords(t *testing.T) {
	u := stdlib.Universe()
	setting := func(where string, s universe.Setting) {
		if !strings.HasSuffix(s.Doc, ".") || strings.ToUpper(s.Doc[:1]) != s.Doc[:1] && s.Doc[0] != '`' {
			t.Errorf("%s.%s: %q is not a sentence", where, s.Name, s.Doc)
		}
		if s.Kind == universe.Choice && len(s.Choices) == 0 {
			t.Errorf("%s.%s has no choices", where, s.Name)
		}
	}
	var block func(where string, b universe.Block)
	block = func(where string, b universe.Block) {
		if b.Doc == "" {
			t.Errorf("%s%s has no doc", where, b.Name)
		}
		for _, s := range b.Settings {
			setting(where+b.Name, s)
		}
		for _, x := range b.Blocks {
			block(where+b.Name+".", x)
		}
	}
	for _, b := range u.Blocks {
		block("", b)
		if b.Example == "" {
			t.Errorf("%s has no example", b.Name)
		}
	}
	block("", u.Step)
	block("", universe.RepeatBlock)
	block("", universe.Project)
	for _, m := range u.Modules {
		if m.Doc == "" || strings.HasSuffix(m.Doc, ".") || m.Example == "" {
			t.Errorf("%s needs a few words and an example", m.Name)
		}
		for _, s := range m.Settings {
			setting(m.Name, s)
		}
	}
	for _, o := range u.Optimizers {
		for _, s := range o.Settings {
			setting(o.Name, s)
		}
		if !strings.HasSuffix(o.Doc, ".") || len(o.Changes) == 0 || o.Objectives < 1 {
			t.Errorf("%s needs a sentence, what it changes and how many aims it weighs", o.Name)
		}
	}
	for _, p := range u.Providers {
		if p.Doc == "" || !strings.HasPrefix(p.Example, p.Name+"/") {
			t.Errorf("%s needs a few words and an address as an example", p.Name)
		}
	}
}

// TestExamples checks the example of every declaration.
func TestExamples(t *testing.T) {
	u := stdlib.Universe()
	for _, b := range u.Blocks {
		if diags := checked(preludeFor(b.Example) + b.Example); len(diags) > 0 {
			t.Errorf("%s: %s: %s\n%s", b.Name, diags[0].Code, diags[0].Primary.Text, b.Example)
		}
	}
	for _, e := range []struct{ name, text string }{{"step", u.Step.Example}, {"repeat", universe.RepeatBlock.Example}} {
		inProgram(t, e.name, e.text)
	}
	for _, m := range u.Modules {
		inProgram(t, m.Name, m.Example)
	}
	for _, o := range u.Optimizers {
		block := cmp.Or(o.Example, o.Name+" {}")
		text := "optimize tuned {\n  program = program.route\n  train = dataset.train\n  metric = metric.exact_match\n" + block + "\n}\n"
		if diags := checked(preludeFor(text) + text); len(diags) > 0 {
			t.Errorf("%s: %s: %s", o.Name, diags[0].Code, diags[0].Primary.Text)
		}
	}
}

// inProgram checks a step: it stands in a program whose inputs have the names that
// examples use.
func inProgram(t *testing.T, name, step string) {
	t.Helper()
	before := "  predict find {\n    question: string -> notes: string\n  }\n  predict first {\n    question: string -> text: string\n  }\n"
	for _, signature := range []string{"question: string -> answer: string", "question: string, answer: string -> result: string"} {
		_, output, _ := strings.Cut(signature, "-> ")
		output, _, _ = strings.Cut(output, ":")
		text := preludeFor(step) + "program example {\n  " + signature + "\n" + before + step + "\n  outputs { " + output + " = question }\n}\n"
		diags := checked(text)
		if len(diags) == 0 {
			return
		}
		if strings.Contains(signature, "result") {
			t.Errorf("%s: %s: %s\n%s", name, diags[0].Code, diags[0].Primary.Text, text)
		}
	}
}

// preludeFor declares what an example refers to and does not declare itself.
func preludeFor(example string) string {
	out := ""
	for _, d := range []struct{ ref, block, text string }{
		{"var.strategy", "variable strategy", "variable strategy: module { default = module.predict, choices = [module.predict, module.chain_of_thought] }\n"},
		{"var.", "variable ", "variable k: int { default = 4 }\nvariable temperature: float { default = 0.5 }\n"},
		{"retriever.wiki", "retriever wiki", "retriever wiki { file = \"wiki.jsonl\" }\n"},
		{"program.", "program ", "program hello {\n  question: string -> answer: string\n}\nprogram rag {\n  question: string -> answer: string\n}\nprogram route {\n  text: string -> intent: \"a\" | \"b\"\n}\n"},
		{"dataset.", "dataset ", "dataset train { file = \"train.csv\" }\ndataset dev { file = \"dev.csv\" }\n"},
		{"metric.", "metric ", "metric correct { score = exact_match(prediction.intent, example.intent) }\n"},
		{"model.", "model ", "model small {\n  provider = \"builtin\"\n  name = \"incontext\"\n}\n"},
	} {
		if strings.Contains(example, d.ref) && !strings.Contains("\n"+example, "\n"+d.block) {
			out += d.text
		}
	}
	return out
}

func checked(text string) diag.List {
	_, diags := check.Check(parser.Parse(source.NewFile("example.dsp", text)), check.Options{
		Universe: stdlib.Universe(),
		Import: func(*source.File, string) (*syntax.File, error) {
			return parser.Parse(source.NewFile("types.dsp", "type Name = string\n")), nil
		},
	})
	return diags
}

// TestFunctions evaluates the example of every function.
func TestFunctions(t *testing.T) {
	for _, f := range expr.Functions() {
		file := source.NewFile("example", f.Example)
		e, diags := expr.Parse(file, &syntax.Expr{Text: f.Example, Span: source.Span{End: int32(len(f.Example))}})
		scope := expr.NewScope()
		scope.Host = []string{f.Name}
		_, more := e.CheckExpecting(scope, want(f))
		if diags = append(diags, more...); len(diags) > 0 {
			t.Errorf("%s: %s: %s", f.Name, diags[0].Code, diags[0].Primary.Text)
			continue
		}
		p, err := e.Compile()
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
			continue
		}
		if f.Name == "env" {
			continue // gives what this machine has
		}
		got, err := p.Eval(context.Background(), func(string) (any, bool) { return nil, false }, metrics.Options()...)
		if err != nil {
			t.Errorf("%s: %v", f.Example, err)
		} else if text := string(value.EncodeJSON(got)); text != f.Gives {
			t.Errorf("%s gives %s, not %s", f.Example, text, f.Gives)
		}
	}
}

// want is the type of the place where one_of stands in its example.
func want(f expr.Function) types.Type {
	if f.Name == "one_of" {
		return types.NewUnion(&types.Literal{Value: "a"}, &types.Literal{Value: "b"}, types.Null)
	}
	return nil
}
