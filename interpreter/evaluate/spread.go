package evaluate

import "slices"

// Spread is how a quantity of many rows is spread.
type Spread struct {
	N     int     `json:"n"`
	Mean  float64 `json:"mean"`
	P50   float64 `json:"p50"`
	P95   float64 `json:"p95"`
	P99   float64 `json:"p99"`
	Most  float64 `json:"max"`
	Total float64 `json:"total"`
}

// NewSpread returns the spread of xs; nil for none.
func NewSpread(xs []float64) *Spread {
	if len(xs) == 0 {
		return nil
	}
	s := slices.Sorted(slices.Values(xs))
	mean := Mean(xs)
	return &Spread{
		N: len(s), Mean: mean, Total: mean * float64(len(s)),
		P50: Quantile(s, 0.50), P95: Quantile(s, 0.95), P99: Quantile(s, 0.99), Most: s[len(s)-1],
	}
}
