package pyrandom_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/dspi-lang/dspi/stdlib/optimizers/pyrandom"
)

// TestNumPy compares with what the real numpy draws (testdata/numpy.py).
func TestNumPy(t *testing.T) {
	text, err := os.ReadFile("testdata/numpy.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Means []float64
		Draws []struct {
			Seed    uint64
			Raw     []string
			Random  []float64
			Poisson []int
		}
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	if len(golden.Draws) < 5 {
		t.Fatalf("only %d seeds", len(golden.Draws))
	}
	for _, c := range golden.Draws {
		t.Run(fmt.Sprint(c.Seed), func(t *testing.T) {
			r := pyrandom.NewNumPy(c.Seed)
			for i, want := range c.Raw {
				if got := strconv.FormatUint(r.Uint64(), 10); got != want {
					t.Fatalf("word %d: %s, numpy has %s", i, got, want)
				}
			}
			for i, want := range c.Random {
				if got := r.Float64(); got != want {
					t.Errorf("random %d: %v, numpy has %v", i, got, want)
				}
			}
			for i, want := range c.Poisson {
				if got := r.Poisson(golden.Means[i]); got != want {
					t.Errorf("poisson(%v), draw %d: %d, numpy has %d", golden.Means[i], i, got, want)
				}
			}
		})
	}
}

// TestPoissonOfMany sees that a large mean is drawn and not lost to a small number.
func TestPoissonOfMany(t *testing.T) {
	r := pyrandom.NewNumPy(0)
	for _, mean := range []float64{12, 480, 2000} {
		total := 0
		for range 200 {
			total += r.Poisson(mean)
		}
		if got := float64(total) / 200; got < 0.95*mean || got > 1.05*mean {
			t.Errorf("the mean of poisson(%v) is %v", mean, got)
		}
	}
}
