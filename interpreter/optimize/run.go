package optimize

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"sync"

	"github.com/dspi-lang/dspi/lang/value"
)

// Variation tells runs of the same candidate on the same row apart.
type Variation struct {
	// Rollout makes models answer anew; 0 is the first answer.
	Rollout int
	// Temperature, where it is not nil, is that of steps which say none themselves.
	Temperature *float64
	// Teacher lets the block's `teacher` answer, if it names one.
	Teacher bool
}

func (v Variation) key() string {
	t := "-"
	if v.Temperature != nil {
		t = strconv.FormatFloat(*v.Temperature, 'g', -1, 64)
	}
	return fmt.Sprintf("%d/%s/%t", v.Rollout, t, v.Teacher)
}

// Outcome is one run of a candidate on a row.
type Outcome struct {
	// Outputs are those of the program; nil where it failed.
	Outputs *value.Object
	// Scores are those of the objectives, in their order; NaN where one is not known.
	Scores []float64
	// Feedback is what the first objective says in words; "" where it says nothing.
	Feedback string
	// Err is why the program failed; "" where it did not.
	Err string
	// Unscored is why the first objective gave no score of a run that did not fail; ""
	// where it gave one.
	Unscored string
	// Asked are the questions of predictors that were answered, in the order of the
	// program.
	Asked []Asked
	// Seconds and USD are what the run took.
	Seconds float64
	USD     float64
	Calls   int
}

// Asked is a question of a predictor that was answered.
type Asked struct {
	Predictor int
	Inputs    *value.Object
	Outputs   *value.Object
}

// Score returns the outcome's score of the first objective, as the metric gives it;
// 0 for a run that failed, or whose score is not known.
func (o *Outcome) Score() float64 {
	if o == nil || len(o.Scores) == 0 || math.IsNaN(o.Scores[0]) {
		return 0
	}
	return o.Scores[0]
}

// Failed reports whether the program failed.
func (o *Outcome) Failed() bool { return o.Err != "" }

// Fault is why runs have no score, and how many.
type Fault struct {
	// Metric tells that the program did its work, and the metric failed.
	Metric bool   `json:"metric,omitempty"`
	Title  string `json:"title"`
	Runs   int    `json:"runs"`
}

// Faults says why runs have no score, the most frequent reason first, and how many runs
// there were. Runs that the log answered count.
func (s *Study) Faults() (faults []Fault, runs int) {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	found := map[Fault]int{}
	for _, f := range s.state.runs {
		select {
		case <-f.done:
		default:
			continue
		}
		switch o := f.outcome; {
		case o == nil:
			continue
		case o.Failed():
			found[Fault{Title: o.Err}]++
		case o.Unscored != "":
			found[Fault{Metric: true, Title: o.Unscored}]++
		}
		runs++
	}
	for f, n := range found {
		f.Runs = n
		faults = append(faults, f)
	}
	slices.SortFunc(faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(b.Runs, a.Runs), cmp.Compare(a.Title, b.Title))
	})
	return faults, runs
}

// state is what the stages of a study share.
type state struct {
	mu     sync.Mutex
	runs   map[string]*flight
	trials []*Trial
	best   *Trial
	watch  sync.Mutex
}

// flight is a run that is under way or has ended.
type flight struct {
	done    chan struct{}
	outcome *Outcome
	err     error
}

func newState() *state { return &state{runs: map[string]*flight{}} }

// Run runs a candidate on a row, or returns what the same run gave before. The error
// is ErrSpent, or that of ctx.
func (s *Study) Run(ctx context.Context, c *Candidate, row *Example, v Variation) (*Outcome, error) {
	return s.run(ctx, c.Key(), c, row, v)
}

func (s *Study) run(ctx context.Context, candidate string, c *Candidate, row *Example, v Variation) (*Outcome, error) {
	key := candidate + " " + row.Set + " " + strconv.Itoa(row.N) + " " + v.key()
	for {
		s.state.mu.Lock()
		f, ok := s.state.runs[key]
		if !ok {
			f = &flight{done: make(chan struct{})}
			s.state.runs[key] = f
		}
		s.state.mu.Unlock()
		if !ok {
			f.outcome, f.err = s.execute(ctx, key, c, row, v)
			if f.err != nil { // nothing is known of it: it may be tried again
				s.state.mu.Lock()
				delete(s.state.runs, key)
				s.state.mu.Unlock()
			}
			close(f.done)
			return f.outcome, f.err
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if f.err == nil {
			return f.outcome, nil
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
}

// execute runs a candidate unless the log has what came of it.
func (s *Study) execute(ctx context.Context, key string, c *Candidate, row *Example, v Variation) (*Outcome, error) {
	if o := s.Log.outcome(key); o != nil {
		return o, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	o, err := s.Runner.Run(ctx, c, row, v)
	if err != nil {
		return nil, err
	}
	s.Log.keep(key, o)
	return o, nil
}

// Each calls do for 0 to n-1, as many at once as the study allows. The first error
// ends the rest and is returned when all have ended.
func (s *Study) Each(ctx context.Context, n int, do func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		work   sync.WaitGroup
		once   sync.Once
		failed error
	)
	next := make(chan int)
	for range min(max(s.Concurrency, 1), n) {
		work.Go(func() {
			for i := range next {
				if err := do(ctx, i); err != nil {
					once.Do(func() { failed = err })
					cancel()
				}
			}
		})
	}
	for i := range n {
		if ctx.Err() != nil {
			break
		}
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	work.Wait()
	if failed == nil {
		failed = context.Cause(ctx)
	}
	return failed
}
