package state_test

import (
	"math"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/lang/check"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/program/state"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/parser"
	"github.com/dspi-lang/dspi/stdlib"
)

// saved writes a state with one predictor for each line `NAME: PREFIX, PREFIX …`.
func saved(t *testing.T, extra string, lines ...string) *state.State {
	t.Helper()
	s := state.New()
	for _, line := range lines {
		name, list, _ := strings.Cut(line, ": ")
		p := &state.Predictor{Name: name, Instructions: "Do " + name + "."}
		for _, f := range strings.Split(list, ", ") {
			p.Fields = append(p.Fields, state.Field{Prefix: state.InferPrefix(f), Description: "${" + f + "}"})
		}
		s.Add(p)
	}
	text := string(s.Write())
	if extra != "" {
		text = strings.Replace(text, `"dependency_versions"`, extra+`, "dependency_versions"`, 1)
	}
	return read(t, text)
}

func read(t *testing.T, text string) *state.State {
	t.Helper()
	s, diags := state.Read(source.NewFile("saved.json", text))
	if err := diags.Err(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return s
}

func checked(t *testing.T, text string) (*program.Project, *program.Program) {
	t.Helper()
	project, diags := check.Check(parser.Parse(source.NewFile("p.dsp", text)), check.Options{Universe: stdlib.Universe()})
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	main, _ := project.Main()
	if main == nil {
		main = project.Programs[len(project.Programs)-1]
	}
	return project, main
}

const two = `
program two {
  question: string -> answer: string, ok: bool

  chain_of_thought draft {
    question: string -> answer: string
  }
  predict check {
    answer: string -> ok: bool
    inputs { answer = draft.answer }
  }
}
`

const callers = `
program inner {
  text: string -> gist: string
}

program outer {
  text: string -> a: string, b: string

  inner one { }
  inner two {
    inputs { text = one.gist }
  }
  repeat again {
    state { draft = two.gist }
    max_rounds = 2
    predict judge { draft: string -> good: bool }
    until = judge.good
  }
  best_of_n pick {
    n      = 2
    reward = len(best)
    chain_of_thought { }
    draft: string -> best: string
    inputs { draft = again.draft }
  }
  outputs {
    a = one.gist
    b = pick.best
  }
}
`

const held = `
program inner {
  q: string -> x: string
  chain_of_thought draft { q: string -> y: string }
  predict last {
    y: string -> x: string
    inputs { y = draft.y }
  }
}
program held {
  q: string -> x: string
  best_of_n a {
    reward = len(x)
    majority { chain_of_thought {} }
  }
  ensemble b {
    predict one {}
    chain_of_thought {}
  }
  multi_chain_comparison c {
    m = 2
    chain_of_thought {}
  }
  retry d { inner {} }
  outputs { x = a.x }
}
`

const chosen = `
variable how: module { default = module.predict, choices = [module.predict, module.chain_of_thought] }
variable k: int(min = 1, max = 5) { default = 2 }

program chosen {
  question: string -> answer: string
  module ask {
    use = var.how
  }
}
`

// TestBind: which steps get something, and what is said of the rest.
func TestBind(t *testing.T) {
	one := "program p {\n  question: string -> answer: string\n}\n"
	for _, test := range []struct {
		name, program, extra string
		predictors           []string
		steps                string // paths, in alphabetical order
		codes                string
		says                 string
	}{
		{"self", one, "", []string{"self: question, answer"}, "predict", "", ""},
		{"predict", one, "", []string{"predict: question, answer"}, "predict", "", ""},
		{"two", two, "", []string{"draft.predict: question, reasoning, answer", "check: answer, ok"}, "check draft", "", ""},
		{"names of others", two, "", []string{"draft: question, reasoning, answer", "check.predict: answer, ok"}, "check draft", "", ""},
		{"no step", two, "", []string{"drat.predict: question, reasoning, answer", "check: answer, ok"}, "check", "E0641", "no step of `two` is `drat.predict`"},
		{"twice", two, "", []string{"draft: question, reasoning, answer", "draft.predict: question, reasoning, answer", "check: answer, ok"}, "check draft", "E0641", "too"},
		{"no reasoning", two, "", []string{"draft: question, answer", "check: answer, ok"}, "check", "E0642", "it was a Predict"},
		{"reasoning", two, "", []string{"draft.predict: question, reasoning, answer", "check.predict: answer, reasoning, ok"}, "draft", "E0642", "it was a ChainOfThought"},
		{"part", two, "", []string{"check: answer, ok"}, "check", "W0640", "no predictor for `draft`"},
		{"other names", one, "", []string{"self: frage, antwort"}, "predict", "W0640", "Frage:"},
		{"other order", two, "", []string{"draft.predict: question, answer, reasoning", "check: answer, ok"}, "check draft", "W0640", "another order"},
		{"in programs", callers, "", []string{"one: text, gist", "two.predict: text, gist", "judge: draft, good", "pick.module.predict: draft, reasoning, best"}, "judge one.predict pick two.predict", "", ""},
		{"held", held, "", []string{"a.module.module.predict: q, reasoning, x", "b.programs[0]: q, x", "b.programs[1].predict: q, reasoning, x", "c.predict: q, reasoning_attempt_1, reasoning_attempt_2, rationale, x", "c.module.predict: q, reasoning, x", "d.module.draft.predict: q, reasoning, y", "d.module.last: y, x"},
			"a b.chain_of_thought b.one c c.comparison d.draft d.last", "", ""},
		{"chosen", chosen, "", []string{"ask: question, answer"}, "ask", "", ""},
		{"chosen to think", chosen, `"dspi": {"variables": {"how": {"type": "module", "value": "chain_of_thought"}, "k": {"type": "int", "value": 5}}}`,
			[]string{"ask.predict: question, reasoning, answer"}, "ask", "", ""},
		{"variables", chosen, `"dspi": {"variables": {"how": {"type": "module", "value": "react"}, "k": {"type": "int", "value": 9}, "j": {"type": "int", "value": 1}}}`,
			[]string{"ask: question, answer"}, "ask", "E0643 E0643 W0640", "not among its choices"},
	} {
		t.Run(test.name, func(t *testing.T) {
			project, main := checked(t, test.program)
			tuned, diags := state.Bind(saved(t, test.extra, test.predictors...), project, main)
			var steps []string
			for path := range tuned.Steps {
				steps = append(steps, path)
			}
			if got := sorted(steps); got != test.steps {
				t.Errorf("steps %q, want %q", got, test.steps)
			}
			var codes []string
			said := ""
			for _, d := range diags {
				codes = append(codes, string(d.Code))
				said += d.Primary.Text + d.Detail + strings.Join(d.Help, "") + "\n"
				if d.Primary.File == nil && d.Related == nil {
					t.Errorf("%v has no place", d)
				}
			}
			if got := sorted(codes); got != test.codes || !strings.Contains(said, test.says) {
				t.Errorf("codes %q, want %q; said\n%s", got, test.codes, said)
			}
		})
	}
}

func sorted(list []string) string {
	for i := range list {
		for j := range i {
			if list[i] < list[j] {
				list[i], list[j] = list[j], list[i]
			}
		}
	}
	return strings.Join(list, " ")
}

// TestDemos: demos come with the step's own names; what no field shows is said.
func TestDemos(t *testing.T) {
	project, main := checked(t, "program p {\n  question: string -> answer: int\n}\n")
	s := saved(t, "", "self: frage, antwort")
	s.Predictors[0].Demos = []*value.Object{
		value.NewObject("augmented", true, "frage", "1?", "antwort", 1),
		value.NewObject("frage", "2?", "antwort", "two", "note", "n", "dspy_uuid", "x"),
	}
	s.Predictors[0].LM = value.NewObject("model", "openai/gpt-4o-mini")
	tuned, diags := state.Bind(s, project, main)
	got := ""
	for _, d := range tuned.Step("predict").Demos {
		got += string(value.EncodeJSON(d))
	}
	if want := `{"question":"1?","answer":1}{"question":"2?","answer":"two"}`; got != want {
		t.Errorf("demos %s, want %s", got, want)
	}
	said := ""
	for _, d := range diags {
		if d.Level != diag.Warning {
			t.Error(d)
		}
		said += d.Detail + "\n"
	}
	for _, part := range []string{"have `note`", "demo 2, answer", "openai/gpt-4o-mini", "Antwort:"} {
		if !strings.Contains(said, part) {
			t.Errorf("%q is not said:\n%s", part, said)
		}
	}
	if tuned.Step("nothing") != nil || (*state.Tuned)(nil).Step("predict") != nil || tuned.Of(main.Steps[0]) != tuned.Step("predict") {
		t.Error("a step is found where there is none")
	}
}

// TestDescriptions: the state's descriptions win, but for DSPy's placeholder.
func TestDescriptions(t *testing.T) {
	project, main := checked(t, "program p {\n  question: string \"kept\"\n  ->\n  answer: string \"old\"\n}\n")
	s := saved(t, "", "self: question, answer")
	s.Predictors[0].Fields[1].Description = "new"
	tuned, _ := state.Bind(s, project, main)
	sig := tuned.Step("predict").Signature(main.Steps[0].Signature)
	if sig.Inputs[0].Description != "kept" || sig.Outputs[0].Description != "new" || main.Steps[0].Signature.Outputs[0].Description != "old" {
		t.Errorf("%+v", sig)
	}
}

// TestWrite: keys that nobody knows stay, the order stays, metadata comes last.
func TestWrite(t *testing.T) {
	const text = `{
  "b": {
    "traces": [],
    "own": {
      "x": 1e-7
    },
    "train": [],
    "demos": [],
    "signature": {
      "more": null,
      "instructions": "Do.",
      "fields": [
        {
          "prefix": "A:",
          "description": "${a}",
          "kept": [
            1.0,
            -0.0
          ]
        }
      ]
    },
    "lm": null
  },
  "metadata": {
    "dependency_versions": {},
    "others": "ones"
  }
}
`
	s := read(t, text)
	if got := string(s.Write()); got != text {
		t.Errorf("got\n%s", got)
	}
	s.Predictors[0].Instructions = "Do it."
	s.SetScore("exact_match", 0.5)
	s.SetVariables([]state.Variable{{Name: "k", Type: "int", Value: 3}})
	s.Additions().Set("program", "p")
	again := read(t, string(s.Write()))
	vs := again.Variables()
	if again.Program() != "p" || len(vs) != 1 || vs[0] != (state.Variable{Name: "k", Type: "int", Value: 3}) || again.Predictors[0].Instructions != "Do it." {
		t.Errorf("%s", again.Write())
	}
	if string(again.Write()) != string(s.Write()) {
		t.Error("written twice, it differs")
	}
}

// TestFloats: floats as orjson writes them, which is what DSPy saves with.
func TestFloats(t *testing.T) {
	for f, want := range map[float64]string{
		1e-5: "0.00001", 1.5e-5: "0.000015", 1e-4: "0.0001", 1e-6: "1e-6", 1.5e-7: "1.5e-7", 1e15: "1000000000000000.0",
		1e16: "1e16", 1.5e16: "1.5e16", 1.5e300: "1.5e300", 123456789012345680.0: "1.2345678901234568e17", 0.1: "0.1", 5: "5.0",
		math.Inf(1): "null",
	} {
		s := state.New()
		s.Additions().Set("x", f)
		if got := string(s.Write()); !strings.Contains(got, `"x": `+want+"\n") {
			t.Errorf("%v is written as %s, want %s", f, got, want)
		}
	}
}

// TestInferPrefix: as DSPy's infer_prefix answers.
func TestInferPrefix(t *testing.T) {
	for name, want := range map[string]string{
		"question": "Question", "camelCaseText": "Camel Case Text", "snake_case_text": "Snake Case Text", "text2number": "Text 2 Number",
		"HTMLParser": "HTML Parser", "a1b2": "A 1 B 2", "x": "X", "is_OK": "Is OK", "größe": "Größe", "_x": " X", "a__b": "A  B",
		"APIKey": "API Key", "é": "É", "URL": "URL", "top5Hits": "Top 5 Hits", "2nd": "2 Nd", "ABC_def": "ABC Def",
	} {
		if got := state.InferPrefix(name); got != want+":" {
			t.Errorf("%s is %q, want %q", name, got, want+":")
		}
	}
}

// TestRead: what is no saved program is said with its place.
func TestRead(t *testing.T) {
	for text, want := range map[string]string{
		``: "cannot be read as JSON", `[]`: "a list", `{}`: "without a predictor", `{"a": 1, "metadata": {}}`: "is a number",
		`{"a": {}}`: "no object `signature`", `{"a": {"signature": {}}}`: "no text `instructions`",
		`{"a": {"signature": {"instructions": "x"}}}`:                             "no list `fields`",
		`{"a": {"signature": {"instructions": "x", "fields": [1]}}}`:              "Field 1",
		`{"a": {"signature": {"instructions": "x", "fields": []}, "demos": 1}}`:   "are a number",
		`{"a": {"signature": {"instructions": "x", "fields": []}, "demos": [1]}}`: "Demo 1",
		`{"metadata": []}`: "`metadata` is a list", `{"metadata": {"dspi": {"variables": {"k": {"value": 1}}}}}`: "`k` has no `type`",
		`{"a": 1, "a": 2}`: "stands twice",
	} {
		s, diags := state.Read(source.NewFile("x.json", text))
		if s != nil || len(diags) == 0 || diags[0].Code != "E0640" || !strings.Contains(diags[0].Detail, want) {
			t.Errorf("%s: %v", text, diags)
		}
	}
}

// FuzzRead: nothing panics, and what is read is written so that it reads the same.
func FuzzRead(f *testing.F) {
	f.Add(string(state.New().Write()))
	f.Add(`{"self": {"signature": {"instructions": "x", "fields": [{"prefix": "A:", "description": ""}]}, "demos": [{"a": 1e400}]}, "metadata": {}}`)
	f.Add(`{"demos": [], "signature": {"instructions": "é\u2028", "fields": []}, "metadata": {"dspi": {"variables": {"k": {"type": "int", "value": []}}}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		s, diags := state.Read(source.NewFile("x.json", text))
		if s == nil {
			if !diags.HasErrors() {
				t.Fatal("nothing, and nothing said")
			}
			return
		}
		once := string(s.Write())
		again, diags := state.Read(source.NewFile("x.json", once))
		if diags.HasErrors() {
			t.Fatalf("%v\n%s", diags, once)
		}
		if twice := string(again.Write()); twice != once {
			t.Fatalf("%s\nand then\n%s", once, twice)
		}
	})
}

// TestNearest keeps how many demos of a predictor a call is shown, where DSPy does not
// look.
func TestNearest(t *testing.T) {
	project, prog := checked(t, two)
	s := saved(t, "", "draft.predict: question, reasoning, answer", "check: answer, ok")
	p, _ := s.Predictor("check")
	p.Nearest = 3
	text := string(s.Write())
	if !strings.Contains(text, `"nearest": {
        "check": 3
      }`) {
		t.Errorf("written as\n%s", text)
	}
	s = read(t, text)
	tuned, diags := state.Bind(s, project, prog)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	if got := tuned.Step("check").Nearest; got != 3 {
		t.Errorf("check: %d, want 3", got)
	}
	if got := tuned.Step("draft").Nearest; got != 0 {
		t.Errorf("draft: %d, want 0", got)
	}
	if again := string(s.Write()); again != text {
		t.Errorf("written again as\n%s", again)
	}
	p, _ = s.Predictor("check")
	p.Nearest = 0
	if p, _ := read(t, string(s.Write())).Predictor("check"); p.Nearest != 0 {
		t.Errorf("taken away, and read as %d", p.Nearest)
	}
	one := read(t, `{"traces": [], "train": [], "demos": [], "signature": {"instructions": "", "fields": []}, "lm": null, "metadata": {"dspi": {"nearest": {"self": 2}}}}`)
	if one.Predictors[0].Nearest != 2 {
		t.Error("of a file that is one Predict nothing was read")
	}
}

// TestMembers keeps the members of an ensemble, and binds each to the program that asks
// them.
func TestMembers(t *testing.T) {
	project, prog := checked(t, two)
	lines := []string{"draft.predict: question, reasoning, answer", "check: answer, ok"}
	s, first, second := saved(t, "", lines...), saved(t, "", lines...), saved(t, "", lines...)
	second.Predictors[0].Instructions = "Another way."
	second.Predictors[0].Nearest = 4
	second.SetSettings(map[string]any{"check.temperature": 0.5})
	s.SetMembers([]*state.State{first, second})
	text := string(s.Write())
	s = read(t, text)
	if again := string(s.Write()); again != text {
		t.Errorf("written again as\n%s", again)
	}
	tuned, diags := state.Bind(s, project, prog)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	asked := tuned.Ensembled(prog)
	if len(asked.Steps) != 1 || asked.Steps[0].Module != "ensemble" || len(asked.Steps[0].Parts) != 2 || asked.Signature != prog.Signature {
		t.Fatalf("the program that asks them is %+v", asked)
	}
	for path, want := range map[string]string{
		"draft": "Do draft.predict.", "members.member1.draft": "Do draft.predict.",
		"members.member2.draft": "Another way.", "members.member2.check": "Do check.",
	} {
		if got := tuned.Step(path); got == nil || got.Instructions != want {
			t.Errorf("%s: %+v, want %q", path, got, want)
		}
	}
	if got := tuned.Step("members.member2.draft").Nearest; got != 4 {
		t.Errorf("the second member shows %d demos", got)
	}
	if got := tuned.Setting("members.member2.check", "temperature"); got != 0.5 {
		t.Errorf("the temperature is %v", got)
	}
	if got := tuned.Alone().Ensembled(prog); got != prog {
		t.Error("the best alone is asked with others")
	}
	var none *state.Tuned
	if none.Ensembled(prog) != prog || none.Alone() != nil {
		t.Error("nothing tuned makes an ensemble")
	}
}
