//go:build postgres

package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPostgresExample: examples/rag-postgres, whose program is that of examples/rag,
// finds the same for every question, with the same scores, answers the same, and shows
// what its README says.
func TestPostgresExample(t *testing.T) {
	url := os.Getenv("DSPI_POSTGRES")
	if url == "" {
		t.Fatal("DSPI_POSTGRES names no Postgres: make test-postgres starts one")
	}
	dir := examplesIn(t, "rag", "rag-postgres")
	hcl := filepath.Join(dir, "rag-postgres/dspi.hcl") // in a schema that no other run has
	own := strings.Replace(readWhole(t, hcl), `"trams"`, fmt.Sprintf(`"trams_%x"`, rand.Uint64()), 1)
	writeFile(t, hcl, own)
	run := func(folder string, args ...string) string {
		t.Helper()
		cmd := command(t.Context(), args...)
		cmd.Dir = filepath.Join(dir, folder)
		if folder == "rag-postgres" {
			cmd.Env = append(cmd.Env, "TRAM_POSTGRES="+url)
		}
		return finishIn(t, cmd)
	}
	if said := run("rag-postgres", "index", "rag.dsp"); !strings.Contains(said, "50 passages written, 50 vectors made") || !strings.Contains(said, "(table trams_") {
		t.Errorf("dspi index says %s", said)
	}
	if said := run("rag-postgres", "index", "rag.dsp"); !strings.Contains(said, "50 passages, nothing has changed") {
		t.Errorf("dspi index says %s", said)
	}
	rows, err := csv.NewReader(strings.NewReader(readWhole(t, filepath.Join(dir, "rag/questions.csv")))).ReadAll()
	if err != nil || len(rows) != 21 {
		t.Fatalf("%d questions (%v)", len(rows)-1, err)
	}
	for _, row := range rows[1:] {
		for _, where := range []string{"true", `not (file startsWith "riders/")`} {
			args := []string{"search", "rag.dsp", row[0], "-k", "10", "--json", "--where", where}
			near(t, row[0], run("rag", args...), run("rag-postgres", args...))
		}
	}
	answers := func(folder string) (outputs []string) {
		for line := range strings.Lines(run(folder, "run", "rag.dsp", "--each", "../rag/questions.csv")) {
			var x struct{ Outputs json.RawMessage }
			if err := json.Unmarshal([]byte(line), &x); err != nil {
				t.Fatal(err)
			}
			outputs = append(outputs, string(x.Outputs))
		}
		return outputs
	}
	before, after := answers("rag"), answers("rag-postgres")
	if len(before) != 20 || strings.Join(before, "\n") != strings.Join(after, "\n") {
		t.Errorf("in a file it answers\n%s\nand in Postgres\n%s", before, after)
	}
	if said := run("rag-postgres", "test", "rag.dsp"); strings.Count("\n"+said, "\nok ") != 3 {
		t.Errorf("dspi test says %s", said)
	}
	examplePage(t, "rag-postgres", dir, "TRAM_POSTGRES="+url)
}

// near compares two searches: the same passages in the same order, and scores that are
// equal but for rounding.
func near(t *testing.T, query, one, other string) {
	t.Helper()
	type hits struct {
		Hits []struct {
			ID    string
			Score float64
		}
	}
	read := func(text string) (x hits) {
		t.Helper()
		if err := json.Unmarshal([]byte(text), &x); err != nil {
			t.Fatal(err)
		}
		return x
	}
	a, b := read(one), read(other)
	same := len(a.Hits) == len(b.Hits) && len(a.Hits) > 0
	for i := 0; same && i < len(a.Hits); i++ {
		d := a.Hits[i].Score - b.Hits[i].Score
		same = a.Hits[i].ID == b.Hits[i].ID && d < 1e-9 && d > -1e-9
	}
	if !same {
		t.Errorf("%s: in a file\n%s\nin Postgres\n%s", query, one, other)
	}
}
