package gemini

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

// server speaks for a server of the Gemini API.
var server = lmtest.Dialect{
	New: func(baseURL, key string) (lm.LM, error) {
		return New(Config{Model: "gemini-2.5-flash", BaseURL: baseURL, Key: key})
	},
	Path: "/v1beta/models/gemini-2.5-flash:generateContent",
	Key:  func(h http.Header) string { return h.Get("X-Goog-Api-Key") },
	Read: func(body []byte) (lmtest.Sent, error) {
		type turn struct {
			Role  string
			Parts []struct{ Text string }
		}
		var r struct {
			SystemInstruction *turn
			Contents          []turn
			GenerationConfig  struct {
				Temperature     *float64
				TopP            *float64
				MaxOutputTokens *int
				Seed            *int
				StopSequences   []string
			}
		}
		err := json.Unmarshal(body, &r)
		sent := lmtest.Sent{Model: "gemini-2.5-flash"} // it stands in the path
		if r.SystemInstruction != nil {
			sent.Messages = append(sent.Messages, lm.Message{Role: lm.System, Content: r.SystemInstruction.Parts[0].Text})
		}
		for _, c := range r.Contents {
			sent.Messages = append(sent.Messages, lm.Message{Role: map[string]lm.Role{"user": lm.User, "model": lm.Assistant}[c.Role], Content: c.Parts[0].Text})
		}
		g := r.GenerationConfig
		sent.Params = lm.Params{Temperature: g.Temperature, TopP: g.TopP, MaxTokens: g.MaxOutputTokens, Seed: g.Seed, Stop: g.StopSequences}
		return sent, err
	},
	Reply: func(a lmtest.Answer) string {
		var parts []any
		if a.Reasoning != "" {
			parts = append(parts, map[string]any{"text": a.Reasoning, "thought": true})
		}
		if a.Text != "" || len(a.ToolCalls) == 0 {
			parts = append(parts, map[string]any{"text": a.Text})
		}
		return encode(event(a, append(parts, calls(a)...), true))
	},
	Error: func(status int, message string) string {
		return encode(map[string]any{"error": map[string]any{"code": status, "message": message, "status": "INVALID_ARGUMENT"}})
	},
	Empty:      `{"candidates":[{"content":{"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":4}}`,
	Stream:     stream,
	StreamPath: "/v1beta/models/gemini-2.5-flash:streamGenerateContent",
	StreamError: func(message string) string {
		return "data: " + encode(map[string]any{"error": map[string]any{"code": 503, "message": message, "status": "UNAVAILABLE"}}) + "\r\n\r\n"
	},
	Bodies: map[string]string{
		"image":          asked(`{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="}}`),
		"image URL":      asked(`{"fileData":{"mimeType":"image/png","fileUri":"https://example.com/cat.png"}}`),
		"audio":          asked(`{"inlineData":{"mimeType":"audio/wav","data":"UklGRgQAAABXQVZF"}}`),
		"audio URL":      asked(`{"fileData":{"mimeType":"audio/wav","fileUri":"https://example.com/a.wav"}}`),
		"file":           asked(`{"inlineData":{"mimeType":"application/pdf","data":"JVBERi0xLjQK"}}`),
		"file URL":       asked(`{"fileData":{"mimeType":"application/pdf","fileUri":"https://example.com/letter.pdf"}}`),
		"tools":          weather,
		"strict tools":   weather,
		"tools required": weather[:len(weather)-1] + `,"toolConfig":{"functionCallingConfig":{"mode":"ANY"}}}`,
		"tools none":     weather[:len(weather)-1] + `,"toolConfig":{"functionCallingConfig":{"mode":"NONE"}}}`,
		"tools named":    weather[:len(weather)-1] + `,"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["weather"]}}}`,
		"tool results": `{"contents":[{"role":"user","parts":[{"text":"How is the weather in Rome?"}]},
			{"role":"model","parts":[{"text":"I look."},{"functionCall":{"name":"weather","args":{"place":"Rome"}}},{"functionCall":{"name":"weather","args":{"place":"Oslo"}}}]},
			{"role":"user","parts":[{"functionResponse":{"name":"weather","response":{"result":"sunny"}}},{"functionResponse":{"name":"weather","response":{"sky":"grey"}}}]}]}`,
		"schema": `{"generationConfig":{"responseMimeType":"application/json","responseJsonSchema":{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"}},"required":["name","age"],"additionalProperties":false}}}`,
		"json":   `{"generationConfig":{"responseMimeType":"application/json"}}`,
		"effort": `{"generationConfig":{"thinkingConfig":{"includeThoughts":true,"thinkingBudget":1024}}}`,
	},
	Tools:     true,
	NoToolIDs: true,
	Reasoning: true,
	Cached:    true,
	Thinking:  true,
}

const weather = `{"tools":[{"functionDeclarations":[{"name":"weather","description":"The weather at a place.","parametersJsonSchema":{"type":"object","properties":{"place":{"type":"string"}},"required":["place"],"additionalProperties":false}}]}]}`

// asked is the body of a question about some media.
func asked(part string) string {
	return `{"contents": [{"role": "user", "parts": [{"text": "What is this?"}, ` + part + `]}]}`
}

func calls(a lmtest.Answer) (out []any) {
	for _, c := range a.ToolCalls {
		out = append(out, map[string]any{"functionCall": map[string]any{"name": c.Name, "args": c.Arguments}})
	}
	return out
}

// event is one of a stream, or a whole reply.
func event(a lmtest.Answer, parts []any, last bool) map[string]any {
	c := map[string]any{"content": map[string]any{"role": "model", "parts": parts}, "index": 0}
	u := a.Usage
	count := map[string]any{"promptTokenCount": u.InputTokens, "totalTokenCount": u.InputTokens + u.OutputTokens}
	if u.CachedTokens > 0 {
		count["cachedContentTokenCount"] = u.CachedTokens
	}
	if u.ReasoningTokens > 0 {
		count["thoughtsTokenCount"] = u.ReasoningTokens
	}
	if last {
		c["finishReason"] = map[lm.Finish]string{lm.FinishStop: "STOP", lm.FinishLength: "MAX_TOKENS", lm.FinishFilter: "SAFETY", lm.FinishTools: "STOP"}[a.Finish]
		count["candidatesTokenCount"] = u.OutputTokens - u.ReasoningTokens
	}
	return map[string]any{"candidates": []any{c}, "usageMetadata": count, "modelVersion": "gemini-2.5-flash", "responseId": "abc"}
}

// stream writes an answer as events: thoughts, text, calls of tools, the end.
func stream(a lmtest.Answer, pieces []string) (out []string) {
	tell := func(last bool, parts ...any) {
		out = append(out, "data: "+encode(event(a, parts, last))+"\r\n\r\n")
	}
	for _, p := range lmtest.Pieces(a.Reasoning, 4) {
		tell(false, map[string]any{"text": p, "thought": true})
	}
	for _, p := range pieces {
		tell(false, map[string]any{"text": p})
	}
	for _, c := range calls(a) {
		tell(false, c)
	}
	tell(true, map[string]any{"text": ""})
	return out
}

func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func TestExercise(t *testing.T) { lmtest.Exercise(t, server) }

func BenchmarkGenerate(b *testing.B) { lmtest.Benchmark(b, server) }

// answering starts a server that answers every call alike.
func answering(t *testing.T, status int, body string) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if strings.HasSuffix(r.URL.Path, ":streamGenerateContent") != (r.URL.RawQuery == "alt=sse") {
			t.Errorf("the request went to %s", r.URL)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestReplies(t *testing.T) {
	three := lm.Usage{InputTokens: 3, OutputTokens: 1, Estimated: true}
	for name, c := range map[string]struct {
		status int
		body   string
		text   string
		finish lm.Finish
		usage  lm.Usage
		kind   lm.Kind
		fails  string
	}{
		"no counts": {200, `{"candidates":[{"content":{"parts":[{"text":"x"}]},"finishReason":"STOP"}]}`, "x", lm.FinishStop, three, "", ""},
		"prompt refused": {200, `{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":4,"totalTokenCount":4}}`,
			"", lm.FinishFilter, lm.Usage{InputTokens: 4}, "", ""},
		"withheld": {200, `{"candidates":[{"finishReason":"RECITATION"}],"usageMetadata":{"promptTokenCount":4}}`, "", lm.FinishFilter, lm.Usage{InputTokens: 4}, "", ""},
		"all spent thinking": {200, `{"candidates":[{"content":{"role":"model"},"finishReason":"MAX_TOKENS"}],"usageMetadata":{"promptTokenCount":4,"thoughtsTokenCount":9}}`,
			"", lm.FinishLength, lm.Usage{InputTokens: 4, OutputTokens: 9, ReasoningTokens: 9}, "", ""},
		"another reason": {200, `{"candidates":[{"content":{"parts":[{"text":"x"}]},"finishReason":"OTHER"}]}`, "x", "OTHER", three, "", ""},
		"unreadable call": {200, `{"candidates":[{"content":{},"finishReason":"MALFORMED_FUNCTION_CALL","finishMessage":"Malformed function call: print("}]}`,
			"", "", lm.Usage{}, lm.KindReply, "Malformed function call: print("},
		"no candidates":  {200, `{"candidates":[],"usageMetadata":{"promptTokenCount":4}}`, "", "", lm.Usage{}, lm.KindReply, "no candidates"},
		"error with 200": {200, `{"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}}`, "", "", lm.Usage{}, lm.KindServer, "overloaded"},
		"a list":         {400, `[{"error":{"code":400,"message":"API key not valid","status":"INVALID_ARGUMENT"}}]`, "", "", lm.Usage{}, lm.KindRequest, "API key not valid"},
		"only a status":  {429, `{"error":{"code":429,"status":"RESOURCE_EXHAUSTED"}}`, "", "", lm.Usage{}, lm.KindRateLimit, "RESOURCE_EXHAUSTED"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := New(Config{Model: "m", BaseURL: answering(t, c.status, c.body), Key: "a-key-for-tests"})
			if err != nil {
				t.Fatal(err)
			}
			for _, on := range []func(lm.Delta){nil, func(lm.Delta) {}} {
				req := lmtest.Ask("hello, you")
				req.OnDelta = on
				resp, err := m.Generate(t.Context(), req)
				if c.fails != "" {
					if e := lm.AsError(err); e == nil || e.Kind != c.kind || on == nil && !strings.Contains(e.Message, c.fails) {
						t.Fatalf("the error is %v, want kind %s with %q", err, c.kind, c.fails)
					}
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				if resp.Text != c.text || resp.Finish != c.finish || resp.Usage != c.usage {
					t.Errorf("got %q, ended by %q, used %+v", resp.Text, resp.Finish, resp.Usage)
				}
			}
		})
	}
}

func TestBody(t *testing.T) {
	effort := func(effort string) *lm.Request {
		req := lmtest.Ask("a")
		req.ReasoningEffort = effort
		return req
	}
	const hello = `"contents":[{"role":"user","parts":[{"text":"a"}]}]`
	own := lmtest.Ask("a")
	own.Format = &lm.Format{Schema: json.RawMessage(`{"type":"object","propertyOrdering":["x"]}`)}
	own.Tools = []lm.Tool{{Name: "t", Parameters: json.RawMessage(`{"type":"object","propertyOrdering":["x"]}`)}}
	turn := &lm.Request{Messages: []lm.Message{{Role: lm.User, Content: "a"}, {Role: lm.User, Content: "b"}, {Role: lm.System, Content: "s"}, {Role: lm.Assistant, Content: "c"}, {Role: lm.System, Content: "t"}}}
	for _, c := range []struct {
		model string
		req   *lm.Request
		want  string
		fails string
	}{
		{"gemini-2.5-pro", effort(""), `{` + hello + `}`, ""},
		{"gemini-2.5-pro", effort("high"), `{` + hello + `,"generationConfig":{"thinkingConfig":{"includeThoughts":true,"thinkingBudget":24576}}}`, ""},
		{"gemini-3-flash-preview", effort("minimal"), `{` + hello + `,"generationConfig":{"thinkingConfig":{"includeThoughts":true,"thinkingLevel":"minimal"}}}`, ""},
		{"gemini-flash-latest", effort("low"), `{` + hello + `,"generationConfig":{"thinkingConfig":{"includeThoughts":true,"thinkingLevel":"low"}}}`, ""},
		{"gemini-2.0-flash", effort("low"), "", "does not reason"},
		{"gemini-3.5-flash", effort("huge"), "", "takes minimal, low, medium or high"},
		{"m", own, `{"tools":[{"functionDeclarations":[{"name":"t","parameters":{"type":"object","propertyOrdering":["x"]}}]}],` + hello +
			`,"generationConfig":{"responseMimeType":"application/json","responseSchema":{"type":"object","propertyOrdering":["x"]}}}`, ""},
		{"m", turn, `{"systemInstruction":{"parts":[{"text":"s"},{"text":"t"}]},"contents":[{"role":"user","parts":[{"text":"a"},{"text":"b"}]},{"role":"model","parts":[{"text":"c"}]}]}`, ""},
		{"m", &lm.Request{}, "", "no user message"},
	} {
		m, err := New(Config{Model: c.model})
		if err != nil {
			t.Fatal(err)
		}
		body, problem := m.body(c.req)
		if c.fails != "" {
			if !strings.Contains(problem, c.fails) {
				t.Errorf("%s: the problem is %q, want %q", c.model, problem, c.fails)
			}
			continue
		}
		if got := encode(body); got != c.want {
			t.Errorf("%s sends\n%s\nwant\n%s", c.model, got, c.want)
		}
	}
}

// TestSignatures: what a model signs comes back to it, and a call that it did not make
// says so.
func TestSignatures(t *testing.T) {
	reply := `{"candidates":[{"content":{"parts":[{"functionCall":{"id":"fc7","name":"weather","args":{}},"thoughtSignature":"a+/b8w=="},{"functionCall":{"name":"weather","args":{}}}]},"finishReason":"STOP"}]}`
	m, err := New(Config{Model: "gemini-3.1-pro", BaseURL: answering(t, 200, reply)})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := m.Generate(t.Context(), lmtest.Ask("hello"))
	if err != nil {
		t.Fatal(err)
	}
	next := &lm.Request{Messages: []lm.Message{
		{Role: lm.User, Content: "hello"},
		{Role: lm.Assistant, ToolCalls: []lm.ToolCall{{ID: "toolu_1", Name: "other", Arguments: json.RawMessage(`{}`)}}},
		{Role: lm.ToolRole, ToolCallID: "toolu_1", Content: "1"},
		{Role: lm.Assistant, ToolCalls: resp.ToolCalls},
		{Role: lm.ToolRole, ToolCallID: resp.ToolCalls[0].ID, Content: "sunny"},
		{Role: lm.ToolRole, ToolCallID: resp.ToolCalls[1].ID, Content: "grey"},
	}}
	body, problem := m.body(next)
	if problem != "" {
		t.Fatal(problem)
	}
	want := `[{"role":"user","parts":[{"text":"hello"}]},` +
		`{"role":"model","parts":[{"functionCall":{"id":"toolu_1","name":"other","args":{}},"thoughtSignature":"skip_thought_signature_validator"}]},` +
		`{"role":"user","parts":[{"functionResponse":{"id":"toolu_1","name":"other","response":{"result":"1"}}}]},` +
		`{"role":"model","parts":[{"functionCall":{"id":"fc7","name":"weather","args":{}},"thoughtSignature":"a+/b8w=="},{"functionCall":{"name":"weather","args":{}}}]},` +
		`{"role":"user","parts":[{"functionResponse":{"id":"fc7","name":"weather","response":{"result":"sunny"}}},{"functionResponse":{"name":"weather","response":{"result":"grey"}}}]}]`
	if got := encode(body.Contents); got != want {
		t.Errorf("sent\n%s\nwant\n%s", got, want)
	}
}

func TestConfig(t *testing.T) {
	if _, err := New(Config{}); err == nil || !strings.Contains(err.Error(), "needs a name") {
		t.Errorf("a model without a name gives %v", err)
	}
	m, err := New(Config{Model: "tunedModels/mine"})
	if err != nil || m.Address() != "gemini/tunedModels/mine" {
		t.Fatalf("got %v, %v", m, err)
	}
	_, err = m.Generate(t.Context(), lmtest.Ask("hello"))
	if e := lm.AsError(err); e == nil || e.Kind != lm.KindNoKey || !strings.Contains(e.Message, KeyVariable) || e.Endpoint != DefaultBaseURL+"/v1beta/tunedModels/mine:generateContent" {
		t.Errorf("the own server without a key gives %+v", e)
	}
}
