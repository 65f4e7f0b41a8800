package expr

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

func report(ds diag.List) string {
	var b strings.Builder
	for _, d := range ds {
		b.WriteString(d.Error() + "\n" + d.Detail + "\n")
	}
	return b.String()
}

// evaluate checks and runs an expression in the test's program.
func evaluate(t *testing.T, text string, want types.Type) (string, types.Type) {
	t.Helper()
	x, ds := Parse(in(text))
	if len(ds) > 0 {
		t.Fatalf("%s\ncannot be read: %s", text, report(ds))
	}
	info, ds := x.CheckExpecting(testScope(), want)
	if len(ds) > 0 {
		t.Fatalf("%s\ndoes not check: %s", text, report(ds))
	}
	p, err := x.Compile()
	if err != nil {
		t.Fatalf("%s\ndoes not compile: %v", text, err)
	}
	v, err := p.Eval(context.Background(), lookup(testEnv()))
	if err != nil {
		t.Fatalf("%s\nfails: %v", text, err)
	}
	return string(value.EncodeJSON(v)), info.Type
}

func TestTypesAndValues(t *testing.T) {
	for _, c := range []struct{ text, typ, val string }{
		// literals
		{`1`, `1`, `1`},
		{`1_000`, `1000`, `1000`},
		{`0x1f`, `31`, `31`},
		{`1.5`, `1.5`, `1.5`},
		{`1e3`, `1000`, `1000.0`},
		{`-3`, `-3`, `-3`},
		{`- n`, `int`, `-3`},
		{`true`, `true`, `true`},
		{`null`, `null`, `null`},
		{`"a"`, `"a"`, `"a"`},
		{"`a\\d`", `"a\\d"`, `"a\\d"`},
		{`"a\n\tü\u00e9\U0001F600\\\""`, `"a\n\tüé😀\\\""`, `"a\n\tüé😀\\\""`},
		{`[]`, `list[?]`, `[]`},
		{`[1, 2]`, `list[1 | 2]`, `[1,2]`},
		{`[1, 2.5]`, `list[float]`, `[1,2.5]`},
		{`["a", null]`, `list["a" | null]`, `["a",null]`},
		{`[1, 2,]`, `list[1 | 2]`, `[1,2]`},
		{`{b: 1, a: "x", "c d": true}`, `{ b: 1, a: "x", c d: true }`, `{"b":1,"a":"x","c d":true}`},
		{`{z: n, y: [n], x: {w: n}}`, `{ z: int, y: list[int], x: { w: int } }`, `{"z":3,"y":[3],"x":{"w":3}}`},
		{`{("k" + "1"): n}`, `map[string, int]`, `{"k1":3}`},
		// names
		{`question`, `string`, `"Which river flows through Paris?"`},
		{`draft.answer`, `string`, `"the Seine"`},
		{`draft["answer"]`, `string`, `"the Seine"`},
		{`var.k`, `int`, `4`},
		{`var.rag.k`, `int`, `6`},
		{`count`, `int`, `4`},
		{`len + count`, `int`, `9`},
		{`len(tags) + len`, `int`, `8`},
		{`contact`, `Contact`, `{"name":"Ada","email":"ada@example.com","phones":["1","2"]}`},
		{`contact.email`, `string?`, `"ada@example.com"`},
		{`contact.phones[0]`, `string`, `"1"`},
		{`contact.phones[-1]`, `string`, `"2"`},
		{`passages[0].text`, `string`, `"The Seine."`},
		{`pair[1]`, `int`, `1`},
		{`limits["b"]`, `int?`, `2`},
		{`limits.b`, `int?`, `2`},
		{`limits.none`, `int?`, `null`},
		{`body.temp`, `json`, `21.5`},
		{`body.days[1] + 1`, `json`, `3`},
		{`maybe?.name`, `string?`, `null`},
		{`maybe?.phones?.[0]`, `string?`, `null`},
		{`contact?.name`, `string`, `"Ada"`},
		{`"año"[1]`, `string`, `"ñ"`},
		{`question[0:5]`, `string`, `"Which"`},
		{`tags[1:]`, `list[string]`, `["a","b"]`},
		{`tags[:-1]`, `list[string]`, `["b","a"]`},
		// operators
		{`n + 1`, `int`, `4`},
		{`n / 2`, `float`, `1.5`},
		{`4 / 2`, `float`, `2.0`},
		{`n % 2`, `int`, `1`},
		{`2 ** 3`, `float`, `8.0`},
		{`n * ratio`, `float`, `1.5`},
		{`sure * 2`, `float`, `1.8`},
		{`"a" + "b"`, `string`, `"ab"`},
		{`n > 2 && ratio < 1`, `bool`, `true`},
		{`1 < n < 3`, `bool`, `false`},
		{`1 < n <= 3 < 5`, `bool`, `true`},
		{`not flag or n == 3`, `bool`, `true`},
		{`!flag`, `bool`, `false`},
		{`n == 3.0`, `bool`, `true`},
		{`"a" < "b"`, `bool`, `true`},
		{`question contains "river"`, `bool`, `true`},
		{`question not contains "river"`, `bool`, `false`},
		{`question startsWith "Which" and question endsWith "?"`, `bool`, `true`},
		{"question matches `^W.*\\?$`", `bool`, `true`},
		{`"a" in tags`, `bool`, `true`},
		{`"zz" not in tags`, `bool`, `true`},
		{`"a" in limits`, `bool`, `true`},
		{`1..3`, `list[int]`, `[1,2,3]`},
		{`n in 1..3`, `bool`, `true`},
		{`flag ? 1 : 2`, `1 | 2`, `1`},
		{`flag ? 1 : 2.5`, `float`, `1`},
		{`flag ? "x" : null`, `"x" | null`, `"x"`},
		{`flag ? question : 1`, `string | 1`, `"Which river flows through Paris?"`},
		{`note ?? "none"`, `string`, `"none"`},
		{`limit ?? 0`, `int`, `7`},
		{`maybe?.name ?? "nobody"`, `string`, `"nobody"`},
		{`(limit ?? 0) + 1`, `int`, `8`},
		{`maybe ?? contact`, `Contact`, `{"name":"Ada","email":"ada@example.com","phones":["1","2"]}`},
		// null
		{`note != null && len(note) > 1`, `bool`, `false`},
		{`note == null || len(note) > 1`, `bool`, `true`},
		{`limit != null ? limit + 1 : 0`, `int`, `8`},
		{`limit == null ? 0 : limit + 1`, `int`, `8`},
		{`maybe == null ? "-" : maybe.name`, `string`, `"-"`},
		{`maybe?.email != null ? maybe.email : "-"`, `string`, `"-"`},
		{`!(limit == null) && limit > 3`, `bool`, `true`},
		{`let y = limit; y != null ? y : 1`, `int`, `7`},
		// choices
		{`mood == "angry"`, `bool`, `true`},
		{`mood in ["angry", "happy"]`, `bool`, `true`},
		{`queue == Queue.lost_card`, `bool`, `true`},
		{`queue == "lost card"`, `bool`, `true`},
		{`queue == "lost_card"`, `bool`, `true`},
		{`queue in ["lost card", "other"]`, `bool`, `true`},
		{`queue != Queue.other`, `bool`, `true`},
		{`Queue.refunds`, `Queue`, `"refunds"`},
		{`Queue("lost card")`, `Queue?`, `"lost_card"`},
		{`Queue(question)`, `Queue?`, `null`},
		{`Queue(question) ?? Queue.other`, `Queue`, `"other"`},
		{`Queue(question) ?? "lost card"`, `Queue`, `"lost_card"`},
		{`var.brain == model.small`, `bool`, `true`},
		// text
		{`"n is ${n}, ${ratio} ${flag} ${tags} ${contact}"`, `string`, `"n is 3, 0.5 true [\"b\",\"a\",\"b\"] {\"name\":\"Ada\",\"email\":\"ada@example.com\",\"phones\":[\"1\",\"2\"]}"`},
		{`"$${n} ${"in ${n + 1}"}"`, `string`, `"${n} in 4"`},
		{`"é${"ü" + "${n}"}" + "x"`, `string`, `"éü3x"`},
		{"<<EOT\na ${n}\n  b \\n\nEOT\n", `string`, `"a 3\n  b \\n\n"`},
		{"<<-EOT\n    a\n      b ${n}\n\n    EOT", `string`, `"a\n  b 3\n\n"`},
		{"upper(<<EOT\nx\nEOT\n)", `string`, `"X\n"`},
		{`{"a${"b"}": 1}["ab"]`, ``, ``},
		// comments
		{"n # the number\n + 1 // one\n /* é */ + 2", `int`, `6`},
		// let
		{`let a = n + 1; let b = a * 2; a + b`, `int`, `12`},
		{`map(counts, (let s = it; s * s))`, `list[int]`, `[9,1,4]`},
		// loops
		{`map(tags, upper(it))`, `list[string]`, `["B","A","B"]`},
		{`map(tags, "${it_index}:${it}")`, `list[string]`, `["0:b","1:a","2:b"]`},
		{`map(passages, ({t: it.text, s: it.score}))`, `list[{ t: string, s: float }]`, `[{"t":"The Seine.","s":0.9},{"t":"The Rhine.","s":0.2}]`},
		{`filter(passages, it.score > 0.5)`, `list[Passage]`, `[{"text":"The Seine.","score":0.9}]`},
		{`filter(passages, it.score > 0.5) | map(it.text) | first()`, `string?`, `"The Seine."`},
		{`map(counts, map(tags, it))`, `list[list[string]]`, `[["b","a","b"],["b","a","b"],["b","a","b"]]`},
		{`reduce(counts, acc + it, 0)`, `int`, `6`},
		{`reduce(scores, acc + it, 0)`, `float`, `3.5`},
		{`reduce(counts, acc + it)`, `int`, `6`},
		{`sum(scores)`, `float`, `3.5`},
		{`sum(passages, it.score)`, `float`, `1.1`},
		{`count(counts, it > 1)`, `int`, `2`},
		{`sortBy(passages, it.score)[0].text`, `string`, `"The Rhine."`},
		{`sortBy(counts, it, "desc")`, `list[int]`, `[3,2,1]`},
		{`groupBy(tags, it)`, `map[string, list[string]]`, `{"b":["b","b"],"a":["a"]}`},
		{`find(passages, it.score > 5)?.text ?? "nothing"`, `string`, `"nothing"`},
		{`any(passages, it.text contains "Rhine")`, `bool`, `true`},
		{`all(map(tags, it + question), len(it) > 1)`, `bool`, `true`},
		{`concat(counts, [9])`, `list[int]`, `[3,1,2,9]`},
		{`flatten([[1], [2]])`, `list[1 | 2]`, `[1,2]`},
		{`keys(limits)`, `list[string]`, `["b","a"]`},
		{`values(limits)`, `list[int]`, `[2,1]`},
		{`max(counts)`, `int`, `3`},
		{`max(1, ratio)`, `float`, `1`},
		{`join(tags, "-")`, `string`, `"b-a-b"`},
		{`fromJSON("{\"b\": 1.0, \"a\": 2}")`, `json`, `{"b":1.0,"a":2}`},
		{`len("día") == 3`, `bool`, `true`},
		{`uniq(tags)`, `list[string]`, `["b","a"]`},
		{`get(limits, "zz") ?? 0`, `int`, `0`},
	} {
		if c.typ == "" {
			continue
		}
		t.Run(c.text, func(t *testing.T) {
			val, typ := evaluate(t, c.text, nil)
			if val != c.val {
				t.Errorf("value %s, want %s", val, c.val)
			}
			if typ.String() != c.typ {
				t.Errorf("type %s, want %s", typ, c.typ)
			}
		})
	}
}

func TestExpecting(t *testing.T) {
	for _, c := range []struct {
		text string
		want types.Type
		typ  string
		val  string
	}{
		{`one_of("happy")`, mood, `"angry" | "neutral" | "happy" | null`, `"happy"`},
		{`one_of(question) ?? "angry"`, mood, `"angry" | "neutral" | "happy"`, `"angry"`},
		{`one_of("lost card")`, types.NewOptional(queue), `Queue?`, `"lost_card"`},
		{`[]`, &types.List{Elem: types.Int}, `list[int]`, `[]`},
		{`["x", 1]`, &types.Tuple{Elems: []types.Type{types.String, types.Int}}, `tuple["x", 1]`, `["x",1]`},
		{`flag ? one_of("angry") : null`, mood, `"angry" | "neutral" | "happy" | null`, `"angry"`},
	} {
		val, typ := evaluate(t, c.text, c.want)
		if val != c.val || typ.String() != c.typ {
			t.Errorf("%s: %s %s, want %s %s", c.text, typ, val, c.typ, c.val)
		}
	}
}

func TestRefs(t *testing.T) {
	for text, want := range map[string]string{
		`question`:                          `question`,
		`draft.answer`:                      `draft.answer`,
		`draft.answer + var.rag.k`:          `draft.answer var.rag.k`,
		`docs.passages[i.j].text`:           `docs.passages i.j`,
		`draft["answer"]`:                   `draft`,
		`a?.b.c ?? d`:                       `a.b.c d`,
		`map(xs, it.y + acc + z)`:           `xs acc z`,
		`let q = a.b; q.c + r`:              `a.b r`,
		`"x ${a.b} ${"${c}"} $${d}"`:        `a.b c`,
		"upper(<<EOT\n${a.é}\nEOT\n)":       `a.é`,
		`len(x) + count`:                    `x count`,
		`{a: b, "c": d.e}`:                  `b d.e`,
		`1 < a.b < 3`:                       `a.b`,
		`it + acc`:                          `it acc`,
		`reduce(xs, acc + it_index + y, s)`: `xs y s`,
		`null == true`:                      ``,
		`map(xs, "${it.a} ${b}")`:           `xs b`,
		`# c.d` + "\n" + `e /* f */`:        `e`,
		`x | filter(it > y) | map(it.z)`:    `x y`,
		"/* é */ ü.b + `a.b`":               `ü.b`,
	} {
		f, e := in(text)
		x, _ := Parse(f, e)
		var got []string
		for _, r := range x.Refs() {
			name := strings.Join(append([]string{r.Root}, r.Path...), ".")
			got = append(got, name)
			if f.Slice(r.Span) != strings.ReplaceAll(name, "a.b.c", "a?.b.c") {
				t.Errorf("%s: the span of %s is %q", text, name, f.Slice(r.Span))
			}
			for i, p := range r.Parts {
				if want := append([]string{r.Root}, r.Path...)[i]; f.Slice(p) != want {
					t.Errorf("%s: the span of %s is %q", text, want, f.Slice(p))
				}
			}
		}
		if want == `xs acc z` {
			want = `xs z` // acc is the loop's, if wrongly used
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", text, got, want)
		}
	}
}

func TestLiteral(t *testing.T) {
	for text, want := range map[string]string{
		`"en"`: `"en"`, `1_000`: `1000`, `-2`: `-2`, `- 2.5`: `-2.5`, `true`: `true`, `null`: `null`,
		`[1, "a", [true]]`: `[1,"a",[true]]`, `{b: 1, "a": {c: null}}`: `{"b":1,"a":{"c":null}}`,
		`"$${x}"`: `"${x}"`, "`\\d`": `"\\d"`, `[ # none` + "\n]": `[]`,
		`"a ${b}"`: `E0117`, `x`: `E0307`, `1 + 2`: `E0307`, `[a, b]`: `E0307 E0307`, `f(1)`: `E0307`, `(1`: `E0104`, `-x`: `E0307`,
		`None`: `E0307`, `["${x}"]`: `E0117`, ``: `E0112`, `{a: 1, a: 2}`: `E0205`,
	} {
		v, typ, ds := Literal(in(text))
		got := string(value.EncodeJSON(v))
		if len(ds) > 0 {
			var codes []string
			for _, d := range ds {
				codes = append(codes, string(d.Code))
			}
			got = strings.Join(codes, " ")
			if !types.IsInvalid(typ) {
				t.Errorf("%s has mistakes and the type %s", text, typ)
			}
		}
		if got != want {
			t.Errorf("%s: %s, want %s\n%s", text, got, want, report(ds))
		}
	}
}

func TestSensitive(t *testing.T) {
	for text, want := range map[string]bool{
		`var.key`: true, `"Bearer ${var.key}"`: true, `len(var.key) > 3`: true, `map(tags, it + var.key)`: true,
		`var.k`: false, `let k = var.key; k`: true, `flag ? "" : var.key`: true,
	} {
		x, _ := Parse(in(text))
		info, ds := x.Check(testScope())
		if len(ds) > 0 || info.Sensitive != want {
			t.Errorf("%s: %v %s", text, info.Sensitive, report(ds))
		}
	}
}

func TestConstant(t *testing.T) {
	for text, want := range map[string]bool{`1`: true, `[1, {a: -2}]`: true, `n`: false, `1 + 1`: false, `"${n}"`: false} {
		x, _ := Parse(in(text))
		if info, _ := x.Check(testScope()); info.IsConstant != want {
			t.Errorf("%s: %v", text, info.IsConstant)
		}
	}
}

func TestNilExpression(t *testing.T) {
	x, ds := Parse(source.NewFile("a", ""), nil)
	info, more := x.Check(nil)
	if len(ds)+len(more) > 0 || !types.IsInvalid(info.Type) {
		t.Error("a missing expression is the parser's to report")
	}
	if _, err := x.Compile(); err == nil {
		t.Error("it compiles")
	}
}

func TestExamples(t *testing.T) {
	for _, f := range Functions() {
		if f.Doc == "" || f.Example == "" || f.Params == "" || f.Result == "" {
			t.Errorf("%s lacks a description", f.Name)
		}
		if f.Host {
			continue
		}
		var want types.Type
		if f.Name == "one_of" {
			want = types.NewUnion(&types.Literal{Value: "a"}, &types.Literal{Value: "b"})
		}
		if got, _ := evaluate(t, f.Example, want); got != f.Gives {
			t.Errorf("%s gives %s, the table says %s", f.Example, got, f.Gives)
		}
	}
}

// TestConcurrentUse is for the race detector.
func TestConcurrentUse(t *testing.T) {
	x, _ := Parse(in(`map(filter(passages, it.score > 0.1), "${it.text} ${queue == "lost card"}")`))
	x.Check(testScope())
	p, err := x.Compile()
	if err != nil {
		t.Fatal(err)
	}
	env := testEnv()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				x.Check(testScope())
				if _, err := x.Compile(); err != nil {
					t.Error(err)
				}
				v, err := p.Eval(context.Background(), lookup(env))
				if got := string(value.EncodeJSON(v)); err != nil || got != `["The Seine. true","The Rhine. true"]` {
					t.Error(got, err)
				}
			}
		})
	}
	wg.Wait()
}

// hiding hides one name.
func hiding(name, why string) func(string) string {
	return func(n string) string { return map[string]string{name: why}[n] }
}

func TestScope(t *testing.T) {
	s := NewScope(Symbol{Name: "a", Kind: "input"}, Symbol{Name: "b", Kind: "input"})
	s.Hidden = hiding("c", "why")
	in := s.With(Symbol{Name: "b", Kind: "step"})
	if got, _ := in.Lookup("b"); got.Kind != "step" {
		t.Error("the inner symbol does not win")
	}
	if _, ok := in.Lookup("a"); !ok || in.Hidden("c") == "" {
		t.Error("the outer scope is lost")
	}
	var names []string
	for _, sym := range in.Symbols() {
		names = append(names, sym.Name+":"+sym.Kind)
	}
	if got := strings.Join(names, " "); got != "a:input b:step" {
		t.Error(got)
	}
	if _, ok := (*Scope)(nil).Lookup("a"); ok || (*Scope)(nil).Symbols() != nil {
		t.Error("a nil scope has names")
	}
}

// TestShapes reads the parts of types that have a structure of their own.
func TestShapes(t *testing.T) {
	message, ok := types.Lookup("message")
	embedding, ok2 := types.Lookup("embedding")
	if !ok || !ok2 {
		t.Fatal("the types are not in the table")
	}
	s := NewScope(
		Symbol{Name: "m", Kind: "input", Type: &types.Primitive{Row: message}},
		Symbol{Name: "e", Kind: "input", Type: &types.Primitive{Row: embedding}},
	)
	for text, want := range map[string]string{
		`e[0]`: "float", `len(e)`: "int", `sum(e)`: "float", `map(e, it * 2)`: "list[float]", `e[1:]`: "list[float]",
		`m == m`: "bool", `m.role == "user"`: "bool", `2.0 in e`: "bool", `keys(m)`: "list[string]",
	} {
		x, _ := Parse(in(text))
		if info, ds := x.Check(s); len(ds) > 0 || info.Type.String() != want {
			t.Errorf("%s: %s, want %s\n%s", text, info.Type, want, report(ds))
		}
	}
	for text, code := range map[string]diag.Code{`m.zzz`: "E0218", `m + 1`: "E0302", `e.x`: "E0314", `upper(e)`: "E0303"} {
		x, _ := Parse(in(text))
		if _, ds := x.Check(s); len(ds) != 1 || ds[0].Code != code {
			t.Errorf("%s: want %s\n%s", text, code, report(ds))
		}
	}
}
