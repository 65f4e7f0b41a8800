package metrics_test

import (
	"context"
	"testing"

	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib"
	"github.com/dspi-lang/dspi/stdlib/metrics"
)

func TestNormalize(t *testing.T) {
	for in, want := range map[string]string{
		"The  Seine.":      "seine",
		"an apple a day":   "apple day",
		"U.S.A.":           "usa",
		"a_b":              "ab",
		"Theatre":          "theatre",
		"the-the":          "thethe",
		"$5 + 3":           "5 3",
		"Été":              "e\u0301te\u0301",
		"":                 "",
		"«the» \u00a0 one": "« » one",
	} {
		if got := metrics.Normalize(in); got != want {
			t.Errorf("Normalize(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestExactMatch(t *testing.T) {
	for _, c := range []struct {
		a, b any
		want bool
	}{
		{"The Seine.", "seine", true},
		{"Seine", "Rhine", false},
		{"Seine", []any{"Rhine", "the Seine"}, true},
		{[]any{"a", "b"}, []any{"a", "b"}, true},
		{[]any{"a"}, []any{"a", "b"}, false},
		{3, 3.0, true},
		{3, "3", true},
		{true, "true", true},
		{nil, nil, true},
		{nil, "x", false},
		{"", "", true},
	} {
		if got := metrics.ExactMatch(c.a, c.b); got != c.want {
			t.Errorf("ExactMatch(%v, %v) = %v", c.a, c.b, got)
		}
	}
}

func TestF1(t *testing.T) {
	for _, c := range []struct {
		a, b any
		want float64
	}{
		{"the river Seine", "Seine", 2.0 / 3},
		{"", "", 0},
		{"x", "y", 0},
		{"one two two", "two one two", 1},
		{"one one", "one", 2.0 / 3},
		{"Seine", []any{"Rhine", "river Seine"}, 2.0 / 3},
	} {
		if got := metrics.F1(c.a, c.b); got != c.want {
			t.Errorf("F1(%v, %v) = %v, want %v", c.a, c.b, got, c.want)
		}
	}
}

func TestPassageMatch(t *testing.T) {
	passages := []any{"Paris lies on the Seine.", "Köln: am Rhein"}
	for _, c := range []struct {
		answer any
		want   bool
	}{
		{"seine", true}, {"the Seine", true}, {"Sein", false}, {"Paris Seine", false},
		{[]any{"Thames", "RHEIN"}, true}, {"Köln:", true},
	} {
		if got := metrics.PassageMatch(passages, c.answer); got != c.want {
			t.Errorf("PassageMatch(%v) = %v", c.answer, got)
		}
	}
}

// TestTable: what the table says can be called is here, and its examples give
// what it says.
func TestTable(t *testing.T) {
	functions := metrics.Functions()
	callable := stdlib.Universe().Callable()
	if len(functions) != len(callable) {
		t.Errorf("%d functions, the table has %v", len(functions), callable)
	}
	seen := 0
	for _, f := range expr.Functions() {
		if _, ok := functions[f.Name]; !ok {
			continue
		}
		seen++
		x, diags := expr.Parse(source.NewFile("x", f.Example), &syntax.Expr{Text: f.Example, Span: source.Span{End: int32(len(f.Example))}})
		scope := expr.NewScope()
		scope.Host = callable
		info, more := x.Check(scope)
		if len(diags)+len(more) > 0 {
			t.Fatal(diags, more)
		}
		if info.Type.String() != f.Result {
			t.Errorf("%s: %s, the table says %s", f.Name, info.Type, f.Result)
		}
		code, err := x.Compile()
		if err != nil {
			t.Fatal(err)
		}
		v, err := code.Eval(context.Background(), func(string) (any, bool) { return nil, false }, metrics.Options()...)
		if got := string(value.EncodeJSON(v)); err != nil || got != f.Gives {
			t.Errorf("%s gives %s %v, the table says %s", f.Example, got, err, f.Gives)
		}
	}
	if seen != len(functions) {
		t.Errorf("%d of %d functions are in the table", seen, len(functions))
	}
}
