package evaluate

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestPairedAgrees: the interval of paired shares leaves 0 out exactly where McNemar's
// test finds a difference: of all that can change in up to 40 rows, and of many rows.
func TestPairedAgrees(t *testing.T) {
	check := func(b, c, n int) {
		i, p := PairedChanges(b, c, n), McNemar(b, c)
		d := float64(b-c) / float64(n)
		if (i.Low > 0 || i.High < 0) != (p < Alpha) || i.Low > d || i.High < d || i.Low < -1 || i.High > 1 {
			t.Errorf("%d and %d of %d rows changed: p = %v, and the interval of %v is %v", b, c, n, p, d, i)
		}
		if back := PairedChanges(c, b, n); !close(back.Low, -i.High, 1e-9) || !close(back.High, -i.Low, 1e-9) {
			t.Errorf("%d and %d of %d rows changed: %v, and the other way round %v", b, c, n, i, back)
		}
	}
	for m := range 41 {
		for b := range m + 1 {
			for _, n := range []int{m, m + 1, 2*m + 3, 10*m + 7} {
				if n > 0 {
					check(b, m-b, n)
				}
			}
		}
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for range 2_000 {
		n := 1 + rng.IntN(20_000)
		m := 1 + rng.IntN(n)
		b := int(float64(m)*0.5 + rng.NormFloat64()*math.Sqrt(float64(m)))
		b = min(max(b, 0), m)
		check(b, m-b, n)
	}
}

// newcombe is Newcombe's interval for the difference of two paired proportions, ys less
// xs (1998, method 10). docs/statistics.md says how often it and McNemar's test disagree.
func newcombe(xs, ys []float64) Interval {
	var both, onlyY, onlyX, none float64
	for i, x := range xs {
		switch y := ys[i]; {
		case x == 1 && y == 1:
			both++
		case y == 1:
			onlyY++
		case x == 1:
			onlyX++
		default:
			none++
		}
	}
	n := len(xs)
	pY, pX := (both+onlyY)/float64(n), (both+onlyX)/float64(n)
	y, x := Wilson(int(both+onlyY), n), Wilson(int(both+onlyX), n)
	phi := 0.0
	if under := (both + onlyY) * (onlyX + none) * (both + onlyX) * (onlyY + none); under > 0 {
		over := both*none - onlyY*onlyX
		if over > 0 {
			over = max(0, over-float64(n)/2)
		}
		phi = over / math.Sqrt(under)
	}
	reach := func(a, b float64) float64 { return math.Sqrt(max(0, a*a-2*phi*a*b+b*b)) }
	d := pY - pX
	return Interval{max(-1, d-reach(pY-y.Low, x.High-pX)), min(1, d+reach(y.High-pY, pX-x.Low)), "newcombe"}
}

func TestNewcombe(t *testing.T) {
	// Two examples of Newcombe (1998), method 10.
	for _, c := range []struct {
		both, onlyY, onlyX, none int
		low, high                float64
	}{
		{36, 12, 2, 0, 0.0569, 0.3404},
		{20, 12, 2, 16, 0.0562, 0.3292},
	} {
		var xs, ys []float64
		add := func(n int, x, y float64) {
			for range n {
				xs, ys = append(xs, x), append(ys, y)
			}
		}
		add(c.both, 1, 1)
		add(c.onlyY, 0, 1)
		add(c.onlyX, 1, 0)
		add(c.none, 0, 0)
		i := newcombe(xs, ys)
		if !close(i.Low, c.low, 6e-5) || !close(i.High, c.high, 6e-5) {
			t.Errorf("%v: %v", c, i)
		}
	}
}
