package parser

import (
	"slices"
	"sort"
	"strings"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
)

// Reparse reads a file as Parse does, and takes from the tree of an older text
// what is the same there: an editor changes a few bytes of many.
//
// Top-level items are what is taken. An item that begins in the first column with
// a keyword of its own ends all that is open before it, so that nothing behind it
// depends on what stands before, and, when nothing before is broken, the other way
// round. Items behind the change are copied with their new places.
func Reparse(old *syntax.File, src *source.File) *syntax.File {
	if f := reparse(old, src); f != nil {
		return f
	}
	return Parse(src)
}

// maxKeptFaults is how many faults an old tree may have to be used: with many of
// them the limits of what is read twice would not be counted as Parse counts them.
const maxKeptFaults = 8

// reparse returns nil where the old tree is of no use.
func reparse(old *syntax.File, src *source.File) *syntax.File {
	if old == nil || old.Source == nil || len(old.Items) < 2 || len(old.Faults) > maxKeptFaults || strings.IndexByte(src.Text, 0) >= 0 {
		return nil
	}
	for _, f := range old.Faults {
		if f.Kind == syntax.TooDeep || f.Kind == syntax.BadCharacter || f.Kind == syntax.MissingComma {
			return nil
		}
	}
	c := source.ChangeBetween(old.Source, src)
	same, delta := int(c.Start), int(c.Delta)
	changed := int(c.End) + delta
	if c.None() {
		return &syntax.File{Source: src, Items: old.Items, Comments: old.Comments, Faults: old.Faults}
	}
	p := newParser(src)
	if len(p.faults) > 0 {
		return nil
	}
	k := p.keptBefore(old, same)
	from := 0
	if k > 0 {
		from = int(old.Items[k].Range().Start)
		p.restart(from)
	}
	out := &syntax.File{Source: src, Items: append(make([]syntax.Item, 0, len(old.Items)+4), old.Items[:k]...)}
	for _, c := range old.Comments {
		if int(c.Start) < from {
			out.Comments = append(out.Comments, c)
		}
	}
	middle, at := p.until(old, changed, delta)
	out.Items = append(out.Items, middle...)
	for _, c := range p.comments {
		if int(c.Start) < at {
			out.Comments = append(out.Comments, c)
		}
	}
	for _, f := range p.sortedFaults() {
		if int(f.Start) < at {
			out.Faults = append(out.Faults, f)
		}
	}
	if at > len(src.Text) || len(p.faults) > maxKeptFaults {
		if len(p.faults) > maxKeptFaults {
			return nil
		}
		return out
	}
	d := int32(delta)
	begin := int32(at) - d // in the old text
	for _, it := range old.Items[itemAt(old, begin):] {
		if d != 0 {
			it = shifted(it, d)
		}
		out.Items = append(out.Items, it)
	}
	for _, c := range old.Comments {
		if c.Start >= begin {
			c.Span = moved(c.Span, d)
			out.Comments = append(out.Comments, c)
		}
	}
	for _, f := range old.Faults {
		if f.Start >= begin {
			f.Span = moved(f.Span, d)
			if f.Related != (source.Span{}) {
				if f.Related.Start < begin {
					return nil
				}
				f.Related = moved(f.Related, d)
			}
			out.Faults = append(out.Faults, f)
		}
	}
	return out
}

// keptBefore returns how many items of the old tree stand so far before the first
// change, at same, that they are as they were. The item after them has its whole
// first line before the change too.
func (p *parser) keptBefore(old *syntax.File, same int) int {
	if len(old.Faults) > 0 {
		same = min(same, int(old.Faults[0].Start))
	}
	k := itemAt(old, int32(same))
	for k = min(k, len(old.Items)-1); k > 0; k-- {
		at := int(old.Items[k].Range().Start)
		if at >= same || p.column(at) != 0 || !p.resets(at) {
			continue
		}
		if line := strings.IndexByte(p.src[at:], '\n'); line >= 0 && at+line < same {
			return k
		}
	}
	return 0
}

// until reads items until one begins that the old tree has too, behind the change.
// It returns where that is; beyond the text when there is none.
func (p *parser) until(old *syntax.File, changed, delta int) ([]syntax.Item, int) {
	var items []syntax.Item
	separated := true
	for {
		p.shift()
		t := p.peek(0)
		switch t.Type {
		case lexer.EOF:
			return items, len(p.src) + 1
		case tokNewline, tokReset, tokComma:
			p.i++
			separated = true
			continue
		}
		if at := t.Pos.Offset; at > changed && t.Type == tokIdent && separated && !p.quiet && p.column(at) == 0 && p.resets(at) {
			begin := int32(at - delta)
			if j := itemAt(old, begin); j < len(old.Items) && old.Items[j].Range().Start == begin {
				return items, at
			}
		}
		items = p.topItem(items, separated)
		separated = endsWithArrow(items)
	}
}

// itemAt returns the index of the first item that begins at an offset or behind it.
func itemAt(f *syntax.File, offset int32) int {
	return sort.Search(len(f.Items), func(i int) bool { return f.Items[i].Range().Start >= offset })
}

func moved(s source.Span, d int32) source.Span {
	return source.Span{Start: s.Start + d, End: s.End + d}
}

// movedIf moves a span that is somewhere: an empty one at 0 stands for nothing.
func movedIf(s source.Span, d int32) source.Span {
	if s == (source.Span{}) {
		return s
	}
	return moved(s, d)
}

func movedIdent(n syntax.Ident, d int32) syntax.Ident { n.Span = moved(n.Span, d); return n }

func movedIdents(list []syntax.Ident, d int32) []syntax.Ident {
	list = slices.Clone(list)
	for i := range list {
		list[i].Span = moved(list[i].Span, d)
	}
	return list
}

func movedExpr(e *syntax.Expr, d int32) *syntax.Expr {
	if e == nil {
		return nil
	}
	out := *e
	out.Span = moved(e.Span, d)
	return &out
}

func movedString(s *syntax.String, d int32) *syntax.String {
	if s == nil {
		return nil
	}
	out := *s
	out.Span, out.Template = moved(s.Span, d), movedIf(s.Template, d)
	return &out
}

func shiftedAll(list []syntax.Item, d int32) []syntax.Item {
	if list == nil {
		return nil
	}
	out := make([]syntax.Item, len(list))
	for i, it := range list {
		out[i] = shifted(it, d)
	}
	return out
}

// shifted returns a copy of an item d bytes further on.
func shifted(it syntax.Item, d int32) syntax.Item {
	switch it := it.(type) {
	case *syntax.Import:
		out := *it
		out.Span, out.Path = moved(it.Span, d), movedString(it.Path, d)
		if it.Alias != nil {
			alias := movedIdent(*it.Alias, d)
			out.Alias = &alias
		}
		return &out
	case *syntax.TypeAlias:
		out := *it
		out.Span, out.Keyword, out.Name, out.Type = moved(it.Span, d), moved(it.Keyword, d), movedIdent(it.Name, d), shiftedType(it.Type, d)
		return &out
	case *syntax.Block:
		out := *it
		out.Span, out.Kind, out.Type = moved(it.Span, d), movedIdents(it.Kind, d), shiftedType(it.Type, d)
		out.Labels = slices.Clone(it.Labels)
		for i := range out.Labels {
			out.Labels[i].Span = moved(out.Labels[i].Span, d)
		}
		if it.Body != nil {
			out.Body = &syntax.Body{Items: shiftedAll(it.Body.Items, d), Open: moved(it.Body.Open, d), Close: movedIf(it.Body.Close, d)}
		}
		return &out
	case *syntax.Attribute:
		out := *it
		out.Span, out.Name, out.Value = moved(it.Span, d), movedIdent(it.Name, d), movedExpr(it.Value, d)
		return &out
	case *syntax.Let:
		out := *it
		out.Span, out.Name, out.Value = moved(it.Span, d), movedIdent(it.Name, d), movedExpr(it.Value, d)
		return &out
	case *syntax.Field:
		out := *it
		out.Span, out.Name, out.Type = moved(it.Span, d), movedIdent(it.Name, d), shiftedType(it.Type, d)
		out.Default, out.Description = movedExpr(it.Default, d), movedString(it.Description, d)
		return &out
	case *syntax.EnumMember:
		out := *it
		out.Span, out.Name = moved(it.Span, d), movedIdent(it.Name, d)
		out.Shown, out.Description = movedString(it.Shown, d), movedString(it.Description, d)
		return &out
	case *syntax.Arrow:
		return &syntax.Arrow{Span: moved(it.Span, d), Text: it.Text}
	case *syntax.Bad:
		return &syntax.Bad{Span: moved(it.Span, d)}
	}
	return it
}

// shiftedType is shifted for a type.
func shiftedType(t syntax.TypeExpr, d int32) syntax.TypeExpr {
	all := func(list []syntax.TypeExpr) []syntax.TypeExpr {
		list = slices.Clone(list)
		for i := range list {
			list[i] = shiftedType(list[i], d)
		}
		return list
	}
	switch t := t.(type) {
	case *syntax.NamedType:
		out := *t
		out.Span, out.Path, out.Args = moved(t.Span, d), movedIdents(t.Path, d), all(t.Args)
		out.Params = slices.Clone(t.Params)
		for i := range out.Params {
			p := &out.Params[i]
			p.Span, p.Value = moved(p.Span, d), movedExpr(p.Value, d)
			if p.Name != nil {
				name := movedIdent(*p.Name, d)
				p.Name = &name
			}
		}
		return &out
	case *syntax.LiteralType:
		return &syntax.LiteralType{Span: moved(t.Span, d), Value: t.Value}
	case *syntax.RecordType:
		return &syntax.RecordType{Span: moved(t.Span, d), Items: shiftedAll(t.Items, d)}
	case *syntax.OptionalType:
		return &syntax.OptionalType{Span: moved(t.Span, d), Elem: shiftedType(t.Elem, d)}
	case *syntax.UnionType:
		return &syntax.UnionType{Span: moved(t.Span, d), Members: all(t.Members)}
	case *syntax.SliceType:
		return &syntax.SliceType{Span: moved(t.Span, d), Elem: shiftedType(t.Elem, d)}
	case *syntax.BadType:
		return &syntax.BadType{Span: moved(t.Span, d)}
	}
	return t
}
