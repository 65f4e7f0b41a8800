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
		if exchange(answersOf([]string{"kind"}, a, b), difference) < Alpha {
			found++
		}
	}
	if found > 6 { // 2 and three standard errors
		t.Errorf("a difference is found in %d of %d", found, pairs)
	}
}

// TestMacroRule: eval and compare have the same figure for several outputs: the mean of
// the outputs, each over the rows that have its label.
func TestMacroRule(t *testing.T) {
	a, b := sorted(60, 1, 0.6), sorted(60, 2, 0.9)
	rng := rand.New(rand.NewPCG(5, 5))
	for _, r := range []*Results{a, b} {
		labels := rand.New(rand.NewPCG(6, 6))
		pairs := []map[int]Pair{{}, {}}
		var of [2][]Pair
		for i, row := range r.Rows {
			want := fmt.Sprint(labels.IntN(2) == 1)
			got := want
			if rng.Float64() < 0.3 {
				got = NoAnswer
			}
			row.Example.Set("sure", want)
			row.Outputs.Set("sure", got)
			if i%3 == 0 {
				row.Example.Set("sure", nil) // it has no label
			}
			if i%10 == 7 {
				row.Example.Set("kind", nil)
			}
			for o, output := range []string{"kind", "sure"} {
				if p, ok := row.pair(output); ok {
					pairs[o][row.N] = p
					of[o] = append(of[o], p)
				}
			}
		}
		kind, sure := NewConfusion("kind", of[0]), NewConfusion("sure", of[1])
		r.Confusion = []*Confusion{kind, sure}
		n, mean, interval := MacroF1(pairs)
		if want := (kind.MacroF1 + sure.MacroF1) / 2; !close(mean, want, 1e-12) || n != 60-2 { // 2 rows have neither
			t.Errorf("it is %v of %d rows, want %v", mean, n, want)
		}
		if interval.Low >= mean || interval.High <= mean {
			t.Errorf("the interval of %v is %+v", mean, interval)
		}
		r.Metrics = []*Summary{{Name: "macro_f1", N: n, Mean: mean, Interval: interval, Whole: true}}
	}
	c := Compare(a, b)[0]
	if !close(c.A, a.Metrics[0].Mean, 1e-12) || !close(c.B, b.Metrics[0].Mean, 1e-12) || c.N != 58 {
		t.Errorf("compare has %v and %v of %d rows, eval %v and %v", c.A, c.B, c.N, a.Metrics[0].Mean, b.Metrics[0].Mean)
	}
	if same := Compare(a, a)[0]; same.Difference != 0 || same.P != 1 {
		t.Errorf("with itself: %+v", same)
	}
	one, _, _ := MacroF1([]map[int]Pair{{1: {"x", "x"}}})
	if _, mean, interval := MacroF1([]map[int]Pair{{1: {"x", "x"}}}); one != 1 || mean != 1 || interval != nil {
		t.Errorf("of one row: %v, %v", mean, interval)
	}
}
