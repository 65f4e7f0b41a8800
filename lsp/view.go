package lsp

import (
	"strings"

	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/lsp/protocol"
	"github.com/dspi-lang/dspi/lsp/snapshot"
)

// View is one file of a snapshot: what the features are functions of.
type View struct {
	Snap *snapshot.Snapshot
	File *snapshot.File
	// Snippets says that the editor takes texts with places to fill in.
	Snippets bool

	checked *snapshot.Checked
	laid    *bool // see laidOut
}

// Look returns the view of a file.
func Look(s *snapshot.Snapshot, path string) (*View, error) {
	f, err := s.File(path)
	if err != nil {
		return nil, protocol.Failed("%s cannot be read", path)
	}
	return &View{Snap: s, File: f}, nil
}

func (v *View) src() *source.File     { return v.File.Source() }
func (v *View) tree() *syntax.File    { return v.File.Tree }
func (v *View) u() *universe.Universe { return v.Snap.Universe() }

// check returns what the checker says; it is asked once.
func (v *View) check() *snapshot.Checked {
	if v.checked == nil {
		c, err := v.Snap.Check(v.File.Path)
		if err != nil { // the file was read a moment ago
			return &snapshot.Checked{File: v.File}
		}
		v.checked = c
	}
	return v.checked
}

func (v *View) index() *snapshot.Index { return v.check().Index(v.tree()) }

// Offset returns the byte at a position.
func (v *View) Offset(p protocol.Position) int32 {
	return v.Snap.Encoding().Offset(v.src(), int(p.Line), int(p.Character))
}

// Position returns the position of a byte.
func (v *View) Position(offset int32) protocol.Position { return position(v.Snap, v.src(), offset) }

// Range returns the range of a span.
func (v *View) Range(s source.Span) protocol.Range { return rangeOf(v.Snap, v.src().Place(s)) }

func position(s *snapshot.Snapshot, f *source.File, offset int32) protocol.Position {
	line, column := s.Encoding().Position(f, offset)
	return protocol.Position{Line: uint32(line), Character: uint32(column)}
}

func rangeOf(s *snapshot.Snapshot, at source.Place) protocol.Range {
	return protocol.Range{Start: position(s, at.File, at.Start), End: position(s, at.File, max(at.Start, at.End))}
}

func location(s *snapshot.Snapshot, at source.Place) protocol.Location {
	return protocol.Location{URI: protocol.Address(at.File.Name), Range: rangeOf(s, at)}
}

// around returns the blocks around an offset, the outermost first: those between
// whose braces it stands.
func around(tree *syntax.File, offset int32) []*syntax.Block {
	var out []*syntax.Block
	for _, it := range tree.Items {
		syntax.Walk(it, func(n syntax.Node) bool {
			b, ok := n.(*syntax.Block)
			if !ok {
				return false
			}
			if b.Body == nil || offset < b.Body.Open.End {
				return false
			}
			if b.Body.Close.Len() > 0 && offset > b.Body.Close.Start || b.Body.Close.Len() == 0 && offset > b.End && !goesOn(tree.Source, b, offset) {
				return false
			}
			out = append(out, b)
			return true
		})
	}
	return out
}

// goesOn reports whether an offset behind a block without a `}` still belongs to it:
// what stands between is indented further than the block is.
func goesOn(src *source.File, b *syntax.Block, offset int32) bool {
	between := source.NewFile("", src.Slice(source.Span{Start: b.End, End: offset})).LF()
	if strings.ContainsAny(between, "}") {
		return false
	}
	column := func(at int32) int { return int(at - src.LineStart(src.LineOf(at))) }
	lines := strings.Split(between, "\n")
	if len(lines) == 2 && lines[1] == "" {
		return true // the line that was just begun
	}
	for i, line := range lines[1:] {
		text := strings.TrimLeft(line, " \t")
		if last := i == len(lines)-2; text == "" && !last {
			continue
		}
		if len(line)-len(text) <= column(b.Start) && (text != "" || column(b.Start) > 0) {
			return false
		}
	}
	return true
}

// table returns what may stand in the innermost of blocks, nil where nothing is
// known of it.
func table(u *universe.Universe, blocks []*syntax.Block, isProgram func(string) bool) *universe.Block {
	var t *universe.Block
	for i, b := range blocks {
		kind := b.KindName()
		if i == 0 {
			t, _ = u.Block(kind)
		} else {
			t = innerTable(u, t, kind, isProgram)
		}
		if t == nil {
			return nil
		}
	}
	return t
}

func innerTable(u *universe.Universe, in *universe.Block, kind string, isProgram func(string) bool) *universe.Block {
	if t, ok := in.Block(kind); ok {
		return t
	}
	if kind == "repeat" {
		return &universe.RepeatBlock
	}
	if in.Name == "optimize" {
		for i := range u.Optimizers {
			if u.Optimizers[i].Name == kind {
				return u.Optimizers[i].Block()
			}
		}
	}
	if m, ok := u.Module(kind); ok {
		t := u.Step
		t.Doc, t.Example = m.Doc, m.Example
		t.Settings = append(append([]universe.Setting{}, m.Settings...), u.Step.Settings...)
		t.Signature = m.Outputs == nil
		t.Steps = m.Wraps || m.Holds
		return &t
	}
	if isProgram(kind) {
		t := u.Step
		t.Signature = false
		return &t
	}
	return nil
}

// programs reports whether a name is that of a program.
func (v *View) programs() func(string) bool {
	var project *program.Project
	if r, ok := v.Snap.Recheck(v.File.Path); ok && v.checked == nil {
		project = r.Project // has the same programs
	} else {
		project = v.check().Project
	}
	return func(name string) bool {
		if project == nil {
			return false
		}
		_, ok := project.Program(name)
		return ok
	}
}

// word returns the word that ends or stands at an offset: letters, digits and `_`.
func word(text string, offset int32) source.Span {
	is := func(i int32) bool {
		c := text[i]
		return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
	}
	a, b := offset, offset
	for a > 0 && is(a-1) {
		a--
	}
	for int(b) < len(text) && is(b) {
		b++
	}
	return source.Span{Start: a, End: b}
}

func code(lines ...string) string { return "```dspi\n" + strings.Join(lines, "\n") + "\n```" }

func ptr[T any](v T) *T { return &v }
