package expr

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// compiled returns a program for an expression of the test's program.
func compiled(t testing.TB, text string, s *Scope) (*Program, *source.File) {
	t.Helper()
	f, e := in(text)
	x, ds := Parse(f, e)
	_, more := x.Check(s)
	if ds = append(ds, more...); len(ds) > 0 {
		t.Fatalf("%s\n%s", text, report(ds))
	}
	p, err := x.Compile()
	if err != nil {
		t.Fatal(err)
	}
	return p, f
}

func bigList(n int) []any {
	out := make([]any, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func TestEvalErrors(t *testing.T) {
	env := testEnv()
	env["zero"], env["huge"], env["bad"] = 0, 1<<62, "x"
	s := testScope().With(
		Symbol{Name: "zero", Kind: "input", Type: types.Int},
		Symbol{Name: "huge", Kind: "input", Type: types.Int},
		Symbol{Name: "bad", Kind: "input", Type: types.JSON},
		Symbol{Name: "later", Kind: "step", Noun: "output", Members: []Member{{Name: "x", Type: types.Int}}},
	)
	for _, c := range []struct{ text, at, message string }{
		{`n + 1 / zero`, `1 / zero`, `division by zero`},
		{`n % zero`, `n % zero`, `division by zero`},
		{`huge * 4`, `huge * 4`, `the result does not fit a whole number of 64 bits`},
		{`huge + huge + huge`, `huge + huge`, `the result does not fit a whole number of 64 bits`},
		{`-huge - huge - huge`, `-huge - huge - huge`, `the result does not fit a whole number of 64 bits`},
		{`len(tags[9])`, `tags[9]`, `there is no element at position 9: the list has 3 elements, counted from 0`},
		{`bad + 1`, `bad + 1`, `cannot add the text "x" and the number 1`},
		{`bad.x`, `bad.x`, `the text "x" has no field ` + "`x`"},
		{`body.none.x`, `body.none.x`, "the value before `.x` is null"},
		{`bad && flag`, `bad`, `expected true or false, got the text "x"`},
		{`filter(bad, it)`, `bad`, `expected a list, got the text "x"`},
		{`map(counts, it / zero)`, `it / zero`, `division by zero`},
		{`int("12a")`, `int("12a")`, `"12a" is not a whole number`},
		{`max([])`, `max([])`, "`max` needs at least one number, and the list is empty"},
		{`reduce(filter(counts, it > 9), acc + it)`, `reduce(filter(counts, it > 9), acc + it)`, "`reduce` needs a start value, as the list is empty: reduce(list, acc + it, 0)"},
		{`later.x + 1`, `later`, "`later` has no value yet"},
		{`later.x`, `later.x`, "`later` has no value yet"},
		{`fromJSON("{")`, `fromJSON("{")`, ``},
		{"\"é\" + string(1 / zero)", `1 / zero`, `division by zero`},
		{`question matches bad.y`, ``, ``},
	} {
		if c.at == "" {
			continue
		}
		p, f := compiled(t, c.text, s)
		v, err := p.Eval(context.Background(), lookup(env))
		var e *EvalError
		if !errors.As(err, &e) {
			t.Errorf("%s gives %v, %v", c.text, v, err)
			continue
		}
		if got := f.Slice(e.Place.Span); got != c.at || e.Kind != Failed || c.message != "" && e.Message != c.message {
			t.Errorf("%s: at %q: %s, want %q: %s", c.text, got, e.Message, c.at, c.message)
		}
	}
}

func TestLimits(t *testing.T) {
	s := NewScope(Symbol{Name: "d", Kind: "input", Type: &types.List{Elem: types.Int}}, Symbol{Name: "s", Kind: "input", Type: types.String})
	env := map[string]any{"d": bigList(3000), "s": strings.Repeat("a", 1000)}
	for _, text := range []string{
		`all(d, all(d, all(d, all(d, it >= 0))))`,
		`map(d, map(d, map(d, it)))`,
		`sum(map(d, sum(map(d, sum(d)))))`,
		`1..1000000000`,
		`-9000000000000000000..9000000000000000000`,
		`repeat(s, 1000000000)`,
		`let a = repeat(s, 1000); let b = a + a; let c = b + b; let e = c + c; let f = e + e; let g = f + f; let h = g + g; let i = h + h; let j = i + i; let k = j + j; len(k + k)`,
		`replace(repeat(s, 1000), "a", repeat(s, 1000))`,
		`map(d, sort(d))`,
		`reduce(d, acc + acc, s)`,
		`reduce(d, concat(acc, acc), d)`,
		`map(d, filter(d, it in d))`,
		`map(1..4000000, map(1..4000000, it))`,
		`uniq(map(d, ({a: [it]})))`,
		`map(d, split(repeat(s, 100), ""))`,
	} {
		p, _ := compiled(t, text, s)
		start := time.Now()
		_, err := p.Eval(context.Background(), lookup(env), WithSteps(1_000_000), WithMemory(64<<20))
		var e *EvalError
		if !errors.As(err, &e) || e.Kind != TooMuch {
			t.Errorf("%s: %v", text, err)
		}
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%s took %v", text, took)
		} else if took > time.Second {
			t.Logf("%s took %v", text, took)
		}
	}
}

func TestCancel(t *testing.T) {
	s := NewScope(Symbol{Name: "d", Kind: "input", Type: &types.List{Elem: types.Int}})
	p, _ := compiled(t, `all(d, all(d, all(d, all(d, it >= 0))))`, s)
	ctx, cancel := context.WithCancel(context.Background())
	// cancelled by the evaluation itself, once it is under way
	turns := 0
	env := func(string) (any, bool) {
		if turns++; turns == 3 {
			cancel()
		}
		return bigList(3000), true
	}
	_, err := p.Eval(ctx, env, WithSteps(1<<60))
	var e *EvalError
	if !errors.As(err, &e) || e.Kind != Cancelled || !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if _, err := p.Eval(ctx, env); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that is done: %v", err)
	}
	late, stop := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer stop()
	if _, err := p.Eval(late, lookup(map[string]any{"d": bigList(3000)}), WithSteps(1<<60)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a deadline: %v", err)
	}
}

func TestHost(t *testing.T) {
	s := NewScope()
	s.Host = []string{"env"}
	p, _ := compiled(t, `env("A" + "B")`, s)
	v, err := p.Eval(context.Background(), lookup(nil), WithHost("env", func(_ context.Context, a []any) (any, error) {
		return "value of " + a[0].(string), nil
	}))
	if v != "value of AB" || err != nil {
		t.Error(v, err)
	}
	boom := errors.New("not set")
	if _, err := p.Eval(context.Background(), lookup(nil), WithHost("env", func(context.Context, []any) (any, error) { return nil, boom })); !errors.Is(err, boom) {
		t.Error(err)
	}
	if _, err := p.Eval(context.Background(), lookup(nil)); err == nil {
		t.Error("a host that has no such function")
	}
}

// TestHugeTexts sees that no text hangs or breaks the stack.
func TestHugeTexts(t *testing.T) {
	many := 1_000_000
	for name, text := range map[string]string{
		"parentheses": strings.Repeat("(", many),
		"balanced":    strings.Repeat("(", 100_000) + "1" + strings.Repeat(")", 100_000),
		"brackets":    strings.Repeat("[", many),
		"templates":   strings.Repeat(`"${`, 100_000),
		"closed":      strings.Repeat(`"${`, 10_000) + "1" + strings.Repeat(`}"`, 10_000),
		"nots":        strings.Repeat("!", many) + "true",
		"minus":       strings.Repeat("-", 9_000) + "1",
		"ternaries":   strings.Repeat("a ? b : ", 4_000) + "c",
		"powers":      strings.Repeat("2 ** ", 9_000) + "1",
		"lets":        strings.Repeat("let a = 1; ", 500) + "a",
		"chain":       "a" + strings.Repeat(".b", 5_000),
		"long chain":  "a" + strings.Repeat(".b", many),
		"sum":         "1" + strings.Repeat(" + 1", 4_000),
		"long sum":    "1" + strings.Repeat(" + 1", many),
		"heredocs":    strings.Repeat("<<A\n", 100_000),
		"quotes":      strings.Repeat(`"`, many),
		"backticks":   strings.Repeat("`", many),
		"comment":     strings.Repeat("/*", many),
		"list":        "[" + strings.Repeat("1, ", 9_000) + "1]",
		"dots":        strings.Repeat(".", many),
		"loops":       strings.Repeat("map(a, ", 150) + "it" + strings.Repeat(")", 150),
		"coalesce":    "a" + strings.Repeat(" ?? a", 4_000),
		"mixed":       "1 + " + strings.Repeat("a ?? 1 + ", 3_000) + "1",
		"unknown":     "z" + strings.Repeat(" + z", 4_000),
		"comparisons": "1" + strings.Repeat(" < 1", 4_000),
		"objects":     strings.Repeat("{a: ", 150) + "1" + strings.Repeat("}", 150),
		"dollar":      strings.Repeat("$", many),
		"text":        `"` + strings.Repeat("${1}", 5_000) + `"`,
		"optional":    "q" + strings.Repeat("?.b", 3_000),
		"zeros":       strings.Repeat("\x00", many),
		"bad bytes":   strings.Repeat("\xff", many),
	} {
		start := time.Now()
		x, _ := Parse(source.NewFile("a", text), &syntax.Expr{Text: text, Span: source.Span{End: int32(len(text))}})
		x.Check(NewScope(Symbol{Name: "a", Kind: "input", Type: types.JSON}, Symbol{Name: "q", Kind: "input", Type: types.NewOptional(types.JSON)}))
		if p, err := x.Compile(); err == nil {
			p.Eval(context.Background(), lookup(map[string]any{"a": value.NewObject(), "q": nil}))
		}
		if took := time.Since(start); took > time.Minute { // far beyond any machine: it hangs
			t.Errorf("%s took %v", name, took)
		} else if took > time.Second {
			t.Logf("%s took %v", name, took)
		}
	}
}
