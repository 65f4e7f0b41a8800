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
		s := snapshot.NewSession(options())
		s.Open(main, 1, text)
		v, err := lsp.Look(s.Snapshot(), main)
		if err != nil {
			t.Fatal(err)
		}
		var first []string
		for _, it := range lsp.Complete(v, marks[0]).Items {
			if first = append(first, it.Label); len(first) == 5 {
				break
			}
		}
		got := strings.Join(first, " ")
		if got != strings.TrimSpace(want) && !*update {
			t.Errorf("%s\ngives %s\n want %s", row, got, want)
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
