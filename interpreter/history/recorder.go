package history

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/dspi-lang/dspi/interpreter/trace"
)

// A run must not wait for its history, and a history of ten thousand runs must not
// be ten thousand transactions. So the goroutines of the runs make records and put
// them into a channel, and one goroutine writes what is there as one batch, at
// most gather after the first of it came. Only when the channel is full do runs
// wait. A process that is killed loses what came since the last batch.

const (
	gather    = 20 * time.Millisecond // how long a batch waits for more
	batchSize = 512                   // records at which it waits no longer
	queued    = 4096                  // records that may wait for the writer
	pruning   = time.Hour             // how often old runs are looked for
)

// About is what the events of runs do not say.
type About struct {
	File    string  // of the program, for people; "" for a signature
	Version string  // of dspi
	Models  []Model // that it was planned with
	Keep    Keep    // how long runs are kept
	// Secrets are texts that are written nowhere: keys, the values of sensitive
	// variables.
	Secrets []string
	// Origin is how the runs were begun, so that they can be resumed; nil: they
	// cannot.
	Origin *Origin
	// Hidden are the names of inputs and outputs that hold a secret, by the address
	// of the program or step that they belong to.
	Hidden map[string][]string
}

// Recorder keeps the runs whose events it sees. It is safe for use by many
// goroutines.
type Recorder struct {
	store  Store
	about  About
	clean  func(string) string // nil: there are no secrets
	writer Writer

	gate    sync.RWMutex // held by who puts something into entries
	closed  bool
	entries chan any // *Run, again, *Step, *Call, or a chan error that is told when all before it is written
	done    chan struct{}

	mu   sync.Mutex
	runs map[string]*openRun
	err  error // the first failure of the store
}

// NewRecorder returns a Recorder that writes to store until Close. It deletes
// runs that are older than about.Keep. The store stays open after Close.
func NewRecorder(store Store, about About) *Recorder {
	host, _ := os.Hostname() // without a name any process may be alive
	r := &Recorder{
		store: store, about: about, clean: cleaner(about.Secrets),
		writer:  Writer{ID: newID(), Host: host, PID: os.Getpid()},
		entries: make(chan any, queued), done: make(chan struct{}), runs: map[string]*openRun{},
	}
	go r.write()
	return r
}

func newID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails, crypto/rand says
	return hex.EncodeToString(b[:])
}

// See takes an event of a run: it is a trace.Sink.
func (r *Recorder) See(e trace.Event) {
	if e.Kind == trace.Partial {
		return
	}
	r.mu.Lock()
	o := r.runs[e.Run]
	switch {
	case o == nil && e.Kind == trace.RunStart:
		o = newOpenRun(r)
		r.runs[e.Run] = o
	case e.Kind == trace.RunEnd:
		delete(r.runs, e.Run)
	}
	r.mu.Unlock()
	if o == nil {
		return
	}
	for _, record := range o.see(e) {
		r.put(record)
	}
}

// put gives a record to the writer.
func (r *Recorder) put(record any) {
	r.gate.RLock()
	defer r.gate.RUnlock()
	if !r.closed {
		r.entries <- record
	}
}

// Flush returns when all that was seen before is written, or the first failure of
// the store. After a failure nothing more is written.
func (r *Recorder) Flush(ctx context.Context) error {
	told := make(chan error, 1)
	r.gate.RLock()
	if r.closed {
		r.gate.RUnlock()
		return r.failure()
	}
	r.entries <- told
	r.gate.RUnlock()
	select {
	case err := <-told:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close writes what was seen and stops. Runs without an end show then that they
// did not end. It returns the first failure of the store.
func (r *Recorder) Close() error {
	r.gate.Lock()
	if !r.closed {
		r.closed = true
		close(r.entries)
	}
	r.gate.Unlock()
	<-r.done
	return r.failure()
}

func (r *Recorder) failure() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

func (r *Recorder) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
}

// write is the writing goroutine.
func (r *Recorder) write() {
	defer close(r.done)
	beat := time.NewTicker(Beat)
	defer beat.Stop()
	r.prune()
	for {
		select {
		case first, ok := <-r.entries:
			if !ok {
				r.farewell()
				return
			}
			r.writeFrom(first)
		case now := <-beat.C:
			r.mu.Lock()
			working := len(r.runs) > 0
			r.mu.Unlock()
			if working {
				r.writer.Seen = now
				w := r.writer
				r.keep(&Batch{Writer: &w})
			}
		}
	}
}

// writeFrom writes a batch that begins with a record.
func (r *Recorder) writeFrom(first any) {
	b := newBatch()
	var told []chan error
	add := func(x any) {
		if t, ok := x.(chan error); ok {
			told = append(told, t)
			return
		}
		b.add(x)
	}
	add(first)
	enough := time.NewTimer(gather)
	defer enough.Stop()
	for b.size() < batchSize {
		if told != nil { // somebody waits: only what is there already comes along
			select {
			case x, ok := <-r.entries:
				if ok {
					add(x)
					continue
				}
			default:
			}
			break
		}
		select {
		case x, ok := <-r.entries:
			if !ok {
				r.keep(r.signed(b))
				return
			}
			add(x)
			continue
		case <-enough.C:
		}
		break
	}
	r.keep(r.signed(b))
	for _, t := range told {
		t <- r.failure()
	}
}

// signed returns the batch with the writer's sign of life, where one is due.
func (r *Recorder) signed(b *batch) *Batch {
	out := b.batch()
	if now := time.Now(); out.Size() > 0 && now.Sub(r.writer.Seen) >= Beat {
		r.writer.Seen = now
		w := r.writer
		out.Writer = &w
	}
	return out
}

func (r *Recorder) keep(b *Batch) {
	if b.Size() == 0 && b.Writer == nil || r.failure() != nil {
		return
	}
	if err := r.store.Write(context.Background(), b); err != nil {
		r.fail(err)
	}
}

// farewell tells the store that nobody writes here any more.
func (r *Recorder) farewell() {
	if r.writer.Seen.IsZero() {
		return // it wrote nothing
	}
	w := r.writer
	w.Gone = true
	r.keep(&Batch{Writer: &w})
}

// prune deletes what is too old.
func (r *Recorder) prune() {
	if r.about.Keep <= 0 {
		return
	}
	now := time.Now()
	_, err := r.store.Prune(context.Background(), now.Add(-time.Duration(r.about.Keep)), now.Add(-pruning))
	if err != nil && !errors.Is(err, ErrClosed) {
		r.fail(err)
	}
}

// batch collects records. Of two that are of one run, step or call the later
// counts.
type batch struct {
	runs  map[string]*Run
	steps map[key]*Step
	calls map[key]*Call
	order []any // keys, in the order in which they came first
	again []string
}

// again is the id of a run that goes on.
type again string

// key names a step or a call.
type key struct {
	run    string
	number int
	call   bool
}

func newBatch() *batch {
	return &batch{runs: map[string]*Run{}, steps: map[key]*Step{}, calls: map[key]*Call{}}
}

func (b *batch) size() int { return len(b.order) + len(b.again) }

func (b *batch) add(record any) {
	switch x := record.(type) {
	case again:
		// What was to be written of it would be deleted.
		b.order = slices.DeleteFunc(b.order, func(at any) bool { k, ok := at.(key); return ok && k.run == string(x) })
		maps.DeleteFunc(b.steps, func(k key, _ *Step) bool { return k.run == string(x) })
		maps.DeleteFunc(b.calls, func(k key, _ *Call) bool { return k.run == string(x) })
		b.again = append(b.again, string(x))
	case *Run:
		if b.runs[x.ID] == nil {
			b.order = append(b.order, x.ID)
		}
		b.runs[x.ID] = x
	case *Step:
		k := key{x.Run, x.Number, false}
		if b.steps[k] == nil {
			b.order = append(b.order, k)
		}
		b.steps[k] = x
	case *Call:
		k := key{x.Run, x.Number, true}
		if b.calls[k] == nil {
			b.order = append(b.order, k)
		}
		b.calls[k] = x
	}
}

func (b *batch) batch() *Batch {
	out := &Batch{Again: b.again}
	for _, at := range b.order {
		switch at := at.(type) {
		case string:
			out.Runs = append(out.Runs, b.runs[at])
		case key:
			if at.call {
				out.Calls = append(out.Calls, b.calls[at])
			} else {
				out.Steps = append(out.Steps, b.steps[at])
			}
		}
	}
	return out
}
