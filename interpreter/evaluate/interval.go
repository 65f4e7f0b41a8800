package evaluate

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Interval is where a true value lies, with the Confidence of the package.
type Interval struct {
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
	Method string  `json:"method"` // "wilson", "bca", "mover", "exact"
}

// normal is the standard normal distribution.
var normal = distuv.UnitNormal

// z is the two-sided bound of the Confidence.
func z() float64 { return normal.Quantile(0.5 + Confidence/2) }

// Wilson returns the score interval of a proportion of k in n. n is at least 1.
func Wilson(k, n int) Interval {
	p, m, z := float64(k)/float64(n), float64(n), z()
	mid := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	i := Interval{max(0, mid-half), min(1, mid+half), "wilson"}
	if k == 0 {
		i.Low = 0
	}
	if k == n {
		i.High = 1
	}
	return i
}

// resamples is how many samples a bootstrap of n values draws: fewer where there
// are many values, whose mean is nearly normal.
func resamples(n int) int { return min(max(20_000_000/n, 1_999), 9_999) }

// seed begins every stream of chance.
const seed = 0x5eed

// BootstrapMean returns the bootstrap interval of the mean of xs, bias-corrected
// and accelerated (BCa; Efron 1987). Values that are all the same give an interval
// without width: nothing can be learnt of their spread. xs holds at least 2.
func BootstrapMean(xs []float64) Interval {
	n := len(xs)
	mean := Mean(xs)
	lo, hi := slices.Min(xs), slices.Max(xs)
	if lo == hi {
		return Interval{mean, mean, "bca"}
	}
	rng := rand.New(rand.NewPCG(seed, uint64(n)))
	means := make([]float64, resamples(n))
	for b := range means {
		sum := 0.0
		for range n {
			sum += xs[rng.IntN(n)]
		}
		means[b] = sum / float64(n)
	}
	slices.Sort(means)
	// The acceleration: of a mean, the jackknife's is that of the values.
	var two, three float64
	for _, x := range xs {
		d := x - mean
		two += d * d
		three += d * d * d
	}
	return bca(means, mean, three/(6*math.Pow(two, 1.5)))
}

// BootstrapOf returns the BCa interval of any statistic of n rows: of takes the
// indexes of the rows that were drawn. n is at least 2.
func BootstrapOf(n int, of func(rows []int) float64) Interval {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	point := of(all)
	rng := rand.New(rand.NewPCG(seed, uint64(n)))
	draws := min(resamples(n), max(999, 2_000_000/n))
	values, rows := make([]float64, draws), make([]int, n)
	for b := range values {
		for i := range rows {
			rows[i] = rng.IntN(n)
		}
		values[b] = of(rows)
	}
	slices.Sort(values)
	if values[0] == values[len(values)-1] {
		return Interval{point, point, "bca"}
	}
	// The jackknife, by blocks where there are many rows.
	blocks := min(n, 200)
	left := make([]float64, blocks)
	kept := make([]int, 0, n)
	for b := range left {
		from, to := b*n/blocks, (b+1)*n/blocks
		kept = append(append(kept[:0], all[:from]...), all[to:]...)
		left[b] = of(kept)
	}
	mean := Mean(left)
	var two, three float64
	for _, x := range left {
		d := mean - x
		two += d * d
		three += d * d * d
	}
	a := 0.0
	if two > 0 {
		a = three / (6 * math.Pow(two, 1.5))
	}
	return bca(values, point, a)
}

// bca reads the interval off sorted bootstrap values.
func bca(values []float64, point, a float64) Interval {
	below, _ := slices.BinarySearch(values, point)
	upto := below
	for upto < len(values) && values[upto] == point {
		upto++
	}
	share := (float64(below) + float64(upto)) / 2 / float64(len(values)) // ties count half
	bound := 1 / float64(len(values)+1)
	z0 := normal.Quantile(min(max(share, bound), 1-bound))
	at := func(z float64) float64 {
		return normal.CDF(z0 + (z0+z)/(1-a*(z0+z)))
	}
	z := z()
	return Interval{Quantile(values, at(-z)), Quantile(values, at(z)), "bca"}
}

// Quantile returns the q-quantile of sorted values, between two by a straight
// line. There is at least one value.
func Quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := int(math.Floor(at))
	switch {
	case math.IsNaN(at) || i < 0:
		return sorted[0]
	case i >= len(sorted)-1:
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}
