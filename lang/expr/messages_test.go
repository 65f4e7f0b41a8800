package expr

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestMessages reads the expressions of testdata/*.dspx, which stand between lines
// of `---`, and compares what is said about each with the golden file beside it.
// `when` before an expression makes it a condition, `literal` a literal.
func TestMessages(t *testing.T) {
	files, err := filepath.Glob("testdata/*.dspx")
	if err != nil || len(files) == 0 {
		t.Fatal("no expressions found", err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			for _, e := range strings.Split(string(text), "\n---\n") {
				e = strings.Trim(e, "\n")
				b.WriteString("=== " + strings.ReplaceAll(e, "\n", "\n    ") + "\n\n")
				ds := judge(t, e)
				if len(ds) == 0 {
					t.Errorf("nothing is said about %s", e)
					continue
				}
				text := diag.TextOptions{Source: func(string) (string, bool) { return ds[0].Primary.File.Text, true }}
				if err := diag.Text(&b, ds.Reports(), text); err != nil {
					t.Fatal(err)
				}
				b.WriteString("\n")
			}
			golden := strings.TrimSuffix(name, ".dspx") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if b.String() != string(want) {
				t.Errorf("what is said has changed; read it, then run: go test ./lang/expr -run Messages -update\n%s", firstDifference(string(want), b.String()))
			}
		})
	}
}

func firstDifference(a, b string) string {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range as {
		if i >= len(bs) || as[i] != bs[i] {
			got := ""
			if i < len(bs) {
				got = bs[i]
			}
			return "-" + as[i] + "\n+" + got
		}
	}
	return "the new text is longer"
}

// judge returns everything that is said about an expression of the test's program.
func judge(t *testing.T, text string) diag.List {
	t.Helper()
	text, isCondition := strings.CutPrefix(text, "when ")
	text, isLiteral := strings.CutPrefix(text, "literal ")
	f := source.NewFile("test.dsp", "x = "+text+"\n")
	e := &syntax.Expr{Text: text, Span: source.Span{Start: 4, End: int32(4 + len(text))}}
	if isLiteral {
		_, _, ds := Literal(f, e)
		return ds
	}
	x, ds := Parse(f, e)
	if isCondition {
		_, more := x.CheckCondition(testScope())
		return append(ds, more...)
	}
	_, more := x.Check(testScope())
	ds = append(ds, more...)
	ds.Sort()
	return ds
}

// TestFixes applies every fix that the messages offer and sees that less is said
// afterwards.
func TestFixes(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.dspx")
	fixes := 0
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range strings.Split(string(text), "\n---\n") {
			e = strings.Trim(e, "\n")
			prefix := ""
			for _, p := range []string{"when ", "literal "} {
				if strings.HasPrefix(e, p) {
					prefix, e = p, e[len(p):]
				}
			}
			ds := judge(t, prefix+e)
			for _, d := range ds {
				for _, f := range d.Fixes {
					fixes++
					edited := e
					for i := len(f.Edits) - 1; i >= 0; i-- {
						ed := f.Edits[i]
						edited = edited[:ed.Start-4] + ed.Text + edited[ed.End-4:]
					}
					if after := judge(t, prefix+edited); len(after) >= len(ds) {
						t.Errorf("%s\n%s\n%s\nafterwards: %s", e, f.Title, edited, report(after))
					}
				}
			}
		}
	}
	if fixes < 40 {
		t.Errorf("only %d fixes are offered", fixes)
	}
}
