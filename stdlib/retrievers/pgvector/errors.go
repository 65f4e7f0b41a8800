package pgvector

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dspi-lang/dspi/stdlib/retrievers/index"
)

// Error is why Postgres cannot be used. Neither text says a password.
type Error struct {
	Text string
	Hint string // the way out; may be ""
	Err  error
}

// Error returns the text.
func (e *Error) Error() string { return e.Text }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// explain words an error of Postgres.
func (x *Store) explain(err error) error {
	var told *Error
	var d *index.DimensionError
	switch {
	case err == nil, errors.As(err, &told), errors.As(err, &d), errors.Is(err, index.ErrOther), errors.Is(err, context.Canceled):
		return err
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		e := &Error{Text: x.name + ": " + pg.Message, Err: err}
		switch {
		case strings.Contains(pg.Message, `"vector"`) && (pg.Code == "0A000" || pg.Code == "58P01"):
			e.Text = x.name + " has no extension pgvector: its server does not know \"vector\""
			e.Hint = "install pgvector on the server of the database (Debian: postgresql-16-pgvector), or take an image that has it (pgvector/pgvector)"
		case strings.Contains(pg.Message, `"vector"`) && pg.Code == "42501":
			e.Text = x.name + ": this user may not create the extension vector"
			e.Hint = "once, as a superuser of the database: CREATE EXTENSION vector;"
		case pg.Code == "42501":
			e.Hint = "the user needs the right to create a schema, or to create tables in the schema that is there: GRANT CREATE ON DATABASE … TO …;"
		case strings.HasPrefix(pg.Code, "28"):
			e.Hint = "the password comes from the address, from PGPASSWORD or from ~/.pgpass"
		case pg.Code == "3D000":
			e.Hint = "create it: createdb NAME"
		}
		return e
	}
	var c *pgconn.ConnectError
	if errors.As(err, &c) || pgconn.Timeout(err) {
		return &Error{Text: x.name + " cannot be reached: " + last(err), Hint: "start it, or change `store` of the block `retrieval` in dspi.hcl", Err: err}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &Error{Text: x.name + ": " + last(err), Err: err}
}

// last returns the innermost cause of an error: what stands around it names the
// user and the database again.
func last(err error) string {
	for {
		switch u := err.(type) {
		case interface{ Unwrap() error }:
			if next := u.Unwrap(); next != nil {
				if _, ok := next.(interface{ Timeout() bool }); ok {
					return next.Error()
				}
				err = next
				continue
			}
		case interface{ Unwrap() []error }:
			if list := u.Unwrap(); len(list) > 0 {
				err = list[len(list)-1]
				continue
			}
		}
		return err.Error()
	}
}
