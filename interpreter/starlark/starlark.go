// Package starlark runs code in Starlark, a small Python without files, network
// and clock, within limits of steps, time, memory, depth and output.
//
//	Script    code with what it may use: values, functions, other files
//	Outcome   what it made and printed
//	Function  a function of the host that the code may call
//	Limits    how much it may do
//	Error     why it ended without a value, with the place in the code
//	Run       a Script in one call
//
// Code is what Starlark takes, with `while`, recursion, sets and statements outside
// of functions, and with sum, round, pow, math and json beside the built-in functions.
//
// The interpreter below counts steps and can be cancelled between two of them, but
// knows no memory, and a single step may take any amount of time: "a" * 10**9, a
// comparison or hash of values that hold each other many times over, recursion until
// the stack of the process is at its end. So the code is rewritten before it runs
// (rewrite.go): operators, methods, slices, keys and calls go through functions
// (guard.go) that measure what they are about to do and charge for it. What is
// charged counts as used, freed or not.
//
// What is not limited to the byte: elements that assignments and comprehensions add,
// and numbers, are not charged one by one but bounded by the steps, about a hundred
// bytes for five of them; a step in progress when the time is up is finished first, which takes
// milliseconds, as memory bounds its work; and the memory of host functions is the
// host's.
package starlark

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"github.com/dspi-lang/dspi/lang/value"
)

// Limits are how much code may do. What is 0 takes the default.
type Limits struct {
	Steps  int           // of the interpreter: about five for a turn of a short loop
	Time   time.Duration // for all of it
	Memory int           // bytes that operators, methods and functions make
	Depth  int           // of calls inside each other
	Output int           // bytes that it prints
	Code   int           // bytes of the code itself
}

// The defaults of Limits.
const (
	DefaultSteps  = 10_000_000
	DefaultTime   = 30 * time.Second
	DefaultMemory = 64 << 20
	DefaultDepth  = 500
	DefaultOutput = 64 << 10
	DefaultCode   = 256 << 10
)

func (l Limits) filled() Limits {
	l.Steps, l.Memory, l.Depth = or(l.Steps, DefaultSteps), or(l.Memory, DefaultMemory), or(l.Depth, DefaultDepth)
	l.Output, l.Code, l.Time = or(l.Output, DefaultOutput), or(l.Code, DefaultCode), or(l.Time, DefaultTime)
	return l
}

func or[T int | time.Duration](n, otherwise T) T {
	if n > 0 {
		return n
	}
	return otherwise
}

// Function is a function of the host. Args and result are values of package value.
// An error ends the code and can be found in that of Run with errors.As.
type Function func(ctx context.Context, args []any, named *value.Object) (any, error)

// Script is code with what it may use.
type Script struct {
	Name      string // of the file, for messages; "" is "code"
	Code      string
	Values    *value.Object       // names that it can read
	Functions map[string]Function // and call
	// Load returns the code of a file that is named in `load("file.star", …)`; nil
	// refuses all.
	Load func(name string) (string, error)
	// Print is told of each line that is printed; may be nil.
	Print  func(line string)
	Limits Limits
}

// Outcome is what code made.
type Outcome struct {
	// Value is what the called function returned; nil where none was called.
	Value any
	// Names are the names that the code gave values to, functions left out, in
	// alphabetical order.
	Names   *value.Object
	Printed string
}

// Run runs code that may read values and call functions, and returns the names
// that it gave values to, and what it printed, also where it failed.
func Run(ctx context.Context, code string, values *value.Object, functions map[string]Function, limits Limits) (names *value.Object, printed string, err error) {
	s := &Script{Code: code, Values: values, Functions: functions, Limits: limits}
	out, err := s.Run(ctx)
	return out.Names, out.Printed, err
}

// Run runs the code. The Outcome is returned with an error, too: it has what was
// printed until then. The error is an *Error.
func (s *Script) Run(ctx context.Context) (*Outcome, error) { return s.run(ctx, "", nil) }

// Call runs the code and then calls a function that it defines, with arguments by
// name.
func (s *Script) Call(ctx context.Context, function string, args *value.Object) (*Outcome, error) {
	return s.run(ctx, function, args)
}

var options = &syntax.FileOptions{Set: true, While: true, TopLevelControl: true, GlobalReassign: true, Recursion: true}

func (s *Script) run(ctx context.Context, function string, args *value.Object) (out *Outcome, err error) {
	limits := s.Limits.filled()
	timed, cancel := context.WithTimeout(ctx, limits.Time)
	defer cancel()
	name := s.Name
	if name == "" {
		name = "code"
	}
	g := &guard{ctx: timed, limits: limits, memory: limits.Memory, output: limits.Output, tell: s.Print, loaded: map[string]*module{}}
	g.thread = &starlark.Thread{Name: name, Print: g.print, Load: g.loader(s)}
	g.thread.SetMaxExecutionSteps(uint64(limits.Steps))
	g.thread.OnMaxSteps = func(t *starlark.Thread) { g.stop(Steps) }
	defer context.AfterFunc(timed, func() { g.stop(Time) })()
	out = &Outcome{Names: &value.Object{}}
	defer func() {
		out.Printed = g.printed.String()
		if p := recover(); p != nil {
			err = &Error{Kind: Failed, Name: name, Message: fmt.Sprintf("the interpreter failed: %v", p)}
		}
		if err != nil {
			err = g.failure(ctx, name, err)
		}
	}()
	if err := ctx.Err(); err != nil {
		g.stop(Time)
		return out, err
	}
	if g.predeclared, err = g.names(s); err != nil {
		return out, err
	}
	globals, err := g.exec(name, s.Code)
	if err == nil && function != "" {
		out.Value, err = g.call(globals, function, args)
	}
	if err != nil {
		return out, err
	}
	for _, n := range globals.Keys() {
		if strings.HasPrefix(n, mark) || isFunction(globals[n]) {
			continue
		}
		v, err := g.fromStarlark(globals[n])
		if err != nil {
			if function != "" {
				continue // nobody asked for it
			}
			return out, fmt.Errorf("`%s`: %w", n, err)
		}
		out.Names.Set(n, v)
	}
	return out, nil
}

// exec runs a file and returns its names.
func (g *guard) exec(name, code string) (starlark.StringDict, error) {
	if len(code) > g.limits.Code {
		return nil, &Error{Kind: Memory, Name: name, Message: fmt.Sprintf("the code has %d bytes; at most %d are run", len(code), g.limits.Code)}
	}
	f, err := options.Parse(name, code, 0)
	if err != nil {
		return nil, err
	}
	rewrite(f)
	program, err := starlark.FileProgram(f, g.predeclared.Has)
	if err != nil {
		return nil, err
	}
	return program.Init(g.thread, g.predeclared)
}

func (g *guard) call(globals starlark.StringDict, function string, args *value.Object) (any, error) {
	f, ok := globals[function].(starlark.Callable)
	if !ok {
		var names []string
		for _, n := range globals.Keys() {
			if isFunction(globals[n]) {
				names = append(names, "`"+n+"`")
			}
		}
		has := "it defines no function"
		if names != nil {
			has = "it defines " + strings.Join(names, ", ")
		}
		return nil, &Error{Kind: Failed, Name: g.thread.Name, Message: "there is no function `" + function + "`; " + has}
	}
	var named []starlark.Tuple
	for n, v := range args.All() {
		x, err := g.toStarlark(v)
		if err != nil {
			return nil, fmt.Errorf("the argument `%s`: %w", n, err)
		}
		named = append(named, starlark.Tuple{starlark.String(n), x})
	}
	v, err := starlark.Call(g.thread, f, nil, named)
	if err != nil {
		return nil, err
	}
	return g.fromStarlark(v)
}

// module is a file that was loaded; nil names mean that it is under way.
type module struct {
	names starlark.StringDict
	err   error
}

func (g *guard) loader(s *Script) func(*starlark.Thread, string) (starlark.StringDict, error) {
	return func(_ *starlark.Thread, name string) (starlark.StringDict, error) {
		if s.Load == nil {
			return nil, errors.New("`load` cannot be used here")
		}
		if m, ok := g.loaded[name]; ok {
			if m.names == nil && m.err == nil {
				return nil, fmt.Errorf("%s loads itself", name)
			}
			return m.names, m.err
		}
		m := &module{}
		g.loaded[name] = m
		code, err := s.Load(name)
		if err == nil {
			if err = g.deep(); err == nil {
				m.names, err = g.exec(name, code)
			}
		}
		m.err = err
		return m.names, m.err
	}
}

// Kind says why code ended without a value.
type Kind string

// The kinds of errors.
const (
	Syntax    Kind = "syntax" // it cannot be read
	Failed    Kind = "failed" // it did something that cannot be done, or called fail
	Steps     Kind = "steps"  // it took more steps than it may
	Time      Kind = "time"
	Memory    Kind = "memory"
	Depth     Kind = "depth"
	Output    Kind = "output"
	Cancelled Kind = "cancelled" // the context was done
)

// Error is why code ended without a value.
type Error struct {
	Kind    Kind
	Message string // for people and models: what went wrong
	Name    string // of the file
	Line    int    // from 1; 0 where it is not known
	Column  int
	Err     error // of a host function, or the context's; may be nil
}

// Error returns the place and the message.
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Message
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.Name, e.Line, e.Column, e.Message)
}

// Unwrap returns the error of the host function, or the context's.
func (e *Error) Unwrap() error { return e.Err }

// words say what a limit was.
func (g *guard) words(k Kind) string {
	switch k {
	case Steps:
		return fmt.Sprintf("the code takes more than %d steps", g.limits.Steps)
	case Time:
		return fmt.Sprintf("the code takes longer than %s", g.limits.Time)
	case Memory:
		return fmt.Sprintf("the code makes more than %d bytes of data", g.limits.Memory)
	case Depth:
		return fmt.Sprintf("functions call each other more than %d deep", g.limits.Depth)
	case Output:
		return fmt.Sprintf("the code prints more than %d bytes", g.limits.Output)
	}
	return "the code was stopped"
}

// failure brings any error into its form.
func (g *guard) failure(ctx context.Context, name string, err error) error {
	out := &Error{Kind: Failed, Name: name, Message: err.Error()}
	var own *Error
	var syntaxErr syntax.Error
	var resolved resolve.ErrorList
	var eval *starlark.EvalError
	switch {
	case errors.As(err, &syntaxErr):
		out.Kind, out.Message = Syntax, syntaxErr.Msg
		out.at(syntaxErr.Pos)
	case errors.As(err, &resolved):
		out.Kind, out.Message = Syntax, resolved[0].Msg
		out.at(resolved[0].Pos)
	case errors.As(err, &eval):
		out.Message, out.Err = eval.Msg, eval.Unwrap()
		for _, f := range slices.Backward(eval.CallStack) {
			if f.Pos.Line > 0 && f.Pos.Filename() != "<builtin>" {
				out.at(f.Pos)
				break
			}
		}
	}
	if errors.As(err, &own) {
		out.Kind, out.Message = own.Kind, own.Message
	}
	if k := g.stopped.Load(); k != nil {
		out.Kind = *k
		out.Message = g.words(out.Kind)
		if ended := ctx.Err(); out.Kind == Time && ended != nil {
			out.Kind, out.Message, out.Err = Cancelled, "the code was stopped", ended
		}
	}
	return out
}

func (e *Error) at(p syntax.Position) {
	e.Name, e.Line, e.Column = p.Filename(), int(p.Line), int(p.Col)
}
