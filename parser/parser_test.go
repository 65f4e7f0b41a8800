package parser_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/parser"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Each testdata/*.txtar holds in.dsp, its tree, and its faults if it has any.
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
			f := parser.Parse(source.NewFile("in.dsp", string(ar.Files[0].Data)))
			got := []txtar.File{ar.Files[0], {Name: "tree", Data: []byte(dump(f))}}
			if faults := dumpFaults(f, f.Faults); faults != "" {
				got = append(got, txtar.File{Name: "faults", Data: []byte(faults)})
			}
			out := txtar.Format(&txtar.Archive{Comment: ar.Comment, Files: got})
			if *update {
				if err := os.WriteFile(name, out, 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			if want := txtar.Format(ar); string(out) != string(want) {
				t.Errorf("got:\n%s\nwant:\n%s", out, want)
			}
			checkTree(t, f)
		})
	}
}

// checkTree checks what holds for the tree of every text: places lie in the text,
// each node's in its parent's, in order; texts are those of their places.
func checkTree(t *testing.T, f *syntax.File) {
	t.Helper()
	size := int32(len(f.Source.Text))
	at := int32(0)
	for _, it := range f.Items {
		s := it.Range()
		if s.Start < at || s.End < s.Start || s.End > size {
			t.Errorf("%T at %v after %d of %d bytes\n%s", it, s, at, size, f.Source.Text)
			return
		}
		at = s.End
		inner := s.Start
		depth := 0
		syntax.Walk(it, func(n syntax.Node) bool {
			depth++
			r := n.Range()
			if r.Start < s.Start || r.End > s.End || r.Start > r.End {
				t.Errorf("%T at %v lies outside of %T at %v\n%s", n, r, it, s, f.Source.Text)
			}
			if e, ok := n.(*syntax.Expr); ok && e.Text != f.Source.LF()[r.Start:r.End] {
				t.Errorf("expression %q at %v is %q", e.Text, r, f.Source.LF()[r.Start:r.End])
			}
			switch n.(type) {
			case syntax.Item:
				if r.Start < inner {
					t.Errorf("%T at %v begins before %d\n%s", n, r, inner, f.Source.Text)
				}
				inner = r.Start
			}
			return !t.Failed()
		})
		if t.Failed() {
			return
		}
	}
	at = 0
	for _, c := range f.Comments {
		if c.Start < at || c.End > size || c.Start >= c.End {
			t.Errorf("comment at %v after %d\n%s", c.Span, at, f.Source.Text)
			return
		}
		at = c.End
	}
	at = 0
	for _, fault := range f.Faults {
		if fault.Start < at || fault.End < fault.Start || fault.End > size {
			t.Errorf("fault %s at %v after %d\n%s", kindNames[fault.Kind], fault.Span, at, f.Source.Text)
			return
		}
		at = fault.Start
	}
}

// A cut-off program must cost no more than what was cut.
func TestTruncatedPrograms(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.txtar")
	for _, name := range files {
		ar, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text := string(ar.Files[0].Data)
		whole := parser.Parse(source.NewFile("in.dsp", text))
		for n := range len(text) + 1 {
			f := parser.Parse(source.NewFile("in.dsp", text[:n]))
			if checkTree(t, f); t.Failed() {
				t.Fatalf("%s cut at byte %d", name, n)
			}
			if len(whole.Faults) == 0 && len(f.Faults) > 3 {
				t.Fatalf("%s cut at byte %d has %d faults:\n%s", name, n, len(f.Faults), dumpFaults(f, f.Faults))
			}
		}
	}
}
