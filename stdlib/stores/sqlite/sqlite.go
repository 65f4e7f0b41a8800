// Package sqlite keeps runs in a SQLite file.
//
//	Store    the history.Store over a file (sqlite.go)
//	Journal  the journal.Journal in the same file (journal.go)
//	schema   its tables (schema.go)
//	read     rows back into records (read.go)
//
// The file may be used by many processes at once: see stdlib/internal/database.
package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/dspi-lang/dspi/interpreter/history"
	"github.com/dspi-lang/dspi/stdlib/internal/database"
)

// Store keeps runs in a file. It implements history.Store.
type Store struct {
	db      *database.DB
	journal Journal
}

// Open opens the file at path, and makes it where it does not exist. The error is
// one of package database, with the way out in its words.
func Open(path string) (*Store, error) {
	db, err := database.Open(path, schema)
	if err != nil {
		return nil, err
	}
	return &Store{db: db, journal: Journal{db: db}}, nil
}

// Close closes the file.
func (s *Store) Close() error { return s.db.Close() }

const (
	putRun = `INSERT INTO runs
(id, program, file, version, models, status, writer, started, ended, inputs, outputs, error, calls, input_tokens, output_tokens, usd, usage, origin)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET
program = excluded.program, file = excluded.file, version = excluded.version, models = excluded.models, inputs = excluded.inputs,
origin = excluded.origin, status = excluded.status, writer = excluded.writer, ended = excluded.ended, outputs = excluded.outputs, error = excluded.error,
calls = excluded.calls, input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens, usd = excluded.usd, usage = excluded.usage`

	putStep = `INSERT INTO steps
(run, number, address, element, status, started, duration, inputs, outputs, error, path, parent, tools, asserted)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (run, number) DO UPDATE SET
status = excluded.status, duration = excluded.duration, outputs = excluded.outputs, error = excluded.error,
tools = excluded.tools, asserted = excluded.asserted`

	putCall = `INSERT INTO calls
(run, number, step, address, model, started, duration, input_tokens, output_tokens, usd, cached, request, reply, error, attempts, misfit, repairs, choices)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (run, number) DO UPDATE SET
duration = excluded.duration, input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens, usd = excluded.usd,
cached = excluded.cached, reply = excluded.reply, error = excluded.error, attempts = excluded.attempts,
misfit = excluded.misfit, repairs = excluded.repairs, choices = excluded.choices`

	putWriter = `INSERT INTO writers (id, host, pid, seen) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET seen = excluded.seen`
)

// Write keeps a batch in one transaction.
func (s *Store) Write(ctx context.Context, b *history.Batch) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if w := b.Writer; w != nil {
			var err error
			if w.Gone {
				_, err = tx.ExecContext(ctx, "DELETE FROM writers WHERE id = ?", w.ID)
			} else {
				_, err = tx.ExecContext(ctx, putWriter, w.ID, w.Host, w.PID, micros(w.Seen))
			}
			if err != nil {
				return err
			}
		}
		for _, id := range b.Again {
			for _, table := range []string{"steps", "calls"} {
				if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE run = ?", id); err != nil {
					return err
				}
			}
		}
		if err := each(ctx, tx, putRun, b.Runs, runRow); err != nil {
			return err
		}
		for _, r := range b.Runs {
			if err := ended(ctx, tx, r); err != nil {
				return err
			}
		}
		if err := each(ctx, tx, putStep, b.Steps, stepRow); err != nil {
			return err
		}
		return each(ctx, tx, putCall, b.Calls, callRow)
	})
}

// each runs a statement with the row of each record.
func each[T any](ctx context.Context, tx *sql.Tx, statement string, records []*T, row func(*T) ([]any, error)) error {
	if len(records) == 0 {
		return nil
	}
	st, err := tx.PrepareContext(ctx, statement)
	if err != nil {
		return err
	}
	defer st.Close()
	for _, x := range records {
		args, err := row(x)
		if err != nil {
			return err
		}
		if _, err := st.ExecContext(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

// rowOf collects the columns of a row; the first failure is kept.
type rowOf struct {
	columns []any
	err     error
}

func (r *rowOf) add(columns ...any) { r.columns = append(r.columns, columns...) }

// json adds a column of JSON; NULL unless there is something.
func (r *rowOf) json(v any, something bool) {
	if !something {
		r.add(nil)
		return
	}
	text, err := json.Marshal(v)
	if err != nil && r.err == nil {
		r.err = err
	}
	r.add(string(text))
}

func runRow(x *history.Run) ([]any, error) {
	var r rowOf
	r.add(x.ID, x.Program, x.File, x.Version)
	r.json(x.Models, true)
	var ended any
	if x.Ended != nil {
		ended = micros(*x.Ended)
	}
	r.add(string(x.Status), x.Writer, micros(x.Started), ended, string(x.Inputs), string(x.Outputs))
	r.json(x.Error, x.Error != nil)
	r.add(x.Usage.Calls, x.Usage.InputTokens, x.Usage.OutputTokens, number(x.Usage.USD))
	r.json(x.Usage, true)
	r.json(x.Origin, x.Origin != nil)
	return r.columns, r.err
}

func stepRow(x *history.Step) ([]any, error) {
	var r rowOf
	var element any
	if x.Element != nil {
		element = *x.Element
	}
	r.add(x.Run, x.Number, x.Address, element, string(x.Status), micros(x.Started), int64(x.Duration), string(x.Inputs), string(x.Outputs))
	r.json(x.Error, x.Error != nil)
	r.add(x.Path, x.Parent)
	r.json(x.Tools, len(x.Tools) > 0)
	r.json(x.Asserted, len(x.Asserted) > 0)
	return r.columns, r.err
}

func callRow(x *history.Call) ([]any, error) {
	var r rowOf
	r.add(x.Run, x.Number, x.Step, x.Address, x.Model, micros(x.Started), int64(x.Duration))
	if p := x.Reply; p != nil {
		r.add(p.Usage.InputTokens, p.Usage.OutputTokens, number(p.Cost), p.Cached)
	} else {
		r.add(nil, nil, nil, false)
	}
	r.json(x.Request, true)
	r.json(x.Reply, x.Reply != nil)
	r.json(x.Error, x.Error != nil)
	r.json(x.Attempts, len(x.Attempts) > 0)
	r.json(x.Misfit, len(x.Misfit) > 0)
	r.json(x.Repairs, len(x.Repairs) > 0)
	r.json(x.Choices, len(x.Choices) > 0)
	return r.columns, r.err
}

func micros(t time.Time) int64 { return t.UnixMicro() }

func number(x *float64) any {
	if x == nil {
		return nil
	}
	return *x
}

// chunk is how many runs are deleted in one transaction, so that whoever writes
// runs does not wait long.
const chunk = 200

// Delete deletes runs, and gives their room back to the file system: nothing of
// them is left in the file.
func (s *Store) Delete(ctx context.Context, ids ...string) (int, error) {
	n, err := s.delete(ctx, ids)
	if err == nil && n > 0 {
		err = s.db.Shrink(ctx)
	}
	return n, err
}

func (s *Store) delete(ctx context.Context, ids []string) (int, error) {
	n := 0
	for len(ids) > 0 {
		part := ids[:min(chunk, len(ids))]
		ids = ids[len(part):]
		err := s.db.Write(ctx, func(tx *sql.Tx) error {
			for _, id := range part {
				// With a batch go its rows, whose ids are its own with `-` and a number.
				done, err := tx.ExecContext(ctx, "DELETE FROM runs WHERE id = ? OR id > ? AND id < ?", id, id+"-", id+".")
				if err != nil {
					return err
				}
				if _, err := tx.ExecContext(ctx, "DELETE FROM journal WHERE run = ? OR run > ? AND run < ?", id, id+"-", id+"."); err != nil {
					return err
				}
				if k, err := done.RowsAffected(); err == nil {
					n += int(k)
				}
			}
			return nil
		})
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// DeleteBefore deletes the runs that began before t and are not running.
func (s *Store) DeleteBefore(ctx context.Context, t time.Time) (int, error) {
	runs, err := s.list(ctx, "WHERE started < ?", micros(t))
	if err != nil {
		return 0, err
	}
	var old []string
	for _, r := range runs {
		if r.Status != history.Running {
			old = append(old, r.ID)
		}
	}
	return s.Delete(ctx, old...)
}

// Prune does the same, unless somebody did since `since`.
func (s *Store) Prune(ctx context.Context, t, since time.Time) (int, error) {
	var last int64
	err := s.db.Read.QueryRowContext(ctx, "SELECT coalesce((SELECT value FROM facts WHERE name = 'pruned'), 0)").Scan(&last)
	if err != nil {
		return 0, s.db.Explain(err)
	}
	if last >= micros(since) {
		return 0, nil
	}
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO facts (name, value) VALUES ('pruned', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", micros(time.Now()))
		if err == nil {
			// Writers that went away without a word.
			_, err = tx.ExecContext(ctx, "DELETE FROM writers WHERE seen < ?", micros(time.Now().Add(-24*time.Hour)))
		}
		if err == nil {
			// Entries whose run was never written.
			_, err = tx.ExecContext(ctx, "DELETE FROM journal WHERE written < ? AND run NOT IN (SELECT id FROM runs)", micros(t))
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	return s.DeleteBefore(ctx, t)
}
