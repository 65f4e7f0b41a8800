package lmtest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// Dialect speaks for a provider's server: it knows the documented shapes of what is
// sent and what is answered.
type Dialect struct {
	// New returns the provider's model for a server. key may be empty.
	New func(baseURL, key string) (lm.LM, error)
	// Path is where requests must arrive, from the server's root.
	Path string
	// Key returns the key that a request carries, or "".
	Key func(h http.Header) string
	// Read reads the body of a request.
	Read func(body []byte) (Sent, error)
	// Reply returns the body of a success.
	Reply func(a Answer) string
	// Error returns the body of a failure with an HTTP status.
	Error func(status int, message string) string
	// Empty is a reply that is well formed and answers nothing.
	Empty string
	// Overloaded is a status besides 429 that asks to come back later; 0 for none.
	Overloaded int

	// Stream returns the body of a streamed success in the pieces in which the
	// server writes it; pieces are together the answer's text, and each is to be an
	// event of its own. nil: the protocol cannot stream.
	Stream     func(a Answer, pieces []string) []string
	StreamType string // the body's media type; "" for text/event-stream
	StreamPath string // where requests for streams must arrive; "" for Path
	// StreamError returns the piece that reports a failure in mid-stream; nil: the
	// protocol has none.
	StreamError func(message string) string

	// Bodies are the documented forms of what is sent: for each name of Requests
	// the JSON object that the body must hold. Fields that stand in neither are not
	// looked at. Where a name is missing, the model must refuse the request with
	// KindRequest and send nothing.
	Bodies map[string]string

	NoStop    bool // the protocol has no stop texts: the model refuses them
	Tools     bool // Reply and Stream write an answer's ToolCalls
	NoToolIDs bool // the protocol's calls of tools have no ids: the model makes some
	Reasoning bool // Reply and Stream write an answer's Reasoning
	Cached    bool // they write Usage.CachedTokens
	Kept      bool // they write Usage.CacheWriteTokens
	Thinking  bool // they write Usage.ReasoningTokens
}

// Sent is what a server understood of a request. System messages stand in front,
// joined if the protocol joins them.
type Sent struct {
	Model    string
	Messages []lm.Message
	Params   lm.Params
}

// Answer is what a server answers.
type Answer struct {
	Text      string
	Finish    lm.Finish
	Usage     lm.Usage
	Reasoning string
	ToolCalls []lm.ToolCall
}

// rich returns a request that uses everything the provider can send beside text.
func (d Dialect) rich() *lm.Request {
	req := rich()
	if d.NoStop {
		req.Stop = nil
	}
	return req
}

// said returns an answer of one text.
func said(text string) Answer {
	return Answer{Text: text, Finish: lm.FinishStop, Usage: lm.Usage{InputTokens: 11, OutputTokens: 7}}
}

// Pieces cuts a text into pieces of at most n characters, for streams.
func Pieces(text string, n int) []string {
	var out []string
	runes := []rune(text)
	for len(runes) > 0 {
		k := min(n, len(runes))
		out = append(out, string(runes[:k]))
		runes = runes[k:]
	}
	return out
}

// server is an httptest server with the calls it saw.
type server struct {
	*httptest.Server
	calls atomic.Int64
}

// serve starts a server that reads each request whole and gives it to answer, with
// its number from 1.
func serve(t testing.TB, answer func(w http.ResponseWriter, r *http.Request, body []byte, n int)) *server {
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the client is gone
		}
		answer(w, r, body, int(s.calls.Add(1)))
	}))
	t.Cleanup(s.Close)
	return s
}

// say writes a JSON body.
func say(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	io.WriteString(w, body)
}

// model returns the dialect's model for a server.
func (d Dialect) model(t testing.TB, baseURL, key string) lm.LM {
	t.Helper()
	m, err := d.New(baseURL, key)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Benchmark measures one call of a provider against a server in the same process: what
// the provider, HTTP and the server cost together.
func Benchmark(b *testing.B, d Dialect) {
	reply := d.Reply(said("The capital of France is Paris."))
	s := serve(b, func(w http.ResponseWriter, _ *http.Request, _ []byte, _ int) { say(w, 200, reply) })
	m := d.model(b, s.URL, testKey)
	req := d.rich()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Generate(b.Context(), req); err != nil {
			b.Fatal(err)
		}
	}
}
