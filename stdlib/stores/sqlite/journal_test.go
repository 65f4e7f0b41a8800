package sqlite

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/dspi-lang/dspi/interpreter/history"
	"github.com/dspi-lang/dspi/interpreter/history/historytest"
	"github.com/dspi-lang/dspi/interpreter/journal"
	"github.com/dspi-lang/dspi/interpreter/journal/journaltest"
)

func TestJournal(t *testing.T) {
	journaltest.Exercise(t, func(t *testing.T) journal.Journal {
		return open(t, filepath.Join(t.TempDir(), "h.db")).Journal()
	})
}

// TestJournalShares: a thousand writers at once need far fewer transactions.
func TestJournalShares(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "h.db"))
	j := s.Journal()
	var before, after int
	version := func(into *int) {
		if err := s.db.Read.QueryRow("SELECT count(DISTINCT written) FROM journal").Scan(into); err != nil {
			t.Fatal(err)
		}
	}
	version(&before)
	var wg sync.WaitGroup
	for i := range 1000 {
		wg.Go(func() {
			if err := j.Write(t.Context(), &journal.Entry{Run: "r", Key: journal.Key{Path: fmt.Sprint(i)}, Kind: journal.Model, Data: []byte("1")}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if version(&after); before != 0 || after > 500 || after == 0 {
		t.Errorf("%d transactions for 1000 entries", after)
	}
}

// TestJournalEnds: the end of a run that is OK takes its entries with it, that of
// another does not; a row keeps its result until its batch has ended.
func TestJournalEnds(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "h.db"))
	j := s.Journal()
	put := func(run string, kind journal.Kind, n int) {
		t.Helper()
		e := &journal.Entry{Run: run, Key: journal.Key{Nth: n}, Kind: kind, Data: []byte("1")}
		if err := j.Write(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	kinds := func(run string) (out string) {
		t.Helper()
		for n := 0; ; {
			e, err := j.Find(t.Context(), run, journal.Key{Nth: n})
			if err != nil {
				t.Fatal(err)
			}
			if e == nil {
				return out
			}
			out += string(e.Kind[0])
			n = e.Key.Nth + 1
		}
	}
	end := func(run string, status history.Status, batch bool) {
		t.Helper()
		r := historytest.Sample(run, time.Now()).Run
		r.Status, r.Outputs, r.Origin = status, json.RawMessage("null"), &history.Origin{}
		if batch {
			r.Origin.Table = &history.Table{Path: "rows.csv"}
		}
		if err := s.Write(t.Context(), &history.Batch{Runs: []*history.Run{&r}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, run := range []string{"a", "a-1", "a-12", "a.", "ab", "b"} {
		put(run, journal.Model, 0)
		put(run, journal.Tool, 1)
	}
	if n, err := j.Count(t.Context(), "a"); n != 3 || err != nil {
		t.Errorf("%d replies of the batch, %v", n, err)
	}
	for _, status := range []history.Status{history.Failed, history.Paused, history.Interrupted, history.Running} {
		if end("b", status, false); kinds("b") != "mt" {
			t.Errorf("%s: %s is left", status, kinds("b"))
		}
	}
	end("a-1", history.OK, false)
	if kinds("a-1") != "mt" {
		t.Errorf("after a row, before its result is there: %s", kinds("a-1"))
	}
	put("a-1", journal.Result, 0)
	if kinds("a-1") != "r" || kinds("a-12") != "mt" {
		t.Errorf("after the result of a row: %s %s", kinds("a-1"), kinds("a-12"))
	}
	end("a", history.Failed, true)
	if kinds("a-1") != "r" {
		t.Error("a batch that failed forgot its rows")
	}
	end("a", history.OK, true)
	if kinds("a")+kinds("a-1")+kinds("a-12") != "" || kinds("a.") != "mt" || kinds("ab") != "mt" {
		t.Errorf("after the batch: %q %q %q %q", kinds("a-1"), kinds("a-12"), kinds("a."), kinds("ab"))
	}
	if _, err := s.Delete(t.Context(), "b"); err != nil || kinds("b") != "" {
		t.Errorf("a deleted run has %s left, %v", kinds("b"), err)
	}
	// An entry without a run goes when it is old.
	if _, err := s.Prune(t.Context(), time.Now().Add(time.Hour), time.Now()); err != nil || kinds("ab") != "" {
		t.Errorf("an old entry without a run: %s, %v", kinds("ab"), err)
	}
}
