//go:build sandbox

package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/dspi-lang/dspi/interpreter/sandbox"
	"github.com/dspi-lang/dspi/lang/value"
)

// These tests need a Linux with Python, bubblewrap, Landlock and user namespaces:
// `make test-sandbox` sees to it. What is missing fails them.

const secret = "the-secret-of-the-test"

func TestMain(m *testing.M) {
	if os.Getenv("SANDBOX_TEST_CHILD") != "" {
		child()
	}
	os.Setenv("SANDBOX_TEST_SECRET", secret)
	// Whatever a process leaves behind becomes a child of this one.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// pythonPath is a Python that this user can run.
func pythonPath(t testing.TB) string {
	t.Helper()
	for _, path := range []string{os.Getenv("DSPI_PYTHON"), "/usr/bin/python3", "/usr/local/bin/python3", "python3"} {
		if path != "" && exec.Command(path, "-I", "-S", "-c", "").Run() == nil {
			return path
		}
	}
	t.Fatal("there is no Python that this user can run; on Debian: apt-get install python3")
	return ""
}

var ways = []sandbox.Way{sandbox.Bubblewrap, sandbox.Landlock}

func open(t testing.TB, way sandbox.Way, limits sandbox.Limits, functions map[string]sandbox.Function) *sandbox.Session {
	t.Helper()
	if limits.Time == 0 {
		limits.Time = 20 * time.Second // attempts must end by themselves, also on a busy machine
	}
	s, err := sandbox.Open(t.Context(), sandbox.Options{Python: pythonPath(t), Way: way, Limits: limits, Functions: functions})
	if err != nil {
		t.Fatalf("%v\nto install what is missing, on Debian: apt-get install bubblewrap python3", err)
	}
	t.Cleanup(func() {
		s.Close()
		alone(t)
	})
	return s
}

// alone checks that this process has no child any more.
func alone(t testing.TB) {
	t.Helper()
	reaped := make(chan error, 1)
	go func() {
		for {
			var status syscall.WaitStatus
			if _, err := syscall.Wait4(-1, &status, 0, nil); err != nil && err != syscall.EINTR {
				reaped <- err
				return
			}
		}
	}()
	select {
	case err := <-reaped:
		if err != syscall.ECHILD {
			t.Fatal(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("processes are left behind: " + children())
	}
}

func children() string {
	var b strings.Builder
	tasks, _ := filepath.Glob("/proc/self/task/*/children")
	for _, f := range tasks {
		ids, _ := os.ReadFile(f)
		for _, id := range strings.Fields(string(ids)) {
			line, _ := os.ReadFile("/proc/" + id + "/cmdline")
			fmt.Fprintf(&b, "%s %.60q\n", id, line)
		}
	}
	return b.String()
}

func run(t *testing.T, s *sandbox.Session, code string) *sandbox.Outcome {
	t.Helper()
	out, err := s.Run(t.Context(), code)
	if err != nil {
		t.Fatalf("%s\n%v", code, err)
	}
	return out
}

// refuses runs code that must end with an error of a kind.
func refuses(t *testing.T, s *sandbox.Session, kind sandbox.Kind, code string) *sandbox.Error {
	t.Helper()
	out, err := s.Run(t.Context(), code)
	e, ok := errors.AsType[*sandbox.Error](err)
	if !ok || kind != "" && e.Kind != kind {
		t.Fatalf("%s\nended with %v, %+v; want %q", code, err, out, kind)
	}
	if len(e.Message) > 100_000 || len(e.Printed) > 100_000 {
		t.Fatalf("a message of %d bytes, %d printed", len(e.Message), len(e.Printed))
	}
	return e
}

// each runs a test for every way.
func each(t *testing.T, test func(t *testing.T, way sandbox.Way)) {
	for _, way := range ways {
		t.Run(string(way), func(t *testing.T) { test(t, way) })
	}
}

func TestConfinedRuns(t *testing.T) {
	each(t, func(t *testing.T, way sandbox.Way) {
		called := 0
		s := open(t, way, sandbox.Limits{}, map[string]sandbox.Function{
			"double": func(_ context.Context, args []any, named *value.Object) (any, error) {
				called++
				n, ok := named.Get("n")
				if !ok && len(args) == 1 {
					n = args[0]
				}
				if i, ok := n.(int); ok {
					return 2 * i, nil
				}
				return nil, errors.New("a whole number is needed")
			},
		})
		if s.Way() != way {
			t.Errorf("confined by %s", s.Way())
		}
		for _, c := range []struct{ code, value, printed string }{
			{"x = 20 + 1", `""`, ""},
			{"x + 1", "22", ""},
			{"print('a', x)", `"a 21\n"`, "a 21\n"},
			{"print('b')\n[x, 2.0, 2.5, None, True, 'é', (1, {'k': {3, 2}})]", `[21, 2, 2.5, null, true, "\u00e9", [1, {"k": [2, 3]}]]`, "b\n"},
			{"double(4) + double(n=x)", "50", ""},
			{"try:\n  double('x')\nexcept RuntimeError as e:\n  print(e)", `"a whole number is needed\n"`, "a whole number is needed\n"},
			{"import math, json, re, random, datetime, decimal, statistics, itertools, hashlib, sqlite3, csv\nrandom.random() < 1", "true", ""},
			{"import os\nopen('note', 'w').write('kept')\nopen(os.path.expanduser('~/note')).read()", `"kept"`, ""},
			{"def f(n):\n  return n if n < 2 else f(n - 1) + f(n - 2)\nf(15)", "610", ""},
			{"import sys\nsys.stderr.write('unseen')\nsys.stdin.read()", `""`, ""},
			{"import time, threading\nt = threading.Thread(target=lambda: None)\nt.start()\nt.join()\ntime.time() > 0", "true", ""},
		} {
			if out := run(t, s, c.code); out.Value != c.value || out.Printed != c.printed || out.Submitted {
				t.Errorf("%s\n%+v\nwant %s, %q", c.code, out, c.value, c.printed)
			}
		}
		if out := run(t, s, "print('c')\nSUBMIT({'answer': x, 'part': 1.0})\nx = 0"); out.Value != `{"output": {"answer": 21, "part": 1}}` || !out.Submitted || out.Printed != "c\n" {
			t.Errorf("%+v", out)
		}
		if out := run(t, s, "try:\n  SUBMIT(1)\nexcept Exception:\n  pass"); !out.Submitted {
			t.Errorf("%+v", out)
		}
		for _, c := range []struct{ code, want string }{
			{"nothing", `NameError: ["name 'nothing' is not defined"]`},
			{"1 / 0", `ZeroDivisionError: ['division by zero']`},
			{"raise KeyError('a', 2)", `KeyError: ['a', 2]`},
			{"raise ValueError(object)", `ValueError: ["<class 'object'>"]`},
			{"SUBMIT(a=1)", `TypeError: ["SUBMIT() got an unexpected keyword argument 'a'"]`},
			{"import sys\nsys.exit(3)", `SystemExit: [3]`},
			{"object()", `TypeError: ['a value of type object cannot be handed on; only text, numbers, booleans, None, lists and dicts can']`},
			{"import numpy", `ModuleNotFoundError: ["No module named 'numpy'"]`},
		} {
			if e := refuses(t, s, sandbox.Failed, c.code); e.Message != c.want {
				t.Errorf("%s\n%s\nwant %s", c.code, e.Message, c.want)
			}
		}
		if e := refuses(t, s, sandbox.Failed, "if True\n  pass"); !strings.HasPrefix(e.Message, "Invalid Python syntax. message: ") || !strings.Contains(e.Message, "line 1") {
			t.Errorf("%s", e.Message)
		}
		// No file of this process is open there, also one that others inherit.
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		defer w.Close()
		if _, err := unix.FcntlInt(w.Fd(), unix.F_SETFD, 0); err != nil {
			t.Fatal(err)
		}
		other, err := sandbox.Open(t.Context(), sandbox.Options{Python: pythonPath(t), Way: way})
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		if out := run(t, other, "import os\ndef is_open(fd):\n  try: os.fstat(fd)\n  except OSError: return False\n  return True\nsum(is_open(fd) for fd in range(1000))"); out.Value != "5" {
			t.Errorf("%s files are open", out.Value)
		}
		if called != 3 {
			t.Errorf("%d calls", called)
		}
	})
}

func TestConfinedTime(t *testing.T) {
	each(t, func(t *testing.T, way sandbox.Way) {
		s := open(t, way, sandbox.Limits{Time: 700 * time.Millisecond}, map[string]sandbox.Function{
			"wait": func(ctx context.Context, _ []any, _ *value.Object) (any, error) {
				wait(t, 900*time.Millisecond)
				return nil, nil
			},
		})
		for _, code := range []string{
			"while True: pass",
			"while True:\n  try:\n    while True: pass\n  except BaseException: pass",
			"import signal\nfor n in range(1, 60):\n  try: signal.signal(n, lambda *a: None)\n  except (OSError, ValueError): pass\nwhile True: pass",
			"import threading\nfor i in range(4): threading.Thread(target=lambda: [0 for _ in iter(int, 1)]).start()\nwhile True: pass",
			"import time\ntime.sleep(1000)",
			"10 ** 10 ** 9",
			"import re\nre.match('(a+)+$', 'a' * 60 + 'b')",
			"import os\nwhile True: os.write(1, b'x' * 65536)",
		} {
			run(t, s, "kept = 1")
			began := time.Now()
			e := refuses(t, s, sandbox.Time, code)
			if took := time.Since(began); took > 15*time.Second {
				t.Errorf("%s\nit took %s", code, took)
			}
			if e.Message != "the code takes longer than 700ms. Its variables are lost." {
				t.Errorf("%s", e.Message)
			}
			refuses(t, s, sandbox.Failed, "kept") // a new process
		}
		// What the host does takes none of the code's time.
		if out := run(t, s, "wait()\n'done'"); out.Value != `"done"` {
			t.Errorf("%+v", out)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer time.AfterFunc(100*time.Millisecond, cancel).Stop()
		if _, err := s.Run(ctx, "while True: pass"); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	})
}

// wait lets time pass.
func wait(t *testing.T, d time.Duration) {
	select {
	case <-time.After(d):
	case <-t.Context().Done():
	}
}

// TestConfinedAfterDeath kills a process that runs a confined one: that ends, too.
func TestConfinedAfterDeath(t *testing.T) {
	each(t, func(t *testing.T, way sandbox.Way) {
		cmd := exec.Command("/proc/self/exe")
		cmd.Args[0] = os.Args[0]
		cmd.Env = append(os.Environ(), "SANDBOX_TEST_CHILD="+string(way), "DSPI_PYTHON="+pythonPath(t))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line := make([]byte, 8)
		if n, err := out.Read(line); string(line[:n]) != "running\n" {
			t.Fatalf("%q, %v", line[:n], err)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		cmd.Wait()
		alone(t)
	})
}

// TestConfinedNeither says what each way lacks where users may not make namespaces.
func TestConfinedNeither(t *testing.T) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), "SANDBOX_TEST_CHILD=neither", "DSPI_PYTHON="+pythonPath(t))
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
	}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "bubblewrap: bwrap: ") || lines[1] != "landlock: no more user namespaces may be made (user.max_user_namespaces)" {
		t.Errorf("%q", lines)
	}
}

// neither allows no more namespaces, in the one that this process is in, and prints
// why nothing can be confined.
func neither() {
	err := os.WriteFile("/proc/sys/user/max_user_namespaces", []byte("0"), 0)
	if err == nil {
		_, err = sandbox.Open(context.Background(), sandbox.Options{Python: os.Getenv("DSPI_PYTHON")})
	}
	no, ok := errors.AsType[*sandbox.UnavailableError](err)
	if !ok {
		fmt.Println(err)
		os.Exit(1)
	}
	for _, r := range no.Reasons {
		fmt.Printf("%s: %s\n", r.Way, r.Why)
	}
	os.Exit(0)
}

// child runs code that never ends.
func child() {
	if os.Getenv("SANDBOX_TEST_CHILD") == "neither" {
		neither()
	}
	s, err := sandbox.Open(context.Background(), sandbox.Options{
		Python: os.Getenv("DSPI_PYTHON"), Way: sandbox.Way(os.Getenv("SANDBOX_TEST_CHILD")), Limits: sandbox.Limits{Time: time.Hour},
		Functions: map[string]sandbox.Function{"running": func(context.Context, []any, *value.Object) (any, error) {
			fmt.Println("running")
			return nil, nil
		}},
	})
	if err == nil {
		_, err = s.Run(context.Background(), "running()\nwhile True: pass")
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// TestConfinedStop ends code by an error of the host.
func TestConfinedStop(t *testing.T) {
	each(t, func(t *testing.T, way sandbox.Way) {
		why := errors.New("a person must be asked")
		s := open(t, way, sandbox.Limits{}, map[string]sandbox.Function{
			"pay": func(context.Context, []any, *value.Object) (any, error) { return nil, &sandbox.Stop{Err: why} },
		})
		if _, err := s.Run(t.Context(), "try:\n  pay()\nexcept BaseException:\n  pass"); !errors.Is(err, why) {
			t.Errorf("%v", err)
		}
	})
}

// TestConfinedTogether runs several sessions at once; each has its own variables.
func TestConfinedTogether(t *testing.T) {
	python := pythonPath(t)
	each(t, func(t *testing.T, way sandbox.Way) {
		failed := make(chan error, 8)
		for i := range cap(failed) {
			go func() {
				failed <- func() error {
					s, err := sandbox.Open(t.Context(), sandbox.Options{Python: python, Way: way})
					if err != nil {
						return err
					}
					defer s.Close()
					for _, code := range []string{fmt.Sprintf("x = %d", i), "x * x"} {
						out, err := s.Run(t.Context(), code)
						if err != nil {
							return err
						}
						if code == "x * x" && out.Value != strconv.Itoa(i*i) {
							return fmt.Errorf("%d gives %s", i, out.Value)
						}
					}
					return nil
				}()
			}()
		}
		for range cap(failed) {
			if err := <-failed; err != nil {
				t.Error(err)
			}
		}
		alone(t)
	})
}

// TestConfinedNot runs code that is not confined, within the limits that hold there.
func TestConfinedNot(t *testing.T) {
	s := open(t, sandbox.None, sandbox.Limits{Time: 2 * time.Second, Memory: 128 << 20}, nil)
	file := filepath.Join(t.TempDir(), "f")
	run(t, s, "open("+strconv.Quote(file)+", 'w').write('x')")
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
	refuses(t, s, sandbox.Memory, "'a' * 10**10")
	refuses(t, s, sandbox.Time, "import os\nfor _ in range(3): os.fork()\nwhile True: pass")
	if out := run(t, s, "import os\nos.environ.get('SANDBOX_TEST_SECRET')"); out.Value != `""` {
		t.Errorf("%+v", out)
	}
}

// TestConfinedRefused says what is missing: bubblewrap, a Python.
func TestConfinedRefused(t *testing.T) {
	python, err := exec.LookPath(pythonPath(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", t.TempDir())
	_, err = sandbox.Open(t.Context(), sandbox.Options{Python: python, Way: sandbox.Bubblewrap})
	no, ok := errors.AsType[*sandbox.UnavailableError](err)
	if !ok || len(no.Reasons) != 1 || !strings.Contains(no.Reasons[0].Why, "bwrap is not installed") {
		t.Errorf("%v", err)
	}
	if s, err := sandbox.Open(t.Context(), sandbox.Options{Python: python}); err != nil || s.Way() != sandbox.Landlock {
		t.Errorf("%v", err)
	} else {
		s.Close()
	}
	if err := os.WriteFile(filepath.Join(os.Getenv("PATH"), "bwrap"), []byte("#!/bin/sh\necho 'bwrap: No permissions to create a new namespace' >&2\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err = sandbox.Open(t.Context(), sandbox.Options{Python: python, Way: sandbox.Bubblewrap})
	if no, ok := errors.AsType[*sandbox.UnavailableError](err); !ok || !strings.Contains(no.Reasons[0].Why, "No permissions to create a new namespace") {
		t.Errorf("%v", err)
	}
	if _, err := sandbox.Open(t.Context(), sandbox.Options{Python: "/nothing/python"}); err == nil {
		t.Error("a Python that is not there starts")
	}
}

// TestAsUser runs all of these as a user without rights, where this one has them.
func TestAsUser(t *testing.T) {
	if os.Geteuid() != 0 {
		if os.Getenv("SANDBOX_TEST_USER") == "" && os.Getenv("CI") == "true" {
			t.Fatal("root is to be tested as well: sudo -E make test-sandbox")
		}
		return
	}
	const nobody = 65534
	cmd := exec.Command("/proc/self/exe", "-test.run", "^TestConfined", "-test.v")
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), "SANDBOX_TEST_USER=1", "HOME=/")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if n := strings.Count(string(out), "--- PASS: TestConfined"); n < 12 {
		t.Errorf("only %d tests ran\n%s", n, out)
	}
}
