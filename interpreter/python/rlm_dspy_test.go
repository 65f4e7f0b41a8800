//go:build dspy

package python_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib/providers/scripted"
)

// dspy.RLM with the interpreter that dspi gives it: the code is confined, the functions
// that it calls are called in the worker, what they ask is asked by the host.

const explores = `
-- main.dsp --
tool mark {
  description = "The mark of a line."
  number: int, scale: float = 2.0 -> mark: float
  outputs { mark = number * scale }
}
program main {
  log: string, question: string -> answer: string, count: int
  dspy explore {
    class     = "dspy.RLM"
    arguments = { max_iters: 8, max_llm_calls: 4 }
    tools     = [tool.mark]
SETTINGS
  }
}
`

func exploring(settings string) string { return strings.ReplaceAll(explores, "SETTINGS", settings) }

// written are pieces of code, each the answer to one iteration of RLM's.
func written(pieces ...string) []scripted.Reply {
	var out []scripted.Reply
	for i, code := range pieces {
		out = append(out, scripted.Reply{Match: ptr(fmt.Sprintf("[[ ## iteration ## ]]\n%d/", i+1)), Text: chat("reasoning", "I look.", "code", "```python\n"+code+"\n```")})
	}
	return out
}

// longLog is a text whose lines are numbered; one of them is of interest.
func longLog(lines int) string {
	var b strings.Builder
	for i := range lines {
		if i == lines/2 {
			b.WriteString("ERROR: the \"disk\" of 'node 7' is full\n")
			continue
		}
		fmt.Fprintf(&b, "line %d: all is well, é\n", i)
	}
	return b.String()
}

// history is what the model was told in the last iteration.
func (p *project) history() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := ""
	for _, e := range p.events {
		if e.Kind == trace.CallStart && len(e.Messages) > 1 {
			last = e.Messages[len(e.Messages)-1].Text()
		}
	}
	return last
}

// TestDSPyRLM: over a long input the code prints, asks a model once and many at once,
// calls a tool, fails, and submits.
func TestDSPyRLM(t *testing.T) {
	p := newProject(t, exploring(""))
	p.model = func() lm.LM {
		return scripted.New("m", append(written(
			"lines = log.splitlines()\nprint(len(log), len(lines), lines[0])\nlog = 'lost'",
			"bad = [l for l in lines if 'ERROR' in l]\nprint(len(log) > 1000, llm_query('What is meant by: ' + bad[0]))",
			"print(undefined)",
			"llm_query()",
			"x = [",
			"try:\n    mark('x')\nexcept RuntimeError as e:\n    print(type(e).__name__)\n(mark(3), mark(number=3, scale=1.5))",
			"print(llm_query_batched(['one?', 'two?', 'three?']))\ntry:\n    llm_query('more')\nexcept RuntimeError as e:\n    print(e)",
			"SUBMIT(bad[0], count=len(lines))",
		),
			scripted.Reply{Match: ptr("What is meant by: ERROR"), Text: "The disk is full."},
			scripted.Reply{Match: ptr("one?"), Text: "1"}, scripted.Reply{Match: ptr("two?"), Text: "2"}, scripted.Reply{Match: ptr("three?"), Text: "3"},
		)...)
	}
	log := longLog(40_000)
	out, err := p.run("main", map[string]any{"log": log, "question": "What is wrong?"})
	if err != nil {
		t.Fatal(rendered(err), p.lines, p.history())
	}
	if got, want := string(value.EncodeJSON(out)), `{"answer":"ERROR: the \"disk\" of 'node 7' is full","count":40000}`; got != want {
		t.Errorf("it gives %s, want %s", got, want)
	}
	told := p.history()
	for _, want := range []string{
		"Total length: " /* of a variable */, fmt.Sprintf("%d 40000 line 0: all is well, é", len([]rune(log))),
		"True The disk is full.",
		"[Error] NameError: [\"name 'undefined' is not defined\"]",
		"[Error] TypeError: [\"llm_query() missing 1 required positional argument: 'prompt'\"]",
		"[Error] Invalid Python syntax. message: ",
		"\n6\n4.5", "['1', '2', '3']", "RuntimeError: LLM call limit exceeded: 4 + 1 > 4.",
	} {
		if !strings.Contains(told, want) {
			t.Errorf("the model was not told %q:\n%s", want, told)
		}
	}
	var tools []string
	calls := 0
	for _, e := range p.events {
		switch e.Kind {
		case trace.ToolEnd:
			tools = append(tools, e.Tool)
		case trace.CallEnd:
			calls++
		case trace.ToolStart:
			if n := len(value.EncodeJSON(e.Inputs)); n > 1000 {
				t.Errorf("the trace has %d bytes of the inputs of %s", n, e.Tool)
			}
		}
	}
	if n := len(tools); n != 10 || tools[n-1] != "python" || !slices.Contains(tools, "mark") {
		t.Errorf("code and tools: %q", tools)
	}
	if calls != 12 {
		t.Errorf("the model was asked %d times", calls)
	}
}

// TestDSPyRLMHostile: code finds no files, no network, no other process, and comes to an
// end; RLM goes on, and variables are there again.
func TestDSPyRLMHostile(t *testing.T) {
	p := newProject(t, exploring(`    timeout   = "1s"`)+"-- secret.txt --\nthe-secret\n")
	p.model = func() lm.LM {
		return scripted.New("m", written(
			"print(open("+fmt.Sprintf("%q", p.folder+"/secret.txt")+").read())",
			"import socket\nsocket.create_connection(('127.0.0.1', 1), 1)",
			"import subprocess\nsubprocess.run(['/bin/true'])",
			"import os\nprint(os.environ.get('HOME'), os.getppid() == 0 or 'other')\nos.kill(os.getppid(), 9)",
			"while True: pass",
			"x = 'a' * (1 << 40)",
			"print(len(log)); print('x' * (1 << 21))",
			"SUBMIT(answer=log[:4], count='7')",
		)...)
	}
	out, err := p.run("main", map[string]any{"log": longLog(10), "question": "?"})
	if err != nil {
		t.Fatal(rendered(err), p.lines)
	}
	if got := string(value.EncodeJSON(out)); got != `{"answer":"line","count":7}` {
		t.Errorf("it gives %s", got)
	}
	told := p.history()
	for _, want := range []string{
		"[Error] FileNotFoundError", "[Error] PermissionError", "the code takes longer than 1s. Its variables are lost.",
		"MemoryError: the code needs more than 256 MB of memory", "the code prints more than 1048576 characters",
	} {
		if !strings.Contains(told, want) {
			t.Errorf("the model was not told %q:\n%s", want, told)
		}
	}
	if strings.Contains(told, "Output (10 chars):\nthe-secret") {
		t.Errorf("the code has read a file:\n%s", told)
	}
}

// blocked answers with a script until it is asked something: then it waits for the end.
type blocked struct {
	lm.LM
	word  string
	asked chan struct{}
}

func (b *blocked) Generate(ctx context.Context, req *lm.Request) (*lm.Response, error) {
	for _, m := range req.Messages {
		if m.Text() == b.word {
			close(b.asked)
			<-ctx.Done()
			return nil, ctx.Err()
		}
	}
	return b.LM.Generate(ctx, req)
}

// TestDSPyRLMCancelled: a run that is cancelled while code waits for a model, and one
// whose code is at work, end at once with all that they started.
func TestDSPyRLMCancelled(t *testing.T) {
	for name, code := range map[string]string{
		"waiting": "llm_query('wait')",
		"at work": "import threading\nthreading.Thread(target=lambda: llm_query('wait')).start()\nwhile True: pass",
	} {
		t.Run(name, func(t *testing.T) {
			p := newProject(t, exploring(""))
			model := &blocked{scripted.New("m", written(code)...), "wait", make(chan struct{})}
			p.model = func() lm.LM { return model }
			made := p.plan("main")
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() {
				<-model.asked
				cancel()
			}()
			_, err := p.runtime(made).Run(ctx, made, map[string]any{"log": "a", "question": "?"})
			if text := rendered(err); !strings.HasPrefix(text, "E0617") {
				t.Errorf("it ends with %s", text)
			}
		})
	}
}

// TestDSPyRLMUnconfined: where nothing can be confined, no model is asked.
func TestDSPyRLMUnconfined(t *testing.T) {
	p := newProject(t, exploring(`    sandbox   = "bubblewrap"`))
	t.Setenv("PATH", t.TempDir())
	p.model = func() lm.LM { return scripted.New("m") }
	_, err := p.run("main", map[string]any{"log": "a", "question": "?"})
	text := rendered(err)
	if !strings.Contains(text, "E0637") || !strings.Contains(text, "bwrap is not installed") || strings.Contains(text, "Starlark") {
		t.Errorf("it says:\n%s", text)
	}
	for _, e := range p.events {
		if e.Kind == trace.CallStart {
			t.Error("the model was asked")
		}
	}
}

// frail is a class of one's own that is like RLM: a function of its ends the worker, at
// once or soon, the first time that it is called.
const frail = `
-- main.dsp --
program main {
  question: string -> answer: string
  dspy explore { class = "agents.Frail" }
}
-- agents.py --
import os
import threading

import dspy

HERE = os.path.dirname(__file__)


def first(name):
    try:
        open(os.path.join(HERE, name), "x").close()
        return True
    except FileExistsError:
        return False


def now(**words):
    if first("now"):
        os._exit(7)
    return " ".join(words.values())


def soon(why=None) -> str:
    if first("soon"):
        threading.Timer(0.2, os._exit, (9,)).start()
    return "soon"


class Frail(dspy.RLM):
    def __init__(self, signature, interpreter_factory=None):
        super().__init__(signature, max_iters=3, tools=[now, soon], interpreter_factory=interpreter_factory)
`

// TestDSPyRLMAgain: a worker that ends while code waits for it, or is at work, is
// replaced, and the code goes on where it is: nothing is run or paid twice.
func TestDSPyRLMAgain(t *testing.T) {
	for name, call := range map[string]string{
		"waiting": "now(a='so', b='it', c='is')",
		"at work": "(soon(), __import__('time').sleep(1))[0]",
	} {
		t.Run(name, func(t *testing.T) {
			p := newProject(t, frail)
			p.model = func() lm.LM {
				return scripted.New("m", append(written(
					"n = globals().get('n', 0) + 1\nsaid = llm_query('well?')\nsaid += ', ' + "+call,
					"SUBMIT(f'{said}, {n}')",
				), scripted.Reply{Match: ptr("well?"), Text: "Well", Times: 1})...)
			}
			out, err := p.run("main", map[string]any{"question": "?"})
			if err != nil {
				t.Fatal(rendered(err), p.lines)
			}
			want := map[string]string{"waiting": "Well, so it is, 1", "at work": "Well, soon, 1"}[name]
			if got, _ := out.Get("answer"); got != want {
				t.Errorf("the answer is %q, want %q", got, want)
			}
			again, calls := false, 0
			for _, e := range p.events {
				switch e.Kind {
				case trace.Note:
					again = again || strings.Contains(e.Reason, "the step is done again")
				case trace.CallEnd:
					calls++
				}
			}
			if !again || calls != 3 {
				t.Errorf("the worker ended: %t; the model was asked %d times", again, calls)
			}
		})
	}
}

// TestDSPyClassOfCode: DSPy's own classes that run code are steps without Deno, too.
func TestDSPyClassOfCode(t *testing.T) {
	for class, replies := range map[string][]scripted.Reply{
		"dspy.ProgramOfThought": replies(
			chat("reasoning", "So.", "generated_code", "```python\nSUBMIT({'answer': 6 * 7})\n```"), chat("reasoning", "So.", "answer", "42")),
		"dspy.CodeAct": replies(
			chat("generated_code", "```python\nprint(area(6, width=7))\n```", "finished", "True"), chat("reasoning", "So.", "answer", "42")),
	} {
		t.Run(class, func(t *testing.T) {
			settings := ""
			if class == "dspy.CodeAct" {
				settings = "    tools = [tool.area]\n"
			}
			p := newProject(t, "-- main.dsp --\ntool area {\n  description = \"An area.\"\n  height: int, width: int -> area: int\n  outputs { area = height * width }\n}\n"+
				"program main {\n  question: string -> answer: int\n  dspy solve {\n    class = \""+class+"\"\n"+settings+"  }\n}\n")
			p.model = func() lm.LM { return scripted.New("m", slices.Clone(replies)...) }
			out, err := p.run("main", map[string]any{"question": "How much?"})
			if err != nil {
				t.Fatal(rendered(err), p.lines)
			}
			if got, _ := out.Get("answer"); got != 42 {
				t.Errorf("the answer is %v", got)
			}
			if told := p.history(); !strings.Contains(told, "42") {
				t.Errorf("the model was told:\n%s", told)
			}
		})
	}
}
