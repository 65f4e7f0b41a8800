package lm_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/lm/lmtest"
)

// book is what a provider would have counted: what was sent and received, and when.
type book struct {
	mu       sync.Mutex
	requests []entry
	tokens   []entry
}

type entry struct {
	at time.Time
	n  int
}

func (b *book) note(list *[]entry, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	*list = append(*list, entry{time.Now(), n})
}

// most returns the most in any 60 seconds, both ends included, and when they ended.
func most(list []entry) (sum int, at time.Time) {
	first, in := 0, 0
	for _, e := range list {
		in += e.n
		for e.at.Sub(list[first].at) > time.Minute {
			in -= list[first].n
			first++
		}
		if in > sum {
			sum, at = in, e.at
		}
	}
	return sum, at
}

// TestEveryMinute sends thousands of calls, at random moments, of random sizes and
// durations, some of which fail, and looks at every window of 60 seconds.
func TestEveryMinute(t *testing.T) {
	for _, c := range []struct {
		limits  lm.Limits
		calls   int
		failing bool
		learned bool // the calls set no max_tokens
	}{
		{lm.Limits{RequestsPerMinute: 500}, 5000, true, false},
		{lm.Limits{RequestsPerMinute: 1}, 20, false, false},
		{lm.Limits{RequestsPerMinute: 37, Concurrency: 3}, 2000, true, false},
		{lm.Limits{TokensPerMinute: 20_000}, 3000, true, false},
		{lm.Limits{TokensPerMinute: 50_000, RequestsPerMinute: 200, Concurrency: 16}, 3000, false, false},
		{lm.Limits{TokensPerMinute: 20_000}, 2000, false, true},
	} {
		t.Run(fmt.Sprintf("%+v", c.limits), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var b book
				source := rand.New(rand.NewPCG(1, 2))
				var mu sync.Mutex
				random := func(n int) int { mu.Lock(); defer mu.Unlock(); return source.IntN(n) }
				m := lmtest.Func(func(ctx context.Context, n int, req *lm.Request) (*lm.Response, error) {
					in := len(req.Messages[0].Content) / (4 + random(3)) // the estimate is an upper bound
					b.note(&b.requests, 1)
					b.note(&b.tokens, in)
					<-time.After(time.Duration(random(90_000)) * time.Millisecond)
					if c.failing && random(4) == 0 {
						return nil, of(lm.KindServer)
					}
					out := 40 + random(20)
					if req.MaxTokens != nil {
						out = 1 + random(*req.MaxTokens)
					}
					b.note(&b.tokens, out)
					return &lm.Response{Text: "x", Usage: lm.Usage{InputTokens: in, OutputTokens: out}}, nil
				})
				limited := lm.WithLimits(m, c.limits)
				var all sync.WaitGroup
				start := time.Now()
				for range c.calls {
					req := lmtest.Ask(strings.Repeat("word ", 1+random(200)))
					if !c.learned {
						limit := 1 + random(300)
						req.MaxTokens = &limit
					}
					wait := time.Duration(random(300_000)) * time.Millisecond
					all.Go(func() {
						<-time.After(wait)
						if _, err := limited.Generate(t.Context(), req); err != nil && lm.AsError(err).Kind != lm.KindServer {
							t.Error(err)
						}
					})
				}
				all.Wait()
				took := time.Since(start)
				if r := c.limits.RequestsPerMinute; r > 0 {
					if n, at := most(b.requests); n > r {
						t.Errorf("%d requests in the minute before %s, and %d are allowed", n, at, r)
					}
					if least := time.Duration((c.calls-1)/r) * time.Minute; took < least {
						t.Errorf("all took %s, which is less than %s", took, least)
					}
				}
				if k := c.limits.TokensPerMinute; k > 0 {
					n, at := most(b.tokens)
					if n > k {
						t.Errorf("%d tokens in the minute before %s, and %d are allowed", n, at, k)
					}
					if c.limits.RequestsPerMinute == 0 && n < k*6/10 {
						t.Errorf("at most %d tokens in a minute of the %d that are allowed: too careful", n, k)
					}
				}
				if len(b.requests) != c.calls {
					t.Errorf("%d requests of %d", len(b.requests), c.calls)
				}
			})
		})
	}
}

// TestPayBack: when replies are longer than was learned and prompts larger than was
// estimated, what was too much is waited off.
func TestPayBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent []time.Duration
		start := time.Now()
		m := lmtest.Func(func(_ context.Context, n int, _ *lm.Request) (*lm.Response, error) {
			sent = append(sent, time.Since(start).Truncate(time.Second))
			<-time.After(time.Second)
			return &lm.Response{Usage: lm.Usage{InputTokens: 3000, OutputTokens: 100}}, nil
		})
		limited := lm.WithLimits(m, lm.Limits{TokensPerMinute: 4000})
		for range 4 { // about 1,010 tokens each, as far as it is known at first
			if _, err := limited.Generate(t.Context(), lmtest.Ask("hello")); err != nil {
				t.Fatal(err)
			}
		}
		// The first call took 3,100 instead of 1,006, so the second, which is taken for
		// as large now, waits until all of it has left the window, and so on.
		const round = time.Minute + time.Second
		want := fmt.Sprint([]time.Duration{0, round, 2 * round, 3 * round})
		if fmt.Sprint(sent) != want {
			t.Errorf("sent at %v, want %s", sent, want)
		}
	})
}

// TestLimitsInOrder: calls go in the order in which they came, also a large one
// before small ones that would fit.
func TestLimitsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var order []string
		m := lmtest.Func(func(_ context.Context, _ int, req *lm.Request) (*lm.Response, error) {
			mu.Lock()
			order = append(order, req.Messages[0].Content[:1])
			mu.Unlock()
			return &lm.Response{Usage: lm.Usage{InputTokens: lm.EstimateInput(req), OutputTokens: *req.MaxTokens}}, nil
		})
		limited := lm.WithLimits(m, lm.Limits{TokensPerMinute: 1000})
		var all sync.WaitGroup
		for i, size := range []int{700, 900, 200, 200, 200} {
			req := lmtest.Ask(fmt.Sprint(i))
			req.MaxTokens = &size
			all.Go(func() { limited.Generate(t.Context(), req) })
			synctest.Wait()
		}
		all.Wait()
		if got := strings.Join(order, ""); len(got) != 5 || got[:2] != "01" {
			t.Errorf("the calls went in the order %s", got)
		}
	})
}

func TestLimitMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := lmtest.Func(func(_ context.Context, _ int, req *lm.Request) (*lm.Response, error) {
			return &lm.Response{Usage: lm.Usage{InputTokens: lm.EstimateInput(req), OutputTokens: 90}}, nil
		})
		for _, c := range []struct {
			limits lm.Limits
			want   string
		}{
			{lm.Limits{RequestsPerMinute: 1}, "(it waited 2s for one of the 1 requests per minute)"},
			{lm.Limits{TokensPerMinute: 150}, "(it waited 2s for 99 of the 150 tokens per minute)"},
		} {
			limited := lm.WithLimits(m, c.limits)
			ninety := 90
			req := lmtest.Ask("hello")
			req.MaxTokens = &ninety
			if _, err := limited.Generate(t.Context(), req); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			_, err := limited.Generate(ctx, req)
			cancel()
			if e := lm.AsError(err); e == nil || e.Kind != lm.KindTimeout || !e.Unsent || !strings.HasSuffix(e.Message, c.want) {
				t.Errorf("it reads %v\nwant the end %s", err, c.want)
			}
			if _, err := limited.Generate(t.Context(), req); err != nil {
				t.Errorf("who waits longer: %v", err)
			}
		}
		limited := lm.WithLimits(m, lm.Limits{TokensPerMinute: 50})
		thousand := 1000
		req := lmtest.Ask("hello")
		req.MaxTokens = &thousand
		_, err := limited.Generate(t.Context(), req)
		if e := lm.AsError(err); e == nil || e.Kind != lm.KindTooLarge || !strings.Contains(e.Message, "the reply may have 1000 (`max_tokens`), and `tokens_per_minute` allows 50") {
			t.Errorf("a call that never fits gives %v", err)
		}
		_, err = limited.Generate(t.Context(), lmtest.Ask(strings.Repeat("word ", 100)))
		if e := lm.AsError(err); e == nil || e.Kind != lm.KindTooLarge || !strings.Contains(e.Message, "the prompt has about 171 tokens") {
			t.Errorf("a prompt that never fits gives %v", err)
		}
	})
}

// TestLimiters: one model has one limiter, however it is come by.
func TestLimiters(t *testing.T) {
	var s lm.Limiters
	a := lm.Limits{Concurrency: 1}
	if s.Of("x", a) != s.Of("x", a) || s.Of("x", a) == s.Of("y", a) || s.Of("x", a) == s.Of("x", lm.Limits{Concurrency: 2}) {
		t.Error("limiters are not by model and limits")
	}
	synctest.Test(t, func(t *testing.T) {
		m := lmtest.Func(func(_ context.Context, _ int, req *lm.Request) (*lm.Response, error) {
			<-time.After(time.Second)
			return lmtest.Text(req, "ok"), nil
		})
		start := time.Now()
		var all sync.WaitGroup
		for range 5 {
			one := s.Of("z", a).Limit(m)
			all.Go(func() { one.Generate(t.Context(), lmtest.Ask("x")) })
		}
		all.Wait()
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("five calls of one model, one at a time, took %s", took)
		}
	})
}
