//go:build results

package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/evaluate"
)

// cascadeProgram sorts with few worked examples, and asks again with more where the first
// answer is not sure. What the second question costs is taken off the score.
const cascadeProgram = `
dataset train { file = "train.jsonl" }
dataset dev {
  file  = "dev.jsonl"
  limit = 60
}
dataset test  { file = "test.jsonl" }

variable sure: float(min = 0, max = 1, step = 0.05) { default = 1.0 }
variable first_way: module { default = module.predict, choices = [module.predict, module.chain_of_thought] }
variable second_way: module { default = module.predict, choices = [module.predict, module.chain_of_thought] }
variable examples: "none" | "some" | "all" { default = "none" }
variable lead: "plain" | "terse" | "polite" { default = "plain" }

metric worth {
  score = (prediction.category == example.category ? 1.0 : 0.0) - 0.02 * usage.calls
}

program cascade {
  text: string -> category: Category
  module quick {
    text: string -> category: Category, confidence: probability
    use = var.first_way
    instructions = "Sort the question of a customer. (${var.lead})"
  }
  module thorough {
    text: string -> category: Category
    use  = var.second_way
    when = quick.confidence < var.sure
    instructions = "Sort the question of a customer. Look at every word. (${var.examples})"
  }
  outputs { category = thorough.category ?? quick.category }
}

optimize labels {
  program = program.cascade
  train   = dataset.train
  dev     = dataset.dev
  test    = dataset.test
  metric  = metric.worth
  tune    = [program.cascade.thorough.demos]
  labeled_few_shot { k = 48 }
}

optimize by_search {
  program = program.cascade
  train   = dataset.train
  dev     = dataset.dev
  test    = dataset.test
  metric  = metric.worth
  tune    = [var.sure, var.first_way, var.second_way, var.examples, var.lead]
  early_stop = false
  %s { trials = 20 }
}
`

// TestResultsSearch compares tpe with random at equal budgets on a space of 756
// configurations, over twenty seeds: what each finds, on rows that it has not seen.
func TestResultsSearch(t *testing.T) {
	const seeds = 20
	train, test := readBanking(t, "train.csv"), readBanking(t, "test.csv")
	dir := t.TempDir()
	divided(t, dir, train, test, 0)
	found := map[string][]float64{}
	best := map[string][]float64{}
	runtime := dspi.NewRuntime(dspi.Options{})
	defer runtime.Close()
	for _, way := range []string{"random", "tpe"} {
		file := filepath.Join(dir, way+".dsp")
		writeFile(t, file, sortProgram(test.labels, "")+fmt.Sprintf(cascadeProgram, way))
		src, err := dspi.Load(file)
		if err != nil {
			t.Fatal(err)
		}
		project, diags := dspi.Check(src)
		if err := diags.Err(); err != nil {
			t.Fatal(err)
		}
		// The thorough question has worked examples; the quick one has none.
		if got := runDspi(t, "optimize", file, "labels", "--out", filepath.Join(dir, way+".tuned.json")); got.code != 0 {
			t.Fatal(got.stderr)
		}
		state, _, err := dspi.LoadState(filepath.Join(dir, way+".tuned.json"), project, "cascade")
		if err != nil {
			t.Fatal(err)
		}
		o, _ := project.Optimization("by_search")
		for seed := range int64(seeds) {
			p, err := dspi.PlanOptimization(project, o, dspi.PlanOptions{State: state}, seed)
			if err != nil {
				t.Fatal(err)
			}
			if n := p.Space.Size(); n < 500 {
				t.Fatalf("the space has %v configurations", n)
			}
			got, err := runtime.Optimize(t.Context(), p, dspi.OptimizeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			after := got.After
			if after == nil { // nothing was better than the start
				after = got.Before
			}
			found[way] = append(found[way], evaluate.Mean(after.Scores("worth")))
			top := math.Inf(-1)
			for _, x := range got.Trials {
				top = max(top, x.Scores["worth"])
			}
			best[way] = append(best[way], top)
			if err := p.Done(); err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
		}
	}
	for _, x := range []struct {
		on     string
		scores map[string][]float64
	}{{"dev", best}, {"test", found}} {
		diffs := make([]float64, seeds)
		for i := range diffs {
			diffs[i] = x.scores["tpe"][i] - x.scores["random"][i]
		}
		i := evaluate.BootstrapMean(diffs)
		t.Logf("%s rows: random %.2f, tpe %.2f, difference %+.2f points, 95 %% interval %+.2f to %+.2f, %d seeds", x.on,
			100*evaluate.Mean(x.scores["random"]), 100*evaluate.Mean(x.scores["tpe"]), 100*evaluate.Mean(diffs), 100*i.Low, 100*i.High, seeds)
		if i.Low <= -0.01 {
			t.Errorf("on %s rows tpe may be behind random by %.2f points", x.on, -100*i.Low)
		}
	}
}
