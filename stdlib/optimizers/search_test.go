package optimizers

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/optimize"
)

// knobs are variables of all kinds: 3 × 10 × 11 values, and one without end.
func knobs() []*optimize.Param {
	return []*optimize.Param{
		{Address: "var.model", Variable: "model", Kind: optimize.Choice, Values: []any{"small", "middle", "large"}, Default: "small"},
		{Address: "var.k", Variable: "k", Kind: optimize.Int, Low: 1, High: 10, Default: 1},
		{Address: "program.step1.temperature", Setting: "step1.temperature", Kind: optimize.Float, High: 1, Step: 0.1},
		{Address: "var.rate", Variable: "rate", Kind: optimize.Float, Low: 0.001, High: 1, Log: true, Default: 0.5},
	}
}

// knobScore is best, 1, for the large model, k = 7, a temperature of 0.3 and a rate of
// 0.01. A row moves it a little.
func knobScore(c *optimize.Candidate, row *optimize.Example) float64 {
	score := 1.0
	switch c.Variables["model"] {
	case "middle":
		score -= 0.1
	case "small", nil:
		score -= 0.3
	}
	if k, ok := c.Variables["k"].(int); ok {
		score -= 0.03 * math.Abs(float64(k-7))
	} else {
		score -= 0.18
	}
	if t, ok := c.Settings["step1.temperature"].(float64); ok {
		score -= 0.2 * math.Abs(t-0.3)
	} else {
		score -= 0.1
	}
	if r, ok := c.Variables["rate"].(float64); ok {
		score -= 0.05 * math.Abs(math.Log10(r)+2)
	} else {
		score -= 0.1
	}
	return score + 0.01*float64(row.N%3)
}

// knobStudy is a study of the variables alone, with n dev rows.
func knobStudy(t *testing.T, b *bench, optimizer string, settings map[string]any, n int) *optimize.Study {
	t.Helper()
	predictors := signatures("question -> answer")
	predictors[0].TuneDemos, predictors[0].TuneInstructions = false, false
	s := b.study(t, optimizer, settings, predictors, numbered("train", 5, 3), numbered("dev", n, 3))
	s.Space = &optimize.Space{Params: knobs()}
	b.Answer = func(c *optimize.Candidate, row *optimize.Example, _ optimize.Variation) *optimize.Outcome {
		return &optimize.Outcome{Scores: []float64{knobScore(c, row)}}
	}
	return s
}

var variableSearches = map[string]struct {
	run      optimize.Optimizer
	settings map[string]any
	trials   int
}{
	"random":             {random{}, map[string]any{"trials": 40}, 40},
	"tpe":                {tpe{}, map[string]any{"trials": 40}, 40},
	"nsga2":              {nsga2{}, map[string]any{"population": 8, "generations": 5}, 40},
	"successive_halving": {successiveHalving{}, map[string]any{"candidates": 27, "min_rows": 2}, 27 + 9 + 3 + 1},
	"grid":               {grid{}, map[string]any{"points": 3, "max_trials": 990}, 990},
}

// TestSearches: each search measures as many configurations as it is told, never
// returns less than the best it measured, and goes the same way with one run at a time
// or four, with the values in the notes and in the trials.
func TestSearches(t *testing.T) {
	for name, test := range variableSearches {
		var first string
		for _, concurrency := range []int{1, 4} {
			b := &bench{}
			s := knobStudy(t, b, name, test.settings, 20)
			s.Concurrency = concurrency
			found, err := test.run.Optimize(t.Context(), s)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			trials := s.Trials()
			if len(trials) != test.trials {
				t.Errorf("%s: %d trials, want %d", name, len(trials), test.trials)
			}
			if best := s.Best(); found[0].Key() != best.Candidate.Key() {
				t.Errorf("%s: returned %v, the best is %v", name, found[0].Variables, best.Candidate.Variables)
			}
			if last := trials[len(trials)-1]; !strings.Contains(last.Note, "model ") || !strings.Contains(last.Note, "step1.temperature ") || len(last.Params) != 4 {
				t.Errorf("%s: %q, %v", name, last.Note, last.Params)
			}
			var way []string
			for _, x := range trials {
				way = append(way, fmt.Sprint(x.Note, x.Means))
			}
			if w := strings.Join(way, "\n") + digest(found); first == "" {
				first = w
			} else if w != first {
				t.Errorf("%s: another way with %d at once", name, concurrency)
			}
		}
	}
}

// TestSearchesFind: with the same number of trials tpe is nearer to the best than
// chance is, over 10 seeds.
func TestSearchesFind(t *testing.T) {
	mean := map[string]float64{}
	for _, name := range []string{"random", "tpe", "nsga2"} {
		for seed := range uint64(10) {
			b := &bench{}
			s := knobStudy(t, b, name, variableSearches[name].settings, 20)
			s.Seed = seed
			if _, err := variableSearches[name].run.Optimize(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			mean[name] += s.Best().Means[0] / 10
		}
	}
	if mean["tpe"] < mean["random"]+0.01 || mean["tpe"] < 0.95 {
		t.Errorf("%v", mean)
	}
}

// TestSearchFewRows: with few rows several candidates are run at once, and the way is
// the same for any number.
func TestSearchFewRows(t *testing.T) {
	for _, name := range []string{"random", "tpe", "nsga2"} {
		var ways []string
		for _, concurrency := range []int{1, 8} {
			b := &bench{}
			s := knobStudy(t, b, name, variableSearches[name].settings, 3)
			s.Concurrency = concurrency
			found, err := variableSearches[name].run.Optimize(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			ways = append(ways, digest(found))
			if len(s.Trials()) != 40 || len(b.runs) != 120 {
				t.Errorf("%s: %d trials, %d runs", name, len(s.Trials()), len(b.runs))
			}
		}
		if ways[0] != ways[1] {
			t.Errorf("%s: %v", name, ways)
		}
	}
}

// TestHalvingPays: no run is made twice, and as many are made as the rungs have rows
// less those that a configuration had before.
func TestHalvingPays(t *testing.T) {
	b := &bench{}
	s := knobStudy(t, b, "successive_halving", map[string]any{"candidates": 27, "min_rows": 2}, 54)
	found, err := successiveHalving{}.Optimize(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if want := 27*2 + 9*(6-2) + 3*(18-6) + 1*(54-18); len(b.runs) != want {
		t.Errorf("%d runs, want %d", len(b.runs), want)
	}
	best := s.Best()
	if best == nil || best.Rows != 54 || best.Candidate.Key() != found[0].Key() {
		t.Errorf("the best is %+v", best)
	}
}

// TestHalvingSmallSpace: fewer configurations than the first rung would have.
func TestHalvingSmallSpace(t *testing.T) {
	b := &bench{}
	s := knobStudy(t, b, "successive_halving", map[string]any{"min_rows": 2}, 20)
	s.Space.Params = s.Space.Params[:1]
	found, err := successiveHalving{}.Optimize(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if found[0].Variables["model"] != "large" {
		t.Errorf("found %v", found[0].Variables)
	}
}

// TestFront: nsga2 returns the configurations that no other beats in both aims.
func TestFront(t *testing.T) {
	b := &bench{}
	s := knobStudy(t, b, "nsga2", map[string]any{"population": 8, "generations": 6}, 20)
	s.Objectives = []optimize.Objective{{Name: "score"}, {Name: "cost", Lower: true}}
	b.Answer = func(c *optimize.Candidate, row *optimize.Example, _ optimize.Variation) *optimize.Outcome {
		cost := map[any]float64{"small": 1, "middle": 3, "large": 9}[c.Variables["model"]]
		if c.Variables["model"] == nil {
			cost = 1
		}
		return &optimize.Outcome{Scores: []float64{knobScore(c, row), cost}}
	}
	found, err := nsga2{}.Optimize(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 3 {
		t.Errorf("a front of %d, want one for each model", len(found))
	}
	means := map[string][]float64{}
	for _, x := range s.Trials() {
		means[x.Candidate.Key()] = x.Means
	}
	for i, c := range found {
		m := means[c.Key()]
		if m[0] > means[found[0].Key()][0] {
			t.Errorf("number %d has a better score than the first", i)
		}
		for _, x := range s.Trials() {
			if x.Means[0] >= m[0] && x.Means[1] <= m[1] && (x.Means[0] > m[0] || x.Means[1] < m[1]) {
				t.Errorf("%v is in the front, and %v beats it", m, x.Means)
			}
		}
	}
}

// TestSearchConstraints: no configuration that is forbidden is run, and where all are,
// that is said.
func TestSearchConstraints(t *testing.T) {
	forbidden := func(c *optimize.Candidate) bool {
		k, ok := c.Variables["k"].(int)
		return ok && (k%2 == 0 || c.Variables["model"] == "middle")
	}
	for name, test := range variableSearches {
		b := &bench{Forbids: func(c *optimize.Candidate) error {
			if forbidden(c) {
				return errors.New("forbidden")
			}
			return nil
		}}
		s := knobStudy(t, b, name, test.settings, 20)
		if _, err := test.run.Optimize(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if slices.ContainsFunc(b.runs, func(r ran) bool { return forbidden(r.Candidate) }) {
			t.Errorf("%s: a forbidden configuration was run", name)
		}

		b = &bench{Forbids: func(*optimize.Candidate) error { return errors.New("forbidden") }}
		s = knobStudy(t, b, name, test.settings, 20)
		ready := test.run.(optimize.Ready).Ready(s)
		_, err := test.run.Optimize(t.Context(), s)
		if ready == nil || ready.Error() != err.Error() {
			t.Errorf("%s: before it begins: %v", name, ready)
		}
		if err == nil || !strings.Contains(err.Error(), "fulfils the constraints") || !strings.Contains(err.Error(), "loosen a `constraint`") {
			t.Errorf("%s: %v", name, err)
		}

		s = knobStudy(t, &bench{}, name, test.settings, 20)
		s.Space = &optimize.Space{}
		if _, err := test.run.Optimize(t.Context(), s); err == nil || !strings.Contains(err.Error(), "there is nothing to search") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestGridTooLarge: a grid that is too large is refused before anything is run.
func TestGridTooLarge(t *testing.T) {
	b := &bench{}
	s := knobStudy(t, b, "grid", nil, 20)
	if err := (grid{}).Ready(s); err == nil || !strings.Contains(err.Error(), "the grid has 1650 points") {
		t.Errorf("before it begins: %v", err)
	}
	if _, err := (grid{}).Optimize(t.Context(), s); err == nil || !strings.Contains(err.Error(), "the grid has 1650 points, and no more than 1000 are allowed") || len(b.runs) > 0 {
		t.Errorf("%v, %d runs", err, len(b.runs))
	}
}

// TestSearchBudget: a budget that ends anywhere leaves the best that was measured.
func TestSearchBudget(t *testing.T) {
	for name, test := range variableSearches {
		if name == "grid" {
			continue
		}
		for _, rows := range []int{3, 20} {
			for budget := 1; budget < 90; budget += 7 {
				b := &bench{Budget: budget}
				s := knobStudy(t, b, name, test.settings, rows)
				found, err := test.run.Optimize(t.Context(), s)
				if !errors.Is(err, optimize.ErrSpent) && len(b.runs) >= budget {
					t.Fatalf("%s: a budget of %d: %v", name, budget, err)
				}
				if best := s.Best(); best != nil && name != "successive_halving" && (len(found) == 0 || found[0].Key() != best.Candidate.Key()) {
					t.Errorf("%s: a budget of %d: the best was lost", name, budget)
				}
			}
		}
	}
}

// TestSearchCancelled: the end of the context is the error.
func TestSearchCancelled(t *testing.T) {
	for name, test := range variableSearches {
		ctx, cancel := context.WithCancel(t.Context())
		b := &bench{Before: func(run int) {
			if run == 50 {
				cancel()
			}
		}}
		s := knobStudy(t, b, name, test.settings, 20)
		if _, err := test.run.Optimize(ctx, s); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
}

// TestSearchAll: tpe and nsga2 also choose among instructions that a model has written
// and demos that the program has made.
func TestSearchAll(t *testing.T) {
	for _, name := range []string{"tpe", "nsga2"} {
		b := &bench{Reply: func(role optimize.Role, req *lm.Request) (string, error) { return hashed(req, 3), nil }}
		settings := map[string]any{"candidates": 4}
		if name == "tpe" {
			settings["trials"] = 30
		} else {
			settings["population"], settings["generations"] = 10, 3
		}
		s := b.study(t, name, settings, signatures("question -> answer"), numbered("train", 12, 3), numbered("dev", 20, 3))
		s.Space.Params = append(knobs()[1:2], s.Space.Params...)
		b.chain(sameAnswer)
		o, _ := Lookup(name)
		found, err := o.Optimize(t.Context(), s)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		instructions, demos := map[string]bool{}, map[int]bool{}
		for _, x := range s.Trials() {
			instructions[x.Candidate.Steps[0].Instructions] = true
			demos[len(x.Candidate.Steps[0].Demos)] = true
			if x.N > 1 && len(x.Params) != 3 {
				t.Errorf("%s: %v", name, x.Params)
			}
		}
		if len(instructions) < 3 || len(demos) < 2 || len(s.Trials()) != 30 {
			t.Errorf("%s: %d instructions, %d numbers of demos, %d trials", name, len(instructions), len(demos), len(s.Trials()))
		}
		if found[0].Key() != s.Best().Candidate.Key() {
			t.Errorf("%s: the best was lost", name)
		}
		for _, r := range b.runs {
			for _, d := range r.Candidate.Steps[0].Demos {
				if q, _ := d.Get("question"); strings.HasPrefix(fmt.Sprint(q), "dev") {
					t.Fatalf("%s: a dev row is a demo", name)
				}
			}
		}
	}
}
