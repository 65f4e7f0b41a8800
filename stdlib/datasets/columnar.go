package datasets

import (
	"errors"
	"fmt"
	"io"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/stdlib/datasets/parquet"
)

// columnar reads a Parquet file, whose end must be read first.
func columnar(name string, in io.Reader) (*Table, error) {
	bad := func(err error) *diag.Diagnostic {
		return diag.New("E0618", source.Place{}, name+" is no Parquet file").Say("It cannot be read as one: %v.", err)
	}
	f, ok := in.(interface {
		io.ReaderAt
		io.Seeker
	})
	if !ok {
		return nil, bad(errors.New("it is a stream"))
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, bad(err)
	}
	rows, err := parquet.Open(f, size)
	if err != nil {
		return nil, bad(err)
	}
	n := 0
	return &Table{Name: name, Columns: rows.Columns, close: rows.Close, next: func() (Row, error) {
		o, err := rows.Next()
		switch {
		case errors.Is(err, io.EOF):
			return Row{}, io.EOF
		case err != nil:
			return Row{}, fmt.Errorf("row %d of %s: %w", n+1, name, err)
		}
		n++
		return Row{N: n, Values: o}, nil
	}}, nil
}
