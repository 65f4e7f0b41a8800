package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/dspi-lang/dspi/interpreter/cache"
	"github.com/dspi-lang/dspi/stdlib/caches"
)

// TestCache counts and clears what is kept in a file and on a server.
func TestCache(t *testing.T) {
	for _, address := range []string{
		"sqlite:" + filepath.Join(t.TempDir(), "cache.db"), "redis://" + miniredis.RunT(t).Addr() + "/0",
	} {
		old := func() time.Time { return time.Now().Add(-10 * 24 * time.Hour) }
		keep(t, address, caches.Options{Now: old}, 1, 2)
		keep(t, address, caches.Options{}, 3)

		var shown cacheShown
		if err := json.Unmarshal([]byte(dspiCache(t, address, "stats", "--json")), &shown); err != nil {
			t.Fatal(err)
		}
		if shown.URL != address || shown.Entries != 3 || shown.Bytes != 15 || shown.Hits != 3 || shown.Newest.Sub(*shown.Oldest) < 239*time.Hour {
			t.Errorf("%+v", shown)
		}
		text := dspiCache(t, address, "stats")
		for _, want := range []string{`(?m)^replies   3$`, `(?m)^size      15 bytes of 512 MB$`, `(?m)^hits      3 of 3 \(100 %\)$`, `(?m)^oldest    20\d\d-`, `(?m)^newest    20\d\d-`} {
			if !regexp.MustCompile(want).MatchString(text) {
				t.Errorf("no %s in\n%s", want, text)
			}
		}
		if got := dspiCache(t, address, "clear", "--older-than", "7d"); !strings.HasPrefix(got, "2 replies removed from ") {
			t.Error(got)
		}
		if got := dspiCache(t, address, "clear", "--json"); !strings.HasSuffix(got, `"removed":1}`+"\n") {
			t.Error(got)
		}
		if got := dspiCache(t, address, "stats"); !strings.Contains(got, "replies   0\n") || strings.Contains(got, "hits") {
			t.Error(got)
		}
	}
}

// TestDamagedCache: the way out is offered, and taken only when all is to go.
func TestDamagedCache(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache.db")
	address := "sqlite:" + path
	keep(t, address, caches.Options{}, 1)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 100; i < len(text); i++ {
		text[i] ^= 0x55
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"stats"}, {"clear", "--older-than", "7d"}} {
		status, said := tryCache(t, address, args...)
		if status != exitFailed || !strings.Contains(said, path) || !strings.Contains(said, "help: to delete it, and lose what can be paid for again: dspi cache clear") {
			t.Errorf("%v: exit status %d\n%s", args, status, said)
		}
	}
	if got := dspiCache(t, address, "clear"); !strings.Contains(got, "was damaged, and is deleted") {
		t.Error(got)
	}
	if got := dspiCache(t, address, "stats"); !strings.Contains(got, "replies   0\n") {
		t.Error(got)
	}
}

// keep puts values of five bytes into a cache, and looks for each.
func keep(t *testing.T, address string, o caches.Options, keys ...byte) {
	t.Helper()
	c, err := caches.Open(address, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range keys {
		if err := c.Put(t.Context(), cache.Key{n}, []byte("value"), 0); err != nil {
			t.Error(err)
		}
		if _, ok, err := c.Get(t.Context(), cache.Key{n}); !ok || err != nil {
			t.Error(ok, err)
		}
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// dspiCache runs `dspi cache` and returns what it says.
func dspiCache(t *testing.T, address string, args ...string) string {
	t.Helper()
	status, said := tryCache(t, address, args...)
	if status != exitFine {
		t.Errorf("exit status %d\n%s", status, said)
	}
	return said
}

func tryCache(t *testing.T, address string, args ...string) (status int, said string) {
	t.Helper()
	var out bytes.Buffer
	a := newApp(strings.NewReader(""), &out, &out, nil)
	root := newRoot(a)
	root.SetArgs(append(append([]string{"cache"}, args...), "--url", address))
	status = a.report(root.ExecuteContext(t.Context()))
	return status, out.String()
}
