package lm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Kind is a kind of failure; each has its own diagnostic.
type Kind string

// The kinds of failure.
const (
	KindAuth        Kind = "auth"        // the key was refused (401, 403)
	KindNoKey       Kind = "no_key"      // there is no key to send
	KindRateLimit   Kind = "rate_limit"  // 429, or the provider says it is overloaded (529)
	KindTimeout     Kind = "timeout"     // no whole reply in time, 408
	KindUnreachable Kind = "unreachable" // no connection, or it broke off
	KindServer      Kind = "server"      // 5xx
	KindRequest     Kind = "request"     // the provider refused the request (other 4xx)
	KindReply       Kind = "reply"       // the reply is not in the provider's own format
	KindCanceled    Kind = "canceled"    // the run was interrupted
	KindOpen        Kind = "open"        // so many calls failed that none is sent for a while (WithBreaker)
	KindBudget      Kind = "budget"      // the call would break the run's budget (Budget)
	KindNoMember    Kind = "no_member"   // no member of a route could answer (NewRoute)
	KindTooLarge    Kind = "too_large"   // the call is larger than the model's limits allow in a minute (WithLimits)
)

// Error is why no reply came. It holds no key and no header.
type Error struct {
	Kind       Kind
	Model      string        // the LM's address
	Endpoint   string        // URL without credentials and query; "" for models in the process
	Status     int           // HTTP status; 0 when there was none
	Message    string        // what the provider said, cut to a readable length
	RetryAfter time.Duration // what the provider asks to wait; 0 when it does not say
	Attempts   int           // how often it was tried; set by WithRetry
	Elapsed    time.Duration // how long it was tried, pauses included
	GaveUp     string        // why WithRetry did not try again although it might have; "" otherwise
	// Reasons are what Message sums up, one line each: the members of a route and
	// why each did not answer.
	Reasons []string
	// Spent are requests that were sent for the call and are paid although no reply
	// came of them, as far as that is known.
	Spent []Spent
	// Unsent says that nothing left for the model's server: the call ended while
	// it waited for its turn.
	Unsent bool
	Err    error // the cause, when it is another error
}

// Error returns the failure in one line.
func (e *Error) Error() string {
	s := fmt.Sprintf("%s: %s", e.Model, e.Kind)
	if e.Status != 0 {
		s += fmt.Sprintf(" (HTTP %d)", e.Status)
	}
	if e.Message != "" {
		s += ": " + e.Message
	} else if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	if e.GaveUp != "" {
		s += "; not tried again: " + e.GaveUp
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Retryable reports whether the same call may succeed later.
func (e *Error) Retryable() bool {
	switch e.Kind {
	case KindRateLimit, KindTimeout, KindUnreachable, KindServer, KindReply:
		return true
	}
	return false
}

// AsError returns the *Error in err's chain, or nil.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}

// ContextError returns why ctx ended, as the failure of a call to the model at
// address: KindCanceled for an interruption, KindTimeout for a deadline (with the
// time limit in its message when WithTimeout set it). It returns nil while ctx is
// alive. Providers report the end of their context with it.
func ContextError(ctx context.Context, address string) *Error {
	reason := ctx.Err()
	if reason == nil {
		return nil
	}
	e := &Error{Kind: KindCanceled, Model: address, Message: "the call was interrupted", Err: reason}
	if errors.Is(reason, context.DeadlineExceeded) {
		e.Kind, e.Message = KindTimeout, "the time for the whole run was over before the reply came"
	}
	cause := context.Cause(ctx)
	if limit, ok := errors.AsType[*timeLimit](cause); ok {
		e.Message, e.Err = limit.Error(), limit
	} else if cause != reason {
		e.Message, e.Err = e.Message+": "+cause.Error(), errors.Join(reason, cause)
	}
	return e
}

// mayBePaid reports whether a request that failed with e may have cost something: it
// was sent, and its provider did not refuse it with a status.
func (e *Error) mayBePaid() bool {
	switch e.Kind {
	case KindTimeout, KindUnreachable, KindReply, KindCanceled:
		return !e.Unsent && e.Status == 0 || e.Kind == KindReply
	}
	return false
}

// asError returns a copy of err's *Error that the caller may change. An LM that
// breaks its contract and fails with some other error gives KindRequest, which is
// not tried again.
func asError(ctx context.Context, m LM, err error) *Error {
	if e := AsError(err); e != nil {
		c := *e
		return &c
	}
	if e := ContextError(ctx, m.Address()); e != nil && errors.Is(err, ctx.Err()) {
		return e
	}
	return &Error{Kind: KindRequest, Model: m.Address(), Err: err}
}

// short writes a duration as people do: 1m and not 1m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}
