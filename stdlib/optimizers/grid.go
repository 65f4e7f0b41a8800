package optimizers

import (
	"context"

	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/stdlib/optimizers/search"
)

// grid measures every configuration once, the last variable changing fastest. A
// variable that has no end of values has `points` of them, its ends among them.
type grid struct{}

func (g grid) Optimize(ctx context.Context, s *optimize.Study) ([]*optimize.Candidate, error) {
	t, err := g.trials(s)
	if err != nil {
		return nil, err
	}
	return t.found(t.run(ctx, s.Settings.Int("max_trials")))
}

// Ready refuses a grid that is too large, and one of which the constraints leave nothing.
func (g grid) Ready(s *optimize.Study) error {
	_, err := g.trials(s)
	return err
}

func (grid) trials(s *optimize.Study) (*searchTrials, error) {
	x, err := searchedVariables(s)
	if err != nil {
		return nil, err
	}
	t := &searchTrials{searched: x}
	t.sampler, err = search.NewGrid(x.space, search.GridOptions{Points: s.Settings.Int("points"), Max: s.Settings.Int("max_trials")})
	return t, impossible(err)
}
