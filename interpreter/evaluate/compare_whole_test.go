package evaluate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/dspi-lang/dspi/lang/value"
)

// sorted are results of an output of three classes that is right on a share of the
// rows; the rows are the same for the same seed.
func sorted(n int, seed uint64, right float64) *Results {
	rows := rand.New(rand.NewPCG(1, 1))
	answer := rand.New(rand.NewPCG(2, seed))
	names := []string{"a", "b", "c"}
	r := &Results{Version: Version, N: n}
	var pairs []Pair
	for i := range n {
		want := names[rows.IntN(3)]
		got := want
		if answer.Float64() > right {
			got = names[answer.IntN(3)]
		}
		pairs = append(pairs, Pair{want, got})
		r.Rows = append(r.Rows, &Row{N: i + 1, Run: fmt.Sprint(i), Example: value.NewObject("kind", want), Outputs: value.NewObject("kind", got), Scores: map[string]float64{}})
	}
	c := NewConfusion("kind", pairs)
	r.Confusion = []*Confusion{c}
	r.Metrics = []*Summary{{Name: "macro_f1", N: n, Mean: c.MacroF1, Whole: true}}
	return r
}

func TestCompareWhole(t *testing.T) {
	a, b := sorted(300, 1, 0.6), sorted(300, 2, 0.85)
	c := Compare(a, b)[0]
	if c.N != 300 || c.Test != "exchange" || !close(c.A, a.Confusion[0].MacroF1, 1e-12) || !close(c.B, b.Confusion[0].MacroF1, 1e-12) {
		t.Errorf("%+v", c)
	}
	if !c.Clear() || c.Interval.Low <= 0 || c.Interval.High < c.Difference || c.Better <= c.Worse || c.Detectable <= 0 {
		t.Errorf("a clear difference: %+v, %+v", c, c.Interval)
	}
	if c := Compare(a, a)[0]; c.P != 1 || c.Difference != 0 || c.Better+c.Worse != 0 {
		t.Errorf("no difference: %+v", c)
	}
	b.Confusion, b.Metrics[0].Whole = nil, true
	for _, row := range b.Rows {
		row.Run = ""
	}
	if c := Compare(a, b)[0]; c.N != 0 || c.P != 1 {
		t.Errorf("nothing to compare: %+v", c)
	}
}

// TestWholeLevel: where neither is better, a difference is found in at most 5 of 100.
func TestWholeLevel(t *testing.T) {
	found := 0
	const pairs, n = 40, 30
	for i := range uint64(pairs) {
		a, b := sorted(n, 2*i+10, 0.7), sorted(n, 2*i+11, 0.7)
		difference := math.Abs(a.Confusion[0].MacroF1 - b.Confusion[0].MacroF1)
		if exchange([]*answers{answersOf("kind", a, b)}, n, difference) < Alpha {
			found++
		}
	}
	if found > 6 { // 2 and three standard errors
		t.Errorf("a difference is found in %d of %d", found, pairs)
	}
}
