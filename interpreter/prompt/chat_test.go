package prompt_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

var hello = &program.Signature{
	Inputs:  []types.Field{{Name: "question", Type: types.String}},
	Outputs: []types.Field{{Name: "answer", Type: types.String}},
}

func TestLookup(t *testing.T) {
	for _, name := range prompt.Names() {
		a, ok := prompt.Lookup(name)
		if !ok || a.Name() != name {
			t.Errorf("%s is listed and not found", name)
		}
	}
	if _, ok := prompt.Lookup("telepathy"); ok {
		t.Error("an adapter that nobody wrote")
	}
}

func TestMessagesLeaveTheirArgumentsAlone(t *testing.T) {
	sig := &program.Signature{
		Inputs:  []types.Field{{Name: "n", Type: types.Int, HasDefault: true, Default: 3}},
		Outputs: hello.Outputs,
	}
	inputs := &value.Object{}
	first := prompt.Chat().Messages(sig, nil, inputs)
	if inputs.Len() != 0 {
		t.Error("the inputs were changed")
	}
	if !strings.HasPrefix(first[1].Content, "[[ ## n ## ]]\n3\n") {
		t.Errorf("the default is missing: %q", first[1].Content)
	}
	again := prompt.Chat().Messages(sig, nil, nil)
	for i := range first {
		if !reflect.DeepEqual(first[i], again[i]) {
			t.Errorf("message %d is not the same the second time", i)
		}
	}
}

// Values that do not fit their types are shown all the same.
func TestMisfittingValuesAreShown(t *testing.T) {
	colour := &types.Enum{Name: "Colour", Members: []types.Member{{Name: "red", Shown: "bright red"}}}
	sig := &program.Signature{
		Inputs: []types.Field{
			{Name: "a", Type: types.Int}, {Name: "b", Type: &types.List{Elem: colour}},
			{Name: "c", Type: colour}, {Name: "d", Type: types.String},
		},
		Outputs: hello.Outputs,
	}
	got := prompt.Chat().Messages(sig, nil, value.NewObject(
		"a", "many", "b", []any{"red", 1, nil}, "c", "green", "d", []any{1, "x\ny"}, "unknown", 1))
	want := "[[ ## a ## ]]\nmany\n\n[[ ## b ## ]]\n[\"bright red\", 1, null]\n\n[[ ## c ## ]]\ngreen\n\n" +
		"[[ ## d ## ]]\n[1] «1»\n[2] «««\n    x\n    y\n»»»\n\nRespond with"
	if user := got[len(got)-1]; user.Role != lm.User || !strings.HasPrefix(user.Content, want) {
		t.Errorf("got %q", user.Content)
	}
}

// Two records without a name in fields of one name, and one whose name is taken.
func TestNamesOfRecordsWithoutNames(t *testing.T) {
	inner := func() *types.Record {
		return &types.Record{Fields: []types.Field{{Name: "n", Type: types.Int}}}
	}
	order := &types.Record{Name: "Order", Fields: []types.Field{{Name: "item", Type: inner()}}}
	sig := &program.Signature{
		Inputs: hello.Inputs,
		Outputs: []types.Field{
			{Name: "order", Type: inner()},
			{Name: "item", Type: inner()},
			{Name: "first", Type: order},
			{Name: "passage", Type: &types.Record{Name: "rag.Passage"}},
		},
	}
	system := prompt.Chat().Messages(sig, nil, nil)[0].Content
	for _, want := range []string{
		"1. `order` (Order2): \n", "2. `item` (Item): \n", "3. `first` (Order): \n", "4. `passage` (Passage):",
		`"$ref": "#/$defs/OrderItem"`,
	} {
		if !strings.Contains(system, want) {
			t.Errorf("%q is missing in\n%s", want, system)
		}
	}
}

func TestChatReply(t *testing.T) {
	got := prompt.ChatReply(hello, value.NewObject("answer", "391"))
	if want := "[[ ## answer ## ]]\n391\n\n[[ ## completed ## ]]\n"; got != want {
		t.Errorf("got %q", got)
	}
}

func FuzzMessages(f *testing.F) {
	f.Add("Read.\n\n\tit  ", "the text", "a\r\nb «c»", 1e16)
	f.Add(" \x1c\u2028", "${question}", "\xff\x00", -0.0)
	f.Add("", "// */ }", "<<media 0.0>> <<media 3.", 1.5)
	f.Fuzz(func(t *testing.T, instructions, description, text string, number float64) {
		picture := &types.Primitive{Row: rowOf("image")}
		sig := &program.Signature{
			Instructions: instructions,
			Inputs: []types.Field{
				{Name: "question", Type: types.String, Description: description},
				{Name: "rest", Type: types.JSON},
				{Name: "picture", Type: picture},
			},
			Outputs: []types.Field{{Name: "answer", Type: types.String, Description: description}},
		}
		inputs := value.NewObject("question", text, "rest", []any{text, number, value.NewObject(text, nil)},
			"picture", value.NewObject("url", "https://example.com/"+text))
		demo := value.NewObject("question", []any{text, text}, "answer", text)
		for _, name := range prompt.Names() {
			a, _ := prompt.Lookup(name)
			messages := a.Messages(sig, []prompt.Demo{inputs, demo}, inputs)
			if n := len(messages); n != 4 {
				t.Fatalf("%s: %d messages", name, n)
			}
			media := 0
			for _, p := range messages[3].Parts {
				if p.Media != nil {
					media++
				}
			}
			if media != 1 || strings.Contains(messages[3].Text(), "<<media") != strings.Contains(text, "<<media") {
				t.Errorf("%s: %d pictures in %q", name, media, messages[3].Text())
			}
		}
	})
}

func BenchmarkMessages(b *testing.B) {
	inputs := value.NewObject("question", "What is 17 * 23?")
	demos := []prompt.Demo{value.NewObject("question", "1 + 1?", "answer", "2")}
	for _, name := range prompt.Names() {
		a, _ := prompt.Lookup(name)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				a.Messages(hello, demos, inputs)
			}
		})
	}
}
