package python

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"
)

// inflight is a request without a response yet.
type inflight struct {
	id      int64
	address string
	ctx     context.Context
	host    asked
	done    chan *message

	mu     sync.Mutex
	over   bool // nobody waits for it: it may ask nothing more
	asking int
	asks   sync.WaitGroup
	last   time.Time
	lines  int // bytes printed
}

// enter notes that the host works on a question of the call, unless nobody waits for
// the call any more.
func (c *inflight) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return false
	}
	c.asking++
	c.asks.Add(1)
	return true
}

// leave notes that a question is answered, and reports whether nobody waits for that.
func (c *inflight) leave() (over bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asking--
	c.last = time.Now()
	c.asks.Done()
	return c.over
}

// end lets no further question in and waits for those that are worked on.
func (c *inflight) end(cancel context.CancelFunc) {
	c.mu.Lock()
	c.over = true
	c.mu.Unlock()
	cancel()
	c.asks.Wait()
}

// idle returns for how long Python has had the call to itself.
func (c *inflight) idle() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asking > 0 {
		return 0
	}
	return time.Since(c.last)
}

func (w *worker) find(id int64) *inflight {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls[id]
}

func (w *worker) take(id int64) *inflight {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.calls[id]
	if c != nil {
		delete(w.calls, id)
		if len(w.past) == maxPast {
			w.past = append(w.past[:0], w.past[1:]...)
		}
		w.past = append(w.past, c)
	}
	return c
}

// maxPast is how many calls that came back are remembered.
const maxPast = 64

// printer returns the call of a number, also one that has come back.
func (w *worker) printer(id int64) *inflight {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c := w.calls[id]; c != nil {
		return c
	}
	for _, c := range w.past {
		if c.id == id {
			return c
		}
	}
	return nil
}

// call sends a request and waits for its response. Limit is the longest that Python
// may have it to itself; 0: no limit. The error is a *RemoteError, a *DiedError, a
// *StuckError, or that of ctx.
func (w *worker) call(ctx context.Context, command, address string, args any, host asked, limit time.Duration) (json.RawMessage, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	data, err := json.Marshal(args)
	if err != nil {
		return nil, err
	}
	outer := ctx
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx)) // the worker is told first
	c := &inflight{address: address, ctx: ctx, host: host, done: make(chan *message, 1), last: time.Now()}
	var why error
	defer func() { c.end(func() { cancel(why) }) }()
	select {
	case <-w.dead:
		return nil, w.unsent()
	default:
	}
	w.mu.Lock()
	w.next++
	c.id = w.next
	w.calls[c.id] = c
	w.mu.Unlock()
	if err := w.wire.write(&message{Type: "request", ID: c.id, Command: command, Args: data}); err != nil {
		w.take(c.id)
		if errors.Is(err, errTooLarge) {
			return nil, &RemoteError{Kind: "too_large", Message: err.Error()}
		}
		w.kill()
		<-w.dead
		return nil, w.unsent()
	}
	var late <-chan time.Time
	var timer *time.Timer
	if limit > 0 {
		timer = time.NewTimer(limit)
		defer timer.Stop()
		late = timer.C
	}
	for {
		select {
		case m := <-c.done:
			return m.Result, fault(m)
		case <-w.dead:
			result, err := w.last(c)
			if errors.Is(err, w.how) {
				why = w.how
			}
			return result, err
		case <-outer.Done():
			w.cancel(c)
			return nil, outer.Err()
		case <-late:
			if left := limit - c.idle(); left > 0 {
				timer.Reset(left)
				continue
			}
			w.cancel(c)
			return nil, &StuckError{limit}
		}
	}
}

func fault(m *message) error {
	if m.Error == nil {
		return nil
	}
	return m.Error
}

// last is the response that came before the worker ended, or that it ended.
func (w *worker) last(c *inflight) (json.RawMessage, error) {
	select {
	case m := <-c.done:
		return m.Result, fault(m)
	default:
		return nil, w.how
	}
}

// unsent is the end of the worker for a call that it has not got.
func (w *worker) unsent() error {
	e := *w.how
	e.Unsent = true
	return &e
}

// cancel tells the worker that nobody waits for a call. One that does not come back
// from it within the grace gets no further calls.
func (w *worker) cancel(c *inflight) {
	_ = w.wire.write(&message{Type: "cancel", ID: c.id})
	if w.linger != nil {
		w.linger(c)
	}
}
