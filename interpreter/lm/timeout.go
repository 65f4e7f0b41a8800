package lm

import (
	"context"
	"net/http/httptrace"
	"sync"
	"time"
)

// Timeouts bound the parts of every single call. Zero or less means no limit.
type Timeouts struct {
	// Connect is for a connection to the server: looking up its name, TCP and TLS.
	// A connection that is used again takes no time, and a model in the process
	// has none.
	Connect time.Duration
	// FirstToken is from the request until the first piece of the reply, and Idle
	// from each piece to the next. They hold for replies that are asked for piece
	// by piece (OnDelta).
	FirstToken, Idle time.Duration
	// Whole is from the request to the end of the reply.
	Whole time.Duration
}

// WithTimeout bounds every single Generate of m: no whole reply within d is a
// KindTimeout whose message names d. Inside WithRetry it bounds each attempt, which
// is what the setting `timeout` of a model means; all attempts together are bounded
// by the context's deadline. A d of zero or less means no limit.
func WithTimeout(m LM, d time.Duration) LM { return WithTimeouts(m, Timeouts{Whole: d}) }

// WithTimeouts bounds every single Generate of m in all its parts. What takes too
// long is a KindTimeout whose message names the part and its limit.
func WithTimeouts(m LM, t Timeouts) LM {
	if t.Connect <= 0 && t.FirstToken <= 0 && t.Idle <= 0 && t.Whole <= 0 {
		return m
	}
	return &timed{m, t}
}

type timed struct {
	LM
	limits Timeouts
}

func (t *timed) Generate(ctx context.Context, req *Request) (*Response, error) {
	within := ctx
	if t.limits.Whole > 0 {
		var cancel context.CancelFunc
		within, cancel = context.WithTimeoutCause(within, t.limits.Whole, &timeLimit{"no whole reply within", t.limits.Whole})
		defer cancel()
	}
	inPieces := req.OnDelta != nil && (t.limits.FirstToken > 0 || t.limits.Idle > 0)
	if t.limits.Connect > 0 || inPieces {
		var end context.CancelCauseFunc
		within, end = context.WithCancelCause(within)
		defer end(nil)
		stops := &watch{end: end}
		defer stops.all()
		if t.limits.Connect > 0 {
			within = t.connecting(within, stops)
		}
		if inPieces {
			req = t.piecewise(req, stops)
		}
	}
	resp, err := t.LM.Generate(within, req)
	if err == nil {
		return resp, nil
	}
	limit, ours := context.Cause(within).(*timeLimit)
	if outer, _ := context.Cause(ctx).(*timeLimit); !ours || limit == outer {
		return nil, err
	}
	// The limit has passed. A provider's own answer (a refused key, say) that
	// arrived in the same moment stays what it is.
	e := asError(within, t.LM, err)
	switch e.Kind {
	case KindCanceled, KindUnreachable, KindTimeout:
		e.Kind, e.Message, e.Err = KindTimeout, limit.Error(), limit
		e.Unsent = e.Unsent || limit.what == "no connection within"
	}
	return nil, e
}

// connecting returns a context in which connections are watched.
func (t *timed) connecting(ctx context.Context, stops *watch) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { stops.set(&stops.connect, "no connection within", t.limits.Connect) },
		GotConn: func(httptrace.GotConnInfo) { stops.clear(&stops.connect) },
	})
}

// piecewise returns a request whose pieces are watched, from now on.
func (t *timed) piecewise(req *Request, stops *watch) *Request {
	c := *req
	c.OnDelta = func(d Delta) {
		stops.set(&stops.token, "the reply stood still for", t.limits.Idle)
		req.OnDelta(d)
	}
	stops.set(&stops.token, "no first piece of the reply within", t.limits.FirstToken)
	return &c
}

// watch holds the timers of one call.
type watch struct {
	end context.CancelCauseFunc

	mu             sync.Mutex
	over           bool
	connect, token *time.Timer
}

// set starts a timer anew; a limit of zero only stops it.
func (w *watch) set(t **time.Timer, what string, limit time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if *t != nil {
		(*t).Stop()
	}
	if limit > 0 && !w.over {
		*t = time.AfterFunc(limit, func() { w.end(&timeLimit{what, limit}) })
	}
}

func (w *watch) clear(t **time.Timer) { w.set(t, "", 0) }

func (w *watch) all() {
	w.clear(&w.connect)
	w.clear(&w.token)
	w.mu.Lock()
	w.over = true
	w.mu.Unlock()
}

// timeLimit is the cause of a context that WithTimeouts ended. It is a
// context.DeadlineExceeded.
type timeLimit struct {
	what  string
	limit time.Duration
}

func (l *timeLimit) Error() string { return l.what + " " + short(l.limit) }

func (l *timeLimit) Is(target error) bool { return target == context.DeadlineExceeded }
