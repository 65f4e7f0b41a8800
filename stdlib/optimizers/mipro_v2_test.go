package optimizers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/lang/value"
)

func miproStudy(t *testing.T, train, dev int, settings map[string]any) (*bench, *optimize.Study) {
	b := &bench{Reply: miproTells("")}
	b.chain(sameAnswer)
	return b, b.study(t, "mipro_v2", settings, goldenProgram(t, "two"), numbered("train", train, 5), numbered("dev", dev, 5))
}

// TestMiproTrials compares the number of trials with what DSPy computes.
func TestMiproTrials(t *testing.T) {
	for _, x := range []struct{ variables, n, want int }{
		{1, 6, 9}, {2, 6, 10}, {4, 6, 20}, {1, 12, 18}, {2, 12, 18}, {2, 18, 27}, {4, 18, 33}, {6, 12, 43}, {1, 1, 1},
	} {
		if got := miproTrials(x.variables, x.n); got != x.want {
			t.Errorf("%d variables of %d: %d trials, want %d", x.variables, x.n, got, x.want)
		}
	}
}

func TestMiproSettings(t *testing.T) {
	for _, x := range []struct {
		settings map[string]any
		wrong    string
	}{
		{map[string]any{"auto": "off", "candidates": 4}, "also needs `trials`; for 4 candidates about 16"},
		{map[string]any{"auto": "off"}, "needs `candidates` and `trials`"},
		{map[string]any{"auto": "medium", "trials": 4}, `auto = "medium"`},
		{map[string]any{"trials": 4}, `auto = "light"`},
		{map[string]any{"candidates": 3, "trials": 2}, ""},
		{map[string]any{"candidates": 3, "trials": 2, "max_bootstrapped_demos": 0}, ""},
		{map[string]any{"candidates": 1, "trials": 2}, ""},
		{map[string]any{"candidates": 3, "trials": 2, "minibatch_size": 100}, ""},
		{map[string]any{"candidates": 3, "trials": 9, "minibatch_size": 3, "minibatch_full_eval_steps": 1, "max_bootstrapped_demos": 0, "max_labeled_demos": 0}, ""},
	} {
		_, s := miproStudy(t, 10, 8, x.settings)
		_, err := miproV2{}.Optimize(t.Context(), s)
		if (err == nil) != (x.wrong == "") || err != nil && !strings.Contains(err.Error(), x.wrong) {
			t.Errorf("%v: %v, want %q", x.settings, err, x.wrong)
		}
	}
}

func small() map[string]any {
	return map[string]any{"candidates": 3, "trials": 7, "minibatch_size": 3, "minibatch_full_eval_steps": 3, "max_bootstrapped_demos": 2, "max_labeled_demos": 2, "view_data_batch_size": 3}
}

// TestMiproLearnsFromTrainingRows: no dev row is in a demo or in a question.
func TestMiproLearnsFromTrainingRows(t *testing.T) {
	b, s := miproStudy(t, 8, 8, small())
	found, err := miproV2{}.Optimize(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	for _, req := range b.asked {
		for _, m := range req.Messages {
			if strings.Contains(m.Text(), "dev question") {
				t.Fatalf("a dev row was shown:\n%s", m.Text())
			}
		}
	}
	for _, trial := range s.Trials() {
		if trial.Set != "dev" {
			t.Errorf("trial %d was measured on %s", trial.N, trial.Set)
		}
		for _, step := range trial.Candidate.Steps {
			if strings.Contains(shownDemos(step.Demos), "dev question") {
				t.Errorf("trial %d has a dev row as a demo", trial.N)
			}
		}
		if len(trial.Params) != 4 {
			t.Errorf("trial %d tells %v", trial.N, trial.Params)
		}
	}
	if best := s.Best(); best == nil || best.Candidate.Key() != found[0].Key() {
		t.Error("what is found is not the best that was measured")
	}
}

// TestMiproMonotone: what is found is never worse than the start, and the best of
// those on all rows.
func TestMiproMonotone(t *testing.T) {
	for seed := range uint64(6) {
		_, s := miproStudy(t, 8, 10, small())
		s.Seed = seed
		found, err := miproV2{}.Optimize(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		trials := s.Trials()
		best := trials[0].Means[0]
		if !trials[0].Full || trials[0].Candidate.Key() != s.Start.Key() {
			t.Error("the program as it is was not measured first")
		}
		for _, trial := range trials {
			if trial.Full {
				best = max(best, trial.Means[0])
			}
		}
		score, err := s.Evaluate(t.Context(), found[0], s.Dev)
		if err != nil || score.Mean() != best {
			t.Errorf("seed %d: %v was found, and %v measured", seed, score.Mean(), best)
		}
	}
}

func TestMiproSeeds(t *testing.T) {
	ways := map[uint64]string{}
	for _, seed := range []uint64{0, 0, 3, 3} {
		for _, workers := range []int{1, 4} {
			_, s := miproStudy(t, 8, 8, small())
			s.Seed, s.Concurrency = seed, workers
			found, err := miproV2{}.Optimize(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			what := digest(found)
			for _, trial := range s.Trials() {
				what += fmt.Sprint(" ", trial.Candidate.Key(), trial.Means, trial.Note)
			}
			if was, ok := ways[seed]; ok && was != what {
				t.Errorf("seed %d went two ways", seed)
			}
			ways[seed] = what
		}
	}
	if ways[0] == ways[3] {
		t.Error("two seeds went the same way")
	}
}

func TestMiproSpent(t *testing.T) {
	spentAnywhere(t, miproV2{}, func() (*bench, *optimize.Study) {
		return miproStudy(t, 6, 5, map[string]any{"candidates": 3, "trials": 4, "minibatch_size": 2, "minibatch_full_eval_steps": 2, "max_bootstrapped_demos": 1, "max_labeled_demos": 1})
	})
}

func TestMiproCanceled(t *testing.T) {
	for _, at := range []int{0, 5, 40} {
		ctx, cancel := context.WithCancel(t.Context())
		b, s := miproStudy(t, 8, 8, small())
		b.Before = func(run int) {
			if run == at {
				cancel()
			}
		}
		found, err := miproV2{}.Optimize(ctx, s)
		cancel()
		if !errors.Is(err, context.Canceled) || len(found) != 1 || found[0] == nil {
			t.Errorf("at %d: %v, %v", at, found, err)
		}
		if len(b.runs) > at {
			t.Errorf("at %d: %d runs were begun", at, len(b.runs))
		}
	}
}

// TestMiproWithoutAnswers: a model that answers nothing leaves the program's own
// instructions, and the search for demos goes on.
func TestMiproWithoutAnswers(t *testing.T) {
	b, s := miproStudy(t, 8, 8, small())
	b.Reply = func(role optimize.Role, req *lm.Request) (string, error) {
		if role == studied {
			return hashed(req, 5), nil
		}
		if len(b.asked)%2 == 0 {
			return "", &lm.Error{Kind: lm.KindServer, Message: "broken"}
		}
		return "", nil
	}
	found, err := miproV2{}.Optimize(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	for i, step := range found[0].Steps {
		if step.Instructions != s.Start.Steps[i].Instructions {
			t.Errorf("predictor %d has %q", i, step.Instructions)
		}
	}
	if len(s.Trials()) < 5 {
		t.Errorf("only %d trials", len(s.Trials()))
	}
}

// TestMiproDescriptionsFail: an instruction is written although the descriptions
// cannot be had.
func TestMiproDescriptionsFail(t *testing.T) {
	b, s := miproStudy(t, 8, 8, small())
	tells := miproTells("")
	b.Reply = func(role optimize.Role, req *lm.Request) (string, error) {
		last := req.Messages[len(req.Messages)-1].Text()
		if role != studied && !strings.Contains(last, "[[ ## proposed_instruction ## ]]") {
			return "", &lm.Error{Kind: lm.KindServer, Message: "broken"}
		}
		return tells(role, req)
	}
	if _, err := (miproV2{}).Optimize(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	written := 0
	for _, req := range b.asked {
		last := req.Messages[len(req.Messages)-1].Text()
		if !strings.Contains(last, "[[ ## proposed_instruction ## ]]") {
			continue
		}
		written++
		if !strings.Contains(last, noDescription) || !strings.Contains(last, notProvided) || strings.Contains(last, "dataset_description") {
			t.Errorf("the question is\n%s", last)
		}
	}
	if written != 2*2 {
		t.Errorf("%d instructions were asked for, want 4", written)
	}
}

func TestMiproTunesWhatItMay(t *testing.T) {
	b, s := miproStudy(t, 8, 8, small())
	s.Predictors[0].TuneInstructions, s.Predictors[1].TuneDemos = false, false
	if _, err := (miproV2{}).Optimize(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	for _, trial := range s.Trials() {
		steps := trial.Candidate.Steps
		if steps[0].Instructions != s.Start.Steps[0].Instructions || len(steps[1].Demos) > 0 {
			t.Errorf("trial %d changed what may not be tuned", trial.N)
		}
	}
	shown := false
	for _, req := range b.asked {
		shown = shown || strings.Contains(req.Messages[len(req.Messages)-1].Text(), "Query: w")
	}
	if !shown {
		t.Error("demos of the second predictor were not shown to the model that writes instructions")
	}
}

// TestMiproKeepsDemos: the demos that an earlier optimizer found are one of the
// choices, and what the search knows the program's score of.
func TestMiproKeepsDemos(t *testing.T) {
	_, s := miproStudy(t, 8, 8, small())
	had := []optimize.Demo{{Object: value.NewObject("question", "earlier", "reasoning", "r", "query", "q"), Augmented: true}}
	s.Start = s.Start.WithDemos(0, had)
	if _, err := (miproV2{}).Optimize(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	for _, trial := range s.Trials() {
		if trial.Params["program.step1.demos"] == 0 && shownDemos(trial.Candidate.Steps[0].Demos) != shownDemos(had) {
			t.Errorf("trial %d: the first set is not what there was", trial.N)
		}
	}
}

// TestMiproTriesAgain: when all combinations have been tried, the best of them are
// measured on further parts, as often as DSPy measures.
func TestMiproTriesAgain(t *testing.T) {
	b := &bench{Reply: miproTells("")}
	b.chain(sameAnswer)
	s := b.study(t, "mipro_v2", map[string]any{"candidates": 3, "trials": 9, "minibatch_size": 4, "max_bootstrapped_demos": 0, "max_labeled_demos": 0},
		goldenProgram(t, "one"), numbered("train", 8, 5), numbered("dev", 30, 5))
	if _, err := (miproV2{}).Optimize(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	parts, fulls := 0, map[string]int{}
	for _, trial := range s.Trials() {
		if trial.Full {
			fulls[trial.Candidate.Key()]++
		} else {
			parts++
		}
	}
	if parts != 9 || len(fulls) != 3 {
		t.Errorf("%d parts and %d combinations on all rows, want 9 and 3", parts, len(fulls))
	}
	for _, n := range fulls {
		if n != 1 {
			t.Errorf("a combination was measured %d times on all rows", n)
		}
	}
}

// TestGivenUp: a candidate that was given up is never what is found.
func TestGivenUp(t *testing.T) {
	for _, x := range []struct {
		name      string
		optimizer optimize.Optimizer
		settings  map[string]any
	}{
		{"copro", copro{}, map[string]any{"breadth": 4, "depth": 2}},
		{"mipro_v2", miproV2{}, map[string]any{"candidates": 4, "trials": 6, "minibatch": false}},
	} {
		t.Run(x.name, func(t *testing.T) {
			b := &bench{Reply: miproTells("")}
			rows := numbered("train", 80, 5)
			s := b.study(t, x.name, x.settings, goldenProgram(t, "one"), rows, numbered("dev", 80, 5))
			s.EarlyStop = true
			b.Answer = func(c *optimize.Candidate, row *optimize.Example, _ optimize.Variation) *optimize.Outcome {
				score := 0.9 - 0.01*float64(row.N%5)
				if c.Key() != s.Start.Key() {
					score = 0.2 + 0.01*float64(row.N%7)
				}
				return &optimize.Outcome{Outputs: value.NewObject("answer", "a"), Scores: []float64{score}}
			}
			if x.name == "copro" { // its own instruction comes last
				s.Start = s.Start.WithInstructions(0, "the first")
			}
			found, err := x.optimizer.Optimize(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			gaveUp := 0
			for _, trial := range s.Trials() {
				if trial.Rows < 80 {
					gaveUp++
					if trial.Full || trial.Best {
						t.Errorf("trial %d was given up and counts", trial.N)
					}
				}
			}
			if gaveUp == 0 {
				t.Error("nothing was given up")
			}
			if found[0].Key() != s.Start.Key() {
				t.Error("what was found is worse than the start")
			}
		})
	}
}
