package pgvector

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// migrations bring a schema from the version of their place to the next. One that was
// released is never changed. %s is the schema.
var migrations = []string{`
CREATE TABLE %[1]s.state (
	name     text PRIMARY KEY,   -- of the index
	changes  bigint NOT NULL DEFAULT 0,
	done     boolean NOT NULL DEFAULT false,
	words    boolean NOT NULL,   -- the table of words is that of the passages
	dim      int NOT NULL DEFAULT 0, -- how many numbers a vector has; 0: there is none
	passages bigint NOT NULL DEFAULT 0,
	length   bigint NOT NULL DEFAULT 0 -- words of all passages together
);
CREATE TABLE %[1]s.file (
	index    text NOT NULL REFERENCES %[1]s.state ON DELETE CASCADE,
	name     text NOT NULL,
	size     bigint NOT NULL,
	modified bigint NOT NULL,    -- nanoseconds; 0: too near to be trusted
	hash     bytea NOT NULL,
	PRIMARY KEY (index, name)
);
`}

// prepare makes the schema and the tables of the index where they are missing. Of
// several processes one does, and the others wait for it. Extended says that the
// extension was created.
func (x *Store) prepare(ctx context.Context) (extended bool, err error) {
	err = pgx.BeginFunc(ctx, x.pool, func(tx pgx.Tx) error {
		if x.o.Vectors {
			var there bool
			if err := tx.QueryRow(ctx, "SELECT to_regtype('vector') IS NOT NULL").Scan(&there); err != nil {
				return err
			}
			if !there {
				if err := locked(ctx, tx, "dspi extension"); err != nil {
					return err
				}
				if _, err := tx.Exec(ctx, "CREATE EXTENSION IF NOT EXISTS vector"); err != nil {
					return err
				}
				extended = true
			}
		}
		ready, err := x.ready(ctx, tx)
		if err != nil {
			return err
		}
		if ready {
			return x.searchable(ctx, tx)
		}
		if err := locked(ctx, tx, "dspi schema "+x.o.Schema); err != nil {
			return err
		}
		if err := x.migrate(ctx, tx); err != nil {
			return err
		}
		return x.create(ctx, tx)
	})
	return extended, err
}

// searchable makes the HNSW index where the settings have changed and ask for one.
func (x *Store) searchable(ctx context.Context, tx pgx.Tx) error {
	if x.o.Exact || !x.o.Vectors {
		return nil
	}
	s, err := x.facts(ctx, tx, "")
	if err != nil || s.dim == 0 || s.passages == 0 {
		return err
	}
	var there bool
	if err := tx.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", x.table("_"+string(x.o.Distance))).Scan(&there); err != nil || there {
		return err
	}
	if err := locked(ctx, tx, "dspi schema "+x.o.Schema); err != nil {
		return err
	}
	return x.hnsw(ctx, tx, s.passages, s.dim)
}

// hnsw makes the HNSW index, unless it is there.
func (x *Store) hnsw(ctx context.Context, tx pgx.Tx, passages int64, dim int) error {
	// The graph is made in memory where there is room for it, which is many times
	// faster.
	mb := min(max(64, passages*int64(4*dim+400)*5/4>>20), 4096)
	q := "CREATE INDEX IF NOT EXISTS " + pgx.Identifier{x.o.Name + "_" + string(x.o.Distance)}.Sanitize() +
		" ON " + x.table("") + " USING hnsw (v " + x.o.Distance.class() + ")"
	if _, err := tx.Exec(ctx, "SELECT set_config('maintenance_work_mem', $1, true)", strconv.FormatInt(mb, 10)+"MB"); err != nil {
		return err
	}
	err := pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, q)
		return err
	})
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "53100" { // little shared memory, as in a container: one process does it
		if _, err := tx.Exec(ctx, "SELECT set_config('max_parallel_maintenance_workers', '0', true)"); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, q)
	}
	return err
}

// locked takes a lock that ends with the transaction.
func locked(ctx context.Context, tx pgx.Tx, name string) error {
	_, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", name)
	return err
}

// ready reports whether nothing is to be made.
func (x *Store) ready(ctx context.Context, tx pgx.Tx) (bool, error) {
	var there bool
	err := tx.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL AND to_regclass($2) IS NOT NULL", x.common("version"), x.table("")).Scan(&there)
	if err != nil || !there {
		return false, err
	}
	version, err := x.version(ctx, tx)
	return version == len(migrations), err
}

// version returns that of the schema.
func (x *Store) version(ctx context.Context, tx pgx.Tx) (n int, err error) {
	if err = tx.QueryRow(ctx, "SELECT n FROM "+x.common("version")).Scan(&n); err != nil {
		return 0, err
	}
	if n > len(migrations) {
		return n, &Error{
			Text: fmt.Sprintf("the schema %s of %s was made by a newer dspi: it has version %d, this dspi knows %d", x.o.Schema, x.name, n, len(migrations)),
			Hint: "take a newer dspi, or another `schema` in the block `retrieval` of dspi.hcl",
		}
	}
	return n, nil
}

// migrate brings the schema to the newest version.
func (x *Store) migrate(ctx context.Context, tx pgx.Tx) error {
	schema := pgx.Identifier{x.o.Schema}.Sanitize()
	var there bool
	if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)", x.o.Schema).Scan(&there); err != nil {
		return err
	}
	if !there {
		if _, err := tx.Exec(ctx, "CREATE SCHEMA "+schema); err != nil {
			return err
		}
	}
	if err := tx.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", x.common("version")).Scan(&there); err != nil {
		return err
	}
	if !there {
		if _, err := tx.Exec(ctx, "CREATE TABLE "+x.common("version")+" (n int NOT NULL); INSERT INTO "+x.common("version")+" VALUES (0)"); err != nil {
			return err
		}
	}
	n, err := x.version(ctx, tx)
	if err != nil {
		return err
	}
	for ; n < len(migrations); n++ {
		if _, err := tx.Exec(ctx, fmt.Sprintf(migrations[n], schema)); err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, "UPDATE "+x.common("version")+" SET n = $1", n)
	return err
}

// create makes the tables of the index. Vectors come when it is known how long they
// are.
func (x *Store) create(ctx context.Context, tx pgx.Tx) error {
	for _, q := range []string{
		"CREATE TABLE IF NOT EXISTS " + x.table("") + ` (
	key    bigint PRIMARY KEY, -- in the order of the corpus
	id     text NOT NULL,
	title  text NOT NULL,
	text   text NOT NULL,
	meta   json,
	hash   bytea NOT NULL,     -- of all of these
	whole  bytea NOT NULL,     -- of what is searched
	length int NOT NULL        -- in words
)`,
		"CREATE TABLE IF NOT EXISTS " + x.table("_word") + ` (
	word    text NOT NULL,
	segment bigint NOT NULL,   -- the change that wrote it
	count   int NOT NULL,      -- of the passages that the word stands in
	data    bytea NOT NULL,
	PRIMARY KEY (word, segment)
)`,
		// What is compressed already is not compressed again.
		"ALTER TABLE " + x.table("_word") + " ALTER COLUMN data SET STORAGE EXTERNAL",
	} {
		if _, err := tx.Exec(ctx, q); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, "INSERT INTO "+x.common("state")+" (name, words) VALUES ($1, $2) ON CONFLICT DO NOTHING", x.o.Name, x.o.Words)
	return err
}

// Clear drops the tables of the index and makes them again.
func (x *Store) Clear(ctx context.Context) error {
	return x.explain(pgx.BeginFunc(ctx, x.pool, func(tx pgx.Tx) error {
		if err := locked(ctx, tx, "dspi schema "+x.o.Schema); err != nil {
			return err
		}
		var changes int64
		if err := tx.QueryRow(ctx, "DELETE FROM "+x.common("state")+" WHERE name = $1 RETURNING changes", x.o.Name).Scan(&changes); err != nil && err != pgx.ErrNoRows {
			return err
		}
		for _, suffix := range []string{"", "_word", "_pending"} {
			if _, err := tx.Exec(ctx, "DROP TABLE IF EXISTS "+x.table(suffix)); err != nil {
				return err
			}
		}
		if err := x.create(ctx, tx); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "UPDATE "+x.common("state")+" SET changes = $2 WHERE name = $1", x.o.Name, changes+1)
		return err
	}))
}

// vectors makes the column and the table of vectors of a dimension, unless they are
// there.
func (x *Store) vectors(ctx context.Context, tx pgx.Tx, dim int) error {
	if !x.o.Exact && dim > maxHNSW {
		return &Error{
			Text: fmt.Sprintf("vectors of %d numbers are too long for an HNSW index, which takes %d", dim, maxHNSW),
			Hint: "search = \"exact\" in the block `retrieval` of dspi.hcl",
		}
	}
	n := strconv.Itoa(dim)
	for _, q := range []string{
		"ALTER TABLE " + x.table("") + " ADD COLUMN v vector(" + n + ")",
		// After a crash of the server it is empty, and what was in it is made again.
		"CREATE UNLOGGED TABLE " + x.table("_pending") + " (whole bytea PRIMARY KEY, v vector(" + n + ") NOT NULL)",
	} {
		if _, err := tx.Exec(ctx, q); err != nil {
			return err
		}
	}
	if dim <= 1800 { // in the row itself, where a scan reads it
		if _, err := tx.Exec(ctx, "ALTER TABLE "+x.table("")+" ALTER COLUMN v SET STORAGE PLAIN"); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, "UPDATE "+x.common("state")+" SET dim = $2 WHERE name = $1", x.o.Name, dim)
	return err
}
