package anthropic

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/lm/lmtest"
)

// streamed asks a model whose server streams a body.
func streamed(t *testing.T, body string) (*lm.Response, string, error) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, body)
	}))
	defer s.Close()
	m, err := New(Config{Model: "m", BaseURL: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	var given strings.Builder
	req := lmtest.Ask("hello")
	req.OnDelta = func(d lm.Delta) { given.WriteString(d.Text) }
	resp, err := m.Generate(t.Context(), req)
	return resp, given.String(), err
}

// TestStreams: what servers do that the suite's does not.
func TestStreams(t *testing.T) {
	const (
		start = `data: {"type":"message_start","message":{"model":"m","usage":{"input_tokens":3,"output_tokens":1}}}` + "\n\n"
		end   = `data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":9}}` + "\n\n" + `data: {"type":"message_stop"}` + "\n\n"
	)
	block := func(index, body string) string {
		return `data: {"type":"content_block_start","index":` + index + `,"content_block":` + body + `}` + "\n\n"
	}
	delta := func(index, body string) string {
		return `data: {"type":"content_block_delta","index":` + index + `,"delta":` + body + `}` + "\n\n"
	}
	for name, c := range map[string]struct {
		body  string
		text  string
		kind  lm.Kind
		fails string
	}{
		"text at once":       {start + block("0", `{"type":"text","text":"yes"}`) + end, "yes", "", ""},
		"unknown events":     {start + "data: {\"type\":\"news\"}\n\n" + block("0", `{"type":"text","text":""}`) + delta("0", `{"type":"news"}`) + delta("0", `{"type":"text_delta","text":"yes"}`) + end, "yes", "", ""},
		"unknown block":      {start + block("0", `{"type":"server_tool_use","id":"1","name":"x"}`) + block("1", `{"type":"text","text":"yes"}`) + end, "yes", "", ""},
		"two texts":          {start + block("0", `{"type":"text","text":"y"}`) + block("1", `{"type":"text","text":"es"}`) + end, "yes", "", ""},
		"no start":           {block("0", `{"type":"text","text":"yes"}`) + end, "", lm.KindReply, "out of order"},
		"a gap":              {start + block("1", `{"type":"text","text":"yes"}`) + end, "", lm.KindReply, "out of order"},
		"no block":           {start + delta("0", `{"type":"text_delta","text":"yes"}`) + end, "", lm.KindReply, "did not begin"},
		"no text":            {start + end, "", lm.KindReply, "holds no text"},
		"no end":             {start + block("0", `{"type":"text","text":"yes"}`), "", lm.KindReply, "ended before the reply did"},
		"only an end":        {end, "", lm.KindReply, "did not begin"},
		"overloaded at once": {`data: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}` + "\n\n", "", lm.KindRateLimit, "Overloaded"},
	} {
		t.Run(name, func(t *testing.T) {
			resp, given, err := streamed(t, c.body)
			if c.fails != "" {
				if e := lm.AsError(err); e == nil || e.Kind != c.kind || !strings.Contains(e.Message, c.fails) {
					t.Fatalf("the error is %v, want kind %s with %q", err, c.kind, c.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if resp.Text != c.text || given != c.text || resp.Usage != (lm.Usage{InputTokens: 3, OutputTokens: 9}) {
				t.Errorf("got %q, given %q, used %+v", resp.Text, given, resp.Usage)
			}
		})
	}
	// A reply that ends in the middle of a tool's arguments keeps what was written.
	resp, _, err := streamed(t, start+block("0", `{"type":"tool_use","id":"1","name":"t","input":{}}`)+delta("0", `{"type":"input_json_delta","partial_json":"{\"a\": [1,"}`)+
		strings.Replace(end, "end_turn", "max_tokens", 1))
	if err != nil || resp.Finish != lm.FinishLength || len(resp.ToolCalls) != 1 || string(resp.ToolCalls[0].Arguments) != `"{\"a\": [1,"` {
		t.Errorf("cut arguments give %+v, %v", resp, err)
	}
}
