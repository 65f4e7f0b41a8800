package source_test

import (
	"testing"

	"github.com/dspi-lang/dspi/lang/source"
)

// Lines end with a line feed, a carriage return or both, and a place of a line is the
// same place again.
func TestLines(t *testing.T) {
	for _, c := range []struct {
		text  string
		lines []string
	}{
		{"", []string{""}},
		{"a\nb", []string{"a", "b"}},
		{"a\r\nb\r\n", []string{"a", "b", ""}},
		{"a\rb\r", []string{"a", "b", ""}},
		{"a\r\r\nb\n\rc", []string{"a", "", "b", "", "c"}},
		{"é\r𝄞\rx", []string{"é", "𝄞", "x"}},
	} {
		f := source.NewFile("a.dsp", c.text)
		if f.Lines() != len(c.lines) || len(f.LF()) != len(c.text) {
			t.Fatalf("%q has %d lines, want %d; with LF it is %q", c.text, f.Lines(), len(c.lines), f.LF())
		}
		for i, want := range c.lines {
			start := f.LineStart(i + 1)
			if got := f.Line(i + 1); got != want || f.LineOf(start) != i+1 {
				t.Errorf("line %d of %q is %q, want %q; it begins at %d", i+1, c.text, got, want, start)
			}
			for o := start; o <= start+int32(len(want)); o++ {
				if line, column := f.UTF16(o); o == start && (line != i || f.Offset(line, column) != o) || line != i {
					t.Errorf("byte %d of %q is at %d:%d", o, c.text, line, column)
				}
			}
			if p := f.Position(start + int32(len(want))); p.Line != i+1 {
				t.Errorf("the end of line %d of %q is at %+v", i+1, c.text, p)
			}
		}
	}
}
