//go:build dspy && unix

package python_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/python"
	"github.com/dspi-lang/dspi/lang/value"
)

// numbered is DSPy's MIPROv2, which says in which process it works.
const numbered = `import os

import dspy


class Numbered(dspy.MIPROv2):
    def compile(self, student, *, trainset, valset, num_trials, minibatch):
        with open(os.path.join(os.path.dirname(__file__), "pid"), "w") as f:
            f.write(str(os.getpid()))
        return super().compile(student, trainset=trainset, valset=valset, num_trials=num_trials, minibatch=minibatch)
`

// killing runs it and kills its process while the questions of the given numbers are
// answered.
func killing(t *testing.T, at ...int64) (*sorter, *python.OptimizeResult, int64, error) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "own.py"), []byte(numbered), 0o666); err != nil {
		t.Fatal(err)
	}
	s := newSorter(t, "own:Numbered", value.NewObject(
		"auto", nil, "num_candidates", 3, "num_trials", 4, "max_bootstrapped_demos", 1, "max_labeled_demos", 1, "minibatch", false), 10, 10)
	s.req.Folder = folder
	var asked atomic.Int64
	ask := func() {
		n := asked.Add(1)
		for _, k := range at {
			if n != k {
				continue
			}
			pid := 0
			fmt.Sscan(mustRead(t, filepath.Join(folder, "pid")), &pid)
			if pid == 0 || !killOne(pid) {
				t.Errorf("there is no process %d to kill at question %d", pid, k)
			}
		}
	}
	s.req.Run = func(ctx context.Context, r *python.OptimizeRun) (*python.OptimizeRan, error) {
		ask()
		return s.run(ctx, r)
	}
	s.req.Score = func(ctx context.Context, c *python.OptimizeScore) (*python.OptimizeScored, error) {
		ask()
		return s.score(ctx, c)
	}
	s.req.Generate = func(ctx context.Context, model string, req *lm.Request) (*lm.Response, error) {
		ask()
		return s.generate(ctx, model, req)
	}
	got, err := s.optimize()
	return s, got, asked.Load(), err
}

// TestDSPyOptimizeKilled: an optimizer whose process is killed goes on in another one,
// with what was answered: the result is that of one that was left alone, and nothing is
// run or asked twice.
func TestDSPyOptimizeKilled(t *testing.T) {
	alone, want, questions, err := killing(t)
	if err != nil {
		t.Fatal(rendered(err))
	}
	evaluated := func(s *sorter) (out []string) {
		for _, e := range s.evals {
			out = append(out, fmt.Sprintf("%s %v of %d", e.Candidate.ID, e.Score, e.Rows))
		}
		return out
	}
	random := rand.New(rand.NewPCG(8, 22))
	points := []int64{1, questions}
	for len(points) < 6 {
		points = append(points, 2+random.Int64N(questions-2))
	}
	for _, at := range points {
		t.Run(fmt.Sprintf("question %d of %d", at, questions), func(t *testing.T) {
			s, got, asked, err := killing(t, at)
			if err != nil {
				t.Fatal(rendered(err))
			}
			if asked != questions || len(s.seen) != len(alone.seen) || len(s.asked) != len(alone.asked) || got.Runs != want.Runs {
				t.Errorf("it was asked %d questions, of them %d runs and %d for models; alone %d, %d and %d", asked, len(s.seen), len(s.asked), questions, len(alone.seen), len(alone.asked))
			}
			if got.Best.ID != want.Best.ID || *got.Score != *want.Score {
				t.Errorf("it gives %s with %v, alone %s with %v", got.Best.ID, *got.Score, want.Best.ID, *want.Score)
			}
			if !reflect.DeepEqual(evaluated(s), evaluated(alone)) {
				t.Errorf("it reports\n%s\nalone\n%s", strings.Join(evaluated(s), "\n"), strings.Join(evaluated(alone), "\n"))
			}
			if !strings.Contains(strings.Join(s.messages, "\n"), "Python ended (signal: killed): the optimizer starts anew") {
				t.Errorf("that it ended is not told: %q", s.messages)
			}
		})
	}
	t.Run("twice", func(t *testing.T) {
		_, _, _, err := killing(t, questions/3, 2*questions/3)
		if err == nil {
			t.Fatal("it works")
		}
		for _, says := range []string{"E0653", "so is the one that was started in its place: signal: killed, then signal: killed", "--resume"} {
			if !strings.Contains(rendered(err), says) {
				t.Errorf("it does not say %q:\n%s", says, rendered(err))
			}
		}
	})
}
