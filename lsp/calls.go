package lsp

import (
	"slices"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lsp/protocol"
	"github.com/dspi-lang/dspi/lsp/snapshot"
)

// Calls returns the program whose name stands at a byte, or that the step there
// calls: where a hierarchy of calls begins.
func Calls(v *View, offset int32) []protocol.CallHierarchyItem {
	out := []protocol.CallHierarchyItem{}
	target, _, ok := v.index().Target(offset)
	if !ok {
		return out
	}
	if d, ok := v.check().Def(target); ok && d.Kind == "program" {
		out = append(out, callItem(v, d))
	}
	return out
}

func callItem(v *View, d *snapshot.Def) protocol.CallHierarchyItem {
	it := protocol.CallHierarchyItem{
		Name: d.Name, Kind: protocol.SymbolFunction, URI: protocol.Address(d.Place.File.Name),
		Range: rangeOf(v.Snap, d.Whole), SelectionRange: rangeOf(v.Snap, d.Place),
	}
	if text := detail(v, d); text != "" {
		it.Detail = &text
	}
	return it
}

// Incoming returns the programs that use a program, in all files of the open
// folders: by a step that calls it, or by its name.
func Incoming(v *View, offset int32) []protocol.IncomingCall {
	out := []protocol.IncomingCall{}
	target, _, ok := v.index().Target(offset)
	if !ok {
		return out
	}
	calls := newGroups[protocol.Range]()
	for _, c := range reaching(v, target.File.Name) {
		for _, tree := range c.Trees() {
			x := c.Index(tree)
			for _, u := range x.Uses {
				if u.Target != target {
					continue
				}
				if from := programAround(x, u.Place.Start); from != nil {
					calls.add(from, rangeOf(v.Snap, u.Place))
				}
			}
		}
	}
	for _, d := range calls.inOrder() {
		out = append(out, protocol.IncomingCall{From: callItem(v, d), FromRanges: calls.of[d.Place]})
	}
	return out
}

// Outgoing returns the programs that a program uses.
func Outgoing(v *View, offset int32) []protocol.OutgoingCall {
	out := []protocol.OutgoingCall{}
	target, _, ok := v.index().Target(offset)
	if !ok {
		return out
	}
	from, ok := v.check().Def(target)
	if !ok {
		return out
	}
	calls := newGroups[protocol.Range]()
	tree := v.check().Trees()[from.Place.File.Name]
	for _, u := range v.check().Index(tree).Uses {
		if !from.Whole.Contains(u.Place.Start) {
			continue
		}
		if d, ok := v.check().Def(u.Target); ok && d.Kind == "program" {
			calls.add(d, rangeOf(v.Snap, u.Place))
		}
	}
	for _, d := range calls.inOrder() {
		out = append(out, protocol.OutgoingCall{To: callItem(v, d), FromRanges: calls.of[d.Place]})
	}
	return out
}

// programAround returns the program that stands around an offset.
func programAround(x *snapshot.Index, offset int32) *snapshot.Def {
	for _, d := range x.Inside(nil) {
		if d.Kind == "program" && d.Whole.Contains(offset) {
			return d
		}
	}
	return nil
}

// groups collects what belongs to a declaration.
type groups[T comparable] struct {
	defs map[source.Place]*snapshot.Def
	of   map[source.Place][]T
}

func newGroups[T comparable]() *groups[T] {
	return &groups[T]{map[source.Place]*snapshot.Def{}, map[source.Place][]T{}}
}

func (g *groups[T]) add(d *snapshot.Def, x T) {
	g.defs[d.Place] = d
	if !slices.Contains(g.of[d.Place], x) {
		g.of[d.Place] = append(g.of[d.Place], x)
	}
}

// inOrder returns the declarations in the order of files and text.
func (g *groups[T]) inOrder() []*snapshot.Def {
	places := make([]source.Place, 0, len(g.defs))
	for at := range g.defs {
		places = append(places, at)
	}
	slices.SortFunc(places, byPlace)
	out := make([]*snapshot.Def, len(places))
	for i, at := range places {
		out[i] = g.defs[at]
	}
	return out
}
