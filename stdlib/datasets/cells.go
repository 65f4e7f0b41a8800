package datasets

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/value"
)

// Cells reads a table of separated values (RFC 4180) with a header line. The error
// is a *diag.Diagnostic.
func Cells(name string, in io.Reader, comma rune) (*Table, error) {
	r := csv.NewReader(buffered(in))
	r.Comma = comma
	r.LazyQuotes = comma == '\t' // a quote means nothing there
	r.FieldsPerRecord = -1       // a ragged row is that row's fault, not the file's
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
		case strings.ContainsRune(header[i], '\r'):
			return nil, headerFault(name, "Its lines end in a carriage return alone, as on a Mac long ago: save it with line feeds.")
		case header[i] == "":
			return nil, headerFault(name, "Column %d has no name in the header line.", i+1)
		case slices.Contains(header[:i], header[i]):
			return nil, headerFault(name, "The column `%s` stands twice in the header line.", header[i])
		}
	}
	n := 0
	next := func() (Row, error) {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return Row{}, io.EOF
		}
		var parse *csv.ParseError
		if err != nil && !errors.As(err, &parse) {
			return Row{}, err
		}
		n++
		if err != nil {
			return Row{N: n, Err: fault(name, parse.StartLine, "The row cannot be read: %s.", csvProblem(err)).
				Hint(`a cell that holds a comma, a quote or a line end stands in quotes; a quote in it is doubled: "say ""hi"""`)}, nil
		}
		return cellRow(name, n, r, header, record), nil
	}
	return &Table{Name: name, Columns: header, Cells: true, next: next}, nil
}

func cellRow(name string, n int, r *csv.Reader, header, record []string) Row {
	line, _ := r.FieldPos(0)
	out := Row{N: n, Values: &value.Object{}}
	for i, cell := range record[:min(len(record), len(header))] {
		if !utf8.ValidString(cell) {
			out.Err = fault(name, line, "The cell of `%s` is not text in UTF-8.", header[i])
			continue
		}
		out.Values.Set(header[i], cell)
	}
	if len(record) != len(header) {
		cells := fmt.Sprintf("%d cells", len(record))
		if len(record) == 1 {
			cells = "1 cell"
		}
		out.Err = fault(name, line, "The row has %s, the header line %d.", cells, len(header)).
			Hint("a cell that holds a comma stands in quotes: \"one, two\"")
	}
	return out
}

func headerFault(name, format string, args ...any) *diag.Diagnostic {
	return fault(name, 1, format, args...).Hint("the first line of a .csv file names its columns")
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
