package parser_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/parser"
	"github.com/dspi-lang/dspi/parser/benchtext"
)

// pieces are what edits put in: what opens, closes, begins and ends things.
var pieces = []string{
	"", "", "x", "\n", "\r\n", "\r", "{", "}", "(", ")", "[", "]", "\"", "`", "'", "/*", "*/", "#", "<<EOT\n", "EOT\n", " -> ", ",", "=", ":",
	"program q {\n  a: string -> b: int\n}\n", "type T = \"a\" | \"b\"\n", "import \"x.dsp\"\n", "  ", "  }", "漢𝄞", "let z = (1 +\n", "${", "\x00", "\xff",
}

// sameTree compares what Reparse and Parse make of a text.
func sameTree(t testing.TB, old *syntax.File, text string) *syntax.File {
	t.Helper()
	src := source.NewFile("in.dsp", text)
	got, want := parser.Reparse(old, src), parser.Parse(src)
	equal := len(got.Items) == len(want.Items) && len(got.Comments) == len(want.Comments) && len(got.Faults) == len(want.Faults)
	for i := 0; equal && i < len(got.Items); i++ {
		equal = reflect.DeepEqual(got.Items[i], want.Items[i])
	}
	for i := 0; equal && i < len(got.Comments); i++ {
		equal = got.Comments[i] == want.Comments[i]
	}
	for i := 0; equal && i < len(got.Faults); i++ {
		equal = got.Faults[i] == want.Faults[i]
	}
	if !equal {
		t.Fatalf("from\n%q\nto\n%q\nReparse makes\n%s%s\nParse makes\n%s%s", old.Source.Text, text,
			dump(got), dumpFaults(got, got.Faults), dump(want), dumpFaults(want, want.Faults))
	}
	return got
}

// TestReparse edits every example at random places, one edit after another.
func TestReparse(t *testing.T) {
	var texts []string
	for _, pattern := range []string{"../examples/*.dsp", "../examples/tour/*.dsp"} {
		paths, _ := filepath.Glob(pattern)
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			texts = append(texts, string(data))
		}
	}
	if len(texts) < 10 {
		t.Fatalf("%d examples", len(texts))
	}
	texts = append(texts, benchtext.Generate(200).DSP, strings.ReplaceAll(benchtext.Generate(120).DSP, "\n", "\r\n"))
	r := rand.New(rand.NewPCG(3, 4))
	for _, text := range texts {
		fresh := text
		tree := parser.Parse(source.NewFile("in.dsp", text))
		for i := range 60 {
			a := r.IntN(len(text) + 1)
			b := min(len(text), a+r.IntN(1+r.IntN(30)))
			text = text[:a] + pieces[r.IntN(len(pieces))] + text[b:]
			tree = sameTree(t, tree, text)
			if i%6 == 5 { // few mistakes at a time, as people make them
				text = fresh
				tree = sameTree(t, tree, text)
			}
		}
	}
}

// TestReparseKeeps holds that the items away from an edit are not read anew.
func TestReparseKeeps(t *testing.T) {
	text := benchtext.Generate(400).DSP
	old := parser.Parse(source.NewFile("in.dsp", text))
	i := strings.Index(text[len(text)/2:], "instructions = \"") + len(text)/2
	now := parser.Reparse(old, source.NewFile("in.dsp", text[:i]+text[i+1:]))
	kept := 0
	for i, it := range old.Items {
		if it == now.Items[i] {
			kept++
		}
	}
	if kept < len(old.Items)/3 {
		t.Errorf("%d of %d items are kept", kept, len(old.Items))
	}
	same := parser.Reparse(old, source.NewFile("in.dsp", text[:i]+"I"+text[i+1:]))
	if first, last := same.Items[0], same.Items[len(same.Items)-1]; first != old.Items[0] || last != old.Items[len(old.Items)-1] {
		t.Error("an edit of the same length copies the items behind it")
	}
}

func FuzzReparse(f *testing.F) {
	f.Add("program a {\n}\nprogram b {\n}\ntype C = int\n", 10, 3, "x")
	f.Add("type A = int\nprogram b {\n  let x = [\n}\ntype C = int\nprogram d {}\n", 30, 1, "/*")
	f.Add(benchtext.Generate(60).DSP, 700, 20, "program q {")
	f.Fuzz(func(t *testing.T, text string, at, n int, piece string) {
		if len(text) > 5000 {
			return
		}
		at = min(max(at, 0), len(text))
		end := min(len(text), at+min(max(n, 0), 200))
		sameTree(t, parser.Parse(source.NewFile("in.dsp", text)), text[:at]+piece+text[end:])
	})
}

// BenchmarkReparse changes one character in the middle of 10,000 lines.
func BenchmarkReparse(b *testing.B) {
	text := benchtext.Generate(10_000).DSP
	at := strings.Index(text[len(text)/2:], "instructions = \"") + len(text)/2 + len("instructions = \"")
	tree := parser.Parse(source.NewFile("bench.dsp", text))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		now := text[:at] + strings.Repeat("x", i%2) + text[at:]
		tree = parser.Reparse(tree, source.NewFile("bench.dsp", now))
	}
}
