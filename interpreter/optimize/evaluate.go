package optimize

import (
	"context"
	"math"

	"github.com/dspi-lang/dspi/interpreter/evaluate"
)

// Score is a candidate on rows.
type Score struct {
	Candidate *Candidate
	Rows      []*Example
	// Outcomes are those of the rows, in their order; of a candidate that was given
	// up they are fewer.
	Outcomes []*Outcome
	// Means are those of the objectives, in their order. A row that failed, or whose
	// score is not known, counts 0 where more is better and is left out elsewhere.
	Means []float64
	// GivenUp tells that it was clearly worse after some of the rows.
	GivenUp bool
	study   *Study
}

// Mean returns the mean of the first objective, as the metric gives it.
func (s *Score) Mean() float64 { return s.Means[0] }

// Value returns the mean of the first objective, oriented so that more is better.
func (s *Score) Value() float64 { return s.study.Objectives[0].Value(s.Means[0]) }

// Values returns the first objective of each row, oriented so that more is better. Where
// less is better, a row that has no score counts as the worst of those that have one.
func (s *Score) Values() []float64 {
	out := make([]float64, len(s.Outcomes))
	worst := 0.0
	for i, o := range s.Outcomes {
		out[i] = s.study.rowValue(o, 0)
		worst = min(worst, out[i])
	}
	if s.study.Objectives[0].Lower {
		for i, o := range s.Outcomes {
			if o == nil || len(o.Scores) == 0 || math.IsNaN(o.Scores[0]) {
				out[i] = worst
			}
		}
	}
	return out
}

// Evaluate measures a candidate on rows, many at once. The error is ErrSpent, or that
// of ctx; then nothing is known of the candidate.
func (s *Study) Evaluate(ctx context.Context, c *Candidate, rows []*Example) (*Score, error) {
	return s.EvaluateAgainst(ctx, c, rows, nil)
}

// block is how many rows are measured before EvaluateAgainst looks whether the rest
// is worth it.
const block = 25

// EvaluateAgainst measures a candidate as Evaluate does, but gives it up when it is
// clearly worse than best on the rows measured so far: when the 99 % interval of the
// paired difference lies below zero. Best must have been measured on the same rows;
// nil, or a study without EarlyStop, measures all rows.
func (s *Study) EvaluateAgainst(ctx context.Context, c *Candidate, rows []*Example, best *Score) (*Score, error) {
	out := &Score{Candidate: c, Rows: rows, Outcomes: make([]*Outcome, len(rows)), study: s}
	key := c.Key()
	measure := func(from, to int) error {
		return s.Each(ctx, to-from, func(ctx context.Context, i int) error {
			o, err := s.run(ctx, key, c, rows[from+i], Variation{})
			out.Outcomes[from+i] = o
			return err
		})
	}
	if best == nil || !s.EarlyStop || len(best.Outcomes) < len(rows) {
		if err := measure(0, len(rows)); err != nil {
			return nil, err
		}
		out.sum()
		return out, nil
	}
	for from := 0; from < len(rows); from += block {
		to := min(from+block, len(rows))
		if err := measure(from, to); err != nil {
			return nil, err
		}
		if to < len(rows) && s.clearlyWorse(out.Outcomes[:to], best.Outcomes[:to]) {
			out.Outcomes, out.GivenUp = out.Outcomes[:to], true
			break
		}
	}
	out.sum()
	return out, nil
}

// clearlyWorse reports whether a is worse than b on the same rows.
func (s *Study) clearlyWorse(a, b []*Outcome) bool {
	diffs := make([]float64, len(a))
	for i := range a {
		diffs[i] = s.rowValue(a[i], 0) - s.rowValue(b[i], 0)
	}
	mean, deviation := evaluate.Mean(diffs), evaluate.Deviation(diffs)
	const z = 2.576 // of the normal distribution, 99 % two-sided
	return deviation > 0 && mean+z*deviation/math.Sqrt(float64(len(diffs))) < 0
}

// rowValue is the objective of a row, oriented so that more is better.
func (s *Study) rowValue(o *Outcome, objective int) float64 {
	if o == nil || objective >= len(o.Scores) || math.IsNaN(o.Scores[objective]) {
		return 0
	}
	return s.Objectives[objective].Value(o.Scores[objective])
}

func (s *Score) sum() {
	s.Means = make([]float64, len(s.study.Objectives))
	for i, objective := range s.study.Objectives {
		sum, n := 0.0, 0
		for _, o := range s.Outcomes {
			known := i < len(o.Scores) && !math.IsNaN(o.Scores[i])
			if known {
				sum += o.Scores[i]
			}
			if known || !objective.Lower {
				n++
			}
		}
		if n > 0 {
			s.Means[i] = sum / float64(n)
		}
	}
}
