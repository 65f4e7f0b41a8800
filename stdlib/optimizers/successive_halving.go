package optimizers

import (
	"context"
	"errors"
	"fmt"

	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/stdlib/optimizers/search"
)

// successiveHalving measures many configurations on few rows, the best of them on
// more, and the last on all (see search.NewSuccessiveHalving). The rows of a rung are
// among those of the next, so that no run is made twice.
type successiveHalving struct{}

func (successiveHalving) Optimize(ctx context.Context, s *optimize.Study) ([]*optimize.Candidate, error) {
	x, err := searchedVariables(s)
	if err != nil {
		return nil, err
	}
	sampler, err := search.NewRandom(x.space, searchSeed(s))
	if err != nil {
		return nil, err
	}
	rows := append([]*optimize.Example(nil), x.rows...)
	s.Rand("rows").Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	if len(rows) == 0 {
		return nil, errors.New("successive_halving has no row to measure on; give `train` or `dev`")
	}
	h, err := search.NewSuccessiveHalving(sampler, search.HalvingOptions{
		Points: s.Settings.Int("candidates"), Min: min(s.Settings.Int("min_rows"), len(rows)), Max: len(rows), Eta: s.Settings.Int("eta"),
	})
	if err != nil {
		return nil, err
	}
	t := &searchTrials{searched: x}
	for {
		jobs, err := h.Ask(h.Rungs()[0].Points)
		if errors.Is(err, search.ErrExhausted) {
			return t.found(nil)
		}
		if err != nil {
			return t.found(impossible(err))
		}
		s.Doing(fmt.Sprintf("rung %d of %d: %d configurations on %d rows", jobs[0].Rung+1, len(h.Rungs()), len(jobs), jobs[0].Resource))
		part := rows[:jobs[0].Resource]
		candidates := make([]*optimize.Candidate, len(jobs))
		for i, j := range jobs {
			candidates[i] = x.candidate(j.Point)
		}
		if err := atOnce(ctx, s, candidates, part); err != nil {
			return t.found(err)
		}
		for i, j := range jobs {
			score, err := s.Evaluate(ctx, candidates[i], part)
			if err != nil {
				return t.found(err)
			}
			s.Tried(score, len(part) == len(rows), x.note(j.Point), x.params(j.Point))
			if t.best == nil || len(part) > len(t.best.Rows) || score.Value() > t.best.Value() {
				t.best = score
			}
			h.Tell(j, -score.Value(), anyRan(score))
		}
	}
}
