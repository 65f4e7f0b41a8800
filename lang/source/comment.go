package source

import (
	"slices"
	"strings"
)

// CommentAbove returns the comment of the lines directly above that of an offset, a
// line of `#` or `//` each, without these marks; "" where there is none.
func (f *File) CommentAbove(offset int32) string {
	var lines []string
	for n := f.LineOf(offset); n > 1; n-- {
		text, ok := lineComment(f.Line(n - 1))
		if !ok {
			break
		}
		lines = append(lines, text)
	}
	slices.Reverse(lines)
	return strings.Join(lines, "\n")
}

func lineComment(line string) (string, bool) {
	line = strings.TrimSpace(line)
	text, ok := strings.CutPrefix(line, "#")
	if !ok {
		text, ok = strings.CutPrefix(line, "//")
	}
	return strings.TrimSpace(text), ok
}
