package main

import (
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/term"
)

// The exit statuses.
const (
	exitFine        = 0
	exitFailed      = 1   // the program failed, or has errors
	exitUsage       = 2   // the command was used wrongly
	exitPaused      = 3   // the run waits for a person
	exitInterrupted = 130 // by Ctrl-C
)

// app is what every command sees of the world.
type app struct {
	in  io.Reader
	out *output
	err io.Writer

	env   []string
	color string // the flag --color: auto, always, never

	outFile, errFile *os.File // for terminals; nil when the stream is no file
	stdinTaken       string   // what reads standard input; "" when nothing does

	ticks <-chan time.Time // when --watch looks at files; nil: every watchEvery
}

func newApp(in io.Reader, out, err io.Writer, env []string) *app {
	a := &app{in: in, out: &output{w: out}, err: err, env: env, color: "auto"}
	a.outFile, _ = out.(*os.File)
	a.errFile, _ = err.(*os.File)
	return a
}

// getenv reads the environment.
func (a *app) getenv(name string) string {
	for i := len(a.env) - 1; i >= 0; i-- {
		if n, v, ok := strings.Cut(a.env[i], "="); ok && n == name {
			return v
		}
	}
	return ""
}

// takeStdin reads standard input to its end for `what`. It can be read once.
func (a *app) takeStdin(what string) (string, error) {
	if a.stdinTaken != "" {
		return "", wrong("standard input can be read once").
			say("Both `%s` and `%s` ask for it.", a.stdinTaken, what).
			hint("put one of them into a file: name=@FILE")
	}
	a.stdinTaken = what
	return readStream(a.in, "standard input")
}

// terminal reports whether f is a terminal that understands escape sequences.
func (a *app) terminal(f *os.File) bool {
	return f != nil && a.getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))
}

// colored reports whether text for f has colours.
func (a *app) colored(f *os.File) bool {
	switch a.color {
	case "always":
		return true
	case "never":
		return false
	}
	return a.getenv("NO_COLOR") == "" && a.terminal(f)
}

// width returns the columns of f; 0 when it is no terminal.
func (a *app) width(f *os.File) int {
	if !a.terminal(f) {
		return 0
	}
	w, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return w
}

// output is standard output. It remembers the first failure, so that a command
// need not look after each write and yet no failure is lost.
type output struct {
	mu  sync.Mutex
	w   io.Writer
	err error
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.w.Write(p)
	o.err = err
	return n, err
}

// failure returns the first failure to write. A reader that went away, as `head`
// does, is none.
func (o *output) failure() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if errors.Is(o.err, syscall.EPIPE) || errors.Is(o.err, os.ErrClosed) {
		return nil
	}
	return o.err
}

// closed reports whether nobody reads the output any more.
func (o *output) closed() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err != nil
}
