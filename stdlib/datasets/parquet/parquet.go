// Package parquet reads the rows of Parquet files, a few at a time, so that a file of
// any size takes the memory of its pages.
//
//	Rows  the rows of a file; Next returns one until io.EOF
//	Open  begins to read
//
// Values come as JSON would have them. Integers, floats, booleans and texts are what
// they are; lists, structures and maps are lists and objects; a date is 2026-11-21, a
// time 2026-11-21T18:30:05.25Z, a decimal a number, JSON what it says. Bytes that are no
// text in UTF-8 are base64.
package parquet

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/dspi-lang/dspi/lang/value"
)

// batch is how many rows are read at once.
const batch = 64

// Rows reads the rows of a file, in their order.
type Rows struct {
	Columns []string
	Count   int64 // of the rows, as the file says

	fields []parquet.Field
	reader *parquet.GenericReader[any]
	read   []any // rows that were read and not yet given
	end    error // what comes behind them
}

// Open reads what a file of so many bytes says of itself. The error is about the file.
func Open(in io.ReaderAt, size int64) (r *Rows, err error) {
	defer guard(&err)
	f, err := parquet.OpenFile(in, size)
	if err != nil {
		return nil, err
	}
	r = &Rows{Count: f.NumRows(), fields: f.Schema().Fields(), reader: parquet.NewGenericReader[any](f)}
	for _, x := range r.fields {
		if slices.Contains(r.Columns, x.Name()) {
			return nil, fmt.Errorf("two columns are called `%s`", x.Name())
		}
		r.Columns = append(r.Columns, x.Name())
	}
	return r, nil
}

// guard makes a panic about bytes that make no sense an error.
func guard(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("the file is damaged: %v", p)
	}
}

// Next returns the next row. The error is io.EOF behind the last.
func (r *Rows) Next() (o *value.Object, err error) {
	defer guard(&err)
	for len(r.read) == 0 {
		if r.end != nil {
			return nil, r.end
		}
		rows := make([]any, batch)
		n, err := r.reader.Read(rows)
		r.read = rows[:n]
		if err != nil {
			r.end = err
		} else if n == 0 {
			r.end = io.ErrNoProgress
		}
	}
	row, ok := r.read[0].(map[string]any)
	r.read = r.read[1:]
	if !ok {
		return nil, errors.New("a row is no structure")
	}
	return object(r.fields, row), nil
}

// Close ends the reading. The file stays open.
func (r *Rows) Close() error { return r.reader.Close() }

// object brings the values of a structure into the order of its fields.
func object(fields []parquet.Field, row map[string]any) *value.Object {
	o := value.MakeObject(len(fields))
	for _, f := range fields {
		o.Set(f.Name(), plain(f, row[f.Name()]))
	}
	return o
}

// plain makes a value what JSON would have.
func plain(n parquet.Node, v any) any {
	r := reflect.ValueOf(v)
	for r.Kind() == reflect.Pointer && !r.IsNil() {
		if _, decimal := r.Interface().(*big.Float); decimal {
			break
		}
		r = r.Elem()
	}
	if !r.IsValid() || r.Kind() == reflect.Pointer && r.IsNil() {
		return nil
	}
	v = r.Interface()
	if !n.Leaf() {
		return nested(n, r)
	}
	if t := n.Type().LogicalType(); t != nil {
		if out, ok := logical(t, v); ok {
			return out
		}
	}
	switch v := v.(type) {
	case bool:
		return v
	case float32: // as short as it was written
		x, _ := strconv.ParseFloat(strconv.FormatFloat(float64(v), 'g', -1, 32), 64)
		return x
	case float64:
		return v
	case string:
		return text(v)
	case []byte:
		return text(string(v))
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	case *big.Float:
		x, _ := v.Float64()
		return x
	}
	switch {
	case r.CanInt():
		return int(r.Int())
	case r.CanUint():
		return int(r.Uint())
	}
	return fmt.Sprint(v)
}

// text is a text, or the base64 of what is none.
func text(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return base64.StdEncoding.EncodeToString([]byte(s))
}

// logical reads values whose kind is more than how they are written.
func logical(t *format.LogicalType, v any) (any, bool) {
	switch t := t.Value.(type) {
	case *format.DateType:
		if days, ok := v.(int32); ok {
			return time.Unix(int64(days)*24*60*60, 0).UTC().Format(time.DateOnly), true
		}
	case *format.TimestampType:
		at, ok := v.(int64)
		if !ok {
			return nil, false
		}
		when := time.Unix(0, at)
		switch t.Unit.Value.(type) {
		case *format.MilliSeconds:
			when = time.UnixMilli(at)
		case *format.MicroSeconds:
			when = time.UnixMicro(at)
		}
		if t.IsAdjustedToUTC {
			return when.UTC().Format(time.RFC3339Nano), true
		}
		return when.UTC().Format("2006-01-02T15:04:05.999999999"), true
	case *format.JsonType:
		var raw []byte
		switch v := v.(type) {
		case string:
			raw = []byte(v)
		case []byte:
			raw = v
		}
		if out, err := value.DecodeJSON(raw); err == nil {
			return out, true
		}
	case *format.DecimalType:
		var digits int64
		switch v := v.(type) {
		case int32:
			digits = int64(v)
		case int64:
			digits = v
		default:
			return nil, false
		}
		x, _ := strconv.ParseFloat(fmt.Sprintf("%de-%d", digits, t.Scale), 64)
		return x, true
	}
	return nil, false
}

// nested reads lists, maps and structures.
func nested(n parquet.Node, r reflect.Value) any {
	fields := n.Fields()
	switch r.Kind() {
	case reflect.Slice:
		out := make([]any, r.Len())
		for i := range out {
			out[i] = plain(element(n), r.Index(i).Interface())
		}
		return out
	case reflect.Map:
		if isA[*format.MapType](n) && len(fields) == 1 && len(fields[0].Fields()) == 2 {
			return entries(fields[0].Fields()[1], r)
		}
		row := map[string]any{}
		for _, key := range r.MapKeys() {
			row[fmt.Sprint(key.Interface())] = r.MapIndex(key).Interface()
		}
		return object(fields, row)
	}
	return fmt.Sprint(r.Interface())
}

// entries are those of a map, in the order of their names.
func entries(n parquet.Node, r reflect.Value) *value.Object {
	keys := r.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int {
		return slices.Compare([]byte(fmt.Sprint(a.Interface())), []byte(fmt.Sprint(b.Interface())))
	})
	o := value.MakeObject(len(keys))
	for _, key := range keys {
		o.Set(fmt.Sprint(key.Interface()), plain(n, r.MapIndex(key).Interface()))
	}
	return o
}

// element returns what a list is of: `list.element` of a LIST, else the repeated
// field itself.
func element(n parquet.Node) parquet.Node {
	fields := n.Fields()
	if isA[*format.ListType](n) && len(fields) == 1 && fields[0].Repeated() {
		if inner := fields[0].Fields(); len(inner) == 1 {
			return inner[0]
		}
		return fields[0]
	}
	return n
}

// isA reports whether a node says that it is of a kind.
func isA[T format.LogicalTypeValue](n parquet.Node) bool {
	t := n.Type().LogicalType()
	if t == nil {
		return false
	}
	_, ok := t.Value.(T)
	return ok
}
