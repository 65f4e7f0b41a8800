package datasets

import (
	"cmp"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/dspi-lang/dspi/lang/value"
)

// Choice says which rows of a table are wanted. The zero Choice wants all, in their
// order. It is obeyed in the order of its fields.
type Choice struct {
	// Renamed says which column of the file stands behind a name.
	Renamed map[string]string
	// Only wants rows whose columns have these values.
	Only map[string]any
	// Shuffle puts the rows in a random order, the same for the same seed.
	Shuffle bool
	Seed    int
	// From and To are a share of the rows, from 0 to 1: 0 and 0.8 are the first
	// four fifths. To of 0 means 1.
	From, To float64
	// Stratify names a column: each of its values is parted by itself, so that
	// each part has the same share of each.
	Stratify string
	// Sample wants so many rows, drawn at random; they stay in their order. 0: all.
	Sample int
	// Limit wants the first rows only. 0: all.
	Limit int
}

// whole reports whether all rows must be known before the first is given.
func (c Choice) whole() bool {
	return c.Shuffle || c.From > 0 || c.To > 0 && c.To < 1 || c.Sample > 0
}

// Choose returns the rows of t that c wants. They are streamed, unless chance or a
// share of all is asked for: then all are read at the first Next. Rows that cannot
// be read are among them.
func Choose(t *Table, c Choice) *Table {
	out := &Table{Name: t.Name, Columns: renamedAll(t.Columns, c.Renamed), Cells: t.Cells, close: t.close}
	wanted := func() (Row, error) {
		for {
			row, err := t.Next()
			if err != nil {
				return Row{}, err
			}
			if row.Values != nil {
				row.Values = renamed(row.Values, c.Renamed)
			}
			if row.Err != nil || matches(row.Values, c.Only, t.Cells || row.Cells) {
				return row, nil
			}
		}
	}
	next := wanted
	if c.whole() {
		var rows []Row
		var failed error
		read := false
		next = func() (Row, error) {
			if !read {
				read = true
				rows, failed = drain(wanted)
				if failed == nil {
					rows = c.pick(rows)
				}
			}
			switch {
			case failed != nil:
				return Row{}, failed
			case len(rows) == 0:
				return Row{}, io.EOF
			}
			row := rows[0]
			rows[0], rows = Row{}, rows[1:]
			return row, nil
		}
	}
	given := 0
	out.next = func() (Row, error) {
		if c.Limit > 0 && given >= c.Limit {
			return Row{}, io.EOF
		}
		row, err := next()
		if err == nil {
			given++
		}
		return row, err
	}
	return out
}

func drain(next func() (Row, error)) ([]Row, error) {
	var rows []Row
	for {
		row, err := next()
		switch {
		case errors.Is(err, io.EOF):
			return rows, nil
		case err != nil:
			return nil, err
		}
		rows = append(rows, row)
	}
}

// Streams of chance, so that a sample is not the start of the shuffle.
const (
	shuffleStream = 1
	sampleStream  = 2
)

// pick shuffles, parts and samples.
func (c Choice) pick(rows []Row) []Row {
	if c.Shuffle {
		rng := rand.New(rand.NewPCG(uint64(c.Seed), shuffleStream))
		rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	}
	if c.From > 0 || c.To > 0 && c.To < 1 {
		rows = c.part(rows)
	}
	if c.Sample > 0 && c.Sample < len(rows) {
		rng := rand.New(rand.NewPCG(uint64(c.Seed), sampleStream))
		drawn := rng.Perm(len(rows))[:c.Sample]
		slices.Sort(drawn)
		some := make([]Row, len(drawn))
		for i, at := range drawn {
			some[i] = rows[at]
		}
		rows = some
	}
	return rows
}

// part returns the rows from one share to another. Parts that meet share no row and
// leave none out.
func (c Choice) part(rows []Row) []Row {
	to := c.To
	if to == 0 {
		to = 1
	}
	cut := func(n int, share float64) int { return int(math.Round(share * float64(n))) }
	if c.Stratify == "" {
		return rows[cut(len(rows), c.From):cut(len(rows), to)]
	}
	groups := map[string][]int{}
	for i, row := range rows {
		key := ""
		if row.Values != nil {
			v, _ := row.Values.Get(c.Stratify)
			key = string(value.EncodeJSON(v))
		}
		groups[key] = append(groups[key], i)
	}
	var kept []int
	for _, at := range groups {
		kept = append(kept, at[cut(len(at), c.From):cut(len(at), to)]...)
	}
	slices.SortFunc(kept, cmp.Compare)
	out := make([]Row, len(kept))
	for i, at := range kept {
		out[i] = rows[at]
	}
	return out
}

// matches reports whether a row has the values.
func matches(o *value.Object, only map[string]any, cells bool) bool {
	for name, want := range only {
		have, ok := o.Get(name)
		if !ok {
			return false
		}
		if text, isText := want.(string); cells && !isText {
			want = string(value.EncodeJSON(want))
		} else if isText {
			want = text
		}
		if !value.Equal(have, want) {
			return false
		}
	}
	return true
}

// renamed gives columns their other names.
func renamed(o *value.Object, names map[string]string) *value.Object {
	if len(names) == 0 {
		return o
	}
	to := map[string]string{}
	for name, from := range names {
		to[from] = name
	}
	out := value.MakeObject(o.Len())
	for column, v := range o.All() {
		if name, ok := to[column]; ok {
			column = name
		} else if _, taken := names[column]; taken {
			continue // another column has its name now
		}
		out.Set(column, v)
	}
	return out
}

func renamedAll(columns []string, names map[string]string) []string {
	out := slices.Clone(columns)
	for name, from := range names {
		if i := slices.Index(columns, from); i >= 0 {
			out[i] = name
		}
	}
	return out
}
