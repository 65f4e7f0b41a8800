package diag

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// TestPages: every code has a page of the agreed form, and no page is left over.
func TestPages(t *testing.T) {
	files, err := fs.Glob(pageFiles, "pages/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		code := strings.TrimSuffix(filepath.Base(f), ".md")
		if _, ok := Lookup(Code(code)); !ok {
			t.Errorf("%s: there is no such code", f)
		}
	}
	for _, e := range Catalogue() {
		page, ok := Page(e.Code)
		if !ok {
			t.Errorf("%s has no page", e.Code)
			continue
		}
		if !strings.HasPrefix(page, fmt.Sprintf("# %s %s\n\n", e.Code, e.Title)) {
			t.Errorf("%s: no heading", e.Code)
		}
		for _, fault := range pageFaults(pages()[e.Code]) {
			t.Errorf("%s: %s", e.Code, fault)
		}
	}
}

// pageFaults says what is wrong with the form of a page: prose, what goes wrong,
// prose, what is right.
func pageFaults(page string) []string {
	var faults []string
	add := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	ps := parts(page)
	if len(ps) != 4 || ps[0].fence != "" || ps[1].fence == "" || ps[2].fence != "" || ps[3].fence == "" {
		return []string{"not prose, example, prose, example"}
	}
	for _, i := range []int{0, 2} {
		text := strings.TrimSpace(ps[i].text)
		if len(text) < 20 || strings.HasPrefix(text, "#") {
			add("prose %d is missing or a heading", i/2+1)
		}
		if strings.Count(text, "`")%2 != 0 {
			add("odd number of backticks")
		}
		for line := range strings.Lines(text) {
			if strings.Count(line, "`")%2 != 0 {
				add("code goes over the end of a line: %q", line)
			}
		}
		for _, scolding := range []string{"invalid", "illegal", "you must", "obviously"} {
			if strings.Contains(strings.ToLower(text), scolding) {
				add("says %q", scolding)
			}
		}
	}
	if !slices.Contains([]string{"dsp wrong", "txtar run", "txtar show"}, ps[1].fence) {
		add("first example is %q", ps[1].fence)
	}
	if !slices.Contains([]string{"dsp right", "txtar right"}, ps[3].fence) {
		add("second example is %q", ps[3].fence)
	}
	if ps[1].text == ps[3].text {
		add("both examples are the same")
	}
	for _, p := range []part{ps[1], ps[3]} {
		if !strings.HasPrefix(p.fence, "txtar") {
			continue
		}
		archive := txtar.Parse([]byte(p.text))
		command := string(archive.Comment)
		if !strings.HasPrefix(command, "$ dspi ") || strings.Count(command, "\n") != 1 {
			add("no command line in %q", command)
		}
		if len(archive.Files) == 0 {
			add("no files")
		}
	}
	return faults
}

func TestPageFaults(t *testing.T) {
	const good = "What is wrong, at some length.\n\n```dsp wrong\na\n```\n\nWhat to do, at some length.\n\n```dsp right\nb\n```\n"
	if faults := pageFaults(good); len(faults) > 0 {
		t.Error(faults)
	}
	for old, new := range map[string]string{
		"What to do, at some length.\n": "", "dsp right": "dsp", "What is": "# What is", "to do": "to `do",
		"dsp wrong": "txtar run", "\nb\n": "\na\n", "at some": "invalid, at some",
	} {
		if faults := pageFaults(strings.Replace(good, old, new, 1)); len(faults) == 0 {
			t.Errorf("%q for %q is not found", new, old)
		}
	}
}

func TestExamples(t *testing.T) {
	got := Examples("E0101")
	if len(got) != 2 || got[0].Format != "dsp" || got[0].Kind != "wrong" || !strings.Contains(got[0].Text, "=>") ||
		got[1].Kind != "right" || !strings.Contains(got[1].Text, "->") {
		t.Errorf("%+v", got)
	}
	if got := Examples("E9999"); got != nil {
		t.Errorf("%+v", got)
	}
}

func TestExplain(t *testing.T) {
	for _, code := range []Code{"E0401", "e0401", " E0401\n"} {
		got, err := Explain(code)
		if err != nil || !strings.HasPrefix(got, "error[E0401]: steps wait for each other\n\n") ||
			strings.Contains(got, "```") || !strings.Contains(got, "\n    program write {\n") {
			t.Errorf("Explain(%q) = %v\n%s", code, err, got)
		}
	}
	for code, want := range map[Code]string{
		"401":     "did you mean E0401 (steps wait for each other)?",
		"W0401":   "did you mean E0401",
		"101":     "did you mean E0101 (wrong arrow in a signature) or W0101 (type that is one fixed value)?",
		"E0499":   "\n    E0401  steps wait for each other\n",
		"04":      "These are about order of steps:\n",
		"E9":      "\n    E06xx  while running",
		"":        "\n    E01xx  writing\n",
		"nothing": "there is no code \"nothing\"",
		"\x1b[1m": "there is no code \"",
	} {
		got, err := Explain(code)
		if err == nil || !strings.Contains(err.Error(), want) || got != "" || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("Explain(%q) = %v; want %q", code, err, want)
		}
	}
}

const docsFolder = "../../docs/diagnostics"

// TestDocs: docs/diagnostics is what the catalogue and the pages say.
// `go test ./lang/diag -run TestDocs -update` writes it anew.
func TestDocs(t *testing.T) {
	want := docs()
	have, err := filepath.Glob(docsFolder + "/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range have {
		if _, ok := want[filepath.Base(path)]; ok {
			continue
		}
		if !*update {
			t.Errorf("%s is left over: write the folder anew with -update", path)
		} else if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range want {
		path := filepath.Join(docsFolder, name)
		if old, err := os.ReadFile(path); err == nil && string(old) == text {
			continue
		}
		if !*update {
			t.Errorf("%s is not current: write the folder anew with -update", path)
			continue
		}
		if err := os.MkdirAll(docsFolder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// docs returns the files of docs/diagnostics.
func docs() map[string]string {
	files := map[string]string{}
	var index strings.Builder
	index.WriteString(`# Diagnostics

Every message of dspi has a code. ` + "`E…`" + ` is an error: the program does not run. ` + "`W…`" + ` is a
warning. ` + "`dspi explain CODE`" + ` prints the page of a code.

This folder is made from lang/diag: its catalogue and its pages.
`)
	for _, a := range Areas() {
		fmt.Fprintf(&index, "\n## %sxx: %s\n\n| code | |\n|---|---|\n", a.Prefix, a.Title)
		for _, e := range Catalogue() {
			if !strings.HasPrefix(string(e.Code[1:]), a.Prefix) {
				continue
			}
			fmt.Fprintf(&index, "| [%s](%s.md) | %s |\n", e.Code, e.Code, e.Title)
			page, _ := Page(e.Code)
			files[string(e.Code)+".md"] = page
		}
	}
	files["README.md"] = index.String()
	return files
}
