package dspi_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/tools/txtar"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/parser/format"
)

var update = flag.Bool("update", false, "rewrite golden files")

// tourFiles are the programs of examples/tour.
func tourFiles(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("examples/tour/*.dsp")
	if err != nil || len(paths) != 8 {
		t.Fatalf("the tour has %d programs, want 8 (%v)", len(paths), err)
	}
	return paths
}

// TestTour: each file of the tour checks with no diagnostic, is its own format,
// and plans. What keeps a plan from being run may only be what this version does
// not have yet.
func TestTour(t *testing.T) {
	for _, path := range tourFiles(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			src, err := dspi.Load(path)
			if err != nil {
				t.Fatal(err)
			}
			project, diags := dspi.Check(src)
			if len(diags) > 0 {
				t.Fatalf("it does not check:\n%s", rendered(t, path, src.File.Source.Text, diags))
			}
			if got := string(format.File(src.File)); got != src.File.Source.Text {
				t.Errorf("it is not its own format, which is\n%s", got)
			}
			for _, p := range project.Programs {
				plan, diags, err := dspi.Sketch(project, dspi.PlanOptions{Program: p.Name, Getenv: func(string) string { return "a value" }})
				if err != nil {
					t.Fatal(err)
				}
				for _, d := range diags {
					t.Errorf("%s: %s: %s", p.Name, d.Code, d.Primary.Text)
				}
				if len(plan.Ops) == 0 || !strings.HasPrefix(plan.String(), "program "+p.Name) {
					t.Errorf("the plan of %s is\n%s", p.Name, plan)
				}
			}
		})
	}
}

// misplaced lists deletions (see TestDeletedLines) after which a message stands
// elsewhere, with the reason. At most 3 % of all lines may be here.
var misplaced = map[string]string{
	"05_flow.dsp:18":  "without its `when` a step is never skipped, which is a mistake of the step that runs otherwise",
	"06_hybrid.dsp:9": "without its own signature the step has the program's, so that two steps make an output of the program",
}

// TestDeletedLines deletes each line of each file of the tour. What is left is a
// valid program, or what is said of it stands in the block that held the line or
// at a use of a name that was declared on it. Fifty of the messages are kept in
// testdata/deletions.txtar.
func TestDeletedLines(t *testing.T) {
	type message struct{ name, text string }
	var all []message
	lines, used := 0, map[string]bool{}
	for _, path := range tourFiles(t) {
		src, err := dspi.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		text := src.File.Source.Text
		rows := strings.SplitAfter(text, "\n")
		for i, row := range rows {
			if row == "" {
				continue
			}
			lines++
			less := strings.Join(slices.Concat(rows[:i], rows[i+1:]), "")
			cut := dspi.Parse(path, less)
			_, diags := dspi.Check(cut)
			if len(diags) == 0 {
				continue
			}
			name := fmt.Sprintf("%s:%d", filepath.Base(path), i+1)
			from, to := heldBy(src.File, i+1)
			names := declaredOn(src.File, i+1)
			for _, d := range diags {
				at := d.Primary
				l := at.File.LineOf(at.Start)
				if l > i {
					l++ // the line in the file before the deletion
				}
				if l >= from && l <= to || slices.ContainsFunc(wordsOf(at.Place.Text()), func(w string) bool { return slices.Contains(names, w) }) {
					continue
				}
				if _, known := misplaced[name]; known {
					used[name] = true
					continue
				}
				t.Errorf("%s: without the line %q, which stands in the lines %d to %d, this is said of line %d:\n%s", name, row, from, to, l, rendered(t, path, less, diag.List{d}))
			}
			all = append(all, message{name, "- " + row + "\n" + rendered(t, path, less, diags)})
		}
	}
	for name, why := range misplaced {
		if !used[name] {
			t.Errorf("%s (%s) is no exception any more", name, why)
		}
	}
	t.Logf("%d lines, of which %d give messages when they are missing; %d exceptions", lines, len(all), len(misplaced))
	if len(misplaced)*100 > 3*lines {
		t.Errorf("%d exceptions for %d lines are more than 3 %%", len(misplaced), lines)
	}
	const kept = 50
	if len(all) < kept {
		t.Fatalf("only %d lines give messages", len(all))
	}
	got := &txtar.Archive{Comment: []byte("Messages about the files of examples/tour when one line is missing. Made by TestDeletedLines -update.\n\n")}
	for k := range kept {
		m := all[k*len(all)/kept]
		got.Files = append(got.Files, txtar.File{Name: m.name, Data: []byte(m.text)})
	}
	golden(t, "testdata/deletions.txtar", txtar.Format(got))
}

// heldBy returns the lines of the block that holds a line: the innermost one that
// begins before it and ends behind it, else the block at the top that begins or
// ends on it. A line outside any block is held by itself.
func heldBy(f *syntax.File, line int) (from, to int) {
	from, to = line, line
	var visit func(items []syntax.Item, top bool)
	visit = func(items []syntax.Item, top bool) {
		for _, it := range items {
			b, ok := it.(*syntax.Block)
			if !ok || b.Body == nil {
				continue
			}
			first, last := f.Source.LineOf(b.Start), f.Source.LineOf(b.End-1)
			if first < line && line < last || top && (first == line || last == line) {
				from, to = first, last
			}
			visit(b.Body.Items, false)
		}
	}
	visit(f.Items, true)
	return from, to
}

// declaredOn returns the names that are declared on a line.
func declaredOn(f *syntax.File, line int) []string {
	var out []string
	add := func(id syntax.Ident) {
		if f.Source.LineOf(id.Start) == line {
			out = append(out, id.Name)
		}
	}
	for _, it := range f.Items {
		syntax.Walk(it, func(n syntax.Node) bool {
			switch n := n.(type) {
			case *syntax.Block:
				for _, l := range n.Labels {
					add(l.Ident)
				}
			case *syntax.TypeAlias:
				add(n.Name)
			case *syntax.Field:
				add(n.Name)
			case *syntax.Let:
				add(n.Name)
			case *syntax.Attribute:
				add(n.Name)
			case *syntax.EnumMember:
				add(n.Name)
			}
			return true
		})
	}
	return out
}

func wordsOf(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// rendered is what people read of diagnostics about a file.
func rendered(t *testing.T, name, text string, diags diag.List) string {
	t.Helper()
	var b strings.Builder
	err := diag.Text(&b, diags.Reports(), diag.TextOptions{Source: func(n string) (string, bool) { return text, n == name }})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// golden compares got with a file, or writes it there.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != string(got) {
		t.Errorf("%s is not current; go test -run %s -update rewrites it to\n%s", path, t.Name(), got)
	}
}
