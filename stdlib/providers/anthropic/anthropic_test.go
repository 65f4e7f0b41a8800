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
		return New(Config{Model: "claude-sonnet-4-5", BaseURL: baseURL, Key: key})
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
		content := []any{}
		if a.Reasoning != "" {
			content = append(content, map[string]any{"type": "thinking", "thinking": a.Reasoning, "signature": "EqQB"})
		}
		if a.Text != "" || len(a.ToolCalls) == 0 {
			content = append(content, map[string]any{"type": "text", "text": a.Text})
		}
		for _, c := range a.ToolCalls {
			content = append(content, map[string]any{"type": "tool_use", "id": c.ID, "name": c.Name, "input": c.Arguments})
		}
		return encode(map[string]any{
			"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5-20250929",
			"content": content, "stop_reason": reasons[a.Finish], "stop_sequence": nil, "usage": counts(a.Usage),
		})
	},
	Error: func(_ int, message string) string {
		return encode(map[string]any{"type": "error", "error": map[string]any{"type": "some_error", "message": message}, "request_id": "req_1"})
	},
	Empty:      `{"id": "msg_1", "type": "message", "role": "assistant", "content": [], "stop_reason": "end_turn"}`,
	Overloaded: 529,
	Stream:     stream,
	StreamError: func(message string) string {
		return sse("error", map[string]any{"type": "error", "error": map[string]any{"type": "overloaded_error", "message": message}})
	},
	Bodies: map[string]string{
		"stream":         `{"stream":true}`,
		"image":          asked(`{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}}`),
		"image URL":      asked(`{"type":"image","source":{"type":"url","url":"https://example.com/cat.png"}}`),
		"file":           asked(`{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0xLjQK"},"title":"letter.pdf"}`),
		"file URL":       asked(`{"type":"document","source":{"type":"url","url":"https://example.com/letter.pdf"}}`),
		"tools":          `{"tools":[` + weather + `}]}`,
		"strict tools":   `{"tools":[` + weather + `,"strict":true}]}`,
		"tools required": `{"tools":[` + weather + `}],"tool_choice":{"type":"any"}}`,
		"tools none":     `{"tools":[` + weather + `}],"tool_choice":{"type":"none"}}`,
		"tools named":    `{"tools":[` + weather + `}],"tool_choice":{"type":"tool","name":"weather"}}`,
		"tool results": `{"messages":[{"role":"user","content":"How is the weather in Rome?"},
			{"role":"assistant","content":[{"type":"text","text":"I look."},
				{"type":"tool_use","id":"call_1","name":"weather","input":{"place":"Rome"}},{"type":"tool_use","id":"call_2","name":"weather","input":{"place":"Oslo"}}]},
			{"role":"user","content":[{"type":"tool_result","tool_use_id":"call_1","content":"sunny"},{"type":"tool_result","tool_use_id":"call_2","content":"{\"sky\":\"grey\"}"}]}]}`,
		"schema": `{"output_config":{"format":{"type":"json_schema","schema":{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"}},"required":["name","age"],"additionalProperties":false}}}}`,
		"effort": `{"thinking":{"type":"enabled","budget_tokens":2048},"max_tokens":16384}`,
	},
	Tools:     true,
	Reasoning: true,
	Cached:    true,
	Kept:      true,
	Thinking:  true,
}

const weather = `{"name":"weather","description":"The weather at a place.","input_schema":{"type":"object","properties":{"place":{"type":"string"}},"required":["place"],"additionalProperties":false}`

// asked is the body of a question about some media.
func asked(block string) string {
	return `{"messages":[{"role":"user","content":[{"type":"text","text":"What is this?"},` + block + `]}]}`
}

var reasons = map[lm.Finish]string{lm.FinishStop: "end_turn", lm.FinishLength: "max_tokens", lm.FinishFilter: "refusal", lm.FinishTools: "tool_use"}

// counts writes a usage: what came from the cache is counted apart.
func counts(u lm.Usage) map[string]any {
	c := map[string]any{"input_tokens": u.InputTokens - u.CachedTokens - u.CacheWriteTokens, "cache_creation_input_tokens": u.CacheWriteTokens, "cache_read_input_tokens": u.CachedTokens, "output_tokens": u.OutputTokens}
	if u.ReasoningTokens > 0 {
		c["output_tokens_details"] = map[string]any{"thinking_tokens": u.ReasoningTokens}
	}
	return c
}

// sse writes a server-sent event.
func sse(name string, data any) string { return "event: " + name + "\ndata: " + encode(data) + "\n\n" }

// stream writes an answer as the events that the protocol documents.
func stream(a lmtest.Answer, pieces []string) (out []string) {
	begun := counts(a.Usage)
	begun["output_tokens"] = 1
	delete(begun, "output_tokens_details")
	out = append(out, sse("message_start", map[string]any{"type": "message_start", "message": map[string]any{
		"id": "msg_1", "type": "message", "role": "assistant", "content": []any{}, "model": "claude-sonnet-4-5-20250929",
		"stop_reason": nil, "stop_sequence": nil, "usage": begun}}), sse("ping", map[string]any{"type": "ping"}))
	index := 0
	block := func(start map[string]any, deltas ...map[string]any) {
		out = append(out, sse("content_block_start", map[string]any{"type": "content_block_start", "index": index, "content_block": start}))
		for _, d := range deltas {
			out = append(out, sse("content_block_delta", map[string]any{"type": "content_block_delta", "index": index, "delta": d}))
		}
		out = append(out, sse("content_block_stop", map[string]any{"type": "content_block_stop", "index": index}))
		index++
	}
	if a.Reasoning != "" {
		var deltas []map[string]any
		for _, p := range lmtest.Pieces(a.Reasoning, 4) {
			deltas = append(deltas, map[string]any{"type": "thinking_delta", "thinking": p})
		}
		block(map[string]any{"type": "thinking", "thinking": ""}, append(deltas, map[string]any{"type": "signature_delta", "signature": "EqQB"})...)
	}
	if len(pieces) > 0 || len(a.ToolCalls) == 0 {
		var deltas []map[string]any
		for _, p := range pieces {
			deltas = append(deltas, map[string]any{"type": "text_delta", "text": p})
		}
		block(map[string]any{"type": "text", "text": ""}, deltas...)
	}
	for _, c := range a.ToolCalls {
		deltas := []map[string]any{{"type": "input_json_delta", "partial_json": ""}}
		for _, p := range lmtest.Pieces(string(c.Arguments), 5) {
			deltas = append(deltas, map[string]any{"type": "input_json_delta", "partial_json": p})
		}
		block(map[string]any{"type": "tool_use", "id": c.ID, "name": c.Name, "input": map[string]any{}}, deltas...)
	}
	ended := map[string]any{"output_tokens": a.Usage.OutputTokens}
	if a.Usage.ReasoningTokens > 0 {
		ended["output_tokens_details"] = map[string]any{"thinking_tokens": a.Usage.ReasoningTokens}
	}
	return append(out,
		sse("message_delta", map[string]any{"type": "message_delta", "delta": map[string]any{"stop_reason": reasons[a.Finish], "stop_sequence": nil}, "usage": ended}),
		sse("message_stop", map[string]any{"type": "message_stop"}))
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
			"x", lm.FinishStop, lm.Usage{InputTokens: 111, OutputTokens: 2, CachedTokens: 100, CacheWriteTokens: 10}, "", ""},
		"refusal": {200, `{"content":[],"stop_reason":"refusal","usage":{"input_tokens":1,"output_tokens":0}}`,
			"", lm.FinishFilter, lm.Usage{InputTokens: 1}, "", ""},
		"all spent thinking": {200, `{"content":[{"type":"thinking","thinking":"hm"}],"stop_reason":"max_tokens","usage":{"input_tokens":1,"output_tokens":2}}`,
			"", lm.FinishLength, lm.Usage{InputTokens: 1, OutputTokens: 2}, "", ""},
		"another reason": {200, `{"content":[{"type":"text","text":"x"}],"stop_reason":"pause_turn"}`,
			"x", "pause_turn", lm.Usage{InputTokens: 3, OutputTokens: 1, Estimated: true}, "", ""},
		"only thoughts": {200, `{"content":[{"type":"thinking","thinking":"hm"}],"stop_reason":"end_turn"}`,
			"", "", lm.Usage{}, lm.KindReply, "holds no text"},
		"error with 200": {200, `{"type":"error","error":{"type":"api_error","message":"broken inside"}}`,
			"", "", lm.Usage{}, lm.KindServer, "broken inside"},
		"unknown error with 200": {200, `{"type":"error","error":{"type":"odd_error","message":"odd inside"}}`,
			"", "", lm.Usage{}, lm.KindReply, "odd inside"},
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

// TestModels: what a model's name says about its parameters.
func TestModels(t *testing.T) {
	half, one, limit := 0.5, 1.0, 1000
	forced := lmtest.Requests()["tools named"]
	forced.ReasoningEffort = "low"
	for _, c := range []struct {
		model  string
		params lm.Params
		sent   string // of the parameters
		fails  string
	}{
		{"claude-sonnet-4-5", lm.Params{Temperature: &half}, `"max_tokens":4096,"temperature":0.5`, ""},
		{"claude-sonnet-4-5", lm.Params{ReasoningEffort: "high", Temperature: &one}, `"max_tokens":16384,"thinking":{"type":"enabled","budget_tokens":8192}`, ""},
		{"claude-sonnet-4-5", lm.Params{ReasoningEffort: "high", MaxTokens: &limit}, "", "at least 1024 tokens"},
		{"claude-opus-4-5", lm.Params{ReasoningEffort: "low"}, `"max_tokens":16384,"thinking":{"type":"enabled","budget_tokens":2048},"output_config":{"effort":"low"}`, ""},
		{"claude-opus-4-6", lm.Params{ReasoningEffort: "low", MaxTokens: &limit}, `"max_tokens":1000,"thinking":{"type":"adaptive"},"output_config":{"effort":"low"}`, ""},
		{"claude-opus-5", lm.Params{}, `"max_tokens":16384`, ""},
		{"claude-opus-5", lm.Params{ReasoningEffort: "high"}, `"max_tokens":16384,"thinking":{"type":"adaptive","display":"summarized"},"output_config":{"effort":"high"}`, ""},
		{"claude-opus-5", lm.Params{Temperature: &half}, "", "takes no temperature other than 1"},
		{"claude-3-haiku-20240307", lm.Params{ReasoningEffort: "low"}, "", "does not reason"},
	} {
		m, err := New(Config{Model: c.model, Params: c.params})
		if err != nil {
			t.Fatal(err)
		}
		body, problem := m.body(lmtest.Ask("a"))
		if c.fails != "" || problem != "" {
			if c.fails == "" || !strings.Contains(problem, c.fails) {
				t.Errorf("%s: the problem is %q, want %q", c.model, problem, c.fails)
			}
			continue
		}
		got := strings.Replace(encode(body), `"messages":[{"role":"user","content":"a"}],`, "", 1)
		got = strings.Replace(got, `,"messages":[{"role":"user","content":"a"}]`, "", 1)
		if want := `{"model":"` + c.model + `",` + c.sent + `}`; got != want {
			t.Errorf("sent\n%s\nwant\n%s", got, want)
		}
	}
	m, err := New(Config{Model: "claude-sonnet-4-5"})
	if err != nil {
		t.Fatal(err)
	}
	if _, problem := m.body(forced); !strings.Contains(problem, "cannot be made to ask for a tool while it reasons") {
		t.Errorf("a tool that must be asked for while reasoning gives %q", problem)
	}
}

func TestMedia(t *testing.T) {
	m, err := New(Config{Model: "claude-sonnet-4-5"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		media lm.Media
		want  string
		fails string
	}{
		{lm.Media{Kind: lm.File, Data: []byte("a,b"), Name: "t.csv"}, `{"type":"document","source":{"type":"text","media_type":"text/plain","data":"a,b"},"title":"t.csv"}`, ""},
		{lm.Media{Kind: lm.Image, Data: []byte("GIF89a")}, `{"type":"image","source":{"type":"base64","media_type":"image/gif","data":"R0lGODlh"}}`, ""},
		{lm.Media{Kind: lm.Image, Data: []byte("x"), Type: "image/bmp"}, "", "takes JPEG, PNG, GIF and WebP, and this is image/bmp"},
		{lm.Media{Kind: lm.File, Data: []byte("PK\x03\x04"), Name: "a.docx"}, "", "takes PDF and plain text"},
	} {
		b, problem := m.media(&c.media)
		if c.fails != "" {
			if !strings.Contains(problem, c.fails) {
				t.Errorf("the problem is %q, want %q", problem, c.fails)
			}
			continue
		}
		if got := encode(b); got != c.want {
			t.Errorf("sent %s, want %s (%s)", got, c.want, problem)
		}
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
