package plan

import (
	"fmt"
	"strings"
	"unicode"
)

// DOT returns a plan in the language of Graphviz.
func DOT(p *Plan) string {
	g := draw(p)
	var b strings.Builder
	fmt.Fprintf(&b, "digraph %s {\n", dotQuoted(g.title))
	b.WriteString("  graph [fontname=\"Helvetica\"]\n  node [fontname=\"Helvetica\", shape=box]\n  edge [fontname=\"Helvetica\", fontsize=11]\n")
	dotBox(&b, g.top, "  ")
	for _, e := range g.edges {
		style := ""
		if e.dashed {
			style = ", style=dashed"
		}
		fmt.Fprintf(&b, "  %s -> %s [label=%s%s]\n", e.from.id, e.to.id, dotQuoted(e.label()), style)
	}
	b.WriteString("}\n")
	return b.String()
}

func dotBox(b *strings.Builder, x *box, indent string) {
	for _, it := range x.items {
		switch it := it.(type) {
		case *node:
			fmt.Fprintf(b, "%s%s [label=%s%s]\n", indent, it.id, dotQuoted(it.lines...), dotShape(it))
		case *box:
			// Graphviz draws a frame around what is called cluster.
			fmt.Fprintf(b, "%ssubgraph cluster_%s {\n%s  label=%s\n", indent, it.id, indent, dotQuoted(it.title))
			dotBox(b, it, indent+"  ")
			fmt.Fprintf(b, "%s}\n", indent)
		}
	}
}

func dotShape(n *node) string {
	s := ""
	switch n.shape {
	case inputShape, outputShape:
		s = ", shape=oval"
	case valueShape:
		s = ", style=rounded"
	case stateShape:
		s = ", shape=cylinder"
	case endShape:
		s = ", shape=hexagon"
	}
	if n.many {
		s += ", peripheries=2"
	}
	return s
}

// dotQuoted returns lines as one quoted string. In it a backslash begins an
// escape and `&` a character of HTML.
func dotQuoted(lines ...string) string {
	out := make([]string, len(lines))
	for i, l := range lines {
		l = strings.Map(func(r rune) rune {
			if unicode.IsControl(r) {
				return ' '
			}
			return r
		}, l)
		out[i] = dotEscapes.Replace(l)
	}
	return `"` + strings.Join(out, `\n`) + `"`
}

var dotEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `&`, `&amp;`)
