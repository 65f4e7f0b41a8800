package lsp

import (
	"strings"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lsp/protocol"
	"github.com/dspi-lang/dspi/lsp/snapshot"
	"github.com/dspi-lang/dspi/parser/format"
)

// Format returns the edits that lay a file out as `dspi fmt` does: one for each
// run of lines that differ.
func Format(v *View) []protocol.TextEdit {
	return FormatRange(v, source.Span{End: int32(len(v.src().Text))})
}

// FormatRange is Format for the lines that a span touches.
func FormatRange(v *View, span source.Span) []protocol.TextEdit {
	if snapshot.IsConfig(v.File.Path) {
		return []protocol.TextEdit{}
	}
	return changes(v, string(format.File(v.tree())), v.src().LineOf(span.Start)-1, v.src().LineOf(span.End))
}

// changes returns edits that turn the file into a text, of those that touch the
// lines from (from 0) to to. Lines that both have stay, so that the cursor does.
func changes(v *View, text string, from, to int) []protocol.TextEdit {
	old, now := strings.SplitAfter(v.src().Text, "\n"), strings.SplitAfter(text, "\n")
	out := []protocol.TextEdit{}
	for _, h := range hunks(old, now) {
		if h.oldEnd < from || h.oldEnd == from && h.oldStart < h.oldEnd || h.oldStart >= to && h.oldStart != h.oldEnd || h.oldStart > to {
			continue
		}
		span := source.Span{Start: v.src().LineStart(h.oldStart + 1), End: v.src().LineStart(h.oldEnd + 1)}
		if h.oldStart >= len(old) {
			span.Start = int32(len(v.src().Text))
		}
		if h.oldEnd >= len(old) {
			span.End = int32(len(v.src().Text))
		}
		out = append(out, protocol.TextEdit{Range: v.Range(span), NewText: strings.Join(now[h.newStart:h.newEnd], "")})
	}
	return out
}

type hunk struct{ oldStart, oldEnd, newStart, newEnd int }

// hunks finds the runs of lines in which two texts differ. The formatter keeps
// the order of lines, so a line is looked for only a few lines ahead.
func hunks(a, b []string) []hunk {
	const ahead = 40
	var out []hunk
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		if i < len(a) && j < len(b) && a[i] == b[j] {
			i, j = i+1, j+1
			continue
		}
		x, y, found := 0, 0, false
		for n := 1; n <= 2*ahead && !found; n++ {
			for x = max(0, n-ahead); x <= min(n, ahead); x++ {
				y = n - x
				if i+x < len(a) && j+y < len(b) && a[i+x] == b[j+y] && strings.TrimSpace(a[i+x]) != "" {
					found = true
					break
				}
			}
		}
		if !found {
			x, y = len(a)-i, len(b)-j
		}
		out = append(out, hunk{i, i + x, j, j + y})
		i, j = i+x, j+y
	}
	return out
}
