package align_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/align"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

func literals(vs ...any) types.Type {
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
	person = &types.Record{Name: "Person", Fields: []types.Field{
		{Name: "name", Type: types.String},
		{Name: "age", Type: types.Int},
		{Name: "email", Type: types.NewOptional(types.String)},
	}}
	// named are the types of testdata/dspy/generate.py.
	named = map[string]types.Type{
		"string": types.String, "string?": types.NewOptional(types.String),
		"int": types.Int, "int?": types.NewOptional(types.Int),
		"float": types.Float, "bool": types.Bool, "json": types.JSON,
		"literal": literals("angry", "happy"), "literal?": types.NewOptional(literals("angry", "happy")),
		"numbers": literals(1, 2),
		"enum":    queue, "enum?": types.NewOptional(queue),
		"list[string]": &types.List{Elem: types.String},
		"list[int]":    &types.List{Elem: types.Int},
		"list[enum]":   &types.List{Elem: queue},
		"map[int]":     &types.Map{Elem: types.Int},
		"person":       person, "person?": types.NewOptional(person),
		"list[person]": &types.List{Elem: person},
		"int|string":   types.NewUnion(types.Int, types.String),
		"int|bool":     types.NewUnion(types.Int, types.Bool),
	}
)

func output(t types.Type) *program.Signature {
	return &program.Signature{
		Inputs:  []types.Field{{Name: "q", Type: types.String}},
		Outputs: []types.Field{{Name: "x", Type: t}},
	}
}

type row struct{ typ, text string }

// otherwise are replies that DSPy reads to another value, each with the reason.
var otherwise = map[row]string{
	{"string?", "null"}:    "null means null",
	{"string?", "None"}:    "None means null",
	{"json", "1,000"}:      "1,000 is no list of 1 and 0",
	{"list[int]", "1,000"}: "1,000 is one number",
}

// TestRepliesAsDSPy holds every value of the table made by the real DSPy against
// what is read here: what DSPy accepts is accepted with the same value, but for the
// listed. What DSPy refuses and is read here stands in testdata/dspy/beyond.txt.
func TestRepliesAsDSPy(t *testing.T) {
	rows, _ := dspyTable(t).Get("values")
	agree, accepted := 0, 0
	var beyond strings.Builder
	used := map[row]bool{}
	for _, r := range rows.([]any) {
		r := r.(*value.Object)
		key := row{text(r, "type"), text(r, "text")}
		typ, ok := named[key.typ]
		if !ok {
			t.Fatalf("no type %q here", key.typ)
		}
		got := "refused"
		reading, misfit := align.Read(output(typ), "chat", "[[ ## x ## ]]\n"+key.text+"\n\n[[ ## completed ## ]]\n", align.Repairing)
		if misfit == nil {
			x, _ := reading.Outputs.Get("x")
			got = string(value.EncodeJSON(x))
		}
		read, ok := r.Get("read")
		if !ok {
			if misfit == nil {
				fmt.Fprintf(&beyond, "%-12s %-60q %-40s %d", key.typ, key.text, got, reading.Score)
				for _, x := range reading.Repairs {
					beyond.WriteString(" " + x.Type)
				}
				beyond.WriteString("\n")
			}
			continue
		}
		accepted++
		x, _ := read.(*value.Object).Get("x")
		want := string(value.EncodeJSON(x))
		_, listed := otherwise[key]
		used[key] = listed
		switch {
		case listed && got == want:
			t.Errorf("{%q, %q} is listed as read otherwise, and is read as DSPy reads it", key.typ, key.text)
		case !listed && got != want:
			t.Errorf("{%q, %q}: got %s, DSPy reads %s", key.typ, key.text, got, want)
		case got == want:
			agree++
		}
	}
	for key := range otherwise {
		if !used[key] {
			t.Errorf("{%q, %q} is listed and not in the table", key.typ, key.text)
		}
	}
	if share := float64(len(otherwise)) / float64(accepted); share > 0.03 {
		t.Errorf("%.1f %% are read otherwise", 100*share)
	}
	golden(t, "testdata/dspy/beyond.txt", beyond.String())
	t.Logf("%d pairs, DSPy reads %d, %d to the same value here", len(rows.([]any)), accepted, agree)
}

var update = flag.Bool("update", false, "rewrite what the tests compare with")

// golden compares a text with a file, or writes the file.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what is read now; look at the difference after `go test ./interpreter/align -update`", path)
	}
}

func TestWholeRepliesAsDSPy(t *testing.T) {
	sig := &program.Signature{
		Inputs: []types.Field{{Name: "question", Type: types.String}},
		Outputs: []types.Field{
			{Name: "answer", Type: types.String},
			{Name: "score", Type: types.Int},
			{Name: "note", Type: types.NewOptional(types.String)},
		},
	}
	rows, _ := dspyTable(t).Get("replies")
	for _, r := range rows.([]any) {
		r := r.(*value.Object)
		want := "refused"
		read, accepted := r.Get("read")
		if accepted {
			want = string(value.EncodeJSON(read))
		}
		got := "refused"
		reading, misfit := align.Read(sig, "chat", text(r, "reply"), align.Repairing)
		if misfit == nil {
			got = string(value.EncodeJSON(reading.Outputs))
		}
		if !accepted && misfit == nil && reading.Score == 0 {
			t.Errorf("%q is refused by DSPy, and read without a repair", text(r, "reply"))
		}
		if accepted && got != want {
			t.Errorf("%q\ngot  %s\nwant %s", text(r, "reply"), got, want)
		}
	}
}

func dspyTable(t *testing.T) *value.Object {
	t.Helper()
	data, err := os.ReadFile("testdata/dspy/replies.json")
	if err != nil {
		t.Fatal(err)
	}
	v, err := value.DecodeJSON(data)
	if err != nil {
		t.Fatal(err)
	}
	return v.(*value.Object)
}

func text(o *value.Object, name string) string {
	v, _ := o.Get(name)
	s, _ := v.(string)
	return s
}
