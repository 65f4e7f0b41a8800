package datasets

import (
	"cmp"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/value"
)

// Looked is what a table holds.
type Looked struct {
	Name    string           `json:"name"`
	Rows    int              `json:"rows"`
	Bad     int              `json:"bad"` // rows that cannot be read
	Columns []*Column        `json:"columns"`
	First   []*value.Object  `json:"first"` // rows
	Fault   *diag.Diagnostic `json:"-"`     // of the first bad row
}

// Column is what the rows have in one column.
type Column struct {
	Name string `json:"name"`
	// Kind is what all values that are there are: "int", "float", "bool",
	// "string", "list", "object", "json" for several.
	Kind string `json:"kind"`
	// Missing counts rows that have no value: none at all, null or an empty cell.
	Missing int `json:"missing"`
	// Distinct counts different values, up to MostValues; 0 means more.
	Distinct int     `json:"distinct,omitempty"`
	Values   []Count `json:"values,omitempty"`  // the most frequent ones of few
	Longest  int     `json:"longest,omitempty"` // characters of a text
	Least    *Number `json:"min,omitempty"`
	Most     *Number `json:"max,omitempty"`

	kinds map[string]int
	seen  map[string]int
	full  bool // there are more values than are counted
	have  int
}

// Number is a number of a column.
type Number float64

// Count is how many rows have a value.
type Count struct {
	Value string `json:"value"`
	Rows  int    `json:"rows"`
}

// MostValues is how many different values of a column are counted.
const MostValues = 1000

// shownValues is how many of them are told.
const shownValues = 8

// Look reads a table to its end. first is how many rows are kept to be shown. The
// error says why no further row could be read; what was read is returned with it.
func Look(t *Table, first int) (*Looked, error) {
	l := &Looked{Name: t.Name, Columns: []*Column{}, First: []*value.Object{}}
	index := map[string]*Column{}
	column := func(name string) *Column {
		c := index[name]
		if c == nil {
			c = &Column{Name: name, kinds: map[string]int{}, seen: map[string]int{}}
			index[name] = c
			l.Columns = append(l.Columns, c)
		}
		return c
	}
	for _, name := range t.Columns {
		column(name)
	}
	defer func() {
		for _, c := range l.Columns {
			c.finish(l.Rows - l.Bad)
		}
	}()
	for {
		row, err := t.Next()
		switch {
		case errors.Is(err, io.EOF):
			return l, nil
		case err != nil:
			return l, err
		}
		l.Rows++
		if row.Err != nil {
			if l.Bad++; l.Fault == nil {
				l.Fault = row.Err
			}
			continue
		}
		if len(l.First) < first {
			l.First = append(l.First, row.Values)
		}
		for name, v := range row.Values.All() {
			column(name).see(v, t.Cells || row.Cells)
		}
	}
}

func (c *Column) see(v any, cells bool) {
	text, isText := v.(string)
	if v == nil || cells && strings.TrimSpace(text) == "" {
		return
	}
	c.have++
	kind := kindOf(v)
	if cells {
		kind = cellKind(text)
	}
	c.kinds[kind]++
	if isText {
		c.Longest = max(c.Longest, utf8.RuneCountInString(text))
	}
	if n, ok := number(v, cells); ok {
		if c.Least == nil || n < *c.Least {
			c.Least = &n
		}
		if c.Most == nil || n > *c.Most {
			c.Most = &n
		}
	}
	key := text
	if !isText {
		key = string(value.EncodeJSON(v))
	}
	if _, known := c.seen[key]; known || len(c.seen) < MostValues {
		c.seen[key]++
	} else {
		c.full = true
	}
}

func (c *Column) finish(rows int) {
	c.Missing = rows - c.have
	kinds := slices.Sorted(maps.Keys(c.kinds))
	switch {
	case len(kinds) == 1:
		c.Kind = kinds[0]
	case slices.Equal(kinds, []string{"float", "int"}):
		c.Kind = "float"
	case len(kinds) == 0:
		c.Kind = "empty"
	case c.kinds["list"]+c.kinds["object"] == 0 && c.Longest > 0:
		c.Kind = "string"
	default:
		c.Kind = "json"
	}
	if c.Kind != "int" && c.Kind != "float" {
		c.Least, c.Most = nil, nil
	}
	if c.full {
		return
	}
	c.Distinct = len(c.seen)
	if c.Distinct > c.have/2 && c.Distinct > shownValues {
		return // nearly each row has its own
	}
	for v, n := range c.seen {
		c.Values = append(c.Values, Count{v, n})
	}
	slices.SortFunc(c.Values, func(a, b Count) int { return cmp.Or(cmp.Compare(b.Rows, a.Rows), cmp.Compare(a.Value, b.Value)) })
	c.Values = c.Values[:min(len(c.Values), shownValues)]
}

func kindOf(v any) string {
	switch v := v.(type) {
	case string:
		return "string"
	case bool:
		return "bool"
	case float64:
		return "float"
	case []any:
		return "list"
	case *value.Object:
		return "object"
	default:
		_ = v
		return "int"
	}
}

// cellKind is what the text of a cell reads as.
func cellKind(s string) string {
	s = strings.TrimSpace(s)
	if _, err := strconv.ParseInt(s, 10, 64); err == nil {
		return "int"
	}
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		return "float"
	}
	if s == "true" || s == "false" {
		return "bool"
	}
	return "string"
}

func number(v any, cells bool) (Number, bool) {
	switch v := v.(type) {
	case int:
		return Number(v), true
	case int64:
		return Number(v), true
	case float64:
		return Number(v), true
	case string:
		if cells {
			f, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
			return Number(f), err == nil
		}
	}
	return 0, false
}
