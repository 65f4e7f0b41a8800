package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/dspi-lang/dspi/lang/diag"
)

// TestPages runs the commands on the pages of the codes: the wrong ones give the
// code of their page, the right ones do not. Examples marked `show` need a server
// or a person and are not run, nor is what puts them right.
func TestPages(t *testing.T) {
	ran := 0
	for _, e := range diag.Catalogue() {
		shown := false
		for _, ex := range diag.Examples(e.Code) {
			shown = shown || ex.Kind == "show"
			if ex.Format != "txtar" || shown {
				continue
			}
			ran++
			t.Run(string(e.Code)+"/"+ex.Kind, func(t *testing.T) {
				archive := txtar.Parse([]byte(ex.Text))
				t.Chdir(t.TempDir())
				for _, f := range archive.Files {
					writeFile(t, filepath.FromSlash(f.Name), string(f.Data))
				}
				command, _ := strings.CutPrefix(strings.TrimSpace(string(archive.Comment)), "$ dspi ")
				args := shellWords(t, command)
				var out, errs bytes.Buffer
				a := newApp(strings.NewReader(""), &out, &errs, nil)
				root := newRoot(a)
				root.SetArgs(args)
				status := a.report(root.ExecuteContext(t.Context()))
				said := errs.String() + out.String()
				if has := strings.Contains(said, string(e.Code)); has != (ex.Kind == "run") {
					t.Errorf("$ dspi %s\nexit status %d\n%s", command, status, said)
				}
				if ex.Kind == "right" && status != exitFine {
					t.Errorf("$ dspi %s\nexit status %d\n%s", command, status, said)
				}
			})
		}
	}
	if ran < 10 {
		t.Errorf("%d commands were run", ran)
	}
}

// shellWords parts a command line at spaces outside quotes, as a shell does.
func shellWords(t *testing.T, line string) []string {
	t.Helper()
	var words []string
	word, open := "", false
	quote := rune(0)
	for _, r := range line {
		switch {
		case r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote, open = r, true
		case r == ' ' && quote == 0:
			if open {
				words = append(words, word)
			}
			word, open = "", false
		default:
			word, open = word+string(r), true
		}
	}
	if quote != 0 {
		t.Fatalf("a quote is open in %q", line)
	}
	if open {
		words = append(words, word)
	}
	return words
}
