package lsp

import (
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lsp/protocol"
)

// Folds returns what can be folded: blocks, runs of comments and of imports, and
// texts of several lines.
func Folds(v *View) []protocol.FoldingRange {
	out := []protocol.FoldingRange{}
	add := func(a, b int32, kind string) {
		start, end := v.src().LineOf(a)-1, v.src().LineOf(b)-1
		if end > start {
			f := protocol.FoldingRange{StartLine: uint32(start), EndLine: uint32(end)}
			switch kind {
			case "comment":
				f.Kind = protocol.FoldComment
			case "imports":
				f.Kind = protocol.FoldImports
			}
			out = append(out, f)
		}
	}
	var first, last syntax.Item
	for _, it := range v.tree().Items {
		if _, ok := it.(*syntax.Import); ok {
			if first == nil {
				first = it
			}
			last = it
		}
		syntax.Walk(it, func(n syntax.Node) bool {
			switch n := n.(type) {
			case *syntax.Block:
				if n.Body != nil && n.Body.Close.Len() > 0 {
					add(n.Body.Open.Start, max(n.Body.Close.Start-1, n.Body.Open.Start), "")
				}
			case *syntax.Expr, *syntax.String:
				add(n.Range().Start, n.Range().End, "")
			}
			return true
		})
	}
	if first != nil {
		add(first.Range().Start, last.Range().End, "imports")
	}
	comments := v.tree().Comments
	for i := 0; i < len(comments); {
		j := i
		for j+1 < len(comments) && comments[j].OwnLine && comments[j+1].OwnLine &&
			v.src().LineOf(comments[j+1].Start) == v.src().LineOf(comments[j].End)+1 {
			j++
		}
		add(comments[i].Start, comments[j].End, "comment")
		i = j + 1
	}
	return out
}

// Selections returns, for a byte, what a growing selection takes in: the word,
// the expression or type, the item, the body, the block, the file.
func Selections(v *View, offset int32) *protocol.SelectionRange {
	spans := []source.Span{{End: int32(len(v.src().Text))}}
	for _, it := range v.tree().Items {
		syntax.Walk(it, func(n syntax.Node) bool {
			if !n.Range().Contains(offset) {
				return false
			}
			spans = append(spans, n.Range())
			if b, ok := n.(*syntax.Block); ok && b.Body != nil && offset >= b.Body.Open.End && offset <= b.Body.Close.Start {
				spans = append(spans, source.Span{Start: b.Body.Open.End, End: b.Body.Close.Start})
			}
			return true
		})
	}
	if w := word(v.src().Text, offset); w.Len() > 0 {
		spans = append(spans, w)
	}
	var out *protocol.SelectionRange
	var last source.Span
	for i, s := range spans {
		if i > 0 && (s == last || s.Start < last.Start || s.End > last.End) {
			continue
		}
		out, last = &protocol.SelectionRange{Range: v.Range(s), Parent: out}, s
	}
	return out
}
