//go:build dspy && unix

package python_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/python"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/stdlib/providers/scripted"
)

// own is a program that calls a function or class of its own.
const own = `
-- main.dsp --
program main {
  n: int = 0 -> result: string
  python call { call = "code:TARGET" }
}
-- code.py --
import asyncio
import ctypes
import os
import sys
import threading
import time

import dspy


def double(n: int) -> str:
    return str(2 * n)


def raises(n):
    def inner():
        raise ValueError("no such thing: %d" % n)

    inner()


def ends(n):
    print("about to end", file=sys.stderr)
    os._exit(7)


class Mute(Exception):
    def __str__(self):
        raise RuntimeError("no words")


def mute(n):
    raise Mute()


def exits(n):
    sys.exit("enough")


def hangs(n):
    print("hanging")
    time.sleep(1000)


def prints(n):
    for i in range(10 * 1024):
        print("x" * 1023)
    return "printed"


def wrong(n):
    return 3


def nothing(n):
    return None


def other(n):
    return {"resluts": 1}


def lacks(n):
    import dspy

    return dspy.Prediction(resluts=1)


def two(m):
    return "no"


def surrogate(n):
    return "a\x00b\U0001f600"


async def later(n):
    await asyncio.sleep(0)
    return "later"


def grows(n):
    yield {"result": "a"}
    yield {"result": "ab"}


def where(n):
    import dspi

    return dspi.address()


def unserializable(n):
    return threading.Lock()


def large(n):
    return "x" * (2 << 20)


class Made:
    def __init__(self):
        self.seen = 0

    def __call__(self, n):
        return "made"


class Unmade:
    def __init__(self, x):
        pass


class Module(dspy.Module):
    def forward(self, n):
        return dspy.Prediction(result=str(n))


leaked = []


def leaks(n):
    leaked.append(bytearray(200 << 20))
    return str(os.getpid())


value = 3
-- broken.py --
import there_is_none_of_this

def double(n):
    return n
-- syntax.py --
def double(n)
    return n
-- fatal.py --
import os

os._exit(9)
`

// calling returns the program with another function.
func calling(target string, settings ...string) string {
	text := strings.ReplaceAll(own, "code:TARGET", target)
	if len(settings) > 0 {
		text = strings.Replace(text, `"`+target+`" }`, `"`+target+"\"\n    "+strings.Join(settings, "\n    ")+"\n  }", 1)
	}
	return text
}

// call runs the program with another function of the same folder.
func (p *project) call(r *dspi.Runtime, target string) (*dspi.Result, error) {
	p.t.Helper()
	text := calling(target)
	text, _, _ = strings.Cut(strings.TrimPrefix(text, "\n-- main.dsp --\n"), "-- code.py --")
	if err := os.WriteFile(filepath.Join(p.folder, "main.dsp"), []byte(text), 0o666); err != nil {
		p.t.Fatal(err)
	}
	return r.Run(p.t.Context(), p.plan("main"), map[string]any{"n": 21})
}

// TestDSPyFunctions: functions and classes as steps.
func TestDSPyFunctions(t *testing.T) {
	p := newProject(t, own)
	r := p.runtime(nil)
	for target, want := range map[string]string{
		"code:double": "42", "code:Made": "made", "code:Module": "21", "code:later": "later", "code:grows": "ab",
		"code:where": "program.main.call", "code:surrogate": "a\x00b😀",
	} {
		t.Run(target, func(t *testing.T) {
			res, err := p.call(r, target)
			if err != nil {
				t.Fatal(rendered(err), p.lines)
			}
			if got, _ := res.Outputs.Get("result"); got != want {
				t.Errorf("it gives %v, want %v", got, want)
			}
		})
	}
}

// TestDSPyFaults: what can be wrong with code is said, with a way out.
func TestDSPyFaults(t *testing.T) {
	p := newProject(t, own)
	p.options.Python.Window = time.Millisecond // some of them end the worker
	r := p.runtime(nil)
	for _, c := range []struct {
		target string
		code   diag.Code
		says   []string
	}{
		{"code:raises", "E0650", []string{"raise ValueError", "no such thing: 21", "code.py", "in inner"}},
		{"code:mute", "E0650", []string{"in mute", "Mute"}},
		{"code:exits", "E0650", []string{"enough"}},
		{"code:ends", "E0653", []string{"exit status 7", "about to end", "idempotent = true"}},
		{"code:wrong", "E0652", []string{"result: needs string"}},
		{"code:nothing", "E0652", []string{"result: needs string"}},
		{"code:other", "E0652", []string{"string"}},
		{"code:lacks", "E0652", []string{"asks for `result`", "What it returned has: resluts"}},
		{"code:two", "E0651", []string{"`n`", "takes (m)"}},
		{"code:unserializable", "E0652", []string{"_thread.lock"}},
		{"code:Unmade", "E0651", []string{"missing 1 required positional argument"}},
		{"code:value", "E0651", []string{"cannot be called", "int"}},
		{"code:doubl", "E0651", []string{"did you mean `code:double`?"}},
		{"cod:double", "E0651", []string{"did you mean `code:double`?"}},
		{"broken:double", "E0651", []string{"No module named 'there_is_none_of_this'", "pip install there_is_none_of_this"}},
		{"syntax:double", "E0651", []string{"SyntaxError", "syntax.py"}},
		{"fatal:double", "E0653", []string{"exit status 9"}},
	} {
		t.Run(c.target, func(t *testing.T) {
			_, err := p.call(r, c.target)
			var d *diag.Diagnostic
			if !errors.As(err, &d) || d.Code != c.code {
				t.Fatalf("it ends with %v, want %s\n%v", rendered(err), c.code, p.lines)
			}
			text := rendered(err)
			for _, s := range c.says {
				if !strings.Contains(text, s) {
					t.Errorf("it does not say %q:\n%s", s, text)
				}
			}
			if len(d.Help) == 0 && c.target != "code:unserializable" {
				t.Errorf("it names no way out:\n%s", text)
			}
		})
	}
}

// TestDSPyHangs: a call that does not come back is given up, the worker replaced, and
// the next call is answered.
func TestDSPyHangs(t *testing.T) {
	p := newProject(t, calling("code:hangs", `timeout = "300ms"`)+"")
	p.options.Python.Grace = 200 * time.Millisecond
	made := p.plan("main")
	r := p.runtime(made)
	_, err := r.Run(t.Context(), made, nil)
	if text := rendered(err); !strings.HasPrefix(text, "E0654") || !strings.Contains(text, `timeout = "600ms"`) {
		t.Fatalf("it ends with %s", text)
	}
	res, err := p.call(r, "code:double")
	if err != nil {
		t.Fatal(rendered(err))
	}
	if got, _ := res.Outputs.Get("result"); got != "42" {
		t.Errorf("it gives %v", got)
	}
}

func mustRead(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestDSPyCancelled: a run that is stopped ends at once, whatever Python does.
func TestDSPyCancelled(t *testing.T) {
	p := newProject(t, calling("code:hangs"))
	ctx, cancel := context.WithCancel(t.Context())
	p.options.Python.Grace = 100 * time.Millisecond
	p.options.Python.Log = func(l python.Line) {
		if l.Text == "hanging" {
			cancel()
		}
	}
	made := p.plan("main")
	_, err := p.runtime(made).Run(ctx, made, nil)
	if text := rendered(err); ctx.Err() == nil || !strings.HasPrefix(text, "E0617") {
		t.Errorf("it ends with %s", text)
	}
}

// TestDSPyPrints: what Python prints goes to the log with the step's address, and is
// cut where it is too much.
func TestDSPyPrints(t *testing.T) {
	p := newProject(t, calling("code:prints"))
	out, err := p.run("main", nil)
	if err != nil {
		t.Fatal(rendered(err))
	}
	if got, _ := out.Get("result"); got != "printed" {
		t.Errorf("it gives %v", got)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	bytes := 0
	for _, l := range p.lines {
		if l.Address != "program.main.call" || l.Stream != "stdout" {
			t.Fatalf("a line stands at %q in %s: %.80s", l.Address, l.Stream, l.Text)
		}
		bytes += len(l.Text)
	}
	if bytes < 200<<10 || bytes > 300<<10 || !strings.Contains(p.lines[len(p.lines)-1].Text, "the rest is not shown") {
		t.Errorf("%d bytes are shown; the last line is %.80q", bytes, p.lines[len(p.lines)-1].Text)
	}
}

// TestDSPyLeaks: a worker that holds too much memory is replaced by a fresh one.
func TestDSPyLeaks(t *testing.T) {
	p := newProject(t, calling("code:leaks"))
	p.options.Python.MaxMemory = 500 << 20
	p.options.Python.Heartbeat = 20 * time.Millisecond
	made := p.plan("main")
	r := p.runtime(made)
	workers := map[any]bool{}
	for range 200 {
		res, err := r.Run(t.Context(), made, nil)
		if err != nil {
			t.Fatal(rendered(err))
		}
		pid, _ := res.Outputs.Get("result")
		workers[pid] = true
		if len(workers) > 1 {
			return
		}
	}
	t.Error("the worker that leaks was never replaced")
}

// TestDSPyIdempotent: a step that may be done again is, once; the model is not asked
// again for what it has answered.
func TestDSPyIdempotent(t *testing.T) {
	program := func(how string) string {
		return `
-- main.dsp --
program main {
  question: string, marks: string -> answer: string
  python call {
    call = "code:Once"
    idempotent = ` + how + `
  }
}
-- code.py --
import os

import dspy


class Once(dspy.Module):
    def __init__(self):
        super().__init__()
        self.ask = dspy.Predict("question -> answer")

    def forward(self, question, marks):
        answer = self.ask(question=question).answer
        if not os.path.exists(marks):
            open(marks, "w").close()
            os._exit(1)
        return answer
`
	}
	for _, how := range []string{"true", "false"} {
		p := newProject(t, program(how))
		model := scripted.New("m", scripted.Reply{Text: chat("answer", "Paris")})
		p.model = func() lm.LM { return model }
		made := p.plan("main")
		res, err := p.runtime(made).Run(t.Context(), made, map[string]any{"question": "Where?", "marks": filepath.Join(p.folder, "mark")})
		switch {
		case how == "false":
			if text := rendered(err); !strings.HasPrefix(text, "E0653") {
				t.Errorf("it ends with %s", text)
			}
		case err != nil:
			t.Error(rendered(err))
		default:
			if got, _ := res.Outputs.Get("answer"); got != "Paris" || res.Usage.Calls != 1 {
				t.Errorf("it gives %v after %d calls", got, res.Usage.Calls)
			}
		}
	}
}

// TestDSPyExhausted: workers that die too often are not replaced for ever.
func TestDSPyExhausted(t *testing.T) {
	p := newProject(t, calling("code:ends"))
	made := p.plan("main")
	r := p.runtime(made)
	for i := range 5 {
		_, err := r.Run(t.Context(), made, nil)
		want := "E0653"
		if i == 4 {
			want = "E0655"
		}
		if text := rendered(err); !strings.HasPrefix(text, want) {
			t.Fatalf("call %d ends with %s", i+1, text)
		}
	}
}

// TestDSPyNoPython: a Python that cannot run a step is named, with the way out.
func TestDSPyNoPython(t *testing.T) {
	folder := t.TempDir()
	script := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o777); err != nil {
			t.Fatal(err)
		}
		return path
	}
	real := os.Getenv("DSPI_PYTHON")
	for _, c := range []struct{ path, code, says string }{
		{filepath.Join(folder, "none"), "E0644", "there is no such program"},
		{filepath.Join(folder, "none"), "E0644", "dspi python setup"},
		{script("without", `exec `+real+` -I -S "$@"`), "E0644", "dspi python setup"},
		{script("crashes", "echo broken >&2; exit 4"), "E0655", "broken"},
		{script("old", `shift; exec `+real+` -c "import sys; sys.version_info = (3, 8, 1); exec(sys.argv[1])" "$@"`), "E0655", "3.8.1"},
	} {
		p := newProject(t, calling("code:double"))
		p.options.Python.Search.Getenv = func(name string) string {
			if name == "DSPI_PYTHON" {
				return c.path
			}
			return ""
		}
		_, err := p.run("main", nil)
		if text := rendered(err); !strings.HasPrefix(text, c.code) || !strings.Contains(text, c.says) {
			t.Errorf("%s: it ends with %s", c.path, text)
		}
	}
}

// TestDSPyParallel: a thousand calls at once over two workers.
func TestDSPyParallel(t *testing.T) {
	p := newProject(t, calling("code:double"))
	p.options.Trace = nil
	made := p.plan("main")
	r := p.runtime(made)
	many(t, r, made, 1000, nil)
}

// many runs a program n times at once and checks each result.
func many(t *testing.T, r *dspi.Runtime, made *plan.Plan, n int, done func()) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			res, err := r.Run(t.Context(), made, map[string]any{"n": i})
			if err != nil {
				t.Errorf("call %d: %s", i, rendered(err))
			} else if got, _ := res.Outputs.Get("result"); got != fmt.Sprint(2*i) {
				t.Errorf("call %d gives %v", i, got)
			}
			if done != nil {
				done()
			}
		})
	}
	wg.Wait()
}

// TestDSPyKilled: workers are killed at random under load, ten times (a hundred in the
// soak). No result is lost, none is another's.
func TestDSPyKilled(t *testing.T) {
	kills := 10
	if os.Getenv("DSPI_SOAK") != "" {
		kills = 100
	}
	p := newProject(t, strings.ReplaceAll(calling("code:slowly", "idempotent = true"), "def double(", `def slowly(n):
    if n % 10 == 3:
        open(os.path.join(os.path.dirname(__file__), "pid-%d" % n), "w").write(str(os.getpid()))
    time.sleep(0.002)
    return str(2 * n)


def double(`))
	p.options.Trace = nil
	p.options.Python.Restarts = 10 * kills
	p.options.Python.Window = time.Millisecond // no pauses: how long they are is another test
	made := p.plan("main")
	r := p.runtime(made)
	var killed, answered, twice atomic.Int64
	stop := make(chan struct{})
	var killer sync.WaitGroup
	killer.Go(func() {
		due := int64(10)
		for killed.Load() < int64(kills) {
			select {
			case <-stop:
				return
			default:
			}
			if answered.Load() < due { // there must be results between two kills
				runtime.Gosched()
				continue
			}
			paths, _ := filepath.Glob(filepath.Join(p.folder, "pid-*"))
			for _, path := range paths {
				pid := 0
				fmt.Sscan(mustRead(t, path), &pid)
				os.Remove(path)
				if pid > 0 && killOne(pid) {
					due = answered.Load() + 20 + killed.Add(1)*37%80
					break
				}
			}
			runtime.Gosched()
		}
	})
	for round := 0; killed.Load() < int64(kills) && round < 40*kills; round++ {
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() {
				n := round*100 + i
				for try := 0; ; try++ {
					res, err := r.Run(t.Context(), made, map[string]any{"n": n})
					var d *diag.Diagnostic
					if errors.As(err, &d) && d.Code == "E0653" && try < 20 {
						twice.Add(1)
						continue // twice in one call: said, not swallowed
					}
					if err != nil {
						t.Errorf("call %d: %s", n, rendered(err))
					} else if got, _ := res.Outputs.Get("result"); got != fmt.Sprint(2*n) {
						t.Errorf("call %d gives %v", n, got)
					}
					answered.Add(1)
					return
				}
			})
		}
		wg.Wait()
	}
	close(stop)
	killer.Wait()
	t.Logf("%d workers killed, %d calls answered, %d ended for a second worker that was killed", killed.Load(), answered.Load(), twice.Load())
	if killed.Load() < int64(kills) {
		t.Errorf("only %d workers were killed", killed.Load())
	}
}

// TestMain: when all Runtimes are closed, nothing of theirs is left.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
