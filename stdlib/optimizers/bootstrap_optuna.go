package optimizers

import (
	"context"
	"errors"
	"fmt"

	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/stdlib/optimizers/search"
)

// bootstrapOptuna bootstraps demos once and looks for the one demo of each predictor
// that is best on the dev rows: DSPy's BootstrapFewShotWithOptuna (Khattab and others,
// 2023, arXiv:2310.03714). Where DSPy asks Optuna, with no seed, the search is that of
// tpe (Bergstra and others, 2011; Watanabe, 2023, arXiv:2304.11127), and a demo is one
// of several choices and not a number: its neighbours are not alike. It ends earlier
// where every choice was measured.
type bootstrapOptuna struct{}

func (bootstrapOptuna) Optimize(ctx context.Context, s *optimize.Study) ([]*optimize.Candidate, error) {
	s.Doing("running the program on training rows")
	demos, err := bootstrapDemos(ctx, s, bootstrapOf(s))
	c := s.Start.WithoutDemos(s)
	if err != nil {
		return []*optimize.Candidate{withDemos(s, c, demos)}, err
	}
	space, at := &search.Space{}, []int{} // of each dimension, its predictor
	for i, p := range s.Predictors {
		if len(demos[i]) > 0 {
			space.Dimensions = append(space.Dimensions, search.Dimension{Name: p.Path + ".demos", Kind: search.Choice, Choices: len(demos[i])})
			at = append(at, i)
		}
	}
	if len(at) == 0 {
		return []*optimize.Candidate{c}, nil
	}
	sampler, err := search.NewTPE(space, s.Rand("demos").Uint64(), search.TPEOptions{})
	if err != nil {
		return []*optimize.Candidate{c}, err
	}
	var best *optimize.Score
	ended := func(err error) ([]*optimize.Candidate, error) {
		if best == nil {
			return []*optimize.Candidate{withDemos(s, c, demos)}, err
		}
		return []*optimize.Candidate{best.Candidate}, err
	}
	for n := range s.Settings.Int("candidates") {
		points, err := sampler.Ask(1)
		if errors.Is(err, search.ErrExhausted) {
			break
		}
		if err != nil {
			return ended(err)
		}
		x, params := c, map[string]any{}
		for d, i := range at {
			chosen := int(points[0][d])
			x = x.WithDemos(i, demos[i][chosen:chosen+1])
			params[space.Dimensions[d].Name] = chosen
		}
		score, err := s.EvaluateAgainst(ctx, x, devRows(s), best)
		if err != nil {
			return ended(err)
		}
		sampler.Tell(points[0], []float64{-score.Value()}, true)
		s.Tried(score, true, fmt.Sprintf("one demo of each step, choice %d", n+1), params)
		if !score.GivenUp && (best == nil || score.Value() > best.Value()) {
			best = score
		}
	}
	return ended(nil)
}
