package lsp

import (
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lsp/protocol"
)

// Actions returns the ways out, as edits, of what is wrong in a span of a file.
func Actions(v *View, span source.Span) []protocol.CodeAction {
	out := []protocol.CodeAction{}
	list, src := v.mistakes()
	for _, d := range list {
		p := d.Primary
		if p.File != src || p.End < span.Start || p.Start > span.End {
			continue
		}
		r := d.Report()
		if len(r.Fixes) != len(d.Fixes) {
			continue // it would show a secret
		}
		for i, f := range d.Fixes {
			edit := edits(v, f)
			if edit == nil {
				continue
			}
			out = append(out, protocol.CodeAction{
				Title: r.Fixes[i].Title, Kind: ptr(protocol.QuickFix),
				Diagnostics: []protocol.Diagnostic{diagnostic(v.Snap, d)},
				IsPreferred: ptr(len(d.Fixes) == 1), Edit: edit,
			})
		}
	}
	return out
}

// edits returns a fix as an edit of the workspace.
func edits(v *View, f diag.Fix) *protocol.WorkspaceEdit {
	changes := map[protocol.URI][]protocol.TextEdit{}
	for _, e := range f.Edits {
		if e.File == nil {
			return nil
		}
		u := protocol.Address(e.File.Name)
		changes[u] = append(changes[u], protocol.TextEdit{Range: rangeOf(v.Snap, e.Place), NewText: ended(e.File, e.Text)})
	}
	if len(changes) == 0 {
		return nil
	}
	return &protocol.WorkspaceEdit{Changes: changes}
}
