package check

import (
	"slices"
	"strconv"
	"strings"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
)

// kind is a name space of declarations. Types, enums and signatures share one,
// because all three are referred to by a bare name.
type kind string

const (
	typeKind     kind = "type"
	programKind  kind = "program"
	modelKind    kind = "model"
	variableKind kind = "variable"
)

// decl is a declaration: `type Mood = …`, `program hello { … }`.
type decl struct {
	kind  kind
	word  string // how the declaration begins: type, enum, signature, program, …
	name  string
	full  string // with the prefix of `import … as`
	place source.Place
	node  syntax.Item
	scope *fileScope

	// What later passes made of it; nil until then.
	typ       types.Type
	resolving bool
	sig       *program.Signature
	program   *program.Program
	model     *program.Model
	variable  *program.Variable
	tool      *program.Tool
	retriever *program.Retriever
	dataset   *program.Dataset
	metric    *program.Metric
	faults    []fault // of a metric checked by itself
}

// block returns the block of a declaration that is one.
func (d *decl) block() *syntax.Block { return d.node.(*syntax.Block) }

// fileScope is a file and what is visible in it.
type fileScope struct {
	file    *syntax.File
	prefix  string // "" or "rag."
	own     []*decl
	imports []importedFile
	names   map[kind]map[string]*decl // own and plainly imported ones
	aliases map[string]*fileScope     // `import … as rag`
	fixed   *expr.Scope               // see fixedScope
	symbols []expr.Symbol             // see fixedSymbols
	vars    program.Names             // see variableNames
	outside bool                      // files of data were looked at, which may change at any time
}

// forgetFixed lets fixedScope and fixedSymbols be made anew, when more is known.
func (fs *fileScope) forgetFixed() { fs.fixed, fs.symbols = nil, nil }

func (fs *fileScope) place(s source.Span) source.Place { return fs.file.Source.Place(s) }

// lookup finds a declaration visible in fs; name may be `rag.answer`.
func (fs *fileScope) lookup(k kind, name string) (*decl, bool) {
	if alias, rest, dotted := strings.Cut(name, "."); dotted {
		other, ok := fs.aliases[alias]
		if !ok {
			return nil, false
		}
		for _, d := range other.own {
			if d.kind == k && d.name == rest {
				return d, true
			}
		}
		return nil, false
	}
	d, ok := fs.names[k][name]
	return d, ok
}

// visible returns the names of a kind that fs can use, in alphabetical order.
func (fs *fileScope) visible(k kind) []string {
	var out []string
	for n := range fs.names[k] {
		out = append(out, n)
	}
	for alias, other := range fs.aliases {
		for _, d := range other.own {
			if d.kind == k {
				out = append(out, alias+"."+d.name)
			}
		}
	}
	slices.Sort(out)
	return out
}

// declareFile reads the declarations of a file, then those of its imports.
func (c *checker) declareFile(file *syntax.File, prefix string) *fileScope {
	if fs, ok := c.files[file]; ok {
		return fs
	}
	if fs, ok := c.reuse(file, prefix); ok {
		return fs
	}
	fs := &fileScope{
		file: file, prefix: prefix,
		names:   map[kind]map[string]*decl{},
		aliases: map[string]*fileScope{},
	}
	c.files[file] = fs
	c.order = append(c.order, fs)
	c.project.Files = append(c.project.Files, file.Source)
	c.reportHeaders(fs)
	items := c.enclosed(fs, file.Items, true)
	for _, it := range items {
		switch it := it.(type) {
		case *syntax.TypeAlias:
			c.declare(fs, &decl{kind: typeKind, word: "type", name: it.Name.Name, place: fs.place(it.Name.Span), node: it})
		case *syntax.Block:
			c.declareBlock(fs, it)
		case *syntax.Attribute:
			if it.Name.Name == "language" {
				c.checkLanguage(fs, it)
				continue
			}
			c.report(attributeAtTop(fs, it))
		case *syntax.Let:
			c.report(notAllowedHere(fs.place(it.Range()), "a named value", "a program", "`let` names a value inside a program"))
		case *syntax.Field, *syntax.Arrow:
			if !c.afterField(items, it) {
				c.report(signatureAtTop(fs, it))
			}
		}
	}
	for _, it := range file.Items {
		if imp, ok := it.(*syntax.Import); ok {
			c.declareImport(fs, imp)
		}
	}
	return fs
}

// Language is the version of the language that this checker speaks.
const Language = 1

// checkLanguage checks the line `language = 1`, by which a file says for which
// version of the language it was written.
func (c *checker) checkLanguage(fs *fileScope, it *syntax.Attribute) {
	if it.Value == nil || it.Value.Text == strconv.Itoa(Language) {
		return
	}
	at := fs.place(it.Value.Span)
	c.report(diag.New("E0507", at, "this dspi speaks version "+strconv.Itoa(Language)+" of the language").
		Say("A file says with `language = %d` for which version of the language it was written. A file for a later version needs a later dspi.", Language).
		Fix("write "+code(strconv.Itoa(Language)), at, strconv.Itoa(Language)))
}

// afterField reports whether it directly follows another field or arrow, about
// which the message has been given already.
func (c *checker) afterField(items []syntax.Item, it syntax.Item) bool {
	i := slices.Index(items, it)
	if i < 1 {
		return false
	}
	switch items[i-1].(type) {
	case *syntax.Field, *syntax.Arrow:
		return true
	}
	return false
}

var kindOf = map[string]kind{
	"type": typeKind, "enum": typeKind, "signature": typeKind,
	"program": programKind, "model": modelKind, "variable": variableKind,
	"tool": toolKind, "retriever": retrieverKind, "dataset": datasetKind, "metric": metricKind,
	"evaluate": evaluateKind, "optimize": optimizeKind, "constraint": constraintKind, "test": testKind,
}

func (c *checker) declareBlock(fs *fileScope, b *syntax.Block) {
	word := b.KindName()
	k, ok := kindOf[word]
	if !ok {
		c.unknownKind(fs, b, c.report(c.unknownBlock(fs, b)))
		return
	}
	if len(b.Labels) == 0 {
		if table, _ := c.u.Block(word); table != nil && !table.Named && b.Body != nil { // a constraint
			fs.own = append(fs.own, &decl{kind: k, word: word, place: fs.place(b.KindSpan()), node: b, scope: fs})
			return
		}
		c.report(blockWithoutName(fs, b))
		return
	}
	if len(b.Labels) > 1 {
		c.report(blockWithManyNames(fs, b))
	}
	if b.Type != nil && word != "variable" {
		c.report(notAllowedHere(fs.place(b.Type.Range()), "a type", "a variable", "only variables have a type behind their name"))
	}
	c.declare(fs, &decl{kind: k, word: word, name: b.Labels[0].Name, place: fs.place(b.Labels[0].Span), node: b})
}

func (c *checker) declare(fs *fileScope, d *decl) {
	d.scope, d.full = fs, fs.prefix+d.name
	if !isName(d.name) {
		return // the parser, or reportLabels, has said so
	}
	if reserved(d.name) || d.kind == typeKind && builtinType(d.name) {
		c.report(nameIsTaken(d.place, d.name, "a "+d.word))
		return
	}
	if d.kind == programKind {
		if _, ok := c.u.Module(d.name); ok {
			c.report(diag.New("W0201", d.place, "hides the built-in module "+code(d.name)).
				Say("A step `%s NAME { … }` now calls this program and not the built-in module of that name.", d.name))
		}
	}
	if _, ok := c.u.Tool(d.name); ok && d.kind == toolKind {
		c.report(diag.New("W0201", d.place, "hides the built-in tool "+code(d.name)).
			Say("`tool.%s` now names this one and not the built-in tool of that name.", d.name))
	}
	if _, ok := c.u.Metric(d.name); ok && d.kind == metricKind {
		c.report(diag.New("W0201", d.place, "hides the built-in metric "+code(d.name)).
			Say("`metric.%s` now names this one and not the built-in metric of that name.", d.name))
	}
	key := string(d.kind) + " " + d.full
	if first, ok := c.owners[key]; ok {
		c.report(declaredTwice(d.place, first.place, d.name, d.word, first.word))
		return
	}
	c.owners[key] = d
	fs.own = append(fs.own, d)
	fs.bind(d)
}

func (fs *fileScope) bind(d *decl) {
	if fs.names[d.kind] == nil {
		fs.names[d.kind] = map[string]*decl{}
	}
	fs.names[d.kind][d.name] = d
}

func (c *checker) declareImport(fs *fileScope, imp *syntax.Import) {
	if imp.Path == nil || imp.Path.Value == "" {
		return // the parser has said so
	}
	at := fs.place(imp.Path.Span)
	if imp.Path.Template.Len() > 0 {
		c.report(templateInLiteral(fs.place(imp.Path.Template), "an import"))
		return
	}
	if c.opt.Import == nil {
		c.report(diag.New("E0212", at, "nothing can be imported here").
			Say("This text does not stand in a file, so there is no folder to look in."))
		return
	}
	file, err := c.opt.Import(fs.file.Source, imp.Path.Value)
	if err != nil {
		c.report(diag.New("E0212", at, err.Error()).
			Say("An import names a file, relative to the folder of the file that imports it."))
		return
	}
	prefix := fs.prefix
	if imp.Alias != nil {
		prefix += imp.Alias.Name + "."
	}
	fs.imports = append(fs.imports, importedFile{imp.Path.Value, file})
	other := c.declareFile(file, prefix)
	if imp.Alias != nil {
		if reserved(imp.Alias.Name) || slices.Contains(universe.Namespaces, imp.Alias.Name) {
			c.report(nameIsTaken(fs.place(imp.Alias.Span), imp.Alias.Name, "an imported file"))
			return
		}
		fs.aliases[imp.Alias.Name] = other
		return
	}
	for _, d := range other.own {
		if _, ok := fs.names[d.kind][d.name]; !ok && d.name != "" {
			fs.bind(d)
		}
	}
}

func reserved(name string) bool { return slices.Contains(universe.Reserved, name) }

func builtinType(name string) bool {
	if _, ok := types.Lookup(name); ok {
		return true
	}
	switch name {
	case "list", "map", "tuple", "model", "module":
		return true
	}
	return false
}
