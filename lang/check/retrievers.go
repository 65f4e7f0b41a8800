package check

import (
	"slices"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/syntax"
)

func (c *checker) checkRetriever(d *decl, b *syntax.Block) {
	f := d.scope
	table, _ := c.u.Block("retriever")
	s := c.settings(f, b, table)
	c.inner(f, b, table, "a retriever", nil)
	r := d.retriever
	r.Description, _ = constantOf[string](s["description"])
	r.File, r.Folder, r.K = s["file"].value(), s["folder"].value(), s["k"].value()
	r.Pattern, _ = constantOf[string](s["pattern"])
	r.Text, _ = constantOf[string](s["text"])
	r.ID, _ = constantOf[string](s["id"])
	r.Title, _ = constantOf[string](s["title"])
	r.Method, _ = constantOf[string](s["method"])
	r.MaxLength, _ = constantOf[int](s["max_length"])
	r.Overlap, _ = constantOf[int](s["overlap"])
	if r.Text == "" {
		r.Text = "text"
	}
	c.eitherOf(f, b, s, "file", "folder")
	if r.MaxLength > 0 && r.Overlap >= r.MaxLength {
		c.report(diag.New("E0509", s["overlap"].at, code("overlap")+" is less than "+code("max_length")).
			Relate(s["max_length"].at, "%d characters here", r.MaxLength))
	}
	if s["file"] == nil {
		for _, name := range []string{"text", "id", "title"} {
			if x := s[name]; x != nil {
				c.report(diag.New("E0511", f.place(x.attr.Name.Span), "a folder of texts has no columns").
					Say("`%s` names a column of a `file`.", name))
			}
		}
		return
	}
	if x := s["pattern"]; x != nil {
		c.report(diag.New("E0511", f.place(x.attr.Name.Span), code("pattern")+" is for a "+code("folder")))
	}
	c.fileFormat(s["file"], "", tableFormats)
	columns, known := c.columnsOf(f, s["file"], "")
	if !known {
		return
	}
	for _, name := range []string{"text", "id", "title"} {
		if column, ok := constantOf[string](s[name]); ok && !slices.Contains(columns, column) {
			c.report(noSuchColumn(s[name].at, column, r.Address(), columns, true))
		}
	}
	if s["text"] == nil && !slices.Contains(columns, "text") {
		column := "…"
		if near, ok := diag.Nearest("text", columns); ok {
			column = near
		}
		c.report(diag.New("E0220", s["file"].at, "the file has no column `text`").
			Say("Without `text` the column of that name is searched. %s", columnsLine(columns)).
			Hint("say which column is searched: text = %q", column))
	}
}
