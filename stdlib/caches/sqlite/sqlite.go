// Package sqlite keeps replies of models in a SQLite file.
//
//	Open     opens the file; what it returns is a cache.Cache
//	Options  how much is kept
//
// A file may be used by many processes at once. What is put waits in a queue, at
// most a few milliseconds, and one goroutine writes what waits in one transaction
// (queue.go); Get sees what is in the queue. A process that is killed loses what
// waits, and never leaves half of a value. Close writes the rest.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/dspi-lang/dspi/interpreter/cache"
	"github.com/dspi-lang/dspi/stdlib/internal/database"
)

// schema is what the file holds. A script that was released is never changed.
var schema = []string{`
CREATE TABLE entry (
	key   BLOB PRIMARY KEY,
	value BLOB NOT NULL,
	size  INTEGER NOT NULL, -- of the value, in bytes
	made  INTEGER NOT NULL, -- when it was put, as all times in milliseconds since 1970
	used  INTEGER NOT NULL, -- when it was last of use, to the minute
	ends  INTEGER           -- when it is over; NULL: never
) STRICT;
CREATE INDEX entry_made ON entry (made);
CREATE INDEX entry_used ON entry (used);
CREATE INDEX entry_ends ON entry (ends) WHERE ends IS NOT NULL;

CREATE TABLE total (
	entries INTEGER NOT NULL,
	bytes   INTEGER NOT NULL,
	hits    INTEGER NOT NULL,
	misses  INTEGER NOT NULL
) STRICT;
INSERT INTO total VALUES (0, 0, 0, 0);
CREATE TRIGGER entry_put AFTER INSERT ON entry BEGIN
	UPDATE total SET entries = entries + 1, bytes = bytes + new.size;
END;
CREATE TRIGGER entry_changed AFTER UPDATE OF size ON entry BEGIN
	UPDATE total SET bytes = bytes + new.size - old.size;
END;
CREATE TRIGGER entry_gone AFTER DELETE ON entry BEGIN
	UPDATE total SET entries = entries - 1, bytes = bytes - old.size;
END;
`}

// Options say how much is kept. The zero Options is ready.
type Options struct {
	MaxSize int64            // bytes of all values; cache.DefaultMaxSize for 0 or less
	Now     func() time.Time // nil: time.Now
}

// Open opens the file at path, and makes it when it is missing. The error is one
// of package database, and names the file.
func Open(path string, o Options) (cache.Cache, error) {
	if o.MaxSize <= 0 {
		o.MaxSize = cache.DefaultMaxSize
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	db, err := database.Open(path, schema)
	if err != nil {
		return nil, err
	}
	get, err := db.Read.Prepare("SELECT value, used, ends FROM entry WHERE key = ?")
	if err != nil {
		return nil, errors.Join(db.Explain(err), db.Close())
	}
	s := &store{db: db, get: get, max: o.MaxSize, now: o.Now}
	s.queue.start(s.write)
	return s, nil
}

// store is a cache.Cache.
type store struct {
	db    *database.DB
	get   *sql.Stmt
	max   int64
	now   func() time.Time
	queue queue
}

// touchAfter is how much time must have passed for a value that is of use to be
// written as such. It keeps hits from being writes.
const touchAfter = time.Minute

func (s *store) Get(ctx context.Context, k cache.Key) ([]byte, bool, error) {
	now := s.now().UnixMilli()
	waits, ok, err := s.queue.look(k)
	if err != nil {
		return nil, false, err
	}
	if ok {
		found := !waits.gone && !over(waits.ends, now)
		s.queue.count(k, 0, found)
		if !found {
			return nil, false, nil
		}
		return waits.value, true, nil
	}
	var value []byte
	var used int64
	var ends sql.NullInt64
	err = s.get.QueryRowContext(ctx, k[:]).Scan(&value, &used, &ends)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, false, s.db.Explain(err)
	}
	if err != nil || over(ends, now) {
		s.queue.count(k, 0, false)
		return nil, false, nil
	}
	if now-used < touchAfter.Milliseconds() {
		now = 0
	}
	s.queue.count(k, now, true)
	return value, true, nil
}

func over(ends sql.NullInt64, now int64) bool { return ends.Valid && ends.Int64 <= now }

func (s *store) Put(ctx context.Context, k cache.Key, value []byte, ttl time.Duration) error {
	now := s.now()
	c := change{value: value, made: now.UnixMilli(), gone: int64(len(value)) > s.max}
	if ttl > 0 {
		c.ends = sql.NullInt64{Int64: now.Add(ttl).UnixMilli(), Valid: true}
	}
	return s.queue.add(ctx, k, c)
}

func (s *store) Delete(ctx context.Context, k cache.Key) error {
	return s.queue.add(ctx, k, change{gone: true})
}

func (s *store) Stats(ctx context.Context) (cache.Stats, error) {
	st := cache.Stats{MaxSize: s.max}
	if err := s.queue.flush(ctx); err != nil {
		return st, err
	}
	// What is over is removed with the next write; here it does not count.
	var oldest, newest sql.NullInt64
	err := s.db.Read.QueryRowContext(ctx, `
		SELECT entries - (SELECT count(*) FROM entry WHERE ends <= ?1),
		       bytes - (SELECT coalesce(sum(size), 0) FROM entry WHERE ends <= ?1), hits, misses,
		       (SELECT made FROM entry WHERE ends IS NULL OR ends > ?1 ORDER BY made LIMIT 1),
		       (SELECT made FROM entry WHERE ends IS NULL OR ends > ?1 ORDER BY made DESC LIMIT 1)
		FROM total`, s.now().UnixMilli()).Scan(&st.Entries, &st.Bytes, &st.Hits, &st.Misses, &oldest, &newest)
	if oldest.Valid {
		st.Oldest, st.Newest = time.UnixMilli(oldest.Int64), time.UnixMilli(newest.Int64)
	}
	return st, s.db.Explain(err)
}

func (s *store) Clear(ctx context.Context, before time.Time) (int, error) {
	if err := s.queue.flush(ctx); err != nil {
		return 0, err
	}
	var n int64
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		query, args := "DELETE FROM entry WHERE made < ?", []any{before.UnixMilli()}
		if before.IsZero() {
			query, args = "DELETE FROM entry", nil
			if _, err := tx.ExecContext(ctx, "UPDATE total SET hits = 0, misses = 0"); err != nil {
				return err
			}
		}
		res, err := tx.ExecContext(ctx, query, args...)
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	if err != nil {
		return 0, err
	}
	return int(n), s.db.Shrink(ctx)
}

func (s *store) Close() error {
	first, err := s.queue.stop()
	if !first {
		return nil
	}
	return errors.Join(err, s.get.Close(), s.db.Close())
}

// write writes a batch in one transaction, and then makes room.
func (s *store) write(b batch) error {
	return s.db.Write(context.Background(), func(tx *sql.Tx) error {
		now := s.now().UnixMilli()
		if err := s.writeChanges(tx, b); err != nil {
			return err
		}
		if b.hits+b.misses > 0 {
			if _, err := tx.Exec("UPDATE total SET hits = hits + ?, misses = misses + ?", b.hits, b.misses); err != nil {
				return err
			}
		}
		if _, err := tx.Exec("DELETE FROM entry WHERE ends <= ?", now); err != nil {
			return err
		}
		return s.makeRoom(tx)
	})
}

func (s *store) writeChanges(tx *sql.Tx, b batch) error {
	put, err := tx.Prepare(`INSERT INTO entry (key, value, size, made, used, ends) VALUES (?1, ?2, ?3, ?4, ?4, ?5)
		ON CONFLICT (key) DO UPDATE SET value = ?2, size = ?3, made = ?4, used = ?4, ends = ?5`)
	if err != nil {
		return err
	}
	defer put.Close()
	for k, c := range b.changes {
		if c.gone {
			_, err = tx.Exec("DELETE FROM entry WHERE key = ?", k[:])
		} else {
			value := c.value
			if value == nil {
				value = []byte{} // nil would be NULL
			}
			_, err = put.Exec(k[:], value, len(value), c.made, c.ends)
		}
		if err != nil {
			return err
		}
	}
	for k, used := range b.used {
		if _, err := tx.Exec("UPDATE entry SET used = max(used, ?) WHERE key = ?", used, k[:]); err != nil {
			return err
		}
	}
	return nil
}

// makeRoom removes what was not used for longest, until all fits.
func (s *store) makeRoom(tx *sql.Tx) error {
	var bytes int64
	if err := tx.QueryRow("SELECT bytes FROM total").Scan(&bytes); err != nil || bytes <= s.max {
		return err
	}
	rows, err := tx.Query("SELECT rowid, size FROM entry ORDER BY used, rowid")
	if err != nil {
		return err
	}
	defer rows.Close()
	var gone []int64
	for bytes > s.max && rows.Next() {
		var id, size int64
		if err := rows.Scan(&id, &size); err != nil {
			return err
		}
		gone = append(gone, id)
		bytes -= size
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for _, id := range gone {
		if _, err := tx.Exec("DELETE FROM entry WHERE rowid = ?", id); err != nil {
			return err
		}
	}
	return nil
}
