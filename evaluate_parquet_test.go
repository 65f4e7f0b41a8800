package dspi_test

import (
	"os"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/lm"
)

// TestEvaluateParquet measures rows of a Parquet file: its columns are checked, and its
// values have their types.
func TestEvaluateParquet(t *testing.T) {
	data, err := os.ReadFile("stdlib/datasets/parquet/testdata/kinds.parquet")
	if err != nil {
		t.Fatal(err)
	}
	text := `
dataset kinds {
  file = "kinds.parquet"
  columns { amount = "count" }
}
program sort {
  tags: list[string]?, amount: int?, score: float? -> label: "a" | "b"
}
evaluate all {
  program = program.sort
  data    = dataset.kinds
  metrics = [metric.accuracy]
}`
	model := func(req *lm.Request) (string, error) {
		if strings.Contains(req.Messages[len(req.Messages)-1].Text(), `["x", "y"]`) {
			return replyOf("label", "a"), nil
		}
		return replyOf("label", "b"), nil
	}
	r, p := evaluation(t, text, map[string]string{"kinds.parquet": string(data)}, model, "all")
	res, err := r.Evaluate(t.Context(), p, dspi.EvalOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if m, _ := res.Metric("accuracy"); res.N != 5 || res.Failed != 0 || m.Mean != 0.6 {
		t.Errorf("%d rows, %d failed, %+v, %+v", res.N, res.Failed, m, res.Failures)
	}
	missing := strings.Replace(text, `"count"`, `"counts"`, 1)
	if _, diags := dspi.Check(dspi.Parse("stdlib/datasets/parquet/testdata/x.dsp", missing)); !diags.HasErrors() || !strings.Contains(diags.Err().Error(), "counts") {
		t.Errorf("a column that is not there: %v", diags)
	}
}
