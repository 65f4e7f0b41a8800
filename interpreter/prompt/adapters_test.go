package prompt_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/align"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

func rowOf(name string) *types.Row {
	row, ok := types.Lookup(name)
	if !ok {
		panic(name)
	}
	return row
}

// What does not depend on the inputs comes first, so that a provider that keeps the
// beginnings of prompts finds it again: of every case and adapter, two calls with
// different inputs share all messages but the last.
func TestStaticPartsComeFirst(t *testing.T) {
	for _, c := range readCases(t, "testdata/dspy/*.txtar", 44) {
		sig := c.signature(t)
		demos, inputs := c.arguments(t, sig)
		other := &value.Object{}
		for name := range inputs.All() {
			other.Set(name, "something else")
		}
		for _, name := range prompt.Names() {
			a, _ := prompt.Lookup(name)
			one, two := a.Messages(sig, demos, inputs), a.Messages(sig, demos, other)
			if len(one) != len(two) {
				t.Fatalf("%s: %s: %d messages and %d", c.name, name, len(one), len(two))
			}
			last := len(one) - 1
			if !reflect.DeepEqual(one[:last], two[:last]) {
				t.Errorf("%s: %s: the inputs change what stands before them", c.name, name)
			}
			if reflect.DeepEqual(one[last], two[last]) {
				t.Errorf("%s: %s: the last message does not show the inputs", c.name, name)
			}
		}
	}
}

// The second call of two_step reads the first reply, whatever the outputs are
// called.
func TestExtractionNamesItsInput(t *testing.T) {
	field := func(name string) types.Field { return types.Field{Name: name, Type: types.String} }
	two := prompt.TwoStep().(prompt.Extractor)
	if _, again := two.Then().(prompt.Extractor); again {
		t.Fatal("the second call needs a third")
	}
	if two.Form() != two.Then().Form() {
		t.Errorf("the form is %s, the second reply has %s", two.Form(), two.Then().Form())
	}
	for _, c := range []struct {
		want    string
		outputs []types.Field
	}{
		{"text", []types.Field{field("answer")}},
		{"reply", []types.Field{field("text")}},
		{"reply_2", []types.Field{field("text"), field("reply")}},
		{"reply_3", []types.Field{field("reply_2"), field("text"), field("reply")}},
	} {
		sig, inputs := two.Extraction(&program.Signature{Inputs: hello.Inputs, Outputs: c.outputs}, "It is 391.")
		if len(sig.Inputs) != 1 || sig.Inputs[0].Name != c.want || !reflect.DeepEqual(sig.Outputs, c.outputs) {
			t.Errorf("%v: got %s", c.outputs, sig)
		}
		if v, _ := inputs.Get(c.want); v != "It is 391." || inputs.Len() != 1 {
			t.Errorf("%v: got the inputs %s", c.outputs, value.EncodeJSON(inputs))
		}
	}
}

func TestFormat(t *testing.T) {
	colour := &types.Enum{Name: "Colour", Members: []types.Member{{Name: "red", Shown: "bright red"}, {Name: "blue", Shown: "blue"}}}
	node := &types.Record{Name: "Node"}
	node.Fields = []types.Field{{Name: "next", Type: types.NewOptional(node)}}
	wide := &types.Enum{Name: "Wide"}
	for i := range 1001 {
		wide.Members = append(wide.Members, types.Member{Name: strings.Repeat("a", i+1), Shown: strings.Repeat("a", i+1)})
	}
	out := func(fields ...types.Field) *program.Signature {
		return &program.Signature{Inputs: hello.Inputs, Outputs: fields}
	}
	strict := out(
		types.Field{Name: "reasoning", Type: types.String, Description: "step by step"},
		types.Field{Name: "answer", Type: types.NewOptional(types.Int)},
		types.Field{Name: "colour", Type: colour, HasDefault: true, Default: "red"},
	)
	const schema = `{"type":"object","properties":{"reasoning":{"type":"string","description":"step by step"},` +
		`"answer":{"type":["integer","null"]},"colour":{"type":"string","enum":["bright red","blue"]}},` +
		`"required":["reasoning","answer","colour"],"additionalProperties":false}`
	free := out(types.Field{Name: "counts", Type: &types.Map{Elem: types.Int}})
	both, object := lm.Features{JSON: true, Schema: true}, lm.Features{JSON: true}
	for _, c := range []struct {
		name     string
		sig      *program.Signature
		features lm.Features
		want     string // the schema; "object": any; "": nothing
	}{
		{"strict", strict, both, schema},
		{"strict without object mode", strict, lm.Features{Schema: true}, schema},
		{"no schemas", strict, object, "object"},
		{"neither", strict, lm.Features{Tools: true}, ""},
		{"a map", free, both, "object"},
		{"a map, no object mode", free, lm.Features{Schema: true}, ""},
		{"json", out(types.Field{Name: "any", Type: types.JSON}), both, "object"},
		{"json inside", out(types.Field{Name: "r", Type: &types.Record{Fields: []types.Field{{Name: "any", Type: &types.List{Elem: types.JSON}}}}}), both, "object"},
		{"more values than are taken", out(types.Field{Name: "wide", Type: wide}), both, "object"},
		{"recursive", out(types.Field{Name: "node", Type: node}), both,
			`{"type":"object","properties":{"node":{"$ref":"#/$defs/Node"}},"required":["node"],"additionalProperties":false,` +
				`"$defs":{"Node":{"type":"object","properties":{"next":{"anyOf":[{"$ref":"#/$defs/Node"},{"type":"null"}]}},"required":["next"],"additionalProperties":false}}}`},
	} {
		for _, a := range []prompt.Adapter{prompt.JSON(), prompt.Compact()} {
			got := a.Format(c.sig, c.features)
			is := ""
			switch {
			case got != nil && got.Schema == nil:
				is = "object"
			case got != nil:
				is = string(got.Schema)
			}
			if is != c.want || got != nil && got.Name == "" {
				t.Errorf("%s: %s: got %s\nwant %s", a.Name(), c.name, is, c.want)
			}
		}
		for _, a := range []prompt.Adapter{prompt.Chat(), prompt.XML(), prompt.TwoStep()} {
			if got := a.Format(c.sig, c.features); got != nil {
				t.Errorf("%s: %s: a reply in that form cannot be held to JSON", a.Name(), c.name)
			}
		}
	}
}

// What becomes of values of media types that do not come from value.Check, or come
// with more.
func TestMedia(t *testing.T) {
	const saved = "<<CUSTOM-TYPE-START-IDENTIFIER>>%<<CUSTOM-TYPE-END-IDENTIFIER>>"
	dspy := func(block string) string { return strings.Replace(saved, "%", block, 1) }
	for _, c := range []struct {
		kind string
		v    any
		want lm.Media // zero: no part, and the text
		text string
	}{
		{kind: "image", v: value.NewObject("url", "https://example.com/a.png"), want: lm.Media{Kind: lm.Image, URL: "https://example.com/a.png"}},
		{kind: "image", v: "https://example.com/a.png", want: lm.Media{Kind: lm.Image, URL: "https://example.com/a.png"}},
		{kind: "image", v: "data:image/png;base64,aGk=", want: lm.Media{Kind: lm.Image, Data: []byte("hi"), Type: "image/png"}},
		{kind: "file", v: value.NewObject("data", "aGk=", "media_type", "text/plain", "path", "deep/down/a.txt"),
			want: lm.Media{Kind: lm.File, Data: []byte("hi"), Type: "text/plain", Name: "a.txt"}},
		{kind: "image", v: dspy(`[{"type": "image_url", "image_url": {"url": "data:image/gif;base64,aGk="}}]`),
			want: lm.Media{Kind: lm.Image, Data: []byte("hi"), Type: "image/gif"}},
		{kind: "audio", v: dspy(`[{"type": "input_audio", "input_audio": {"data": "aGk=", "format": "mp3"}}]`),
			want: lm.Media{Kind: lm.Audio, Data: []byte("hi"), Type: "audio/mp3"}},
		{kind: "file", v: dspy(`[{"type": "file", "file": {"file_data": "data:text/plain;base64,aGk=", "filename": "b.txt"}}]`),
			want: lm.Media{Kind: lm.File, Data: []byte("hi"), Type: "text/plain", Name: "b.txt"}},
		{kind: "image", v: value.NewObject("path", "photos/cat.png"), text: "<image cat.png>"},
		{kind: "image", v: value.NewObject("data", "no base64!", "media_type", "image/png"), text: "<image image/png>"},
		{kind: "image", v: dspy("[oh]"), text: dspy("[oh]")},
		{kind: "image", v: dspy(`[{"type": "video"}]`), text: dspy(`[{"type": "video"}]`)},
		{kind: "image", v: "a cat", text: "a cat"},
		{kind: "image", v: 3, text: "3"},
		{kind: "image", v: value.NewObject("who", "cat"), text: `{"who": "cat"}`},
		{kind: "image", v: nil, text: "None"},
	} {
		sig := &program.Signature{
			Inputs:  []types.Field{{Name: "it", Type: &types.Primitive{Row: rowOf(c.kind)}}},
			Outputs: hello.Outputs,
		}
		messages := prompt.Chat().Messages(sig, nil, value.NewObject("it", c.v))
		last := messages[len(messages)-1]
		if c.text != "" {
			if last.Parts != nil || !strings.HasPrefix(last.Content, "[[ ## it ## ]]\n"+c.text+"\n\nRespond") {
				t.Errorf("%v: got %q %v", c.v, last.Content, last.Parts)
			}
			continue
		}
		if len(last.Parts) != 3 || last.Parts[1].Media == nil || !reflect.DeepEqual(*last.Parts[1].Media, c.want) {
			t.Errorf("%v: got %q %v", c.v, last.Content, last.Parts)
			continue
		}
		if last.Content != "" || last.Parts[0].Text != "[[ ## it ## ]]\n" || !strings.HasPrefix(last.Parts[2].Text, "\n\nRespond") {
			t.Errorf("%v: got the texts %q and %q", c.v, last.Parts[0].Text, last.Parts[2].Text)
		}
	}
}

// A text that looks like a mark is no medium.
func TestTextsAreNoMarks(t *testing.T) {
	sig := &program.Signature{
		Inputs: []types.Field{
			{Name: "a", Type: types.String},
			{Name: "it", Type: &types.List{Elem: &types.Primitive{Row: rowOf("image")}}},
		},
		Outputs: hello.Outputs,
	}
	for _, text := range []string{
		"<<media 0.0>>", "<<media 0.1>> <<media 1.0>>", "<<media 7.", "<<media 99999999999999999999.0>>", "<<media <<media 0.<<media 0.",
		"<<CUSTOM-TYPE-START-IDENTIFIER>>[{\"type\": \"text\"}]<<CUSTOM-TYPE-END-IDENTIFIER>>",
	} {
		for _, name := range prompt.Names() {
			a, _ := prompt.Lookup(name)
			messages := a.Messages(sig, nil, value.NewObject("a", text, "it", []any{"https://a.example/1", "https://a.example/2"}))
			last := messages[len(messages)-1]
			media := 0
			for _, p := range last.Parts {
				if p.Media != nil {
					media++
				}
			}
			if media != 2 || !strings.Contains(last.Parts[0].Text, text) {
				t.Errorf("%s: %q: got %v", name, text, last.Parts)
			}
		}
	}
}

// Turns of a history that are messages are given as these.
func TestHistoryOfMessages(t *testing.T) {
	history := &types.Primitive{Row: rowOf("history")}
	sig := &program.Signature{
		Inputs:  []types.Field{{Name: "question", Type: types.String}, {Name: "past", Type: types.NewOptional(history)}},
		Outputs: hello.Outputs,
	}
	past := []any{
		value.NewObject("role", "developer", "content", "Be kind."),
		value.NewObject("role", "user", "content", "Rome?"),
		value.NewObject("role", "assistant", "content", "", "tool_calls",
			[]any{value.NewObject("name", "find", "arguments", value.NewObject("city", "Rome"), "id", "c1")}),
		value.NewObject("role", "tool", "content", "Italy", "tool_call_id", "c1"),
		value.NewObject("question", "And Bern?", "answer", "Switzerland"),
		value.NewObject("role", "user", "content", 3),
		"not a turn",
	}
	want := []lm.Message{
		{Role: lm.System, Content: "Be kind."},
		{Role: lm.User, Content: "Rome?"},
		{Role: lm.Assistant, ToolCalls: []lm.ToolCall{{ID: "c1", Name: "find", Arguments: []byte(`{"city":"Rome"}`)}}},
		{Role: lm.ToolRole, Content: "Italy", ToolCallID: "c1"},
		{Role: lm.User, Content: "[[ ## question ## ]]\nAnd Bern?"},
		{Role: lm.Assistant, Content: "[[ ## answer ## ]]\nSwitzerland\n\n[[ ## completed ## ]]\n"},
		{Role: lm.Assistant, Content: "[[ ## answer ## ]]\nNone\n\n[[ ## completed ## ]]\n"},
	}
	for _, given := range []any{past, value.NewObject("messages", past)} {
		got := prompt.Chat().Messages(sig, nil, value.NewObject("question", "Oslo?", "past", given))
		if !reflect.DeepEqual(got[1:len(got)-1], want) {
			t.Errorf("got %v", got[1:len(got)-1])
		}
		if last := got[len(got)-1].Content; strings.Contains(last, "past") || !strings.HasPrefix(last, "[[ ## question ## ]]\nOslo?\n\nRespond") {
			t.Errorf("the last message is %q", last)
		}
	}
	if got := prompt.Chat().Messages(sig, nil, value.NewObject("question", "Oslo?", "past", nil)); len(got) != 2 {
		t.Errorf("no history: %d messages", len(got))
	}
}

// An entry of a map that is called entry.
func TestXMLEntry(t *testing.T) {
	sig := &program.Signature{Inputs: hello.Inputs, Outputs: []types.Field{{Name: "m", Type: &types.Map{Elem: types.JSON}}}}
	demo := value.NewObject("question", "q", "m", value.NewObject("entry", 1, "no tag", 2))
	got := prompt.XML().Messages(sig, []prompt.Demo{demo}, nil)[2].Content
	if want := `<m><entry>1</entry><entry key="no tag">2</entry></m>`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// What an adapter writes as a demo's answer is what package align reads from a reply
// in that form: of every complete demo of every case, the outputs come back.
func TestDemosAreReadBack(t *testing.T) {
	lost := map[string]string{ // by case and adapter: what the form cannot hold
		"any_json xml":           "tags do not tell null and {} from an empty text where any value may stand",
		"odd_names xml":          "the same, and names with letters that are rare in tags",
		"empty_texts chat":       "spaces around a text are not part of it",
		"empty_texts xml":        "spaces around a text are not part of it",
		"multiline_values chat":  "spaces around a text are not part of it",
		"multiline_values xml":   "spaces around a text are not part of it",
		"markers_in_values chat": "a text that is a header is taken for one",
	}
	read, met := 0, map[string]bool{}
	for _, c := range readCases(t, "testdata/dspy/*.txtar", 44) {
		sig := c.signature(t)
		demos, inputs := c.arguments(t, sig)
		for _, demo := range demos {
			want := &value.Object{}
			for _, f := range sig.Outputs {
				v, _ := demo.Get(f.Name)
				if out, faults := value.Check(f.Type, v, value.Lax); faults == nil && v != nil {
					want.Set(f.Name, out)
				}
			}
			if want.Len() != len(sig.Outputs) {
				continue // it lacks something, or does not fit itself
			}
			for _, a := range []prompt.Adapter{prompt.Chat(), prompt.JSON(), prompt.XML(), prompt.Compact()} {
				var answer string
				for _, m := range a.Messages(sig, []prompt.Demo{demo}, inputs) {
					if m.Role == lm.Assistant {
						answer = m.Content
					}
				}
				if answer == "" {
					continue // the demo lacks every input and is left out
				}
				reading, misfit := align.Read(sig, a.Form(), answer, align.Repairing)
				what := c.name + " " + a.Name()
				same := misfit == nil && value.Equal(reading.Outputs, want)
				_, known := lost[what]
				switch {
				case known && !same:
					met[what] = true
				case misfit != nil:
					t.Errorf("%s: %v\n%s", what, misfit, answer)
				case !same:
					t.Errorf("%s: got %s, want %s from\n%s", what, value.EncodeJSON(reading.Outputs), value.EncodeJSON(want), answer)
				default:
					read++
				}
			}
		}
	}
	for what := range lost {
		if !met[what] {
			t.Errorf("%s is read back after all: strike it from the list", what)
		}
	}
	if read < 80 {
		t.Errorf("only %d answers", read)
	}
}

// What compact says of types that no case of testdata/dspy has.
func TestCompactSaysLimits(t *testing.T) {
	limited := func(row string, c types.Constraints) types.Type {
		return &types.Primitive{Row: rowOf(row), Constraints: c}
	}
	one, text := 1, "^a"
	email, sql := "email", "sql"
	half := 0.5
	for want, typ := range map[string]types.Type{
		"x: string // a day, written 2026-11-21\n":              limited("date", types.Constraints{}),
		"x: string | null // a length of time, written 1h30m\n": types.NewOptional(limited("duration", types.Constraints{})),
		"x: string // a valid email\n":                          limited("string", types.Constraints{Format: &email}),
		"x: string // sql code\n":                               limited("code", types.Constraints{Lang: &sql}),
		"x: string[] // at most 1 item, no two alike, each at least 1 character\n": &types.List{
			Elem: limited("string", types.Constraints{MinLength: &one}), Constraints: types.Constraints{MaxItems: &one, Unique: true}},
		"x: [float, string] // item 1: 0 to 1, item 2: matches ^a\n": &types.Tuple{
			Elems: []types.Type{limited("probability", types.Constraints{}), limited("string", types.Constraints{Pattern: &text})}},
		"x: int | float // float(min = 0.5): at least 0.5\n": types.NewUnion(types.Int, limited("float", types.Constraints{Min: &half})),
		"x: any\n":                               types.JSON,
		"x: \"a\" | 1 | null\n":                  types.NewOptional(types.NewUnion(&types.Literal{Value: "a"}, &types.Literal{Value: 1})),
		"x: { [key: string]: (int | null)[] }\n": &types.Map{Elem: &types.List{Elem: types.NewOptional(types.Int)}},
		"x: {}\n":                                &types.Record{Name: "Nothing"},
	} {
		sig := &program.Signature{Inputs: hello.Inputs, Outputs: []types.Field{{Name: "x", Type: typ}}}
		system := prompt.Compact().Messages(sig, nil, nil)[0].Content
		if _, got, _ := strings.Cut(system, "type:\n\n{\n  "); !strings.HasPrefix(got, want+"}\n") {
			t.Errorf("%s: want %q in\n%s", typ, want, system)
		}
	}
}
