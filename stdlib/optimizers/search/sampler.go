package search

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
)

// Sampler is a search: it is asked for points and told what they are worth.
//
// The same constructor, seed and order of calls give the same points. Between two
// batches, when everything that was asked has been told, a search is a function of
// what it was told and of nothing else: one that is told the same afresh goes on
// with the same points. A sampler is not for use by several goroutines at once.
type Sampler interface {
	// Ask returns up to n points that are to be measured; it knows which of its
	// points are still out. It returns fewer when nothing else is left to try, and
	// none with ErrExhausted when nothing is. ErrNoValidPoint says that the
	// constraints leave nothing, or so little that it was not found.
	Ask(n int) ([]Point, error)
	// Tell says what a point was worth: its objectives, all to be minimized, always
	// as many. Where ok is false, or one of them is NaN, measuring has failed, and
	// the point counts as worse than all others. The point need not have been asked.
	Tell(p Point, objectives []float64, ok bool)
}

// record is a point that has been told.
type record struct {
	point  Point
	values []float64
	ok     bool
}

// history is what every sampler knows: what it was told and what is still out.
type history struct {
	space   *Space
	seed    uint64
	told    []record
	pending []Point
	seen    map[string]int
	all     []Point // every valid point of a small space, once it has been needed
}

func newHistory(space *Space, seed uint64) (history, error) {
	if err := space.Check(); err != nil {
		return history{}, err
	}
	return history{space: space, seed: seed, seen: map[string]int{}}, nil
}

// Tell implements Sampler.
func (h *history) Tell(p Point, objectives []float64, ok bool) {
	p = h.space.Normalize(p)
	for _, v := range objectives {
		ok = ok && !math.IsNaN(v)
	}
	ok = ok && len(objectives) > 0
	k := p.key()
	asked := false
	for i, q := range h.pending {
		if q.key() == k {
			h.pending = append(h.pending[:i:i], h.pending[i+1:]...)
			asked = true
			break
		}
	}
	if !asked {
		h.seen[k]++
	}
	h.told = append(h.told, record{point: p, values: append([]float64(nil), objectives...), ok: ok})
}

// ask asks propose n times.
func (h *history) ask(n int, propose func(*rand.Rand) (Point, error)) ([]Point, error) {
	var out []Point
	for range n {
		p, err := propose(h.stream(0))
		if err != nil {
			if len(out) > 0 && errors.Is(err, ErrExhausted) {
				break
			}
			return out, err
		}
		h.seen[p.key()]++
		h.pending = append(h.pending, p)
		out = append(out, append(Point(nil), p...))
	}
	return out, nil
}

// stream is the source of chance for the next point. It depends on how many were
// told and how many are out, and not on how it came to that.
func (h *history) stream(salt uint64) *rand.Rand {
	return rand.New(rand.NewPCG(mix(h.seed^salt), mix(uint64(len(h.told))<<32|uint64(len(h.pending)))))
}

// mix is the finalizer of SplitMix64: neighbouring numbers give unlike ones.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Bounds of rejection: how many points may break the constraints, and how many
// may be known already, before it is looked at what there is at all.
const (
	invalidTries = 20_000
	knownTries   = 200
)

// admit makes points until one is valid and new. Where none comes, it takes one of
// those of a small space that are left, and in a large one a point once more.
func (h *history) admit(rng *rand.Rand, make func() Point) (Point, error) {
	var again Point
	known, invalid := 0, 0
	for known < knownTries && invalid < invalidTries {
		p := h.space.Normalize(make())
		if h.space.Valid != nil && !h.space.Valid(p) {
			invalid++
			continue
		}
		if h.seen[p.key()] == 0 {
			return p, nil
		}
		again = p
		known++
	}
	all, small := h.every()
	if small {
		var left []Point
		for _, p := range all {
			if h.seen[p.key()] == 0 {
				left = append(left, p)
			}
		}
		switch {
		case len(all) == 0:
			return nil, fmt.Errorf("%w: all its combinations were tried", ErrNoValidPoint)
		case len(left) == 0:
			return nil, ErrExhausted
		}
		return left[rng.IntN(len(left))], nil
	}
	if again != nil {
		return again, nil
	}
	return nil, fmt.Errorf("%w: %d combinations were tried", ErrNoValidPoint, invalid)
}

// every returns all valid points where the space is small enough for a list.
func (h *history) every() (all []Point, small bool) {
	product := 1.0
	for i := range h.space.Dimensions {
		product *= h.space.Dimensions[i].Values()
	}
	if product > countable {
		return nil, false
	}
	if h.all == nil {
		h.all = []Point{}
		for p := range h.space.Points() {
			h.all = append(h.all, p)
		}
	}
	return h.all, true
}

// uniform draws a point: every value of a dimension is equally likely, on the
// scale of the dimension.
func (s *Space) uniform(rng *rand.Rand) Point {
	p := s.first()
	for i := range p {
		u := rng.Float64()
		if s.active(i, p) {
			p[i] = s.Dimensions[i].value(u)
		}
	}
	return p
}

// spread is point number i of n that are spread over the space: a Latin hypercube
// (McKay, Beckman and Conover 1979). Each dimension is cut into n slices, and each
// slice is met once.
func (h *history) spread(i, n int) Point {
	p := h.space.first()
	for d := range p {
		rng := rand.New(rand.NewPCG(mix(h.seed^0x5eed), mix(uint64(d))))
		slices, u := rng.Perm(n), 0.0
		for k := range n {
			if v := rng.Float64(); k == i {
				u = v
			}
		}
		if h.space.active(d, p) {
			p[d] = h.space.Dimensions[d].value((float64(slices[i]) + u) / float64(n))
		}
	}
	return p
}

// start proposes the first n points: spread over the space, and at random where a
// place of the spread is taken or forbidden.
func (h *history) start(rng *rand.Rand, n int) (Point, error) {
	i := len(h.told) + len(h.pending)
	tries := 0
	return h.admit(rng, func() Point {
		if tries++; tries == 1 && i < n {
			return h.spread(i, n)
		}
		return h.space.uniform(rng)
	})
}
