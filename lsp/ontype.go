package lsp

import (
	"strings"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lsp/protocol"
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
	out := []protocol.TextEdit{}
	if closed == nil || brokenIn(v.tree(), closed.Span) {
		return out
	}
	src := v.src()
	lines := source.Span{Start: src.LineStart(src.LineOf(closed.Start)), End: offset} // what follows is as it was
	for _, m := range v.moves() {
		if m.space && m.touches(lines) && m.End <= offset {
			out = append(out, m.edit(v))
		}
	}
	return out
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
	moves := v.moves()
	above := source.Span{Start: src.LineStart(line - 1)}
	above.End = above.Start + int32(len(src.Line(line-1)))
	broken := brokenIn(v.tree(), above)
	if !broken {
		out = append(out, layLine(v, moves, above)...)
	}
	text := src.Line(line)
	has := source.Span{Start: start, End: start + int32(len(text)-len(strings.TrimLeft(text, " \t")))}
	if broken && has.Len() > 0 && !strings.HasSuffix(strings.TrimSpace(src.Slice(above)), "{") {
		return out // in the middle of something: the editor knows as much
	}
	if want := indentation(v, moves, has, text); want != src.Slice(has) {
		out = append(out, protocol.TextEdit{Range: v.Range(has), NewText: want})
	}
	return out
}

// layLine lays out a line that was left. What would begin or end a line stays.
func layLine(v *View, moves []move, line source.Span) []protocol.TextEdit {
	out := []protocol.TextEdit{}
	text := v.src().Slice(line)
	rest := line.Start + int32(len(strings.TrimRight(text, " \t"))) // where the space at its end begins
	for _, m := range moves {
		if m.space && line.Start <= m.Start && m.Start < rest && m.End <= rest && !strings.ContainsAny(m.text, "\r\n") {
			out = append(out, m.edit(v))
		}
	}
	if rest < line.End {
		out = append(out, protocol.TextEdit{Range: v.Range(source.Span{Start: rest, End: line.End})})
	}
	return out
}

// indentation returns what the line of the cursor begins with. A line that has words
// and is understood gets what the formatter writes.
func indentation(v *View, moves []move, has source.Span, text string) string {
	rest := strings.TrimSpace(text)
	if line := (source.Span{Start: has.End, End: has.Start + int32(len(text))}); rest != "" && !brokenIn(v.tree(), line) {
		joined := false
		for _, m := range moves {
			if m.space && m.Start == has.Start && m.End == has.End {
				return m.text
			}
			joined = joined || m.Start < has.Start && has.Start <= m.End && !strings.Contains(m.text, "\n")
		}
		if !joined {
			return v.src().Slice(has)
		}
	}
	depth := len(around(v.tree(), has.Start))
	if strings.HasPrefix(rest, "}") {
		depth--
	}
	return strings.Repeat(indent, max(depth, 0))
}

// inText reports whether a line begins inside an expression, a string or a comment,
// where space has its own meaning.
func inText(tree *syntax.File, start int32) bool {
	for _, c := range tree.Comments {
		if c.Start < start && start < c.End {
			return true
		}
	}
	for _, f := range tree.Faults { // of one that never ends the tree has the first part
		open := f.Kind == syntax.UnclosedComment || f.Kind == syntax.UnclosedString && tree.Source.Text[f.Start] != '"'
		if open && f.Start < start && strings.TrimSpace(tree.Source.Text[start:]) == "" {
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
