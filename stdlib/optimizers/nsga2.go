package optimizers

import (
	"context"
	"slices"

	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/stdlib/optimizers/search"
)

// nsga2 weighs all objectives at once: generations of configurations, of which those
// live on that no other beats in every respect (see search.NewNSGA2). The program as it
// is belongs to the first generation. Instructions and sets of demos are proposed as in
// mipro_v2. The result is the front: the best in the first objective, then the others
// in the order in which they were measured.
type nsga2 struct{}

func (nsga2) Optimize(ctx context.Context, s *optimize.Study) ([]*optimize.Candidate, error) {
	x, err := searchedAll(ctx, s)
	if err != nil {
		return nil, err
	}
	t := &searchTrials{searched: x, fronts: true}
	o := search.NSGA2Options{Population: s.Settings.Int("population"), Crossover: s.Settings.Float("crossover")}
	if _, ok := s.Settings.Given("mutation"); ok {
		o.Mutation = s.Settings.Float("mutation")
		if o.Mutation == 0 {
			o.Mutation = -1
		}
	}
	if o.Crossover == 0 {
		o.Crossover = -1
	}
	if t.sampler, err = search.NewNSGA2(x.space, searchSeed(s), o); err != nil {
		return nil, err
	}
	if err = t.first(ctx); err == nil {
		err = t.run(ctx, o.Population*s.Settings.Int("generations")-1)
	}
	return t.front(), err
}

// front returns the candidates that no other beats in every respect, the best in the
// first objective first. Equal scores count once.
func (t *searchTrials) front() []*optimize.Candidate {
	var values [][]float64
	var scores []*optimize.Score
	for _, score := range t.scores {
		if anyRan(score) || len(t.scores) == 1 {
			values, scores = append(values, aims(t.s, score, true)), append(scores, score)
		}
	}
	var front []int
	known := map[[8]float64]bool{}
	best := 0
	for _, i := range search.Front(values) {
		var key [8]float64
		copy(key[:], values[i])
		if known[key] {
			continue
		}
		known[key] = true
		if len(front) > 0 && values[i][0] < values[front[best]][0] {
			best = len(front)
		}
		front = append(front, i)
	}
	var out []*optimize.Candidate
	for k, i := range front {
		if k == best {
			out = slices.Insert(out, 0, scores[i].Candidate)
		} else {
			out = append(out, scores[i].Candidate)
		}
	}
	return out
}
