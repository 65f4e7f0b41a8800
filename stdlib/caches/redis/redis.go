// Package redis keeps replies of models on a Redis server, for many machines.
//
//	Open     names a server; what it returns is a cache.Cache
//	Options  how much is kept
//	Shown    a URL without its secrets
//
// All keys begin with `{dspi:cache:1}:`. The braces put them in one slot of a
// cluster, since each operation is one script over several of them (scripts.go):
//
//	v:KEY                a value; Redis itself removes it when its time is over
//	size                 a hash: the bytes of each value
//	made, used, ends     sorted sets: when each was put, last used, will be over
//	total                a hash: bytes, hits, misses
//
// A server that removes values by itself, because its memory is full, does no
// harm: what is gone is forgotten when it is looked for. A server that does not
// answer is left alone for a few seconds, so that calls do not wait for it again
// and again.
package redis

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/dspi-lang/dspi/interpreter/cache"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const (
	connectTimeout = time.Second
	answerTimeout  = 2 * time.Second
	// pause is how long a server that failed is left alone.
	pause = 5 * time.Second
	// atOnce is how many values one script removes, so that the server is not
	// held up.
	atOnce = 1000
)

// Options say how much is kept. The zero Options is ready.
type Options struct {
	MaxSize int64            // bytes of all values; cache.DefaultMaxSize for 0 or less
	Now     func() time.Time // nil: time.Now
}

// Open names a server: redis://user:password@host:port/number, rediss for TLS. It
// does not connect yet. The error does not repeat the URL, which may hold a
// password.
func Open(address string, o Options) (cache.Cache, error) {
	opt, err := redis.ParseURL(address)
	if err != nil {
		return nil, fmt.Errorf("%s is no address of a Redis server: it is redis://host:port/number", Shown(address))
	}
	if o.MaxSize <= 0 {
		o.MaxSize = cache.DefaultMaxSize
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	opt.DialTimeout, opt.ReadTimeout, opt.WriteTimeout = connectTimeout, answerTimeout, answerTimeout
	opt.MaxRetries, opt.DialerRetries = 1, 1
	opt.ContextTimeoutEnabled, opt.DisableIdentity = true, true
	opt.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return &store{client: redis.NewClient(opt), where: Shown(address), max: o.MaxSize, now: o.Now}, nil
}

// Shown returns a URL without its user, password and parameters.
func Shown(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "the address given"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// store is a cache.Cache.
type store struct {
	client *redis.Client
	where  string
	max    int64
	now    func() time.Time

	mu     sync.Mutex
	closed bool
	down   error     // why the server failed
	until  time.Time // it is left alone until then
}

// do runs a script. A server that failed lately is not asked.
func (s *store) do(ctx context.Context, script *redis.Script, args ...any) (any, error) {
	s.mu.Lock()
	closed, down, until := s.closed, s.down, s.until
	s.mu.Unlock()
	switch {
	case closed:
		return nil, cache.ErrClosed
	case down != nil && time.Now().Before(until):
		return nil, down
	}
	answer, err := script.Run(ctx, s.client, keys, args...).Result()
	var said redis.Error
	switch {
	case err == nil || errors.Is(err, redis.Nil):
		s.failed(nil)
		return answer, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	err = fmt.Errorf("the cache at %s does not work: %w", s.where, err)
	if !errors.As(err, &said) { // it did not answer
		s.failed(err)
	}
	return nil, err
}

func (s *store) failed(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = err
	if err != nil {
		s.until = time.Now().Add(pause)
	}
}

func (s *store) Get(ctx context.Context, k cache.Key) ([]byte, bool, error) {
	answer, err := s.do(ctx, get, k.String(), s.now().UnixMilli())
	if err != nil {
		return nil, false, err
	}
	value, ok := answer.(string)
	if !ok {
		return nil, false, nil
	}
	return []byte(value), true, nil
}

func (s *store) Put(ctx context.Context, k cache.Key, value []byte, ttl time.Duration) error {
	now, ends := s.now(), int64(0)
	if ttl > 0 {
		ends = now.Add(ttl).UnixMilli()
	}
	_, err := s.do(ctx, put, k.String(), now.UnixMilli(), ends, s.max, value)
	return err
}

func (s *store) Delete(ctx context.Context, k cache.Key) error {
	_, err := s.do(ctx, remove, k.String())
	return err
}

func (s *store) Stats(ctx context.Context) (cache.Stats, error) {
	st := cache.Stats{MaxSize: s.max}
	if err := s.repeat(ctx, sweep, s.now().UnixMilli()); err != nil {
		return st, err
	}
	answer, err := s.do(ctx, stats)
	if err != nil {
		return st, err
	}
	var n [6]int64
	list, _ := answer.([]any)
	for i := range min(len(list), len(n)) {
		text, _ := list[i].(string)
		f, _ := strconv.ParseFloat(text, 64) // scores are floats; "" is none
		n[i] = int64(f)
	}
	st.Entries, st.Bytes, st.Hits, st.Misses = int(n[0]), n[1], n[2], n[3]
	if st.Entries > 0 {
		st.Oldest, st.Newest = time.UnixMilli(n[4]), time.UnixMilli(n[5])
	}
	return st, nil
}

// repeat runs a script that removes some values until none is left to remove.
func (s *store) repeat(ctx context.Context, script *redis.Script, args ...any) error {
	for {
		answer, err := s.do(ctx, script, append(args, atOnce)...)
		if n, _ := answer.(int64); err != nil || n < atOnce {
			return err
		}
	}
}

func (s *store) Clear(ctx context.Context, before time.Time) (int, error) {
	until := "+inf"
	if !before.IsZero() {
		until = "(" + strconv.FormatInt(before.UnixMilli(), 10)
	}
	removed := 0
	for {
		answer, err := s.do(ctx, clearBefore, until, atOnce)
		n, _ := answer.(int64)
		removed += int(n)
		if err != nil || n < atOnce {
			if err == nil && before.IsZero() {
				_, err = s.do(ctx, forgetCounts)
			}
			return removed, err
		}
	}
}

func (s *store) Close() error {
	s.mu.Lock()
	closed := s.closed
	s.closed = true
	s.mu.Unlock()
	if closed {
		return nil
	}
	return s.client.Close()
}
