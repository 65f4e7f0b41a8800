package lm_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/lm/lmtest"
)

func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		healthy := false
		m := lmtest.Func(func(_ context.Context, _ int, req *lm.Request) (*lm.Response, error) {
			if healthy {
				return lmtest.Text(req, "ok"), nil
			}
			return nil, &lm.Error{Kind: lm.KindServer, Model: "test/scripted", Status: 503, Message: "closed for today"}
		})
		b := lm.WithBreaker(m, lm.BreakerPolicy{Failures: 3, Cooldown: 10 * time.Second})
		call := func() *lm.Error {
			_, err := b.Generate(t.Context(), lmtest.Ask("x"))
			return lm.AsError(err)
		}
		for range 3 {
			if e := call(); e.Kind != lm.KindServer {
				t.Fatal(e)
			}
		}
		<-time.After(4 * time.Second)
		e := call()
		const want = "test/scripted: open: 3 calls one after another have failed, so none is sent for 6s more; the last: server (HTTP 503): closed for today"
		if e == nil || e.Error() != want || e.RetryAfter != 6*time.Second || !e.Unsent || e.Retryable() || m.Calls() != 3 {
			t.Fatalf("it reads %v\nwant %s", e, want)
		}
		var last *lm.Error
		if !errors.As(e.Err, &last) || last.Status != 503 {
			t.Errorf("the last failure is %v", e.Err)
		}
		// The probe fails: another cool-down. Then it is answered.
		<-time.After(6 * time.Second)
		if e := call(); e.Kind != lm.KindServer {
			t.Errorf("the probe gives %v", e)
		}
		if e := call(); e.Kind != lm.KindOpen || e.RetryAfter != 10*time.Second {
			t.Errorf("after the probe: %+v", e)
		}
		healthy = true
		<-time.After(10 * time.Second)
		if e := call(); e != nil {
			t.Errorf("the probe gives %v", e)
		}
		if e := call(); e != nil || m.Calls() != 6 {
			t.Errorf("after it: %v, %d calls", e, m.Calls())
		}
		healthy = false
		for range 2 {
			call()
		}
		if e := call(); e.Kind != lm.KindServer {
			t.Errorf("old failures count: %v", e)
		}
	})
}

// TestBreakerProbes: while the probe is under way, others fail at once.
func TestBreakerProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := lmtest.Func(func(_ context.Context, n int, req *lm.Request) (*lm.Response, error) {
			if n == 1 {
				return nil, of(lm.KindUnreachable)
			}
			<-time.After(time.Second)
			return lmtest.Text(req, "ok"), nil
		})
		b := lm.WithBreaker(m, lm.BreakerPolicy{Failures: 1, Cooldown: time.Second})
		b.Generate(t.Context(), lmtest.Ask("x"))
		<-time.After(time.Second)
		var all sync.WaitGroup
		all.Go(func() { b.Generate(t.Context(), lmtest.Ask("x")) })
		synctest.Wait()
		_, err := b.Generate(t.Context(), lmtest.Ask("x"))
		if e := lm.AsError(err); e == nil || e.Kind != lm.KindOpen || !strings.Contains(e.Message, "until a first one, which is under way, is answered") {
			t.Errorf("beside the probe: %v", err)
		}
		all.Wait()
		if _, err := b.Generate(t.Context(), lmtest.Ask("x")); err != nil {
			t.Error(err)
		}
	})
}

// TestBreakerCounts: what counts as a failure, and in which order.
func TestBreakerCounts(t *testing.T) {
	type step struct {
		kind lm.Kind       // "" for an answer
		took time.Duration // all begin together, one after another
	}
	fail := step{lm.KindServer, 0}
	for name, c := range map[string]struct {
		steps []step
		open  bool
	}{
		"three":                     {[]step{fail, fail, fail}, true},
		"two":                       {[]step{fail, fail}, false},
		"an answer between":         {[]step{fail, fail, {"", 0}, fail, fail}, false},
		"an answer later":           {[]step{fail, {"", 5}, fail, fail, {"", 9}}, false},
		"fast failures, slow reply": {[]step{{"", 5}, fail, {"", 5}, fail, {"", 5}, fail, {"", 5}, fail}, false},
		"slow failures":             {[]step{{lm.KindTimeout, 9}, {lm.KindReply, 5}, {lm.KindUnreachable, 7}}, true},
		"refusals are answers":      {[]step{fail, fail, {lm.KindAuth, 0}, fail, fail, {lm.KindRequest, 0}, fail, {lm.KindRateLimit, 0}}, false},
		"too many requests":         {[]step{{lm.KindRateLimit, 0}, {lm.KindRateLimit, 0}, {lm.KindRateLimit, 0}}, false},
		"interruptions say nothing": {[]step{fail, {lm.KindCanceled, 0}, fail, {lm.KindBudget, 0}, fail}, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := lmtest.Func(func(_ context.Context, n int, req *lm.Request) (*lm.Response, error) {
					if n > len(c.steps) {
						return lmtest.Text(req, "ok"), nil
					}
					s := c.steps[n-1]
					if s.took > 0 {
						<-time.After(s.took * time.Second)
					}
					if s.kind == "" {
						return lmtest.Text(req, "ok"), nil
					}
					return nil, of(s.kind)
				})
				b := lm.WithBreaker(m, lm.BreakerPolicy{Failures: 3, Cooldown: time.Hour})
				var all sync.WaitGroup
				for range c.steps {
					all.Go(func() { b.Generate(t.Context(), lmtest.Ask("x")) })
					synctest.Wait()
				}
				all.Wait()
				_, err := b.Generate(t.Context(), lmtest.Ask("x"))
				if open := err != nil && lm.AsError(err).Kind == lm.KindOpen; open != c.open {
					t.Errorf("open is %v (%v)", open, err)
				}
			})
		})
	}
}

// TestBreakerUnderRetry: a call whose attempts opened the circuit waits for it, one
// that begins fails at once.
func TestBreakerUnderRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := failing(repeated(2, of(lm.KindServer))...)
		b := lm.WithBreaker(m, lm.BreakerPolicy{Failures: 2, Cooldown: 10 * time.Second})
		seen, _, err := generate(t.Context(), lm.WithRetry(b, lm.RetryPolicy{Attempts: 5, Base: time.Millisecond}))
		if err != nil || len(seen) != 4 || seen[2].Err.Kind != lm.KindOpen || seen[2].Wait < 9*time.Second {
			t.Errorf("%v after %+v", err, seen)
		}
		m = failing(repeated(9, of(lm.KindServer))...)
		b = lm.WithBreaker(m, lm.BreakerPolicy{Failures: 1, Cooldown: 10 * time.Second})
		generate(t.Context(), b)
		seen, _, err = generate(t.Context(), lm.WithRetry(b, lm.RetryPolicy{}))
		if e := lm.AsError(err); e.Kind != lm.KindOpen || len(seen) != 1 {
			t.Errorf("%v after %d attempts", err, len(seen))
		}
	})
}
