package datasets

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/value"
)

// Lines reads JSON Lines. Empty lines are no rows.
func Lines(name string, in io.Reader) *Table {
	r := buffered(in)
	n, at := 0, 0
	return &Table{Name: name, next: func() (Row, error) {
		for {
			line, long, err := ReadLine(r)
			if err != nil {
				return Row{}, err
			}
			at++
			if len(bytes.TrimSpace(line)) == 0 && !long {
				continue
			}
			n++
			return lineRow(name, n, at, line, long), nil
		}
	}}
}

func lineRow(name string, n, at int, line []byte, long bool) Row {
	bad := func(format string, args ...any) Row {
		return Row{N: n, Err: fault(name, at, format, args...).Hint(`a line of a .jsonl file is a JSON object, such as {"question": "…"}`)}
	}
	switch {
	case long:
		return bad("The line is longer than %d MiB.", MaxRow>>20)
	case !utf8.Valid(line):
		return bad("The line is not text in UTF-8.")
	}
	v, err := value.DecodeJSON(line)
	if err != nil {
		return bad("The line is not JSON: %v.", err)
	}
	o, ok := v.(*value.Object)
	if !ok {
		return bad("The line is JSON but no object.")
	}
	return Row{N: n, Values: o}
}

// ReadLine returns the next line without its end, and whether it is longer than
// MaxRow: then its text is dropped.
func ReadLine(r *bufio.Reader) (line []byte, long bool, err error) {
	for {
		part, err := r.ReadSlice('\n')
		if !long {
			line = append(line, part...)
		}
		if len(line) > MaxRow {
			line, long = nil, true
		}
		switch {
		case err == nil:
			return bytes.TrimRight(line, "\r\n"), long, nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && (len(line) > 0 || long):
			return line, long, nil
		default:
			return nil, false, err
		}
	}
}

// list reads a list of objects in one JSON document, an element at a time.
func list(name string, in io.Reader) (*Table, error) {
	bad := func(err error) *diag.Diagnostic {
		return diag.New("E0618", source.Place{}, name+" is not a list of JSON objects").Say("%v.", err)
	}
	d := json.NewDecoder(buffered(in))
	start, err := d.Token()
	switch {
	case errors.Is(err, io.EOF):
		return nil, bad(errors.New("The file is empty"))
	case err != nil:
		return nil, bad(err)
	case start != json.Delim('['):
		return nil, bad(fmt.Errorf("It begins with %v, not with [", start)).Hint("a file with an object a line ends in .jsonl")
	}
	n := 0
	return &Table{Name: name, next: func() (Row, error) {
		if !d.More() {
			if _, err := d.Token(); err != nil {
				return Row{}, bad(err)
			}
			return Row{}, io.EOF
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return Row{}, bad(err)
		}
		n++
		v, err := value.DecodeJSON(raw)
		o, ok := v.(*value.Object)
		if err != nil || !ok {
			d := diag.New("E0618", source.Place{}, fmt.Sprintf("row %d of %s", n, name))
			if err != nil {
				return Row{N: n, Err: d.Say("It is not JSON: %v.", err)}, nil
			}
			return Row{N: n, Err: d.Say("It is no object.")}, nil
		}
		return Row{N: n, Values: o}, nil
	}}, nil
}
