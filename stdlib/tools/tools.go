// Package tools has the built-in tools, and does what the bodies of declared tools
// ask for.
//
//	Bodies   requests, commands, code and MCP servers, for the machine
//	Builtin  the built-in tool of a name, `tool.calculator`
//
// Each body and each built-in tool has a file. Which addresses a request may go to
// is in address.go, what a command may see of the process in command.go, and the
// limits of Starlark are those of interpreter/starlark.
package tools

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/stdlib/tools/mcp"
)

// The limits of a body that does not say.
const (
	DefaultTimeout  = 30 * time.Second
	DefaultMaxBytes = 1_000_000
)

// Bodies implements tool.Bodies. The zero Bodies is ready; it is safe for use by
// many goroutines.
type Bodies struct {
	// Resolver finds the addresses of hosts; nil: the system's.
	Resolver *net.Resolver
	// Servers are the MCP servers under way.
	Servers mcp.Servers

	mu      sync.Mutex
	clients map[bool]*http.Client // by whether private addresses are allowed
}

var _ tool.Bodies = (*Bodies)(nil)

// MCP calls a tool of an MCP server.
func (b *Bodies) MCP(ctx context.Context, r *tool.Remote) (any, error) { return b.Servers.Call(ctx, r) }

// Close ends the MCP servers and idle connections.
func (b *Bodies) Close() error {
	b.mu.Lock()
	for _, c := range b.clients {
		c.CloseIdleConnections()
	}
	b.mu.Unlock()
	return b.Servers.Close()
}

// Builtin returns the built-in tool of a name. Bodies send its requests.
func Builtin(name string, b *Bodies) (tool.Tool, bool) {
	for i := range universe.Tools {
		t := &universe.Tools[i]
		if t.Name != name {
			continue
		}
		in := builtin{t.Name, t.Doc, &program.Signature{Inputs: t.Inputs, Outputs: t.Outputs}}
		switch name {
		case "calculator":
			return &calculator{in}, true
		case "files":
			return &files{builtin: in}, true
		case "http_get":
			return &httpGet{in, b}, true
		}
	}
	return nil, false
}

// builtin is what the universe says of a tool.
type builtin struct {
	name, doc string
	signature *program.Signature
}

func (b builtin) Name() string                  { return b.name }
func (b builtin) Description() string           { return b.doc }
func (b builtin) Signature() *program.Signature { return b.signature }
