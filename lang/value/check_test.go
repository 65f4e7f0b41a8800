package value_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
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

func lits(vs ...any) types.Type {
	ts := make([]types.Type, len(vs))
	for i, v := range vs {
		ts[i] = &types.Literal{Value: v}
	}
	return types.NewUnion(ts...)
}

var (
	queue = &types.Enum{Name: "Queue", Members: []types.Member{
		{Name: "refunds", Shown: "refunds"},
		{Name: "lost_card", Shown: "lost card"},
	}}
	small   = &types.Primitive{Row: types.Int.Row, Constraints: types.Constraints{Min: ptr(1.0), Max: ptr(5.0)}}
	contact = &types.Record{Name: "Contact", Fields: []types.Field{
		{Name: "name", Type: types.String},
		{Name: "email", Type: types.NewOptional(types.String)},
		{Name: "phones", Type: &types.List{Elem: types.String, Constraints: types.Constraints{MaxItems: ptr(2)}}},
		{Name: "country", Type: types.String, HasDefault: true, Default: "AT"},
	}}
)

func limited(c types.Constraints) types.Type {
	return &types.Primitive{Row: types.String.Row, Constraints: c}
}

// TestCheck: JSON in, JSON out, or the faults a line each, as "path kind".
func TestCheck(t *testing.T) {
	prob := row(t, "probability")
	tests := []struct {
		typ    types.Type
		in     string
		strict string // "" means: as lax
		lax    string
	}{
		{types.String, `"a"`, "", `"a"`},
		{types.String, `1`, "", "!string_type"},
		{types.String, `null`, "", "!string_type"},
		{types.Int, `42`, "", `42`},
		{types.Int, `42.0`, "!int_type", `42`},
		{types.Int, `42.5`, "!int_type", `!int_from_float`},
		{types.Int, `1e300`, "!int_type", `!int_parsing_size`},
		{types.Int, `"42"`, "!int_type", `42`},
		{types.Int, `" 1_000 "`, "!int_type", `1000`},
		{types.Int, `"1__0"`, "!int_type", `!int_parsing`},
		{types.Int, `"5.0"`, "!int_type", `5`},
		{types.Int, `"5."`, "!int_type", `!int_parsing`},
		{types.Int, `"x"`, "!int_type", `!int_parsing`},
		{types.Int, `"-"`, "!int_type", `!int_parsing`},
		{types.Int, `"99999999999999999999"`, "!int_type", `!int_parsing_size`},
		{types.Int, `true`, "!int_type", `1`},
		{types.Float, `1`, "", `1.0`},
		{types.Float, `3.14`, "", `3.14`},
		{types.Float, `"3.14"`, "!float_type", `3.14`},
		{types.Float, `"1e3"`, "!float_type", `1000.0`},
		{types.Float, `"inf"`, "!float_type", `!finite_number`},
		{types.Float, `"0x10"`, "!float_type", `!float_parsing`},
		{types.Bool, `true`, "", `true`},
		{types.Bool, `"Yes"`, "!bool_type", `true`},
		{types.Bool, `"perhaps"`, "!bool_type", `!bool_parsing`},
		{types.Bool, `0`, "!bool_type", `false`},
		{types.Bool, `2`, "!bool_type", `!bool_type`},
		{types.JSON, `{"a":[1,null]}`, "", `{"a":[1,null]}`},
		{prob, `1`, "", `1.0`},
		{prob, `0.5`, "", `0.5`},
		{prob, `1.5`, "", `!less_than_equal`},
		{prob, `"0.5"`, "", `!float_type`},
		{row(t, "similarity"), `-1.5`, "", `!greater_than_equal`},
		{small, `0`, "", `!greater_than_equal`},
		{small, `5`, "", `5`},
		{&types.Primitive{Row: types.Float.Row, Constraints: types.Constraints{MultipleOf: ptr(0.1)}}, `0.3`, "", `0.3`},
		{&types.Primitive{Row: types.Float.Row, Constraints: types.Constraints{MultipleOf: ptr(0.1)}}, `0.35`, "", `!multiple_of`},
		{&types.Primitive{Row: types.Int.Row, Constraints: types.Constraints{Min: ptr(1.0), Step: ptr(2.0)}}, `4`, "", `!step`},
		{&types.Primitive{Row: types.Int.Row, Constraints: types.Constraints{Min: ptr(1.0), Step: ptr(2.0)}}, `5`, "", `5`},
		{limited(types.Constraints{MaxLength: ptr(3)}), `"äöü"`, "", `"äöü"`},
		{limited(types.Constraints{MaxLength: ptr(3)}), `"äöüß"`, "", `!string_too_long`},
		{limited(types.Constraints{MinLength: ptr(2), Pattern: ptr("^b")}), `"a"`, "", `!string_too_short,string_pattern_mismatch`},
		{lits("angry", "happy"), `"happy"`, "", `"happy"`},
		{lits("angry", "happy"), `" happy\n"`, "!literal_error", `"happy"`},
		{lits("angry", "happy"), `"Happy"`, "", "!literal_error"},
		{lits(1, 2), `"1"`, "!literal_error", `1`},
		{lits(1, 2), `2.0`, "", `2`},
		{lits(1, true), `true`, "", `true`},
		{types.Null, `null`, "", `null`},
		{types.Null, `1`, "", `!literal_error`},
		{queue, `"lost_card"`, "", `"lost_card"`},
		{queue, `"lost card"`, "", `"lost_card"`},
		{queue, `" lost card "`, "!enum", `"lost_card"`},
		{queue, `"stolen"`, "", `!enum`},
		{types.NewOptional(types.Int), `null`, "", `null`},
		{types.NewOptional(types.Int), `"3"`, "!int_type", `3`},
		{&types.List{Elem: types.Int}, `[1,"2"]`, "![1] int_type", `[1,2]`},
		{&types.List{Elem: types.Int}, `[true,"x",null]`, "![0] int_type,[1] int_type,[2] int_type", `![1] int_parsing,[2] int_type`},
		{&types.List{Elem: types.Int}, `{}`, "", `!list_type`},
		{&types.List{Elem: types.Int, Constraints: types.Constraints{MinItems: ptr(1)}}, `[]`, "", `!too_short`},
		{&types.Map{Elem: types.Float}, `{"b":1,"a b":"x"}`, `!["a b"] float_type`, `!["a b"] float_parsing`},
		{&types.Map{Elem: types.Float}, `{"b":1,"a":2}`, ``, `{"b":1.0,"a":2.0}`},
		{&types.Tuple{Elems: []types.Type{types.Int, types.String}}, `[1,"a"]`, "", `[1,"a"]`},
		{&types.Tuple{Elems: []types.Type{types.Int, types.String}}, `[1]`, "", `!too_short`},
		{contact, `{"phones":[],"name":"Eva"}`, "", `{"name":"Eva","email":null,"phones":[],"country":"AT"}`},
		{contact, `{"name":"Eva","phones":[],"country":null}`, "", `!country string_type`},
		{contact, `{"phones":["1","2",3],"x":1}`, "!name missing,phones too_long,phones[2] string_type,x extra_forbidden", "!name missing,phones too_long,phones[2] string_type"},
		{contact, `{"name":"Eva","phones":[],"x":1}`, "!x extra_forbidden", `{"name":"Eva","email":null,"phones":[],"country":"AT"}`},
		{contact, `"Eva"`, "", `!object_type`},
		{types.NewUnion(types.Int, types.String), `"42"`, "", `"42"`},
		{types.NewUnion(types.String, types.Int), `3.14`, "", `!union_error`},
		{types.NewUnion(types.Int, types.Bool), `true`, "", `true`},
		{types.NewUnion(contact, types.Int), `{"name":1,"phones":[]}`, "", `!name string_type`},
		{types.NewUnion(types.Int, &types.List{Elem: types.Int}), `["3","x"]`, "![0] int_type,[1] int_type", `![1] int_parsing`},
		{types.Invalid{}, `[1]`, "", `[1]`},
	}
	for _, test := range tests {
		in, err := value.DecodeJSON([]byte(test.in))
		if err != nil {
			t.Fatalf("%s: %v", test.in, err)
		}
		if test.strict == "" {
			test.strict = test.lax
		}
		for mode, want := range map[value.Mode]string{value.Strict: test.strict, value.Lax: test.lax} {
			out, faults := value.Check(test.typ, in, mode)
			got := string(value.EncodeJSON(out))
			if faults != nil {
				parts := make([]string, len(faults))
				for i, f := range faults {
					parts[i] = strings.TrimSpace(f.Path() + " " + f.Type)
				}
				got = "!" + strings.Join(parts, ",")
			}
			if got != want {
				t.Errorf("Check(%s, %s, mode %d) = %s, want %s", test.typ, test.in, mode, got, want)
			}
		}
	}
}

// Between steps, kinds are not read from one another and extra fields are dropped.
func TestFitting(t *testing.T) {
	small := &types.Record{Fields: []types.Field{{Name: "a", Type: types.Int}}}
	large := &types.Record{Fields: []types.Field{{Name: "a", Type: types.Int}, {Name: "b", Type: types.Int}}}
	for _, test := range []struct {
		typ  types.Type
		in   any
		want string
	}{
		{small, value.NewObject("a", 1, "b", 2), `{"a":1}`},
		{small, value.NewObject("a", "1"), `!`},
		{types.NewUnion(small, large), value.NewObject("a", 1, "b", 2), `{"a":1,"b":2}`},
		{types.NewUnion(small, large), value.NewObject("a", 1, "b", 2, "c", 3), `{"a":1}`},
		{types.Float, 1, `1.0`},
		{types.Int, 1.0, `!`},
	} {
		out, faults := value.Check(test.typ, test.in, value.Fitting)
		got := string(value.EncodeJSON(out))
		if faults != nil {
			got = "!"
		}
		if got != test.want {
			t.Errorf("%s: got %s, want %s", test.typ, got, test.want)
		}
	}
}

func TestFaultWords(t *testing.T) {
	record := &types.Record{Fields: []types.Field{
		{Name: "refund", Type: &types.Record{Fields: []types.Field{{Name: "amount", Type: types.Float}}}},
		{Name: "mood", Type: lits("angry", "happy")},
		{Name: "sure", Type: row(t, "probability")},
		{Name: "n", Type: small},
		{Name: "who", Type: contact},
	}}
	in := value.NewObject(
		"refund", value.NewObject("amount", "x"),
		"mood", "sad", "sure", "high", "n", 7, "who", []any{1},
	)
	_, faults := value.Check(record, in, value.Lax)
	want := `refund.amount: expected a number, got "x"
mood: expected one of "angry", "happy", got "sad"
sure: expected a number from 0 to 1, got "high"
n: expected a whole number from 1 to 5, got 7
who: expected an object (Contact), got a list of 1`
	if got := value.Faults(faults); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	b, err := json.Marshal(faults[0])
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"loc":["refund","amount"],"type":"float_parsing","msg":"expected a number, got \"x\"","input":"x"}`; string(b) != want {
		t.Errorf("JSON of a fault: %s", b)
	}
}

func TestCheckForeignAndEndlessValues(t *testing.T) {
	ring := &value.Object{}
	ring.Set("next", ring)
	node := &types.Record{Name: "Node"}
	node.Fields = []types.Field{{Name: "next", Type: types.NewOptional(node)}}
	var none *value.Object
	for _, test := range []struct {
		typ  types.Type
		in   any
		kind string
	}{
		{types.JSON, int64(3), "unsupported_value"},
		{types.JSON, []any{struct{}{}}, "unsupported_value"},
		{types.JSON, none, "unsupported_value"},
		{types.JSON, math.NaN(), "finite_number"},
		{types.Float, math.Inf(1), "finite_number"},
		{types.JSON, ring, "recursion_loop"},
		{node, ring, "recursion_loop"},
	} {
		_, faults := value.Check(test.typ, test.in, value.Lax)
		if len(faults) != 1 || faults[0].Type != test.kind {
			t.Errorf("%s: %v, want one fault %s", test.typ, faults, test.kind)
		}
	}
}

// Two records that hold the union of themselves: without memory, each level
// would double the work, and this would not end.
func TestUnionsOfRecordsAreLinear(t *testing.T) {
	a, b := &types.Record{Name: "A"}, &types.Record{Name: "B"}
	u := types.NewUnion(a, b)
	a.Fields = []types.Field{{Name: "next", Type: types.NewOptional(u)}, {Name: "a", Type: types.Int}}
	b.Fields = []types.Field{{Name: "next", Type: types.NewOptional(u)}, {Name: "b", Type: types.Int}}
	var v any = value.NewObject("a", "x", "b", "y")
	for range 150 {
		v = value.NewObject("next", v, "b", "1")
	}
	if _, faults := value.Check(u, v, value.Lax); faults == nil {
		t.Error("no fault")
	}
}

// A value that stands in two places has its faults in both.
func TestSharedValueInUnion(t *testing.T) {
	shared := value.NewObject("name", 1)
	list := &types.List{Elem: types.NewUnion(contact, types.Int)}
	_, faults := value.Check(list, []any{shared, shared}, value.Lax)
	var got []string
	for _, f := range faults {
		got = append(got, f.Path()+" "+f.Type)
	}
	want := "[0].name string_type,[0].phones missing,[1].name string_type,[1].phones missing"
	if strings.Join(got, ",") != want {
		t.Errorf("got %v", got)
	}
}

func TestParseText(t *testing.T) {
	prob := row(t, "probability")
	for _, test := range []struct {
		typ        types.Type
		text, want string
	}{
		{types.String, `"as it is"`, `"\"as it is\""`},
		{types.String, ``, `""`},
		{types.NewOptional(types.String), `null`, `null`},
		{types.NewOptional(types.String), `nil`, `"nil"`},
		{types.Int, `42`, `42`},
		{types.Int, `007`, `7`},
		{types.Int, `"42"`, `42`},
		{types.Int, `x`, `!int_parsing`},
		{types.Int, ``, `!int_parsing`},
		{types.Float, `.5`, `0.5`},
		{prob, `0.5`, `0.5`},
		{prob, `high`, `!float_type`},
		{types.Bool, `yes`, `true`},
		{types.NewOptional(types.Int), `null`, `null`},
		{queue, `lost card`, `"lost_card"`},
		{queue, `"lost_card"`, `"lost_card"`},
		{queue, `5`, `!enum`},
		{types.NewOptional(queue), `null`, `null`},
		{lits("a", "b"), `a`, `"a"`},
		{lits("1", "2"), `1`, `"1"`},
		{lits(1, 2), `1`, `1`},
		{lits("a", 1), `a`, `"a"`},
		{&types.List{Elem: types.Int}, `[1, 2]`, `[1,2]`},
		{&types.List{Elem: types.Int}, `1, 2`, `!json_invalid`},
		{&types.List{Elem: types.Int}, `[1, 2`, `!json_invalid`},
		{contact, `{"name":"Eva","phones":[]}`, `{"name":"Eva","email":null,"phones":[],"country":"AT"}`},
		{contact, `Eva`, `!json_invalid`},
		{types.JSON, `{"a":1}`, `{"a":1}`},
		{types.JSON, `plain`, `"plain"`},
		{types.JSON, `{"a":`, `!json_invalid`},
		{types.NewUnion(types.Int, types.String), `[draft] hello`, `"[draft] hello"`},
		{types.NewUnion(types.Int, types.String), `12`, `12`},
	} {
		v, faults := value.ParseText(test.typ, test.text)
		got := string(value.EncodeJSON(v))
		if faults != nil {
			got = "!" + faults[0].Type
		}
		if got != test.want {
			t.Errorf("ParseText(%s, %q) = %s, want %s; %v", test.typ, test.text, got, test.want, faults)
		}
	}
}

func FuzzParseText(f *testing.F) {
	all := []types.Type{types.String, types.Int, types.Float, types.Bool, types.JSON, queue, contact, small,
		lits("a", 1, true), types.NewUnion(contact, &types.List{Elem: types.Float}, types.Bool)}
	for _, s := range []string{"", "1", "1_0", "[1]", `{"name":"x","phones":[]}`, "null", "\xff", "1e400"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, typ := range all {
			v, faults := value.ParseText(typ, s)
			if faults != nil {
				if value.Faults(faults) == "" {
					t.Fatal("a fault without words")
				}
				continue
			}
			again, faults := value.Check(typ, v, value.Strict)
			if faults != nil || !value.Equal(v, again) {
				t.Fatalf("%s: %q gave %v, which does not fit strictly: %v", typ, s, v, faults)
			}
		}
	})
}
