package pgvector

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/dspi-lang/dspi/stdlib/retrievers/index"
)

// facts are what the table state says of an index.
type facts struct {
	changes     int64
	done, words bool
	dim         int
	corpusFacts
}

// querier is a connection or a transaction.
type querier interface {
	Query(context.Context, string, ...any) (pgx.Rows, error)
	QueryRow(context.Context, string, ...any) pgx.Row
}

// facts reads the state. Lock is what stands behind the query: FOR UPDATE.
func (x *Store) facts(ctx context.Context, q querier, lock string) (f facts, err error) {
	err = q.QueryRow(ctx, "SELECT changes, done, words, dim, passages, length FROM "+x.common("state")+" WHERE name = $1"+lock, x.o.Name).
		Scan(&f.changes, &f.done, &f.words, &f.dim, &f.passages, &f.length)
	if errors.Is(err, pgx.ErrNoRows) {
		return f, index.ErrReplaced // somebody has deleted it
	}
	return f, err
}

// State reads the state. An index without the words that are wanted now is not done.
func (x *Store) State(ctx context.Context) (index.State, error) {
	s := index.State{Files: map[string]index.File{}}
	err := pgx.BeginTxFunc(ctx, x.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		f, err := x.facts(ctx, tx, "")
		if err != nil {
			return err
		}
		s.Changes, s.Done = f.changes, f.done && (f.words || !x.o.Words)
		rows, err := tx.Query(ctx, "SELECT name, size, modified, hash FROM "+x.common("file")+" WHERE index = $1", x.o.Name)
		if err != nil {
			return err
		}
		var one index.File
		var h []byte
		_, err = pgx.ForEachRow(rows, []any{&one.Name, &one.Size, &one.Modified, &h}, func() error {
			copy(one.Hash[:], h)
			s.Files[one.Name] = one
			return nil
		})
		return err
	})
	return s, x.explain(err)
}

// Stored returns which passages are in the index: none where its words must be made,
// too, so that all passages are written.
func (x *Store) Stored(ctx context.Context) (out []index.Stored, err error) {
	f, err := x.facts(ctx, x.pool, "")
	if err != nil || x.o.Words && !f.words {
		return nil, x.explain(err)
	}
	rows, err := x.pool.Query(ctx, "SELECT key, hash FROM "+x.table("")+" ORDER BY key")
	if err != nil {
		return nil, x.explain(err)
	}
	var s index.Stored
	var h []byte
	_, err = pgx.ForEachRow(rows, []any{&s.Key, &h}, func() error {
		copy(s.Hash[:], h)
		out = append(out, s)
		return nil
	})
	return out, x.explain(err)
}

// Embedded returns the texts that have a vector.
func (x *Store) Embedded(ctx context.Context) (map[index.Hash]bool, int, error) {
	have := map[index.Hash]bool{}
	f, err := x.facts(ctx, x.pool, "")
	if err != nil || f.dim == 0 {
		return have, 0, x.explain(err)
	}
	rows, err := x.pool.Query(ctx, "SELECT whole FROM "+x.table("")+" WHERE v IS NOT NULL UNION ALL SELECT whole FROM "+x.table("_pending"))
	if err != nil {
		return nil, 0, x.explain(err)
	}
	var h []byte
	_, err = pgx.ForEachRow(rows, []any{&h}, func() error {
		have[index.Hash(h)] = true
		return nil
	})
	return have, f.dim, x.explain(err)
}

// Keep keeps vectors of texts in the table of pending ones.
func (x *Store) Keep(ctx context.Context, texts []index.Hash, list [][]float32) error {
	return x.explain(pgx.BeginFunc(ctx, x.pool, func(tx pgx.Tx) error {
		f, err := x.facts(ctx, tx, " FOR UPDATE")
		switch {
		case err != nil:
			return err
		case f.dim == 0:
			if err := x.vectors(ctx, tx, len(list[0])); err != nil {
				return err
			}
		case f.dim != len(list[0]):
			return &index.DimensionError{Index: f.dim, Given: len(list[0])}
		}
		_, err = tx.CopyFrom(ctx, pgx.Identifier{x.o.Schema, x.o.Name + "_pending"}, []string{"whole", "v"},
			pgx.CopyFromSlice(len(texts), func(i int) ([]any, error) { return []any{texts[i][:], list[i]}, nil }))
		return err
	}))
}

// Stamp notes the times of files.
func (x *Store) Stamp(ctx context.Context, from index.State, files []index.File) error {
	return x.explain(pgx.BeginFunc(ctx, x.pool, func(tx pgx.Tx) error {
		f, err := x.facts(ctx, tx, " FOR UPDATE")
		switch {
		case err != nil:
			return err
		case f.changes != from.Changes:
			return index.ErrOther
		}
		return x.writeFiles(ctx, tx, files)
	}))
}

func (x *Store) writeFiles(ctx context.Context, tx pgx.Tx, files []index.File) error {
	if _, err := tx.Exec(ctx, "DELETE FROM "+x.common("file")+" WHERE index = $1", x.o.Name); err != nil {
		return err
	}
	_, err := tx.CopyFrom(ctx, pgx.Identifier{x.o.Schema, "file"}, []string{"index", "name", "size", "modified", "hash"},
		pgx.CopyFromSlice(len(files), func(i int) ([]any, error) {
			f := files[i]
			return []any{x.o.Name, f.Name, f.Size, f.Modified, f.Hash[:]}, nil
		}))
	return err
}

// Write writes a change in one transaction.
func (x *Store) Write(ctx context.Context, c index.Change) error {
	return x.explain(pgx.BeginFunc(ctx, x.pool, func(tx pgx.Tx) error {
		f, err := x.facts(ctx, tx, " FOR UPDATE")
		switch {
		case err != nil:
			return err
		case f.changes != c.From.Changes:
			return index.ErrOther
		}
		w := &writing{x: x, ctx: ctx, tx: tx, facts: f, words: x.o.Words || f.words, all: c.Edit.All || x.o.Words && !f.words}
		return w.write(c)
	}))
}

// writing is a change under way.
type writing struct {
	x   *Store
	ctx context.Context
	tx  pgx.Tx
	facts
	words bool // they are kept
	all   bool // all that is in the index goes

	rows     [][]any // of the passages that come next
	size     int
	segment  segment
	segments int64
}

func (w *writing) exec(q string, args ...any) error {
	_, err := w.tx.Exec(w.ctx, q, args...)
	return err
}

func (w *writing) write(c index.Change) error {
	x := w.x
	if err := w.delete(c.Edit.Deleted); err != nil {
		return err
	}
	if err := w.insert(c); err != nil {
		return err
	}
	if w.dim > 0 {
		if c.Vectors {
			var lacks bool
			if err := w.tx.QueryRow(w.ctx, "SELECT EXISTS (SELECT 1 FROM "+x.table("")+" WHERE v IS NULL)").Scan(&lacks); err != nil {
				return err
			}
			if lacks {
				return index.ErrOther
			}
		}
		if err := w.exec("TRUNCATE " + x.table("_pending")); err != nil {
			return err
		}
	}
	if err := x.writeFiles(w.ctx, w.tx, c.Files); err != nil {
		return err
	}
	err := w.exec("UPDATE "+x.common("state")+" SET (changes, done, words, passages, length) = (SELECT $2::bigint, true, $3::boolean, count(*), COALESCE(sum(length), 0) FROM "+x.table("")+") WHERE name = $1",
		x.o.Name, w.changes+1, w.words)
	if err != nil {
		return err
	}
	if c.Edit.Written+len(c.Edit.Deleted) > 100 || w.all {
		if err := w.exec("ANALYZE " + x.table("")); err != nil {
			return err
		}
	}
	if w.dim > 0 && !x.o.Exact && x.o.Vectors {
		return x.hnsw(w.ctx, w.tx, int64(len(c.Edit.Keys)), w.dim)
	}
	return nil
}

// delete deletes passages. Their vectors are kept aside until the change is written,
// because a passage may come back at another place.
func (w *writing) delete(keys []int64) error {
	if len(keys) == 0 && !w.all {
		return nil
	}
	which := " WHERE key = ANY($1)"
	args := []any{keys}
	if w.all {
		which, args = "", nil
	}
	t := w.x.table("")
	if w.dim > 0 {
		q := "INSERT INTO " + w.x.table("_pending") + " SELECT DISTINCT ON (whole) whole, v FROM " + t
		if which == "" {
			q += " WHERE v IS NOT NULL"
		} else {
			q += which + " AND v IS NOT NULL"
		}
		if err := w.exec(q+" ON CONFLICT DO NOTHING", args...); err != nil {
			return err
		}
	}
	switch {
	case w.all:
		if err := w.exec("DELETE FROM " + w.x.table("_word")); err != nil {
			return err
		}
	case w.words:
		if err := w.forget(keys); err != nil {
			return err
		}
	}
	return w.exec("DELETE FROM "+t+which, args...)
}

// forget takes passages out of what is kept of their words.
func (w *writing) forget(keys []int64) error {
	gone := make(map[int64]bool, len(keys))
	for _, k := range keys {
		gone[k] = true
	}
	rows, err := w.tx.Query(w.ctx, "SELECT title, text FROM "+w.x.table("")+" WHERE key = ANY($1)", keys)
	if err != nil {
		return err
	}
	var of segment
	var p index.Entry
	if _, err := pgx.ForEachRow(rows, []any{&p.Title, &p.Text}, func() error {
		of.add(1, p.Passage.Whole())
		return nil
	}); err != nil {
		return err
	}
	type row struct {
		word    string
		segment int64
		count   int
		data    []byte
	}
	var changed []row
	rows, err = w.tx.Query(w.ctx, "SELECT word, segment, count, data FROM "+w.x.table("_word")+" WHERE word = ANY($1)", of.sorted())
	if err != nil {
		return err
	}
	var r row
	if _, err := pgx.ForEachRow(rows, []any{&r.word, &r.segment, &r.count, &r.data}, func() error {
		left, n, err := without(r.data, gone)
		if err == nil && n != r.count {
			changed = append(changed, row{r.word, r.segment, n, left})
		}
		return err
	}); err != nil {
		return err
	}
	b := &pgx.Batch{}
	for _, r := range changed {
		if r.count == 0 {
			b.Queue("DELETE FROM "+w.x.table("_word")+" WHERE word = $1 AND segment = $2", r.word, r.segment)
		} else {
			b.Queue("UPDATE "+w.x.table("_word")+" SET count = $3, data = $4 WHERE word = $1 AND segment = $2", r.word, r.segment, r.count, r.data)
		}
	}
	return w.tx.SendBatch(w.ctx, b).Close()
}

var columns = []string{"key", "id", "title", "text", "meta", "hash", "whole", "length"}

// insert writes the new passages: into a table of this transaction first, because
// their vectors are on the server already.
func (w *writing) insert(c index.Change) error {
	if c.Edit.Written == 0 {
		return nil
	}
	list := strings.Join(columns, ", ")
	if err := w.exec("CREATE TEMP TABLE incoming ON COMMIT DROP AS SELECT " + list + " FROM " + w.x.table("") + " WITH NO DATA"); err != nil {
		return err
	}
	if err := c.Each(w.add); err != nil {
		return err
	}
	if err := w.flush(); err != nil {
		return err
	}
	if err := w.flushWords(); err != nil {
		return err
	}
	q := "INSERT INTO " + w.x.table("") + " (" + list + ") SELECT " + list + " FROM incoming"
	if w.dim > 0 {
		if w.passages == 0 && !w.x.o.Exact { // it is made faster at the end
			if err := w.exec("DROP INDEX IF EXISTS " + w.x.table("_"+string(w.x.o.Distance))); err != nil {
				return err
			}
		}
		if err := w.exec("ANALYZE incoming"); err != nil {
			return err
		}
		if w.passages > 0 { // a new passage may have the text of one that stays
			err := w.exec("INSERT INTO " + w.x.table("_pending") + " SELECT DISTINCT ON (p.whole) p.whole, p.v FROM " + w.x.table("") +
				" p JOIN incoming i ON i.whole = p.whole WHERE p.v IS NOT NULL ON CONFLICT DO NOTHING")
			if err != nil {
				return err
			}
		}
		q = "INSERT INTO " + w.x.table("") + " (" + list + ", v) SELECT i." + strings.Join(columns, ", i.") +
			", p.v FROM incoming i LEFT JOIN " + w.x.table("_pending") + " p ON p.whole = i.whole"
	}
	if err := w.exec(q); err != nil {
		return err
	}
	return w.merge()
}

// What is sent at once, and how many postings are in a segment.
const (
	mostRows     = 2000
	mostBytes    = 4 << 20
	mostPostings = 8_000_000
	mostSegments = 16
)

func (w *writing) add(e index.Entry) error {
	length := 0
	if w.words {
		length = w.segment.add(e.Key, e.Passage.Whole())
	}
	var meta any
	if e.Meta != "" {
		meta = e.Meta
	}
	w.rows = append(w.rows, []any{e.Key, clean(e.ID), clean(e.Title), clean(e.Text), meta, e.Hash[:], e.Whole[:], length})
	w.size += len(e.Text)
	if w.segment.postings > mostPostings {
		if err := w.flushWords(); err != nil {
			return err
		}
	}
	if len(w.rows) < mostRows && w.size < mostBytes {
		return nil
	}
	return w.flush()
}

// clean writes a text as Postgres takes it: without the character 0.
func clean(s string) string { return strings.ReplaceAll(s, "\x00", "\ufffd") }

func (w *writing) flush() error {
	_, err := w.tx.CopyFrom(w.ctx, pgx.Identifier{"incoming"}, columns, pgx.CopyFromRows(w.rows))
	w.rows, w.size = w.rows[:0], 0
	return err
}

func (w *writing) flushWords() error {
	if w.segment.postings == 0 {
		return nil
	}
	words := w.segment.sorted()
	number := (w.changes+1)<<16 + w.segments
	_, err := w.tx.CopyFrom(w.ctx, pgx.Identifier{w.x.o.Schema, w.x.o.Name + "_word"}, []string{"word", "segment", "count", "data"},
		pgx.CopyFromSlice(len(words), func(i int) ([]any, error) {
			b := w.segment.words[words[i]]
			return []any{words[i], number, b.count, b.bytes()}, nil
		}))
	w.segment = segment{}
	w.segments++
	return err
}

// merge makes one segment of many.
func (w *writing) merge() error {
	t := w.x.table("_word")
	var n int
	if err := w.tx.QueryRow(w.ctx, "SELECT count(DISTINCT segment) FROM "+t).Scan(&n); err != nil || n <= mostSegments {
		return err
	}
	for _, q := range []string{
		"CREATE TEMP TABLE merged ON COMMIT DROP AS SELECT word, max(segment) AS segment, sum(count)::int AS count, string_agg(data, ''::bytea ORDER BY segment) AS data FROM " + t + " GROUP BY word",
		"DELETE FROM " + t,
		"INSERT INTO " + t + " SELECT word, (SELECT max(segment) FROM merged), count, data FROM merged",
	} {
		if err := w.exec(q); err != nil {
			return err
		}
	}
	return nil
}
