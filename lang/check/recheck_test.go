package check_test

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/lang/check"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/parser"
	"github.com/dspi-lang/dspi/parser/benchtext"
)

// TestRecheck changes texts at random places, as people type; what Recheck says must
// be what a fresh check says.
func TestRecheck(t *testing.T) {
	texts := map[string]string{"generated.dsp": benchtext.Generate(300).DSP}
	files, err := filepath.Glob("../../examples/*/*.dsp")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d examples, %v", len(files), err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		texts[f] = string(data)
	}
	pieces := []string{"x", ".", "\"", " ", "\n", "answer", "${", "}", "{", "\n  predict more { text: string -> b: string }\n", "# a note\n", "= 5", "(", ")"}
	var tries, quick int
	for name, text := range texts {
		h := &host{trees: map[string]*syntax.File{}}
		opt := h.options()
		opt.Import = func(from *source.File, path string) (*syntax.File, error) {
			full := filepath.Join(filepath.Dir(from.Name), path)
			if tree, ok := h.trees[full]; ok {
				return tree, nil
			}
			data, err := os.ReadFile(full)
			if err != nil {
				return nil, err
			}
			h.edit(full, string(data))
			return h.trees[full], nil
		}
		s := check.NewSession(opt)
		random := rand.New(rand.NewPCG(7, uint64(len(text))))
		now := parser.Parse(source.NewFile(name, text))
		s.Check(now)
		for range 200 {
			at := random.IntN(len(text) + 1)
			end := min(len(text), at+random.IntN(3)*random.IntN(4))
			edited := text[:at] + pieces[random.IntN(len(pieces))] + text[end:]
			tree := parser.Reparse(now, source.NewFile(name, edited))
			got, ok := s.Recheck(tree)
			tries++
			if !ok {
				continue
			}
			quick++
			_, want := check.Check(tree, opt)
			if a, b := whole(got.Diags), whole(want); a != b {
				t.Fatalf("%s, %q for %q at %d:\n%s\nis said; a fresh check says:\n%s", name, edited[at:len(edited)-len(text)+end], text[at:end], at, a, b)
			}
			if random.IntN(4) == 0 { // goes on from there
				text, now = edited, tree
				s.Check(now)
			}
		}
	}
	if quick < tries/5 {
		t.Errorf("only %d of %d edits were looked at alone", quick, tries)
	}
	t.Logf("%d of %d edits", quick, tries)
}

// whole is all that is said, with every place.
func whole(l diag.List) string {
	var b strings.Builder
	for _, r := range l.Reports() {
		data, err := json.Marshal(r)
		if err != nil {
			panic(err)
		}
		b.Write(append(data, '\n'))
	}
	return b.String()
}
