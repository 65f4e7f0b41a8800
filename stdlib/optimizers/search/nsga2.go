package search

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// NSGA2Options are the settings of NewNSGA2. The zero value is the default.
type NSGA2Options struct {
	Population   int     // how many points a generation has, at least 4; 0: 50
	Crossover    float64 // how often two parents are mixed, from 0 to 1; 0: 0.9, below 0: never
	Mutation     float64 // how often a dimension is changed; 0: one dimension of a point on average, below 0: never
	CrossoverEta float64 // how near children are to their parents: the larger, the nearer; 0: 2
	MutationEta  float64 // the same of changes; 0: 30
}

// nsga2 is the search of NewNSGA2.
type nsga2 struct {
	history
	o NSGA2Options
	// The parents of the generation that is being asked, and for how many told they were chosen.
	parents []member
	chosen  int
}

// member is a point that may have children.
type member struct {
	record
	rank int     // the number of its front
	room float64 // how far its neighbours in the front are
}

// NewNSGA2 is the search for several objectives at once by Deb, Pratap, Agarwal and
// Meyarivan (2002): generations of points, of which those survive that no other
// dominates, the least crowded first. Children have numbers by simulated binary
// crossover (Deb and Agrawal 1995), choices from either parent, and are changed by
// polynomial mutation. Where measuring failed, a point is dominated by all others.
// A generation is the next o.Population points that are told.
func NewNSGA2(space *Space, seed uint64, options NSGA2Options) (Sampler, error) {
	h, err := newHistory(space, seed)
	if err != nil {
		return nil, err
	}
	o := options
	o.Population = or(o.Population, 50)
	if o.Crossover == 0 {
		o.Crossover = 0.9
	}
	if o.Mutation == 0 {
		o.Mutation = 1 / float64(len(space.Dimensions))
	}
	switch {
	case o.Population < 4:
		return nil, fmt.Errorf("a population has 4 points at least, and not %d", o.Population)
	case o.Crossover > 1 || o.Mutation > 1:
		return nil, fmt.Errorf("crossover and mutation are parts from 0 to 1")
	case o.CrossoverEta < 0 || o.MutationEta < 0:
		return nil, fmt.Errorf("the etas of nsga2 are not below 0")
	}
	return &nsga2{history: h, o: o}, nil
}

// Ask implements Sampler.
func (s *nsga2) Ask(n int) ([]Point, error) { return s.ask(n, s.propose) }

func (s *nsga2) propose(rng *rand.Rand) (Point, error) {
	if len(s.told) < s.o.Population {
		return s.start(rng, s.o.Population)
	}
	s.advance()
	if len(s.parents) < 2 {
		return s.start(rng, s.o.Population)
	}
	return s.admit(rng, func() Point { return s.child(rng) })
}

// advance brings the parents up to date: the best of each generation and its parents.
func (s *nsga2) advance() {
	for s.chosen+s.o.Population <= len(s.told) {
		pool := s.told[s.chosen : s.chosen+s.o.Population]
		all := make([]record, 0, len(pool)+len(s.parents))
		for _, m := range s.parents {
			all = append(all, m.record)
		}
		s.parents = survivors(append(all, pool...), s.o.Population)
		s.chosen += s.o.Population
	}
}

// survivors returns the n best records: front by front, of the last front those
// with most room. Failed ones are behind all others.
func survivors(all []record, n int) []member {
	var values [][]float64
	var fine, failed []record
	for _, r := range all {
		if r.ok {
			fine = append(fine, r)
			values = append(values, r.values)
		} else {
			failed = append(failed, r)
		}
	}
	var out []member
	rank := 0
	for _, front := range fronts(values) {
		room := crowding(values, front)
		if left := n - len(out); len(front) > left {
			for _, i := range byRoom(room)[:left] {
				out = append(out, member{fine[front[i]], rank, room[i]})
			}
			return out
		}
		for i, k := range front {
			out = append(out, member{fine[k], rank, room[i]})
		}
		rank++
	}
	for _, r := range failed[:min(len(failed), n-len(out))] {
		out = append(out, member{r, rank, 0})
	}
	return out
}

// parent is the better of two drawn members (a binary tournament).
func (s *nsga2) parent(rng *rand.Rand) int {
	a, b := rng.IntN(len(s.parents)), rng.IntN(len(s.parents))
	x, y := &s.parents[a], &s.parents[b]
	if y.rank < x.rank || y.rank == x.rank && y.room > x.room {
		return b
	}
	return a
}

// child makes a point of two parents.
func (s *nsga2) child(rng *rand.Rand) Point {
	i := s.parent(rng)
	j := s.parent(rng)
	for tries := 0; j == i && tries < 10; tries++ {
		j = s.parent(rng)
	}
	a, b := s.parents[i].point, s.parents[j].point
	eta := s.o.CrossoverEta
	if eta == 0 {
		eta = 2
	}
	mix := rng.Float64() < s.o.Crossover
	p := append(Point(nil), a...)
	for d := range p {
		// Chance is drawn in any case, so that a dimension does not hang on others.
		u, which, side, change, how := rng.Float64(), rng.Float64(), rng.Float64(), rng.Float64(), rng.Float64()
		dim := &s.space.Dimensions[d]
		inA, inB := s.space.active(d, a), s.space.active(d, b)
		switch {
		case mix && inB && (!inA || which < 0.5 && !dim.smooth()):
			p[d] = b[d]
		case mix && inA && inB && dim.smooth():
			if which < 0.5 {
				p[d] = dim.cross(a[d], b[d], u, side < 0.5, eta)
			} else if side < 0.5 {
				p[d] = b[d]
			}
		}
		if change < s.o.Mutation || s.space.active(d, p) && !inA && !inB {
			p[d] = dim.mutate(p[d], how, s.o.MutationEta)
		}
	}
	return p
}

// cross is the value of one of the two children of a and b by simulated binary
// crossover, within the range: u is drawn from 0 to 1.
func (d *Dimension) cross(a, b, u float64, lower bool, eta float64) float64 {
	x, y := d.unit(a), d.unit(b)
	x, y = min(x, y), max(x, y)
	gap := y - x
	if gap < 1e-12 {
		return a
	}
	room := x
	if !lower {
		room = 1 - y
	}
	alpha := 2 - math.Pow(1+2*room/gap, -(eta+1))
	beta := math.Pow(u*alpha, 1/(eta+1))
	if u > 1/alpha {
		beta = math.Pow(1/(2-u*alpha), 1/(eta+1))
	}
	if lower {
		return d.value(min(max((x+y-beta*gap)/2, 0), 1))
	}
	return d.value(min(max((x+y+beta*gap)/2, 0), 1))
}

// mutate changes a value: by polynomial mutation where neighbours are alike, else
// to any other value. u is drawn from 0 to 1.
func (d *Dimension) mutate(x, u, eta float64) float64 {
	if n := d.Values(); n == 1 {
		return x
	} else if !d.smooth() {
		k := math.Floor(u * (n - 1))
		if k >= x {
			k++
		}
		return d.clip(k)
	}
	if eta == 0 {
		eta = 30
	}
	at := d.unit(x)
	var to float64
	if u < 0.5 {
		to = at + math.Pow(2*u+(1-2*u)*math.Pow(1-at, eta+1), 1/(eta+1)) - 1
	} else {
		to = at + 1 - math.Pow(2*(1-u)+(2*u-1)*math.Pow(at, eta+1), 1/(eta+1))
	}
	y := d.value(min(max(to, 0), 1))
	if st := d.step(); st > 0 && y == x {
		// A small change of a value with a step goes to its neighbour.
		if u < 0.5 && x > d.Low || d.clip(x+st) == x {
			return d.clip(x - st)
		}
		return d.clip(x + st)
	}
	return y
}
