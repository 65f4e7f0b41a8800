package python

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A worker is a Python process that has imported DSPy and does requests of many
// goroutines at once. Its code is in the folder worker; it gets it with the first
// frame, so that nothing is written to disk.

//go:embed worker/*.py
var workerCode embed.FS

// bootScript is what Python is started with, and workerFiles are the modules that it
// finds in the first frame.
func bootScript() (boot string, files map[string]string) {
	entries, _ := workerCode.ReadDir("worker") // embedded: it is there
	files = map[string]string{}
	for _, e := range entries {
		text, _ := workerCode.ReadFile(path.Join("worker", e.Name()))
		switch name := strings.TrimSuffix(e.Name(), ".py"); name {
		case "boot":
			boot = string(text)
		case "__init__":
			files["dspi"] = string(text)
		default:
			files["dspi."+name] = string(text)
		}
	}
	return boot, files
}

// asked answers what a worker asks while it does a request.
type asked interface {
	// ask returns what goes back as JSON. A *RemoteError goes back as it is.
	ask(ctx context.Context, command string, args json.RawMessage) (json.RawMessage, error)
	// partial takes a part of the result.
	partial(json.RawMessage)
}

// DiedError is a worker that ended while it was at work.
type DiedError struct {
	How  string // exit status 1, signal: killed
	Said string // the last lines of its stderr
	// Unsent says that the worker had not got the request yet.
	Unsent bool
}

// Error says how it ended.
func (e *DiedError) Error() string { return "the Python worker ended: " + e.How }

// StuckError is a call in which Python did nothing that is seen from outside for
// too long.
type StuckError struct{ After time.Duration }

// Error says how long.
func (e *StuckError) Error() string {
	return fmt.Sprintf("Python did not come back within %s", e.After)
}

// startError is a worker that could not be started.
type startError struct {
	python *Interpreter
	err    error // a *RemoteError, a *DiedError, a *StuckError or that of the system
	said   string
}

func (e *startError) Error() string { return "the Python worker does not start: " + e.err.Error() }
func (e *startError) Unwrap() error { return e.err }

// worker is a process under way.
type worker struct {
	opt    *Options
	folder string
	python *Interpreter
	hello  hello
	wire   *wire
	end    func() string // waits for the process to end, and says how it did
	slay   func()        // ends it at once

	dead chan struct{} // closed when the process has ended
	how  *DiedError    // once dead is closed

	mu       sync.Mutex
	next     int64
	calls    map[int64]*inflight
	past     []*inflight // those that came back last: what they print may be read after that
	programs map[string]*creating
	order    []string // of programs, the oldest first

	tail    tail
	rss     atomic.Int64
	missed  int // pings in a row
	killed  atomic.Bool
	ending  atomic.Bool   // its channel is closed
	stopped chan struct{} // closed when all goroutines of the worker have ended

	linger func(*inflight) // waits for a call to come back that was cancelled

	// Of the pool, under its lock.
	load     int
	retired  bool
	expected bool // its end is no fault
	used     time.Time
}

// creating is a program that a worker makes once.
type creating struct {
	done chan struct{}
	err  error
}

// startWorker starts a Python and waits until it has imported DSPy. The error is a
// *startError, or that of ctx.
func startWorker(ctx context.Context, opt *Options, python *Interpreter, folder string) (*worker, error) {
	boot, files := bootScript()
	w := &worker{
		opt: opt, folder: folder, python: python, dead: make(chan struct{}), stopped: make(chan struct{}),
		calls: map[int64]*inflight{}, programs: map[string]*creating{}, used: time.Now(),
	}
	fail := func(err error) (*worker, error) { return nil, &startError{python, err, w.tail.text()} }
	cmd := exec.Command(python.Path, "-c", boot)
	cmd.Env = append(opt.Env[:len(opt.Env):len(opt.Env)], "PYTHONUTF8=1", "PYTHONUNBUFFERED=1")
	group := newGroup(cmd)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return fail(err)
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return fail(err)
	}
	ch, err := openChannel(cmd, opt.Socket)
	if err != nil {
		return fail(err)
	}
	if err := cmd.Start(); err != nil {
		ch.abandon()
		return fail(err)
	}
	group.started(cmd)
	w.slay = func() { group.kill(cmd) }
	var printed sync.WaitGroup
	printed.Go(func() { w.print(stdout, "stdout") })
	printed.Go(func() { w.print(stderr, "stderr") })
	w.end = func() string {
		last := time.AfterFunc(time.Second, w.kill) // what it has started may hold its stdout
		printed.Wait()
		last.Stop()
		how := "exit status 0"
		if err := cmd.Wait(); err != nil {
			how = err.Error()
		}
		group.end()
		return how
	}
	from, to, err := ch.open(ctx, opt.StartTimeout)
	if err != nil {
		w.kill()
		w.end()
		ch.abandon()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return fail(err)
	}
	w.wire = &wire{from: from, to: to, most: opt.MaxFrame}
	first := make(chan error, 1)
	go func() {
		w.run(first)
		ch.close()
		close(w.stopped)
	}()
	paths := []string{}
	if folder != "" {
		paths = append(paths, folder)
	}
	if err := w.wire.write(&message{Type: "hello", hello: hello{Protocols: []int{protocolVersion}, MaxFrame: opt.MaxFrame, Files: files, Paths: paths}}); err != nil {
		w.kill()
	}
	timer := time.NewTimer(opt.StartTimeout)
	defer timer.Stop()
	select {
	case err = <-first:
	case <-timer.C:
		err = &StuckError{opt.StartTimeout}
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err == nil {
		return w, nil
	}
	w.kill()
	<-w.stopped
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return fail(err)
}

// run reads frames until the process has ended.
func (w *worker) run(first chan<- error) {
	var asking sync.WaitGroup
	greeted, broken := false, ""
	for {
		m, err := w.wire.read()
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !w.killed.Load() {
				broken = err.Error() // what it says is not the protocol
				w.kill()
			}
			break
		}
		switch m.Type {
		case "hello":
			if !greeted {
				w.hello = m.hello
				w.rss.Store(m.RSS)
				greeted = true
				first <- nil
			}
		case "fault":
			if !greeted {
				greeted = true
				first <- m.Error
			}
		case "response":
			if c := w.take(m.ID); c != nil {
				c.done <- m
			}
		case "partial":
			if c := w.find(m.ID); c != nil && c.host != nil && c.enter() {
				c.host.partial(m.Value)
				c.leave()
			}
		case "request":
			w.answer(m, &asking)
		}
	}
	w.ending.Store(true)
	how := w.end()
	if broken != "" {
		how = broken + ", so it was killed"
	}
	w.how = &DiedError{How: how, Said: w.tail.text()}
	if !greeted {
		first <- w.how
	}
	close(w.dead)
	asking.Wait()
}

// answer does in a goroutine of its own what the worker asks for.
func (w *worker) answer(m *message, asking *sync.WaitGroup) {
	back := &message{Type: "response", ID: m.ID}
	c := w.find(m.Call)
	if c == nil || c.host == nil || !c.enter() {
		back.Error = &RemoteError{Kind: "ended", Message: "the call is over"}
		asking.Go(func() { _ = w.wire.write(back) })
		return
	}
	asking.Go(func() {
		result, err := c.host.ask(c.ctx, m.Command, m.Args)
		if err != nil {
			var remote *RemoteError
			if !errors.As(err, &remote) {
				remote = &RemoteError{Kind: "host", Message: err.Error()}
			}
			back.Error = remote
		} else {
			back.Result = result
		}
		if c.leave() {
			return // the worker waits no more
		}
		if err := w.wire.write(back); err != nil {
			if errors.Is(err, errTooLarge) {
				_ = w.wire.write(&message{Type: "response", ID: m.ID, Error: &RemoteError{Kind: "too_large", Message: err.Error()}})
				return
			}
			w.kill()
		}
	})
}

// program makes a program on the worker, once.
func (w *worker) program(ctx context.Context, id string, spec json.RawMessage, host asked, address string) error {
	w.mu.Lock()
	p, ok := w.programs[id]
	if ok {
		w.mu.Unlock()
		select {
		case <-p.done:
			return p.err
		case <-w.dead:
			return w.how
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	p = &creating{done: make(chan struct{})}
	w.programs[id] = p
	w.order = append(w.order, id)
	var old string
	if len(w.order) > maxPrograms {
		old = w.order[0]
		w.order = w.order[1:]
		delete(w.programs, old)
	}
	w.mu.Unlock()
	_, p.err = w.call(ctx, "create_program", address, map[string]any{"id": id, "program": spec, "address": address}, host, w.opt.Timeout)
	if p.err != nil {
		w.mu.Lock()
		delete(w.programs, id)
		for i, x := range w.order {
			if x == id {
				w.order = append(w.order[:i:i], w.order[i+1:]...)
				break
			}
		}
		w.mu.Unlock()
	}
	close(p.done)
	if old != "" {
		_, _ = w.call(ctx, "delete_program", address, map[string]any{"id": old}, nil, w.opt.Timeout)
	}
	return p.err
}

// maxPrograms is how many programs a worker keeps; the oldest goes first.
const maxPrograms = 512

// ping asks for a sign of life.
func (w *worker) ping(ctx context.Context, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	result, err := w.call(ctx, "ping", "", struct{}{}, nil, 0)
	if err != nil {
		return err
	}
	var state struct {
		RSS int64 `json:"rss"`
	}
	if err := json.Unmarshal(result, &state); err != nil {
		return err
	}
	w.rss.Store(state.RSS)
	return nil
}

// gone reports whether the process has ended, or is about to.
func (w *worker) gone() bool {
	select {
	case <-w.dead:
		return true
	default:
		return w.killed.Load() || w.ending.Load()
	}
}

// kill ends the process at once.
func (w *worker) kill() {
	if !w.killed.Swap(true) {
		w.slay()
	}
}

// stop ends the process when its calls are done, or after the grace.
func (w *worker) stop(grace time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), grace+time.Second)
	defer cancel()
	_, _ = w.call(ctx, "shutdown", "", map[string]any{"grace": grace.Seconds()}, nil, 0)
	timer := time.NewTimer(time.Second)
	defer timer.Stop()
	select {
	case <-w.dead:
	case <-timer.C:
		w.kill()
	}
	<-w.stopped
}
