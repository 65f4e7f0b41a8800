package reference

import (
	"strings"

	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/schema"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/lang/value"
)

// typesPage is the page about types.
func typesPage() string {
	p := &page{}
	p.line("# Types\n\n" + made)
	p.line("What fits where, and how values are read, is in [the language](../language.md#5-types).")
	p.line("\n## Built from others\n\n| form | values |\n|---|---|")
	for _, c := range types.Composite {
		p.line("| %s | %s |", code(cell(c.Form)), cell(c.Doc))
	}
	p.line("\n`list[T]` takes the constraints %s, `map[string, T]` %s.", codes(types.ListLimits), codes(types.MapLimits))
	p.line("\n## Formats of a string\n\n| format | |\n|---|---|")
	for _, f := range types.Formats {
		p.line("| %s | %s |", code(f.Name), cell(f.Doc))
	}
	var group types.Group
	for _, r := range types.Table() {
		if r.Group != group {
			group = r.Group
			p.line("\n## %s", strings.ToUpper(string(group[:1]))+string(group[1:]))
		}
		p.row(r)
	}
	return p.String()
}

func codes(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = code(n)
	}
	return strings.Join(out, ", ")
}

// row writes one row of the table of types.
func (p *page) row(r *types.Row) {
	t := &types.Primitive{Row: r}
	p.line("\n### %s\n\n%s.\n", r.Name, strings.ToUpper(r.Doc[:1])+r.Doc[1:])
	fact := func(name, text string) {
		if text != "" {
			p.line("- %s: %s", name, text)
		}
	}
	if a := r.Argument; a != nil {
		fact("in parentheses", a.Name+", "+a.Doc)
	}
	if len(r.Allows) > 0 {
		fact("constraints", codes(r.Allows))
	}
	fact("structure", structure(r))
	fact("rule", r.Rule)
	fact("read from outside, also", r.Reads)
	if r.Sensitive {
		fact("secret", "always")
	}
	fact("in Python", code(r.Python))
	fact("in a database", code(types.Database(t)))
	fact("example", code(string(value.EncodeJSON(value.FromGo(r.Example)))))
	fact("JSON Schema", code(string(value.EncodeJSON(schema.Of(t, schema.Options{}).Document))))
}

// structure shows the fields of a type that has some.
func structure(r *types.Row) string {
	switch s := r.Shape.(type) {
	case nil:
		return ""
	case *types.Record:
		return code("{ " + fieldNames(s.Fields) + " }")
	default:
		return code(s.String())
	}
}

func fieldNames(fs []types.Field) string {
	parts := make([]string, len(fs))
	for i, f := range fs {
		parts[i] = f.Name + ": " + f.Type.String()
	}
	return strings.Join(parts, ", ")
}

// functions is the page about functions.
func functions() string {
	p := &page{}
	p.line("# Functions\n\n" + made)
	p.line("What stands in `[ ]` may be left out. `it` is the element of the list, `it_index` its position from 0.")
	p.line("\n| function | gives | | example | is |\n|---|---|---|---|---|")
	for _, f := range expr.Functions() {
		p.line("| %s | %s | %s | %s | %s |", code(cell(f.Name+"("+f.Params+")")), cell(f.Result), cell(f.Doc), code(cell(f.Example)), gives(f))
	}
	return p.String()
}

func gives(f expr.Function) string {
	if f.Gives == "" {
		return ""
	}
	return code(cell(f.Gives))
}

// providers is the page about sources of models.
func providers(u *universe.Universe) string {
	p := &page{}
	p.line("# Providers\n\n" + made)
	p.line("A model is named `provider/name`, or by the name of a `model` block with `provider` and `name`.")
	p.line("\n| provider | | key | models | example |\n|---|---|---|---|---|")
	for _, x := range u.Providers {
		key := "none"
		if x.KeyVar != "" {
			key = "`api_key`, else " + code(x.KeyVar) + " in the environment"
		} else if x.NeedKey {
			key = "`api_key`"
		}
		models := "any"
		if x.Models != nil {
			models = codes(x.Models)
		}
		p.line("| %s | %s | %s | %s | %s |", code(x.Name), cell(x.Doc), key, models, code(x.Example))
	}
	var embeds []string
	for _, x := range u.Providers {
		switch {
		case x.Embedders != nil:
			for _, name := range x.Embedders {
				embeds = append(embeds, x.Name+"/"+name)
			}
		case x.Embeds:
			embeds = append(embeds, x.Name+"/…")
		}
	}
	p.line("\nModels that make vectors of texts, for the `embedder` of a [retriever](blocks.md#retriever): %s.", codes(embeds))
	return p.String()
}
