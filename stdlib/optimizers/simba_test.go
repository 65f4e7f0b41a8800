package optimizers

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/value"
)

// TestSIMBAGolden runs whole compiles beside the real DSPy (testdata/reflective.py).
func TestSIMBAGolden(t *testing.T) {
	var golden map[string]struct {
		Program           string
		Rows              int
		Feedback, Failing bool
		Seed              uint64
		Settings          map[string]any
		Calls             []string
		Asked             [][]goldenMessage
		Scores            []float64
		Found             []goldenStep
	}
	readGolden(t, "simba.json", &golden)
	if len(golden) < 5 {
		t.Fatalf("only %d cases", len(golden))
	}
	for name, c := range golden {
		t.Run(name, func(t *testing.T) {
			predictors := programOf(c.Program)
			b := newReflectiveBench(predictors, c.Feedback, c.Failing, adviceOf(predictors))
			s := b.study(t, "simba", numbersOf(c.Settings), predictors, numbered("train", c.Rows, 5), nil)
			s.Seed = c.Seed
			withSource(s, "(source)")
			found, err := simba{}.Optimize(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			compareGolden(t, b, s, found[0], c.Calls, c.Asked, c.Found)
			scores, _ := fullMeans(s)
			slices.SortFunc(scores, func(x, y float64) int { return descending(x, y) })
			if fmt.Sprint(scores) != fmt.Sprint(c.Scores) {
				t.Errorf("the winners have %v, in DSPy %v", scores, c.Scores)
			}
		})
	}
}

// simbaStudy is a small simba on training and dev rows.
func simbaStudy(t *testing.T, settings map[string]any) (*reflectiveBench, *optimize.Study) {
	predictors := programOf("Chain")
	b := newReflectiveBench(predictors, true, false, adviceOf(predictors))
	all := map[string]any{"batch": 4, "candidates": 3, "max_steps": 3}
	for name, v := range settings {
		all[name] = v
	}
	s := b.study(t, "simba", all, predictors, numbered("train", 10, 5), numbered("dev", 5, 5))
	withSource(s, "program chain {}")
	return b, s
}

func TestSIMBASpent(t *testing.T) {
	spentAnywhere(t, simba{}, func() (*bench, *optimize.Study) {
		b, s := simbaStudy(t, map[string]any{"batch": 3, "candidates": 2, "max_steps": 2})
		return &b.bench, s
	})
}

func TestSIMBAIsAFunctionOfItsStudy(t *testing.T) {
	var digests []string
	for _, concurrency := range []int{1, 4, 16} {
		_, s := simbaStudy(t, nil)
		s.Concurrency = concurrency
		found, err := simba{}.Optimize(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, digest(found)+notesOf(s))
	}
	if digests[0] != digests[1] || digests[0] != digests[2] {
		t.Errorf("the same study gave several results:\n%s", strings.Join(digests, "\n"))
	}
	_, s := simbaStudy(t, nil)
	s.Seed = 99
	found, err := simba{}.Optimize(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if digest(found)+notesOf(s) == digests[0] {
		t.Error("another seed went the same way")
	}
}

// TestSIMBACounts: each step runs the batch once with each model and once with each
// candidate; the winners are measured on all rows, the start among them.
func TestSIMBACounts(t *testing.T) {
	b, s := simbaStudy(t, nil)
	found, err := simba{}.Optimize(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	const rows, models, steps, batch = 10, 3, 3, 4
	sampled, measured := 0, 0
	for _, r := range b.runs {
		if r.Row.Set != "train" {
			t.Errorf("dev row %d was run", r.Row.N)
		}
		if r.Variation.Temperature != nil {
			sampled++
			if *r.Variation.Temperature != 1 || r.Variation.Rollout >= models || r.Variation.Teacher != (r.Variation.Rollout == 0) {
				t.Errorf("a run with %+v", r.Variation)
			}
		} else {
			measured++
		}
	}
	if sampled > steps*models*batch || measured > steps*(models+1)*batch+(models+1)*rows {
		t.Errorf("%d rows sampled, %d measured", sampled, measured)
	}
	onlyTrain(t, b)
	all, best := fullMeans(s)
	if !slices.IsSorted(best) || all[0] > slices.Max(all) {
		t.Errorf("the best so far went %v of %v", best, all)
	}
	if got := s.Best(); got.Candidate.Key() != found[0].Key() {
		t.Errorf("what is returned is not the best full trial")
	}
}

// TestSIMBAKeepsWhatIsFixed: predictors that may not be tuned keep what they have.
func TestSIMBAKeepsWhatIsFixed(t *testing.T) {
	for _, c := range []struct {
		name                string
		demos, instructions [2]bool
		strategy            string
	}{
		{"demos only", [2]bool{true, false}, [2]bool{}, "a demo for 1 predictor"},
		{"rules only", [2]bool{}, [2]bool{false, true}, "a rule for 1 predictor"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, s := simbaStudy(t, nil)
			for i, p := range s.Predictors {
				p.TuneDemos, p.TuneInstructions = c.demos[i], c.instructions[i]
			}
			if _, err := (simba{}).Optimize(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(notesOf(s), c.strategy) {
				t.Errorf("no candidate with %q:\n%s", c.strategy, notesOf(s))
			}
			for _, trial := range s.Trials() {
				for i, step := range trial.Candidate.Steps {
					if !c.demos[i] && len(step.Demos) > 0 || !c.instructions[i] && step.Instructions != s.Start.Steps[i].Instructions {
						t.Fatalf("predictor %d was changed", i)
					}
				}
			}
			if c.instructions == [2]bool{} && len(b.asked) > 0 {
				t.Error("advice was asked for")
			}
		})
	}
	_, s := simbaStudy(t, nil)
	for _, p := range s.Predictors {
		p.TuneDemos, p.TuneInstructions = false, false
	}
	found, err := simba{}.Optimize(t.Context(), s)
	if err != nil || len(s.Trials()) > 0 || found[0] != s.Start {
		t.Errorf("with nothing to tune: %v, %d trials", err, len(s.Trials()))
	}
}

// TestSIMBAGoesOn: answers that cannot be read, a model that fails and rows that fail
// do not end it.
func TestSIMBAGoesOn(t *testing.T) {
	predictors := programOf("Chain")
	n := 0
	b := newReflectiveBench(predictors, true, true, func(m []lm.Message) string {
		if n++; n%3 > 0 {
			return "I have no idea."
		}
		return adviceOf(predictors)(m)
	})
	s := b.study(t, "simba", map[string]any{"batch": 4, "candidates": 4, "max_steps": 4}, predictors, numbered("train", 9, 5), nil)
	found, err := simba{}.Optimize(t.Context(), s)
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	if n == 0 {
		t.Error("no advice was asked for")
	}
	answer := b.Answer
	b.Answer = func(c *optimize.Candidate, row *optimize.Example, v optimize.Variation) *optimize.Outcome {
		o := answer(c, row, v)
		o.Err, o.Outputs, o.Scores = "out of order", nil, []float64{math.NaN()}
		return o
	}
	s = b.study(t, "simba", map[string]any{"batch": 4, "candidates": 2, "max_steps": 2}, predictors, numbered("train", 3, 5), nil)
	if found, err = (simba{}).Optimize(t.Context(), s); err != nil || found[0].Key() != s.Start.Key() {
		t.Errorf("a program that always fails: %v", err)
	}
}

func TestSIMBACanceled(t *testing.T) {
	b, s := simbaStudy(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	b.Before = func(run int) {
		if run == 20 {
			cancel()
		}
	}
	found, err := simba{}.Optimize(ctx, s)
	if err == nil || ctx.Err() == nil || len(found) != 1 || found[0] == nil {
		t.Errorf("%v, %v", found, err)
	}
}

// TestSIMBALess: where less is better, the program with the lowest scores wins.
func TestSIMBALess(t *testing.T) {
	_, s := simbaStudy(t, nil)
	s.Objectives[0].Lower = true
	found, err := simba{}.Optimize(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	all, _ := fullMeans(s)
	for _, trial := range s.Trials() {
		if trial.Full && trial.Candidate.Key() == found[0].Key() && trial.Means[0] != slices.Min(all) {
			t.Errorf("the one with %v won, of %v", trial.Means[0], all)
		}
	}
}

func TestPercentile(t *testing.T) {
	// numpy.percentile of the same numbers
	for _, c := range []struct {
		scores    []float64
		low, high float64
	}{
		{[]float64{3}, 3, 3},
		{[]float64{1, 0}, 0.1, 0.9},
		{[]float64{0, 0.25, 0.5, 0.75, 1}, 0.1, 0.9},
		{[]float64{5, 1, 4, 2, 3, 9, 8}, 1.6, 8.4},
	} {
		if low, high := percentile(c.scores, 0.1), percentile(c.scores, 0.9); math.Abs(low-c.low) > 1e-15 || math.Abs(high-c.high) > 1e-15 {
			t.Errorf("%v: %v and %v, want %v and %v", c.scores, low, high, c.low, c.high)
		}
	}
}

// TestSIMBAShowsTheProgram: as it is written, without what must not be shown.
func TestSIMBAShowsTheProgram(t *testing.T) {
	text := "# a file\nprogram chain { key = \"sesame\" }\n"
	file := source.NewFile("main.dsp", text)
	at := int32(strings.Index(text, "sesame"))
	file.Hide(source.Span{Start: at, End: at + 6})
	start := int32(strings.Index(text, "program"))
	got := sourceOf(&program.Program{Block: file.Place(source.Span{Start: start, End: int32(len(text) - 1)})})
	if !strings.HasPrefix(got, "program chain {") || !strings.HasSuffix(got, "}") || strings.Contains(got, "sesame") {
		t.Errorf("%q", got)
	}
	if got := sourceOf(&program.Program{}); got != "" {
		t.Errorf("%q", got)
	}
}

// TestSIMBAHidesOneSide: with two equal runs the one that says nothing is hidden.
func TestSIMBAHidesOneSide(t *testing.T) {
	s := &side{score: 0.5, outputs: value.NewObject("a", 1), asked: make([]optimize.Asked, 2)}
	s.hide()
	if s.score != "N/A" || len(s.asked) != 0 || string(value.EncodeJSON(s.outputs)) != `{"N/A":"Prediction not available"}` {
		t.Errorf("%+v", s)
	}
}
