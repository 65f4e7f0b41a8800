//go:build dspy

package python_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib/providers/scripted"
)

// TestDSPyTour: the sixth program of the tour, as it stands, with a scripted model.
func TestDSPyTour(t *testing.T) {
	program, err := os.ReadFile("../../examples/tour/06_hybrid.dsp")
	if err != nil {
		t.Fatal(err)
	}
	module, err := os.ReadFile("../../examples/tour/rankers.py")
	if err != nil {
		t.Fatal(err)
	}
	p := newProject(t, "-- main.dsp --\n"+string(program)+"-- rankers.py --\n"+string(module))
	p.model = func() lm.LM {
		match := func(s string) *string { return &s }
		return scripted.New("m",
			scripted.Reply{Match: match("[[ ## score ## ]]"), Text: "[[ ## score ## ]]\n1.75\n\n[[ ## completed ## ]]"},
			scripted.Reply{Text: "[[ ## reasoning ## ]]\nThe Seine does.\n\n[[ ## answer ## ]]\nParis\n\n[[ ## completed ## ]]"},
		)
	}
	made := p.plan("hybrid")
	res, err := p.runtime(made).Run(t.Context(), made, map[string]any{"question": "Which city is on the Seine?"})
	if err != nil {
		t.Fatal(rendered(err), p.lines)
	}
	if got := string(value.EncodeJSON(res.Outputs)); got != `{"answer":"Paris","score":1.0}` {
		t.Errorf("it gives %s", got)
	}
	if res.Usage.Calls != 2 || res.Usage.InputTokens == 0 {
		t.Errorf("it used %+v", res.Usage)
	}
	var steps []string
	for _, e := range p.events {
		if e.Kind == trace.CallEnd {
			steps = append(steps, e.Address)
		}
	}
	if want := []string{"program.hybrid.draft", "program.hybrid.rank"}; !slices.Equal(steps, want) {
		t.Errorf("calls stand at %v, want %v", steps, want)
	}
}

// sameCase is a program that runs with both backends against one scripted model.
type sameCase struct {
	name    string
	program string // `BACKEND` stands for the setting
	inputs  map[string]any
	replies []scripted.Reply
	// words says that the messages are the same, too, to the byte.
	words bool
}

func chat(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		b.WriteString("[[ ## " + pairs[i] + " ## ]]\n" + pairs[i+1] + "\n\n")
	}
	return b.String() + "[[ ## completed ## ]]"
}

func replies(texts ...string) []scripted.Reply {
	out := make([]scripted.Reply, len(texts))
	for i, x := range texts {
		out[i] = scripted.Reply{Text: x}
	}
	return out
}

var sameCases = []sameCase{
	{"predict", `
program main {
  question: string, k: int -> answer: string
  predict respond { BACKEND }
}`, map[string]any{"question": "Where?", "k": 3}, replies(chat("answer", "Paris")), true},
	{"typed", `
enum Queue {
  lost_card = "lost card" "a card is lost or stolen"
  refund    = "refund"    "money is to come back"
}
type Item { name: string, count: int, tags: list[string], due: date? }
program main {
  mail: string "the mail, as it came", when: datetime, items: list[Item], lasts: duration, more: json, hint: string? = null
  -> queue: Queue, item: Item, sure: probability, left: duration, both: tuple[int, string], either: int | string
  predict read {
    instructions = "Sort the mail.\nBe quick."
    BACKEND
  }
}`, map[string]any{
		"mail": "My card \"x\" is gone.\n<b>Help!</b>", "when": "2026-11-21T09:30:00Z", "lasts": "1h30m", "more": map[string]any{"a": []any{1, 2.5, nil}},
		"items": []any{map[string]any{"name": "é", "count": 2, "tags": []any{"a"}, "due": "2026-12-01"}},
	}, replies(chat("queue", "lost card", "item", `{"name": "card", "count": 1, "tags": [], "due": null}`, "sure", "0.9", "left", "PT5S", "both", `[1, "a"]`, "either", "7")), false},
	{"chain_of_thought", `
program main {
  question: string -> answer: string, sure: float
  chain_of_thought think { BACKEND }
}`, map[string]any{"question": "Where?"}, replies(chat("reasoning", "Well.", "answer", "Paris", "sure", "0.5")), true},
	{"chain_of_thought in JSON", `
program main {
  question: string, facts: list[string] -> answer: "yes" | "no"
  chain_of_thought think {
    adapter = "json"
    BACKEND
  }
}`, map[string]any{"question": "Is it?", "facts": []any{"a", "b"}}, replies(`{"reasoning": "Well.", "answer": "no"}`), true},
	{"xml", `
program main {
  question: string -> answer: string
  predict think {
    adapter = "xml"
    BACKEND
  }
}`, map[string]any{"question": "Is it?"}, replies("<answer>no</answer>"), true},
	{"react", `
tool area {
  description = "The area of a rectangle."
  height: float, width: float -> area: float
  starlark { code = <<-EOT
    def area(height, width):
        return height * width
  EOT
  call = "area" }
}
program main {
  question: string -> answer: string
  react agent {
    tools = [tool.area]
    max_iters = 4
    style = "dspy"
    BACKEND
  }
}`, map[string]any{"question": "The area of 3 by 4?"}, replies(
		chat("next_thought", "I need it.", "next_tool_name", "area", "next_tool_args", `{"height": 3.0, "width": 4.0}`),
		chat("next_thought", "Done.", "next_tool_name", "finish", "next_tool_args", "{}"),
		chat("reasoning", "It said so.", "answer", "12")), true},
	{"best_of_n", `
program main {
  question: string -> answer: string
  best_of_n pick {
    n = 3
    threshold = 10
    reward = len(answer) * 1.0
    BACKEND
    chain_of_thought {}
  }
}`, map[string]any{"question": "Where?"}, replies(chat("reasoning", "a", "answer", "one"), chat("reasoning", "b", "answer", "three"), chat("reasoning", "c", "answer", "two")), true},
	{"refine", `
program main {
  question: string -> answer: string
  refine better {
    n = 2
    threshold = 5
    reward = len(answer) * 1.0
    BACKEND
    predict {}
  }
}`, map[string]any{"question": "Where?"}, replies(chat("answer", "one"), chat("discussion", "short", "advice", `{"self": "say more"}`), chat("answer", "three")), false},
	{"multi_chain_comparison", `
program main {
  question: string -> answer: string
  multi_chain_comparison compare {
    m = 2
    BACKEND
    chain_of_thought {}
  }
}`, map[string]any{"question": "Where?"}, []scripted.Reply{
		{Match: ptr("reasoning_attempt_2"), Text: chat("rationale", "both", "answer", "Paris")},
		{Match: ptr("question"), Text: chat("reasoning", "a", "answer", "Rome"), Times: 2},
	}, true},
	{"program_of_thought", `
program main {
  question: string, n: int -> answer: int, how: string
  program_of_thought solve {
    language = "python"
    BACKEND
  }
}`, map[string]any{"question": "How much is 6 times n?", "n": 7}, replies(
		chat("reasoning", "I compute.", "generated_code", "```python\nx = 6 * undefined\nx\n```"),
		chat("reasoning", "Of course.", "generated_code", "```python\nx = 6 * 7\nprint('at work')\nSUBMIT({'answer': x, 'how': \"b\\u00e9\"})\n```"),
		chat("reasoning", "It said so.", "answer", "42", "how", "six times"),
	), true},
	{"program_of_thought in JSON, with an error of syntax", `
program main {
  question: string -> answer: list[float]
  program_of_thought solve {
    language = "python"
    adapter = "json"
    BACKEND
  }
}`, map[string]any{"question": "Which halves?"}, replies(
		`{"reasoning": "I compute.", "generated_code": "[x / 2 for x in range("}`,
		`{"reasoning": "So.", "generated_code": "halves = [x / 2 for x in range(3)]\nhalves"}`,
		`{"reasoning": "So.", "answer": [0, 0.5, 1]}`,
	), true},
	{"code_act", `
tool area {
  description = "The area of a rectangle."
  height: float, width: float -> area: float
  starlark { code = <<-EOT
    def area(height, width):
        return height * width
  EOT
  call = "area" }
}
program main {
  question: string -> answer: string
  code_act agent {
    language = "python"
    tools = [tool.area]
    max_iters = 4
    BACKEND
  }
}`, map[string]any{"question": "The area of 3 by 4?"}, replies(
		chat("generated_code", "```python\na = area(3, width=4)\nprint(a)\n```", "finished", "False"),
		chat("generated_code", "```python\nprint(b)\n```", "finished", "False"),
		chat("generated_code", "```python\na + 1\n```", "finished", "True"),
		chat("reasoning", "It printed so.", "answer", "12")), true},
	{"best_of_n of program_of_thought", `
program main {
  question: string -> answer: int
  best_of_n pick {
    n = 2
    threshold = 100
    reward = answer * 1.0
    BACKEND
    program_of_thought { language = "python" }
  }
}`, map[string]any{"question": "How much?"}, replies(
		chat("reasoning", "a", "generated_code", "6 * 7"), chat("reasoning", "b", "answer", "42"),
		chat("reasoning", "c", "generated_code", "6 * 8"), chat("reasoning", "d", "answer", "48")), true},
	{"refine of program_of_thought", `
program main {
  question: string -> answer: int
  refine better {
    n = 2
    threshold = 45
    reward = answer * 1.0
    BACKEND
    program_of_thought { language = "python" }
  }
}`, map[string]any{"question": "How much?"}, []scripted.Reply{
		{Match: ptr("advice"), Text: chat("discussion", "small", "advice", `{"self": "more"}`)},
		{Match: ptr("code_output ## ]]\n48"), Text: chat("reasoning", "d", "answer", "48")},
		{Match: ptr("code_output ## ]]\n42"), Text: chat("reasoning", "b", "answer", "42")},
		{Match: ptr("question"), Text: chat("reasoning", "a", "generated_code", "6 * 7"), Times: 1},
		{Match: ptr("question"), Text: chat("reasoning", "c", "generated_code", "6 * 8"), Times: 1},
	}, false},
	{"multi_chain_comparison of a program", `
program one {
  question: string -> reasoning: string, answer: string
  predict say {}
}
program main {
  question: string -> answer: string
  multi_chain_comparison compare {
    m = 2
    BACKEND
    one {}
  }
}`, map[string]any{"question": "Where?"}, []scripted.Reply{
		{Match: ptr("reasoning_attempt_2"), Text: chat("rationale", "both", "reasoning", "both", "answer", "Paris")},
		{Match: ptr("question"), Text: chat("reasoning", "a", "answer", "Rome"), Times: 2},
	}, true},
}

func ptr(s string) *string { return &s }

// tunedCase is a case of stdlib/modules/testdata: its program with the state that DSPy
// saved of the same one.
func tunedCase(t *testing.T, path, step string) sameCase {
	t.Helper()
	archive, err := txtar.ParseFile("../../stdlib/modules/testdata/" + path)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range archive.Files {
		files[f.Name] = string(f.Data)
	}
	c := sameCase{name: "tuned, " + path, words: true}
	program := strings.Replace(files["program.dsp"], step+" {", step+" {\n    BACKEND", 1)
	c.program = program + "\n-- state.json --\n" + files["state.json"]
	if err := json.Unmarshal([]byte(files["inputs.json"]), &c.inputs); err != nil {
		t.Fatal(err)
	}
	var texts []string
	if err := json.Unmarshal([]byte(files["replies.json"]), &texts); err != nil {
		t.Fatal(err)
	}
	c.replies = replies(texts...)
	return c
}

// TestDSPySame: the same program with both backends and one scripted model gives the
// same outputs, and where that is promised the same messages.
func TestDSPySame(t *testing.T) {
	all := append(slices.Clone(sameCases), tunedCase(t, "dspy/tuned.txtar", "react agent"), tunedCase(t, "dspy/tuned_bootstrap.txtar", "react agent"),
		tunedCase(t, "code/pot_tuned.txtar", "program_of_thought solve"), tunedCase(t, "code/act_tuned.txtar", "code_act solve"))
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) {
			var outputs [2]string
			var sent [2][]string
			for i, backend := range []string{"native", "python"} {
				p := newProject(t, "-- main.dsp --\n"+strings.ReplaceAll(c.program, "BACKEND", `backend = "`+backend+`"`)+"\n")
				p.model = func() lm.LM { return scripted.New("m", slices.Clone(c.replies)...) }
				name := "main"
				if strings.HasPrefix(c.name, "tuned, ") { // it is the only one
					name = ""
				}
				out, err := p.run(name, c.inputs)
				if err != nil {
					t.Fatalf("%s: %s\n%v", backend, rendered(err), p.lines)
				}
				outputs[i] = string(value.EncodeJSON(out))
				for _, e := range p.events {
					if e.Kind == trace.CallStart {
						text, _ := json.MarshalIndent(struct {
							Messages    []lm.Message
							Rollout     int
							Temperature *float64
						}{e.Messages, e.Request.Rollout, e.Request.Temperature}, "", " ")
						sent[i] = append(sent[i], string(text))
					}
				}
			}
			if outputs[0] != outputs[1] {
				t.Errorf("native gives %s\nPython gives %s", outputs[0], outputs[1])
			}
			if len(sent[0]) != len(sent[1]) {
				t.Errorf("%d calls natively, %d in Python", len(sent[0]), len(sent[1]))
			}
			if !c.words {
				return
			}
			slices.Sort(sent[0]) // some ask at once
			slices.Sort(sent[1])
			for i := range sent[0] {
				if i < len(sent[1]) && sent[0][i] != sent[1][i] {
					t.Errorf("call %d natively:\n%s\nin Python:\n%s", i+1, sent[0][i], sent[1][i])
				}
			}
		})
	}
}
