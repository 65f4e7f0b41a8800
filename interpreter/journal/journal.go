// Package journal keeps what was answered in a run, so that a run that was cut off
// can be taken up again and pays nothing twice.
//
//	Journal  where entries are kept; Memory is one (memory.go), stdlib/stores has
//	         another in the file of dspi show
//	Entry    one answer: a model's reply, a tool's outputs, a person's yes or no
//	Key      which question it answers: the step, what was asked, the how-manieth
//	Run      the journal as one run uses it (run.go)
//	Guard    a Journal that keeps no secret and stops no run (guard.go)
//
// An entry is written before its answer is used. A process that dies in between
// loses an answer that nothing was made of.
//
// # The key
//
// A Key has no number that depends on the order in which parallel steps happened to
// run. Path is where the step stands, with elements and rounds: each_gist[3],
// improve#2/critique. Hash is over all that can change the answer, as the key of the
// cache is. Nth tells apart equal questions of one step: it is how many of them
// were answered before. So a program may be changed before its run is taken up
// again: a question that is still the same finds its answer.
package journal

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"

	"github.com/dspi-lang/dspi/interpreter/cache"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/lang/value"
)

// Kind says what an entry answers.
type Kind string

// The kinds of entries.
const (
	Model    Kind = "model"    // a request to a model
	Tool     Kind = "tool"     // a call of a tool
	Approval Kind = "approval" // whether a tool may be called
	Result   Kind = "result"   // the whole run, which is a row of a batch
)

// Key names a question of a run.
type Key struct {
	Path string   // where its step stands in the run
	Hash [32]byte // of what is asked, its kind included
	Nth  int      // how many equal questions of the step were answered before
}

// String returns a short name for people, the same in every leg of a run.
func (k Key) String() string {
	buf := append([]byte(k.Path), 0)
	buf = append(buf, k.Hash[:]...)
	buf = binary.AppendUvarint(buf, uint64(k.Nth))
	sum := sha256.Sum256(buf)
	return hex.EncodeToString(sum[:4])
}

// Entry is an answer.
type Entry struct {
	Run  string // the id of its run
	Key  Key
	Kind Kind
	Data []byte // JSON: see Reply, Outcome
}

// ErrClosed is the error of a journal that was closed.
var ErrClosed = errors.New("the journal is closed")

// Journal keeps entries. It is safe for use by many goroutines. Every
// implementation passes the suite in journaltest.
type Journal interface {
	// Find returns the first entry of a run with a key's path and hash and an Nth
	// that is not below the key's; nil where there is none.
	Find(ctx context.Context, run string, k Key) (*Entry, error)
	// Write keeps an entry. It returns when the entry survives the end of the
	// process, however that comes. An entry that is there already is replaced.
	Write(ctx context.Context, e *Entry) error
	// Forget deletes the entries of a run that need no longer be found.
	Forget(ctx context.Context, run string) error
	// Count returns how many replies of models are kept of a run.
	Count(ctx context.Context, run string) (int, error)
}

// Request returns the hash of a request to the model at an address. Neither the
// model's key nor the URL it is asked at are in it: a run may be taken up again when
// a server has moved.
func Request(address string, req *lm.Request) [32]byte {
	k := cache.Call{Model: address, Request: req}.Key()
	return hash(string(Model), string(k[:]))
}

// Call returns the hash of a call of a tool; kind is Tool or Approval.
func Call(kind Kind, tool string, args *value.Object) [32]byte {
	return hash(string(kind), tool, string(value.EncodeJSON(args)))
}

func hash(parts ...string) [32]byte {
	buf := []byte("dspi journal 1")
	for _, p := range parts {
		buf = binary.AppendUvarint(buf, uint64(len(p)))
		buf = append(buf, p...)
	}
	return sha256.Sum256(buf)
}
