package sqlite

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/dspi-lang/dspi/interpreter/history"
	"github.com/dspi-lang/dspi/interpreter/history/historytest"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/value"
)

// killed is the environment variable that makes this test binary the process that
// TestKill kills.
const killed = "DSPI_TEST_WRITE_HISTORY"

func TestMain(m *testing.M) {
	if path := os.Getenv(killed); path != "" {
		writeUntilKilled(path)
	}
	goleak.VerifyTestMain(m)
}

func open(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestStore(t *testing.T) {
	historytest.Exercise(t, func(t *testing.T) history.Store { return open(t, filepath.Join(t.TempDir(), "h.db")) })
}

// TestAnotherProcess: what one opening writes another one reads, at once.
func TestAnotherProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "h.db")
	a, b := open(t, path), open(t, path)
	for i := range 20 {
		writer, reader := a, b
		if i%2 == 1 {
			writer, reader = b, a
		}
		w := historytest.Sample(fmt.Sprint("run", i), time.UnixMicro(int64(i)))
		if err := writer.Write(t.Context(), &history.Batch{Runs: []*history.Run{&w.Run}}); err != nil {
			t.Fatal(err)
		}
		if got, err := reader.Run(t.Context(), ""); err != nil || got.ID != w.ID {
			t.Fatalf("the newest is %v, %v; want %s", got, err, w.ID)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has the mode %v, %v", info.Mode(), err)
	}
}

// TestDeletedIsGone: nothing of a deleted run is in any file.
func TestDeletedIsGone(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "h.db"))
	const planted = "a-word-that-stands-nowhere-else"
	for i := range 40 {
		w := historytest.Sample(fmt.Sprint("run", i), time.UnixMicro(int64(i)))
		w.Run.Inputs = json.RawMessage(`"` + strings.Repeat(planted+" ", 400*(i%3)+1) + `"`)
		w.Calls[0].Reply.Text = planted
		if err := s.Write(t.Context(), &history.Batch{Runs: []*history.Run{&w.Run}, Calls: []*history.Call{&w.Calls[0]}}); err != nil {
			t.Fatal(err)
		}
	}
	if !holds(t, dir, planted) {
		t.Fatal("the word is in no file although nothing was deleted")
	}
	if n, err := s.DeleteBefore(t.Context(), time.Now()); n != 40 || err != nil {
		t.Fatalf("%d were deleted, %v", n, err)
	}
	if holds(t, dir, planted) {
		t.Error("a word of a deleted run is still in a file")
	}
}

// holds reports whether a file below dir holds a text.
func holds(t *testing.T, dir, text string) bool {
	t.Helper()
	found := false
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		found = found || bytes.Contains(data, []byte(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// play gives a sink the events of a run with one step and one call, whose prompt is
// about size bytes long.
func play(see trace.Sink, id string, size int, wait func()) {
	now := time.Now()
	inputs := &value.Object{}
	inputs.Set("question", strings.Repeat("why? ", size/10))
	outputs := &value.Object{}
	outputs.Set("answer", "because "+id)
	usd := 0.0001
	messages := []lm.Message{{Role: lm.System, Content: strings.Repeat("Answer. ", size/16)}, {Role: lm.User, Content: strings.Repeat("why? ", size/10)}}
	see(trace.Event{Time: now, Run: id, Kind: trace.RunStart, Address: "program.p", Inputs: inputs})
	see(trace.Event{Time: now, Run: id, Kind: trace.StepStart, Address: "program.p.s", Step: 1, Inputs: inputs})
	see(trace.Event{Time: now, Run: id, Kind: trace.CallStart, Address: "program.p.s", Step: 1, Call: 1, Model: "test/m", Messages: messages, Request: &lm.Request{Messages: messages}})
	if wait != nil {
		wait()
	}
	end := now.Add(time.Millisecond)
	see(trace.Event{Time: end, Run: id, Kind: trace.CallEnd, Address: "program.p.s", Step: 1, Call: 1, Model: "test/m", Cost: &usd, Duration: time.Millisecond,
		Reply: &lm.Response{Text: "because " + id, Finish: lm.FinishStop, Usage: lm.Usage{InputTokens: 10, OutputTokens: 3}, Cost: &usd}})
	see(trace.Event{Time: end, Run: id, Kind: trace.StepEnd, Address: "program.p.s", Step: 1, Outputs: outputs, Duration: time.Millisecond})
	see(trace.Event{Time: end, Run: id, Kind: trace.RunEnd, Address: "program.p", Outputs: outputs, Duration: time.Millisecond})
}

// writeUntilKilled records runs without end, and prints the id of each one that was
// flushed.
func writeUntilKilled(path string) {
	s, err := Open(path)
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	r := history.NewRecorder(s, history.About{Version: "v1", Keep: history.Forever})
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("%d-%d-%d", os.Getpid(), g, i)
				play(r.See, id, 4000, nil)
				if g == 0 && i%4 == 0 {
					if err := r.Flush(context.Background()); err != nil {
						fmt.Println("error", err)
						os.Exit(1)
					}
					fmt.Println(id)
				}
			}
		})
	}
	all.Wait()
}

// TestKill kills a process in the middle of writing, again and again, and looks at
// what is left: every run that was flushed is there and whole, and no other is half
// there.
func TestKill(t *testing.T) {
	rounds := 8
	if os.Getenv("DSPI_SOAK") != "" {
		rounds = 100
	}
	if testing.Short() {
		rounds = 4
	}
	var path string
	var flushed []string
	for round := range rounds {
		if round%4 == 0 { // a file of many runs is slow to look at
			path, flushed = filepath.Join(t.TempDir(), "h.db"), nil
		}
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), killed+"="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// Another number of flushes each time, so that the kill comes at another place.
		lines, last := round%5+1, ""
		var line []byte
		one := make([]byte, 1)
		for lines > 0 {
			if _, err := io.ReadFull(out, one); err != nil {
				t.Fatalf("round %d: the process ended: %q, %v", round, line, err)
			}
			if one[0] != '\n' {
				line = append(line, one[0])
				continue
			}
			if last = string(line); strings.HasPrefix(last, "error") {
				t.Fatal(last)
			}
			flushed = append(flushed, last)
			line, lines = line[:0], lines-1
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was killed
		look(t, path, flushed, round%4 == 3)
		flushed = slices.Clone(flushed[max(0, len(flushed)-3):])
	}
}

// look opens the file and reads what is in it.
func look(t *testing.T, path string, flushed []string, all bool) {
	t.Helper()
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var sound string
	if err := s.db.Read.QueryRow("PRAGMA integrity_check").Scan(&sound); err != nil || sound != "ok" {
		t.Fatalf("the file is not sound: %s, %v", sound, err)
	}
	for _, id := range flushed {
		w, err := s.Run(t.Context(), id)
		if err != nil || w.Status != history.OK || len(w.Steps) != 1 || len(w.Calls) != 1 || w.Calls[0].Reply == nil || w.Calls[0].Reply.Text != "because "+id {
			t.Fatalf("%s was flushed and is %+v, %v", id, w, err)
		}
	}
	limit := 200
	if all {
		limit = 0
	}
	runs, err := s.Runs(t.Context(), limit)
	if err != nil {
		t.Fatal(err)
	}
	unended := 0
	for i, r := range runs {
		switch r.Status {
		case history.Unended:
			unended++
			continue
		case history.OK:
		default:
			t.Fatalf("%s is %q after its process was killed", r.ID, r.Status)
		}
		if i%50 != 0 {
			continue
		}
		// A run with an end was written after its steps and calls.
		if w, err := s.Run(t.Context(), r.ID); err != nil || len(w.Steps) != 1 || len(w.Calls) != 1 || w.Calls[0].Reply.Text != "because "+r.ID {
			t.Fatalf("%s is %+v, %v", r.ID, w, err)
		}
	}
	if all {
		t.Logf("%d runs, %d of them without an end", len(runs), unended)
	}
}

// BenchmarkRecorder records runs as a thousand goroutines make them.
func BenchmarkRecorder(b *testing.B) {
	s, err := Open(filepath.Join(b.TempDir(), "h.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	r := history.NewRecorder(s, history.About{Version: "v1", Models: []history.Model{{Address: "test/m", Provider: "test", ID: "m"}}, Secrets: []string{"sk-0123456789abcdef"}})
	b.ResetTimer()
	todo := make(chan int)
	var all sync.WaitGroup
	for range 1000 {
		all.Go(func() {
			for i := range todo {
				play(r.See, fmt.Sprintf("%016x", uint64(i+1)*0x9E3779B97F4A7C15), 2000, nil)
			}
		})
	}
	for i := range b.N {
		todo <- i
	}
	close(todo)
	all.Wait()
	if err := r.Close(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "runs/s")
}
