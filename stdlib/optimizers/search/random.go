package search

import (
	"math/rand/v2"
)

// random is the search of NewRandom.
type random struct{ history }

// NewRandom searches at random, each value of a dimension as likely as the others
// on its scale. No point of a finite space comes twice.
func NewRandom(space *Space, seed uint64) (Sampler, error) {
	h, err := newHistory(space, seed)
	if err != nil {
		return nil, err
	}
	return &random{h}, nil
}

// Ask implements Sampler.
func (r *random) Ask(n int) ([]Point, error) {
	return r.ask(n, func(rng *rand.Rand) (Point, error) {
		return r.admit(rng, func() Point { return r.space.uniform(rng) })
	})
}
