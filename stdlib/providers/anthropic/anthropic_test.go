package anthropic

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/lm/lmtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// dialect speaks for a Messages server.
var dialect = lmtest.Dialect{
	New: func(baseURL, key string) (lm.LM, error) {
		return New(Config{Model: "a-model", BaseURL: baseURL, Key: key})
	},
	Path: "/v1/messages",
	Key:  func(h http.Header) string { return h.Get("X-Api-Key") },
	Read: func(body []byte) (lmtest.Sent, error) {
		var r struct {
			Model    string       `json:"model"`
			System   string       `json:"system"`
			Messages []lm.Message `json:"messages"`
			lm.Params
			Stop []string `json:"stop_sequences"`
		}
		err := json.Unmarshal(body, &r)
		r.Params.Stop = r.Stop
		if r.System != "" {
			r.Messages = append([]lm.Message{{Role: lm.System, Content: r.System}}, r.Messages...)
		}
		return lmtest.Sent{Model: r.Model, Messages: r.Messages, Params: r.Params}, err
	},
	Reply: func(a lmtest.Answer) string {
		reason := map[lm.Finish]string{lm.FinishStop: "end_turn", lm.FinishLength: "max_tokens", lm.FinishFilter: "refusal"}[a.Finish]
		return encode(map[string]any{
			"id": "msg_1", "type": "message", "role": "assistant", "model": "a-model-20250101",
			"content":     []any{map[string]any{"type": "text", "text": a.Text}},
			"stop_reason": reason, "stop_sequence": nil,
			"usage": map[string]any{"input_tokens": a.Usage.InputTokens, "output_tokens": a.Usage.OutputTokens},
		})
	},
	Error: func(_ int, message string) string {
		return encode(map[string]any{"type": "error", "error": map[string]any{"type": "some_error", "message": message}, "request_id": "req_1"})
	},
	Empty:      `{"id": "msg_1", "type": "message", "role": "assistant", "content": [], "stop_reason": "end_turn"}`,
	Overloaded: 529,
}

func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func TestExercise(t *testing.T) { lmtest.Exercise(t, dialect) }

func BenchmarkGenerate(b *testing.B) { lmtest.Benchmark(b, dialect) }

func TestReplies(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		text   string
		finish lm.Finish
		usage  lm.Usage
		kind   lm.Kind
		fails  string
	}{
		"blocks": {200, `{"content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"Par"},{"type":"text","text":"is"}],"stop_reason":"stop_sequence","usage":{"input_tokens":1,"output_tokens":2}}`,
			"Paris", lm.FinishStop, lm.Usage{InputTokens: 1, OutputTokens: 2}, "", ""},
		"cache": {200, `{"content":[{"type":"text","text":"x"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"cache_creation_input_tokens":10,"cache_read_input_tokens":100,"output_tokens":2}}`,
			"x", lm.FinishStop, lm.Usage{InputTokens: 111, OutputTokens: 2}, "", ""},
		"refusal": {200, `{"content":[],"stop_reason":"refusal","usage":{"input_tokens":1,"output_tokens":0}}`,
			"", lm.FinishFilter, lm.Usage{InputTokens: 1}, "", ""},
		"all spent thinking": {200, `{"content":[{"type":"thinking","thinking":"hm"}],"stop_reason":"max_tokens","usage":{"input_tokens":1,"output_tokens":2}}`,
			"", lm.FinishLength, lm.Usage{InputTokens: 1, OutputTokens: 2}, "", ""},
		"another reason": {200, `{"content":[{"type":"text","text":"x"}],"stop_reason":"pause_turn"}`,
			"x", "pause_turn", lm.Usage{InputTokens: 3, OutputTokens: 1, Estimated: true}, "", ""},
		"only a tool": {200, `{"content":[{"type":"tool_use","name":"x"}],"stop_reason":"tool_use"}`,
			"", "", lm.Usage{}, lm.KindReply, "holds no text"},
		"error with 200": {200, `{"type":"error","error":{"type":"api_error","message":"broken inside"}}`,
			"", "", lm.Usage{}, lm.KindReply, "broken inside"},
		"overloaded": {529, `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`,
			"", "", lm.Usage{}, lm.KindRateLimit, "Overloaded"},
		"no message": {500, `{"type":"error","error":{"type":"api_error"}}`,
			"", "", lm.Usage{}, lm.KindServer, "api_error"},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				if v := r.Header.Get("anthropic-version"); v != "2023-06-01" {
					t.Errorf("the version asked for is %q", v)
				}
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(c.status)
				io.WriteString(w, c.body)
			}))
			defer s.Close()
			m, err := New(Config{Model: "m", BaseURL: s.URL})
			if err != nil {
				t.Fatal(err)
			}
			resp, err := m.Generate(t.Context(), lmtest.Ask("hello, you"))
			if c.fails != "" {
				if e := lm.AsError(err); e == nil || e.Kind != c.kind || !strings.Contains(e.Message, c.fails) {
					t.Fatalf("the error is %v, want kind %s with %q", err, c.kind, c.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if resp.Text != c.text || resp.Finish != c.finish || resp.Usage != c.usage {
				t.Errorf("got %q, ended by %q, used %+v", resp.Text, resp.Finish, resp.Usage)
			}
		})
	}
}

func TestBody(t *testing.T) {
	say := func(role lm.Role, text string) lm.Message { return lm.Message{Role: role, Content: text} }
	limit, seed := 50, 7
	for name, c := range map[string]struct {
		req   lm.Request
		want  string
		fails string
	}{
		"default limit": {lm.Request{Messages: []lm.Message{say(lm.User, "a")}},
			`{"model":"m","max_tokens":4096,"messages":[{"role":"user","content":"a"}]}`, ""},
		"own limit": {lm.Request{Messages: []lm.Message{say(lm.User, "a")}, Params: lm.Params{MaxTokens: &limit}},
			`{"model":"m","max_tokens":50,"messages":[{"role":"user","content":"a"}]}`, ""},
		"system messages": {lm.Request{Messages: []lm.Message{say(lm.System, "s1"), say(lm.User, "a"), say(lm.System, "s2")}},
			`{"model":"m","max_tokens":4096,"system":"s1\n\ns2","messages":[{"role":"user","content":"a"}]}`, ""},
		"neighbours": {lm.Request{Messages: []lm.Message{say(lm.User, "a"), say(lm.System, "s"), say(lm.User, "b"), say(lm.Assistant, "c"), say(lm.Assistant, "d"), say(lm.User, "e")}},
			`{"model":"m","max_tokens":4096,"system":"s","messages":[{"role":"user","content":"a\n\nb"},{"role":"assistant","content":"c\n\nd"},{"role":"user","content":"e"}]}`, ""},
		"only system":     {lm.Request{Messages: []lm.Message{say(lm.System, "s")}}, "", "no user message"},
		"assistant first": {lm.Request{Messages: []lm.Message{say(lm.Assistant, "c"), say(lm.User, "a")}}, "", "wants the user's first"},
		"seed":            {lm.Request{Messages: []lm.Message{say(lm.User, "a")}, Params: lm.Params{Seed: &seed}}, "", "has no seed"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := New(Config{Model: "m", BaseURL: "http://127.0.0.1:1"})
			if err != nil {
				t.Fatal(err)
			}
			before := encode(c.req)
			body, problem := m.body(&c.req)
			if encode(c.req) != before {
				t.Errorf("the request was changed to %s", encode(c.req))
			}
			if c.fails != "" {
				_, err := m.Generate(t.Context(), &c.req)
				if e := lm.AsError(err); !strings.Contains(problem, c.fails) || e == nil || e.Kind != lm.KindRequest {
					t.Errorf("the problem is %q and the error %v, want %q", problem, err, c.fails)
				}
				return
			}
			if got := encode(body); got != c.want {
				t.Errorf("sent:\n%s\nwant:\n%s", got, c.want)
			}
		})
	}
}

func TestConfig(t *testing.T) {
	if _, err := New(Config{}); err == nil || !strings.Contains(err.Error(), "needs a name") {
		t.Errorf("a model without a name gives %v", err)
	}
	m, err := New(Config{Model: "m"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.Generate(t.Context(), lmtest.Ask("hello"))
	if e := lm.AsError(err); e == nil || e.Kind != lm.KindNoKey || !strings.Contains(e.Message, KeyVariable) {
		t.Errorf("the own server without a key gives %v", err)
	}
}
