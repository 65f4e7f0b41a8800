// Package cachetest is the suite that every cache.Cache passes: Exercise.
package cachetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dspi-lang/dspi/interpreter/cache"
	"github.com/dspi-lang/dspi/interpreter/lm"
)

// Subject is a kind of cache.
type Subject struct {
	// Open opens the cache that lies at a place, for at most max bytes, and with a
	// clock. Opened twice, it is the same cache.
	Open func(t testing.TB, place string, max int64, now func() time.Time) cache.Cache
	// Place returns a place where nothing lies yet.
	Place func(t testing.TB) string
	// Forgets says that the cache is gone when it is closed.
	Forgets bool
	// Bubble runs each test with the clock of testing/synctest, and Open is told
	// time.Now; otherwise the clock it is told is the suite's own.
	Bubble bool
	// Damage overwrites the value of a key behind the cache's back. nil: nobody can.
	Damage func(t testing.TB, place string, k cache.Key, value []byte)
}

// bench is one test of a subject.
type bench struct {
	*testing.T
	s       Subject
	place   string
	max     int64
	now     func() time.Time
	advance func(time.Duration)
	cache   cache.Cache
}

// Exercise tests a kind of cache.
func Exercise(t *testing.T, s Subject) {
	tests := []struct {
		name string
		max  int64
		run  func(*bench)
	}{
		{"put and get", 0, putGet},
		{"delete", 0, remove},
		{"time to live", 0, ttl},
		{"size", 10_000, size},
		{"last used stays", 10_000, lastUsed},
		{"stats", 0, stats},
		{"clear", 0, clear},
		{"clear what is old", 0, clearOld},
		{"open again", 0, reopen},
		{"closed", 0, closed},
		{"many at once", 0, many},
		{"damaged values", 0, damaged},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			body := func(t *testing.T) {
				b := &bench{T: t, s: s, place: s.Place(t), max: tt.max, now: time.Now, advance: time.Sleep}
				if !s.Bubble {
					c := &clock{at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
					b.now, b.advance = c.now, c.advance
				}
				b.open()
				defer func() { b.must(b.cache.Close()) }()
				tt.run(b)
			}
			if s.Bubble {
				synctest.Test(t, body)
			} else {
				body(t)
			}
		})
	}
}

// clock stands still until it is told otherwise.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func (b *bench) open() { b.cache = b.s.Open(b.T, b.place, b.max, b.now) }

// again closes the cache and opens it.
func (b *bench) again() {
	b.Helper()
	b.must(b.cache.Close())
	b.open()
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bench) put(k cache.Key, value string, ttl time.Duration) {
	b.Helper()
	b.must(b.cache.Put(context.Background(), k, []byte(value), ttl))
}

// has compares the value of a key; "" is none.
func (b *bench) has(k cache.Key, want string) {
	b.Helper()
	v, ok, err := b.cache.Get(context.Background(), k)
	b.must(err)
	if ok != (want != "") || string(v) != want {
		b.Errorf("the value of %.8s… is %.40q (%t), want %.40q", k, v, ok, want)
	}
}

func (b *bench) stats() cache.Stats {
	b.Helper()
	s, err := b.cache.Stats(context.Background())
	b.must(err)
	return s
}

// key returns the nth key.
func key(n int) cache.Key {
	return cache.Call{Request: &lm.Request{Rollout: n}}.Key()
}

func putGet(b *bench) {
	b.has(key(1), "")
	b.put(key(1), `{"a":"one"}`, 0)
	b.has(key(1), `{"a":"one"}`) // at once, written or not
	b.has(key(2), "")
	b.put(key(1), `{"a":"other"}`, time.Hour)
	b.has(key(1), `{"a":"other"}`)
	if s := b.stats(); s.Entries != 1 || s.Bytes != int64(len(`{"a":"other"}`)) {
		b.Errorf("after putting one key twice: %+v", s)
	}
	long := string(bytes.Repeat([]byte("é\x00\n"), 100_000))
	b.put(key(3), long, 0)
	b.has(key(3), long)
	b.has(key(1), `{"a":"other"}`)
}

func remove(b *bench) {
	b.put(key(1), "one", 0)
	b.put(key(2), "two", 0)
	b.stats() // what was put may be written by now, or not
	b.must(b.cache.Delete(context.Background(), key(1)))
	b.must(b.cache.Delete(context.Background(), key(3)))
	b.has(key(1), "")
	b.has(key(2), "two")
	if s := b.stats(); s.Entries != 1 || s.Bytes != 3 {
		b.Errorf("%+v", s)
	}
	b.put(key(1), "again", 0)
	b.has(key(1), "again")
}

func ttl(b *bench) {
	b.put(key(1), "short", time.Minute)
	b.put(key(2), "long", time.Hour)
	b.put(key(3), "for ever", 0)
	b.advance(time.Minute - time.Millisecond)
	b.has(key(1), "short")
	b.stats()
	b.advance(time.Millisecond)
	b.has(key(1), "")
	b.has(key(2), "long")
	if s := b.stats(); s.Entries != 2 || s.Bytes != int64(len("long")+len("for ever")) {
		b.Errorf("what is over is counted: %+v", s)
	}
	b.put(key(2), "renewed", time.Hour)
	b.advance(59 * time.Minute)
	b.has(key(2), "renewed")
	b.advance(20 * 365 * 24 * time.Hour)
	b.has(key(2), "")
	b.has(key(3), "for ever")
}

func size(b *bench) {
	value := string(bytes.Repeat([]byte("x"), 1000))
	for n := range 30 {
		b.put(key(n), value, 0)
		b.advance(time.Hour)
		if s := b.stats(); s.Bytes > 10_000 || s.MaxSize != 10_000 {
			b.Fatalf("after %d values: %+v", n+1, s)
		}
		b.has(key(n), value)
	}
	b.has(key(0), "")
	if s := b.stats(); s.Entries < 5 {
		b.Errorf("only %d of 10 values are kept", s.Entries)
	}
	// What is larger than all is not kept, and takes nothing away but its own key.
	before := b.stats().Entries
	b.put(key(29), string(bytes.Repeat([]byte("y"), 10_001)), 0)
	b.has(key(29), "")
	b.has(key(28), value)
	if s := b.stats(); s.Entries != before-1 {
		b.Errorf("%d values, %d before the one that is too large", s.Entries, before)
	}
}

func lastUsed(b *bench) {
	value := string(bytes.Repeat([]byte("x"), 1000))
	for n := range 9 {
		b.put(key(n), value, 0)
		b.stats() // it is written, so that the order of the values is known
		b.advance(time.Hour)
	}
	b.has(key(0), value) // it is the oldest, and used
	b.stats()
	b.advance(time.Hour)
	for n := range 3 {
		b.put(key(100+n), value, 0)
		b.advance(time.Hour)
	}
	b.stats()
	b.has(key(0), value)
	b.has(key(1), "")
	b.has(key(102), value)
}

func stats(b *bench) {
	if s := b.stats(); s.Entries != 0 || s.Bytes != 0 || s.Hits != 0 || s.Misses != 0 || !s.Oldest.IsZero() || !s.Newest.IsZero() || s.MaxSize <= 0 {
		b.Errorf("of nothing: %+v", s)
	}
	first := b.now()
	b.put(key(1), "one", 0)
	b.stats()
	b.advance(time.Hour)
	b.put(key(2), "three", 0)
	b.has(key(1), "one")
	b.has(key(1), "one")
	b.has(key(9), "")
	s := b.stats()
	if s.Entries != 2 || s.Bytes != 8 || s.Hits != 2 || s.Misses != 1 {
		b.Errorf("%+v", s)
	}
	if !near(s.Oldest, first) || !near(s.Newest, first.Add(time.Hour)) {
		b.Errorf("from %v to %v, want from %v for an hour", s.Oldest, s.Newest, first)
	}
}

// near allows for clocks that are kept in milliseconds.
func near(a, b time.Time) bool { return a.Sub(b).Abs() <= time.Millisecond }

func clear(b *bench) {
	for n := range 20 {
		b.put(key(n), "value", 0)
	}
	b.has(key(3), "value")
	n, err := b.cache.Clear(context.Background(), time.Time{})
	b.must(err)
	if s := b.stats(); n != 20 || s.Entries != 0 || s.Bytes != 0 || s.Hits != 0 {
		b.Errorf("%d were removed, and there are %+v", n, s)
	}
	b.has(key(3), "")
	b.put(key(3), "new", 0)
	b.has(key(3), "new")
}

func clearOld(b *bench) {
	b.put(key(1), "old", 0)
	b.stats()
	b.advance(48 * time.Hour)
	b.put(key(2), "new", 0)
	b.has(key(1), "old") // being used does not make it new
	n, err := b.cache.Clear(context.Background(), b.now().Add(-24*time.Hour))
	b.must(err)
	if n != 1 {
		b.Errorf("%d were removed", n)
	}
	b.has(key(1), "")
	b.has(key(2), "new")
	if s := b.stats(); s.Hits == 0 {
		b.Error("the counts are gone although something is left")
	}
}

func reopen(b *bench) {
	b.put(key(1), "one", 0)
	b.put(key(2), "short", time.Minute)
	b.has(key(1), "one")
	b.again()
	if b.s.Forgets {
		b.has(key(1), "")
		return
	}
	b.has(key(1), "one")
	b.has(key(2), "short")
	if s := b.stats(); s.Entries != 2 || s.Hits != 3 {
		b.Errorf("after opening again: %+v", s)
	}
	b.advance(time.Hour)
	b.again()
	b.has(key(1), "one")
	b.has(key(2), "")
	// Two that are open see each other's.
	other := b.s.Open(b.T, b.place, b.max, b.now)
	defer func() { b.must(other.Close()) }()
	b.put(key(3), "three", 0)
	b.stats()
	v, ok, err := other.Get(context.Background(), key(3))
	b.must(err)
	if !ok || string(v) != "three" {
		b.Errorf("the other sees %q", v)
	}
}

func closed(b *bench) {
	ctx := context.Background()
	b.put(key(1), "one", 0)
	b.must(b.cache.Close())
	b.must(b.cache.Close())
	_, _, get := b.cache.Get(ctx, key(1))
	_, st := b.cache.Stats(ctx)
	_, cl := b.cache.Clear(ctx, time.Time{})
	for what, err := range map[string]error{
		"Get": get, "Put": b.cache.Put(ctx, key(1), nil, 0), "Delete": b.cache.Delete(ctx, key(1)), "Stats": st, "Clear": cl,
	} {
		if !errors.Is(err, cache.ErrClosed) {
			b.Errorf("%s after Close gives %v", what, err)
		}
	}
}

func many(b *bench) {
	ctx := context.Background()
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for n := range 100 {
				k := key(n % 40)
				want := fmt.Sprintf("value %d", n%40)
				if (n+g)%3 == 0 {
					if err := b.cache.Put(ctx, k, []byte(want), time.Hour); err != nil {
						b.Error(err)
					}
				}
				v, ok, err := b.cache.Get(ctx, k)
				if err != nil || ok && string(v) != want {
					b.Errorf("%q, %v", v, err)
				}
				if g == 7 && n%50 == 49 {
					if err := b.cache.Delete(ctx, k); err != nil {
						b.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	s := b.stats()
	if s.Hits+s.Misses != 800 || s.Entries < 38 || s.Entries > 40 {
		b.Errorf("%+v", s)
	}
}

// damaged puts a model's reply into the cache, spoils it, and asks again: the
// model is asked, and the reply is kept anew.
func damaged(b *bench) {
	ctx := context.Background()
	asked := 0
	model := cache.Wrap(answering(func() string { asked++; return "four" }), b.cache, cache.Options{
		Failed: func(err error) { b.Error(err) },
	})
	req := &lm.Request{Messages: []lm.Message{{Role: lm.User, Content: "2 + 2"}}}
	k := cache.Call{Model: model.Address(), Request: req}.Key()
	ask := func(want int) {
		b.Helper()
		resp, err := model.Generate(ctx, req)
		b.must(err)
		if resp.Text != "four" || asked != want {
			b.Errorf("%q, and the model was asked %d times, want %d", resp.Text, asked, want)
		}
	}
	ask(1)
	ask(1)
	whole, _, err := b.cache.Get(ctx, k)
	b.must(err)
	for i, value := range [][]byte{
		nil, []byte("{"), []byte("null"), []byte(`{"version":1}`), whole[:len(whole)/2],
		bytes.Replace(whole, []byte("four"), []byte("five"), 1),
		bytes.Replace(whole, []byte(`"version":1`), []byte(`"version":9`), 1),
	} {
		if b.s.Damage != nil {
			b.stats() // what is in the queue is written
			b.s.Damage(b.T, b.place, k, value)
		} else {
			b.must(b.cache.Put(ctx, k, value, 0))
		}
		ask(i + 2)
		ask(i + 2)
	}
}

// answering is a model in the process that gives the text of a function.
type answering func() string

func (a answering) Generate(context.Context, *lm.Request) (*lm.Response, error) {
	return &lm.Response{Text: a(), Finish: lm.FinishStop}, nil
}
func (answering) Address() string       { return "test/answering" }
func (answering) Features() lm.Features { return lm.Features{} }
