package starlark_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/dspi-lang/dspi/interpreter/starlark"
	"github.com/dspi-lang/dspi/lang/value"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestRun runs code and compares the names that it gave values to.
func TestRun(t *testing.T) {
	for _, c := range []struct{ name, code, want string }{
		{"arithmetic", "a = 2 * (3 + 4)\nb = 7 // 2\nc = 7 / 2\nd = 7 % 4\ne = -a\nf = 1 << 5", `{"a":14,"b":3,"c":3.5,"d":3,"e":-14,"f":32}`},
		{"text", `a = "x" * 3 + "y"` + "\n" + `b = "%s is %d" % ("n", 4)` + "\n" + `c = "{} and {x}".format(1, x=[2])` + "\n" + `d = ", ".join(["a", "b"])` + "\n" + `e = "aXbX".replace("X", "--")`,
			`{"a":"xxxy","b":"n is 4","c":"1 and [2]","d":"a, b","e":"a--b--"}`},
		{"lists", "l = [1, 2]\nm = l\nl += [3]\nl.append(4)\nn = l[1:3]\no = l[::-1]\np = [x * x for x in l if x > 2]\nq = 3 in l", `{"l":[1,2,3,4],"m":[1,2,3,4],"n":[2,3],"o":[4,3,2,1],"p":[9,16],"q":true}`},
		{"dicts", `d = {"a": 1}` + "\n" + `d["b"] = 2` + "\n" + `d["a"] += 10` + "\n" + `d |= {"c": 3}` + "\n" + "k = d.keys()\ne = {v: k for k, v in d.items()}\n" + `g = d.get("z", 9)`,
			`{"d":{"a":11,"b":2,"c":3},"e":{"11":"a","2":"b","3":"c"},"g":9,"k":["a","b","c"]}`},
		{"once", "n = [0]\ndef at():\n  n[0] += 1\n  return 0\nl = [5]\nl[at()] += 1", `{"l":[6],"n":[1]}`},
		{"functions", "def fib(n):\n  return n if n < 2 else fib(n - 1) + fib(n - 2)\na = fib(12)\nf = lambda x, *y, k=1: x + len(y) + k\nb = f(1, 2, 3, k=5)\nc = f(*[1, 2], **{\"k\": 3})", `{"a":144,"b":8,"c":5}`},
		{"loops", "i = 0\nwhile i < 5:\n  i += 1\ns = 0\nfor x in range(4):\n  if x == 2:\n    continue\n  s += x", `{"i":5,"s":4,"x":3}`},
		{"unpacked", "(a, b), c = (1, 2), 3\nl = [0, 0]\nl[0], l[1] = 4, 5", `{"a":1,"b":2,"c":3,"l":[4,5]}`},
		{"sets", "s = set([1, 2]) | set([2, 3])\nt = s - set([1])\nt.add(7)", `{"s":[1,2,3],"t":[2,3,7]}`},
		{"ours", "a = sum([1, 2.5])\nb = round(2.5)\nc = round(3.14159, 2)\nd = pow(2, 10)\ne = math.sqrt(16.0)\nf = json.decode('{\"a\": [1, null]}')\ng = json.encode({\"b\": (1, True)})",
			`{"a":3.5,"b":2,"c":3.14,"d":1024,"e":4.0,"f":{"a":[1,null]},"g":"{\"b\":[1,true]}"}`},
		{"given", "a = double(n) + double(n=2)\nb = row[\"x\"]", `{"a":46,"b":[1]}`},
		{"getattr", "l = []\ngetattr(l, \"append\")(3)\na = getattr(l, \"nothing\", 7)\nb = hasattr(l, \"pop\")", `{"a":7,"b":true,"l":[3]}`},
		{"sorted", "a = sorted([3, 1, 2], reverse=True)\nb = sorted([\"bb\", \"a\"], key=len)\nc = min(4, 2)\nd = max([1, 5])\ne = [p for p in zip([1], [2])]\nf = [x for x in enumerate([\"a\"])]\ng = reversed([1, 2])",
			`{"a":[3,2,1],"b":["a","bb"],"c":2,"d":5,"e":[[1,2]],"f":[[0,"a"]],"g":[2,1]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			values := value.NewObject("n", 21, "row", value.NewObject("x", []any{1}))
			double := func(_ context.Context, args []any, named *value.Object) (any, error) {
				if n, ok := named.Get("n"); ok {
					args = append(args, n)
				}
				return args[0].(int) * 2, nil
			}
			got, _, err := starlark.Run(t.Context(), c.code, values, map[string]starlark.Function{"double": double}, starlark.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if text := string(value.EncodeJSON(got)); text != c.want {
				t.Errorf("got  %s\nwant %s", text, c.want)
			}
		})
	}
}

// TestErrors: what cannot be done ends the code, with its place.
func TestErrors(t *testing.T) {
	for _, c := range []struct{ code, want string }{
		{"a = 1\nb = = 2", "code:2:5: got '=', want primary expression"},
		{"a = nothing", "code:1:5: undefined: nothing"},
		{"a = 1 + \"x\"", "code:1:7: unknown binary op: int + string"},
		{"a = 1 // 0", "code:1:7: floored division by zero"},
		{"def f(x):\n  return x.up()\nf(\"a\")", "code:2:11: string has no .up"},
		{"fail(\"no\", 3)", "code:1:5: fail: no 3"},
		{"a = [1][3]", "code:1:8: list index 3 out of range [-1:0]"},
		{"load(\"x.star\", \"x\")", "code:1:1: cannot load x.star: `load` cannot be used here"},
		{"a = refuse()", "code:1:11: the host said no"},
		{"a = 1 << 2000000", "code:1:7: shift count too large: 2000000"},
		{"import os", "code:1:1: got import, want primary expression"},
	} {
		refuse := map[string]starlark.Function{"refuse": func(context.Context, []any, *value.Object) (any, error) { return nil, errHost }}
		_, _, err := starlark.Run(t.Context(), c.code, nil, refuse, starlark.Limits{})
		if err == nil || err.Error() != c.want {
			t.Errorf("%s\ngot  %v\nwant %s", c.code, err, c.want)
		}
		if strings.Contains(c.code, "refuse") && !errors.Is(err, errHost) {
			t.Errorf("the host's error is lost in %v", err)
		}
	}
}

var errHost = errors.New("the host said no")

// bombs are code that would take the machine, each with the limit that stops it.
var bombs = []struct {
	name, code string
	kinds      []starlark.Kind
}{
	{"endless loop", "while True:\n  pass", k(starlark.Steps)},
	{"endless range", "for i in range(1000000000000000):\n  pass", k(starlark.Steps)},
	{"nested loops", "n = 0\nfor a in range(100000):\n  for b in range(100000):\n    n += 1", k(starlark.Steps)},
	{"text repeated", `a = "a" * 1000000000`, k(starlark.Memory)},
	{"text repeated in place", "a = \"a\"\na *= 1000000000", k(starlark.Memory)},
	{"list repeated", "a = [0] * 1000000000", k(starlark.Memory)},
	{"repeated list", "a = 1000000000 * [0]", k(starlark.Memory)},
	{"doubled text", "a = \"ab\"\nwhile True:\n  a = a + a", k(starlark.Memory)},
	{"doubled text in place", "a = \"ab\"\nwhile True:\n  a += a", k(starlark.Memory)},
	{"doubled text in a list", "a = [\"ab\"]\nwhile True:\n  a[0] += a[0]", k(starlark.Memory)},
	{"doubled list", "a = [1]\nwhile True:\n  a += a", k(starlark.Memory)},
	{"extended list", "a = [1]\nwhile True:\n  a.extend(a)", k(starlark.Memory)},
	{"method in a name", "a = [1]\nf = a.extend\nwhile True:\n  f(a)", k(starlark.Memory)},
	{"getattr", "a = [1]\nwhile True:\n  getattr(a, \"extend\")(a)", k(starlark.Memory)},
	{"kept texts", "l = []\na = \"x\" * 1000000\nwhile True:\n  l.append(a + \"y\")", k(starlark.Memory)},
	{"list of a range", "a = list(range(1000000000))", k(starlark.Memory)},
	{"sorted range", "a = sorted(range(1000000000))", k(starlark.Memory)},
	{"set of a range", "a = set(range(1000000000))", k(starlark.Memory)},
	{"zip of ranges", "a = zip(range(1000000000), range(1000000000))", k(starlark.Memory)},
	{"spread range", "def f(*a):\n  return 1\nf(*range(1000000000))", k(starlark.Memory)},
	{"largest of a range", "a = max(range(1000000000000))", k(starlark.Memory)},
	{"all of a range", "a = all(range(1, 1000000000000))", k(starlark.Steps)},
	{"sum of a range", "a = sum(range(1, 1000000000000))", k(starlark.Steps)},
	{"appending", "a = []\nwhile True:\n  a.append(1)", k(starlark.Memory, starlark.Steps)},
	{"comprehension", "a = [x for x in range(1000000000)]", k(starlark.Steps)},
	{"dict", "d = {}\ni = 0\nwhile True:\n  d[i] = i\n  i += 1", k(starlark.Steps)},
	{"joined", "a = \"x\" * 1000000\nb = a.join([\"y\"] * 100000)", k(starlark.Memory)},
	{"replaced", "a = (\"x\" * 1000000).replace(\"x\", \"y\" * 1000000)", k(starlark.Memory)},
	{"formatted", "a = (\"{0}\" * 100000).format(\"y\" * 1000000)", k(starlark.Memory)},
	{"percent", "a = (\"%(k)s\" * 100000) % {\"k\": \"y\" * 1000000}", k(starlark.Memory)},
	{"whole numbers", "a = 3\nwhile True:\n  a = a * a", k(starlark.Failed)},
	{"power", "a = pow(3, 1000000000)", k(starlark.Failed)},
	{"kept numbers", "n = pow(3, 30000)\nl = []\nwhile True:\n  l.append(n + len(l))", k(starlark.Memory)},
	{"empty dicts", "a = None\nwhile True:\n  a = [a" + strings.Repeat(", {}", 20) + "]", k(starlark.Memory)},
	{"empty lists", "a = None\nwhile True:\n  a = [a" + strings.Repeat(", []", 20) + "]", k(starlark.Memory)},
	{"empty tuples", "a = None\nwhile True:\n  a = [a" + strings.Repeat(", ()", 20) + "]", k(starlark.Memory)},
	{"lambdas", "a = None\nwhile True:\n  a = [a" + strings.Repeat(", lambda: a", 20) + "]", k(starlark.Memory)},
	{"texts", "a = None\nwhile True:\n  a = [a" + strings.Repeat(", \"x\" + \"y\"", 20) + "]", k(starlark.Memory, starlark.Steps)},
	{"numbers", "a = None\nn = 1 << 60\nwhile True:\n  a = [a" + strings.Repeat(", n + 1", 20) + "]", k(starlark.Memory, starlark.Steps)},
	{"recursion", "def f(n):\n  return f(n + 1)\nf(0)", k(starlark.Depth)},
	{"lambda recursion", "f = lambda n: f(n + 1)\nf(0)", k(starlark.Depth)},
	{"recursion through sorted", "def f(n):\n  return sorted([1, 2], key=f)\nf(0)", k(starlark.Depth)},
	{"written web", "a = [1]\nfor i in range(100):\n  a = [a, a]\nb = str(a)", k(starlark.Memory, starlark.Steps)},
	{"printed web", "a = [1]\nfor i in range(100):\n  a = [a, a]\nprint(a)", k(starlark.Memory, starlark.Steps)},
	{"web handed on", "a = [1]\nfor i in range(100):\n  a = [a, a]", k(starlark.Memory)},
	{"web as JSON", "a = [1]\nfor i in range(100):\n  a = [a, a]\nb = json.encode(a)", k(starlark.Memory)},
	{"compared webs", "def f():\n  a = [1] * 50\n  for i in range(9):\n    a = [a] * 50\n  return a\nx = f() == f()", k(starlark.Memory, starlark.Steps)},
	{"web in a list", "def f():\n  a = [1] * 50\n  for i in range(9):\n    a = [a] * 50\n  return a\nx = f() in [f()]", k(starlark.Memory, starlark.Steps)},
	{"sorted webs", "def f():\n  a = [1] * 50\n  for i in range(9):\n    a = [a] * 50\n  return a\nx = sorted([f(), f()])", k(starlark.Memory, starlark.Steps)},
	{"hashed web", "a = (1,)\nfor i in range(100):\n  a = (a, a)\nd = {a: 1}", k(starlark.Memory, starlark.Steps)},
	{"hashed key", "a = (1,)\nfor i in range(100):\n  a = (a, a)\nd = {}\nd[a] = 1", k(starlark.Memory, starlark.Steps)},
	{"hashed by get", "a = (1,)\nfor i in range(100):\n  a = (a, a)\nb = {}.get(a)", k(starlark.Memory, starlark.Steps)},
	{"hashed in a set", "a = (1,)\nfor i in range(100):\n  a = (a, a)\nb = set([a])", k(starlark.Memory, starlark.Steps)},
	{"hashed in a comprehension", "a = (1,)\nfor i in range(100):\n  a = (a, a)\nb = {x: 1 for x in [a]}", k(starlark.Memory, starlark.Steps)},
	{"deep list", "a = []\nfor i in range(100000):\n  a = [a]\nb = str(a)", k(starlark.Failed)},
	{"deep JSON", "a = json.decode(\"[\" * 1000000)", k(starlark.Failed)},
	{"much output", "while True:\n  print(\"x\" * 1000)", k(starlark.Output)},
	{"deep code", "a = " + strings.Repeat("(", 100_000), k(starlark.Syntax)},
	{"long sum", "a = 1" + strings.Repeat("+1", 100_000), nil},
	{"much code", "a = 1\n" + strings.Repeat("#", 300_000), k(starlark.Memory)},
}

func k(kinds ...starlark.Kind) []starlark.Kind { return kinds }

// TestBombs: each is stopped by the limit that it meets, soon, and with no more
// memory than the limits allow.
func TestBombs(t *testing.T) {
	for _, b := range bombs {
		t.Run(b.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
			defer cancel()
			_, printed, err := starlark.Run(ctx, b.code, nil, nil, starlark.Limits{Steps: 2_000_000, Memory: 16 << 20, Time: 50 * time.Second})
			runtime.ReadMemStats(&after)
			var e *starlark.Error
			switch {
			case b.kinds == nil && err == nil:
			case !errors.As(err, &e):
				t.Fatalf("got %v", err)
			case !strings.Contains(fmt.Sprint(b.kinds), string(e.Kind)):
				t.Errorf("stopped by %s (%v), want %v", e.Kind, err, b.kinds)
			}
			if made := (after.TotalAlloc - before.TotalAlloc) >> 20; made > 400 {
				t.Errorf("%d MiB were made", made)
			}
			if len(printed) > starlark.DefaultOutput {
				t.Errorf("%d bytes were printed", len(printed))
			}
		})
	}
}

// TestTime: code is stopped when its time is up, and when its context ends.
func TestTime(t *testing.T) {
	_, _, err := starlark.Run(t.Context(), "while True:\n  pass", nil, nil, starlark.Limits{Steps: 1 << 50, Time: 20 * time.Millisecond})
	if e, ok := errors.AsType[*starlark.Error](err); !ok || e.Kind != starlark.Time {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	stop := map[string]starlark.Function{"stop": func(context.Context, []any, *value.Object) (any, error) { cancel(); return nil, nil }}
	_, _, err = starlark.Run(ctx, "stop()\nwhile True:\n  pass", nil, stop, starlark.Limits{Steps: 1 << 50})
	if e, ok := errors.AsType[*starlark.Error](err); !ok || e.Kind != starlark.Cancelled || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestCall calls a function of the code, and loads another file.
func TestCall(t *testing.T) {
	files := map[string]string{
		"lib.star": "rate = 3\ndef times(n):\n  return n * rate",
		"a.star":   "load(\"b.star\", \"x\")\ny = 1",
		"b.star":   "load(\"a.star\", \"y\")\nx = 1",
	}
	var lines []string
	s := &starlark.Script{
		Name: "area.star",
		Code: "load(\"lib.star\", \"times\")\ndef area(w, h=2):\n  print(\"w is\", w)\n  return {\"m2\": times(w * h)}",
		Load: func(name string) (string, error) {
			code, ok := files[name]
			if !ok {
				return "", errors.New("there is no such file")
			}
			return code, nil
		},
		Print: func(line string) { lines = append(lines, line) },
	}
	out, err := s.Call(t.Context(), "area", value.NewObject("w", 4))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(value.EncodeJSON(out.Value)); got != `{"m2":24}` || out.Printed != "w is 4\n" || len(lines) != 1 {
		t.Errorf("got %s, printed %q, %q", got, out.Printed, lines)
	}
	for _, c := range []struct {
		code, call string
		args       *value.Object
		want       string
	}{
		{"def f():\n  return 1", "g", nil, "there is no function `g`; it defines `f`"},
		{"def f(a):\n  return 1", "f", nil, "function f missing 1 argument (a)"},
		{"def f(a):\n  return f", "f", value.NewObject("a", 1), "a function cannot be handed on"},
		{"def f():\n  return 1 << 70", "f", nil, "the whole number has 71 bits; at most 64 can be handed on"},
		{"load(\"a.star\", \"y\")\ndef f():\n  return 1", "f", nil, "a.star loads itself"},
		{"load(\"c.star\", \"y\")\ndef f():\n  return 1", "f", nil, "there is no such file"},
	} {
		s.Code = c.code
		if _, err := s.Call(t.Context(), c.call, c.args); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\ngot  %v\nwant %s", c.code, err, c.want)
		}
	}
}

// FuzzRun: whatever the code is, it ends within its limits and without a panic.
func FuzzRun(f *testing.F) {
	for _, b := range bombs {
		if len(b.code) < 1000 {
			f.Add(b.code)
		}
	}
	f.Fuzz(func(t *testing.T, code string) {
		_, _, err := starlark.Run(t.Context(), code, nil, nil, starlark.Limits{Steps: 20_000, Memory: 1 << 20, Code: 4000})
		if err != nil && strings.Contains(err.Error(), "the interpreter failed") {
			t.Error(err)
		}
	})
}
