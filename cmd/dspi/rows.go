package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/value"
)

// maxRow is the longest line of a .jsonl file, in bytes.
const maxRow = 16 << 20

// row is one row of a table: values by column, in order.
type row struct {
	n      int // from 1
	values *value.Object
	err    *diag.Diagnostic // why the row cannot be read
}

// table reads rows one after the other.
type table struct {
	name    string
	columns []string // of a .csv file; nil when each row has its own
	next    func() (row, error)
	close   func() error
}

// openTable opens rows.csv or rows.jsonl; `-` is JSON Lines from standard input.
func (a *app) openTable(path string) (*table, error) {
	if path == "-" {
		if a.stdinTaken != "" {
			return nil, wrong("standard input can be read once").say("Both `%s` and `--each -` ask for it.", a.stdinTaken)
		}
		a.stdinTaken = "--each -"
		return lines("standard input", a.in, func() error { return nil }), nil
	}
	format, err := tableFormat(path)
	if err != nil {
		return nil, err
	}
	f, err := openFile(path)
	if err != nil {
		return nil, err
	}
	if format == "jsonl" {
		return lines(path, f, f.Close), nil
	}
	t, err := cells(path, f, f.Close)
	if err != nil {
		f.Close()
		return nil, err
	}
	return t, nil
}

// tableFormat tells csv from jsonl by the name of a file.
func tableFormat(path string) (string, error) {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".csv":
		return "csv", nil
	case ".jsonl", ".ndjson":
		return "jsonl", nil
	}
	return "", wrong("--each cannot tell what %s holds", path).
		say("The name of a table ends in .csv (commas, with a header line) or .jsonl (one JSON object a line).")
}

// openFile opens a file that is read as a stream. The error is a *diag.Diagnostic.
func openFile(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err == nil {
		var info os.FileInfo
		if info, err = f.Stat(); err == nil && !info.IsDir() {
			return f, nil
		}
		f.Close()
	}
	if _, err := dspi.ReadText(path, path); err != nil {
		return nil, err // it finds the words
	}
	return nil, err
}

// rowFault words why a row cannot be read.
func rowFault(name string, line int, format string, args ...any) *diag.Diagnostic {
	return diag.New("E0618", source.Place{}, fmt.Sprintf("line %d of %s", line, name)).Say(format, args...)
}

// lines reads JSON Lines. Empty lines are no rows.
func lines(name string, in io.Reader, close func() error) *table {
	r := bufio.NewReaderSize(in, 64<<10)
	n, at := 0, 0
	next := func() (row, error) {
		for {
			line, long, err := readLine(r)
			if err != nil {
				return row{}, err
			}
			at++
			if at == 1 {
				line = bytes.TrimPrefix(line, []byte("\ufeff"))
			}
			if len(bytes.TrimSpace(line)) == 0 && !long {
				continue
			}
			n++
			return lineRow(name, n, at, line, long), nil
		}
	}
	return &table{name: name, next: next, close: close}
}

func lineRow(name string, n, at int, line []byte, long bool) row {
	bad := func(format string, args ...any) row {
		return row{n: n, err: rowFault(name, at, format, args...).Hint(`a line of a .jsonl file is a JSON object, such as {"question": "…"}`)}
	}
	switch {
	case long:
		return bad("The line is longer than %d MiB.", maxRow>>20)
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
	return row{n: n, values: o}
}

// readLine returns the next line without its end, and whether it is longer than
// maxRow: then its text is dropped.
func readLine(r *bufio.Reader) (line []byte, long bool, err error) {
	for {
		part, err := r.ReadSlice('\n')
		if !long {
			line = append(line, part...)
		}
		if len(line) > maxRow {
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

// cells reads a table of comma-separated values (RFC 4180) with a header line.
func cells(name string, in io.Reader, close func() error) (*table, error) {
	b := bufio.NewReaderSize(in, 64<<10)
	if mark, _ := b.Peek(3); string(mark) == "\ufeff" {
		_, _ = b.Discard(3)
	}
	r := csv.NewReader(b)
	r.FieldsPerRecord = -1 // a ragged row is that row's fault, not the file's
	header, err := r.Read()
	switch {
	case errors.Is(err, io.EOF):
		return nil, headerFault(name, "The file is empty.")
	case err != nil:
		return nil, headerFault(name, "The header line cannot be read: %v.", csvProblem(err))
	}
	header = slices.Clone(header)
	for i, column := range header {
		header[i] = strings.TrimSpace(column)
		switch {
		case !utf8.ValidString(column):
			return nil, headerFault(name, "The header line is not text in UTF-8.")
		case header[i] == "":
			return nil, headerFault(name, "Column %d has no name in the header line.", i+1)
		case slices.Contains(header[:i], header[i]):
			return nil, headerFault(name, "The column `%s` stands twice in the header line.", header[i])
		}
	}
	n := 0
	next := func() (row, error) {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return row{}, io.EOF
		}
		var parse *csv.ParseError
		if err != nil && !errors.As(err, &parse) {
			return row{}, err
		}
		n++
		if err != nil {
			return row{n: n, err: rowFault(name, parse.StartLine, "The row cannot be read: %s.", csvProblem(err)).
				Hint(`a cell that holds a comma, a quote or a line end stands in quotes; a quote in it is doubled: "say ""hi"""`)}, nil
		}
		return cellRow(name, n, r, header, record), nil
	}
	return &table{name: name, columns: header, next: next, close: close}, nil
}

func cellRow(name string, n int, r *csv.Reader, header, record []string) row {
	line, _ := r.FieldPos(0)
	out := row{n: n, values: &value.Object{}}
	for i, cell := range record[:min(len(record), len(header))] {
		if !utf8.ValidString(cell) {
			out.err = rowFault(name, line, "The cell of `%s` is not text in UTF-8.", header[i])
			continue
		}
		out.values.Set(header[i], cell)
	}
	if len(record) != len(header) {
		out.err = rowFault(name, line, "The row has %s, the header line %d.", plural(len(record), "cell"), len(header)).
			Hint("a cell that holds a comma stands in quotes: \"one, two\"")
	}
	return out
}

func headerFault(name, format string, args ...any) *diag.Diagnostic {
	return rowFault(name, 1, format, args...).Hint("the first line of a .csv file names its columns")
}

// csvProblem is what is wrong, without encoding/csv's place.
func csvProblem(err error) string {
	var p *csv.ParseError
	switch {
	case !errors.As(err, &p):
		return err.Error()
	case errors.Is(p.Err, csv.ErrQuote):
		return "a quote is not closed, or text follows the closing one"
	case errors.Is(p.Err, csv.ErrBareQuote):
		return "a quote stands inside a cell that does not begin with one"
	}
	return p.Err.Error()
}

// countRows returns how many rows a file holds; false when ctx ended first or it
// cannot be told.
func countRows(ctx context.Context, path string) (int, bool) {
	format, err := tableFormat(path)
	if err != nil || !isFile(path) {
		return 0, false
	}
	f, err := os.Open(path)
	if err != nil {
		return 0, false
	}
	defer f.Close()
	n := 0
	if format == "csv" {
		r := csv.NewReader(bufio.NewReaderSize(f, 64<<10))
		r.FieldsPerRecord, r.ReuseRecord = -1, true
		for ctx.Err() == nil {
			if _, err := r.Read(); errors.Is(err, io.EOF) {
				return max(n-1, 0), true
			}
			n++
		}
		return 0, false
	}
	r := bufio.NewReaderSize(f, 64<<10)
	for ctx.Err() == nil {
		line, long, err := readLine(r)
		if errors.Is(err, io.EOF) {
			return n, true
		}
		if err != nil {
			return 0, false
		}
		if long || len(bytes.TrimSpace(line)) > 0 {
			n++
		}
	}
	return 0, false
}
