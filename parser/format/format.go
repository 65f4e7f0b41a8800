// Package format writes a tree as text: the one way a .dsp file is laid out.
//
//	File    the canonical text of a file
//	layout  turns items and comments into rows (layout.go)
//	row     a line to be, in cells (rows.go: how cells are aligned)
//	types   the text of types (types.go)
//	same    whether two trees mean the same (same.go)
//
// # The layout
//
// Two spaces a level. Blank lines stay, one in a row at most, none after a `{`
// or before a `}`. Items stand one a line, but fields and arrows that were
// written on one line stay on it, and so does a block whose braces stood on one
// line and that holds no comment. Commas at line ends go.
//
// A paragraph is a run of lines of one kind: a blank line, a comment of its own
// line or an item of several lines ends it. Within one, the `=` of attributes are
// aligned, and so are descriptions, and comments behind items. Types are aligned
// if one of them was set off from its name. Descriptions and comments stand two
// spaces behind the longest line; where they were aligned already, further right,
// they stay there.
//
// Expressions are kept as they were written. Line ends are those of the first line.
//
// # Files with faults
//
// What the parser did not understand is copied. `=>` becomes `->`.
package format

import (
	"bytes"
	"strings"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/parser"
)

// File returns the canonical text of f. It reads that text again before it
// returns it: if it were not the same tree or, where there are faults, not
// canonical itself, the text of f is returned as it is. So formatting never
// changes what a file says, and formatting twice is formatting once. That happens
// with some faults that hang on the layout.
func File(f *syntax.File) []byte {
	out := text(f)
	again := parser.Parse(source.NewFile(f.Source.Name, string(out)))
	if !same(f, again) || len(f.Faults) > 0 && !bytes.Equal(text(again), out) {
		return []byte(f.Source.Text)
	}
	return out
}

// text lays f out.
func text(f *syntax.File) []byte {
	l := &layout{src: f.Source.LF(), comments: f.Comments, faults: f.Faults}
	body := source.Span{Start: 0, End: int32(len(l.src))}
	l.body(f.Items, body, 0)
	var out bytes.Buffer
	write(&out, l.rows)
	if i := strings.IndexByte(l.src, '\n'); i > 0 && l.src[i-1] == '\r' {
		return crlf(out.Bytes())
	}
	return out.Bytes()
}

// crlf ends every line of text with a carriage return too.
func crlf(text []byte) []byte {
	out := make([]byte, 0, len(text)+bytes.Count(text, []byte{'\n'}))
	for i, c := range text {
		if c == '\n' && (i == 0 || text[i-1] != '\r') {
			out = append(out, '\r')
		}
		out = append(out, c)
	}
	return out
}
