package lm_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/lm/lmtest"
)

// taking returns a model whose nth call takes so long and then answers with its
// number, or fails when fails[n] says so.
func taking(fails map[int]error, seconds ...int) *lmtest.Recorder {
	return lmtest.Func(func(ctx context.Context, n int, req *lm.Request) (*lm.Response, error) {
		select {
		case <-time.After(time.Duration(seconds[n-1]) * time.Second):
		case <-ctx.Done():
			return nil, lm.ContextError(ctx, "test/scripted")
		}
		if fails[n] != nil {
			return nil, fails[n]
		}
		return &lm.Response{Text: string(rune('0' + n)), Usage: lm.Usage{InputTokens: 10, OutputTokens: n}}, nil
	})
}

func TestHedge(t *testing.T) {
	bad := of(lm.KindServer)
	for name, c := range map[string]struct {
		seconds []int
		fails   map[int]error
		max     int
		text    string // of the winner; "" when all fail
		took    int
		calls   int
		also    int // requests that are paid beside
	}{
		"fast enough":               {[]int{2}, nil, 0, "1", 2, 1, 0},
		"second wins":               {[]int{60, 4}, nil, 0, "2", 7, 2, 1},
		"first wins after all":      {[]int{5, 60}, nil, 0, "1", 5, 2, 1},
		"three":                     {[]int{60, 60, 1}, nil, 2, "3", 7, 3, 2},
		"no more than allowed":      {[]int{20, 30, 1}, nil, 1, "1", 20, 2, 1},
		"first fails early":         {[]int{1}, map[int]error{1: bad}, 0, "", 1, 1, 0},
		"first fails, second wins":  {[]int{4, 5}, map[int]error{1: bad}, 0, "2", 8, 2, 0},
		"second fails, first wins":  {[]int{9, 1}, map[int]error{2: bad}, 0, "1", 9, 2, 0},
		"both fail":                 {[]int{9, 1}, map[int]error{1: bad, 2: of(lm.KindAuth)}, 0, "", 9, 2, 0},
		"a paid failure is counted": {[]int{9, 1}, map[int]error{2: of(lm.KindReply)}, 0, "1", 9, 2, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := taking(c.fails, c.seconds...)
				h := lm.WithHedge(m, lm.HedgePolicy{After: 3 * time.Second, Max: c.max}, &lm.Price{Input: 1e6})
				start := time.Now()
				seen, resp, err := generate(t.Context(), h)
				if took := time.Since(start); took != time.Duration(c.took)*time.Second || m.Calls() != c.calls {
					t.Errorf("%d calls in %s", m.Calls(), took)
				}
				if len(seen) != c.calls-1 {
					t.Errorf("%d further requests were reported: %+v", len(seen), seen)
				}
				for i, a := range seen {
					if a.Event != lm.HedgeSent || a.Number != i+2 || a.Reason != "no reply within 3s" {
						t.Errorf("reported %+v", a)
					}
				}
				if c.text == "" {
					if e := lm.AsError(err); e == nil || e.Kind != lm.KindServer {
						t.Errorf("got %v", err)
					}
					return
				}
				if err != nil || resp.Text != c.text || len(resp.Also) != c.also {
					t.Fatalf("got %+v, %v", resp, err)
				}
				for _, s := range resp.Also {
					if s.Address != "test/scripted" || s.Usage.InputTokens != 2 || !s.Usage.Estimated || s.Cost == nil || *s.Cost != 2 {
						t.Errorf("paid also %+v", s)
					}
				}
			})
		})
	}
}

// TestHedgeOfPieces: who speaks first is heard; who has the whole reply first wins.
func TestHedgeOfPieces(t *testing.T) {
	slow := func(every int, pieces ...string) spoken {
		return spoken{pieces: pieces, every: time.Duration(every) * time.Second}
	}
	for name, c := range map[string]struct {
		replies []spoken
		said    string
		calls   int
		also    int
	}{
		"speaks in time":           {[]spoken{slow(2, "a", "b", "c")}, "abc", 1, 0},
		"the other speaks first":   {[]spoken{slow(60, "a"), slow(2, "x", "y")}, "xy", 2, 1},
		"the other is done first":  {[]spoken{slow(4, "a", "b", "c"), slow(2, "x", "y")}, "a|xy", 2, 1},
		"the speaker breaks off":   {[]spoken{{pieces: []string{"a"}, every: 4 * time.Second, err: of(lm.KindReply)}, slow(6, "x", "y")}, "a|xy", 2, 1},
		"another speaks at once":   {[]spoken{{pieces: []string{"a", "b"}, every: 4 * time.Second, err: of(lm.KindReply)}, slow(3, "x", "y", "z")}, "ab|xyz", 2, 1},
		"first speaks before both": {[]spoken{slow(4, "a", "b"), slow(30, "x")}, "ab", 2, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := speaking(c.replies...)
				said, resp, err := listen(t.Context(), lm.WithHedge(m, lm.HedgePolicy{After: 3 * time.Second}, nil))
				if err != nil || said != c.said || m.Calls() != c.calls || len(resp.Also) != c.also {
					t.Errorf("said %q in %d calls, %+v, %v; want %q", said, m.Calls(), resp, err, c.said)
				}
			})
		})
	}
}

// TestHedgeInLine: the time in which a request waits for its turn does not count.
func TestHedgeInLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := taking(nil, 2, 2, 2, 2, 2, 2)
		h := lm.WithHedge(lm.WithLimits(m, lm.Limits{Concurrency: 1}), lm.HedgePolicy{After: 3 * time.Second}, nil)
		var all sync.WaitGroup
		for range 6 {
			all.Go(func() {
				resp, err := h.Generate(t.Context(), lmtest.Ask("x"))
				if err != nil || len(resp.Also) != 0 {
					t.Errorf("%+v, %v", resp, err)
				}
			})
		}
		all.Wait()
		if m.Calls() != 6 {
			t.Errorf("%d calls", m.Calls())
		}
		// A hedge that is still in line when the first is answered was not sent.
		m = taking(nil, 8, 1)
		h = lm.WithHedge(lm.WithLimits(m, lm.Limits{RequestsPerMinute: 1}), lm.HedgePolicy{After: 3 * time.Second}, nil)
		if resp, err := h.Generate(t.Context(), lmtest.Ask("x")); err != nil || len(resp.Also) != 0 || m.Calls() != 1 {
			t.Errorf("%+v, %v, %d calls", resp, err, m.Calls())
		}
	})
}

func TestHedgeEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		h := lm.WithHedge(hanging(), lm.HedgePolicy{After: time.Second}, nil)
		_, err := h.Generate(ctx, lmtest.Ask("x"))
		if e := lm.AsError(err); e == nil || e.Kind != lm.KindTimeout || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("past the deadline: %v", err)
		}
		m := lmtest.Func(func(context.Context, int, *lm.Request) (*lm.Response, error) { panic("a bug") })
		defer func() {
			if p := recover(); p != "a bug" {
				t.Errorf("a panic of the model became %v", p)
			}
		}()
		lm.WithHedge(m, lm.HedgePolicy{After: time.Second}, nil).Generate(t.Context(), lmtest.Ask("x"))
	})
}
