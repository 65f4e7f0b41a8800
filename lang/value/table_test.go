package value_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// everyValue is JSON of every kind, and forms that the types of the table know.
var everyValue = []string{
	`null`, `true`, `false`, `0`, `1`, `-1`, `42`, `9007199254740993`, `1.0`, `0.5`, `-0.5`, `1.5`, `1e300`, `3.14`,
	`""`, `" "`, `"a"`, `"äöü"`, `"null"`, `"true"`, `"yes"`, `"42"`, `" 42 "`, `"0.5"`, `"1e3"`, `"[1]"`, `"{}"`, `"a b"`, `"a\nb"`,
	`"2026-11-21"`, `" 2026-11-21 "`, `"2026-02-30"`, `"21.11.2026"`, `"2026-11-21T09:30:00Z"`, `"2026-11-21T09:30:00.500+02:00"`,
	`"2026-11-21 09:30:00z"`, `"2026-11-21T09:30:00"`, `"2026-11-21T25:00:00Z"`, `"2026-11-21T09:30:00+00:00"`,
	`"1h30m"`, `"90m"`, `"1.5h"`, `"2d"`, `"-5s"`, `"500ms"`, `"0s"`, `"PT1H30M"`, `"P2W"`, `"1 h"`, `"P1M"`, `"300000d"`,
	`"https://example.com/cat.png"`, `"data:image/png;base64,QUJD"`, `"data:text/plain;base64,QUJD"`, `"cat.png"`,
	"\"```python\\nprint(1)\\n```\"", `"Hello {name}, {{ok}}"`, `"{not closed"`, `"{1}"`, `"sk-abc"`,
	`[]`, `[null]`, `[1]`, `[1,2.5]`, `["a"]`, `["a",1]`, `[true]`, `[[1.0,2],[3,4]]`, `[[1],[2,3]]`, `[[[1]],[[2]]]`, `[[]]`, `[{}]`,
	`[{"role":"user","content":"hi"}]`, `[{"thought":"a"},"b"]`,
	`{}`, `{"a":1}`, `{"url":"https://example.com/a"}`, `{"url":"ftp://a"}`, `{"data":"QUJD","media_type":"image/png"}`, `{"data":"QUJD"}`,
	`{"data":"?","media_type":"audio/wav"}`, `{"path":"a.png"}`, `{"path":"a.png","url":"https://example.com"}`,
	`{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}`, `{"prompt_tokens":1,"completion_tokens":2,"total_tokens":4}`,
	`{"input_tokens":1,"output_tokens":2}`, `{"prompt_tokens":-1,"completion_tokens":2,"total_tokens":1}`,
	`{"overall_score":0.5}`, `{"overall_score":2,"component_scores":{"a":"x"}}`,
	`{"thought":"a","confidence":0.5}`, `{"thought":"","step_number":0}`, `{"step":"a","reasoning":"b"}`, `{"step":1,"reasoning":"b"}`,
	`{"text":"a","start":1,"end":3}`, `{"text":"a","start":3,"end":1}`, `{"text":"a","start":3}`, `{"cited_text":"a","document_title":"t"}`,
	`{"role":"user","content":"hi"}`, `{"role":"robot","content":"hi"}`, `{"role":"user","content":"hi","tool_call_id":"1"}`,
	`{"role":"assistant","content":null,"tool_calls":[{"name":"f","arguments":{}}]}`, `{"messages":[{"question":"q"}]}`,
	`{"name":"f","arguments":{"x":1}}`, `{"name":"f","args":{"x":1}}`, `{"id":"1","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}}`,
	`{"tool_name":"f","result":1,"success":true}`, `{"tool_name":"f","result":null,"success":false}`, `{"tool_name":"f","result":1,"success":true,"error":"x"}`,
	`{"content":"a","model":"m"}`, `{"content":"a","model":"m","usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":9}}`,
	`{"name":"k","type":"int","default":1}`, `{"name":"","type":"int","default":1}`,
}

// TestTable holds every value against every row, strictly and leniently, and
// compares with testdata/table.golden: what a type takes as it is, what it reads
// and as what, and what it refuses with which fault.
func TestTable(t *testing.T) {
	values := make([]any, len(everyValue))
	for i, text := range everyValue {
		v, err := value.DecodeJSON([]byte(text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		values[i] = v
	}
	var b strings.Builder
	all := []types.Type{}
	for _, r := range types.Table() {
		all = append(all, &types.Primitive{Row: r})
	}
	three := row(t, "embedding")
	three.Constraints.Dims = ptr(3)
	all = append(all, three,
		&types.List{Elem: types.Int, Constraints: types.Constraints{Unique: true}},
		limited(types.Constraints{Format: ptr("uri")}),
		types.NewUnion(row(t, "date"), row(t, "duration"), types.Float),
		types.NewUnion(row(t, "image"), row(t, "message")),
	)
	for _, typ := range all {
		fmt.Fprintf(&b, "%s\n", typ)
		refused := map[string][]string{}
		for i, v := range values {
			strict, faults := value.Check(typ, v, value.Strict)
			if faults == nil {
				b.WriteString("  takes  " + everyValue[i] + as(v, strict) + "\n")
			}
			lax, laxFaults := value.Check(typ, v, value.Lax)
			switch {
			case faults == nil && typ.String() == "code" && !value.Equal(strict, lax):
				b.WriteString("  reads  " + everyValue[i] + as(v, lax) + "\n") // its fence is taken off
			case faults == nil && (laxFaults != nil || !value.Equal(strict, lax)):
				t.Errorf("%s: %s is %s strictly, but %s %v leniently", typ, everyValue[i], value.EncodeJSON(strict), value.EncodeJSON(lax), laxFaults)
			case faults != nil && laxFaults == nil:
				b.WriteString("  reads  " + everyValue[i] + as(v, lax) + "\n")
			case laxFaults != nil:
				var kinds []string
				for _, f := range laxFaults {
					if k := strings.TrimSpace(f.Path() + " " + f.Type); !slices.Contains(kinds, k) {
						kinds = append(kinds, k)
					}
				}
				k := strings.Join(kinds, ", ")
				refused[k] = append(refused[k], everyValue[i])
			}
		}
		kinds := make([]string, 0, len(refused))
		for k := range refused {
			kinds = append(kinds, k)
		}
		slices.Sort(kinds)
		for _, k := range kinds {
			b.WriteString("  refuses, " + k + ":  " + strings.Join(refused[k], "  ") + "\n")
		}
		b.WriteString("\n")
	}
	const path = "testdata/table.golden"
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.String(); got != string(want) {
		gotLines, wantLines := strings.Split(got, "\n"), strings.Split(string(want), "\n")
		for i := range gotLines {
			if i >= len(wantLines) || gotLines[i] != wantLines[i] {
				t.Fatalf("line %d is\n%s\nwant\n%s", i+1, gotLines[i], strings.Join(wantLines[i:min(i+1, len(wantLines))], ""))
			}
		}
		t.Fatal("lines are missing at the end")
	}
}

func as(in, out any) string {
	if value.Equal(in, out) && string(value.EncodeJSON(in)) == string(value.EncodeJSON(out)) {
		return ""
	}
	return "  as  " + string(value.EncodeJSON(out))
}

// What the table says in words and what is done here are the same rows.
func TestRulesMatchTable(t *testing.T) {
	for _, r := range types.Table() {
		reads, checks := value.HasRule(r.Name)
		said := r.Base == types.StringBase && r.Reads != "" && checks // a text is read by its own function
		if (r.Reads != "") != (reads || said) {
			t.Errorf("%s: Reads is %q, and reads is %v", r.Name, r.Reads, reads)
		}
		if (r.Rule != "") != checks {
			t.Errorf("%s: Rule is %q, and checks is %v", r.Name, r.Rule, checks)
		}
	}
	for _, name := range value.RuleNames() {
		if _, ok := types.Lookup(name); !ok {
			t.Errorf("a rule for %s, which is no type", name)
		}
	}
	for _, f := range types.Formats {
		if !value.KnowsFormat(f.Name) {
			t.Errorf("the format %s has no function", f.Name)
		}
	}
}

// Examples fit, neutral values fit.
func TestExamplesAndNeutralValuesFit(t *testing.T) {
	for _, r := range types.Table() {
		p := &types.Primitive{Row: r}
		if _, faults := value.Check(p, value.FromGo(r.Example), value.Strict); faults != nil {
			t.Errorf("%s: the example: %v", r.Name, faults)
		}
		if r.Neutral == nil {
			continue
		}
		if _, faults := value.Check(p, value.FromGo(r.Neutral), value.Strict); faults != nil {
			t.Errorf("%s: the neutral value: %v", r.Name, faults)
		}
	}
	for _, typ := range []types.Type{
		small, contact, queue, types.NewOptional(types.Int), limited(types.Constraints{Format: ptr("email")}),
		limited(types.Constraints{MaxLength: ptr(3)}), limited(types.Constraints{MinLength: ptr(30)}),
		&types.Primitive{Row: types.Int.Row, Constraints: types.Constraints{Min: ptr(50.0), MultipleOf: ptr(7.0)}},
		&types.List{Elem: types.Float, Constraints: types.Constraints{MinItems: ptr(3)}},
		&types.Primitive{Row: row(t, "embedding").Row, Constraints: types.Constraints{Dims: ptr(8), Max: ptr(0.0)}},
		&types.Primitive{Row: row(t, "reasoning_chain").Row, Constraints: types.Constraints{MaxItems: ptr(1)}},
	} {
		if _, faults := value.Check(typ, value.Example(typ), value.Strict); faults != nil {
			t.Errorf("%s: the example %s: %v", typ, value.EncodeJSON(value.Example(typ)), faults)
		}
	}
}

// The words of faults for types of the table, several at once, each with its place.
func TestTableFaultWords(t *testing.T) {
	r := &types.Record{Name: "Reply", Fields: []types.Field{
		{Name: "on", Type: row(t, "date")},
		{Name: "at", Type: row(t, "datetime")},
		{Name: "within", Type: row(t, "duration")},
		{Name: "photo", Type: row(t, "image")},
		{Name: "usage", Type: row(t, "token_usage")},
		{Name: "why", Type: row(t, "reasoning_chain")},
		{Name: "talk", Type: &types.List{Elem: row(t, "message")}},
		{Name: "site", Type: limited(types.Constraints{Format: ptr("uri")})},
		{Name: "tags", Type: &types.List{Elem: types.String, Constraints: types.Constraints{Unique: true}}},
		{Name: "w", Type: row(t, "attention_weights")},
		{Name: "x", Type: row(t, "tensor")},
	}}
	in, err := value.DecodeJSON([]byte(`{"on":"2026-02-30","at":"2026-11-21T09:30:00","within":"soon","photo":{"data":"QUJD"},
		"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":4},"why":["first",7,{"thought":"x","confidence":2}],
		"talk":[{"role":"user","content":"a"},{"role":"robot"}],"site":"example","tags":["a","b","a"],"w":[[1,2],[3]],"x":[[1],[[2]]]}`))
	if err != nil {
		t.Fatal(err)
	}
	_, faults := value.Check(r, in, value.Lax)
	want := `on: expected a day of the calendar, written YYYY-MM-DD, got "2026-02-30"
at: expected a moment with its zone: 2026-11-21T09:30:00Z, got "2026-11-21T09:30:00"
within: expected a length of time such as 1h30m, 2d or 500ms, got "soon"
photo.media_type: a media type is needed with data
usage.total_tokens: expected the sum of prompt_tokens and completion_tokens, 3, got 4
why[1]: expected an object (reasoning_step), got 7
why[2].confidence: expected a number from 0 to 1, got 2
talk[1].role: expected one of "system", "developer", "user", "assistant", "tool", got "robot"
site: expected uri, an absolute address: https://example.com/a?b=c, got "example"
tags[2]: expected values that differ, this equals the one at 0
w[1]: expected a row of 2 numbers as the first, got 1
x[1]: expected a list of 1 as in the items before it, got a list of 1 × 1`
	if got := value.Faults(faults); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// A secret is in no fault: not in its words, not in its input, nor in that of what
// holds it.
func TestSecretsStayOutOfFaults(t *testing.T) {
	const secret = "sk-planted with a space"
	r := &types.Record{Name: "Login", Fields: []types.Field{
		{Name: "user", Type: types.String}, {Name: "key", Type: row(t, "api_key")},
	}}
	long := strings.Repeat("sk-planted", 500)
	for _, test := range []struct {
		typ types.Type
		in  any
	}{
		{row(t, "api_key"), secret}, {row(t, "api_key"), long}, {row(t, "api_key"), []any{secret}},
		{r, value.NewObject("key", secret)}, {r, value.NewObject("key", "sk-planted")},
		{types.NewOptional(row(t, "api_key")), secret},
		{types.NewUnion(row(t, "api_key"), types.Int), secret},
		{types.NewUnion(r, types.Int), value.NewObject("key", "sk-planted", "user", 1)},
	} {
		_, faults := value.Check(test.typ, test.in, value.Strict)
		if len(faults) == 0 {
			t.Errorf("%s: no fault", test.typ)
		}
		for _, f := range faults {
			if text := fmt.Sprint(f.Msg, " ", string(value.EncodeJSON(f.Input))); strings.Contains(text, "sk-planted") {
				t.Errorf("%s: %s", test.typ, text)
			}
		}
	}
}

// FuzzCheckRows holds any JSON against every row: no panic, and what is read is in
// the form in which it is held.
func FuzzCheckRows(f *testing.F) {
	for _, text := range everyValue {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := value.DecodeJSON(text)
		if err != nil {
			return
		}
		for _, r := range types.Table() {
			p := &types.Primitive{Row: r}
			out, faults := value.Check(p, v, value.Lax)
			if faults != nil {
				continue
			}
			again, faults := value.Check(p, out, value.Strict)
			if faults != nil || !value.Equal(out, again) {
				t.Fatalf("%s: %s gave %s, which is not its own form: %s %v", r.Name, text, value.EncodeJSON(out), value.EncodeJSON(again), faults)
			}
		}
	})
}

// BenchmarkCheck is a record of ten fields with a shaped one, strictly.
func BenchmarkCheck(b *testing.B) {
	r := &types.Record{Name: "Reply"}
	in := &value.Object{}
	for i := range 9 {
		name := fmt.Sprint("f", i)
		r.Fields = append(r.Fields, types.Field{Name: name, Type: limited(types.Constraints{MaxLength: ptr(20)})})
		in.Set(name, "some text")
	}
	r.Fields = append(r.Fields, types.Field{Name: "usage", Type: row(b, "token_usage")})
	in.Set("usage", value.NewObject("prompt_tokens", 1, "completion_tokens", 2, "total_tokens", 3))
	b.ReportAllocs()
	for b.Loop() {
		if _, faults := value.Check(r, in, value.Strict); faults != nil {
			b.Fatal(faults)
		}
	}
}
