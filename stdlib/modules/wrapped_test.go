package modules_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/dspi-lang/dspi/interpreter/estimate"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/check"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program/state"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/parser"
	"github.com/dspi-lang/dspi/stdlib"
)

// answering is a model that answers with a function of what it is asked.
type answering struct {
	mu    sync.Mutex
	asked []*lm.Request
	reply func(ctx context.Context, req *lm.Request) (string, error)
}

func (*answering) Features() lm.Features { return lm.Features{} }
func (*answering) Address() string       { return "test/model" }

func (m *answering) Generate(ctx context.Context, req *lm.Request) (*lm.Response, error) {
	m.mu.Lock()
	m.asked = append(m.asked, req)
	m.mu.Unlock()
	text, err := m.reply(ctx, req)
	if err != nil {
		return nil, err
	}
	return &lm.Response{Text: text, Usage: lm.Usage{InputTokens: 10, OutputTokens: 2}, Model: "test/model"}, nil
}

func (m *answering) rollouts() []int {
	var out []int
	for _, r := range m.asked {
		out = append(out, r.Rollout)
	}
	slices.Sort(out)
	return out
}

// reply is a reply in the chat format: names and values in turn.
func reply(pairs ...any) string { return said(value.NewObject(pairs...)) }

func question() *value.Object { return value.NewObject("question", "Which river?") }

func codeOf(err error) diag.Code {
	var d *diag.Diagnostic
	if errors.As(err, &d) {
		return d.Code
	}
	return ""
}

func lastOf(req *lm.Request) string { return req.Messages[len(req.Messages)-1].Content }

// TestNested: what one wrapping module says of an attempt reaches the innermost
// module, through others and through programs. No two samples are the same call.
func TestNested(t *testing.T) {
	for name, text := range map[string]string{
		"modules": `
program a {
  question: string -> answer: string
  best_of_n pick {
    n      = 2
    reward = len(reasoning)
    majority {
      n = 3
      retry { chain_of_thought {} }
    }
  }
}`,
		"programs": `
program inner {
  question: string -> reasoning: string, answer: string
  majority vote {
    n = 3
    chain_of_thought {}
  }
  outputs { reasoning = vote.reasoning }
}
program a {
  question: string -> reasoning: string, answer: string
  best_of_n pick {
    n      = 2
    reward = len(reasoning)
    inner {}
  }
}`,
	} {
		t.Run(name, func(t *testing.T) {
			defer goleak.VerifyNone(t)
			m := &answering{reply: func(_ context.Context, req *lm.Request) (string, error) {
				return reply("reasoning", strings.Repeat("x", 1+req.Rollout%1000), "answer", fmt.Sprint("answer ", req.Rollout/1000%1000)), nil
			}}
			res, err := ran(t, planned(t, text), m, nil, question())
			if err != nil {
				t.Fatal(err)
			}
			seen := slices.Compact(m.rollouts())
			if len(m.asked) != 6 || len(seen) != 6 {
				t.Errorf("%d calls with the rollouts %v", len(m.asked), seen)
			}
			for _, r := range m.asked {
				if r.Params.Temperature == nil || *r.Params.Temperature != 1 {
					t.Errorf("the temperature is not that of the outermost module: %v", r.Params.Temperature)
				}
			}
			if v, _ := res.Outputs.Get("answer"); v == nil {
				t.Error("no answer")
			}
		})
	}
}

const sampled = `
program a {
  question: string -> answer: string
  KIND s {
    SETTINGS
    predict { retries = 0 }
  }
}`

func sampledBy(kind, settings string) string {
	return strings.NewReplacer("KIND", kind, "SETTINGS", settings).Replace(sampled)
}

// TestAtOnce: attempts that do not depend on each other run at once, also a failure
// that ends the run stops the others, and a failure of one does not.
func TestAtOnce(t *testing.T) {
	reward := "reward = 1.0"
	parallel := `
program a {
  question: string -> answer: list[string]
  parallel s {
    question: string -> answer: string
    predict a {}
    predict b {}
    predict c {}
  }
}`
	ensemble := strings.NewReplacer("parallel", "ensemble", "list[string]", "string").Replace(parallel)
	for _, test := range []struct {
		name, text string
		n          int
		fails      bool // when one attempt does
	}{
		{"best_of_n", sampledBy("best_of_n", "n = 3, "+reward), 3, false},
		{"majority", sampledBy("majority", "n = 3"), 3, false},
		{"parallel", parallel, 3, true},
		{"ensemble", ensemble, 3, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := planned(t, test.text)
			at := func(t *testing.T, wait func(ctx context.Context, i int) (string, error)) (time.Duration, error) {
				m := &answering{reply: func(ctx context.Context, req *lm.Request) (string, error) { return wait(ctx, req.Rollout) }}
				start := time.Now()
				_, err := ran(t, p, m, nil, question())
				return time.Since(start), err
			}
			synctest.Test(t, func(t *testing.T) {
				d, err := at(t, func(context.Context, int) (string, error) {
					time.Sleep(time.Second)
					return reply("answer", "Seine"), nil
				})
				if err != nil || d != time.Second {
					t.Errorf("took %s, %v", d, err)
				}
				// One cannot go on: the rest is stopped.
				d, err = at(t, func(ctx context.Context, i int) (string, error) {
					if i == 1 {
						return "", &lm.Error{Kind: lm.KindBudget, Model: "test/model"}
					}
					<-ctx.Done()
					return "", lm.ContextError(ctx, "test/model")
				})
				if codeOf(err) != "E0623" || d != 0 {
					t.Errorf("took %s, %v", d, err)
				}
				// One fails.
				_, err = at(t, func(_ context.Context, i int) (string, error) {
					if i == 1 {
						return "", &lm.Error{Kind: lm.KindRequest, Model: "test/model", Status: 400, Message: "no"}
					}
					return reply("answer", "Seine"), nil
				})
				if failed := codeOf(err) == "E0621"; failed != test.fails {
					t.Errorf("one failed: %v", err)
				}
				// All fail.
				_, err = at(t, func(_ context.Context, i int) (string, error) {
					return "", &lm.Error{Kind: lm.KindRequest, Model: "test/model", Status: 400, Message: "no"}
				})
				if codeOf(err) != "E0621" {
					t.Errorf("all failed: %v", err)
				}
				if test.fails {
					return
				}
				var d2 *diag.Diagnostic
				errors.As(err, &d2)
				if !slices.ContainsFunc(d2.Related, func(l diag.Label) bool { return strings.Contains(l.Text, "all 3 attempts failed") }) {
					t.Errorf("it does not say how many: %v", d2.Related)
				}
			})
		})
	}
}

// TestStopped: when the run is stopped, so is everything in it.
func TestStopped(t *testing.T) {
	for _, text := range []string{
		sampledBy("best_of_n", "n = 3, reward = 1.0, threshold = 1.0"), sampledBy("best_of_n", "n = 3, reward = 1.0"),
		sampledBy("majority", "n = 3"), sampledBy("retry", ""), sampledBy("refine", "reward = 1.0, threshold = 2.0"),
	} {
		p := planned(t, text)
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			m := &answering{reply: func(c context.Context, req *lm.Request) (string, error) {
				select {
				case <-c.Done():
					return "", lm.ContextError(c, "test/model")
				case <-ctx.Done():
					return "", lm.ContextError(ctx, "test/model")
				}
			}}
			start := time.Now()
			_, err := runWith(ctx, p, m, nil, question())
			if codeOf(err) != "E0617" || time.Since(start) != time.Second {
				t.Errorf("%s: %v after %s", text, err, time.Since(start))
			}
			if len(m.asked) > 3 {
				t.Errorf("asked %d times", len(m.asked))
			}
		})
	}
}

func TestRetry(t *testing.T) {
	p := planned(t, sampledBy("retry", "attempts = 3"))
	for _, test := range []struct {
		name    string
		replies []any // a text, or an error
		answer  string
		code    diag.Code
		calls   int
	}{
		{"a misfit, a provider, an answer", []any{"", &lm.Error{Kind: lm.KindRequest, Message: "no"}, reply("answer", "Seine")}, "Seine", "", 3},
		{"the first", []any{reply("answer", "Seine")}, "Seine", "", 1},
		{"the budget", []any{&lm.Error{Kind: lm.KindBudget}}, "", "E0623", 1},
		{"never", []any{"", " ", ""}, "", "E0601", 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			i := 0
			m := &answering{reply: func(context.Context, *lm.Request) (string, error) {
				r := test.replies[i]
				i++
				if err, ok := r.(error); ok {
					return "", err
				}
				return r.(string), nil
			}}
			res, err := ran(t, p, m, nil, question())
			if codeOf(err) != test.code || len(m.asked) != test.calls {
				t.Fatalf("%d calls, %v", len(m.asked), err)
			}
			for i, r := range m.asked {
				if r.Rollout != i {
					t.Errorf("attempt %d is rollout %d", i+1, r.Rollout)
				}
			}
			if v, _ := res.Outputs.Get("answer"); err == nil && v != test.answer {
				t.Errorf("answer %v", v)
			}
		})
	}
}

// TestEnsemble: which modules are drawn depends on the inputs and the rollout, and
// a reward is the weight of a vote.
func TestEnsemble(t *testing.T) {
	p := planned(t, `
program a {
  question: string, n: int -> answer: string
  ensemble some {
    size   = 2
    reward = answer == "y" ? 3.0 : 1.0
    predict a { instructions = "x" }
    predict b { instructions = "y" }
    predict c { instructions = "z" }
  }
}`)
	run := func(n int) (string, any) {
		m := &answering{reply: func(_ context.Context, req *lm.Request) (string, error) {
			system := req.Messages[0].Content
			return reply("answer", system[len(system)-1:]), nil
		}}
		res, err := ran(t, p, m, nil, value.NewObject("question", "Which?", "n", n))
		if err != nil {
			t.Fatal(err)
		}
		var asked []string
		for _, r := range m.asked {
			system := r.Messages[0].Content
			asked = append(asked, system[len(system)-1:])
		}
		slices.Sort(asked)
		answer, _ := res.Outputs.Get("answer")
		return strings.Join(asked, ""), answer
	}
	seen := map[string]int{}
	for n := range 30 {
		asked, answer := run(n)
		seen[asked]++
		want := asked[:1]
		if strings.Contains(asked, "y") {
			want = "y"
		}
		if answer != want {
			t.Errorf("of %s, %v was taken", asked, answer)
		}
		if again, _ := run(n); again != asked {
			t.Errorf("asked %s, then %s", asked, again)
		}
	}
	if len(seen) != 3 || seen["xy"] == 0 || seen["xz"] == 0 || seen["yz"] == 0 {
		t.Errorf("drawn were %v", seen)
	}
}

// TestAssertsInside: an assert in a held module is obeyed in every attempt, one of
// the step is told to the next round of attempts.
func TestAssertsInside(t *testing.T) {
	long := func(_ context.Context, req *lm.Request) (string, error) {
		if strings.Contains(lastOf(req), "At most 5.") {
			return reply("answer", "Seine"), nil
		}
		return reply("answer", "the river Seine"), nil
	}
	const short = `assert short {
      that    = len(answer) <= 5
      message = "At most 5."
    }`
	for _, test := range []struct {
		name, text string
		calls      int
		answered   bool // the refused answer is in the messages
	}{
		{"in the held module", sampledBy("majority", "n = 3") + "", 6, true},
		{"on the step", sampledBy("majority", "n = 3\n    "+short), 6, true},
		{"around a program", `
program inner { question: string -> answer: string }
program a {
  question: string -> answer: string
  retry s {
    ` + short + `
    inner {}
  }
}`, 2, true},
		{"around a comparison", `
program a {
  question: string -> answer: string
  multi_chain_comparison s {
    m = 2
    ` + short + `
    chain_of_thought {}
  }
}`, 6, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := test.text
			if test.name == "in the held module" {
				text = strings.Replace(text, "predict { retries = 0 }", "predict {\n"+short+"\n}", 1)
			}
			m := &answering{reply: func(ctx context.Context, req *lm.Request) (string, error) {
				r, err := long(ctx, req)
				if strings.Contains(req.Messages[0].Content, "`rationale`") {
					r = strings.Replace(r, "[[ ## answer ## ]]", "[[ ## rationale ## ]]\nx\n\n[[ ## answer ## ]]", 1)
				} else if strings.Contains(req.Messages[0].Content, "`reasoning`") {
					r = strings.Replace(r, "[[ ## answer ## ]]", "[[ ## reasoning ## ]]\nx\n\n[[ ## answer ## ]]", 1)
				}
				return r, err
			}}
			var mu sync.Mutex
			var asserted []trace.Event
			res, err := ran(t, planned(t, text), m, func(e trace.Event) {
				if e.Kind == trace.Asserted {
					mu.Lock()
					asserted = append(asserted, e)
					mu.Unlock()
				}
			}, question())
			if err != nil {
				t.Fatal(err)
			}
			if v, _ := res.Outputs.Get("answer"); v != "Seine" {
				t.Errorf("answer %v", v)
			}
			told := 0
			for _, r := range m.asked {
				if strings.Contains(lastOf(r), "At most 5.") {
					told++
					if answered := strings.Contains(r.Messages[len(r.Messages)-2].Content, "the river Seine"); test.answered && !answered {
						t.Errorf("the answer that was refused is not shown: %v", r.Messages)
					}
				}
			}
			if len(m.asked) != test.calls || told != test.calls/2 || len(asserted) == 0 {
				t.Errorf("%d calls, %d told, %d events", len(m.asked), told, len(asserted))
			}
		})
	}
}

// TestRefineFails: an attempt that fails is skipped, and so is advice that cannot be
// had; the next attempt goes on with the advice that there is.
func TestRefineFails(t *testing.T) {
	p := planned(t, sampledBy("refine", "n = 3, reward = len(answer), threshold = 10"))
	i := 0
	m := &answering{reply: func(_ context.Context, req *lm.Request) (string, error) {
		i++
		switch i {
		case 1:
			return reply("answer", "abc"), nil
		case 2:
			return reply("discussion", "short", "advice", value.NewObject("self", "longer")), nil
		case 3:
			return "", &lm.Error{Kind: lm.KindRequest, Message: "no"}
		}
		if !strings.Contains(lastOf(req), "longer") {
			t.Errorf("the hint is lost: %s", lastOf(req))
		}
		return reply("answer", "ab"), nil
	}}
	var notes []string
	res, err := ran(t, p, m, func(e trace.Event) {
		if e.Kind == trace.Note {
			notes = append(notes, e.Reason)
		}
	}, question())
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := res.Outputs.Get("answer"); v != "abc" {
		t.Errorf("answer %v", v)
	}
	if len(m.asked) != 4 || len(notes) != 3 {
		t.Errorf("%d calls, notes %q", len(m.asked), notes)
	}
}

// TestEstimated: what is estimated holds what is asked, whatever happens.
func TestEstimated(t *testing.T) {
	const program = `
program two {
  question: string -> answer: string
  predict draft { question: string -> notes: string }
  predict last {
    notes: string -> answer: string
    inputs { notes = draft.notes }
  }
}
`
	texts := []string{}
	for _, held := range []string{"predict {}", "predict { retries = 0 }", "two {}", "retry { predict {} }"} {
		for _, s := range []string{"best_of_n s { n = 3, reward = len(answer)", "best_of_n s { n = 3, reward = len(answer), threshold = 4",
			"majority s {", "majority s { n = 4", "retry s {", "refine s { reward = len(answer), threshold = 100", "refine s { n = 4, reward = len(answer), threshold = 3"} {
			texts = append(texts, program+"program a {\n  question: string -> answer: string\n  "+s+"\n  "+held+"\n  }\n}\n")
		}
	}
	for _, s := range []string{"ensemble s { predict a {}\n predict b {}\n two {} }", "ensemble s { size = 1, predict a {}\n two {} }",
		"multi_chain_comparison s { m = 2, chain_of_thought {} }", "retry s { multi_chain_comparison { chain_of_thought {} } }"} {
		texts = append(texts, program+"program a {\n  question: string -> answer: string\n  "+s+"\n}\n")
	}
	for i, text := range texts {
		p := planned(t, text)
		e := estimate.Of(p, question())
		for mode := range 4 {
			var mu sync.Mutex
			n := 0
			m := &answering{reply: func(_ context.Context, req *lm.Request) (string, error) {
				mu.Lock()
				n++
				k := n
				mu.Unlock()
				if mode == 1 && k%2 == 1 || mode == 2 && k%3 != 0 {
					return "", nil // does not fit
				}
				var pairs []any
				for _, f := range []string{"reasoning", "rationale", "notes", "discussion", "answer"} {
					if strings.Contains(req.Messages[0].Content, "[[ ## "+f+" ## ]]\n{"+f+"}") {
						pairs = append(pairs, f, strings.Repeat("x", mode))
					}
				}
				if strings.Contains(req.Messages[0].Content, "[[ ## advice ## ]]") {
					pairs = append(pairs, "advice", &value.Object{})
				}
				return reply(pairs...), nil
			}}
			if _, err := ran(t, p, m, nil, question()); err == nil && !e.Total.Calls.Holds(float64(len(m.asked))) {
				t.Errorf("%d calls where %s were estimated (case %d, mode %d):\n%s", len(m.asked), e.Total.Calls, i, mode, text)
			}
		}
	}
}

// TestTuned: what tuning found for a held module reaches it, however deep it stands.
func TestTuned(t *testing.T) {
	const text = `
program inner {
  question: string -> answer: string
  predict last { question: string -> answer: string }
}
program a {
  question: string -> answer: string
  best_of_n deep {
    n      = 1
    reward = 1.0
    majority {
      n = 1
      predict {}
    }
  }
  ensemble several {
    chain_of_thought one {}
    inner two {}
  }
  multi_chain_comparison both {
    m = 2
    chain_of_thought {}
  }
  retry called { inner {} }
  outputs { answer = deep.answer }
}`
	want := map[string]int{"deep.module.module": 1, "several.programs[0].predict": 1, "several.programs[1].last": 1, "both.predict": 1, "both.module.predict": 2, "called.module.last": 1}
	s := state.New()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		fields := []string{"Question:", "Answer:"}
		switch name {
		case "several.programs[0].predict", "both.module.predict":
			fields = []string{"Question:", "Reasoning:", "Answer:"}
		case "both.predict":
			fields = []string{"Question:", "Rationale:", "Answer:"}
		}
		p := &state.Predictor{Name: name, Instructions: "Tuned for " + name + "."}
		for _, f := range fields {
			p.Fields = append(p.Fields, state.Field{Prefix: f, Description: "${" + strings.ToLower(strings.TrimSuffix(f, ":")) + "}"})
		}
		s.Add(p)
	}
	project, diags := check.Check(parser.Parse(source.NewFile("a.dsp", text)), check.Options{Universe: stdlib.Universe()})
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	prog, _ := project.Program("a")
	tuned, diags := state.Bind(s, project, prog)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	p, diags := plan.Make(project, prog, plan.Options{Universe: stdlib.Universe(), FallbackModel: "builtin/incontext", State: tuned})
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	m := &answering{reply: func(context.Context, *lm.Request) (string, error) {
		return reply("reasoning", "x", "rationale", "y", "answer", "z"), nil
	}}
	if _, err := ran(t, p, m, nil, question()); err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, r := range m.asked {
		_, name, _ := strings.Cut(r.Messages[0].Content, "Tuned for ")
		got[strings.TrimSuffix(name, ".")]++
	}
	if !maps.Equal(got, want) {
		t.Errorf("asked were %v, want %v", got, want)
	}
}

// TestVote: the votes of dspy.majority, with ties and with answers that are nothing.
func TestVote(t *testing.T) {
	p := planned(t, sampledBy("majority", "n = 4"))
	for want, answers := range map[string][]string{
		"a Loire":   {"the", "a Loire", "Seine", ""}, // a tie
		"the":       {"the", "a", "an", "The"},       // nothing is left of any
		"Seine.":    {"Loire", "Seine.", "seine", "the Seine"},
		"One river": {"One river", "one: river", "Seine", "Seine!"},
	} {
		m := &answering{reply: func(_ context.Context, req *lm.Request) (string, error) {
			return reply("answer", answers[req.Rollout]), nil
		}}
		res, err := ran(t, p, m, nil, question())
		if err != nil {
			t.Fatal(err)
		}
		if v, _ := res.Outputs.Get("answer"); v != want {
			t.Errorf("of %q, %q was taken", answers, v)
		}
	}
}
