// Package sandbox runs code in Python where it can do no harm: in a process that
// sees no files but Python's own, no network, no other process, and that has limits
// of time, memory, files and output.
//
//	Way               how a process is confined: Bubblewrap, Landlock, None
//	Limits            how much code may do
//	Session           a Python that keeps its variables from one piece of code to the next
//	Outcome           what code made: its value, what it printed
//	Error             why it ended without a value, in words for a model
//	UnavailableError  why no process can be confined on this machine
//	Check             whether one can be
//
// Files: process.go starts and ends processes, session.go speaks with the one in
// them (driver.py), python.go asks a Python where its files are. The ways are in
// bubblewrap_linux.go and landlock_linux.go; what both forbid is in seccomp_linux.go:
// above all to start a process, so that what limits this one limits everything.
//
// Landlock needs a process of our own between this one and Python, which gives up its
// rights: the program starts itself again under another name, and helper_linux.go
// sees to it before main runs.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/dspi-lang/dspi/lang/value"
)

// Way is how a process is confined.
type Way string

// The ways. Auto takes the first that works here: Bubblewrap, then Landlock.
const (
	Auto       Way = "auto"
	Bubblewrap Way = "bubblewrap"
	Landlock   Way = "landlock"
	None       Way = "none" // not at all: code may do what the user may
)

// Limits are how much code may do. What is 0 takes the default.
type Limits struct {
	Time   time.Duration // for one piece of code; functions of the host do not count
	Memory int           // bytes of the process, Python itself included
	Output int           // characters that one piece of code prints
	Value  int           // characters of its value, written as JSON
	Files  int           // bytes in all files that it writes, and in each
}

// The defaults of Limits.
const (
	DefaultTime   = 10 * time.Second
	DefaultMemory = 256 << 20
	DefaultOutput = 64 << 10
	DefaultValue  = 64 << 10
	DefaultFiles  = 16 << 20
)

func (l Limits) filled() Limits {
	for _, p := range []struct {
		n         *int
		otherwise int
	}{{&l.Memory, DefaultMemory}, {&l.Output, DefaultOutput}, {&l.Value, DefaultValue}, {&l.Files, DefaultFiles}} {
		if *p.n <= 0 {
			*p.n = p.otherwise
		}
	}
	if l.Time <= 0 {
		l.Time = DefaultTime
	}
	return l
}

// Function is a function of the host that code may call. The error is raised in the
// code, as a RuntimeError with its text; a *Stop ends the code instead.
type Function func(ctx context.Context, args []any, named *value.Object) (any, error)

// Stop is an error of a Function that ends the code, and is found in that of Run.
type Stop struct{ Err error }

func (s *Stop) Error() string { return s.Err.Error() }

// Unwrap returns the reason.
func (s *Stop) Unwrap() error { return s.Err }

// Options say how a Session is started.
type Options struct {
	Python    string // the interpreter: a path
	Way       Way    // "": Auto
	Limits    Limits
	Functions map[string]Function // by the names that the code calls
	// Parameters are those of functions that are declared with some, and are called
	// with all of them by name. The others take anything.
	Parameters map[string][]Parameter
	// Outputs are what SUBMIT takes, in this order; none: one value, `output`.
	Outputs []string
}

// Parameter is one of a function that code calls.
type Parameter struct {
	Name    string
	Default any  // as JSON has it
	Needed  bool // it has no default
}

// Outcome is what code made.
type Outcome struct {
	// Value is what was submitted, else the value of a last line that is an
	// expression, else what was printed: as JSON, written as Python does.
	Value     string
	Submitted bool // SUBMIT was called
	Printed   string
}

// Kind says why code ended without a value.
type Kind string

// The kinds of errors.
const (
	Failed Kind = "failed" // it raised an exception, or is no Python
	Time   Kind = "time"
	Memory Kind = "memory"
	Output Kind = "output" // it printed too much
	Value  Kind = "value"  // what it gives is too long
	Died   Kind = "died"   // its process ended
)

// Error is why code ended without a value.
type Error struct {
	Kind    Kind
	Message string // for people and models
	Printed string // until then
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Reason is why one way does not work.
type Reason struct {
	Way Way
	Why string // "bwrap is not installed"
}

// UnavailableError says that no process can be confined here as asked.
type UnavailableError struct{ Reasons []Reason }

// Error names what is missing.
func (e *UnavailableError) Error() string {
	var b strings.Builder
	b.WriteString("Python code cannot be confined on this machine")
	for i, r := range e.Reasons {
		sep := "; "
		if i == 0 {
			sep = ": "
		}
		fmt.Fprintf(&b, "%s%s: %s", sep, r.Way, r.Why)
	}
	return b.String()
}

// Open starts a Python that is confined. The error is an *UnavailableError where it
// cannot be, an *fs.PathError or *PythonError where there is no Python, or that of
// ctx. The session must be closed.
func Open(ctx context.Context, o Options) (*Session, error) {
	o.Limits = o.Limits.filled()
	facts, err := look(ctx, o.Python)
	if err != nil {
		return nil, err
	}
	s := &Session{options: o, facts: facts}
	ways := []Way{o.Way}
	if o.Way == "" || o.Way == Auto {
		ways = []Way{Bubblewrap, Landlock}
	}
	out := &UnavailableError{}
	for _, w := range ways {
		s.way = w
		err := s.start(ctx)
		var no *refusal
		switch {
		case err == nil:
			return s, nil
		case errors.As(err, &no):
			out.Reasons = append(out.Reasons, Reason{w, no.why})
		default:
			return nil, err
		}
	}
	return nil, out
}

// works are the Pythons, each with a way, that a process was confined with before.
var works sync.Map

type workKey struct {
	python string
	way    Way
}

// Check reports whether a process can be confined here: what Open would return. Where
// it could be before, in the life of this process, it starts none.
func Check(ctx context.Context, o Options) error {
	key := workKey{o.Python, o.Way}
	if _, ok := works.Load(key); ok {
		return nil
	}
	s, err := Open(ctx, o)
	if err != nil {
		return err
	}
	s.Close()
	works.Store(key, true)
	return nil
}

// refusal says that a way does not work here.
type refusal struct{ why string }

func (r *refusal) Error() string { return r.why }

func refused(format string, args ...any) error { return &refusal{fmt.Sprintf(format, args...)} }
