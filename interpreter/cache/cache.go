// Package cache keeps replies of models, so that the same call is paid once.
//
//	Cache    where replies are kept; Memory is one, stdlib/caches has others
//	Key      what makes two calls the same: a hash of all that can change a reply
//	Call     what a Key is made of: the request, and who is asked (key.go)
//	Stats    how much is kept, and how often it was of use
//	Wrap     an lm.LM that asks a Cache first (wrap.go)
//	Flights  the calls under way, so that equal ones share one request (flight.go)
//
// # The key
//
// A Key is the SHA-256 of the version of the encoding and then, each with its
// name and its length in front: the model's address (provider and name), the
// endpoint without credentials, the version of the adapter; the messages with
// their parts, a picture or sound by the hash of its bytes; the parameters, tools,
// choice of tools and format; and the rollout. The model's key is not in it, and
// neither is whether the reply is streamed. A picture at a URL counts as its URL.
//
// The temperature changes nothing but the key: replies are kept at every
// temperature, as DSPy does. Who wants another sample of the same call gives the
// request another Rollout.
//
// # The value
//
// A value is JSON: the version of its form, the SHA-256 of the reply, and the
// reply as JSON. It is never code, and it holds nothing that the request did not
// get from its model. A value that cannot be read is as good as none, and is
// removed. Only whole replies are kept: none that was cut or withheld, and no
// failure.
//
// # Where it belongs
//
// Wrap goes around everything else that belongs to one model, so that a reply
// that is kept takes no place, no try and no money; and inside a route, which
// asks several models:
//
//	Wrap(WithPrice(WithRetry(WithLimits(WithTimeout(provider, …), …), …), …), c, o)
package cache

import (
	"context"
	"encoding/hex"
	"errors"
	"time"
)

// Key is what a reply is kept under.
type Key [32]byte

// String returns the key in hexadecimal digits.
func (k Key) String() string { return hex.EncodeToString(k[:]) }

// The limits of a cache for which nothing else is set.
const (
	DefaultTTL     = 30 * 24 * time.Hour
	DefaultMaxSize = 512_000_000 // bytes
)

// ErrClosed is the error of a cache that was closed.
var ErrClosed = errors.New("the cache is closed")

// Cache keeps values. It is safe for use by many goroutines. cachetest is the
// suite that every Cache passes.
type Cache interface {
	// Get returns the value of a key, and false when there is none or its time is
	// over. The caller must not change it.
	Get(ctx context.Context, k Key) ([]byte, bool, error)
	// Put keeps a value for the time ttl; 0 for as long as there is room. It may
	// return before the value lies where it survives the process: Close waits for
	// that. The value must not be changed afterwards. A value that is larger than
	// the whole cache is not kept. The error may be that of an earlier Put.
	Put(ctx context.Context, k Key, value []byte, ttl time.Duration) error
	// Delete removes a value; that there is none is no error.
	Delete(ctx context.Context, k Key) error
	// Stats counts what is kept, by this process and others.
	Stats(ctx context.Context) (Stats, error)
	// Clear removes what was put before a time, the zero Time for everything, and
	// returns how many values that were. Clearing everything sets the counts of
	// hits and misses to zero.
	Clear(ctx context.Context, before time.Time) (int, error)
	// Close writes what is not written yet. A Cache that was closed can be closed
	// again; all else is refused with ErrClosed.
	Close() error
}

// Stats says how much is kept.
type Stats struct {
	Entries int
	Bytes   int64 // of the values
	MaxSize int64 // how many bytes may be kept; what was not used for longest goes first
	Hits    int64 // how often Get found something
	Misses  int64 // how often it did not
	// Oldest and Newest are when the first and the last of what is kept was put;
	// zero when nothing is.
	Oldest, Newest time.Time
}
