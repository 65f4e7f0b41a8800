//go:build results

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/evaluate"
)

// perCategory is how many training rows of each category the optimizers learn from.
const perCategory = 20

// fewShot are the optimizers that are measured, with their settings. DSPy's of the same
// names have the same in testdata/results/tune.py.
var fewShot = []struct{ name, settings string }{
	{"labeled_few_shot", "k = 64"},
	{"bootstrap_few_shot", "max_bootstrapped_demos = 4, max_labeled_demos = 16"},
	{"bootstrap_few_shot_with_random_search", "candidates = 4"},
	{"knn_few_shot", "k = 3"},
}

// tuned is what `dspi optimize --json` prints.
type tuned struct {
	Before, After *evaluate.Results
	Comparison    []*evaluate.Comparison
	Spent         struct{ Calls int }
}

// optimizeBanking tunes a program that sorts the questions of bank customers.
func optimizeBanking(t *testing.T, dir, model, optimizer, settings string, labels []string, more string) tuned {
	t.Helper()
	file := filepath.Join(dir, optimizer+".dsp")
	writeFile(t, file, sortProgram(labels, model)+fmt.Sprintf(`
dataset train { file = "train.jsonl" }
dataset dev   { file = "dev.jsonl" }
dataset test  { file = "test.jsonl" }
optimize few_shot {
  program    = program.sort
  train      = dataset.train
  dev        = dataset.dev
  test       = dataset.test
  metric     = metric.exact_match
  save_to    = "%s.tuned.json"
  early_stop = false
  %s
  %s { %s }
}`, optimizer, more, optimizer, settings))
	got := runDspi(t, "optimize", file, "--json", "--no-cache")
	if got.code != 0 {
		t.Fatalf("exit status %d\n%s", got.code, got.stderr)
	}
	var out tuned
	if err := json.Unmarshal([]byte(got.stdout), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// writeRows writes questions as JSON lines.
func (b banking) writeRows(t *testing.T, path string, rows []question) {
	t.Helper()
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	for _, q := range rows {
		if err := e.Encode(map[string]string{"text": q.text, "category": b.labels[q.label]}); err != nil {
			t.Fatal(err)
		}
	}
	writeFile(t, path, out.String())
}

// someOf takes n rows of each category, and returns the rest behind them.
func (b banking) someOf(n int) (taken, rest []question) {
	had := map[int]int{}
	for _, q := range b.rows {
		if had[q.label] < n {
			had[q.label]++
			taken = append(taken, q)
		} else {
			rest = append(rest, q)
		}
	}
	return taken, rest
}

// divided writes the rows for a seed: the training rows shuffled, 100 of the next ones
// as dev, and the test rows.
func divided(t *testing.T, dir string, train, test banking, seed uint64) {
	t.Helper()
	learn, rest := train.someOf(perCategory)
	random := rand.New(rand.NewPCG(seed, 5))
	random.Shuffle(len(learn), func(i, k int) { learn[i], learn[k] = learn[k], learn[i] })
	random.Shuffle(len(rest), func(i, k int) { rest[i], rest[k] = rest[k], rest[i] })
	train.writeRows(t, filepath.Join(dir, "train.jsonl"), learn)
	train.writeRows(t, filepath.Join(dir, "dev.jsonl"), rest[:100])
	test.writeRows(t, filepath.Join(dir, "test.jsonl"), test.rows)
}

// TestResultsTune measures what few-shot optimizers gain over a program without demos,
// on 600 rows that they have not seen.
func TestResultsTune(t *testing.T) {
	train, test := readBanking(t, "train.csv"), readBanking(t, "test.csv")
	dir := t.TempDir()
	divided(t, dir, train, test, 0)
	t.Logf("| optimizer | before | after | gain | 95 %% interval | p | calls |\n|---|---|---|---|---|---|---|")
	for _, o := range fewShot {
		got := optimizeBanking(t, dir, "", o.name, o.settings, test.labels, "")
		c := got.Comparison[0]
		t.Logf("| %s | %.1f %% | %.1f %% | %+.1f | %+.1f to %+.1f | %s | %d |", o.name, 100*c.A, 100*c.B, 100*c.Difference, 100*c.Interval.Low, 100*c.Interval.High, pValue(c.Adjusted), got.Spent.Calls)
		if c.N != 600 || c.Interval.Low <= 0 && o.name != "bootstrap_few_shot" {
			t.Errorf("%s: the gain on %d rows is %v", o.name, c.N, c.Interval)
		}
	}
}

// TestResultsTunePython measures what optimizers of DSPy's gain that run in Python on a
// program of ours, on 600 rows that they have not seen.
func TestResultsTunePython(t *testing.T) {
	python := os.Getenv("DSPI_PYTHON")
	if python == "" {
		t.Fatal("DSPI_PYTHON names no Python with DSPy: run `make results DATA=FOLDER`")
	}
	train, test := readBanking(t, "train.csv"), readBanking(t, "test.csv")
	t.Logf("| optimizer | before | after | gain | 95 %% interval | p | calls |\n|---|---|---|---|---|---|---|")
	for _, class := range []struct{ name, arguments string }{
		{"dspy.BootstrapFewShot", "{max_bootstrapped_demos: 4, max_labeled_demos: 16}"},
		{"dspy.MIPROv2", "{auto: null, num_candidates: 6, num_trials: 8, minibatch: false, max_labeled_demos: 16}"},
	} {
		dir := t.TempDir()
		divided(t, dir, train, test, 0)
		file := filepath.Join(dir, "sort.dsp")
		writeFile(t, file, sortProgram(test.labels, "")+fmt.Sprintf(`
dataset train { file = "train.jsonl" }
dataset dev   { file = "dev.jsonl" }
dataset test  { file = "test.jsonl" }
optimize in_python {
  program = program.sort
  train   = dataset.train
  dev     = dataset.dev
  test    = dataset.test
  metric  = metric.exact_match
  dspy {
    class     = %q
    arguments = %s
  }
}`, class.name, class.arguments))
		cmd := command(t.Context(), "optimize", file, "--json", "--no-cache")
		cmd.Env = append(cmd.Env, "DSPI_PYTHON="+python)
		ran := finish(t, t.Context(), cmd)
		if ran.code != 0 {
			t.Fatalf("exit status %d\n%s", ran.code, ran.stderr)
		}
		var got tuned
		if err := json.Unmarshal([]byte(ran.stdout), &got); err != nil {
			t.Fatal(err)
		}
		if len(got.Comparison) == 0 {
			t.Errorf("%s: nothing was better", class.name)
			continue
		}
		c := got.Comparison[0]
		t.Logf("| %s | %.1f %% | %.1f %% | %+.1f | %+.1f to %+.1f | %s | %d |", class.name, 100*c.A, 100*c.B, 100*c.Difference, 100*c.Interval.Low, 100*c.Interval.High, pValue(c.Adjusted), got.Spent.Calls)
		if c.N < 300 || c.Interval.Low <= 0 {
			t.Errorf("%s: the gain on %d rows is %v", class.name, c.N, c.Interval)
		}
	}
}

// TestResultsTuneDSPy compares few-shot optimizers with those of DSPy that have their
// names: the same model over HTTP, the same rows in the same order, five seeds.
func TestResultsTuneDSPy(t *testing.T) {
	const seeds = 5
	python := os.Getenv("DSPI_PYTHON")
	if python == "" {
		t.Fatal("DSPI_PYTHON names no Python with DSPy: run `make results DATA=FOLDER`")
	}
	base, key := startGateway(t)
	model := fmt.Sprintf(`variable key: string { default = %q, sensitive = true }
model served {
  provider = "openai"
  name     = "builtin/incontext"
  base_url = %q
  api_key  = var.key
  default  = true
}`, key, base)
	train, test := readBanking(t, "train.csv"), readBanking(t, "test.csv")
	ours, theirs := map[string][]float64{}, map[string][]float64{}
	calls := map[string][2]int{}
	for seed := range uint64(seeds) {
		dir := t.TempDir()
		divided(t, dir, train, test, seed)
		var jobs []map[string]any
		for _, o := range fewShot {
			got := optimizeBanking(t, dir, model, o.name, o.settings, test.labels, fmt.Sprintf("seed = %d", seed))
			ours[o.name] = append(ours[o.name], got.After.Scores("exact_match")...)
			// The test rows are measured twice: before and after.
			calls[o.name] = [2]int{calls[o.name][0] + got.Spent.Calls - 2*len(test.rows), calls[o.name][1]}
			job := map[string]any{"optimizer": o.name, "labels": test.labels}
			for _, set := range []string{"train", "dev", "test"} {
				job[set] = filepath.Join(dir, set+".jsonl")
			}
			jobs = append(jobs, job)
		}
		text, _ := json.Marshal(jobs)
		writeFile(t, filepath.Join(dir, "jobs.json"), string(text))
		cmd := exec.CommandContext(t.Context(), python, filepath.Join("testdata", "results", "tune.py"), base, key, filepath.Join(dir, "jobs.json"))
		cmd.Env = append(os.Environ(), "DSPY_CACHEDIR="+dir)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v\n%s", err, &errs)
		}
		for line := range strings.Lines(string(out)) {
			if !strings.HasPrefix(line, "{") {
				continue // what DSPy prints
			}
			var done struct {
				Optimizer string
				Right     []bool
				Calls     int
			}
			if err := json.Unmarshal([]byte(line), &done); err != nil {
				t.Fatalf("%v in %s", err, line)
			}
			for _, right := range done.Right {
				score := 0.0
				if right {
					score = 1
				}
				theirs[done.Optimizer] = append(theirs[done.Optimizer], score)
			}
			c := calls[done.Optimizer]
			calls[done.Optimizer] = [2]int{c[0], c[1] + done.Calls}
		}
	}
	t.Logf("| optimizer | dspi | DSPy | difference | 95 %% interval | calls to tune, dspi | DSPy |\n|---|---|---|---|---|---|---|")
	for _, o := range fewShot {
		a, b := theirs[o.name], ours[o.name]
		if len(a) != len(b) || len(a) != seeds*len(test.rows) {
			t.Fatalf("%s: %d rows of DSPy and %d of dspi", o.name, len(a), len(b))
		}
		i := evaluate.PairedProportions(a, b)
		t.Logf("| %s | %.1f %% | %.1f %% | %+.1f | %+.1f to %+.1f | %d | %d |", o.name, 100*evaluate.Mean(b), 100*evaluate.Mean(a),
			100*(evaluate.Mean(b)-evaluate.Mean(a)), 100*i.Low, 100*i.High, calls[o.name][0], calls[o.name][1])
		if i.Low < -0.02 {
			t.Errorf("%s: dspi is behind DSPy by up to %.1f points", o.name, -100*i.Low)
		}
	}
}

// startGateway starts `dspi gateway` and returns its URL and token.
func startGateway(t *testing.T) (base, token string) {
	t.Helper()
	const secret = "a-token-for-this-test"
	cmd := command(t.Context(), "gateway", "--listen", "127.0.0.1:0", "--token", secret)
	errs, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	found := make(chan string, 1)
	at := regexp.MustCompile(`http://127\.0\.0\.1:\d+/v1`)
	for _, r := range []*bufio.Scanner{bufio.NewScanner(errs), bufio.NewScanner(out)} {
		go func() {
			for r.Scan() {
				if url := at.FindString(r.Text()); url != "" {
					select {
					case found <- url:
					default:
					}
				}
			}
		}()
	}
	select {
	case base = <-found:
	case <-t.Context().Done():
	}
	return base, secret
}
