package dspi_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter"
	"github.com/dspi-lang/dspi/interpreter/estimate"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib"
	"github.com/dspi-lang/dspi/stdlib/providers/scripted"
)

// flowPlan plans a program of examples/tour/05_flow.dsp.
func flowPlan(t *testing.T, name string) *plan.Plan {
	t.Helper()
	src, err := dspi.Load("examples/tour/05_flow.dsp")
	if err != nil {
		t.Fatal(err)
	}
	project, diags := dspi.Check(src)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	p, err := dspi.Plan(project, dspi.PlanOptions{Program: name, Getenv: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// flowCounted is a model that keeps what it was asked.
type flowCounted struct {
	lm.LM
	mu    sync.Mutex
	asked []*lm.Request
}

func (c *flowCounted) Generate(ctx context.Context, req *lm.Request) (*lm.Response, error) {
	c.mu.Lock()
	c.asked = append(c.asked, req)
	c.mu.Unlock()
	return c.LM.Generate(ctx, req)
}

// runFlow runs a plan, and compares the calls with what was estimated.
func runFlow(t *testing.T, p *plan.Plan, m *flowCounted, inputs *value.Object) (*value.Object, error) {
	t.Helper()
	res, err := interpreter.Run(t.Context(), p, &interpreter.Env{
		LM: func(*plan.Model) (lm.LM, error) { return m, nil }, Module: stdlib.Module,
	}, inputs)
	if calls := estimate.Of(p, inputs).Total.Calls; err == nil && !calls.Holds(float64(len(m.asked))) {
		t.Errorf("%d calls, and %s were estimated", len(m.asked), calls)
	}
	return res.Outputs, err
}

func flowAlways(match, text string) scripted.Reply {
	return scripted.Reply{Match: &match, Text: text, Times: scripted.Always}
}

func flowReply(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, "[[ ## %s ## ]]\n%s\n\n", pairs[i], pairs[i+1])
	}
	return b.String() + "[[ ## completed ## ]]\n"
}

// TestTourFlow runs the tour's program of every kind of flow: an element a call of a
// program, one of two branches, and rounds until a critique is content.
func TestTourFlow(t *testing.T) {
	p := flowPlan(t, "digest")
	articles := []any{"Rain in the north.", "Sun in the south.", "Wind at sea."}
	for _, test := range []struct {
		style  string
		good   int // the round that is good; 0: none
		digest string
		rounds int
		calls  int
	}{
		{"formal", 1, "formal", 1, 3 + 1 + 1},
		{"casual", 2, "better 1", 2, 3 + 1 + 3},
		{"casual", 0, "better 3", 3, 3 + 1 + 6},
	} {
		t.Run(fmt.Sprint(test.style, test.good), func(t *testing.T) {
			var mu sync.Mutex
			round, judged := 0, 0
			m := &flowCounted{LM: scripted.New("flow",
				flowAlways("Rain in the north.", flowReply("gist", "rain", "tone", "formal")),
				flowAlways("Sun in the south.", flowReply("gist", "sun", "tone", "casual")),
				flowAlways("Wind at sea.", flowReply("gist", "wind", "tone", "formal")),
			)}
			m.LM = flowModel{m.LM, func(req *lm.Request) string {
				mu.Lock()
				defer mu.Unlock()
				system, last := req.Messages[0].Content, req.Messages[len(req.Messages)-1].Content
				switch {
				case strings.Contains(system, "`good` (bool)"):
					judged++
					return flowReply("good", map[bool]string{true: "True", false: "False"}[judged == test.good], "advice", "say more")
				case strings.Contains(system, "`revised`"):
					round++
					if !strings.Contains(last, "say more") {
						t.Errorf("the advice is not in %q", last)
					}
					return flowReply("revised", fmt.Sprint("better ", round))
				case strings.Contains(system, "`digest`"):
					if !strings.Contains(last, `["rain", "sun", "wind"]`) && !strings.Contains(last, "[1] «rain»\n[2] «sun»\n[3] «wind»") {
						t.Errorf("the gists are not in order: %q", last)
					}
					return flowReply("digest", test.style)
				}
				return ""
			}}
			out, err := runFlow(t, p, m, value.NewObject("articles", articles, "style", test.style))
			if err != nil {
				t.Fatal(err)
			}
			digest, _ := out.Get("digest")
			rounds, _ := out.Get("rounds")
			if digest != test.digest || rounds != test.rounds || len(m.asked) != test.calls {
				t.Errorf("%v after %v rounds and %d calls", digest, rounds, len(m.asked))
			}
		})
	}
}

// flowModel answers with a function where that has an answer.
type flowModel struct {
	lm.LM
	answer func(*lm.Request) string
}

func (m flowModel) Generate(ctx context.Context, req *lm.Request) (*lm.Response, error) {
	if text := m.answer(req); text != "" {
		return &lm.Response{Text: text, Usage: lm.Usage{InputTokens: 1, OutputTokens: 1}}, nil
	}
	return m.LM.Generate(ctx, req)
}

// TestTourCareful runs the tour's best_of_n: it ends with the first answer that is
// good enough, else it gives the best of five.
func TestTourCareful(t *testing.T) {
	p := flowPlan(t, "careful")
	long := strings.Repeat("long ", 20)
	for _, test := range []struct {
		name    string
		answers []string
		want    string
		calls   int
	}{
		{"the second is short", []string{long, "short"}, "short", 2},
		{"none is short", []string{"1" + long, "2" + long, "3" + long, "4" + long, "5" + long}, strings.TrimSpace("1" + long), 5},
	} {
		t.Run(test.name, func(t *testing.T) {
			var replies []scripted.Reply
			for _, a := range test.answers {
				replies = append(replies, scripted.Reply{Text: flowReply("reasoning", "so", "answer", a)})
			}
			m := &flowCounted{LM: scripted.New("careful", replies...)}
			out, err := runFlow(t, p, m, value.NewObject("question", "Why?"))
			if err != nil {
				t.Fatal(err)
			}
			if v, _ := out.Get("answer"); v != test.want || len(m.asked) != test.calls {
				t.Errorf("%q after %d calls", v, len(m.asked))
			}
			for i, r := range m.asked {
				if r.Rollout != i || r.Params.Temperature == nil || *r.Params.Temperature != 1 {
					t.Errorf("attempt %d is rollout %d at %v", i+1, r.Rollout, r.Params.Temperature)
				}
			}
		})
	}
	m := &flowCounted{LM: scripted.New("careful")} // has no reply
	_, err := runFlow(t, p, m, value.NewObject("question", "Why?"))
	if err == nil || errors.Is(err, context.Canceled) || len(m.asked) != 5 {
		t.Errorf("%v after %d calls", err, len(m.asked))
	}
}
