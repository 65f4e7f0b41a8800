package evaluate

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

var update = flag.Bool("update", false, "rewrite golden files and generated pages")

// The coverage of intervals by the bootstrap cannot be computed, only tried, and that
// takes minutes. So testdata/coverage.json has the outcome of each try, and each try
// its own stream of chance: the test repeats a few tries of each cell and compares
// them, and DSPI_SOAK repeats all. docs/statistics.md is made of the file.

// cell is one measurement: intervals of so many values.
type cell struct {
	Method string `json:"method"`
	Of     string `json:"of"` // the values' distribution
	N      int    `json:"n"`
	Hits   string `json:"hits"` // a 1 for each try whose interval holds the truth, else a 0
}

func (c *cell) share() float64 { return float64(strings.Count(c.Hits, "1")) / float64(len(c.Hits)) }

// tries is how often a cell is tried.
const tries = 300

// population is what values are drawn from, and its true mean.
type population struct {
	name, about string
	mean        float64
	draw        func(*rand.Rand) float64
}

var populations = []population{
	{"uniform", "from 0 to 1", 0.5, (*rand.Rand).Float64},
	{"squares", "squares of those: skewed", 1.0 / 3, func(r *rand.Rand) float64 { x := r.Float64(); return x * x }},
	{"three", "0, 0.5 or 1, as a judge gives", 0.65, func(r *rand.Rand) float64 {
		switch x := r.Float64(); {
		case x < 0.2:
			return 0
		case x < 0.5:
			return 0.5
		}
		return 1
	}},
	{"overlap", "40 % are 1, 20 % are 0, the rest between, as F1 gives", 0.6, func(r *rand.Rand) float64 {
		switch x := r.Float64(); {
		case x < 0.4:
			return 1
		case x < 0.6:
			return 0
		}
		return r.Float64()
	}},
	{"exponential", "as costs and times are: very skewed", 1, (*rand.Rand).ExpFloat64},
}

// classesOf are the pairs of a sort of three classes that is right in 70 of 100, of
// which one class is rare.
func classesOf(r *rand.Rand) Pair {
	names := []string{"a", "b", "c"}
	want := names[2]
	switch x := r.Float64(); {
	case x < 0.5:
		want = names[0]
	case x < 0.85:
		want = names[1]
	}
	if r.Float64() < 0.7 {
		return Pair{want, want}
	}
	return Pair{want, names[r.IntN(3)]}
}

// trueMacroF1 is that of classesOf.
func trueMacroF1() float64 {
	have, sum := []float64{0.5, 0.35, 0.15}, 0.0
	for _, p := range have {
		sum += 2 * p * 0.8 / (p + p*0.8 + (1-p)*0.1) // of a class 0.7 + 0.1 are right, of others 0.1 are taken for it
	}
	return sum / 3
}

// cells lists what is measured, without the outcomes.
func cells() []*cell {
	var out []*cell
	for _, n := range []int{5, 10, 20, 30, 50, 100, 200} {
		for _, p := range populations {
			out = append(out, &cell{Method: "bca", Of: p.name, N: n})
		}
	}
	for _, n := range []int{20, 50, 100, 200} {
		out = append(out, &cell{Method: "macro F1", Of: "three classes", N: n})
	}
	for _, n := range pairedRows {
		for _, p := range pairs {
			out = append(out, &cell{Method: "mover", Of: p.name, N: n}, &cell{Method: "newcombe and mcnemar", Of: p.name, N: n})
		}
	}
	for _, n := range []int{20, 50, 100, 200} {
		out = append(out, &cell{Method: "bca and permutation", Of: "overlap", N: n})
	}
	return out
}

var pairedRows = []int{10, 20, 50, 100, 200, 600}

// twins are two programs on the same rows: the share of the rows that the first has
// right, and of those that the second has right where the first has, and where not.
type twins struct {
	name                string
	first, same, gained float64
}

func (p twins) difference() float64 { return p.gained*(1-p.first) - (1-p.same)*p.first }

var pairs = []twins{
	{"60 and 60", 0.6, 0.9, 0.15},
	{"60 and 70", 0.6, 0.9, 0.4},
	{"80 and 85", 0.8, 0.95, 0.45},
	{"67 and 82", 0.67, 0.95, 0.5561},
	{"90 and 92", 0.9, 0.98, 0.38},
}

// draw returns what both have of n rows.
func (p twins) draw(r *rand.Rand, n int) (xs, ys []float64) {
	xs, ys = make([]float64, n), make([]float64, n)
	for k := range xs {
		right := p.gained
		if r.Float64() < p.first {
			xs[k], right = 1, p.same
		}
		if r.Float64() < right {
			ys[k] = 1
		}
	}
	return xs, ys
}

// try tells whether the interval of one sample holds the truth.
func (c *cell) try(i int) bool {
	stream := uint64(i)<<32 | uint64(c.N)
	for _, b := range []byte(c.Method + c.Of) {
		stream = stream*31 + uint64(b)
	}
	r := rand.New(rand.NewPCG(20, stream))
	holds := func(i Interval, truth float64) bool { return i.Low <= truth && truth <= i.High }
	switch c.Method {
	case "bca":
		p := populations[slices.IndexFunc(populations, func(p population) bool { return p.name == c.Of })]
		xs := make([]float64, c.N)
		for k := range xs {
			xs[k] = p.draw(r)
		}
		return holds(BootstrapMean(xs), p.mean)
	case "macro F1":
		pairs := make([]Pair, c.N)
		for k := range pairs {
			pairs[k] = classesOf(r)
		}
		return holds(NewConfusion("", pairs).Macro, trueMacroF1())
	}
	out := func(i Interval) bool { return i.Low > 0 || i.High < 0 }
	if c.Method == "bca and permutation" { // half of the rows have another score, which is often higher
		overlap := populations[slices.IndexFunc(populations, func(p population) bool { return p.name == c.Of })].draw
		diffs := make([]float64, c.N)
		for k := range diffs {
			if r.Float64() < 0.5 {
				diffs[k] = max(overlap(r), 0.3*r.Float64()) - overlap(r)
			}
		}
		return out(BootstrapMean(diffs)) == (Permutation(diffs) < Alpha)
	}
	p := pairs[slices.IndexFunc(pairs, func(p twins) bool { return p.name == c.Of })]
	xs, ys := p.draw(r, c.N)
	if c.Method == "mover" {
		return holds(PairedProportions(xs, ys), p.difference())
	}
	better, worse := 0, 0
	for k := range xs {
		if ys[k] > xs[k] {
			better++
		} else if ys[k] < xs[k] {
			worse++
		}
	}
	return out(newcombe(xs, ys)) == (McNemar(better, worse) < Alpha)
}

// run makes tries, two cells at a time.
func run(all []*cell, n int) {
	var work sync.WaitGroup
	slots := make(chan struct{}, 2)
	for _, c := range all {
		slots <- struct{}{}
		work.Go(func() {
			defer func() { <-slots }()
			hits := make([]byte, n)
			for i := range hits {
				hits[i] = '0'
				if c.try(i) {
					hits[i] = '1'
				}
			}
			c.Hits = string(hits)
		})
	}
	work.Wait()
}

const (
	coverageFile = "testdata/coverage.json"
	coveragePage = "../../docs/statistics.md"
)

// TestCoverageMeasured holds the measured coverage to its bounds, and the page to what
// was measured.
func TestCoverageMeasured(t *testing.T) {
	if *update {
		all := cells()
		run(all, repeats)
		run(unmeasured(t, all), tries)
		data, err := json.MarshalIndent(all, "", " ")
		if err == nil {
			err = os.WriteFile(coverageFile, append(data, '\n'), 0o666)
		}
		if err == nil {
			err = os.WriteFile(coveragePage, []byte(statisticsPage(all)), 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(coverageFile)
	if err != nil {
		t.Fatal(err)
	}
	var had []*cell
	if err := json.Unmarshal(data, &had); err != nil {
		t.Fatal(err)
	}
	again := cells()
	if len(had) != len(again) {
		t.Fatalf("%s has %d cells, not %d: -update measures them", coverageFile, len(had), len(again))
	}
	repeat := repeats
	if os.Getenv("DSPI_SOAK") != "" {
		repeat = tries
	}
	run(again, repeat)
	for i, c := range again {
		if h := had[i]; h.Method != c.Method || h.Of != c.Of || h.N != c.N || len(h.Hits) != tries || h.Hits[:repeat] != c.Hits {
			t.Errorf("%s of %s, n = %d, is not what was measured: -update measures it", c.Method, c.Of, c.N)
		}
	}
	for _, n := range []int{100, 200} {
		if mean, _, _ := meanOf(had, "bca", n); mean < 0.92 || mean > 0.97 {
			t.Errorf("bca, n = %d: the mean coverage is %v", n, mean)
		}
	}
	page, err := os.ReadFile(coveragePage)
	if err != nil || string(page) != statisticsPage(had) {
		t.Errorf("docs/statistics.md is not made of what was measured (%v): -update makes it", err)
	}
}

// repeats is how many tries of each cell the test makes again.
const repeats = 2

// unmeasured returns the cells that the file lacks or has others of, by their first tries;
// what was measured of the rest it takes over.
func unmeasured(t *testing.T, all []*cell) []*cell {
	var had, out []*cell
	if data, err := os.ReadFile(coverageFile); err == nil {
		if err := json.Unmarshal(data, &had); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range all {
		i := slices.IndexFunc(had, func(h *cell) bool {
			return h.Method == c.Method && h.Of == c.Of && h.N == c.N && len(h.Hits) == tries && h.Hits[:repeats] == c.Hits
		})
		if i < 0 {
			out = append(out, c)
		} else {
			c.Hits = had[i].Hits
		}
	}
	return out
}

// meanOf returns the mean coverage of a method at n, and the least and the most of its
// cells.
func meanOf(all []*cell, method string, n int) (mean, least, most float64) {
	var shares []float64
	for _, c := range all {
		if c.Method == method && c.N == n {
			shares = append(shares, c.share())
		}
	}
	return Mean(shares), slices.Min(shares), slices.Max(shares)
}

// level is how often McNemar's test finds a difference in rows that changed by chance,
// computed.
func level(changed int) float64 {
	d := distuv.Binomial{N: float64(changed), P: 0.5}
	sum := 0.0
	for k := range changed + 1 {
		if McNemar(k, changed-k) < Alpha {
			sum += d.Prob(float64(k))
		}
	}
	return sum
}

func share100(x float64) string { return fmt.Sprintf("%.1f %%", 100*x) }

// statisticsPage writes docs/statistics.md.
func statisticsPage(all []*cell) string {
	var b strings.Builder
	b.WriteString(statisticsHead)
	b.WriteString("| n | mean | least | most |\n|---|---|---|---|\n")
	for _, n := range []int{5, 10, 20, 30, 50, 100, 200, 600} {
		var xs []float64
		for p := 0.1; p < 0.905; p += 0.01 {
			xs = append(xs, coverage(n, p))
		}
		fmt.Fprintf(&b, "| %d | %s | %s | %s |\n", n, share100(Mean(xs)), share100(slices.Min(xs)), share100(slices.Max(xs)))
	}
	slack := 1.96 * math.Sqrt(0.95*0.05/tries)
	fmt.Fprintf(&b, statisticsBCa, tries, share100(slack))
	for _, p := range populations {
		fmt.Fprintf(&b, "- %s: %s\n", p.name, p.about)
	}
	b.WriteString("\n| n | mean |")
	for _, p := range populations {
		b.WriteString(" " + p.name + " |")
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", len(populations)) + "\n")
	for _, n := range []int{5, 10, 20, 30, 50, 100, 200} {
		mean, _, _ := meanOf(all, "bca", n)
		fmt.Fprintf(&b, "| %d | **%s** |", n, share100(mean))
		for _, c := range all {
			if c.Method == "bca" && c.N == n {
				b.WriteString(" " + share100(c.share()) + " |")
			}
		}
		b.WriteString("\n")
	}
	b.WriteString(statisticsMacro + "\n| n | coverage |\n|---|---|\n")
	for _, c := range all {
		if c.Method == "macro F1" {
			fmt.Fprintf(&b, "| %d | %s |\n", c.N, share100(c.share()))
		}
	}
	paired := func(head, method string, of func(float64) float64) {
		b.WriteString(head + "\n| n | mean |")
		for _, p := range pairs {
			b.WriteString(" " + p.name + " |")
		}
		b.WriteString("\n|---|---|" + strings.Repeat("---|", len(pairs)) + "\n")
		for _, n := range pairedRows {
			mean, _, _ := meanOf(all, method, n)
			fmt.Fprintf(&b, "| %d | **%s** |", n, share100(of(mean)))
			for _, c := range all {
				if c.Method == method && c.N == n {
					b.WriteString(" " + share100(of(c.share())) + " |")
				}
			}
			b.WriteString("\n")
		}
	}
	paired(statisticsPaired, "mover", func(x float64) float64 { return x })
	paired(statisticsAgree, "newcombe and mcnemar", func(x float64) float64 { return 1 - x })
	b.WriteString(statisticsAgreeToo + "\n| n | they disagree |\n|---|---|\n")
	for _, c := range all {
		if c.Method == "bca and permutation" {
			fmt.Fprintf(&b, "| %d | %s |\n", c.N, share100(1-c.share()))
		}
	}
	b.WriteString(statisticsTests + "\n| rows that changed | McNemar finds a difference |\n|---|---|\n")
	for _, n := range []int{5, 6, 10, 20, 50, 100, 400} {
		fmt.Fprintf(&b, "| %d | %s |\n", n, share100(level(n)))
	}
	b.WriteString(statisticsEnd)
	return b.String()
}

const statisticsHead = `# How far the figures can be relied on

Each score of ` + "`dspi eval`" + ` has a 95 % interval, each difference of ` + "`dspi compare`" + ` an interval and a p-value. This page says how often the
intervals hold the truth, measured where the truth is known. It is made by ` + "`go test ./interpreter/evaluate -run TestCoverageMeasured -update`" + `,
and a test holds it to the code.

## Shares: Wilson

Of a score that is 0 or 1 on each row. Computed, over the true shares 0.1, 0.11, … 0.9: the coverage is a sum over all that can happen.

`

const statisticsBCa = `
A share of few rows has only few values, so single shares lie above or below: the least and the most are those of the 81 shares.

## Other means: the bootstrap (BCa)

Of scores between 0 and 1, costs, times. Tried: %d samples for each cell, so a cell is known to ± %s. What the values are drawn from:

`

const statisticsMacro = `
Of five values the intervals are too narrow. From 10 on those of scores are about right; those of costs and times, which are very skewed, hold the truth in about
90 of 100 until there are 50 of them.

## Macro F1

The bootstrap of the rows' pairs of class and answer; three classes, the rarest of 15 rows in 100.
`

const statisticsPaired = `
## Differences of shares

Of two programs on the same rows, where one is right on so many of 100 rows and the other on so many. The interval is made of McNemar's exact test: the exact limits
(Clopper and Pearson 1934) of the share of rows that changed for the better, among those that changed, and Wilson's of the share that changed, put together by MOVER
(Zou and Donner 2008). Being exact, it is rather too wide where few rows changed.
`

const statisticsAgree = `
It leaves 0 out where McNemar's test finds a difference at 5 %, and nowhere else (` + "`TestPairedAgrees`" + `). Newcombe's interval (1998, method 10) is narrower, and made
of other figures than the test; beside McNemar's exact test it would say the opposite so often:
`

const statisticsAgreeToo = `
Of other metrics, the bootstrap draws rows and the test deals signs, so that one may find what the other does not where it is close; ` + "`dspi compare`" + ` says so where they do.
Half of the rows have another score:
`

const statisticsTests = `
## The tests

Where there is no difference, a test at 5 % must find one in at most 5 of 100. McNemar's is exact, so it finds fewer where few rows changed; computed:
`

const statisticsEnd = `
The permutation of signs tries all of them up to 20 rows that differ, else 99,999 at random with the data's own; its level is 5 % at most, too
(` + "`TestLevel`" + `). With several metrics the p-values are corrected by Holm's method, so that 5 % is the chance of one wrong finding among all of them.

Wilson, McNemar, the interval of paired shares, the permutation, the bootstrap and the smallest difference that can be found are compared with scipy's values (` + "`make test-statistics`" + `).
`
