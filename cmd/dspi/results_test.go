//go:build results

package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The measurements of docs/results.md on real data, which is not part of the
// project: `make results DATA=FOLDER` gives the folder. Every run is a process of
// the command, as a person would start it. The build tag keeps them out of the
// tests that need no data.

// bankingClasses is how many of banking77's categories are asked for: the first
// in the order of their bytes.
const bankingClasses = 15

// TestResultsBanking77 sorts 600 questions of bank customers into 15 categories
// with the baseline, which has seen none of them: it knows the names of the
// categories and nothing else.
func TestResultsBanking77(t *testing.T) {
	data := readBanking(t, "test.csv")
	if len(data.rows) != 600 {
		t.Fatalf("%d rows of %d categories, want 600", len(data.rows), bankingClasses)
	}
	dir := t.TempDir()
	table := filepath.Join(dir, "rows.csv")
	data.write(t, table)

	// (a) the model in the process, without demos.
	begin := time.Now()
	program := filepath.Join(dir, "sort.dsp")
	writeFile(t, program, sortProgram(data.labels, ""))
	lines := eachRow(t, program, table, "--model", "builtin/incontext")
	took := time.Since(begin)
	answers := data.answers(t, lines, data.labels)
	right := data.right(answers)
	low, high := wilson(right, len(answers))
	t.Logf("(a) builtin/incontext, no demos: %d of %d right, %.1f %%, 95 %% interval %.1f to %.1f %%; %d typed rows; %.2f s",
		right, len(answers), percent(right, len(answers)), 100*low, 100*high, len(answers), took.Seconds())
	if right*2 < len(answers) {
		t.Errorf("%.1f %% right, want at least 50 %%", percent(right, len(answers)))
	}

	// (b) the same model behind a server that speaks chat completions.
	begin = time.Now()
	server := serve(t, protocols[0], nil)
	remote := filepath.Join(dir, "remote.dsp")
	writeFile(t, remote, sortProgram(data.labels, server.declared()))
	served := eachRow(t, remote, table)
	took = time.Since(begin)
	same := 0
	for i := range lines {
		if lines[i] == served[i] {
			same++
		} else {
			t.Errorf("row %d: %s here, %s over HTTP", i+1, lines[i], served[i])
		}
	}
	t.Logf("(b) the same model behind chat completions: %d of %d rows equal to (a), %d requests; %.2f s", same, len(lines), server.count(), took.Seconds())
	if server.count() != len(lines) {
		t.Errorf("%d requests, want %d", server.count(), len(lines))
	}

	// (c) random strings for the names of the categories: what is left is chance.
	for seed := range uint64(3) {
		labels := randomLabels(seed, len(data.labels))
		nonsense := filepath.Join(dir, fmt.Sprintf("random%d.dsp", seed))
		writeFile(t, nonsense, sortProgram(labels, ""))
		lines := eachRow(t, nonsense, table, "--model", "builtin/incontext")
		right := data.right(data.answers(t, lines, labels))
		low, high := wilson(right, len(lines))
		t.Logf("(c) random strings as labels, seed %d: %d of %d right, %.1f %%, 95 %% interval %.1f to %.1f %%",
			seed, right, len(lines), percent(right, len(lines)), 100*low, 100*high)
		if percent(right, len(lines)) >= 12 {
			t.Errorf("%.1f %% right with labels that say nothing, want under 12 %%", percent(right, len(lines)))
		}
	}
}

// banking is a part of the data set.
type banking struct {
	labels []string   // the categories
	rows   []question // of these categories, in the order of the file
}

type question struct {
	text  string
	label int
}

// readBanking reads the rows of the first categories from a file of DSPI_DATA.
func readBanking(t *testing.T, name string) banking {
	t.Helper()
	folder := os.Getenv("DSPI_DATA")
	if folder == "" {
		t.Fatal("DSPI_DATA names no folder: run `make results DATA=FOLDER`")
	}
	f, err := os.Open(filepath.Join(folder, "banking77", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(records[0], []string{"text", "category"}) {
		t.Fatalf("the columns are %q", records[0])
	}
	var data banking
	for _, r := range records[1:] {
		data.labels = append(data.labels, r[1])
	}
	slices.Sort(data.labels)
	data.labels = slices.Compact(data.labels)[:bankingClasses]
	for _, r := range records[1:] {
		if i, ok := slices.BinarySearch(data.labels, r[1]); ok {
			data.rows = append(data.rows, question{r[0], i})
		}
	}
	return data
}

// write writes the table that --each reads. The answers are not in it.
func (b banking) write(t *testing.T, path string) {
	t.Helper()
	var out strings.Builder
	w := csv.NewWriter(&out)
	_ = w.Write([]string{"text"})
	for _, q := range b.rows {
		_ = w.Write([]string{q.text})
	}
	w.Flush()
	writeFile(t, path, out.String())
}

// answers reads the lines of --each: one for each row, in order, each with one of
// the labels. It gives their places in labels.
func (b banking) answers(t *testing.T, lines, labels []string) []int {
	t.Helper()
	if len(lines) != len(b.rows) {
		t.Fatalf("%d lines for %d rows", len(lines), len(b.rows))
	}
	var out []int
	for i, line := range lines {
		var l struct {
			Row     int
			Outputs map[string]any
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		label, _ := l.Outputs["category"].(string)
		at := slices.Index(labels, label)
		if l.Row != i+1 || len(l.Outputs) != 1 || at < 0 {
			t.Fatalf("line %d is no typed row: %s", i+1, line)
		}
		out = append(out, at)
	}
	return out
}

func (b banking) right(answers []int) (n int) {
	for i, a := range answers {
		if a == b.rows[i].label {
			n++
		}
	}
	return n
}

// sortProgram is a .dsp file: the labels as a literal type, and a program that
// chooses one. The model may be "".
func sortProgram(labels []string, model string) string {
	var quoted []string
	for _, l := range labels {
		quoted = append(quoted, strconv.Quote(l))
	}
	return fmt.Sprintf(`%s
type Category = %s

program sort {
  text: string -> category: Category
}
`, model, strings.Join(quoted, " | "))
}

// declared is the server as the model of a file.
func (s *server) declared() string {
	return fmt.Sprintf(`variable key: string { default = env("TEST_KEY"), sensitive = true }

model served {
  provider = %q
  name     = "test-model"
  base_url = %q
  api_key  = var.key
  default  = true
}
`, s.provider, s.URL+s.base)
}

// eachRow is `dspi run FILE --each TABLE`, which must succeed on every row. It
// returns the lines that are printed.
func eachRow(t *testing.T, file, table string, more ...string) []string {
	t.Helper()
	got := runDspi(t, append([]string{"run", file, "--each", table}, more...)...)
	if got.code != 0 {
		t.Fatalf("exit status %d\n%s", got.code, got.stderr)
	}
	return strings.Split(strings.TrimSuffix(got.stdout, "\n"), "\n")
}

// randomLabels makes n different strings of twelve letters.
func randomLabels(seed uint64, n int) []string {
	random := rand.New(rand.NewPCG(seed, 77))
	var out []string
	for len(out) < n {
		var label [12]byte
		for i := range label {
			label[i] = byte('a' + random.IntN(26))
		}
		if l := string(label[:]); !slices.Contains(out, l) {
			out = append(out, l)
		}
	}
	return out
}

// wilson returns the 95 % interval of a share, after Wilson.
func wilson(right, of int) (low, high float64) {
	const z = 1.959963984540054
	n, p := float64(of), float64(right)/float64(of)
	middle := (p + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return middle - half, middle + half
}

func percent(n, of int) float64 { return 100 * float64(n) / float64(of) }
