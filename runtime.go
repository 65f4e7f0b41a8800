package dspi

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/dspi-lang/dspi/interpreter"
	"github.com/dspi-lang/dspi/interpreter/cache"
	"github.com/dspi-lang/dspi/interpreter/journal"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/interpreter/python"
	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/stdlib"
	"github.com/dspi-lang/dspi/stdlib/providers"
	"github.com/dspi-lang/dspi/stdlib/tools"
)

// Options are what a Runtime is made of. The zero Options keep nothing and show
// nothing.
type Options struct {
	// Trace takes the events of runs, called by many goroutines at once.
	Trace trace.Sink
	// Cache keeps replies, for CacheTTL each; nil: every call is sent. A model that is
	// free, such as the baseline, is always asked. CacheFailed is told when the cache
	// fails: the call goes on without it.
	Cache       cache.Cache
	CacheTTL    time.Duration
	CacheFailed func(error)
	// Journal keeps what is answered in runs until they end well, so that Resume can
	// take them up again; nil: nothing is kept. JournalFailed is told when it fails:
	// the run goes on without it.
	Journal       journal.Journal
	JournalFailed func(error)
	// Approve asks a person whether a tool may be called that wants it; nil: such
	// a call pauses the run, and the error is a *tool.Paused.
	Approve interpreter.Approver
	// Stream makes outputs that grow events of the trace: see Runtime.Stream for
	// a simpler way.
	Stream bool
	// Around is put around each model that steps ask, outside all its settings: it
	// sees one Generate for each call of the trace. nil: nothing is.
	Around func(lm.LM) lm.LM
	// Extension is what the sources of its plans were extended with; may be nil.
	Extension *Extension
	// Python says where the Python is that runs the steps which want one, and how its
	// workers are kept.
	Python python.Options
	// Indexing is told how far the index of a retriever is that is being made; nil:
	// nobody is. It is called by several goroutines, and must not block.
	Indexing func(retrieve.Progress)
}

// Runtime runs plans. Its models are opened once and shared by all its runs, so
// that limits and connections are, too. It is safe for use by many goroutines.
type Runtime struct {
	env     *interpreter.Env
	options Options
	flights cache.Flights
	search  searching
	bodies  tools.Bodies // of declared tools
	python  *python.Pool // its workers start when they are needed

	mu     sync.Mutex
	models map[*plan.Model]lm.LM
	asked  map[*plan.Model]lm.LM // those of models that steps ask, with what is around them
	roots  map[string]*os.Root   // folders of `local_files`
	tools  map[string]tool.Tool  // of the host, by address
	guards map[*plan.Plan]journal.Journal
}

// NewRuntime returns a Runtime.
func NewRuntime(o Options) *Runtime {
	r := &Runtime{options: o, models: map[*plan.Model]lm.LM{}, asked: map[*plan.Model]lm.LM{}, roots: map[string]*os.Root{}, guards: map[*plan.Plan]journal.Journal{}}
	r.env = &interpreter.Env{LM: r.lm, Module: o.Extension.module, Tool: r.tool, Bodies: &r.bodies, Files: r.localFiles, Retriever: r.Retriever, Python: r.pythonStep, PythonTool: r.pythonTool, Trace: o.Trace, Stream: o.Stream, Journal: o.Journal, Approve: o.Approve}
	if o.Extension != nil {
		for _, t := range o.Extension.Tools {
			r.UseTool("tool."+t.Name(), t)
		}
		for _, x := range o.Extension.Retrievers {
			r.UseRetriever("retriever."+x.Name, x.Retriever)
		}
	}
	r.python = python.NewPool(r.pythonOptions())
	return r
}

// Run runs a plan with inputs, as the function Run does.
func (r *Runtime) Run(ctx context.Context, p *plan.Plan, inputs map[string]any) (*Result, error) {
	return r.run(ctx, p, r.env, inputs)
}

func (r *Runtime) run(ctx context.Context, p *plan.Plan, env *interpreter.Env, inputs map[string]any) (*Result, error) {
	in, err := CheckInputs(p.Checked, inputs)
	if err != nil {
		return &Result{Program: p.Program}, err
	}
	return r.journalled(ctx, p, env, in)
}

// Close gives back the folders that were opened for `local_files`, closes the
// indexes of retrievers, and ends the MCP servers of tools and the Python workers. Runs must have ended. The cache of the Options stays open.
func (r *Runtime) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	errs := []error{r.python.Close(), r.search.pool.Close(), r.bodies.Close()}
	for _, root := range r.roots {
		errs = append(errs, root.Close())
	}
	clear(r.roots)
	return errors.Join(errs...)
}

// localFiles opens the folder of a program's `local_files`, so that nothing outside
// of it can be read, whatever a path or a link says.
func (r *Runtime) localFiles(p *program.Program) (fs.FS, error) {
	dir := p.LocalFiles
	if !filepath.IsAbs(dir) && p.Place.File != nil {
		dir = filepath.Join(filepath.Dir(p.Place.File.Name), dir)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if root, ok := r.roots[dir]; ok {
		return root.FS(), nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	r.roots[dir] = root
	return root.FS(), nil
}

// Use makes the Runtime answer with model where a plan names m: for tests and
// for models of one's own.
func (r *Runtime) Use(m *plan.Model, model lm.LM) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.models[m] = model
	delete(r.asked, m)
}

// Model opens a model with all that its settings say around it: limits, retries,
// its price. It is the one that the Runtime's runs use.
func (r *Runtime) Model(m *plan.Model) (lm.LM, error) { return r.lm(m) }

// lm returns the model that the Runtime's runs use.
func (r *Runtime) lm(m *plan.Model) (lm.LM, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if x, ok := r.asked[m]; ok {
		return x, nil
	}
	x, err := r.shared(m)
	if err != nil {
		return nil, err
	}
	if r.options.Around != nil {
		x = r.options.Around(x)
	}
	x = optimize.Logging(x)
	r.asked[m] = x
	return x, nil
}

// shared is lm for who holds the lock.
func (r *Runtime) shared(m *plan.Model) (lm.LM, error) {
	if x, ok := r.models[m]; ok {
		return x, nil
	}
	if m.Route != nil {
		x, err := route(m, r.shared)
		if err == nil {
			r.models[m] = x
		}
		return x, err
	}
	x, err := providers.Open(providerConfig(m))
	if err != nil {
		return nil, err
	}
	x = r.cached(around(x, m), m)
	r.models[m] = x
	return x, nil
}

// cached puts the cache around a model, unless it is free: what costs nothing need
// not be kept, and replies from a file must come in their order.
func (r *Runtime) cached(x lm.LM, m *plan.Model) lm.LM {
	if r.options.Cache == nil {
		return x
	}
	if p, ok := stdlib.Universe().Provider(m.Provider); ok && p.Free {
		return x
	}
	return cache.Wrap(x, r.options.Cache, cache.Options{
		Endpoint: m.BaseURL, Adapter: prompt.Version, TTL: r.options.CacheTTL, Flights: &r.flights, Failed: r.options.CacheFailed,
	})
}
