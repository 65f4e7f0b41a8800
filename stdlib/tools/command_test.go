//go:build unix

package tools

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dspi-lang/dspi/interpreter/tool"
)

// TestCommand runs programs and compares what they print.
func TestCommand(t *testing.T) {
	t.Setenv("OPENAI_API_KEY", "s3cret")
	dir := t.TempDir()
	script := filepath.Join(dir, "own.sh")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho own \"$1\"\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		c      tool.Command
		stdout string
		status int
		err    string
	}{
		{"arguments are no shell's", tool.Command{Argv: []string{"echo", "$HOME; *", "a b"}}, "$HOME; * a b\n", 0, ""},
		{"input", tool.Command{Argv: []string{"cat"}, Stdin: "hello"}, "hello", 0, ""},
		{"input that nobody reads", tool.Command{Argv: []string{"true"}, Stdin: strings.Repeat("x", 1<<20)}, "", 0, ""},
		{"folder", tool.Command{Argv: []string{"pwd"}, Folder: dir}, real + "\n", 0, ""},
		{"environment", tool.Command{Argv: []string{"sh", "-c", "echo $OWN-$OPENAI_API_KEY"}, Env: []tool.Pair{{Name: "OWN", Value: "1"}}}, "1-\n", 0, ""},
		{"beside the file", tool.Command{Argv: []string{"./own.sh", "x"}, Folder: dir}, "own x\n", 0, ""},
		{"status", tool.Command{Argv: []string{"sh", "-c", "echo out; exit 3"}}, "out\n", 3, ""},
		{"no program", tool.Command{Argv: []string{"no-such-program-here"}}, "", 0, "there is no program `no-such-program-here` on this machine"},
		{"no folder", tool.Command{Argv: []string{"pwd"}, Folder: filepath.Join(dir, "none")}, "", 0, "its folder"},
		{"too slow", tool.Command{Argv: []string{"sleep", "60"}, Timeout: 30 * time.Millisecond}, "", 0, "sleep did not end within 30ms"},
		{"prints without end", tool.Command{Argv: []string{"yes"}, MaxBytes: 1000}, "", 0, "yes prints more than 1000 bytes"},
		{"complains without end", tool.Command{Argv: []string{"sh", "-c", "yes >&2"}, MaxBytes: 1000}, "", 0, "sh prints more than 1000 bytes"},
		{"no text", tool.Command{Argv: []string{"printf", `\377`}}, "\uFFFD", 0, ""},
		{"killed", tool.Command{Argv: []string{"sh", "-c", "kill -9 $$"}}, "", 0, "sh was ended: signal: killed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := (&Bodies{}).Command(t.Context(), &c.c)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("got %v, want %s", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.Stdout != c.stdout || got.Status != c.status {
				t.Errorf("got %q and %d, want %q and %d", got.Stdout, got.Status, c.stdout, c.status)
			}
		})
	}
}

// TestCommandLeavesNothing: what a command started is killed with it, when its time is
// up and when it has ended and left something behind.
func TestCommandLeavesNothing(t *testing.T) {
	for name, script := range map[string]string{
		"time is up":  "sleep 61 & echo $! >\"$OUT\"; wait",
		"left behind": "sleep 61 >/dev/null 2>&1 & echo $! >\"$OUT\"",
		"holds pipes": "sleep 61 & echo $! >\"$OUT\"",
	} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "pid")
			_, err := (&Bodies{}).Command(t.Context(), &tool.Command{Argv: []string{"sh", "-c", script}, Env: []tool.Pair{{Name: "OUT", Value: out}}, Timeout: 2 * time.Second})
			if name == "time is up" && (err == nil || !strings.Contains(err.Error(), "did not end within")) || name != "time is up" && err != nil {
				t.Errorf("got %v", err)
			}
			text, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
			if err != nil {
				t.Fatal(err)
			}
			if !gone(pid) {
				t.Errorf("the process %d is still there", pid)
			}
		})
	}
}

// gone waits until a process is gone or a zombie that nobody has waited for.
func gone(pid int) bool {
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); {
		if err := syscall.Kill(pid, 0); errors.Is(err, syscall.ESRCH) {
			return true
		}
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err == nil && strings.Contains(string(stat), ") Z ") {
			return true
		}
		<-time.After(time.Millisecond)
	}
	return false
}

// TestCommandIsCancelled: a run that is stopped does not wait for its commands.
func TestCommandIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	start := time.Now()
	_, err := (&Bodies{}).Command(ctx, &tool.Command{Argv: []string{"sleep", "60"}})
	if !errors.Is(err, context.Canceled) || time.Since(start) > 10*time.Second {
		t.Errorf("got %v after %s", err, time.Since(start))
	}
}
