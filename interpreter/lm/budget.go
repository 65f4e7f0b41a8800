package lm

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http/httptrace"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// BudgetLimits are what all runs under one Budget may use together. Zero or less
// means no limit.
type BudgetLimits struct {
	USD    float64       // US dollars
	Calls  int           // requests sent, further attempts and hedges included
	Tokens int           // sent and received
	Time   time.Duration // from NewBudget on
}

// A Budget bounds what calls may use. It is carried by a context (WithBudget) and
// enforced where requests are sent (WithBudgetOf).
//
// Before a request is sent its share is reserved: one call, the tokens of its prompt
// (EstimateInput, corrected by what earlier replies said), those of the longest reply
// it may get (max_tokens; AssumedOutput where that is not set), and what both cost.
// When it ends, what it has used stands in place of what was reserved. A request that
// ended without a reply and without a refusal by its provider may have been paid, so
// all that was reserved for it stays; one that never reached its server takes nothing.
//
// A request that does not fit is refused with KindBudget. One that does not fit
// only because of what is reserved for others waits, in the order in which they came,
// until enough of those have ended to tell. A budget in US dollars refuses a model whose
// price is not known.
type Budget struct {
	limits BudgetLimits
	start  time.Time

	mu       sync.Mutex
	used     amount
	reserved amount
	unpriced bool // something was used that has no known price
	flight   int
	queue    []*claim
	ratio    map[string]*learned // by address: tokens of a prompt for each estimated one
}

// amount is what is used.
type amount struct {
	usd    float64
	calls  int
	tokens int
}

func (a amount) add(b amount, sign int) amount {
	return amount{a.usd + float64(sign)*b.usd, a.calls + sign*b.calls, a.tokens + sign*b.tokens}
}

// claim is a request that waits for its share.
type claim struct {
	model string
	amount
	done chan struct{} // closed when it is decided
	err  *Error        // why it is refused
	ok   bool
}

// NewBudget returns a budget whose time begins now.
func NewBudget(l BudgetLimits) *Budget {
	return &Budget{limits: l, start: time.Now(), ratio: map[string]*learned{}}
}

type budgetKey struct{}

// WithBudget returns a context whose calls are paid from b, all of them together.
func WithBudget(ctx context.Context, b *Budget) context.Context {
	return context.WithValue(ctx, budgetKey{}, b)
}

// BudgetOf returns the budget of ctx, or nil.
func BudgetOf(ctx context.Context) *Budget {
	b, _ := ctx.Value(budgetKey{}).(*Budget)
	return b
}

// BudgetUse is what has been used of a Budget.
type BudgetUse struct {
	USD    *float64 // nil when something was used whose price is not known
	Calls  int
	Tokens int
	Time   time.Duration
}

// Limits returns what the budget allows.
func (b *Budget) Limits() BudgetLimits { return b.limits }

// Used returns what has been used; what is reserved for requests under way is not
// in it.
func (b *Budget) Used() BudgetUse {
	b.mu.Lock()
	defer b.mu.Unlock()
	u := BudgetUse{Calls: b.used.calls, Tokens: b.used.tokens, Time: time.Since(b.start)}
	if !b.unpriced {
		usd := b.used.usd
		u.USD = &usd
	}
	return u
}

// WithBudgetOf takes each request of m from the Budget of its context, if it has
// one. price is nil when it is not known. It belongs inside WithRetry and WithHedge,
// so that every request that is sent counts, and around WithLimits, so that nothing
// waits between its turn and its sending.
func WithBudgetOf(m LM, price *Price) LM { return &budgeted{m, price} }

type budgeted struct {
	LM
	price *Price
}

func (m *budgeted) Generate(ctx context.Context, req *Request) (*Response, error) {
	b := BudgetOf(ctx)
	if b == nil {
		return m.LM.Generate(ctx, req)
	}
	estimate := EstimateInput(req)
	share, err := b.claim(ctx, m.LM.Address(), m.price, req, estimate)
	if err != nil {
		return nil, err
	}
	settled := false
	defer func() {
		if !settled {
			b.settle(share, share, false) // a panic
		}
	}()
	within, cancel := b.within(ctx)
	defer cancel()
	var net wire
	resp, failed := m.LM.Generate(net.watch(within), req)
	settled = true
	switch {
	case failed == nil && resp.Cached:
		b.settle(share, amount{}, false)
	case failed == nil:
		b.learn(m.LM.Address(), estimate, resp.Usage)
		b.settle(share, b.amount(resp, m.price), m.price == nil && resp.Cost == nil)
	default:
		e := asError(within, m.LM, failed)
		unsent := e.Unsent || net.unreached()
		switch {
		case unsent:
			e.Unsent = true
			b.settle(share, amount{}, false)
		case e.mayBePaid():
			b.settle(share, share, m.price == nil)
		default:
			b.settle(share, amount{calls: 1}, false)
		}
		if errors.Is(context.Cause(within), errTimeUp) && ctx.Err() == nil {
			e.Kind, e.Message, e.Err = KindBudget, b.timeUp(), errTimeUp
		}
		failed = e
	}
	return resp, failed
}

// wire says how far a request over HTTP has come.
type wire struct{ asked, connected atomic.Bool }

func (w *wire) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { w.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { w.connected.Store(true) },
	})
}

// unreached reports whether there was no connection.
func (w *wire) unreached() bool { return w.asked.Load() && !w.connected.Load() }

// errTimeUp is the cause of a context that ended with its budget's time.
var errTimeUp = errors.New("the budget's time is up")

// within returns a context that ends when the budget's time does.
func (b *Budget) within(ctx context.Context) (context.Context, context.CancelFunc) {
	if b.limits.Time <= 0 {
		return ctx, func() {}
	}
	return context.WithDeadlineCause(ctx, b.start.Add(b.limits.Time), errTimeUp)
}

func (b *Budget) timeUp() string {
	return fmt.Sprintf("the budget of %s is used up, and the reply had not come", short(b.limits.Time))
}

// amount is what a reply has used.
func (b *Budget) amount(resp *Response, price *Price) amount {
	a := amount{calls: 1, tokens: resp.Usage.InputTokens + resp.Usage.OutputTokens}
	switch {
	case resp.Cost != nil:
		a.usd = *resp.Cost
	case price != nil:
		a.usd = price.Cost(resp.Usage)
	}
	return a
}

func (b *Budget) learn(model string, estimate int, u Usage) {
	if estimate == 0 || u.InputTokens == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.ratio[model]
	if l == nil {
		l = &learned{}
		b.ratio[model] = l
	}
	l.add(float64(u.InputTokens) / float64(estimate))
}

// claim reserves the share of a request, or says why it cannot have it.
func (b *Budget) claim(ctx context.Context, model string, price *Price, req *Request, estimate int) (amount, error) {
	c := &claim{model: model, done: make(chan struct{})}
	c.calls = 1
	b.mu.Lock()
	ratio := 1.0
	if l := b.ratio[model]; l != nil {
		ratio = max(l.high(1), 1) // a prompt may differ from those before
	}
	in, out := int(math.Ceil(float64(estimate)*ratio)), maxOutput(req)
	c.tokens = in + out
	switch {
	case price != nil:
		c.usd = price.Cost(Usage{InputTokens: in, OutputTokens: out})
	case b.limits.USD > 0:
		b.mu.Unlock()
		return amount{}, &Error{Kind: KindBudget, Model: model, Unsent: true, Message: fmt.Sprintf(
			"the budget is $%s, and the price of %s is not known, so nobody can tell whether a call fits: set `price` in the model's block", dollars(b.limits.USD), model)}
	}
	b.queue = append(b.queue, c)
	b.decide()
	b.mu.Unlock()
	select {
	case <-c.done:
	default:
		defer waits(ctx)()
		within, cancel := b.within(ctx)
		defer cancel()
		select {
		case <-c.done:
		case <-within.Done():
			b.mu.Lock()
			defer b.mu.Unlock()
			if c.ok {
				return c.amount, nil // in the same moment; what is sent ends at once
			}
			if c.err != nil {
				return amount{}, c.err
			}
			b.queue = slices.DeleteFunc(b.queue, func(x *claim) bool { return x == c })
			b.decide()
			if ctx.Err() == nil {
				return amount{}, b.refuse(c, b.timeUp())
			}
			e := ContextError(ctx, model)
			e.Unsent = true
			e.Message += " (it waited for other calls to leave something of the budget)"
			return amount{}, e
		}
	}
	if c.err != nil {
		return amount{}, c.err
	}
	return c.amount, nil
}

// settle puts what a request has used in place of what was reserved for it.
func (b *Budget) settle(reserved, used amount, unpriced bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.flight--
	b.reserved = b.reserved.add(reserved, -1)
	if b.flight == 0 {
		b.reserved = amount{} // no rounding is left
	}
	b.used = b.used.add(used, 1)
	b.unpriced = b.unpriced || unpriced
	b.decide()
}

// decide goes through those who wait, in their order, as far as there is something
// to tell.
func (b *Budget) decide() {
	for len(b.queue) > 0 {
		c := b.queue[0]
		if reason, certain := b.lacks(c); reason != "" && certain {
			c.err = b.refuse(c, reason)
		} else if reason != "" {
			return // until a request ends
		} else {
			c.ok = true
			b.flight++
			b.reserved = b.reserved.add(c.amount, 1)
		}
		close(c.done)
		b.queue = b.queue[1:]
	}
}

// lacks returns which limit a claim would break, "" for none, and whether it would
// do so even if all requests under way used nothing.
func (b *Budget) lacks(c *claim) (reason string, certain bool) {
	if t := b.limits.Time; t > 0 && time.Since(b.start) >= t {
		return fmt.Sprintf("the budget of %s is used up", short(t)), true
	}
	l, u, r := b.limits, b.used, b.reserved
	if l.Calls > 0 && u.calls+r.calls+c.calls > l.Calls {
		return fmt.Sprintf("%d of %d calls are used%s", u.calls, l.Calls, b.held(fmt.Sprint(r.calls), r.calls > 0)),
			u.calls+c.calls > l.Calls || b.flight == 0
	}
	if l.Tokens > 0 && u.tokens+r.tokens+c.tokens > l.Tokens {
		return fmt.Sprintf("%d of %d tokens are used%s, and the call could take %d", u.tokens, l.Tokens, b.held(fmt.Sprint(r.tokens), r.tokens > 0), c.tokens),
			u.tokens+c.tokens > l.Tokens || b.flight == 0
	}
	if l.USD > 0 && u.usd+r.usd+c.usd > l.USD*(1+1e-12) {
		return fmt.Sprintf("$%s of $%s are used%s, and the call could take $%s", dollars(u.usd), dollars(l.USD), b.held("$"+dollars(r.usd), r.usd > 0), dollars(c.usd)),
			u.usd+c.usd > l.USD*(1+1e-12) || b.flight == 0
	}
	return "", false
}

func (b *Budget) held(what string, any bool) string {
	if !any {
		return ""
	}
	return " and " + what + " reserved for calls under way"
}

func (b *Budget) refuse(c *claim, reason string) *Error {
	return &Error{Kind: KindBudget, Model: c.model, Unsent: true, Message: reason}
}

// dollars writes an amount with as many digits as say something.
func dollars(usd float64) string {
	if usd != 0 && math.Abs(usd) < 0.01 {
		return fmt.Sprintf("%.2g", usd)
	}
	return fmt.Sprintf("%.4g", math.Round(usd*1e4)/1e4)
}
