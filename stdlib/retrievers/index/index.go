// Package index is what an index of passages is, wherever it is kept.
//
//	Store    where an index is kept: package sqlite, package pgvector
//	View     an index as it is at one moment, for a search
//	State    what an index says of itself: how often it was written, of which files
//	Change   how an index becomes that of a changed corpus; Edit which passages stay
//	Entry    a passage as it is written
//	Hash     tells texts apart
//
// Package retrievers makes changes of corpora and asks views; it knows no store.
package index

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/lang/value"
)

// Version is that of what is in an index. It is part of the name of each, so that a
// change needs no way from the old one.
const Version = 4

// Errors of a Store that are no failures: its caller begins again.
var (
	// ErrOther: another process has written the index since its State was read.
	ErrOther = errors.New("another process has written the index")
	// ErrReplaced: the index was damaged, and is a new and empty one now.
	ErrReplaced = errors.New("the index is damaged")
)

// Hash tells texts apart.
type Hash [16]byte

// HashOf returns the hash of parts; where one ends and the next begins counts.
func HashOf(parts ...string) Hash {
	h := sha256.New()
	var n [8]byte
	for _, p := range parts {
		binary.LittleEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write([]byte(p))
	}
	return Hash(h.Sum(nil)[:16])
}

// Meta writes what else is said of a passage, as JSON; "" for nothing.
func Meta(p retrieve.Passage) string {
	if p.Meta.Len() == 0 {
		return ""
	}
	return string(value.EncodeJSON(p.Meta))
}

// ReadMeta reads what Meta has written.
func ReadMeta(text string) (*value.Object, error) {
	if text == "" {
		return nil, nil
	}
	v, err := value.DecodeJSON([]byte(text))
	o, _ := v.(*value.Object)
	return o, err
}

// PassageHash returns the hash of all that an index keeps of a passage.
func PassageHash(p retrieve.Passage, meta string) Hash { return HashOf(p.ID, p.Title, p.Text, meta) }

// File is a file of the corpus as an index knows it.
type File struct {
	Name     string
	Size     int64
	Modified int64 // nanoseconds; 0: too near to be trusted
	Hash     Hash
}

// State is what an index says of itself.
type State struct {
	Changes int64           // how often it was written
	Done    bool            // it is that of its files
	Files   map[string]File // by name
}

// Entry is a passage as it is written.
type Entry struct {
	Key int64 // in the order of the corpus
	retrieve.Passage
	Meta  string // JSON
	Hash  Hash   // of all of these
	Whole Hash   // of what is searched: the vector is that of this text
}

// Change is how an index becomes that of a changed corpus.
type Change struct {
	From    State
	Files   []File
	Edit    Edit
	Vectors bool // each passage has a vector
	// Each gives the passages that are written, in the order of their keys.
	Each func(give func(Entry) error) error
}

// Store keeps an index. It is safe for use by many goroutines and many processes.
// All its errors name it, without what is secret in its address.
type Store interface {
	// Name is what people call it: the path of a file, an address without secrets.
	Name() string
	// Lock waits until no other process changes the index, where that is of use.
	// Waiting is called once if it must wait.
	Lock(ctx context.Context, waiting func()) (unlock func(), err error)
	// State reads the state.
	State(ctx context.Context) (State, error)
	// Stored returns which passages are in the index, in the order of their keys.
	Stored(ctx context.Context) ([]Stored, error)
	// Embedded returns the texts that have a vector, and how many numbers one has; 0
	// where there is none.
	Embedded(ctx context.Context) (have map[Hash]bool, dim int, err error)
	// Keep keeps vectors of texts, so that an interruption does not lose them. They
	// are of the dimension that Embedded told.
	Keep(ctx context.Context, texts []Hash, vectors [][]float32) error
	// Stamp notes files whose times are others and that hold what they did.
	Stamp(ctx context.Context, from State, files []File) error
	// Write writes a change as a whole or not at all. It is ErrOther where the state
	// is another than it was, and where vectors are missing.
	Write(ctx context.Context, c Change) error
	// View calls f with the index as it is at one moment. Single says that f asks for
	// one ranking and its passages, and for nothing else.
	View(ctx context.Context, single bool, f func(View) error) error
	// Clear makes it an empty index.
	Clear(ctx context.Context) error
	// Close closes it. Searches must have ended.
	Close() error
}

// View is an index as it is at one moment.
type View interface {
	// Changes tells states of the index apart.
	Changes(ctx context.Context) (int64, error)
	// Words ranks by BM25. Only, if not nil, holds the keys that may be found.
	Words(ctx context.Context, words []string, k int, only map[int64]bool) ([]retrieve.Ranked, error)
	// Near ranks by the nearness of vectors.
	Near(ctx context.Context, vector []float32, k int, only map[int64]bool) ([]retrieve.Ranked, error)
	// Vectors returns the vectors of passages, in the order of the keys.
	Vectors(ctx context.Context, keys []int64) ([][]float32, error)
	// Passages returns the passages of a ranking, with their scores.
	Passages(ctx context.Context, found []retrieve.Ranked) ([]retrieve.Passage, error)
	// Each gives the key, id, title and meta of every passage, and no text.
	Each(ctx context.Context, give func(key int64, p retrieve.Passage) error) error
}

// DimensionError says that a vector does not fit those of the index.
type DimensionError struct {
	Index, Given int // how many numbers they have
}

// Error tells both.
func (e *DimensionError) Error() string {
	return fmt.Sprintf("the vectors of the index have %d numbers, this one %d", e.Index, e.Given)
}

// AppendVector appends a vector as float32, little-endian.
func AppendVector(to []byte, v []float32) []byte {
	for _, f := range v {
		to = binary.LittleEndian.AppendUint32(to, math.Float32bits(f))
	}
	return to
}

// ReadVector appends a vector that AppendVector has written.
func ReadVector(to []float32, b []byte) ([]float32, error) {
	if len(b)%4 != 0 {
		return nil, fmt.Errorf("a vector of the index has %d bytes", len(b))
	}
	for ; len(b) > 0; b = b[4:] {
		to = append(to, math.Float32frombits(binary.LittleEndian.Uint32(b)))
	}
	return to, nil
}
