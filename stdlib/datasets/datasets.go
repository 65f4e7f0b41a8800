// Package datasets reads tables: rows of named values, one after the other.
//
//	From     rows that come from elsewhere
//	Open     a file, or a glob of several, by its format
//	Table    what is read; Next returns a Row until io.EOF
//	Row      values by column, or why the row cannot be read
//	Formats  what can be read, by the ending of a file's name
//	Choice   which rows are wanted, and in which order (choose.go)
//	Look     what a table holds: columns, kinds, what is missing (look.go)
//
// A row that cannot be read is that row's fault and not the file's: the rest can
// be read. Cells of .csv and .tsv files are text, which whoever knows the types of
// the columns reads as such.
package datasets

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/value"
)

// MaxRow is the longest line of a .jsonl file, in bytes.
const MaxRow = 16 << 20

// Row is one row of a table.
type Row struct {
	N      int // from 1, through all files of a glob
	Values *value.Object
	// Cells tells that the values are texts of cells, in a table of which others are
	// not: a glob of files of several formats.
	Cells bool
	Err   *diag.Diagnostic // why the row cannot be read
}

// Table reads rows one after the other.
type Table struct {
	Name string
	// Columns are those of a header line; nil where each row names its own.
	Columns []string
	// Cells tells that values are the texts of cells, whose types are not known.
	Cells bool
	next  func() (Row, error)
	close func() error
}

// Next returns the next row. The error is io.EOF behind the last one; any other
// says that no further row can be read.
func (t *Table) Next() (Row, error) { return t.next() }

// Close closes the file.
func (t *Table) Close() error {
	if t.close == nil {
		return nil
	}
	return t.close()
}

// format is one kind of table.
type format struct {
	name    string
	endings []string
	open    func(name string, in io.Reader) (*Table, error)
}

var formats = []format{
	{"csv", []string{".csv"}, func(name string, in io.Reader) (*Table, error) { return Cells(name, in, ',') }},
	{"tsv", []string{".tsv", ".tab"}, func(name string, in io.Reader) (*Table, error) { return Cells(name, in, '\t') }},
	{"jsonl", []string{".jsonl", ".ndjson"}, func(name string, in io.Reader) (*Table, error) { return Lines(name, in), nil }},
	{"json", []string{".json"}, list},
	{"parquet", []string{".parquet"}, columnar},
}

// Formats returns the names of the formats.
func Formats() []string {
	var out []string
	for _, f := range formats {
		out = append(out, f.name)
	}
	return out
}

// Endings returns the endings of files that can be read.
func Endings() []string {
	var out []string
	for _, f := range formats {
		out = append(out, f.endings...)
	}
	return out
}

// FormatOf tells the format of a file by its name; "" when it does not tell.
func FormatOf(path string) string {
	ending := strings.ToLower(filepath.Ext(path))
	for _, f := range formats {
		if slices.Contains(f.endings, ending) {
			return f.name
		}
	}
	return ""
}

// Open opens a file of rows, or all that a glob (* ? [a-z]) names, in the order of
// their names. Format is one of Formats; "" goes by the name. The error is a
// *diag.Diagnostic.
func Open(path, format string) (*Table, error) {
	paths := []string{path}
	if _, err := os.Stat(path); err != nil && strings.ContainsAny(path, "*?[") {
		found, gerr := filepath.Glob(path)
		if gerr != nil || len(found) == 0 {
			return nil, diag.New("E0619", source.Place{}, "no file is called "+path)
		}
		slices.Sort(found)
		paths = found
	}
	first, err := openOne(paths[0], format)
	if err != nil || len(paths) == 1 {
		return first, err
	}
	return several(path, paths, format, first), nil
}

// From makes a table of rows that come one after the other: next gives the values of
// a row, or why that row cannot be read; its error is io.EOF behind the last one, and
// any other says that no further row can be read. closing may be nil.
func From(name string, next func() (*value.Object, *diag.Diagnostic, error), closing func() error) *Table {
	n := 0
	return &Table{Name: name, close: closing, next: func() (Row, error) {
		values, fault, err := next()
		if err != nil {
			return Row{}, err
		}
		n++
		return Row{N: n, Values: values, Err: fault}, nil
	}}
}

// Closing returns the table with more to do when it is closed.
func Closing(t *Table, more func() error) *Table {
	out := *t
	out.close = func() error { return errors.Join(t.Close(), more()) }
	return &out
}

// several reads the files of a glob one after the other.
func several(name string, paths []string, format string, first *Table) *Table {
	t := &Table{Name: name, Columns: first.Columns, Cells: first.Cells}
	kind := func(path string) string { return cmp.Or(format, FormatOf(path)) }
	mixed := slices.ContainsFunc(paths, func(path string) bool { return kind(path) != kind(paths[0]) })
	if mixed {
		t.Columns, t.Cells = nil, false
	}
	under, n := first, 0
	t.close = func() error { return under.Close() }
	t.next = func() (Row, error) {
		for {
			row, err := under.Next()
			if err == nil {
				n++
				row.N, row.Cells = n, mixed && under.Cells
				return row, nil
			}
			if !errors.Is(err, io.EOF) || len(paths) == 1 {
				return Row{}, err
			}
			if err := under.Close(); err != nil {
				return Row{}, err
			}
			next, err := openOne(paths[1], format)
			if err != nil {
				return Row{}, err
			}
			if t.Cells && !slices.Equal(next.Columns, t.Columns) {
				next.Close()
				return Row{}, fmt.Errorf("%s has other columns than %s", paths[1], paths[0])
			}
			paths, under = paths[1:], next
		}
	}
	return t
}

func openOne(path, name string) (*Table, error) {
	if name == "" {
		name = FormatOf(path)
	}
	i := slices.IndexFunc(formats, func(f format) bool { return f.name == name })
	if i < 0 {
		return nil, diag.New("E0618", source.Place{}, path+" does not tell what it holds").
			Say("The name of a file with rows ends in one of: %s.", strings.Join(Endings(), ", "))
	}
	f, err := os.Open(path)
	if err == nil {
		var info os.FileInfo
		if info, err = f.Stat(); err == nil && info.IsDir() {
			err = errors.New("it is a folder")
		}
	}
	if err != nil {
		f.Close()
		return nil, diag.New("E0619", source.Place{}, path+" cannot be read").Say("%s.", reason(err))
	}
	t, err := formats[i].open(path, f)
	if err != nil {
		f.Close()
		return nil, err
	}
	of := t.close
	t.close = func() error {
		if of != nil {
			_ = of() // it only reads
		}
		return f.Close()
	}
	return t, nil
}

// reason is what is wrong, without the path.
func reason(err error) string {
	var p *os.PathError
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "There is no such file"
	case errors.As(err, &p):
		return p.Err.Error()
	}
	return err.Error()
}

// fault words why a row cannot be read.
func fault(name string, line int, format string, args ...any) *diag.Diagnostic {
	return diag.New("E0618", source.Place{}, fmt.Sprintf("line %d of %s", line, name)).Say(format, args...)
}

// buffered reads a stream without the mark that some editors put before UTF-8.
func buffered(in io.Reader) *bufio.Reader {
	r := bufio.NewReaderSize(in, 64<<10)
	if mark, _ := r.Peek(3); string(mark) == "\ufeff" {
		_, _ = r.Discard(3)
	}
	return r
}
