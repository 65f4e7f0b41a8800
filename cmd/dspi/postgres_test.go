//go:build postgres

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPostgresSameProgram: a program does not change when its index moves to
// Postgres: dspi.hcl says so. What it finds is the same, and the next index goes on
// where the first ended.
func TestPostgresSameProgram(t *testing.T) {
	url := os.Getenv("DSPI_POSTGRES")
	if url == "" {
		t.Fatal("DSPI_POSTGRES names no Postgres: make test-postgres starts one")
	}
	dir := t.TempDir()
	for _, name := range []string{"03_rag.dsp", "data/wiki.jsonl"} {
		text, err := os.ReadFile(filepath.Join("../../examples/tour", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o777); err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(dir, name), strings.Replace(string(text), `  text = "text"`+"\n", "  text = \"text\"\n  embedder = \"builtin/hash\"\n", 1))
	}
	run := func(args ...string) string {
		t.Helper()
		cmd := command(t.Context(), args...)
		cmd.Dir = dir
		cmd.Env = append(cmd.Env, "TEST_POSTGRES="+url)
		return finishIn(t, cmd)
	}
	question := "question=Which river flows through Paris?"
	before := run("run", "03_rag.dsp", question, "--model", "builtin/incontext")
	hits := run("search", "03_rag.dsp", "Who was the first woman in space?", "--json")
	writeFile(t, filepath.Join(dir, "dspi.hcl"), fmt.Sprintf("retrieval {\n  store  = \"env:TEST_POSTGRES\"\n  schema = \"dspi_%x\"\n  search = \"exact\"\n}\n", rand.Uint64()))
	if said := run("index", "03_rag.dsp"); !strings.Contains(said, "232 passages written, 232 vectors made of 5055 tokens; in postgres://") {
		t.Errorf("dspi index says %s", said)
	}
	if said := run("index", "03_rag.dsp"); !strings.Contains(said, "232 passages, nothing has changed") {
		t.Errorf("dspi index says %s", said)
	}
	if after := run("run", "03_rag.dsp", question, "--model", "builtin/incontext"); after != before {
		t.Errorf("with Postgres it answers\n%s\nand before\n%s", after, before)
	}
	ids := func(s string) (out []string) {
		for _, part := range strings.Split(s, `"id":"`)[1:] {
			id, _, _ := strings.Cut(part, `"`)
			out = append(out, id)
		}
		return out
	}
	if after := run("search", "03_rag.dsp", "Who was the first woman in space?", "--json"); strings.Join(ids(after), " ") != strings.Join(ids(hits), " ") {
		t.Errorf("with Postgres it finds %v, and before %v", ids(after), ids(hits))
	}
	// A corpus that changed is noticed by a run.
	f, err := os.OpenFile(filepath.Join(dir, "data/wiki.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(f, `{"id": "new", "title": "Zanzibar quokka", "text": "The zanzibar quokka eats only thistles."}`)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if said := run("run", "03_rag.dsp", "question=What does the zanzibar quokka eat?", "--model", "builtin/incontext"); !strings.Contains(said, "thistles") {
		t.Errorf("after a change it answers %s", said)
	}
}
