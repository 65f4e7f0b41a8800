package lsp

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/check"
	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/lsp/protocol"
	"github.com/dspi-lang/dspi/lsp/snapshot"
)

// value offers what a setting may be.
func (c *completer) value(name, line string, blocks []*syntax.Block, t *universe.Block) {
	var s *universe.Setting
	if t != nil {
		s, _ = t.Setting(name)
	}
	quoted, inQuotes := openString(line)
	if s == nil {
		if !inQuotes {
			c.expression(blocks, nil)
		}
		return
	}
	if inQuotes {
		c.quoted(s, quoted)
		return
	}
	switch s.Kind {
	case universe.Choice:
		for _, x := range s.Choices {
			c.add(Item{Label: `"` + x + `"`, Kind: protocol.ItemEnumMember, Detail: s.Name})
		}
	case universe.ModelOf, universe.ModelList:
		c.references("model")
		c.variables(func(t types.Type) bool { _, ok := t.(types.Model); return ok })
		if names, _ := c.dotted(); len(names) > 0 {
			break
		}
		for _, m := range c.models() {
			c.add(Item{Label: `"` + m + `"`, Kind: protocol.ItemValue, Detail: "model", Rank: 5})
		}
	case universe.SignatureOf:
		for _, x := range c.defs("signature") {
			c.add(Item{Label: x.Name, Kind: protocol.ItemStruct, Detail: "signature", Doc: describe(c.v, x)})
		}
	case universe.RetrieverOf:
		c.references("retriever")
	case universe.ToolList:
		c.references("tool", "program", "retriever")
	case universe.ProgramOf:
		c.references("program")
	case universe.DatasetOf:
		c.references("dataset")
	case universe.MetricOf, universe.MetricList:
		c.references("metric")
	case universe.Choices:
		c.references("model", "module")
	case universe.ModuleOf:
		c.references("module")
		c.variables(func(t types.Type) bool { _, ok := t.(types.Module); return ok })
	case universe.TunableList:
		c.variables(func(types.Type) bool { return true })
		c.references("program")
	case universe.StepOf:
		for _, x := range c.defs("step") {
			c.add(Item{Label: x.Name, Kind: protocol.ItemVariable, Detail: "step"})
		}
	case universe.Boolean:
		c.expression(blocks, types.Bool)
	case universe.Duration:
		for _, d := range []string{`"10s"`, `"1m"`, `"500ms"`} {
			c.add(Item{Label: d, Kind: protocol.ItemValue, Detail: "duration"})
		}
	default:
		c.expression(blocks, wanted(s.Kind))
	}
}

// wanted is the type of a setting's value, nil where any may stand.
func wanted(k universe.ValueKind) types.Type {
	switch k {
	case universe.Text:
		return types.String
	case universe.Integer:
		return types.Int
	case universe.Number:
		return types.Float
	case universe.TextList:
		return &types.List{Elem: types.String}
	}
	return nil
}

// openString returns what was typed of a string that is open at the end of a
// line.
func openString(line string) (string, bool) {
	open, at := false, 0
	for i := 0; i < len(line); i++ {
		switch {
		case open && line[i] == '\\':
			i++
		case line[i] == '"':
			open, at = !open, i+1
		case !open && line[i] == '#':
			return "", false
		}
	}
	if !open || strings.Contains(line[at:], "${") && !strings.Contains(line[at:], "}") {
		return "", false // between `${` and `}` stands an expression
	}
	return line[at:], true
}

// quoted offers what may stand in the quotes of a setting.
func (c *completer) quoted(s *universe.Setting, typed string) {
	inside := source.Span{Start: c.offset - int32(len(typed)), End: c.word.End}
	switch {
	case s.Kind == universe.Choice:
		for _, x := range s.Choices {
			c.add(Item{Label: x, Kind: protocol.ItemEnumMember, Replaces: inside})
		}
	case s.Kind == universe.ModelOf || s.Kind == universe.ModelList:
		for _, m := range c.models() {
			c.add(Item{Label: m, Kind: protocol.ItemValue, Detail: "model", Replaces: inside})
		}
	case s.Name == "provider":
		for _, p := range c.v.u().Providers {
			c.add(Item{Label: p.Name, Kind: protocol.ItemModule, Detail: "provider", Doc: p.Doc, Replaces: inside})
		}
	case s.Name == "file" || s.Name == "folder" || s.Name == "save_to" || s.Name == "local_files":
		c.paths(typed, func(string) bool { return s.Name == "file" || s.Name == "save_to" })
	}
}

// models returns addresses of models: those that are known, and an example of
// each provider.
func (c *completer) models() []string {
	var out []string
	for _, p := range c.v.u().Providers {
		for _, m := range p.Models {
			out = append(out, p.Name+"/"+m)
		}
		if len(p.Models) == 0 && p.Example != "" {
			out = append(out, p.Example)
		}
	}
	return out
}

// paths offers the files and folders beside the file.
func (c *completer) paths(typed string, file func(name string) bool) {
	dir, _ := filepath.Split(filepath.FromSlash(typed))
	entries, err := os.ReadDir(filepath.Join(filepath.Dir(c.v.File.Path), dir))
	if err != nil {
		return
	}
	at := source.Span{Start: c.offset - int32(len(typed)-len(dir)), End: c.word.End}
	for _, e := range entries {
		switch {
		case strings.HasPrefix(e.Name(), "."):
		case e.IsDir():
			c.add(Item{Label: e.Name() + "/", Kind: protocol.ItemFolder, Rank: 1, Replaces: at})
		case file(e.Name()) && filepath.Join(filepath.Dir(c.v.File.Path), dir, e.Name()) != c.v.File.Path:
			c.add(Item{Label: e.Name(), Kind: protocol.ItemFile, Replaces: at})
		}
	}
}

// defs returns the declarations of a kind that the file can use by name: its own,
// and those of files that it imports plainly.
func (c *completer) defs(kind string) []*snapshot.Def {
	var out []*snapshot.Def
	for _, d := range c.v.index().Defs {
		if d.Kind == kind {
			out = append(out, d)
		}
	}
	if kind == "step" {
		return slices.DeleteFunc(out, func(d *snapshot.Def) bool {
			return d.Parent == nil || !d.Parent.Whole.Contains(c.offset) || d.Whole.Contains(c.offset)
		})
	}
	for _, it := range c.v.tree().Items {
		imp, ok := it.(*syntax.Import)
		if !ok || imp.Path == nil {
			continue
		}
		path, err := snapshot.Resolve(c.v.src().Name, imp.Path.Value)
		tree := c.v.check().Trees()[path]
		if err != nil || tree == nil {
			continue
		}
		for _, d := range c.v.check().Index(tree).Defs {
			if d.Kind != kind || d.Parent != nil {
				continue
			}
			if imp.Alias != nil {
				named := *d
				named.Name = imp.Alias.Name + "." + d.Name
				d = &named
			}
			out = append(out, d)
		}
	}
	return out
}

// references offers names with their name space: `model.fast`. What stands
// before the cursor may have a part of it.
func (c *completer) references(kinds ...string) {
	names, from := c.dotted()
	if len(names) > 0 {
		kinds = slices.DeleteFunc(kinds, func(k string) bool { return k != names[0] })
	}
	at := source.Span{Start: from, End: c.word.End}
	for rank, kind := range kinds {
		for _, d := range c.defs(kind) {
			c.add(Item{Label: kind + "." + d.Name, Kind: protocol.ItemReference, Detail: detail(c.v, d), Doc: describe(c.v, d), Rank: rank, Replaces: at})
		}
		for _, b := range c.v.u().Builtins {
			if b.Kind == kind {
				c.add(Item{Label: kind + "." + b.Name, Kind: protocol.ItemReference, Detail: "built in", Doc: b.Doc, Rank: rank + 1, Replaces: at})
			}
		}
		if kind == "module" {
			for _, m := range c.v.u().Modules {
				c.add(Item{Label: "module." + m.Name, Kind: protocol.ItemModule, Doc: m.Doc, Rank: rank, Replaces: at})
			}
		}
	}
}

// variables offers the variables of types that fit.
func (c *completer) variables(fits func(types.Type) bool) {
	names, from := c.dotted()
	p := c.v.check().Project
	if p == nil || len(names) > 0 && names[0] != "var" {
		return
	}
	for _, x := range p.Variables {
		if x.Type != nil && fits(x.Type) {
			c.add(Item{Label: "var." + x.Name, Kind: protocol.ItemVariable, Detail: x.Type.String(), Doc: x.Description, Rank: 1, Replaces: source.Span{Start: from, End: c.word.End}})
		}
	}
}

// dummy is the name that stands for what has not been typed yet.
const dummy = "dspi_cursor"

// expression offers what may stand in an expression: the text is tried with a
// name at the cursor, and what the checker knew of that place is offered. wants is
// the type of the place, for those of which the checker does not say it.
func (c *completer) expression(blocks []*syntax.Block, wants types.Type) {
	text := c.text[:c.word.Start] + dummy + c.text[c.word.End:]
	snap := c.v.Snap.With(map[string]string{c.v.File.Path: text})
	checked, err := snap.Try(c.v.File.Path)
	if err != nil {
		return
	}
	fact, found := factAt(checked, c.word.Start, blocks)
	if !found {
		return
	}
	names, _ := c.dotted()
	want := fact.Want
	if want == nil {
		want = wants
	}
	if !whole(fact.Expr, c.word.Start) {
		want = nil
	}
	if len(names) > 0 {
		c.members(fact.Scope, names, want)
		return
	}
	for _, s := range fact.Scope.Symbols() {
		it := Item{Label: s.Name, Kind: protocol.ItemVariable, Detail: s.Kind, Rank: 5}
		switch {
		case s.Type != nil && types.IsInvalid(s.Type):
			it.Rank = 6
		case s.Type != nil:
			it.Detail, it.Rank = s.Type.String(), rankOf(s.Type, want, 2)
		case anyFits(s.Members, want):
			it.Rank = 3
		}
		if s.Kind == "step" {
			it.Kind = protocol.ItemModule
		}
		c.add(it)
	}
	if name, n, ok := callAt(c.text[:c.word.Start]); ok && n > 0 && loops(name) {
		c.add(Item{Label: "it", Kind: protocol.ItemVariable, Detail: "the element", Doc: "The element of the list that is looked at.", Rank: 1})
	}
	if want == nil || types.Fits(types.Bool, want) {
		for _, w := range []string{"true", "false"} {
			c.add(Item{Label: w, Kind: protocol.ItemKeyword, Rank: 7})
		}
	}
	if e := enumOf(want); e != nil {
		for _, m := range e.Members {
			c.add(Item{Label: e.Name + "." + m.Name, Kind: protocol.ItemEnumMember, Detail: e.Name, Doc: m.Description})
		}
	}
	for _, l := range literalsOf(want) {
		c.add(Item{Label: l, Kind: protocol.ItemEnumMember, Detail: "value"})
	}
	for _, f := range append(expr.Functions(), fact.Scope.Own...) {
		if f.Host && !slices.Contains(fact.Scope.Host, f.Name) {
			continue
		}
		c.add(Item{Label: f.Name, Kind: protocol.ItemFunction, Detail: "(" + f.Params + "): " + f.Result, Doc: joined(f.Doc, code(f.Example+"  # gives "+f.Gives)), Insert: f.Name + "($0)", Snippet: true, Rank: 8})
	}
}

// loops reports whether a function looks at each element of a list.
func loops(name string) bool {
	for _, f := range expr.Functions() {
		if f.Name == name {
			return strings.HasPrefix(f.Params, "list, ") && strings.Contains(f.Example, "it")
		}
	}
	return false
}

// factAt returns what is known of the expression at an offset; where none was
// checked there, of another in the same blocks.
func factAt(c *snapshot.Checked, offset int32, blocks []*syntax.Block) (check.Fact, bool) {
	var near check.Fact
	found := false
	for _, f := range c.Facts(c.File.Tree) {
		if f.Expr.Range().Contains(offset) {
			return f, true
		}
		if len(blocks) > 0 && f.Expr.Range().Start >= blocks[0].Start && f.Expr.Range().Start <= blocks[0].End && !found {
			near, found = check.Fact{Expr: f.Expr, Scope: f.Scope}, true
		}
	}
	return near, found
}

// whole reports whether the name at an offset is all of an expression, so that
// the type that the place wants is the name's.
func whole(e *expr.Expr, offset int32) bool {
	rest := strings.TrimSpace(e.Text())
	for _, r := range e.Refs() {
		if r.Contains(offset) {
			return int(r.End-r.Start) == len(rest)
		}
	}
	return false
}

func rankOf(t, want types.Type, fits int) int {
	switch {
	case want == nil || types.IsInvalid(want):
		return fits + 1
	case types.Fits(t, want):
		return 0
	}
	return fits + 4
}

func anyFits(ms []expr.Member, want types.Type) bool {
	return want != nil && slices.ContainsFunc(ms, func(m expr.Member) bool { return m.Type != nil && types.Fits(m.Type, want) })
}

// members offers what may follow a dot.
func (c *completer) members(scope *expr.Scope, names []string, want types.Type) {
	sym, ok := scope.Lookup(names[0])
	if !ok {
		return
	}
	members, t := sym.Members, sym.Type
	for _, name := range names[1:] {
		if t != nil {
			f, ok := fieldOf(t, name)
			if !ok {
				return
			}
			t = f.Type
			continue
		}
		i := slices.IndexFunc(members, func(m expr.Member) bool { return m.Name == name })
		if i < 0 {
			return
		}
		t, members = members[i].Type, members[i].Members
	}
	if t != nil {
		for _, f := range fieldsOf(t) {
			c.add(Item{Label: f.Name, Kind: protocol.ItemField, Detail: f.Type.String(), Doc: f.Description, Rank: rankOf(f.Type, want, 2)})
		}
		return
	}
	for _, m := range members {
		it := Item{Label: m.Name, Kind: protocol.ItemField, Doc: m.Doc, Rank: 3}
		if m.Type != nil {
			it.Detail, it.Rank = m.Type.String(), rankOf(m.Type, want, 2)
		}
		if sym.Kind == "enum" {
			it.Kind = protocol.ItemEnumMember
		}
		c.add(it)
	}
}

func enumOf(t types.Type) *types.Enum {
	if inner, ok := types.Unwrap(t); ok {
		t = inner
	}
	e, _ := t.(*types.Enum)
	return e
}

// literalsOf returns the fixed values that a type has.
func literalsOf(t types.Type) []string {
	var out []string
	if inner, ok := types.Unwrap(t); ok {
		t = inner
	}
	switch t := t.(type) {
	case *types.Literal:
		out = append(out, types.FormatLiteral(t.Value))
	case *types.Union:
		for _, m := range t.Members {
			out = append(out, literalsOf(m)...)
		}
	}
	return out
}

// types offers the types.
func (c *completer) types(string) {
	names, _ := c.dotted()
	if len(names) > 0 {
		for _, kind := range []string{"type", "enum"} {
			for _, d := range c.defs(kind) {
				if rest, ok := strings.CutPrefix(d.Name, names[0]+"."); ok {
					c.add(Item{Label: rest, Kind: protocol.ItemStruct, Detail: kind, Doc: describe(c.v, d)})
				}
			}
		}
		return
	}
	for _, kind := range []string{"type", "enum"} {
		for _, d := range c.defs(kind) {
			c.add(Item{Label: d.Name, Kind: protocol.ItemStruct, Detail: kind, Doc: describe(c.v, d), Rank: 0})
		}
	}
	for _, r := range types.Table() {
		rank := 4
		if r.Group == types.Basic {
			rank = 2
		}
		c.add(Item{Label: r.Name, Kind: protocol.ItemClass, Detail: "type", Doc: hoverType(r.Name), Rank: rank})
	}
	for _, x := range []struct{ label, insert, doc string }{
		{"list", "list[$0]", "A list of values of one type."},
		{"map", "map[string, $0]", "Values by name."},
		{"tuple", "tuple[$0]", "A fixed number of values, each of its own type."},
	} {
		c.add(Item{Label: x.label, Kind: protocol.ItemClass, Detail: "type", Doc: x.doc, Insert: x.insert, Snippet: true, Rank: 3})
	}
}
