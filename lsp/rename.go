package lsp

import (
	"regexp"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/lsp/protocol"
	"github.com/dspi-lang/dspi/parser"
	"github.com/dspi-lang/dspi/parser/format"
)

var aName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// PrepareRename returns the name at a byte, if it can be renamed.
func PrepareRename(v *View, offset int32) (*protocol.PrepareRename, error) {
	_, at, ok := v.index().Target(offset)
	if !ok {
		return nil, protocol.Failed("There is no name here that can be renamed.")
	}
	return &protocol.PrepareRename{Range: v.Range(at.Span), Placeholder: at.Text()}, nil
}

// Rename gives the name at a byte another, wherever it stands. A binding by name that
// would be lost is written. What would be a mistake afterwards is refused.
func Rename(v *View, offset int32, name string) (*protocol.WorkspaceEdit, error) {
	target, _, ok := v.index().Target(offset)
	switch {
	case !ok:
		return nil, protocol.Failed("There is no name here that can be renamed.")
	case !aName.MatchString(name):
		return nil, protocol.Failed("`%s` is not a name: it may have letters, digits and `_`, and begins with no digit.", name)
	case slices.Contains(universe.Reserved, name):
		return nil, protocol.Failed("`%s` is a word of the language.", name)
	}
	byFile := spelled(v, target, name)
	written := map[string]bool{}
	for path := range byFile {
		written[path] = true
	}
	for _, at := range slices.Concat(usesOf(v, target), valued(v, target)) {
		byFile[at.File.Name] = append(byFile[at.File.Name], change{at.Span, name})
	}
	out := &protocol.WorkspaceEdit{Changes: map[protocol.URI][]protocol.TextEdit{}}
	texts := map[string]string{}
	for path, list := range byFile {
		in, err := Look(v.Snap, path)
		if err != nil {
			return nil, err
		}
		slices.SortStableFunc(list, func(a, b change) int { return int(a.at.Start - b.at.Start) })
		for i := range list {
			list[i].text = ended(in.src(), list[i].text)
		}
		u := protocol.Address(path)
		texts[path] = applied(in.src().Text, list)
		if written[path] && in.laidOut() {
			texts[path] = string(format.File(parser.Reparse(in.tree(), source.NewFile(path, texts[path]))))
			out.Changes[u] = changes(in, texts[path])
			continue
		}
		for _, c := range list {
			out.Changes[u] = append(out.Changes[u], protocol.TextEdit{Range: in.Range(c.at), NewText: c.text})
		}
	}
	if d := newMistake(v, target, texts); d != nil {
		return nil, protocol.Failed("With the name `%s` there would be a mistake: %s: %s.", name, d.Title, strings.TrimSuffix(d.Report().Primary.Text, "."))
	}
	return out, nil
}

// newMistake tries texts, and returns a mistake that was not there before.
func newMistake(v *View, target source.Place, texts map[string]string) *diag.Diagnostic {
	tried := v.Snap.With(texts)
	for _, before := range reaching(v, target.File.Name) {
		after, err := tried.CheckOnce(before.File.Path)
		if err != nil {
			continue
		}
		known := map[string]int{}
		for _, d := range before.Diags {
			known[string(d.Code)]++
		}
		for _, d := range after.Diags {
			if known[string(d.Code)]--; known[string(d.Code)] < 0 && d.Level == diag.Error {
				return d
			}
		}
	}
	return nil
}

func errorsIn(l diag.List) int {
	n := 0
	for _, d := range l {
		if d.Level == diag.Error {
			n++
		}
	}
	return n
}
