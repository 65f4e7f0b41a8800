package evaluate

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/dspi-lang/dspi/lang/value"
)

// Comparison is how a metric differs between two Results, row by row.
type Comparison struct {
	Metric string `json:"metric"`
	N      int    `json:"n"` // rows that both have a score of
	// OnlyA and OnlyB count rows that only one has a score of.
	OnlyA, OnlyB int     `json:"-"`
	A            float64 `json:"a"` // the mean of the first, over the rows of both
	B            float64 `json:"b"`
	// Difference is B - A, with its interval.
	Difference float64   `json:"difference"`
	Interval   *Interval `json:"interval,omitempty"`
	// Test is "mcnemar", "permutation" or "exchange"; P its two-sided p-value, and Adjusted
	// that after Holm's correction for all metrics that are compared.
	Test     string  `json:"test"`
	P        float64 `json:"p"`
	Adjusted float64 `json:"p_holm"`
	// Effect is the standardized difference: the mean of the rows' differences
	// by their standard deviation (Cohen's d_z). 0 where all are the same, and for
	// a metric of all rows together.
	Effect float64 `json:"effect"`
	// Better and Worse count the rows where B is above and below A.
	Better int `json:"above"`
	Worse  int `json:"below"`
	// Detectable is the smallest difference that so many rows would show in
	// four of five tries (power 0.8), given how much the rows differ.
	Detectable float64 `json:"detectable"`
	Lower      bool    `json:"lower_is_better,omitempty"`
	Proportion bool    `json:"proportion"`
}

// Alpha is the level of the tests.
const Alpha = 0.05

// Clear reports whether the data tell the two apart.
func (c *Comparison) Clear() bool { return c.Adjusted < Alpha }

// Agrees reports whether the interval and the test say the same of 0: it is left out where
// the p-value, before it is corrected, is below Alpha. Of shares they always do; of other
// metrics both are tried by drawing, in two ways, and may differ where it is close.
func (c *Comparison) Agrees() bool {
	return c.Interval == nil || (c.Interval.Low > 0 || c.Interval.High < 0) == (c.P < Alpha)
}

// Compare compares each metric that both have, on the rows that both have.
func Compare(a, b *Results) []*Comparison {
	var out []*Comparison
	for _, m := range a.Metrics {
		if other, ok := b.Metric(m.Name); ok {
			c := comparison(m.Name, m.Unit == "", a, b)
			if c.N+c.OnlyA+c.OnlyB == 0 { // no row has a score of it
				c = wholeComparison(m.Name, a, b)
			}
			c.Lower = m.Lower || other.Lower
			out = append(out, c)
		}
	}
	ps := make([]float64, len(out))
	for i, c := range out {
		ps[i] = c.P
	}
	for i, p := range Holm(ps) {
		out[i].Adjusted = p
	}
	return out
}

func comparison(metric string, share bool, a, b *Results) *Comparison {
	c := &Comparison{Metric: metric, P: 1, Adjusted: 1, Proportion: share, Test: "mcnemar"}
	second := map[int]float64{}
	for _, r := range b.Rows {
		if x, ok := r.Scores[metric]; ok {
			second[r.N] = x
		}
	}
	var xs, ys, diffs []float64
	for _, r := range a.Rows {
		x, ok := r.Scores[metric]
		if !ok {
			continue
		}
		y, both := second[r.N]
		if !both {
			c.OnlyA++
			continue
		}
		delete(second, r.N)
		xs, ys, diffs = append(xs, x), append(ys, y), append(diffs, y-x)
		c.Proportion = c.Proportion && (x == 0 || x == 1) && (y == 0 || y == 1)
		switch {
		case y > x:
			c.Better++
		case y < x:
			c.Worse++
		}
	}
	c.OnlyB, c.N = len(second), len(xs)
	if c.N == 0 {
		return c
	}
	c.A, c.B, c.Difference = Mean(xs), Mean(ys), Mean(diffs)
	deviation := Deviation(diffs)
	if deviation > 0 {
		c.Effect = c.Difference / deviation
	}
	c.Detectable = Detectable(deviation, c.N)
	if c.Proportion {
		c.P = McNemar(c.Better, c.Worse)
		i := PairedChanges(c.Better, c.Worse, c.N)
		c.Interval = &i
		return c
	}
	c.Test, c.P = "permutation", Permutation(diffs)
	if c.N > 1 {
		i := BootstrapMean(diffs)
		c.Interval = &i
	}
	return c
}

// exactRows is up to how many differences all signs are tried.
const exactRows = 20

// Permutation returns the two-sided p-value that the mean of paired differences is
// chance: how often it is as far from 0 when signs are dealt at random. Up to 20
// differences other than 0 all signs are tried, else 99,999 deals, the data's own
// counted (Phipson and Smyth 2010).
func Permutation(diffs []float64) float64 {
	var ds []float64
	sum := 0.0
	for _, d := range diffs {
		if d != 0 {
			ds = append(ds, math.Abs(d))
			sum += d
		}
	}
	if len(ds) == 0 {
		return 1
	}
	total := 0.0
	for _, d := range ds {
		total += d
	}
	far := math.Abs(sum) - 1e-10*total
	if len(ds) <= exactRows {
		hits, all := 0, 1<<len(ds)
		for signs := range all {
			s := 0.0
			for i, d := range ds {
				if signs>>i&1 == 1 {
					s += d
				} else {
					s -= d
				}
			}
			if math.Abs(s) >= far {
				hits++
			}
		}
		return float64(hits) / float64(all)
	}
	const deals = 99_999
	rng := rand.New(rand.NewPCG(seed, uint64(len(ds))))
	tries := min(deals, max(1_000_000_000/len(ds)/10, 9_999))
	hits := 0
	for range tries {
		s, bits := 0.0, uint64(0)
		for i, d := range ds {
			if i%64 == 0 {
				bits = rng.Uint64()
			}
			if bits&1 == 1 {
				s += d
			} else {
				s -= d
			}
			bits >>= 1
		}
		if math.Abs(s) >= far {
			hits++
		}
	}
	return float64(hits+1) / float64(tries+1)
}

// Holm corrects p-values for being many (Holm 1979). The order stays.
func Holm(ps []float64) []float64 {
	order := make([]int, len(ps))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(ps[a], ps[b]) })
	out := make([]float64, len(ps))
	most := 0.0
	for rank, i := range order {
		most = max(most, min(1, ps[i]*float64(len(ps)-rank)))
		out[i] = most
	}
	return out
}

// Deviation returns the standard deviation of xs, n-1 below; 0 for fewer than 2.
func Deviation(xs []float64) float64 {
	if len(xs) < 2 {
		return 0
	}
	mean, two := Mean(xs), 0.0
	for _, x := range xs {
		two += (x - mean) * (x - mean)
	}
	return math.Sqrt(two / float64(len(xs)-1))
}

// Detectable returns the smallest mean difference that a two-sided test at Alpha
// finds with power 0.8 on n pairs whose differences have the deviation.
func Detectable(deviation float64, n int) float64 {
	if n == 0 {
		return 0
	}
	return (normal.Quantile(1-Alpha/2) + normal.Quantile(0.8)) * deviation / math.Sqrt(float64(n))
}

// Read reads results that were saved as JSON.
func Read(data []byte) (*Results, error) {
	var r Results
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, err
	}
	switch {
	case r.Version == 0 || r.Metrics == nil:
		return nil, errors.New("it is JSON, but not what an evaluation saves")
	case r.Version > Version:
		return nil, fmt.Errorf("it was saved in the form %d, and this version of dspi reads forms up to %d", r.Version, Version)
	}
	return &r, nil
}

// Matched counts the rows of the same number in both: those that hold the same, and
// those that do not.
func Matched(a, b *Results) (same, other int) {
	second := map[int]*Row{}
	for _, r := range b.Rows {
		second[r.N] = r
	}
	for _, r := range a.Rows {
		s, ok := second[r.N]
		switch {
		case !ok:
		case r.Example == nil || s.Example == nil || value.Equal(r.Example, s.Example):
			same++
		default:
			other++
		}
	}
	return same, other
}
