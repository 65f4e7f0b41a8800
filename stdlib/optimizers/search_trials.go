package optimizers

import (
	"context"
	"errors"
	"fmt"

	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/stdlib/optimizers/search"
)

// searchTrials measures what a search asks for.
type searchTrials struct {
	*searched
	sampler search.Sampler
	fronts  bool // all objectives count: no candidate is given up early
	best    *optimize.Score
	scores  []*optimize.Score // of those measured on all rows, in their order
}

// Rows of fewer than this are measured for several candidates at once, so that there
// is enough to do at once; of how many must not depend on how much the study allows,
// or a tuning that goes on elsewhere would go another way.
const (
	searchRows  = 16
	searchBatch = 8
)

// batch is how many candidates are asked for at once.
func (t *searchTrials) batch() int {
	return min(searchBatch, max(1, (searchRows+len(t.rows)-1)/max(1, len(t.rows))))
}

// first measures the program as it is; it counts as a trial.
func (t *searchTrials) first(ctx context.Context) error {
	score, err := t.measure(ctx, t.s.Start)
	if err != nil {
		return err
	}
	var params map[string]any
	p, ok := t.start()
	if ok {
		params = t.params(p)
		t.tell(p, score)
	}
	t.keep(score, "as it was", params)
	return nil
}

// run measures up to n candidates. It ends earlier when nothing is left to try.
func (t *searchTrials) run(ctx context.Context, n int) error {
	for n > 0 {
		points, err := t.sampler.Ask(min(n, t.batch()))
		if errors.Is(err, search.ErrExhausted) {
			t.s.Doing("every configuration has been measured")
			return nil
		}
		if err != nil {
			return impossible(err)
		}
		candidates := make([]*optimize.Candidate, len(points))
		for i, p := range points {
			candidates[i] = t.candidate(p)
		}
		if err := atOnce(ctx, t.s, candidates, t.rows); err != nil {
			return err
		}
		for i, c := range candidates {
			score, err := t.measure(ctx, c)
			if err != nil {
				return err
			}
			t.tell(points[i], score)
			t.keep(score, t.note(points[i]), t.params(points[i]))
		}
		n -= len(points)
	}
	return nil
}

// Ready refuses to begin where the constraints leave no configuration.
func (random) Ready(s *optimize.Study) error            { return anyConfiguration(s) }
func (tpe) Ready(s *optimize.Study) error               { return anyConfiguration(s) }
func (nsga2) Ready(s *optimize.Study) error             { return anyConfiguration(s) }
func (successiveHalving) Ready(s *optimize.Study) error { return anyConfiguration(s) }

// anyConfiguration sees that a configuration of the variables fulfils the constraints.
func anyConfiguration(s *optimize.Study) error {
	x, err := searchedVariables(s)
	if err != nil {
		return nil // there may be more to search than variables, which is known later
	}
	sampler, err := search.NewRandom(x.space, searchSeed(s))
	if err == nil {
		_, err = sampler.Ask(1)
	}
	if errors.Is(err, search.ErrExhausted) {
		return nil
	}
	return impossible(err)
}

// impossible says what to change when the constraints leave nothing.
func impossible(err error) error {
	if errors.Is(err, search.ErrNoValidPoint) {
		return fmt.Errorf("%w; loosen a `constraint`, or give a variable more values", err)
	}
	return err
}

// atOnce runs several candidates on rows; their outcomes are then known to the study.
// One candidate is left to EvaluateAgainst, which may give it up.
func atOnce(ctx context.Context, s *optimize.Study, candidates []*optimize.Candidate, rows []*optimize.Example) error {
	if len(candidates) < 2 {
		return nil
	}
	return s.Each(ctx, len(candidates)*len(rows), func(ctx context.Context, i int) error {
		_, err := s.Run(ctx, candidates[i/len(rows)], rows[i%len(rows)], optimize.Variation{})
		return err
	})
}

// measure measures a candidate on all rows.
func (t *searchTrials) measure(ctx context.Context, c *optimize.Candidate) (*optimize.Score, error) {
	if t.fronts {
		return t.s.Evaluate(ctx, c, t.rows)
	}
	return t.s.EvaluateAgainst(ctx, c, t.rows, t.best)
}

// tell tells the search what a candidate was worth; one of which every row failed is
// worse than all others.
func (t *searchTrials) tell(p search.Point, score *optimize.Score) {
	t.sampler.Tell(p, aims(t.s, score, t.fronts), anyRan(score))
}

// anyRan reports whether a row of a candidate has not failed.
func anyRan(score *optimize.Score) bool {
	for _, o := range score.Outcomes {
		if !o.Failed() {
			return true
		}
	}
	return false
}

// aims are the objectives of a score, all to be minimized: the first, or every one.
func aims(s *optimize.Study, score *optimize.Score, all bool) []float64 {
	out := []float64{-score.Value()}
	if all {
		out = out[:0]
		for i, o := range s.Objectives {
			out = append(out, -o.Value(score.Means[i]))
		}
	}
	return out
}

// keep keeps a score as a trial.
func (t *searchTrials) keep(score *optimize.Score, note string, params map[string]any) {
	t.s.Tried(score, len(t.rows) == len(devRows(t.s)), note, params)
	if score.GivenUp {
		return
	}
	t.scores = append(t.scores, score)
	if t.best == nil || score.Value() > t.best.Value() {
		t.best = score
	}
}

// found is the best candidate, and the error with which the search ended.
func (t *searchTrials) found(err error) ([]*optimize.Candidate, error) {
	if t.best == nil {
		return nil, err
	}
	return []*optimize.Candidate{t.best.Candidate}, err
}

// searchSeed is the seed of a search.
func searchSeed(s *optimize.Study) uint64 { return s.Rand("search").Uint64() }
