package expr_test

import (
	"context"
	"testing"

	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// TestCited: 20 citations that are right, and 20 that are made up.
func TestCited(t *testing.T) {
	citation, ok := types.Lookup("citation")
	if !ok {
		t.Fatal("there is no type citation")
	}
	one := &types.Primitive{Row: citation}
	passages := []any{
		"Paris | Paris is the capital of France. The river Seine flows through the city.",
		"Volga | The Volga is the longest river of Europe, with “about” 3530 kilometres.",
		"Untitled: an owl hunts at night and hears a mouse under the snow.",
	}
	ids := []any{"paris", "volga", "owl, barn"}
	c := func(pairs ...any) *value.Object { return value.NewObject(pairs...) }
	for _, x := range []struct {
		answer any
		right  bool
	}{
		{c("text", "The river Seine flows through the city."), true},
		{c("text", "the  RIVER seine\nflows"), true},
		{c("text", `"the longest river of Europe, with "about" 3530 kilometres"`), true},
		{c("text", "an owl hunts at night", "source", "owl, barn"), true},
		{c("text", "capital of France", "source", "paris"), true},
		{c("text", "capital of France", "source", "1"), true},
		{c("text", "capital of France", "source", "[1]"), true},
		{c("text", "capital of France", "source", "Paris", "title", "Paris"), true},
		{c("text", "capital of France", "title", "PARIS"), true},
		{c("text", "Paris is the capital of France.", "start", 0, "end", 31), true},
		{c("text", "Paris is the capital of France.", "start", 8, "end", 39), true},
		{[]any{c("text", "capital of France"), c("text", "3530 kilometres", "source", "volga")}, true},
		{"The Seine flows through Paris [1].", true},
		{"The Seine [1] is shorter than the Volga [2, 1].", true},
		{"By id [volga], by title [Paris], by an odd one [owl, barn].", true},
		{"See [the map](https://example.org) and [2].", true},
		{"Both [1][2]", true},
		{"Both [1; 3]", true},
		{c("text", "hears a mouse …"), true},
		{c("text", "„mouse under the snow“"), true},

		{c("text", "The river Thames flows through the city."), false},
		{c("text", "The river Seine flows through Paris."), false},
		{c("text", "capital of Franc"), false}, // half a word
		{c("text", "he capital of France"), false},
		{c("text", "capital of France", "source", "volga"), false},
		{c("text", "capital of France", "source", "2"), false},
		{c("text", "capital of France", "source", "0"), false},
		{c("text", "capital of France", "source", "4"), false},
		{c("text", "capital of France", "source", "encyclopedia"), false},
		{c("text", "capital of France", "title", "Lyon"), false},
		{c("text", "Paris is the capital of France.", "start", 50, "end", 81), false},
		{c("text", "Paris is the capital of France.", "start", 0, "end", 900), false},
		{c("text", "…"), false},
		{c("text", ""), false},
		{[]any{c("text", "capital of France"), c("text", "founded by Romans")}, false},
		{[]any{}, false},
		{"The Seine flows through Paris.", false},
		{"The Seine flows through Paris [4].", false},
		{"The Seine flows through Paris [1], as is known [Smith 2020].", false},
		{"See [the map](https://example.org).", false},
	} {
		var typ types.Type = one
		switch x.answer.(type) {
		case []any:
			typ = &types.List{Elem: one}
		case string:
			typ = types.String
		}
		scope := expr.NewScope(expr.Symbol{Name: "answer", Type: typ}, expr.Symbol{Name: "docs", Type: &types.List{Elem: types.String}}, expr.Symbol{Name: "ids", Type: &types.List{Elem: types.String}})
		values := map[string]any{"answer": x.answer, "docs": passages, "ids": ids}
		for text, want := range map[string]any{"cited(answer, docs, ids)": x.right, "len(citation_faults(answer, docs, ids)) == 0": x.right} {
			e, diags := expr.Parse(source.NewFile("a", text), &syntax.Expr{Text: text, Span: source.Span{End: int32(len(text))}})
			info, more := e.Check(scope)
			if len(diags)+len(more) > 0 || info.Type != types.Bool {
				t.Fatalf("%s is %v: %v %v", text, info.Type, diags, more)
			}
			code, err := e.Compile()
			if err != nil {
				t.Fatal(err)
			}
			got, err := code.Eval(context.Background(), func(name string) (any, bool) { v, ok := values[name]; return v, ok })
			if err != nil || got != want {
				t.Errorf("%s of %s is %v, %v", text, value.EncodeJSON(x.answer), got, err)
			}
		}
	}
	// What cannot be an answer.
	text := "cited(7, docs)"
	e, _ := expr.Parse(source.NewFile("a", text), &syntax.Expr{Text: text, Span: source.Span{End: int32(len(text))}})
	if _, diags := e.Check(expr.NewScope(expr.Symbol{Name: "docs", Type: &types.List{Elem: types.String}})); len(diags) != 1 {
		t.Errorf("a number as an answer gives %v", diags)
	}
}
