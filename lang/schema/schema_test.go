package schema_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/dspi-lang/dspi/lang/check"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/schema"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/parser"
	"github.com/dspi-lang/dspi/stdlib"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func project(t *testing.T, text string) *program.Project {
	t.Helper()
	p, diags := check.Check(parser.Parse(source.NewFile("a.dsp", text)), check.Options{Universe: stdlib.Universe()})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return p
}

// TestDialects writes each declared type, and each side of each signature, in
// every dialect, and compares with testdata/dialects.txtar. A file there is called
// NAME.DIALECT, or SIGNATURE.SIDE.DIALECT.
func TestDialects(t *testing.T) {
	const path = "testdata/dialects.txtar"
	ar, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, f := range ar.Files[1:] {
		want[f.Name] = string(f.Data)
	}
	p := project(t, string(ar.Files[0].Data))
	got := []txtar.File{ar.Files[0]}
	add := func(name string, make func(schema.Options) *schema.Schema) {
		for _, d := range schema.Dialects() {
			dialect, _ := schema.ParseDialect(d)
			s := make(schema.Options{Dialect: dialect})
			text := string(s.JSON()) + "\n"
			for _, n := range s.Notes {
				text += "# " + n.String() + "\n"
			}
			got = append(got, txtar.File{Name: name + "." + d, Data: []byte(text)})
		}
	}
	for _, named := range p.Types {
		add(named.Name, func(o schema.Options) *schema.Schema { return schema.Of(named.Type, o) })
	}
	for _, sig := range p.Signatures {
		add(sig.Name+".outputs", func(o schema.Options) *schema.Schema { return schema.Fields(sig.Outputs, o) })
		add(sig.Name+".tool", func(o schema.Options) *schema.Schema {
			return schema.Tool(sig.Name, sig.Instructions, sig.Inputs, o)
		})
	}
	if *update {
		ar.Files = got
		if err := os.WriteFile(path, txtar.Format(ar), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if len(got)-1 != len(want) {
		t.Errorf("%d files, want %d", len(got)-1, len(want))
	}
	for _, f := range got[1:] {
		if string(f.Data) != want[f.Name] {
			t.Errorf("%s: got\n%s\nwant\n%s", f.Name, f.Data, want[f.Name])
		}
	}
}

// What a model sees of an enum stands in the schema when asked for, in its default
// too; a definition is used twice and made once.
func TestShown(t *testing.T) {
	fields := []types.Field{
		{Name: "first", Type: queue, Description: "the best"},
		{Name: "second", Type: types.NewOptional(queue), HasDefault: true, Default: "lost_card"},
	}
	s := schema.Fields(fields, schema.Options{Shown: true})
	text := strings.Join(strings.Fields(string(s.JSON())), "")
	for _, part := range []string{
		`"enum":["refunds","lostcard"]`, `"default":"lostcard"`,
		`"first":{"$ref":"#/$defs/Queue","description":"thebest"}`,
		`"second":{"anyOf":[{"$ref":"#/$defs/Queue"},{"type":"null"}]`,
	} {
		if strings.Count(text, part) != 1 {
			t.Errorf("%s stands %d times in %s", part, strings.Count(text, part), text)
		}
	}
}

// Notes name the place, and what they say is in the description for the model.
func TestNotes(t *testing.T) {
	short := &types.Primitive{Row: types.String.Row, Constraints: types.Constraints{MaxLength: ptr(140), Pattern: ptr("(?i)^a")}}
	fields := []types.Field{
		{Name: "lines", Type: &types.List{Elem: short}},
		{Name: "tags", Type: &types.Map{Elem: types.Int}},
		{Name: "pair", Type: &types.Tuple{Elems: []types.Type{types.Int, types.String}}},
	}
	s := schema.Fields(fields, schema.Options{Dialect: schema.OpenAI})
	if s.Strict {
		t.Error("a map is not strict")
	}
	var notes []string
	for _, n := range s.Notes {
		notes = append(notes, n.String())
	}
	want := `lines[]: OpenAI has no word for: at most 140 characters
lines[]: OpenAI has no word for: matches the RE2 pattern (?i)^a
tags: map[string, int]: an object with names of its own is refused in strict mode; send it with strict = false
pair: OpenAI has no word for: in this order: int, string`
	if got := strings.Join(notes, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if text := string(s.JSON()); !strings.Contains(text, `"at most 140 characters; matches the RE2 pattern (?i)^a"`) {
		t.Error(text)
	}
	list := schema.Of(&types.List{Elem: types.Int}, schema.Options{Dialect: schema.Anthropic})
	if len(list.Notes) != 1 || !strings.Contains(list.Notes[0].Text, "only an object") {
		t.Error(list.Notes)
	}
}

// Every row can be written in every dialect, and a dialect that is strict holds to
// its rules everywhere.
func TestEveryRowInEveryDialect(t *testing.T) {
	for _, row := range types.Table() {
		fields := []types.Field{{Name: "x", Type: &types.Primitive{Row: row}, Description: "of this type"}}
		for _, name := range schema.Dialects() {
			d, ok := schema.ParseDialect(name)
			if !ok || d.String() != name {
				t.Fatal(name)
			}
			s := schema.Fields(fields, schema.Options{Dialect: d})
			text := string(s.JSON())
			forbidden := map[schema.Dialect][]string{
				schema.OpenAI: {`"minLength"`, `"uniqueItems"`, `"prefixItems"`, `"default"`, `"nullable"`},
				schema.Gemini: {`"$ref"`, `"$defs"`, `"additionalProperties"`, `"const"`, `"multipleOf"`, `"string"`},
			}
			for _, word := range forbidden[d] {
				if word == `"default"` && row.Name == "variable_config" {
					continue // it has a field of this name
				}
				if strings.Contains(text, word+":") || word == `"string"` && strings.Contains(text, word) {
					t.Errorf("%s for %s has %s:\n%s", row.Name, name, word, text)
				}
			}
			if objects := strings.Count(text, `"properties":`); d == schema.OpenAI && strings.Count(text, `"additionalProperties": false`) != objects {
				t.Errorf("%s: an object is open:\n%s", row.Name, text)
			}
		}
	}
}
