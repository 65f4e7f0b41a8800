package optimizers

import (
	"context"

	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/stdlib/optimizers/search"
)

// grid measures every configuration once, the last variable changing fastest. A
// variable that has no end of values has `points` of them, its ends among them.
type grid struct{}

func (grid) Optimize(ctx context.Context, s *optimize.Study) ([]*optimize.Candidate, error) {
	x, err := searchedVariables(s)
	if err != nil {
		return nil, err
	}
	t := &searchTrials{searched: x}
	most := s.Settings.Int("max_trials")
	if t.sampler, err = search.NewGrid(x.space, search.GridOptions{Points: s.Settings.Int("points"), Max: most}); err != nil {
		return nil, impossible(err)
	}
	return t.found(t.run(ctx, most))
}
