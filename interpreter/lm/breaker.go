package lm

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// BreakerPolicy says when a model is left alone. A field of zero or less has its
// value from DefaultBreaker.
type BreakerPolicy struct {
	Failures int           // so many calls that began one after another must fail
	Cooldown time.Duration // how long no call is sent then
}

// DefaultBreaker returns the policy of a model that does not set one: eight
// failures, then a quarter of a minute.
func DefaultBreaker() BreakerPolicy {
	return BreakerPolicy{Failures: 8, Cooldown: 15 * time.Second}
}

// WithBreaker stops sending calls to a model that does not answer: a circuit that
// opens. It counts calls in the order in which they began, so that some that fail
// fast among many that are still under way mean nothing: the circuit opens when
// Failures of them, one after another, have failed and none that began later was
// answered. An answer is also one that refuses: a wrong key, a wrong request, too
// many requests. Then every call fails at once with KindOpen, which has the last
// failure as its cause. After Cooldown one call is sent as a probe: if it is
// answered, the circuit closes, if it fails, another Cooldown begins.
//
// It belongs inside WithRetry, so that each attempt counts.
func WithBreaker(m LM, p BreakerPolicy) LM {
	standard := DefaultBreaker()
	if p.Failures <= 0 {
		p.Failures = standard.Failures
	}
	if p.Cooldown <= 0 {
		p.Cooldown = standard.Cooldown
	}
	return &breaking{LM: m, policy: p}
}

type breaking struct {
	LM
	policy BreakerPolicy

	mu      sync.Mutex
	first   int       // the number of the call that calls[0] is about
	calls   []outcome // since the last call that was answered
	opened  time.Time // zero while the circuit is closed
	probing bool
	last    *Error // the failure that opened it
}

// outcome is what became of a call.
type outcome int8

const (
	pending outcome = iota
	failed
	neutral // it says nothing of the model
	answered
)

// remembered bounds the calls that a circuit keeps in mind.
const remembered = 4096

func (b *breaking) Generate(ctx context.Context, req *Request) (*Response, error) {
	number, err := b.begin()
	if err != nil {
		return nil, err
	}
	done := false
	defer func() {
		if !done {
			b.end(number, neutral, nil) // a panic
		}
	}()
	resp, err := b.LM.Generate(ctx, req)
	done = true
	if err == nil {
		b.end(number, answered, nil)
		return resp, nil
	}
	e := asError(ctx, b.LM, err)
	b.end(number, judge(ctx, e), e)
	return nil, err
}

// judge says what a failure tells about the model.
func judge(ctx context.Context, e *Error) outcome {
	switch {
	case e.Unsent && e.Kind != KindTimeout || e.Kind == KindCanceled || e.Kind == KindBudget || ctx.Err() != nil:
		return neutral
	case e.Retryable() && e.Kind != KindRateLimit:
		return failed
	}
	return answered
}

// probe is the number of the call that is sent through an open circuit.
const probe = -1

func (b *breaking) begin() (number int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.opened.IsZero() {
		b.calls = append(b.calls, pending)
		if len(b.calls) > remembered {
			b.first, b.calls = b.first+1, b.calls[1:]
		}
		return b.first + len(b.calls) - 1, nil
	}
	left := b.policy.Cooldown - time.Since(b.opened)
	if left <= 0 && !b.probing {
		b.probing = true
		return probe, nil
	}
	why := fmt.Sprintf("for %s more", brief(left))
	if left <= 0 {
		why = "until a first one, which is under way, is answered"
	}
	return 0, &Error{
		Kind: KindOpen, Model: b.Address(), Endpoint: b.last.Endpoint, RetryAfter: max(left, 0), Unsent: true,
		Message: fmt.Sprintf("%d calls one after another have failed, so none is sent %s; the last: %s", b.policy.Failures, why, b.last.summary()),
		Err:     b.last,
	}
}

// summary is the failure without the model's name.
func (e *Error) summary() string {
	c := *e
	text := c.Error()
	return text[len(e.Model)+len(": "):]
}

func (b *breaking) end(number int, o outcome, e *Error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if number == probe {
		b.probing = false
		switch o {
		case answered:
			b.close()
		case failed:
			b.opened, b.last = time.Now(), e
		}
		return
	}
	i := number - b.first
	if i < 0 || !b.opened.IsZero() {
		return // a later call was answered, or what this tells is known
	}
	if o == answered {
		b.first, b.calls = number+1, b.calls[i+1:]
		return
	}
	b.calls[i] = o
	row := 0
	for _, x := range b.calls {
		switch x {
		case pending:
			row = 0
		case failed:
			if row++; row >= b.policy.Failures {
				b.opened, b.last = time.Now(), e
				return
			}
		}
	}
}

// close forgets all that failed. Calls from before it are under way no more, or
// their numbers are too low to count.
func (b *breaking) close() {
	b.first += len(b.calls)
	b.calls, b.opened, b.last = nil, time.Time{}, nil
}
