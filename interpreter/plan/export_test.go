package plan

import "slices"

// GraphLabels returns every label of a plan's graph, each line of its own, in
// alphabetical order.
func GraphLabels(p *Plan) []string {
	g := draw(p)
	var out []string
	var walk func(b *box)
	walk = func(b *box) {
		for _, it := range b.items {
			switch it := it.(type) {
			case *node:
				out = append(out, it.lines...)
			case *box:
				out = append(out, it.title)
				walk(it)
			}
		}
	}
	walk(g.top)
	for _, e := range g.edges {
		out = append(out, e.label())
	}
	slices.Sort(out)
	return out
}

// GraphSize counts the nodes, boxes and edges of a plan's graph.
func GraphSize(p *Plan) (nodes, boxes, edges int) {
	g := draw(p)
	var walk func(b *box)
	walk = func(b *box) {
		for _, it := range b.items {
			switch it := it.(type) {
			case *node:
				nodes++
			case *box:
				boxes++
				walk(it)
			}
		}
	}
	walk(g.top)
	return nodes, boxes, len(g.edges)
}
