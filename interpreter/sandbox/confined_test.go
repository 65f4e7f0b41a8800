//go:build sandbox

package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"net"
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

func TestConfinedMemory(t *testing.T) {
	each(t, func(t *testing.T, way sandbox.Way) {
		s := open(t, way, sandbox.Limits{Memory: 128 << 20}, nil)
		run(t, s, "kept = 1")
		for _, code := range []string{
			"'a' * 10**10",
			"l = []\nwhile True: l.append(bytearray(1 << 20))",
			"l = [0]\nwhile True: l = l + l",
			"d = {}\nwhile True: d[len(d)] = str(len(d)) * 100",
		} {
			refuses(t, s, sandbox.Memory, code)
			run(t, s, "l = d = None")
		}
		refuses(t, s, sandbox.Memory, "import mmap\nl = []\nwhile True:\n  try: l.append(mmap.mmap(-1, 1 << 24))\n  except OSError: raise MemoryError")
		run(t, s, "l = None")
		if out := run(t, s, "kept"); out.Value != "1" {
			t.Errorf("%+v", out) // the session lives
		}
		// Memory that is not the process's own.
		for _, code := range []string{
			"import os\nos.memfd_create('x')",
			"l = []\nfor i in range(100):\n  with open('f%d' % i, 'wb') as f:\n    for j in range(64): f.write(b'x' * (1 << 20))",
			"open('one', 'wb').truncate(1 << 40)",
		} {
			refuses(t, s, sandbox.Failed, code)
		}
		s.Close()
		// Threads end with the memory. Python may wait for one that could not begin.
		s = open(t, way, sandbox.Limits{Memory: 128 << 20, Time: 2 * time.Second}, nil)
		e := refuses(t, s, "", "import threading\nwhile True: threading.Thread(target=threading.Event().wait, daemon=True).start()")
		if e.Kind != sandbox.Failed && e.Kind != sandbox.Memory && e.Kind != sandbox.Time {
			t.Errorf("%s: %s", e.Kind, e.Message)
		}
	})
}

func TestConfinedProcesses(t *testing.T) {
	each(t, func(t *testing.T, way sandbox.Way) {
		s := open(t, way, sandbox.Limits{}, nil)
		for _, code := range []string{
			"import os\nwhile True: os.fork()",
			"import os\nos.forkpty()",
			"import subprocess\nsubprocess.run(['/usr/bin/true'])",
			"import os\nos.posix_spawn('/bin/true', ['true'], {})",
			"import multiprocessing\nmultiprocessing.get_context('fork').Process(target=print).start()",
			"import os\nif os.system('true') != 0: raise OSError",
		} {
			refuses(t, s, sandbox.Failed, code)
		}
		for _, code := range []string{
			"import os\nos.kill(os.getppid(), 9)",
			"import os\nos.kill(-1, 9)",
			fmt.Sprintf("import os\nos.kill(%d, 9)", os.Getpid()),
			"import os\nos.killpg(0, 9)",
			"import os\nos._exit(3)",
			"import os\nos.close(0)\nos.closerange(0, 1000)\nos.write(3, b'')",
			"import ctypes\nctypes.string_at(0)",
			"import os\nfor fd in range(3, 20):\n  try: os.write(fd, b'\\xff' * 100)\n  except OSError: pass",
			"import os\nfor fd in range(3, 20):\n  try: os.write(fd, b'\\0\\0\\0\\2[]')\n  except OSError: pass",
			"import os\nos.execv('/usr/bin/python3', ['python3', '-c', ''])",
		} {
			_, err := s.Run(t.Context(), code) // the session may end, this process lives
			var e *sandbox.Error
			if err != nil && !errors.As(err, &e) {
				t.Errorf("%s\n%v", code, err)
			}
			if out := run(t, s, "1 + 1"); out.Value != "2" {
				t.Errorf("%+v", out)
			}
		}
	})
}

func TestConfinedFiles(t *testing.T) {
	each(t, func(t *testing.T, way sandbox.Way) {
		folder := t.TempDir()
		file := filepath.Join(folder, "program.dsp")
		if err := os.WriteFile(file, []byte(secret), 0o666); err != nil {
			t.Fatal(err)
		}
		here, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		s := open(t, way, sandbox.Limits{}, nil)
		run(t, s, `
import os
def readable(p):
    try:
        if os.path.isdir(p): return len(os.listdir(p)) > 0
        with open(p, "rb") as f: return len(f.read(1)) > 0
    except OSError: return False
`)
		paths := []string{"/etc/passwd", "/etc/shadow", "/etc/hostname", "/etc", "/root", "/root/.bashrc", "/home", "/var/log", "/proc/self/environ", "/proc/1/environ",
			"/proc/1/root/etc/passwd", fmt.Sprintf("/proc/%d/environ", os.Getpid()), "/proc/self/root/etc/passwd", "/sys/class", "/run", folder, file, here,
			filepath.Join(here, "sandbox.go"), "/usr/bin/env", "/bin/sh", "../../../../../../etc/passwd"}
		for _, p := range paths {
			if out := run(t, s, "readable("+strconv.Quote(p)+")"); out.Value != "false" && !(p == "/etc" && way == sandbox.Bubblewrap) {
				t.Errorf("%s can be read", p)
			}
		}
		if out := run(t, s, "dict(os.environ)"); strings.Contains(out.Value, secret) {
			t.Errorf("the environment: %s", out.Value)
		}
		run(t, s, `
def writable(p):
    try:
        with open(p, "ab") as f: f.write(b"!")
        return True
    except OSError: return False
def changed(do, *args):
    try:
        do(*args)
        return True
    except OSError: return False
`)
		for _, p := range []string{file, filepath.Join(folder, "new"), filepath.Join(here, "new"), "/new", "/etc/new", "/usr/lib/new", "/dev/shm/new", "/dev/new", "/var/tmp/new", "/root/new", "/lib/new"} {
			if out := run(t, s, "writable("+strconv.Quote(p)+")"); out.Value != "false" {
				t.Errorf("%s can be written", p)
			}
		}
		q := strconv.Quote(file)
		for _, do := range []string{"os.chmod, " + q + ", 0", "os.utime, " + q + ", (0, 0)", "os.chown, " + q + ", 1, 1", "os.remove, " + q, "os.truncate, " + q + ", 0",
			"os.symlink, '/etc', " + q + " + 's'", "os.link, " + q + ", 'l'", "os.rename, " + q + ", 'r'", "os.mkdir, " + q + " + 'd'", "os.setxattr, " + q + ", 'user.a', b'b'",
			"os.chroot, '/usr'", "os.mkfifo, " + q + " + 'f'"} {
			if out := run(t, s, "changed("+do+")"); out.Value != "false" {
				t.Errorf("%s works", do)
			}
		}
		entries, err := os.ReadDir(folder)
		if err != nil || len(entries) != 1 {
			t.Errorf("%v, %v", entries, err)
		}
		if text, err := os.ReadFile(file); err != nil || string(text) != secret {
			t.Errorf("%q, %v", text, err)
		}
		run(t, s, "open('mine', 'w').write('x')") // and is not to be seen outside
		for _, p := range []string{"/tmp/mine", "/dev/shm/mine", "/var/tmp/mine"} {
			if _, err := os.Stat(p); err == nil {
				t.Errorf("%s is there", p)
			}
		}
	})
}

func TestConfinedNetwork(t *testing.T) {
	each(t, func(t *testing.T, way sandbox.Way) {
		tcp, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer tcp.Close()
		folder, err := os.MkdirTemp("", "s")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(folder)
		local, err := net.Listen("unix", filepath.Join(folder, "s"))
		if err != nil {
			t.Fatal(err)
		}
		defer local.Close()
		abstract, err := net.Listen("unix", "@sandbox-test-"+strconv.Itoa(os.Getpid()))
		if err != nil {
			t.Fatal(err)
		}
		defer abstract.Close()
		reached := make(chan string, 16)
		for _, l := range []net.Listener{tcp, local, abstract} {
			go func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					c.Close()
					reached <- l.Addr().String()
				}
			}()
		}
		_, port, _ := net.SplitHostPort(tcp.Addr().String())
		s := open(t, way, sandbox.Limits{}, nil)
		run(t, s, "import socket, urllib.request")
		for _, code := range []string{
			"socket.create_connection(('127.0.0.1', " + port + "), 2)",
			"urllib.request.urlopen('http://127.0.0.1:" + port + "/', timeout=2)",
			"socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', " + port + "))",
			"socket.socket(socket.AF_INET6, socket.SOCK_STREAM)",
			"socket.socket(socket.AF_UNIX).connect(" + strconv.Quote(filepath.Join(folder, "s")) + ")",
			"socket.socket(socket.AF_UNIX).connect(" + strconv.Quote("\x00sandbox-test-"+strconv.Itoa(os.Getpid())) + ")",
			"socket.getaddrinfo('example.org', 80)",
			"socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
		} {
			refuses(t, s, sandbox.Failed, code)
		}
		// The listeners do work.
		c, err := net.Dial("tcp", tcp.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		if got := <-reached; got != tcp.Addr().String() || len(reached) > 0 {
			t.Errorf("%s was reached", got)
		}
	})
}

func TestConfinedOutput(t *testing.T) {
	each(t, func(t *testing.T, way sandbox.Way) {
		s := open(t, way, sandbox.Limits{Output: 1000, Value: 1000}, nil)
		for _, code := range []string{
			"while True: print('x' * 100)",
			"print('x' * 10**7)",
			"while True:\n  try: print('x' * 100)\n  except Exception: pass",
			"import sys\nwhile True: sys.stdout.write('é')",
		} {
			if e := refuses(t, s, sandbox.Output, code); len([]rune(e.Printed)) != 1000 || e.Message != "the code prints more than 1000 characters" {
				t.Errorf("%s\n%s, %d printed", code, e.Message, len(e.Printed))
			}
		}
		for _, code := range []string{"'x' * 10**7", "list(range(10**6))", "SUBMIT('x' * 10**7)", "{str(i): i for i in range(10**5)}"} {
			if e := refuses(t, s, sandbox.Value, code); e.Message != "the value has more than 1000 characters" {
				t.Errorf("%s\n%s", code, e.Message)
			}
		}
		for _, code := range []string{"l = []\nfor i in range(10**5): l = [l]\nl", "l = []\nl.append(l)\nl", "raise ValueError('x' * 10**7)", "float('nan'), 1j", "'\\ud800'\nraise KeyError('\\ud800')"} {
			refuses(t, s, "", code)
		}
		if out := run(t, s, "'still here'"); out.Value != `"still here"` {
			t.Errorf("%+v", out)
		}
	})
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

// child runs code that never ends.
func child() {
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

// TestStop ends code by an error of the host.
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

// TestNone runs code that is not confined, within the limits that hold there.
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

// TestRefused says what is missing: bubblewrap, a Python.
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
	if n := strings.Count(string(out), "--- PASS: TestConfined"); n < 10 {
		t.Errorf("only %d tests ran\n%s", n, out)
	}
}
