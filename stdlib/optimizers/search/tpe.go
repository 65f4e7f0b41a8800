package search

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
)

// TPEOptions are the settings of NewTPE. The zero value is the default.
type TPEOptions struct {
	Startup    int     // how many points are spread over the space first; 0: 10
	Gamma      float64 // which part of the points counts as good, above 0 and below 1; 0: 0.1
	MaxGood    int     // the most points that count as good; 0: 25. Of choices, see NewTPE.
	Candidates int     // how many points are drawn to choose one from; 0: 24
	Prior      float64 // the weight of the flat prior, a point's being 1; 0: 0.5
}

// tpe is the search of NewTPE.
type tpe struct {
	history
	o TPEOptions
}

// NewTPE is the search with tree-structured Parzen estimators (Bergstra et al.
// 2011; Watanabe 2023, arXiv 2304.11127; for several objectives Ozaki et al. 2020):
// the points told are parted into good and other ones, the density of each part is
// estimated, and of some points drawn from the density of the good ones that one is
// asked for at which it exceeds the other most. Points that are still out count
// among the others (the constant liar), so that points asked at once differ.
//
// Every other point is drawn from densities over all dimensions together, which see
// what goes well together. Those between are drawn from a density of each dimension
// alone, in which what is good in several points meets in one, and which is narrow,
// so that numbers are found exactly. There, of an unordered choice 2.5 times as many
// points count as good, since its values are many and each is met seldom.
func NewTPE(space *Space, seed uint64, options TPEOptions) (Sampler, error) {
	h, err := newHistory(space, seed)
	if err != nil {
		return nil, err
	}
	o := options
	o.Startup = or(o.Startup, 10)
	o.MaxGood = or(o.MaxGood, 25)
	o.Candidates = or(o.Candidates, 24)
	if o.Gamma == 0 {
		o.Gamma = 0.1
	}
	if o.Prior == 0 {
		o.Prior = 0.5
	}
	switch {
	case o.Gamma < 0 || o.Gamma >= 1 || math.IsNaN(o.Gamma):
		return nil, fmt.Errorf("gamma is a part above 0 and below 1, and not %v", o.Gamma)
	case o.Prior < 0 || o.Startup < 0 || o.MaxGood < 0 || o.Candidates < 0:
		return nil, fmt.Errorf("the settings of tpe are not below 0")
	}
	return &tpe{history: h, o: o}, nil
}

// or is n, or what stands for 0.
func or(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}

// Ask implements Sampler.
func (t *tpe) Ask(n int) ([]Point, error) { return t.ask(n, t.propose) }

func (t *tpe) propose(rng *rand.Rand) (Point, error) {
	good, other := t.part(1)
	if len(t.told) < t.o.Startup || len(good) == 0 {
		return t.start(rng, t.o.Startup)
	}
	together := (len(t.told)+len(t.pending))%2 == 0
	finest := 10.0
	if together {
		finest = 3
	}
	l, g := t.estimate(good, finest), t.estimate(other, finest)
	goods := &density{t.space, together, make([]*parzen, len(t.space.Dimensions))}
	others := &density{t.space, together, make([]*parzen, len(t.space.Dimensions))}
	var wideL, wideG *parzen
	for i := range t.space.Dimensions {
		goods.of[i], others.of[i] = l, g
		if together || t.space.Dimensions[i].smooth() {
			continue
		}
		if wideL == nil {
			good, other := t.part(2.5)
			wideL, wideG = t.estimate(good, finest), t.estimate(other, finest)
		}
		goods.of[i], others.of[i] = wideL, wideG
	}
	return t.choose(rng, goods, others)
}

// choose draws candidates from l and takes the one at which l exceeds g most.
func (t *tpe) choose(rng *rand.Rand, l, g *density) (Point, error) {
	type candidate struct {
		p     Point
		worth float64
	}
	var list []candidate
	known := map[string]bool{}
	for tries := 0; len(list) < t.o.Candidates && tries < 20*t.o.Candidates; tries++ {
		p := t.space.Normalize(l.sample(rng))
		k := p.key()
		if known[k] || t.seen[k] > 0 || t.space.Valid != nil && !t.space.Valid(p) {
			continue
		}
		known[k] = true
		list = append(list, candidate{p, l.log(p) - g.log(p)})
	}
	if len(list) == 0 {
		return t.admit(rng, func() Point {
			if rng.IntN(2) == 0 {
				return l.sample(rng)
			}
			return t.space.uniform(rng)
		})
	}
	best := list[0]
	for _, c := range list[1:] {
		if c.worth > best.worth {
			best = c
		}
	}
	return best.p, nil
}

// ordered is a point with when it was told.
type ordered struct {
	p    Point
	when int
}

// part parts the points into good and other ones, each in the order of telling;
// wider is how many times as many as usual are good.
func (t *tpe) part(wider float64) (good, other []ordered) {
	var fine []int
	for i, r := range t.told {
		if r.ok {
			fine = append(fine, i)
		}
	}
	n := min(int(math.Ceil(wider*t.o.Gamma*float64(len(fine)))), int(wider*float64(t.o.MaxGood)), len(fine))
	chosen := map[int]bool{}
	for _, i := range best(t.told, fine, n) {
		chosen[i] = true
	}
	for i, r := range t.told {
		if chosen[i] {
			good = append(good, ordered{r.point, i})
		} else {
			other = append(other, ordered{r.point, i})
		}
	}
	for i, p := range t.pending {
		other = append(other, ordered{p, len(t.told) + i})
	}
	return good, other
}

// best returns the n best of the records with these numbers: the first by their
// objective or, where there are several, front by front, those of the last front
// that add most to what is dominated.
func best(records []record, numbers []int, n int) []int {
	if len(numbers) == 0 || n == 0 {
		return nil
	}
	if len(records[numbers[0]].values) == 1 {
		out := append([]int(nil), numbers...)
		sort.SliceStable(out, func(a, b int) bool { return records[out[a]].values[0] < records[out[b]].values[0] })
		return out[:n]
	}
	values := make([][]float64, len(numbers))
	for i, k := range numbers {
		values[i] = records[k].values
	}
	var out []int
	for _, front := range fronts(values) {
		if room := n - len(out); len(front) > room {
			front = widest(values, front, room)
		}
		for _, i := range front {
			out = append(out, numbers[i])
		}
		if len(out) == n {
			break
		}
	}
	return out
}

// estimate is the density of points, of which old ones weigh less once there are
// more than 25 (Bergstra et al. 2013).
func (t *tpe) estimate(list []ordered, finest float64) *parzen {
	points := make([]Point, len(list))
	weights := make([]float64, len(list))
	ramp := len(list) - 25
	for i, o := range list {
		points[i] = o.p
		weights[i] = 1
		if i < ramp {
			weights[i] = 1 / float64(len(list))
			if ramp > 1 {
				weights[i] += (1 - weights[i]) * float64(i) / float64(ramp-1)
			}
		}
	}
	return newParzen(t.space, points, weights, parzenOptions{prior: t.o.Prior, finest: finest})
}
