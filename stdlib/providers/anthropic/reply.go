package anthropic

import (
	"encoding/json"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/turns"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/wire"
)

// reply is the body of a success.
type reply struct {
	ID         string     `json:"id,omitempty"`
	Type       string     `json:"type"`
	Role       string     `json:"role,omitempty"`
	Model      string     `json:"model"`
	Content    []said     `json:"content"`
	StopReason string     `json:"stop_reason"`
	Usage      *usage     `json:"usage,omitempty"`
	Error      *complains `json:"error,omitempty"`
}

// said is a block of a reply.
type said struct {
	Type      string          `json:"type"`
	Text      string          `json:"text,omitempty"`      // text
	Thinking  string          `json:"thinking,omitempty"`  // thinking
	Signature string          `json:"signature,omitempty"` // thinking
	Data      string          `json:"data,omitempty"`      // redacted_thinking
	ID        string          `json:"id,omitempty"`        // tool_use
	Name      string          `json:"name,omitempty"`
	Input     json.RawMessage `json:"input,omitempty"`
}

// usage counts tokens. A stream reports it twice, the later count being of all so far.
type usage struct {
	InputTokens         int `json:"input_tokens"`
	CacheCreationTokens int `json:"cache_creation_input_tokens,omitempty"`
	CacheReadTokens     int `json:"cache_read_input_tokens,omitempty"`
	OutputTokens        int `json:"output_tokens"`
	Details             *struct {
		ThinkingTokens int `json:"thinking_tokens"`
	} `json:"output_tokens_details,omitempty"`
}

// count returns u in our terms: what the cache gave or took is input as well; the
// plain count leaves it out.
func (u *usage) count() lm.Usage {
	n := lm.Usage{
		InputTokens:  u.InputTokens + u.CacheCreationTokens + u.CacheReadTokens,
		OutputTokens: u.OutputTokens,
		CachedTokens: u.CacheReadTokens, CacheWriteTokens: u.CacheCreationTokens,
	}
	if u.Details != nil {
		n.ReasoningTokens = u.Details.ThinkingTokens
	}
	return n
}

// read turns a reply to req into a Response. Blocks of types that are not known here
// stay in Raw.
func (m *Model) read(r *reply, raw json.RawMessage, req *lm.Request) (*lm.Response, error) {
	if r.Type == "error" {
		return nil, m.failed(r.Error)
	}
	resp := &lm.Response{Finish: finish(r.StopReason), Model: r.Model, Raw: raw}
	var text, thoughts strings.Builder
	texts := 0
	for _, b := range r.Content {
		switch b.Type {
		case "text":
			text.WriteString(b.Text)
			texts++
		case "thinking":
			thoughts.WriteString(b.Thinking)
		case "tool_use":
			resp.ToolCalls = append(resp.ToolCalls, lm.ToolCall{ID: b.ID, Name: b.Name, Arguments: turns.Written(b.Input)})
		}
	}
	resp.Text, resp.Reasoning = text.String(), thoughts.String()
	switch {
	case texts > 0 || len(resp.ToolCalls) > 0:
	case r.Content == nil:
		return nil, m.endpoint.Malformed(raw, "the reply has no content", nil)
	case resp.Finish != lm.FinishLength && resp.Finish != lm.FinishFilter:
		return nil, m.endpoint.Malformed(raw, "the reply's content holds no text", nil)
	}
	if r.Usage != nil {
		resp.Usage = r.Usage.count()
	} else {
		resp.Usage = lm.EstimateUsage(req.Messages, resp.Text)
	}
	return resp, nil
}

// finish maps the protocol's reasons; one it does not have is passed on.
func finish(reason string) lm.Finish {
	switch reason {
	case "end_turn", "stop_sequence":
		return lm.FinishStop
	case "max_tokens", "model_context_window_exceeded":
		return lm.FinishLength
	case "refusal":
		return lm.FinishFilter
	case "tool_use":
		return lm.FinishTools
	}
	return lm.Finish(reason)
}

// complains is what an error says.
type complains struct {
	Type    string `json:"type"`
	Message string `json:"message"`
}

func (c *complains) String() string {
	if c.Message == "" {
		return c.Type
	}
	return c.Message
}

// kinds are the kinds of failure that an error's type stands for where there is no
// status to tell: in a stream that has begun.
var kinds = map[string]lm.Kind{
	"overloaded_error":      lm.KindRateLimit,
	"rate_limit_error":      lm.KindRateLimit,
	"api_error":             lm.KindServer,
	"timeout_error":         lm.KindTimeout,
	"authentication_error":  lm.KindAuth,
	"permission_error":      lm.KindAuth,
	"invalid_request_error": lm.KindRequest,
	"not_found_error":       lm.KindRequest,
	"request_too_large":     lm.KindRequest,
	"billing_error":         lm.KindRequest,
}

// failed is the failure that a server reports in place of a reply or of its rest.
func (m *Model) failed(c *complains) *lm.Error {
	if c == nil {
		c = &complains{}
	}
	kind := kinds[c.Type]
	if kind == "" {
		kind = lm.KindReply
	}
	return m.endpoint.Fail(kind, "the server answered with an error instead of a reply: "+c.String(), nil)
}

// complaint reads an error reply: {"type": "error", "error": {"type": …, "message": …}}.
func complaint(body []byte) wire.Complaint {
	var r struct {
		Error complains `json:"error"`
	}
	_ = json.Unmarshal(body, &r)
	return wire.Complaint{Message: r.Error.String()}
}
