package tool

import (
	"context"
	"io/fs"
	"time"

	"github.com/dspi-lang/dspi/lang/value"
)

// Bodies does what the bodies of declared tools ask for: requests, commands, code.
// The machine evaluates the expressions of a body and hands over what they gave;
// what is 0 in a request takes its default. An implementation is in stdlib/tools.
// An error is told to the model, as a *Error where it is none.
type Bodies interface {
	// HTTP sends a request. A status of 400 and more is no error of it.
	HTTP(context.Context, *Request) (*Reply, error)
	// Command runs a program of the machine. An exit status is no error of it.
	Command(context.Context, *Command) (*Printed, error)
	// Starlark calls a function and returns what it returns.
	Starlark(context.Context, *Code) (any, error)
	// MCP calls a tool of a server and returns what it answers: an object where
	// it is structured, else a text.
	MCP(context.Context, *Remote) (any, error)
}

// Pair is a header of a request or a variable of an environment.
type Pair struct{ Name, Value string }

// Request is what the body `http` sends.
type Request struct {
	Method, URL  string
	Headers      []Pair
	Body         []byte // nil: none
	AllowPrivate bool   // this machine and private networks may be asked
	Timeout      time.Duration
	MaxBytes     int // the longest reply
}

// Reply is the reply to a Request.
type Reply struct {
	Status  int
	Headers []Pair // names in lower case, in alphabetical order
	Type    string // the media type without parameters, in lower case; "" when none is said
	Body    []byte
}

// Command is what the body `command` runs.
type Command struct {
	Argv     []string
	Stdin    string
	Folder   string // "": that of the process
	Env      []Pair // beside PATH, HOME and the like
	Timeout  time.Duration
	MaxBytes int // of stdout and of stderr, each
}

// Printed is what a Command printed, and its exit status.
type Printed struct {
	Stdout, Stderr string
	Status         int
}

// Code is what the body `starlark` calls.
type Code struct {
	Text    string // either Text or File
	File    string // in Folder
	Folder  string // of the program's file: what the code loads must be in it
	Call    string // the function's name
	Args    *value.Object
	Timeout time.Duration
	Print   func(line string) // nil: nobody looks
}

// Remote is what the body `mcp` calls: a tool of a server that is a program of
// this machine, or has an address.
type Remote struct {
	Argv    []string // either Argv or URL
	URL     string
	Name    string // of the tool on the server
	Args    *value.Object
	Headers []Pair // for URL
	Env     []Pair // for Argv
	Folder  string // for Argv
	Timeout time.Duration
}

// Reader is a tool that reads files. The machine gives it the folder of the
// calling program's `local_files`.
type Reader interface {
	Tool
	// In returns the tool for a folder. Nothing outside of it can be read.
	In(fs.FS) Tool
}
