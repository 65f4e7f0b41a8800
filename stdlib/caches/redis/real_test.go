//go:build redis

package redis

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/dspi-lang/dspi/interpreter/cache"
	"github.com/dspi-lang/dspi/interpreter/cache/cachetest"
	"github.com/redis/go-redis/v9"
)

// realVar names a Redis server for the test, whose database is emptied. Without it the
// test starts one of its own.
const realVar = "DSPI_REDIS"

// TestReal runs the suite against a real Redis: make test-redis.
func TestReal(t *testing.T) {
	address := os.Getenv(realVar)
	if address == "" {
		address = startServer(t)
	}
	with(t, address, func(c *redis.Client) error {
		info, err := c.Info(t.Context(), "server").Result()
		for line := range strings.Lines(info) {
			if strings.HasPrefix(line, "redis_version:") {
				t.Log(strings.TrimSpace(line))
			}
		}
		return err
	})
	cachetest.Exercise(t, cachetest.Subject{
		Open: func(t testing.TB, address string, max int64, now func() time.Time) cache.Cache {
			c, err := Open(address, Options{MaxSize: max, Now: now})
			if err != nil {
				t.Fatal(err)
			}
			return c
		},
		Place: func(t testing.TB) string {
			with(t, address, func(c *redis.Client) error { return c.FlushDB(t.Context()).Err() })
			return address
		},
		Damage: func(t testing.TB, address string, k cache.Key, value []byte) {
			with(t, address, func(c *redis.Client) error {
				return c.Set(t.Context(), prefix+"v:"+k.String(), value, 0).Err()
			})
		},
	})
}

// TestRealServerGoesAway: a cache whose server ends says so, and names it.
func TestRealServerGoesAway(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	address, ended := serve(t, ctx)
	c, err := Open(address, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Put(t.Context(), cache.Key{1}, []byte("one"), 0); err != nil {
		t.Fatal(err)
	}
	if v, ok, err := c.Get(t.Context(), cache.Key{1}); string(v) != "one" || !ok || err != nil {
		t.Errorf("%q, %t, %v", v, ok, err)
	}
	stop()
	<-ended
	host := strings.TrimSuffix(strings.TrimPrefix(address, "redis://"), "/0")
	if _, ok, err := c.Get(t.Context(), cache.Key{1}); ok || err == nil || !strings.Contains(err.Error(), host) {
		t.Errorf("without its server: %t, %v", ok, err)
	}
}

// with does something with a real server.
func with(t testing.TB, address string, do func(*redis.Client) error) {
	t.Helper()
	opt, err := redis.ParseURL(address)
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(opt)
	defer c.Close()
	if err := do(c); err != nil {
		t.Fatal(err)
	}
}

// startServer starts a Redis server for a test and returns its address.
func startServer(t *testing.T) string {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	address, ended := serve(t, ctx)
	t.Cleanup(func() {
		stop()
		<-ended
	})
	return address
}

// serve starts a Redis server on a free port of this machine, which writes to no file
// and ends with ctx.
func serve(t *testing.T, ctx context.Context) (address string, ended <-chan struct{}) {
	t.Helper()
	for range 5 { // somebody else may take the port
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		l.Close()
		server := exec.CommandContext(ctx, "redis-server", "--port", fmt.Sprint(port), "--bind", "127.0.0.1",
			"--save", "", "--appendonly", "no", "--daemonize", "no", "--logfile", "", "--dir", t.TempDir())
		said, err := server.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := server.Start(); err != nil {
			t.Fatalf("%v\nOn Debian: apt-get install redis-server. %s names a server that runs already.", err, realVar)
		}
		ready, over := make(chan bool, 1), make(chan struct{})
		go func() {
			defer close(over)
			log := bufio.NewScanner(said)
			for log.Scan() {
				if strings.Contains(strings.ToLower(log.Text()), "ready to accept connections") {
					ready <- true
				}
			}
			close(ready)
			_ = server.Wait() // it is killed
		}()
		if <-ready {
			return fmt.Sprintf("redis://127.0.0.1:%d/0", port), over
		}
		<-over
	}
	t.Fatal("redis-server does not start")
	return "", nil
}
