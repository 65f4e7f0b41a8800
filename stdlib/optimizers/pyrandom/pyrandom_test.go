package pyrandom_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/dspi-lang/dspi/stdlib/optimizers/pyrandom"
)

func numbers(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// TestDraws compares with what the real Python draws (testdata/generate.py).
func TestDraws(t *testing.T) {
	text, err := os.ReadFile("testdata/draws.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Seed    any
		Random  []float64
		Bits    []uint64
		Late    uint64
		Randint []int
		Sample  []json.RawMessage
		Shuffle [][]int
		Choice  []int
		Choices [][]int
		Uniform float64
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 10 {
		t.Fatalf("only %d seeds", len(cases))
	}
	for _, c := range cases {
		t.Run(fmt.Sprint(c.Seed), func(t *testing.T) {
			fresh := func() *pyrandom.Random {
				if s, ok := c.Seed.(string); ok {
					return pyrandom.NewText(s)
				}
				return pyrandom.New(int64(c.Seed.(float64)))
			}
			same := func(what string, got, want any) {
				t.Helper()
				if fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("%s: %v, Python has %v", what, got, want)
				}
			}
			r := fresh()
			for i, want := range c.Random {
				if got := r.Float64(); got != want {
					t.Errorf("random %d: %v, Python has %v", i, got, want)
				}
			}
			for i, k := range []int{1, 7, 32, 33, 53, 64} {
				same("getrandbits", r.Bits(k), c.Bits[i])
			}
			r = fresh()
			var last uint64
			for range 1300 {
				last = r.Bits(32)
			}
			same("after a refill", last, c.Late)
			r = fresh()
			for i, between := range [][2]int{{0, 0}, {1, 4}, {0, 1e9}, {-3, 3}, {0, 1 << 40}} {
				same("randint", r.Int(between[0], between[1]), c.Randint[i])
			}
			for _, raw := range c.Sample {
				var n, k int
				var want []int
				if err := json.Unmarshal(raw, &[]any{&n, &k, &want}); err != nil {
					t.Fatal(err)
				}
				same(fmt.Sprintf("sample of %d, %d", n, k), pyrandom.Sample(r, numbers(n), k), want)
			}
			for _, want := range c.Shuffle {
				got := numbers(len(want))
				pyrandom.Shuffle(r, got)
				same("shuffle", got, want)
			}
			for i, n := range []int{1, 2, 3, 17} {
				same("choice", pyrandom.Choice(r, numbers(n)), c.Choice[i])
			}
			same("choices", pyrandom.Choices(r, numbers(4), []float64{0.1, 2, 0, 1.5}, 6), c.Choices[0])
			same("choices", pyrandom.Choices(r, numbers(7), nil, 6), c.Choices[1])
			if got := r.Uniform(-2, 3); got != c.Uniform {
				t.Errorf("uniform: %v, Python has %v", got, c.Uniform)
			}
		})
	}
}

// TestSampleIsOfMembers draws samples of every size on both ways there are.
func TestSampleIsOfMembers(t *testing.T) {
	r := pyrandom.New(3)
	for _, n := range []int{0, 1, 20, 40, 200} {
		for k := 0; k <= n; k += 7 {
			got := pyrandom.Sample(r, numbers(n), k)
			slices.Sort(got)
			if len(slices.Compact(got)) != k {
				t.Errorf("%d of %d: %v", k, n, got)
			}
		}
	}
}
