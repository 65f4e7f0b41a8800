// Package retrieve is how passages are found.
//
//	Retriever  finds the passages for a query
//	Passage    a piece of a document, with its score
//	Method     how passages are compared with a query: words, vectors or both
//	Filter     which passages are searched; a Filterer takes one
//	Embedder   makes vectors of texts; Through makes one of an lm.LM (embed.go)
//	Fuse       one ranking made of several, by reciprocal ranks (fuse.go)
//	Memory     a Retriever over passages in the process (memory.go)
//	Words      a text as the words that are compared (words.go)
//	Progress   how far the making of an index is
//	Error      why passages cannot be searched
//
// Retrievers over files are in stdlib/retrievers. Every retriever passes the suite
// in retrievetest.
package retrieve

import (
	"context"
	"errors"

	"github.com/dspi-lang/dspi/lang/value"
)

// DefaultK is how many passages a retriever gives when nobody says.
const DefaultK = 5

// Candidates is how many passages are searched for k that are wanted of them when a
// program orders them anew: so many as declared, 0 for four times k and at least 20,
// and never fewer than k.
func Candidates(declared, k int) int {
	if declared == 0 {
		declared = max(20, 4*k)
	}
	return max(declared, k)
}

// Passage is a piece of a document.
type Passage struct {
	ID    string
	Title string // "" for none
	Text  string
	Score float64 // higher is better; what it measures depends on the method
	// Meta is what else the corpus says of it; may be nil.
	Meta *value.Object
}

// Whole returns the passage as models read it and as it is searched: its title,
// where it has one, and its text.
func (p Passage) Whole() string {
	if p.Title == "" {
		return p.Text
	}
	return p.Title + " | " + p.Text
}

// Retriever finds passages. It is safe for use by many goroutines.
type Retriever interface {
	// Retrieve returns at most k passages for a query, best first; those of equal
	// score are in the order of the corpus. A k of 0 is the retriever's own number,
	// DefaultK where it has none. A query without a word finds nothing, which is no
	// error. Errors are an *Error, an *lm.Error of the embedder, or that of ctx.
	Retrieve(ctx context.Context, query string, k int) ([]Passage, error)
}

// Filter says which passages are searched.
type Filter struct {
	// Key tells filters apart: two with one key keep the same passages.
	Key string
	// Keep reports whether a passage is searched. It is given no Text and no Score.
	Keep func(context.Context, Passage) (bool, error)
}

// Facts returns what a condition may read of a passage: its id, its title and what
// else the corpus says of it.
func Facts(p Passage) *value.Object {
	o := value.NewObject("id", p.ID, "title", p.Title)
	for name, v := range p.Meta.All() {
		o.Set(name, v)
	}
	return o
}

// Filterer is a Retriever that can search a part of its passages.
type Filterer interface {
	Retriever
	// RetrieveWhere is Retrieve among the passages that a filter keeps.
	RetrieveWhere(ctx context.Context, query string, k int, where Filter) ([]Passage, error)
}

// Search searches among the passages that a filter keeps; one without Keep keeps all.
// A retriever that is no Filterer is an error, unless nothing is left out.
func Search(ctx context.Context, r Retriever, query string, k int, where Filter) ([]Passage, error) {
	if where.Keep == nil {
		return r.Retrieve(ctx, query, k)
	}
	f, ok := r.(Filterer)
	if !ok {
		return nil, &Error{Text: "this retriever cannot search a part of its passages, which `where` asks for"}
	}
	return f.RetrieveWhere(ctx, query, k, where)
}

type runnerKey struct{}

// RunFunc runs a program, a *plan.Plan, as a part of the run under way.
type RunFunc func(ctx context.Context, program any, inputs *value.Object) (*value.Object, error)

// WithRunner returns a context in which programs that retrievers run are a part of a
// run: of its trace, its usage and its budget.
func WithRunner(ctx context.Context, run RunFunc) context.Context {
	return context.WithValue(ctx, runnerKey{}, run)
}

// Runner returns what WithRunner has put into a context, or nil.
func Runner(ctx context.Context) RunFunc {
	run, _ := ctx.Value(runnerKey{}).(RunFunc)
	return run
}

// Method is how passages are compared with a query.
type Method string

// The methods.
const (
	// BM25 compares words: Robertson's score with k1 = 1.2 and b = 0.75, the words
	// of the query joined by OR.
	BM25 Method = "bm25"
	// Vector compares the vectors of an embedder by their cosine, with all passages.
	Vector Method = "vector"
	// Hybrid fuses the rankings of both.
	Hybrid Method = "hybrid"
)

// NeedsEmbedder reports whether a method compares vectors.
func (m Method) NeedsEmbedder() bool { return m == Vector || m == Hybrid }

// Progress is how far the making of an index is.
type Progress struct {
	Retriever string // its address: retriever.wiki
	Doing     Doing
	Done      int // passages
	Total     int // 0 while it is not known
}

// Doing is a part of the making of an index.
type Doing string

// The parts of the making of an index.
const (
	Waiting   Doing = "waiting"   // another process makes the index
	Reading   Doing = "reading"   // the corpus is read and compared with the index
	Embedding Doing = "embedding" // vectors are made of passages
	Indexing  Doing = "indexing"  // passages are written
	Ready     Doing = "ready"     // it is over; Done is how many passages changed, of Total
)

// Error is why passages cannot be searched.
type Error struct {
	Retriever string // its address; "" where it is not known
	Text      string // for people: it names the file and the line
	Hint      string // the way out; "" where there is none but the text itself
	Err       error  // may be nil
}

// Error returns the text.
func (e *Error) Error() string {
	if e.Retriever == "" {
		return e.Text
	}
	return e.Retriever + ": " + e.Text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// AsError returns the *Error in err's chain, or nil.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}
