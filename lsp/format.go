package lsp

import (
	"strings"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lsp/protocol"
	"github.com/dspi-lang/dspi/lsp/snapshot"
	"github.com/dspi-lang/dspi/parser/format"
)

// The formatter moves nothing: between two texts only the space differs, and a few
// signs such as a comma at a line's end. So the two are walked along together, and
// what differs between two words is an edit of its own. Any of the edits can be left
// out, which is what laying out a few lines does, and a cursor stays at its word.

// Format returns the edits that lay a file out as `dspi fmt` does.
func Format(v *View) []protocol.TextEdit {
	out := []protocol.TextEdit{}
	for _, m := range v.moves() {
		out = append(out, m.edit(v))
	}
	return out
}

// FormatRange is Format for the lines that a span touches. A line that it only ends
// before is not among them.
func FormatRange(v *View, span source.Span) []protocol.TextEdit {
	from, to := v.src().LineOf(span.Start), v.src().LineOf(span.End)
	if to > from && v.src().LineStart(to) == span.End && int(span.End) < len(v.src().Text) {
		to--
	}
	if from == 1 && to == v.src().Lines() {
		return Format(v)
	}
	lines := source.Span{Start: v.src().LineStart(from), End: v.src().LineStart(to + 1)}
	if to == v.src().Lines() {
		lines.End++ // with what is put behind the text
	}
	out := []protocol.TextEdit{}
	for _, m := range v.moves() {
		if m.space && m.touches(lines) {
			out = append(out, m.edit(v))
		}
	}
	return out
}

// move is one difference between a text and its layout.
type move struct {
	source.Span
	text  string
	space bool // nothing but space and commas differs
}

func (m move) edit(v *View) protocol.TextEdit {
	return protocol.TextEdit{Range: v.Range(m.Span), NewText: m.text}
}

// touches reports whether a part of some lines is replaced, or something put into them.
func (m move) touches(lines source.Span) bool {
	if m.Start == m.End {
		return lines.Start <= m.Start && m.Start < lines.End
	}
	return m.Start < lines.End && lines.Start < m.End
}

// moves returns what makes the layout of a file of its text, in order.
func (v *View) moves() []move {
	if snapshot.IsConfig(v.File.Path) {
		return nil
	}
	return moves(v.src().Text, string(format.File(v.tree())))
}

func moves(old, now string) []move {
	var out []move
	put := func(from, to int, text string, space bool) {
		if old[from:to] != text {
			out = append(out, move{source.Span{Start: int32(from), End: int32(to)}, text, space})
		}
	}
	i, j := 0, 0
	for {
		a, b := wordAt(old, i), wordAt(now, j)
		for _, m := range gap(old[i:a], now[j:b]) {
			put(i+int(m.Start), i+int(m.End), m.text, true)
		}
		i, j = a, b
		switch {
		case i == len(old) && j == len(now):
			return out
		case i < len(old) && j < len(now) && old[i] == now[j]:
			i, j = i+1, j+1
		default:
			x, y := apart(old[i:], now[j:])
			put(i, i+x, now[j:j+y], false)
			i, j = i+x, j+y
		}
	}
}

// between are the characters that the formatter puts between words and takes away.
const between = " \t\n\r\v\f,"

// wordAt returns where the next word begins, at i or behind it.
func wordAt(text string, i int) int {
	for i < len(text) && strings.IndexByte(between, text[i]) >= 0 {
		i++
	}
	return i
}

// gap returns what makes one space between words of another: the ends of lines, and
// then the indentation, which belongs to the next line.
func gap(old, now string) []move {
	if old == now {
		return nil
	}
	a, b := 1+strings.LastIndexAny(old, "\n\r"), 1+strings.LastIndexByte(now, '\n')
	if a == 0 || b == 0 {
		return []move{{Span: source.Span{End: int32(len(old))}, text: now}}
	}
	ends, other := old[:a], now[:b]
	for end := lineEnd(ends); end != "" && end == lineEnd(other); end = lineEnd(ends) {
		ends, other = strings.TrimSuffix(ends, end), strings.TrimSuffix(other, end)
	}
	return []move{
		{Span: source.Span{End: int32(len(ends))}, text: other},
		{Span: source.Span{Start: int32(a), End: int32(len(old))}, text: now[b:]},
	}
}

// lineEnd returns the end of a line at the end of a text; "" where there is none.
func lineEnd(text string) string {
	for _, end := range []string{"\r\n", "\n", "\r"} {
		if strings.HasSuffix(text, end) {
			return end
		}
	}
	return ""
}

// apart returns how much of two texts that begin differently is to be left out until
// they go on alike.
func apart(old, now string) (int, int) {
	const most = 64 // bytes that the formatter puts in or takes out in one place
	for n := 1; n <= most; n++ {
		for x := 0; x <= n; x++ {
			if y := n - x; x <= len(old) && y <= len(now) && alike(old[x:], now[y:]) {
				return x, y
			}
		}
	}
	return len(old), len(now)
}

// alike reports whether the first words of two texts are the same.
func alike(a, b string) bool {
	const enough = 8
	for range enough {
		a, b = a[wordAt(a, 0):], b[wordAt(b, 0):]
		if a == "" || b == "" {
			return a == b
		}
		if a[0] != b[0] {
			return false
		}
		a, b = a[1:], b[1:]
	}
	return true
}
