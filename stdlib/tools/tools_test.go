package tools

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/dspi-lang/dspi/interpreter/starlark"
	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/lang/value"
)

// TestBuiltins walks the table: each tool that is declared is there, has the words
// and the signature of the table, and answers within it.
func TestBuiltins(t *testing.T) {
	_, b := serve(t, func(http.ResponseWriter, *http.Request) {})
	args := map[string]*value.Object{
		"calculator": value.NewObject("expression", "1 + 1"),
		"files":      value.NewObject("path", ".", "from_line", 1),
		"http_get":   value.NewObject("url", "http://127.0.0.1:1/", "from_character", 0),
	}
	for _, declared := range universe.Tools {
		x, ok := Builtin(declared.Name, b)
		if !ok {
			t.Errorf("%s is declared and not there", declared.Name)
			continue
		}
		if x.Name() != declared.Name || x.Description() != declared.Doc || !strings.HasSuffix(declared.Doc, ".") {
			t.Errorf("%s: %q %q", declared.Name, x.Name(), x.Description())
		}
		if !slices.EqualFunc(x.Signature().Inputs, declared.Inputs, sameField) || !slices.EqualFunc(x.Signature().Outputs, declared.Outputs, sameField) {
			t.Errorf("%s has another signature: %s", declared.Name, x.Signature())
		}
		if r, ok := x.(tool.Reader); ok {
			x = r.In(fstest.MapFS{"a.txt": {Data: []byte("a")}})
		}
		out, err := x.Call(t.Context(), args[declared.Name])
		var told *tool.Error
		if err != nil && !errors.As(err, &told) {
			t.Errorf("%s: %v", declared.Name, err)
		}
		for _, f := range declared.Outputs {
			v, _ := out.Get(f.Name)
			if _, faults := value.Check(f.Type, v, value.Strict); err == nil && faults != nil {
				t.Errorf("%s: %v", declared.Name, faults)
			}
		}
	}
	if _, ok := Builtin("nothing", b); ok {
		t.Error("a tool that is not declared is there")
	}
}

func sameField(a, b types.Field) bool { return a.Name == b.Name && types.Equal(a.Type, b.Type) }

func TestCalculator(t *testing.T) {
	for text, want := range map[string]any{
		"2 * (3 + 4) ** 2":        98.0,
		"2 ** 3 ** 2":             512.0,
		"-2 ** 2":                 -4.0,
		"2 ** -1":                 0.5,
		"2^10":                    1024.0,
		"7 // 2 + 7 % 4 - -7 % 4": 5.0,
		"1_000 / 4 * .5":          125.0,
		"1e3 + 2E-1":              1000.2,
		"sqrt(16) + log(e) + log10(100) + log(8, 2)": 10.0,
		"math.sqrt(2) ** 2 - 2 < 0":                  "`<` cannot stand at character 23 of the expression",
		"round(pi, 2)":                               3.14,
		"round(2.5)":                                 2.0,
		"max(1, 2, 3) - min(4, 5)":                   -1.0,
		"factorial(5) + gcd(12, 18)":                 126.0,
		"3 × 4 ÷ 2 − 1":                              5.0,
		"  ((1))  ":                                  1.0,
		"PI > 3":                                     "`>` cannot stand",
		"":                                           "the expression is empty",
		"1 +":                                        "the expression ends too early",
		"(1 + 2":                                     "a `(` is not closed",
		"1 + 2)":                                     "`)` cannot stand at character 6",
		"1 / 0":                                      "division by zero",
		"0 ** -1":                                    "division by zero",
		"5 % 0":                                      "division by zero",
		"10 ** 400":                                  "the result is no finite number",
		"sqrt(-1)":                                   "`sqrt` has no value there",
		"sqrt":                                       "`sqrt` is a function: sqrt(2)",
		"sqrt(1, 2)":                                 "`sqrt` takes one number, got 2",
		"sqr(4)":                                     "`sqr` is not known; did you mean `sqrt`?",
		"__import__('os')":                           "`__import__` is not known",
		"x = 3":                                      "`x` is not known",
		"1,000 + 1":                                  "write numbers without commas",
		"3 = 3":                                      "`=` is no arithmetic",
		"1" + strings.Repeat("+1", 1500):             "the expression has 3001 characters",
		strings.Repeat("(", 500):                     "the expression is nested more than 100 deep",
		"2" + strings.Repeat("**2", 300):             "the expression is nested more than 100 deep",
	} {
		got, err := Calculate(text)
		switch want := want.(type) {
		case float64:
			if err != nil || math.Abs(got-want) > 1e-9 {
				t.Errorf("%s = %v, %v; want %v", text, got, err, want)
			}
		case string:
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, %v; want %s", text, got, err, want)
			}
		}
	}
}

func FuzzCalculate(f *testing.F) {
	for _, s := range []string{"2 * (3 + 4) ** 2", "sqrt(16)", "1e", "((", "−π√4"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := Calculate(text); err == nil && (math.IsNaN(got) || math.IsInf(got, 0)) {
			t.Errorf("%q = %v", text, got)
		}
	})
}

// TestFiles reads a folder, and nothing outside of it.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	inside := filepath.Join(dir, "inside")
	for name, text := range map[string]string{
		"secret.txt": "secret", "inside/a.md": "one\ntwo\n", "inside/notes/b.md": "b", "inside/bin": "a\x00b",
		"inside/long.txt": strings.Repeat(strings.Repeat("x", 99)+"\n", 300), "inside/line.txt": strings.Repeat("y", 30_000) + "\nend",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../secret.txt", filepath.Join(inside, "link")); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(inside)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	x, _ := Builtin("files", nil)
	read := x.(tool.Reader).In(root.FS())
	for _, c := range []struct {
		path string
		from int
		want string
	}{
		{".", 1, "a.md\nbin\nline.txt\nlink\nlong.txt\nnotes/\n <nil>"},
		{"notes/", 1, "b.md\n <nil>"},
		{"a.md", 1, "one\ntwo\n <nil>"},
		{"./a.md", 2, "two\n <nil>"},
		{"a.md", 3, "error: the file has 2 lines"},
		{"long.txt", 1, "201"},
		{"long.txt", 201, "x\n <nil>"},
		{"line.txt", 1, "…\n 2"},
		{"line.txt", 2, "end <nil>"},
		{"bin", 1, "error: bin is no text"},
		{"c.md", 1, "error: there is no c.md; the folder has a.md, bin, line.txt, link, long.txt, notes/"},
		{"notes/c.md", 1, "error: there is no notes/c.md; notes/ has b.md"},
		{"../secret.txt", 1, "error: ../secret.txt is outside of the folder"},
		{"notes/../../secret.txt", 1, "is outside of the folder"},
		{"/etc/passwd", 1, "error: /etc/passwd is outside of the folder"},
		{"link", 1, "error: link cannot be read: it is outside of the folder"},
		{"..\\secret.txt", 1, "is outside of the folder"},
	} {
		out, err := read.Call(t.Context(), value.NewObject("path", c.path, "from_line", c.from))
		got := ""
		if err != nil {
			got = "error: " + err.(*tool.Error).Text
		} else {
			text, _ := out.Get("text")
			next, _ := out.Get("next_line")
			got = fmt.Sprintf("%v %v", text, next)
		}
		if !strings.HasSuffix(got, c.want) && !strings.HasPrefix(got, c.want) && !strings.Contains(got, c.want) || strings.Contains(got, "secret\n") {
			t.Errorf("%s from %d: got %.300s", c.path, c.from, got)
		}
	}
}

// TestHTTPGet: the model chooses the address, so this machine is never asked.
func TestHTTPGet(t *testing.T) {
	s, b := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the server was asked") })
	x, _ := Builtin("http_get", b)
	_, err := x.Call(t.Context(), value.NewObject("url", s.URL, "from_character", 0))
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1 is an address of this machine; only the public internet can be read") {
		t.Errorf("got %v", err)
	}
}

func TestStarlark(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.star":        "load(\"lib.star\", \"half\")\ndef run(n):\n  return {\"half\": half(n)}",
		"lib.star":      "def half(n):\n  return n / 2",
		"sub/b.star":    "load(\"../lib.star\", \"half\")\ndef run(n):\n  return half(n)",
		"sub/c.star":    "load(\"lib.star\", \"half\")\ndef run(n):\n  return half(n)",
		"sub/lib.star":  "def half(n):\n  return -n",
		"sub/deep.star": "def run(n):\n  print(n)\n  return [n]",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		_ = os.MkdirAll(filepath.Dir(path), 0o777)
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	var printed []string
	for _, c := range []struct{ text, file, want string }{
		{"", "a.star", `{"half":2.0}`},
		{"", "sub/c.star", `-4`},
		{"", "sub/b.star", "only a file beside this one can be loaded"},
		{"", "sub/deep.star", `[4]`},
		{"", "none.star", "none.star cannot be read"},
		{"def run(n):\n  return n * 2", "", `8`},
		{"load(\"lib.star\", \"half\")\ndef run(n):\n  return half(n)", "", `2.0`},
		{"def run(n):\n  while True:\n    pass", "", "takes more than"},
	} {
		v, err := (&Bodies{}).Starlark(t.Context(), &tool.Code{Text: c.text, File: c.file, Folder: dir, Call: "run", Args: value.NewObject("n", 4), Print: func(s string) { printed = append(printed, s) }})
		got := string(value.EncodeJSON(v))
		if err != nil {
			got = err.Error()
		}
		if got != c.want && (err == nil || !strings.Contains(got, c.want)) {
			t.Errorf("%s%s: got %s, want %s", c.text, c.file, got, c.want)
		}
	}
	if fmt.Sprint(printed) != "[4]" {
		t.Errorf("printed %q", printed)
	}
	_, err := (&Bodies{}).Starlark(t.Context(), &tool.Code{Text: "def run():\n  while True:\n    pass", Call: "run", Timeout: 1})
	if e, ok := errors.AsType[*starlark.Error](err); !ok || e.Kind != starlark.Time {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (&Bodies{}).Starlark(ctx, &tool.Code{Text: "def run():\n  return 1", Call: "run"}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
