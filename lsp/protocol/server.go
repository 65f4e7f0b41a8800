// Package protocol is the thin layer between dspi's language server and the wire:
// the only package that knows the libraries of JSON-RPC and of LSP's types.
//
//	Server   the methods that are served, and one connection's life (Serve)
//	Handle   adds a method: a function of a Request and its parameters
//	Request  one message under way; Release lets the next one begin
//	Client   what a server can tell the editor
//	Error    an answer that says no, with LSP's code
//
// Messages are handled one after another, in the order of the wire, so that no
// edit overtakes another. A method that only reads takes its snapshot, calls
// Release, and goes on beside those that follow. The read loop never waits, so
// that `$/cancelRequest` is always heard. A message that makes no sense is answered
// with an error, and the session goes on (stream.go).
package protocol

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/sourcegraph/jsonrpc2"
)

// The codes of errors.
const (
	CodeInvalidRequest  = jsonrpc2.CodeInvalidRequest
	CodeInvalidParams   = jsonrpc2.CodeInvalidParams
	CodeMethodNotFound  = jsonrpc2.CodeMethodNotFound
	CodeInternalError   = jsonrpc2.CodeInternalError
	CodeNotInitialized  = -32002
	CodeRequestFailed   = -32803
	CodeContentModified = -32801
	CodeCancelled       = -32800
)

// Error is an answer that says no.
type Error struct {
	Code    int64
	Message string
}

func (e *Error) Error() string { return e.Message }

// Failed returns the error of a request that is right and cannot be fulfilled.
func Failed(format string, args ...any) error {
	return &Error{CodeRequestFailed, fmt.Sprintf(format, args...)}
}

// Request is one message under way.
type Request struct {
	Method string
	Client *Client

	params  json.RawMessage
	release func()
}

// Release lets the messages that follow begin. A method that reads calls it when
// it has its snapshot; for any other it is called when the method returns.
func (r *Request) Release() { r.release() }

type handler func(ctx context.Context, r *Request) (any, error)

// Server is what one side of a connection serves. Its zero value serves nothing.
// A Server is for one connection.
type Server struct {
	methods map[string]handler

	mu          sync.Mutex
	cancels     map[jsonrpc2.ID]context.CancelFunc
	last        chan struct{} // closed when the last message has been released
	initialized bool
	shutdown    bool
	exited      bool
	running     sync.WaitGroup
}

// Handle adds a method. f returns what is sent back; a notification's is dropped.
func Handle[P any](s *Server, method string, f func(ctx context.Context, r *Request, p *P) (any, error)) {
	if s.methods == nil {
		s.methods = map[string]handler{}
	}
	s.methods[method] = func(ctx context.Context, r *Request) (any, error) {
		p := new(P)
		if len(r.params) > 0 && string(r.params) != "null" {
			if err := Unmarshal(r.params, p); err != nil {
				return nil, &Error{CodeInvalidParams, r.Method + ": " + err.Error()}
			}
		}
		return f(ctx, r, p)
	}
}

// Handles reports whether a method is served.
func (s *Server) Handles(method string) bool { return s.methods[method] != nil }

// Serve speaks over a stream until the other side says `exit` or is gone, and
// returns the exit status that the protocol asks for: 0 after `shutdown` and
// `exit`, else 1. All that it began has ended then.
func (s *Server) Serve(ctx context.Context, stream io.ReadWriteCloser) int {
	return s.ServeStream(ctx, NewStream(stream))
}

// ServeStream is Serve over a stream of messages.
func (s *Server) ServeStream(ctx context.Context, stream Stream) int {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	s.mu.Lock()
	s.cancels = map[jsonrpc2.ID]context.CancelFunc{}
	s.last = make(chan struct{})
	close(s.last)
	s.mu.Unlock()
	conn := jsonrpc2.NewConn(ctx, &patient{Stream: stream, answers: &s.running}, s, jsonrpc2.SetLogger(silent{}))
	<-conn.DisconnectNotify()
	stop()
	s.running.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.exited && s.shutdown {
		return 0
	}
	return 1
}

// silent drops what the library would log.
type silent struct{}

func (silent) Printf(string, ...any) {}

// Handle is called by the read loop for each message. It does not wait.
func (s *Server) Handle(ctx context.Context, conn *jsonrpc2.Conn, m *jsonrpc2.Request) {
	if m.Method == "$/cancelRequest" {
		s.cancel(m)
		return
	}
	ctx, stop := context.WithCancel(ctx)
	next := make(chan struct{})
	var once sync.Once
	r := &Request{Method: m.Method, Client: &Client{conn: conn}, release: func() { once.Do(func() { close(next) }) }}
	if m.Params != nil {
		r.params = *m.Params
	}
	s.mu.Lock()
	wait := s.last
	s.last = next
	if !m.Notif {
		s.cancels[m.ID] = stop
	}
	s.mu.Unlock()
	s.running.Go(func() {
		defer stop()
		select {
		case <-wait:
		case <-ctx.Done():
		}
		result, err := any(nil), ctx.Err()
		if err == nil {
			result, err = s.run(ctx, conn, r, m.Notif)
		}
		if !m.Notif {
			s.mu.Lock()
			delete(s.cancels, m.ID)
			s.mu.Unlock()
			reply(ctx, conn, m.ID, result, err)
		}
		<-wait
		r.release()
		if m.Method == "exit" {
			s.mu.Lock()
			s.exited = true
			s.mu.Unlock()
			_ = conn.Close()
		}
	})
}

func (s *Server) cancel(m *jsonrpc2.Request) {
	var p struct {
		ID jsonrpc2.ID `json:"id"`
	}
	if m.Params == nil || json.Unmarshal(*m.Params, &p) != nil {
		return
	}
	s.mu.Lock()
	stop := s.cancels[p.ID]
	s.mu.Unlock()
	if stop != nil {
		stop()
	}
}

// run calls the method of a message. A panic becomes an error.
func (s *Server) run(ctx context.Context, conn *jsonrpc2.Conn, r *Request, note bool) (result any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &Error{CodeInternalError, fmt.Sprintf("%s failed: %v", r.Method, p)}
			r.Client.Log(context.WithoutCancel(ctx), fmt.Sprintf("%s failed: %v\n%s", r.Method, p, debug.Stack()))
		}
	}()
	if err := s.allowed(r.Method); err != nil {
		return nil, err
	}
	if r.Method == "exit" || r.Method == "shutdown" {
		return nil, nil
	}
	h := s.methods[r.Method]
	if h == nil {
		if note {
			return nil, nil // also those that begin with `$/`
		}
		return nil, &Error{CodeMethodNotFound, "dspi does not know the method " + r.Method}
	}
	result, err = h(ctx, r)
	if err == nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return result, err
}

// allowed holds the order of a session's life: initialize, shutdown, exit.
func (s *Server) allowed(method string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case method == "exit":
	case method == "initialize":
		if s.initialized {
			return &Error{CodeInvalidRequest, "initialize was sent twice"}
		}
		s.initialized = true
	case !s.initialized:
		return &Error{CodeNotInitialized, "the first request must be initialize"}
	case s.shutdown:
		return &Error{CodeInvalidRequest, "nothing but exit may follow shutdown"}
	case method == "shutdown":
		s.shutdown = true
	}
	return nil
}

func reply(ctx context.Context, conn *jsonrpc2.Conn, id jsonrpc2.ID, result any, err error) {
	ctx = context.WithoutCancel(ctx)
	var raw json.RawMessage
	if err == nil {
		raw, err = encode(result)
	}
	if err == nil {
		_ = conn.Reply(ctx, id, raw)
		return
	}
	e := &jsonrpc2.Error{Code: CodeInternalError, Message: err.Error()}
	var own *Error
	switch {
	case errors.As(err, &own):
		e.Code = own.Code
	case errors.Is(err, context.Canceled):
		e.Code, e.Message = CodeCancelled, "cancelled"
	}
	_ = conn.ReplyWithError(ctx, id, e)
}

func encode(v any) (json.RawMessage, error) {
	if v == nil {
		return json.RawMessage("null"), nil
	}
	data, err := Marshal(v)
	return json.RawMessage(data), err
}

// Client is what a server can tell the editor. Its zero value tells nobody.
type Client struct{ conn *jsonrpc2.Conn }

// Notify sends a notification. An editor that is gone hears nothing.
func (c *Client) Notify(ctx context.Context, method string, params any) {
	if c == nil || c.conn == nil {
		return
	}
	if raw, err := encode(params); err == nil {
		_ = c.conn.Notify(ctx, method, raw)
	}
}

// Ask sends a request and waits for its answer, which is not looked at. Without
// params it has none.
func (c *Client) Ask(ctx context.Context, method string, params any) {
	if c == nil || c.conn == nil {
		return
	}
	if params == nil {
		_ = c.conn.Call(ctx, method, nil, nil)
		return
	}
	if raw, err := encode(params); err == nil {
		_ = c.conn.Call(ctx, method, raw, nil)
	}
}

// Log writes into the editor's log of the server.
func (c *Client) Log(ctx context.Context, text string) {
	c.Notify(ctx, "window/logMessage", map[string]any{"type": 1, "message": text})
}

// PublishDiagnostics tells what is wrong in a file.
func (c *Client) PublishDiagnostics(ctx context.Context, p *PublishDiagnosticsParams) {
	c.Notify(ctx, "textDocument/publishDiagnostics", p)
}

// Path returns the path of a file's address; any other address is itself.
func Path(u URI) string {
	if strings.HasPrefix(string(u), "file:") {
		return u.FsPath()
	}
	return string(u)
}

// Address returns the address of what Path gave.
func Address(path string) URI {
	if i := strings.Index(path, ":"); i > 1 && !strings.ContainsAny(path[:i], `/\`) {
		return URI(path)
	}
	return FileURI(path)
}
