// Package source holds the text of a file and maps places in it.
//
//	File     a name and its text
//	Span     two byte offsets, the one notation for a place inside a file
//	Place    a span in a file
//	Position a line and column made from an offset, for people and editors
//	Change   how one text became another, and where places stand after it
//
// Four other notations meet in dspi (participle counts runes, expr counts runes
// in a snippet, HCL counts grapheme clusters, editors count UTF-16 units); all
// are turned into byte spans where they enter, and back only here.
package source

import (
	"sort"
	"strings"
	"sync"
	"unicode/utf16"
	"unicode/utf8"
)

// File is a source text with a name. Make one with NewFile; it does not change. Its
// lines end with a line feed, a carriage return or both, as editors have it.
type File struct {
	Name string
	Text string

	once   sync.Once
	lines  []int32 // byte offset of the start of each line
	hidden []Span  // what must not be shown (hide.go), in order
}

// NewFile returns a file with the given name and text.
func NewFile(name, text string) *File { return &File{Name: name, Text: text} }

// Span is the half-open range of bytes [Start, End) of a file.
type Span struct{ Start, End int32 }

// Len returns the number of bytes in s.
func (s Span) Len() int { return int(s.End - s.Start) }

// Contains reports whether offset lies in s, its end included.
func (s Span) Contains(offset int32) bool { return s.Start <= offset && offset <= s.End }

// To returns the span from the start of s to the end of t.
func (s Span) To(t Span) Span { return Span{s.Start, t.End} }

// Place is a span in a file. The zero Place is nowhere.
type Place struct {
	File *File
	Span
}

// IsZero reports whether p is nowhere.
func (p Place) IsZero() bool { return p.File == nil }

// Text returns the text at p.
func (p Place) Text() string {
	if p.File == nil {
		return ""
	}
	return p.File.Slice(p.Span)
}

// Position is a place for people: line and column count from 1, the column in
// characters (Unicode code points), Byte from 0.
type Position struct {
	Line   int `json:"line"`
	Column int `json:"column"`
	Byte   int `json:"byte"`
}

// Place returns the span of f from start to end.
func (f *File) Place(s Span) Place { return Place{f, s} }

// Slice returns the text of s, cut to the file's size.
func (f *File) Slice(s Span) string {
	n := int32(len(f.Text))
	a, b := min(max(s.Start, 0), n), min(max(s.End, 0), n)
	if a >= b {
		return ""
	}
	return f.Text[a:b]
}

// LF returns the text with a line feed for each carriage return that ends a line
// without one. It has as many bytes, so that its places are those of the text.
func (f *File) LF() string {
	var out []byte
	for i := 0; ; i++ {
		n := strings.IndexByte(f.Text[i:], '\r')
		if n < 0 {
			break
		}
		i += n
		if strings.HasPrefix(f.Text[i+1:], "\n") {
			continue
		}
		if out == nil {
			out = []byte(f.Text)
		}
		out[i] = '\n'
	}
	if out == nil {
		return f.Text
	}
	return string(out)
}

func (f *File) index() []int32 {
	f.once.Do(func() {
		text := f.LF()
		f.lines = append(make([]int32, 0, 1+strings.Count(text, "\n")), 0)
		for i := 0; i < len(text); {
			n := strings.IndexByte(text[i:], '\n')
			if n < 0 {
				break
			}
			i += n + 1
			f.lines = append(f.lines, int32(i))
		}
	})
	return f.lines
}

// Lines returns the number of lines of f, at least 1.
func (f *File) Lines() int { return len(f.index()) }

// LineStart returns the offset at which line n (from 1) begins.
func (f *File) LineStart(n int) int32 {
	lines := f.index()
	switch {
	case n < 1:
		return 0
	case n > len(lines):
		return int32(len(f.Text))
	}
	return lines[n-1]
}

// Line returns the text of line n (from 1) without its line end.
func (f *File) Line(n int) string {
	s := f.Slice(Span{f.LineStart(n), f.LineStart(n + 1)})
	return strings.TrimRight(s, "\r\n")
}

// LineOf returns the number (from 1) of the line that holds offset.
func (f *File) LineOf(offset int32) int {
	lines := f.index()
	return sort.Search(len(lines), func(i int) bool { return lines[i] > offset })
}

// Position returns the line and column of offset.
func (f *File) Position(offset int32) Position {
	offset = min(max(offset, 0), int32(len(f.Text)))
	line := f.LineOf(offset)
	return Position{
		Line:   line,
		Column: utf8.RuneCountInString(f.Text[f.LineStart(line):offset]) + 1,
		Byte:   int(offset),
	}
}

// UTF16 returns the line and column of offset as editors count them: both from
// 0, the column in UTF-16 units.
func (f *File) UTF16(offset int32) (line, column int) {
	offset = min(max(offset, 0), int32(len(f.Text)))
	line = f.LineOf(offset)
	for _, r := range f.Text[f.LineStart(line):offset] {
		column += utf16.RuneLen(r)
	}
	return line - 1, column
}

// Offset returns the offset of a line and column as editors count them. A place
// beyond the end of a line is the line's end.
func (f *File) Offset(line, column int) int32 {
	start := f.LineStart(line + 1)
	text := f.Line(line + 1)
	for i, r := range text {
		if column <= 0 {
			return start + int32(i)
		}
		column -= max(utf16.RuneLen(r), 1)
	}
	return start + int32(len(text))
}

// RuneOffset returns the byte offset in s of its n-th rune, or len(s).
func RuneOffset(s string, n int) int {
	for i := range s {
		if n == 0 {
			return i
		}
		n--
	}
	return len(s)
}
