package ollama

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/lm/lmtest"
)

// body is a server that answers every request with it.
type body []byte

func (b body) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Request: r, Header: http.Header{"Content-Type": {"application/x-ndjson"}}, Body: io.NopCloser(bytes.NewReader(b))}, nil
}

// FuzzStream: whatever a server streams, it is a reply whose pieces were given, or a
// failure of ours.
func FuzzStream(f *testing.F) {
	for _, a := range []lmtest.Answer{
		{Text: "yes", Finish: lm.FinishStop, Reasoning: "hm"},
		{Finish: lm.FinishTools, ToolCalls: []lm.ToolCall{{ID: "1", Name: "t", Arguments: []byte(`{"a":1}`)}}},
	} {
		chunks := dialect.Stream(a, lmtest.Pieces(a.Text, 2))
		f.Add([]byte(strings.Join(chunks, "")))
		f.Add([]byte(strings.Join(chunks[len(chunks)/2:], "")))
		f.Add([]byte(dialect.Reply(a)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := New(Config{Model: "m", BaseURL: "http://server.test", Client: &http.Client{Transport: body(data)}})
		if err != nil {
			t.Fatal(err)
		}
		var text, thoughts strings.Builder
		req := lmtest.Ask("hello")
		req.OnDelta = func(d lm.Delta) {
			text.WriteString(d.Text)
			thoughts.WriteString(d.Reasoning)
		}
		resp, err := m.Generate(t.Context(), req)
		switch {
		case err == nil && (resp.Text != text.String() || resp.Reasoning != thoughts.String()):
			t.Errorf("the reply is %q (%q) of the pieces %q (%q)", resp.Text, resp.Reasoning, text.String(), thoughts.String())
		case err != nil && lm.AsError(err) == nil:
			t.Errorf("the failure is a %T: %v", err, err)
		}
	})
}
