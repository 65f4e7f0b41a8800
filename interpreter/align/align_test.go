package align_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/align"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

func ptr[T any](v T) *T { return &v }

func primitive(name string, c types.Constraints) types.Type {
	row, ok := types.Lookup(name)
	if !ok {
		panic("no type " + name)
	}
	return &types.Primitive{Row: row, Constraints: c}
}

var triage = &program.Signature{
	Inputs: []types.Field{{Name: "message", Type: types.String}},
	Outputs: []types.Field{
		{Name: "mood", Type: literals("angry", "happy")},
		{Name: "queue", Type: queue},
		{Name: "urgency", Type: primitive("int", types.Constraints{Min: ptr(1.0), Max: ptr(5.0)})},
		{Name: "sure", Type: primitive("probability", types.Constraints{})},
		{Name: "contact", Type: types.NewOptional(person)},
		{Name: "tone", Type: types.String, HasDefault: true, Default: "plain"},
	},
}

func TestMisfitNamesEveryFault(t *testing.T) {
	reply := "[[ ## mood ## ]]\ncross\n\n[[ ## urgency ## ]]\n7\n\n[[ ## sure ## ]]\nhigh\n\n" +
		"[[ ## contact ## ]]\n{\"name\": \"Eva\", \"age\": \"x\"}\n\n[[ ## completed ## ]]\n"
	out, misfit := align.Chat(triage, reply)
	if out != nil || misfit == nil {
		t.Fatal("the reply was taken")
	}
	want := `the reply does not fit: mood: expected one of "angry", "happy", got "cross"
queue: the reply has no line [[ ## queue ## ]]; a ` + "`Queue`" + ` should stand under it
urgency: expected a whole number from 1 to 5, got 7
sure: expected a number from 0 to 1, got "high"
contact.age: expected a whole number, got "x"`
	if got := misfit.Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := string(value.EncodeJSON(misfit.Fits)); got != `{"tone":"plain"}` {
		t.Errorf("fields that fit: %s", got)
	}
	s, ok := misfit.Section("sure")
	if !ok || s.Text != "high" || misfit.Reply[s.Start:s.End] != "high" {
		t.Errorf("section of sure: %+v", s)
	}
}

func TestOptionalAndDefaultOutputsMayBeMissing(t *testing.T) {
	out, misfit := align.Chat(triage, "[[ ## mood ## ]] happy\n[[ ## queue ## ]] lost card\n[[ ## urgency ## ]] 5\n[[ ## sure ## ]] \"0.5\"")
	if misfit != nil {
		t.Fatal(misfit)
	}
	if got, want := string(value.EncodeJSON(out)), `{"mood":"happy","queue":"lost_card","urgency":5,"sure":0.5,"contact":null,"tone":"plain"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestEmptyReply(t *testing.T) {
	for _, reply := range []string{"", " \n\t"} {
		_, misfit := align.Chat(triage, reply)
		if misfit == nil || len(misfit.Faults) != 1 || misfit.Faults[0].Type != "empty_reply" {
			t.Errorf("%q: %v", reply, misfit)
		}
	}
}

// DSPy cuts the line of an indented header at the wrong place. Here it counts.
func TestIndentedHeader(t *testing.T) {
	out, misfit := align.Chat(output(types.Int), "   [[ ## x ## ]] 42\n")
	if misfit != nil {
		t.Fatal(misfit)
	}
	if x, _ := out.Get("x"); x != 42 {
		t.Errorf("got %v", x)
	}
}

func TestLiterals(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{`{'a': [True, None, (1, 2), (3), (4,)]}`, `{"a":[true,null,[1,2],3,[4]]}`},
		{`{'it\'s': "say \"hi\"", 'x': '\u00e9\x41\U0001F600\ud83d\ude00\q'}`, `{"it's":"say \"hi\"","x":"éA😀😀\\q"}`},
		{`[1_000, -2, +3, 1e3, .5]`, `[1000,-2,3,1000.0,0.5]`},
		{"Here you are:\n```python\n{'a': 1,}\n```\nDone.", `{"a":1}`},
		{`the list is ["a", "b"].`, `["a","b"]`},
		{`{'a': 1, 'a': 2}`, `{"a":2}`},
		{`{a: 1}`, `{"a":1}`},
		{`[1 2]`, `[1,2]`},
		{`['open`, `["open"]`},
		{`[{"a": 99999999999999999999}]`, "!"},
		{strings.Repeat("[", 100_000), "!"},
	} {
		out, misfit := align.Chat(output(&types.List{Elem: types.JSON}), "[[ ## x ## ]]\n"+test.in)
		if strings.HasPrefix(test.want, "{") {
			out, misfit = align.Chat(output(&types.Map{Elem: types.JSON}), "[[ ## x ## ]]\n"+test.in)
		}
		got := "!"
		if misfit == nil {
			x, _ := out.Get("x")
			got = string(value.EncodeJSON(x))
		} else if f := misfit.Faults[0]; f.Type != "number_too_large" && f.Type != "recursion_loop" || !strings.HasPrefix(f.Path(), "x") {
			t.Errorf("%.40q: %v", test.in, misfit)
		}
		if got != test.want {
			t.Errorf("%.40q: got %s, want %s; %v", test.in, got, test.want, misfit)
		}
	}
}

// What is taken off around a value is listed.
func TestNothingIsTakenOffSilently(t *testing.T) {
	either := types.NewUnion(types.Int, types.String)
	for _, test := range []struct {
		typ          types.Type
		reply, value string
		repair       string
	}{
		{types.Int, "0!", "0", "number_format"},
		{types.Int, "42.", "42", "foreign_literal"},
		{types.Float, "**1.5**", "1.5", "number_format"},
		{types.NewUnion(&types.Literal{Value: 1}, &types.Literal{Value: 2}), "2!", "2", "choice_punctuation"},
		{either, `("")`, `""`, "foreign_literal"},
		{types.JSON, `(7)`, `7`, "foreign_literal"},
		{&types.List{Elem: types.Int}, `[(1), 2]`, `[1,2]`, "foreign_literal"},
	} {
		v, repairs, _, faults := align.Value(test.typ, test.reply, align.Repairing)
		if faults != nil || string(value.EncodeJSON(v)) != test.value {
			t.Errorf("%q as %s: %s %v", test.reply, test.typ, value.EncodeJSON(v), faults)
		}
		if !slices.ContainsFunc(repairs, func(r value.Repair) bool { return r.Type == test.repair }) {
			t.Errorf("%q as %s: %s is not among %v", test.reply, test.typ, test.repair, repairs)
		}
	}
}

// Readings reuse what they are worked out with; what they return is left alone.
func TestReadingsShareNothing(t *testing.T) {
	read := func(text string) func() string {
		v, repairs, _, faults := align.Value(ticketType, text, align.Repairing)
		return func() string {
			return string(value.EncodeJSON(v)) + fmt.Sprint(repairs) + value.Faults(faults)
		}
	}
	texts := []string{messy, ticketJSON(7), `{"id": "x", "tags": [{}, [[1]]]}`, "id: 3\ntitle: 'a'", messyOrder}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			var first []func() string
			var before []string
			for round := range 50 {
				for i, text := range texts {
					again := read(text)
					if round == 0 {
						first, before = append(first, again), append(before, again())
					}
					if again() != before[i] || first[i]() != before[i] {
						t.Errorf("%.20q reads as %s, then as %s; the first is now %s", text, before[i], again(), first[i]())
						return
					}
				}
			}
		})
	}
	wg.Wait()
}

// What prompt writes as a demo's answer, align reads as the same values.
func TestReadsWhatPromptWrites(t *testing.T) {
	outputs := value.NewObject("mood", "happy", "queue", "lost_card", "urgency", 2, "sure", 0.25,
		"contact", value.NewObject("name", "Zoë \"Z\"\n", "age", 4, "email", nil), "tone", "two\n\nlines")
	back, misfit := align.Chat(triage, prompt.ChatReply(triage, outputs))
	if misfit != nil {
		t.Fatal(misfit)
	}
	if !value.Equal(outputs, back) {
		t.Errorf("got %s", value.EncodeJSON(back))
	}
}
