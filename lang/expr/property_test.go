package expr

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// drawExpr draws the text of an expression, of which most check.
func drawExpr(t *rapid.T, depth int, loops int) string {
	atom := []string{
		"question", "n", "ratio", "sure", "flag", "note", "limit", "mood", "queue", "tags", "scores", "counts", "passages",
		"contact", "maybe", "limits", "pair", "count", "draft.answer", "draft.confidence", "var.k", "contact.email",
		"contact.phones", "Queue.lost_card", `"a"`, `"lost card"`, `""`, "0", "1", "2.5", "-1", "true", "null", "[]", "maybe?.name",
		`limits["a"]`, "pair[0]", "passages[0].score", "tags[0]", "{a: n, b: tags}", "model.small",
	}
	if loops > 0 {
		atom = append(atom, "it", "it", "it_index", "it.text", "it.score")
	}
	pick := func(label string, from []string) string { return rapid.SampledFrom(from).Draw(t, label) }
	if depth <= 0 {
		return pick("atom", atom)
	}
	sub := func() string { return drawExpr(t, depth-1, loops) }
	body := func() string { return drawExpr(t, depth-1, loops+1) }
	switch rapid.IntRange(0, 16).Draw(t, "form") {
	case 0, 1:
		return pick("atom", atom)
	case 2, 3:
		return "(" + sub() + " " + pick("op", []string{"+", "-", "*", "/", "%", "**", "<", ">=", "==", "!=", "&&", "||", "in", "not in", "contains", "startsWith", ".."}) + " " + sub() + ")"
	case 4:
		return "(" + sub() + " ?? " + sub() + ")"
	case 5:
		return "(" + sub() + " ? " + sub() + " : " + sub() + ")"
	case 6:
		x := pick("narrowed", []string{"note", "limit", "maybe", "contact.email"})
		return "(" + x + " != null ? " + sub() + " : " + sub() + ")"
	case 7:
		return "!" + sub()
	case 8:
		return "[" + sub() + ", " + sub() + "]"
	case 9:
		return "{x: " + sub() + ", y: " + sub() + "}." + pick("field", []string{"x", "y"})
	case 10:
		return `"t ${` + sub() + `}"`
	case 11:
		return pick("predicate", []string{"filter", "all", "any", "none", "one", "count", "find", "findLast", "findIndex"}) + "(" + sub() + ", " + body() + ")"
	case 12:
		return pick("mapping", []string{"map", "sum", "groupBy", "sortBy"}) + "(" + sub() + ", " + body() + ")"
	case 13:
		return "reduce(" + sub() + ", " + pick("fold", []string{"acc + it", "acc", "it", "acc + 1", "acc + it.score", "max(acc, it)"}) + ", " + sub() + ")"
	case 14:
		return pick("function", []string{
			"len", "first", "last", "reverse", "flatten", "uniq", "sort", "join", "keys", "values", "upper", "trim", "split", "string",
			"toJSON", "abs", "round", "int", "float", "max", "min", "mean", "median", "sum", "Queue", "urlencode", "concat",
		}) + "(" + sub() + ")"
	case 15:
		return pick("two", []string{"get", "take", "concat", "hasPrefix", "indexOf", "split", "max", "repeat", "join"}) + "(" + sub() + ", " + sub() + ")"
	}
	return "(let v = " + sub() + "; " + drawExpr(t, depth-1, loops) + ")"
}

// drawValue draws a value of a type.
func drawValue(t *rapid.T, typ types.Type) any {
	switch x := typ.(type) {
	case *types.Optional:
		if rapid.Bool().Draw(t, "null") {
			return nil
		}
		return drawValue(t, x.Elem)
	case *types.Union:
		return drawValue(t, rapid.SampledFrom(x.Members).Draw(t, "member"))
	case *types.Literal:
		return x.Value
	case *types.Enum:
		return rapid.SampledFrom(x.Members).Draw(t, "value").Name
	case *types.List:
		out := make([]any, rapid.IntRange(0, 3).Draw(t, "length"))
		for i := range out {
			out[i] = drawValue(t, x.Elem)
		}
		return out
	case *types.Tuple:
		out := make([]any, len(x.Elems))
		for i := range out {
			out[i] = drawValue(t, x.Elems[i])
		}
		return out
	case *types.Map:
		o := &value.Object{}
		for _, n := range rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 3).Draw(t, "names") {
			o.Set(n, drawValue(t, x.Elem))
		}
		return o
	case *types.Record:
		o := &value.Object{}
		for _, f := range x.Fields {
			o.Set(f.Name, drawValue(t, f.Type))
		}
		return o
	case *types.Primitive:
		switch x.Row.Base {
		case types.IntBase:
			return rapid.IntRange(-3, 12).Draw(t, "int")
		case types.FloatBase:
			return rapid.Float64Range(0, 1).Draw(t, "float")
		case types.BoolBase:
			return rapid.Bool().Draw(t, "bool")
		case types.StringBase:
			return rapid.StringMatching(`[a-zé1-9 ]{0,6}`).Draw(t, "string")
		}
		return rapid.SampledFrom([]any{1, "x", nil, 2.5, []any{1}}).Draw(t, "json")
	}
	return "small"
}

func drawEnv(t *rapid.T, s *Scope) map[string]any {
	env := map[string]any{}
	var members func(ms []Member) *value.Object
	members = func(ms []Member) *value.Object {
		o := &value.Object{}
		for _, m := range ms {
			if m.Type == nil {
				o.Set(m.Name, members(m.Members))
				continue
			}
			o.Set(m.Name, drawValue(t, m.Type))
		}
		return o
	}
	for _, sym := range s.Symbols() {
		if sym.Type == nil {
			env[sym.Name] = members(sym.Members)
			continue
		}
		env[sym.Name] = drawValue(t, sym.Type)
	}
	return env
}

// checkEvaluation holds what must be true of an expression that checks: its
// value is of the type that was inferred, and it never fails because a value was
// of another kind.
func checkEvaluation(t interface{ Fatalf(string, ...any) }, text string, s *Scope, env map[string]any) bool {
	start := time.Now()
	x, ds := Parse(in(text))
	info, more := x.Check(s)
	defer func() {
		if took := time.Since(start); took > 30*time.Second {
			t.Fatalf("%s took %v", text, took)
		}
	}()
	if len(ds)+len(more) > 0 {
		return false
	}
	p, err := x.Compile()
	if err != nil {
		t.Fatalf("%s does not compile: %v", text, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	v, err := p.Eval(ctx, lookup(env), WithSteps(200_000), WithMemory(4<<20))
	if err != nil {
		var e *EvalError
		if !errors.As(err, &e) {
			t.Fatalf("%s fails with %T", text, err)
		}
		if !info.Loose() && (strings.Contains(e.Message, "expected") || strings.Contains(e.Message, "cannot") || strings.Contains(e.Message, "is null") || strings.Contains(e.Message, "interface")) {
			t.Fatalf("%s checks as %s but fails: %v", text, info.Type, err)
		}
		return true
	}
	if _, faults := value.Check(info.Type, v, value.Strict); len(faults) > 0 {
		t.Fatalf("%s has the type %s but gives %s: %v", text, info.Type, value.EncodeJSON(v), faults[0])
	}
	return true
}

func TestValuesAreOfTheInferredType(t *testing.T) {
	s := testScope()
	checked, tried := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		text := drawExpr(t, rapid.IntRange(1, 4).Draw(t, "depth"), 0)
		env := drawEnv(t, s)
		tried++
		if checkEvaluation(t, text, s, env) {
			checked++
		}
	})
	if checked*20 < tried {
		t.Errorf("only %d of %d expressions check: the generator has nothing to say", checked, tried)
	}
}

func FuzzParse(f *testing.F) {
	for _, m := range mix {
		f.Add(m)
	}
	for _, m := range []string{"<<-EOT\n a ${n}\n EOT", "`a``b`", `"${"${n}"}"`, "a ?. b", "x | map(it)", "let a = 1; a", "'a'", "1..3", "{a: 1}", "/* é */ n", "a[*].b", "x => x", "1 < 2 < 3", "a ?: b", "if a {b} else {c}"} {
		f.Add(m)
	}
	s := testScope()
	f.Fuzz(func(t *testing.T, text string) {
		file, e := in(text)
		x, ds := Parse(file, e)
		info, more := x.Check(s)
		Literal(file, e)
		for _, d := range append(ds, more...) {
			p := d.Primary
			if p.Start < e.Start || p.End > e.End || p.Start > p.End {
				t.Errorf("%q: %s at %d..%d, outside of %d..%d", text, d.Code, p.Start, p.End, e.Start, e.End)
			}
		}
		for _, r := range x.Refs() {
			if got := file.Slice(r.Parts[0]); got != r.Root {
				t.Errorf("%q: the reference %s stands at %q", text, r.Root, got)
			}
		}
		if len(ds)+len(more) == 0 {
			if _, err := x.Compile(); err != nil {
				t.Errorf("%q checks as %s but does not compile: %v", text, info.Type, err)
			}
		}
	})
}

func FuzzEval(f *testing.F) {
	for _, m := range mix {
		f.Add(m)
	}
	for _, m := range []string{`reduce(counts, acc + it, 0)`, `sum(passages, it.score)`, `groupBy(tags, it)`, `limits.a ?? 1`, `tags[1:2]`, `repeat("a", n)`, `1..n`, `maybe?.phones?.[0]`} {
		f.Add(m)
	}
	s := testScope()
	env := testEnv()
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 2000 {
			return
		}
		checkEvaluation(t, text, s, env)
	})
}
