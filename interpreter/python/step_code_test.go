package python

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/lang/value"
)

// codeScript is a Code whose pieces call what they name, one function after another,
// and end with what the last one gave; `wait` does not end by itself.
type codeScript struct {
	call   func(ctx context.Context, name string, args []any, named *value.Object) (any, error)
	began  chan string
	closed bool
}

func (c *codeScript) Run(ctx context.Context, piece Piece) (*Outcome, error) {
	c.began <- piece.Text
	var last any
	for name := range strings.FieldsSeq(piece.Text) {
		if name == "wait" {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		v, err := c.call(ctx, name, nil, value.NewObject("at", 1))
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			return &Outcome{Fault: "RuntimeError: " + err.Error()}, nil
		}
		last = v
	}
	return &Outcome{Value: string(value.EncodeJSON(last)), Final: true}, nil
}

func (c *codeScript) Close() { c.closed = true }

func newCodeHost(t *testing.T) (*stepHost, *codeScript) {
	c := &codeScript{began: make(chan string, 10)}
	h := &stepHost{step: &Step{open: func(_ context.Context, _ *module.Call, o CodeOptions) (Code, error) {
		c.call = o.Call
		return c, nil
	}}}
	h.code, h.endCode = context.WithCancel(t.Context())
	if got, err := h.openCode(t.Context(), json.RawMessage(`{}`)); err != nil || string(got) != `{"code":1}` {
		t.Fatalf("%s, %v", got, err)
	}
	return h, c
}

// TestCodeCalls: what a piece of code calls comes out of the question that runs it, and
// goes in with the next.
func TestCodeCalls(t *testing.T) {
	defer goleak.VerifyNone(t)
	h, c := newCodeHost(t)
	defer h.closeCode()
	for _, x := range []struct{ command, args, want string }{
		{"resume", `{"code": 1, "id": 1, "value": 1}`, "no code in session 1 waits"},
		{"run", `{"code": 2, "text": "a"}`, "there is no session 2"},
		{"run", `{"code": 1, "text": "a b"}`, `{"call":{"id":1,"name":"a","args":[],"named":{"at":1}}}`},
		{"run", `{"code": 1, "text": "c"}`, "a function that code calls cannot run code in it"},
		{"run", `{"code": 1, "text": "a b"}`, "a function that code calls cannot run code in it"},
		{"resume", `{"code": 1, "id": 2, "value": 1}`, "no code in session 1 waits for the answer to call 2"},
		{"resume", `{"code": 1, "id": 1, "value": 1}`, `{"call":{"id":2,"name":"b","args":[],"named":{"at":1}}}`},
		{"resume", `{"code": 1, "id": 1, "value": 1}`, "no code in session 1 waits for the answer to call 1"},
		{"resume", `{"code": 1, "id": 2, "value": ["x"]}`, `{"final":true,"value":["x"]}`},
		{"resume", `{"code": 1, "id": 2, "value": ["x"]}`, "no code in session 1 waits"},
		{"run", `{"code": 1, "text": "d"}`, `{"call":{"id":3,"name":"d","args":[],"named":{"at":1}}}`},
		{"resume", `{"code": 1, "id": 3, "fault": "KeyError: 'x'"}`, `{"fault":"RuntimeError: KeyError: 'x'"}`},
	} {
		do := h.runCode
		if x.command == "resume" {
			do = h.resumeCode
		}
		got, err := do(t.Context(), json.RawMessage(x.args))
		if err != nil {
			got = json.RawMessage(err.Error())
		}
		if err != nil && !strings.Contains(string(got), x.want) || err == nil && string(got) != x.want {
			t.Errorf("%s %s gives %s, want %s", x.command, x.args, got, x.want)
		}
	}
	h.closeCode()
	if !c.closed || len(c.began) != 2 {
		t.Errorf("closed: %t, %d pieces", c.closed, len(c.began))
	}
}

// TestCodeTakenOver: where nobody waits any more, the code goes on, and who asks the
// same again gets what comes of it; in the end all of it ends.
func TestCodeTakenOver(t *testing.T) {
	defer goleak.VerifyNone(t)
	h, c := newCodeHost(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	run := json.RawMessage(`{"code": 1, "text": "a wait"}`)
	resume := json.RawMessage(`{"code": 1, "id": 1, "value": 1}`)
	for got := json.RawMessage(nil); got == nil; { // either may come first
		var err error
		if got, err = h.runCode(gone, run); err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if err != nil {
			if got, err = h.runCode(t.Context(), run); err != nil {
				t.Fatal(err)
			}
		}
		if !strings.Contains(string(got), `"name":"a"`) {
			t.Fatalf("it gives %s", got)
		}
	}
	if len(c.began) != 1 {
		t.Errorf("%d pieces began", len(c.began))
	}
	for range 2 { // the second joins the first
		if _, err := h.resumeCode(gone, resume); !errors.Is(err, context.Canceled) {
			t.Errorf("it ends with %v", err)
		}
	}
	h.closeCode()
	if !c.closed {
		t.Error("the code is not closed")
	}
}
