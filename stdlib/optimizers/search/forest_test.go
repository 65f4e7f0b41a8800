package search

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestNeighbours: two values with no number between them are parted all the same.
func TestNeighbours(t *testing.T) {
	for _, low := range []float64{0.5, math.Nextafter(0.5, 1)} {
		high := math.Nextafter(low, 1)
		g := &grower{
			space: &Space{Dimensions: []Dimension{{Name: "x", High: 1}}}, leaf: 1, rng: rand.New(rand.NewPCG(1, 1)),
			units: [][]float64{{low}, {high}}, scores: []float64{0, 1},
		}
		tree := g.grow([]int{0, 1})
		if tree.dim != 0 || tree.low.mean != 0 || tree.high.mean != 1 {
			t.Errorf("%v and %v are not parted: %+v", low, high, tree)
		}
	}
}
