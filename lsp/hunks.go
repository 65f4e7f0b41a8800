package lsp

import (
	"strings"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lsp/protocol"
)

// changes returns edits that turn the file into a text: one for each run of lines that
// differ. Lines that both have stay, so that the cursor does.
func changes(v *View, text string) []protocol.TextEdit {
	f := v.src()
	old, now := linesOf(f), strings.SplitAfter(text, "\n")
	out := []protocol.TextEdit{}
	for _, h := range hunks(old, now) {
		span := source.Span{Start: f.LineStart(h.oldStart + 1), End: f.LineStart(h.oldEnd + 1)}
		out = append(out, protocol.TextEdit{Range: v.Range(span), NewText: strings.Join(now[h.newStart:h.newEnd], "")})
	}
	return out
}

// ended returns a text that is put into a file, with lines that end as the file's
// first does.
func ended(f *source.File, text string) string {
	if i := strings.IndexByte(f.Text, '\n'); i < 1 || f.Text[i-1] != '\r' || !strings.Contains(text, "\n") {
		return text
	}
	return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n")
}

// linesOf returns the lines of a file with their ends.
func linesOf(f *source.File) []string {
	out := make([]string, f.Lines())
	for i := range out {
		out[i] = f.Slice(source.Span{Start: f.LineStart(i + 1), End: f.LineStart(i + 2)})
	}
	return out
}

// hunk is a run of lines that stands in place of another.
type hunk struct{ oldStart, oldEnd, newStart, newEnd int }

// hunks finds the runs of lines in which two texts differ. An edit keeps the order of
// most lines, so a line is looked for only a few lines ahead.
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
