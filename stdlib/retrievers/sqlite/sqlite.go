// Package sqlite keeps an index of passages in a SQLite file.
//
//	Open   opens the file, or makes it
//	Store  an open file: an index.Store (write.go, search.go)
//
// Words are found by FTS5, vectors by a scan of all of them in memory. A file that is
// damaged, or that is something else, is replaced by a new one: an index can always
// be made again.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	"github.com/dspi-lang/dspi/stdlib/internal/database"
	"github.com/dspi-lang/dspi/stdlib/retrievers/index"
)

var schema = []string{`
CREATE TABLE state (
	id      INTEGER PRIMARY KEY CHECK (id = 1),
	changes INTEGER NOT NULL,  -- how often the index was written
	done    INTEGER NOT NULL   -- 1: it is that of the files
) STRICT;
INSERT INTO state VALUES (1, 0, 0);
CREATE TABLE file (
	name     TEXT PRIMARY KEY,
	size     INTEGER NOT NULL,
	modified INTEGER NOT NULL, -- nanoseconds; 0: too near to be trusted
	hash     BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE passage (
	key   INTEGER PRIMARY KEY, -- in the order of the corpus
	hash  BLOB NOT NULL,       -- of all that follows but whole
	whole BLOB NOT NULL,       -- of what is searched
	id    TEXT NOT NULL,
	title TEXT NOT NULL,
	text  TEXT NOT NULL,
	meta  TEXT                 -- JSON
) STRICT;
-- It has no index: the hashes come in no order, and all that is asked of the table
-- reads it whole. Two processes may keep the vector of one text; Write leaves one.
CREATE TABLE vector (
	whole BLOB NOT NULL,
	v     BLOB NOT NULL        -- float32, little-endian
) STRICT;
CREATE VIRTUAL TABLE words USING fts5(whole, content='', tokenize='unicode61 remove_diacritics 2');
`}

// Store is an open file.
type Store struct {
	path string

	mu      sync.RWMutex // of db: it is another after a damaged file was replaced
	db      *database.DB
	near    sync.Mutex // of vectors
	vectors *vectors
}

// Open opens the file at path, and makes it and its folder where they are missing.
func Open(path string) (*Store, error) {
	x := &Store{path: path}
	return x, x.open()
}

func (x *Store) open() error {
	if err := database.OwnFolder(filepath.Dir(x.path)); err != nil {
		return fmt.Errorf("the folder of the index cannot be made: %w", err)
	}
	db, err := database.Open(x.path, schema)
	if unusable(err) {
		if err := database.Remove(x.path); err != nil {
			return err
		}
		db, err = database.Open(x.path, schema)
	}
	x.db = db
	return err
}

// unusable reports whether a file is no index: it is made anew.
func unusable(err error) bool {
	var damaged *database.DamagedError
	var foreign *database.ForeignError
	var newer *database.NewerError
	return errors.As(err, &damaged) || errors.As(err, &foreign) || errors.As(err, &newer)
}

// replace puts a new file in place of the one that old is.
func (x *Store) replace(old *database.DB) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.db != old {
		return nil // another goroutine did
	}
	_ = old.Close()
	x.near.Lock()
	x.vectors = nil
	x.near.Unlock()
	if err := database.Remove(old.Path()); err != nil {
		return err
	}
	return x.open()
}

// busyTries is how often a file is waited for that other processes write.
const busyTries = 20

// with calls f with the open file, again while another process writes it. The error
// is index.ErrReplaced after the file was found damaged.
func (x *Store) with(ctx context.Context, f func(*database.DB) error) error {
	for n := 1; ; n++ {
		x.mu.RLock()
		db := x.db
		err := f(db)
		x.mu.RUnlock()
		if err = db.Explain(err); unusable(err) {
			if err := x.replace(db); err != nil {
				return err
			}
			return index.ErrReplaced
		}
		if !database.IsBusy(err) || n == busyTries || ctx.Err() != nil {
			return err
		}
	}
}

// Name returns the path.
func (x *Store) Name() string { return x.path }

// Lock does nothing: processes that change one file at once are told by ErrOther, and
// share the vectors that they make.
func (x *Store) Lock(context.Context, func()) (func(), error) { return func() {}, nil }

// Clear deletes the file and makes a new one.
func (x *Store) Clear(context.Context) error {
	x.mu.RLock()
	db := x.db
	x.mu.RUnlock()
	return x.replace(db)
}

// Close closes the file.
func (x *Store) Close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.db == nil {
		return nil
	}
	return x.db.Close()
}
