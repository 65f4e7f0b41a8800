package dspi

import (
	"path/filepath"
	"time"

	"github.com/dspi-lang/dspi/interpreter/cache"
	"github.com/dspi-lang/dspi/parser/config"
	"github.com/dspi-lang/dspi/stdlib/caches"
)

// CacheAt says where replies of models are kept, and how long: what the `cache`
// block of a dspi.hcl says, else a file of the user's, 30 days and 512 MB.
type CacheAt struct {
	URL     string // as caches.Open knows it; "off" for none
	Dir     string // where relative paths start from: the folder of the dspi.hcl
	TTL     time.Duration
	MaxSize int64  // bytes
	Source  string // what says so: the path of a dspi.hcl, or "built in"
}

// FindCache returns where replies are kept by the settings of a project; nil
// settings are those of none.
func FindCache(settings *Settings) CacheAt {
	at := CacheAt{URL: caches.Default, TTL: cache.DefaultTTL, MaxSize: cache.DefaultMaxSize, Source: "built in"}
	text := func(name string) (string, bool) {
		v, ok := settings.Value(name)
		s, _ := v.Value.(string)
		return s, ok
	}
	if url, ok := text("cache.url"); ok {
		at.URL, at.Dir, at.Source = url, filepath.Dir(settings.File.Name), settings.File.Name
	}
	// What these say was checked when it was read.
	if s, ok := text("cache.ttl"); ok {
		at.TTL, _ = config.Period(s)
	}
	if s, ok := text("cache.max_size"); ok {
		at.MaxSize, _ = config.Size(s)
	}
	return at
}

// options are those of package caches.
func (at CacheAt) options(getenv func(string) string) caches.Options {
	return caches.Options{Dir: at.Dir, MaxSize: at.MaxSize, Getenv: getenv}
}

// Open opens the cache; it is nil when it is off. getenv reads the environment for
// the user's folder, nil is the process's.
func (at CacheAt) Open(getenv func(string) string) (cache.Cache, error) {
	return caches.Open(at.URL, at.options(getenv))
}

// File returns the path of the cache's file; "" when it is none.
func (at CacheAt) File(getenv func(string) string) string {
	path, _ := caches.File(at.URL, at.options(getenv))
	return path
}

// String names the cache for people, without what its URL keeps secret.
func (at CacheAt) String() string { return caches.Shown(at.URL) }
