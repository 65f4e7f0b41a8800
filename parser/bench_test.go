package parser_test

import (
	"strings"
	"testing"

	"github.com/alecthomas/participle/v2/lexer"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/parser"
	"github.com/dspi-lang/dspi/parser/benchtext"
)

// The two texts of the benchmark must be fair: as many lines, as many bytes
// within a twentieth, no fault in either.
func TestBenchTexts(t *testing.T) {
	text := benchtext.Generate(10_000)
	dsp, hclText := text.DSP, text.HCL
	if a, b := strings.Count(dsp, "\n"), strings.Count(hclText, "\n"); a != b || a < 10_000 || a > 10_100 {
		t.Errorf("%d lines of .dsp, %d of HCL", a, b)
	}
	if ratio := float64(len(dsp)) / float64(len(hclText)); ratio < 0.95 || ratio > 1.05 {
		t.Errorf("%d bytes of .dsp, %d of HCL", len(dsp), len(hclText))
	}
	f := parser.Parse(source.NewFile("bench.dsp", dsp))
	if len(f.Faults) > 0 {
		t.Errorf("the .dsp text has faults:\n%s", dumpFaults(f, f.Faults[:1]))
	}
	if _, diags := hclsyntax.ParseConfig([]byte(hclText), "bench.hcl", hcl.InitialPos); diags.HasErrors() {
		t.Errorf("the HCL text has errors: %s", diags.Error())
	}
}

// BenchmarkParse reads 10,000 lines. Expressions are left as text, which
// BenchmarkHCL does not: compare the checker's benchmark with that.
func BenchmarkParse(b *testing.B) {
	text := benchtext.Generate(10_000).DSP
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		parser.Parse(source.NewFile("bench.dsp", text))
	}
}

// BenchmarkHCL reads the same 10,000 lines as HCL, for scale.
func BenchmarkHCL(b *testing.B) {
	text := []byte(benchtext.Generate(10_000).HCL)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, diags := hclsyntax.ParseConfig(text, "bench.hcl", hcl.InitialPos); diags.HasErrors() {
			b.Fatal(diags.Error())
		}
	}
}

// BenchmarkLex reads the tokens of the 10,000 lines only.
func BenchmarkLex(b *testing.B) {
	text := benchtext.Generate(10_000).DSP
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		lex, err := parser.Definition.(lexer.StringDefinition).LexString("bench.dsp", text)
		if err != nil {
			b.Fatal(err)
		}
		for {
			if t, _ := lex.Next(); t.EOF() {
				break
			}
		}
	}
}
