package modules_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/lm/lmtest"
	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib/modules"
)

// wrote is a reply with code.
func wrote(code string) string {
	return said(value.NewObject("reasoning", "It is computed.", "generated_code", "```starlark\n"+code+"\n```"))
}

// coded runs the first step of a program with a model that says what it is told to.
func coded(t *testing.T, s *stage, inputs *value.Object, replies ...string) (*value.Object, *lmtest.Recorder, error) {
	t.Helper()
	left := replies
	model := lmtest.Func(func(_ context.Context, _ int, req *lm.Request) (*lm.Response, error) {
		if len(left) == 0 {
			return nil, &lm.Error{Kind: lm.KindRequest, Message: "no reply is left"}
		}
		text := left[0]
		left = left[1:]
		return lmtest.Text(req, text), nil
	})
	s.model = model
	main, _ := s.project.Main()
	m, _ := modules.Lookup(main.Steps[0].Module)
	out, err := m.Run(t.Context(), s.call(t, inputs))
	if err == nil && len(left) > 0 {
		t.Errorf("%d replies are left", len(left))
	}
	return out, model, err
}

// last is the last message of a request.
func last(req lm.Request) string { return req.Messages[len(req.Messages)-1].Text() }

const thinks = `program t {
  text: string, least: int = 1 -> count: int, words: list[string](max_items = 3)
  program_of_thought solve {
    instructions = "Count the words."
    timeout      = "60s"
    memory       = 32
  }
}`

func TestThoughtInStarlark(t *testing.T) {
	inputs := value.NewObject("text", "to be or", "least", 1)
	for _, c := range []struct {
		name    string
		replies []string
		told    []string // what the second question says of the first piece
	}{
		{"submits", []string{wrote("words = text.split(' ')\nSUBMIT(count = len(words), words = words)")}, nil},
		{"a dict", []string{wrote("SUBMIT({'count': 3.0, 'words': ('to', 'be', 'or')})")}, nil},
		{"without a fence", []string{said(value.NewObject("reasoning", "r", "generated_code", "w = text.split()\nSUBMIT(count=len(w), words=w)"))}, nil},
		{"the last fence", []string{said(value.NewObject("reasoning", "r", "generated_code", "```python\nfail('no')\n```\nBetter:\n```\nw = text.split()\nSUBMIT(count=len(w), words=w)\n```"))}, nil},
		{"an input changed", []string{wrote("text = text.strip()\nw = text.split()\nSUBMIT(count = len(w) * least, words = w)")}, nil},
		{"fails", []string{wrote("print('so far', text)\n\nx = missing(1)"), wrote("SUBMIT(count=3, words=text.split())")},
			[]string{"line 3: undefined: missing", "[[ ## previous_code ## ]]\nprint('so far', text)\n\nx = missing(1)"}},
		{"fails while it runs", []string{wrote("print('so far', text)\nx = 1 // 0"), wrote("SUBMIT(count=3, words=text.split())")},
			[]string{"line 2: floored division by zero", "It printed:\nso far to be or"}},
		{"does not submit", []string{wrote("count = 3"), wrote("SUBMIT(count=3, words=text.split())")},
			[]string{"the code ended without SUBMIT(count = …, words = …)"}},
		{"does not fit", []string{wrote("SUBMIT(count='many', words=['a', 'b', 'c', 'd'], size=3)"), wrote("SUBMIT(count=3, words=text.split())")},
			[]string{"what SUBMIT was given does not fit", "size: there is no such output", "count:", "words:"}},
		{"misses", []string{wrote("SUBMIT(count=3)"), wrote("SUBMIT(count=3, words=text.split())")}, []string{"words: it is missing"}},
		{"without names", []string{wrote("SUBMIT(3, [])"), wrote("SUBMIT(count=3, words=text.split())")}, []string{"give the outputs by name: SUBMIT(count = …, words = …)"}},
		{"keeps variables", []string{wrote("w = text.split()\ndef n(l):\n  return len(l)"), wrote("SUBMIT(count=n(w), words=w)")}, []string{"without SUBMIT"}},
		{"a loop", []string{wrote("while True:\n  pass"), wrote("SUBMIT(count=3, words=text.split())")}, []string{"steps"}},
		{"a bomb", []string{wrote("l = [0]\nwhile True:\n  l = l + l"), wrote("SUBMIT(count=3, words=text.split())")}, []string{"the code makes more than 33554432 bytes of data"}},
		{"a flood", []string{wrote("while True:\n  print('x' * 1000)"), wrote("SUBMIT(count=3, words=text.split())")}, []string{"prints more than"}},
		{"no Starlark", []string{wrote("import os"), wrote("SUBMIT(count=3, words=text.split())")}, []string{"line 1:"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := stageOf(t, thinks)
			out, model, err := coded(t, s, inputs, c.replies...)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(value.EncodeJSON(out)); got != `{"count":3,"words":["to","be","or"]}` {
				t.Errorf("%s", got)
			}
			asked := model.Requests()
			if system := asked[0].Messages[0].Text(); !strings.Contains(system, "Count the words.") || !strings.Contains(system, "Starlark") ||
				!strings.Contains(system, "It may run for 1m0s and make 32 MB") || !strings.Contains(system, "`count` (int), `words` (list[string](max_items = 3))") {
				t.Errorf("%s", system)
			}
			for _, want := range c.told {
				if !strings.Contains(last(asked[1]), want) {
					t.Errorf("%q is not in\n%s", want, last(asked[1]))
				}
			}
			if n := len(s.seen(trace.ToolStart)); n != len(c.replies) || n != len(s.seen(trace.ToolEnd)) {
				t.Errorf("%d pieces of code in the trace", n)
			}
		})
	}
}

// TestThoughtGivesUp ends after max_iters pieces of code.
func TestThoughtGivesUp(t *testing.T) {
	s := stageOf(t, thinks)
	_, _, err := coded(t, s, value.NewObject("text", "a", "least", 1), wrote("fail('one')"), wrote("fail('two')"), wrote("fail('three')"))
	e, ok := err.(module.Explained)
	if !ok || !strings.Contains(e.Error(), "the model wrote 3 pieces of code and none gave an answer; the last failed: line 1: fail: three") || !strings.Contains(e.Advice(), "max_iters") {
		t.Errorf("%v", err)
	}
}

const acts = `tool search {
  description = "Search the notes."
  query: string, k: int = 3 -> passages: list[string]
  outputs { passages = [query] }
}

tool mend {
  description = "Mend what is broken."
  part: string -> mended: string
  outputs { mended = part }
}

program t {
  question: string -> answer: string
  code_act solve {
    tools     = [tool.search, tool.mend]
    max_iters = 3
  }
}`

func TestActInStarlark(t *testing.T) {
	question := value.NewObject("question", "Which?")
	for _, c := range []struct {
		name    string
		replies []string
		answer  string
		seen    string // the trajectory that the last question shows
	}{
		{"at once", []string{wrote("SUBMIT(answer = search(question, k = 1)[0])")}, "Which? 1", ""},
		{"in turns", []string{wrote("found = search('it')\nprint(found)\ndef pick(i):\n  return found[i]"), wrote("found += ['more']\nprint(len(found), pick(1))"), wrote("SUBMIT(answer = pick(3))")}, "more",
			`{"generated_code_0": "found = search('it')\nprint(found)\ndef pick(i):\n  return found[i]", "code_output_0": "[\"it 1\", \"it 2\", \"it 3\"]\n", "generated_code_1": "found += ['more']\nprint(len(found), pick(1))", "code_output_1": "4 it 2\n"}`},
		{"faults", []string{wrote("print(1)\nmend('x')"), wrote("search(q = 1)"), wrote("SUBMIT('given up')")}, "given up",
			`"code_output_0": "1\n", "observation_0": "Failed to execute the generated code: line 2: the workshop is closed"`},
		{"wrong arguments", []string{wrote("search('a', 1, 2)"), wrote("search('a', query = 'b')"), wrote("SUBMIT('given up')")}, "given up",
			`line 1: search takes 2 arguments, not 3`},
		{"extracted", []string{wrote("print(1)"), wrote("print(2)"), wrote("print(3)"), said(value.NewObject("reasoning", "r", "answer", "none"))}, "none",
			"[[ ## code_output_2 ## ]]\n3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := stageOf(t, acts)
			s.tools = dspyTools()
			s.tools["mend"] = func(context.Context, *value.Object) (any, error) {
				return nil, &tool.Error{Tool: "mend", Text: "the workshop is closed"}
			}
			out, model, err := coded(t, s, question, c.replies...)
			if err != nil {
				t.Fatal(err)
			}
			if answer, _ := out.Get("answer"); answer != c.answer || out.Len() != 1 {
				t.Errorf("%s", value.EncodeJSON(out))
			}
			asked := model.Requests()
			if system := asked[0].Messages[0].Text(); !strings.Contains(system, "(1) search, whose description is <desc>Search the notes.</desc>. It takes arguments") {
				t.Errorf("%s", system)
			}
			if text := last(asked[len(asked)-1]); !strings.Contains(text, c.seen) {
				t.Errorf("%s\nis not in\n%s", c.seen, text)
			}
		})
	}
}

// TestActEnds ends the step where a tool does: with an interruption, a budget that is
// used up, or a call that waits for a person.
func TestActEnds(t *testing.T) {
	paused := &tool.Paused{Tool: "mend"}
	run := func(t *testing.T, m module.Module, code string) {
		s := stageOf(t, acts)
		s.tools = dspyTools()
		s.tools["mend"] = func(context.Context, *value.Object) (any, error) { return nil, paused }
		s.model = lmtest.Func(func(_ context.Context, _ int, req *lm.Request) (*lm.Response, error) {
			return lmtest.Text(req, code), nil
		})
		if _, err := m.Run(t.Context(), s.call(t, value.NewObject("question", "Which?"))); !tool.IsPaused(err) {
			t.Errorf("%v", err)
		}
	}
	m, _ := modules.Lookup("code_act")
	run(t, m, wrote("x = [mend('a') for _ in range(3)]"))
	ctx, cancel := context.WithCancel(t.Context())
	s := stageOf(t, acts)
	s.tools = dspyTools()
	s.tools["search"] = func(context.Context, *value.Object) (any, error) { cancel(); return []any{}, nil }
	s.model = lmtest.Func(func(_ context.Context, _ int, req *lm.Request) (*lm.Response, error) {
		return lmtest.Text(req, wrote("search('a')\nwhile True:\n  pass")), nil
	})
	if _, err := m.Run(ctx, s.call(t, value.NewObject("question", "Which?"))); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// TestCodeFeedback tells a refused answer with the first question.
func TestCodeFeedback(t *testing.T) {
	s := stageOf(t, thinks)
	model := lmtest.Func(func(_ context.Context, _ int, req *lm.Request) (*lm.Response, error) {
		return lmtest.Text(req, wrote("SUBMIT(count=1, words=['a'])")), nil
	})
	s.model = model
	call := s.call(t, value.NewObject("text", "a", "least", 1))
	call.Feedback = []module.Feedback{{Outputs: value.NewObject("count", 0, "words", []any{}), Messages: []string{"At least one word."}}}
	m, _ := modules.Lookup("program_of_thought")
	if _, err := m.Run(t.Context(), call); err != nil {
		t.Fatal(err)
	}
	if text := last(model.Requests()[0]); !strings.Contains(text, "At least one word.") {
		t.Errorf("%s", text)
	}
}
