package interpreter_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/dspi-lang/dspi/interpreter"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/check"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/parser"
	"github.com/dspi-lang/dspi/stdlib"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// answering is a model that answers with a function of the messages.
type answering func(ctx context.Context, req *lm.Request) (string, error)

func (answering) Features() lm.Features { return lm.Features{} }
func (answering) Address() string       { return "test/model" }

func (f answering) Generate(ctx context.Context, req *lm.Request) (*lm.Response, error) {
	text, err := f(ctx, req)
	if err != nil {
		return nil, err
	}
	return &lm.Response{Text: text, Usage: lm.Usage{InputTokens: 10, OutputTokens: 2}, Model: "test/model"}, nil
}

func makePlan(t testing.TB, text, name string) *plan.Plan {
	t.Helper()
	project, diags := check.Check(parser.Parse(source.NewFile("a.dsp", text)), check.Options{Universe: stdlib.Universe()})
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	prog, ok := project.Program(name)
	if !ok {
		t.Fatalf("no program %s", name)
	}
	p, diags := plan.Make(project, prog, plan.Options{Universe: stdlib.Universe(), FallbackModel: "builtin/incontext"})
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	return p
}

func env(model lm.LM, sink trace.Sink) *interpreter.Env {
	return &interpreter.Env{
		LM:     func(*plan.Model) (lm.LM, error) { return model, nil },
		Module: stdlib.Module,
		Trace:  sink,
	}
}

// field returns a reply in the chat format.
func field(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, "[[ ## %s ## ]]\n%s\n\n", pairs[i], pairs[i+1])
	}
	return b.String() + "[[ ## completed ## ]]\n"
}

const diamond = `
program diamond {
  topic: string -> essay: string

  predict left  { topic: string -> pro: string }
  predict right { topic: string -> con: string }
  predict join {
    pro: string, con: string -> essay: string
    inputs {
      pro = left.pro
      con = right.con
    }
  }
}
`

// TestParallel runs the two middle steps of a program at once: in fake time the
// whole takes as long as its longest path.
func TestParallel(t *testing.T) {
	p := makePlan(t, diamond, "diamond")
	synctest.Test(t, func(t *testing.T) {
		model := answering(func(ctx context.Context, req *lm.Request) (string, error) {
			time.Sleep(time.Second)
			last := req.Messages[len(req.Messages)-1].Content
			switch {
			case strings.Contains(last, "`[[ ## pro ## ]]`"):
				return field("pro", "cheap"), nil
			case strings.Contains(last, "`[[ ## con ## ]]`"):
				return field("con", "slow"), nil
			}
			if !strings.Contains(last, "cheap") || !strings.Contains(last, "slow") {
				t.Errorf("the last step was asked with %q", last)
			}
			return field("essay", "done"), nil
		})
		start := time.Now()
		res, err := interpreter.Run(t.Context(), p, env(model, nil), value.NewObject("topic", "trains"))
		if err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d != 2*time.Second {
			t.Errorf("took %s, want 2s: the middle steps did not run at once", d)
		}
		if got, _ := res.Outputs.Get("essay"); got != "done" {
			t.Errorf("got %v", got)
		}
		if res.Usage.Calls != 3 || res.Usage.InputTokens != 30 || res.Usage.OutputTokens != 6 {
			t.Errorf("usage %+v", res.Usage)
		}
	})
}

// TestFailureStopsTheRest checks that the first failure cancels what is under
// way, that its diagnostic is the one returned, and that nothing is left running.
func TestFailureStopsTheRest(t *testing.T) {
	p := makePlan(t, diamond, "diamond")
	synctest.Test(t, func(t *testing.T) {
		model := answering(func(ctx context.Context, req *lm.Request) (string, error) {
			if strings.Contains(req.Messages[len(req.Messages)-1].Content, "`[[ ## pro ## ]]`") {
				time.Sleep(time.Second)
				return "", &lm.Error{Kind: lm.KindAuth, Model: "test/model", Status: 401, Message: "no"}
			}
			<-ctx.Done()
			return "", &lm.Error{Kind: lm.KindCanceled, Model: "test/model", Err: ctx.Err()}
		})
		start := time.Now()
		_, err := interpreter.Run(t.Context(), p, env(model, nil), value.NewObject("topic", "trains"))
		if code(err) != "E0602" {
			t.Errorf("got %v", err)
		}
		if d := time.Since(start); d != time.Second {
			t.Errorf("took %s", d)
		}
	})
}

func code(err error) diag.Code {
	var d *diag.Diagnostic
	if errors.As(err, &d) {
		return d.Code
	}
	return ""
}

const typed = `
program grade {
  text: string -> mood: "good" | "bad", score: int(min = 1, max = 5)
}
`

// TestAskedAgain checks that a reply that does not fit is sent back once with
// what is wrong, and that each ask is counted.
func TestAskedAgain(t *testing.T) {
	p := makePlan(t, typed, "grade")
	calls := 0
	var misfits int
	model := answering(func(ctx context.Context, req *lm.Request) (string, error) {
		calls++
		if calls == 1 {
			return field("mood", "good", "score", "9"), nil
		}
		if n := len(req.Messages); n != 4 || req.Messages[2].Role != lm.Assistant || !strings.Contains(req.Messages[3].Content, "score") {
			t.Errorf("asked again with %v", req.Messages)
		}
		return field("mood", "good", "score", "4"), nil
	})
	res, err := interpreter.Run(t.Context(), p, env(model, func(e trace.Event) {
		if e.Kind == trace.Misfit {
			misfits++
		}
	}), value.NewObject("text", "nice"))
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := res.Outputs.Get("score"); got != 4 {
		t.Errorf("score is %v", got)
	}
	if calls != 2 || res.Usage.Calls != 2 || misfits != 1 {
		t.Errorf("%d calls, usage %+v, %d misfits", calls, res.Usage, misfits)
	}
}

// TestMisfit checks the message about a reply that never fits.
func TestMisfit(t *testing.T) {
	p := makePlan(t, typed, "grade")
	model := answering(func(ctx context.Context, req *lm.Request) (string, error) {
		return field("mood", "splendid"), nil
	})
	res, err := interpreter.Run(t.Context(), p, env(model, nil), value.NewObject("text", "nice"))
	var d *diag.Diagnostic
	if !errors.As(err, &d) || d.Code != "E0601" {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{"mood", "score", `"good" | "bad"`} {
		if !strings.Contains(d.Detail, want) {
			t.Errorf("the message does not speak of %s:\n%s", want, d.Detail)
		}
	}
	if d.Primary.Place.Text() != "splendid" {
		t.Errorf("the label points at %q", d.Primary.Place.Text())
	}
	if res.Usage.Calls != 2 {
		t.Errorf("usage %+v", res.Usage)
	}
}

// TestEvents checks that the trace of a run is whole: everything that begins ends.
func TestEvents(t *testing.T) {
	p := makePlan(t, diamond, "diamond")
	model := answering(func(ctx context.Context, req *lm.Request) (string, error) {
		return field("pro", "a", "con", "b", "essay", "c"), nil
	})
	var mu sync.Mutex
	n := map[trace.Kind]int{}
	res, err := interpreter.Run(t.Context(), p, env(model, func(e trace.Event) {
		mu.Lock()
		defer mu.Unlock()
		n[e.Kind]++
		if e.Run == "" || e.Time.IsZero() || e.Address == "" {
			t.Errorf("incomplete event %+v", e)
		}
	}), value.NewObject("topic", "trains"))
	if err != nil || res.Run == "" {
		t.Fatal(err)
	}
	want := map[trace.Kind]int{trace.RunStart: 1, trace.RunEnd: 1, trace.StepStart: 3, trace.StepEnd: 3, trace.CallStart: 3, trace.CallEnd: 3}
	for k, w := range want {
		if n[k] != w {
			t.Errorf("%d events %s, want %d", n[k], k, w)
		}
	}
}

// TestPendingIsRefused checks that a setting that is not obeyed yet stops a run
// before anything is sent.
func TestPendingIsRefused(t *testing.T) {
	p := makePlan(t, `
program ask {
  question: string -> answer: string
  majority explore {
    backend = "python"
    predict {}
  }
}
`, "ask")
	model := answering(func(context.Context, *lm.Request) (string, error) {
		t.Error("a call was made")
		return "", nil
	})
	_, err := interpreter.Run(t.Context(), p, env(model, nil), value.NewObject("question", "?"))
	var d *diag.Diagnostic
	if !errors.As(err, &d) || d.Code != "E0510" || !strings.Contains(d.Primary.Text, "backend") {
		t.Errorf("got %v", err)
	}
}

// TestPrograms checks calls of programs, named values, defaults and settings
// that are expressions.
func TestPrograms(t *testing.T) {
	p := makePlan(t, `
program shout {
  text: string, mark: string = "!" -> loud: string
  predict one {
    instructions = "Use ${mark}."
    temperature  = len(text) > 3 ? 1.0 : 0.0
  }
}
program both {
  a: string, b: string -> all: string, n: int

  let long = b + b
  shout first { inputs { text = a } }
  shout second { inputs { text = long, mark = "?" } }
  outputs {
    all = first.loud + second.loud
    n   = len(second.loud)
  }
}
`, "both")
	model := answering(func(ctx context.Context, req *lm.Request) (string, error) {
		system, last := req.Messages[0].Content, req.Messages[len(req.Messages)-1].Content
		switch {
		case strings.Contains(last, "\nyy\n") || strings.Contains(last, "\nyyyy\n"):
			if !strings.Contains(system, "Use ?.") || req.Temperature == nil || *req.Temperature != 1 {
				t.Errorf("second was asked with %q, temperature %v", system, req.Temperature)
			}
			return field("loud", "YYYY?"), nil
		case strings.Contains(last, "\nx\n"):
			if !strings.Contains(system, "Use !.") || *req.Temperature != 0 {
				t.Errorf("first was asked with %q", system)
			}
			return field("loud", "X!"), nil
		}
		return "", fmt.Errorf("unexpected %q", last)
	})
	res, err := interpreter.Run(t.Context(), p, env(model, nil), value.NewObject("a", "x", "b", "yy"))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(value.EncodeJSON(res.Outputs)); got != `{"all":"X!YYYY?","n":5}` {
		t.Errorf("got %s", got)
	}
}

// TestEndlessExpression checks that an expression that never ends is stopped.
func TestEndlessExpression(t *testing.T) {
	p := makePlan(t, `
program a {
  xs: list[int] -> n: int, answer: string
  predict one { question: string = "?" -> answer: string }
  outputs { n = count(xs, any(xs, any(xs, any(xs, it < 0)))) }
}
`, "a")
	xs := make([]any, 3000)
	for i := range xs {
		xs[i] = i
	}
	model := answering(func(context.Context, *lm.Request) (string, error) { return field("answer", "x"), nil })
	start := time.Now()
	_, err := interpreter.Run(t.Context(), p, env(model, nil), value.NewObject("xs", xs))
	if c := code(err); c != "E0615" {
		t.Errorf("got %v", err)
	}
	if d := time.Since(start); d > 30*time.Second {
		t.Errorf("took %s", d)
	}
}

const flow = `
program digest {
  articles: list[string], style: string -> digest: string, rounds: int, done: bool, gists: list[string?]

  predict gist {
    for_each    = articles
    concurrency = 2
    on_error    = "null"
    retries     = 0
    text: string, i: int -> gist: string
    inputs {
      text = each.value
      i    = each.index
    }
  }
  predict formal {
    when = style == "formal"
    gists: list[string?] -> digest: string
    inputs { gists = gist.gist }
  }
  predict plain {
    otherwise = formal
    gists: list[string?] -> digest: string
    inputs { gists = gist.gist }
  }
  repeat improve {
    state { draft = formal.digest ?? plain.digest }
    until      = critique.good
    max_rounds = 3

    predict critique { draft: string -> good: bool, advice: string }
    predict revise {
      when = !critique.good
      draft: string, advice: string -> revised: string
      inputs { advice = critique.advice }
    }
    next { draft = revise.revised ?? draft }
  }
  outputs {
    digest = improve.draft
    rounds = improve.round
    done   = improve.done
    gists  = gist.gist
  }
}
`

// TestFlow runs each element, one of two branches, and rounds until good enough.
func TestFlow(t *testing.T) {
	p := makePlan(t, flow, "digest")
	for _, tt := range []struct {
		style, good string // `good` in the reply to a draft that ends in it
		want        string
	}{
		{"formal", "v2", `{"digest":"F v1 v2","rounds":3,"done":true,"gists":["g:a",null,"g:c"]}`},
		{"casual", "P", `{"digest":"P","rounds":1,"done":true,"gists":["g:a",null,"g:c"]}`},
		{"formal", "never", `{"digest":"F v1 v2 v3","rounds":3,"done":false,"gists":["g:a",null,"g:c"]}`},
	} {
		var mu sync.Mutex
		atOnce, most, skipped := 0, 0, 0
		model := answering(func(ctx context.Context, req *lm.Request) (string, error) {
			last := req.Messages[len(req.Messages)-1].Content
			part := func(name string) string {
				_, s, _ := strings.Cut(last, "[[ ## "+name+" ## ]]\n")
				s, _, _ = strings.Cut(s, "\n")
				return s
			}
			switch {
			case strings.Contains(last, "`[[ ## gist ## ]]`"):
				mu.Lock()
				atOnce++
				most = max(most, atOnce)
				mu.Unlock()
				time.Sleep(time.Millisecond)
				mu.Lock()
				atOnce--
				mu.Unlock()
				if part("text") == "b" {
					return "\n", nil
				}
				return field("gist", "g:"+part("text")), nil
			case strings.Contains(last, "`[[ ## digest ## ]]`"):
				if tt.style == "formal" {
					return field("digest", "F"), nil
				}
				return field("digest", "P"), nil
			case strings.Contains(last, "`[[ ## good ## ]]`"):
				good := "False"
				if strings.HasSuffix(part("draft"), tt.good) {
					good = "True"
				}
				return field("good", good, "advice", "longer"), nil
			}
			draft := part("draft")
			return field("revised", fmt.Sprintf("%s v%d", draft, strings.Count(draft, "v")+1)), nil
		})
		res, err := interpreter.Run(t.Context(), p, env(model, func(e trace.Event) {
			if e.Kind == trace.StepSkip {
				mu.Lock()
				skipped++
				mu.Unlock()
			}
		}), value.NewObject("articles", []any{"a", "b", "c"}, "style", tt.style))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(value.EncodeJSON(res.Outputs)); got != tt.want {
			t.Errorf("%s %s: got %s, want %s", tt.style, tt.good, got, tt.want)
		}
		if most > 2 {
			t.Errorf("%d elements at once, want at most 2", most)
		}
		if skipped == 0 {
			t.Error("no step was skipped")
		}
	}
}

// TestForEachFails checks that a failing element stops the others when nothing
// else is said, and that long lists keep their order.
func TestForEachFails(t *testing.T) {
	const text = `
program each {
  xs: list[int] -> ys: list[int]
  predict one {
    for_each = xs
    concurrency = 50
    x: int -> y: int
    inputs { x = each.value }
  }
  outputs { ys = one.y }
}
`
	p := makePlan(t, text, "each")
	xs := make([]any, 1000)
	for i := range xs {
		xs[i] = i
	}
	fail := false
	model := answering(func(ctx context.Context, req *lm.Request) (string, error) {
		_, s, _ := strings.Cut(req.Messages[len(req.Messages)-1].Content, "[[ ## x ## ]]\n")
		s, _, _ = strings.Cut(s, "\n")
		if fail && s == "7" {
			return "", &lm.Error{Kind: lm.KindServer, Model: "test/model", Status: 500}
		}
		return field("y", s), nil
	})
	res, err := interpreter.Run(t.Context(), p, env(model, nil), value.NewObject("xs", xs))
	if err != nil {
		t.Fatal(err)
	}
	if ys, _ := res.Outputs.Get("ys"); !value.Equal(ys, xs) {
		t.Error("the outputs are not in the order of the elements")
	}
	if res.Usage.Calls != 1000 {
		t.Errorf("usage %+v", res.Usage)
	}
	fail = true
	res, err = interpreter.Run(t.Context(), p, env(model, nil), value.NewObject("xs", xs))
	if code(err) != "E0606" {
		t.Errorf("got %v", err)
	}
	if res.Usage.Calls == 1000 {
		t.Error("the failure did not stop the rest")
	}
}

// TestChosenModule checks `module`: the variable chooses, and what only the
// chosen one adds is asked of the model but seen by nobody.
func TestChosenModule(t *testing.T) {
	project, diags := check.Check(parser.Parse(source.NewFile("a.dsp", `
variable how: module { default = module.predict, choices = [module.predict, module.chain_of_thought] }
program a {
  question: string -> answer: string, plain: bool
  module one {
    question: string -> answer: string
    use = var.how
  }
  outputs { plain = var.how == module.predict }
}
`)), check.Options{Universe: stdlib.Universe()})
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	for _, how := range []string{"predict", "chain_of_thought"} {
		p, diags := plan.Make(project, project.Programs[0], plan.Options{
			Universe: stdlib.Universe(), FallbackModel: "builtin/incontext", Values: map[string]any{"how": how},
		})
		if err := diags.Err(); err != nil {
			t.Fatal(err)
		}
		model := answering(func(ctx context.Context, req *lm.Request) (string, error) {
			if asked := strings.Contains(req.Messages[0].Content, "`reasoning`"); asked != (how == "chain_of_thought") {
				t.Errorf("%s: reasoning asked for: %v", how, asked)
			}
			return field("reasoning", "because", "answer", "42"), nil
		})
		res, err := interpreter.Run(t.Context(), p, env(model, nil), value.NewObject("question", "?"))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(value.EncodeJSON(res.Outputs)); got != fmt.Sprintf(`{"answer":"42","plain":%v}`, how == "predict") {
			t.Errorf("%s: got %s", how, got)
		}
	}
}

// TestPanic checks that a panic in a model ends its run with an error and no
// more than that, on the caller's goroutine and on others.
func TestPanic(t *testing.T) {
	model := answering(func(context.Context, *lm.Request) (string, error) { panic("boom") })
	for name, text := range map[string]string{"diamond": diamond, "grade": typed} {
		p := makePlan(t, text, name)
		_, err := interpreter.Run(t.Context(), p, env(model, nil), value.NewObject("topic", "x", "text", "x"))
		if code(err) != "E0622" {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
