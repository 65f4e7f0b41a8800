package lm

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"
)

// Limits bounds how a model is used. Zero or less means no limit.
type Limits struct {
	Concurrency       int // calls in flight
	RequestsPerMinute int // calls begun in any 60 seconds
	TokensPerMinute   int // tokens sent and received in any 60 seconds
}

// none reports whether nothing is limited.
func (l Limits) none() bool {
	return l.Concurrency <= 0 && l.RequestsPerMinute <= 0 && l.TokensPerMinute <= 0
}

// A Limiter counts what is under way and what went through in the last minute, for
// all that share it. Calls wait in the order in which they came, as long as their
// context lives.
//
// The minute is a sliding one: in no 60 seconds, wherever they begin, more is let
// through than the limits say. The tokens of a prompt count from when it is sent, for
// 60 seconds; those of its reply until 60 seconds after it came. Before, they are
// reserved: the prompt's by an estimate (EstimateInput, corrected by what earlier
// replies said), the reply's by max_tokens or, without it, by what earlier replies
// had. When the reply comes the true number stands in their place; if it is higher,
// the calls that follow wait the longer.
type Limiter struct {
	limits Limits

	mu       sync.Mutex
	inFlight int
	begun    []time.Time // requests of the last minute, the oldest first
	tokens   []*tokens   // of the last minute and those in flight
	queue    []*waiter
	timer    *time.Timer // calls serve when the first in the queue may go
	ratio    learned     // tokens of a prompt for each estimated one
	output   learned     // tokens of a reply
}

// minute is the width of the window. A nanosecond more keeps both ends apart.
const minute = time.Minute + time.Nanosecond

// firstOutput is how many tokens a reply is taken to have before any came.
const firstOutput = 1000

// tokens are some that count towards the limit.
type tokens struct {
	at   time.Time // when they were sent or received
	held bool      // their call is in flight: they count until it ends
	n    int
}

type waiter struct {
	input, output int
	since         time.Time
	ready         chan struct{} // closed when it may go
	grant         *grant
}

// grant is what a call was let through with.
type grant struct{ input, output *tokens }

// NewLimiter returns a Limiter for limits.
func NewLimiter(l Limits) *Limiter { return &Limiter{limits: l} }

// WithLimits keeps the calls of m within l. All users of one model must share the LM
// that WithLimits returns, or a Limiter.
func WithLimits(m LM, l Limits) LM { return NewLimiter(l).Limit(m) }

// Limit keeps the calls of m within the limits, together with those of all other
// models that l was put around.
func (l *Limiter) Limit(m LM) LM {
	if l.limits.none() {
		return m
	}
	return &limited{m, l}
}

type limited struct {
	LM
	limiter *Limiter
}

func (l *limited) Generate(ctx context.Context, req *Request) (*Response, error) {
	g, estimate, err := l.limiter.enter(ctx, l.LM, req)
	if err != nil {
		return nil, err
	}
	if e := ContextError(ctx, l.Address()); e != nil { // its turn came too late
		e.Unsent = true
		l.limiter.leave(g, estimate, nil, e)
		return nil, e
	}
	resp, failed := l.LM.Generate(ctx, req)
	l.limiter.leave(g, estimate, resp, failed)
	return resp, failed
}

// enter waits until a call of m may be sent. estimate is EstimateInput of it.
func (l *Limiter) enter(ctx context.Context, m LM, req *Request) (_ *grant, estimate int, _ error) {
	w := &waiter{since: time.Now(), ready: make(chan struct{})}
	if l.limits.TokensPerMinute > 0 {
		estimate = EstimateInput(req)
	}
	l.mu.Lock()
	if most := l.limits.TokensPerMinute; most > 0 {
		w.input = int(math.Ceil(float64(estimate) * l.ratio.high(1)))
		if req.MaxTokens != nil {
			w.output = *req.MaxTokens
		} else {
			w.output = min(int(math.Ceil(l.output.high(firstOutput))), max(most-w.input, 0))
		}
		if estimate+w.output > most {
			l.mu.Unlock()
			w.input = estimate
			return nil, 0, &Error{Kind: KindTooLarge, Model: m.Address(), Unsent: true, Message: tooLarge(w, req, most)}
		}
		w.input = min(w.input, most-w.output) // what was learned may be wrong: it goes alone
	}
	l.queue = append(l.queue, w)
	l.serve()
	l.mu.Unlock()
	select {
	case <-w.ready:
		return w.grant, estimate, nil
	default:
	}
	defer waits(ctx)()
	select {
	case <-w.ready:
		return w.grant, estimate, nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if w.grant != nil { // in the same moment
		return w.grant, estimate, nil
	}
	_, what := l.wait(l.queue[0], time.Now())
	l.queue = slices.DeleteFunc(l.queue, func(x *waiter) bool { return x == w })
	l.serve()
	e := ContextError(ctx, m.Address())
	e.Unsent = true
	e.Message += fmt.Sprintf(" (it waited %s for %s)", brief(time.Since(w.since)), what)
	return nil, 0, e
}

func tooLarge(w *waiter, req *Request, most int) string {
	if req.MaxTokens == nil {
		return fmt.Sprintf("the prompt has about %d tokens, and `tokens_per_minute` allows %d: raise it, or send less", w.input, most)
	}
	return fmt.Sprintf("the prompt has about %d tokens and the reply may have %d (`max_tokens`), and `tokens_per_minute` allows %d: raise it, lower `max_tokens`, or send less",
		w.input, w.output, most)
}

// leave ends a call that was let through.
func (l *Limiter) leave(g *grant, estimate int, resp *Response, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inFlight--
	if g.input != nil {
		now := time.Now()
		in, out := g.input.n, g.output.n
		switch {
		case err == nil && !resp.Cached:
			in, out = resp.Usage.InputTokens, resp.Usage.OutputTokens
			if estimate > 0 && in > 0 {
				l.ratio.add(float64(in) / float64(estimate))
			}
			l.output.add(float64(out))
		case err == nil, AsError(err) != nil && !AsError(err).mayBePaid():
			in, out = 0, 0
		}
		if more := in - g.input.n; more > 0 && now.Sub(g.input.at) >= minute {
			l.tokens = append(l.tokens, &tokens{at: now, n: more}) // what they stood for is gone already
		}
		g.input.n = in
		g.output.n, g.output.at, g.output.held = out, now, false
	}
	l.serve()
}

// serve lets through who is first in the queue as long as it may go, and sees to
// being called again when it may.
func (l *Limiter) serve() {
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
	if len(l.queue) == 0 {
		return
	}
	now := time.Now()
	l.forget(now)
	for len(l.queue) > 0 {
		w := l.queue[0]
		d, _ := l.wait(w, now)
		if d < 0 {
			return // until a call ends
		}
		if d > 0 {
			l.timer = time.AfterFunc(d, func() {
				l.mu.Lock()
				defer l.mu.Unlock()
				l.serve()
			})
			return
		}
		l.queue[0] = nil
		l.queue = l.queue[1:]
		l.inFlight++
		w.grant = &grant{}
		if l.limits.RequestsPerMinute > 0 {
			l.begun = append(l.begun, now)
		}
		if l.limits.TokensPerMinute > 0 {
			w.grant.input, w.grant.output = &tokens{at: now, n: w.input}, &tokens{held: true, n: w.output}
			l.tokens = append(l.tokens, w.grant.input, w.grant.output)
		}
		close(w.ready)
	}
}

// forget drops what is older than a minute. What lies in the future was counted by
// another clock.
func (l *Limiter) forget(now time.Time) {
	gone := func(at time.Time) bool { age := now.Sub(at); return age >= minute || age < 0 }
	l.begun = slices.DeleteFunc(l.begun, gone)
	l.tokens = slices.DeleteFunc(l.tokens, func(t *tokens) bool { return !t.held && gone(t.at) })
}

// wait returns how long w, which is first in the queue, must wait and for what; -1
// when only the end of a call can tell.
func (l *Limiter) wait(w *waiter, now time.Time) (time.Duration, string) {
	var d time.Duration
	var whats []string
	if most := l.limits.RequestsPerMinute; most > 0 && len(l.begun) >= most {
		d = minute - now.Sub(l.begun[len(l.begun)-most])
		whats = append(whats, fmt.Sprintf("one of the %d requests per minute", most))
	}
	if most := l.limits.TokensPerMinute; most > 0 {
		sum := w.input + w.output
		for _, t := range l.tokens {
			sum += t.n
		}
		if sum > most {
			if free := l.until(sum-most, now); free < 0 {
				d = -1
			} else {
				d = max(d, free)
			}
			whats = append(whats, fmt.Sprintf("%d of the %d tokens per minute", w.input+w.output, most))
		}
	}
	if most := l.limits.Concurrency; most > 0 && l.inFlight >= most {
		d = -1
		whats = append(whats, fmt.Sprintf("one of the %d calls that may run at once", most))
	}
	return d, strings.Join(whats, " and ")
}

// until returns when so many tokens will have left the window; -1 when some calls in
// flight must end first.
func (l *Limiter) until(excess int, now time.Time) (d time.Duration) {
	for _, t := range slices.SortedFunc(slices.Values(l.tokens), func(a, b *tokens) int { return a.at.Compare(b.at) }) {
		if excess <= 0 {
			return d
		}
		if !t.held {
			excess -= t.n
			d = max(d, minute-now.Sub(t.at))
		}
	}
	if excess > 0 {
		return -1
	}
	return d
}

// Limiters are the limiters of a process: one for each model, however many runs
// use it.
type Limiters struct {
	mu  sync.Mutex
	all map[limiterKey]*Limiter
}

type limiterKey struct {
	model  string
	limits Limits
}

// Of returns the limiter of a model, which key names, with certain limits: the same
// one each time.
func (s *Limiters) Of(key string, limits Limits) *Limiter {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := limiterKey{key, limits}
	if s.all == nil {
		s.all = map[limiterKey]*Limiter{}
	}
	if s.all[k] == nil {
		s.all[k] = NewLimiter(limits)
	}
	return s.all[k]
}
