package optimizers

import (
	"fmt"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/lang/value"
)

// subjects makes rows of three subjects, of which each has words of its own.
func subjects(n int) []*optimize.Example {
	about := []string{"the tower of the castle", "a soup with carrots", "trains to the coast"}
	var values []*value.Object
	for i := range n {
		values = append(values, value.NewObject("question", fmt.Sprintf("%s, number %d", about[i%3], i), "answer", fmt.Sprintf("w%d", i%3)))
	}
	return examples("train", values...)
}

func knnStudy(t *testing.T, rounds int) (*bench, *optimize.Study) {
	b := &bench{}
	b.chain(sameAnswer)
	s := b.study(t, "knn_few_shot", map[string]any{"k": 2, "max_rounds": rounds},
		signatures("question -> reasoning, query", "question, query -> answer"), subjects(12), nil)
	return b, s
}

func TestKNNFewShot(t *testing.T) {
	b, s := knnStudy(t, 1)
	found, err := knnFewShot{}.Optimize(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if len(b.runs) != 12 {
		t.Errorf("%d runs, want one of each row", len(b.runs))
	}
	good := map[string]bool{}
	for _, r := range b.runs {
		own, _ := r.Row.Values.Get("question")
		shown := r.Candidate.Steps[1].Demos
		if len(shown) != 2 || !r.Variation.Teacher {
			t.Errorf("row %d: the teacher was shown %d demos", r.Row.N, len(shown))
		}
		for _, d := range shown {
			if q, _ := d.Get("question"); q == own {
				t.Errorf("row %d was shown itself", r.Row.N)
			} else if q.(string)[:5] != own.(string)[:5] {
				t.Errorf("%q was shown %q, which is of another subject", own, q)
			}
		}
		if o := b.Answer(r.Candidate, r.Row, r.Variation); o.Score() == 1 {
			good[own.(string)] = true
		}
	}
	if len(good) == 0 || len(good) == 12 {
		t.Fatalf("%d runs were good: the test shows nothing", len(good))
	}
	for i, step := range found[0].Steps {
		if step.Nearest != 2 {
			t.Errorf("step %d: the %d nearest are shown, want 2", i+1, step.Nearest)
		}
		made := 0
		for _, d := range step.Demos {
			q, _ := d.Get("question")
			if d.Augmented != good[q.(string)] {
				t.Errorf("step %d: a demo of %q is made by the program: %t", i+1, q, d.Augmented)
			}
			if d.Augmented {
				made++
			}
		}
		// No row has what the first step gives: its labelled demos show nothing.
		if want := map[int]int{0: len(good), 1: 12}[i]; made != len(good) || len(step.Demos) != want {
			t.Errorf("step %d: %d demos, %d of them made; want %d and %d", i+1, len(step.Demos), made, want, len(good))
		}
	}
	_, again := knnStudy(t, 1)
	again.Concurrency = 5
	twice, _ := knnFewShot{}.Optimize(t.Context(), again)
	if digest(twice) != digest(found) {
		t.Error("five runs at once gave something else")
	}
	spentAnywhere(t, knnFewShot{}, func() (*bench, *optimize.Study) { return knnStudy(t, 3) })
}

func optunaStudy(t *testing.T, trials int) (*bench, *optimize.Study) {
	b := &bench{}
	b.chain(sameAnswer)
	s := b.study(t, "bootstrap_few_shot_with_optuna", map[string]any{"candidates": trials, "max_bootstrapped_demos": 2, "max_labeled_demos": 5},
		signatures("question -> reasoning, query", "question, query -> answer"), numbered("train", 20, 3), numbered("dev", 12, 3))
	return b, s
}

func TestBootstrapOptuna(t *testing.T) {
	for _, c := range []struct{ trials, want int }{{8, 8}, {40, 25}} { // 5 demos of each of two steps
		b, s := optunaStudy(t, c.trials)
		found, err := bootstrapOptuna{}.Optimize(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		trials := s.Trials()
		if len(trials) != c.want {
			t.Errorf("%d trials, want %d", len(trials), c.want)
		}
		seen := map[string]bool{}
		for _, x := range trials {
			seen[x.Candidate.Key()] = true
			for i, step := range x.Candidate.Steps {
				if len(step.Demos) != 1 {
					t.Errorf("trial %d: step %d has %d demos", x.N, i+1, len(step.Demos))
				}
			}
			if x.Means[0] > s.Best().Means[0] {
				t.Error("the best is not the best")
			}
		}
		if len(seen) != c.want {
			t.Errorf("%d choices in %d trials", len(seen), c.want)
		}
		if found[0].Key() != s.Best().Candidate.Key() {
			t.Error("what is returned is not the best")
		}
		_, again := optunaStudy(t, c.trials)
		again.Concurrency = 4
		if twice, _ := (bootstrapOptuna{}).Optimize(t.Context(), again); digest(twice) != digest(found) {
			t.Error("the same seed gave something else")
		}
		if len(b.runs) > 20+12*c.want {
			t.Errorf("%d runs", len(b.runs))
		}
	}
	spentAnywhere(t, bootstrapOptuna{}, func() (*bench, *optimize.Study) { return optunaStudy(t, 5) })
}
