package database

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// DamagedError says that a file is no database, or no whole one.
type DamagedError struct {
	Path string
	Err  error // of SQLite
}

// Error names the file and the way out.
func (e *DamagedError) Error() string {
	return fmt.Sprintf("%s is damaged or is no database: move it away or delete it, and a new one is made (%v)", e.Path, e.Err)
}

// Unwrap returns the error of SQLite.
func (e *DamagedError) Unwrap() error { return e.Err }

// NewerError says that a file has a version that this dspi does not know.
type NewerError struct {
	Path           string
	Version, Known int // of the file, and the newest that this dspi knows
}

// Error names the file and the way out.
func (e *NewerError) Error() string {
	return fmt.Sprintf("%s was written by a newer dspi (version %d of the file, this dspi knows %d): use that dspi, or name another file",
		e.Path, e.Version, e.Known)
}

// ForeignError says that a file is the database of something else.
type ForeignError struct{ Path string }

// Error names the file and the way out.
func (e *ForeignError) Error() string {
	return fmt.Sprintf("%s is a database that something else made: nothing in it was changed; name another file", e.Path)
}

// explain turns SQLite's errors about a damaged file into a *DamagedError, and
// names the file in others.
func explain(path string, err error) error {
	var e *sqlite.Error
	var told *DamagedError
	if errors.As(err, &told) || !errors.As(err, &e) {
		return err
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return &DamagedError{Path: path, Err: err}
	case sqlite3.SQLITE_BUSY:
		return fmt.Errorf("%s is in use: another process writes it and does not end: %w", path, err)
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("%s cannot grow: the disk is full: %w", path, err)
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		return fmt.Errorf("%s cannot be opened for writing: %w", path, err)
	}
	return err
}

// IsBusy reports whether err says that another process writes the file and did not
// end in time.
func IsBusy(err error) bool { return busy(err) }

// busy reports whether an error says that another connection writes.
func busy(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_BUSY
}
