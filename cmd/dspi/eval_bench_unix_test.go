//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// What BenchmarkEvaluate measures.
const (
	evalRows    = 10_000
	evalWorkers = 64
	evalAnswer  = 50 * time.Millisecond
)

// BenchmarkEvaluate has 10,000 rows measured, 64 at a time, by a whole process of
// `dspi eval`, with cache and history off and on, and by DSPy's Evaluate with as many
// threads. The server, which answers each request after 50 ms, is in the process of the
// benchmark and shares the processors with both. `share` is that of the rate that the
// server allows, 64 for each 50 ms; `peak-MB` the largest memory that was resident.
// Ours is also measured on a tenth of the rows, so that the memory of more rows shows.
func BenchmarkEvaluate(b *testing.B) {
	var asked atomic.Int64
	number := regexp.MustCompile(`number (\d+)\?`)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		timer := time.NewTimer(evalAnswer)
		defer timer.Stop()
		all := number.FindAllSubmatch(body, -1)
		if len(all) == 0 {
			http.Error(w, "which number?", http.StatusBadRequest)
			return
		}
		asked.Add(1)
		<-timer.C
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"id":"c","object":"chat.completion","created":1,"model":"test-model","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"[[ ## answer ## ]]\nIt is %s.\n\n[[ ## completed ## ]]"}}],"usage":{"prompt_tokens":11,"completion_tokens":7,"total_tokens":18}}`, all[len(all)-1][1])
	}))
	defer server.Close()
	dir := b.TempDir()
	rows := func(n int) string {
		var text strings.Builder
		text.WriteString("question,answer\n")
		for i := range n {
			fmt.Fprintf(&text, "What is number %05d?,It is %05d.\n", i, i)
		}
		return text.String()
	}
	program := fmt.Sprintf(`model slow {
  provider = "openai"
  name     = "test-model"
  base_url = "%s/v1"
  api_key  = "%s"
  default  = true
}
dataset numbers { file = "rows.csv" }
program ask { question: string -> answer: string }
evaluate all {
  program     = program.ask
  data        = dataset.numbers
  metrics     = [metric.exact_match]
  concurrency = %d
}
`, server.URL, testKey, evalWorkers)
	measure := func(b *testing.B, n int, command func(at string) *exec.Cmd) {
		var spent, worked time.Duration
		var peak float64
		for b.Loop() {
			b.StopTimer()
			at, err := os.MkdirTemp(dir, "run")
			if err != nil {
				b.Fatal(err)
			}
			for name, text := range map[string]string{"rows.csv": rows(n), "ask.dsp": program} {
				if err := os.WriteFile(filepath.Join(at, name), []byte(text), 0o600); err != nil {
					b.Fatal(err)
				}
			}
			asked.Store(0)
			cmd := command(at)
			cmd.Dir = at
			var out, errs bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &errs
			b.StartTimer()
			begin := time.Now()
			if err := cmd.Run(); err != nil {
				b.Fatalf("%v: %v\n%s%s", cmd, err, out.String(), errs.String())
			}
			spent += time.Since(begin)
			if got := asked.Load(); got != int64(n) || !strings.Contains(out.String(), "1.0") {
				b.Fatalf("%d of %d rows were asked for:\n%s%s", got, n, out.String(), errs.String())
			}
			var said struct{ Seconds float64 }
			if json.Unmarshal(out.Bytes(), &said) == nil && said.Seconds > 0 { // without the start of Python
				spent += time.Duration(said.Seconds*float64(time.Second)) - time.Since(begin)
			}
			worked += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
				kilo := 1000.0 / 1024
				if runtime.GOOS == "darwin" {
					kilo = 1e3
				}
				peak = max(peak, float64(u.Maxrss)/kilo/1000)
			}
		}
		ideal := float64(n) / evalWorkers * evalAnswer.Seconds()
		b.ReportMetric(100*ideal/(spent.Seconds()/float64(b.N)), "%share")
		b.ReportMetric(float64(n)*float64(b.N)/spent.Seconds(), "rows/s")
		b.ReportMetric(peak, "peak-MB")
		b.ReportMetric(worked.Seconds()/float64(b.N), "cpu-s")
	}
	eval := func(args ...string) func(at string) *exec.Cmd {
		return func(at string) *exec.Cmd {
			cmd := exec.Command("dspi", append([]string{"eval", "ask.dsp"}, args...)...)
			cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + at, "XDG_CACHE_HOME=" + filepath.Join(at, "cache")}
			return cmd
		}
	}
	for _, n := range []int{evalRows / 10, evalRows} {
		b.Run(fmt.Sprintf("dspi/rows=%d/off", n), func(b *testing.B) { measure(b, n, eval("--no-cache", "--no-history")) })
		b.Run(fmt.Sprintf("dspi/rows=%d/on", n), func(b *testing.B) { measure(b, n, eval()) })
	}
	b.Run(fmt.Sprintf("dspy/rows=%d/off", evalRows), func(b *testing.B) {
		python := dspyPython(b)
		measure(b, evalRows, func(at string) *exec.Cmd {
			cmd := exec.Command(python, "-c", evaluateInDSPy, server.URL+"/v1", "rows.csv", strconv.Itoa(evalWorkers))
			cmd.Env = append(os.Environ(), "LITELLM_LOCAL_MODEL_COST_MAP=True", "DSPY_CACHEDIR="+at)
			return cmd
		})
	})
}

// evaluateInDSPy measures the rows with dspy.Evaluate, its cache and history off, and
// prints the seconds from the first row to the last.
const evaluateInDSPy = `
import csv, json, logging, sys, time
logging.disable(logging.WARNING)
import dspy, httpx, litellm

url, path, workers = sys.argv[1], sys.argv[2], int(sys.argv[3])
litellm.client_session = httpx.Client(limits=httpx.Limits(max_connections=None, max_keepalive_connections=None), timeout=600)
dspy.configure_cache(enable_disk_cache=False, enable_memory_cache=False)
dspy.configure(
    lm=dspy.LM("openai/test-model", api_base=url, api_key="test", cache=False, num_retries=0),
    adapter=dspy.ChatAdapter(), disable_history=True, max_trace_size=0,
)
devset = [dspy.Example(**row).with_inputs("question") for row in csv.DictReader(open(path))]
evaluate = dspy.Evaluate(devset=devset, metric=lambda e, p, trace=None: e.answer == p.answer, num_threads=workers, display_progress=False)
begin = time.perf_counter()
result = evaluate(dspy.Predict("question -> answer"))
seconds = time.perf_counter() - begin
assert result.score == 100.0, result.score
print(json.dumps({"score": "1.0", "seconds": seconds}))
`
