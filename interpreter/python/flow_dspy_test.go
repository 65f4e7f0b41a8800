//go:build dspy && unix

package python_test

import (
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib/providers/scripted"
)

// TestDSPyOrdinary: steps in Python stand where any step may.
func TestDSPyOrdinary(t *testing.T) {
	for _, c := range []struct {
		name, program, code string
		inputs              map[string]any
		replies             []scripted.Reply
		want                string
		calls               int
	}{
		{"for_each and when", `
program main {
  names: list[string] -> loud: list[string], none: string?
  python shout {
    call = "code:shout"
    name: string -> text: string
    for_each = names
    inputs { name = each.value }
  }
  python never {
    call = "code:shout"
    when = len(names) > 9
    name: string -> text: string
    inputs { name = "x" }
  }
  outputs {
    loud = shout.text
    none = never.text
  }
}`, "def shout(name):\n    return name.upper()\n", map[string]any{"names": []any{"a", "b", "c"}}, nil, `{"loud":["A","B","C"],"none":null}`, 0},
		{"assert", `
program main {
  question: string -> answer: string
  predict respond {
    backend = "python"
    assert short { that = len(answer) < 6, message = "Be short." }
  }
}`, "", map[string]any{"question": "Where?"}, []scripted.Reply{
			{Match: ptr("Be short."), Text: chat("answer", "Paris")},
			{Text: chat("answer", "It is in Paris.")},
		}, `{"answer":"Paris"}`, 2},
		{"a reply that does not fit", `
program main {
  question: string -> n: int
  predict respond {
    adapter = "json"
    backend = "python"
    retries = 1
  }
}`, "", map[string]any{"question": "How many?"}, replies("I do not know", `{"n": 3}`), `{"n":3}`, 2},
		{"a class with arguments", `
program main {
  question: string -> answer: string
  dspy think {
    class = "code.Loud"
    arguments = {mark: "!"}
  }
}`, `import dspy


class Loud(dspy.Module):
    def __init__(self, signature, mark="?"):
        super().__init__()
        self.mark, self.ask = mark, dspy.ChainOfThought(signature)

    def forward(self, **inputs):
        p = self.ask(**inputs)
        return dspy.Prediction(answer=p.answer + self.mark)
`, map[string]any{"question": "Where?"}, replies(chat("reasoning", "r", "answer", "Paris")), `{"answer":"Paris!"}`, 1},
		{"a step in Python within a native one", `
program main {
  question: string -> answer: string
  best_of_n pick {
    n = 2
    threshold = 5
    reward = len(answer) * 1.0
    python { call = "code:Ask" }
  }
}`, `import dspy


class Ask(dspy.Module):
    def __init__(self):
        super().__init__()
        self.ask = dspy.Predict("question -> answer")

    def forward(self, question):
        return self.ask(question=question)
`, map[string]any{"question": "Where?"}, replies(chat("answer", "one"), chat("answer", "three")), `{"answer":"three"}`, 2},
		{"tools from code", `
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
  question: string -> answer: float
  python call {
    call = "code:ask"
    tools = [tool.area]
  }
}`, "import dspi\n\n\ndef ask(question):\n    return dspi.tool(\"area\")(height=3.0, width=4.0)\n", map[string]any{"question": "?"}, nil, `{"answer":12.0}`, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newProject(t, "-- main.dsp --\n"+c.program+"\n-- code.py --\n"+c.code)
			p.model = func() lm.LM { return scripted.New("m", c.replies...) }
			made := p.plan("main")
			res, err := p.runtime(made).Run(t.Context(), made, c.inputs)
			if err != nil {
				t.Fatal(rendered(err), p.lines)
			}
			if got := string(value.EncodeJSON(res.Outputs)); got != c.want || res.Usage.Calls != c.calls {
				t.Errorf("it gives %s after %d calls, want %s after %d", got, res.Usage.Calls, c.want, c.calls)
			}
		})
	}
}

// TestDSPyStream: outputs grow while the model writes, and while a generator works.
func TestDSPyStream(t *testing.T) {
	p := newProject(t, `
-- main.dsp --
program main {
  question: string -> answer: string, count: int
  predict respond {
    question: string -> answer: string
    backend = "python"
  }
  python counts {
    call = "code:counts"
    question: string -> count: int
  }
}
-- code.py --
def counts(question):
    for n in range(3):
        yield {"count": n}
`)
	p.options.Stream = true
	p.model = func() lm.LM { return scripted.New("m", scripted.Reply{Text: chat("answer", "Paris")}) }
	if _, err := p.run("main", map[string]any{"question": "Where?"}); err != nil {
		t.Fatal(rendered(err), p.lines)
	}
	grown := map[string]int{}
	for _, e := range p.events {
		if e.Kind == trace.Partial {
			grown[e.Address+" "+e.Field]++
		}
	}
	if grown["program.main.respond answer"] == 0 || grown["program.main.counts count"] != 2 {
		t.Errorf("pieces came so often: %v", grown)
	}
}

// TestDSPySocket: the channel that Windows has works, too.
func TestDSPySocket(t *testing.T) {
	p := newProject(t, calling("code:double"))
	p.options.Python.Socket = true
	out, err := p.run("main", map[string]any{"n": 4})
	if err != nil {
		t.Fatal(rendered(err), p.lines)
	}
	if got, _ := out.Get("result"); got != "8" {
		t.Errorf("it gives %v", got)
	}
}

// TestDSPyHost: failures on dspi's side keep their own words.
func TestDSPyHost(t *testing.T) {
	p := newProject(t, "-- main.dsp --\nprogram main {\n  question: string -> answer: string\n  chain_of_thought respond { backend = \"python\" }\n}\n")
	p.model = func() lm.LM {
		return scripted.New("m", scripted.Reply{Err: &lm.Error{Kind: lm.KindAuth, Status: 401, Message: "who are you?"}})
	}
	_, err := p.run("main", map[string]any{"question": "Where?"})
	if text := rendered(err); !strings.HasPrefix(text, "E0602") || !strings.Contains(text, "who are you?") {
		t.Errorf("it ends with %s", text)
	}
}
