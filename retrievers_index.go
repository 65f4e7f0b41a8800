package dspi

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/stdlib/retrievers"
	"github.com/dspi-lang/dspi/stdlib/retrievers/pgvector"
)

// PlanRetriever resolves a declared retriever as the steps that search it do. The
// error is a diag.List or a *diag.Diagnostic.
func PlanRetriever(project *program.Project, name string, opt PlanOptions) (*plan.Retriever, error) {
	values, diags := variableValues(project, opt.Vars)
	if diags != nil {
		return nil, diags
	}
	x, diags := plan.NamedRetriever(project, name, opt.plan(values))
	return x, diags.Err()
}

// store says where the index of a retriever lies, as the dspi.hcl of the file that is
// run does.
func (r *Runtime) store(c *retrievers.Config, file, project string) error {
	settings, diags := LoadSettings(file)
	if diags.HasErrors() {
		return diags.Err()
	}
	text := func(name string) string {
		v, _ := settings.Value("retrieval." + name)
		s, _ := v.Value.(string)
		return s
	}
	if v, ok := settings.Value("retrieval.follow"); ok {
		follow, _ := v.Value.(bool)
		c.Frozen = !follow
	}
	c.Postgres = pgvector.Options{Schema: text("schema"), Distance: pgvector.Distance(text("distance")), Exact: text("search") == "exact"}
	at := text("store")
	if name, ok := strings.CutPrefix(at, "env:"); ok {
		if at = os.Getenv(name); at == "" {
			return &retrieve.Error{Retriever: c.Address, Text: "the environment variable " + name + " is not set, which `store` of " + FindSettings(file) + " names", Hint: "set it: " + name + "=postgres://USER@HOST/DATABASE"}
		}
	}
	switch kind, rest, _ := strings.Cut(at, ":"); kind {
	case "":
	case "sqlite":
		c.Dir = filepath.FromSlash(rest)
		if !filepath.IsAbs(c.Dir) {
			c.Dir = filepath.Join(project, c.Dir)
		}
	case "postgres", "postgresql":
		c.Store = at
	default:
		return &retrieve.Error{Retriever: c.Address, Text: "the address that `store` of " + FindSettings(file) + " names begins neither with sqlite: nor with postgres:"}
	}
	return nil
}

// IndexOptions say how an index is made.
type IndexOptions struct {
	Rebuild bool // all of it anew, vectors too
}

// Indexed is an index that is up to date.
type Indexed struct {
	Retriever string          `json:"retriever"` // its address
	Index     string          `json:"index"`     // where it is: a file, or an address without what is secret in it
	Method    retrieve.Method `json:"method"`
	Passages  int             `json:"passages"`
	Written   int             `json:"written"`  // of the passages
	Embedded  int             `json:"embedded"` // vectors that were made
	Seconds   float64         `json:"seconds"`
}

// Index makes the index of a retriever, or brings it up to date with its corpus, also
// where a dspi.hcl says that runs do not.
func (r *Runtime) Index(ctx context.Context, p *plan.Retriever, o IndexOptions) (*Indexed, error) {
	if p.Declared == nil || p.Declared.Python != nil {
		return nil, &retrieve.Error{Retriever: p.Address, Text: "it is searched by code, so it has no index here"}
	}
	c, err := r.retrieverConfig(p)
	if err != nil {
		return nil, err
	}
	out := &Indexed{Retriever: p.Address}
	c.Frozen = false
	c.Progress = func(x retrieve.Progress) {
		switch x.Doing {
		case retrieve.Embedding:
			out.Embedded = x.Done
		case retrieve.Ready:
			out.Written = x.Done
		}
		if r.options.Indexing != nil {
			r.options.Indexing(x)
		}
	}
	begin := time.Now()
	x, err := retrievers.Attach(ctx, c)
	if err != nil {
		return nil, err
	}
	defer x.Close()
	out.Index, out.Method = x.Where(), x.Method()
	if o.Rebuild {
		err = x.Rebuild(ctx)
	} else {
		err = x.Refresh(ctx)
	}
	if err != nil {
		return out, err
	}
	out.Passages, err = x.Count(ctx)
	out.Seconds = time.Since(begin).Seconds()
	return out, err
}
