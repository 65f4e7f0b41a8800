package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestResultsBanking77 measures the main job on real messages: the rows of
// banking77's test set whose category is one of the first fifteen in byte order.
// It needs the data: make results DATA=FOLDER.
//
// Three times the same rows: the baseline in the process; the same model behind
// an HTTP server; and, as the control, with labels that are random texts, where a
// model that reads the prompt can do no better than chance.
func TestResultsBanking77(t *testing.T) {
	data := os.Getenv("DSPI_DATA")
	if data == "" {
		t.Log("DSPI_DATA is not set: nothing is measured; make results DATA=FOLDER")
		return
	}
	texts, want, labels := banking77(t, filepath.Join(data, "banking77", "test.csv"), 15)
	if len(texts) != 600 {
		t.Fatalf("%d rows, want 600", len(texts))
	}
	dir := t.TempDir()
	rows := filepath.Join(dir, "rows.csv")
	writeRows(t, rows, texts)

	plain := filepath.Join(dir, "plain.dsp")
	writeFile(t, plain, classifier(labels, ""))
	alone := outputs(t, runDspi(t, "run", plain, "--each", rows, "--model", "builtin/incontext"))

	s := serve(t, protocols[0], nil)
	served := filepath.Join(dir, "served.dsp")
	writeFile(t, served, classifier(labels, s.URL+s.base))
	remote := outputs(t, runDspi(t, "run", served, "--each", rows, "--concurrency", "16"))
	if !slices.Equal(alone, remote) {
		t.Error("the model behind HTTP answers otherwise than in the process")
	}
	if s.count() != 600 {
		t.Errorf("%d requests, want 600", s.count())
	}

	hidden := map[string]string{}
	var random []string
	for _, label := range labels {
		sum := sha256.Sum256([]byte(label))
		hidden[label] = hex.EncodeToString(sum[:4])
		random = append(random, hidden[label])
	}
	control := filepath.Join(dir, "control.dsp")
	writeFile(t, control, classifier(random, ""))
	blind := outputs(t, runDspi(t, "run", control, "--each", rows, "--model", "builtin/incontext"))

	right, chance := 0, 0
	for i := range want {
		if alone[i] == want[i] {
			right++
		}
		if blind[i] == hidden[want[i]] {
			chance++
		}
	}
	t.Logf("banking77, %d rows, 15 labels, no demos:", len(want))
	t.Logf("  builtin/incontext           %s", share(right, len(want)))
	t.Logf("  the same behind HTTP        %d requests, outputs equal row by row: %t", s.count(), slices.Equal(alone, remote))
	t.Logf("  labels replaced by hashes   %s (chance %.1f %%)", share(chance, len(want)), 100.0/15)
	if float64(right) < 0.5*float64(len(want)) {
		t.Errorf("%d of %d right, want at least half", right, len(want))
	}
	if float64(chance) >= 0.12*float64(len(want)) {
		t.Errorf("%d of %d right with hidden labels, want under 12 %%", chance, len(want))
	}
}

// banking77 returns the rows of the first n categories in byte order.
func banking77(t *testing.T, path string, n int) (texts, categories, labels []string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, err := csv.NewReader(bufio.NewReader(f)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records[1:] {
		labels = append(labels, r[1])
	}
	slices.Sort(labels)
	labels = slices.Compact(labels)[:n]
	for _, r := range records[1:] {
		if slices.Contains(labels, r[1]) {
			texts, categories = append(texts, r[0]), append(categories, r[1])
		}
	}
	return texts, categories, labels
}

func writeRows(t *testing.T, path string, texts []string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := csv.NewWriter(f)
	_ = w.Write([]string{"text"})
	for _, text := range texts {
		_ = w.Write([]string{text})
	}
	w.Flush()
	if err := w.Error(); err != nil {
		t.Fatal(err)
	}
}

// classifier is a program that gives a text one of the labels; with an address
// it asks the server there.
func classifier(labels []string, url string) string {
	var quoted []string
	for _, label := range labels {
		quoted = append(quoted, fmt.Sprintf("%q", label))
	}
	model := ""
	if url != "" {
		model = fmt.Sprintf("variable key: string { default = env(\"TEST_KEY\"), sensitive = true }\n\nmodel served {\n  provider = \"openai\"\n  name     = \"test-model\"\n  base_url = %q\n  api_key  = var.key\n  default  = true\n}\n\n", url)
	}
	return model + "program classify {\n  text: string -> category: " + strings.Join(quoted, " | ") + "\n}\n"
}

// outputs returns the category of each row, in order; every row must have one.
func outputs(t *testing.T, got ranCommand) []string {
	t.Helper()
	if got.code != 0 {
		t.Fatalf("exit status %d\n%s", got.code, got.stderr)
	}
	var out []string
	for line := range strings.Lines(got.stdout) {
		var row struct {
			Row     int
			Outputs struct{ Category string }
		}
		if err := json.Unmarshal([]byte(line), &row); err != nil || row.Row != len(out)+1 || row.Outputs.Category == "" {
			t.Fatalf("row %d: %v: %s", len(out)+1, err, line)
		}
		out = append(out, row.Outputs.Category)
	}
	return out
}

// share writes k of n with its 95 % interval (Wilson).
func share(k, n int) string {
	const z = 1.959964
	p, m := float64(k)/float64(n), float64(n)
	mid := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return fmt.Sprintf("%.1f %% (%d of %d; 95 %% interval %.1f to %.1f)", 100*p, k, n, 100*(mid-half), 100*(mid+half))
}
