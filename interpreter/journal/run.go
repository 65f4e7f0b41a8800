package journal

import (
	"context"
	"sync"
)

// Run is the journal of one run under way. It knows which of several equal
// questions of a step is meant. The nil Run keeps nothing. It is safe for use by
// many goroutines.
type Run struct {
	journal Journal
	id      string
	resumed bool

	mu   sync.Mutex
	seen map[question]*equals
}

// question is a Key without its Nth.
type question struct {
	path string
	hash [32]byte
}

// equals are the equal questions of a step.
type equals struct {
	mu   sync.Mutex
	next int  // the Nth of the next answer
	new  bool // no answer is left in the journal: further ones are new
}

// Begin returns the journal of the run with an id. Resumed says that an earlier leg
// of the run may have left entries.
func Begin(j Journal, id string, resumed bool) *Run {
	if j == nil {
		return nil
	}
	return &Run{journal: j, id: id, resumed: resumed, seen: map[question]*equals{}}
}

func (r *Run) equals(path string, hash [32]byte) *equals {
	r.mu.Lock()
	defer r.mu.Unlock()
	q := question{path, hash}
	e := r.seen[q]
	if e == nil {
		e = &equals{new: !r.resumed}
		r.seen[q] = e
	}
	return e
}

// Find returns the answer to the next of a step's equal questions that an earlier
// leg had, nil where it had none. An answer is returned once.
func (r *Run) Find(ctx context.Context, path string, hash [32]byte) (*Entry, error) {
	if r == nil || !r.resumed {
		return nil, nil
	}
	e := r.equals(path, hash)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.new {
		return nil, nil
	}
	found, err := r.journal.Find(ctx, r.id, Key{path, hash, e.next})
	switch {
	case err != nil:
		return nil, err
	case found == nil:
		e.new = true
		return nil, nil
	}
	e.next = found.Key.Nth + 1
	return found, nil
}

// Write keeps a new answer to a step's question, and returns when it is safe.
func (r *Run) Write(ctx context.Context, path string, hash [32]byte, kind Kind, data []byte) error {
	if r == nil {
		return nil
	}
	return r.Answer(ctx, r.Ask(path, hash), kind, data)
}

// Ask returns the key of a question that is about to be asked: each time another
// one. Equal questions get the same keys in every leg of a run.
func (r *Run) Ask(path string, hash [32]byte) Key {
	if r == nil {
		return Key{Path: path, Hash: hash}
	}
	e := r.equals(path, hash)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.next++
	return Key{path, hash, e.next - 1}
}

// Answered returns the answer that an earlier leg had to exactly this question,
// nil for none.
func (r *Run) Answered(ctx context.Context, k Key) (*Entry, error) {
	if r == nil || !r.resumed {
		return nil, nil
	}
	found, err := r.journal.Find(ctx, r.id, k)
	if err != nil || found == nil || found.Key.Nth != k.Nth {
		return nil, err
	}
	return found, nil
}

// Answer keeps the answer to a question, and returns when it is safe. That ctx has
// ended does not matter: the answer is there, and was paid for.
func (r *Run) Answer(ctx context.Context, k Key, kind Kind, data []byte) error {
	if r == nil {
		return nil
	}
	return r.journal.Write(context.WithoutCancel(ctx), &Entry{Run: r.id, Key: k, Kind: kind, Data: data})
}
