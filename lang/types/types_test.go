package types_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/dspi-lang/dspi/lang/types"
)

func ptr[T any](v T) *T { return &v }

func row(t testing.TB, name string) *types.Primitive {
	t.Helper()
	r, ok := types.Lookup(name)
	if !ok {
		t.Fatalf("no type %s", name)
	}
	return &types.Primitive{Row: r}
}

func lit(v any) types.Type { return &types.Literal{Value: v} }

// TestTable checks that every row is filled and says nothing twice.
func TestTable(t *testing.T) {
	seen, docs := map[string]bool{}, map[string]string{}
	groups := map[types.Group]bool{}
	for _, r := range types.Table() {
		if seen[r.Name] {
			t.Errorf("%s stands twice", r.Name)
		}
		seen[r.Name] = true
		if r.Python == "" || r.Database == "" || r.Doc == "" || r.Group == "" || r.Example == nil {
			t.Errorf("%s is not filled: %+v", r.Name, r)
		}
		if first, twice := docs[r.Doc]; twice {
			t.Errorf("%s and %s have one doc", first, r.Name)
		}
		docs[r.Doc] = r.Name
		if strings.ContainsAny(r.Doc, "\n") || strings.HasSuffix(r.Doc, ".") || len([]rune(r.Doc)) > 90 {
			t.Errorf("%s: the doc is one line of at most 90 characters without a full stop: %q", r.Name, r.Doc)
		}
		if (r.Base == types.ShapedBase) != (r.Shape != nil) {
			t.Errorf("%s: base %d, shape %v", r.Name, r.Base, r.Shape)
		}
		if rec, ok := r.Shape.(*types.Record); ok && rec.Name != r.Name {
			t.Errorf("%s: its record is called %s", r.Name, rec.Name)
		}
		for _, name := range r.Allows {
			var c types.Constraints
			ok := false
			for _, v := range []any{1, "^a", "uri", true} {
				ok = ok || c.Set(name, v)
			}
			if !ok {
				t.Errorf("%s allows %s, which nothing can set", r.Name, name)
			}
		}
		if a := r.Argument; a != nil && (a.Name == "" || a.Doc == "" || a.Base == types.IntBase && a.Max == 0) {
			t.Errorf("%s: argument %+v", r.Name, a)
		}
		groups[r.Group] = true
	}
	for _, g := range []types.Group{types.Basic, types.Media, types.Measures, types.Reasoning, types.Talk, types.Vectors, types.Texts} {
		if !groups[g] {
			t.Errorf("no row in %s", g)
		}
	}
	if len(seen) < 35 {
		t.Errorf("%d rows only", len(seen))
	}
}

// TestString writes types with constraints and arguments as dspi does.
func TestString(t *testing.T) {
	e := row(t, "embedding")
	e.Constraints = types.Constraints{Dims: ptr(3), Min: ptr(-1.0)}
	c := row(t, "code")
	c.Constraints.Lang = ptr("c++")
	s := row(t, "string")
	s.Constraints = types.Constraints{MinLength: ptr(1), Format: ptr("uri")}
	for _, test := range []struct {
		typ  types.Type
		want string
	}{
		{e, "embedding(3, min = -1)"},
		{c, `code("c++")`},
		{s, `string(min_length = 1, format = "uri")`},
		{&types.List{Elem: e, Constraints: types.Constraints{MinItems: ptr(1), Unique: true}}, "list[embedding(3, min = -1)](min_items = 1, unique = true)"},
		{e.Shape(), "list[float(min = -1)](min_items = 3, max_items = 3)"},
		{row(t, "embedding").Shape(), "list[float](min_items = 1, max_items = 10000)"},
		{row(t, "token_usage").Shape(), "token_usage"},
		{types.Structure(types.Int), "int"},
		{types.Structure(row(t, "history")), "list[map[string, json]]"},
	} {
		if got := test.typ.String(); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
	if s := types.Int.Shape(); s != nil {
		t.Errorf("int has the shape %v", s)
	}
}

func TestFits(t *testing.T) {
	sized := func(n int) types.Type {
		e := row(t, "embedding")
		e.Constraints.Dims = ptr(n)
		return e
	}
	list := func(e types.Type) types.Type { return &types.List{Elem: e} }
	thought := &types.Record{Fields: []types.Field{{Name: "thought", Type: types.String}}}
	url := &types.Record{Fields: []types.Field{{Name: "url", Type: types.String}}}
	total := &types.Record{Fields: []types.Field{{Name: "total_tokens", Type: types.Int}}}
	mood := types.NewUnion(lit("angry"), lit("happy"))
	for _, test := range []struct {
		from, to types.Type
		want     bool
	}{
		{types.Int, types.Float, true},
		{types.Float, types.Int, false},
		{row(t, "probability"), types.Float, true},
		{types.Float, row(t, "probability"), false},
		{row(t, "token_count"), types.Int, true},
		{row(t, "token_count"), types.Float, true},
		{types.Int, row(t, "token_count"), false},
		{lit(3), row(t, "token_count"), true},
		{lit(-3), row(t, "token_count"), false},
		{row(t, "date"), types.String, true},
		{types.String, row(t, "date"), false},
		{row(t, "date"), row(t, "datetime"), false},
		{lit("2026-11-21"), row(t, "date"), true},
		{lit("2026-02-30"), row(t, "date"), false},
		{lit("2026-11-21"), row(t, "datetime"), false},
		{lit("2026-11-21T00:00:00Z"), row(t, "datetime"), true},
		{lit("90m"), row(t, "duration"), true},
		{lit("x = 1"), row(t, "code"), true},
		{lit(""), row(t, "generated_text"), false},
		{lit("sk-a"), row(t, "api_key"), false},
		{row(t, "generated_text"), types.String, true},
		{row(t, "embedding"), list(types.Float), true},
		{list(types.Float), row(t, "embedding"), true},
		{list(types.String), row(t, "embedding"), false},
		{sized(3), row(t, "embedding"), true},
		{row(t, "embedding"), sized(3), true},
		{sized(3), sized(4), false},
		{sized(3), types.NewOptional(sized(3)), true},
		{list(thought), row(t, "reasoning_chain"), true},
		{row(t, "reasoning_chain"), list(thought), true},
		{list(types.String), row(t, "reasoning_chain"), false},
		{url, row(t, "image"), true},
		{types.String, row(t, "image"), false},
		{row(t, "image"), row(t, "audio"), true}, // both are {url, data, …}: the kind is checked on the value
		{row(t, "token_usage"), total, true},
		{total, row(t, "token_usage"), false},
		{list(row(t, "message")), row(t, "history"), true},
		{row(t, "message"), types.String, false},
		{types.JSON, row(t, "message"), true},
		{row(t, "message"), types.JSON, true},
		{row(t, "message"), types.NewUnion(types.Int, row(t, "message")), true},
		{types.String, mood, false},
		{lit("angry"), mood, true},
		{mood, types.String, true},
		{types.NewOptional(types.Int), types.Int, false},
		{types.Int, types.NewOptional(types.Float), true},
	} {
		if got := types.Fits(test.from, test.to); got != test.want {
			t.Errorf("Fits(%s, %s) = %v", test.from, test.to, got)
		}
	}
}

// Unions flatten, drop what stands twice, and take null out as an optional.
func TestNewUnion(t *testing.T) {
	ab := types.NewUnion(lit("a"), lit("b"))
	for _, test := range []struct {
		in   []types.Type
		want string
	}{
		{[]types.Type{types.Int, types.NewUnion(types.String, types.Int)}, "int | string"},
		{[]types.Type{types.Int, types.Int}, "int"},
		{[]types.Type{types.NewOptional(types.Int), types.String}, "int | string | null"},
		{[]types.Type{types.NewOptional(types.NewUnion(types.Int, types.NewOptional(ab)))}, `int | "a" | "b" | null`},
		{[]types.Type{types.Null, types.Null}, "null"},
		{[]types.Type{types.Null, types.JSON}, "json"},
		{[]types.Type{types.Int, types.Invalid{}}, "?"},
		{nil, "null"},
	} {
		if got := types.NewUnion(test.in...).String(); got != test.want {
			t.Errorf("NewUnion(%v) = %s, want %s", test.in, got, test.want)
		}
	}
}

func TestTimes(t *testing.T) {
	type read = func(string, bool) (string, error)
	for _, test := range []struct {
		name    string
		read    read
		in      string
		strict  string // "" means: refused
		lenient string
	}{
		{"date", types.ReadDate, "2026-11-21", "2026-11-21", "2026-11-21"},
		{"date", types.ReadDate, "2024-02-29", "2024-02-29", "2024-02-29"},
		{"date", types.ReadDate, "2026-02-29", "", ""},
		{"date", types.ReadDate, "2026-1-2", "", ""},
		{"date", types.ReadDate, "", "", ""},
		{"datetime", types.ReadDateTime, "2026-11-21T09:30:00Z", "2026-11-21T09:30:00Z", "2026-11-21T09:30:00Z"},
		{"datetime", types.ReadDateTime, "2026-11-21T09:30:00.120-05:00", "2026-11-21T09:30:00.12-05:00", "2026-11-21T09:30:00.12-05:00"},
		{"datetime", types.ReadDateTime, "2026-11-21T09:30:00.000Z", "2026-11-21T09:30:00Z", "2026-11-21T09:30:00Z"},
		{"datetime", types.ReadDateTime, "2026-11-21t09:30:00z", "", "2026-11-21T09:30:00Z"},
		{"datetime", types.ReadDateTime, " 2026-11-21 09:30:00Z ", "", "2026-11-21T09:30:00Z"},
		{"datetime", types.ReadDateTime, "2026-11-21T09:30:00", "", ""},
		{"datetime", types.ReadDateTime, "2026-11-21T09:30Z", "", ""},
		{"datetime", types.ReadDateTime, "2026-11-21T09:30:00,5Z", "", ""},
		{"datetime", types.ReadDateTime, "2026-11-21T09:61:00Z", "", ""},
		{"datetime", types.ReadDateTime, "2026-11-21T09:30:00+99:00", "", ""},
		{"duration", types.ReadDuration, "1h30m", "1h30m", "1h30m"},
		{"duration", types.ReadDuration, "30m1h", "1h30m", "1h30m"},
		{"duration", types.ReadDuration, "36h", "1d12h", "1d12h"},
		{"duration", types.ReadDuration, "0.5d", "12h", "12h"},
		{"duration", types.ReadDuration, "1.001s", "1s1ms", "1s1ms"},
		{"duration", types.ReadDuration, "-90s", "-1m30s", "-1m30s"},
		{"duration", types.ReadDuration, "0m", "0s", "0s"},
		{"duration", types.ReadDuration, "200d1ns", "200d1ns", "200d1ns"},
		{"duration", types.ReadDuration, "106751d23h47m16s854ms775us807ns", "106751d23h47m16s854ms775us807ns", "106751d23h47m16s854ms775us807ns"},
		{"duration", types.ReadDuration, "106752d", "", ""},
		{"duration", types.ReadDuration, "99999999999999999999d", "", ""},
		{"duration", types.ReadDuration, "5", "", ""},
		{"duration", types.ReadDuration, "", "", ""},
		{"duration", types.ReadDuration, "1y", "", ""},
		{"duration", types.ReadDuration, " 1 h 30 m ", "", "1h30m"},
		{"duration", types.ReadDuration, "5µs", "", "5us"},
		{"duration", types.ReadDuration, "PT1H30M", "", "1h30m"},
		{"duration", types.ReadDuration, "-P1DT0,5S", "", "-1d500ms"},
		{"duration", types.ReadDuration, "P1W", "", "7d"},
		{"duration", types.ReadDuration, "P", "", ""},
		{"duration", types.ReadDuration, "P1DT", "", ""},
		{"duration", types.ReadDuration, "P1M", "", ""},
	} {
		for lax, want := range map[bool]string{false: test.strict, true: test.lenient} {
			got, err := test.read(test.in, lax)
			if got != want || (err != nil) != (want == "") {
				t.Errorf("%s %q, lenient %v: %q, %v; want %q", test.name, test.in, lax, got, err, want)
			}
			if err == nil {
				if again, err := test.read(got, false); err != nil || again != got {
					t.Errorf("%s %q is not its own form: %q, %v", test.name, got, again, err)
				}
			}
		}
	}
	if got := types.FormatDuration(-1 << 63); got != "-106751d23h47m16s854ms775us808ns" {
		t.Error(got)
	}
	if d, err := types.ParseDuration("1h30m", false); err != nil || d != 90*time.Minute {
		t.Error(d, err)
	}
}

// FuzzDuration: what is read is read again as the same.
func FuzzDuration(f *testing.F) {
	for _, s := range []string{"1h30m", "0.000000001s", "PT0.5S", "99999d", "1.9999999999999999d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := types.ReadDuration(s, true)
		if err != nil {
			return
		}
		if again, err := types.ReadDuration(got, false); err != nil || again != got {
			t.Fatalf("%q gave %q, which gave %q, %v", s, got, again, err)
		}
	})
}

func TestDatabaseAndSensitive(t *testing.T) {
	e := row(t, "embedding")
	e.Constraints.Dims = ptr(1536)
	for _, test := range []struct {
		typ  types.Type
		want string
	}{
		{types.Int, "bigint"}, {types.NewOptional(types.Float), "double precision"}, {e, "vector(1536)"}, {row(t, "embedding"), "vector"},
		{types.NewUnion(lit("a"), lit("b")), "text"}, {types.NewUnion(lit("a"), lit(1)), "jsonb"}, {types.NewUnion(lit("a"), types.String), "text"},
		{&types.Enum{Name: "E"}, "text"}, {&types.List{Elem: types.Int}, "jsonb"}, {row(t, "datetime"), "timestamp with time zone"},
		{&types.Record{}, "jsonb"}, {types.Null, "jsonb"}, {types.Model{}, "text"}, {lit(true), "boolean"}, {lit(1.5), "double precision"},
	} {
		if got := types.Database(test.typ); got != test.want {
			t.Errorf("Database(%s) = %s, want %s", test.typ, got, test.want)
		}
	}
	ring := &types.Record{Name: "Ring"}
	ring.Fields = []types.Field{{Name: "next", Type: types.NewOptional(ring)}}
	keyed := &types.Record{Fields: []types.Field{{Name: "m", Type: &types.Map{Elem: types.NewUnion(types.Int, row(t, "api_key"))}}}}
	for typ, want := range map[types.Type]bool{
		types.String: false, row(t, "api_key"): true, ring: false, keyed: true, row(t, "message"): false,
		&types.Tuple{Elems: []types.Type{types.Int, &types.List{Elem: row(t, "api_key")}}}: true,
	} {
		if got := types.Sensitive(typ); got != want {
			t.Errorf("Sensitive(%s) = %v", typ, got)
		}
	}
}

func TestArguments(t *testing.T) {
	for _, test := range []struct {
		name string
		v    any
		want types.Constraints
		ok   bool
	}{
		{"embedding", 3, types.Constraints{Dims: ptr(3)}, true},
		{"embedding", 0, types.Constraints{}, false},
		{"embedding", types.MaxDimensions + 1, types.Constraints{}, false},
		{"embedding", "3", types.Constraints{}, false},
		{"embedding", 3.0, types.Constraints{}, false},
		{"code", "go", types.Constraints{Lang: ptr("go")}, true},
		{"code", " ", types.Constraints{}, false},
		{"code", 1, types.Constraints{}, false},
		{"string", 140, types.Constraints{}, false},
	} {
		var c types.Constraints
		if ok := c.SetArgument(row(t, test.name).Row, test.v); ok != test.ok || !reflect.DeepEqual(c, test.want) {
			t.Errorf("%s(%v): %v, %+v", test.name, test.v, ok, c)
		}
	}
}
