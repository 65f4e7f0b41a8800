// Package database opens a SQLite file that many goroutines and many processes
// may use at once.
//
//	DB             an open file: one connection that writes, a few that read
//	DamagedError   the file is no database any more
//	NewerError     the file was written by a newer dspi
//	ForeignError   the file is the database of something else
//
// A file is kept with a write-ahead log, so that readers do not wait for the
// writer, and a process that is killed leaves whole transactions only. What was
// committed survives the end of the process; a loss of power may take the last
// transactions with it, but never leaves half of one.
//
// Begin with Open. The schema is a list of scripts: the script at index i takes a
// file from version i to version i+1, and the version stands in the file. A
// script is never changed once it was released; a change is a further script.
package database

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

const (
	// busyTimeout is how long a connection waits for another process that
	// writes.
	busyTimeout = 10 * time.Second
	// readers is how many connections read at once.
	readers = 4
)

// DB is an open file. It is safe for use by many goroutines.
type DB struct {
	// Read is for statements that only read. A statement that writes fails.
	Read *sql.DB

	write *sql.DB // one connection
	path  string
}

// Open opens the file at path, makes it and its folder when they are missing, and
// brings it to the newest version of schema. The file can be read by its owner
// only. The error is a *DamagedError, a *NewerError or a *ForeignError, or says
// why the file cannot be opened.
func Open(path string, schema []string) (*DB, error) {
	if path == "" {
		return nil, errors.New("a database needs the path of its file")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("the folder of %s cannot be made: %w", path, err)
	}
	// SQLite does not wait while another process makes the same file.
	end := time.Now().Add(busyTimeout)
	err = prepare(path, schema)
	for busy(err) && time.Now().Before(end) {
		time.Sleep(2 * time.Millisecond)
		err = prepare(path, schema)
	}
	if err != nil {
		return nil, explain(path, err)
	}
	write, err := sql.Open("sqlite", dsn(path, "_txlock=immediate"))
	if err != nil {
		return nil, explain(path, err)
	}
	write.SetMaxOpenConns(1)
	read, err := sql.Open("sqlite", dsn(path, "_query_only=1"))
	if err != nil {
		write.Close()
		return nil, explain(path, err)
	}
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	return &DB{Read: read, write: write, path: path}, nil
}

// Path returns the path of the file, from the root of the file system.
func (db *DB) Path() string { return db.path }

// Write runs f in a transaction. Transactions of one DB come one after another;
// those of other processes are waited for. When f or ctx fails, nothing is
// written and the error of f is returned.
func (db *DB) Write(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return db.Explain(err)
	}
	defer tx.Rollback() // after Commit it does nothing; after a panic it frees the connection
	if err := f(tx); err != nil {
		return db.Explain(ended(ctx, err))
	}
	return db.Explain(ended(ctx, tx.Commit()))
}

// ended returns the error of ctx when err only says that the transaction is over:
// database/sql rolls one back as soon as its context ends.
func ended(ctx context.Context, err error) error {
	if errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// Shrink gives the room of deleted rows back to the file system.
func (db *DB) Shrink(ctx context.Context) error {
	// The statement frees a page for each row that is read.
	rows, err := db.write.QueryContext(ctx, "PRAGMA incremental_vacuum")
	if err != nil {
		return db.Explain(err)
	}
	defer rows.Close()
	for rows.Next() {
	}
	if err := rows.Err(); err != nil {
		return db.Explain(err)
	}
	rows.Close()
	// The pages leave the file when the log goes back into it. Readers of other
	// processes may hold that up; then it happens later.
	_, err = db.write.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return db.Explain(err)
}

// Explain returns err, and for one that speaks of a damaged file a *DamagedError.
// What Write returns is explained already.
func (db *DB) Explain(err error) error { return explain(db.path, err) }

// Close closes the file. A DB that was closed can be closed again.
func (db *DB) Close() error {
	return errors.Join(db.Explain(db.Read.Close()), db.Explain(db.write.Close()))
}

// dsn names the file for the driver.
func dsn(path string, more ...string) string {
	slashed := filepath.ToSlash(path)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed // C:/… is written /C:/…
	}
	u := url.URL{Scheme: "file", Path: slashed}
	query := append([]string{
		fmt.Sprintf("_busy_timeout=%d", busyTimeout.Milliseconds()),
		"_synchronous=NORMAL",
		"_foreign_keys=1",
		"_defensive=1",
		"_pragma=trusted_schema(0)",
		"_pragma=secure_delete(FAST)", // what was deleted is not left in the file
		"_error_rc=1",
	}, more...)
	return "file://" + u.EscapedPath() + "?" + strings.Join(query, "&")
}

// prepare makes a new file, or looks at one that exists, and brings it to the
// newest version.
//
// It does not open the file by other means than SQLite's: closing a file takes
// away the locks that this process holds on it.
func prepare(path string, schema []string) error {
	more := []string{"_txlock=immediate"}
	switch _, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
		like, err := os.CreateTemp("", "dspi-*") // with the mode 0600
		if err != nil {
			return err
		}
		like.Close()
		defer os.Remove(like.Name())
		more = append(more, "_auto_vacuum=INCREMENTAL", "modeof="+url.QueryEscape(filepath.ToSlash(like.Name())))
	case err != nil:
		return err
	}
	db, err := sql.Open("sqlite", dsn(path, more...))
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	ctx := context.Background()
	if err := look(ctx, db, path, schema); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, "PRAGMA journal_mode=WAL"); err != nil {
		return err
	}
	for done := false; !done; {
		if done, err = migrate(ctx, db, path, schema); err != nil {
			return err
		}
	}
	return db.Close()
}

// look refuses a file that is not ours before anything in it is changed.
func look(ctx context.Context, db querier, path string, schema []string) error {
	_, err := version(ctx, db, path, schema)
	return err
}

// querier is a *sql.DB or a *sql.Tx.
type querier interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

// version returns the version of a file, and an error if it is not one of ours or
// too new.
func version(ctx context.Context, db querier, path string, schema []string) (int, error) {
	var version int
	var id int32
	var tables int
	// One statement, so that the three are of one moment.
	err := db.QueryRowContext(ctx, `SELECT (SELECT user_version FROM pragma_user_version),
		(SELECT application_id FROM pragma_application_id), (SELECT count(*) FROM sqlite_schema)`).Scan(&version, &id, &tables)
	if err != nil {
		return 0, err
	}
	switch {
	case tables > 0 && id != identity(schema):
		return 0, &ForeignError{Path: path}
	case version > len(schema):
		return 0, &NewerError{Path: path, Version: version, Known: len(schema)}
	}
	return version, nil
}

// identity is the number in a file that says whose it is: it is made from the
// first script, which never changes.
func identity(schema []string) int32 {
	if len(schema) == 0 {
		return 0
	}
	sum := sha256.Sum256([]byte(schema[0]))
	return int32(binary.BigEndian.Uint32(sum[:4]) &^ (1 << 31))
}

// migrate runs the next script, if there is one, in a transaction with the change
// of the version. Another process may do so at the same time: the version is read
// in the transaction.
func migrate(ctx context.Context, db *sql.DB, path string, schema []string) (done bool, err error) {
	at, err := version(ctx, db, path, schema)
	if err != nil || at == len(schema) {
		return true, err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return true, err
	}
	defer tx.Rollback()
	if at, err = version(ctx, tx, path, schema); err != nil || at == len(schema) {
		return true, err
	}
	if _, err := tx.ExecContext(ctx, schema[at]); err != nil {
		return true, fmt.Errorf("%s cannot be brought to version %d: %w", path, at+1, err)
	}
	// Pragmas take no parameters; both numbers are ours.
	set := fmt.Sprintf("PRAGMA user_version=%d; PRAGMA application_id=%d", at+1, identity(schema))
	if _, err := tx.ExecContext(ctx, set); err != nil {
		return true, err
	}
	return false, tx.Commit()
}
