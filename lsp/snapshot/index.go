package snapshot

import (
	"regexp"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/universe"
)

// Def is a name that a file declares.
type Def struct {
	Name string
	// Kind says what is declared: the word of a block ("program", "model"), or
	// "step", "let", "input", "output", "field", "member", "state", "import".
	Kind   string
	Place  source.Place // of the name
	Whole  source.Place // of all of it
	Item   syntax.Item
	Parent *Def // what it stands in; nil at the top
}

// Use is a place where a name is used.
type Use struct {
	Place  source.Place
	Target source.Place // of the name in its declaration
}

// Index is the names of one file.
type Index struct {
	Defs []*Def
	Uses []Use

	places map[source.Place]*Def
	tops   map[topName]*Def
	inside map[*Def][]*Def
}

// topName is the name of a declaration that stands at the top of a file.
type topName struct{ space, name string }

func newIndex(defs []*Def) *Index {
	x := &Index{Defs: defs, places: make(map[source.Place]*Def, len(defs)), tops: map[topName]*Def{}, inside: map[*Def][]*Def{}}
	for _, d := range defs {
		if _, taken := x.places[d.Place]; !taken {
			x.places[d.Place] = d
		}
		x.inside[d.Parent] = append(x.inside[d.Parent], d)
		if d.Parent == nil {
			key := topName{space(d.Kind), d.Name}
			if _, taken := x.tops[key]; !taken {
				x.tops[key] = d
			}
		}
	}
	return x
}

// Inside returns what is declared directly in a declaration, in the order of the
// text; of nil, what stands at the top of the file.
func (x *Index) Inside(d *Def) []*Def { return x.inside[d] }

// Target returns where the name at an offset is declared, and the name's own
// place.
func (x *Index) Target(offset int32) (target, at source.Place, ok bool) {
	for _, u := range x.Uses {
		if u.Place.Contains(offset) {
			return u.Target, u.Place, true
		}
	}
	for _, d := range x.Defs {
		if d.Place.Contains(offset) {
			return d.Place, d.Place, true
		}
	}
	return source.Place{}, source.Place{}, false
}

// Def returns the declaration whose name stands at a place.
func (x *Index) Def(at source.Place) (*Def, bool) {
	d, ok := x.places[at]
	return d, ok
}

// Index returns the names of a file that was checked.
func (c *Checked) Index(tree *syntax.File) *Index {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.index(tree)
}

func (c *Checked) index(tree *syntax.File) *Index {
	if x, ok := c.indexes[tree]; ok {
		return x
	}
	b := &indexer{checked: c, tree: tree, file: tree.Source, used: map[source.Span]bool{}, blocks: map[source.Span]*Def{}}
	b.index = newIndex(b.declare())
	c.indexes[tree] = b.index // before the uses: imports may form a ring
	b.uses()
	slices.SortStableFunc(b.index.Uses, func(x, y Use) int { return int(x.Place.Start - y.Place.Start) })
	return b.index
}

// Def returns the declaration at a place of any file that was checked.
func (c *Checked) Def(at source.Place) (*Def, bool) {
	if at.File == nil {
		return nil, false
	}
	tree := c.trees[at.File.Name]
	if tree == nil || tree.Source != at.File {
		return nil, false
	}
	return c.Index(tree).Def(at)
}

type indexer struct {
	checked *Checked
	tree    *syntax.File
	file    *source.File
	index   *Index
	used    map[source.Span]bool
	blocks  map[source.Span]*Def
	imports []*syntax.Import
	own     map[source.Span]bool // see fixed
}

func (b *indexer) at(s source.Span) source.Place { return b.file.Place(s) }

// declare collects what a file declares.
func (b *indexer) declare() []*Def {
	var out []*Def
	add := func(kind string, name syntax.Ident, it syntax.Item, parent *Def) *Def {
		d := &Def{Name: name.Name, Kind: kind, Place: b.at(name.Span), Whole: b.at(it.Range()), Item: it, Parent: parent}
		out = append(out, d)
		return d
	}
	var body func(items []syntax.Item, parent *Def, kind string)
	body = func(items []syntax.Item, parent *Def, kind string) {
		side := "field"
		if parent.Kind != "type" && slices.ContainsFunc(items, func(it syntax.Item) bool { _, ok := it.(*syntax.Arrow); return ok }) {
			side = "input"
		}
		for _, it := range items {
			switch it := it.(type) {
			case *syntax.Arrow:
				side = "output"
			case *syntax.Field:
				k := side
				if parent.Kind == "enum" {
					k = "member"
				}
				add(k, it.Name, it, parent)
			case *syntax.EnumMember:
				add("member", it.Name, it, parent)
			case *syntax.Let:
				add("let", it.Name, it, parent)
			case *syntax.Attribute:
				if kind == "state" {
					add("state", it.Name, it, parent)
				}
			case *syntax.Block:
				if it.Body == nil {
					continue
				}
				switch word := it.KindName(); word {
				case "state":
					body(it.Body.Items, parent, "state")
				case "inputs", "outputs", "next", "http", "command", "header", "env", "columns", "member", "price", "limits", "retry", "timeouts", "breaker", "hedge", "budget":
				default:
					in := parent
					if len(it.Labels) > 0 {
						k := "step"
						if word == "assert" || word == "suggest" {
							k = "assertion"
						}
						in = add(k, it.Labels[0].Ident, it, parent)
						b.blocks[it.Span] = in
					}
					body(it.Body.Items, in, word)
				}
			}
		}
	}
	for _, it := range b.tree.Items {
		switch it := it.(type) {
		case *syntax.Import:
			b.imports = append(b.imports, it)
			if it.Alias != nil {
				add("import", *it.Alias, it, nil)
			}
		case *syntax.TypeAlias:
			add("type", it.Name, it, nil)
		case *syntax.Block:
			if len(it.Labels) == 0 {
				if it.Body != nil && len(it.Kind) > 0 {
					d := &Def{Kind: it.KindName(), Whole: b.at(it.Span), Item: it}
					body(it.Body.Items, d, it.KindName())
				}
				continue
			}
			d := add(it.KindName(), it.Labels[0].Ident, it, nil)
			b.blocks[it.Span] = d
			if it.Body != nil {
				body(it.Body.Items, d, it.KindName())
			}
		}
	}
	return out
}

// space is the name space of a kind of declaration.
func space(kind string) string {
	switch kind {
	case "enum", "signature":
		return "type"
	case "variable":
		return "var"
	}
	return kind
}

// top finds a declaration by name space and name, which may be `rag.answer`.
func (b *indexer) top(kind, name string) (*Def, bool) {
	if d, ok := b.index.tops[topName{kind, name}]; ok {
		return d, true
	}
	alias, rest, dotted := strings.Cut(name, ".")
	for _, imp := range b.imports {
		if imp.Path == nil || dotted != (imp.Alias != nil) || dotted && imp.Alias.Name != alias {
			continue
		}
		path, err := Resolve(b.file.Name, imp.Path.Value)
		if err != nil || b.checked.trees[path] == nil {
			continue
		}
		if !dotted {
			rest = name
		}
		if d, ok := b.checked.index(b.checked.trees[path]).tops[topName{kind, rest}]; ok {
			return d, true
		}
	}
	return nil, false
}

func (b *indexer) use(at source.Span, target source.Place) {
	if target.File == nil || at.Len() == 0 || b.used[at] || target == b.at(at) {
		return
	}
	b.used[at] = true
	b.index.Uses = append(b.index.Uses, Use{b.at(at), target})
}

// reference is a name with its name space: `model.fast`, `program.rag.answer`.
var reference = regexp.MustCompile(`\b(` + strings.Join(universe.Namespaces, "|") + `)\.([A-Za-z_]\w*)(?:\.([A-Za-z_]\w*))?(?:\.([A-Za-z_]\w*))?`)

// uses collects the places where names are used.
func (b *indexer) uses() {
	for _, it := range b.tree.Items {
		b.item(it, nil)
	}
	for _, f := range b.checked.facts[b.tree] {
		for _, r := range f.Expr.Refs() {
			b.ref(r, f.Scope)
		}
	}
}

// item collects the uses in an item; in is the block around it.
func (b *indexer) item(it syntax.Item, in *syntax.Block) {
	syntax.Walk(it, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Block:
			if n != it {
				b.item(n, outer(in, it))
				return false
			}
			if in != nil {
				b.kind(n)
				b.names(n, in)
			} else {
				b.names(n, nil)
			}
		case *syntax.NamedType:
			if d, ok := b.top("type", n.Name()); ok {
				b.use(n.Path[len(n.Path)-1].Span, d.Place)
			}
		case *syntax.Attribute:
			if n.Value == nil {
				return false
			}
			b.attribute(n, outer(in, it))
		case *syntax.Expr:
			b.text(n)
		}
		return true
	})
}

func outer(in *syntax.Block, it syntax.Item) *syntax.Block {
	if block, ok := it.(*syntax.Block); ok {
		return block
	}
	return in
}

// kind notes a step that calls a program.
func (b *indexer) kind(n *syntax.Block) {
	if len(n.Kind) == 0 {
		return
	}
	if d, ok := b.top("program", n.KindName()); ok {
		b.use(n.Kind[len(n.Kind)-1].Span, d.Place)
	}
}

// names notes the names on the left of `inputs { name = … }`, and of `outputs` and
// `next`.
func (b *indexer) names(n, in *syntax.Block) {
	if n.Body == nil || in == nil {
		return
	}
	side := ""
	switch n.KindName() {
	case "inputs":
		side = "input"
	case "outputs":
		side = "output"
	case "next":
		b.next(n, in)
		return
	default:
		return
	}
	for _, it := range n.Body.Items {
		if a, ok := it.(*syntax.Attribute); ok {
			if p, ok := b.field(in, a.Name.Name, side, 0); ok {
				b.use(a.Name.Span, p)
			}
		}
	}
}

// next notes the names on the left of `next { name = … }`: the state of the repeat.
func (b *indexer) next(n, in *syntax.Block) {
	d := b.blocks[in.Span]
	if d == nil {
		return
	}
	for _, it := range n.Body.Items {
		if a, ok := it.(*syntax.Attribute); ok {
			if p, ok := b.inner(d, a.Name.Name, "state"); ok {
				b.use(a.Name.Span, p)
			}
		}
	}
}

func (b *indexer) attribute(a *syntax.Attribute, in *syntax.Block) {
	text := strings.TrimSpace(a.Value.Text)
	last := a.Value.Span
	if i := strings.LastIndexByte(text, '.'); i >= 0 {
		last.Start += int32(i + 1)
	}
	switch a.Name.Name {
	case "signature":
		if d, ok := b.top("type", text); ok {
			b.use(last, d.Place)
		}
	case "otherwise":
		for _, d := range b.index.Defs {
			if d.Kind == "step" && d.Name == text && d.Parent != nil && d.Parent.Whole.Contains(a.Start) {
				b.use(a.Value.Span, d.Place)
			}
		}
	}
}

// text notes the references with a name space in the text of an expression, also
// where it is not read as one.
func (b *indexer) text(e *syntax.Expr) {
	if !strings.Contains(e.Text, ".") {
		return
	}
	text := masked(e.Text)
	for _, m := range reference.FindAllStringSubmatchIndex(text, -1) {
		if m[0] > 0 && (text[m[0]-1] == '.' || text[m[0]-1] == '"') {
			continue
		}
		part := func(i int) string {
			if m[2*i] < 0 {
				return ""
			}
			return text[m[2*i]:m[2*i+1]]
		}
		span := func(i int) source.Span {
			return source.Span{Start: e.Start + int32(m[2*i]), End: e.Start + int32(m[2*i+1])}
		}
		if d, ok := b.top(part(1), part(2)); ok {
			b.use(span(2), d.Place)
			if d.Kind == "program" && part(3) != "" {
				if step, ok := b.inner(d, part(3), "step"); ok {
					b.use(span(3), step)
				}
			}
		} else if d, ok := b.top(part(1), part(2)+"."+part(3)); ok {
			b.use(span(3), d.Place)
		}
	}
}

// inner finds a declaration inside another.
func (b *indexer) inner(in *Def, name, kind string) (source.Place, bool) {
	tree := b.checked.trees[in.Place.File.Name]
	if tree == nil {
		return source.Place{}, false
	}
	for _, d := range b.checked.index(tree).inside[in] {
		if d.Name == name && d.Kind == kind {
			return d.Place, true
		}
	}
	return source.Place{}, false
}

// masked returns a text of the same length without comments, and without what
// stands in strings outside `${…}`.
func masked(text string) string {
	out := []byte(text)
	depth := 0
	quoted := false
	for i := 0; i < len(out); i++ {
		switch {
		case quoted && out[i] == '\\' && i+1 < len(out):
			out[i], out[i+1] = ' ', ' '
			i++
		case quoted && out[i] == '$' && i+1 < len(out) && out[i+1] == '{':
			quoted = false
			depth++
			out[i], out[i+1] = ' ', ' '
			i++
		case out[i] == '"':
			quoted = !quoted
			out[i] = ' '
		case !quoted && depth > 0 && out[i] == '}':
			depth--
			quoted = true
		case quoted && out[i] != '\n':
			out[i] = ' '
		case !quoted && out[i] == '#':
			for ; i < len(out) && out[i] != '\n'; i++ {
				out[i] = ' '
			}
		}
	}
	return string(out)
}

// Declared returns what a file declares, without looking at any other.
func Declared(tree *syntax.File) []*Def {
	b := &indexer{tree: tree, file: tree.Source, blocks: map[source.Span]*Def{}}
	return b.declare()
}
