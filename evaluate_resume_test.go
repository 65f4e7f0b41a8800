package dspi_test

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/evaluate"
	"github.com/dspi-lang/dspi/interpreter/journal"
	"github.com/dspi-lang/dspi/interpreter/lm"
)

// lasting is a journal that forgets nothing, as one in a file until a batch has ended.
type lasting struct{ *journal.Memory }

func (lasting) Forget(context.Context, string) error { return nil }

// TestResumeEvaluation cuts an evaluation off while the second judge of a row is asked,
// and resumes it: neither the program nor the first judge is asked again for that row,
// a row that was measured is not run, and the figures are those of one that was not
// cut off.
func TestResumeEvaluation(t *testing.T) {
	variables := "" // several, as what is kept of a row is found whatever the order of their map
	for i := range 12 {
		variables += fmt.Sprintf("variable v%d: int { default = %d }\n", i, i)
	}
	text := variables + `
dataset dev { file = "dev.csv" }
program read { text: string -> mood: string }
metric first {
  score = judge.one ? 1.0 : 0.0
  predict judge {
    mood: string -> one: bool
    inputs { mood = prediction.mood }
  }
}
metric second {
  score = judge.two ? 1.0 : 0.5
  predict judge {
    mood: string -> two: bool
    inputs { mood = prediction.mood }
  }
}
evaluate all {
  program     = program.read
  data        = dataset.dev
  metrics     = [metric.first, metric.second, metric.calls, metric.tokens, metric.cost]
  concurrency = 1
}`
	files := map[string]string{"dev.csv": "text\nalpha\nbeta\ngamma\n"}
	var mu sync.Mutex
	asked := map[string]int{}
	var cut func() // ends the evaluation when the second judge is asked of beta
	model := answering(func(req *lm.Request) (string, error) {
		last := req.Messages[len(req.Messages)-1].Text()
		mu.Lock()
		defer mu.Unlock()
		about := ""
		for _, name := range []string{"alpha", "beta", "gamma"} {
			if strings.Contains(last, name) {
				about = name
			}
		}
		switch {
		case strings.Contains(last, "## one ##"):
			asked["one "+about]++
			return replyOf("one", "True"), nil
		case strings.Contains(last, "## two ##"):
			asked["two "+about]++
			if about == "beta" && cut != nil {
				cut()
				return "", context.Canceled
			}
			return replyOf("two", "False"), nil
		}
		asked["read "+about]++
		return replyOf("mood", "the mood of "+about), nil
	})
	kept := lasting{&journal.Memory{}}
	_, p := evaluation(t, text, files, model, "all")
	r := dspi.NewRuntime(dspi.Options{Around: func(lm.LM) lm.LM { return model }, Journal: kept})
	defer r.Close()

	ctx, cancel := context.WithCancel(t.Context())
	cut = cancel
	res, err := r.Evaluate(ctx, p, dspi.EvalOptions{Run: "e"})
	if err != nil || res.N != 1 || res.GivenUp == "" {
		t.Fatalf("%v, %d rows, %q", err, res.N, res.GivenUp)
	}
	cut = nil
	res, err = r.Evaluate(t.Context(), p, dspi.EvalOptions{Run: "e", Resume: true})
	if err != nil || res.N != 3 || res.Failed != 0 {
		t.Fatalf("%v, %+v", err, res)
	}
	want := map[string]int{"read alpha": 1, "one alpha": 1, "two alpha": 1, "read beta": 1, "one beta": 1, "two beta": 2, "read gamma": 1, "one gamma": 1, "two gamma": 1}
	if !reflect.DeepEqual(asked, want) {
		t.Errorf("asked %v", asked)
	}
	if !res.Rows[0].Before || res.Rows[1].Before {
		t.Error("which rows were measured before is not told")
	}
	whole, err := r.Evaluate(t.Context(), p, dspi.EvalOptions{})
	if err != nil {
		t.Fatal(err)
	}
	scores := func(r *evaluate.Results) (out []map[string]float64) {
		for _, row := range r.Rows {
			out = append(out, row.Scores)
		}
		return out
	}
	if !reflect.DeepEqual(scores(res), scores(whole)) || res.Usage.Calls != whole.Usage.Calls || *res.Usage.USD != *whole.Usage.USD || res.Judging.Calls != whole.Judging.Calls {
		t.Errorf("resumed %v, %+v, %+v\nand whole %v, %+v, %+v", scores(res), res.Usage, res.Judging, scores(whole), whole.Usage, whole.Judging)
	}
}
