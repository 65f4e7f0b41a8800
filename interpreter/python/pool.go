package python

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"
)

// Options are what a Pool is made of. What is zero takes its default.
type Options struct {
	Search Search // where the Python is looked for
	// Env is the environment of the workers; nil: that of the process. Keys of
	// providers need not be in it: models are asked by dspi.
	Env []string
	// Min and Max are how many workers there are, once the first is needed, and at
	// most: 1 and 2.
	Min, Max int
	// Timeout is the longest that Python may have a call to itself, without asking
	// for anything: 5 minutes. StartTimeout is that of importing DSPy: 2 minutes.
	Timeout, StartTimeout time.Duration
	// Heartbeat is how often a worker is asked for a sign of life: every 10 s. One
	// that gives none three times in a row is replaced.
	Heartbeat time.Duration
	// MaxMemory is how many bytes a worker may hold before it is replaced by a fresh
	// one: 2 GiB.
	MaxMemory int64
	// Restarts is how often a worker that died may be replaced within Window: 3 in
	// a minute.
	Restarts int
	Window   time.Duration
	// Grace is how long calls may take that nobody waits for any more: 5 s.
	Grace time.Duration
	// Idle is how long a worker beyond Min is kept without a call: 5 minutes.
	Idle time.Duration
	// MaxFrame is the largest message, in bytes: 64 MiB.
	MaxFrame int
	// Log takes what Python prints; nil drops it. It is called by many goroutines.
	Log func(Line)
	// Socket speaks with workers over a socket of this machine in place of pipes, as
	// on Windows.
	Socket bool
}

func (o Options) withDefaults() Options {
	set := func(d *time.Duration, otherwise time.Duration) {
		if *d <= 0 {
			*d = otherwise
		}
	}
	if o.Env == nil {
		o.Env = os.Environ()
	}
	if o.Max <= 0 {
		o.Max = 2
	}
	o.Min = min(max(o.Min, 1), o.Max)
	set(&o.Timeout, 5*time.Minute)
	set(&o.StartTimeout, 2*time.Minute)
	set(&o.Heartbeat, 10*time.Second)
	set(&o.Window, time.Minute)
	set(&o.Grace, 5*time.Second)
	set(&o.Idle, 5*time.Minute)
	if o.MaxMemory <= 0 {
		o.MaxMemory = 2 << 30
	}
	if o.Restarts <= 0 {
		o.Restarts = 3
	}
	if o.MaxFrame <= 0 {
		o.MaxFrame = maxFrame
	}
	return o
}

// spread is how many calls a worker has before another one is started.
const spread = 4

// perWorker is how many calls a worker has at most; others wait, but for those that
// another call waits for.
const perWorker = 64

// Pool is a number of workers. The first is started when it is needed. It is safe for
// use by many goroutines.
type Pool struct {
	opt  Options
	stop context.Context // ends when the pool is closed
	end  context.CancelFunc

	mu       sync.Mutex
	changed  chan struct{} // closed and made anew when a worker has come or is free
	workers  []*worker
	starting []*starting
	deaths   []time.Time // of workers that nobody ended
	refused  *refused    // why none starts
	closed   bool
	wg       sync.WaitGroup
}

// starting is a worker that is being started.
type starting struct {
	folder string
	done   chan struct{}
	err    error
}

// refused is why a start failed that will fail again.
type refused struct {
	err   error
	until time.Time
}

// ExhaustedError says that workers died too often to be replaced once more.
type ExhaustedError struct {
	Restarts int
	Window   time.Duration
}

// Error says how often.
func (e *ExhaustedError) Error() string {
	return fmt.Sprintf("Python workers died %d times within %s", e.Restarts+1, e.Window)
}

// errClosed is the error of a pool that is closed.
var errClosed = errors.New("the Python workers are closed")

// NewPool returns a pool without workers.
func NewPool(o Options) *Pool {
	p := &Pool{opt: o.withDefaults(), changed: make(chan struct{})}
	p.stop, p.end = context.WithCancel(context.Background())
	return p
}

// Close ends the workers, those with calls after the grace.
func (p *Pool) Close() error {
	p.mu.Lock()
	p.closed = true
	workers := slices.Clone(p.workers)
	p.notify()
	p.mu.Unlock()
	p.end()
	var ending sync.WaitGroup
	for _, w := range workers {
		ending.Go(func() {
			p.expect(w)
			w.stop(p.opt.Grace)
		})
	}
	ending.Wait()
	p.wg.Wait()
	return nil
}

// expect notes that the end of a worker will be no fault.
func (p *Pool) expect(w *worker) {
	p.mu.Lock()
	w.expected, w.retired = true, true
	p.mu.Unlock()
}

// notify wakes all who wait; the pool is locked.
func (p *Pool) notify() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// background runs f in a goroutine that Close waits for; not in a closed pool.
func (p *Pool) background(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.wg.Go(f)
	}
}

type nestedKey struct{}

// nested marks the context of what a call of Python waits for: it never waits for
// room.
func nested(ctx context.Context) context.Context { return context.WithValue(ctx, nestedKey{}, true) }

// acquire returns the worker for a call of code in a folder; any for "". It must be
// released.
func (p *Pool) acquire(ctx context.Context, folder string) (*worker, error) {
	within := ctx.Value(nestedKey{}) != nil
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			return nil, errClosed
		}
		w, s, err := p.choose(folder, within)
		wait := p.changed
		p.mu.Unlock()
		if w != nil || err != nil {
			return w, err
		}
		if s != nil {
			select {
			case <-s.done:
				if s.err != nil {
					return nil, s.err
				}
			case <-ctx.Done():
			}
			continue
		}
		select {
		case <-wait:
		case <-ctx.Done():
		}
	}
}

// choose returns a worker, a start to wait for, an error, or nothing: then something
// must change first. The pool is locked.
func (p *Pool) choose(folder string, within bool) (*worker, *starting, error) {
	for _, w := range slices.Clone(p.workers) {
		if w.gone() { // whoever waits for it may be told before watch is
			p.bury(w)
		}
	}
	var best, other *worker
	live := len(p.starting)
	for _, w := range p.workers {
		if w.retired {
			continue
		}
		live++
		switch {
		case folder == "" || w.folder == folder:
			if best == nil || w.load < best.load {
				best = w
			}
		case w.load == 0 && (other == nil || w.used.Before(other.used)):
			other = w
		}
	}
	var coming *starting
	for _, s := range p.starting {
		if folder == "" || s.folder == folder {
			coming = s
		}
	}
	if (best == nil || best.load >= spread) && coming == nil || live < p.opt.Min {
		if live >= p.opt.Max && best == nil && other != nil {
			p.retire(other)
			live--
		}
		if live < p.opt.Max || within && best == nil { // what a busy one waits for waits for nobody
			s, err := p.start(folder)
			if best == nil {
				return nil, s, err
			}
		}
	}
	if best != nil && (best.load < perWorker || within) {
		best.load++
		return best, nil, nil
	}
	if best == nil {
		return nil, coming, nil
	}
	return nil, nil, nil
}

// start begins to start a worker; the pool is locked.
func (p *Pool) start(folder string) (*starting, error) {
	now := time.Now()
	if p.refused != nil && now.Before(p.refused.until) {
		return nil, p.refused.err
	}
	p.deaths = slices.DeleteFunc(p.deaths, func(t time.Time) bool { return now.Sub(t) > p.opt.Window })
	if len(p.deaths) > p.opt.Restarts {
		return nil, &ExhaustedError{p.opt.Restarts, p.opt.Window}
	}
	var wait time.Duration
	if n := len(p.deaths); n > 0 {
		wait = min(100*time.Millisecond<<min(n-1, 6), 5*time.Second)
	}
	s := &starting{folder: folder, done: make(chan struct{})}
	p.starting = append(p.starting, s)
	p.wg.Go(func() {
		var w *worker
		err := p.pause(wait)
		if err == nil {
			w, err = p.launch(folder)
		}
		p.mu.Lock()
		p.starting = slices.DeleteFunc(p.starting, func(x *starting) bool { return x == s })
		if err == nil && p.closed {
			w.expected = true
			p.wg.Go(func() { w.stop(0) })
			err = errClosed
		}
		if s.err = err; err == nil {
			p.workers = append(p.workers, w)
			p.wg.Go(func() { p.watch(w) })
		} else if lasting(err) {
			p.refused = &refused{err, time.Now().Add(10 * time.Second)}
		}
		p.notify()
		p.mu.Unlock()
		close(s.done)
	})
	return s, nil
}

// lasting reports whether a start would fail again.
func lasting(err error) bool {
	var remote *RemoteError
	return errors.As(err, &remote)
}

func (p *Pool) pause(d time.Duration) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-p.stop.Done():
		return errClosed
	}
}

func (p *Pool) launch(folder string) (*worker, error) {
	python, err := Find(p.opt.Search)
	if err != nil {
		return nil, err
	}
	w, err := startWorker(p.stop, &p.opt, python, folder)
	if err != nil {
		return nil, err
	}
	w.linger = func(c *inflight) { p.background(func() { p.await(w, c) }) }
	return w, nil
}

// await waits for a call to come back that nobody waits for. A worker that does not
// let go of it gets no further calls, and ends when the others are done.
func (p *Pool) await(w *worker, c *inflight) {
	t := time.NewTimer(p.opt.Grace)
	defer t.Stop()
	select {
	case <-c.done:
		return
	case <-w.dead:
		return
	case <-t.C:
	case <-p.stop.Done():
		return
	}
	w.take(c.id)
	p.mu.Lock()
	p.retire(w)
	p.mu.Unlock()
}

// retire gives a worker no further calls and ends it when it has none; the pool is
// locked.
func (p *Pool) retire(w *worker) {
	if w.retired {
		return
	}
	w.retired, w.expected = true, true
	p.notify()
	if w.load == 0 {
		p.finish(w)
	} else if !p.closed {
		p.wg.Go(func() { // not for ever: one of them may hang
			t := time.NewTimer(max(p.opt.Grace, p.opt.Timeout))
			defer t.Stop()
			select {
			case <-t.C:
				w.kill()
			case <-w.dead:
			case <-p.stop.Done():
			}
		})
	}
}

// finish ends a worker without calls; the pool is locked.
func (p *Pool) finish(w *worker) {
	if !p.closed {
		p.wg.Go(func() { w.stop(0) })
	}
}

// release gives a worker back.
func (p *Pool) release(w *worker) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w.load--
	w.used = time.Now()
	if w.load == perWorker-1 || w.load == 0 {
		p.notify()
	}
	if w.retired && w.load == 0 {
		p.finish(w)
	}
}

// watch looks after a worker until it has ended.
func (p *Pool) watch(w *worker) {
	beat := time.NewTicker(p.opt.Heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-w.dead:
			p.died(w)
			<-w.stopped
			return
		case <-beat.C:
			p.beat(w)
		}
	}
}

// beat asks a worker for a sign of life and looks at its memory.
func (p *Pool) beat(w *worker) {
	err := w.ping(p.stop, 5*time.Second)
	switch {
	case err == nil:
		w.missed = 0
	case p.stop.Err() != nil:
		return
	default:
		if w.missed++; w.missed >= 3 {
			w.kill()
		}
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	live := 0
	for _, x := range p.workers {
		if !x.retired {
			live++
		}
	}
	switch {
	case w.rss.Load() > p.opt.MaxMemory:
		p.retire(w)
	case w.load == 0 && live > p.opt.Min && time.Since(w.used) > p.opt.Idle:
		p.retire(w)
	}
}

// died forgets a worker that has ended.
func (p *Pool) died(w *worker) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bury(w)
}

// bury forgets a worker that has ended, once; the pool is locked.
func (p *Pool) bury(w *worker) {
	before := len(p.workers)
	p.workers = slices.DeleteFunc(p.workers, func(x *worker) bool { return x == w })
	if len(p.workers) == before {
		return
	}
	if !w.expected {
		p.deaths = append(p.deaths, time.Now())
	}
	w.retired = true
	p.notify()
}

// run makes a program on a worker, if it is not there, and calls it.
func (p *Pool) run(ctx context.Context, folder, address string, made *spec, args executeArgs, host asked) (json.RawMessage, error) {
	w, err := p.acquire(ctx, folder)
	if err != nil {
		return nil, err
	}
	defer p.release(w)
	if err := w.program(ctx, made.id, made.text, host, address); err != nil {
		return nil, err
	}
	limit := p.opt.Timeout
	if args.limit > 0 {
		limit = args.limit
	}
	return w.call(ctx, "execute_program", address, args, host, limit)
}
