package optimizers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/lang/value"
)

// fewShotCase is a case of testdata/few_shot.json: what DSPy did.
type fewShotCase struct {
	Name, Optimizer, Program string
	Rows, K, Dev             int
	Metric                   string
	Settings                 *value.Object
	Failing, Teacher, Twice  bool
	Instructions             []string
	Demos                    [][]goldenDemo
	Calls                    []string
	TeacherCalls             []string `json:"teacher_calls"`
	Tried                    []struct {
		Score []float64
		Demos [][]goldenDemo
	}
	Measured []float64 // in per cent, rounded
	Asked    []struct {
		Messages []struct {
			Role    lm.Role
			Content string
		}
		Rollout     int
		Temperature *float64
	}
}

type goldenDemo struct {
	Augmented bool
	Values    *value.Object
}

func fewShotCases(t *testing.T) []*fewShotCase {
	t.Helper()
	text, err := os.ReadFile("testdata/few_shot.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []*fewShotCase
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 20 {
		t.Fatalf("only %d cases", len(cases))
	}
	return cases
}

func goldenShown(demos []goldenDemo) string {
	var own []optimize.Demo
	for _, d := range demos {
		own = append(own, optimize.Demo{Object: d.Values, Augmented: d.Augmented})
	}
	return shownDemos(own)
}

// shortCall names a call as short of testdata/few_shot.py does.
func shortCall(req *lm.Request) string {
	h := sha256.New()
	for _, m := range req.Messages {
		fmt.Fprintf(h, "%s\n%s\n\n", m.Role, m.Text())
	}
	heat := "-"
	if req.Temperature != nil {
		heat = fmt.Sprintf("%.1f", *req.Temperature)
	}
	return fmt.Sprintf("%s %d %s", hex.EncodeToString(h.Sum(nil))[:16], req.Rollout, heat)
}

// fewShotBench sets up the study of a case.
func fewShotBench(t *testing.T, c *fewShotCase) (*bench, *optimize.Study, *calledOnce) {
	t.Helper()
	calls := &calledOnce{}
	b := &bench{Teacher: c.Teacher, Reply: func(role optimize.Role, req *lm.Request) (string, error) {
		calls.add(role, req)
		last := req.Messages[len(req.Messages)-1].Text()
		if c.Failing && (strings.Contains(last, "question 2") || strings.Contains(last, "question 5")) {
			return "", errors.New("no reply")
		}
		if role == taught {
			req = &lm.Request{Messages: req.Messages, Rollout: req.Rollout + 1000}
		}
		return hashed(req, 5), nil
	}}
	metric := sameAnswer
	if c.Metric == "graded" {
		metric = func(_ *optimize.Example, outputs *value.Object) float64 {
			answer, _ := outputs.Get("answer")
			return float64(answer.(string)[1]-'0') / 4
		}
	}
	var predictors []*optimize.Predictor
	switch c.Program {
	case "one":
		predictors = signatures("question -> answer")
	case "two":
		predictors = signatures("question -> reasoning, query", "question, query -> answer")
	case "loop":
		predictors = signatures("question, notes -> reasoning, query", "question, notes -> answer")
	}
	b.chain(metric)
	if c.Program == "loop" {
		b.Answer = func(x *optimize.Candidate, row *optimize.Example, v optimize.Variation) *optimize.Outcome {
			o := &optimize.Outcome{Scores: []float64{0}}
			known := row.Inputs.Clone()
			known.Set("notes", "")
			for _, i := range []int{0, 0, 0, 1} {
				asked, err := b.ask(x, i, predictors[i].Signature, known, v)
				if err != nil {
					o.Err = err.Error()
					return o
				}
				if i == 0 {
					notes, _ := asked.Outputs.Get("query")
					known.Set("notes", notes)
				}
				o.Asked, o.Outputs = append(o.Asked, *asked), asked.Outputs
			}
			o.Scores[0] = metric(row, o.Outputs)
			return o
		}
	}
	settings := map[string]any{}
	for name, v := range c.Settings.All() {
		settings[name] = v
	}
	train := numbered("train", c.Rows, c.K)
	if c.Twice {
		for _, row := range numbered("train", c.Rows, c.K) {
			row.N = len(train)
			train = append(train, row)
		}
	}
	return b, b.study(t, c.Optimizer, settings, predictors, train, numbered("dev", c.Dev, c.K)), calls
}

// calledOnce keeps the calls of models.
type calledOnce struct {
	mu                      sync.Mutex
	program, teacher, asked []string
}

func (k *calledOnce) add(role optimize.Role, req *lm.Request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch role {
	case taught:
		k.teacher = append(k.teacher, shortCall(req))
	default:
		k.program = append(k.program, shortCall(req))
	}
}

// TestFewShotAsDSPy compares with what DSPy does with the same rows and models: the
// demos, the instructions, every call, the candidates and their scores.
func TestFewShotAsDSPy(t *testing.T) {
	for _, c := range fewShotCases(t) {
		t.Run(c.Name, func(t *testing.T) {
			b, s, calls := fewShotBench(t, c)
			o, ok := Lookup(c.Optimizer)
			if !ok {
				t.Fatalf("no optimizer %s", c.Optimizer)
			}
			found, err := o.Optimize(t.Context(), s)
			if err != nil || len(found) != 1 {
				t.Fatalf("%d candidates, error %v", len(found), err)
			}
			for i := range s.Predictors {
				if got, want := shownDemos(found[0].Steps[i].Demos), goldenShown(c.Demos[i]); got != want {
					t.Errorf("demos of step %d:\n%sDSPy has:\n%s", i+1, got, want)
				}
				if got := found[0].Steps[i].Instructions; got != c.Instructions[i] {
					t.Errorf("instructions of step %d:\n%s\nDSPy has:\n%s", i+1, got, c.Instructions[i])
				}
			}
			for i, trial := range s.Trials() {
				if c.Tried == nil {
					break
				}
				if i >= len(c.Tried) {
					t.Fatalf("%d trials, DSPy has %d", len(s.Trials()), len(c.Tried))
				}
				sum := 0.0
				for _, x := range c.Tried[i].Score {
					sum += x
				}
				if want := sum / float64(len(c.Tried[i].Score)); trial.Means[0] != want {
					t.Errorf("trial %d: %v, DSPy has %v", i+1, trial.Means[0], want)
				}
				for p := range s.Predictors {
					if got, want := shownDemos(trial.Candidate.Steps[p].Demos), goldenShown(c.Tried[i].Demos[p]); got != want {
						t.Errorf("trial %d, demos of step %d:\n%sDSPy has:\n%s", i+1, p+1, got, want)
					}
				}
			}
			if c.Tried != nil && len(s.Trials()) != len(c.Tried) {
				t.Errorf("%d trials, DSPy has %d", len(s.Trials()), len(c.Tried))
			}
			for i, want := range c.Measured {
				if got := s.Trials()[i].Means[0] * 100; math.Abs(got-want) > 0.0051 {
					t.Errorf("set %d: %v, DSPy has %v", i+1, got, want)
				}
			}
			got := calls.program
			if c.Tried != nil || c.Asked != nil { // where runs repeat, DSPy makes them anew
				got = slices.Compact(slices.Sorted(slices.Values(got)))
			}
			if !c.Failing && !slices.Equal(got, c.Calls) {
				t.Errorf("%d calls, DSPy makes %d, or others", len(got), len(c.Calls))
			}
			if !slices.Equal(calls.teacher, c.TeacherCalls) {
				t.Errorf("%d calls of the teacher, DSPy makes %d, or others", len(calls.teacher), len(c.TeacherCalls))
			}
			if len(b.asked) != len(c.Asked) {
				t.Fatalf("%d questions, DSPy asks %d", len(b.asked), len(c.Asked))
			}
			for i, want := range c.Asked {
				if got := b.asked[i]; got.Rollout != want.Rollout || *got.Temperature != *want.Temperature {
					t.Errorf("question %d: rollout %d, temperature %v; DSPy has %d, %v", i+1, got.Rollout, *got.Temperature, want.Rollout, *want.Temperature)
				}
				for j, m := range want.Messages {
					if got := b.asked[i].Messages[j]; got.Role != m.Role || got.Text() != m.Content {
						t.Errorf("question %d, message %d:\n%s\nDSPy has:\n%s", i+1, j+1, got.Text(), m.Content)
					}
				}
			}
		})
	}
}

// TestFewShotAgain checks that the same seed gives the same, however many runs are
// made at once, that another seed gives something else, and that only training rows
// are shown.
func TestFewShotAgain(t *testing.T) {
	for _, c := range fewShotCases(t) {
		t.Run(c.Name, func(t *testing.T) {
			o, _ := Lookup(c.Optimizer)
			run := func(seed uint64, concurrency int) ([]*optimize.Candidate, int) {
				b, s, _ := fewShotBench(t, c)
				s.Seed, s.Concurrency = seed, concurrency
				found, err := o.Optimize(t.Context(), s)
				if err != nil {
					t.Fatal(err)
				}
				for _, step := range found[0].Steps {
					for _, d := range step.Demos {
						if q, _ := d.Get("question"); !strings.HasPrefix(q.(string), "train ") {
							t.Errorf("a demo is no training row: %v", q)
						}
					}
				}
				return found, len(b.runs)
			}
			one, runs := run(0, 1)
			many, runsMany := run(0, 7)
			if digest(one) != digest(many) || runs != runsMany {
				t.Errorf("%d runs one at a time, %d runs with seven at once: %s, %s", runs, runsMany, digest(one), digest(many))
			}
			seven, _ := run(7, 1)
			again, _ := run(7, 3)
			if digest(seven) != digest(again) {
				t.Error("the seed 7 gave two results")
			}
			if c.Rows > 20 && digest(seven) == digest(one) && c.Program != "one" && c.Settings.Len() > 0 && !strings.Contains(c.Name, "more than") && !strings.Contains(c.Name, "no labels") {
				t.Error("the seed 7 gave what the seed 0 gave")
			}
		})
	}
}

// TestFewShotSpent ends the budget, and the context, at every run.
func TestFewShotSpent(t *testing.T) {
	for _, c := range fewShotCases(t) {
		if c.Rows > 25 || c.Optimizer == "labeled_few_shot" || c.Name == "search: two steps, graded" {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			o, _ := Lookup(c.Optimizer)
			spentAnywhere(t, o, func() (*bench, *optimize.Study) {
				b, s, _ := fewShotBench(t, c)
				return b, s
			})
			ctx, cancel := context.WithCancel(t.Context())
			b, s, _ := fewShotBench(t, c)
			b.Before = func(run int) {
				if run == 5 {
					cancel()
				}
			}
			if _, err := o.Optimize(ctx, s); !errors.Is(err, context.Canceled) {
				t.Errorf("canceled: error %v", err)
			}
		})
	}
}

// TestBootstrapKeepsOut checks that a predictor whose demos may not be tuned keeps
// them, and that a row of the data is no demo for itself.
func TestBootstrapKeepsOut(t *testing.T) {
	b := &bench{}
	predictors := signatures("question -> reasoning, query", "question, query -> answer")
	predictors[0].TuneDemos = false
	b.chain(func(*optimize.Example, *value.Object) float64 { return 1 })
	s := b.study(t, "bootstrap_few_shot", map[string]any{"max_bootstrapped_demos": 3, "max_labeled_demos": 6}, predictors, numbered("train", 8, 3), nil)
	kept := []optimize.Demo{{Object: value.NewObject("question", "mine", "query", "q")}}
	s.Start = s.Start.WithDemos(0, kept)
	found, err := bootstrapFewShot{}.Optimize(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if got := shownDemos(found[0].Steps[0].Demos); got != shownDemos(kept) {
		t.Errorf("the demos of a step that is not tuned are now\n%s", got)
	}
	if n := len(found[0].Steps[1].Demos); n != 6 {
		t.Errorf("%d demos, want 6", n)
	}
	for _, r := range b.runs {
		own, _ := r.Row.Values.Get("question")
		for _, d := range r.Candidate.Steps[1].Demos {
			if q, _ := d.Get("question"); q == own {
				t.Errorf("row %d was shown itself", r.Row.N)
			}
		}
	}
}

// TestBootstrapLower checks what a score means of which less is better.
func TestBootstrapLower(t *testing.T) {
	for threshold, want := range map[float64]int{0: 4, 0.25: 2} {
		b := &bench{}
		b.chain(func(row *optimize.Example, _ *value.Object) float64 { return float64(row.N) / 4 })
		s := b.study(t, "bootstrap_few_shot", map[string]any{"max_bootstrapped_demos": 9, "metric_threshold": threshold}, signatures("question -> answer"), numbered("train", 4, 3), nil)
		s.Objectives[0].Lower = true
		found, err := bootstrapFewShot{}.Optimize(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, d := range found[0].Steps[0].Demos {
			if d.Augmented {
				n++
			}
		}
		if n != want {
			t.Errorf("threshold %v: %d demos were made, want %d", threshold, n, want)
		}
	}
}
