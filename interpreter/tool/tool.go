// Package tool is what a model, and a step, can call that is no model.
//
//	Tool    something that is called by name with typed arguments
//	Error   why a call failed, in words that the model may read
//	Broken  the tool cannot be called at all: the run stops
//	Paused  a call waits for a person: the run stops and can be resumed
//	Bodies  does what the bodies of declared tools ask for (bodies.go)
//	Reader  a tool that reads files of the program's folder
//
// What a tool's body does (requests, commands, code) is in stdlib/tools; the
// machine checks arguments, asks for approval and keeps the trace.
package tool

import (
	"context"
	"errors"
	"fmt"

	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/value"
)

// Tool is something that can be called. It is safe for use by many goroutines.
type Tool interface {
	// Name is what the model calls it.
	Name() string
	// Description says what it is for, for the model; it may be "".
	Description() string
	// Signature says what goes in and what comes out.
	Signature() *program.Signature
	// Call does the work. Args fit the signature's inputs, with defaults filled
	// in; the outputs fit its outputs. It obeys ctx.
	Call(ctx context.Context, args *value.Object) (*value.Object, error)
}

// Error is a failure that the model is told about, so that it can try something
// else. Any other error of a call that is not of its context is treated alike.
type Error struct {
	Tool string
	Text string // for the model and for people; without secrets
	Err  error  // may be nil
}

// Error returns the text.
func (e *Error) Error() string { return fmt.Sprintf("%s: %s", e.Tool, e.Text) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Broken says that a tool cannot be called at all, whatever its arguments: its code is
// not there, or nothing runs it. A model can do nothing about that, and the run ends.
type Broken struct {
	Tool string
	Err  error
}

// Error returns the cause's text.
func (b *Broken) Error() string { return fmt.Sprintf("%s: %s", b.Tool, b.Err) }

// Unwrap returns the cause.
func (b *Broken) Unwrap() error { return b.Err }

// Ends reports whether an error of a call ends the run: it waits for a person, or the
// tool cannot be called at all.
func Ends(err error) bool {
	var b *Broken
	return IsPaused(err) || errors.As(err, &b)
}

// Paused ends a run that waits for a person. The run can be resumed: what was
// done until then is not done again.
type Paused struct {
	Tool string
	Args *value.Object
	Key  string // names the call in its run, so that an answer can be given to it
}

// Error says what is waited for.
func (p *Paused) Error() string {
	return fmt.Sprintf("a call of %s waits for approval: %s", p.Tool, value.EncodeJSON(p.Args))
}

// IsPaused reports whether err is, or wraps, a *Paused.
func IsPaused(err error) bool {
	var p *Paused
	return errors.As(err, &p)
}
