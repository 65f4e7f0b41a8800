package check_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/check"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/parser"
	"github.com/dspi-lang/dspi/parser/format"
	"github.com/dspi-lang/dspi/stdlib"
)

// TestSixMistakes: six mistakes in six blocks are six messages, each about its
// own block, and the blocks are all there. TestGolden holds the words.
func TestSixMistakes(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/six.txtar")
	if err != nil {
		t.Fatal(err)
	}
	text := string(archive.Files[0].Data)
	project, diags := checkText(text)
	var blocks []string
	for _, d := range diags {
		blocks = append(blocks, blockAt(text, int(d.Primary.Start)))
	}
	want := []string{`type Mood = "calm" or "worried"`, "signature Read {", "model quick {", "program answer {", "program sort {", "program last {"}
	if !slices.Equal(blocks, want) {
		t.Errorf("messages about\n  %s\nwant one about each of\n  %s", strings.Join(blocks, "\n  "), strings.Join(want, "\n  "))
	}
	steps := map[string]int{}
	for _, p := range project.Programs {
		steps[p.Name] = len(p.Steps)
	}
	for name, n := range map[string]int{"summarize": 1, "answer": 1, "sort": 3, "last": 1} {
		if steps[name] != n {
			t.Errorf("`%s` has %d steps, want %d", name, steps[name], n)
		}
	}
}

// blockAt returns the first line of the block at top level that holds a byte.
func blockAt(text string, at int) string {
	head := ""
	for line := range strings.Lines(text[:at] + "\n") {
		if strings.TrimLeft(line, " }#\n") == line {
			head = line
		}
	}
	rest, _, _ := strings.Cut(text[strings.LastIndex(text[:at]+"\n", head):], "\n")
	return rest
}

// TestTruncated cuts every example off at every byte, as an editor sees it being
// typed. With -short it is every fifth byte.
func TestTruncated(t *testing.T) {
	step := 1
	if testing.Short() {
		step = 5
	}
	for name, text := range examples(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for n := 0; n <= len(text); n += step {
				if survive(t, text[:n]); t.Failed() {
					t.Fatalf("cut at byte %d of %s", n, name)
				}
			}
		})
	}
}

// FuzzCheck gives any text to the parser, the checker, the planner and the
// formatter.
func FuzzCheck(f *testing.F) {
	for _, text := range examples(f) {
		f.Add(text)
	}
	for _, pattern := range []string{"testdata/*.dsp", "testdata/*.txtar", "../../parser/testdata/*.txtar"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			f.Fatalf("no files %s: %v", pattern, err)
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			for _, piece := range strings.Split(string(data), "\n----\n") {
				if files := txtar.Parse([]byte(piece)).Files; len(files) > 0 {
					piece = string(files[0].Data)
				}
				f.Add(piece)
			}
		}
	}
	f.Add("type \".\" {\n  A: A0\n}") // once a panic
	f.Add("model m {\n  models =\n}") // once a panic
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) < 1<<16 {
			survive(t, text)
		}
	})
}

// survive holds for every text: it is read, checked, planned when it has no
// errors, and laid out; every message lies inside of it and can be printed; a
// text with faults has errors; and the layout of the layout is the layout.
func survive(t *testing.T, text string) {
	t.Helper()
	file := parser.Parse(source.NewFile("a.dsp", text))
	u := stdlib.Universe()
	project, diags := check.Check(file, check.Options{Universe: u})
	if len(file.Faults) > 0 && len(diags) == 0 {
		t.Errorf("%d faults and no message in\n%q", len(file.Faults), text)
	}
	for _, d := range diags {
		p := d.Primary
		if p.File == nil || p.Start < 0 || p.End < p.Start || int(p.End) > len(text) {
			t.Errorf("%s is about bytes %d to %d of %d of\n%q", d.Code, p.Start, p.End, len(text), text)
			return
		}
		if _, ok := diag.Lookup(d.Code); !ok {
			t.Errorf("%s is no code of the catalogue", d.Code)
		}
	}
	var out strings.Builder
	err := diag.Text(&out, diags.Reports(), diag.TextOptions{Source: func(string) (string, bool) { return text, true }})
	if err != nil {
		t.Errorf("%v in\n%q", err, text)
	}
	if !diags.HasErrors() {
		for _, p := range project.Programs {
			made, diags := plan.Make(project, p, plan.Options{Universe: u, FallbackModel: "builtin/incontext", Getenv: func(string) string { return "x" }})
			if made == nil && len(diags) == 0 {
				t.Errorf("no plan of `%s` and no message in\n%q", p.Name, text)
			} else if made != nil {
				_ = made.String()
			}
		}
	}
	once := format.File(file)
	if twice := format.File(parser.Parse(source.NewFile("a.dsp", string(once)))); string(twice) != string(once) {
		t.Errorf("formatting twice differs:\n%q\n%q\n%q", text, once, twice)
	}
}

// examples returns the texts of the project's examples.
func examples(t testing.TB) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, pattern := range []string{"../../examples/*.dsp", "../../examples/*/*.dsp"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Fatalf("no examples %s: %v", pattern, err)
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			out[strings.TrimPrefix(filepath.ToSlash(path), "../../examples/")] = string(data)
		}
	}
	return out
}
