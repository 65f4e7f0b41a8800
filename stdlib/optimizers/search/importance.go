package search

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
)

// forestTrees is how many trees an importance is the mean of.
const forestTrees = 64

// Importance says of each dimension which part of the differences between scores it
// makes alone, over the whole space and not only where was searched: a number from 0
// to 1, all together at most 1; the rest is made by dimensions together. It is a
// functional analysis of variance of a random forest (Hutter, Hoos and Leyton-Brown
// 2014). Points whose score is NaN are left out; two are needed. A dimension that a
// point did not have counts with its first value.
func Importance(space *Space, points []Point, scores []float64, seed uint64) ([]float64, error) {
	if err := space.Check(); err != nil {
		return nil, err
	}
	if len(points) != len(scores) {
		return nil, fmt.Errorf("there are %d points and %d scores", len(points), len(scores))
	}
	g := &grower{space: space, leaf: 1}
	for i, p := range points {
		if math.IsNaN(scores[i]) || math.IsInf(scores[i], 0) {
			continue
		}
		p = space.Normalize(p)
		u := make([]float64, len(p))
		for d := range p {
			u[d] = p[d]
			if space.Dimensions[d].smooth() {
				u[d] = space.Dimensions[d].unit(p[d])
			}
		}
		g.units = append(g.units, u)
		g.scores = append(g.scores, scores[i])
	}
	if len(g.scores) < 2 {
		return nil, errors.New("an importance needs two points with a score")
	}
	out := make([]float64, len(space.Dimensions))
	trees := 0.0
	for t := range forestTrees {
		g.rng = rand.New(rand.NewPCG(mix(seed), uint64(t)))
		sample := make([]int, len(g.scores))
		for i := range sample {
			sample[i] = g.rng.IntN(len(g.scores))
		}
		sort.Ints(sample)
		if parts := variances(space, g.grow(sample)); parts != nil {
			trees++
			for d, v := range parts {
				out[d] += v
			}
		}
	}
	for d := range out {
		if trees > 0 {
			out[d] /= trees
		}
	}
	return out, nil
}

// variances returns which part of a tree's variance each dimension makes alone, nil
// for a tree that says the same everywhere.
func variances(space *Space, t *tree) []float64 {
	type part struct {
		size, mean float64
		box        box
	}
	var parts []part
	mean, square := 0.0, 0.0
	t.leaves(wholeBox(space), func(l *tree, b *box) {
		if l.scale == 0 {
			return
		}
		parts = append(parts, part{l.scale, l.mean, box{append([]float64(nil), b.from...), append([]float64(nil), b.to...), append([][]bool(nil), b.has...)}})
		mean += l.scale * l.mean
	})
	for _, p := range parts {
		square += p.size * (p.mean - mean) * (p.mean - mean)
	}
	if square <= 0 {
		return nil
	}
	out := make([]float64, len(space.Dimensions))
	for d := range space.Dimensions {
		// The ends of all leaves cut the dimension into pieces; on each, the marginal
		// is the mean over all other dimensions.
		var pieces []float64 // where they begin, or the choices
		if n := space.Dimensions[d].Choices; !space.Dimensions[d].smooth() {
			for c := range n {
				pieces = append(pieces, float64(c))
			}
		} else {
			for _, p := range parts {
				pieces = append(pieces, p.box.from[d])
			}
			sort.Float64s(pieces)
			k := 0
			for i, x := range pieces {
				if i == 0 || x != pieces[k-1] {
					pieces[k] = x
					k++
				}
			}
			pieces = pieces[:k]
		}
		for i, x := range pieces {
			width := 1 / float64(len(pieces))
			if space.Dimensions[d].smooth() {
				width = 1 - x
				if i+1 < len(pieces) {
					width = pieces[i+1] - x
				}
			}
			marginal := 0.0
			for k := range parts {
				p := &parts[k]
				if h := p.box.has[d]; h != nil && !h[int(x)] || h == nil && !(p.box.from[d] <= x && x < p.box.to[d]) {
					continue
				}
				marginal += p.size / p.box.size(d) * (p.mean - mean)
			}
			out[d] += width * marginal * marginal
		}
		out[d] = out[d] / square
	}
	return out
}
