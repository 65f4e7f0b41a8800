package main

import (
	"context"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// waiter is a stream that tells when a text has been written to it.
type waiter struct {
	mu   sync.Mutex
	text strings.Builder
	news chan struct{}
	then func(all string) // is called with all that was written
}

func (w *waiter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, err := w.text.Write(p)
	if w.then != nil {
		w.then(w.text.String())
	}
	select {
	case w.news <- struct{}{}:
	default:
	}
	return n, err
}

// count waits until a text has been written n times.
func (w *waiter) count(t *testing.T, text string, n int) {
	t.Helper()
	for {
		w.mu.Lock()
		have, all := strings.Count(w.text.String(), text), w.text.String()
		w.mu.Unlock()
		if have >= n {
			return
		}
		select {
		case <-w.news:
		case <-t.Context().Done():
			t.Fatalf("%q came %d times, not %d:\n%s", text, have, n, all)
		case <-time.After(90 * time.Second):
			t.Fatalf("%q came %d times, not %d:\n%s", text, have, n, all)
		}
	}
}

// TestWatch: --watch runs again when a file changes, not before; also a file
// that comes, one that is imported, and one that is broken for a while.
func TestWatch(t *testing.T) {
	t.Chdir(t.TempDir())
	moment := time.Now().Add(-time.Hour)
	edit := func(name, text string) {
		writeFile(t, name, text)
		moment = moment.Add(time.Second) // however coarse the file system's clock is
		if err := os.Chtimes(name, moment, moment); err != nil {
			t.Fatal(err)
		}
	}
	test := func(want string) string {
		return "import \"lib.txt\"\nprogram sums { question: Question -> answer: string }\ntest product {\n  program = program.sums\n  inputs { question = \"What is 17 * 23?\" }\n  assert { that = answer contains \"" + want + "\" }\n}\n"
	}
	edit("lib.txt", "type Question = string\n")
	edit("sums.dsp", test("391"))
	ticks := make(chan time.Time)
	tick := func() { ticks <- time.Time{} }
	errs := &waiter{news: make(chan struct{}, 1)}
	a := newApp(strings.NewReader(""), io.Discard, errs, nil)
	a.ticks = ticks
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan int)
	go func() {
		root := newRoot(a)
		root.SetArgs([]string{"test", ".", "--watch"})
		ended <- a.report(root.ExecuteContext(ctx))
	}()
	const waits = "waiting for a change"
	errs.count(t, waits, 1)
	errs.count(t, "1 test: 1 passed", 1)
	edit("sums.dsp", test("400"))
	tick()
	errs.count(t, "1 test: 1 failed", 1)
	errs.count(t, waits, 2)
	edit("lib.txt", "type Question = int\n")
	tick()
	errs.count(t, "1 file with errors", 1)
	errs.count(t, waits, 3)
	edit("lib.txt", "type Question = string\n")
	edit("sums.dsp", test("391"))
	errs.mu.Lock()
	errs.then = func(all string) { // a file comes when the tests have run, and nobody waits yet
		if strings.Count(all, "1 test: 1 passed") == 2 && strings.Count(all, waits) == 3 {
			edit("new.dsp", strings.ReplaceAll(test("391"), "product", "again"))
		}
	}
	errs.mu.Unlock()
	tick()
	errs.count(t, "1 test: 1 passed", 2)
	errs.count(t, waits, 4)
	tick()
	errs.count(t, "2 tests: 2 passed", 1)
	errs.count(t, waits, 5)
	tick()
	tick() // nothing has changed: the first was looked at
	cancel()
	if code := <-ended; code != exitInterrupted {
		t.Errorf("exit status %d", code)
	}
	errs.mu.Lock()
	defer errs.mu.Unlock()
	if n := strings.Count(errs.text.String(), waits); n != 5 {
		t.Errorf("%d runs, want 5\n%s", n, errs.text.String())
	}
}
