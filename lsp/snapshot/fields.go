package snapshot

import (
	"slices"
	"sort"
	"strings"

	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
)

// The names of expressions, and of inputs and outputs: which field each means.

// ref notes a reference of an expression that was checked.
func (b *indexer) ref(r expr.Ref, scope *expr.Scope) {
	sym, ok := scope.Lookup(r.Root)
	if !ok || len(r.Parts) == 0 {
		return
	}
	root := sym.Place
	if field := sym.Kind == "input" || sym.Kind == "output" || sym.Kind == "state"; field || root.File != nil && !isName(root, r.Root) || root.File == nil {
		root = source.Place{}
		if p, ok := b.fieldAround(r.Start, r.Root); ok {
			root = p
		}
	}
	if root.File != nil {
		b.use(r.Parts[0], root)
	}
	if sym.Kind == "prediction" { // of the program that is measured
		root = sym.Place
	}
	members, typ := sym.Members, sym.Type
	for i, name := range r.Path {
		if i+1 >= len(r.Parts) {
			return
		}
		if k := slices.IndexFunc(members, func(m expr.Member) bool { return m.Name == name }); k >= 0 {
			b.member(r, i, root, members[k])
			members, typ = members[k].Members, members[k].Type
			continue
		}
		members = nil
		var p source.Place
		if p, typ = b.part(typ, name); p.File != nil {
			b.use(r.Parts[i+1], p)
		} else if p, ok := b.memberOf(root, name); ok && i == 0 {
			b.use(r.Parts[1], p)
		}
		if typ == nil {
			return
		}
	}
}

// member notes the i-th name behind the root of a reference, which is a member of a
// namespace.
func (b *indexer) member(r expr.Ref, i int, root source.Place, m expr.Member) {
	switch {
	case i == 0 && (r.Root == "inputs" || r.Root == "outputs"):
		if p, ok := b.fieldAround(r.Start, m.Name); ok {
			b.use(r.Parts[i+1], p)
		}
	case isName(m.Place, m.Name) && m.Place != root: // a step may be called as its output is
		b.use(r.Parts[i+1], m.Place)
	case i == 0:
		if p, ok := b.memberOf(root, m.Name); ok {
			b.use(r.Parts[1], p)
		}
	}
}

// part finds a field of a value of a type, and returns the field's own type; nil where
// it is not known.
func (b *indexer) part(t types.Type, name string) (source.Place, types.Type) {
	if o, ok := t.(*types.Optional); ok {
		t = o.Elem
	}
	record, ok := t.(*types.Record)
	if !ok || record.Name == "" || b.checked.Project == nil {
		return source.Place{}, nil
	}
	f, ok := record.Field(name)
	declared, found := b.checked.Project.Type(record.Name)
	if !ok || !found || b.checked.trees[declared.Place.File.Name] == nil {
		return source.Place{}, nil
	}
	d, found := b.checked.index(b.checked.trees[declared.Place.File.Name]).Def(declared.Place)
	if !found {
		return source.Place{}, f.Type
	}
	p, _ := b.inner(d, name, "field")
	return p, f.Type
}

func isName(at source.Place, name string) bool { return at.File != nil && at.Text() == name }

// memberOf finds a name inside the declaration at a place: a step's output, an
// enum's value, a field of a repeat's state.
func (b *indexer) memberOf(at source.Place, name string) (source.Place, bool) {
	if at.File == nil {
		return source.Place{}, false
	}
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
	return b.inner(d, name, "output")
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

// Fields finds where the inputs and outputs of a file's blocks are declared.
type Fields struct{ b *indexer }

// Fields returns where the inputs and outputs of a file that was checked are declared.
func (c *Checked) Fields(tree *syntax.File) *Fields {
	b := &indexer{checked: c, tree: tree, file: tree.Source, index: c.Index(tree), blocks: map[source.Span]*Def{}}
	for _, it := range tree.Items {
		if imp, ok := it.(*syntax.Import); ok {
			b.imports = append(b.imports, imp)
		}
	}
	for _, d := range b.index.Defs {
		if block, ok := d.Item.(*syntax.Block); ok {
			b.blocks[block.Span] = d
		}
	}
	return &Fields{b}
}

// Of finds a block's own input or output, side "input" or "output", wherever its
// signature is written.
func (f *Fields) Of(block *syntax.Block, name, side string) (source.Place, bool) {
	f.b.checked.mu.Lock()
	defer f.b.checked.mu.Unlock()
	return f.b.field(block, name, side, 0)
}

// Seen finds what a name is to a step that stands directly in a block: an input of
// the program, or a part of the state of a `repeat`.
func (f *Fields) Seen(in *syntax.Block, name string) (source.Place, bool) {
	f.b.checked.mu.Lock()
	defer f.b.checked.mu.Unlock()
	return f.b.fieldAround(in.Body.Open.Start, name)
}

// Around returns the block in which a step stands; nil where there is none.
func (f *Fields) Around(step *syntax.Block) *syntax.Block {
	d := f.b.blocks[step.Span]
	if d == nil || d.Parent == nil {
		return nil
	}
	block, _ := d.Parent.Item.(*syntax.Block)
	return block
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
	if d := b.blocks[block.Span]; d != nil && d.Kind == "step" && d.Parent != nil && !b.fixed(block) {
		if around, ok := d.Parent.Item.(*syntax.Block); ok && block.KindName() != "repeat" {
			return b.field(around, name, side, depth+1)
		}
	}
	return source.Place{}, false
}

// fixed reports whether a step has inputs and outputs of its own that are not written:
// those of its module.
func (b *indexer) fixed(block *syntax.Block) bool {
	if b.own == nil {
		b.own = map[source.Span]bool{}
		if p := b.checked.Project; p != nil {
			for _, x := range p.Programs {
				if x.Block.File == b.file {
					b.fixedIn(x, x.Steps)
				}
			}
		}
	}
	return b.own[block.Span]
}

func (b *indexer) fixedIn(x *program.Program, steps []*program.Step) {
	for _, st := range steps {
		b.own[st.Block.Span] = st.Declared != nil && st.Declared != x.Signature
		if st.Repeat != nil {
			b.fixedIn(x, st.Repeat.Steps)
		}
	}
}
