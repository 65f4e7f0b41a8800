//go:build results

package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/evaluate"
)

// TestResultsEmbedder measures how well a real embedding model finds the page of the
// handbook that answers a question, asked in the words of the page and in others. The
// model is a function in Python, DSPI_EMBEDDER: module:function, in a file of the
// folder DSPI_EMBEDDER_FOLDER.
func TestResultsEmbedder(t *testing.T) {
	call, folder := os.Getenv("DSPI_EMBEDDER"), os.Getenv("DSPI_EMBEDDER_FOLDER")
	if call == "" {
		t.Log("no embedder is given: make results-embedder")
		return
	}
	dir := examplesIn(t, "rag")
	module, _, _ := strings.Cut(call, ":")
	writeFile(t, filepath.Join(dir, "rag", module+".py"), readWhole(t, filepath.Join(folder, module+".py")))
	names := []string{"words", "hash", "vectors", "both"}
	var text strings.Builder
	for i, how := range []string{``, `method = "vector", embedder = "builtin/hash"`, `method = "vector", embedder = "python/` + call + `"`, `method = "hybrid", embedder = "python/` + call + `"`} {
		fmt.Fprintf(&text, `
retriever by_%[1]s {
  folder = "handbook", pattern = "**/*.md", max_length = 600, overlap = 80
  %[2]s
}
program %[1]s {
  question: string -> ids: list[string]
  retrieve docs {
    from = retriever.by_%[1]s
    k    = 10
    inputs { query = question }
  }
  outputs { ids = docs.ids }
}
`, names[i], strings.ReplaceAll(how, ", embedder", "\n  embedder"))
	}
	writeFile(t, filepath.Join(dir, "rag", "measure.dsp"), strings.ReplaceAll(text.String(), ", ", "\n  "))
	rows, err := csv.NewReader(strings.NewReader(readWhole(t, "testdata/minilm/questions.csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	rows = rows[1:]
	var asked strings.Builder
	for _, at := range []int{0, 2} {
		for _, row := range rows {
			line, _ := json.Marshal(map[string]string{"question": row[at]})
			asked.Write(append(line, '\n'))
		}
	}
	writeFile(t, filepath.Join(dir, "rag", "asked.jsonl"), asked.String())
	scores := map[string][2][]float64{} // 1/rank of the right page among ten passages; by the words of the page, by others
	for _, name := range names {
		cmd := exec.CommandContext(t.Context(), "dspi", "run", "measure.dsp", name, "--each", "asked.jsonl")
		cmd.Dir = filepath.Join(dir, "rag")
		out, err := cmd.Output()
		if err != nil {
			var exit *exec.ExitError
			errors.As(err, &exit)
			t.Fatalf("%v\n%s", err, exit.Stderr)
		}
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		if len(lines) != 2*len(rows) {
			t.Fatalf("%d lines for %d questions", len(lines), 2*len(rows))
		}
		var both [2][]float64
		for i, line := range lines {
			var found struct{ Outputs struct{ IDs []string } }
			if err := json.Unmarshal([]byte(line), &found); err != nil {
				t.Fatal(err)
			}
			score := 0.0
			for rank, id := range found.Outputs.IDs {
				if strings.HasPrefix(id, rows[i%len(rows)][1]+"#") {
					score = 1 / float64(rank+1)
					break
				}
			}
			both[i/len(rows)] = append(both[i/len(rows)], score)
		}
		scores[name] = both
		t.Logf("%-8s the page's words %.3f, other words %.3f", name, evaluate.Mean(both[0]), evaluate.Mean(both[1]))
	}
	compare := func(a, b string, i int, of string) {
		var diffs []float64
		for n := range rows {
			diffs = append(diffs, scores[a][i][n]-scores[b][i][n])
		}
		at := evaluate.BootstrapMean(diffs)
		t.Logf("%s less %s, %s: %+.3f (%.3f to %.3f)", a, b, of, evaluate.Mean(diffs), at.Low, at.High)
	}
	for i, of := range []string{"the page's words", "other words"} {
		compare("vectors", "words", i, of)
		compare("both", "words", i, of)
		compare("both", "vectors", i, of)
	}
}
