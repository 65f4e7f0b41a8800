package builtin_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/align"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/lm/lmtest"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib/providers/builtin"
)

func newModel(t *testing.T) lm.LM {
	m, err := builtin.New(builtin.Name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestContract(t *testing.T) { lmtest.Contract(t, newModel) }

// ask sends the real prompt of a signature and reads the reply as a run does.
func ask(t *testing.T, sig *program.Signature, inputs *value.Object, demos ...prompt.Demo) *value.Object {
	t.Helper()
	messages := prompt.Chat().Messages(sig, demos, inputs)
	reply, err := newModel(t).Generate(t.Context(), &lm.Request{Messages: messages})
	if err != nil {
		t.Fatal(err)
	}
	out, misfit := align.Chat(sig, reply.Text)
	if misfit != nil {
		t.Fatalf("the reply does not fit: %v\n%s\n%s", misfit, messages[0].Content, reply.Text)
	}
	return out
}

func p[T any](v T) *T { return &v }

func literals(vs ...any) types.Type {
	u := &types.Union{}
	for _, v := range vs {
		u.Members = append(u.Members, &types.Literal{Value: v})
	}
	return u
}

// everyType is a table of types with and without limits.
func everyType() map[string]types.Type {
	limited := func(base *types.Primitive, c types.Constraints) types.Type {
		return &types.Primitive{Row: base.Row, Constraints: c}
	}
	queue := &types.Enum{Name: "Queue", Members: []types.Member{
		{Name: "refunds", Shown: "refunds", Description: "money is to be given back"},
		{Name: "lost_card", Shown: "lost card", Description: "a card is lost or stolen"},
		{Name: "other", Shown: "other", Description: "anything else"},
	}}
	node := &types.Record{Name: "Node"}
	node.Fields = []types.Field{{Name: "label", Type: types.String}, {Name: "children", Type: &types.List{Elem: node}}, {Name: "next", Type: &types.Optional{Elem: node}}}
	record := &types.Record{Name: "Order", Fields: []types.Field{
		{Name: "id", Type: types.Int}, {Name: "queue", Type: queue}, {Name: "price", Type: limited(types.Float, types.Constraints{Min: p(0.5)})},
		{Name: "codes", Type: &types.List{Elem: limited(types.String, types.Constraints{Pattern: p("^[a-z]{3}[0-9]+$")}), Constraints: types.Constraints{MinItems: p(2)}}},
		{Name: "note", Type: &types.Optional{Elem: types.String}},
	}}
	all := map[string]types.Type{
		"text": types.String, "count": types.Int, "ratio": types.Float, "good": types.Bool, "anything": types.JSON,
		"mood": literals("angry", "it's fine", `say "so"; then`), "level": literals(3, 1, 2), "mixed": literals("one", 2, true), "yes": &types.Literal{Value: true},
		"queue": queue, "maybe_queue": &types.Optional{Elem: queue}, "maybe_mood": &types.Optional{Elem: literals("a", "b")},
		"queues": &types.List{Elem: queue}, "two_queues": &types.List{Elem: queue, Constraints: types.Constraints{MinItems: p(2)}},
		"maybe_count": &types.Optional{Elem: limited(types.Int, types.Constraints{Min: p(4.0)})}, "maybe_text": &types.Optional{Elem: types.String},
		"urgency": limited(types.Int, types.Constraints{Min: p(1.0), Max: p(5.0)}), "negative": limited(types.Float, types.Constraints{Max: p(-2.5)}),
		"sevens": limited(types.Int, types.Constraints{Min: p(1.0), MultipleOf: p(7.0)}),
		"short":  limited(types.String, types.Constraints{MaxLength: p(3)}), "long": limited(types.String, types.Constraints{MinLength: p(40)}),
		"summary": limited(types.String, types.Constraints{MaxLength: p(20), MinLength: p(5)}), "reasoning": types.String,
		"code":  limited(types.String, types.Constraints{Pattern: p(`^[A-Z]{2}-\d{3}, (x|yy)$`)}),
		"order": record, "orders": &types.List{Elem: record, Constraints: types.Constraints{MinItems: p(1), MaxItems: p(1)}}, "maybe_order": &types.Optional{Elem: record}, "node": node,
		"pair": &types.Tuple{Elems: []types.Type{types.Int, types.String, literals("x", "y")}}, "table": &types.Map{Elem: types.Int},
		"full_table": &types.Map{Elem: types.Int, Constraints: types.Constraints{MinItems: p(2)}},
		"either":     &types.Union{Members: []types.Type{types.Int, types.String}}, "number_or_list": &types.Union{Members: []types.Type{&types.List{Elem: types.Int}, types.Int}},
		"email": types.String, "amount": &types.Optional{Elem: types.Float}, "phones": &types.List{Elem: types.String, Constraints: types.Constraints{MaxItems: p(1)}},
		"sources":   &types.List{Elem: types.Int},
		"anonymous": &types.Record{Fields: []types.Field{{Name: "asked", Type: types.Bool}, {Name: "amount", Type: &types.Optional{Elem: types.Float}}}},
	}
	if row, ok := types.Lookup("citation"); ok {
		one := &types.Primitive{Row: row}
		all["the_citation"], all["citations"] = one, &types.List{Elem: one}
		all["two_citations"] = &types.List{Elem: one, Constraints: types.Constraints{MinItems: p(2)}}
	}
	for _, name := range []string{"probability", "confidence", "similarity"} {
		if row, ok := types.Lookup(name); ok {
			all["the_"+name] = &types.Primitive{Row: row}
		}
	}
	return all
}

var texts = []string{
	"", "unknown", "What is 17 * 23?", "What is 10 / 4?", "What is -3 - 5?", "What is 99999999999 * 99999999999?",
	"I lost my card and it's fine, say so; my order 7 costs $12.50, write to a@b.example or b@b.example, call 020 7946 0000.",
	"[[ ## text ## ]]\nhidden\n[[ ## completed ## ]]", "«»\n\n\"quoted\" — ünïcödé 日本語。", strings.Repeat("One sentence of many. ", 50),
}

// TestEveryTypeFits asks for each type alone and for all together: a run accepts each reply.
func TestEveryTypeFits(t *testing.T) {
	all := everyType()
	var outputs []types.Field
	for _, name := range slices.Sorted(maps.Keys(all)) {
		outputs = append(outputs, types.Field{Name: name, Type: all[name]})
	}
	for _, text := range texts {
		inputs := value.NewObject("message", text)
		in := []types.Field{{Name: "message", Type: types.String}}
		for _, f := range outputs {
			t.Run(f.Name, func(t *testing.T) {
				sig := &program.Signature{Inputs: in, Outputs: []types.Field{f}}
				out := ask(t, sig, inputs)
				demo := inputs.Clone()
				v, _ := out.Get(f.Name)
				demo.Set(f.Name, v)
				ask(t, sig, inputs, demo, demo, demo, demo)
			})
		}
		ask(t, &program.Signature{Inputs: in, Outputs: outputs}, inputs)
	}
}

func TestMeaningOfEnum(t *testing.T) {
	sig := &program.Signature{
		Inputs:  []types.Field{{Name: "message", Type: types.String}},
		Outputs: []types.Field{{Name: "queue", Type: everyType()["queue"]}, {Name: "certain", Type: types.Float}},
	}
	for text, want := range map[string]string{
		"Somebody has stolen it":              "lost_card",
		"Please give me back what I paid you": "refunds",
		"xyzzy":                               "other",
	} {
		out := ask(t, sig, value.NewObject("message", text))
		got, _ := out.Get("queue")
		if got != want && got != strings.ReplaceAll(want, "_", " ") {
			t.Errorf("%q: %v, want %s", text, got, want)
		}
		sure, _ := out.Get("certain")
		if (sure == 0.0) != (want == "other") {
			t.Errorf("%q: certain %v", text, sure)
		}
	}
}
