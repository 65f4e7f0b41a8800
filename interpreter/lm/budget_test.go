package lm_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/lm/lmtest"
)

// paid is a model that counts what it has really used.
type paid struct {
	lm.LM
	calls, tokens atomic.Int64
	mu            sync.Mutex
	usd           float64
}

// TestBudgets runs 500 calls, 64 at a time, some of which fail, and looks at what was
// used in the end and at every moment.
func TestBudgets(t *testing.T) {
	price := &lm.Price{Input: 2000, Output: 8000} // so that a call costs cents
	for _, c := range []struct {
		name   string
		limits lm.BudgetLimits
		most   float64 // share of the limit that must be used
	}{
		{"calls", lm.BudgetLimits{Calls: 200}, 1},
		{"tokens", lm.BudgetLimits{Tokens: 30_000}, 0.98},
		{"usd", lm.BudgetLimits{USD: 150}, 0.98},
		{"all", lm.BudgetLimits{USD: 150, Tokens: 30_000, Calls: 300}, 0},
		{"time", lm.BudgetLimits{Time: 20 * time.Second}, 0},
		{"enough", lm.BudgetLimits{USD: 1e6, Tokens: 1e9, Calls: 2000, Time: time.Hour}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var p paid
				var over atomic.Bool
				source := rand.New(rand.NewPCG(7, 7))
				var mu sync.Mutex
				random := func(n int) int { mu.Lock(); defer mu.Unlock(); return source.IntN(n) }
				m := lmtest.Func(func(ctx context.Context, n int, req *lm.Request) (*lm.Response, error) {
					calls := p.calls.Add(1)
					over.CompareAndSwap(false, c.limits.Calls > 0 && calls > int64(c.limits.Calls))
					in := lm.EstimateInput(req) * 3 / 4
					select {
					case <-time.After(time.Duration(1+random(10_000)) * time.Millisecond):
					case <-ctx.Done():
						return nil, lm.ContextError(ctx, "test/scripted")
					}
					if random(10) == 0 {
						return nil, &lm.Error{Kind: lm.KindServer, Model: "test/scripted", Status: 500}
					}
					u := lm.Usage{InputTokens: in, OutputTokens: 1 + random(*req.MaxTokens)}
					p.mu.Lock()
					p.usd += price.Cost(u)
					usd := p.usd
					p.mu.Unlock()
					tokens := p.tokens.Add(int64(u.InputTokens + u.OutputTokens))
					over.CompareAndSwap(false, c.limits.USD > 0 && usd > c.limits.USD || c.limits.Tokens > 0 && tokens > int64(c.limits.Tokens))
					return &lm.Response{Usage: u}, nil
				})
				whole := lm.WithRetry(lm.WithBudgetOf(lm.WithLimits(lm.WithPrice(m, price), lm.Limits{Concurrency: 64}), price), lm.RetryPolicy{})
				b := lm.NewBudget(c.limits)
				ctx := lm.WithBudget(t.Context(), b)
				var all sync.WaitGroup
				var refused atomic.Int64
				for range 500 {
					req := lmtest.Ask(strings.Repeat("word ", 20+random(40)))
					limit := 100
					req.MaxTokens = &limit
					all.Go(func() {
						_, err := whole.Generate(ctx, req)
						if e := lm.AsError(err); e != nil && e.Kind == lm.KindBudget {
							refused.Add(1)
						} else if e != nil && e.Kind != lm.KindServer {
							t.Error(err)
						}
					})
				}
				all.Wait()
				if over.Load() {
					t.Error("the budget was exceeded")
				}
				u := b.Used()
				if c.name != "time" && (u.Calls != int(p.calls.Load()) || u.Tokens != int(p.tokens.Load()) || u.USD == nil || *u.USD-p.usd > 1e-6 || p.usd-*u.USD > 1e-6) {
					t.Errorf("the budget says %+v, and it was %d calls, %d tokens, $%v", u, p.calls.Load(), p.tokens.Load(), p.usd)
				}
				switch c.name {
				case "enough":
					if refused.Load() != 0 {
						t.Errorf("%d calls were refused", refused.Load())
					}
				case "time":
					if u.Time < 20*time.Second || u.Time > 22*time.Second || refused.Load() == 0 {
						t.Errorf("it took %s, %d refused", u.Time, refused.Load())
					}
				default:
					if refused.Load() == 0 {
						t.Error("nothing was refused")
					}
				}
				share := max(float64(u.Calls)/float64(max(c.limits.Calls, 1)), float64(u.Tokens)/float64(max(c.limits.Tokens, 1)), *u.USD/max(c.limits.USD, 1))
				if c.most > 0 && c.limits.Calls > 0 && u.Calls != c.limits.Calls || c.most > 0 && c.limits.Calls == 0 && (c.limits.Tokens > 0 && float64(u.Tokens) < c.most*float64(c.limits.Tokens) || c.limits.USD > 0 && *u.USD < c.most*c.limits.USD) {
					t.Errorf("only a part of %.3f was used: %+v", share, u)
				}
			})
		})
	}
}

func TestBudgetMessages(t *testing.T) {
	ten := 10
	ask := func() *lm.Request {
		req := lmtest.Ask("hello") // 6 tokens, by estimate
		req.MaxTokens = &ten
		return req
	}
	answer := lmtest.Func(func(_ context.Context, _ int, req *lm.Request) (*lm.Response, error) {
		return &lm.Response{Usage: lm.Usage{InputTokens: 6, OutputTokens: 10}}, nil
	})
	price := &lm.Price{Input: 1000, Output: 1000}
	for _, c := range []struct {
		limits lm.BudgetLimits
		price  *lm.Price
		calls  int // that are allowed
		want   string
	}{
		{lm.BudgetLimits{Calls: 2}, nil, 2, "2 of 2 calls are used"},
		{lm.BudgetLimits{Tokens: 40}, nil, 2, "32 of 40 tokens are used, and the call could take 19"},
		{lm.BudgetLimits{Tokens: 15}, nil, 0, "0 of 15 tokens are used, and the call could take 16"},
		{lm.BudgetLimits{USD: 0.04}, price, 2, "$0.032 of $0.04 are used, and the call could take $0.019"},
		{lm.BudgetLimits{USD: 0.001}, price, 0, "$0 of $0.001 are used, and the call could take $0.016"},
		{lm.BudgetLimits{USD: 1}, nil, 0, "the budget is $1, and the price of test/scripted is not known, so nobody can tell whether a call fits: set `price` in the model's block"},
		{lm.BudgetLimits{Time: -1, Calls: 1}, nil, 1, "1 of 1 calls are used"},
	} {
		ctx := lm.WithBudget(t.Context(), lm.NewBudget(c.limits))
		m := lm.WithBudgetOf(answer, c.price)
		var err error
		n := -1
		for ; err == nil; n++ {
			_, err = m.Generate(ctx, ask())
		}
		e := lm.AsError(err)
		if n != c.calls || e.Kind != lm.KindBudget || e.Message != c.want || !e.Unsent || e.Retryable() {
			t.Errorf("%+v: after %d calls %v\nwant after %d: %s", c.limits, n, err, c.calls, c.want)
		}
	}
	if resp, err := lm.WithBudgetOf(answer, nil).Generate(t.Context(), ask()); err != nil || resp == nil || lm.BudgetOf(t.Context()) != nil {
		t.Errorf("without a budget: %v", err)
	}
	b := lm.NewBudget(lm.BudgetLimits{Calls: 5})
	lm.WithBudgetOf(answer, nil).Generate(lm.WithBudget(t.Context(), b), ask())
	if u := b.Used(); u.USD != nil || u.Tokens != 16 || b.Limits().Calls != 5 {
		t.Errorf("with a price that is not known: %+v", u)
	}
}

// TestBudgetWaits: a call that does not fit beside others waits until they have
// ended, in order, and can be interrupted.
func TestBudgetWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		thousand := 1000
		ask := func() *lm.Request {
			req := lmtest.Ask("hello")
			req.MaxTokens = &thousand
			return req
		}
		m := lm.WithBudgetOf(lmtest.Func(func(_ context.Context, n int, req *lm.Request) (*lm.Response, error) {
			<-time.After(10 * time.Second)
			return &lm.Response{Usage: lm.Usage{InputTokens: 6, OutputTokens: 94}}, nil
		}), nil)
		b := lm.NewBudget(lm.BudgetLimits{Tokens: 1500})
		ctx := lm.WithBudget(t.Context(), b)
		start := time.Now()
		var all sync.WaitGroup
		var mu sync.Mutex
		var ended []time.Duration
		for range 5 {
			all.Go(func() {
				if _, err := m.Generate(ctx, ask()); err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				ended = append(ended, time.Since(start))
			})
			synctest.Wait()
		}
		brief, cancel := context.WithTimeout(ctx, 15*time.Second)
		defer cancel()
		_, err := m.Generate(brief, ask())
		if e := lm.AsError(err); e == nil || e.Kind != lm.KindTimeout || !strings.HasSuffix(e.Message, "(it waited for other calls to leave something of the budget)") {
			t.Errorf("who cannot wait gets %v", err)
		}
		all.Wait()
		if len(ended) != 5 || ended[4] != 50*time.Second || b.Used().Tokens != 500 {
			t.Errorf("ended after %v, %+v", ended, b.Used())
		}
		_, err = m.Generate(ctx, ask()) // 500 and 1,009 do not fit
		if e := lm.AsError(err); e == nil || e.Kind != lm.KindBudget {
			t.Errorf("in the end: %v", err)
		}
	})
}

// TestBudgetSettles: what each end of a request costs.
func TestBudgetSettles(t *testing.T) {
	refusing := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no route") }}
	ten := 10
	for name, c := range map[string]struct {
		m      lm.LM
		calls  int
		tokens int
	}{
		"a reply": {lmtest.Func(func(_ context.Context, _ int, _ *lm.Request) (*lm.Response, error) {
			return &lm.Response{Usage: lm.Usage{InputTokens: 3, OutputTokens: 4}}, nil
		}), 1, 7},
		"a cached reply": {lmtest.Func(func(_ context.Context, _ int, _ *lm.Request) (*lm.Response, error) {
			return &lm.Response{Cached: true, Usage: lm.Usage{InputTokens: 3}}, nil
		}), 0, 0},
		"a refusal":            {failing(&lm.Error{Kind: lm.KindRateLimit, Status: 429}), 1, 0},
		"never sent":           {failing(&lm.Error{Kind: lm.KindTimeout, Unsent: true}), 0, 0},
		"broken off":           {failing(of(lm.KindUnreachable)), 1, 16},
		"unreadable":           {failing(&lm.Error{Kind: lm.KindReply, Status: 200}), 1, 16},
		"too slow":             {failing(of(lm.KindTimeout)), 1, 16},
		"no connection at all": {overHTTP{&http.Client{Transport: refusing}}, 0, 0},
	} {
		b := lm.NewBudget(lm.BudgetLimits{Calls: 5, Tokens: 1000})
		req := lmtest.Ask("hello")
		req.MaxTokens = &ten
		lm.WithBudgetOf(c.m, nil).Generate(lm.WithBudget(t.Context(), b), req)
		if u := b.Used(); u.Calls != c.calls || u.Tokens != c.tokens {
			t.Errorf("%s: %d calls and %d tokens, want %d and %d", name, u.Calls, u.Tokens, c.calls, c.tokens)
		}
	}
}

// TestBudgetTime: what is under way when the time is up ends, and says so.
func TestBudgetTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := lm.WithBudget(t.Context(), lm.NewBudget(lm.BudgetLimits{Time: 10 * time.Second}))
		start := time.Now()
		_, _, err := generate(ctx, lm.WithRetry(lm.WithBudgetOf(hanging(), nil), lm.RetryPolicy{}))
		e := lm.AsError(err)
		if e == nil || e.Kind != lm.KindBudget || e.Message != "the budget of 10s is used up, and the reply had not come" || time.Since(start) != 10*time.Second {
			t.Errorf("%v after %s", err, time.Since(start))
		}
		_, _, err = generate(ctx, lm.WithBudgetOf(hanging(), nil))
		if e := lm.AsError(err); e == nil || e.Kind != lm.KindBudget || e.Message != "the budget of 10s is used up" {
			t.Errorf("afterwards %v", err)
		}
	})
}
