package main

import (
	"testing"

	"github.com/dspi-lang/dspi/interpreter/evaluate"
)

// TestVerdict: what is said of a comparison, and where its interval and its test differ.
func TestVerdict(t *testing.T) {
	for _, c := range []struct {
		name      string
		low, high float64
		p, holm   float64
		lower     bool
		want      string
	}{
		{"clear", 0.1, 0.3, 0.001, 0.002, false, "B is better (higher on 20 rows, lower on 5)"},
		{"a cost", 0.1, 0.3, 0.001, 0.002, true, "B is worse (higher on 20 rows, lower on 5)"},
		{"none", -0.1, 0.3, 0.4, 0.8, false, "the data cannot tell them apart; 100 rows would show a difference of 0.150 or more"},
		{"of many", 0.01, 0.3, 0.03, 0.09, false, "the data cannot tell them apart; 100 rows would show a difference of 0.150 or more; by itself it would be clear, but among so many metrics one may be so by chance (Holm)"},
		{"by the interval alone", 0.01, 0.3, 0.06, 0.06, false, "the data cannot tell them apart; 100 rows would show a difference of 0.150 or more; the interval leaves 0 out and the test does not, so it is close"},
		{"by the test alone", -0.01, 0.3, 0.04, 0.04, false, "B is better (higher on 20 rows, lower on 5); the test says so and the interval holds 0, so it is close"},
	} {
		got := verdict(&evaluate.Comparison{
			N: 100, Difference: 0.15, Interval: &evaluate.Interval{Low: c.low, High: c.high}, P: c.p, Adjusted: c.holm, Better: 20, Worse: 5, Detectable: 0.15, Lower: c.lower,
		})
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
