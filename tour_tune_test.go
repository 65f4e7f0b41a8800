package dspi_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/dspi-lang/dspi"
)

// TestTourTune runs both optimizations of the seventh program of the tour with the
// baseline. What they find is a file that binds to the program.
func TestTourTune(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("examples/tour")); err != nil {
		t.Fatal(err)
	}
	src, err := dspi.Load(filepath.Join(dir, "07_tune.dsp"))
	if err != nil {
		t.Fatal(err)
	}
	project, diags := dspi.Check(src)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	runtime := runtimeOf(t, dspi.Options{})
	for _, o := range project.Optimizations {
		p, err := dspi.PlanOptimization(project, o, dspi.PlanOptions{Model: "builtin/incontext"}, -1)
		if err != nil {
			t.Fatal(err)
		}
		found, err := runtime.Optimize(t.Context(), p, dspi.OptimizeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if len(found.Trials) < 10 || found.Before == nil || found.GivenUp != "" {
			t.Errorf("%s: %d trials, ended early: %q", o.Name, len(found.Trials), found.GivenUp)
		}
		if o.Name == "route_pareto" {
			beats := func(a, b map[string]float64) bool {
				return a["correct"] >= b["correct"] && a["cost"] <= b["cost"] && a["latency"] <= b["latency"] &&
					(a["correct"] > b["correct"] || a["cost"] < b["cost"] || a["latency"] < b["latency"])
			}
			for _, x := range found.Front {
				for _, y := range found.Front {
					if beats(x.Scores, y.Scores) {
						t.Errorf("of the front %v beats %v in every respect", x.Scores, y.Scores)
					}
				}
			}
		}
		made, err := p.State(found.Best, found)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p.SaveTo, made.Write(), 0o600); err != nil {
			t.Fatal(err)
		}
		tuned, diags, err := dspi.LoadState(p.SaveTo, project, "route")
		if err != nil || diags.HasErrors() {
			t.Fatal(err, diags)
		}
		if _, err := dspi.Plan(project, dspi.PlanOptions{Program: "route", Model: "builtin/incontext", State: tuned}); err != nil {
			t.Error(err)
		}
	}
}
