package bedrock

import (
	"encoding/json"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/turns"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/wire"
)

// reply is the body of a success.
type reply struct {
	Output struct {
		Message *message `json:"message"`
	} `json:"output"`
	StopReason string `json:"stopReason"`
	Usage      *usage `json:"usage,omitempty"`
}

type usage struct {
	InputTokens      int `json:"inputTokens"` // without what the cache gave or took
	OutputTokens     int `json:"outputTokens"`
	TotalTokens      int `json:"totalTokens"`
	CacheReadTokens  int `json:"cacheReadInputTokens,omitempty"`
	CacheWriteTokens int `json:"cacheWriteInputTokens,omitempty"`
}

// read turns a reply to req into a Response. The protocol does not say which model
// answered.
func (m *Model) read(e *wire.Endpoint, r *reply, raw json.RawMessage, req *lm.Request) (*lm.Response, error) {
	if r.Output.Message == nil {
		return nil, e.Malformed(raw, "the reply has no message", nil)
	}
	resp := &lm.Response{Finish: finish(r.StopReason), Model: m.name, Raw: raw}
	var text, thoughts strings.Builder
	said := false
	for _, b := range r.Output.Message.Content {
		switch {
		case b.Text != nil:
			text.WriteString(*b.Text)
			said = true
		case b.ToolUse != nil:
			resp.ToolCalls = append(resp.ToolCalls, lm.ToolCall{ID: b.ToolUse.ToolUseID, Name: b.ToolUse.Name, Arguments: turns.Written(b.ToolUse.Input)})
		case b.Reasoning != nil && b.Reasoning.ReasoningText != nil:
			thoughts.WriteString(b.Reasoning.ReasoningText.Text)
		}
	}
	resp.Text, resp.Reasoning = text.String(), thoughts.String()
	if !said && len(resp.ToolCalls) == 0 && resp.Finish != lm.FinishLength && resp.Finish != lm.FinishFilter {
		return nil, e.Malformed(raw, "the reply's message holds no text", nil)
	}
	if u := r.Usage; u != nil {
		resp.Usage = lm.Usage{
			InputTokens: u.InputTokens + u.CacheReadTokens + u.CacheWriteTokens, OutputTokens: u.OutputTokens,
			CachedTokens: u.CacheReadTokens, CacheWriteTokens: u.CacheWriteTokens,
		}
	} else {
		resp.Usage = lm.EstimateUsage(req.Messages, resp.Text)
	}
	return resp, nil
}

// finish maps the protocol's reasons; one that has no counterpart is passed on.
func finish(reason string) lm.Finish {
	switch reason {
	case "end_turn", "stop_sequence":
		return lm.FinishStop
	case "max_tokens", "model_context_window_exceeded":
		return lm.FinishLength
	case "guardrail_intervened", "content_filtered":
		return lm.FinishFilter
	case "tool_use":
		return lm.FinishTools
	}
	return lm.Finish(reason)
}

// complaint reads an error reply: {"message": …}, of some front servers {"Message": …}.
func complaint(body []byte) wire.Complaint {
	var r struct {
		Message string `json:"message"` // written either way
	}
	_ = json.Unmarshal(body, &r)
	return wire.Complaint{Message: r.Message}
}
