package search

import (
	"math/rand/v2"
	"sort"
)

// A tree of regression parts the unit cube into boxes, each with the mean of the
// scores that fall into it (Breiman et al. 1984). Its nodes cut a number in two, or
// the choices of a dimension into two sets.
type tree struct {
	dim         int // -1: a leaf
	cut         float64
	left        []bool // for a choice: which go left
	low, high   *tree
	mean, scale float64 // of a leaf: its mean, and its part of the cube
}

// grower grows trees.
type grower struct {
	space  *Space
	units  [][]float64 // [point][dimension]: in the unit interval, or the index of a choice
	scores []float64
	rng    *rand.Rand
	leaf   int // the fewest points of a leaf
}

// split is a way to part points.
type split struct {
	dim  int
	cut  float64
	left []bool
	gain float64
}

// grow makes the tree of these points.
func (g *grower) grow(points []int) *tree {
	mean := 0.0
	for _, i := range points {
		mean += g.scores[i]
	}
	mean /= float64(len(points))
	if len(points) < 2*g.leaf {
		return &tree{dim: -1, mean: mean}
	}
	best := split{dim: -1}
	// All dimensions are looked at, in an order by chance, for ties.
	for _, d := range g.rng.Perm(len(g.space.Dimensions)) {
		if s := g.split(d, points, mean); s.gain > best.gain*(1+1e-12)+1e-300 {
			best = s
		}
	}
	if best.dim < 0 {
		return &tree{dim: -1, mean: mean}
	}
	var low, high []int
	for _, i := range points {
		if x := g.units[i][best.dim]; best.left != nil && best.left[int(x)] || best.left == nil && x < best.cut {
			low = append(low, i)
		} else {
			high = append(high, i)
		}
	}
	return &tree{dim: best.dim, cut: best.cut, left: best.left, low: g.grow(low), high: g.grow(high)}
}

// split finds the cut of dimension d that leaves the least squares.
func (g *grower) split(d int, points []int, mean float64) split {
	dim := &g.space.Dimensions[d]
	at := func(i int) float64 { return g.units[i][d] }
	if !dim.smooth() {
		// Choices in the order of their means: the best of all sets is a beginning of it.
		sum, count := make([]float64, dim.Choices), make([]float64, dim.Choices)
		for _, i := range points {
			sum[int(at(i))] += g.scores[i]
			count[int(at(i))]++
		}
		place := make([]float64, dim.Choices)
		for c := range place {
			place[c] = mean
			if count[c] > 0 {
				place[c] = sum[c] / count[c]
			}
		}
		at = func(i int) float64 { return place[int(g.units[i][d])] }
		s := g.cut(points, at, mean)
		if s.gain == 0 {
			return split{dim: -1}
		}
		s.dim, s.left = d, make([]bool, dim.Choices)
		for c := range s.left {
			// A choice that these points do not have goes either way.
			s.left[c] = place[c] < s.cut
			if count[c] == 0 {
				s.left[c] = g.rng.IntN(2) == 0
			}
		}
		return s
	}
	s := g.cut(points, at, mean)
	if s.gain == 0 {
		return split{dim: -1}
	}
	s.dim = d
	return s
}

// cut finds the place between two values of at that leaves the least squares.
func (g *grower) cut(points []int, at func(int) float64, mean float64) split {
	order := append([]int(nil), points...)
	sort.SliceStable(order, func(a, b int) bool { return at(order[a]) < at(order[b]) })
	best := split{}
	sum, n := 0.0, float64(len(order))
	for k := range order[:len(order)-1] {
		sum += g.scores[order[k]] - mean
		x, y := at(order[k]), at(order[k+1])
		left := float64(k + 1)
		if x == y || k+1 < g.leaf || len(order)-k-1 < g.leaf {
			continue
		}
		if gain := sum * sum * (1/left + 1/(n-left)); gain > best.gain {
			best.gain, best.cut = gain, x+(y-x)/2
			if best.cut <= x { // neighbours among the numbers: nothing lies between
				best.cut = y
			}
		}
	}
	return best
}

// box is a part of the cube: from and to of each number, and the choices.
type box struct {
	from, to []float64
	has      [][]bool
}

func wholeBox(s *Space) box {
	b := box{from: make([]float64, len(s.Dimensions)), to: make([]float64, len(s.Dimensions)), has: make([][]bool, len(s.Dimensions))}
	for i := range s.Dimensions {
		b.to[i] = 1
		if d := &s.Dimensions[i]; !d.smooth() {
			b.has[i] = make([]bool, d.Choices)
			for c := range b.has[i] {
				b.has[i][c] = true
			}
		}
	}
	return b
}

// size is which part of dimension i the box has.
func (b *box) size(i int) float64 {
	if b.has[i] == nil {
		return b.to[i] - b.from[i]
	}
	n := 0.0
	for _, h := range b.has[i] {
		if h {
			n++
		}
	}
	return n / float64(len(b.has[i]))
}

// leaves calls f with each leaf and its box.
func (t *tree) leaves(b box, f func(*tree, *box)) {
	if t.dim < 0 {
		t.scale = 1
		for i := range b.from {
			t.scale *= b.size(i)
		}
		f(t, &b)
		return
	}
	d := t.dim
	if t.left != nil {
		had := b.has[d]
		part := func(left bool) []bool {
			out := make([]bool, len(had))
			for c := range had {
				out[c] = had[c] && t.left[c] == left
			}
			return out
		}
		b.has[d] = part(true)
		t.low.leaves(b, f)
		b.has[d] = part(false)
		t.high.leaves(b, f)
		b.has[d] = had
		return
	}
	from, to := b.from[d], b.to[d]
	cut := min(max(t.cut, from), to)
	b.to[d] = cut
	t.low.leaves(b, f)
	b.from[d], b.to[d] = cut, to
	t.high.leaves(b, f)
	b.from[d] = from
}
