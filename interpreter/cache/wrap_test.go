package cache_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dspi-lang/dspi/interpreter/cache"
	"github.com/dspi-lang/dspi/interpreter/lm"
)

// model answers by a function, and counts how often it is asked.
type model struct {
	mu     sync.Mutex
	asked  int
	answer func(ctx context.Context, req *lm.Request) (*lm.Response, error)
}

func (m *model) Generate(ctx context.Context, req *lm.Request) (*lm.Response, error) {
	m.mu.Lock()
	m.asked++
	m.mu.Unlock()
	return m.answer(ctx, req)
}
func (m *model) Address() string       { return "test/model" }
func (m *model) Features() lm.Features { return lm.Features{Tools: true} }

func (m *model) times() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.asked
}

func says(r lm.Response) *model {
	return &model{answer: func(context.Context, *lm.Request) (*lm.Response, error) { c := r; return &c, nil }}
}

func question(text string) *lm.Request {
	return &lm.Request{Messages: []lm.Message{{Role: lm.User, Content: text}}}
}

func wrap(t *testing.T, m lm.LM) lm.LM {
	t.Helper()
	return cache.Wrap(m, cache.Memory(0), cache.Options{Failed: func(err error) { t.Error(err) }})
}

func TestHit(t *testing.T) {
	usd := 0.5
	whole := lm.Response{
		Text: "four <&>", Reasoning: "2 and 2", Finish: lm.FinishTools,
		ToolCalls: []lm.ToolCall{{ID: "1", Name: "add", Arguments: json.RawMessage(`{"a":2}`)}, {ID: "2", Name: "odd", Arguments: json.RawMessage(`{no json`)}},
		Usage:     lm.Usage{InputTokens: 7, OutputTokens: 3, CachedTokens: 1}, Model: "model-2026", Raw: json.RawMessage(`{"raw":1}`),
		Cost: &usd, Also: []lm.Spent{{Address: "test/other"}},
	}
	m := says(whole)
	c := wrap(t, m)
	first, err := c.Generate(t.Context(), question("2 + 2"))
	if err != nil || first.Cached || *first.Cost != 0.5 || len(first.Also) != 1 || string(first.Raw) != `{"raw":1}` {
		t.Fatalf("the first is %+v, %v", first, err)
	}
	req := question("2 + 2")
	var pieces []lm.Delta
	req.OnDelta = func(d lm.Delta) { pieces = append(pieces, d) }
	second, err := c.Generate(t.Context(), req)
	if err != nil || m.times() != 1 {
		t.Fatalf("asked %d times, %v", m.times(), err)
	}
	if !second.Cached || second.Cost == nil || *second.Cost != 0 || second.Also != nil {
		t.Errorf("a kept reply costs: %+v", second)
	}
	first.Cached, first.Cost, first.Also, first.Raw = true, second.Cost, nil, nil
	if a, b := fmt.Sprintf("%+v", *first), fmt.Sprintf("%+v", *second); a != b {
		t.Errorf("kept as\n%s\nwant\n%s", b, a)
	}
	if len(pieces) != 1 || pieces[0].Text != whole.Text || pieces[0].Reasoning != whole.Reasoning {
		t.Errorf("the pieces are %+v", pieces)
	}
	fresh := question("2 + 2")
	fresh.Rollout = 1
	if resp, _ := c.Generate(t.Context(), fresh); resp.Cached || m.times() != 2 {
		t.Error("another rollout is no new sample")
	}
	if c.Address() != "test/model" || !c.Features().Tools {
		t.Error("the wrapper hides the model")
	}
}

func TestWhatIsNotKept(t *testing.T) {
	for name, resp := range map[string]lm.Response{
		"cut":       {Text: "a", Finish: lm.FinishLength},
		"filtered":  {Text: "a", Finish: lm.FinishFilter},
		"unknown":   {Text: "a", Finish: "pause_turn"},
		"no reason": {Text: "a"},
		"empty":     {Finish: lm.FinishStop},
		"no UTF-8":  {Text: "a\xff", Finish: lm.FinishStop},
		"kept":      {Text: "a", Finish: lm.FinishStop, Cached: true},
	} {
		m := says(resp)
		c := wrap(t, m)
		for range 2 {
			if got, err := c.Generate(t.Context(), question("q")); err != nil || got.Text != resp.Text {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
		}
		if m.times() != 2 {
			t.Errorf("%s: asked %d times", name, m.times())
		}
	}
	m := &model{answer: func(context.Context, *lm.Request) (*lm.Response, error) {
		return nil, &lm.Error{Kind: lm.KindServer, Model: "test/model"}
	}}
	c := wrap(t, m)
	for range 2 {
		if _, err := c.Generate(t.Context(), question("q")); lm.AsError(err) == nil {
			t.Errorf("%v", err)
		}
	}
	if m.times() != 2 {
		t.Errorf("a failure: asked %d times", m.times())
	}
}

// broken is a cache that does not work.
type broken struct{ cache.Cache }

var errBroken = errors.New("broken")

func (broken) Get(context.Context, cache.Key) ([]byte, bool, error) { return nil, false, errBroken }
func (broken) Put(context.Context, cache.Key, []byte, time.Duration) error {
	return errBroken
}

func TestBrokenCacheDoesNotStopCalls(t *testing.T) {
	var told []string
	m := says(lm.Response{Text: "a", Finish: lm.FinishStop})
	c := cache.Wrap(m, broken{}, cache.Options{Failed: func(err error) { told = append(told, err.Error()) }})
	resp, err := c.Generate(t.Context(), question("q"))
	if err != nil || resp.Text != "a" || resp.Cached {
		t.Errorf("%+v, %v", resp, err)
	}
	if want := []string{"the cache cannot be read: broken", "the cache cannot be written: broken"}; !slices.Equal(told, want) {
		t.Errorf("told %q", told)
	}
}

// slowly is a model that writes its reply in pieces, one a second.
func slowly(pieces ...string) *model {
	usd := 1.0
	return &model{answer: func(ctx context.Context, req *lm.Request) (*lm.Response, error) {
		for _, p := range pieces {
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
				return nil, lm.ContextError(ctx, "test/model")
			}
			if req.OnDelta != nil {
				req.OnDelta(lm.Delta{Text: p})
			}
		}
		return &lm.Response{Text: strings.Join(pieces, ""), Finish: lm.FinishStop, Usage: lm.Usage{OutputTokens: 5}, Cost: &usd}, nil
	}}
}

// TestOneFlight sends a hundred equal calls at once, some streaming: one request
// is sent, and one of them pays for it.
func TestOneFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := slowly("a", "b", "c")
		c := wrap(t, m)
		var all sync.WaitGroup
		var mu sync.Mutex
		paid := 0.0
		for n := range 100 {
			all.Go(func() {
				time.Sleep(time.Duration(n) * 25 * time.Millisecond) // all within the flight
				req := question("q")
				var text strings.Builder
				if n%2 == 0 {
					req.OnDelta = func(d lm.Delta) { text.WriteString(d.Text) }
				}
				resp, err := c.Generate(t.Context(), req)
				if err != nil || resp.Text != "abc" || n%2 == 0 && text.String() != "abc" {
					t.Errorf("%d: %+v, %q, %v", n, resp, text.String(), err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				paid += *resp.Cost
				if resp.Cached != (*resp.Cost == 0) {
					t.Errorf("cached %t, $%v", resp.Cached, *resp.Cost)
				}
			})
		}
		all.Wait()
		if m.times() != 1 || paid != 1 {
			t.Errorf("asked %d times, paid $%v", m.times(), paid)
		}
	})
}

// TestPiecesForThoseWhoComeLater: what was written so far comes first, in one
// piece; and a restart is told only to who was given something.
func TestPiecesForThoseWhoComeLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &model{answer: func(ctx context.Context, req *lm.Request) (*lm.Response, error) {
			for _, d := range []lm.Delta{{Text: "wrong"}, {Restart: true}, {Text: "ri"}, {Text: "ght"}} {
				time.Sleep(time.Second)
				req.OnDelta(d)
			}
			return &lm.Response{Text: "right", Finish: lm.FinishStop}, nil
		}}
		c := wrap(t, m)
		var all sync.WaitGroup
		var got [4]string
		for i, late := range []time.Duration{0, 1500 * time.Millisecond, 2500 * time.Millisecond, 3500 * time.Millisecond} {
			all.Go(func() {
				time.Sleep(late)
				req := question("q")
				req.OnDelta = func(d lm.Delta) {
					if d.Restart {
						got[i] += "!"
					}
					got[i] += d.Text + "|"
				}
				if resp, err := c.Generate(t.Context(), req); err != nil || resp.Text != "right" {
					t.Errorf("%+v, %v", resp, err)
				}
			})
		}
		all.Wait()
		want := [4]string{"wrong|!|ri|ght|", "wrong|!|ri|ght|", "ri|ght|", "ri|ght|"}
		if got != want {
			t.Errorf("the pieces are %q", got)
		}
	})
}

// TestOneLeaves: the one that began the request leaves, the others go on, and the
// next of them pays.
func TestOneLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := slowly("a", "b", "c")
		c := wrap(t, m)
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		var all sync.WaitGroup
		all.Go(func() {
			start := time.Now()
			_, err := c.Generate(ctx, question("q"))
			if e := lm.AsError(err); e == nil || e.Kind != lm.KindTimeout || time.Since(start) != 1500*time.Millisecond {
				t.Errorf("who leaves gets %v after %v", err, time.Since(start))
			}
		})
		var cached [2]bool
		for i := range 2 {
			all.Go(func() {
				time.Sleep(time.Duration(i+1) * 100 * time.Millisecond)
				resp, err := c.Generate(t.Context(), question("q"))
				if err != nil || resp.Text != "abc" {
					t.Errorf("%+v, %v", resp, err)
					return
				}
				cached[i] = resp.Cached
			})
		}
		all.Wait()
		if m.times() != 1 || cached != [2]bool{false, true} {
			t.Errorf("asked %d times, cached %v", m.times(), cached)
		}
	})
}

// TestAllLeave: the request ends with the last that waits, at once, and it sees
// that one's deadline and cause.
func TestAllLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("the person went away")
		m := &model{answer: func(ctx context.Context, _ *lm.Request) (*lm.Response, error) {
			start := time.Now()
			within, cancel := context.WithTimeout(ctx, time.Hour) // as the wrappers inside do
			defer cancel()
			if d, ok := ctx.Deadline(); ok && time.Until(d) != time.Second {
				t.Errorf("the deadline is in %v", time.Until(d))
			}
			<-within.Done()
			if took := time.Since(start); took != 2*time.Second {
				t.Errorf("cancelled after %v", took)
			}
			return nil, lm.ContextError(within, "test/model")
		}}
		c := wrap(t, m)
		first, cancelFirst := context.WithTimeout(t.Context(), time.Second)
		defer cancelFirst()
		second, cancelSecond := context.WithCancelCause(t.Context())
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := c.Generate(first, question("q")); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		})
		all.Go(func() {
			time.Sleep(500 * time.Millisecond)
			_, err := c.Generate(second, question("q"))
			if e := lm.AsError(err); e == nil || e.Kind != lm.KindCanceled || !errors.Is(err, why) {
				t.Errorf("the last one gets %v", err)
			}
		})
		time.Sleep(2 * time.Second)
		cancelSecond(why)
		all.Wait()
		if m.times() != 1 {
			t.Errorf("asked %d times", m.times())
		}
		if _, err := c.Generate(second, question("q")); lm.AsError(err) == nil || m.times() != 1 {
			t.Errorf("a call that is over already gives %v", err)
		}
	})
}

// TestSharedFailure: all get it, what was spent is counted once; and who only met
// the end of another's budget asks for itself.
func TestSharedFailure(t *testing.T) {
	for _, kind := range []lm.Kind{lm.KindServer, lm.KindBudget} {
		synctest.Test(t, func(t *testing.T) {
			m := &model{answer: func(context.Context, *lm.Request) (*lm.Response, error) {
				time.Sleep(time.Second)
				return nil, &lm.Error{Kind: kind, Model: "test/model", Spent: []lm.Spent{{Address: "test/model"}}}
			}}
			c := wrap(t, m)
			var all sync.WaitGroup
			var mu sync.Mutex
			spent := 0
			for range 5 {
				all.Go(func() {
					_, err := c.Generate(t.Context(), question("q"))
					e := lm.AsError(err)
					if e == nil || e.Kind != kind {
						t.Errorf("%v", err)
						return
					}
					mu.Lock()
					defer mu.Unlock()
					spent += len(e.Spent)
				})
			}
			all.Wait()
			want := map[lm.Kind]int{lm.KindServer: 1, lm.KindBudget: 5}[kind]
			if m.times() != want || spent != want {
				t.Errorf("%s: asked %d times, %d counted, want %d", kind, m.times(), spent, want)
			}
		})
	}
}

// TestSharedFlights: two models of one address at one endpoint share requests,
// and one at another does not.
func TestSharedFlights(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := slowly("a")
		store, flights := cache.Memory(0), &cache.Flights{}
		var all sync.WaitGroup
		for _, endpoint := range []string{"https://a.example", "https://user:word@a.example/", "https://b.example"} {
			c := cache.Wrap(m, store, cache.Options{Endpoint: endpoint, Flights: flights})
			all.Go(func() {
				if _, err := c.Generate(t.Context(), question("q")); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if m.times() != 2 {
			t.Errorf("asked %d times", m.times())
		}
	})
}

// TestManyCalls is for the race detector: equal and other calls, some of which
// leave.
func TestManyCalls(t *testing.T) {
	m := &model{answer: func(ctx context.Context, req *lm.Request) (*lm.Response, error) {
		if req.OnDelta != nil {
			req.OnDelta(lm.Delta{Text: "a"})
		}
		if err := lm.ContextError(ctx, "test/model"); err != nil {
			return nil, err
		}
		return &lm.Response{Text: "a", Finish: lm.FinishStop}, nil
	}}
	c := wrap(t, m)
	var all sync.WaitGroup
	for n := range 2000 {
		all.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			req := question(fmt.Sprint(n % 50))
			text := ""
			if n%3 == 0 {
				req.OnDelta = func(d lm.Delta) { text += d.Text }
			}
			if n%7 == 0 {
				go cancel()
			}
			resp, err := c.Generate(ctx, req)
			if err == nil && (resp.Text != "a" || n%3 == 0 && text != "a") {
				t.Errorf("%d: %+v, %q", n, resp, text)
			}
			if e := lm.AsError(err); err != nil && (e == nil || e.Kind != lm.KindCanceled || n%7 != 0) {
				t.Errorf("%d: %v", n, err)
			}
		})
	}
	all.Wait()
}
