package search

import (
	"math"
	"math/rand/v2"
	"sort"
)

// A Parzen estimator is a density made of kernels, one for each observed point and
// one, the prior, that is flat over the whole space. The kernel of a point is a
// product over its dimensions (it is multivariate: Falkner, Klein and Hutter 2018,
// "BOHB"), so that what goes well together stays together:
//
//   - a number, and a choice whose values are ordered, has a normal distribution
//     around the observed value, cut off at the ends of the range; with a step, each
//     value has the mass of its cell;
//   - another choice has the observed value and, with some weight, all others;
//   - a dimension that the point did not have has the prior's flat distribution, and
//     one that a candidate does not have counts for nothing.
//
// All of it happens in the unit interval of a dimension (see Dimension.unit), in
// which a log scale and the distance of steps are already accounted for.
type parzen struct {
	space   *Space
	weights []float64   // of each kernel, cumulated; the last is the prior
	logs    []float64   // the logarithms of the weights
	kernels [][]spot    // [kernel][dimension]
	flat    []spot      // the prior
	cells   [][]float64 // for a choice: the share of the observed value and of each other
}

// spot is one dimension of a kernel.
type spot struct {
	absent     bool    // the point did not have the dimension
	at         float64 // the middle in the unit interval, or the index
	sigma      float64 // the width in the unit interval
	low, whole float64 // the normal distribution below 0, and between 0 and 1
	log        float64 // the logarithm of whole
}

// parzenOptions is what shapes an estimator.
type parzenOptions struct {
	prior  float64 // the weight of the prior, that of a point being about 1
	finest float64 // the least width of a kernel of n points is 1/(finest·n+2), and 1/100 at least
}

// newParzen makes the estimator of points with these weights.
func newParzen(space *Space, points []Point, weights []float64, o parzenOptions) *parzen {
	e := &parzen{space: space, cells: make([][]float64, len(space.Dimensions)), flat: make([]spot, len(space.Dimensions))}
	sum := o.prior
	for _, w := range weights {
		sum += w
	}
	if len(points) == 0 {
		sum = 1
		o.prior = 1
	}
	total := 0.0
	add := func(w float64, k []spot) {
		total += w / sum
		e.weights = append(e.weights, total)
		e.logs = append(e.logs, math.Log(w/sum))
		e.kernels = append(e.kernels, k)
	}
	for i := range e.flat {
		e.flat[i].absent = true
	}
	kernels := make([][]spot, len(points))
	for k, p := range points {
		kernels[k] = make([]spot, len(p))
		for i := range p {
			kernels[k][i].absent = !space.active(i, p)
			kernels[k][i].at = p[i]
		}
	}
	for i := range space.Dimensions {
		if d := &space.Dimensions[i]; d.smooth() {
			widths(d, i, kernels, o)
		} else {
			// Laplace's smoothing: the prior's weight is shared by all values and kernels.
			c := float64(d.Choices)
			other := o.prior / float64(len(points)+1)
			whole := 1 + c*other
			e.cells[i] = []float64{(1 + other) / whole, other / whole, math.Log((1 + other) / whole), math.Log(other / whole)}
		}
	}
	for k := range kernels {
		add(weights[k], kernels[k])
	}
	add(o.prior, e.flat)
	return e
}

// smooth says whether neighbouring values are alike.
func (d *Dimension) smooth() bool { return d.Kind != Choice || d.Ordered }

// widths moves dimension i of the kernels into the unit interval and gives each the
// distance to its farther neighbour as width (Bergstra et al. 2011), within bounds.
func widths(d *Dimension, i int, kernels [][]spot, o parzenOptions) {
	var have []*spot
	for _, k := range kernels {
		if !k[i].absent {
			k[i].at = d.unit(k[i].at)
			have = append(have, &k[i])
		}
	}
	sort.SliceStable(have, func(a, b int) bool { return have[a].at < have[b].at })
	n := len(have)
	finest := 1 / min(100, o.finest*float64(n)+2)
	for k, s := range have {
		left, right := s.at, 1-s.at
		if k > 0 {
			left = s.at - have[k-1].at
		}
		if k < n-1 {
			right = have[k+1].at - s.at
		}
		switch {
		case n > 1 && k == 0:
			s.sigma = right
		case n > 1 && k == n-1:
			s.sigma = left
		default:
			s.sigma = max(left, right)
		}
		s.sigma = min(max(s.sigma, finest), 1)
		s.low = below0(-s.at / s.sigma)
		s.whole = below0((1-s.at)/s.sigma) - s.low
		s.log = math.Log(s.whole)
	}
}

// below0 is the standard normal distribution function.
func below0(z float64) float64 { return 0.5 * math.Erfc(-z/math.Sqrt2) }

// quantile is its inverse.
func quantile(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }

// kernel draws a kernel by its weight.
func (e *parzen) kernel(rng *rand.Rand) int {
	return min(sort.SearchFloat64s(e.weights, rng.Float64()), len(e.kernels)-1)
}

// value draws the value of dimension i of a kernel.
func (e *parzen) value(kernel, i int, rng *rand.Rand) float64 {
	d, s, u := &e.space.Dimensions[i], &e.kernels[kernel][i], rng.Float64()
	switch {
	case s.absent:
		return d.value(u)
	case d.smooth():
		return d.value(min(max(s.at+s.sigma*quantile(s.low+u*s.whole), 0), 1))
	}
	// u is below what the observed value has beyond the others, or anywhere.
	if more := e.cells[i][0] - e.cells[i][1]; u >= more {
		return d.clip(math.Floor((u - more) / e.cells[i][1]))
	}
	return s.at
}

// log returns the logarithm of a kernel's density in dimension i at x, which lies
// at u of the unit interval, its cell going from from to to.
func (e *parzen) log(kernel, i int, x, u, from, to float64) float64 {
	d, s := &e.space.Dimensions[i], &e.kernels[kernel][i]
	switch {
	case s.absent && !d.smooth():
		return -math.Log(float64(d.Choices))
	case s.absent && d.step() > 0:
		return math.Log(max(to-from, tiny))
	case s.absent:
		return 0
	case !d.smooth() && s.at == x:
		return e.cells[i][2]
	case !d.smooth():
		return e.cells[i][3]
	case d.step() > 0:
		return math.Log(max(between((from-s.at)/s.sigma, (to-s.at)/s.sigma), tiny)) - s.log
	}
	z := (u - s.at) / s.sigma
	return -z*z/2 - math.Log(s.sigma*math.Sqrt(2*math.Pi)) - s.log
}

// density is a density over the space: of one estimator for all dimensions
// together, or of one for each dimension alone.
type density struct {
	space    *Space
	together bool
	of       []*parzen // for each dimension; the same one when together
}

// sample draws a point.
func (m *density) sample(rng *rand.Rand) Point {
	p := m.space.first()
	k := m.of[0].kernel(rng)
	for i := range p {
		if !m.together {
			k = m.of[i].kernel(rng)
		}
		if m.space.active(i, p) {
			p[i] = m.of[i].value(k, i, rng)
		}
	}
	return p
}

// log returns the logarithm of the density at p.
func (m *density) log(p Point) float64 {
	logs := append([]float64(nil), m.of[0].logs...)
	sum := 0.0
	for i := range p {
		if !m.space.active(i, p) {
			continue
		}
		if !m.together {
			logs = append(logs[:0], m.of[i].logs...)
		}
		var u, from, to float64
		if d := &m.space.Dimensions[i]; d.smooth() {
			u = d.unit(p[i])
			if d.step() > 0 {
				from, to = d.cell(p[i])
			}
		}
		for k := range logs {
			logs[k] += m.of[i].log(k, i, p[i], u, from, to)
		}
		if !m.together {
			sum += logSum(logs)
		}
	}
	if m.together {
		return logSum(logs)
	}
	return sum
}

// logSum is the logarithm of the sum of what the logarithms stand for.
func logSum(logs []float64) float64 {
	most := math.Inf(-1)
	for _, l := range logs {
		most = max(most, l)
	}
	if math.IsInf(most, -1) {
		return most
	}
	total := 0.0
	for _, l := range logs {
		total += math.Exp(l - most)
	}
	return most + math.Log(total)
}

// tiny stands for a mass too small for a float64.
const tiny = 1e-300

// between is the mass of the standard normal distribution from a to b, computed in
// the tail in which it keeps its digits.
func between(a, b float64) float64 {
	if a > 0 {
		a, b = -b, -a
	}
	return below0(b) - below0(a)
}
