//go:build results && unix

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What TestResultsConcurrency sends: so many calls, so many at a time, to a server
// that answers each after a while.
const (
	manyCalls  = 10_000
	manyAtOnce = 1_000
	answerTime = 200 * time.Millisecond
	manyRounds = 7
)

// What it wants of ours, with cache and history off: the time beside that of the
// plain client, and the memory.
const (
	wantRatio    = 1.2
	wantMegabyte = 200
)

// TestResultsConcurrency has 10,000 predictions made, 1,000 at a time, by a process of
// ours and by one that is nothing but a net/http client and sends the same bytes. The
// server is a third process. They run by turns, and the best of each counts, so that
// other work on the machine disturbs both alike. With DSPI_PYTHON the real DSPy does the
// same, once with threads and once with coroutines.
func TestResultsConcurrency(t *testing.T) {
	server := startAnswering(t)
	dir := t.TempDir()
	program := filepath.Join(dir, "ask.dsp")
	writeFile(t, program, fmt.Sprintf(`model slow {
  provider = "openai"
  name     = "test-model"
  base_url = "%s/v1"
  api_key  = "%s"
  limits { concurrency = %d }
}

program ask {
  question: string -> answer: string
  model = model.slow
}
`, server.url, testKey, manyAtOnce))

	// One call tells what we send.
	measured(t, server, 1, resultsChild("dspi", program, "1", "off"))
	body := filepath.Join(dir, "body.json")
	writeFile(t, body, server.get(t, "/first"))

	count := strconv.Itoa(manyCalls)
	subjects := []*subject{
		{name: "plain net/http client", run: func(int) *exec.Cmd { return resultsChild("plain", server.url, count, body) }},
		{name: "dspi, cache and history off", run: func(int) *exec.Cmd { return resultsChild("dspi", program, count, "off") }},
		{name: "dspi, cache and history on", run: func(round int) *exec.Cmd {
			own := filepath.Join(dir, fmt.Sprint("on", round))
			text, err := os.ReadFile(program)
			if err != nil {
				t.Fatal(err)
			}
			writeFile(t, filepath.Join(own, "ask.dsp"), string(text))
			cmd := resultsChild("dspi", filepath.Join(own, "ask.dsp"), count, "on")
			cmd.Env = append(cmd.Env, "XDG_CACHE_HOME="+filepath.Join(own, "cache"))
			return cmd
		}},
	}
	for round := range manyRounds {
		for _, s := range subjects {
			s.took = append(s.took, measured(t, server, manyCalls, s.run(round)))
		}
	}
	subjects = append(subjects, dspyConcurrency(t, server, count)...)

	plain, ours := subjects[0].best().Seconds, subjects[1].best().Seconds
	var table strings.Builder
	fmt.Fprintf(&table, "%d calls, %d at a time, %v each: at least %.1f s\n\n", manyCalls, manyAtOnce, answerTime, manyCalls/manyAtOnce*answerTime.Seconds())
	fmt.Fprintf(&table, "| | best of | wall time | all | peak memory | by plain |\n|---|---|---|---|---|---|\n")
	for _, s := range subjects {
		best := s.best()
		fmt.Fprintf(&table, "| %s | %d | %.2f s | %s | %.0f MB | %.2f |\n", s.name, len(s.took), best.Seconds, s.all(), s.peak(), best.Seconds/plain)
	}
	t.Log(table.String())
	if ours > wantRatio*plain {
		t.Errorf("ours took %.2f s, %.2f times the plain client's %.2f s, want at most %.1f times", ours, ours/plain, plain, wantRatio)
	}
	if peak := subjects[1].peak(); peak > wantMegabyte {
		t.Errorf("ours took %.0f MB at most, want at most %d MB", peak, wantMegabyte)
	}
}

// subject is a program that is measured.
type subject struct {
	name string
	run  func(round int) *exec.Cmd
	took []measurement
}

// measurement is what a child prints of its own run.
type measurement struct {
	Seconds float64 `json:"seconds"` // from the first call until the last has ended and all is written
	Peak    float64 `json:"peak_mb"` // its largest resident memory, in millions of bytes
}

func (s *subject) best() measurement {
	return slices.MinFunc(s.took, func(a, b measurement) int {
		return int(math.Copysign(1, a.Seconds-b.Seconds))
	})
}

// peak returns the worst of all runs.
func (s *subject) peak() (mb float64) {
	for _, m := range s.took {
		mb = max(mb, m.Peak)
	}
	return mb
}

func (s *subject) all() string {
	var out []string
	for _, m := range s.took {
		out = append(out, fmt.Sprintf("%.2f", m.Seconds))
	}
	return strings.Join(out, ", ")
}

// answering is the server's process.
type answering struct{ url string }

// startAnswering starts the server, which ends with its standard input.
func startAnswering(t *testing.T) answering {
	t.Helper()
	cmd := resultsChild("server")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the server: %v", err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return answering{strings.TrimSpace(line)}
}

// get asks the server about itself.
func (a answering) get(t *testing.T, path string) string {
	t.Helper()
	resp, err := http.Get(a.url + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// measured runs a child, which must send exactly so many requests.
func measured(t *testing.T, server answering, requests int, cmd *exec.Cmd) (m measurement) {
	t.Helper()
	server.get(t, "/count")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, errs.String())
	}
	if err := json.Unmarshal(out.Bytes(), &m); err != nil {
		t.Fatalf("%v in %q", err, out.String())
	}
	if got := server.get(t, "/count"); got != strconv.Itoa(requests) {
		t.Fatalf("%v: the server saw %s requests, want %d", cmd.Args, got, requests)
	}
	return m
}

// dspyConcurrency measures the real DSPy with threads and with coroutines, each with
// caches and history off and no limit on the connections.
func dspyConcurrency(t *testing.T, server answering, count string) (out []*subject) {
	t.Helper()
	python := os.Getenv("DSPI_PYTHON")
	if python == "" {
		t.Log("DSPy is left out: DSPI_PYTHON names no Python that has it")
		return nil
	}
	for _, how := range []string{"threads", "coroutines"} {
		cmd := exec.Command(python, "-c", concurrencyInDSPy, server.url+"/v1", count, strconv.Itoa(manyAtOnce), how)
		cmd.Env = append(os.Environ(), "LITELLM_LOCAL_MODEL_COST_MAP=True", "AIOHTTP_CONNECTOR_LIMIT=0", "AIOHTTP_CONNECTOR_LIMIT_PER_HOST=0",
			"DSPY_CACHEDIR="+t.TempDir())
		out = append(out, &subject{name: "DSPy, " + how, took: []measurement{measured(t, server, manyCalls, cmd)}})
	}
	return out
}

// concurrencyInDSPy makes the predictions of TestResultsConcurrency with DSPy, in one
// of two ways.
const concurrencyInDSPy = `
import asyncio, concurrent.futures, json, logging, re, sys, time
logging.disable(logging.WARNING)
import dspy, httpx, litellm

url, calls, at_once, how = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
if how == "threads": # coroutines use aiohttp, whose limits are in the environment
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    litellm.client_session = httpx.Client(limits=limits, timeout=600)
dspy.configure_cache(enable_disk_cache=False, enable_memory_cache=False)
dspy.configure(
    lm=dspy.LM("openai/test-model", api_base=url, api_key="test", cache=False, num_retries=0),
    adapter=dspy.ChatAdapter(), disable_history=True, max_trace_size=0,
)
predict = dspy.Predict("question -> answer")

def question(i):
    return f"What is number {i:05d}?"

def check(i, prediction):
    assert prediction.answer == f"It is {i:05d}.", prediction

def threads():
    pool = dspy.Parallel(num_threads=at_once, disable_progress_bar=True, max_errors=1)
    for i, prediction in enumerate(pool([(predict, {"question": question(i)}) for i in range(calls)])):
        check(i, prediction)

async def coroutines():
    numbers = iter(range(calls))
    async def work():
        for i in numbers:
            check(i, await predict.acall(question=question(i)))
    await asyncio.gather(*(work() for _ in range(at_once)))

begin = time.perf_counter()
threads() if how == "threads" else asyncio.run(coroutines())
seconds = time.perf_counter() - begin
try:
    peak = int(re.search(r"VmHWM:\s+(\d+) kB", open("/proc/self/status").read())[1]) * 1024
except OSError:
    import resource
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(json.dumps({"seconds": seconds, "peak_mb": peak / 1e6}))
`
