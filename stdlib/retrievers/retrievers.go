// Package retrievers opens what a `retriever` block declares: passages of files,
// searched through an index in a SQLite file.
//
//	Config     a corpus, the method, the embedder, and where the index lies
//	Retriever  an open index: a retrieve.Retriever (search.go)
//	Pool       retrievers that are opened once and shared
//	AsTool     a retriever as a tool that a model calls (tool.go)
//
// The index is made when it is first needed and follows its corpus: sync.go says
// how, edit.go what of the passages stays. Reading files is package corpus.
//
// A file of the index belongs to one retriever with one set of settings: all that
// decides what is in it is part of its name. It can be deleted at any time.
package retrievers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/stdlib/internal/database"
	"github.com/dspi-lang/dspi/stdlib/retrievers/corpus"
)

// Folder is where the indexes of a project are kept, in its own folder .dspi.
const Folder = ".dspi/index"

// Config is what a retriever is opened with.
type Config struct {
	Address  string // retriever.wiki
	Corpus   corpus.Corpus
	Method   retrieve.Method   // "": hybrid where there is an embedder, else bm25
	Embedder retrieve.Embedder // nil for bm25
	K        int               // how many passages are given when nobody says; 0 for retrieve.DefaultK
	// Dir is the folder of the indexes. Project is that of the project: what is in it
	// keeps its index when the project is moved.
	Dir, Project string
	// Progress is told how far the making of the index is; nil: nobody is. It is
	// called by several goroutines, one after another.
	Progress func(retrieve.Progress)
}

// method returns the method that is used.
func (c *Config) method() retrieve.Method {
	switch {
	case c.Method != "":
		return c.Method
	case c.Embedder != nil:
		return retrieve.Hybrid
	}
	return retrieve.BM25
}

// Path returns the file of the index.
func (c *Config) Path() string {
	at := c.Corpus.File + c.Corpus.Folder
	if rel, err := filepath.Rel(c.Project, at); err == nil && c.Project != "" {
		at = filepath.ToSlash(rel)
	}
	embedder := ""
	if c.Embedder != nil {
		embedder = c.Embedder.Address()
	}
	x := c.Corpus
	overlap := -1
	if x.Overlap != nil {
		overlap = *x.Overlap
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %q %q %t %q %q %q %q %d %d %q", version, c.Address, at, x.Folder != "",
		x.Pattern, x.Text, x.ID, x.Title, x.MaxLength, overlap, embedder))
	name := strings.Map(func(r rune) rune {
		if r == '/' || r == '\\' || r == ':' {
			return '_'
		}
		return r
	}, strings.TrimPrefix(c.Address, "retriever."))
	return filepath.Join(c.Dir, name+"-"+hex.EncodeToString(sum[:6])+".db")
}

// Retriever is an open index. It is safe for use by many goroutines.
type Retriever struct {
	c    Config
	turn chan struct{} // held by who brings the index up to date

	mu      sync.RWMutex // of db: it is another after a damaged file was replaced
	db      *database.DB
	near    sync.Mutex // of vectors
	vectors *vectors
}

// Open opens the index of a retriever, and makes it or brings it up to date. A
// damaged file is replaced.
func Open(ctx context.Context, c Config) (*Retriever, error) {
	m := c.method()
	switch {
	case m != retrieve.BM25 && m != retrieve.Vector && m != retrieve.Hybrid:
		return nil, &retrieve.Error{Retriever: c.Address, Text: fmt.Sprintf("no method is called %q", m)}
	case m.NeedsEmbedder() && c.Embedder == nil:
		return nil, &retrieve.Error{Retriever: c.Address, Text: "method " + string(m) + " needs an embedder", Hint: `name one: embedder = "builtin/hash"`}
	case !m.NeedsEmbedder():
		c.Embedder = nil // no vectors are made that nobody compares
	}
	if c.K <= 0 {
		c.K = retrieve.DefaultK
	}
	x := &Retriever{c: c, turn: make(chan struct{}, 1)}
	if err := x.open(); err != nil {
		return nil, x.wrap(err)
	}
	if err := x.Refresh(ctx); err != nil {
		return nil, errors.Join(err, x.Close())
	}
	return x, nil
}

// open opens the file, and replaces one that cannot be used.
func (x *Retriever) open() error {
	path := x.c.Path()
	if err := database.OwnFolder(filepath.Dir(path)); err != nil {
		return fmt.Errorf("the folder of the index cannot be made: %w", err)
	}
	db, err := database.Open(path, schema)
	if unusable(err) {
		if err := database.Remove(path); err != nil {
			return err
		}
		db, err = database.Open(path, schema)
	}
	x.db = db
	return err
}

// unusable reports whether a file is no index: it is made anew.
func unusable(err error) bool {
	var damaged *database.DamagedError
	var foreign *database.ForeignError
	var newer *database.NewerError
	return errors.As(err, &damaged) || errors.As(err, &foreign) || errors.As(err, &newer)
}

// replace puts a new file in place of a damaged one, which old is.
func (x *Retriever) replace(old *database.DB) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.db != old {
		return nil // another goroutine did
	}
	_ = old.Close()
	x.near.Lock()
	x.vectors = nil
	x.near.Unlock()
	if err := database.Remove(old.Path()); err != nil {
		return err
	}
	return x.open()
}

// with calls f with the open file.
func (x *Retriever) with(f func(*database.DB) error) error {
	x.mu.RLock()
	db := x.db
	err := f(db)
	x.mu.RUnlock()
	if err = db.Explain(err); !unusable(err) {
		return err
	}
	return errors.Join(&replaced{db}, err)
}

// replaced says that a file turned out to be damaged.
type replaced struct{ db *database.DB }

func (*replaced) Error() string { return "the index is damaged" }

// mended calls f, and once more on a new index when the file was damaged.
func (x *Retriever) mended(ctx context.Context, f func() error) error {
	err := f()
	var r *replaced
	if !errors.As(err, &r) {
		return err
	}
	if err := x.replace(r.db); err != nil {
		return err
	}
	if err := x.sync(ctx); err != nil {
		return err
	}
	return f()
}

// Close closes the file. Searches must have ended.
func (x *Retriever) Close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.db == nil {
		return nil
	}
	return x.db.Close()
}

// wrap makes an error one that a Retriever returns.
func (x *Retriever) wrap(err error) error {
	var f *corpus.Fault
	switch {
	case err == nil, retrieve.AsError(err) != nil, isModels(err), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.As(err, &f):
		return &retrieve.Error{Retriever: x.c.Address, Text: f.Text, Hint: f.Hint, Err: err}
	}
	return &retrieve.Error{Retriever: x.c.Address, Text: err.Error(), Err: err}
}

func (x *Retriever) progress(doing retrieve.Doing, done, total int) {
	if x.c.Progress != nil {
		x.c.Progress(retrieve.Progress{Retriever: x.c.Address, Doing: doing, Done: done, Total: total})
	}
}

// again is how long a Pool trusts that a corpus has not changed.
const again = time.Second

// Pool opens each retriever once. The zero Pool is ready; it is safe for use by
// many goroutines.
type Pool struct {
	mu      sync.Mutex
	entries map[string]*entry
}

type entry struct {
	turn    chan struct{}
	open    *Retriever
	checked time.Time
}

// Open returns the retriever of a configuration. One that is open already is brought
// up to date when its corpus has changed; that is looked at once a second at most.
func (p *Pool) Open(ctx context.Context, c Config) (*Retriever, error) {
	key := fmt.Sprintf("%s %s %d", c.Path(), c.method(), c.K)
	p.mu.Lock()
	if p.entries == nil {
		p.entries = map[string]*entry{}
	}
	e := p.entries[key]
	if e == nil {
		e = &entry{turn: make(chan struct{}, 1)}
		p.entries[key] = e
	}
	p.mu.Unlock()
	select {
	case e.turn <- struct{}{}:
		defer func() { <-e.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	switch {
	case e.open == nil:
		x, err := Open(ctx, c)
		if err != nil {
			return nil, err
		}
		e.open = x
	case time.Since(e.checked) > again:
		if err := e.open.Refresh(ctx); err != nil {
			return nil, err
		}
	default:
		return e.open, nil
	}
	e.checked = time.Now()
	return e.open, nil
}

// Close closes all that was opened. Searches must have ended.
func (p *Pool) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, e := range p.entries {
		if e.open != nil {
			errs = append(errs, e.open.Close())
		}
	}
	p.entries = nil
	return errors.Join(errs...)
}
