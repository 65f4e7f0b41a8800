package python

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
)

// An optimizer whose worker ends is started anew in another one. It goes the same way
// over the same answers: a question that was asked before is answered from memory, and
// one that was still worked on is waited for. So no run and no reply is paid twice, and
// what is reported again is not told again.

// remembered is what one Optimize was asked, answered and told so far.
type remembered struct {
	mu       sync.Mutex
	answers  map[question][]*answer // to equal questions, in their order
	asked    map[question]int       // how many equal questions this worker has asked
	reported map[string]int         // how often this worker has reported the same
	before   map[string]int         // and the ones before it, at most
}

// question identifies what is asked.
type question [sha256.Size]byte

// again begins with another worker.
func (r *remembered) again() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.before == nil {
		r.before = map[string]int{}
	}
	for said, n := range r.reported {
		r.before[said] = max(r.before[said], n)
	}
	r.asked, r.reported = nil, nil
}

// recall answers a question as it was answered before, else with find.
func (r *remembered) recall(ctx context.Context, command string, args json.RawMessage, find func() (json.RawMessage, error)) (json.RawMessage, error) {
	key := question(sha256.Sum256(append([]byte(command+" "), args...)))
	r.mu.Lock()
	if r.answers == nil {
		r.answers = map[question][]*answer{}
	}
	if r.asked == nil {
		r.asked = map[question]int{}
	}
	nth := r.asked[key]
	r.asked[key]++
	if known := r.answers[key]; nth < len(known) {
		a := known[nth]
		r.mu.Unlock()
		select {
		case <-a.done:
			return a.result, a.err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	a := &answer{done: make(chan struct{})}
	r.answers[key] = append(r.answers[key], a)
	r.mu.Unlock()
	a.result, a.err = find()
	close(a.done)
	return a.result, a.err
}

// news reports whether something is said for the first time: not by a worker that goes
// over what another one had said.
func (r *remembered) news(said string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.reported == nil {
		r.reported = map[string]int{}
	}
	r.reported[said]++
	return r.reported[said] > r.before[said]
}

// outlive returns a context for what is asked by a call of a worker. It ends with the
// call, but not when the worker dies: what is paid for already is answered, for the
// worker that comes after it. It ends with outer, which is that of the optimization.
func outlive(outer, call context.Context) (ctx context.Context, cancel context.CancelFunc) {
	ctx, end := context.WithCancel(outer)
	stop := context.AfterFunc(call, func() {
		var died *DiedError
		if !errors.As(context.Cause(call), &died) {
			end()
		}
	})
	return ctx, func() { stop(); end() }
}

// optimize has the command done by a worker, and by another one where that dies. The
// pool waits before it starts it.
func (p *Pool) optimize(ctx context.Context, args *optimizeArgs, h *optimizeHost) (json.RawMessage, error) {
	limit := h.req.Timeout
	if limit <= 0 {
		limit = p.opt.Timeout
	}
	for unsent := 0; ; {
		w, err := p.acquire(ctx, h.req.Folder)
		if err != nil {
			return nil, err
		}
		result, err := w.call(ctx, "optimize_program", h.req.Address, args, h, limit)
		p.release(w)
		var died *DiedError
		switch {
		case ctx.Err() != nil || !errors.As(err, &died):
		case died.Unsent && unsent < 3:
			unsent++
			continue
		case !died.Unsent && h.died == nil:
			h.died = died
			h.memory.again()
			h.report(OptimizeProgress{Message: fmt.Sprintf("Python ended (%s): the optimizer starts anew and goes over what was answered", died.How)})
			continue
		}
		return result, err
	}
}
