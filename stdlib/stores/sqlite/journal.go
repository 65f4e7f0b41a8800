package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/dspi-lang/dspi/interpreter/history"
	"github.com/dspi-lang/dspi/interpreter/journal"
	"github.com/dspi-lang/dspi/stdlib/internal/database"
)

// The journal lies beside the runs that it is of, so that a transaction can end a
// run and forget its entries at once: at no moment is a run neither ended nor
// resumable.

// Journal is the journal of the runs in a Store. It implements journal.Journal. It
// gathers the entries of many goroutines into transactions: while one is being
// written, the next ones wait, and become the next transaction together. The
// goroutine of one of them writes for all.
type Journal struct {
	db *database.DB

	mu      sync.Mutex
	writing bool
	waiting []*pending
}

// pending is an entry that waits to be written.
type pending struct {
	entry *journal.Entry
	told  chan told // buffered
}

// told is what a goroutine that waits hears: how its entry was written, or that it
// is to write for all that wait.
type told struct {
	err  error
	lead bool
}

// Journal returns the journal of the store's runs.
func (s *Store) Journal() journal.Journal { return &s.journal }

const putEntry = `INSERT INTO journal (run, path, hash, nth, kind, written, data) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (run, path, hash, nth) DO UPDATE SET kind = excluded.kind, written = excluded.written, data = excluded.data`

// Write keeps an entry, and returns when the transaction with it is over: then the
// entry survives the end of the process. An end of ctx does not keep it from being
// written.
func (j *Journal) Write(ctx context.Context, e *journal.Entry) error {
	p := &pending{e, make(chan told, 1)}
	j.mu.Lock()
	j.waiting = append(j.waiting, p)
	lead := !j.writing
	j.writing = true
	j.mu.Unlock()
	if !lead {
		if t := <-p.told; !t.lead {
			return t.err
		}
	}
	j.mu.Lock()
	all := j.waiting
	j.waiting = nil
	j.mu.Unlock()
	err := j.write(context.WithoutCancel(ctx), all)
	for _, x := range all {
		if x != p {
			x.told <- told{err: err}
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.waiting) == 0 {
		j.writing = false
	} else {
		j.waiting[0].told <- told{lead: true}
	}
	return err
}

// write writes entries in one transaction.
func (j *Journal) write(ctx context.Context, all []*pending) error {
	at := micros(time.Now())
	return j.db.Write(ctx, func(tx *sql.Tx) error {
		// What a result was made of is not needed any more.
		results := slices.DeleteFunc(slices.Clone(all), func(p *pending) bool { return p.entry.Kind != journal.Result })
		err := each(ctx, tx, "DELETE FROM journal WHERE run = ?", results, func(p *pending) ([]any, error) { return []any{p.entry.Run}, nil })
		if err != nil {
			return err
		}
		return each(ctx, tx, putEntry, all, func(p *pending) ([]any, error) {
			e := p.entry
			return []any{e.Run, e.Key.Path, e.Key.Hash[:], e.Key.Nth, string(e.Kind), at, e.Data}, nil
		})
	})
}

// Find returns an entry.
func (j *Journal) Find(ctx context.Context, run string, k journal.Key) (*journal.Entry, error) {
	e := &journal.Entry{Run: run, Key: k}
	var kind string
	err := j.db.Read.QueryRowContext(ctx, `SELECT nth, kind, data FROM journal WHERE run = ? AND path = ? AND hash = ? AND nth >= ?
ORDER BY nth LIMIT 1`, run, k.Path, k.Hash[:], k.Nth).Scan(&e.Key.Nth, &kind, &e.Data)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, j.db.Explain(err)
	}
	e.Kind = journal.Kind(kind)
	return e, nil
}

// Count counts replies of models. Those of a batch are those of its rows.
func (j *Journal) Count(ctx context.Context, run string) (int, error) {
	var n int
	err := j.db.Read.QueryRowContext(ctx, "SELECT count(*) FROM journal WHERE (run = ? OR run > ? AND run < ?) AND kind = ?",
		run, run+"-", run+".", string(journal.Model)).Scan(&n)
	return n, j.db.Explain(err)
}

// Forget deletes the entries of a run.
func (j *Journal) Forget(ctx context.Context, run string) error {
	return j.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM journal WHERE run = ?", run)
		return err
	})
}

// ended forgets what the journal has of a run that is OK: with the same transaction
// that says so. Of a row all stays until its result is written, and that until its
// batch has ended: `.` is what comes after `-`.
func ended(ctx context.Context, tx *sql.Tx, r *history.Run) error {
	if _, row := history.IsRow(r.ID); row || r.Status != history.OK {
		return nil
	}
	_, err := tx.ExecContext(ctx, "DELETE FROM journal WHERE run = ? OR run > ? AND run < ?", r.ID, r.ID+"-", r.ID+".")
	return err
}
