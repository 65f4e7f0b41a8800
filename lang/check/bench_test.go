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
// moments of a busy machine. `ratio` is the median of ours by the median of
// theirs: 1.0 is as fast as HCL, which neither resolves nor types anything.
// ns/op is the time of both together.
func BenchmarkCheckAgainstHCL(b *testing.B) {
	text := benchtext.Generate(benchLines)
	twin := []byte(text.HCL)
	var ours, theirs []time.Duration
	for b.Loop() {
		begin := time.Now()
		readAndCheck(b, text.DSP)
		middle := time.Now()
		if _, diags := hclsyntax.ParseConfig(twin, "bench.hcl", hcl.InitialPos); diags.HasErrors() {
			b.Fatal(diags.Error())
		}
		ours, theirs = append(ours, middle.Sub(begin)), append(theirs, time.Since(middle))
	}
	dsp, hclTime := median(ours), median(theirs)
	b.ReportMetric(dsp.Seconds()*1000, "dspi-ms")
	b.ReportMetric(hclTime.Seconds()*1000, "hcl-ms")
	b.ReportMetric(float64(dsp)/float64(hclTime), "ratio")
}

func readAndCheck(b *testing.B, text string) {
	file := parser.Parse(source.NewFile("bench.dsp", text))
	_, diags := check.Check(file, check.Options{Universe: stdlib.Universe()})
	if len(diags) > 0 {
		b.Fatalf("%d diagnostics, the first: %v", len(diags), diags[0])
	}
}

// median returns the middle of what was measured. It sorts.
func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}
