//go:build unix

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/stdlib/providers/builtin"
)

// school is a program that is tuned against a server. The server answers with the
// baseline, a function of the request, and puts a mark of the request into the
// reasoning, so that what the log has can be told from what was asked.
type school struct {
	*server
	t   *testing.T
	dir string

	mu     sync.Mutex
	counts map[string]int // requests by their marks
	known  map[string]int // of those, what a log had, and how often it had been asked then
	left   int            // requests until the signal; 0: none is given
	signal chan struct{}
	slow   time.Duration // how long each answer takes
}

var (
	markOf    = regexp.MustCompile(`mark-[0-9a-f]{16}`)
	reasoning = regexp.MustCompile(`(?s)\[\[ ## reasoning ## \]\]\n.*?\n\n\[\[ ## `)
)

func openSchool(t *testing.T, block string) *school {
	s := &school{t: t, counts: map[string]int{}, known: map[string]int{}}
	model, err := builtin.New(builtin.Name)
	if err != nil {
		t.Fatal(err)
	}
	s.server = serve(t, protocols[0], func(w http.ResponseWriter, r *http.Request, _ int, messages []lm.Message) bool {
		h := sha256.New()
		for _, m := range messages {
			fmt.Fprintf(h, "%s\x00%s\x00", m.Role, m.Text())
		}
		mark := "mark-" + hex.EncodeToString(h.Sum(nil)[:8])
		s.mu.Lock()
		s.counts[mark]++
		if s.left > 0 {
			if s.left--; s.left == 0 {
				close(s.signal)
			}
		}
		slow := s.slow
		s.mu.Unlock()
		if slow > 0 {
			select {
			case <-time.After(slow):
			case <-r.Context().Done():
				return true
			}
		}
		reply, err := model.Generate(r.Context(), &lm.Request{Messages: messages})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return true
		}
		s.say(w, reasoning.ReplaceAllString(reply.Text, "[[ ## reasoning ## ]]\n"+mark+"\n\n[[ ## "))
		return true
	})
	s.dir = s.folder(block)
	return s
}

// folder makes a folder with the program and its data.
func (s *school) folder(block string) string {
	dir := s.t.TempDir()
	things := map[string][]string{
		"card": {"my card has not arrived", "where is my new card", "the card is lost", "somebody stole my card", "the card reader keeps my card", "order another card"},
		"rate": {"what is the exchange rate", "how many euros for a dollar", "which rate do you use abroad", "is the rate better on weekdays", "the rate was wrong", "exchange money for a trip"},
		"app":  {"the app does not start", "I cannot log in to the app", "the app shows an error", "update of the app fails", "the app forgot my fingerprint", "delete the app from my phone"},
	}
	for set, n := range map[string]int{"train": 24, "dev": 15, "test": 9} {
		rows := "text,topic\n"
		for i := range n {
			topic := []string{"card", "rate", "app"}[i%3]
			rows += fmt.Sprintf("\"%s, please (%s %d)\",%s\n", things[topic][i/3%6], set, i, topic)
		}
		writeFile(s.t, filepath.Join(dir, set+".csv"), rows)
	}
	writeFile(s.t, filepath.Join(dir, "route.dsp"), fmt.Sprintf(`
variable key: string { default = env("TEST_KEY"), sensitive = true }
model served {
  provider = "openai"
  name     = "test-model"
  base_url = %q
  api_key  = var.key
  default  = true
  price { input = 1.0, output = 1.0 }
}
dataset train { file = "train.csv" }
dataset dev   { file = "dev.csv" }
dataset test  { file = "test.csv" }
program route {
  text: string -> topic: "card" | "rate" | "app"
  chain_of_thought classify {}
}
optimize tuned {
  program = program.route
  train   = dataset.train
  dev     = dataset.dev
  test    = dataset.test
  metric  = metric.exact_match
  %s
}`, s.URL+"/v1", block))
	return dir
}

func (s *school) command(ctx context.Context, dir string, more ...string) *commandRun {
	cmd := command(ctx, append([]string{"optimize", filepath.Join(dir, "route.dsp"), "--no-cache"}, more...)...)
	r := &commandRun{}
	cmd.Stdout, cmd.Stderr = &r.out, &r.errs
	r.start = func() error { return cmd.Start() }
	r.wait = func() error { return cmd.Wait() }
	r.kill = func() { _ = cmd.Process.Kill() }
	return r
}

// commandRun is a command under way.
type commandRun struct {
	out, errs   bytes.Buffer
	start, wait func() error
	kill        func()
}

func (s *school) finish(dir string, more ...string) {
	s.t.Helper()
	r := s.command(s.t.Context(), dir, more...)
	if err := r.start(); err != nil {
		s.t.Fatal(err)
	}
	if err := r.wait(); err != nil {
		s.t.Fatalf("%v\n%s", err, &r.errs)
	}
}

// look notes what the log of a tuning has.
func (s *school) look() {
	data, err := os.ReadFile(filepath.Join(s.dir, "tuned.tuning.jsonl"))
	if err != nil {
		return // it was killed before there was one
	}
	if i := bytes.LastIndexByte(data, '\n'); i >= 0 {
		data = data[:i]
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, mark := range markOf.FindAllString(string(data), -1) {
		if _, ok := s.known[mark]; !ok {
			s.known[mark] = s.counts[mark]
		}
	}
}

const searchBlock = `bootstrap_few_shot_with_random_search { candidates = 3, max_bootstrapped_demos = 2, max_labeled_demos = 4 }`

// TestKillAndResumeOptimize: a tuning is killed at random moments and resumed each
// time. The file that it writes is that of an undisturbed one, and the server is never
// asked again for what the log has.
func TestKillAndResumeOptimize(t *testing.T) {
	t.Parallel()
	s := openSchool(t, searchBlock)
	undisturbed := s.folder(searchBlock)
	s.finish(undisturbed)
	want := readWhole(t, filepath.Join(undisturbed, "tuned.tuned.json"))
	s.mu.Lock()
	calls := len(s.counts)
	s.counts = map[string]int{}
	s.mu.Unlock()
	kills := 3
	if os.Getenv("DSPI_SOAK") != "" {
		kills = 20
	}
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d, %d calls undisturbed", seed, calls)
	for done := 0; ; {
		var flags []string
		if exists(filepath.Join(s.dir, "tuned.tuning.jsonl")) {
			flags = []string{"--resume"}
		}
		s.mu.Lock()
		s.left, s.signal = 1+random.IntN(max(2, calls/(kills/2+1))), make(chan struct{})
		if done == kills {
			s.left = 0
		}
		signal := s.signal
		s.mu.Unlock()
		r := s.command(t.Context(), s.dir, flags...)
		if err := r.start(); err != nil {
			t.Fatal(err)
		}
		gone := make(chan error, 1)
		go func() { gone <- r.wait() }()
		var err error
		killed := false
		select {
		case <-signal:
			r.kill()
			err = <-gone
			killed = err != nil
		case err = <-gone:
		}
		if killed {
			done++
			s.look()
			continue
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, &r.errs)
		}
		if got := readWhole(t, filepath.Join(s.dir, "tuned.tuned.json")); got != want {
			t.Fatalf("after %d kills (seed %d) the tuning wrote\n%s\nand undisturbed\n%s", done, seed, got, want)
		}
		if exists(filepath.Join(s.dir, "tuned.tuning.jsonl")) {
			t.Error("the log is still there")
		}
		s.mu.Lock()
		for mark, n := range s.known {
			if s.counts[mark] != n {
				t.Errorf("%s was asked %d times when the log had its answer, and %d times in the end", mark, n, s.counts[mark])
			}
		}
		s.counts, s.known = map[string]int{}, map[string]int{}
		s.mu.Unlock()
		if done == kills {
			return
		}
	}
}

// TestOptimizeBudget: no more calls are made than the budget allows, however many are
// under way, and what was found until then is written.
func TestOptimizeBudget(t *testing.T) {
	t.Parallel()
	for _, calls := range []int{1, 17, 40, 75} {
		s := openSchool(t, searchBlock)
		r := s.command(t.Context(), s.dir, "--budget", fmt.Sprint("calls=", calls), "--concurrency", "6")
		if err := r.start(); err != nil {
			t.Fatal(err)
		}
		if err := r.wait(); err != nil {
			t.Fatalf("%v\n%s", err, &r.errs)
		}
		if n := s.count(); n > calls {
			t.Errorf("%d calls with a budget of %d", n, calls)
		} else if n < calls*2/5 {
			t.Errorf("only %d calls of a budget of %d", n, calls)
		}
		if !strings.Contains(r.errs.String(), "ended early: the budget is used up") {
			t.Errorf("budget of %d calls:\n%s", calls, &r.errs)
		}
		if !exists(filepath.Join(s.dir, "tuned.tuned.json")) {
			t.Errorf("budget of %d calls: nothing was written", calls)
		}
	}
}

// TestOptimizeDollars: what is paid stays within a budget in dollars.
func TestOptimizeDollars(t *testing.T) {
	t.Parallel()
	s := openSchool(t, searchBlock)
	s.finish(s.dir, "--json")
	n := s.count()
	other := openSchool(t, searchBlock)
	r := other.command(t.Context(), other.dir, "--budget", "usd=0.001", "--json")
	if err := r.start(); err != nil {
		t.Fatal(err)
	}
	if err := r.wait(); err != nil {
		t.Fatalf("%v\n%s", err, &r.errs)
	}
	var found struct {
		Spent struct{ USD float64 }
	}
	if err := json.Unmarshal(r.out.Bytes(), &found); err != nil {
		t.Fatal(err)
	}
	if found.Spent.USD > 0.001 || other.count() >= n {
		t.Errorf("$%v of $0.001 in %d calls; %d without a budget", found.Spent.USD, other.count(), n)
	}
}

// TestOptimizeTime: after the time of the budget no call starts, and the process ends
// although answers are outstanding.
func TestOptimizeTime(t *testing.T) {
	t.Parallel()
	s := openSchool(t, searchBlock)
	s.mu.Lock()
	s.slow = 200 * time.Millisecond
	s.mu.Unlock()
	start := time.Now()
	r := s.command(t.Context(), s.dir, "--budget", "time=2s", "--concurrency", "2")
	if err := r.start(); err != nil {
		t.Fatal(err)
	}
	if err := r.wait(); err != nil {
		t.Fatalf("%v\n%s", err, &r.errs)
	}
	// How long a process takes to start and to end depends on the machine; that it does
	// not wait for the other hundred answers does not.
	took := time.Since(start)
	t.Logf("it took %v with a budget of 2 s", took)
	if took > 10*time.Second {
		t.Errorf("it took %v with a budget of 2 s", took)
	}
	if n := s.count(); n > 25 {
		t.Errorf("%d calls of 200 ms in 2 s, two at once", n)
	}
}
