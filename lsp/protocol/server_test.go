package protocol_test

import (
	"context"
	"encoding/json"
	"net"
	"sync"
	"testing"

	"github.com/sourcegraph/jsonrpc2"
	"go.uber.org/goleak"

	"github.com/dspi-lang/dspi/lsp/protocol"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// dial serves s and returns a client's end, and what waits for the exit status.
func dial(t *testing.T, s *protocol.Server) (*jsonrpc2.Conn, func() int) {
	t.Helper()
	ours, theirs := net.Pipe()
	done := make(chan int, 1)
	go func() { done <- s.Serve(t.Context(), ours) }()
	conn := jsonrpc2.NewConn(t.Context(), jsonrpc2.NewBufferedStream(theirs, jsonrpc2.VSCodeObjectCodec{}),
		jsonrpc2.HandlerWithError(func(context.Context, *jsonrpc2.Conn, *jsonrpc2.Request) (any, error) { return nil, nil }))
	t.Cleanup(func() { _ = conn.Close() })
	return conn, func() int { return <-done }
}

type number struct {
	N int `json:"n"`
}

func begin(t *testing.T, conn *jsonrpc2.Conn) {
	t.Helper()
	if err := conn.Call(t.Context(), "initialize", map[string]any{}, nil); err != nil {
		t.Fatal(err)
	}
}

func served(s *protocol.Server) {
	protocol.Handle(s, "initialize", func(context.Context, *protocol.Request, *number) (any, error) { return nil, nil })
}

func codeOf(err error) int64 {
	if e, ok := err.(*jsonrpc2.Error); ok {
		return e.Code
	}
	return 0
}

func TestOrder(t *testing.T) {
	s := &protocol.Server{}
	served(s)
	var mu sync.Mutex
	var seen []int
	protocol.Handle(s, "note", func(_ context.Context, _ *protocol.Request, p *number) (any, error) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, p.N)
		return nil, nil
	})
	protocol.Handle(s, "read", func(context.Context, *protocol.Request, *number) (any, error) {
		return map[string]int{"n": len(seen)}, nil
	})
	conn, exit := dial(t, s)
	begin(t, conn)
	for i := range 500 {
		if err := conn.Notify(t.Context(), "note", number{i}); err != nil {
			t.Fatal(err)
		}
	}
	var n number
	if err := conn.Call(t.Context(), "read", nil, &n); err != nil || n.N != 500 {
		t.Fatalf("after 500 notes the server has seen %d: %v", n.N, err)
	}
	for i, x := range seen {
		if x != i {
			t.Fatalf("note %d was handled as number %d", x, i)
		}
	}
	if err := conn.Call(t.Context(), "shutdown", nil, nil); err != nil {
		t.Fatal(err)
	}
	if err := conn.Call(t.Context(), "read", nil, &n); codeOf(err) != protocol.CodeInvalidRequest {
		t.Errorf("after shutdown: %v", err)
	}
	_ = conn.Notify(t.Context(), "exit", nil)
	if code := exit(); code != 0 {
		t.Errorf("exit status %d after shutdown and exit", code)
	}
}

func TestCancel(t *testing.T) {
	s := &protocol.Server{}
	served(s)
	started := make(chan bool, 2)
	protocol.Handle(s, "slow", func(ctx context.Context, r *protocol.Request, _ *number) (any, error) {
		r.Release()
		started <- true
		<-ctx.Done()
		return nil, ctx.Err()
	})
	protocol.Handle(s, "holds", func(ctx context.Context, _ *protocol.Request, _ *number) (any, error) {
		started <- true
		<-ctx.Done()
		return nil, ctx.Err()
	})
	protocol.Handle(s, "quick", func(context.Context, *protocol.Request, *number) (any, error) { return 1, nil })
	conn, exit := dial(t, s)
	begin(t, conn)
	for _, method := range []string{"slow", "holds"} {
		id := jsonrpc2.ID{Str: method, IsString: true}
		w, err := conn.DispatchCall(t.Context(), method, number{}, jsonrpc2.PickID(id))
		if err != nil {
			t.Fatal(err)
		}
		<-started
		if method == "slow" { // it has let go: others are answered beside it
			if err := conn.Call(t.Context(), "quick", nil, nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := conn.Notify(t.Context(), "$/cancelRequest", map[string]any{"id": method}); err != nil {
			t.Fatal(err)
		}
		if err := w.Wait(t.Context(), nil); codeOf(err) != protocol.CodeCancelled {
			t.Errorf("%s after it was cancelled: %v", method, err)
		}
	}
	if err := conn.Call(t.Context(), "quick", nil, nil); err != nil {
		t.Fatal(err)
	}
	_ = conn.Notify(t.Context(), "exit", nil)
	if code := exit(); code != 1 {
		t.Errorf("exit status %d after exit without shutdown", code)
	}
}

func TestErrors(t *testing.T) {
	s := &protocol.Server{}
	served(s)
	protocol.Handle(s, "panics", func(context.Context, *protocol.Request, *number) (any, error) { panic("oh") })
	protocol.Handle(s, "fails", func(context.Context, *protocol.Request, *number) (any, error) {
		return nil, protocol.Failed("no %d", 1)
	})
	protocol.Handle(s, "quick", func(context.Context, *protocol.Request, *number) (any, error) { return 1, nil })
	conn, exit := dial(t, s)
	if err := conn.Call(t.Context(), "quick", nil, nil); codeOf(err) != protocol.CodeNotInitialized {
		t.Errorf("before initialize: %v", err)
	}
	begin(t, conn)
	if err := conn.Call(t.Context(), "initialize", nil, nil); codeOf(err) != protocol.CodeInvalidRequest {
		t.Errorf("initialize a second time: %v", err)
	}
	_ = conn.Notify(t.Context(), "$/unknown", nil)
	_ = conn.Notify(t.Context(), "panics", nil)
	for method, code := range map[string]int64{"panics": protocol.CodeInternalError, "fails": protocol.CodeRequestFailed, "unknown": protocol.CodeMethodNotFound} {
		if err := conn.Call(t.Context(), method, nil, nil); codeOf(err) != code {
			t.Errorf("%s: %v", method, err)
		}
	}
	if err := conn.Call(t.Context(), "quick", json.RawMessage(`{"n":"x"}`), nil); codeOf(err) != protocol.CodeInvalidParams {
		t.Errorf("wrong parameters: %v", err)
	}
	if err := conn.Call(t.Context(), "quick", nil, nil); err != nil {
		t.Errorf("the server does not live: %v", err)
	}
	_ = conn.Close()
	if code := exit(); code != 1 {
		t.Errorf("exit status %d when the editor is gone", code)
	}
}

func TestAddress(t *testing.T) {
	for _, path := range []string{"/a b/ü.dsp", "untitled:Untitled-1", "/c#d%20.dsp"} {
		if got := protocol.Path(protocol.Address(path)); got != path {
			t.Errorf("%q becomes %q and then %q", path, protocol.Address(path), got)
		}
	}
}
