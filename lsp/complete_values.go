package lsp

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

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
		c.quoted(s, quoted, blocks[len(blocks)-1])
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
		if names, _ := c.dotted(); len(names) == 0 && s.Fixed {
			for _, w := range []string{"true", "false"} {
				c.add(Item{Label: w, Kind: protocol.ItemKeyword})
			}
		}
		c.expression(blocks, types.Bool)
	case universe.Literal:
		c.literal(blocks)
	case universe.Duration:
		for _, d := range []string{`"10s"`, `"1m"`, `"500ms"`} {
			c.add(Item{Label: d, Kind: protocol.ItemValue, Detail: "duration"})
		}
	default:
		if names, _ := c.dotted(); len(names) == 0 {
			c.texts(s, blocks[len(blocks)-1], func(it Item) {
				it.Label = `"` + it.Label + `"`
				c.add(it)
			})
		}
		want := wanted(s.Kind)
		if s.Name == "for_each" {
			c.expression(blocks, nil)
			for i := range c.items { // lists first
				if strings.HasPrefix(c.items[i].Detail, "list[") {
					c.items[i].Rank = 0
				}
			}
			return
		}
		c.expression(blocks, want)
	}
}

// literal offers the values of a variable's type.
func (c *completer) literal(blocks []*syntax.Block) {
	p := c.v.check().Project
	if p == nil {
		return
	}
	at := c.v.src().Place(blocks[len(blocks)-1].Name().Span)
	for _, x := range p.Variables {
		if x.Place != at || x.Type == nil {
			continue
		}
		for _, l := range literalsOf(x.Type) {
			c.add(Item{Label: l, Kind: protocol.ItemEnumMember, Detail: "value"})
		}
		if e := enumOf(x.Type); e != nil {
			for _, m := range e.Members {
				c.add(Item{Label: e.Name + "." + m.Name, Kind: protocol.ItemEnumMember, Detail: e.Name, Doc: m.Description})
			}
		}
		switch x.Type.(type) {
		case types.Model:
			c.references("model")
		case types.Module:
			c.references("module")
		}
		if isBool(x.Type) {
			c.add(Item{Label: "true", Kind: protocol.ItemKeyword})
			c.add(Item{Label: "false", Kind: protocol.ItemKeyword})
		}
	}
	if names, _ := c.dotted(); len(names) == 0 {
		c.add(Item{Label: "env", Kind: protocol.ItemFunction, Detail: "(name): string", Doc: "The value of an environment variable.", Insert: `env("$0")`, Snippet: true, Rank: 5})
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
	if !open || strings.LastIndex(line[at:], "${") > strings.LastIndex(line[at:], "}") {
		return "", false // between `${` and `}` stands an expression
	}
	return line[at:], true
}

// quoted offers what may stand in the quotes of a setting.
func (c *completer) quoted(s *universe.Setting, typed string, in *syntax.Block) {
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
	case s.Name == "file" || s.Name == "folder" || s.Name == "save_to" || s.Name == "local_files":
		c.paths(typed, func(string) bool { return s.Name == "file" || s.Name == "save_to" })
	default:
		c.texts(s, in, func(it Item) {
			it.Replaces = inside
			c.add(it)
		})
	}
}

// texts tells the texts that are known for a setting: providers, and names of models.
func (c *completer) texts(s *universe.Setting, in *syntax.Block, add func(Item)) {
	switch {
	case in.KindName() != "model":
	case s.Name == "name":
		for _, m := range c.models() {
			provider, name, _ := strings.Cut(m, "/")
			if provider == settingText(in, "provider") {
				add(Item{Label: name, Kind: protocol.ItemValue, Detail: "model"})
			}
		}
	case s.Name == "provider":
		for _, p := range c.v.u().Providers {
			add(Item{Label: p.Name, Kind: protocol.ItemModule, Detail: "provider", Doc: p.Doc})
		}
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
