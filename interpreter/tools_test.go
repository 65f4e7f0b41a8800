package interpreter_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/dspi-lang/dspi/interpreter"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/check"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/parser"
	"github.com/dspi-lang/dspi/stdlib"
	"github.com/dspi-lang/dspi/stdlib/tools"
)

// calling is a module that calls one tool after another, as a model would have it.
type calling struct {
	calls []toolCall
	told  func(i int, out *value.Object, err error)
}

type toolCall struct{ tool, args string }

func (m *calling) Run(ctx context.Context, call *module.Call) (*value.Object, error) {
	for i, c := range m.calls {
		args, err := value.DecodeJSON([]byte(c.args))
		if err != nil {
			return nil, err
		}
		var with tool.Tool
		for _, t := range call.Tools {
			if t.Name() == c.tool {
				with = t
			}
		}
		if with == nil {
			return nil, fmt.Errorf("no tool is called %s", c.tool)
		}
		out, err := call.Host.CallTool(ctx, with, args.(*value.Object))
		m.told(i, out, err)
	}
	return value.NewObject("reply", "done"), nil
}

// toolRun runs a program whose step `react` makes the calls, and returns what came of
// each: the outputs as JSON, or the error's text.
func toolRun(t *testing.T, path, text string, vars map[string]any, e *interpreter.Env, calls ...toolCall) ([]string, []trace.Event) {
	t.Helper()
	project, diags := check.Check(parser.Parse(source.NewFile(path, text)), check.Options{Universe: stdlib.Universe()})
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	prog, _ := project.Program("assistant")
	p, diags := plan.Make(project, prog, plan.Options{Universe: stdlib.Universe(), FallbackModel: "builtin/incontext", Values: vars})
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	got := make([]string, len(calls))
	var mu sync.Mutex
	var events []trace.Event
	e.Trace = func(x trace.Event) {
		mu.Lock()
		defer mu.Unlock()
		events = append(events, x)
	}
	e.Module = func(name string) (module.Module, bool) {
		if name == "react" {
			return &calling{calls, func(i int, out *value.Object, err error) {
				if got[i] = string(value.EncodeJSON(out)); err != nil {
					got[i] = err.Error()
				}
			}}, true
		}
		return stdlib.Module(name)
	}
	if _, err := interpreter.Run(t.Context(), p, e, value.NewObject("request", "go")); err != nil {
		t.Fatal(err)
	}
	return got, events
}

func toolEnv(t *testing.T) *interpreter.Env {
	bodies := &tools.Bodies{}
	t.Cleanup(func() { _ = bodies.Close() })
	e := env(answering(func(context.Context, *lm.Request) (string, error) { return field("answer", "forty-two"), nil }), nil)
	e.Bodies = bodies
	e.Tool = func(t *plan.Tool) (tool.Tool, error) {
		x, _ := tools.Builtin(t.Name, bodies)
		return x, nil
	}
	return e
}

// TestTour04 calls the tools of the tour.
func TestTour04(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		city := r.URL.Query().Get("city")
		switch {
		case r.Header.Get("Authorization") != "Bearer s3cret-key":
			w.WriteHeader(http.StatusUnauthorized)
		case city == "Echo":
			fmt.Fprintf(w, `{"temp_c": 1, "condition": %q}`, r.Header.Get("Authorization"))
		case city == "Nowhere":
			http.Error(w, "no such city; your key is s3cret-key "+strings.Repeat("x", 1000), http.StatusNotFound)
		case city == "Odd":
			fmt.Fprint(w, `{"temp_c": "warm", "condition": "clear"}`)
		default:
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(map[string]any{"temp_c": 21.5, "condition": "clear over " + city})
		}
	}))
	defer s.Close()
	path := filepath.Join("..", "examples", "tour", "04_agent.dsp")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	vars := map[string]any{"weather_url": s.URL, "weather_key": "s3cret-key"}
	cases := []struct{ tool, args, want string }{
		{"area", `{"width": 3, "height": 2.5}`, `{"square_metres":7.5}`},
		{"area", `{"width": "3", "height": " 2.5 "}`, `{"square_metres":7.5}`},
		{"area", `{"width": "wide", "heigth": 2}`, "area: these arguments do not fit:\n\n" +
			"- width: expected a number, got \"wide\"\n- height: a `float` is missing here\n- heigth: there is no argument of this name; did you mean `height`?\n\n" +
			"area takes: width: float, height: float"},
		{"weather", `{"city": "São Paulo & more"}`, `{"celsius":21.5,"sky":"clear over São Paulo & more"}`},
		{"weather", `{"city": "Echo"}`, `{"celsius":1.0,"sky":"Bearer [redacted]"}`},
		{"weather", `{"city": "Nowhere"}`, "weather: the server answered with status 404: no such city; your key is [redacted] xxx"},
		{"weather", `{"city": "Odd"}`, "weather: it answered with something else than it promises:\n\n- celsius: expected a number, got \"warm\""},
		{"search_notes", `{"question": "why?"}`, `{"answer":"forty-two"}`},
		{"calculator", `{"expression": "2 * (3 + 4)"}`, `{"result":14.0}`},
		{"calculator", `{"expression": "two"}`, "calculator: `two` is not known"},
		{"calculator", `{}`, "calculator takes: expression: string"},
	}
	calls := make([]toolCall, len(cases))
	for i, c := range cases {
		calls[i] = toolCall{c.tool, c.args}
	}
	got, events := toolRun(t, path, string(text), vars, toolEnv(t), calls...)
	for i, c := range cases {
		if got[i] != c.want && (c.want[0] == '{' || !strings.Contains(got[i], c.want)) {
			t.Errorf("%s %s\ngot  %s\nwant %s", c.tool, c.args, got[i], c.want)
		}
		if len(got[i]) > 900 {
			t.Errorf("%s %s: %d bytes are told", c.tool, c.args, len(got[i]))
		}
	}
	var agent, inner, starts, ends int
	for _, e := range events {
		if strings.Contains(fmt.Sprintf("%+v %s %s", e, value.EncodeJSON(e.Inputs), value.EncodeJSON(e.Outputs)), "s3cret") {
			t.Errorf("a secret is in %+v", e)
		}
		switch {
		case e.Kind == trace.StepStart && e.Address == "program.assistant.agent":
			agent = e.Step
		case e.Kind == trace.StepStart && strings.HasPrefix(e.Address, "program.notes."):
			inner++
			if e.Parent != agent || !strings.HasPrefix(e.Path, "agent/search_notes/") {
				t.Errorf("the tool's step stands at %s under %d", e.Path, e.Parent)
			}
		case e.Kind == trace.ToolStart:
			starts++
		case e.Kind == trace.ToolEnd:
			ends++
		}
	}
	if inner != 1 || starts != len(cases) || ends != len(cases) {
		t.Errorf("%d steps of the tool's program, %d calls begun, %d ended", inner, starts, ends)
	}
}

// TestToolBodies calls a tool of each body.
func TestToolBodies(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/text":
			fmt.Fprint(w, "just text")
		case "/list":
			fmt.Fprint(w, `[1, 2, 3]`)
		case "/named":
			fmt.Fprint(w, `{"a": 1, "b": "x", "c": true}`)
		case "/gone":
			http.Error(w, "gone", http.StatusGone)
		case "/bad":
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"a": `)
		case "/post":
			var body any
			_ = json.NewDecoder(r.Body).Decode(&body)
			fmt.Fprintf(w, "%s %s %v", r.Method, r.Header.Get("Content-Type"), body)
		case "/headers":
			w.Header().Set("X-Rate", "7")
			fmt.Fprint(w, r.Header.Get("X-Own-Header"))
		}
	}))
	defer s.Close()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "code.star"), []byte("def twice(n, by = 2):\n  print(\"at work\")\n  return n * by\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	const text = `
variable url: string {}
variable name: string { default = "world" }
variable key: string { default = "s3cret-key", sensitive = true }

tool text {
  -> text: string
  http {
    url = "${var.url}/text"
    allow_private = true
  }
}
tool list {
  -> numbers: list[int]
  http {
    url = "${var.url}/list"
    allow_private = true
  }
}
tool named {
  -> b: string, a: int
  http {
    url = "${var.url}/named"
    allow_private = true
  }
}
tool lacks {
  -> a: int, z: string
  http {
    url = "${var.url}/named"
    allow_private = true
  }
}
tool bad {
  -> a: int
  http {
    url = "${var.url}/bad"
    allow_private = true
  }
}
tool refused {
  -> text: string
  http {
    url = "${var.url}/text"
  }
}
tool gone {
  -> code: int, said: string
  http { url = "${var.url}/gone", allow_private = true }
  outputs {
    code = status
    said = trim(string(body))
  }
}
tool post {
  items: list[int], label: string? -> text: string
  http {
    method        = "POST"
    url           = "${var.url}/post"
    allow_private = true
    body          = { items: items, label: label }
  }
}
tool headers {
  -> rate: int, own: string
  http {
    url           = "${var.url}/headers"
    allow_private = true
    header { X_Own_Header = "mine" }
  }
  outputs {
    rate = int(headers["x-rate"] ?? "0")
    own  = string(body)
  }
}
tool echo {
  word: string = "nothing" -> said: string
  command { argv = ["echo", "hello", var.name, word] }
}
tool count {
  text: string -> lines: int
  command {
    argv  = ["wc", "-l"]
    stdin = text
  }
}
tool object {
  -> a: int, b: list[string]
  command { argv = ["printf", "{\"a\": 1, \"b\": [\"x\"]}"] }
}
tool fails {
  -> a: int
  command {
    argv = ["sh", "-c", "echo no luck with $KEY >&2; exit 4"]
    env { KEY = var.key }
  }
}
tool checks {
  -> code: int, said: string
  command { argv = ["sh", "-c", "echo bad >&2; exit 4"] }
  outputs {
    code = status
    said = stderr
  }
}
tool twice {
  n: int, by: int = 2 -> result: int
  starlark { file = "code.star" }
}
tool both {
  n: int -> half: float, double: int
  starlark {
    code = <<EOT
      def both(n):
        return {"half": n / 2, "double": n * 2}
    EOT
  }
}
tool bomb {
  -> text: string
  starlark { code = "def bomb():\n  return 'a' * 10000000000" }
}
tool wrong {
  -> n: int
  starlark { code = "def wrong():\n  return 'many'" }
}
tool divides {
  a: int, b: int -> q: int
  outputs { q = int(a / b) }
}
tool again { program = program.again }
program again {
  request: string -> reply: string
  react loop { tools = [tool.again] }
}
program assistant {
  request: string -> reply: string
  local_files = "."
  react agent {
    tools = [
      tool.text, tool.list, tool.named, tool.lacks, tool.bad, tool.refused, tool.gone, tool.post, tool.headers, tool.echo, tool.count,
      tool.object, tool.fails, tool.checks, tool.twice, tool.both, tool.bomb, tool.wrong, tool.divides, tool.files, tool.http_get,
    ]
  }
}
`
	cases := []struct{ tool, args, want string }{
		{"text", `{}`, `{"text":"just text"}`},
		{"list", `{}`, `{"numbers":[1,2,3]}`},
		{"named", `{}`, `{"b":"x","a":1}`},
		{"lacks", `{}`, "lacks: it answered with something else than it promises:\n\n- z: a `string` is missing here\n"},
		{"bad", `{}`, "bad: the reply says that it is JSON, and it cannot be read: the JSON ends too early: {\"a\":"},
		{"refused", `{}`, "127.0.0.1 is an address of this machine, which is refused unless `allow_private = true` stands in the tool's `http`"},
		{"gone", `{}`, `{"code":410,"said":"gone"}`},
		{"post", `{"items": [1, "2"]}`, `{"text":"POST application/json map[items:[1 2] label:<nil>]"}`},
		{"headers", `{}`, `{"rate":7,"own":"mine"}`},
		{"echo", `{"word": "$(id); *"}`, `{"said":"hello world $(id); *"}`},
		{"echo", `{"word": null}`, `{"said":"hello world nothing"}`},
		{"count", `{"text": "a\nb\n"}`, `{"lines":2}`},
		{"object", `{}`, `{"a":1,"b":["x"]}`},
		{"fails", `{}`, "fails: sh ended with status 4: no luck with [redacted]"},
		{"checks", `{}`, `{"code":4,"said":"bad\n"}`},
		{"twice", `{"n": 4}`, `{"result":8}`},
		{"twice", `{"n": 4, "by": 5.0}`, `{"result":20}`},
		{"both", `{"n": 5}`, `{"half":2.5,"double":10}`},
		{"bomb", `{}`, "bomb: code:2:14: the code makes more than"},
		{"wrong", `{}`, "wrong: it answered with something else than it promises:\n\n- n: expected a whole number, got \"many\"\n"},
		{"divides", `{"a": 1, "b": 0}`, "divides: `outputs.q` cannot be evaluated: division by zero"},
		{"files", `{}`, `{"text":"a.txt\n","next_line":null}`},
		{"files", `{"path": "a.txt"}`, `{"text":"hello","next_line":null}`},
	}
	calls := make([]toolCall, len(cases))
	for i, c := range cases {
		calls[i] = toolCall{c.tool, c.args}
	}
	e := toolEnv(t)
	e.Files = func(*program.Program) (fs.FS, error) { return fstest.MapFS{"a.txt": {Data: []byte("hello")}}, nil }
	got, events := toolRun(t, filepath.Join(dir, "a.dsp"), text, map[string]any{"url": s.URL}, e, calls...)
	for i, c := range cases {
		if got[i] != c.want && (c.want[0] == '{' || !strings.Contains(got[i], c.want)) {
			t.Errorf("%s %s\ngot  %s\nwant %s", c.tool, c.args, got[i], c.want)
		}
	}
	notes := 0
	for _, e := range events {
		if e.Kind == trace.Note && e.Reason == "at work" && e.Tool == "twice" {
			notes++
		}
	}
	if notes != 2 {
		t.Errorf("%d lines that the code printed are in the trace", notes)
	}
}

// TestToolFaults: a step whose tool cannot be called at all does not begin.
func TestToolFaults(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"python", "tool t {\n  -> a: int\n  python { call = \"m:f\" }\n}", "nothing here runs Python"},
		{"files", "", "`program.assistant` names no folder whose files may be read"},
	} {
		name := "tool.files"
		if c.text != "" {
			name = "tool.t"
		}
		p := makePlan(t, c.text+"\nprogram assistant {\n  request: string -> reply: string\n  react agent { tools = ["+name+"] }\n  local_files = \".\"\n}\n", "assistant")
		p.Checked.LocalFiles = "" // as of a program that was not checked
		e := toolEnv(t)
		e.Module = func(string) (module.Module, bool) { return &calling{}, true }
		_, err := interpreter.Run(t.Context(), p, e, value.NewObject("request", "go"))
		if d, ok := errors.AsType[*diag.Diagnostic](err); !ok || d.Code != "E0632" || !strings.Contains(d.Detail, c.want) {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}

// TestToolsThatCallEachOther ends.
func TestToolsThatCallEachOther(t *testing.T) {
	p := makePlan(t, "tool again { program = program.assistant }\nprogram assistant {\n  request: string -> reply: string\n  react agent { tools = [tool.again] }\n}\n", "assistant")
	e := toolEnv(t)
	deepest := ""
	e.Module = func(string) (module.Module, bool) {
		return &calling{[]toolCall{{"again", `{"request": "go"}`}}, func(_ int, _ *value.Object, err error) {
			if err != nil {
				deepest = err.Error()
			}
		}}, true
	}
	if _, err := interpreter.Run(t.Context(), p, e, value.NewObject("request", "go")); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(deepest, "call each other more than 16 deep") {
		t.Errorf("got %q", deepest)
	}
}

// TestToolOfTheHost: a tool in Go stands in for a declared one; its plain errors are
// told to the model, and a run that ends is no fault of a tool.
func TestToolOfTheHost(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	own := &goTool{do: func(args *value.Object) (*value.Object, error) {
		n, _ := args.Get("n")
		if n == 0 {
			return nil, errors.New("nothing to do")
		}
		if n == 1 {
			cancel()
			return nil, ctx.Err()
		}
		return value.NewObject("n", "7", "more", true), nil
	}}
	p := makePlan(t, "tool t {\n  n: int -> n2: int\n  outputs { n2 = n }\n}\nprogram assistant {\n  request: string -> reply: string\n  react agent { tools = [tool.t] }\n}\n", "assistant")
	e := toolEnv(t)
	e.Tool = func(*plan.Tool) (tool.Tool, error) { return own, nil }
	var got []string
	e.Module = func(string) (module.Module, bool) {
		return &calling{[]toolCall{{"t", `{"n": 2}`}, {"t", `{"n": 0}`}, {"t", `{"n": 1}`}}, func(_ int, out *value.Object, err error) {
			var told *tool.Error
			got = append(got, fmt.Sprintf("%s%v %v", value.EncodeJSON(out), err, errors.As(err, &told)))
		}}, true
	}
	_, _ = interpreter.Run(ctx, p, e, value.NewObject("request", "go"))
	want := []string{`{"n":7}<nil> false`, `{}t: nothing to do true`, `{}context canceled false`}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

type goTool struct {
	do func(*value.Object) (*value.Object, error)
}

func (g *goTool) Name() string        { return "t" }
func (g *goTool) Description() string { return "" }
func (g *goTool) Signature() *program.Signature {
	return &program.Signature{Inputs: []types.Field{{Name: "n", Type: types.Int}}, Outputs: []types.Field{{Name: "n", Type: types.Int}}}
}

func (g *goTool) Call(_ context.Context, args *value.Object) (*value.Object, error) {
	return g.do(args)
}
