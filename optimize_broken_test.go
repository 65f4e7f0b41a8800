package dspi_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/lang/universe"
)

// breaks is an optimizer that cannot do what it wants to.
type breaks struct{}

func (breaks) Optimize(context.Context, *optimize.Study) ([]*optimize.Candidate, error) {
	return nil, errors.New("the well is dry")
}

// TestOptimizeBroken: what one optimizer found stays when the one behind it fails.
func TestOptimizeBroken(t *testing.T) {
	extension := &dspi.Extension{Optimizers: []dspi.Optimizer{{
		Optimizer: universe.Optimizer{Name: "breaks", Doc: "Fails."}, Run: breaks{},
	}}}
	folder := t.TempDir()
	rows := "text,mood\n" + strings.Repeat("a bill came,good\na card is lost,bad\n", 15)
	if err := os.WriteFile(filepath.Join(folder, "rows.csv"), []byte(rows), 0o600); err != nil {
		t.Fatal(err)
	}
	src := dspi.Parse(filepath.Join(folder, "mood.dsp"), `
dataset rows { file = "rows.csv" }
program mood { text: string -> mood: "good" | "bad" }
optimize tuned {
  program = program.mood
  train   = dataset.rows
  metric  = metric.exact_match
  labeled_few_shot {}
  breaks {}
}`)
	if err := src.Extend(extension); err != nil {
		t.Fatal(err)
	}
	project, diags := dspi.Check(src)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	plan, err := dspi.PlanOptimization(project, project.Optimizations[0], dspi.PlanOptions{Extension: extension}, -1)
	if err != nil {
		t.Fatal(err)
	}
	runtime := dspi.NewRuntime(dspi.Options{Extension: extension})
	defer runtime.Close()
	found, err := runtime.Optimize(t.Context(), plan, dspi.OptimizeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !found.Broken || !strings.Contains(found.GivenUp, "`breaks` cannot go on") || !strings.Contains(found.GivenUp, "the well is dry") {
		t.Errorf("broken: %t, %q", found.Broken, found.GivenUp)
	}
	if !found.Changed || found.Best == nil {
		t.Errorf("what labeled_few_shot found is gone: %+v", found.Best)
	}
}
