package optimizers

import (
	"context"

	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/stdlib/optimizers/search"
)

// tpe measures the program as it is, some configurations spread over the space, and
// then those that are likelier among the good ones than among the others: a
// tree-structured Parzen estimator (see search.NewTPE). Besides variables it chooses
// among instructions and sets of demos, proposed as in mipro_v2.
type tpe struct{}

func (tpe) Optimize(ctx context.Context, s *optimize.Study) ([]*optimize.Candidate, error) {
	x, err := searchedAll(ctx, s)
	if err != nil {
		return nil, err
	}
	t := &searchTrials{searched: x}
	o := search.TPEOptions{Startup: s.Settings.Int("startup"), Gamma: s.Settings.Float("gamma")}
	if t.sampler, err = search.NewTPE(x.space, searchSeed(s), o); err != nil {
		return nil, err
	}
	if err := t.first(ctx); err != nil {
		return t.found(err)
	}
	return t.found(t.run(ctx, s.Settings.Int("trials")-1))
}
