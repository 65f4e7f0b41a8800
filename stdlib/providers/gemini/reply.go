package gemini

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/turns"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/wire"
)

// reply is the body of a success, or an event of one that is streamed: each has parts
// to add, the last one why it ended, and the counts are of all so far.
type reply struct {
	Candidates     []candidate     `json:"candidates,omitempty"`
	PromptFeedback *feedback       `json:"promptFeedback,omitempty"`
	UsageMetadata  *usage          `json:"usageMetadata,omitempty"`
	ModelVersion   string          `json:"modelVersion,omitempty"`
	ResponseID     string          `json:"responseId,omitempty"`
	Error          json.RawMessage `json:"error,omitempty"`
}

type candidate struct {
	Content       *content `json:"content,omitempty"`
	FinishReason  string   `json:"finishReason,omitempty"`
	FinishMessage string   `json:"finishMessage,omitempty"`
}

type feedback struct {
	BlockReason string `json:"blockReason,omitempty"`
}

type usage struct {
	PromptTokenCount        int `json:"promptTokenCount"` // with what was cached
	CachedContentTokenCount int `json:"cachedContentTokenCount,omitempty"`
	ToolUsePromptTokenCount int `json:"toolUsePromptTokenCount,omitempty"`
	CandidatesTokenCount    int `json:"candidatesTokenCount,omitempty"` // without thoughts
	ThoughtsTokenCount      int `json:"thoughtsTokenCount,omitempty"`
	TotalTokenCount         int `json:"totalTokenCount,omitempty"`
}

// read turns a reply to req into a Response.
func (m *Model) read(e *wire.Endpoint, r *reply, raw json.RawMessage, req *lm.Request) (*lm.Response, error) {
	if failure := failed(e, r.Error, raw); failure != nil {
		return nil, failure
	}
	resp := &lm.Response{Model: r.ModelVersion, Raw: raw}
	if resp.Model == "" {
		resp.Model = m.name
	}
	var text, thoughts strings.Builder
	said := false
	switch {
	case len(r.Candidates) > 0:
		c := r.Candidates[0]
		resp.Finish = finish(c.FinishReason)
		if c.Content != nil {
			for _, p := range c.Content.Parts {
				switch {
				case p.FunctionCall != nil:
					resp.ToolCalls = append(resp.ToolCalls, call(req, p, len(resp.ToolCalls)+1))
				case p.Thought:
					thoughts.WriteString(p.Text)
				default:
					text.WriteString(p.Text)
					said = true
				}
			}
		}
		if len(resp.ToolCalls) > 0 && resp.Finish == lm.FinishStop {
			resp.Finish = lm.FinishTools
		}
		if !said && len(resp.ToolCalls) == 0 && resp.Finish != lm.FinishLength && resp.Finish != lm.FinishFilter {
			return nil, e.Malformed(raw, strings.TrimSpace("the reply's candidate holds no text "+c.FinishMessage), nil)
		}
	case r.PromptFeedback != nil && r.PromptFeedback.BlockReason != "":
		resp.Finish = lm.FinishFilter // nothing was written: the prompt was refused
	default:
		return nil, e.Malformed(raw, "the reply has no candidates", nil)
	}
	resp.Text, resp.Reasoning = text.String(), thoughts.String()
	if u := r.UsageMetadata; u != nil {
		resp.Usage = lm.Usage{
			InputTokens:     u.PromptTokenCount + u.ToolUsePromptTokenCount,
			OutputTokens:    u.CandidatesTokenCount + u.ThoughtsTokenCount,
			CachedTokens:    u.CachedContentTokenCount,
			ReasoningTokens: u.ThoughtsTokenCount,
		}
	} else {
		resp.Usage = lm.EstimateUsage(req.Messages, resp.Text)
	}
	return resp, nil
}

// call returns the nth call of a reply.
func call(req *lm.Request, p part, n int) lm.ToolCall {
	id := p.FunctionCall.ID
	if id == "" {
		id = turns.NewID(req, n)
	}
	return lm.ToolCall{ID: join(id, p.ThoughtSignature), Name: p.FunctionCall.Name, Arguments: turns.Written(p.FunctionCall.Args)}
}

// finish maps the protocol's reasons; one that has no counterpart is passed on.
func finish(reason string) lm.Finish {
	switch reason {
	case "STOP":
		return lm.FinishStop
	case "MAX_TOKENS":
		return lm.FinishLength
	case "SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "MODEL_ARMOR":
		return lm.FinishFilter
	}
	return lm.Finish(reason)
}

// stream makes the request and puts the reply together from its events. The protocol
// has no last event: a reply is whole when it says why it ended.
func (m *Model) stream(ctx context.Context, body *generate, req *lm.Request) (*lm.Response, error) {
	e := m.streamed
	var whole reply
	parts, ended := growing{}, false
	reason, note := "", ""
	err := e.Events(ctx, body, func(_ string, data []byte) error {
		var r reply
		if err := json.Unmarshal(data, &r); err != nil {
			return e.Malformed(data, "an event of the stream is no JSON object of the protocol", err)
		}
		if failure := failed(e, r.Error, data); failure != nil {
			return failure
		}
		if len(r.Candidates) == 0 && r.PromptFeedback == nil && r.UsageMetadata == nil {
			return e.Malformed(data, "an event of the stream has no candidates", nil)
		}
		if len(r.Candidates) > 0 {
			c := r.Candidates[0]
			if c.Content != nil {
				for _, p := range c.Content.Parts {
					parts.add(p)
					if d := delta(p); d != (lm.Delta{}) {
						req.OnDelta(d)
					}
				}
			}
			if c.FinishReason != "" {
				reason, note, ended = c.FinishReason, c.FinishMessage, true
			}
		}
		r.Candidates = nil
		if r.PromptFeedback != nil {
			whole.PromptFeedback = r.PromptFeedback
			ended = ended || r.PromptFeedback.BlockReason != ""
		}
		if r.UsageMetadata != nil {
			whole.UsageMetadata = r.UsageMetadata
		}
		if r.ModelVersion != "" {
			whole.ModelVersion, whole.ResponseID = r.ModelVersion, r.ResponseID
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case !ended:
		return nil, e.Malformed(nil, "the stream ended before the reply did", nil)
	}
	if reason != "" {
		whole.Candidates = []candidate{{Content: &content{Role: "model", Parts: parts.all()}, FinishReason: reason, FinishMessage: note}}
	}
	raw, err := json.Marshal(&whole)
	if err != nil {
		return nil, e.Malformed(nil, "the reply cannot be put together", err)
	}
	return m.read(e, &whole, raw, req)
}

// delta returns what a part adds to the text or to the reasoning.
func delta(p part) lm.Delta {
	switch {
	case p.FunctionCall != nil:
		return lm.Delta{}
	case p.Thought:
		return lm.Delta{Reasoning: p.Text}
	}
	return lm.Delta{Text: p.Text}
}

// growing puts the parts of a stream together: neighbours of one kind of text are one part.
type growing struct {
	parts []part
	text  bytes.Buffer // of the last part
}

func (g *growing) add(p part) {
	last := len(g.parts) - 1
	plain := func(p part) bool { return p.FunctionCall == nil && p.InlineData == nil && p.FileData == nil }
	if last < 0 || !plain(p) || !plain(g.parts[last]) || p.Thought != g.parts[last].Thought {
		g.close()
		g.parts = append(g.parts, p)
	} else if p.ThoughtSignature != "" {
		g.parts[last].ThoughtSignature = p.ThoughtSignature
	}
	g.text.WriteString(p.Text)
}

// close gives the last part its text.
func (g *growing) close() {
	if last := len(g.parts) - 1; last >= 0 {
		g.parts[last].Text = g.text.String()
		g.text.Reset()
	}
}

func (g *growing) all() []part {
	g.close()
	return g.parts
}

// failed is the failure that is reported in place of a reply or of its rest, or nil.
func failed(e *wire.Endpoint, report, body []byte) error {
	if len(report) == 0 || string(report) == "null" {
		return nil
	}
	var status struct {
		Code int `json:"code"`
	}
	kind := lm.KindReply
	if json.Unmarshal(report, &status) == nil && status.Code >= 400 && status.Code <= 599 {
		kind = wire.KindOf(status.Code)
	}
	return e.Fail(kind, "the server answered with an error instead of a reply: "+complaint(body).Message, nil)
}

// complaint reads an error reply: {"error": {"code": …, "message": …, "status": …}},
// which some paths send as the only element of a list.
func complaint(body []byte) wire.Complaint {
	type report struct {
		Error struct {
			Message string `json:"message"`
			Status  string `json:"status"`
		} `json:"error"`
	}
	var r report
	if trimmed := bytes.TrimSpace(body); len(trimmed) > 0 && trimmed[0] == '[' {
		var list []report
		if json.Unmarshal(trimmed, &list) == nil && len(list) > 0 {
			r = list[0]
		}
	} else {
		_ = json.Unmarshal(body, &r)
	}
	if r.Error.Message == "" {
		return wire.Complaint{Message: r.Error.Status}
	}
	return wire.Complaint{Message: r.Error.Message}
}
