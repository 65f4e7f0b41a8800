package check_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/lang/check"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/parser"
	"github.com/dspi-lang/dspi/stdlib"
)

// host keeps the trees of a project as an editor does: a file is parsed anew
// only when it was edited.
type host struct {
	trees  map[string]*syntax.File
	parsed int
}

func (h *host) edit(name, text string) {
	h.trees[name] = parser.Parse(source.NewFile(name, text))
	h.parsed++
}

func (h *host) options() check.Options {
	return check.Options{Universe: stdlib.Universe(), Import: func(_ *source.File, path string) (*syntax.File, error) {
		if t, ok := h.trees[path]; ok {
			return t, nil
		}
		return nil, fmt.Errorf("there is no file %s", path)
	}}
}

// said is what a check says, in one text.
func said(l diag.List) string {
	var b strings.Builder
	for _, d := range l {
		fmt.Fprintf(&b, "%s\n%s\n", d.Error(), d.Detail)
	}
	return b.String()
}

// TestSession edits a project in many ways; after each edit the session must say
// what a fresh check says, and make the same programs.
func TestSession(t *testing.T) {
	h := &host{trees: map[string]*syntax.File{}}
	h.edit("main.dsp", "import \"types.dsp\"\nimport \"lib.dsp\" as lib\nmodel m { provider = \"openai\", name = \"x\", default = true }\nprogram main {\n  q: string -> m: Mood, a: string\n  lib.answer one {}\n  predict two { q: string -> m: Mood }\n}\n")
	h.edit("types.dsp", "type Mood = \"good\" | \"bad\"\n")
	h.edit("lib.dsp", "import \"deep.dsp\"\nvariable k: int { default = 1 }\nprogram answer {\n  q: string -> a: string\n  predict one { seed = var.k }\n}\n")
	h.edit("deep.dsp", "enum Queue { a, b }\n")
	s := check.NewSession(h.options())
	edits := []struct{ name, text string }{
		{"main.dsp", ""}, // the same again
		{"types.dsp", "type Mood = \"good\" | \"bad\" | \"odd\"\n"},
		{"types.dsp", "type Moot = \"good\"\n"},
		{"types.dsp", "type Mood = \"good\" | \"bad\"\ntype Other { mood: Mood }\n"},
		{"lib.dsp", "program answer {\n  q: string -> b: string\n}\n"},
		{"lib.dsp", "import \"deep.dsp\"\nprogram answer {\n  q: string -> a: string\n}\nmodel n { provider = \"openai\", name = \"y\", default = true }\n"},
		{"deep.dsp", "enum Queue { a, b, c }\nprogram round { q: string -> a: string }\n"},
		{"deep.dsp", "enum Queue { a a }\n"},
		{"deep.dsp", "type Mood = string\nenum Queue { a, b }\n"},
		{"types.dsp", "type Queue = string\ntype Mood = \"good\"\n"},
		{"lib.dsp", "program answer {\n  q: string -> a: string\n  answer self {}\n}\n"},
		{"lib.dsp", "program answer {\n  q: string -> a: string\n}\n"},
		{"main.dsp", "import \"lib.dsp\"\nprogram main {\n  q: string -> a: string\n  answer one {}\n}\n"},
		{"main.dsp", "import \"lib.dsp\" as x\nimport \"deep.dsp\"\nprogram main {\n  q: string -> a: string\n  x.answer one {}\n}\n"},
	}
	for i, e := range append([]struct{ name, text string }{{}}, edits...) {
		if e.text != "" {
			h.edit(e.name, e.text)
		}
		p1, d1 := s.Check(h.trees["main.dsp"])
		p2, d2 := check.Check(h.trees["main.dsp"], h.options())
		if said(d1) != said(d2) {
			t.Errorf("edit %d of %s: the session says\n%s\na fresh check says\n%s", i, e.name, said(d1), said(d2))
		}
		names := func(n int, name func(int) string) string {
			var b strings.Builder
			for i := range n {
				b.WriteString(name(i) + " ")
			}
			return b.String()
		}
		for _, pair := range [][2]string{
			{names(len(p1.Programs), func(i int) string { return p1.Programs[i].Name }), names(len(p2.Programs), func(i int) string { return p2.Programs[i].Name })},
			{names(len(p1.Models), func(i int) string { return p1.Models[i].Name }), names(len(p2.Models), func(i int) string { return p2.Models[i].Name })},
			{names(len(p1.Variables), func(i int) string { return p1.Variables[i].Name }), names(len(p2.Variables), func(i int) string { return p2.Variables[i].Name })},
			{names(len(p1.Files), func(i int) string { return p1.Files[i].Name }), names(len(p2.Files), func(i int) string { return p2.Files[i].Name })},
		} {
			if pair[0] != pair[1] {
				t.Errorf("edit %d of %s: the session has %s, a fresh check %s", i, e.name, pair[0], pair[1])
			}
		}
	}
}

// project200 makes a project of 200 files of 100 lines: a root that imports the
// others.
func project200() *host {
	h := &host{trees: map[string]*syntax.File{}}
	var root strings.Builder
	for i := range 199 {
		name := fmt.Sprintf("lib%d.dsp", i)
		fmt.Fprintf(&root, "import %q as l%d\n", name, i)
		h.edit(name, file100(i, "steady"))
	}
	root.WriteString("program main {\n  question: string -> answer: string\n  l7.ask0 one {}\n}\n")
	h.edit("main.dsp", root.String())
	return h
}

// file100 is a file of 100 lines: a type, a variable and nine programs.
func file100(i int, word string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# file %d, %s\ntype Label%d = \"good\" | \"bad\"\nvariable limit: int(min = 1, max = 9) { default = 4 }\n\n\n\n\n\n\n\n", i, word, i)
	for n := range 9 {
		fmt.Fprintf(&b, `program ask%d {
  question: string -> answer: string, label: Label%d
  chain_of_thought draft {
    question: string -> answer: string
    temperature = len(question) > 20 && question != "" ? 0.2 : 0.7
  }
  predict judge { answer: string -> label: Label%d
    inputs { answer = draft.answer }
  } # the end
}
`, n, i, i)
	}
	return b.String()
}

func BenchmarkProject(b *testing.B) {
	lines := 0
	for _, t := range project200().trees {
		lines += t.Source.Lines() - 1
	}
	b.Run("parse+check", func(b *testing.B) {
		for b.Loop() {
			h := project200()
			if _, diags := check.Check(h.trees["main.dsp"], h.options()); len(diags) > 0 {
				b.Fatal(diags[0])
			}
		}
		b.ReportMetric(float64(lines), "lines")
	})
	b.Run("one edit", func(b *testing.B) {
		h := project200()
		s := check.NewSession(h.options())
		s.Check(h.trees["main.dsp"])
		for i := 0; b.Loop(); i++ {
			h.edit("lib7.dsp", file100(7, fmt.Sprint("edit ", i)))
			if _, diags := s.Check(h.trees["main.dsp"]); len(diags) > 0 {
				b.Fatal(diags[0])
			}
		}
	})
	b.Run("that file alone", func(b *testing.B) {
		h := &host{trees: map[string]*syntax.File{}}
		for i := 0; b.Loop(); i++ {
			h.edit("lib7.dsp", file100(7, fmt.Sprint("edit ", i)))
			if _, diags := check.Check(h.trees["lib7.dsp"], h.options()); len(diags) > 0 {
				b.Fatal(diags[0])
			}
		}
	})
}
