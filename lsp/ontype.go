package lsp

import (
	"strings"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lsp/protocol"
	"github.com/dspi-lang/dspi/parser/format"
)

// FormatOnType lays out what was just finished: behind a `}` its block, behind a
// new line the line before, and the new one is indented.
func FormatOnType(v *View, offset int32, typed string) []protocol.TextEdit {
	switch typed {
	case "}":
		return formatClosed(v, offset)
	case "\n":
		return formatLine(v, offset)
	}
	return []protocol.TextEdit{}
}

// formatClosed lays out the block whose `}` ends at an offset.
func formatClosed(v *View, offset int32) []protocol.TextEdit {
	var closed *syntax.Block
	for _, it := range v.tree().Items {
		syntax.Walk(it, func(n syntax.Node) bool {
			if !n.Range().Contains(offset) {
				return false
			}
			if b, ok := n.(*syntax.Block); ok && b.Body != nil && b.Body.Close.Len() > 0 && b.Body.Close.End == offset {
				closed = b
			}
			return true
		})
	}
	if closed == nil || brokenIn(v.tree(), closed.Span) {
		return []protocol.TextEdit{}
	}
	return FormatRange(v, closed.Span)
}

// indent is one step of indentation, as `dspi fmt` writes it.
const indent = "  "

// formatLine lays out the line above the cursor, and indents the cursor's.
func formatLine(v *View, offset int32) []protocol.TextEdit {
	out := []protocol.TextEdit{}
	src := v.src()
	line := src.LineOf(offset)
	start := src.LineStart(line)
	if line < 2 || inText(v.tree(), start) {
		return out
	}
	if above := (source.Span{Start: src.LineStart(line - 1), End: start}); !brokenIn(v.tree(), above) {
		if laid, ok := laidLine(v, line-1); ok && laid != src.Line(line-1) {
			above.End = above.Start + int32(len(src.Line(line-1)))
			out = append(out, protocol.TextEdit{Range: v.Range(above), NewText: laid})
		}
	}
	text := src.Line(line)
	rest := strings.TrimLeft(text, " \t")
	depth := len(around(v.tree(), start))
	if strings.HasPrefix(rest, "}") {
		depth--
	}
	want := strings.Repeat(indent, max(depth, 0))
	if has := text[:len(text)-len(rest)]; has != want {
		out = append(out, protocol.TextEdit{Range: v.Range(source.Span{Start: start, End: start + int32(len(has))}), NewText: want})
	}
	return out
}

// laidLine returns a line (from 1) as the formatter writes it, if it writes it as one
// line.
func laidLine(v *View, line int) (string, bool) {
	old, now := strings.SplitAfter(v.src().Text, "\n"), strings.SplitAfter(string(format.File(v.tree())), "\n")
	bare := func(s string) string { return strings.Join(strings.Fields(s), "") }
	want := bare(old[line-1])
	for _, h := range hunks(old, now) {
		if h.oldStart > line-1 || line-1 >= h.oldEnd || want == "" {
			continue
		}
		for _, text := range now[h.newStart:h.newEnd] {
			if bare(text) == want {
				return strings.TrimRight(text, "\r\n"), true
			}
		}
	}
	return "", false
}

// inText reports whether a line begins inside an expression, a string or a comment,
// where space has its own meaning.
func inText(tree *syntax.File, start int32) bool {
	for _, c := range tree.Comments {
		if c.Start < start && start < c.End {
			return true
		}
	}
	found := false
	for _, it := range tree.Items {
		syntax.Walk(it, func(n syntax.Node) bool {
			switch n.(type) {
			case *syntax.Expr, *syntax.String:
				found = found || n.Range().Start < start && start < n.Range().End
			}
			return !found && n.Range().Contains(start)
		})
	}
	return found
}

// brokenIn reports whether the parser did not understand something in a span.
func brokenIn(tree *syntax.File, span source.Span) bool {
	for _, f := range tree.Faults {
		if f.Start <= span.End && span.Start <= f.End {
			return true
		}
	}
	return false
}
