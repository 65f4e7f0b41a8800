//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// TestInterrupt: Ctrl-C ends a run with 130 and says how far it came.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	asking := make(chan struct{}, 10)
	s := serve(t, protocols[0], func(_ http.ResponseWriter, r *http.Request, _ int, _ []lm.Message) bool {
		asking <- struct{}{}
		<-r.Context().Done()
		return true
	})
	program := s.program(t, "")
	for _, args := range [][]string{{}, {"--json"}} {
		got := interrupted(t, asking, 1, append([]string{"run", program, asked}, args...)...)
		if got.code != 130 || !strings.Contains(got.stderr, "error[E0617]") || !strings.Contains(got.stderr, "interrupted: 0 of 1 step done") || !strings.Contains(got.stderr, "to go on: dspi run /") || !strings.Contains(got.stderr, " --resume ") {
			t.Errorf("exit status %d, stderr:\n%s", got.code, got.stderr)
		}
		if json := len(args) > 0; json != strings.Contains(got.stdout, `"error":{"code":"E0617"`) {
			t.Errorf("stdout %q", got.stdout)
		}
	}
}

// TestInterruptEach: the lines that were printed are whole, and the rest can be
// run later.
func TestInterruptEach(t *testing.T) {
	t.Parallel()
	const good, parallel = 5, 3
	path := filepath.Join(t.TempDir(), "rows.csv")
	writeFile(t, path, "question\n"+strings.Repeat("What is 2 + 2?\n", 200))
	asking := make(chan struct{}, 1000)
	s := serve(t, protocols[0], func(_ http.ResponseWriter, r *http.Request, n int, _ []lm.Message) bool {
		if n <= good {
			return false
		}
		asking <- struct{}{}
		<-r.Context().Done()
		return true
	})
	got := interrupted(t, asking, parallel, "run", s.program(t, ""), "--each", path, "--no-cache", "--concurrency", fmt.Sprint(parallel))
	lines := strings.Split(strings.TrimSuffix(got.stdout, "\n"), "\n")
	if got.code != 130 || len(lines) != good || !strings.HasSuffix(got.stdout, "}\n") {
		t.Fatalf("exit status %d\nstdout:\n%s\nstderr:\n%s", got.code, got.stdout, got.stderr)
	}
	for _, part := range []string{"5 of 200 rows", "interrupted: every line that was printed is whole", "--rows ", "have every row printed: dspi run "} {
		if !strings.Contains(got.stderr, part) {
			t.Errorf("stderr has no %q:\n%s", part, got.stderr)
		}
	}
}

// interrupted runs dspi and interrupts it when the server was asked n times.
func interrupted(t *testing.T, asking <-chan struct{}, n int, args ...string) ranCommand {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := command(ctx, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	start := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for range n {
		select {
		case <-asking:
		case <-ctx.Done():
			t.Fatalf("the server was not asked; stderr:\n%s", &errs)
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	return wait(t, ctx, cmd, &out, &errs, start)
}

// TestClosedPipe: a reader that goes away, as head does, ends the command without
// a word.
func TestClosedPipe(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "rows.csv")
	writeFile(t, path, "question\n"+strings.Repeat("What is 2 + 2?\n", 20_000))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := command(ctx, "run", "-s", "question -> answer", "--each", path, "--model", "builtin/incontext")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	var errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = w, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	line := make([]byte, 10)
	if _, err := r.Read(line); err != nil {
		t.Fatal(err)
	}
	r.Close()
	_ = cmd.Wait() // it ends by the signal of the broken pipe
	if ctx.Err() != nil || strings.Contains(errs.String(), "error") || strings.Contains(errs.String(), "broken pipe") {
		t.Errorf("stderr:\n%s", &errs)
	}
}
