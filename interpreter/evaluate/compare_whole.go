package evaluate

import (
	"math"
	"math/rand/v2"

	"github.com/dspi-lang/dspi/lang/value"
)

// A metric of all rows together has no score of a row. What the rows do have is a
// class and two answers to it, so whole samples are compared: the bootstrap draws
// rows, each with both answers, and the test exchanges the two answers of rows at
// random, which changes nothing where neither program is better.

// answers are the rows of one output that both results answered, coded by class.
type answers struct {
	names []string
	a, b  [][2]int // want, got
}

// answersOf pairs the rows of two results for an output.
func answersOf(output string, a, b *Results) *answers {
	out := &answers{}
	index := map[string]int{}
	code := func(name string) int {
		i, ok := index[name]
		if !ok {
			i = len(out.names)
			index[name] = i
			out.names = append(out.names, name)
		}
		return i
	}
	second := map[int]*Row{}
	for _, r := range b.Rows {
		second[r.N] = r
	}
	for _, r := range a.Rows {
		s, ok := second[r.N]
		if !ok {
			continue
		}
		x, okX := r.pair(output)
		y, okY := s.pair(output)
		if okX && okY {
			out.a = append(out.a, [2]int{code(x.Want), code(x.Got)})
			out.b = append(out.b, [2]int{code(y.Want), code(y.Got)})
		}
	}
	return out
}

// pair returns the class that a row has and the one that it was given; false where it
// has none, or was not run.
func (r *Row) pair(output string) (Pair, bool) {
	if r.Run == "" || r.Example == nil {
		return Pair{}, false
	}
	label, ok := r.Example.Get(output)
	if !ok || label == nil {
		return Pair{}, false
	}
	p := Pair{Want: className(label), Got: NoAnswer}
	if r.Outputs != nil {
		v, _ := r.Outputs.Get(output)
		p.Got = className(v)
	}
	return p, true
}

// className writes a value as the name of a class.
func className(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return string(value.EncodeJSON(v))
}

// exchanges is how often the answers of rows are exchanged at random.
const exchanges = 9_999

// wholeComparison compares a metric of all rows together: the mean of the outputs'
// macro F1.
func wholeComparison(metric string, a, b *Results) *Comparison {
	c := &Comparison{Metric: metric, P: 1, Adjusted: 1, Test: "exchange"}
	var all []*answers
	for _, x := range a.Confusion {
		if set := answersOf(x.Output, a, b); len(set.a) > 0 {
			all = append(all, set)
		}
	}
	if len(all) == 0 {
		return c
	}
	first := all[0]
	c.N = len(first.a)
	for i, x := range first.a {
		was, is := x[0] == x[1], first.b[i][0] == first.b[i][1]
		switch {
		case is && !was:
			c.Better++
		case was && !is:
			c.Worse++
		}
	}
	rows := make([]int, c.N)
	for i := range rows {
		rows[i] = i
	}
	score := func(of func(*answers) [][2]int, rows []int) float64 {
		sum := 0.0
		for _, set := range all {
			if coded := of(set); len(coded) == c.N {
				sum += macroF1(set.names, coded, rows)
			}
		}
		return sum / float64(len(all))
	}
	ofA, ofB := func(s *answers) [][2]int { return s.a }, func(s *answers) [][2]int { return s.b }
	c.A, c.B = score(ofA, rows), score(ofB, rows)
	c.Difference = c.B - c.A
	if c.N < 2 {
		return c
	}
	i := BootstrapOf(c.N, func(rows []int) float64 { return score(ofB, rows) - score(ofA, rows) })
	c.Interval = &i
	error := (i.High - i.Low) / (2 * z())
	c.Detectable = Detectable(error*math.Sqrt(float64(c.N)), c.N)
	c.P = exchange(all, c.N, math.Abs(c.Difference))
	return c
}

// exchange returns how often the difference is as large when the two answers of each
// row are dealt at random, the data's own deal counted.
func exchange(all []*answers, n int, difference float64) float64 {
	if difference == 0 {
		return 1
	}
	rng := rand.New(rand.NewPCG(seed, uint64(n)))
	tries := min(exchanges, max(20_000_000/n, 999))
	x, y := make([][2]int, n), make([][2]int, n)
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i
	}
	swap := make([]bool, n)
	hits := 0
	for range tries {
		for i := range swap {
			swap[i] = rng.Uint64()&1 == 1
		}
		d := 0.0
		for _, set := range all {
			if len(set.a) != n {
				continue
			}
			for i := range n {
				x[i], y[i] = set.a[i], set.b[i]
				if swap[i] {
					x[i], y[i] = y[i], x[i]
				}
			}
			d += macroF1(set.names, y, rows) - macroF1(set.names, x, rows)
		}
		if math.Abs(d)/float64(len(all)) >= difference-1e-12 {
			hits++
		}
	}
	return float64(hits+1) / float64(tries+1)
}
