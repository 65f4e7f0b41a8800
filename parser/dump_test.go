package parser_test

import (
	"fmt"
	"strings"

	"github.com/dspi-lang/dspi/lang/syntax"
)

// dump writes a tree compactly, without places: one item a line.
func dump(f *syntax.File) string {
	var b strings.Builder
	for _, it := range f.Items {
		dumpItem(&b, it, "")
	}
	return b.String()
}

// dumpFaults writes the faults of f, with the text they are about.
func dumpFaults(f *syntax.File, faults []syntax.Fault) string {
	var b strings.Builder
	for _, fault := range faults {
		p := f.Source.Position(fault.Start)
		fmt.Fprintf(&b, "%d:%d %s %q", p.Line, p.Column, kindNames[fault.Kind], f.Source.Slice(fault.Span))
		if fault.Related.Len() > 0 {
			r := f.Source.Position(fault.Related.Start)
			fmt.Fprintf(&b, " related %d:%d %q", r.Line, r.Column, f.Source.Slice(fault.Related))
		}
		if fault.Wanted != "" {
			fmt.Fprintf(&b, " wanted %s", fault.Wanted)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

var kindNames = map[syntax.FaultKind]string{
	syntax.Unexpected: "Unexpected", syntax.UnclosedBlock: "UnclosedBlock",
	syntax.UnclosedBracket: "UnclosedBracket", syntax.StrayCloser: "StrayCloser",
	syntax.MismatchedCloser: "MismatchedCloser", syntax.UnclosedString: "UnclosedString",
	syntax.UnclosedComment: "UnclosedComment", syntax.BadEscape: "BadEscape",
	syntax.BadCharacter: "BadCharacter", syntax.SingleQuotes: "SingleQuotes",
	syntax.TooDeep: "TooDeep", syntax.MissingValue: "MissingValue",
	syntax.MissingType: "MissingType", syntax.MissingComma: "MissingComma",
	syntax.BraceOnNextLine: "BraceOnNextLine",
}

func dumpItem(b *strings.Builder, it syntax.Item, indent string) {
	b.WriteString(indent)
	switch it := it.(type) {
	case *syntax.Import:
		b.WriteString("import " + dumpString(it.Path))
		if it.Alias != nil {
			b.WriteString(" as " + it.Alias.Name)
		}
	case *syntax.TypeAlias:
		b.WriteString("type " + it.Name.Name + " = " + dumpType(it.Type))
	case *syntax.Attribute:
		b.WriteString("attr " + it.Name.Name + " = " + dumpExpr(it.Value))
	case *syntax.Let:
		b.WriteString("let " + it.Name.Name + " = " + dumpExpr(it.Value))
	case *syntax.Field:
		b.WriteString(dumpField(it))
	case *syntax.Arrow:
		b.WriteString("arrow " + it.Text)
	case *syntax.EnumMember:
		b.WriteString("member " + it.Name.Name)
		if it.Shown != nil {
			b.WriteString(" = " + dumpString(it.Shown))
		}
		if it.Description != nil {
			b.WriteString(" " + dumpString(it.Description))
		}
	case *syntax.Bad:
		b.WriteString("bad")
	case *syntax.Block:
		b.WriteString("block " + it.KindName())
		for _, l := range it.Labels {
			if l.Quoted {
				fmt.Fprintf(b, " %q", l.Name)
			} else {
				b.WriteString(" " + l.Name)
			}
		}
		if it.Type != nil {
			b.WriteString(": " + dumpType(it.Type))
		}
		if it.Body == nil {
			b.WriteString(" (no body)")
			break
		}
		b.WriteString(" {")
		if it.Body.Open.Len() == 0 {
			b.WriteString(" (not opened)")
		}
		if it.Body.Close.Len() == 0 {
			b.WriteString(" (not closed)")
		}
		b.WriteByte('\n')
		for _, inner := range it.Body.Items {
			dumpItem(b, inner, indent+"  ")
		}
		return
	}
	b.WriteByte('\n')
}

func dumpField(it *syntax.Field) string {
	s := "field " + it.Name.Name
	if it.Optional {
		s += "?"
	}
	if it.Type != nil {
		s += ": " + dumpType(it.Type)
	}
	if it.Default != nil {
		s += " = " + dumpExpr(it.Default)
	}
	if it.Description != nil {
		s += " " + dumpString(it.Description)
	}
	return s
}

func dumpString(s *syntax.String) string {
	if s == nil {
		return "(none)"
	}
	out := fmt.Sprintf("%q", s.Value)
	if s.Template.Len() > 0 {
		out += "(template)"
	}
	return out
}

func dumpExpr(e *syntax.Expr) string {
	if e == nil {
		return "(none)"
	}
	out := fmt.Sprintf("%q", strings.ReplaceAll(e.Text, "\r", ""))
	if e.Broken {
		out += "(broken)"
	}
	return out
}

func dumpType(t syntax.TypeExpr) string {
	switch t := t.(type) {
	case *syntax.NamedType:
		s := t.Name()
		if t.HasArgs {
			var args []string
			for _, a := range t.Args {
				args = append(args, dumpType(a))
			}
			s += "[" + strings.Join(args, ", ") + "]"
		}
		if len(t.Params) > 0 {
			var params []string
			for _, p := range t.Params {
				if p.Name != nil {
					params = append(params, p.Name.Name+" = "+dumpExpr(p.Value))
				} else {
					params = append(params, dumpExpr(p.Value))
				}
			}
			s += "(" + strings.Join(params, ", ") + ")"
		}
		return s
	case *syntax.LiteralType:
		return fmt.Sprintf("%#v", t.Value)
	case *syntax.OptionalType:
		return "optional<" + dumpType(t.Elem) + ">"
	case *syntax.SliceType:
		return "slice<" + dumpType(t.Elem) + ">"
	case *syntax.UnionType:
		var members []string
		for _, m := range t.Members {
			members = append(members, dumpType(m))
		}
		return "(" + strings.Join(members, " | ") + ")"
	case *syntax.RecordType:
		var fields []string
		for _, it := range t.Items {
			if f, ok := it.(*syntax.Field); ok {
				fields = append(fields, dumpField(f))
			} else {
				fields = append(fields, fmt.Sprintf("%T", it))
			}
		}
		return "{" + strings.Join(fields, ", ") + "}"
	case *syntax.BadType:
		return "BADTYPE"
	case nil:
		return "(no type)"
	}
	return fmt.Sprintf("%T", t)
}
