package builtin_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/align"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// askIn asks with an adapter and reads the reply as a run does.
func askIn(t *testing.T, a prompt.Adapter, sig *program.Signature, inputs *value.Object, demos ...prompt.Demo) *value.Object {
	t.Helper()
	messages := a.Messages(sig, demos, inputs)
	reply, err := newModel(t).Generate(t.Context(), &lm.Request{Messages: messages})
	if err != nil {
		t.Fatal(err)
	}
	reading, misfit := align.Read(sig, a.Form(), reply.Text, align.Repairing)
	if misfit != nil {
		t.Fatalf("%s: the reply does not fit: %v\n%s\n%s", a.Name(), misfit, messages[0].Content, reply.Text)
	}
	return reading.Outputs
}

// TestCompactSaysTheSame asks for each type alone and for all together: what is
// drawn in the prompt of compact is understood as JSON Schema is, so that the same
// is answered.
func TestCompactSaysTheSame(t *testing.T) {
	all := everyType()
	in := []types.Field{{Name: "message", Type: types.String, Description: "what was said"}}
	var outputs []types.Field
	for _, name := range slices.Sorted(maps.Keys(all)) {
		outputs = append(outputs, types.Field{Name: name, Type: all[name]})
	}
	for _, text := range texts {
		inputs := value.NewObject("message", text)
		for _, f := range outputs {
			t.Run(f.Name, func(t *testing.T) {
				sig := &program.Signature{Inputs: in, Outputs: []types.Field{f}}
				compact := askIn(t, prompt.Compact(), sig, inputs)
				demo := inputs.Clone()
				v, _ := compact.Get(f.Name)
				demo.Set(f.Name, v)
				askIn(t, prompt.Compact(), sig, inputs, demo, demo)
				if json := askIn(t, prompt.JSON(), sig, inputs); !value.Equal(compact, json) {
					t.Errorf("%q: %s with compact, %s with json", text, value.EncodeJSON(compact), value.EncodeJSON(json))
				}
			})
		}
		askIn(t, prompt.Compact(), &program.Signature{Inputs: in, Outputs: outputs}, inputs)
	}
}

// TestTwoSteps asks in two calls: what the first reply says is what the second gives.
func TestTwoSteps(t *testing.T) {
	two := prompt.TwoStep().(prompt.Extractor)
	all := everyType()
	in := []types.Field{{Name: "message", Type: types.String}}
	for _, c := range []struct {
		text string
		demo *value.Object
		out  types.Field
		want any
	}{
		{"What is 17 * 23?", nil, types.Field{Name: "answer", Type: types.String}, "391"},
		{"What is 17 * 23?", nil, types.Field{Name: "answer", Type: types.Int}, 391},
		{"write to a@b.example", nil, types.Field{Name: "email", Type: types.String}, "a@b.example"},
		{"I am so angry", nil, types.Field{Name: "mood", Type: literals("happy", "angry")}, "angry"},
		{"my card is gone", value.NewObject("message", "my card is gone", "answer", "block it"), types.Field{Name: "answer", Type: types.String}, "block it"},
		{"nothing", nil, types.Field{Name: "codes", Type: all["sources"]}, []any{}},
	} {
		sig := &program.Signature{Inputs: in, Outputs: []types.Field{c.out}}
		var demos []prompt.Demo
		if c.demo != nil {
			demos = append(demos, c.demo)
		}
		first, err := newModel(t).Generate(t.Context(), &lm.Request{Messages: two.Messages(sig, demos, value.NewObject("message", c.text))})
		if err != nil {
			t.Fatal(err)
		}
		then, inputs := two.Extraction(sig, first.Text)
		got := askIn(t, two.Then(), then, inputs)
		if v, _ := got.Get(c.out.Name); !value.Equal(v, c.want) {
			t.Errorf("%q: got %v, want %v; the first reply was %q", c.text, v, c.want, first.Text)
		}
	}
}

func FuzzCompact(f *testing.F) {
	sig := &program.Signature{
		Inputs:  []types.Field{{Name: "message", Type: types.String}},
		Outputs: []types.Field{{Name: "order", Type: everyType()["order"]}, {Name: "pair", Type: everyType()["pair"]}, {Name: "node", Type: everyType()["node"]}},
	}
	system := prompt.Compact().Messages(sig, nil, nil)[0].Content
	f.Add(system, "order 7")
	f.Add(prompt.TwoStep().Messages(sig, nil, nil)[0].Content, "message: order 7")
	f.Add("Answer with one JSON object:\n{ a: (((\"x\" | 1e5)[] | { [k]: A } | null)\n}\n\nYour task:\nA = A", "1 + 1")
	f.Fuzz(func(t *testing.T, system, text string) {
		_, err := newModel(t).Generate(t.Context(), &lm.Request{Messages: []lm.Message{
			{Role: lm.System, Content: system}, {Role: lm.User, Content: "[[ ## message ## ]]\n" + text},
		}})
		if err != nil {
			t.Error(err)
		}
	})
}
