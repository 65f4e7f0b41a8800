package lm_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/lm/lmtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// failing returns a model that fails with each of errs in turn, and then answers.
func failing(errs ...error) *lmtest.Recorder {
	return lmtest.Func(func(_ context.Context, n int, req *lm.Request) (*lm.Response, error) {
		if n <= len(errs) {
			return nil, errs[n-1]
		}
		return lmtest.Text(req, "done"), nil
	})
}

func repeated(n int, err error) []error {
	errs := make([]error, n)
	for i := range errs {
		errs[i] = err
	}
	return errs
}

func of(kind lm.Kind) *lm.Error { return &lm.Error{Kind: kind, Model: "test/scripted"} }

// generate calls m once and returns what the observer saw.
func generate(ctx context.Context, m lm.LM) ([]lm.Attempt, *lm.Response, error) {
	var seen []lm.Attempt
	resp, err := m.Generate(lm.WithObserver(ctx, func(a lm.Attempt) { seen = append(seen, a) }), lmtest.Ask("hello"))
	return seen, resp, err
}

func TestRetryKinds(t *testing.T) {
	for kind, again := range map[lm.Kind]bool{
		lm.KindRateLimit: true, lm.KindTimeout: true, lm.KindUnreachable: true, lm.KindServer: true, lm.KindReply: true,
		lm.KindAuth: false, lm.KindNoKey: false, lm.KindRequest: false, lm.KindCanceled: false,
	} {
		synctest.Test(t, func(t *testing.T) {
			m := failing(of(kind))
			seen, resp, err := generate(t.Context(), lm.WithRetry(m, lm.RetryPolicy{}))
			if again && (err != nil || resp.Text != "done" || m.Calls() != 2 || len(seen) != 2) {
				t.Errorf("%s: %v after %d calls, %d attempts seen; want it tried again", kind, err, m.Calls(), len(seen))
			}
			if !again && (err == nil || m.Calls() != 1 || len(seen) != 1 || seen[0].Wait != 0) {
				t.Errorf("%s: %v after %d calls; want it not tried again", kind, err, m.Calls())
			}
		})
	}
}

// TestBackoff: each pause lies under its ceiling, the ceilings double up to Max, and
// the pauses are spread over the whole width.
func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := lm.RetryPolicy{Attempts: 8, Base: 100 * time.Millisecond, Max: time.Second}
		ceilings := []time.Duration{100, 200, 400, 800, 1000, 1000, 1000}
		longest := make([]time.Duration, len(ceilings))
		shortest := make([]time.Duration, len(ceilings))
		for round := range 200 {
			start := time.Now()
			m := failing(repeated(8, of(lm.KindServer))...)
			seen, _, err := generate(t.Context(), lm.WithRetry(m, policy))
			e := lm.AsError(err)
			if e == nil || e.Kind != lm.KindServer || e.Attempts != 8 || m.Calls() != 8 || len(seen) != 8 {
				t.Fatalf("%v after %d calls", err, m.Calls())
			}
			var waited time.Duration
			for i, a := range seen[:7] {
				ceiling := ceilings[i] * time.Millisecond
				if a.Wait <= 0 || a.Wait > ceiling || a.Number != i+1 || a.Of != 8 || a.Err == nil || a.Err.Attempts != i+1 {
					t.Fatalf("attempt %+v; its pause must lie in (0, %s]", a, ceiling)
				}
				waited += a.Wait
				longest[i] = max(longest[i], a.Wait)
				if round == 0 || a.Wait < shortest[i] {
					shortest[i] = a.Wait
				}
			}
			if seen[7].Wait != 0 {
				t.Errorf("a pause of %s follows the last attempt", seen[7].Wait)
			}
			if e.Elapsed != waited || time.Since(start) != waited {
				t.Errorf("elapsed %s and %s on the clock, pauses of %s", e.Elapsed, time.Since(start), waited)
			}
		}
		for i, ceiling := range ceilings {
			if ceiling *= time.Millisecond; longest[i] < ceiling*8/10 || shortest[i] > ceiling*2/10 {
				t.Errorf("the pauses after attempt %d lie in [%s, %s], want them spread over [0, %s]", i+1, shortest[i], longest[i], ceiling)
			}
		}
	})
}

// TestDefaults: an empty policy is the documented one, and strange ones do no harm.
func TestDefaults(t *testing.T) {
	for _, c := range []struct {
		policy   lm.RetryPolicy
		attempts int
		most     time.Duration // of all pauses
	}{
		{lm.RetryPolicy{}, 3, 1500 * time.Millisecond},
		{lm.RetryPolicy{Attempts: 1}, 1, 0},
		{lm.RetryPolicy{Attempts: -1, Base: -1, Max: -1}, 3, 1500 * time.Millisecond},
		{lm.RetryPolicy{Attempts: 3, Base: time.Hour, Max: time.Second}, 3, 2 * time.Second},
		{lm.RetryPolicy{Attempts: 100, Base: 1, Max: 1<<63 - 1}, 100, 1<<63 - 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			m := failing(repeated(min(c.attempts, 40), of(lm.KindServer))...)
			start := time.Now()
			seen, _, err := generate(t.Context(), lm.WithRetry(m, c.policy))
			if want := min(c.attempts, 41); len(seen) != want {
				t.Errorf("%+v: %d attempts, want %d (%v)", c.policy, len(seen), want, err)
			}
			if took := time.Since(start); took > c.most {
				t.Errorf("%+v: took %s, want at most %s", c.policy, took, c.most)
			}
		})
	}
	if p := lm.DefaultRetry(); p != (lm.RetryPolicy{Attempts: 3, Base: 500 * time.Millisecond, Max: 30 * time.Second}) {
		t.Errorf("the default policy is %+v", p)
	}
}

func TestRetryAfter(t *testing.T) {
	asks := func(d time.Duration) *lm.Error {
		return &lm.Error{Kind: lm.KindRateLimit, Model: "test/scripted", Status: 429, Message: "slow down", RetryAfter: d}
	}
	policy := lm.RetryPolicy{Attempts: 2, Base: time.Second, Max: 30 * time.Second}
	for name, c := range map[string]struct {
		asked       time.Duration
		deadline    time.Duration // 0 for none
		least, most time.Duration // of the pause; 0 when the call must fail at once
		gaveUp      string
	}{
		"obeyed":                    {10 * time.Second, 0, 10 * time.Second, 11 * time.Second, ""},
		"as long as allowed":        {30 * time.Second, 0, 30 * time.Second, 30 * time.Second, ""},
		"longer than allowed":       {2 * time.Minute, 0, 0, 0, "the provider asks to wait 2m, and the longest pause allowed is 30s (`max` of `retry`)"},
		"within the deadline":       {10 * time.Second, time.Minute, 10 * time.Second, 11 * time.Second, ""},
		"just within the deadline":  {10 * time.Second, 10*time.Second + 1, 10 * time.Second, 10*time.Second + 1, ""},
		"longer than the deadline":  {10 * time.Second, 5 * time.Second, 0, 0, "the provider asks to wait 10s, and the run has only 5s left"},
		"not said, deadline passed": {0, time.Nanosecond, 0, 0, "the pause before the next attempt is longer than the 0s the run has left"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				if c.deadline > 0 {
					ctx, cancel = context.WithTimeout(ctx, c.deadline)
				}
				defer cancel()
				start := time.Now()
				m := failing(asks(c.asked))
				seen, _, err := generate(ctx, lm.WithRetry(m, policy))
				took := time.Since(start)
				if c.gaveUp != "" {
					e := lm.AsError(err)
					if e == nil || e.GaveUp != c.gaveUp || e.RetryAfter != c.asked || e.Status != 429 || e.Attempts != 1 || took != 0 {
						t.Errorf("after %s: %+v\nwant at once: %s", took, err, c.gaveUp)
					}
					if !strings.HasSuffix(err.Error(), "slow down; not tried again: "+c.gaveUp) {
						t.Errorf("the error reads %q", err)
					}
					return
				}
				if err != nil || took < c.least || took > c.most || seen[0].Wait != took {
					t.Errorf("after %s, a pause of %s: %v; want it within [%s, %s]", took, seen[0].Wait, err, c.least, c.most)
				}
			})
		})
	}
	t.Run("callers are spread", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			distinct := map[time.Duration]bool{}
			for range 50 {
				seen, _, _ := generate(t.Context(), lm.WithRetry(failing(asks(10*time.Second)), policy))
				distinct[seen[0].Wait] = true
			}
			if len(distinct) < 40 {
				t.Errorf("50 callers that were told the same come back at %d moments", len(distinct))
			}
		})
	})
}

func TestRetryInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		m := failing(repeated(9, &lm.Error{Kind: lm.KindServer, Model: "test/scripted", Status: 500, Message: "oh", RetryAfter: time.Minute})...)
		failed := make(chan error)
		go func() {
			_, _, err := generate(ctx, lm.WithRetry(m, lm.RetryPolicy{Max: time.Hour}))
			failed <- err
		}()
		synctest.Wait() // it sleeps
		start := time.Now()
		cancel(errors.New("Ctrl-C"))
		err := <-failed
		e := lm.AsError(err)
		if e == nil || e.Kind != lm.KindCanceled || e.Attempts != 1 || !errors.Is(err, context.Canceled) || time.Since(start) != 0 {
			t.Fatalf("the failure is %+v after %s", e, time.Since(start))
		}
		const want = "test/scripted: canceled: the call was interrupted: Ctrl-C (while waiting to try again after attempt 1 of 3: test/scripted: server (HTTP 500): oh)"
		if err.Error() != want {
			t.Errorf("it reads\n%s\nwant\n%s", err, want)
		}
	})
}

// TestForeignErrors: an LM that fails with other errors than it may, or with one
// error for all calls, is dealt with.
func TestForeignErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("a bug")
		m := failing(cause)
		_, _, err := generate(t.Context(), lm.WithRetry(m, lm.RetryPolicy{}))
		if e := lm.AsError(err); e == nil || e.Kind != lm.KindRequest || !errors.Is(err, cause) || m.Calls() != 1 {
			t.Errorf("a foreign error gives %v", err)
		}
		shared := of(lm.KindServer)
		_, _, err = generate(t.Context(), lm.WithRetry(failing(repeated(3, fmt.Errorf("wrapped: %w", shared))...), lm.RetryPolicy{}))
		if lm.AsError(err).Attempts != 3 || shared.Attempts != 0 {
			t.Errorf("the model's own error was changed: %+v", shared)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, _, err = generate(ctx, lm.WithRetry(raw{context.Canceled}, lm.RetryPolicy{}))
		if lm.AsError(err).Kind != lm.KindCanceled {
			t.Errorf("a bare context error gives %v", err)
		}
	})
}

// raw is a model that breaks its contract: it fails with any error.
type raw struct{ err error }

func (r raw) Generate(context.Context, *lm.Request) (*lm.Response, error) { return nil, r.err }
func (r raw) Features() lm.Features                                       { return lm.Features{} }
func (r raw) Address() string                                             { return "test/raw" }

func TestObservers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var order []string
		ctx := lm.WithObserver(t.Context(), func(a lm.Attempt) { order = append(order, fmt.Sprint("outer ", a.Number)) })
		ctx = lm.WithObserver(ctx, func(a lm.Attempt) {
			order = append(order, fmt.Sprint("inner ", a.Number, " ", a.Duration, " ", a.Err == nil, " ", a.Model))
		})
		m := lmtest.Func(func(_ context.Context, n int, req *lm.Request) (*lm.Response, error) {
			<-time.After(time.Duration(n) * time.Second)
			if n == 1 {
				return nil, of(lm.KindReply)
			}
			return lmtest.Text(req, "ok"), nil
		})
		if _, err := lm.WithRetry(m, lm.RetryPolicy{}).Generate(ctx, lmtest.Ask("x")); err != nil {
			t.Fatal(err)
		}
		want := "outer 1, inner 1 1s false test/scripted, outer 2, inner 2 2s true test/scripted"
		if got := strings.Join(order, ", "); got != want {
			t.Errorf("observed %s\nwant %s", got, want)
		}
	})
}

// hanging is a model that answers only when its context is over.
func hanging() *lmtest.Recorder {
	return lmtest.Func(func(ctx context.Context, _ int, _ *lm.Request) (*lm.Response, error) {
		<-ctx.Done()
		return nil, lm.ContextError(ctx, "test/scripted")
	})
}

func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// The limit is each attempt's.
		m := hanging()
		start := time.Now()
		seen, _, err := generate(t.Context(), lm.WithRetry(lm.WithTimeout(m, time.Minute), lm.RetryPolicy{Attempts: 2, Base: time.Nanosecond}))
		e := lm.AsError(err)
		if e == nil || e.Kind != lm.KindTimeout || e.Message != "no whole reply within 1m" || !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("the failure is %+v", e)
		}
		if took := time.Since(start); m.Calls() != 2 || took < 2*time.Minute || took > 2*time.Minute+time.Second || seen[0].Duration != time.Minute {
			t.Errorf("%d calls in %s", m.Calls(), took)
		}

		// The caller's own deadline is something else, and is not tried again.
		m = hanging()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		_, _, err = generate(ctx, lm.WithRetry(lm.WithTimeout(m, time.Minute), lm.RetryPolicy{}))
		if e := lm.AsError(err); e == nil || e.Kind != lm.KindTimeout || strings.Contains(e.Message, "1m") || m.Calls() != 1 {
			t.Errorf("with a deadline of the run: %v after %d calls", err, m.Calls())
		}

		// So is an interruption.
		ctx, interrupt := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, interrupt)
		_, _, err = generate(ctx, lm.WithTimeout(hanging(), time.Minute))
		if e := lm.AsError(err); e == nil || e.Kind != lm.KindCanceled {
			t.Errorf("interrupted: %v", err)
		}

		// A model that does not say why it ended, and one that says something else.
		slow := func(err error) lm.LM {
			return lmtest.Func(func(ctx context.Context, _ int, _ *lm.Request) (*lm.Response, error) {
				<-ctx.Done()
				return nil, err
			})
		}
		for _, c := range []struct {
			err  error
			want lm.Kind
		}{
			{of(lm.KindUnreachable), lm.KindTimeout}, {of(lm.KindCanceled), lm.KindTimeout},
			{context.DeadlineExceeded, lm.KindTimeout}, {of(lm.KindAuth), lm.KindAuth}, {of(lm.KindServer), lm.KindServer},
		} {
			_, _, err = generate(t.Context(), lm.WithTimeout(slow(c.err), 90*time.Second))
			e := lm.AsError(err)
			if e == nil || e.Kind != c.want || c.want == lm.KindTimeout && e.Message != "no whole reply within 1m30s" {
				t.Errorf("%v when the limit passes gives %v, want %s", c.err, err, c.want)
			}
		}

		// No limit adds nothing.
		if m := hanging(); lm.WithTimeout(m, 0) != lm.LM(m) || lm.WithTimeout(m, -1) != lm.LM(m) {
			t.Error("a timeout of zero is one")
		}
	})
}

func TestLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const places, calls = 4, 100
		var running, most atomic.Int64
		m := lmtest.Func(func(ctx context.Context, _ int, req *lm.Request) (*lm.Response, error) {
			n := running.Add(1)
			defer running.Add(-1)
			for {
				old := most.Load()
				if n <= old || most.CompareAndSwap(old, n) {
					break
				}
			}
			<-time.After(time.Second)
			return lmtest.Text(req, "ok"), nil
		})
		limited := lm.WithLimits(m, lm.Limits{Concurrency: places})
		start := time.Now()
		var all sync.WaitGroup
		for range calls {
			all.Go(func() {
				if _, err := limited.Generate(t.Context(), lmtest.Ask("x")); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if most.Load() != places || time.Since(start) != calls/places*time.Second {
			t.Errorf("%d calls ran at once and all took %s; want %d and %ds", most.Load(), time.Since(start), places, calls/places)
		}
	})
}

// TestLimitWaiting: waiting for a place ends with the context, costs no time of the
// timeout, and gives its place to others; a failed call gives its place back.
func TestLimitWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		busy := lmtest.Func(func(ctx context.Context, n int, req *lm.Request) (*lm.Response, error) {
			if n == 1 {
				<-time.After(10 * time.Second)
				return nil, of(lm.KindAuth)
			}
			return lmtest.Text(req, "ok"), nil
		})
		m := lm.WithLimits(lm.WithTimeout(busy, 15*time.Second), lm.Limits{Concurrency: 1})
		var all sync.WaitGroup
		all.Go(func() { generate(t.Context(), m) })
		synctest.Wait()
		all.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			_, _, err := generate(ctx, m)
			if e := lm.AsError(err); e == nil || e.Kind != lm.KindTimeout || !strings.Contains(e.Message, "it waited 3s for one of the 1 calls") {
				t.Errorf("waiting past the deadline gives %v", err)
			}
		})
		all.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			_, _, err := generate(ctx, m)
			if e := lm.AsError(err); e == nil || e.Kind != lm.KindCanceled {
				t.Errorf("an interruption while waiting gives %v", err)
			}
		})
		all.Go(func() {
			if _, _, err := generate(t.Context(), m); err != nil {
				t.Errorf("the next in line fails: %v", err)
			}
		})
		all.Wait()
		if busy.Calls() != 2 {
			t.Errorf("%d calls", busy.Calls())
		}
		if lm.WithLimits(busy, lm.Limits{}) != lm.LM(busy) {
			t.Error("no limit is one")
		}
	})
}

// TestPauseTakesNoPlace: while one call waits to be tried again, others run.
func TestPauseTakesNoPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := failing(&lm.Error{Kind: lm.KindRateLimit, Model: "test/scripted", RetryAfter: 10 * time.Second})
		whole := lm.WithRetry(lm.WithLimits(m, lm.Limits{Concurrency: 1}), lm.RetryPolicy{})
		var all sync.WaitGroup
		all.Go(func() { generate(t.Context(), whole) })
		synctest.Wait() // it pauses
		start := time.Now()
		if _, _, err := generate(t.Context(), whole); err != nil || time.Since(start) != 0 {
			t.Errorf("the other call: %v after %s", err, time.Since(start))
		}
		all.Wait()
		if whole.Address() != "test/scripted" {
			t.Errorf("the address is %q", whole.Address())
		}
	})
}

func TestParamsOr(t *testing.T) {
	f, n := 0.5, 7
	full := lm.Params{Temperature: &f, TopP: &f, MaxTokens: &n, Seed: &n, Stop: []string{"x"}}
	if got := (lm.Params{}).Or(full); got.Temperature != &f || got.TopP != &f || got.MaxTokens != &n || got.Seed != &n || len(got.Stop) != 1 {
		t.Errorf("defaults are not taken: %+v", got)
	}
	g := 0.0
	if got := (lm.Params{Temperature: &g, Stop: []string{}}).Or(full); got.Temperature != &g || len(got.Stop) != 0 {
		t.Errorf("set parameters are not kept: %+v", got)
	}
}

func TestEstimateUsage(t *testing.T) {
	got := lm.EstimateUsage([]lm.Message{{Content: "日本語"}, {Content: "ab"}}, "")
	if got != (lm.Usage{InputTokens: 2, Estimated: true}) {
		t.Errorf("got %+v", got)
	}
}

func TestUsageAndCost(t *testing.T) {
	sum := lm.Usage{InputTokens: 1_000_000, OutputTokens: 1}.Add(lm.Usage{InputTokens: 1, OutputTokens: 1_999_999, Estimated: true})
	if sum != (lm.Usage{InputTokens: 1_000_001, OutputTokens: 2_000_000, Estimated: true}) {
		t.Errorf("the sum is %+v", sum)
	}
	if got := (lm.Price{Input: 0.5, Output: 2}).Cost(lm.Usage{InputTokens: 2_000_000, OutputTokens: 500_000}); got != 2 {
		t.Errorf("the cost is %v", got)
	}
	kept, writes := 0.1, 1.25
	u := lm.Usage{InputTokens: 1_000_000, OutputTokens: 100_000, CachedTokens: 200_000, CacheWriteTokens: 400_000}
	for _, c := range []struct {
		price lm.Price
		want  float64
	}{
		{lm.Price{Input: 1, Output: 5}, 1.5},
		{lm.Price{Input: 1, Output: 5, CachedInput: &kept}, 0.8 + 0.02 + 0.5},
		{lm.Price{Input: 1, Output: 5, CacheWrite: &writes}, 0.6 + 0.5 + 0.5},
		{lm.Price{Input: 1, Output: 5, CachedInput: &kept, CacheWrite: &writes}, 0.4 + 0.02 + 0.5 + 0.5},
	} {
		if got := c.price.Cost(u); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%+v: the cost is %v, want %v", c.price, got, c.want)
		}
	}
	if sum := u.Add(u); sum.CacheWriteTokens != 800_000 || sum.CachedTokens != 400_000 {
		t.Errorf("the sum is %+v", sum)
	}
}
