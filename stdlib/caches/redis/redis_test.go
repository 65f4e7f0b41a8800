package redis

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/dspi-lang/dspi/interpreter/cache"
	"github.com/dspi-lang/dspi/interpreter/cache/cachetest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRedis(t *testing.T) {
	var mu sync.Mutex
	servers := map[string]*miniredis.Miniredis{}
	s := cachetest.Subject{
		Open: func(t testing.TB, address string, max int64, now func() time.Time) cache.Cache {
			c, err := Open(address, Options{MaxSize: max, Now: now})
			if err != nil {
				t.Fatal(err)
			}
			return c
		},
		Place: func(t testing.TB) string {
			server := miniredis.RunT(t)
			mu.Lock()
			defer mu.Unlock()
			address := "redis://" + server.Addr() + "/0"
			servers[address] = server
			return address
		},
		Damage: func(t testing.TB, address string, k cache.Key, value []byte) {
			mu.Lock()
			defer mu.Unlock()
			if err := servers[address].Set(prefix+"v:"+k.String(), string(value)); err != nil {
				t.Fatal(err)
			}
		},
	}
	cachetest.Exercise(t, s)
}

func TestValueThatTheServerRemoved(t *testing.T) {
	server := miniredis.RunT(t)
	c, err := Open("redis://"+server.Addr(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Put(t.Context(), cache.Key{1}, []byte("one"), 0); err != nil {
		t.Fatal(err)
	}
	server.Del(prefix + "v:" + cache.Key{1}.String())
	if _, ok, err := c.Get(t.Context(), cache.Key{1}); ok || err != nil {
		t.Errorf("%t, %v", ok, err)
	}
	if s, err := c.Stats(t.Context()); s.Entries != 0 || s.Bytes != 0 || err != nil {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestServerThatDoesNotAnswer: it is asked once, and then left alone.
func TestServerThatDoesNotAnswer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var asked sync.WaitGroup
	var mu sync.Mutex
	times := 0
	asked.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			times++
			mu.Unlock()
			conn.Close()
		}
	})
	c, err := Open("redis://anne:password-of-anne@"+l.Addr().String(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = c.Get(t.Context(), cache.Key{1})
	if err == nil || !strings.Contains(err.Error(), l.Addr().String()) || strings.Contains(err.Error(), "password-of-anne") {
		t.Errorf("%v", err)
	}
	mu.Lock()
	before := times
	mu.Unlock()
	for range 100 {
		if err := c.Put(t.Context(), cache.Key{1}, []byte("x"), 0); err == nil {
			t.Error("it answered")
		}
	}
	l.Close()
	asked.Wait()
	if times != before || times == 0 {
		t.Errorf("asked %d times, %d of them after it had failed", times, times-before)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := c.Put(ctx, cache.Key{1}, nil, 0); !errors.Is(err, cache.ErrClosed) {
		t.Error(err)
	}
}

func TestAddressIsNotRepeated(t *testing.T) {
	for _, address := range []string{"redis://anne:pass%word@host:1/0", "redis://anne:password@host:1/x", "redis://host?password=password"} {
		if _, err := Open(address, Options{}); err == nil || strings.Contains(err.Error(), "word@") || strings.Contains(err.Error(), "=password") {
			t.Errorf("%v", err)
		}
	}
	if got := Shown("rediss://anne:password@host:6380/2?protocol=2"); got != "rediss://host:6380/2" {
		t.Error(got)
	}
}
