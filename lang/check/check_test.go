package check_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/dspi-lang/dspi/lang/check"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/parser"
	"github.com/dspi-lang/dspi/stdlib"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// checkFiles checks the first file of an archive; its imports are the others.
func checkFiles(files []txtar.File) (*program.Project, diag.List, map[string]string) {
	texts := map[string]string{}
	trees := map[string]*syntax.File{}
	for _, f := range files {
		texts[f.Name] = string(f.Data)
		trees[f.Name] = parser.Parse(source.NewFile(f.Name, string(f.Data)))
	}
	project, diags := check.Check(trees[files[0].Name], check.Options{
		Universe: stdlib.Universe(),
		Import: func(from *source.File, path string) (*syntax.File, error) {
			name := filepath.ToSlash(filepath.Join(filepath.Dir(from.Name), path))
			if t, ok := trees[name]; ok {
				return t, nil
			}
			return nil, fmt.Errorf("there is no file %s", name)
		},
	})
	return project, diags, texts
}

func checkText(text string) (*program.Project, diag.List) {
	project, diags, _ := checkFiles([]txtar.File{{Name: "a.dsp", Data: []byte(text)}})
	return project, diags
}

// claim is `#! E0201 "regexp"` at the end of a line: a diagnostic is expected
// whose primary place begins on this line and whose text matches.
var claim = regexp.MustCompile(`#! ([EW]\d{4})(?: "((?:[^"\\]|\\.)*)")?`)

// TestClaims checks every testdata/*.dsp. Pieces of a file between lines of
// dashes are programs of their own. All diagnostics must be claimed on the line
// they are about, and all claims met.
func TestClaims(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.dsp")
	if err != nil || len(paths) == 0 {
		t.Fatal("no test programs", err)
	}
	codes := map[string]bool{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		line := 0
		for _, piece := range strings.Split(string(data), "\n----\n") {
			start := line
			line += strings.Count(piece, "\n") + 2
			t.Run(fmt.Sprintf("%s:%d", filepath.Base(path), start+1), func(t *testing.T) {
				checkClaims(t, piece, start, codes)
			})
		}
	}
	if len(codes) < 50 {
		t.Errorf("the test programs claim %d codes only", len(codes))
	}
}

func checkClaims(t *testing.T, text string, start int, codes map[string]bool) {
	_, diags := checkText(text)
	type want struct {
		code, re string
		met      bool
	}
	wants := map[int][]*want{}
	for i, l := range strings.Split(text, "\n") {
		for _, m := range claim.FindAllStringSubmatch(l, -1) {
			wants[i+1] = append(wants[i+1], &want{code: m[1], re: strings.ReplaceAll(m[2], `\"`, `"`)})
			codes[m[1]] = true
		}
	}
	for _, d := range diags {
		l := d.Primary.File.LineOf(d.Primary.Start)
		ok := false
		for _, w := range wants[l] {
			if !w.met && w.code == string(d.Code) {
				if matched, err := regexp.MatchString(w.re, d.Primary.Text+"\n"+d.Detail); err != nil {
					t.Fatal(err)
				} else if matched {
					w.met, ok = true, true
					break
				}
			}
		}
		if !ok {
			t.Errorf("line %d: not claimed: %s: %s\n%s", start+l, d.Code, d.Primary.Text, d.Detail)
		}
		checkFixes(t, text, d)
	}
	for l, ws := range wants {
		for _, w := range ws {
			if !w.met {
				t.Errorf("line %d: %s %q was not reported", start+l, w.code, w.re)
			}
		}
	}
}

// checkFixes applies each fix of a diagnostic: the diagnostic must be gone, and
// no other have come.
func checkFixes(t *testing.T, text string, d *diag.Diagnostic) {
	t.Helper()
	_, before := checkText(text)
	for _, fix := range d.Fixes {
		_, after := checkText(apply(text, fix))
		if n := countNew(before, after); n > 0 || count(after, d.Code) >= count(before, d.Code) {
			t.Errorf("%s: the fix %q does not fix it: before %s, after %s\n%s", d.Code, fix.Title, codesOf(before), codesOf(after), apply(text, fix))
		}
	}
}

func apply(text string, fix diag.Fix) string {
	edits := slices.Clone(fix.Edits)
	slices.SortFunc(edits, func(a, b diag.Edit) int { return int(b.Start - a.Start) })
	for _, e := range edits {
		text = text[:e.Start] + e.Text + text[e.End:]
	}
	return text
}

func count(l diag.List, code diag.Code) (n int) {
	for _, d := range l {
		if d.Code == code {
			n++
		}
	}
	return n
}

// countNew counts the diagnostics in after beyond those of before, code by code.
func countNew(before, after diag.List) (n int) {
	seen := map[diag.Code]bool{}
	for _, d := range after {
		if !seen[d.Code] {
			seen[d.Code] = true
			n += max(0, count(after, d.Code)-count(before, d.Code))
		}
	}
	return n
}

func codesOf(l diag.List) string {
	var out []string
	for _, d := range l {
		out = append(out, string(d.Code))
	}
	return fmt.Sprint(out)
}

// TestGolden checks the first file of every testdata/*.txtar and compares what
// is said, as people read it, with the file `diagnostics` in it.
func TestGolden(t *testing.T) {
	paths, _ := filepath.Glob("testdata/*.txtar")
	if len(paths) == 0 {
		t.Fatal("no golden files")
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			ar, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			files := slices.DeleteFunc(slices.Clone(ar.Files), func(f txtar.File) bool { return f.Name == "diagnostics" })
			_, diags, texts := checkFiles(files)
			var b strings.Builder
			err = diag.Text(&b, diags.Reports(), diag.TextOptions{Source: func(name string) (string, bool) {
				s, ok := texts[name]
				return s, ok
			}})
			if err != nil {
				t.Fatal(err)
			}
			got := b.String()
			if *update {
				ar.Files = append(files, txtar.File{Name: "diagnostics", Data: []byte(got)})
				if err := os.WriteFile(path, txtar.Format(ar), 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			want := ""
			for _, f := range ar.Files {
				if f.Name == "diagnostics" {
					want = string(f.Data)
				}
			}
			if strings.TrimSpace(got) != strings.TrimSpace(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestPages checks the examples on the pages of the codes: the wrong ones give
// the code of their page and nothing else, the right ones give nothing.
func TestPages(t *testing.T) {
	for _, e := range diag.Catalogue() {
		t.Run(string(e.Code), func(t *testing.T) {
			for _, ex := range diag.Examples(e.Code) {
				if ex.Format != "dsp" {
					continue // commands: cmd/dspi runs them
				}
				_, diags := checkText(ex.Text)
				if ex.Kind == "right" {
					if len(diags) > 0 {
						t.Errorf("the right example gives %s: %s\n%s", codesOf(diags), diags[0].Primary.Text, ex.Text)
					}
					continue
				}
				if len(diags) == 0 {
					t.Errorf("the wrong example gives nothing\n%s", ex.Text)
				}
				for _, d := range diags {
					if d.Code != e.Code {
						t.Errorf("the wrong example gives %s: %s\n%s\n%s", d.Code, d.Primary.Text, d.Detail, ex.Text)
					}
					checkFixes(t, ex.Text, d)
				}
			}
		})
	}
}
