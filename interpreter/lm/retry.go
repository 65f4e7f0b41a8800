package lm

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// RetryPolicy says how often and how patiently a failed call is tried again. A
// field of zero or less has its value from DefaultRetry.
type RetryPolicy struct {
	Attempts int           // calls in all, the first one included; 1 means no retry
	Base     time.Duration // the longest pause after the first failure; it doubles with each further one
	Max      time.Duration // the longest pause of all, also of those that the provider asks for
}

// DefaultRetry returns the policy of a model that does not set one: three attempts,
// with pauses of up to half a second and up to one second.
func DefaultRetry() RetryPolicy {
	return RetryPolicy{Attempts: 3, Base: 500 * time.Millisecond, Max: 30 * time.Second}
}

// orDefault returns p with its open fields set.
func (p RetryPolicy) orDefault() RetryPolicy {
	standard := DefaultRetry()
	if p.Attempts <= 0 {
		p.Attempts = standard.Attempts
	}
	if p.Base <= 0 {
		p.Base = standard.Base
	}
	if p.Max <= 0 {
		p.Max = standard.Max
	}
	p.Base = min(p.Base, p.Max)
	return p
}

// ceiling returns the longest pause after the nth failure: Base, doubled n-1 times,
// and never more than Max.
func (p RetryPolicy) ceiling(n int) time.Duration {
	d := p.Base
	for ; n > 1 && d < p.Max; n-- {
		if d > p.Max/2 {
			return p.Max
		}
		d *= 2
	}
	return d
}

// Event says what an observer is told of.
type Event string

// The events of a call.
const (
	TryEnded  Event = ""       // an attempt ended, well or not
	HedgeSent Event = "hedge"  // no reply came for a while: a further request starts
	Chosen    Event = "chosen" // a route sends the call to Model
	Passed    Event = "passed" // a route passes Model over, or does not take its reply
)

// Attempt is one thing that happened in a call, as an observer sees it: mostly one
// try of it.
type Attempt struct {
	Event    Event
	Model    string        // the LM's address
	Route    string        // Chosen, Passed: the route's address
	Reason   string        // HedgeSent, Chosen, Passed: why
	Number   int           // 1 for the first
	Of       int           // how many the policy allows
	Err      *Error        // nil when it succeeded
	Duration time.Duration // how long the try took, waiting for a place under WithLimits included
	Wait     time.Duration // the pause that follows; 0 when no further try does
}

type observerKey struct{}

// WithObserver returns a context in which every attempt of every call through
// WithRetry is reported to observe when it ends, before the pause that follows it;
// so are the further requests of WithHedge and the choices of a route, so that no
// request is sent that an observer does not know of.
// Observers of outer contexts are told first. observe is called by the goroutine
// that makes the call: it must not block, and it is called by many goroutines at once when
// they share the context.
func WithObserver(ctx context.Context, observe func(Attempt)) context.Context {
	if outer, ok := ctx.Value(observerKey{}).(func(Attempt)); ok {
		inner := observe
		observe = func(a Attempt) { outer(a); inner(a) }
	}
	return context.WithValue(ctx, observerKey{}, observe)
}

// report tells the observer of ctx, if there is one.
func report(ctx context.Context, a Attempt) {
	if observe, ok := ctx.Value(observerKey{}).(func(Attempt)); ok {
		observe(a)
	}
}

// WithRetry tries a call of m again while it fails with a Retryable error. The
// pause before each further attempt is random between zero and a ceiling that doubles (full
// jitter), so that many callers that failed together do not come back together.
// When the provider asks for a pause (RetryAfter), the pause is at least that long.
// A pause that the policy's Max or the context's deadline does not allow is not begun:
// the call fails at once, and GaveUp says why. The returned error is the last
// attempt's, with Attempts and Elapsed set.
//
// Pieces of an attempt that failed are taken back by a Restart before those of the
// next one. What failed attempts have cost is in Response.Also, or in Error.Spent
// when none succeeded: what the error says, and for an attempt that broke off after
// it gave pieces an estimate of its tokens.
func WithRetry(m LM, p RetryPolicy) LM { return &retrying{m, p.orDefault()} }

type retrying struct {
	LM
	policy RetryPolicy
}

func (r *retrying) Generate(ctx context.Context, req *Request) (*Response, error) {
	start := time.Now()
	var paid []Spent
	pieces := newPieces(req)
	for n := 1; ; n++ {
		began := time.Now()
		resp, err := r.LM.Generate(ctx, pieces.request())
		seen := Attempt{Model: r.Address(), Number: n, Of: r.policy.Attempts, Duration: time.Since(began)}
		if err == nil {
			report(ctx, seen)
			return withAlso(resp, paid), nil
		}
		seen.Err = asError(ctx, r.LM, err)
		seen.Err.Attempts, seen.Err.Elapsed = n, time.Since(start)
		seen.Wait, seen.Err.GaveUp = r.policy.pause(ctx, seen.Err)
		if seen.Err.Spent == nil && pieces.given() {
			seen.Err.Spent = []Spent{pieces.spent(r.Address())}
		}
		report(ctx, seen)
		paid = append(paid, seen.Err.Spent...)
		seen.Err.Spent = paid
		if seen.Wait == 0 {
			return nil, seen.Err
		}
		if sleep(ctx, seen.Wait) != nil {
			e := ContextError(ctx, r.Address())
			e.Endpoint, e.Attempts, e.Elapsed, e.Spent = seen.Err.Endpoint, n, time.Since(start), paid
			e.Message += fmt.Sprintf(" (while waiting to try again after attempt %d of %d: %s)", n, r.policy.Attempts, seen.Err)
			e.Err = errors.Join(e.Err, seen.Err)
			return nil, e
		}
		pieces.restart()
	}
}

// withAlso returns resp with further requests that were paid for it.
func withAlso(resp *Response, also []Spent) *Response {
	if len(also) == 0 {
		return resp
	}
	c := *resp
	c.Also = append(append([]Spent{}, also...), c.Also...)
	return &c
}

// pause returns how long to wait after the failure e before the next attempt, or 0
// for no further attempt, and the reason for that when e itself is none.
func (p RetryPolicy) pause(ctx context.Context, e *Error) (wait time.Duration, gaveUp string) {
	again := e.Retryable() || e.Kind == KindOpen && e.Attempts > 1 // a call under way waits for the circuit to close
	if ctx.Err() != nil || !again || e.Attempts >= p.Attempts {
		return 0, ""
	}
	if e.RetryAfter > p.Max {
		return 0, fmt.Sprintf("%s to wait %s, and the longest pause allowed is %s (`max` of `retry`)",
			asks(e), short(e.RetryAfter), short(p.Max))
	}
	least := max(e.RetryAfter, 1) // a pause of 1 ns, since 0 means none
	wait = max(least, rand.N(p.ceiling(e.Attempts)+1))
	if e.RetryAfter > 0 {
		wait = min(least+rand.N(p.Base+1), p.Max) // spread the callers that were all told the same
	}
	deadline, ok := ctx.Deadline()
	if !ok {
		return wait, ""
	}
	left := time.Until(deadline)
	switch {
	case wait < left:
		return wait, ""
	case e.RetryAfter > 0 && least < left:
		return least, ""
	case e.RetryAfter > 0:
		return 0, fmt.Sprintf("%s to wait %s, and the run has only %s left", asks(e), short(e.RetryAfter), brief(left))
	}
	return 0, fmt.Sprintf("the pause before the next attempt is longer than the %s the run has left", brief(left))
}

func asks(e *Error) string {
	if e.Kind == KindOpen {
		return "the open circuit asks"
	}
	return "the provider asks"
}

// brief rounds a duration that a clock gave to what is worth reading.
func brief(d time.Duration) string { return short(max(d, 0).Round(time.Millisecond)) }

// sleep waits for d and returns nil, or ctx's error when it ends first.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
