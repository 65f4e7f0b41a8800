package optimizers

import (
	"context"

	"github.com/dspi-lang/dspi/interpreter/optimize"
)

// bootstrapFewShot gives the predictors demos that the program made on training rows,
// where the metric likes its outputs: DSPy's BootstrapFewShot (Khattab and others,
// 2023, arXiv:2310.03714). With the seed 0, the same rows and the same answers the
// demos are DSPy's. A row that fails is passed over, however many do.
type bootstrapFewShot struct{}

func (bootstrapFewShot) Optimize(ctx context.Context, s *optimize.Study) ([]*optimize.Candidate, error) {
	s.Doing("running the program on training rows")
	c, err := withBootstrapped(ctx, s, bootstrapOf(s))
	return []*optimize.Candidate{c}, err
}
