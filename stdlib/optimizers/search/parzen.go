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
	alone bool
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
	mul float64
	finest float64 // the least width of a kernel
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
		if Kgauss && space.Dimensions[i].smooth() { s := &e.flat[i]; s.absent=false; s.at = 0.5; s.sigma=1; s.low=below0(-.5); s.whole=below0(.5)-s.low; s.log=math.Log(s.whole) }
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
			if o.mul > 1 && Kcat > 0 { miss := min(Kcat/float64(len(space.Dimensions)), 1-1/c); other = min(other, miss/(c*(1-miss))) }
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
	finest := max(o.finest, 1/min(Kcap, o.mul*float64(n)+2))
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

// sample draws a point.
func (e *parzen) sample(rng *rand.Rand) Point {
	k := sort.SearchFloat64s(e.weights, rng.Float64())
	kernel := e.kernels[min(k, len(e.kernels)-1)]
	p := e.space.first()
	for i := range p {
		if e.alone {
			k = sort.SearchFloat64s(e.weights, rng.Float64())
			kernel = e.kernels[min(k, len(e.kernels)-1)]
		}
		d, s, u := &e.space.Dimensions[i], &kernel[i], rng.Float64()
		switch {
		case !e.space.active(i, p):
		case s.absent:
			p[i] = d.value(u)
		case d.smooth():
			p[i] = d.value(min(max(s.at+s.sigma*quantile(s.low+u*s.whole), 0), 1))
		default:
			// u is below what the observed value has beyond the others, or anywhere.
			p[i] = s.at
			if more := e.cells[i][0] - e.cells[i][1]; u >= more {
				p[i] = d.clip(math.Floor((u - more) / e.cells[i][1]))
			}
		}
	}
	return p
}

// log returns the logarithm of the density at p.
func (e *parzen) log(p Point) float64 {
	if !e.alone { return e.log1(p, -1) }
	sum := 0.0
	for i := range p { if e.space.active(i, p) { sum += e.log1(p, i) } }
	return sum
}

func (e *parzen) log1(p Point, only int) float64 {
	type place struct{ at, from, to float64 }
	places := make([]place, len(p))
	active := make([]bool, len(p))
	for i := range p {
		d := &e.space.Dimensions[i]
		if active[i] = e.space.active(i, p); active[i] && d.smooth() {
			places[i].at = d.unit(p[i])
			if d.step() > 0 {
				places[i].from, places[i].to = d.cell(p[i])
			}
		}
	}
	logs := make([]float64, len(e.kernels))
	most := math.Inf(-1)
	for k, kernel := range e.kernels {
		sum := e.logs[k]
		for i := range kernel {
			if !active[i] || only >= 0 && i != only {
				continue
			}
			d, s, at := &e.space.Dimensions[i], &kernel[i], &places[i]
			switch {
			case s.absent && !d.smooth():
				sum -= math.Log(float64(d.Choices))
			case s.absent && d.step() > 0:
				sum += math.Log(max(at.to-at.from, tiny))
			case s.absent:
				// The flat density of the unit interval is 1.
			case !d.smooth() && s.at == p[i]:
				sum += e.cells[i][2]
			case !d.smooth():
				sum += e.cells[i][3]
			case d.step() > 0:
				sum += math.Log(max(between((at.from-s.at)/s.sigma, (at.to-s.at)/s.sigma), tiny)) - s.log
			default:
				z := (at.at - s.at) / s.sigma
				sum += -z*z/2 - math.Log(s.sigma*math.Sqrt(2*math.Pi)) - s.log
			}
		}
		logs[k] = sum
		most = max(most, sum)
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

var Kcap, Kmul, Kmul2, Kmode, Kcat = 100.0, 1.0, 1.0, 0.0, 0.0

var Ksched = "b"
var Kgauss = false
