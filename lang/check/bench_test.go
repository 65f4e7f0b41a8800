package check_test

import (
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/dspi-lang/dspi/lang/check"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/parser"
	"github.com/dspi-lang/dspi/parser/benchtext"
	"github.com/dspi-lang/dspi/stdlib"
)

// benchLines is the size of the generated programs.
const benchLines = 10_000

// BenchmarkCheck lexes, parses and checks a program of 10,000 lines.
func BenchmarkCheck(b *testing.B) {
	text := benchtext.Generate(benchLines).DSP
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		readAndCheck(b, text)
	}
}

// BenchmarkCheckAgainstHCL does the same by turns with hclsyntax.ParseConfig on
// the HCL text that says as much line by line, so that both meet the same
// moments of a busy machine, at least 41 times each. `ratio` is the median of
// ours by theirs, turn by turn: 1.0 is as fast as HCL, which neither resolves nor
// types anything. ns/op is the time of both together.
func BenchmarkCheckAgainstHCL(b *testing.B) {
	text := benchtext.Generate(benchLines)
	twin := []byte(text.HCL)
	var ours, theirs, ratios []float64 // milliseconds
	turn := func() {
		begin := time.Now()
		readAndCheck(b, text.DSP)
		middle := time.Now()
		if _, diags := hclsyntax.ParseConfig(twin, "bench.hcl", hcl.InitialPos); diags.HasErrors() {
			b.Fatal(diags.Error())
		}
		dsp, hclTime := middle.Sub(begin), time.Since(middle)
		ours, theirs = append(ours, dsp.Seconds()*1000), append(theirs, hclTime.Seconds()*1000)
		ratios = append(ratios, float64(dsp)/float64(hclTime))
	}
	for b.Loop() {
		turn()
	}
	for len(ratios) < 41 {
		turn()
	}
	b.ReportMetric(median(ours), "dspi-ms")
	b.ReportMetric(median(theirs), "hcl-ms")
	b.ReportMetric(median(ratios), "ratio")
}

func readAndCheck(b *testing.B, text string) {
	file := parser.Parse(source.NewFile("bench.dsp", text))
	_, diags := check.Check(file, check.Options{Universe: stdlib.Universe()})
	if len(diags) > 0 {
		b.Fatalf("%d diagnostics, the first: %v", len(diags), diags[0])
	}
}

// median returns the middle of what was measured. It sorts.
func median(xs []float64) float64 {
	slices.Sort(xs)
	return xs[len(xs)/2]
}
