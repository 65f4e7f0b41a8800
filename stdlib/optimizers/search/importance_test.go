package search

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestImportanceFindsThePlanted: of a space in which one variable matters, it is
// ranked first in at least 18 of 20 seeds, with noise, whichever kind it is, and for
// every other one also where the points come from a search.
func TestImportanceFindsThePlanted(t *testing.T) {
	space := &Space{Dimensions: []Dimension{
		{Name: "model", Kind: Choice, Choices: 4},
		{Name: "k", Kind: Int, Low: 1, High: 16},
		{Name: "temperature", High: 1.5},
		{Name: "rate", Low: 1e-4, High: 1, Log: true},
		{Name: "adapter", Kind: Choice, Choices: 3},
		{Name: "step", High: 1, Step: 0.1},
	}}
	effects := []func(Point) float64{
		func(p Point) float64 { return []float64{0.7, 0.2, 0.5, 0.9}[int(p[0])] },
		func(p Point) float64 { return math.Abs(p[1]-6) / 12 },
		func(p Point) float64 { return p[2] / 2 },
		func(p Point) float64 { return math.Abs(math.Log10(p[3])+2) / 3 },
		func(p Point) float64 { return []float64{0, 0.5, 0.3}[int(p[4])] },
		func(p Point) float64 { return (p[5] - 0.3) * (p[5] - 0.3) },
	}
	for d, effect := range effects {
		for _, search := range []string{"random", "tpe"}[:1+d%2] {
			first := 0
			for seed := range uint64(20) {
				s, err := searches[search](space, seed)
				if err != nil {
					t.Fatal(err)
				}
				rng := rand.New(rand.NewPCG(seed, 77))
				noisy := problem{"", space, func(p Point) []float64 { return []float64{effect(p) + 0.05*rng.NormFloat64()} }}
				points, values := tune(s, noisy, 60)
				scores := make([]float64, len(values))
				for i, v := range values {
					scores[i] = v[0]
				}
				parts, err := Importance(space, points, scores, seed)
				if err != nil {
					t.Fatal(err)
				}
				sum, top := 0.0, 0
				for i, v := range parts {
					sum += v
					if v < 0 {
						t.Errorf("%s: an importance of %v", space.Dimensions[i].Name, v)
					}
					if v > parts[top] {
						top = i
					}
				}
				if sum > 1+1e-9 {
					t.Errorf("the importances are %v together", sum)
				}
				if top == d {
					first++
				}
			}
			t.Logf("%s, %s: first in %d of 20", space.Dimensions[d].Name, search, first)
			if first < 18 {
				t.Errorf("%s, %s: first in %d of 20", space.Dimensions[d].Name, search, first)
			}
		}
	}
}

// TestImportanceByDefinition: where the forest can be exact, the parts are those of
// the function: of x + 2y on a full grid they are 1 to 4, of x xor y alone nothing.
func TestImportanceByDefinition(t *testing.T) {
	space := &Space{Dimensions: []Dimension{{Name: "x", Kind: Choice, Choices: 4}, {Name: "y", Kind: Choice, Choices: 4}}}
	score := func(f func(x, y float64) float64) []float64 {
		var points []Point
		var scores []float64
		for range 30 {
			for p := range space.Points() {
				points, scores = append(points, p), append(scores, f(p[0], p[1]))
			}
		}
		parts, err := Importance(space, points, scores, 1)
		if err != nil {
			t.Fatal(err)
		}
		return parts
	}
	if p := score(func(x, y float64) float64 { return x + 2*y }); math.Abs(p[0]-0.2) > 1e-9 || math.Abs(p[1]-0.8) > 1e-9 {
		t.Errorf("x + 2y: %v, want 0.2 and 0.8", p)
	}
	if p := score(func(x, y float64) float64 { return float64((int(x) + int(y)) % 2) }); p[0] > 1e-9 || p[1] > 1e-9 {
		t.Errorf("x xor y: %v, want nothing of either alone", p)
	}
	if p := score(func(x, y float64) float64 { return 3 }); p[0] != 0 || p[1] != 0 {
		t.Errorf("where all scores are the same, %v", p)
	}
}

func TestImportanceFaults(t *testing.T) {
	space := branin().space
	if _, err := Importance(space, []Point{{1, 1}}, []float64{1}, 1); err == nil {
		t.Error("one point has an importance")
	}
	if _, err := Importance(space, []Point{{1, 1}, {2, 2}}, []float64{1}, 1); err == nil {
		t.Error("two points with one score have an importance")
	}
	if _, err := Importance(space, []Point{{1, 1}, {2, 2}}, []float64{1, math.NaN()}, 1); err == nil {
		t.Error("a NaN counts")
	}
}
