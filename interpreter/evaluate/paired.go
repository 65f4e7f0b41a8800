package evaluate

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Two programs on the same n rows, right or wrong on each: what tells them apart are the
// m rows that changed, b for the better and c for the worse. McNemar's exact test asks
// whether the share b/m could be a half by chance. An interval of the difference
// (b-c)/n = m/n·(2b/m-1) that is made from other figures, such as Newcombe's from those
// of each program alone, may leave 0 out where the test finds nothing, and the other way
// round: with 20 to 200 rows in 3 to 6 of 100 comparisons (docs/statistics.md).
//
// This one is made of the test. Its limits of b/m are those of Clopper and Pearson
// (1934): the shares that the exact test does not refuse. Those of m/n are Wilson's, and
// the two are put together by the method of variance estimates recovery (MOVER; Zou and
// Donner 2008): the smallest and the largest product on the ellipse through the four
// limits. All products on it have one sign exactly where the limits of b/m are on one
// side of a half, so it leaves 0 out where the test finds a difference, and nowhere else.

// McNemar returns the exact two-sided p-value that rows which changed, b in one
// way and c in the other, changed by chance.
func McNemar(b, c int) float64 {
	n := b + c
	if n == 0 {
		return 1
	}
	d := distuv.Binomial{N: float64(n), P: 0.5}
	return min(1, 2*d.CDF(float64(min(b, c))))
}

// PairedProportions returns the interval for the difference of two paired proportions,
// ys less xs, whose values are 0 or 1. It leaves 0 out exactly where McNemar's p-value
// is below Alpha.
func PairedProportions(xs, ys []float64) Interval {
	b, c := 0, 0
	for i, x := range xs {
		switch y := ys[i]; {
		case y > x:
			b++
		case y < x:
			c++
		}
	}
	return PairedChanges(b, c, len(xs))
}

// PairedChanges is PairedProportions of n rows, of which b rose from 0 to 1 and c fell.
func PairedChanges(b, c, n int) Interval {
	m := b + c
	changed := Wilson(m, n)
	if m == 0 { // of the rows that might change, nothing is known
		return Interval{-changed.High, changed.High, "mover"}
	}
	share := ClopperPearson(b, m)
	way, low, high := float64(b-c)/float64(m), 2*share.Low-1, 2*share.High-1
	rate := float64(m) / float64(n)
	out := Interval{math.Inf(1), math.Inf(-1), "mover"}
	for _, x := range []float64{low - way, high - way} {
		for _, y := range []float64{changed.Low - rate, changed.High - rate} {
			out.Low = min(out.Low, lowest(func(t float64) float64 { return (way + x*math.Cos(t)) * (rate + y*math.Sin(t)) }))
			out.High = max(out.High, -lowest(func(t float64) float64 { return -(way + x*math.Cos(t)) * (rate + y*math.Sin(t)) }))
		}
	}
	return out
}

// ClopperPearson returns the exact interval of a proportion of k in n (1934). n is at
// least 1.
func ClopperPearson(k, n int) Interval {
	i := Interval{0, 1, "exact"}
	tail := (1 - Confidence) / 2
	if k > 0 {
		i.Low = distuv.Beta{Alpha: float64(k), Beta: float64(n - k + 1)}.Quantile(tail)
	}
	if k < n {
		i.High = distuv.Beta{Alpha: float64(k + 1), Beta: float64(n - k)}.Quantile(1 - tail)
	}
	return i
}

// lowest returns the least value of f on a quarter of a circle: where it is the least of
// some points, searched on by golden sections.
func lowest(f func(t float64) float64) float64 {
	const points = 64
	step := math.Pi / 2 / points
	best, at := math.Inf(1), 0
	for i := range points + 1 {
		if y := f(float64(i) * step); y < best {
			best, at = y, i
		}
	}
	from, to := float64(max(at-1, 0))*step, float64(min(at+1, points))*step
	const golden = 0.6180339887498949
	for to-from > 1e-10 {
		x, y := to-golden*(to-from), from+golden*(to-from)
		if f(x) < f(y) {
			to = y
		} else {
			from = x
		}
	}
	return min(best, f((from+to)/2))
}
