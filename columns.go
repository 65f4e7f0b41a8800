package dspi

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib/datasets"
	"github.com/dspi-lang/dspi/stdlib/datasets/parquet"
)

// How much of a file of rows is read to learn its columns.
const (
	columnRows  = 1000    // rows
	columnBytes = 8 << 20 // bytes
)

// readable refuses what is neither a file nor a folder: a pipe would be waited for, and
// what is looked at here would be gone when it is read.
func readable(full, name string) error {
	info, err := os.Stat(full)
	if err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return fmt.Errorf("%s is no regular file, and is read more than once", name)
	}
	return nil // one that is not there is told by who opens it
}

// Columns returns the names of the columns of a file of rows, .csv with a header
// line, .jsonl with an object a line or .json with a list of objects: those of its
// first 1000 rows; those of a .parquet file. A path that
// is not absolute starts from the folder of from. The error of an absent file is
// fs.ErrNotExist; any other says in a few words what is wrong in which line.
func Columns(from *source.File, path string) ([]string, error) {
	full := filepath.FromSlash(path)
	if !filepath.IsAbs(full) && from != nil {
		full = filepath.Join(filepath.Dir(from.Name), full)
	}
	if err := readable(full, path); err != nil {
		return nil, err
	}
	f, err := os.Open(full)
	if errors.Is(err, fs.ErrNotExist) && strings.ContainsAny(path, "*?[") { // the first of several
		if found, _ := filepath.Glob(full); len(found) > 0 {
			slices.Sort(found)
			kinds := map[string]bool{}
			for _, name := range found {
				kinds[datasets.FormatOf(name)] = true
			}
			if len(kinds) > 1 {
				return manyColumns(from, found)
			}
			path = found[0]
			f, err = os.Open(path)
		}
	}
	if err != nil {
		return nil, columnFault(path, err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil {
		return nil, columnFault(path, err)
	} else if info.IsDir() {
		return nil, fmt.Errorf("%s is a folder", path)
	}
	if datasets.FormatOf(path) == "parquet" {
		info, err := f.Stat()
		if err != nil {
			return nil, columnFault(path, err)
		}
		rows, err := parquet.Open(f, info.Size())
		if err != nil {
			return nil, fmt.Errorf("%s is no Parquet file: %w", path, err)
		}
		return rows.Columns, rows.Close()
	}
	limit := &io.LimitedReader{R: f, N: columnBytes}
	in := bufio.NewReader(limit)
	if start, _ := in.Peek(3); bytes.HasPrefix(start, []byte("\ufeff")) {
		_, _ = in.Discard(3)
	}
	cut := func() bool { return limit.N <= 0 } // the end that was met is ours, not the file's
	if strings.EqualFold(filepath.Ext(path), ".json") {
		return listColumns(in, path, cut)
	}
	if isLines(path, in) {
		return lineColumns(in, path, cut)
	}
	return cellColumns(in, path, cut)
}

// manyColumns returns the columns of files of several formats: those that any has.
func manyColumns(from *source.File, paths []string) ([]string, error) {
	var out []string
	for _, path := range paths {
		columns, err := Columns(from, path)
		if err != nil {
			return nil, err
		}
		for _, name := range columns {
			if !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out, nil
}

// isLines tells JSON Lines from cells: by the file's name, else by its first sign.
func isLines(path string, in *bufio.Reader) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".jsonl", ".ndjson":
		return true
	case ".csv", ".tsv", ".tab":
		return false
	}
	start, _ := in.Peek(64)
	return bytes.HasPrefix(bytes.TrimSpace(start), []byte("{"))
}

func columnFault(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fs.ErrNotExist
	}
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return fmt.Errorf("%s cannot be read: %w", path, err)
}

// cellColumns reads the header of a .csv file and sees that the rows are as long.
func cellColumns(in io.Reader, path string, cut func() bool) ([]string, error) {
	r := csv.NewReader(in)
	r.FieldsPerRecord = -1
	if ending := strings.ToLower(filepath.Ext(path)); ending == ".tsv" || ending == ".tab" {
		r.Comma, r.LazyQuotes = '\t', true
	}
	header, err := r.Read()
	switch {
	case errors.Is(err, io.EOF):
		return nil, fmt.Errorf("%s is empty; its first line names the columns", path)
	case err != nil:
		return nil, cellFault(path, err)
	}
	for i, name := range header {
		switch {
		case !utf8.ValidString(name):
			return nil, fmt.Errorf("line 1 of %s is not text in UTF-8", path)
		case strings.TrimSpace(name) == "":
			return nil, fmt.Errorf("column %d of %s has no name in line 1", i+1, path)
		case slices.Contains(header[:i], name):
			return nil, fmt.Errorf("two columns of %s are called `%s`", path, name)
		}
	}
	for range columnRows {
		row, err := r.Read()
		if errors.Is(err, io.EOF) || err != nil && cut() {
			break
		}
		if err != nil {
			return nil, cellFault(path, err)
		}
		if len(row) != len(header) && !cut() {
			line, _ := r.FieldPos(0)
			return nil, fmt.Errorf("line %d of %s has %s, its header %d", line, path, cells(len(row)), len(header))
		}
	}
	return header, nil
}

func cells(n int) string {
	if n == 1 {
		return "1 cell"
	}
	return fmt.Sprintf("%d cells", n)
}

func cellFault(path string, err error) error {
	var p *csv.ParseError
	if !errors.As(err, &p) {
		return columnFault(path, err)
	}
	what := "is not written as commas and quotes should be"
	switch {
	case errors.Is(p.Err, csv.ErrQuote):
		what = "has a quote in the middle or after the end of a cell"
	case errors.Is(p.Err, csv.ErrBareQuote):
		what = "has a quote in a cell that does not begin with one"
	}
	return fmt.Errorf("line %d of %s %s", p.Line, path, what)
}

// lineColumns reads the names of the objects of a .jsonl file, in the order in
// which they turn up.
func lineColumns(in *bufio.Reader, path string, cut func() bool) ([]string, error) {
	names := []string{}
	seen := map[string]bool{}
	rows := 0
	for line := 1; rows < columnRows; line++ {
		text, err := in.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, columnFault(path, err)
		}
		if err != nil && cut() {
			break
		}
		if len(bytes.TrimSpace(text)) > 0 {
			rows++
			v, fault := value.DecodeJSON(text)
			o, isObject := v.(*value.Object)
			switch {
			case fault != nil:
				return nil, fmt.Errorf("line %d of %s is not JSON: %w", line, path, fault)
			case !isObject:
				return nil, fmt.Errorf("line %d of %s is not an object: each line is one, such as {\"text\": \"…\"}", line, path)
			}
			for _, n := range o.Names() {
				if !seen[n] {
					seen[n] = true
					names = append(names, n)
				}
			}
		}
		if err != nil {
			break
		}
	}
	if rows == 0 {
		return nil, fmt.Errorf("%s holds no rows", path)
	}
	return names, nil
}

// listColumns reads the names of the objects of a list in a .json file, in the order
// in which they turn up.
func listColumns(in *bufio.Reader, path string, cut func() bool) ([]string, error) {
	broken := func(err error) error {
		return fmt.Errorf("%s is not a list of JSON objects: %w", path, err)
	}
	dec := json.NewDecoder(in)
	start, err := dec.Token()
	switch {
	case errors.Is(err, io.EOF):
		return nil, fmt.Errorf("%s holds no rows", path)
	case err != nil:
		return nil, broken(err)
	case start != json.Delim('['):
		return nil, fmt.Errorf("%s is not a list of objects: it begins with [; a file with an object a line ends in .jsonl", path)
	}
	names := []string{}
	seen := map[string]bool{}
	rows := 0
	for ; rows < columnRows && dec.More(); rows++ {
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			if cut() {
				break
			}
			return nil, broken(err)
		}
		v, err := value.DecodeJSON(raw)
		o, isObject := v.(*value.Object)
		if err != nil || !isObject {
			return nil, fmt.Errorf("row %d of %s is not an object", rows+1, path)
		}
		for _, n := range o.Names() {
			if !seen[n] {
				seen[n] = true
				names = append(names, n)
			}
		}
	}
	if rows == 0 {
		return nil, fmt.Errorf("%s holds no rows", path)
	}
	return names, nil
}
