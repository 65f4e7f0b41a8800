package optimizers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/optimize"
)

// goldenCall is a call of the model that writes instructions, as DSPy made it.
type goldenCall struct {
	Messages []struct {
		Role    lm.Role
		Content string
	}
	N           int
	Rollout     int
	Temperature *float64
}

// shownCall writes what is compared of a call.
func shownCall(messages []lm.Message, temperature *float64) string {
	var b strings.Builder
	if temperature != nil {
		fmt.Fprintf(&b, "temperature %v\n", *temperature)
	}
	for _, m := range messages {
		fmt.Fprintf(&b, "--- %s\n%s\n", m.Role, m.Text())
	}
	return b.String()
}

func (c *goldenCall) shown() string {
	var messages []lm.Message
	for _, m := range c.Messages {
		messages = append(messages, lm.Message{Role: m.Role, Content: m.Content})
	}
	return shownCall(messages, c.Temperature)
}

// programOf returns the predictors of a program of the goldens.
func goldenProgram(t *testing.T, name string) []*optimize.Predictor {
	t.Helper()
	switch name {
	case "one":
		return signatures("question -> answer")
	case "two":
		return signatures("question -> reasoning, query", "question, query -> answer")
	case "thought":
		return signatures("question -> reasoning, answer")
	}
	t.Fatalf("there is no program %s", name)
	return nil
}

// coproWrites is the model of testdata/copro.py: equal messages get replies that are
// numbered.
func coproWrites() func(optimize.Role, *lm.Request) (string, error) {
	seen := map[string]int{}
	word := regexp.MustCompile(`w(\d+)`)
	return func(role optimize.Role, req *lm.Request) (string, error) {
		if role == studied {
			return hashed(req, 5), nil
		}
		key := shownCall(req.Messages, nil)
		numbered := *req
		numbered.Rollout = seen[key]
		seen[key]++
		return word.ReplaceAllStringFunc(hashed(&numbered, 200), func(w string) string {
			if n, _ := strconv.Atoi(w[1:]); n%3 == 0 {
				return ` "` + w + ` "`
			}
			return w
		}), nil
	}
}

// TestCoproAsDSPy compares whole compiles with DSPy's: every message, every
// measurement, and what is found.
func TestCoproAsDSPy(t *testing.T) {
	var cases []struct {
		Name, Program string
		Rows, K       int
		Settings      map[string]any
		Calls         []*goldenCall
		Measured      int
		Instructions  []string
		Scores        []float64
	}
	readGolden(t, "copro.json", &cases)
	if len(cases) < 5 {
		t.Fatalf("only %d cases", len(cases))
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			b := &bench{Reply: coproWrites()}
			b.chain(sameAnswer)
			s := b.study(t, "copro", integers(c.Settings), goldenProgram(t, c.Program), numbered("train", c.Rows, c.K), nil)
			found, err := copro{}.Optimize(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			var want, got []string
			for _, call := range c.Calls {
				for range call.N {
					want = append(want, call.shown())
				}
			}
			rollouts := map[int]bool{}
			for _, req := range b.asked {
				got = append(got, shownCall(req.Messages, req.Temperature))
				rollouts[req.Rollout] = true
			}
			compareCalls(t, got, want)
			if len(rollouts) != len(b.asked) {
				t.Errorf("%d questions have %d rollouts", len(b.asked), len(rollouts))
			}
			if n := len(s.Trials()); n != c.Measured {
				t.Errorf("%d measurements, DSPy makes %d", n, c.Measured)
			}
			for i, want := range c.Instructions {
				if got := cmp.Or(found[0].Steps[i].Instructions, instructionsOf(s, i)); got != want {
					t.Errorf("predictor %d: %q, DSPy finds %q", i, got, want)
				}
			}
			if got := percent(100 * s.Best().Means[0]); got != percent(c.Scores[0]) {
				t.Errorf("the best score is %s, DSPy's is %s", got, percent(c.Scores[0]))
			}
		})
	}
}

// compareCalls compares calls one by one and shows the first that differs.
func compareCalls(t *testing.T, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d calls, DSPy makes %d", len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("call %d is\n%s\nDSPy's is\n%s", i+1, got[i], want[i])
		}
	}
}

// integers makes ints of whole numbers, as settings have them.
func integers(m map[string]any) map[string]any {
	out := map[string]any{}
	for name, v := range m {
		if f, ok := v.(float64); ok && f == float64(int(f)) {
			v = int(f)
		}
		out[name] = v
	}
	return out
}

func coproStudy(t *testing.T, settings map[string]any) (*bench, *optimize.Study) {
	b := &bench{Reply: coproWrites()}
	b.chain(sameAnswer)
	return b, b.study(t, "copro", settings, goldenProgram(t, "two"), numbered("train", 6, 3), numbered("dev", 4, 3))
}

func TestCoproMeasuresTrainingRowsOnly(t *testing.T) {
	b, s := coproStudy(t, map[string]any{"breadth": 3, "depth": 2})
	if _, err := (copro{}).Optimize(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	for _, r := range b.runs {
		if r.Row.Set != "train" {
			t.Fatalf("a row of %s was run", r.Row.Set)
		}
	}
	best := s.Trials()[0].Means[0]
	for _, trial := range s.Trials() {
		if trial.Best && trial.Means[0] < best {
			t.Errorf("trial %d is called the best with %v, after %v", trial.N, trial.Means[0], best)
		}
		if trial.Best {
			best = trial.Means[0]
		}
	}
}

func TestCoproSpent(t *testing.T) {
	spentAnywhere(t, copro{}, func() (*bench, *optimize.Study) {
		return coproStudy(t, map[string]any{"breadth": 3, "depth": 2})
	})
}

func TestCoproSeeds(t *testing.T) {
	seen := map[string]string{}
	for _, seed := range []uint64{0, 0, 7, 7} {
		b, s := coproStudy(t, map[string]any{"breadth": 4, "depth": 2})
		s.Seed = seed
		b.Reply = func(_ optimize.Role, req *lm.Request) (string, error) { return hashed(req, 40), nil }
		found, err := copro{}.Optimize(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		key, what := fmt.Sprint(seed), digest(found)
		for _, trial := range s.Trials() {
			what += trial.Candidate.Key()
		}
		if was, ok := seen[key]; ok && was != what {
			t.Errorf("seed %d went two ways", seed)
		}
		seen[key] = what
	}
	if seen["0"] == seen["7"] {
		t.Error("two seeds went the same way")
	}
}

// TestCoproWithoutAnswers: a model that gives nothing that can be read leaves the
// program as it is.
func TestCoproWithoutAnswers(t *testing.T) {
	b, s := coproStudy(t, map[string]any{"breadth": 3, "depth": 2})
	b.Reply = func(role optimize.Role, req *lm.Request) (string, error) {
		if role == studied {
			return hashed(req, 5), nil
		}
		if len(b.asked)%2 == 0 {
			return "", &lm.Error{Kind: lm.KindServer, Message: "broken"}
		}
		return "nothing of that kind", nil
	}
	found, err := copro{}.Optimize(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	for i, step := range found[0].Steps {
		if step.Instructions != instructionsOf(s, i) {
			t.Errorf("predictor %d has %q", i, step.Instructions)
		}
	}
	if !slices.ContainsFunc(b.events, func(e optimize.Event) bool { return strings.Contains(e.Doing, "was written: ") }) {
		t.Error("nobody was told")
	}
}

func TestCoproTunesWhatItMay(t *testing.T) {
	b, s := coproStudy(t, map[string]any{"breadth": 3, "depth": 2})
	s.Predictors[0].TuneInstructions = false
	found, err := copro{}.Optimize(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if found[0].Steps[0].Instructions != s.Start.Steps[0].Instructions {
		t.Error("an instruction was changed that may not be tuned")
	}
	if len(b.asked) != 2+3 {
		t.Errorf("%d questions, want 5 for one predictor", len(b.asked))
	}
}

func TestCoproCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	b, s := coproStudy(t, map[string]any{"breadth": 3, "depth": 3})
	b.Before = func(run int) {
		if run == 20 {
			cancel()
		}
	}
	found, err := copro{}.Optimize(ctx, s)
	if !errors.Is(err, context.Canceled) || len(found) != 1 || found[0] == nil {
		t.Fatalf("%v, %v", found, err)
	}
	if len(b.runs) > 20 {
		t.Errorf("%d runs were begun", len(b.runs))
	}
}
