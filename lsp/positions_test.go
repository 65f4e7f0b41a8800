package lsp_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/dspi-lang/dspi/lsp"
	"github.com/dspi-lang/dspi/lsp/snapshot"
)

// TestPositions compares what is offered at each of many places: the first five
// names. -update writes them.
func TestPositions(t *testing.T) {
	const path = "testdata/positions/positions.txtar"
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	contexts := map[string]string{}
	var prelude string
	var rows *txtar.File
	for i, f := range archive.Files {
		switch name, is := strings.CutPrefix(f.Name, "context/"); {
		case is:
			contexts[name] = string(f.Data)
		case f.Name == "prelude":
			prelude = string(f.Data)
		case f.Name == "rows":
			rows = &archive.Files[i]
		default:
			if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	lines := strings.Split(strings.TrimRight(string(rows.Data), "\n"), "\n")
	if len(lines) < 150 {
		t.Errorf("%d places", len(lines))
	}
	main := filepath.Join(dir, "main.dsp")
	for i, line := range lines {
		row, want, _ := strings.Cut(line, " =>")
		name, text, _ := strings.Cut(row, ": ")
		around, ok := contexts[name]
		if !ok {
			t.Fatalf("%q: there is no context %q", line, name)
		}
		text, marks := unmarked(prelude + strings.Replace(around, "@@", text, 1))
		if len(marks) != 1 {
			t.Fatalf("%q has %d marks", line, len(marks))
		}
		var got string
		for _, known := range []bool{false, true} { // nothing of the text, or all that is said of it
			s := snapshot.NewSession(options())
			s.Open(main, 1, text)
			if known {
				if _, err := s.Snapshot().Check(main); err != nil {
					t.Fatal(err)
				}
			}
			got = firstFive(t, s.Snapshot(), main, marks[0])
			if got != strings.TrimSpace(want) && !*update {
				t.Errorf("%s\ngives %s\n want %s\n(checked before: %t)", row, got, want, known)
			}
		}
		lines[i] = strings.TrimRight(row+" => "+got, " ")
	}
	if *update {
		rows.Data = []byte(strings.Join(lines, "\n") + "\n")
		if err := os.WriteFile(path, txtar.Format(archive), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func firstFive(t *testing.T, s *snapshot.Snapshot, path string, offset int32) string {
	v, err := lsp.Look(s, path)
	if err != nil {
		t.Fatal(err)
	}
	var first []string
	for _, it := range lsp.Complete(v, offset).Items {
		if first = append(first, it.Label); len(first) == 5 {
			break
		}
	}
	return strings.Join(first, " ")
}
