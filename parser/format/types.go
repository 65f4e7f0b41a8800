package format

import (
	"bytes"
	"strings"

	"github.com/dspi-lang/dspi/lang/syntax"
)

// spaced writes a type behind the text that ends at prev, with a space or, if it
// began on a line of its own, a line end before it.
func (l *layout) spaced(t syntax.TypeExpr, prev int32, indent int) string {
	if u, ok := t.(*syntax.UnionType); ok && l.lines(prev, u.Members[0].Range().Start) > 0 {
		return "\n" + strings.Repeat(" ", indent+2) + "| " + l.typ(t, indent)
	}
	return " " + l.typ(t, indent)
}

// typ writes a type. A record or union of several lines keeps them.
func (l *layout) typ(t syntax.TypeExpr, indent int) string {
	switch t := t.(type) {
	case *syntax.NamedType:
		var b strings.Builder
		b.WriteString(t.Name())
		if t.HasArgs {
			b.WriteByte('[')
			for i, a := range t.Args {
				if i > 0 {
					b.WriteString(", ")
				}
				b.WriteString(l.typ(a, indent))
			}
			b.WriteByte(']')
		}
		if len(t.Params) > 0 {
			b.WriteByte('(')
			for i, p := range t.Params {
				if i > 0 {
					b.WriteString(", ")
				}
				if p.Name != nil {
					b.WriteString(p.Name.Name + " = ")
				}
				b.WriteString(p.Value.Text)
			}
			b.WriteByte(')')
		}
		return b.String()
	case *syntax.OptionalType:
		return l.inParens(t.Elem, indent) + "?"
	case *syntax.SliceType:
		return l.inParens(t.Elem, indent) + "[]"
	case *syntax.UnionType:
		var b strings.Builder
		for i, m := range t.Members {
			if i > 0 {
				if l.lines(t.Members[i-1].Range().End, m.Range().Start) > 0 {
					b.WriteString("\n" + strings.Repeat(" ", indent+2) + "| ")
				} else {
					b.WriteString(" | ")
				}
			}
			b.WriteString(l.inParens(m, indent))
		}
		return b.String()
	case *syntax.RecordType:
		return l.record(t, indent)
	}
	return strings.TrimSpace(l.slice(t.Range()))
}

// inParens writes a type; a union in parentheses.
func (l *layout) inParens(t syntax.TypeExpr, indent int) string {
	if _, ok := t.(*syntax.UnionType); ok {
		return "(" + l.typ(t, indent) + ")"
	}
	return l.typ(t, indent)
}

// record writes `{ … }`.
func (l *layout) record(t *syntax.RecordType, indent int) string {
	if len(t.Items) == 0 {
		return "{}"
	}
	inner := &layout{src: l.src, faults: l.faults}
	first := t.Items[0].Range().Start
	if l.lines(t.Start, first) == 0 && l.lines(t.Items[len(t.Items)-1].Range().End, t.End) == 0 {
		var b strings.Builder
		b.WriteString("{ ")
		for i, it := range t.Items {
			if i > 0 {
				b.WriteString(", ")
			}
			r := row{indent: indent}
			inner.cells(&r, it)
			b.WriteString(r.plain())
		}
		b.WriteString(" }")
		return b.String()
	}
	prev := t.Start
	for _, it := range t.Items {
		r := row{indent: indent + 2, blank: prev > t.Start && l.lines(prev, it.Range().Start) > 1}
		inner.cells(&r, it)
		inner.rows = append(inner.rows, r)
		prev = it.Range().End
	}
	var b bytes.Buffer
	b.WriteString("{\n")
	write(&b, inner.rows)
	b.WriteString(strings.Repeat(" ", indent) + "}")
	return b.String()
}
