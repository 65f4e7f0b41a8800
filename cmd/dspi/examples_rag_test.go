package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// examplesIn copies folders of examples, side by side, into a folder of their own: what
// runs leave there is not left in the project.
func examplesIn(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		from := filepath.Join("../../examples", name)
		err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() {
				if d.Name() == ".dspi" {
					return fs.SkipDir
				}
				return nil
			}
			part, err := filepath.Rel(from, path)
			if err != nil {
				return err
			}
			writeFile(t, filepath.Join(dir, name, part), readWhole(t, path))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// examplePage runs the README of an example in a copy of it.
func examplePage(t *testing.T, name, dir string, env ...string) {
	t.Helper()
	p := &pageRun{t: t, path: filepath.Join("../../examples", name, "README.md"), dir: filepath.Join(dir, name), env: env}
	if p.run(); p.ran < 3 {
		t.Errorf("the page has %d commands", p.ran)
	}
}

// TestExampleFolders: each program of a folder is laid out, checks and plans, its tests
// pass, the commands in its comment work, and its README shows what is printed.
func TestExampleFolders(t *testing.T) {
	for _, c := range []struct{ name, file, tests string }{
		{"rag", "rag.dsp", "test rag.dsp"},
		{"search-agent", "agent.dsp", "test agent.dsp --model scripted/plays.jsonl"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := examplesIn(t, c.name)
			in := func(line string) ranCommand {
				cmd := command(t.Context(), words(line)...)
				cmd.Dir = filepath.Join(dir, c.name)
				return finish(t, t.Context(), cmd)
			}
			in("check "+c.file).want(t, 0, "1 file, no mistakes\n")
			in("fmt --check "+c.file).want(t, 0, "")
			text := readWhole(t, filepath.Join(dir, c.name, c.file))
			for line := range strings.Lines(text) {
				if name, ok := strings.CutPrefix(line, "program "); ok {
					name, _, _ = strings.Cut(name, " ")
					if got := in("plan " + c.file + " " + name); got.code != 0 || got.stdout == "" {
						t.Errorf("plan %s: exit status %d\n%s", name, got.code, got.stderr)
					}
				}
			}
			if got := in(c.tests); got.code != 0 {
				t.Errorf("%s: exit status %d\n%s%s", c.tests, got.code, got.stdout, got.stderr)
			}
			lines := commands(text)
			if len(lines) < 3 {
				t.Errorf("the comment says with %q how it is run", lines)
			}
			for _, line := range lines {
				if got := in(strings.TrimPrefix(line, "dspi ")); got.code != 0 || got.stdout == "" {
					t.Errorf("%s: exit status %d\n%s", line, got.code, got.stderr)
				}
			}
			examplePage(t, c.name, examplesIn(t, c.name))
		})
	}
}

// TestExamplesOfOneProgram: what moves the index to Postgres is the dspi.hcl, not the
// program.
func TestExamplesOfOneProgram(t *testing.T) {
	if readWhole(t, "../../examples/rag/rag.dsp") != readWhole(t, "../../examples/rag-postgres/rag.dsp") {
		t.Error("rag and rag-postgres are two programs: cp examples/rag/rag.dsp examples/rag-postgres/rag.dsp")
	}
	dir := examplesIn(t, "rag", "rag-postgres")
	cmd := command(t.Context(), "search", "rag.dsp", "wheels")
	cmd.Dir = filepath.Join(dir, "rag-postgres")
	got := finish(t, t.Context(), cmd)
	if got.code != 1 || !strings.Contains(got.stderr, "TRAM_POSTGRES is not set") {
		t.Errorf("without an address: exit status %d\n%s", got.code, got.stderr)
	}
	if _, err := os.Stat(filepath.Join(dir, "rag-postgres", ".dspi", "index")); err == nil {
		t.Error("it made a file of an index that belongs into a Postgres")
	}
}
