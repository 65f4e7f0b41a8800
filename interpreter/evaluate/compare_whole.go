package evaluate

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/dspi-lang/dspi/lang/value"
)

// A metric of all rows together has no score of a row. What the rows do have is a
// class and two answers to it, so whole samples are compared: the bootstrap draws
// rows, each with both answers, and the test exchanges the two answers of rows at
// random, which changes nothing where neither program is better.

// answers are what two results answered to the outputs, row by row: to the rows that
// both ran and of which at least one output has a label.
type answers struct {
	a, b []*coded
	n    int
}

// answersOf pairs the rows of two results for outputs.
func answersOf(outputs []string, a, b *Results) *answers {
	second := map[int]*Row{}
	for _, r := range b.Rows {
		second[r.N] = r
	}
	first, other := make([]map[int]Pair, len(outputs)), make([]map[int]Pair, len(outputs))
	for i := range outputs {
		first[i], other[i] = map[int]Pair{}, map[int]Pair{}
	}
	numbers := map[int]bool{}
	for _, r := range a.Rows {
		s, ok := second[r.N]
		if !ok {
			continue
		}
		for i, output := range outputs {
			x, okX := r.pair(output)
			y, okY := s.pair(output)
			if okX && okY {
				first[i][r.N], other[i][r.N] = x, y
				numbers[r.N] = true
			}
		}
	}
	order := slices.Sorted(maps.Keys(numbers))
	out := &answers{n: len(order)}
	for i := range outputs {
		if len(first[i]) > 0 {
			both := encode(order, first[i], other[i])
			out.a, out.b = append(out.a, both[0]), append(out.b, both[1])
		}
	}
	return out
}

// right is how many outputs of a row are what they should be.
func right(sets []*coded, row int) (n int) {
	for _, set := range sets {
		if x := set.rows[row]; x[0] != unlabelled && x[0] == x[1] {
			n++
		}
	}
	return n
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

// wholeComparison compares a metric of all rows together: the macro F1 of the outputs,
// as MacroF1 has it.
func wholeComparison(metric string, a, b *Results) *Comparison {
	c := &Comparison{Metric: metric, P: 1, Adjusted: 1, Test: "exchange"}
	var outputs []string
	for _, x := range a.Confusion {
		outputs = append(outputs, x.Output)
	}
	all := answersOf(outputs, a, b)
	if c.N = all.n; c.N == 0 {
		return c
	}
	rows := indexes(c.N)
	for i := range rows {
		switch was, is := right(all.a, i), right(all.b, i); {
		case is > was:
			c.Better++
		case is < was:
			c.Worse++
		}
	}
	c.A, c.B = meanMacroF1(all.a, rows), meanMacroF1(all.b, rows)
	c.Difference = c.B - c.A
	if c.N < 2 {
		return c
	}
	i := BootstrapOf(c.N, func(rows []int) float64 { return meanMacroF1(all.b, rows) - meanMacroF1(all.a, rows) })
	c.Interval = &i
	error := (i.High - i.Low) / (2 * z())
	c.Detectable = Detectable(error*math.Sqrt(float64(c.N)), c.N)
	c.P = exchange(all, math.Abs(c.Difference))
	return c
}

// exchange returns how often the difference is as large when the two answers of each
// row are dealt at random, the data's own deal counted.
func exchange(all *answers, difference float64) float64 {
	if difference == 0 {
		return 1
	}
	n := all.n
	rng := rand.New(rand.NewPCG(seed, uint64(n)))
	tries := min(exchanges, max(20_000_000/n, 999))
	var x, y []*coded
	for _, set := range all.a {
		x, y = append(x, &coded{set.names, make([][2]int, n)}), append(y, &coded{set.names, make([][2]int, n)})
	}
	rows := indexes(n)
	hits := 0
	for range tries {
		for i := range n {
			swap := rng.Uint64()&1 == 1
			for o := range all.a {
				x[o].rows[i], y[o].rows[i] = all.a[o].rows[i], all.b[o].rows[i]
				if swap {
					x[o].rows[i], y[o].rows[i] = y[o].rows[i], x[o].rows[i]
				}
			}
		}
		if math.Abs(meanMacroF1(y, rows)-meanMacroF1(x, rows)) >= difference-1e-12 {
			hits++
		}
	}
	return float64(hits+1) / float64(tries+1)
}
