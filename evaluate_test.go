package dspi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/evaluate"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/lang/program"
)

// answering answers as a function says.
type answering func(req *lm.Request) (string, error)

func (answering) Address() string       { return "test/asked" }
func (answering) Features() lm.Features { return lm.Features{} }
func (f answering) Generate(_ context.Context, req *lm.Request) (*lm.Response, error) {
	text, err := f(req)
	if err != nil {
		return nil, err
	}
	price := 0.001
	return &lm.Response{Text: text, Usage: lm.Usage{InputTokens: 10, OutputTokens: 2}, Cost: &price}, nil
}

func replyOf(outputs ...string) string {
	var b strings.Builder
	for i := 0; i < len(outputs); i += 2 {
		fmt.Fprintf(&b, "[[ ## %s ## ]]\n%s\n\n", outputs[i], outputs[i+1])
	}
	return b.String() + "[[ ## completed ## ]]"
}

// evaluation checks a text with its files and returns what runs an evaluation of it.
func evaluation(t *testing.T, text string, files map[string]string, model answering, name string) (*dspi.Runtime, *dspi.EvalPlan) {
	t.Helper()
	dir := t.TempDir()
	for file, content := range files {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	project, diags := dspi.Check(dspi.Parse(filepath.Join(dir, "eval.dsp"), text))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	e, ok := project.Evaluation(name)
	if !ok {
		t.Fatalf("there is no %s", name)
	}
	return plannedEval(t, project, e, model)
}

func plannedEval(t *testing.T, project *program.Project, e *program.Evaluation, model answering) (*dspi.Runtime, *dspi.EvalPlan) {
	t.Helper()
	p, err := dspi.PlanEvaluation(project, e, dspi.PlanOptions{Getenv: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	r := dspi.NewRuntime(dspi.Options{Around: func(lm.LM) lm.LM { return model }})
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r, p
}

const measured = `
dataset dev {
  file = "dev.csv"
  columns { mood = "Label" }
}
program read { text: string, strict: bool = false -> mood: "good" | "bad" }
metric right { score = prediction.mood == example.mood }
metric kind {
  score    = judge.kind ? 1.0 : 0.25
  feedback = "It was judged ${judge.kind}."
  predict judge {
    text: string, mood: string -> kind: bool
    inputs {
      text = example.text
      mood = prediction.mood
    }
  }
}
metric shaky { score = 1 / (example.weight == "0" ? 0 : 1) }
evaluate all {
  program = program.read
  data    = dataset.dev
  metrics = [metric.right, metric.kind, metric.accuracy, metric.macro_f1, metric.cost, metric.calls]
  require = metric.right >= 0.7
}
evaluate odd {
  program = program.read
  data    = dataset.dev
  metrics = [metric.shaky]
}
evaluate strictly {
  program       = program.read
  data          = dataset.dev
  metrics       = [metric.right]
  max_errors    = 1
  failure_score = 0.5
  concurrency   = 1
}
`

const moods = "text,Label,strict,weight\nfine,good,,1\nawful,bad,true,1\nbroken,good,,0\nfine too,bad,,1\nodd,maybe,,1\n"

// reads says that what is fine is good, breaks down at `broken`, and judges.
func reads(req *lm.Request) (string, error) {
	last := req.Messages[len(req.Messages)-1].Text()
	switch {
	case strings.Contains(last, "`[[ ## kind ## ]]`"):
		return replyOf("kind", fmt.Sprint(strings.Contains(last, "awful"))), nil
	case strings.Contains(last, "broken"):
		return "", &lm.Error{Kind: lm.KindRequest, Message: "it is broken"}
	case strings.Contains(last, "fine"):
		return replyOf("mood", "good"), nil
	}
	return replyOf("mood", "bad"), nil
}

func TestEvaluate(t *testing.T) {
	r, p := evaluation(t, measured, map[string]string{"dev.csv": moods}, reads, "all")
	seen := 0
	res, err := r.Evaluate(t.Context(), p, dspi.EvalOptions{Row: func(*evaluate.Row) { seen++ }})
	if err != nil {
		t.Fatal(err)
	}
	if res.N != 5 || seen != 5 || res.Failed != 2 || res.GivenUp != "" {
		t.Fatalf("%d rows, %d seen, %d failed, given up: %q", res.N, seen, res.Failed, res.GivenUp)
	}
	mean := func(name string, want float64, n int) {
		t.Helper()
		if m, ok := res.Metric(name); !ok || m.N != n || m.Mean < want-1e-9 || m.Mean > want+1e-9 {
			t.Errorf("%s: %+v, and %v of %d is wanted", name, m, want, n)
		}
	}
	mean("right", 0.4, 5)
	mean("kind", (0.25+1+0.25)/5, 5)
	mean("accuracy", 0.4, 5)
	mean("cost", 0.001*3/4, 4) // the row that fits no label is not run, the broken one costs nothing
	// good: one found of two, two given: F1 1/2. bad: one found of two, one given: 2/3.
	mean("macro_f1", (0.5+2.0/3)/2, 4)
	if res.Require == nil || res.Require.Holds {
		t.Errorf("the condition: %+v", res.Require)
	}
	if got := res.Rows[1].Feedback["kind"]; got != "It was judged true." {
		t.Errorf("the feedback is %q", got)
	}
	if v, _ := res.Rows[1].Example.Get("strict"); v != true {
		t.Errorf("a cell is %v, not read as the input's type", v)
	}
	if v, _ := res.Rows[0].Example.Get("strict"); v != false {
		t.Errorf("an empty cell is %v, not the default", v)
	}
	if res.Rows[2].Error == nil || res.Rows[4].Error == nil || res.Rows[4].Error.Code != "E0610" {
		t.Errorf("what failed: %+v, %+v", res.Rows[2].Error, res.Rows[4].Error)
	}
	if res.Judging.Calls != 3 || res.Usage.Calls != 3 {
		t.Errorf("%d calls, %d of them to judge", res.Usage.Calls, res.Judging.Calls)
	}
	if _, err := json.Marshal(res); err != nil {
		t.Error(err)
	}
}

// TestEvaluateMetricFails: a metric that raises, or gives no number, leaves its row
// without a score and is counted.
func TestEvaluateMetricFails(t *testing.T) {
	r, p := evaluation(t, measured, map[string]string{"dev.csv": "text,Label,weight\nfine,good,1\nfine,bad,0\n"}, reads, "odd")
	res, err := r.Evaluate(t.Context(), p, dspi.EvalOptions{})
	if err != nil {
		t.Fatal(err)
	}
	m, _ := res.Metric("shaky")
	if m.N != 1 || m.Missing != 1 || len(res.Rows[1].Errors) != 1 || len(res.Failures) != 1 {
		t.Errorf("%+v, %+v", m, res.Rows[1].Errors)
	}
}

// TestEvaluateMetricOfOtherKind: a built-in metric that cannot compare what it is given
// says so with a code, at the place where it is named.
func TestEvaluateMetricOfOtherKind(t *testing.T) {
	text := measured + "evaluate wrong {\n  program = program.read\n  data    = dataset.dev\n  metrics = [metric.absolute_error]\n}\n"
	r, p := evaluation(t, text, map[string]string{"dev.csv": "text,Label,weight\nfine,good,1\n"}, reads, "wrong")
	res, err := r.Evaluate(t.Context(), p, dspi.EvalOptions{})
	if err != nil {
		t.Fatal(err)
	}
	e := res.Rows[0].Errors["absolute_error"]
	if e.Code != "E0614" || !strings.Contains(e.Primary.Text, "is of two numbers") || e.Primary.Start.Line == 0 || res.Failures[0].Code != "E0614" {
		t.Errorf("%+v, %+v", e, res.Failures)
	}
}

func TestEvaluateGivesUp(t *testing.T) {
	rows := "text,Label,weight\n" + strings.Repeat("broken,good,1\n", 50)
	r, p := evaluation(t, measured, map[string]string{"dev.csv": rows}, reads, "strictly")
	res, err := r.Evaluate(t.Context(), p, dspi.EvalOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if res.N != 2 || !strings.Contains(res.GivenUp, "max_errors") || res.Rows[0].Scores["right"] != 0.5 {
		t.Errorf("%d rows, %q, %v", res.N, res.GivenUp, res.Rows[0].Scores)
	}
	many := 50
	if res, err = r.Evaluate(t.Context(), p, dspi.EvalOptions{MaxErrors: &many}); err != nil || res.N != 50 || res.GivenUp != "" {
		t.Errorf("%v, %+v", err, res)
	}
}

// TestEvaluateBudget: a row that the budget did not pay for is not measured. It is no
// failure, and counts in no score.
func TestEvaluateBudget(t *testing.T) {
	_, p := evaluation(t, measured, map[string]string{"dev.csv": "text,Label,weight\n" + strings.Repeat("fine,good,1\n", 50)}, reads, "strictly")
	r := dspi.NewRuntime(dspi.Options{Around: func(lm.LM) lm.LM { return lm.WithBudgetOf(answering(reads), nil) }})
	defer r.Close()
	ctx := lm.WithBudget(t.Context(), lm.NewBudget(lm.BudgetLimits{Calls: 7}))
	res, err := r.Evaluate(ctx, p, dspi.EvalOptions{})
	if err != nil {
		t.Fatal(err)
	}
	m, _ := res.Metric("right")
	if res.N != 7 || res.Failed != 0 || len(res.Failures) != 0 || m.N != 7 || m.Mean != 1 || res.Usage.Calls != 7 {
		t.Errorf("%d rows, %d failed, %v, %+v", res.N, res.Failed, res.Failures, m)
	}
	if want := "the budget allows no further call: 7 of 7 calls are used"; res.GivenUp != want {
		t.Errorf("%q, want %q", res.GivenUp, want)
	}
}

func TestEvaluateInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	var once sync.Once
	model := answering(func(req *lm.Request) (string, error) {
		once.Do(func() { cancel(errors.New("enough")) })
		return reads(req)
	})
	r, p := evaluation(t, measured, map[string]string{"dev.csv": "text,Label,weight\n" + strings.Repeat("fine,good,1\n", 200)}, model, "strictly")
	res, err := r.Evaluate(ctx, p, dspi.EvalOptions{})
	if err != nil || res.GivenUp != "it was interrupted" || res.N > 2 {
		t.Errorf("%v, %+v", err, res)
	}
}

func TestEvaluateNoRows(t *testing.T) {
	r, p := evaluation(t, measured, map[string]string{"dev.csv": "text,Label,weight\n"}, reads, "strictly")
	if _, err := r.Evaluate(t.Context(), p, dspi.EvalOptions{}); err == nil || !strings.Contains(err.Error(), "has no rows") {
		t.Errorf("%v", err)
	}
}

// TestJudgesAreDSPys compares what the judging metrics ask, and what they make of the
// replies, with DSPy.
func TestJudgesAreDSPys(t *testing.T) {
	type message struct{ Role, Content string }
	var made struct {
		Judges map[string][]struct {
			Replies []map[string]any
			Context []string
			Calls   [][]message
			Score   float64
		}
	}
	data, err := os.ReadFile("stdlib/metrics/testdata/dspy.json")
	if err == nil {
		err = json.Unmarshal(data, &made)
	}
	if err != nil || len(made.Judges) != 2 {
		t.Fatal(err, len(made.Judges))
	}
	for metric, cases := range made.Judges {
		for i, c := range cases {
			t.Run(fmt.Sprintf("%s/%d", metric, i), func(t *testing.T) {
				var mu sync.Mutex
				calls := map[string][]message{}
				model := answering(func(req *lm.Request) (string, error) {
					mu.Lock()
					defer mu.Unlock()
					system := req.Messages[0].Text()
					if !strings.Contains(system, "a system's response") {
						context, _ := json.Marshal(c.Context)
						return replyOf("response", "It is the Seine, in Paris.", "context", string(context)), nil
					}
					var messages []message
					for _, m := range req.Messages {
						messages = append(messages, message{string(m.Role), m.Text()})
					}
					n := len(calls)
					if metric == "complete_and_grounded" {
						n = 0
						if strings.Contains(system, "groundedness of") {
							n = 1
						}
					}
					calls[fmt.Sprint(n)] = messages
					var outputs []string
					for name, v := range c.Replies[n] {
						outputs = append(outputs, name, fmt.Sprint(v))
					}
					return replyOf(outputs...), nil
				})
				text := fmt.Sprintf(`
dataset dev { file = "dev.jsonl" }
program rag { question: string -> response: string, context: list[string] }
evaluate judged {
  program = program.rag
  data    = dataset.dev
  metrics = [metric.%s]
}`, metric)
				row := `{"question":"Which river?","response":"The Seine."}`
				r, p := evaluation(t, text, map[string]string{"dev.jsonl": row}, model, "judged")
				res, err := r.Evaluate(t.Context(), p, dspi.EvalOptions{})
				if err != nil {
					t.Fatal(err)
				}
				if got, ok := res.Rows[0].Scores[metric]; !ok || got != c.Score {
					t.Errorf("the score is %v, and DSPy's %v: %+v", got, c.Score, res.Rows[0].Errors)
				}
				for n, want := range c.Calls {
					if got := calls[fmt.Sprint(n)]; !reflect.DeepEqual(got, want) {
						t.Errorf("call %d asks\n%+v\nand DSPy\n%+v", n+1, got, want)
					}
				}
			})
		}
	}
}
