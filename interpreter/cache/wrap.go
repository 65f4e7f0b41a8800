package cache

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// Options say what Wrap keeps, and for how long.
type Options struct {
	// Endpoint is the URL at which the model is asked, "" for its provider's own.
	// Credentials in it do not count.
	Endpoint string
	// Adapter is the version of what writes prompts and reads replies. Another one
	// makes every call a new one.
	Adapter string
	// TTL is how long a reply is kept; 0: as long as there is room.
	TTL time.Duration
	// Flights are the calls under way. Models that share one share equal calls; nil
	// gives the model its own.
	Flights *Flights
	// Failed is told when the cache fails: the call goes on as if there were none.
	// It must not block, and is called by many goroutines; nil drops it.
	Failed func(error)
}

// Wrap returns an LM that asks c before m, and keeps m's whole replies in it. A
// reply from c is Cached, costs nothing, and keeps its Usage for information; who
// asked for pieces gets it in one. Calls that are equal and under way at the same
// time share one request: the first of them that still waits gets the reply as m
// gave it, the others as a Cached one, so that it is counted once.
//
// A call whose context ends leaves the request to the others that wait; the
// request is cancelled when the last one leaves.
func Wrap(m lm.LM, c Cache, o Options) lm.LM {
	if o.Flights == nil {
		o.Flights = &Flights{}
	}
	if o.Failed == nil {
		o.Failed = func(error) {}
	}
	return &caching{LM: m, cache: c, options: o}
}

type caching struct {
	lm.LM
	cache   Cache
	options Options
}

func (c *caching) Generate(ctx context.Context, req *lm.Request) (*lm.Response, error) {
	if e := lm.ContextError(ctx, c.Address()); e != nil {
		return nil, e
	}
	k := Call{Model: c.Address(), Endpoint: c.options.Endpoint, Adapter: c.options.Adapter, Request: req}.Key()
	for {
		w, first := c.options.Flights.join(ctx, k, req.OnDelta)
		if first {
			c.lead(w, k, req)
		}
		resp, err, pays := w.wait(c.Address())
		if err == nil {
			return answer(resp, pays), nil
		}
		e := lm.AsError(err)
		switch {
		case pays || e == nil:
			return nil, err
		case e.Kind == lm.KindBudget || e.Kind == lm.KindCanceled:
			// What ended the request was another run's: this one asks for itself.
			if own := lm.ContextError(ctx, c.Address()); own != nil {
				return nil, own
			}
			w.restart()
			continue
		}
		shared := *e
		shared.Spent = nil
		return nil, &shared
	}
}

// answer returns a reply for one of those that waited for it: each has its own,
// and one pays.
func answer(resp *lm.Response, pays bool) *lm.Response {
	r := *resp
	r.ToolCalls = slices.Clone(resp.ToolCalls)
	if !pays {
		r.Cached, r.Cost, r.Also = true, new(float64), nil
	}
	return &r
}

// lead answers a flight: from the cache at once, or by a call in a goroutine of
// its own, since the one that began it may leave before the others.
func (c *caching) lead(w *waiter, k Key, req *lm.Request) {
	f := w.flight
	if resp, ok := c.kept(f, k); ok {
		f.land(resp, nil)
		return
	}
	asked := *req
	asked.OnDelta = nil
	if w.onDelta != nil {
		asked.OnDelta = f.deliver
	}
	go func() {
		resp, err := c.LM.Generate(f, &asked)
		if err == nil {
			c.keep(f, k, resp)
		}
		f.land(resp, err)
	}()
}

// kept looks for a reply in the cache.
func (c *caching) kept(ctx context.Context, k Key) (*lm.Response, bool) {
	value, ok, err := c.cache.Get(ctx, k)
	if err != nil {
		c.failed(ctx, "read", err)
	}
	if !ok || err != nil {
		return nil, false
	}
	resp, err := decode(value)
	if err != nil {
		if err := c.cache.Delete(ctx, k); err != nil {
			c.failed(ctx, "removed from", err)
		}
		return nil, false
	}
	return resp, true
}

// keep puts a whole reply into the cache. That the call ended meanwhile does not
// matter: the reply is there.
func (c *caching) keep(ctx context.Context, k Key, resp *lm.Response) {
	if !keeps(resp) {
		return
	}
	value, err := encode(resp)
	if err != nil {
		return // a reply that JSON cannot hold is not kept
	}
	if err := c.cache.Put(context.WithoutCancel(ctx), k, value, c.options.TTL); err != nil {
		c.failed(ctx, "written", err)
	}
}

// failed tells of a failure of the cache; the end of the call is none.
func (c *caching) failed(ctx context.Context, what string, err error) {
	if ctx.Err() == nil || !errors.Is(err, ctx.Err()) {
		c.options.Failed(fmt.Errorf("the cache cannot be %s: %w", what, err))
	}
}
