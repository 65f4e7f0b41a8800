// Package journaltest is the suite that every journal.Journal passes.
//
//	Exercise  all of it
package journaltest

import (
	"bytes"
	"fmt"
	"sync"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/journal"
)

// key returns a key; hashes differ where the bytes do.
func key(path string, hash byte, nth int) journal.Key {
	return journal.Key{Path: path, Hash: [32]byte{hash, 0, 0xff}, Nth: nth}
}

// Exercise runs the suite. open returns a new, empty journal.
func Exercise(t *testing.T, open func(t *testing.T) journal.Journal) {
	write := func(t *testing.T, j journal.Journal, run string, k journal.Key, kind journal.Kind, data string) {
		t.Helper()
		if err := j.Write(t.Context(), &journal.Entry{Run: run, Key: k, Kind: kind, Data: []byte(data)}); err != nil {
			t.Fatal(err)
		}
	}
	find := func(t *testing.T, j journal.Journal, run string, k journal.Key) *journal.Entry {
		t.Helper()
		e, err := j.Find(t.Context(), run, k)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	t.Run("find", func(t *testing.T) {
		j := open(t)
		if e := find(t, j, "a", key("p", 1, 0)); e != nil {
			t.Errorf("an empty journal has %v", e)
		}
		write(t, j, "a", key("p", 1, 0), journal.Model, `{"text":"é<&\u0000"}`)
		write(t, j, "a", key("p", 1, 2), journal.Tool, `2`)
		write(t, j, "a", key("p[0]", 1, 0), journal.Approval, `3`)
		write(t, j, "a", key("p", 2, 0), journal.Model, `4`)
		write(t, j, "b", key("p", 1, 0), journal.Result, `5`)
		for _, c := range []struct {
			run  string
			k    journal.Key
			kind journal.Kind
			nth  int
			data string
		}{
			{"a", key("p", 1, 0), journal.Model, 0, `{"text":"é<&\u0000"}`},
			{"a", key("p", 1, 1), journal.Tool, 2, `2`}, // the next there is
			{"a", key("p", 1, 2), journal.Tool, 2, `2`},
			{"a", key("p[0]", 1, 0), journal.Approval, 0, `3`},
			{"a", key("p", 2, 0), journal.Model, 0, `4`},
			{"b", key("p", 1, 0), journal.Result, 0, `5`},
		} {
			e := find(t, j, c.run, c.k)
			if e == nil || e.Run != c.run || e.Key != key(c.k.Path, c.k.Hash[0], c.nth) || e.Kind != c.kind || !bytes.Equal(e.Data, []byte(c.data)) {
				t.Errorf("%s %v gives %+v", c.run, c.k, e)
			}
		}
		for _, k := range []journal.Key{key("p", 1, 3), key("q", 1, 0), key("p", 3, 0), key("", 1, 0)} {
			if e := find(t, j, "a", k); e != nil {
				t.Errorf("%v gives %+v", k, e)
			}
		}
		if n, err := j.Count(t.Context(), "a"); n != 2 || err != nil {
			t.Errorf("%d replies of models, %v", n, err)
		}
	})
	t.Run("replace", func(t *testing.T) {
		j := open(t)
		write(t, j, "a", key("p", 1, 0), journal.Approval, `1`)
		write(t, j, "a", key("p", 1, 0), journal.Approval, `2`)
		if e := find(t, j, "a", key("p", 1, 0)); e == nil || string(e.Data) != `2` {
			t.Errorf("got %+v", e)
		}
	})
	t.Run("forget", func(t *testing.T) {
		j := open(t)
		write(t, j, "a", key("p", 1, 0), journal.Model, `1`)
		write(t, j, "ab", key("p", 1, 0), journal.Model, `1`)
		if err := j.Forget(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		if e := find(t, j, "a", key("p", 1, 0)); e != nil {
			t.Error("what was forgotten is there")
		}
		if e := find(t, j, "ab", key("p", 1, 0)); e == nil {
			t.Error("another run was forgotten")
		}
		if err := j.Forget(t.Context(), "nothing"); err != nil {
			t.Error(err)
		}
	})
	t.Run("many at once", func(t *testing.T) {
		j := open(t)
		const writers = 1000
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				k := key(fmt.Sprint("p", i), byte(i), 0)
				e := &journal.Entry{Run: "a", Key: k, Kind: journal.Model, Data: fmt.Append(nil, i)}
				if err := j.Write(t.Context(), e); err != nil {
					t.Error(err)
				}
				if got, err := j.Find(t.Context(), "a", k); err != nil || got == nil || string(got.Data) != fmt.Sprint(i) {
					t.Errorf("%d is not there when Write returns: %v, %v", i, got, err)
				}
			})
		}
		wg.Wait()
		if n, err := j.Count(t.Context(), "a"); n != writers || err != nil {
			t.Errorf("%d entries, %v", n, err)
		}
	})
}
