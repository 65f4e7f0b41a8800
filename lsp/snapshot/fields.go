package snapshot

import (
	"slices"
	"sort"
	"strings"

	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
)

// The names of expressions, and of inputs and outputs: which field each means.

// ref notes a reference of an expression that was checked.
func (b *indexer) ref(r expr.Ref, scope *expr.Scope) {
	sym, ok := scope.Lookup(r.Root)
	if !ok || len(r.Parts) == 0 {
		return
	}
	root := sym.Place
	if sym.Kind == "input" || sym.Kind == "state" || root.File != nil && !isName(root, r.Root) || root.File == nil {
		root = source.Place{}
		if p, ok := b.fieldAround(r.Start, r.Root); ok {
			root = p
		}
	}
	if root.File != nil {
		b.use(r.Parts[0], root)
	}
	members := sym.Members
	for i, name := range r.Path {
		if i+1 >= len(r.Parts) {
			return
		}
		k := slices.IndexFunc(members, func(m expr.Member) bool { return m.Name == name })
		switch {
		case r.Root == "inputs":
			if p, ok := b.fieldAround(r.Start, name); ok {
				b.use(r.Parts[i+1], p)
			}
			return
		case k >= 0 && isName(members[k].Place, name):
			b.use(r.Parts[i+1], members[k].Place)
		case i == 0 && root.File != nil:
			if p, ok := b.memberOf(root, name); ok {
				b.use(r.Parts[1], p)
			}
		}
		if k < 0 {
			return
		}
		members = members[k].Members
	}
}

func isName(at source.Place, name string) bool { return at.File != nil && at.Text() == name }

// memberOf finds a name inside the declaration at a place: a step's output, an
// enum's value, a field of a repeat's state.
func (b *indexer) memberOf(at source.Place, name string) (source.Place, bool) {
	tree := b.checked.trees[at.File.Name]
	if tree == nil {
		return source.Place{}, false
	}
	d, ok := b.checked.index(tree).Def(at)
	if !ok {
		return source.Place{}, false
	}
	block, ok := d.Item.(*syntax.Block)
	if !ok {
		return source.Place{}, false
	}
	for _, kind := range []string{"member", "state"} {
		if p, ok := b.inner(d, name, kind); ok {
			return p, true
		}
	}
	if at.File == b.file {
		return b.field(block, name, "output", 0)
	}
	return source.Place{}, false
}

// fieldAround finds an input, output or state of the blocks around an offset, the
// innermost first.
func (b *indexer) fieldAround(offset int32, name string) (source.Place, bool) {
	var around []*syntax.Block
	items := b.tree.Items
	first := sort.Search(len(items), func(i int) bool { return items[i].Range().End >= offset })
	for _, it := range items[first:] {
		if it.Range().Start > offset {
			break
		}
		syntax.Walk(it, func(n syntax.Node) bool {
			if !n.Range().Contains(offset) {
				return false
			}
			if block, ok := n.(*syntax.Block); ok {
				around = append(around, block)
			}
			return true
		})
	}
	for i := len(around) - 1; i >= 0; i-- {
		block := around[i]
		if d := b.blocks[block.Span]; d != nil {
			if p, ok := b.inner(d, name, "state"); ok {
				return p, true
			}
		}
		if i > 0 && i == len(around)-1 && block.KindName() == "inputs" {
			i-- // the step's own inputs are not visible where they are bound
			continue
		}
		for _, side := range []string{"input", "output"} {
			if p, ok := b.field(block, name, side, 0); ok {
				return p, true
			}
		}
	}
	return source.Place{}, false
}

// field finds an input or output of a block: in the block, in the signature that
// it names, in the program that it calls or names, or in the program around it.
func (b *indexer) field(block *syntax.Block, name, side string, depth int) (source.Place, bool) {
	if block.Body == nil || depth > 4 {
		return source.Place{}, false
	}
	named := func(d *Def) (source.Place, bool) {
		if p, ok := b.inner(d, name, side); ok {
			return p, true
		}
		if d.Place.File == b.file {
			if next, ok := d.Item.(*syntax.Block); ok && next != block {
				return b.field(next, name, side, depth+1)
			}
		}
		return source.Place{}, false
	}
	if len(block.Labels) == 0 && block.KindName() == "assert" {
		return source.Place{}, false
	}
	own := false
	now := "input"
	for _, it := range block.Body.Items {
		switch it := it.(type) {
		case *syntax.Arrow:
			now, own = "output", true
		case *syntax.Field:
			if now == side && it.Name.Name == name {
				return b.at(it.Name.Span), true
			}
		case *syntax.Attribute:
			if it.Value == nil {
				continue
			}
			switch it.Name.Name {
			case "signature":
				if d, ok := b.top("type", it.Value.Text); ok {
					return named(d)
				}
			case "program":
				if d, ok := b.top("program", strings.TrimPrefix(it.Value.Text, "program.")); ok {
					return named(d)
				}
			}
		}
	}
	if own {
		return source.Place{}, false
	}
	if d, ok := b.top("program", block.KindName()); ok {
		return named(d)
	}
	if d := b.blocks[block.Span]; d != nil && d.Kind == "step" && d.Parent != nil {
		if around, ok := d.Parent.Item.(*syntax.Block); ok && block.KindName() != "repeat" {
			return b.field(around, name, side, depth+1)
		}
	}
	return source.Place{}, false
}
