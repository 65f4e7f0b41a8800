package schema_test

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"github.com/dspi-lang/dspi/lang/schema"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// TestValuesAndSchemasAgree draws types and values. What value.Check (Strict)
// gives back satisfies the schema of the type; what satisfies a schema without
// notes is taken by value.Check.
func TestValuesAndSchemasAgree(t *testing.T) {
	fitting, refused, back := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		typ := drawType(t, 3)
		s := schema.Of(typ, schema.Options{})
		compiled := compile(t, s)
		for range 6 {
			v := drawValue(t, typ, 0)
			if rapid.IntRange(0, 3).Draw(t, "spoil") == 0 {
				v = spoil(t, v)
			}
			out, faults := value.Check(typ, v, value.Strict)
			if faults == nil {
				fitting++
				if err := validate(compiled, out); err != nil {
					t.Fatalf("%s: %s fits, but not the schema\n%v\n%s", typ, value.EncodeJSON(out), err, s.JSON())
				}
				again, faults := value.Check(typ, out, value.Strict)
				if faults != nil || !value.Equal(out, again) {
					t.Fatalf("%s: %s is not its own form: %s %v", typ, value.EncodeJSON(out), value.EncodeJSON(again), faults)
				}
				continue
			}
			refused++
			if len(s.Notes) == 0 && validate(compiled, v) == nil {
				back++
				if _, faults := value.Check(typ, whole(v), value.Strict); faults != nil {
					t.Fatalf("%s: %s satisfies the schema, but %s\n%s", typ, value.EncodeJSON(v), value.Faults(faults), s.JSON())
				}
			}
		}
	})
	t.Logf("%d fitted, %d were refused, of those the schema took %d (whole numbers written with a point)", fitting, refused, back)
	if fitting < 50 || refused < 20 {
		t.Errorf("only %d values fitted and %d were refused", fitting, refused)
	}
}

// TestExamplesFit holds the example of every row against its type and schema, in
// every dialect that has a validator: plain JSON Schema.
func TestExamplesFit(t *testing.T) {
	for _, row := range types.Table() {
		p := &types.Primitive{Row: row}
		v := value.Example(p)
		out, faults := value.Check(p, v, value.Strict)
		if faults != nil || !value.Equal(v, out) {
			t.Errorf("%s: the example %s: %s, %v", row.Name, value.EncodeJSON(v), value.EncodeJSON(out), faults)
			continue
		}
		s := schema.Of(p, schema.Options{})
		if err := validate(compile(t, s), v); err != nil {
			t.Errorf("%s: %v\n%s", row.Name, err, s.JSON())
		}
	}
}

type failer interface{ Fatalf(string, ...any) }

func compile(t failer, s *schema.Schema) *jsonschema.Schema {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(s.JSON()))
	if err != nil {
		t.Fatalf("%v\n%s", err, s.JSON())
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("mem:schema", doc); err != nil {
		t.Fatalf("%v\n%s", err, s.JSON())
	}
	out, err := c.Compile("mem:schema")
	if err != nil {
		t.Fatalf("%v\n%s", err, s.JSON())
	}
	return out
}

func validate(s *jsonschema.Schema, v any) error {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(value.EncodeJSON(v)))
	if err != nil {
		return err
	}
	return s.Validate(doc)
}

// whole writes whole numbers without a point: to JSON Schema, 1.0 is an integer.
func whole(v any) any {
	switch v := v.(type) {
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1e15 {
			return int(v)
		}
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = whole(v[i])
		}
		return out
	case *value.Object:
		out := &value.Object{}
		for n, x := range v.All() {
			out.Set(n, whole(x))
		}
		return out
	}
	return v
}

func ptr[T any](v T) *T { return &v }

// node holds itself.
var node = func() *types.Record {
	r := &types.Record{Name: "Node"}
	r.Fields = []types.Field{
		{Name: "label", Type: types.String, Description: "a word"},
		{Name: "left", Type: types.NewOptional(r)},
		{Name: "kids", Type: &types.List{Elem: r, Constraints: types.Constraints{MaxItems: ptr(2)}}, HasDefault: true, Default: []any{}},
	}
	return r
}()

var queue = &types.Enum{Name: "Queue", Members: []types.Member{
	{Name: "refunds", Shown: "refunds", Description: "money is to be given back"},
	{Name: "lost_card", Shown: "lost card"},
}}

// drawType draws a type that nests at most depth deep.
func drawType(t *rapid.T, depth int) types.Type {
	most := 10
	if depth == 0 {
		most = 4
	}
	elem := func() types.Type { return drawType(t, depth-1) }
	switch rapid.IntRange(0, most).Draw(t, "kind") {
	case 0, 1, 2:
		return drawPrimitive(t)
	case 3:
		return rapid.SampledFrom([]types.Type{node, queue}).Draw(t, "declared")
	case 4:
		all := []any{"a", "b", "", 1, 2.5, true, nil, -7}
		n := rapid.IntRange(1, 3).Draw(t, "literals")
		out := make([]types.Type, n)
		for i := range out {
			out[i] = &types.Literal{Value: rapid.SampledFrom(all).Draw(t, "literal")}
		}
		return types.NewUnion(out...)
	case 5:
		return types.NewOptional(elem())
	case 6:
		return types.NewUnion(elem(), elem(), elem())
	case 7:
		l := &types.List{Elem: elem(), Constraints: drawSize(t)}
		l.Constraints.Unique = rapid.IntRange(0, 3).Draw(t, "unique") == 0
		return l
	case 8:
		return &types.Map{Elem: elem(), Constraints: drawSize(t)}
	case 9:
		return &types.Tuple{Elems: []types.Type{elem(), elem()}}
	}
	r := &types.Record{}
	for i := range rapid.IntRange(1, 3).Draw(t, "fields") {
		f := types.Field{Name: fmt.Sprint("f", i), Type: elem()}
		if rapid.Bool().Draw(t, "default") {
			if v, faults := value.Check(f.Type, drawValue(t, f.Type, 0), value.Strict); faults == nil {
				f.Default, f.HasDefault = v, true
			}
		}
		r.Fields = append(r.Fields, f)
	}
	return r
}

func drawSize(t *rapid.T) types.Constraints {
	var c types.Constraints
	if rapid.Bool().Draw(t, "min_items") {
		c.MinItems = ptr(rapid.IntRange(0, 2).Draw(t, "at least"))
	}
	if rapid.Bool().Draw(t, "max_items") {
		c.MaxItems = ptr(rapid.IntRange(2, 4).Draw(t, "at most"))
	}
	return c
}

func drawPrimitive(t *rapid.T) types.Type {
	p := &types.Primitive{Row: rapid.SampledFrom(types.Table()).Draw(t, "row")}
	for _, name := range p.Row.Allows {
		if rapid.IntRange(0, 3).Draw(t, name) > 0 {
			continue
		}
		var v any
		switch name {
		case "min":
			v = rapid.IntRange(-5, 0).Draw(t, "min")
		case "max":
			v = rapid.IntRange(0, 9).Draw(t, "max")
		case "multiple_of":
			v = rapid.SampledFrom([]any{1, 2, 3, 0.5, 0.25}).Draw(t, "multiple_of")
		case "min_length", "min_items":
			v = rapid.IntRange(0, 2).Draw(t, "at least")
		case "max_length", "max_items":
			v = rapid.IntRange(2, 5).Draw(t, "at most")
		case "pattern":
			v = rapid.SampledFrom([]string{"^a", "b$", "[0-9]+", `^\p{L}*$`, "(?i)A"}).Draw(t, "pattern")
		case "format":
			v = types.Formats[rapid.IntRange(0, len(types.Formats)-1).Draw(t, "format")].Name
		}
		if !p.Constraints.Set(name, v) {
			t.Fatalf("%s takes no %s = %v", p.Row.Name, name, v)
		}
	}
	if a := p.Row.Argument; a != nil && rapid.Bool().Draw(t, "argument") {
		v := any(rapid.IntRange(1, 4).Draw(t, "n"))
		if a.Base == types.StringBase {
			v = "sql"
		}
		p.Constraints.SetArgument(p.Row, v)
	}
	return p
}

var someText = []string{"", "a", "b", "ab", "äöü", "12", "a b", "2026-11-21", "2026-02-30", "2026-11-21T09:30:00+00:00", "2026-11-21T09:30:00.50Z",
	"90m", "1h30m", "1.5h", "lost card", "lost_card", "eva@example.com", "https://example.com/a", "::1", "192.0.2.1", "example.com",
	"6d1f9c1e-7a3b-4c55-9e0e-2f8a4b1c7d90", "image/png", "{name}", "{", "QUJD", "user"}

// drawValue draws a value that often fits.
func drawValue(t *rapid.T, typ types.Type, depth int) any {
	if depth > 6 {
		return nil
	}
	if p, ok := typ.(*types.Primitive); ok && rapid.IntRange(0, 2).Draw(t, "example") == 0 {
		return value.Example(p)
	}
	switch typ := types.Structure(typ).(type) {
	case *types.Primitive:
		switch typ.Row.Base {
		case types.StringBase:
			return rapid.SampledFrom(someText).Draw(t, "text")
		case types.IntBase:
			return rapid.IntRange(-8, 12).Draw(t, "int")
		case types.FloatBase:
			return float64(rapid.IntRange(-16, 24).Draw(t, "quarters")) / 4
		case types.BoolBase:
			return rapid.Bool().Draw(t, "bool")
		}
		return drawAny(t, 2)
	case *types.Literal:
		return typ.Value
	case *types.Enum:
		m := typ.Members[rapid.IntRange(0, len(typ.Members)-1).Draw(t, "member")]
		return rapid.SampledFrom([]string{m.Name, m.Shown}).Draw(t, "enum")
	case *types.Optional:
		if rapid.Bool().Draw(t, "null") {
			return nil
		}
		return drawValue(t, typ.Elem, depth+1)
	case *types.Union:
		return drawValue(t, typ.Members[rapid.IntRange(0, len(typ.Members)-1).Draw(t, "member")], depth+1)
	case *types.List:
		out := make([]any, rapid.IntRange(0, 4).Draw(t, "items"))
		if n := typ.Constraints.MinItems; n != nil && len(out) < *n && *n < 5 {
			out = make([]any, *n)
		}
		for i := range out {
			out[i] = drawValue(t, typ.Elem, depth+1)
		}
		return out
	case *types.Tuple:
		out := make([]any, len(typ.Elems))
		for i := range out {
			out[i] = drawValue(t, typ.Elems[i], depth+1)
		}
		return out
	case *types.Map:
		o := &value.Object{}
		for i := range rapid.IntRange(0, 3).Draw(t, "names") {
			o.Set(fmt.Sprint("n", i), drawValue(t, typ.Elem, depth+1))
		}
		return o
	case *types.Record:
		o := &value.Object{}
		for _, f := range typ.Fields {
			if (f.HasDefault || types.Nullable(f.Type)) && rapid.Bool().Draw(t, "absent") {
				continue
			}
			o.Set(f.Name, drawValue(t, f.Type, depth+1))
		}
		return o
	}
	return nil
}

func drawAny(t *rapid.T, depth int) any {
	switch rapid.IntRange(0, 5+depth).Draw(t, "any") {
	case 0:
		return nil
	case 1:
		return rapid.Bool().Draw(t, "bool")
	case 2:
		return rapid.IntRange(-8, 12).Draw(t, "int")
	case 3:
		return float64(rapid.IntRange(-16, 24).Draw(t, "quarters")) / 4
	case 4, 5:
		return rapid.SampledFrom(someText).Draw(t, "text")
	case 6:
		return []any{drawAny(t, depth-1)}
	}
	return value.NewObject("label", drawAny(t, depth-1))
}

// spoil changes a value somewhere.
func spoil(t *rapid.T, v any) any {
	switch v := v.(type) {
	case []any:
		if len(v) > 0 && rapid.Bool().Draw(t, "inside") {
			out := append([]any(nil), v...)
			i := rapid.IntRange(0, len(v)-1).Draw(t, "at")
			out[i] = spoil(t, v[i])
			return out
		}
		return append(append([]any(nil), v...), drawAny(t, 1))
	case *value.Object:
		out := v.Clone()
		if v.Len() > 0 && rapid.Bool().Draw(t, "inside") {
			name := v.Names()[rapid.IntRange(0, v.Len()-1).Draw(t, "at")]
			x, _ := v.Get(name)
			out.Set(name, spoil(t, x))
			return out
		}
		out.Set(strings.Repeat("x", rapid.IntRange(1, 2).Draw(t, "name")), drawAny(t, 1))
		return out
	}
	return drawAny(t, 2)
}
