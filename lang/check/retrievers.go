package check

import (
	"path"
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
	blocks := c.inner(f, b, table, "a retriever", nil)
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
	r.VectorWeight, r.Diversity, r.Candidates = s["vector_weight"].value(), s["diversity"].value(), s["candidates"].value()
	if r.Text == "" {
		r.Text = "text"
	}
	for _, name := range []string{"description", "pattern", "text", "id", "title", "method", "max_length", "overlap"} {
		if x := s[name]; x != nil && x.expr != nil && !x.bad && !x.fixed {
			c.report(diag.New("E0307", x.at, code(name)+" is written as a fixed value").
				Say("Of a retriever, `file`, `folder`, `embedder`, `k`, `vector_weight`, `diversity` and `candidates` may depend on variables.").
				Hint("declare a retriever for each value"))
		}
	}
	if r.Python, _ = c.pythonIn(f, "retriever", blocks["python"]); r.Python != nil {
		c.insteadOfPython(f, r.Python, s, "Python searches", "file", "folder", "pattern", "text", "id", "title", "method", "embedder", "max_length", "overlap", "vector_weight", "diversity")
		c.reranks(f, r, s)
		return
	}
	c.eitherOf(f, b, s, "file", "folder")
	c.searchMethod(f, d, s)
	c.reranks(f, r, s)
	c.passageColumns(f, r, s)
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
	c.fileFormat(s["file"], "", append(slices.Clone(passageFormats), textFormats...))
	if name, ok := constantOf[string](s["file"]); ok && slices.Contains(textFormats, strings.ToLower(path.Ext(name))) {
		for _, name := range []string{"text", "id", "title"} {
			if x := s[name]; x != nil {
				c.report(diag.New("E0511", f.place(x.attr.Name.Span), "a text has no columns").
					Say("`%s` names a column of a file of rows.", name))
			}
		}
		return
	}
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
var passageFormats = []string{".csv", ".tsv", ".jsonl", ".ndjson", ".json"}

// textFormats are those of files that hold a text.
var textFormats = []string{".md", ".markdown", ".txt", ".html", ".htm", ".pdf"}

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
	case r.Method != "hybrid" && (r.Method != "" || embedder == nil) && s["vector_weight"] != nil:
		c.report(diag.New("E0511", f.place(s["vector_weight"].attr.Name.Span), "only `hybrid` weighs words and vectors"))
	case s["diversity"] != nil && embedder == nil:
		c.report(diag.New("E0502", f.place(s["diversity"].attr.Name.Span), code("diversity")+" compares vectors, and nothing makes them").
			Hint("name an embedder: embedder = \"builtin/hash\""))
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
	if ref, ok := c.muteRef(f, x, text); ok {
		return ref
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

// muteRef reads a model that makes vectors and answers nothing; false for any other.
func (c *checker) muteRef(f *fileScope, x *setting, text string) (program.ModelRef, bool) {
	if name, ok := strings.CutPrefix(text, "model."); ok {
		if d, ok := f.lookup(modelKind, name); ok {
			p, known := c.u.Provider(d.model.Provider)
			return program.ModelRef{Model: d.model, Place: x.at}, known && p.Mute
		}
	}
	provider, name, ok := strings.Cut(strings.Trim(text, `"`), "/")
	if p, known := c.u.Provider(provider); ok && known && p.Mute && strings.HasPrefix(text, `"`) {
		if !strings.Contains(name, ":") {
			c.report(diag.New("E0310", x.at, "this names no function").
				Say("A function is named `\"python/module:function\"`, say `\"python/embed:vectors\"` for `vectors` in embed.py beside this file."))
		}
		return program.ModelRef{Address: provider + "/" + name, Place: x.at}, true
	}
	return program.ModelRef{}, false
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
