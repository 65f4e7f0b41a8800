package expr

import (
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// The program that the expressions of the tests stand in.

var (
	queue = &types.Enum{Name: "Queue", Members: []types.Member{
		{Name: "refunds", Shown: "refunds"},
		{Name: "lost_card", Shown: "lost card"},
		{Name: "other", Shown: "other"},
	}}
	mood    = types.NewUnion(&types.Literal{Value: "angry"}, &types.Literal{Value: "neutral"}, &types.Literal{Value: "happy"})
	contact = &types.Record{Name: "Contact", Fields: []types.Field{
		{Name: "name", Type: types.String},
		{Name: "email", Type: types.NewOptional(types.String)},
		{Name: "phones", Type: &types.List{Elem: types.String}},
	}}
	passage = &types.Record{Name: "Passage", Fields: []types.Field{
		{Name: "text", Type: types.String},
		{Name: "score", Type: types.Float},
	}}
)

func enumMembers(e *types.Enum) []Member {
	var out []Member
	for _, m := range e.Members {
		out = append(out, Member{Name: m.Name, Type: e})
	}
	return out
}

func testScope() *Scope {
	probability, _ := types.Lookup("probability")
	list := func(t types.Type) types.Type { return &types.List{Elem: t} }
	s := NewScope(
		Symbol{Name: "question", Kind: "input", Type: types.String},
		Symbol{Name: "n", Kind: "input", Type: types.Int},
		Symbol{Name: "ratio", Kind: "input", Type: types.Float},
		Symbol{Name: "sure", Kind: "input", Type: &types.Primitive{Row: probability}},
		Symbol{Name: "flag", Kind: "input", Type: types.Bool},
		Symbol{Name: "note", Kind: "input", Type: types.NewOptional(types.String)},
		Symbol{Name: "limit", Kind: "input", Type: types.NewOptional(types.Int)},
		Symbol{Name: "mood", Kind: "input", Type: mood},
		Symbol{Name: "queue", Kind: "input", Type: queue},
		Symbol{Name: "tags", Kind: "input", Type: list(types.String)},
		Symbol{Name: "scores", Kind: "input", Type: list(types.Float)},
		Symbol{Name: "counts", Kind: "input", Type: list(types.Int)},
		Symbol{Name: "passages", Kind: "input", Type: list(passage)},
		Symbol{Name: "contact", Kind: "input", Type: contact},
		Symbol{Name: "maybe", Kind: "input", Type: types.NewOptional(contact)},
		Symbol{Name: "limits", Kind: "input", Type: &types.Map{Elem: types.Int}},
		Symbol{Name: "pair", Kind: "input", Type: &types.Tuple{Elems: []types.Type{types.String, types.Int}}},
		Symbol{Name: "body", Kind: "input", Type: types.JSON},
		Symbol{Name: "count", Kind: "input", Type: types.Int},
		Symbol{Name: "len", Kind: "input", Type: types.Int},
		Symbol{Name: "draft", Kind: "step", Noun: "output", Members: []Member{
			{Name: "answer", Type: types.String},
			{Name: "confidence", Type: types.Float},
			{Name: "reasoning", Type: types.String, Doc: "added by chain_of_thought"},
		}},
		Symbol{Name: "var", Kind: "variables", Noun: "variable", Members: []Member{
			{Name: "k", Type: types.Int},
			{Name: "key", Type: types.String, Sensitive: true},
			{Name: "brain", Type: types.Model{}},
			{Name: "rag", Members: []Member{{Name: "k", Type: types.Int}}, Noun: "variable"},
		}},
		Symbol{Name: "model", Kind: "models", Noun: "model", Members: []Member{{Name: "small", Type: types.Model{}}}},
		Symbol{Name: "Queue", Kind: "enum", Noun: "value", Members: enumMembers(queue)},
	)
	s.Hidden = hiding("review", "The step `review` stands in another program.")
	return s
}

// testEnv has a value for every name of testScope.
func testEnv() map[string]any {
	person := value.NewObject("name", "Ada", "email", "ada@example.com", "phones", []any{"1", "2"})
	return map[string]any{
		"question": "Which river flows through Paris?", "n": 3, "ratio": 0.5, "sure": 0.9, "flag": true,
		"note": nil, "limit": 7, "mood": "angry", "queue": "lost_card",
		"tags": []any{"b", "a", "b"}, "scores": []any{0.5, 2.0, 1.0}, "counts": []any{3, 1, 2},
		"passages": []any{
			value.NewObject("text", "The Seine.", "score", 0.9),
			value.NewObject("text", "The Rhine.", "score", 0.2),
		},
		"contact": person, "maybe": nil, "limits": value.NewObject("b", 2, "a", 1), "pair": []any{"x", 1},
		"body": value.NewObject("temp", 21.5, "sky", "clear", "days", []any{1, 2}), "count": 4, "len": 5,
		"draft": value.NewObject("answer", "the Seine", "confidence", 0.8, "reasoning", "known"),
		"var":   value.NewObject("k", 4, "key", "secret", "brain", "small", "rag", value.NewObject("k", 6)),
		"model": value.NewObject("small", "small"),
	}
}

// in returns a text as an expression of a file in which other text stands before.
func in(text string) (*source.File, *syntax.Expr) {
	const before = "x = é "
	f := source.NewFile("test.dsp", before+text+"\n")
	return f, &syntax.Expr{Text: text, Span: source.Span{Start: int32(len(before)), End: int32(len(before) + len(text))}}
}

func lookup(env map[string]any) func(string) (any, bool) {
	return func(n string) (any, bool) {
		v, ok := env[n]
		return v, ok
	}
}
