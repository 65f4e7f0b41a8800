package evaluate

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// statistics is what testdata/generate.py writes.
type statistics struct {
	Wilson []struct {
		K, N      int
		Low, High float64
	}
	McNemar []struct {
		B, C int
		P    float64
	}
	Paired []struct {
		B, C, N   int
		Low, High float64
		ShareLow  float64 `json:"share_low"`
		ShareHigh float64 `json:"share_high"`
	}
	Permutation []struct {
		Diffs []float64
		P     float64
	}
	BCa []struct {
		Name             string
		Xs               []float64
		Low, High, Error float64
	}
	Detectable []struct {
		SD, D float64
		N     int
	}
}

func scipy(t *testing.T) *statistics {
	t.Helper()
	data, err := os.ReadFile("testdata/statistics.json")
	if err != nil {
		t.Fatal(err)
	}
	var s statistics
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	if len(s.Wilson) < 20 || len(s.McNemar) < 5 || len(s.Paired) < 10 || len(s.Permutation) < 5 || len(s.BCa) < 5 || len(s.Detectable) < 3 {
		t.Fatal("statistics.json lacks cases")
	}
	return &s
}

func close(a, b, by float64) bool { return math.Abs(a-b) <= by }

// TestSciPy compares the statistics with scipy's.
func TestSciPy(t *testing.T) {
	s := scipy(t)
	for _, c := range s.Wilson {
		if i := Wilson(c.K, c.N); !close(i.Low, c.Low, 1e-12) || !close(i.High, c.High, 1e-12) {
			t.Errorf("Wilson(%d, %d) = %v, and scipy has %v to %v", c.K, c.N, i, c.Low, c.High)
		}
	}
	for _, c := range s.McNemar {
		if p := McNemar(c.B, c.C); !close(p, c.P, 1e-12) {
			t.Errorf("McNemar(%d, %d) = %v, and scipy has %v", c.B, c.C, p, c.P)
		}
	}
	for _, c := range s.Paired {
		if i := PairedChanges(c.B, c.C, c.N); !close(i.Low, c.Low, 1e-10) || !close(i.High, c.High, 1e-10) {
			t.Errorf("%d and %d of %d rows changed: %v, and scipy has %v to %v", c.B, c.C, c.N, i, c.Low, c.High)
		}
		if i := ClopperPearson(c.B, c.B+c.C); !close(i.Low, c.ShareLow, 1e-12) || !close(i.High, c.ShareHigh, 1e-12) {
			t.Errorf("ClopperPearson(%d, %d) = %v, and scipy has %v to %v", c.B, c.B+c.C, i, c.ShareLow, c.ShareHigh)
		}
	}
	for _, c := range s.Permutation {
		if p := Permutation(c.Diffs); !close(p, c.P, 1e-12) {
			t.Errorf("Permutation(%v) = %v, and scipy has %v", c.Diffs, p, c.P)
		}
	}
	for _, c := range s.BCa {
		// Both draw at random: the ends may differ by a little of the deviation of
		// the mean, which is one step where the values are few.
		if i := BootstrapMean(c.Xs); !close(i.Low, c.Low, 0.15*c.Error) || !close(i.High, c.High, 0.15*c.Error) {
			t.Errorf("%s: BootstrapMean = %v, and scipy has %v to %v (error %v)", c.Name, i, c.Low, c.High, c.Error)
		}
		of := BootstrapOf(len(c.Xs), func(rows []int) float64 {
			sum := 0.0
			for _, r := range rows {
				sum += c.Xs[r]
			}
			return sum / float64(len(rows))
		})
		if !close(of.Low, c.Low, 0.15*c.Error) || !close(of.High, c.High, 0.15*c.Error) {
			t.Errorf("%s: BootstrapOf = %v, and scipy has %v to %v", c.Name, of, c.Low, c.High)
		}
	}
	for _, c := range s.Detectable {
		if d := Detectable(c.SD, c.N); !close(d, c.D, 1e-12) {
			t.Errorf("Detectable(%v, %d) = %v, and scipy has %v", c.SD, c.N, d, c.D)
		}
	}
}

// TestDealtPermutation compares the dealt signs with all of them.
func TestDealtPermutation(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	diffs := make([]float64, exactRows)
	for i := range diffs {
		diffs[i] = rng.NormFloat64() + 0.3
	}
	exact := Permutation(diffs)
	// One difference more that counts for nothing makes the signs be dealt.
	dealt := Permutation(append(diffs, 1e-13))
	if !close(exact, dealt, 5*math.Sqrt(exact*(1-exact)/50_000)) {
		t.Errorf("all signs give %v, dealt ones %v", exact, dealt)
	}
}

// coverage is how often Wilson's interval holds the true share, computed and not
// tried.
func coverage(n int, p float64) float64 {
	d := distuv.Binomial{N: float64(n), P: p}
	sum := 0.0
	for k := range n + 1 {
		if i := Wilson(k, n); i.Low <= p && p <= i.High {
			sum += d.Prob(float64(k))
		}
	}
	return sum
}

// TestCoverage: over p from 0.1 to 0.9 Wilson's intervals hold the truth in 93 to 97
// of 100.
func TestCoverage(t *testing.T) {
	for _, n := range []int{5, 10, 20, 50, 100, 200, 600} {
		var all []float64
		for p := 0.1; p < 0.905; p += 0.01 {
			all = append(all, coverage(n, p))
		}
		mean := Mean(all)
		t.Logf("n = %d: %.4f", n, mean)
		if n >= 50 && (mean < 0.93 || mean > 0.97) {
			t.Errorf("n = %d: the mean coverage is %v", n, mean)
		}
	}
}

// TestLevel: where there is no difference, the tests find one in at most 5 of 100.
func TestLevel(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 9))
	const tries = 400
	found := map[string]int{}
	for range tries {
		b, c := 0, 0
		diffs := make([]float64, 15)
		for i := range diffs {
			diffs[i] = rng.NormFloat64()
			if rng.IntN(2) == 0 {
				b++
			} else {
				c++
			}
		}
		if McNemar(b, c) < Alpha {
			found["mcnemar"]++
		}
		if Permutation(diffs) < Alpha {
			found["permutation"]++
		}
	}
	for name, n := range found {
		if n > int(tries*Alpha+3*math.Sqrt(tries*Alpha*(1-Alpha))) {
			t.Errorf("%s finds a difference in %d of %d where there is none", name, n, tries)
		}
	}
}

func TestHolm(t *testing.T) {
	got := Holm([]float64{0.01, 0.04, 0.03, 0.005})
	for i, want := range []float64{0.03, 0.06, 0.06, 0.02} {
		if !close(got[i], want, 1e-12) {
			t.Errorf("Holm = %v", got)
			break
		}
	}
}
