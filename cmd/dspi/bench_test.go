package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/dspi-lang/dspi"
	prepared "github.com/dspi-lang/dspi/stdlib/providers/scripted"
)

// The benchmarks here compare with the real DSPy, in the same run, on the same
// machine: `make bench`, which makes the virtual environment first.

// dspyPython is a Python that has DSPy: $DSPI_PYTHON, else that of `make venv`.
func dspyPython(b *testing.B) string {
	b.Helper()
	if path := os.Getenv("DSPI_PYTHON"); path != "" {
		return path
	}
	path, err := filepath.Abs("../../.venv/bin/python")
	if err != nil {
		b.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		b.Fatalf("%v: `make venv` makes it, or set DSPI_PYTHON", err)
	}
	return path
}

// BenchmarkProcess is how long a person waits for the first word: a whole process
// of `dspi check examples/hello.dsp`, by turns with one that imports DSPy, both
// with warm files. `ratio` is the median of ours by the median of theirs.
func BenchmarkProcess(b *testing.B) {
	python := dspyPython(b)
	binary := filepath.Join(b.TempDir(), "dspi")
	took(b, exec.Command("go", "build", "-o", binary, "."))
	check := func() time.Duration {
		return took(b, exec.Command(binary, "check", "../../examples/hello.dsp"))
	}
	imports := func() time.Duration { return took(b, exec.Command(python, "-c", "import dspy")) }
	check()
	imports()
	var ours, theirs []time.Duration
	for b.Loop() {
		for range 9 {
			ours = append(ours, check())
		}
		theirs = append(theirs, imports())
	}
	reportRate(b, middle(ours), middle(theirs))
}

// BenchmarkPredict is our own cost of one predict, on a model that answers at
// once: inputs checked, the prompt written, the reply read, the outputs checked.
// The real DSPy does the same with its DummyLM, in the same run.
func BenchmarkPredict(b *testing.B) {
	cmd := exec.Command(dspyPython(b), "-c", predictInDSPy)
	data, err := cmd.Output()
	if err != nil {
		b.Fatalf("DSPy: %v\n%s", err, stderrOf(err))
	}
	var seconds []float64 // for one call, by batches
	if err := json.Unmarshal(data, &seconds); err != nil {
		b.Fatal(err)
	}
	slices.Sort(seconds)
	theirs := time.Duration(seconds[len(seconds)/2] * float64(time.Second))

	project, diags := dspi.Check(dspi.Parse("predict.dsp", "program ask {\n  question: string, passages: list[string] -> answer: string, confidence: float\n}\n"))
	if err := diags.Err(); err != nil {
		b.Fatal(err)
	}
	plan, err := dspi.Plan(project, dspi.PlanOptions{Getenv: func(string) string { return "" }})
	if err != nil {
		b.Fatal(err)
	}
	runtime := dspi.NewRuntime(dspi.Options{})
	runtime.Use(plan.Ops[0].Model, prepared.New("predict", prepared.Reply{
		Text:  "[[ ## answer ## ]]\nParis\n\n[[ ## confidence ## ]]\n0.9\n\n[[ ## completed ## ]]\n",
		Times: prepared.Always,
	}))
	inputs := map[string]any{
		"question": "What is the capital of France?",
		"passages": []any{"Paris is the capital of France.", "Lyon lies on the Rhône."},
	}
	b.ReportAllocs()
	for b.Loop() {
		result, err := runtime.Run(b.Context(), plan, inputs)
		if err != nil {
			b.Fatal(err)
		}
		if v, _ := result.Outputs.Get("confidence"); v != 0.9 {
			b.Fatalf("confidence %v", v)
		}
	}
	reportRate(b, b.Elapsed()/time.Duration(b.N), theirs)
}

// predictInDSPy prints the seconds of one call of dspy.Predict, the mean of each
// of nine batches, after a batch for warming up.
const predictInDSPy = `
import json, time
import dspy
from dspy.utils import DummyLM

batch, batches = 200, 9
reply = {"answer": "Paris", "confidence": 0.9}
dspy.configure(lm=DummyLM([reply] * (batch * (batches + 1))), adapter=dspy.ChatAdapter())
predict = dspy.Predict("question: str, passages: list[str] -> answer: str, confidence: float")
passages = ["Paris is the capital of France.", "Lyon lies on the Rhône."]
times = []
for _ in range(batches + 1):
    begin = time.perf_counter()
    for _ in range(batch):
        prediction = predict(question="What is the capital of France?", passages=passages)
        assert prediction.confidence == 0.9, prediction
    times.append((time.perf_counter() - begin) / batch)
print(json.dumps(times[1:]))
`

// reportRate says what both cost and how ours compares: 0.05 is a twentieth.
func reportRate(b *testing.B, ours, theirs time.Duration) {
	b.ReportMetric(float64(ours)/float64(time.Millisecond), "dspi-ms")
	b.ReportMetric(float64(theirs)/float64(time.Millisecond), "dspy-ms")
	b.ReportMetric(float64(ours)/float64(theirs), "ratio")
}

// took runs a process, which must succeed.
func took(b *testing.B, cmd *exec.Cmd) time.Duration {
	b.Helper()
	var errs bytes.Buffer
	cmd.Stderr = &errs
	begin := time.Now()
	if err := cmd.Run(); err != nil {
		b.Fatalf("%v: %v\n%s", cmd, err, errs.String())
	}
	return time.Since(begin)
}

// middle returns the median. It sorts.
func middle(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

func stderrOf(err error) string {
	if exit, ok := err.(*exec.ExitError); ok {
		return string(exit.Stderr)
	}
	return ""
}
