package caches

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/dspi-lang/dspi/interpreter/cache"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	server := miniredis.RunT(t)
	o := Options{Dir: dir, MaxSize: 5000, Getenv: func(name string) string {
		if name == "XDG_CACHE_HOME" {
			return filepath.Join(dir, "user")
		}
		return ""
	}}
	for address, file := range map[string]string{
		"sqlite:user":                            filepath.Join(dir, "user", "dspi", "cache.db"),
		"sqlite:a/b.db":                          filepath.Join(dir, "a", "b.db"),
		"sqlite:" + filepath.Join(dir, "abs.db"): filepath.Join(dir, "abs.db"),
		"memory":                                 "",
		"redis://" + server.Addr() + "/0":        "",
	} {
		c, err := Open(address, o)
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		if err := c.Put(t.Context(), cache.Key{1}, []byte("x"), time.Hour); err != nil {
			t.Errorf("%s: %v", address, err)
		}
		if s, err := c.Stats(t.Context()); err != nil || s.Entries != 1 || s.MaxSize != 5000 {
			t.Errorf("%s: %+v, %v", address, s, err)
		}
		if err := c.Close(); err != nil {
			t.Errorf("%s: %v", address, err)
		}
		path, ok := File(address, o)
		if path != file || ok != (file != "") {
			t.Errorf("%s: the file is %q, %t", address, path, ok)
		}
		if _, err := os.Stat(file); file != "" && err != nil {
			t.Error(err)
		}
	}
	if c, err := Open("off", o); c != nil || err != nil {
		t.Errorf("off: %v, %v", c, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	for address, want := range map[string]string{
		"":                        "sqlite:user",
		"sqlite:":                 "sqlite:user",
		"somewhere":               "somewhere is no address",
		"off:x":                   "off:x is no address",
		"postgres://u:secret@h/d": "redis://HOST",
		"redis://u:secret@h:x/0":  "Redis server",
	} {
		c, err := Open(address, Options{Dir: t.TempDir()})
		if err == nil {
			c.Close()
			t.Errorf("%q is opened", address)
		} else if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", address, err)
		}
	}
}
