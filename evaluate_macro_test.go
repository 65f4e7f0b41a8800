package dspi_test

import (
	"math"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/evaluate"
	"github.com/dspi-lang/dspi/interpreter/lm"
)

// TestEvaluateMacro: of several outputs with a label, eval has the mean of their macro F1
// over the rows that have it, compare has the same, and an output without labels counts
// in neither.
func TestEvaluateMacro(t *testing.T) {
	const text = `
dataset dev { file = "dev.csv" }
program sort { text: string -> mood: "good" | "bad", urgent: bool, tone: "dry" | "warm" }
evaluate all {
  program = program.sort
  data    = dataset.dev
  metrics = [metric.macro_f1]
}
`
	const rows = "text,mood,urgent\nfine,good,true\nawful,bad,\nfine day,bad,false\nso so,bad,false\nlate,good,true\nfine work,good,\n"
	sorts := func(at string) answering {
		return func(req *lm.Request) (string, error) {
			last := req.Messages[len(req.Messages)-1].Text()
			mood, urgent := "bad", "false"
			if strings.Contains(last, "fine") {
				mood = "good"
			}
			if strings.Contains(last, at) {
				urgent = "true"
			}
			return replyOf("mood", mood, "urgent", urgent, "tone", "dry"), nil
		}
	}
	var results []*evaluate.Results
	for _, at := range []string{"late", "so"} {
		r, p := evaluation(t, text, map[string]string{"dev.csv": rows}, sorts(at), "all")
		res, err := r.Evaluate(t.Context(), p, dspi.EvalOptions{})
		if err != nil {
			t.Fatal(err)
		}
		m, _ := res.Metric("macro_f1")
		if len(res.Confusion) != 2 || res.Confusion[0].N != 6 || res.Confusion[1].N != 4 || m.N != 6 || m.Missing != 0 {
			t.Fatalf("%+v of %+v", m, res.Confusion)
		}
		if want := (res.Confusion[0].MacroF1 + res.Confusion[1].MacroF1) / 2; math.Abs(m.Mean-want) > 1e-12 || m.Interval == nil {
			t.Errorf("macro_f1 is %+v, want %v", m, want)
		}
		results = append(results, res)
	}
	c := evaluate.Compare(results[0], results[1])[0]
	a, _ := results[0].Metric("macro_f1")
	b, _ := results[1].Metric("macro_f1")
	if math.Abs(c.A-a.Mean) > 1e-12 || math.Abs(c.B-b.Mean) > 1e-12 || c.A <= c.B || c.N != 6 {
		t.Errorf("compare has %v and %v of %d rows, eval %v and %v", c.A, c.B, c.N, a.Mean, b.Mean)
	}
}
