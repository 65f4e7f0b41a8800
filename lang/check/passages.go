package check

import (
	"slices"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
)

// passageColumns finds out what `where` may read of a passage.
func (c *checker) passageColumns(f *fileScope, r *program.Retriever, s map[string]*setting) {
	if s["folder"] != nil {
		c.textColumns(f, r, s)
		return
	}
	name, ok := constantOf[string](s["file"])
	if !ok || name == "" || c.opt.Passages == nil {
		return
	}
	f.outside = true
	columns, err := c.opt.Passages(f.file.Source, name)
	if err != nil {
		return // columnsOf says so
	}
	for _, x := range columns {
		switch x.Name {
		case r.Text, r.ID, r.Title:
			continue
		case "id":
			if r.ID == "" {
				continue
			}
		}
		r.Columns = append(r.Columns, x)
	}
	r.Columns = append(program.NameColumns(r.Title != ""), r.Columns...)
}

// textColumns asks the host for the facts of the texts of a folder. Where they cannot
// be read, or where a variable names the folder, they are left unchecked.
func (c *checker) textColumns(f *fileScope, r *program.Retriever, s map[string]*setting) {
	name, ok := constantOf[string](s["folder"])
	if c.opt.Texts == nil || ok && name == "" {
		r.Columns = program.TextColumns()
		return
	}
	if !ok {
		return
	}
	f.outside = true
	if columns, err := c.opt.Texts(f.file.Source, name, r.Pattern); err == nil {
		r.Columns = columns
	}
}

// reranks reads the program that orders what was found anew.
func (c *checker) reranks(f *fileScope, r *program.Retriever, s map[string]*setting) {
	x := s["rerank"]
	if x == nil {
		if y := s["candidates"]; y != nil {
			c.report(diag.New("E0502", f.place(y.attr.Name.Span), code("candidates")+" are for "+code("rerank")).
				Hint("how many passages are given is said by `k`"))
		}
		return
	}
	p := c.programOf(f, x)
	if p == nil || p.Signature == nil {
		return
	}
	sig := p.Signature
	say := func(text string) {
		c.report(diag.New("E0310", x.at, code("program."+p.Name)+" "+text).Relate(p.Place, "declared here").
			Say("A program that reranks takes `query: string` and `passages: list[string]`, and gives `scores: list[float]`, one for each passage, or `order: list[int]`, positions from 0, the best first."))
	}
	given := []types.Field{{Name: "query", Type: types.String}, {Name: "passages", Type: &types.List{Elem: types.String}}}
	for _, in := range sig.Inputs {
		i := slices.IndexFunc(given, func(g types.Field) bool { return g.Name == in.Name })
		switch {
		case i >= 0 && !types.Fits(given[i].Type, in.Type):
			say("takes `" + in.Name + ": " + in.Type.String() + "`, and is given `" + given[i].Type.String() + "`")
			return
		case i < 0 && !in.HasDefault && !types.Nullable(in.Type):
			say("needs `" + in.Name + "`, which nothing gives it")
			return
		}
	}
	for _, out := range sig.Outputs {
		if out.Name == "scores" && types.Fits(out.Type, &types.List{Elem: types.Float}) || out.Name == "order" && types.Fits(out.Type, &types.List{Elem: types.Int}) {
			r.Rerank = p
			return
		}
	}
	say("gives neither scores nor an order")
}

// passagesIf checks a condition on passages: it sees the columns of the retriever
// that the step searches as `passage.NAME`.
func (c *checker) passagesIf(b *body, s *stepNode, x *setting, scope *expr.Scope) {
	if x.expr == nil || x.bad {
		return
	}
	passage := expr.Symbol{Name: "passage", Kind: "passage", Noun: "column", Place: x.at}
	if r := c.searched(b, s); r != nil && r.Columns != nil {
		passage.Place = r.Place
		for _, f := range r.Columns {
			passage.Members = append(passage.Members, expr.Member{Name: f.Name, Type: f.Type, Doc: f.Description})
		}
	} else {
		passage.Type = types.JSON
	}
	info, diags := c.condition(x.expr, scope.With(passage))
	c.add(diags)
	x.info, x.bad = info, diags.HasErrors()
	c.noSecret(x)
}

// searched returns the retriever that a step searches, nil where that is not known.
func (c *checker) searched(b *body, s *stepNode) *program.Retriever {
	x := s.settings["from"]
	if x == nil || x.attr == nil || x.attr.Value == nil {
		return nil
	}
	const word = "retriever."
	text := x.attr.Value.Text
	if len(text) <= len(word) {
		return nil
	}
	if d, ok := b.fs.lookup(retrieverKind, text[len(word):]); ok {
		return d.retriever
	}
	return nil
}
