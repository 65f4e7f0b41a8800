package dspi_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/lang/check"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/parser"
	"github.com/dspi-lang/dspi/stdlib"
)

// BenchmarkTour parses and checks the tour, whose files use every part of the
// language, as often as makes 10,000 lines. BenchmarkCheckAgainstHCL in
// lang/check has the comparison for files that HCL could say, too.
func BenchmarkTour(b *testing.B) {
	paths, err := filepath.Glob("examples/tour/*.dsp")
	if err != nil || len(paths) == 0 {
		b.Fatal("no tour", err)
	}
	texts, lines := map[string]string{}, 0
	for _, p := range paths {
		data, err := os.ReadFile(p)
		if err != nil {
			b.Fatal(err)
		}
		texts[p] = string(data)
		lines += strings.Count(texts[p], "\n")
	}
	times := 10_000 / lines
	for b.Loop() {
		for range times {
			for name, text := range texts {
				_, diags := check.Check(parser.Parse(source.NewFile(name, text)), check.Options{Universe: stdlib.Universe()})
				if diags.HasErrors() {
					b.Fatal(diags)
				}
			}
		}
	}
	b.ReportMetric(float64(lines*times), "lines")
}
