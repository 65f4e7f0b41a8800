// Package retrievers opens what a `retriever` block declares: passages of files,
// searched through an index.
//
//	Config     a corpus, the method, the embedder, and where the index lies
//	Retriever  an open index: a retrieve.Retriever (search.go)
//	Pool       retrievers that are opened once and shared (pool.go)
//	AsTool     a retriever as a tool that a model calls (tool.go)
//
// The index is made when it is first needed and follows its corpus: sync.go says
// how. What is kept of an index is in package index, the stores are sqlite, a file
// for each index, and pgvector, tables of a Postgres. Reading files is package
// corpus.
//
// An index belongs to one retriever with one set of settings: all that decides what
// is in it is part of its name. It can be deleted at any time.
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

	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/stdlib/retrievers/corpus"
	"github.com/dspi-lang/dspi/stdlib/retrievers/index"
	"github.com/dspi-lang/dspi/stdlib/retrievers/pgvector"
	"github.com/dspi-lang/dspi/stdlib/retrievers/sqlite"
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
	// VectorWeight is how much vectors count beside words in hybrid, from 0 to 1; nil:
	// as much, 0.5.
	VectorWeight *float64
	// Diversity, from 0 to 1, is how much unlikeness counts beside relevance, by which
	// retrieve.Diverse picks; 0: not at all.
	Diversity float64
	// Store is where the index lies: "" for a file in Dir, else postgres://….
	Store    string
	Postgres pgvector.Options // how it lies there
	// Frozen says that the index is used as it is: the corpus is not looked at.
	Frozen bool
	// Dir is the folder of the indexes. Project is that of the project: what is in it
	// keeps its index when the project is moved.
	Dir, Project string
	// File is the .dsp file as the user named it, for messages; may be "".
	File string
	// Progress is told how far the making of the index is; nil: nobody is. It is
	// called by several goroutines, one after another.
	Progress func(retrieve.Progress)

	rereads bool // a corpus is read again in each pass, however small it is: for tests
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

// Name returns the name of the index, of small letters, digits and underscores: the
// retriever's, and a hash of all that decides what is in it.
func (c *Config) Name() string {
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
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %q %q %t %q %q %q %q %d %d %q", index.Version, c.Address, at, x.Folder != "",
		x.Pattern, x.Text, x.ID, x.Title, x.MaxLength, overlap, embedder))
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToLower(strings.TrimPrefix(c.Address, "retriever.")))
	return name[:min(len(name), 24)] + "_" + hex.EncodeToString(sum[:6])
}

// Path returns the file of the index, where it lies in one.
func (c *Config) Path() string {
	name, hash := c.Name(), ""
	if i := strings.LastIndexByte(name, '_'); i >= 0 {
		name, hash = name[:i], name[i+1:]
	}
	return filepath.Join(c.Dir, name+"-"+hash+".db")
}

// open opens the store of the index.
func (c *Config) open(ctx context.Context) (index.Store, error) {
	if c.Store == "" {
		return sqlite.Open(c.Path())
	}
	o := c.Postgres
	o.Name, o.Words, o.Vectors = c.Name(), c.method() != retrieve.Vector, c.Embedder != nil
	return pgvector.Open(ctx, c.Store, o)
}

// Retriever is an open index. It is safe for use by many goroutines.
type Retriever struct {
	c     Config
	store index.Store
	turn  chan struct{} // held by who brings the index up to date

	filters sync.Mutex // of what follows
	changes int64      // the state of the index that keeps is of
	keeps   map[string]map[int64]bool
}

// Open opens the index of a retriever, and makes it or brings it up to date. A
// damaged file is replaced.
func Open(ctx context.Context, c Config) (*Retriever, error) {
	x, err := Attach(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := x.Refresh(ctx); err != nil {
		return nil, errors.Join(err, x.Close())
	}
	return x, nil
}

// Attach is Open for who says himself when the index is brought up to date.
func Attach(ctx context.Context, c Config) (*Retriever, error) {
	m := c.method()
	switch {
	case m != retrieve.BM25 && m != retrieve.Vector && m != retrieve.Hybrid:
		return nil, &retrieve.Error{Retriever: c.Address, Text: fmt.Sprintf("no method is called %q", m)}
	case m.NeedsEmbedder() && c.Embedder == nil:
		return nil, &retrieve.Error{Retriever: c.Address, Text: "method " + string(m) + " needs an embedder", Hint: `name one: embedder = "builtin/hash"`}
	case !m.NeedsEmbedder():
		c.Embedder = nil // no vectors are made that nobody compares
	}
	if c.Diversity > 0 && c.Embedder == nil {
		return nil, &retrieve.Error{Retriever: c.Address, Text: "diversity compares passages by their vectors, and nothing makes them", Hint: `name an embedder: embedder = "builtin/hash"`}
	}
	if c.K <= 0 {
		c.K = retrieve.DefaultK
	}
	x := &Retriever{c: c, turn: make(chan struct{}, 1)}
	var err error
	if x.store, err = c.open(ctx); err != nil {
		return nil, x.wrap(err)
	}
	return x, nil
}

// Rebuild deletes all that is in the index, vectors too, and makes it anew.
func (x *Retriever) Rebuild(ctx context.Context) error {
	if err := x.store.Clear(ctx); err != nil {
		return x.wrap(err)
	}
	return x.Refresh(ctx)
}

// Where returns what people call the place of the index: a file, or an address
// without what is secret in it.
func (x *Retriever) Where() string { return x.store.Name() }

// Count returns how many passages are in the index.
func (x *Retriever) Count(ctx context.Context) (int, error) {
	list, err := x.store.Stored(ctx)
	return len(list), x.wrap(err)
}

// Method returns the method that is used.
func (x *Retriever) Method() retrieve.Method { return x.c.method() }

// mended calls f, and once more on a new index when the old one was damaged.
func (x *Retriever) mended(ctx context.Context, f func() error) error {
	err := f()
	if !errors.Is(err, index.ErrReplaced) {
		return err
	}
	if err := x.sync(ctx); err != nil {
		return err
	}
	return f()
}

// Close closes the store. Searches must have ended.
func (x *Retriever) Close() error { return x.store.Close() }

// command is what makes the index: `dspi index FILE wiki`.
func (x *Retriever) command(flags string) string {
	file := x.c.File
	if file == "" {
		file = "FILE"
	}
	return "dspi index " + file + " " + strings.TrimPrefix(x.c.Address, "retriever.") + flags
}

// wrap makes an error one that a Retriever returns.
func (x *Retriever) wrap(err error) error {
	var f *corpus.Fault
	var d *index.DimensionError
	var p *pgvector.Error
	switch {
	case err == nil, retrieve.AsError(err) != nil, isModels(err), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.As(err, &f):
		return &retrieve.Error{Retriever: x.c.Address, Text: f.Text, Hint: f.Hint, Err: err}
	case errors.As(err, &p):
		return &retrieve.Error{Retriever: x.c.Address, Text: p.Text, Hint: p.Hint, Err: err}
	case errors.As(err, &d):
		return &retrieve.Error{
			Retriever: x.c.Address,
			Text:      fmt.Sprintf("the vectors of the index have %d numbers, those of %s now %d: the model behind this name has changed", d.Index, x.c.Embedder.Address(), d.Given),
			Hint:      "make the index anew: " + x.command(" --rebuild"),
			Err:       err,
		}
	}
	return &retrieve.Error{Retriever: x.c.Address, Text: err.Error(), Err: err}
}

func (x *Retriever) progress(doing retrieve.Doing, done, total int) {
	if x.c.Progress != nil {
		x.c.Progress(retrieve.Progress{Retriever: x.c.Address, Doing: doing, Done: done, Total: total})
	}
}
