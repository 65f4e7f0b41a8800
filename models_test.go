package dspi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/diag"
)

// sorting is a program of a label and how sure it is, whose models answer from files.
const sorting = `
model cheap {
  provider = "scripted"
  name     = "cheap.jsonl"
  price { input = 1, output = 1 }
}
model dear {
  provider = "scripted"
  name     = "dear.jsonl"
  price { input = 10, output = 10 }
}
model thrifty {
  route          = "cost_optimized"
  confidence     = "sure"
  confidence_min = 0.7
  models         = [model.dear, model.cheap]
}
model steady {
  route  = "fallback"
  models = [model.cheap, model.dear]
}
program sort {
  text: string -> label: "refund" | "other", sure: probability
  model = model.%s
}
`

func scriptedReply(label string, sure float64) string {
	text, _ := json.Marshal(fmt.Sprintf("[[ ## label ## ]]\n%s\n\n[[ ## sure ## ]]\n%v\n\n[[ ## completed ## ]]", label, sure))
	return fmt.Sprintf(`{"reply": %s, "usage": {"input_tokens": 1000, "output_tokens": 0}}`, text) + "\n"
}

// TestRouteOfAProgram runs routes from their text to their outputs, usage and trace.
func TestRouteOfAProgram(t *testing.T) {
	const broken = `{"error": "request", "status": 400, "message": "no"}` + "\n"
	const down = `{"error": "unreachable", "times": 3}` + "\n"
	for name, c := range map[string]struct {
		route, cheap, dear string
		want               string // the label, or the code of the failure
		calls              int
		usd                float64
		choices            string
	}{
		"sure enough":        {"thrifty", scriptedReply("refund", 0.9), scriptedReply("other", 1), "refund", 1, 0.001, "cheap: the cheapest: about $0.0"},
		"not sure":           {"thrifty", scriptedReply("refund", 0.4), scriptedReply("other", 0.2), "other", 2, 0.011, "-cheap: it answered with `sure` = 0.4, and 0.7 is needed"},
		"unreadable":         {"thrifty", `{"reply": "no idea"}` + "\n", scriptedReply("other", 0.2), "other", 2, 0.01, "-cheap: its reply has no `sure`"},
		"nobody else":        {"thrifty", scriptedReply("refund", 0.4), down, "E0626", 1, 0.001, "-dear: unreachable"},
		"the next":           {"steady", down, scriptedReply("other", 0.2), "other", 1, 0.01, "-cheap: unreachable"},
		"a refused request":  {"steady", broken, scriptedReply("other", 0.2), "E0621", 0, 0, "cheap: the first of the list"},
		"nobody":             {"steady", down, down, "E0626", 0, 0, "-dear: unreachable"},
		"not by the cheaper": {"thrifty", down, scriptedReply("other", 0.2), "other", 1, 0.01, "dear: after model.cheap: unreachable"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			for file, text := range map[string]string{"cheap.jsonl": c.cheap, "dear.jsonl": c.dear} {
				if err := os.WriteFile(filepath.FromSlash(file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			p := planText(t, strings.ReplaceAll(fmt.Sprintf(sorting, c.route), `.jsonl"`, `.jsonl"`+"\n  retry { base = \"1ms\" }"))
			var mu sync.Mutex
			var choices []string
			r := dspi.NewRuntime(dspi.Options{Trace: func(e trace.Event) {
				if e.Kind != trace.Choice {
					return
				}
				mu.Lock()
				defer mu.Unlock()
				who := strings.TrimSuffix(strings.TrimPrefix(e.Model, "scripted/"), ".jsonl") + ": " + e.Reason
				if e.Passed {
					who = "-" + who
				}
				choices = append(choices, who)
			}})
			res, err := r.Run(t.Context(), p, map[string]any{"text": "where is my money"})
			switch {
			case err != nil && !strings.Contains(err.Error(), c.want):
				t.Errorf("failed with %v, want %s", err, c.want)
			case err == nil:
				if label, _ := res.Outputs.Get("label"); label != c.want {
					t.Errorf("the label is %v, want %s", label, c.want)
				}
			}
			if strings.HasPrefix(c.want, "E0") != (err != nil) {
				t.Errorf("the failure is %v, want %s", err, c.want)
			}
			if !strings.Contains(strings.Join(choices, "\n"), c.choices) {
				t.Errorf("the choices are\n%s\nwant among them %s", strings.Join(choices, "\n"), c.choices)
			}
			if res.Usage.Calls != c.calls || c.usd > 0 && name != "unreadable" && (res.Usage.USD == nil || *res.Usage.USD < c.usd*0.999 || *res.Usage.USD > c.usd*1.001) {
				t.Errorf("%d calls and %v dollars, want %d and %v", res.Usage.Calls, show(res.Usage.USD), c.calls, c.usd)
			}
		})
	}
}

func show(f *float64) string {
	if f == nil {
		return "unknown"
	}
	return fmt.Sprint(*f)
}

// TestRoutePlan: a plan shows a route with its members, for people and machines; a step
// that gives no such output is refused.
func TestRoutePlan(t *testing.T) {
	p := planText(t, fmt.Sprintf(sorting, "thrifty"))
	const want = `     model model.thrifty, from the program
         route cost_optimized, sure at least 0.7
         1. model.dear (scripted/dear.jsonl)
         2. model.cheap (scripted/cheap.jsonl)
`
	if !strings.Contains(p.String(), want) {
		t.Errorf("the plan is\n%s\nwant in it\n%s", p, want)
	}
	text, err := json.Marshal(p)
	if err != nil || !strings.Contains(string(text), `"route":{"strategy":"cost_optimized","members":[{"model":{"name":"dear","address":"scripted/dear.jsonl","source":"the route"}}`) {
		t.Errorf("as JSON: %s, %v", text, err)
	}
	project, diags := dspi.Check(dspi.Parse("a.dsp", strings.ReplaceAll(fmt.Sprintf(sorting, "thrifty"), ", sure: probability", "")))
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	_, err = dspi.Plan(project, dspi.PlanOptions{})
	if err == nil || !strings.Contains(err.Error(), "E0216") || !strings.Contains(err.Error(), "gives no number `sure`") {
		t.Errorf("without the output: %v", err)
	}
}

// TestBudgetOfRuns: all runs of a command share a budget, whichever of its limits
// comes first, and no request goes beyond.
func TestBudgetOfRuns(t *testing.T) {
	var requests atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1)%7 == 0 {
			http.Error(w, "{}", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"choices":[{"message":{"role":"assistant","content":%q},"finish_reason":"stop"}],"usage":{"prompt_tokens":100,"completion_tokens":10}}`,
			"[[ ## answer ## ]]\nyes\n\n[[ ## completed ## ]]")
	}))
	defer server.Close()
	text := asking(server.URL, `max_tokens = 20
  retry { base = "1ms", attempts = 5 }
  price { input = 1000, output = 1000 }`)
	for name, c := range map[string]struct {
		limits lm.BudgetLimits
		reason string
	}{
		"calls":  {lm.BudgetLimits{Calls: 150}, "150 of 150 calls are used"},
		"tokens": {lm.BudgetLimits{Tokens: 20_000}, "of 20000 tokens are used"},
		"usd":    {lm.BudgetLimits{USD: 20}, "of $20 are used"},
	} {
		t.Run(name, func(t *testing.T) {
			requests.Store(0)
			p := planText(t, text)
			r := dspi.NewRuntime(dspi.Options{})
			b := lm.NewBudget(c.limits)
			ctx, cancel := context.WithTimeout(lm.WithBudget(t.Context(), b), time.Minute)
			defer cancel()
			var all sync.WaitGroup
			var refused, fine atomic.Int64
			for range 500 {
				all.Go(func() {
					_, err := r.Run(ctx, p, map[string]any{"question": "is it?"})
					switch {
					case err == nil:
						fine.Add(1)
					case strings.Contains(err.Error(), "E0623"):
						refused.Add(1)
					default:
						t.Error(err)
					}
				})
			}
			all.Wait()
			u := b.Used()
			if int64(u.Calls) != requests.Load() || c.limits.Calls > 0 && u.Calls != c.limits.Calls || c.limits.Tokens > 0 && u.Tokens > c.limits.Tokens || c.limits.USD > 0 && *u.USD > c.limits.USD {
				t.Errorf("%d requests arrived, and the budget says %+v", requests.Load(), u)
			}
			if fine.Load() == 0 || refused.Load() == 0 || fine.Load()+refused.Load() != 500 || int(fine.Load())*110 != u.Tokens {
				t.Errorf("%d runs were answered and %d refused, with %d tokens", fine.Load(), refused.Load(), u.Tokens)
			}
			_, err := r.Run(ctx, p, map[string]any{"question": "is it?"})
			if err == nil || !strings.Contains(detail(err), c.reason) {
				t.Errorf("the last one says %v", detail(err))
			}
		})
	}
}

// detail returns the facts of a failure.
func detail(err error) string {
	var d *diag.Diagnostic
	if errors.As(err, &d) {
		return d.Detail
	}
	return fmt.Sprint(err)
}
