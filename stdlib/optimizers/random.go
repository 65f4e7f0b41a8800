package optimizers

import (
	"context"

	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/stdlib/optimizers/search"
)

// random measures the program as it is, and then configurations at random: each value
// of a variable as likely as any other, none twice (Bergstra and Bengio 2012).
type random struct{}

func (random) Optimize(ctx context.Context, s *optimize.Study) ([]*optimize.Candidate, error) {
	x, err := searchedVariables(s)
	if err != nil {
		return nil, err
	}
	t := &searchTrials{searched: x}
	if t.sampler, err = search.NewRandom(x.space, searchSeed(s)); err != nil {
		return nil, err
	}
	if err := t.first(ctx); err != nil {
		return t.found(err)
	}
	return t.found(t.run(ctx, s.Settings.Int("trials")-1))
}
