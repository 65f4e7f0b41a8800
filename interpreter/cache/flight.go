package cache

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// Flights are the calls under way, by their keys. The zero Flights is ready.
type Flights struct {
	mu    sync.Mutex
	byKey map[Key]*flight
}

// flight is one request and those that wait for its reply. It is the context of
// the request, too: it lasts as long as anyone waits, and its deadline is the
// latest of theirs. Its values are those of the one that began it.
type flight struct {
	all *Flights
	key Key

	first context.Context // of the one that began it
	done  chan struct{}   // closed when the last one has left
	over  chan struct{}   // closed when resp or err is there

	mu      sync.Mutex
	waiters []*waiter       // those that still wait, the first come in front
	last    context.Context // of the last one that left; nil while anyone waits
	after   map[int]func()  // what to call then
	next    int             // the number of the next of them
	resp    *lm.Response
	err     error

	// What was written since the last restart, for those that come later.
	text, reasoning strings.Builder
}

// waiter is one that waits.
type waiter struct {
	flight  *flight
	ctx     context.Context
	onDelta func(lm.Delta) // nil: the pieces are not wanted
	got     bool           // it was given a piece
	pays    bool           // it gets the reply as the model gave it
}

// join adds a waiter to the flight of a key, and reports whether it is the first,
// which begins it.
func (fs *Flights) join(ctx context.Context, k Key, onDelta func(lm.Delta)) (w *waiter, first bool) {
	for {
		f, w := fs.flight(ctx, k, onDelta)
		if w != nil {
			return w, true
		}
		if w := f.join(ctx, onDelta); w != nil {
			return w, false
		}
		fs.forget(f)
	}
}

// flight returns the flight of a key; when there is none, a new one and its first
// waiter.
func (fs *Flights) flight(ctx context.Context, k Key, onDelta func(lm.Delta)) (*flight, *waiter) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if f, ok := fs.byKey[k]; ok {
		return f, nil
	}
	f := &flight{all: fs, key: k, first: ctx, done: make(chan struct{}), over: make(chan struct{}), after: map[int]func(){}}
	w := &waiter{flight: f, ctx: ctx, onDelta: onDelta}
	f.waiters = []*waiter{w}
	if fs.byKey == nil {
		fs.byKey = map[Key]*flight{}
	}
	fs.byKey[k] = f
	return f, w
}

// forget makes room for another flight of the same key.
func (fs *Flights) forget(f *flight) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if fs.byKey[f.key] == f {
		delete(fs.byKey, f.key)
	}
}

// join adds a waiter; nil when the flight is cancelled, or has landed.
func (f *flight) join(ctx context.Context, onDelta func(lm.Delta)) *waiter {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.last != nil || f.landed() {
		return nil
	}
	w := &waiter{flight: f, ctx: ctx, onDelta: onDelta}
	f.waiters = append(f.waiters, w)
	w.give(lm.Delta{Text: f.text.String(), Reasoning: f.reasoning.String()})
	return w
}

func (f *flight) landed() bool {
	select {
	case <-f.over:
		return true
	default:
		return false
	}
}

// give hands a piece to a waiter. The caller holds the flight's lock, so that a
// waiter that has left is given nothing.
func (w *waiter) give(d lm.Delta) {
	if w.onDelta == nil || d == (lm.Delta{}) {
		return
	}
	w.got = true
	w.onDelta(d)
}

// deliver hands a piece of the reply to all that wait for pieces.
func (f *flight) deliver(d lm.Delta) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if d.Restart {
		f.text.Reset()
		f.reasoning.Reset()
	}
	f.text.WriteString(d.Text)
	f.reasoning.WriteString(d.Reasoning)
	for _, w := range f.waiters {
		if d.Restart && !w.got {
			// What it does not know of does not begin again.
			w.give(lm.Delta{Text: d.Text, Reasoning: d.Reasoning})
			continue
		}
		w.give(d)
	}
}

// land gives the reply, or the failure, to all that wait.
func (f *flight) land(resp *lm.Response, err error) {
	f.all.forget(f)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.resp, f.err = resp, err
	for i, w := range f.waiters {
		w.pays = i == 0
		if err == nil && !w.got {
			w.give(lm.Delta{Text: resp.Text, Reasoning: resp.Reasoning})
		}
	}
	close(f.over)
}

// wait waits for the reply, and reports whether this waiter pays for it. When the
// waiter's context ends first, it leaves; the last to leave still gets what the
// request came to, which was cancelled.
func (w *waiter) wait(address string) (*lm.Response, error, bool) {
	f := w.flight
	select {
	case <-f.over:
	case <-w.ctx.Done():
		if !w.leave() {
			return nil, lm.ContextError(w.ctx, address), true
		}
		<-f.over
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.resp, f.err, w.pays
}

// leave takes the waiter out of its flight. It reports whether there is still
// something to wait for: the flight has landed, or the waiter was the last, in
// which case the flight is cancelled.
func (w *waiter) leave() bool {
	f := w.flight
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.landed() {
		return true
	}
	if len(f.waiters) > 1 {
		f.waiters = slices.DeleteFunc(f.waiters, func(x *waiter) bool { return x == w })
		return false
	}
	f.last = w.ctx
	close(f.done)
	for _, call := range f.after {
		go call()
	}
	f.after = nil
	return true
}

// restart says that what the waiter was given counts no more: it asks again.
func (w *waiter) restart() {
	if w.got {
		w.onDelta(lm.Delta{Restart: true})
	}
}

// Deadline is the latest of those that wait; none when one of them has none.
func (f *flight) Deadline() (latest time.Time, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, w := range f.waiters {
		d, has := w.ctx.Deadline()
		if !has {
			return time.Time{}, false
		}
		if d.After(latest) {
			latest = d
		}
	}
	return latest, true
}

// Done is closed when the last one has left.
func (f *flight) Done() <-chan struct{} { return f.done }

// Err says why the last one left.
func (f *flight) Err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.last == nil {
		return nil
	}
	return f.last.Err()
}

// Value returns a value of the context that began the flight. When all have left
// it is that of the last one, so that context.Cause finds why.
func (f *flight) Value(key any) any {
	f.mu.Lock()
	ctx := f.first
	if f.last != nil {
		ctx = f.last
	}
	f.mu.Unlock()
	return ctx.Value(key)
}

// AfterFunc calls what is to be called when the last one has left: with it a
// context that is made of this one needs no goroutine to wait for that.
func (f *flight) AfterFunc(call func()) (stop func() bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.last != nil {
		go call()
		return func() bool { return false }
	}
	n := f.next
	f.next++
	f.after[n] = call
	return func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		_, waits := f.after[n]
		delete(f.after, n)
		return waits
	}
}
