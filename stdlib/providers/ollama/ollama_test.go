package ollama

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

// dialect speaks for an Ollama server. The protocol has no word for a reply that was
// withheld: whatever a server calls it is passed on.
var dialect = lmtest.Dialect{
	New: func(baseURL, key string) (lm.LM, error) {
		return New(Config{Model: "qwen3:8b", BaseURL: baseURL, Key: key})
	},
	Path: "/api/chat",
	Key: func(h http.Header) string {
		key, ok := strings.CutPrefix(h.Get("Authorization"), "Bearer ")
		if !ok {
			return "" // the base URL's own user
		}
		return key
	},
	Read: func(body []byte) (lmtest.Sent, error) {
		var r struct {
			Model    string       `json:"model"`
			Messages []lm.Message `json:"messages"`
			Options  struct {
				Temperature *float64 `json:"temperature"`
				TopP        *float64 `json:"top_p"`
				NumPredict  *int     `json:"num_predict"`
				Seed        *int     `json:"seed"`
				Stop        []string `json:"stop"`
			} `json:"options"`
		}
		err := json.Unmarshal(body, &r)
		o := r.Options
		return lmtest.Sent{Model: r.Model, Messages: r.Messages, Params: lm.Params{Temperature: o.Temperature, TopP: o.TopP, MaxTokens: o.NumPredict, Seed: o.Seed, Stop: o.Stop}}, err
	},
	Reply: func(a lmtest.Answer) string {
		said := map[string]any{"role": "assistant", "content": a.Text}
		if a.Reasoning != "" {
			said["thinking"] = a.Reasoning
		}
		if len(a.ToolCalls) > 0 {
			said["tool_calls"] = calls(a)
		}
		return encode(done(a, said))
	},
	Error:       func(_ int, message string) string { return encode(map[string]any{"error": message}) },
	Empty:       `{"model":"qwen3:8b","created_at":"2024-09-12T21:17:29.110811Z","message":{"role":"assistant","content":""},"done_reason":"load","done":true}`,
	Stream:      stream,
	StreamType:  "application/x-ndjson",
	StreamError: func(message string) string { return encode(map[string]any{"error": message}) + "\n" },
	Bodies: map[string]string{
		"stream":       `{"stream":true}`,
		"image":        `{"stream":false,"messages":[{"role":"user","content":"What is this?","images":["iVBORw0KGgo="]}]}`,
		"tools":        `{"tools":[` + weather + `]}`,
		"strict tools": `{"tools":[` + weather + `]}`,
		"tools none":   `{"model":"qwen3:8b","messages":[{"role":"user","content":"How is the weather in Rome?"}]}`,
		"tool results": `{"messages":[{"role":"user","content":"How is the weather in Rome?"},
			{"role":"assistant","content":"I look.","tool_calls":[{"function":{"name":"weather","arguments":{"place":"Rome"}}},{"function":{"name":"weather","arguments":{"place":"Oslo"}}}]},
			{"role":"tool","content":"sunny","tool_name":"weather"},{"role":"tool","content":"{\"sky\":\"grey\"}","tool_name":"weather"}]}`,
		"schema": `{"format":{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"}},"required":["name","age"],"additionalProperties":false}}`,
		"json":   `{"format":"json"}`,
		"effort": `{"think":true}`,
	},
	Tools:     true,
	NoToolIDs: true,
	Reasoning: true,
}

const weather = `{"type":"function","function":{"name":"weather","description":"The weather at a place.","parameters":{"type":"object","properties":{"place":{"type":"string"}},"required":["place"],"additionalProperties":false}}}`

func calls(a lmtest.Answer) (out []any) {
	for _, c := range a.ToolCalls {
		out = append(out, map[string]any{"function": map[string]any{"name": c.Name, "arguments": c.Arguments}})
	}
	return out
}

// done is a last line, or a whole reply.
func done(a lmtest.Answer, said map[string]any) map[string]any {
	reason := string(a.Finish)
	if a.Finish == lm.FinishTools {
		reason = "stop"
	}
	return map[string]any{"model": "qwen3:8b", "created_at": "2024-12-06T00:46:58.265747Z", "message": said, "done_reason": reason, "done": true,
		"total_duration": 2254970291, "load_duration": 574751416, "prompt_eval_count": a.Usage.InputTokens, "prompt_eval_duration": 1502000000,
		"eval_count": a.Usage.OutputTokens, "eval_duration": 175000000}
}

// stream writes an answer as lines: thoughts, text, calls of tools, the end.
func stream(a lmtest.Answer, pieces []string) (out []string) {
	line := func(said map[string]any) {
		said["role"] = "assistant"
		out = append(out, encode(map[string]any{"model": "qwen3:8b", "created_at": "2023-08-04T08:52:19.385406455-07:00", "message": said, "done": false})+"\n")
	}
	for _, p := range lmtest.Pieces(a.Reasoning, 4) {
		line(map[string]any{"content": "", "thinking": p})
	}
	for _, p := range pieces {
		line(map[string]any{"content": p})
	}
	for _, c := range calls(a) {
		line(map[string]any{"content": "", "tool_calls": []any{c}})
	}
	return append(out, encode(done(a, map[string]any{"role": "assistant", "content": ""}))+"\n")
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
	three := lm.Usage{InputTokens: 3, OutputTokens: 1, Estimated: true}
	for name, c := range map[string]struct {
		body   string
		text   string
		finish lm.Finish
		usage  lm.Usage
		kind   lm.Kind
		fails  string
	}{
		"no counts":       {`{"message":{"content":"x"},"done":true,"done_reason":"stop"}`, "x", lm.FinishStop, three, "", ""},
		"only the output": {`{"message":{"content":"x"},"done":true,"done_reason":"stop","eval_count":9}`, "x", lm.FinishStop, lm.Usage{InputTokens: 3, OutputTokens: 9, Estimated: true}, "", ""},
		"empty":           {`{"message":{"content":""},"done":true,"done_reason":"stop","prompt_eval_count":2,"eval_count":0}`, "", lm.FinishStop, lm.Usage{InputTokens: 2}, "", ""},
		"cut":             {`{"message":{"content":"x"},"done":true,"done_reason":"length","prompt_eval_count":2,"eval_count":1}`, "x", lm.FinishLength, lm.Usage{InputTokens: 2, OutputTokens: 1}, "", ""},
		"not done":        {`{"message":{"content":"x"},"done":false}`, "", "", lm.Usage{}, lm.KindReply, "not done"},
		"error with 200":  {`{"error":"the engine stopped"}`, "", "", lm.Usage{}, lm.KindServer, "the engine stopped"},
		"a stream":        {`{"message":{"content":"x"},"done":false}` + "\n" + `{"message":{"content":""},"done":true}`, "", "", lm.Usage{}, lm.KindReply, "not whole JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				w.Header().Set("Content-Type", "application/json")
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
	effort := func(model, effort string) (string, lm.Request) {
		req := *lmtest.Ask("a")
		req.ReasoningEffort = effort
		return model, req
	}
	none := *lmtest.Requests()["tools none"]
	for _, c := range []struct {
		of    func() (string, lm.Request)
		want  string
		fails string
	}{
		{func() (string, lm.Request) { return effort("m", "") }, `{"model":"m","messages":[{"role":"user","content":"a"}],"stream":false}`, ""},
		{func() (string, lm.Request) { return effort("m", "minimal") }, `{"model":"m","messages":[{"role":"user","content":"a"}],"think":false,"stream":false}`, ""},
		{func() (string, lm.Request) { return effort("gpt-oss:20b", "minimal") }, `{"model":"gpt-oss:20b","messages":[{"role":"user","content":"a"}],"think":"low","stream":false}`, ""},
		{func() (string, lm.Request) { return effort("me/gpt-oss", "high") }, `{"model":"me/gpt-oss","messages":[{"role":"user","content":"a"}],"think":"high","stream":false}`, ""},
		{func() (string, lm.Request) { return effort("m", "huge") }, "", `takes minimal, low, medium or high`},
		{func() (string, lm.Request) { return "m", none }, `{"model":"m","messages":[{"role":"user","content":"How is the weather in Rome?"}],"stream":false}`, ""},
		{func() (string, lm.Request) { return "m", lm.Request{} }, "", "no message"},
	} {
		model, req := c.of()
		m, err := New(Config{Model: model})
		if err != nil {
			t.Fatal(err)
		}
		body, problem := m.body(&req)
		if c.fails != "" {
			if !strings.Contains(problem, c.fails) {
				t.Errorf("%s: the problem is %q, want %q", model, problem, c.fails)
			}
			continue
		}
		if got := encode(body); got != c.want {
			t.Errorf("%s sends\n%s\nwant\n%s", model, got, c.want)
		}
	}
}

// TestToolIDs: calls without IDs get some that no other call of the conversation has.
func TestToolIDs(t *testing.T) {
	answer := lmtest.Answer{Finish: lm.FinishTools, ToolCalls: []lm.ToolCall{{Name: "weather", Arguments: json.RawMessage(`{}`)}}}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, dialect.Reply(answer))
	}))
	defer s.Close()
	m, err := New(Config{Model: "m", BaseURL: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := m.Generate(t.Context(), lmtest.Requests()["tool results"])
	if err != nil || len(resp.ToolCalls) != 1 || resp.ToolCalls[0].ID != "call_3" {
		t.Errorf("got %+v, %v", resp, err)
	}
}

func TestConfig(t *testing.T) {
	if _, err := New(Config{}); err == nil || !strings.Contains(err.Error(), "needs a name") {
		t.Errorf("a model without a name gives %v", err)
	}
	m, err := New(Config{Model: "llama3.2"})
	if err != nil || m.Address() != "ollama/llama3.2" {
		t.Errorf("got %v, %v", m, err)
	}
}
