package parser_test

import (
	"strings"
	"testing"
	"time"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/parser"
)

// Texts made to hurt: each must be answered, and in a time that grows with its
// size only. The limit is wide, since the machine may be busy; what takes
// quadratic time at these sizes takes minutes. With -short they are an eighth as
// long.
func TestHugeAndDeepTexts(t *testing.T) {
	size := 4 << 20
	if testing.Short() {
		size >>= 3
	}
	to := func(piece string) string { return strings.Repeat(piece, size/len(piece)) }
	tests := []struct {
		name, text string
		most       int // faults that are too many
	}{
		{"nested braces", strings.Repeat("a b {\n", 100_000), 1},
		{"nested braces, closed", strings.Repeat("a b {\n", 100_000) + strings.Repeat("}\n", 100_000), 1},
		{"nested braces on one line", strings.Repeat("a{", 100_000), 1},
		{"nested parentheses", "program p {\n  x = " + strings.Repeat("(", 1_000_000), 1},
		{"nested parentheses, closed", "program p {\n  x = " + strings.Repeat("(", 1_000_000) + strings.Repeat(")", 1_000_000) + "\n}\n", 1},
		{"nested types", "type T = " + strings.Repeat("list[", 100_000) + "int" + strings.Repeat("]", 100_000), 1},
		{"nested records", "type T = " + strings.Repeat("{ a: ", 100_000), 1},
		{"nested templates", "x = " + strings.Repeat(`"${`, 100_000), 1},
		{"many optionals", "type T = int" + strings.Repeat("?", 10_000), 1},
		{"one program many times", to("program p {\n  question: string -> answer: string\n  x = a.b + 1\n}\n"), 0},
		{"one body of many attributes", "program p {\n" + to("  x = a.b + 1\n") + "}\n", 0},
		{"one line of letters", to("abcdefgh"), 1},
		{"words", to("these are words and no program\n"), 1000},
		{"open parentheses on every line", "program p {\n" + to("  x = (\n"), 1000},
		{"open braces on every line", to("  x = {\n"), 1000},
		{"open types on every line", "type T {\n" + to("  x: list[\n"), 1000},
		{"open strings", to("x = \"a\n"), 1000},
		{"open comments", to("/* "), 1},
		{"open comments at keywords", to("type A = B /*\n"), 1000},
		{"open backticks at keywords", to("type A = B\nx = `\n"), 1000},
		{"open heredocs", to("x = <<EOT\n"), 1},
		{"open heredocs of many names", to("x = <<A\n y = <<B\nmodel m {\n"), 1000},
		{"closing braces", to("}\n"), 1000},
		{"closing brackets", to(")]}"), 1000},
		{"early closers", to("  a b {\n  c d {\n    }\n    }\n"), 1000},
		{"colons", to(":"), 1},
		{"arrows", to("->"), 0},
		{"commas", to(","), 0},
		{"pipes", "type T = a\n" + to("| a\n"), 1000},
		{"operators at line ends", "x = a +\n" + to("b +\n"), 1000},
		{"comments", to("# a\n"), 0},
		{"blank", to(" \n"), 0},
		{"carriage returns", to("\r"), 0},
		{"quotes", to("\""), 1000},
		{"dollars", "x = \"" + to("${"), 1},
		{"labels", "a " + to("b "), 1},
		{"types in a row", "x: " + to("a | "), 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			begin := time.Now()
			f := parser.Parse(source.NewFile("a.dsp", tt.text))
			took := time.Since(begin)
			if n := len(f.Faults); n > tt.most {
				t.Errorf("%d faults, want at most %d:\n%s", n, tt.most, dumpFaults(f, f.Faults[:min(n, 3)]))
			}
			if took > 30*time.Second {
				t.Errorf("took %s", took)
			}
			t.Logf("%d bytes, %d items, %d faults, %s", len(tt.text), len(f.Items), len(f.Faults), took)
		})
	}
}

// The limit of depth is reported where it is exceeded, and what follows the
// program is read as if nothing had been.
func TestTooDeepLeavesNeighbours(t *testing.T) {
	for _, open := range []string{"x = " + strings.Repeat("(", 1000), strings.Repeat("a b {\n", 1000), "x: " + strings.Repeat("list[", 1000)} {
		text := "type A = int\nprogram p {\n" + open + "\nprogram q {\n  a: string -> b: string\n}\n"
		f := parser.Parse(source.NewFile("a.dsp", text))
		if len(f.Faults) != 1 || f.Faults[0].Kind != syntax.TooDeep {
			t.Errorf("%.12q: faults:\n%s", open, dumpFaults(f, f.Faults))
		}
		last, ok := f.Items[len(f.Items)-1].(*syntax.Block)
		if !ok || last.Name().Name != "q" || len(last.Body.Items) != 3 {
			t.Errorf("%.12q: the program after it is lost:\n%s", open, dump(f))
		}
	}
}
