package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/dspi-lang/dspi/interpreter/history"
)

// Run returns a run by the beginning of its id.
func (s *Store) Run(ctx context.Context, id string) (*history.Whole, error) {
	where, args := "WHERE id >= ? AND id < ? ORDER BY id LIMIT 8", []any{id, id + "\U0010ffff"}
	if id == "" {
		where, args = "ORDER BY started DESC, id DESC LIMIT 1", nil
	}
	found, err := s.list(ctx, where, args...)
	if err != nil {
		return nil, err
	}
	if len(found) > 1 && found[0].ID == id {
		found = found[:1]
	}
	if len(found) != 1 {
		e := &history.NoRunError{ID: id}
		for _, r := range found {
			e.Several = append(e.Several, r.ID)
		}
		return nil, e
	}
	w := &history.Whole{Run: found[0], Steps: []history.Step{}, Calls: []history.Call{}}
	if err := s.steps(ctx, w); err != nil {
		return nil, s.db.Explain(err)
	}
	if w.Calls, err = s.calls(ctx, w.ID); err != nil {
		return nil, s.db.Explain(err)
	}
	w.Arrange()
	return w, nil
}

// Runs returns runs, the newest first.
func (s *Store) Runs(ctx context.Context, limit int) ([]history.Run, error) {
	if limit <= 0 {
		limit = -1
	}
	return s.list(ctx, "ORDER BY started DESC, id DESC LIMIT ?", limit)
}

// list returns the runs of a query, without steps and calls.
func (s *Store) list(ctx context.Context, where string, args ...any) ([]history.Run, error) {
	writers, err := s.writers(ctx)
	if err != nil {
		return nil, s.db.Explain(err)
	}
	rows, err := s.db.Read.QueryContext(ctx, `SELECT id, program, file, version, models, status, writer, started, ended,
inputs, outputs, error, usage, origin FROM runs `+where, args...)
	if err != nil {
		return nil, s.db.Explain(err)
	}
	defer rows.Close()
	out := []history.Run{}
	for rows.Next() {
		var r history.Run
		var status, models, inputs, outputs, usage string
		var started int64
		var ended sql.NullInt64
		var failure, origin sql.NullString
		if err := rows.Scan(&r.ID, &r.Program, &r.File, &r.Version, &models, &status, &r.Writer, &started, &ended, &inputs, &outputs, &failure, &usage, &origin); err != nil {
			return nil, s.db.Explain(err)
		}
		r.Status, r.Started = history.Status(status), moment(started)
		if ended.Valid {
			t := moment(ended.Int64)
			r.Ended = &t
		}
		r.Inputs, r.Outputs = json.RawMessage(inputs), json.RawMessage(outputs)
		var read reader
		read.json(models, &r.Models)
		read.json(usage, &r.Usage)
		read.json(origin.String, &r.Origin)
		if failure.Valid {
			read.json(failure.String, &r.Error)
		}
		if read.err != nil {
			return nil, fmt.Errorf("the run %s cannot be read: %w", r.ID, read.err)
		}
		out = append(out, r)
	}
	if err := rows.Err(); err != nil {
		return nil, s.db.Explain(err)
	}
	rows.Close()
	history.Settle(out, writers, time.Now())
	for i := range out {
		if out[i].Ended == nil {
			if err := s.soFar(ctx, &out[i]); err != nil {
				return nil, s.db.Explain(err)
			}
		}
	}
	return out, nil
}

// soFar counts what a run without an end has used.
func (s *Store) soFar(ctx context.Context, r *history.Run) error {
	rows, err := s.db.Read.QueryContext(ctx, "SELECT reply FROM calls WHERE run = ? AND reply IS NOT NULL", r.ID)
	if err != nil {
		return err
	}
	defer rows.Close()
	var calls []history.Call
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return err
		}
		var c history.Call
		if err := json.Unmarshal([]byte(text), &c.Reply); err != nil {
			return err
		}
		calls = append(calls, c)
	}
	r.Usage = history.UsageOf(calls)
	return rows.Err()
}

func (s *Store) writers(ctx context.Context) (map[string]*history.Writer, error) {
	rows, err := s.db.Read.QueryContext(ctx, "SELECT id, host, pid, seen FROM writers")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]*history.Writer{}
	for rows.Next() {
		var w history.Writer
		var seen int64
		if err := rows.Scan(&w.ID, &w.Host, &w.PID, &seen); err != nil {
			return nil, err
		}
		w.Seen = moment(seen)
		out[w.ID] = &w
	}
	return out, rows.Err()
}

func (s *Store) steps(ctx context.Context, w *history.Whole) error {
	rows, err := s.db.Read.QueryContext(ctx, `SELECT number, address, element, status, started, duration, inputs, outputs, error, path, parent, tools, asserted
FROM steps WHERE run = ?`, w.ID)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		x := history.Step{Run: w.ID}
		var element sql.NullInt64
		var status, inputs, outputs string
		var started, duration int64
		var failure, tools, asserted sql.NullString
		if err := rows.Scan(&x.Number, &x.Address, &element, &status, &started, &duration, &inputs, &outputs, &failure, &x.Path, &x.Parent, &tools, &asserted); err != nil {
			return err
		}
		if element.Valid {
			n := int(element.Int64)
			x.Element = &n
		}
		x.Status, x.Started, x.Duration = history.Status(status), moment(started), time.Duration(duration)
		x.Inputs, x.Outputs = json.RawMessage(inputs), json.RawMessage(outputs)
		for _, column := range []struct {
			text sql.NullString
			to   any
		}{{failure, &x.Error}, {tools, &x.Tools}, {asserted, &x.Asserted}} {
			if !column.text.Valid {
				continue
			}
			if err := json.Unmarshal([]byte(column.text.String), column.to); err != nil {
				return err
			}
		}
		w.Steps = append(w.Steps, x)
	}
	return rows.Err()
}

func (s *Store) calls(ctx context.Context, run string) ([]history.Call, error) {
	rows, err := s.db.Read.QueryContext(ctx, `SELECT number, step, address, model, started, duration, request, reply, error, attempts, misfit, repairs, choices
FROM calls WHERE run = ?`, run)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []history.Call{}
	for rows.Next() {
		x := history.Call{Run: run}
		var started, duration int64
		var request string
		var reply, failure, attempts, misfit, repairs, choices sql.NullString
		if err := rows.Scan(&x.Number, &x.Step, &x.Address, &x.Model, &started, &duration, &request, &reply, &failure, &attempts, &misfit, &repairs, &choices); err != nil {
			return nil, err
		}
		x.Started, x.Duration = moment(started), time.Duration(duration)
		var read reader
		read.json(request, &x.Request)
		read.json(reply.String, &x.Reply)
		read.json(failure.String, &x.Error)
		read.json(attempts.String, &x.Attempts)
		read.json(misfit.String, &x.Misfit)
		read.json(repairs.String, &x.Repairs)
		read.json(choices.String, &x.Choices)
		if read.err != nil {
			return nil, fmt.Errorf("call %d of the run %s cannot be read: %w", x.Number, run, read.err)
		}
		out = append(out, x)
	}
	return out, rows.Err()
}

// reader reads columns of JSON; the first failure is kept. An empty column leaves
// its target as it is.
type reader struct{ err error }

func (r *reader) json(text string, into any) {
	if text == "" || r.err != nil {
		return
	}
	r.err = json.Unmarshal([]byte(text), into)
}

func moment(micros int64) time.Time { return time.UnixMicro(micros).UTC() }
