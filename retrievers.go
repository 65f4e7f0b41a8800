package dspi

import (
	"context"
	"path/filepath"
	"sync"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/stdlib/providers"
	"github.com/dspi-lang/dspi/stdlib/retrievers"
	"github.com/dspi-lang/dspi/stdlib/retrievers/corpus"
)

// searching is what a Runtime has opened of retrievers. The zero searching is ready.
type searching struct {
	pool retrievers.Pool

	mu        sync.Mutex
	own       map[string]retrieve.Retriever // by address
	embedders map[*plan.Model]retrieve.Embedder
}

// UseRetriever makes the Runtime search x where a program names the retriever of an
// address, `retriever.wiki`: for tests, and for retrievers of one's own. It must be
// called before the runs that need it.
func (r *Runtime) UseRetriever(address string, x retrieve.Retriever) {
	r.search.mu.Lock()
	defer r.search.mu.Unlock()
	if r.search.own == nil {
		r.search.own = map[string]retrieve.Retriever{}
	}
	r.search.own[address] = x
}

// Retriever opens what a plan searches: the one that the Runtime's runs use. Its index
// is made when it is first needed, and brought up to date when its corpus changed.
func (r *Runtime) Retriever(ctx context.Context, p *plan.Retriever) (retrieve.Retriever, error) {
	r.search.mu.Lock()
	own, ok := r.search.own[p.Address]
	r.search.mu.Unlock()
	if ok {
		return own, nil
	}
	if p.Declared == nil {
		return nil, &retrieve.Error{Retriever: p.Address, Text: "nothing here searches " + p.Address}
	}
	if p.Declared.Python != nil {
		return r.reranked(r.function(p.Declared.Python, p.Address, pythonToolTimeout).Retriever(p.K), p), nil
	}
	c, err := r.retrieverConfig(p)
	if err != nil {
		return nil, err
	}
	x, err := r.search.pool.Open(ctx, c)
	if err != nil {
		return nil, err // not a *retrievers.Retriever that is nil
	}
	return r.reranked(x, p), nil
}

// retrieverConfig is what a declaration and its variables say.
func (r *Runtime) retrieverConfig(p *plan.Retriever) (retrievers.Config, error) {
	d := p.Declared
	declared := "" // the .dsp file that paths start from
	if d.Place.File != nil {
		declared = d.Place.File.Name
	}
	here := filepath.Dir(declared)
	// Where indexes lie is said for the file that is run, as all that dspi.hcl says: an
	// imported retriever brings its corpus, and none of its own project's settings.
	file := p.Root
	if file == "" {
		file = declared
	}
	project := filepath.Dir(file)
	if name := FindSettings(file); name != "" {
		project = filepath.Dir(name)
	}
	project, err := filepath.Abs(project)
	if err != nil {
		return retrievers.Config{}, err
	}
	path := func(text string) (string, error) {
		if text == "" {
			return "", nil
		}
		text = filepath.FromSlash(text)
		if !filepath.IsAbs(text) {
			text = filepath.Join(here, text)
		}
		return filepath.Abs(text)
	}
	c := retrievers.Config{
		VectorWeight: p.VectorWeight, Diversity: p.Diversity, File: file,
		Address: p.Address, Method: retrieve.Method(d.Method), K: p.K,
		Dir: filepath.Join(project, filepath.FromSlash(retrievers.Folder)), Project: project, Progress: r.options.Indexing,
		Corpus: corpus.Corpus{
			Name: p.File + p.Folder, Pattern: d.Pattern, Text: d.Text, ID: d.ID, Title: d.Title,
			MaxLength: d.MaxLength, Overlap: d.Overlap,
		},
	}
	if c.Corpus.File, err = path(p.File); err != nil {
		return c, err
	}
	if c.Corpus.Folder, err = path(p.Folder); err != nil {
		return c, err
	}
	if c.Corpus.Name == "" {
		return c, &retrieve.Error{Retriever: p.Address, Text: "it names neither a file nor a folder"}
	}
	if err := r.store(&c, file, project); err != nil {
		return c, err
	}
	if p.Embedder != nil {
		c.Embedder, err = r.embedderOf(p)
	}
	return c, err
}

// embedderOf opens what makes the vectors of a retriever.
func (r *Runtime) embedderOf(p *plan.Retriever) (retrieve.Embedder, error) {
	return r.embedder(p.Embedder, func() (lm.LM, error) {
		if p.Embedder.Provider == "python" {
			return r.pythonEmbedder(p), nil
		}
		return providers.OpenEmbedder(providerConfig(p.Embedder))
	})
}

// embedder opens a model that makes vectors, with all that its settings say around
// it, as around any model.
func (r *Runtime) embedder(m *plan.Model, open func() (lm.LM, error)) (retrieve.Embedder, error) {
	r.search.mu.Lock()
	defer r.search.mu.Unlock()
	if e, ok := r.search.embedders[m]; ok {
		return e, nil
	}
	x, err := open()
	if err != nil {
		return nil, err
	}
	if r.search.embedders == nil {
		r.search.embedders = map[*plan.Model]retrieve.Embedder{}
	}
	e := retrieve.Through(around(x, m))
	r.search.embedders[m] = e
	return e, nil
}

// UseEmbedder makes the Runtime ask e for vectors where a plan names m: for tests
// and for embedders of one's own.
func (r *Runtime) UseEmbedder(m *plan.Model, e retrieve.Embedder) {
	r.search.mu.Lock()
	defer r.search.mu.Unlock()
	if r.search.embedders == nil {
		r.search.embedders = map[*plan.Model]retrieve.Embedder{}
	}
	r.search.embedders[m] = e
}
