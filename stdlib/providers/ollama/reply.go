package ollama

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/turns"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/wire"
)

// reply is the body of a success, or a line of one that is streamed: the last line
// says that it is done, and has the counts.
type reply struct {
	Model      string   `json:"model,omitempty"`
	Message    *message `json:"message"`
	Done       bool     `json:"done"`
	DoneReason string   `json:"done_reason,omitempty"`
	// The counts are missing where the server does not know them.
	PromptEvalCount *int   `json:"prompt_eval_count,omitempty"`
	EvalCount       *int   `json:"eval_count,omitempty"`
	Error           string `json:"error,omitempty"`
}

// read turns a reply to req into a Response.
func (m *Model) read(r *reply, raw json.RawMessage, req *lm.Request) (*lm.Response, error) {
	switch {
	case r.Error != "":
		return nil, m.failed(r.Error)
	case r.Message == nil:
		return nil, m.endpoint.Malformed(raw, "the reply has no message", nil)
	case !r.Done:
		return nil, m.endpoint.Malformed(raw, "the reply is not done", nil)
	case r.DoneReason == "load" || r.DoneReason == "unload":
		return nil, m.endpoint.Malformed(raw, "the server only changed which models it keeps ("+r.DoneReason+")", nil)
	}
	resp := &lm.Response{Text: r.Message.Content, Reasoning: r.Message.Thinking, Finish: lm.Finish(r.DoneReason), Model: r.Model, Raw: raw}
	for i, c := range r.Message.ToolCalls {
		id := c.ID
		if id == "" {
			id = turns.NewID(req, i+1)
		}
		resp.ToolCalls = append(resp.ToolCalls, lm.ToolCall{ID: id, Name: c.Function.Name, Arguments: turns.Written(c.Function.Arguments)})
	}
	// stop and length are called as ours are; a reply that asks for tools ends by stop.
	if len(resp.ToolCalls) > 0 && resp.Finish == lm.FinishStop {
		resp.Finish = lm.FinishTools
	}
	resp.Usage = lm.EstimateUsage(req.Messages, resp.Text)
	if r.PromptEvalCount != nil && r.EvalCount != nil {
		resp.Usage = lm.Usage{}
	}
	if r.PromptEvalCount != nil {
		resp.Usage.InputTokens = *r.PromptEvalCount
	}
	if r.EvalCount != nil {
		resp.Usage.OutputTokens = *r.EvalCount
	}
	return resp, nil
}

// stream makes the request and puts the reply together from its lines.
func (m *Model) stream(ctx context.Context, body *chat, req *lm.Request) (*lm.Response, error) {
	var last reply
	var text, thoughts bytes.Buffer
	var calls []call
	err := m.endpoint.Events(ctx, body, func(_ string, data []byte) error {
		var r reply
		if err := json.Unmarshal(data, &r); err != nil {
			return m.endpoint.Malformed(data, "a line of the stream is no JSON object of the protocol", err)
		}
		switch {
		case r.Error != "":
			return m.failed(r.Error)
		case r.Message == nil && !r.Done:
			return m.endpoint.Malformed(data, "a line of the stream has no message", nil)
		}
		if said := r.Message; said != nil {
			text.WriteString(said.Content)
			thoughts.WriteString(said.Thinking)
			calls = append(calls, said.ToolCalls...)
			if said.Content != "" || said.Thinking != "" {
				req.OnDelta(lm.Delta{Text: said.Content, Reasoning: said.Thinking})
			}
		}
		if r.Done {
			last = r
			return wire.ErrEnd
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case !last.Done:
		return nil, m.endpoint.Malformed(nil, "the stream ended before the reply did", nil)
	}
	last.Message = &message{Role: lm.Assistant, Content: text.String(), Thinking: thoughts.String(), ToolCalls: calls}
	raw, err := json.Marshal(&last)
	if err != nil {
		return nil, m.endpoint.Malformed(nil, "the reply cannot be put together", err)
	}
	return m.read(&last, raw, req)
}

// failed is the failure that a server reports in place of a reply or of its rest: it
// comes from the engine behind it.
func (m *Model) failed(said string) *lm.Error {
	return m.endpoint.Fail(lm.KindServer, "the server answered with an error instead of a reply: "+said, nil)
}

// complaint reads an error reply: {"error": "…"}.
func complaint(body []byte) wire.Complaint {
	var r struct {
		Error string `json:"error"`
	}
	_ = json.Unmarshal(body, &r)
	return wire.Complaint{Message: r.Error}
}
