package sqlite

import (
	"context"
	"database/sql"

	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/stdlib/internal/database"
	"github.com/dspi-lang/dspi/stdlib/retrievers/index"
)

// State reads the state.
func (x *Store) State(ctx context.Context) (s index.State, err error) {
	err = x.with(ctx, func(db *database.DB) error {
		s = index.State{Files: map[string]index.File{}}
		tx, err := db.Read.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		if err := tx.QueryRowContext(ctx, "SELECT changes, done FROM state").Scan(&s.Changes, &s.Done); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, "SELECT name, size, modified, hash FROM file")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var f index.File
			var h []byte
			if err := rows.Scan(&f.Name, &f.Size, &f.Modified, &h); err != nil {
				return err
			}
			copy(f.Hash[:], h)
			s.Files[f.Name] = f
		}
		return rows.Err()
	})
	return s, err
}

// Stored returns which passages are in the index.
func (x *Store) Stored(ctx context.Context) (out []index.Stored, err error) {
	err = x.with(ctx, func(db *database.DB) error {
		out = nil
		rows, err := db.Read.QueryContext(ctx, "SELECT key, hash FROM passage ORDER BY key")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var s index.Stored
			var h []byte
			if err := rows.Scan(&s.Key, &h); err != nil {
				return err
			}
			copy(s.Hash[:], h)
			out = append(out, s)
		}
		return rows.Err()
	})
	return out, err
}

// Embedded returns the texts that have a vector.
func (x *Store) Embedded(ctx context.Context) (have map[index.Hash]bool, dim int, err error) {
	err = x.with(ctx, func(db *database.DB) error {
		have = map[index.Hash]bool{}
		rows, err := db.Read.QueryContext(ctx, "SELECT whole, length(v) / 4 FROM vector")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var b sql.RawBytes
			if err := rows.Scan(&b, &dim); err != nil {
				return err
			}
			have[index.Hash(b)] = true
		}
		return rows.Err()
	})
	return have, dim, err
}

// Keep keeps vectors of texts.
func (x *Store) Keep(ctx context.Context, texts []index.Hash, list [][]float32) error {
	return x.with(ctx, func(db *database.DB) error {
		return db.Write(ctx, func(tx *sql.Tx) error {
			var size int
			switch err := tx.QueryRowContext(ctx, "SELECT length(v) / 4 FROM vector LIMIT 1").Scan(&size); {
			case err == sql.ErrNoRows:
			case err != nil:
				return err
			case size != len(list[0]): // another process came first, with another model
				return &index.DimensionError{Index: size, Given: len(list[0])}
			}
			put, err := tx.PrepareContext(ctx, "INSERT INTO vector (whole, v) VALUES (?, ?)")
			if err != nil {
				return err
			}
			defer put.Close()
			var v []byte
			for i, h := range texts {
				v = index.AppendVector(v[:0], list[i])
				if err := put1(ctx, put, h[:], v); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// put1 writes a row. The driver starts a goroutine for each statement that a context
// may end, which rows are too short for: the context is looked at between them.
func put1(ctx context.Context, put *sql.Stmt, args ...any) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	_, err := put.ExecContext(context.WithoutCancel(ctx), args...)
	return err
}

// Stamp notes the times of files.
func (x *Store) Stamp(ctx context.Context, from index.State, files []index.File) error {
	return x.with(ctx, func(db *database.DB) error {
		return db.Write(ctx, func(tx *sql.Tx) error {
			if err := unchanged(ctx, tx, from); err != nil {
				return err
			}
			return writeFiles(ctx, tx, files)
		})
	})
}

// unchanged fails when another process has written the index.
func unchanged(ctx context.Context, tx *sql.Tx, from index.State) error {
	var changes int64
	if err := tx.QueryRowContext(ctx, "SELECT changes FROM state").Scan(&changes); err != nil {
		return err
	}
	if changes != from.Changes {
		return index.ErrOther
	}
	return nil
}

func writeFiles(ctx context.Context, tx *sql.Tx, files []index.File) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM file"); err != nil {
		return err
	}
	for _, f := range files {
		if _, err := tx.ExecContext(ctx, "INSERT INTO file VALUES (?, ?, ?, ?)", f.Name, f.Size, f.Modified, f.Hash[:]); err != nil {
			return err
		}
	}
	return nil
}

// Write writes a change in one transaction.
func (x *Store) Write(ctx context.Context, c index.Change) error {
	return x.with(ctx, func(db *database.DB) error {
		return db.Write(ctx, func(tx *sql.Tx) error { return write(ctx, tx, c) })
	})
}

func write(ctx context.Context, tx *sql.Tx, c index.Change) error {
	if err := unchanged(ctx, tx, c.From); err != nil {
		return err
	}
	if c.Edit.All {
		for _, q := range []string{"DELETE FROM passage", "INSERT INTO words(words) VALUES ('delete-all')"} {
			if _, err := tx.ExecContext(ctx, q); err != nil {
				return err
			}
		}
	}
	for _, key := range c.Edit.Deleted {
		var p retrieve.Passage
		if err := tx.QueryRowContext(ctx, "DELETE FROM passage WHERE key = ? RETURNING title, text", key).Scan(&p.Title, &p.Text); err != nil {
			return err
		}
		// FTS5 is told the text, so that the length of an average passage stays right.
		if _, err := tx.ExecContext(ctx, "INSERT INTO words(words, rowid, whole) VALUES ('delete', ?, ?)", key, p.Whole()); err != nil {
			return err
		}
	}
	passage, err := tx.PrepareContext(ctx, "INSERT INTO passage (key, hash, whole, id, title, text, meta) VALUES (?, ?, ?, ?, ?, ?, ?)")
	if err != nil {
		return err
	}
	defer passage.Close()
	words, err := tx.PrepareContext(ctx, "INSERT INTO words(rowid, whole) VALUES (?, ?)")
	if err != nil {
		return err
	}
	defer words.Close()
	err = c.Each(func(e index.Entry) error {
		if err := put1(ctx, passage, e.Key, e.Hash[:], e.Whole[:], e.ID, e.Title, e.Text, sql.NullString{String: e.Meta, Valid: e.Meta != ""}); err != nil {
			return err
		}
		return put1(ctx, words, e.Key, e.Passage.Whole())
	})
	if err != nil {
		return err
	}
	if err := writeFiles(ctx, tx, c.Files); err != nil {
		return err
	}
	lacks, err := tidy(ctx, tx)
	if err != nil {
		return err
	}
	if c.Vectors && lacks > 0 {
		return index.ErrOther // another process deleted vectors that are wanted here
	}
	_, err = tx.ExecContext(ctx, "UPDATE state SET changes = changes + 1, done = 1")
	return err
}

// tidy deletes vectors that are of no passage, and all but the first of one text. It
// returns for how many texts there is none.
func tidy(ctx context.Context, tx *sql.Tx) (lacks int, err error) {
	wanted := map[index.Hash]bool{} // true until its vector is found
	if err := eachHash(ctx, tx, "SELECT key, whole FROM passage", func(_ int64, h index.Hash) { wanted[h] = true }); err != nil {
		return 0, err
	}
	lacks = len(wanted)
	var gone []int64
	if err := eachHash(ctx, tx, "SELECT rowid, whole FROM vector", func(row int64, h index.Hash) {
		if !wanted[h] {
			gone = append(gone, row)
			return
		}
		wanted[h] = false
		lacks--
	}); err != nil {
		return 0, err
	}
	if len(gone) == 0 {
		return lacks, nil
	}
	out, err := tx.PrepareContext(ctx, "DELETE FROM vector WHERE rowid = ?")
	if err != nil {
		return 0, err
	}
	defer out.Close()
	for _, row := range gone {
		if err := put1(ctx, out, row); err != nil {
			return 0, err
		}
	}
	return lacks, nil
}

// eachHash gives the rows of a query for numbers and hashes.
func eachHash(ctx context.Context, tx *sql.Tx, query string, give func(int64, index.Hash)) error {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	var n int64
	var b sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&n, &b); err != nil {
			return err
		}
		give(n, index.Hash(b))
	}
	return rows.Err()
}
