package lsp

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lsp/protocol"
	"github.com/dspi-lang/dspi/lsp/snapshot"
)

// Definition returns where the name at a byte is declared; for the path of an
// import, the file.
func Definition(v *View, offset int32) []protocol.Location {
	for _, it := range v.tree().Items {
		if imp, ok := it.(*syntax.Import); ok && imp.Path != nil && imp.Path.Contains(offset) {
			if path, err := snapshot.Resolve(v.src().Name, imp.Path.Value); err == nil {
				if _, err := v.Snap.File(path); err == nil {
					return []protocol.Location{{URI: protocol.Address(path)}}
				}
			}
		}
	}
	target, _, ok := v.index().Target(offset)
	if !ok {
		return []protocol.Location{}
	}
	return []protocol.Location{location(v.Snap, target)}
}

// TypeDefinition returns where the type of the value at a byte is declared.
func TypeDefinition(v *View, offset int32) []protocol.Location {
	out := []protocol.Location{}
	if target, _, ok := v.index().Target(offset); ok {
		if d, ok := v.check().Def(target); ok && (d.Kind == "type" || d.Kind == "enum") {
			return append(out, location(v.Snap, target))
		}
	}
	t := typeAt(v, offset)
	for t != nil {
		name := ""
		switch x := t.(type) {
		case *types.Optional:
			t = x.Elem
			continue
		case *types.List:
			t = x.Elem
			continue
		case *types.Map:
			t = x.Elem
			continue
		case *types.Record:
			name = x.Name
		case *types.Enum:
			name = x.Name
		}
		if p := v.check().Project; p != nil && name != "" {
			if d, ok := p.Type(name); ok {
				out = append(out, location(v.Snap, d.Place))
			}
		}
		break
	}
	return out
}

// typeAt returns the type of the reference at a byte, or of the field whose name
// stands there; nil where there is neither.
func typeAt(v *View, offset int32) types.Type {
	for _, f := range v.check().Facts(v.tree()) {
		for _, r := range f.Expr.Refs() {
			for i, part := range r.Parts {
				if part.Contains(offset) {
					_, t, _, _ := meaning(f.Scope, append([]string{r.Root}, r.Path...)[:i+1])
					return t
				}
			}
		}
	}
	target, _, ok := v.index().Target(offset)
	p := v.check().Project
	if d, found := v.check().Def(target); ok && found && p != nil {
		if f, is := d.Item.(*syntax.Field); is {
			for _, x := range p.Programs {
				for _, sig := range signaturesOf(x) {
					for _, field := range slices.Concat(sig.Inputs, sig.Outputs) {
						if field.Name == f.Name.Name && x.Block.File == target.File && x.Block.Contains(target.Start) {
							return field.Type
						}
					}
				}
			}
		}
	}
	return nil
}

// signaturesOf returns the signatures of a program's steps, and its own.
func signaturesOf(p *program.Program) []*program.Signature {
	var out []*program.Signature
	for _, s := range p.Steps {
		if s.Declared != nil {
			out = append(out, s.Declared)
		}
	}
	return append(out, p.Signature)
}

// References returns the places where the name at a byte is used, in all files of
// the open folders, and where it is declared if that is wanted.
func References(v *View, offset int32, declaration bool) []protocol.Location {
	out := []protocol.Location{}
	target, _, ok := v.index().Target(offset)
	if !ok {
		return out
	}
	for _, at := range usesOf(v, target) {
		if at != target || declaration {
			out = append(out, location(v.Snap, at))
		}
	}
	return out
}

// usesOf returns the places of a name: its declaration and its uses, in the order
// of files and text.
func usesOf(v *View, target source.Place) []source.Place {
	seen := map[source.Place]bool{target: true}
	for _, c := range reaching(v, target.File.Name) {
		for _, tree := range c.Trees() {
			for _, u := range c.Index(tree).Uses {
				if u.Target == target {
					seen[u.Place] = true
				}
			}
		}
	}
	out := make([]source.Place, 0, len(seen))
	for at := range seen {
		out = append(out, at)
	}
	slices.SortFunc(out, byPlace)
	return out
}

// byPlace orders places by file and text.
func byPlace(a, b source.Place) int {
	return cmp.Or(strings.Compare(a.File.Name, b.File.Name), cmp.Compare(a.Start, b.Start))
}

// reaching returns the checks that have a file in them: its own, and those of the
// files that import it.
func reaching(v *View, path string) []*snapshot.Checked {
	out := []*snapshot.Checked{v.check()}
	for _, other := range v.Snap.Files() {
		if other == v.File.Path || other != path && !mentions(v.Snap, other, path, 0) {
			continue
		}
		if c, err := v.Snap.Check(other); err == nil && c.Trees()[path] != nil {
			out = append(out, c)
		}
	}
	return out
}

// mentions reports whether a file may import another, by the other's name.
func mentions(s *snapshot.Snapshot, path, other string, depth int) bool {
	f, err := s.File(path)
	if err != nil || depth > 20 {
		return false
	}
	for _, it := range f.Tree.Items {
		imp, ok := it.(*syntax.Import)
		if !ok || imp.Path == nil {
			continue
		}
		next, err := snapshot.Resolve(path, imp.Path.Value)
		if err == nil && (filepath.Clean(next) == other || mentions(s, next, other, depth+1)) {
			return true
		}
	}
	return false
}

// Highlights returns the places of the name at a byte in its own file.
func Highlights(v *View, offset int32) []protocol.DocumentHighlight {
	out := []protocol.DocumentHighlight{}
	target, _, ok := v.index().Target(offset)
	if !ok {
		return out
	}
	if target.File == v.src() {
		out = append(out, protocol.DocumentHighlight{Range: v.Range(target.Span), Kind: protocol.HighlightWrite})
	}
	for _, u := range v.index().Uses {
		if u.Target == target {
			out = append(out, protocol.DocumentHighlight{Range: v.Range(u.Place.Span), Kind: protocol.HighlightRead})
		}
	}
	return out
}
