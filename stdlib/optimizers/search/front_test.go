package search

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

func TestFront(t *testing.T) {
	values := [][]float64{{1, 5}, {2, 3}, {3, 4}, {4, 1}, {2, 3}, {math.NaN(), 0}, {5, 5}}
	if got := fmt.Sprint(Front(values)); got != "[0 1 3 4]" {
		t.Errorf("front %s", got)
	}
	if got := fmt.Sprint(fronts(append(values[:5:5], values[6]))); got != "[[0 1 3 4] [2] [5]]" {
		t.Errorf("fronts %s", got)
	}
	if got := fmt.Sprint(crowding(values, []int{0, 1, 3})); got != "[+Inf 2 +Inf]" {
		t.Errorf("crowding %s", got)
	}
}

func TestHypervolume(t *testing.T) {
	tests := []struct {
		values [][]float64
		want   float64
	}{
		{nil, 0},
		{[][]float64{{1, 1}}, 4},
		{[][]float64{{1, 2}, {2, 1}}, 3},
		{[][]float64{{2, 1}, {1, 2}, {2, 2}, {4, 0}}, 3},
		{[][]float64{{0, 2.5}, {1, 1}}, 4.5},
	}
	for _, test := range tests {
		if got := Hypervolume2D(test.values, [2]float64{3, 3}); got != test.want {
			t.Errorf("%v: %v, want %v", test.values, got, test.want)
		}
	}
}

// TestFrontsByDefinition compares the fast sort with the definition: what is left is
// dominated by none that is left.
func TestFrontsByDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		values := make([][]float64, 30)
		for i := range values {
			values[i] = []float64{float64(rng.IntN(8)), float64(rng.IntN(8)), float64(rng.IntN(3))}
		}
		left := map[int]bool{}
		for i := range values {
			left[i] = true
		}
		for _, front := range fronts(values) {
			for _, i := range front {
				for j := range left {
					if dominates(values[j], values[i]) {
						t.Fatalf("%v is in front of %v", values[i], values[j])
					}
				}
			}
			for _, i := range front {
				delete(left, i)
			}
		}
		if len(left) > 0 {
			t.Fatalf("%d are in no front", len(left))
		}
	}
}

// TestFailuresDie: what could not be measured is no parent while anything else is.
func TestFailuresDie(t *testing.T) {
	all := []record{{Point{1}, []float64{1, 2}, true}, {Point{2}, []float64{0, 0}, false}, {Point{3}, []float64{5, 5}, true}}
	got := survivors(all, 2)
	if len(got) != 2 || got[0].point[0] != 1 || got[1].point[0] != 3 {
		t.Errorf("%v survive", got)
	}
	if got := survivors(all, 3); len(got) != 3 || got[2].point[0] != 2 {
		t.Errorf("%v survive", got)
	}
}
