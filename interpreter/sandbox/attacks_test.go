//go:build sandbox

package sandbox_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dspi-lang/dspi/interpreter/sandbox"
)

// Code that tries to take more than it may: memory, processes, files, the network,
// output.

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
		python := strings.Trim(run(t, s, "__import__('sys').base_prefix").Value, `"`)
		for _, p := range paths {
			// A folder above Python's own files holds the way to them, and nothing else.
			if below, ok := strings.CutPrefix(python, p+"/"); ok && way == sandbox.Bubblewrap {
				first, _, _ := strings.Cut(below, "/")
				if out := run(t, s, "os.listdir("+strconv.Quote(p)+")"); out.Value != `["`+first+`"]` {
					t.Errorf("%s shows %s", p, out.Value)
				}
				continue
			}
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
		own := "dspi-test-" + strconv.Itoa(os.Getpid())
		run(t, s, "open("+strconv.Quote(own)+", 'w').write('x')") // and is not to be seen outside
		for _, p := range []string{"/tmp/" + own, "/dev/shm/" + own, "/var/tmp/" + own} {
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
