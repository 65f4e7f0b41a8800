package lsp_test

import (
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lsp"
	"github.com/dspi-lang/dspi/lsp/protocol"
	"github.com/dspi-lang/dspi/lsp/snapshot"
)

// TestLineEnds asks for each action of the archives in a text whose lines end with
// CRLF: the same are offered as else, and what they put in ends its lines likewise.
func TestLineEnds(t *testing.T) {
	paths, err := filepath.Glob("testdata/refactor/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	paths = append(paths, "testdata/actions/fixes.txtar")
	several := 0
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		for _, f := range archive.Files {
			if f.Name != "main.dsp" {
				continue
			}
			text, marks := unmarked(string(f.Data))
			offered := func(text string, at int32) (out []protocol.CodeAction) {
				s := snapshot.NewSession(options())
				for _, other := range archive.Files {
					if other.Name != "main.dsp" && other.Name != "want" {
						s.Open(filepath.Join(dir, other.Name), 1, string(other.Data))
					}
				}
				s.Open(filepath.Join(dir, f.Name), 1, text)
				v, err := lsp.Look(s.Snapshot(), filepath.Join(dir, f.Name))
				if err != nil {
					t.Fatal(err)
				}
				out = append(lsp.Actions(v, source.Span{Start: at, End: at}), lsp.Refactorings(v, source.Span{Start: at, End: at}, nil)...)
				return append(out, lsp.Refactorings(v, source.Span{Start: at, End: at}, []protocol.CodeActionKind{protocol.OrganizeImports})...)
			}
			for _, at := range append(marks, 0, int32(len(text))/2) {
				plain := offered(text, at)
				ended := offered(strings.ReplaceAll(text, "\n", "\r\n"), at+int32(strings.Count(text[:at], "\n")))
				if len(plain) != len(ended) {
					t.Errorf("%s at %d: %d actions, and %d where lines end with CRLF", path, at, len(plain), len(ended))
					continue
				}
				for i, a := range ended {
					if a.Title != plain[i].Title {
						t.Errorf("%s at %d: %q, not %q", path, at, a.Title, plain[i].Title)
					}
					for u, list := range a.Edit.Changes {
						for k, e := range list {
							want := strings.ReplaceAll(plain[i].Edit.Changes[u][k].NewText, "\n", "\r\n")
							if e.NewText != want {
								t.Errorf("%s at %d: %s puts in %q, want %q", path, at, a.Title, e.NewText, want)
							}
							several += strings.Count(want, "\n")
						}
					}
				}
			}
		}
	}
	if several < 20 {
		t.Errorf("only %d lines were put in", several)
	}
}
