package openai

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/wire"
)

// complete makes one chat completion.
func (m *Model) complete(ctx context.Context, req *lm.Request) (*lm.Response, error) {
	body, problem := m.body(req)
	if problem != "" {
		return nil, m.endpoint.Fail(lm.KindRequest, problem, nil)
	}
	if body.Stream {
		return m.stream(ctx, body, req)
	}
	var r reply
	raw, err := m.endpoint.Do(ctx, body, "chat completion", &r)
	if err != nil {
		return nil, err
	}
	return m.whole(&r, raw, req)
}

// whole reads a reply that came in one piece, and gives it so.
func (m *Model) whole(r *reply, raw json.RawMessage, req *lm.Request) (*lm.Response, error) {
	resp, err := m.read(r, raw, req)
	if err == nil {
		lm.Whole(req, resp)
	}
	return resp, err
}

// reply is the body of a success. A server that only passes calls on may answer
// 200 and put the failure of the server behind it into error.
type reply struct {
	Model   string          `json:"model"`
	Choices []choice        `json:"choices"`
	Usage   *usage          `json:"usage"`
	Error   json.RawMessage `json:"error"`
}

type choice struct {
	FinishReason string `json:"finish_reason"`
	Message      *said  `json:"message"`
}

// said is what the model says, in a message or a piece of one.
type said struct {
	Content content `json:"content"`
	Refusal string  `json:"refusal"`
	// What the model thought before: the first in DeepSeek, vLLM, llama.cpp and
	// others, the second in OpenRouter, Groq, Together and newer vLLM.
	ReasoningContent string  `json:"reasoning_content"`
	Reasoning        thought `json:"reasoning"`
	ToolCalls        []call  `json:"tool_calls"`
}

// thinks returns what the model thought.
func (s *said) thinks() string {
	switch {
	case s.ReasoningContent != "":
		return s.ReasoningContent
	case s.Reasoning != "":
		return string(s.Reasoning)
	}
	return s.Content.thought
}

type call struct {
	Index    *int   `json:"index"` // in pieces: which call it is of
	ID       string `json:"id"`
	Function struct {
		Name      string       `json:"name"`
		Arguments argumentText `json:"arguments"`
	} `json:"function"`
}

type usage struct {
	PromptTokens     int `json:"prompt_tokens"`
	CompletionTokens int `json:"completion_tokens"`
	PromptDetails    *struct {
		CachedTokens int `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
	CompletionDetails *struct {
		ReasoningTokens int `json:"reasoning_tokens"`
	} `json:"completion_tokens_details"`
	CacheHitTokens int      `json:"prompt_cache_hit_tokens"` // DeepSeek
	Cost           *float64 `json:"cost"`                    // OpenRouter, US dollars
}

// counted returns the usage as it was reported, or an estimate where it was not. A
// prompt of no tokens is no report.
func (u *usage) counted(req *lm.Request, resp *lm.Response) lm.Usage {
	if u == nil || u.PromptTokens == 0 && u.CompletionTokens == 0 {
		return lm.EstimateUsage(req.Messages, resp.Reasoning+resp.Text)
	}
	out := lm.Usage{InputTokens: u.PromptTokens, OutputTokens: u.CompletionTokens, CachedTokens: u.CacheHitTokens}
	if u.PromptDetails != nil && u.PromptDetails.CachedTokens > 0 {
		out.CachedTokens = u.PromptDetails.CachedTokens
	}
	if u.CompletionDetails != nil {
		out.ReasoningTokens = u.CompletionDetails.ReasoningTokens
	}
	return out
}

// thought is a text, or something else that is none of ours.
type thought string

func (t *thought) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, (*string)(t))
	}
	return nil
}

// argumentText is the arguments of a call as the model wrote them: in a string, or
// from servers that read them already as JSON.
type argumentText string

func (a *argumentText) UnmarshalJSON(data []byte) error {
	switch {
	case bytes.Equal(data, []byte("null")):
		return nil
	case data[0] == '"':
		return json.Unmarshal(data, (*string)(a))
	}
	*a = argumentText(data)
	return nil
}

// arguments returns the arguments of a call as JSON. What is not JSON is kept as a
// JSON string.
func arguments(text string) json.RawMessage {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return json.RawMessage("{}")
	case json.Valid([]byte(text)):
		return json.RawMessage(text)
	}
	quoted, _ := json.Marshal(text)
	return quoted
}

// content is a message's text: a string, a list of parts of which those of type
// text count, or null, which is as good as absent.
type content struct {
	text    string
	thought string // Mistral's parts of type thinking
	given   bool
}

func (c *content) UnmarshalJSON(data []byte) error {
	c.given = !bytes.Equal(data, []byte("null"))
	switch {
	case !c.given:
		return nil
	case data[0] == '[':
		var parts []struct {
			Type     string `json:"type"`
			Text     string `json:"text"`
			Thinking []struct {
				Text string `json:"text"`
			} `json:"thinking"`
		}
		if err := json.Unmarshal(data, &parts); err != nil {
			return err
		}
		for _, p := range parts {
			if p.Type == "text" || p.Type == "output_text" {
				c.text += p.Text
			}
			for _, t := range p.Thinking {
				c.thought += t.Text
			}
		}
		return nil
	}
	return json.Unmarshal(data, &c.text)
}

// read turns a reply to req into a Response.
func (m *Model) read(r *reply, raw json.RawMessage, req *lm.Request) (*lm.Response, error) {
	if len(r.Choices) == 0 {
		if failure := m.forwarded(raw, r.Error); failure != nil {
			return nil, failure
		}
		return nil, m.endpoint.Malformed(raw, "the reply has no choices", nil)
	}
	c := r.Choices[0]
	if failure := m.forwarded(raw, r.Error); failure != nil && broken(c.FinishReason) {
		return nil, failure
	}
	if c.Message == nil {
		return nil, m.endpoint.Malformed(raw, "the reply's first choice has no message", nil)
	}
	resp := &lm.Response{Text: c.Message.Content.text, Reasoning: c.Message.thinks(), Finish: finish(c.FinishReason), Model: r.Model, Raw: raw}
	for _, t := range c.Message.ToolCalls {
		resp.ToolCalls = append(resp.ToolCalls, lm.ToolCall{ID: t.ID, Name: t.Function.Name, Arguments: arguments(string(t.Function.Arguments))})
	}
	settle(resp, req)
	switch {
	case broken(c.FinishReason):
		return nil, m.endpoint.Fail(lm.KindServer, "the server broke the reply off ("+c.FinishReason+")", nil)
	case resp.Text == "" && c.Message.Refusal != "":
		resp.Text, resp.Finish = c.Message.Refusal, lm.FinishFilter
	case !c.Message.Content.given && len(resp.ToolCalls) == 0 && resp.Finish != lm.FinishLength && resp.Finish != lm.FinishFilter:
		return nil, m.endpoint.Malformed(raw, "the reply's message has no content", nil)
	}
	resp.Usage = r.Usage.counted(req, resp)
	if r.Usage != nil {
		resp.Cost = r.Usage.Cost
	}
	return resp, nil
}

// finish maps the protocol's reasons; one it does not have is passed on.
func finish(reason string) lm.Finish {
	switch reason {
	case "stop":
		return lm.FinishStop
	case "length", "model_length":
		return lm.FinishLength
	case "content_filter":
		return lm.FinishFilter
	case "tool_calls", "function_call":
		return lm.FinishTools
	}
	return lm.Finish(reason)
}

// broken reports whether a reason to end is the server's failure, and what came
// before is no reply.
func broken(reason string) bool {
	return reason == "error" || reason == "insufficient_system_resource"
}

// settle completes the calls of tools in resp: each has an id that no call of the
// conversation has, and a reply with calls ends because of them, which some servers
// call an ordinary end.
func settle(resp *lm.Response, req *lm.Request) {
	if len(resp.ToolCalls) == 0 {
		return
	}
	if resp.Finish == lm.FinishStop || resp.Finish == "" {
		resp.Finish = lm.FinishTools
	}
	n := 0
	for _, msg := range req.Messages {
		n += len(msg.ToolCalls)
	}
	for i := range resp.ToolCalls {
		n++
		if resp.ToolCalls[i].ID == "" {
			resp.ToolCalls[i].ID = fmt.Sprintf("call_%d", n)
		}
	}
}

// forwarded is the failure that a reply with status 200 reports in error, or nil
// when it reports none. Routers put the HTTP status they were given into code.
func (m *Model) forwarded(raw, report json.RawMessage) *lm.Error {
	if len(report) == 0 || string(report) == "null" {
		return nil
	}
	c := complaint(raw)
	if c.Message == "" {
		return nil
	}
	var status struct {
		Code int `json:"code"`
	}
	if json.Unmarshal(report, &status) != nil || status.Code < 400 || status.Code > 599 {
		return m.endpoint.Fail(lm.KindReply, "the server answered with an error instead of a reply: "+c.Message, nil)
	}
	f := m.endpoint.Fail(wire.KindOf(status.Code), c.Message, nil)
	f.Status = status.Code
	if c.Final && f.Retryable() {
		f.Kind = lm.KindRequest
	}
	return f
}

// exhausted are the codes under which 429 means that no waiting helps: there is
// no money left.
var exhausted = []string{"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"}

// complaint reads an error reply: {"error": {"message": …}}, and the forms that
// compatible servers use instead: {"error": "…"}, {"message": "…"}, {"detail": "…"}.
func complaint(body []byte) wire.Complaint {
	var r struct {
		Error   json.RawMessage `json:"error"`
		Message string          `json:"message"`
		Detail  json.RawMessage `json:"detail"`
	}
	// A field of another type than expected leaves the others readable.
	_ = json.Unmarshal(body, &r)
	var full struct {
		Message string          `json:"message"`
		Type    string          `json:"type"`
		Code    json.RawMessage `json:"code"` // a string, a number or null
	}
	_ = json.Unmarshal(r.Error, &full)
	c := wire.Complaint{
		Message: full.Message,
		Final:   slices.Contains(exhausted, full.Type) || slices.Contains(exhausted, strings.Trim(string(full.Code), `"`)),
	}
	if c.Message == "" {
		_ = json.Unmarshal(r.Error, &c.Message)
	}
	if c.Message == "" {
		c.Message = r.Message
	}
	if c.Message == "" && json.Unmarshal(r.Detail, &c.Message) != nil {
		c.Message = string(r.Detail)
	}
	return c
}
