package bedrock

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"go.uber.org/goleak"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/lm/lmtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const path = "/model/us.anthropic.claude-sonnet-4-5"

// server speaks for a server of Bedrock, which is asked with a Bedrock API key.
var server = lmtest.Dialect{
	New: func(baseURL, key string) (lm.LM, error) {
		return New(Config{Model: "us.anthropic.claude-sonnet-4-5", Region: "us-east-1", BaseURL: baseURL, Key: key})
	},
	Path: path + "/converse",
	Key: func(h http.Header) string {
		key, ok := strings.CutPrefix(h.Get("Authorization"), "Bearer ")
		if !ok {
			return "" // the base URL's own user
		}
		return key
	},
	Read: func(body []byte) (lmtest.Sent, error) {
		type block struct{ Text string }
		var r struct {
			System   []block
			Messages []struct {
				Role    lm.Role
				Content []block
			}
			InferenceConfig struct {
				MaxTokens     *int
				Temperature   *float64
				TopP          *float64
				StopSequences []string
			}
		}
		err := json.Unmarshal(body, &r)
		sent := lmtest.Sent{Model: "us.anthropic.claude-sonnet-4-5"} // it stands in the path
		for _, b := range r.System {
			sent.Messages = append(sent.Messages, lm.Message{Role: lm.System, Content: b.Text})
		}
		for _, m := range r.Messages {
			sent.Messages = append(sent.Messages, lm.Message{Role: m.Role, Content: m.Content[0].Text})
		}
		c := r.InferenceConfig
		sent.Params = lm.Params{Temperature: c.Temperature, TopP: c.TopP, MaxTokens: c.MaxTokens, Stop: c.StopSequences}
		return sent, err
	},
	Reply: func(a lmtest.Answer) string {
		content := []any{}
		if a.Reasoning != "" {
			content = append(content, map[string]any{"reasoningContent": map[string]any{"reasoningText": map[string]any{"text": a.Reasoning, "signature": "EqQB"}}})
		}
		if a.Text != "" || len(a.ToolCalls) == 0 {
			content = append(content, map[string]any{"text": a.Text})
		}
		for _, c := range a.ToolCalls {
			content = append(content, map[string]any{"toolUse": map[string]any{"toolUseId": c.ID, "name": c.Name, "input": c.Arguments}})
		}
		return encode(map[string]any{
			"output":     map[string]any{"message": map[string]any{"role": "assistant", "content": content}},
			"stopReason": reasons[a.Finish], "usage": counts(a.Usage), "metrics": map[string]any{"latencyMs": 551},
		})
	},
	Error:      func(_ int, message string) string { return encode(map[string]any{"message": message}) },
	Empty:      `{"output":{"message":{"role":"assistant","content":[]}},"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":0,"totalTokens":1}}`,
	Stream:     stream,
	StreamType: "application/vnd.amazon.eventstream",
	StreamPath: path + "/converse-stream",
	StreamError: func(message string) string {
		return frame(map[string]string{":message-type": "exception", ":exception-type": "throttlingException"}, map[string]any{"message": message})
	},
	Bodies: map[string]string{
		"image":          asked(`{"image":{"format":"png","source":{"bytes":"iVBORw0KGgo="}}}`),
		"file":           asked(`{"document":{"format":"pdf","name":"letter","source":{"bytes":"JVBERi0xLjQK"}}}`),
		"tools":          `{"toolConfig":{"tools":[` + weather + `}}]}}`,
		"strict tools":   `{"toolConfig":{"tools":[` + weather + `,"strict":true}}]}}`,
		"tools required": `{"toolConfig":{"tools":[` + weather + `}}],"toolChoice":{"any":{}}}}`,
		"tools named":    `{"toolConfig":{"tools":[` + weather + `}}],"toolChoice":{"tool":{"name":"weather"}}}}`,
		"tools none":     `{"messages": [{"role":"user","content":[{"text":"How is the weather in Rome?"}]}]}`,
		"tool results": `{"messages":[{"role":"user","content":[{"text":"How is the weather in Rome?"}]},
			{"role":"assistant","content":[{"text":"I look."},
				{"toolUse":{"toolUseId":"call_1","name":"weather","input":{"place":"Rome"}}},{"toolUse":{"toolUseId":"call_2","name":"weather","input":{"place":"Oslo"}}}]},
			{"role":"user","content":[{"toolResult":{"toolUseId":"call_1","content":[{"text":"sunny"}]}},{"toolResult":{"toolUseId":"call_2","content":[{"text":"{\"sky\":\"grey\"}"}]}}]}]}`,
		"schema": `{"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"name":"Person",
			"schema":"{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"},\"age\":{\"type\":\"integer\"}},\"required\":[\"name\",\"age\"],\"additionalProperties\":false}"}}}}}`,
		"effort": `{"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":2048}},"inferenceConfig":{"maxTokens":16384}}`,
	},
	Tools:     true,
	Reasoning: true,
	Cached:    true,
	Kept:      true,
}

const weather = `{"toolSpec":{"name":"weather","description":"The weather at a place.","inputSchema":{"json":{"type":"object","properties":{"place":{"type":"string"}},"required":["place"],"additionalProperties":false}}`

// asked is the body of a question about some media.
func asked(block string) string {
	return `{"messages": [{"role": "user", "content": [{"text": "What is this?"}, ` + block + `]}]}`
}

var reasons = map[lm.Finish]string{lm.FinishStop: "end_turn", lm.FinishLength: "max_tokens", lm.FinishFilter: "guardrail_intervened", lm.FinishTools: "tool_use"}

// counts writes a usage: what came from the cache is counted apart.
func counts(u lm.Usage) map[string]any {
	return map[string]any{"inputTokens": u.InputTokens - u.CachedTokens - u.CacheWriteTokens, "outputTokens": u.OutputTokens, "totalTokens": u.InputTokens + u.OutputTokens,
		"cacheReadInputTokens": u.CachedTokens, "cacheWriteInputTokens": u.CacheWriteTokens}
}

// frame writes an event with the encoder of AWS's own library.
func frame(headers map[string]string, payload any) string {
	var m eventstream.Message
	for name, value := range headers {
		m.Headers.Set(name, eventstream.StringValue(value))
	}
	m.Headers.Set(":content-type", eventstream.StringValue("application/json"))
	m.Payload = []byte(encode(payload))
	var b bytes.Buffer
	if err := eventstream.NewEncoder().Encode(&b, m); err != nil {
		panic(err)
	}
	return b.String()
}

// stream writes an answer as the events that the API reference documents.
func stream(a lmtest.Answer, pieces []string) (out []string) {
	tell := func(name string, payload map[string]any) {
		payload["p"] = "abcdefgh" // padding
		out = append(out, frame(map[string]string{":message-type": "event", ":event-type": name}, payload))
	}
	tell("messageStart", map[string]any{"role": "assistant"})
	index := 0
	delta := func(d map[string]any) {
		tell("contentBlockDelta", map[string]any{"contentBlockIndex": index, "delta": d})
	}
	stop := func() { tell("contentBlockStop", map[string]any{"contentBlockIndex": index}); index++ }
	if a.Reasoning != "" {
		for _, p := range lmtest.Pieces(a.Reasoning, 4) {
			delta(map[string]any{"reasoningContent": map[string]any{"text": p}})
		}
		delta(map[string]any{"reasoningContent": map[string]any{"signature": "EqQB"}})
		stop()
	}
	if len(pieces) > 0 || len(a.ToolCalls) == 0 {
		for _, p := range pieces {
			delta(map[string]any{"text": p})
		}
		stop()
	}
	for _, c := range a.ToolCalls {
		tell("contentBlockStart", map[string]any{"contentBlockIndex": index, "start": map[string]any{"toolUse": map[string]any{"toolUseId": c.ID, "name": c.Name}}})
		for _, p := range lmtest.Pieces(string(c.Arguments), 5) {
			delta(map[string]any{"toolUse": map[string]any{"input": p}})
		}
		stop()
	}
	tell("messageStop", map[string]any{"stopReason": reasons[a.Finish]})
	tell("metadata", map[string]any{"usage": counts(a.Usage), "metrics": map[string]any{"latencyMs": 551}})
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

// TestExerciseSigned: the same with temporary credentials, of which the session token
// goes to the server.
func TestExerciseSigned(t *testing.T) {
	signed := server
	signed.New = func(baseURL, key string) (lm.LM, error) {
		c := Config{Model: "us.anthropic.claude-sonnet-4-5", Region: "us-east-1", BaseURL: baseURL}
		if key != "" {
			c.AccessKeyID, c.SecretAccessKey, c.SessionToken = "ASIAEXAMPLE000000000", "secret-for-tests-0123456789", key
		}
		return New(c)
	}
	signed.Key = func(h http.Header) string { return h.Get("X-Amz-Security-Token") }
	lmtest.Exercise(t, signed)
}

func BenchmarkGenerate(b *testing.B) { lmtest.Benchmark(b, server) }
