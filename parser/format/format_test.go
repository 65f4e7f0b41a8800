package format

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/parser"
	"github.com/dspi-lang/dspi/parser/benchtext"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func parse(text string) *syntax.File { return parser.Parse(source.NewFile("in.dsp", text)) }

// Each testdata/*.txtar holds in.dsp and out.dsp, its canonical text. Without
// out.dsp the text is canonical itself.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test files: %v", err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			ar, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			in := string(ar.Files[0].Data)
			want := in
			if len(ar.Files) > 1 {
				want = string(ar.Files[1].Data)
			}
			got := string(text(parse(in)))
			if *update {
				ar.Files = ar.Files[:1]
				if got != in {
					ar.Files = append(ar.Files, txtar.File{Name: "out.dsp", Data: []byte(got)})
				}
				if err := os.WriteFile(name, txtar.Format(ar), 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
			properties(t, in, true)
		})
	}
}

// properties checks what holds for every text: the layout of the layout is the
// layout, and it is the same tree. With strict, it holds without the second
// reading that File does.
func properties(t *testing.T, in string, strict bool) {
	t.Helper()
	f := parse(in)
	write := File
	if strict {
		write = text
	}
	once := write(f)
	again := parse(string(once))
	if !same(f, again) {
		t.Errorf("formatting changed the tree:\n%s", difference(in, string(once)))
		return
	}
	if twice := write(again); string(twice) != string(once) {
		t.Errorf("formatting twice differs:\n%s", difference(string(once), string(twice)))
	}
	if len(f.Faults) == 0 && len(again.Faults) > 0 {
		t.Errorf("formatting made a fault:\n%s", difference(in, string(once)))
	}
}

// difference shows the lines of a and b between their first and last difference.
func difference(a, b string) string {
	x, y := strings.SplitAfter(a, "\n"), strings.SplitAfter(b, "\n")
	for len(x) > 1 && len(y) > 1 && x[0] == y[0] {
		x, y = x[1:], y[1:]
	}
	for len(x) > 1 && len(y) > 1 && x[len(x)-1] == y[len(y)-1] {
		x, y = x[:len(x)-1], y[:len(y)-1]
	}
	return fmt.Sprintf("--- one\n%q\n--- other\n%q", x, y)
}

// inputs returns every program of the tests here and of the parser.
func inputs(t testing.TB) []string {
	t.Helper()
	var out []string
	for _, pattern := range []string{"testdata/*.txtar", "../testdata/*.txtar"} {
		files, _ := filepath.Glob(pattern)
		for _, name := range files {
			ar, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, string(ar.Files[0].Data))
		}
	}
	if len(out) == 0 {
		t.Fatal("no test files")
	}
	return out
}

// Half-typed programs are what an editor formats. With -short they are cut at
// every seventh byte only.
func TestTruncatedPrograms(t *testing.T) {
	step := 1
	if testing.Short() {
		step = 7
	}
	for _, in := range inputs(t) {
		for n := 0; n <= len(in); n += step {
			if properties(t, in[:n], false); t.Failed() {
				t.Fatalf("cut at byte %d", n)
			}
		}
	}
}

// A mistake costs its own place and nothing else: what File gives up on is rare.
func TestFaultsKeepTheLayoutOfTheRest(t *testing.T) {
	in := "model   a {\n  name    = \"x\"\n  tokens=1\n}\nprogram b {\n  x :  [ T]\n  q : string  => a:string\n}\n"
	want := "model a {\n  name   = \"x\"\n  tokens = 1\n}\nprogram b {\n  x :  [ T]\n  q: string -> a: string\n}\n"
	if got := string(File(parse(in))); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func FuzzFormat(f *testing.F) {
	for _, in := range inputs(f) {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		if len(in) > 1<<16 {
			return
		}
		properties(t, in, false)
	})
}

// Every small mistake in every program: a word or mark dropped, or one too many.
// With -short one place of five has them.
func TestMistypedPrograms(t *testing.T) {
	marks := []string{"{", "}", "(", ")", "[", "]", "\"", "'", "`", ":", "=", ",", "|", "?", "->", "=>", ".", "#", "/*", "<<E\n", "\n", " x ", "§", "\xff", "${", "-", "1"}
	for _, in := range inputs(t) {
		edges := words(in)
		for i, at := range edges {
			if testing.Short() && i/3%5 > 0 {
				continue
			}
			if i%3 > 0 {
				if properties(t, in[:edges[i-1]]+in[at:], false); t.Failed() {
					t.Fatalf("without %q at byte %d", in[edges[i-1]:at], edges[i-1])
				}
			}
			if i%3 > 0 {
				continue
			}
			m := marks[i/3%len(marks)]
			if properties(t, in[:at]+m+in[at:], false); t.Failed() {
				t.Fatalf("with %q at byte %d", m, at)
			}
		}
	}
}

// words returns the places in text where a word, a mark or space begins.
func words(text string) []int {
	class := func(c byte) int {
		switch {
		case c == ' ' || c == '\t':
			return 0
		case c == '\n':
			return 1
		case c == '_' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z':
			return 2
		}
		return 3
	}
	out := []int{0}
	for i := 1; i < len(text); i++ {
		if class(text[i]) != class(text[i-1]) || class(text[i]) == 3 {
			out = append(out, i)
		}
	}
	return append(out, len(text))
}

// Line ends stay those of the first line; what was written in other ways is one.
func TestLineEnds(t *testing.T) {
	tests := []struct{ in, want string }{
		{"a=1\r\nb {\r\nc=2\r\n}", "a = 1\r\nb {\r\n  c = 2\r\n}\r\n"},
		{"a=1\nb=2\r\n", "a = 1\nb = 2\n"},
		{"a=1\rb {\rc=<<EOT\rx\rEOT\r}# y\rd=2", "a = 1\nb {\n  c = <<EOT\nx\nEOT\n}  # y\nd = 2\n"},
		{"a=1\r\n# x\rb=2\r\n", "a = 1\r\n# x\r\nb = 2\r\n"},
		{"\uFEFFa=1", "a = 1\n"},
		{"", ""},
		{"\n\n", ""},
		{"# c", "# c\n"},
	}
	for _, tt := range tests {
		if got := string(File(parse(tt.in))); got != tt.want {
			t.Errorf("%q becomes %q, want %q", tt.in, got, tt.want)
		}
	}
}

func BenchmarkFile(b *testing.B) {
	f := parse(benchtext.Generate(10_000).DSP)
	b.SetBytes(int64(len(f.Source.Text)))
	for b.Loop() {
		File(f)
	}
}
