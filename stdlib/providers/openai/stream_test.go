package openai

import (
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/lm/lmtest"
)

// streaming starts a server that answers every call with a stream of events.
func streaming(t *testing.T, events ...string) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		for _, e := range events {
			io.WriteString(w, e)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// ask asks for a reply in pieces, and returns the pieces' texts together.
func ask(t *testing.T, c Config, req *lm.Request) (*lm.Response, string, error) {
	t.Helper()
	m, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	r := *req
	r.OnDelta = func(d lm.Delta) { text.WriteString(d.Text) }
	resp, err := m.Generate(t.Context(), &r)
	return resp, text.String(), err
}

// TestStreams: what servers do that speak chat completions in their own way.
func TestStreams(t *testing.T) {
	lines := func(chunks ...string) string {
		var b strings.Builder
		for _, c := range chunks {
			b.WriteString("data: " + c + "\n\n")
		}
		return b.String()
	}
	call := func(fields string) string { return `{"choices":[{"delta":{"tool_calls":[` + fields + `]}}]}` }
	two := []lm.ToolCall{{ID: "a", Name: "f", Arguments: []byte(`{"x":1}`)}, {ID: "b", Name: "g", Arguments: []byte(`{}`)}}
	for name, c := range map[string]struct {
		events string
		want   lm.Response // text, reasoning, calls of tools, finish, usage if it is set
		kind   lm.Kind     // of the failure
		fails  string
	}{
		"comments and blank lines": {": OPENROUTER PROCESSING\n\n\n\n" + lines(`{"model":"m","choices":[{"delta":{"content":"Pa"}}]}`) + ": keep-alive\n\n" +
			lines(`{"choices":[{"delta":{"content":"ris"},"finish_reason":"stop"}]}`, `[DONE]`),
			lm.Response{Text: "Paris", Finish: "stop"}, "", ""},
		"no usage": {lines(`{"choices":[{"delta":{"content":"Paris"},"finish_reason":"stop"}]}`, `[DONE]`),
			lm.Response{Text: "Paris", Finish: "stop", Usage: lm.Usage{InputTokens: 3, OutputTokens: 2, Estimated: true}}, "", ""},
		"no DONE": {lines(`{"choices":[{"delta":{"content":"Paris"},"finish_reason":"stop"}]}`),
			lm.Response{Text: "Paris", Finish: "stop"}, "", ""},
		"no finish": {lines(`{"model":"m","choices":[{"delta":{"content":"Paris"}}]}`, `[DONE]`), lm.Response{Text: "Paris"}, "", ""},
		"usage in every piece": {lines(`{"choices":[{"delta":{"content":"Pa"}}],"usage":{"prompt_tokens":5,"completion_tokens":1}}`,
			`{"choices":[{"delta":{"content":"ris"},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":2}}`, `[DONE]`),
			lm.Response{Text: "Paris", Finish: "stop", Usage: lm.Usage{InputTokens: 5, OutputTokens: 2}}, "", ""},
		"usage of Groq": {lines(`{"choices":[{"delta":{"content":"Paris"},"finish_reason":"stop"}],"x_groq":{"usage":{"prompt_tokens":5,"completion_tokens":2}}}`, `[DONE]`),
			lm.Response{Text: "Paris", Finish: "stop", Usage: lm.Usage{InputTokens: 5, OutputTokens: 2}}, "", ""},
		"cached by DeepSeek": {lines(`{"choices":[{"delta":{"content":"Paris"},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":2,"prompt_cache_hit_tokens":4}}`, `[DONE]`),
			lm.Response{Text: "Paris", Finish: "stop", Usage: lm.Usage{InputTokens: 5, OutputTokens: 2, CachedTokens: 4}}, "", ""},
		"filter results of Azure": {lines(`{"model":"","choices":[],"prompt_filter_results":[{"prompt_index":0}]}`, `{"choices":[{"delta":{"content":"Paris"},"finish_reason":"stop","content_filter_results":{}}]}`, `[DONE]`),
			lm.Response{Text: "Paris", Finish: "stop"}, "", ""},
		"reasoning": {lines(`{"choices":[{"delta":{"reasoning":"hm"}}]}`, `{"choices":[{"delta":{"reasoning":", so"}}]}`, `{"choices":[{"delta":{"content":"Paris"},"finish_reason":"stop"}]}`, `[DONE]`),
			lm.Response{Text: "Paris", Reasoning: "hm, so", Finish: "stop"}, "", ""},
		"both names of reasoning": {lines(`{"choices":[{"delta":{"reasoning_content":"hm","reasoning":"hm"}}]}`, `{"choices":[{"delta":{"content":"Paris"},"finish_reason":"stop"}]}`, `[DONE]`),
			lm.Response{Text: "Paris", Reasoning: "hm", Finish: "stop"}, "", ""},
		"thinking of Mistral": {lines(`{"choices":[{"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]}]}}]}`,
			`{"choices":[{"delta":{"content":[{"type":"text","text":"Paris"}]},"finish_reason":"stop"}]}`, `[DONE]`),
			lm.Response{Text: "Paris", Reasoning: "hm", Finish: "stop"}, "", ""},
		"refusal": {lines(`{"choices":[{"delta":{"refusal":"I can"}}]}`, `{"choices":[{"delta":{"refusal":"not."}}]}`, `{"choices":[{"delta":{},"finish_reason":"stop"}]}`, `[DONE]`),
			lm.Response{Text: "I cannot.", Finish: "filter"}, "", ""},
		"other choices": {lines(`{"choices":[{"index":1,"delta":{"content":"Rome"},"finish_reason":"stop"}]}`, `{"choices":[{"index":0,"delta":{"content":"Paris"},"finish_reason":"stop"}]}`, `[DONE]`),
			lm.Response{Text: "Paris", Finish: "stop"}, "", ""},
		"calls that are mixed": {lines(call(`{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\""}},{"index":1,"id":"b","function":{"name":"g","arguments":""}}`),
			call(`{"index":1,"function":{"arguments":"{"}}`), call(`{"index":0,"function":{"arguments":":1}"}}`), call(`{"index":1,"function":{"arguments":"}"}}`),
			`{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}`, `[DONE]`),
			lm.Response{ToolCalls: two, Finish: "tools"}, "", ""},
		"calls without an index": {lines(call(`{"id":"a","function":{"name":"f","arguments":"{\"x\""}}`), call(`{"function":{"arguments":":1}"}}`), call(`{"id":"b","function":{"name":"g"}}`),
			`{"choices":[{"delta":{},"finish_reason":"stop"}]}`, `[DONE]`),
			lm.Response{ToolCalls: two, Finish: "tools"}, "", ""},
		"calls of one index": {lines(call(`{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}}`), call(`{"index":0,"id":"b","function":{"name":"g","arguments":"{}"}}`),
			`{"choices":[{"delta":{},"finish_reason":"stop"}]}`, `[DONE]`),
			lm.Response{ToolCalls: two, Finish: "tools"}, "", ""},
		"a call without an id": {lines(call(`{"index":0,"function":{"name":"f","arguments":{"x":1}}}`), `{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}`, `[DONE]`),
			lm.Response{ToolCalls: []lm.ToolCall{{ID: "call_1", Name: "f", Arguments: []byte(`{"x":1}`)}}, Finish: "tools"}, "", ""},
		"arguments that are cut off": {lines(call(`{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\": \"o"}}`), `{"choices":[{"delta":{},"finish_reason":"length"}]}`, `[DONE]`),
			lm.Response{ToolCalls: []lm.ToolCall{{ID: "a", Name: "f", Arguments: []byte(`"{\"x\": \"o"`)}}, Finish: "length"}, "", ""},

		"error with a status":   {lines(`{"choices":[{"delta":{"content":"Pa"}}]}`, `{"error":{"message":"upstream is busy","code":429},"choices":[{"delta":{"content":""},"finish_reason":"error"}]}`), lm.Response{}, lm.KindRateLimit, "upstream is busy"},
		"error of vLLM":         {lines(`{"object":"error","message":"the engine is dead","code":500}`, `[DONE]`), lm.Response{}, lm.KindReply, "the engine is dead"},
		"error with a name":     {"event: error\ndata: {\"error\":\"broken\"}\n\n", lm.Response{}, lm.KindReply, "broken"},
		"resources of DeepSeek": {lines(`{"choices":[{"delta":{"content":"Pa"},"finish_reason":"insufficient_system_resource"}]}`, `[DONE]`), lm.Response{}, lm.KindServer, "broke the reply off"},
		"ends early":            {lines(`{"choices":[{"delta":{"content":"Pa"}}]}`), lm.Response{}, lm.KindReply, "ended before the reply did"},
		"only DONE":             {lines(`[DONE]`), lm.Response{}, lm.KindReply, "ended before the reply did"},
	} {
		t.Run(name, func(t *testing.T) {
			resp, pieces, err := ask(t, Config{Model: "m", BaseURL: streaming(t, c.events)}, lmtest.Ask("hello, you"))
			if c.fails != "" {
				if e := lm.AsError(err); e == nil || e.Kind != c.kind || !strings.Contains(e.Message, c.fails) {
					t.Fatalf("the error is %v, want kind %s with %q", err, c.kind, c.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if c.want.Usage == (lm.Usage{}) {
				resp.Usage = lm.Usage{}
			}
			got := lm.Response{Text: resp.Text, Reasoning: resp.Reasoning, ToolCalls: resp.ToolCalls, Finish: resp.Finish, Usage: resp.Usage}
			if !reflect.DeepEqual(got, c.want) || pieces != resp.Text {
				t.Errorf("got %+v with the pieces %q\nwant %+v", got, pieces, c.want)
			}
		})
	}
}

// TestCost: what OpenRouter says that a call cost is kept; a price does not replace it.
func TestCost(t *testing.T) {
	body := `{"choices":[{"finish_reason":"stop","message":{"content":"x"}}],"usage":{"prompt_tokens":1,"completion_tokens":2,"cost":0.25}}`
	m, err := New(Config{Provider: "openrouter", Model: "a/b", BaseURL: answering(t, 200, body)})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := lm.WithPrice(m, &lm.Price{Input: 1e6}).Generate(t.Context(), lmtest.Ask("hello"))
	if err != nil || resp.Cost == nil || *resp.Cost != 0.25 {
		t.Errorf("got %+v, %v", resp, err)
	}
}

// TestGroqSchema: where a reply cannot be both streamed and held to a schema, it
// comes whole, in one request.
func TestGroqSchema(t *testing.T) {
	var sent []byte
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent, _ = io.ReadAll(r.Body)
		io.WriteString(w, `{"choices":[{"finish_reason":"stop","message":{"content":"{}"}}]}`)
	}))
	defer s.Close()
	req := lmtest.Requests()["schema"]
	resp, pieces, err := ask(t, Config{Provider: "groq", Model: "openai/gpt-oss-20b", BaseURL: s.URL}, req)
	if err != nil || resp.Text != "{}" || pieces != "{}" || strings.Contains(string(sent), "stream") || !strings.Contains(string(sent), "json_schema") {
		t.Errorf("got %+v in the pieces %q, %v; sent %s", resp, pieces, err, sent)
	}
}

// TestResponseStreams: what else may come over the Responses protocol.
func TestResponseStreams(t *testing.T) {
	done := func(fields string) string {
		return "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{" + fields + "}}\n\n"
	}
	delta := func(kind, fields string) string {
		return "event: " + kind + "\ndata: {\"type\":\"" + kind + "\"," + fields + "}\n\n"
	}
	for name, c := range map[string]struct {
		events          string
		text, reasoning string
		finish          lm.Finish
		kind            lm.Kind
		fails           string
	}{
		"refusal": {delta("response.refusal.delta", `"delta":"I can"`) + delta("response.refusal.delta", `"delta":"not."`) +
			done(`"status":"completed","output":[{"type":"message","content":[{"type":"refusal","refusal":"I cannot."}]}]`), "I cannot.", "", "filter", "", ""},
		"two thoughts": {delta("response.reasoning_summary_text.delta", `"item_id":"r","summary_index":0,"delta":"a"`) + delta("response.reasoning_summary_text.delta", `"item_id":"r","summary_index":1,"delta":"b"`) +
			delta("response.output_text.delta", `"delta":"x"`) +
			done(`"status":"completed","output":[{"type":"reasoning","summary":[{"text":"a"},{"text":"b"}]},{"type":"message","content":[{"type":"output_text","text":"x"}]}]`), "x", "a\n\nb", "stop", "", ""},
		"no pieces":         {done(`"status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"x"}]}]`), "x", "", "stop", "", ""},
		"no output":         {delta("response.output_text.delta", `"delta":"x"`) + done(`"status":"completed","output":[]`), "x", "", "stop", "", ""},
		"others":            {delta("response.odd", `"delta":{"a":1},"summary_index":"z"`) + done(`"status":"completed","output":[{"type":"web_search_call"},{"type":"message","content":[{"type":"output_text","text":"x"}]}]`), "x", "", "stop", "", ""},
		"failed":            {delta("response.failed", `"response":{"status":"failed","error":{"code":"server_error","message":"broken inside"},"output":[]}`), "", "", "", lm.KindServer, "broken inside"},
		"failed, unsaid":    {delta("response.failed", `"response":{"status":"failed","output":[]}`), "", "", "", lm.KindServer, "failed"},
		"rate limit":        {delta("error", `"code":"rate_limit_exceeded","message":"too many"`), "", "", "", lm.KindRateLimit, "too many"},
		"error in an error": {delta("error", `"error":{"code":"server_error","message":"broken"}`), "", "", "", lm.KindServer, "broken"},
		"ends early":        {delta("response.output_text.delta", `"delta":"x"`), "", "", "", lm.KindReply, "ended before the reply did"},
	} {
		t.Run(name, func(t *testing.T) {
			resp, pieces, err := ask(t, Config{Model: "m", API: Responses, BaseURL: streaming(t, c.events)}, lmtest.Ask("hello"))
			if c.fails != "" {
				if e := lm.AsError(err); e == nil || e.Kind != c.kind || !strings.Contains(e.Message, c.fails) {
					t.Fatalf("the error is %v, want kind %s with %q", err, c.kind, c.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if resp.Text != c.text || resp.Reasoning != c.reasoning || resp.Finish != c.finish || pieces != c.text {
				t.Errorf("got %+v with the pieces %q", resp, pieces)
			}
		})
	}
}
