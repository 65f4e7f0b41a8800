// Package caches lists where replies of models can be kept, and opens them.
//
//	sqlite  a file: one per user, or anywhere
//	redis   a server, for many machines
//
// A third one, in memory, is cache.Memory.
package caches

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/dspi-lang/dspi/interpreter/cache"
	"github.com/dspi-lang/dspi/stdlib/caches/redis"
	"github.com/dspi-lang/dspi/stdlib/caches/sqlite"
	"github.com/dspi-lang/dspi/stdlib/internal/database"
)

// Default is the address of the cache where none is set: one per user.
const Default = "sqlite:user"

// Options say how a cache is opened. The zero Options is ready.
type Options struct {
	// Dir is the folder that a relative path of an address starts from; "" for the
	// current one.
	Dir     string
	MaxSize int64            // bytes of all values; cache.DefaultMaxSize for 0 or less
	Now     func() time.Time // nil: time.Now
	// Getenv reads the environment for the user's folder; nil: the process's.
	Getenv func(name string) string
}

// Open opens the cache at an address:
//
//	sqlite:user             the user's own file (UserFile)
//	sqlite:PATH             a file
//	redis://host:port/n     a Redis server and the number of its database; rediss for TLS
//	memory                  this process
//	off                     none: the Cache is nil, and so is the error
//
// The error names the address without what is secret in it, or the file.
func Open(address string, o Options) (cache.Cache, error) {
	kind, rest, _ := strings.Cut(address, ":")
	switch kind {
	case "off", "memory":
		if address != kind && address != kind+":" {
			break
		}
		if kind == "off" {
			return nil, nil
		}
		return cache.Memory(o.MaxSize), nil
	case "sqlite":
		path, err := file(rest, o)
		if err != nil {
			return nil, err
		}
		return sqlite.Open(path, sqlite.Options{MaxSize: o.MaxSize, Now: o.Now})
	case "redis", "rediss":
		return redis.Open(address, redis.Options{MaxSize: o.MaxSize, Now: o.Now})
	}
	return nil, fmt.Errorf("%s is no address of a cache: it is sqlite:user, sqlite:PATH, redis://HOST, memory or off", Shown(address))
}

// File returns the path of the file of an address, and false for a cache that is
// no file.
func File(address string, o Options) (string, bool) {
	rest, ok := strings.CutPrefix(address, "sqlite:")
	if !ok {
		return "", false
	}
	path, err := file(rest, o)
	return path, err == nil
}

// Shown returns an address for people: without what is secret in it.
func Shown(address string) string {
	if strings.Contains(address, "://") {
		return redis.Shown(address)
	}
	return address
}

func file(rest string, o Options) (string, error) {
	switch {
	case rest == "user":
		return UserFile(o.Getenv)
	case rest == "":
		return "", errors.New("sqlite: needs the path of a file, or `user`: sqlite:user")
	case filepath.IsAbs(rest):
		return rest, nil
	}
	return filepath.Join(o.Dir, rest), nil
}

// UserFile returns the path of the user's own cache: dspi/cache.db in the folder
// that the system has for caches. getenv reads the environment; nil is the
// process's.
func UserFile(getenv func(string) string) (string, error) {
	if getenv != nil {
		// Where the environment decides, as on Linux, what it is told counts.
		if dir := getenv("XDG_CACHE_HOME"); dir != "" && filepath.IsAbs(dir) {
			return filepath.Join(dir, "dspi", "cache.db"), nil
		}
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("there is no folder for the user's cache (%w): name a file, sqlite:PATH, or switch the cache off", err)
	}
	return filepath.Join(dir, "dspi", "cache.db"), nil
}

// Damaged reports whether err says that the file of a cache is damaged, and is one
// that may be deleted: what is in it can be paid for again. A file that never was a
// database is not, since its address may be a mistake.
func Damaged(err error) bool {
	var d *database.DamagedError
	if !errors.As(err, &d) {
		return false
	}
	if own, err := UserFile(nil); err == nil && d.Path == own {
		return true
	}
	f, err := os.Open(d.Path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, len(sqliteHead))
	_, err = io.ReadFull(f, head)
	return err == nil && string(head) == sqliteHead
}

// sqliteHead is how every SQLite file begins.
const sqliteHead = "SQLite format 3\x00"

// Remove deletes the file at path with what SQLite keeps beside it.
func Remove(path string) error {
	var all []error
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			all = append(all, err)
		}
	}
	return errors.Join(all...)
}
