//go:build unix

package main

import (
	"bytes"
	"context"
	"database/sql"
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
	"github.com/dspi-lang/dspi/stdlib/stores/sqlite"
)

// kills is how often a program is killed.
func kills() int {
	if os.Getenv("DSPI_SOAK") != "" {
		return 50
	}
	return 5
}

// theatre is a server whose replies depend on the question alone, a program that
// asks it, and the journal of that program's runs.
type theatre struct {
	*server
	t       *testing.T
	program string
	command string   // run or eval
	args    []string // of a run that is not resumed
	kills   int
	// plain takes out of what is printed what no two runs share.
	plain func(string) string

	mu     sync.Mutex
	counts map[string]int // requests by what they ask
	left   int            // requests until the signal; 0: none is given
	hold   bool           // the request of the signal gets no answer
	signal chan struct{}
	// known are the questions whose answers were seen in the journal, and how often
	// they had been asked then.
	known map[string]int
}

var asksFor = regexp.MustCompile(`(outline|story) of (topic \d+)`)

func openTheatre(t *testing.T, program string) *theatre {
	th := &theatre{t: t, command: "run", kills: kills(), plain: func(s string) string { return s }, counts: map[string]int{}, known: map[string]int{}}
	th.server = serve(t, protocols[0], func(w http.ResponseWriter, r *http.Request, _ int, messages []lm.Message) bool {
		last := messages[len(messages)-1].Text()
		id := "outline of " + regexp.MustCompile(`topic \d+`).FindString(last)
		switch m := asksFor.FindString(last); {
		case strings.Contains(last, "[[ ## verdict ## ]]"):
			id = "verdict of " + regexp.MustCompile(`topic \d+`).FindString(last)
		case m != "":
			id = "story of " + strings.TrimPrefix(m, "outline of ")
		}
		th.mu.Lock()
		th.counts[id]++
		hold := false
		if th.left > 0 {
			if th.left--; th.left == 0 {
				close(th.signal)
				hold = th.hold
			}
		}
		th.mu.Unlock()
		if hold {
			<-r.Context().Done()
			return true
		}
		field, _, _ := strings.Cut(id, " ")
		th.say(w, fmt.Sprintf("[[ ## %s ## ]]\n%s\n\n[[ ## completed ## ]]", field, id))
		return true
	})
	th.program = filepath.Join(t.TempDir(), "program.dsp")
	writeFile(t, th.program, fmt.Sprintf(`
variable key: string { default = env("TEST_KEY"), sensitive = true }
model served {
  provider = "openai"
  name     = "test-model"
  base_url = %q
  api_key  = var.key
  default  = true
}
%s`, th.URL+"/v1", program))
	return th
}

// leg runs the program, or resumes its last run, and kills it when the server was
// asked n times; never for 0. It reports whether the program ended by itself, and
// what it printed.
func (th *theatre) leg(n int, hold bool) (ended bool, stdout string) {
	th.t.Helper()
	args := append([]string{th.command, th.program, "--no-cache"}, th.args...)
	if th.resumable() {
		args = []string{th.command, th.program, "--resume", "last", "--no-cache"}
		if th.command == "eval" {
			args = append(args, "--json")
		}
	}
	th.mu.Lock()
	th.left, th.hold, th.signal = n, hold, make(chan struct{})
	signal := th.signal
	th.mu.Unlock()
	ctx, cancel := context.WithTimeout(th.t.Context(), time.Minute)
	defer cancel()
	cmd := command(ctx, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		th.t.Fatal(err)
	}
	gone := make(chan error, 1)
	go func() { gone <- cmd.Wait() }()
	select {
	case <-signal:
		_ = cmd.Process.Kill()
		<-gone
		th.look()
		return cmd.ProcessState.Success(), out.String() // it may have been done already
	case err := <-gone:
		if err != nil {
			th.t.Fatalf("dspi %s: %v\n%s", strings.Join(args, " "), err, &errs)
		}
	}
	return true, out.String()
}

// resumable reports whether a run can go on.
func (th *theatre) resumable() bool {
	th.t.Helper()
	path := filepath.Join(filepath.Dir(th.program), ".dspi", "dspi.db")
	if !exists(path) {
		return false
	}
	store, err := sqlite.Open(path)
	if err != nil {
		th.t.Fatal(err)
	}
	defer store.Close()
	runs, err := store.Runs(th.t.Context(), 0)
	if err != nil {
		th.t.Fatal(err)
	}
	for i := range runs {
		if resumable(&runs[i]) {
			return true
		}
	}
	return false
}

// look reads what is in the journal: none of it may be asked for again.
func (th *theatre) look() {
	th.t.Helper()
	path := filepath.Join(filepath.Dir(th.program), ".dspi", "dspi.db")
	if !exists(path) {
		return
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		th.t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query("SELECT data FROM journal")
	if err != nil {
		if strings.Contains(err.Error(), "no such table") {
			return // it was killed while it made the file
		}
		th.t.Fatal(err)
	}
	defer rows.Close()
	th.mu.Lock()
	defer th.mu.Unlock()
	for rows.Next() {
		var data []byte
		if err := rows.Scan(&data); err != nil {
			th.t.Fatal(err)
		}
		var entry struct {
			Text    string
			Outputs json.RawMessage
			Row     json.RawMessage
		}
		if err := json.Unmarshal(data, &entry); err != nil {
			th.t.Fatal(err)
		}
		for _, id := range regexp.MustCompile(`(story of |outline of |verdict of )topic \d+`).FindAllString(entry.Text+string(entry.Outputs)+string(entry.Row), -1) {
			if _, ok := th.known[id]; !ok {
				th.known[id] = th.counts[id]
			}
		}
	}
	if err := rows.Err(); err != nil {
		th.t.Fatal(err)
	}
}

// checked compares what was asked with what was in the journal, and begins anew.
func (th *theatre) checked() {
	th.t.Helper()
	th.mu.Lock()
	defer th.mu.Unlock()
	for id, n := range th.known {
		if th.counts[id] != n {
			th.t.Errorf("%s was asked %d times when its answer was journalled, and %d times in the end", id, n, th.counts[id])
		}
	}
	th.counts, th.known = map[string]int{}, map[string]int{}
}

// perform kills the program at random moments until it has been killed often
// enough, resumes it each time, and compares what it prints with an undisturbed run.
func (th *theatre) perform(calls int) {
	t := th.t
	undisturbed := finishIn(t, command(t.Context(), append([]string{th.command, th.program, "--no-cache", "--no-history"}, th.args...)...))
	if len(th.counts) != calls {
		t.Fatalf("the program makes %d calls, not %d", len(th.counts), calls)
	}
	th.checked()
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	want := th.kills
	legs, most := 0, max(2, calls/(want/2+1))
	for done := 0; done < want; {
		n := 1 + random.IntN(most)
		if done > 0 && legs > 20*want {
			n = 0
		}
		legs++
		ended, out := th.leg(n, random.IntN(2) == 0)
		if !ended {
			done++
			if done < want {
				continue
			}
			ended, out = th.leg(0, false)
		}
		if !ended || th.plain(out) != th.plain(undisturbed) {
			t.Fatalf("after %d kills the program prints\n%s\nand undisturbed\n%s", done, th.plain(out), th.plain(undisturbed))
		}
		if th.resumable() {
			t.Error("a run that has ended can be resumed")
		}
		th.checked()
	}
}

// finishIn runs a command that ends well, and returns what it prints.
func finishIn(t *testing.T, cmd interface{ Output() ([]byte, error) }) string {
	t.Helper()
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// TestKillAndResume: a program of 200 calls is killed at random moments and resumed
// each time. What it makes is what it makes undisturbed, and the server is never
// asked again for what is in the journal.
func TestKillAndResume(t *testing.T) {
	t.Parallel()
	th := openTheatre(t, `
program stories {
  topics: list[string] -> stories: list[string]
  predict plan {
    topic -> outline
    for_each    = topics
    concurrency = 10
    inputs { topic = each.value }
  }
  predict write {
    outline -> story
    for_each    = plan.outline
    concurrency = 10
    inputs { outline = each.value }
  }
  outputs { stories = write.story }
}`)
	topics := make([]string, 100)
	for i := range topics {
		topics[i] = fmt.Sprint("topic ", i)
	}
	list, err := json.Marshal(topics)
	if err != nil {
		t.Fatal(err)
	}
	th.args = []string{"topics=" + string(list)}
	th.perform(200)
}

// TestKillAndResumeEach does the same with the rows of a table.
func TestKillAndResumeEach(t *testing.T) {
	t.Parallel()
	th := openTheatre(t, `
program stories {
  topic: string -> story: string
  predict plan { topic -> outline }
  predict write {
    outline -> story
    inputs { outline = plan.outline }
  }
}`)
	var rows strings.Builder
	rows.WriteString("topic\n")
	for i := range 60 {
		fmt.Fprintf(&rows, "topic %d\n", i)
	}
	table := filepath.Join(t.TempDir(), "rows.csv")
	writeFile(t, table, rows.String())
	th.args = []string{"--each", table, "--concurrency", "4"}
	th.perform(120)
}
