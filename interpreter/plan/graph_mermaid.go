package plan

import (
	"fmt"
	"strings"
	"unicode"
)

// Mermaid returns a plan as a flowchart of Mermaid.
func Mermaid(p *Plan) string {
	g := draw(p)
	var b strings.Builder
	b.WriteString("flowchart TD\n")
	fmt.Fprintf(&b, "  accTitle: %s\n", mermaidText(g.title))
	mermaidBox(&b, g.top, "  ")
	for _, e := range g.edges {
		arrow := "-->"
		if e.dashed {
			arrow = "-.->"
		}
		fmt.Fprintf(&b, "  %s %s|%s| %s\n", e.from.id, arrow, mermaidQuoted(e.label()), e.to.id)
	}
	return b.String()
}

func mermaidBox(b *strings.Builder, x *box, indent string) {
	for _, it := range x.items {
		switch it := it.(type) {
		case *node:
			open, shut := mermaidShape(it)
			fmt.Fprintf(b, "%s%s%s%s%s\n", indent, it.id, open, mermaidQuoted(it.lines...), shut)
		case *box:
			fmt.Fprintf(b, "%ssubgraph %s [%s]\n", indent, it.id, mermaidQuoted(it.title))
			mermaidBox(b, it, indent+"  ")
			fmt.Fprintf(b, "%send\n", indent)
		}
	}
}

// mermaidShape returns the brackets that make a node's shape.
func mermaidShape(n *node) (open, shut string) {
	switch {
	case n.many:
		return "[[", "]]"
	case n.shape == inputShape, n.shape == outputShape:
		return "([", "])"
	case n.shape == valueShape:
		return "(", ")"
	case n.shape == stateShape:
		return "[(", ")]"
	case n.shape == endShape:
		return "{{", "}}"
	}
	return "[", "]"
}

// mermaidQuoted returns lines as one quoted label.
func mermaidQuoted(lines ...string) string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = mermaidText(l)
	}
	return `"` + strings.Join(out, "<br/>") + `"`
}

// mermaidText writes what Mermaid would take for more than text as the number of
// its character: quotes and HTML, but also Markdown, formulas, names of icons,
// directives, and `\n`. A `_` inside a word and a `: ` are only text. Two dollars
// begin a formula and `fa:fa-` an icon however they are written; a character
// without width inside keeps them text.
func mermaidText(s string) string {
	var b strings.Builder
	rs := []rune(s)
	at := func(i int) rune {
		if i < 0 || i >= len(rs) {
			return ' '
		}
		return rs[i]
	}
	for i, r := range rs {
		special := strings.ContainsRune("\"#&<>\\`*~$%@{}|;", r)
		switch {
		case unicode.IsControl(r):
			b.WriteByte(' ')
		case special, r == ':' && at(i+1) != ' ', r == '_' && !(word(at(i-1)) && word(at(i+1))):
			fmt.Fprintf(&b, "#%d;", r)
			if r == '$' && at(i+1) == '$' || r == ':' && at(i+1) == 'f' {
				b.WriteString("#8288;") // word joiner
			}
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func word(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }
