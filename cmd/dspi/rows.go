package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib/datasets"
)

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
		return read(datasets.Lines("standard input", a.in), func() error { return nil }), nil
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
		return read(datasets.Lines(path, f), f.Close), nil
	}
	t, err := datasets.Cells(path, f, ',')
	if err != nil {
		f.Close()
		return nil, err
	}
	return read(t, f.Close), nil
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

// read reads a table that is open.
func read(t *datasets.Table, close func() error) *table {
	next := func() (row, error) {
		r, err := t.Next()
		return row{r.N, r.Values, r.Err}, err
	}
	return &table{name: t.Name, columns: t.Columns, next: next, close: close}
}

// countRows returns how many rows a file holds; false when ctx ended first or it
// cannot be told.
func countRows(ctx context.Context, path string) (int, bool) {
	if _, err := tableFormat(path); err != nil || !isFile(path) {
		return 0, false
	}
	return datasets.RowsIn(ctx, path)
}
