package openai

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/lm/lmtest"
)

// bearer returns the key in the Authorization header, unless that is the base URL's
// own user.
func bearer(h http.Header) string {
	key, _ := strings.CutPrefix(h.Get("Authorization"), "Bearer ")
	if strings.HasPrefix(key, "Basic ") {
		return ""
	}
	return key
}

func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// data writes an event as chat completions do: without a name.
func data(v any) string { return "data: " + encode(v) + "\n\n" }

// message writes what a model says in the form of chat completions.
func chatMessage(a lmtest.Answer) map[string]any {
	m := map[string]any{"role": "assistant", "content": a.Text, "refusal": nil}
	if a.Reasoning != "" {
		m["reasoning_content"] = a.Reasoning
	}
	if len(a.ToolCalls) > 0 {
		var calls []any
		for _, c := range a.ToolCalls {
			calls = append(calls, map[string]any{"id": c.ID, "type": "function", "function": map[string]any{"name": c.Name, "arguments": string(c.Arguments)}})
		}
		m["tool_calls"] = calls
		if a.Text == "" {
			m["content"] = nil
		}
	}
	return m
}

func chatUsage(u lm.Usage) map[string]any {
	return map[string]any{
		"prompt_tokens": u.InputTokens, "completion_tokens": u.OutputTokens, "total_tokens": u.InputTokens + u.OutputTokens,
		"prompt_tokens_details":     map[string]any{"cached_tokens": u.CachedTokens, "audio_tokens": 0},
		"completion_tokens_details": map[string]any{"reasoning_tokens": u.ReasoningTokens, "audio_tokens": 0},
	}
}

var chatFinish = map[lm.Finish]string{lm.FinishStop: "stop", lm.FinishLength: "length", lm.FinishFilter: "content_filter", lm.FinishTools: "tool_calls"}

func chatReply(a lmtest.Answer) string {
	return encode(map[string]any{
		"id": "chatcmpl-1", "object": "chat.completion", "created": 1700000000, "model": "gpt-4o-mini-2024-07-18",
		"choices": []any{map[string]any{"index": 0, "finish_reason": chatFinish[a.Finish], "logprobs": nil, "message": chatMessage(a)}},
		"usage":   chatUsage(a.Usage),
	})
}

func chatChunk(delta map[string]any, reason any) map[string]any {
	return map[string]any{
		"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1700000000, "model": "gpt-4o-mini-2024-07-18", "usage": nil,
		"choices": []any{map[string]any{"index": 0, "delta": delta, "finish_reason": reason, "logprobs": nil}},
	}
}

func chatStream(a lmtest.Answer, pieces []string) []string {
	out := []string{data(chatChunk(map[string]any{"role": "assistant", "content": "", "refusal": nil}, nil))}
	for _, p := range lmtest.Pieces(a.Reasoning, 6) {
		out = append(out, data(chatChunk(map[string]any{"reasoning_content": p}, nil)))
	}
	for _, p := range pieces {
		out = append(out, data(chatChunk(map[string]any{"content": p}, nil)))
	}
	for i, c := range a.ToolCalls {
		call := func(fields map[string]any) string {
			fields["index"] = i
			return data(chatChunk(map[string]any{"tool_calls": []any{fields}}, nil))
		}
		out = append(out, call(map[string]any{"id": c.ID, "type": "function", "function": map[string]any{"name": c.Name, "arguments": ""}}))
		for _, p := range lmtest.Pieces(string(c.Arguments), 4) {
			out = append(out, call(map[string]any{"function": map[string]any{"arguments": p}}))
		}
	}
	last := map[string]any{"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "gpt-4o-mini-2024-07-18", "choices": []any{}, "usage": chatUsage(a.Usage)}
	return append(out, data(chatChunk(map[string]any{}, chatFinish[a.Finish])), data(last), "data: [DONE]\n\n")
}

// chatBodies are the documented forms of what chat completions are asked.
var chatBodies = func() map[string]string {
	media := func(part string) string {
		return `{"messages":[{"role":"user","content":[{"type":"text","text":"What is this?"},` + part + `]}]}`
	}
	const parameters = `{"type":"object","properties":{"place":{"type":"string"}},"required":["place"],"additionalProperties":false}`
	tools := func(strict, choice string) string {
		if choice != "" {
			choice = `,"tool_choice":` + choice
		}
		return `{"tools":[{"type":"function","function":{"name":"weather","description":"The weather at a place.","parameters":` + parameters + strict + `}}]` + choice + `}`
	}
	return map[string]string{
		"image":          media(`{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}`),
		"image URL":      media(`{"type":"image_url","image_url":{"url":"https://example.com/cat.png"}}`),
		"file":           media(`{"type":"file","file":{"filename":"letter.pdf","file_data":"data:application/pdf;base64,JVBERi0xLjQK"}}`),
		"tools":          tools("", ""),
		"strict tools":   tools(`,"strict":true`, ""),
		"tools required": tools("", `"required"`),
		"tools none":     tools("", `"none"`),
		"tools named":    tools("", `{"type":"function","function":{"name":"weather"}}`),
		"tool results": `{"messages":[{"role":"user","content":"How is the weather in Rome?"},
			{"role":"assistant","content":"I look.","tool_calls":[
				{"id":"call_1","type":"function","function":{"name":"weather","arguments":"{\"place\":\"Rome\"}"}},
				{"id":"call_2","type":"function","function":{"name":"weather","arguments":"{\"place\":\"Oslo\"}"}}]},
			{"role":"tool","tool_call_id":"call_1","content":"sunny"},
			{"role":"tool","tool_call_id":"call_2","content":"{\"sky\":\"grey\"}"}]}`,
		"schema": `{"response_format":{"type":"json_schema","json_schema":{"name":"Person","strict":true,"schema":
			{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"}},"required":["name","age"],"additionalProperties":false}}}}`,
		"json":   `{"response_format":{"type":"json_object"}}`,
		"effort": `{"reasoning_effort":"low"}`,
		"stream": `{"stream":true,"stream_options":{"include_usage":true}}`,
	}
}()

// with returns bodies with others in place of some; "" takes one away.
func with(bodies map[string]string, others map[string]string) map[string]string {
	out := maps.Clone(bodies)
	for name, body := range others {
		if body == "" {
			delete(out, name)
		} else {
			out[name] = body
		}
	}
	return out
}

// chatDialect speaks for a chat-completions server.
func chatDialect(provider, model string, bodies map[string]string) lmtest.Dialect {
	return lmtest.Dialect{
		New: func(baseURL, key string) (lm.LM, error) {
			return New(Config{Provider: provider, Model: model, BaseURL: baseURL, Key: key})
		},
		Path: "/chat/completions",
		Key:  bearer,
		Read: func(body []byte) (lmtest.Sent, error) {
			var r struct {
				Model    string       `json:"model"`
				Messages []lm.Message `json:"messages"`
				lm.Params
				Limit *int `json:"max_completion_tokens"`
			}
			err := json.Unmarshal(body, &r)
			if r.Limit != nil {
				r.Params.MaxTokens = r.Limit
			}
			return lmtest.Sent{Model: r.Model, Messages: r.Messages, Params: r.Params}, err
		},
		Reply: chatReply,
		Error: func(_ int, message string) string {
			return encode(map[string]any{"error": map[string]any{"message": message, "type": "some_error", "param": nil, "code": nil}})
		},
		Empty:  `{"id": "chatcmpl-1", "object": "chat.completion", "choices": []}`,
		Stream: chatStream,
		StreamError: func(message string) string {
			return data(map[string]any{"error": map[string]any{"message": message, "type": "server_error", "code": 502}})
		},
		Bodies: bodies, Tools: true, Reasoning: true, Cached: true, Thinking: true,
	}
}

// event writes an event as Responses does: with its name.
func event(kind string, fields map[string]any) string {
	fields["type"] = kind
	return "event: " + kind + "\ndata: " + encode(fields) + "\n\n"
}

func response(a lmtest.Answer) map[string]any {
	var items []any
	if a.Reasoning != "" {
		items = append(items, map[string]any{"type": "reasoning", "id": "rs_1", "summary": []any{map[string]any{"type": "summary_text", "text": a.Reasoning}}})
	}
	if a.Text != "" || len(a.ToolCalls) == 0 {
		items = append(items, map[string]any{"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
			"content": []any{map[string]any{"type": "output_text", "text": a.Text, "annotations": []any{}}}})
	}
	for _, c := range a.ToolCalls {
		items = append(items, map[string]any{"type": "function_call", "id": "fc_" + c.ID, "call_id": c.ID, "name": c.Name, "arguments": string(c.Arguments), "status": "completed"})
	}
	r := map[string]any{
		"id": "resp_1", "object": "response", "created_at": 1700000000, "model": "gpt-4o-mini-2024-07-18", "status": "completed",
		"error": nil, "incomplete_details": nil, "output": items,
		"usage": map[string]any{
			"input_tokens": a.Usage.InputTokens, "input_tokens_details": map[string]any{"cached_tokens": a.Usage.CachedTokens},
			"output_tokens": a.Usage.OutputTokens, "output_tokens_details": map[string]any{"reasoning_tokens": a.Usage.ReasoningTokens},
			"total_tokens": a.Usage.InputTokens + a.Usage.OutputTokens,
		},
	}
	if reason := map[lm.Finish]string{lm.FinishLength: "max_output_tokens", lm.FinishFilter: "content_filter"}[a.Finish]; reason != "" {
		r["status"], r["incomplete_details"] = "incomplete", map[string]any{"reason": reason}
	}
	return r
}

func responseStream(a lmtest.Answer, pieces []string) []string {
	start := map[string]any{"id": "resp_1", "object": "response", "status": "in_progress", "model": "gpt-4o-mini-2024-07-18", "output": []any{}}
	out := []string{event("response.created", map[string]any{"response": start}), event("response.in_progress", map[string]any{"response": start})}
	for _, p := range lmtest.Pieces(a.Reasoning, 6) {
		out = append(out, event("response.reasoning_summary_text.delta", map[string]any{"item_id": "rs_1", "output_index": 0, "summary_index": 0, "delta": p}))
	}
	out = append(out, event("response.output_item.added", map[string]any{"output_index": 0, "item": map[string]any{"type": "message", "id": "msg_1", "content": []any{}}}))
	for _, p := range pieces {
		out = append(out, event("response.output_text.delta", map[string]any{"item_id": "msg_1", "output_index": 0, "content_index": 0, "delta": p}))
	}
	out = append(out, event("response.output_text.done", map[string]any{"item_id": "msg_1", "text": a.Text}))
	for i, c := range a.ToolCalls {
		for _, p := range lmtest.Pieces(string(c.Arguments), 4) {
			out = append(out, event("response.function_call_arguments.delta", map[string]any{"item_id": "fc_" + c.ID, "output_index": i + 1, "delta": p}))
		}
	}
	whole := response(a)
	return append(out, event(fmt.Sprintf("response.%s", whole["status"]), map[string]any{"response": whole}))
}

var responsesDialect = lmtest.Dialect{
	New: func(baseURL, key string) (lm.LM, error) {
		return New(Config{Model: "gpt-4o-mini", API: Responses, BaseURL: baseURL, Key: key})
	},
	Path: "/responses",
	Key:  bearer,
	Read: func(body []byte) (lmtest.Sent, error) {
		var r struct {
			Model string       `json:"model"`
			Input []lm.Message `json:"input"`
			lm.Params
			Limit *int `json:"max_output_tokens"`
		}
		err := json.Unmarshal(body, &r)
		r.Params.MaxTokens = r.Limit
		return lmtest.Sent{Model: r.Model, Messages: r.Input, Params: r.Params}, err
	},
	Reply: func(a lmtest.Answer) string { return encode(response(a)) },
	Error: func(_ int, message string) string {
		return encode(map[string]any{"error": map[string]any{"message": message, "type": "some_error", "param": nil, "code": nil}})
	},
	Empty:  `{"id": "resp_1", "object": "response", "status": "completed", "output": []}`,
	Stream: responseStream,
	StreamError: func(message string) string {
		return event("error", map[string]any{"code": "server_error", "message": message, "param": nil, "sequence_number": 7})
	},
	Bodies: func() map[string]string {
		media := func(part string) string {
			return `{"input":[{"role":"user","content":[{"type":"input_text","text":"What is this?"},` + part + `]}]}`
		}
		tools := func(strict, choice string) string {
			if choice != "" {
				choice = `,"tool_choice":` + choice
			}
			return `{"tools":[{"type":"function","name":"weather","description":"The weather at a place.","strict":` + strict + `,"parameters":
				{"type":"object","properties":{"place":{"type":"string"}},"required":["place"],"additionalProperties":false}}]` + choice + `}`
		}
		return map[string]string{
			"image":          media(`{"type":"input_image","image_url":"data:image/png;base64,iVBORw0KGgo="}`),
			"image URL":      media(`{"type":"input_image","image_url":"https://example.com/cat.png"}`),
			"file":           media(`{"type":"input_file","filename":"letter.pdf","file_data":"data:application/pdf;base64,JVBERi0xLjQK"}`),
			"file URL":       media(`{"type":"input_file","file_url":"https://example.com/letter.pdf"}`),
			"tools":          tools("false", ""),
			"strict tools":   tools("true", ""),
			"tools required": tools("false", `"required"`),
			"tools none":     tools("false", `"none"`),
			"tools named":    tools("false", `{"type":"function","name":"weather"}`),
			"tool results": `{"store":false,"input":[{"role":"user","content":"How is the weather in Rome?"},
				{"role":"assistant","content":"I look."},
				{"type":"function_call","call_id":"call_1","name":"weather","arguments":"{\"place\":\"Rome\"}"},
				{"type":"function_call","call_id":"call_2","name":"weather","arguments":"{\"place\":\"Oslo\"}"},
				{"type":"function_call_output","call_id":"call_1","output":"sunny"},
				{"type":"function_call_output","call_id":"call_2","output":"{\"sky\":\"grey\"}"}]}`,
			"schema": `{"text":{"format":{"type":"json_schema","name":"Person","strict":true,"schema":
				{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"}},"required":["name","age"],"additionalProperties":false}}}}`,
			"json":   `{"text":{"format":{"type":"json_object"}}}`,
			"effort": `{"reasoning":{"effort":"low"}}`,
			"stream": `{"stream":true}`,
		}
	}(),
	NoStop: true, Tools: true, Reasoning: true, Cached: true, Thinking: true,
}

// TestExercise: OpenAI's two protocols.
func TestExercise(t *testing.T) {
	t.Run("chat", func(t *testing.T) { lmtest.Exercise(t, chatDialect("", "gpt-4o-mini", chatBodies)) })
	t.Run("responses", func(t *testing.T) { lmtest.Exercise(t, responsesDialect) })
}

// TestForms: the presets, in each thing that one of them does in another way.
func TestForms(t *testing.T) {
	sound := `{"messages":[{"role":"user","content":[{"type":"text","text":"What is this?"},
		{"type":"input_audio","input_audio":{"data":"UklGRgQAAABXQVZF","format":"wav"}}]}]}`
	for name, d := range map[string]lmtest.Dialect{
		"llamacpp": chatDialect("llamacpp", "a-model", with(chatBodies, map[string]string{"audio": sound, "file": ""})),
		"together": chatDialect("together", "a/model", with(chatBodies, map[string]string{"file": ""})),
		"vllm":     chatDialect("vllm", "a-model", with(chatBodies, map[string]string{"audio": sound, "file": ""})),
		"lmstudio": chatDialect("lmstudio", "a-model", with(chatBodies, map[string]string{"file": "", "json": "", "tools named": ""})),
		"openrouter": chatDialect("openrouter", "maker/model", with(chatBodies, map[string]string{"audio": sound,
			"file URL": `{"messages":[{"role":"user","content":[{"type":"text","text":"What is this?"},{"type":"file","file":{"file_data":"https://example.com/letter.pdf"}}]}]}`,
			"effort":   `{"reasoning":{"effort":"low"}}`})),
		"groq":     chatDialect("groq", "openai/gpt-oss-20b", with(chatBodies, map[string]string{"image": "", "image URL": "", "file": ""})),
		"deepseek": chatDialect("deepseek", "deepseek-chat", with(chatBodies, map[string]string{"image": "", "image URL": "", "file": "", "schema": ""})),
		"mistral": chatDialect("mistral", "a-model", with(chatBodies, map[string]string{"file": "", "stream": `{"stream":true}`,
			"tools required": strings.Replace(chatBodies["tools required"], `"required"`+"}", `"any"}`, 1)})),
		"azure": func() lmtest.Dialect {
			d := chatDialect("azure", "a-deployment", with(chatBodies, map[string]string{"audio": sound}))
			d.Key = func(h http.Header) string { return h.Get("Api-Key") }
			return d
		}(),
	} {
		t.Run(name, func(t *testing.T) { lmtest.Forms(t, d) })
	}
}

func BenchmarkGenerate(b *testing.B) { lmtest.Benchmark(b, chatDialect("", "gpt-4o-mini", chatBodies)) }
