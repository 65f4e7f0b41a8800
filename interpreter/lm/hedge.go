package lm

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// HedgePolicy says when a call is sent a second time although the first is still
// under way.
type HedgePolicy struct {
	After time.Duration // without a reply, or its first piece; zero or less: never
	Max   int           // further requests for one call; zero or less: one
}

// WithHedge sends a call of m again when it has no reply within After: a further
// request, up to Max. The first whole reply wins, and the others are interrupted. The
// time that a request waits under WithLimits or for a budget does not count.
//
// A request that did not win is in Response.Also: with its usage if it was answered
// as well, else with its prompt's tokens and those of the pieces it gave, estimated.
// price, which may be nil, gives it its cost. An observer is told of each further
// request when it starts. Of a reply that is asked for piece by piece, the pieces of
// who speaks first are passed on, and a Restart comes before another's.
func WithHedge(m LM, p HedgePolicy, price *Price) LM {
	if p.After <= 0 {
		return m
	}
	p.Max = max(p.Max, 1)
	return &hedging{m, p, price}
}

type hedging struct {
	LM
	policy HedgePolicy
	price  *Price
}

// sent is one of the requests of a call, when it has ended.
type sent struct {
	i      int
	resp   *Response
	err    error
	panics any
}

func (h *hedging) Generate(ctx context.Context, req *Request) (*Response, error) {
	run := &race{req: req, speaker: -1, spoke: make(chan struct{})}
	ends := make(chan sent, h.policy.Max+1)
	all, cancel := context.WithCancel(ctx)
	defer cancel()
	var line *queue // of the latest request
	begun, under := 0, 0
	start := func() {
		i := begun
		begun, under = begun+1, under+1
		line = &queue{moved: make(chan struct{}, 1)}
		own := context.WithValue(all, queueKey{}, line)
		ask := run.join(i)
		go func() {
			end := sent{i: i}
			defer func() {
				end.panics = recover()
				ends <- end
			}()
			end.resp, end.err = h.LM.Generate(own, ask)
		}()
	}
	start()
	timer := time.NewTimer(h.policy.After)
	defer timer.Stop()
	spoke := run.spoke
	var first *Error
	var paid []Spent
	for {
		select {
		case <-line.moved:
			timer.Reset(h.policy.After)
		case <-spoke:
			spoke = nil
			timer.Stop()
		case <-timer.C:
			if line.waiting() || begun > h.policy.Max || run.hasSpoken() {
				continue
			}
			report(ctx, Attempt{
				Event: HedgeSent, Model: h.Address(), Number: begun + 1, Of: h.policy.Max + 1,
				Reason: fmt.Sprintf("no reply within %s", short(h.policy.After)),
			})
			start()
			timer.Reset(h.policy.After)
		case end := <-ends:
			under--
			if end.panics != nil {
				cancel()
				h.rest(ends, under)
				panic(end.panics)
			}
			if end.err == nil {
				run.won(end.i, end.resp)
				cancel()
				for _, other := range h.rest(ends, under) {
					paid = append(paid, h.lost(ctx, run, other)...)
				}
				return withAlso(end.resp, paid), nil
			}
			e := asError(ctx, h.LM, end.err)
			if begun > 1 {
				paid = append(paid, h.lost(ctx, run, end)...)
			}
			if first == nil || end.i == 0 {
				first = e
			}
			if run.failed(end.i, under > 0); under == 0 {
				if begun > 1 {
					first.Spent = paid
				}
				return nil, first
			}
		}
	}
}

// rest waits for the requests that are still under way.
func (h *hedging) rest(ends <-chan sent, n int) []sent {
	out := make([]sent, n)
	for i := range out {
		out[i] = <-ends
	}
	return out
}

// lost is what a request has cost that did not win.
func (h *hedging) lost(ctx context.Context, run *race, end sent) []Spent {
	if end.resp != nil && end.err == nil {
		if end.resp.Cached {
			return nil
		}
		return append([]Spent{{h.Address(), end.resp.Usage, end.resp.Cost}}, end.resp.Also...)
	}
	if end.err == nil {
		return nil // it panicked
	}
	e := asError(ctx, h.LM, end.err)
	if e.Spent != nil || !e.mayBePaid() {
		return e.Spent
	}
	s := Spent{Address: h.Address(), Usage: EstimateUsage(run.req.Messages, "")}
	s.Usage.OutputTokens = (run.runes(end.i) + 3) / 4
	if h.price != nil {
		usd := h.price.Cost(s.Usage)
		s.Cost = &usd
	}
	return []Spent{s}
}

// race passes on the pieces of one of several requests for the same reply.
type race struct {
	req *Request

	mu      sync.Mutex
	said    []Delta // what each has said so far, in one
	out     []bool  // who has failed
	speaker int     // whose pieces are passed on; -1 before the first piece
	spoke   chan struct{}
	over    bool
}

// join returns the request for one more.
func (r *race) join(i int) *Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said, r.out = append(r.said, Delta{}), append(r.out, false)
	if r.req.OnDelta == nil {
		return r.req
	}
	c := *r.req
	c.OnDelta = func(d Delta) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.over {
			return
		}
		if d.Restart {
			r.said[i] = Delta{}
		}
		r.said[i].Text += d.Text
		r.said[i].Reasoning += d.Reasoning
		if r.speaker < 0 {
			r.speaker = i
			r.announce()
		}
		if r.speaker == i {
			r.req.OnDelta(d)
		}
	}
	return &c
}

func (r *race) announce() {
	select {
	case <-r.spoke:
	default:
		close(r.spoke)
	}
}

func (r *race) hasSpoken() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.speaker >= 0
}

func (r *race) runes(i int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len([]rune(r.said[i].Text)) + len([]rune(r.said[i].Reasoning))
}

// failed lets another speak when the speaker has failed and others are under way.
func (r *race) failed(i int, others bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.out[i] = true
	if r.speaker != i || !others {
		return
	}
	r.req.OnDelta(Delta{Restart: true})
	r.speaker = -1
	for j, d := range r.said {
		if !r.out[j] && (d.Text != "" || d.Reasoning != "") {
			r.speaker = j
			r.req.OnDelta(d)
			return
		}
	}
}

// won ends the race with the reply of one.
func (r *race) won(i int, resp *Response) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
	if r.req.OnDelta == nil || r.speaker == i {
		return
	}
	if r.speaker >= 0 {
		r.req.OnDelta(Delta{Restart: true})
	}
	Whole(r.req, resp)
}

// queue says whether a request waits for its turn.
type queue struct {
	mu    sync.Mutex
	in    int
	moved chan struct{} // it has come to an end of waiting
}

type queueKey struct{}

// waits notes that the request of ctx waits for its turn, until the returned
// function is called.
func waits(ctx context.Context) (done func()) {
	q, ok := ctx.Value(queueKey{}).(*queue)
	if !ok {
		return func() {}
	}
	q.mu.Lock()
	q.in++
	q.mu.Unlock()
	return func() {
		q.mu.Lock()
		q.in--
		q.mu.Unlock()
		select {
		case q.moved <- struct{}{}:
		default:
		}
	}
}

func (q *queue) waiting() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.in > 0
}
