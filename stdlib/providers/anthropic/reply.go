package anthropic

import (
	"encoding/json"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/wire"
)

// reply is the body of a success.
type reply struct {
	Type    string `json:"type"`
	Model   string `json:"model"`
	Content []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	} `json:"content"`
	StopReason string `json:"stop_reason"`
	Usage      *struct {
		InputTokens         int `json:"input_tokens"`
		CacheCreationTokens int `json:"cache_creation_input_tokens"`
		CacheReadTokens     int `json:"cache_read_input_tokens"`
		OutputTokens        int `json:"output_tokens"`
	} `json:"usage"`
}

// read turns a reply to req into a Response. Blocks of other types than text (thinking,
// for example) are no part of the text; they stay in Raw.
func (m *Model) read(raw json.RawMessage, req *lm.Request) (*lm.Response, error) {
	var r reply
	if err := json.Unmarshal(raw, &r); err != nil {
		return nil, m.endpoint.Malformed(raw, "the reply is no message", err)
	}
	if r.Type == "error" {
		return nil, m.endpoint.Fail(lm.KindReply, "the server answered with an error instead of a reply: "+complaint(raw).Message, nil)
	}
	var text strings.Builder
	texts := 0
	for _, block := range r.Content {
		if block.Type == "text" {
			text.WriteString(block.Text)
			texts++
		}
	}
	resp := &lm.Response{Text: text.String(), Finish: finish(r.StopReason), Model: r.Model, Raw: raw}
	switch {
	case texts > 0:
	case r.Content == nil:
		return nil, m.endpoint.Malformed(raw, "the reply has no content", nil)
	case resp.Finish != lm.FinishLength && resp.Finish != lm.FinishFilter:
		return nil, m.endpoint.Malformed(raw, "the reply's content holds no text", nil)
	}
	if u := r.Usage; u != nil {
		// What the cache gave or took is input as well; the plain count leaves it out.
		resp.Usage = lm.Usage{InputTokens: u.InputTokens + u.CacheCreationTokens + u.CacheReadTokens, OutputTokens: u.OutputTokens}
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
	}
	return lm.Finish(reason)
}

// complaint reads an error reply: {"type": "error", "error": {"type": …, "message": …}}.
func complaint(body []byte) wire.Complaint {
	var r struct {
		Error struct {
			Type    string `json:"type"`
			Message string `json:"message"`
		} `json:"error"`
	}
	_ = json.Unmarshal(body, &r)
	c := wire.Complaint{Message: r.Error.Message}
	if c.Message == "" {
		c.Message = r.Error.Type
	}
	return c
}
