package check

import (
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/universe"
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
	if n, ok := constantOf[int](s["overlap"]); ok {
		r.Overlap = &n
	}
	if r.Text == "" {
		r.Text = "text"
	}
	for _, name := range []string{"description", "pattern", "text", "id", "title", "method", "max_length", "overlap"} {
		if x := s[name]; x != nil && x.expr != nil && !x.bad && !x.fixed {
			c.report(diag.New("E0307", x.at, code(name)+" is written as a fixed value").
				Say("Of a retriever, `file`, `folder`, `embedder` and `k` may depend on variables.").
				Hint("declare a retriever for each value"))
		}
	}
	c.eitherOf(f, b, s, "file", "folder")
	c.searchMethod(f, d, s)
	if r.MaxLength > 0 && r.Overlap != nil && *r.Overlap >= r.MaxLength {
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
	if x := s["overlap"]; x != nil && s["max_length"] == nil {
		c.report(diag.New("E0502", f.place(x.attr.Name.Span), code("overlap")+" needs "+code("max_length")).
			Say("The rows of a file are parted only where `max_length` says how long a passage may be, and only parts overlap."))
	}
	c.fileFormat(s["file"], "", passageFormats)
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

// passageFormats are the endings of files that hold passages.
var passageFormats = []string{".csv", ".jsonl", ".ndjson", ".json"}

// searchMethod checks that a retriever has an embedder exactly where vectors are
// compared.
func (c *checker) searchMethod(f *fileScope, d *decl, s map[string]*setting) {
	r, method, embedder := d.retriever, s["method"], s["embedder"]
	if embedder != nil && !embedder.bad {
		r.Embedder = c.embedderRef(f, embedder)
	}
	switch {
	case (r.Method == "vector" || r.Method == "hybrid") && embedder == nil:
		c.report(diag.New("E0502", method.at, code(r.Method)+" compares vectors, and nothing makes them").
			Say("`embedder` names the model that makes a vector of each passage and of the query.").
			Hint("name one: embedder = \"openai/text-embedding-3-small\"").
			Hint("without a key and a network: embedder = \"builtin/hash\", a weak baseline"))
	case r.Method == "bm25" && embedder != nil:
		c.report(diag.New("E0511", f.place(embedder.attr.Name.Span), "`bm25` compares no vectors").
			Relate(method.at, "this compares words").
			Hint("compare both: method = \"hybrid\""))
	}
}

// embedderRef reads the model that makes vectors.
func (c *checker) embedderRef(f *fileScope, x *setting) program.ModelRef {
	text := x.attr.Value.Text
	if strings.HasPrefix(text, `"`) && strings.HasSuffix(text, `"`) && len(text) > 2 {
		provider, name, ok := strings.Cut(text[1:len(text)-1], "/")
		if p, known := c.u.Provider(provider); ok && known && p.Embedders != nil {
			if slices.Contains(p.Embedders, name) {
				return program.ModelRef{Address: provider + "/" + name, Place: x.at}
			}
			only := *p
			only.Models = p.Embedders
			c.report(unknownModelOf(x.at, &only, name))
			return program.ModelRef{}
		}
	}
	ref := c.modelRef(f, x.at, text, true)
	provider := ""
	switch {
	case ref.Address != "":
		provider, _, _ = strings.Cut(ref.Address, "/")
	case ref.Model != nil && ref.Model.Route != nil:
		c.report(diag.New("E0310", x.at, code("model."+ref.Model.Name)+" is a choice among models").
			Relate(ref.Model.Place, "declared here").
			Say("Vectors of several models cannot be compared with each other, so an embedder is one model."))
		return program.ModelRef{}
	case ref.Model != nil:
		provider = ref.Model.Provider
	}
	if p, known := c.u.Provider(provider); known && !p.Embeds {
		c.report(diag.New("E0310", x.at, "the provider "+code(p.Name)+" has no models that make vectors").
			Say("Those that have some: %s.", quotedList(embedding(c.u))))
		return program.ModelRef{}
	}
	return ref
}

// embedding returns the providers that have models which make vectors.
func embedding(u *universe.Universe) []string {
	var out []string
	for _, p := range u.Providers {
		if p.Embeds {
			out = append(out, p.Name)
		}
	}
	return out
}
