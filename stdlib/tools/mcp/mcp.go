// Package mcp calls tools of servers that speak the Model Context Protocol, as
// programs of this machine (stdio) or at an address (streamable HTTP), with the
// official SDK.
//
//	Servers   the servers under way: each is started once and shared by all calls
//	Tools     what a server offers
//	Declare   a server's tools as `tool` blocks, typed from their schemas (declare.go)
package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/value"
)

const (
	// DefaultTimeout is how long a call may take, the start of its server included.
	DefaultTimeout = 60 * time.Second
	// stopWait is how long a server that is a program may take to end.
	stopWait = 2 * time.Second
)

// Servers are the servers under way. The zero value has none. It is safe for use by
// many goroutines.
type Servers struct {
	// Version is that of dspi: servers are told it.
	Version string

	mu      sync.Mutex
	servers map[string]*server
	closed  bool
}

// server is one server; ready is closed when it was started or failed to.
type server struct {
	ready   chan struct{}
	session *sdk.ClientSession
	tools   []*sdk.Tool
	err     error
	stderr  *tail
}

// Call calls a tool of a server, which is started if it is not under way yet. It
// returns an object where the answer is structured, else its text. An error of the
// tool, or a tool that the server does not have, is a *tool.Error.
func (s *Servers) Call(ctx context.Context, r *tool.Remote) (any, error) {
	timeout := r.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("the server did not answer within %v", timeout))
	defer cancel()
	x, err := s.server(ctx, r)
	if err != nil {
		return nil, failure(ctx, r, err)
	}
	if err := x.has(r.Name); err != nil {
		return nil, err
	}
	res, err := x.session.CallTool(ctx, &sdk.CallToolParams{Name: r.Name, Arguments: json.RawMessage(value.EncodeJSON(r.Args))})
	if err != nil {
		if errors.Is(err, sdk.ErrConnectionClosed) || errors.Is(err, io.EOF) {
			s.forget(r, x)
			_ = x.session.Close() // so that all it wrote is there
			err = fmt.Errorf("the server ended%s", x.stderr.said())
		}
		return nil, failure(ctx, r, err)
	}
	said := text(res.Content)
	if res.IsError {
		return nil, &tool.Error{Tool: r.Name, Text: said}
	}
	if res.StructuredContent != nil {
		return structured(res.StructuredContent)
	}
	return said, nil
}

// Tools returns what a server offers.
func (s *Servers) Tools(ctx context.Context, r *tool.Remote) ([]*sdk.Tool, error) {
	x, err := s.server(ctx, r)
	if err != nil {
		return nil, err
	}
	return x.tools, nil
}

// Close ends all servers. How they end is not looked at: no call is under way.
func (s *Servers) Close() error {
	s.mu.Lock()
	all := s.servers
	s.servers, s.closed = nil, true
	s.mu.Unlock()
	var ended sync.WaitGroup
	for _, x := range all {
		ended.Go(func() {
			if <-x.ready; x.session != nil {
				_ = x.session.Close()
			}
		})
	}
	ended.Wait()
	return nil
}

// server returns a server that is ready.
func (s *Servers) server(ctx context.Context, r *tool.Remote) (*server, error) {
	k := key(r)
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, errors.New("the runtime is closed")
	}
	x, ok := s.servers[k]
	if !ok {
		x = &server{ready: make(chan struct{}), stderr: &tail{}}
		if s.servers == nil {
			s.servers = map[string]*server{}
		}
		s.servers[k] = x
		go func() { // others may wait for it when the call that starts it is gone
			defer close(x.ready)
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), DefaultTimeout)
			defer cancel()
			x.err = x.start(ctx, r, s.Version)
			if x.err != nil {
				s.forget(r, x)
			}
		}()
	}
	s.mu.Unlock()
	select {
	case <-x.ready:
		return x, x.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// forget makes the next call start a server anew.
func (s *Servers) forget(r *tool.Remote, x *server) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := key(r); s.servers[k] == x {
		delete(s.servers, k)
	}
}

// key tells servers apart.
func key(r *tool.Remote) string {
	text, _ := json.Marshal([]any{r.Argv, r.URL, r.Headers, r.Env, r.Folder})
	return string(text)
}

func (x *server) start(ctx context.Context, r *tool.Remote, version string) error {
	client := sdk.NewClient(&sdk.Implementation{Name: "dspi", Version: version}, nil)
	session, err := client.Connect(ctx, x.transport(r), nil)
	if err != nil {
		return fmt.Errorf("the server cannot be reached: %w%s", err, x.stderr.said())
	}
	for t, err := range session.Tools(ctx, nil) {
		if err != nil {
			session.Close()
			return fmt.Errorf("the server does not say which tools it has: %w", err)
		}
		x.tools = append(x.tools, t)
	}
	x.session = session
	return nil
}

func (x *server) transport(r *tool.Remote) sdk.Transport {
	if r.URL != "" {
		client := &http.Client{Transport: &headers{http.DefaultTransport.(*http.Transport).Clone(), r.Headers}}
		return &sdk.StreamableClientTransport{Endpoint: r.URL, HTTPClient: client, MaxRetries: -1, DisableStandaloneSSE: true}
	}
	cmd := exec.Command(r.Argv[0], r.Argv[1:]...)
	cmd.Dir = r.Folder
	cmd.Env = os.Environ()
	for _, e := range r.Env {
		cmd.Env = append(cmd.Env, e.Name+"="+e.Value)
	}
	cmd.Stderr = x.stderr
	return &sdk.CommandTransport{Command: cmd, TerminateDuration: stopWait}
}

// has returns an error if a server does not offer a tool.
func (x *server) has(name string) error {
	var names []string
	for _, t := range x.tools {
		if t.Name == name {
			return nil
		}
		names = append(names, t.Name)
	}
	said := "the server has no tool of this name; it has " + strings.Join(names, ", ")
	if len(names) == 0 {
		said = "the server has no tools"
	}
	if near, ok := diag.Nearest(name, names); ok {
		said += "; did you mean " + near + "?"
	}
	return &tool.Error{Tool: name, Text: said}
}

// headers adds headers to requests.
type headers struct {
	*http.Transport
	list []tool.Pair
}

func (h *headers) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	for _, p := range h.list {
		r.Header.Set(p.Name, p.Value)
	}
	return h.Transport.RoundTrip(r)
}

// failure words an error of a call; of one that ran out of time, it says so.
func failure(ctx context.Context, r *tool.Remote, err error) error {
	if ctx.Err() != nil {
		if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
			err = cause
		} else {
			return ctx.Err()
		}
	}
	var told *tool.Error
	if errors.As(err, &told) {
		return err
	}
	said := err.Error()
	for _, p := range append(r.Headers, r.Env...) { // they may be keys
		if len(p.Value) >= 6 {
			said = strings.ReplaceAll(said, p.Value, "…")
		}
	}
	return &tool.Error{Tool: r.Name, Text: said, Err: err}
}

// text returns what is text in an answer; of anything else it says what it is.
func text(list []sdk.Content) string {
	var parts []string
	for _, c := range list {
		switch c := c.(type) {
		case *sdk.TextContent:
			parts = append(parts, c.Text)
		case *sdk.ImageContent:
			parts = append(parts, fmt.Sprintf("(a picture, %s, %d bytes)", c.MIMEType, len(c.Data)))
		case *sdk.AudioContent:
			parts = append(parts, fmt.Sprintf("(a sound, %s, %d bytes)", c.MIMEType, len(c.Data)))
		case *sdk.ResourceLink:
			parts = append(parts, c.URI)
		case *sdk.EmbeddedResource:
			if c.Resource != nil {
				parts = append(parts, c.Resource.Text)
			}
		}
	}
	return strings.Join(parts, "\n")
}

// structured brings an answer into values.
func structured(v any) (any, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return value.DecodeJSON(data)
}

// tail keeps the end of what a server writes to standard error.
type tail struct {
	mu  sync.Mutex
	end []byte
}

const tailSize = 2000

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end = append(t.end, p...)
	if n := len(t.end) - tailSize; n > 0 {
		t.end = append(t.end[:0], t.end[n:]...)
	}
	return len(p), nil
}

// said returns it as the end of a sentence.
func (t *tail) said() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := strings.TrimSpace(string(t.end))
	if s == "" {
		return ""
	}
	return "; it wrote: " + s
}

// Sessions names the servers under way: the program or the address of each.
func (s *Servers) Sessions() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for k := range s.servers {
		out = append(out, k)
	}
	return out
}
