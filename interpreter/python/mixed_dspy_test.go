//go:build dspy && unix

package python_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib/providers/scripted"
)

// TestDSPyMixed: steps of dspi's and of DSPy's in one program; dspi's agent has a tool
// in Python, DSPy's one in the program.
func TestDSPyMixed(t *testing.T) {
	p := newProject(t, `
-- main.dsp --
tool area {
  description = "The area of a rectangle."
  height: float, width: float -> area: float
  python { call = "shapes:area" }
}
tool double {
  description = "Twice a number."
  x: float -> twice: float
  outputs { twice = 2 * x }
}
program main {
  question: string -> answer: string, words: list[string], sure: float
  chain_of_thought plan {
    question: string -> steps: string
  }
  react measures {
    style = "dspy"
    steps: string -> size: float
    inputs { steps = plan.steps }
    tools = [tool.area]
  }
  react doubles {
    backend = "python"
    style = "dspy"
    size: float -> answer: string
    inputs { size = measures.size }
    tools = [tool.double]
  }
  python splits {
    call = "shapes:Splits"
    answer: string -> words: list[string]
    inputs { answer = doubles.answer }
  }
  predict judge {
    backend = "python"
    answer: string, words: list[string] -> sure: float
    inputs {
      answer = doubles.answer
      words = splits.words
    }
  }
  outputs {
    answer = doubles.answer
    words = splits.words
    sure = judge.sure
  }
}
-- shapes.py --
import dspy


def area(height: float, width: float) -> float:
    return height * width


class Splits(dspy.Module):
    def forward(self, answer):
        return dspy.Prediction(words=answer.split())
`)
	said := func(match, text string) scripted.Reply {
		return scripted.Reply{Match: ptr(match), Text: text, Times: 1}
	}
	p.model = func() lm.LM {
		return scripted.New("m",
			said("[[ ## steps ## ]]`, and then", chat("reasoning", "First this.", "steps", "measure, then double")),
			said("[[ ## reasoning ## ]]`, then `[[ ## steps ## ]]", chat("reasoning", "First this.", "steps", "measure, then double")),
			said("measure, then double", chat("next_thought", "I measure.", "next_tool_name", "area", "next_tool_args", `{"height": 3.0, "width": 4.0}`)),
			said("observation_0 ## ]]\n12", chat("next_thought", "Done.", "next_tool_name", "finish", "next_tool_args", "{}")),
			said("observation_1", chat("reasoning", "So.", "size", "12")),
			said("[[ ## size ## ]]\n12", chat("next_thought", "I double.", "next_tool_name", "double", "next_tool_args", `{"x": 12}`)),
			said("observation_0 ## ]]\n24", chat("next_thought", "Done.", "next_tool_name", "finish", "next_tool_args", "{}")),
			said("observation_1", chat("reasoning", "So.", "answer", "it is 24")),
			said("[[ ## words ## ]]", chat("sure", "0.75")),
		)
	}
	made := p.plan("main")
	res, err := p.runtime(made).Run(t.Context(), made, map[string]any{"question": "Twice the area of 3 by 4?"})
	if err != nil {
		t.Fatal(rendered(err), p.lines)
	}
	if got := string(value.EncodeJSON(res.Outputs)); got != `{"answer":"it is 24","words":["it","is","24"],"sure":0.75}` {
		t.Errorf("it gives %s", got)
	}
	var tools []string
	for _, e := range p.events {
		if e.Kind == trace.ToolEnd {
			tools = append(tools, e.Address+" "+e.Tool+" "+string(value.EncodeJSON(e.Outputs)))
		}
	}
	if want := []string{`program.main.measures area {"area":12.0}`, `program.main.doubles double {"twice":24.0}`}; !slices.Equal(tools, want) {
		t.Errorf("tools were called so: %q, want %q", tools, want)
	}
}

// TestDSPyCodeRefused: what DSPy cannot do with code is refused, with a way out, before
// a model is asked; where no code gives an answer, that is said.
func TestDSPyCodeRefused(t *testing.T) {
	program := func(settings string) string {
		return "-- main.dsp --\nprogram main {\n  question: string -> answer: int\n  program_of_thought solve {\n    backend = \"python\"\n    max_iters = 1\n" + settings + "\n  }\n}\n"
	}
	for _, c := range []struct {
		name, settings string
		env            map[string]string
		says           []string
		calls          int
	}{
		{"starlark", `    language = "starlark"`, nil, []string{"E0656", `language = "python"`, `backend = "native"`}, 0},
		{"nothing to confine it", `    sandbox = "bubblewrap"`, map[string]string{"PATH": t.TempDir()}, []string{"E0637", "bwrap is not installed"}, 0},
		{"no answer", "", nil, []string{"E0636", "None of the pieces of code", "NameError: [\"name 'y' is not defined\"]"}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			for name, v := range c.env {
				t.Setenv(name, v)
			}
			p := newProject(t, program(c.settings))
			model := scripted.New("m", scripted.Reply{Text: chat("reasoning", "So.", "generated_code", "x = y")})
			p.model = func() lm.LM { return model }
			_, err := p.run("main", map[string]any{"question": "How much?"})
			text := rendered(err)
			for _, want := range c.says {
				if !strings.Contains(text, want) {
					t.Errorf("it does not say %q:\n%s", want, text)
				}
			}
			calls := 0
			for _, e := range p.events {
				if e.Kind == trace.CallEnd {
					calls++
				}
			}
			if calls != c.calls {
				t.Errorf("the model was asked %d times", calls)
			}
		})
	}
}

// TestDSPyTwoWorkers: a thousand calls at once are shared by two workers; none of them
// comes back before both have some.
func TestDSPyTwoWorkers(t *testing.T) {
	p := newProject(t, strings.ReplaceAll(calling("code:marks"), "def double(", `def marks(n):
    open(os.path.join(os.path.dirname(__file__), "pid-%d" % os.getpid()), "w").close()
    while len([f for f in os.listdir(os.path.dirname(__file__)) if f.startswith("pid-")]) < 2:
        time.sleep(0.01)
    return str(2 * n)


def double(`))
	p.options.Trace = nil
	made := p.plan("main")
	many(t, p.runtime(made), made, 1000, nil)
	if marks, _ := filepath.Glob(filepath.Join(p.folder, "pid-*")); len(marks) != 2 {
		t.Errorf("%d workers had calls", len(marks))
	}
}
