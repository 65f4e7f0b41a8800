package lsp

import (
	"slices"

	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lsp/snapshot"
)

// An input that is not bound takes what has its name, and so does an output. When one
// of the two is given another name, the binding has to be written: what the other is
// called is part of what a model reads, and stays.

// spelled returns what writes the bindings that rest on a name, by file.
func spelled(v *View, target source.Place, name string) map[string][]change {
	out := map[string][]change{}
	done := map[source.Place]bool{}
	for _, c := range reaching(v, target.File.Name) {
		if c.Project == nil {
			continue
		}
		for path, tree := range c.Trees() {
			s := &speller{view: &View{Snap: v.Snap, File: &snapshot.File{Path: path, Tree: tree}}, fields: c.Fields(tree), target: target, name: name}
			for _, x := range c.Project.Programs {
				if x.Block.File == tree.Source && !done[x.Block] {
					done[x.Block] = true
					s.program(x)
				}
			}
			if len(s.changes) > 0 {
				out[path] = append(out[path], s.changes...)
			}
		}
	}
	return out
}

// speller writes bindings of one file.
type speller struct {
	view    *View
	fields  *snapshot.Fields
	target  source.Place
	name    string // what target is called from now on
	changes []change
}

func (s *speller) program(x *program.Program) {
	block := blockAt(s.view, x.Block.Span)
	if block == nil || block.Body == nil || block.Body.Close.Len() == 0 {
		return
	}
	s.steps(x, x.Steps)
	var lines []string
	for _, b := range x.Outputs {
		i := slices.IndexFunc(x.Steps, func(st *program.Step) bool { return b.Auto && st.Name == b.Value.Root })
		if i < 0 || x.Steps[i].Place == x.Place {
			continue
		}
		maker := blockAt(s.view, x.Steps[i].Block.Span)
		if maker == nil {
			continue
		}
		own, _ := s.fields.Of(block, b.Name, "output")
		from, _ := s.fields.Of(maker, b.Value.Field, "output")
		lines = s.line(lines, b.Name, own, b.Value.Root+".", b.Value.Field, from)
	}
	s.put(block, "outputs", lines)
}

func (s *speller) steps(x *program.Program, list []*program.Step) {
	for _, st := range list {
		if st.Repeat != nil {
			s.steps(x, st.Repeat.Steps)
			continue
		}
		block := blockAt(s.view, st.Block.Span)
		if st.Place == x.Place || block == nil || block.Body == nil || block.Body.Close.Len() == 0 {
			continue
		}
		in := s.fields.Around(block)
		if in == nil {
			continue
		}
		var lines []string
		for _, b := range st.Inputs {
			if b.Auto && b.Value.Field == "" {
				own, _ := s.fields.Of(block, b.Name, "input")
				from, _ := s.fields.Seen(in, b.Value.Root)
				lines = s.line(lines, b.Name, own, "", b.Value.Root, from)
			}
		}
		s.put(block, "inputs", lines)
	}
}

// line adds a binding, where one of its sides alone is given another name.
func (s *speller) line(lines []string, name string, own source.Place, root, part string, from source.Place) []string {
	switch {
	case own == from:
		return lines
	case own == s.target:
		name = s.name
	case from == s.target:
		part = s.name
	default:
		return lines
	}
	return append(lines, name+" = "+root+part)
}

func (s *speller) put(block *syntax.Block, kind string, lines []string) {
	if len(lines) > 0 {
		s.changes = append(s.changes, bound(s.view, block, kind, lines))
	}
}
