package openai

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/wire"
)

// chunk is an event of a stream. The last ones may have no choice and the usage.
type chunk struct {
	Model   string `json:"model"`
	Choices []struct {
		Index        int    `json:"index"`
		Delta        said   `json:"delta"`
		FinishReason string `json:"finish_reason"`
	} `json:"choices"`
	Usage *usage          `json:"usage"`
	Error json.RawMessage `json:"error"`
	Groq  *struct {
		Usage *usage `json:"usage"`
	} `json:"x_groq"`
}

// gathering is a reply while it is written.
type gathering struct {
	model     *Model
	tell      func(lm.Delta)
	text      strings.Builder
	reasoning strings.Builder
	name      string // the model's
	refusal   bool   // the text, or a part of it, is a refusal
	calls     []*partial
	reason    string // why it ended; "" while it goes on
	done      bool   // [DONE] was read
	usage     *usage
}

// partial is a call of a tool while it is written.
type partial struct {
	index int
	id    string
	name  string
	args  strings.Builder
}

// stream makes one chat completion and gives the pieces as they come.
func (m *Model) stream(ctx context.Context, body *completion, req *lm.Request) (*lm.Response, error) {
	g := &gathering{model: m, tell: req.OnDelta}
	var whole json.RawMessage
	err := m.endpoint.Events(ctx, body, func(name string, data []byte) error {
		if name == wire.NameJSON {
			whole = append(whole, data...)
			return nil
		}
		return g.take(data)
	})
	switch {
	case err != nil:
		return nil, err
	case whole != nil: // a server that does not stream
		var r reply
		if err := json.Unmarshal(whole, &r); err != nil {
			return nil, m.endpoint.Malformed(whole, "the reply is no chat completion", err)
		}
		return m.whole(&r, whole, req)
	case broken(g.reason):
		return nil, m.endpoint.Fail(lm.KindServer, "the server broke the reply off ("+g.reason+")", nil)
	case g.reason == "" && !(g.done && g.name+g.text.String() != ""):
		return nil, m.endpoint.Malformed(nil, "the stream ended before the reply did", nil)
	}
	return g.response(req), nil
}

// take adds an event to the reply.
func (g *gathering) take(data []byte) error {
	switch {
	case len(data) == 0:
		return nil
	case string(data) == "[DONE]":
		g.done = true
		return wire.ErrEnd
	}
	var c chunk
	if err := json.Unmarshal(data, &c); err != nil {
		return g.model.endpoint.Malformed(data, "an event of the stream is no piece of a chat completion", err)
	}
	if failure := g.model.forwarded(data, c.Error); failure != nil {
		return failure
	}
	if len(c.Choices) == 0 {
		if said := complaint(data).Message; said != "" {
			return g.model.endpoint.Fail(lm.KindReply, "the server answered with an error instead of a reply: "+said, nil)
		}
	}
	if c.Model != "" {
		g.name = c.Model
	}
	switch {
	case c.Usage != nil:
		g.usage = c.Usage
	case c.Groq != nil && c.Groq.Usage != nil:
		g.usage = c.Groq.Usage
	}
	for i := range c.Choices {
		if c.Choices[i].Index != 0 {
			continue
		}
		g.add(&c.Choices[i].Delta)
		if c.Choices[i].FinishReason != "" {
			g.reason = c.Choices[i].FinishReason
		}
	}
	return nil
}

// add adds what the model says in one event.
func (g *gathering) add(s *said) {
	d := lm.Delta{Text: s.Content.text, Reasoning: s.thinks()}
	if s.Refusal != "" && (g.refusal || g.text.Len() == 0) {
		g.refusal = true
		d.Text += s.Refusal
	}
	g.text.WriteString(d.Text)
	g.reasoning.WriteString(d.Reasoning)
	for i := range s.ToolCalls {
		g.call(&s.ToolCalls[i])
	}
	if d != (lm.Delta{}) || len(s.ToolCalls) > 0 {
		g.tell(d)
	}
}

// call adds a fragment to the call that it is of: the one of the same index, unless
// it brings an id of its own, since some servers count none. Without an index it is
// of the last call.
func (g *gathering) call(c *call) {
	var to *partial
	for _, p := range g.calls {
		if c.Index == nil || p.index == *c.Index {
			to = p
		}
	}
	if to == nil || c.ID != "" && to.id != "" && c.ID != to.id {
		to = &partial{index: len(g.calls)}
		if c.Index != nil {
			to.index = *c.Index
		}
		g.calls = append(g.calls, to)
	}
	if c.ID != "" {
		to.id = c.ID
	}
	if to.name == "" {
		to.name = c.Function.Name
	}
	to.args.WriteString(string(c.Function.Arguments))
}

// response returns the whole reply.
func (g *gathering) response(req *lm.Request) *lm.Response {
	resp := &lm.Response{Text: g.text.String(), Reasoning: g.reasoning.String(), Finish: finish(g.reason), Model: g.name}
	if g.refusal {
		resp.Finish = lm.FinishFilter
	}
	for _, p := range g.calls {
		resp.ToolCalls = append(resp.ToolCalls, lm.ToolCall{ID: p.id, Name: p.name, Arguments: arguments(p.args.String())})
	}
	settle(resp, req)
	resp.Usage = g.usage.counted(req, resp)
	if g.usage != nil {
		resp.Cost = g.usage.Cost
	}
	resp.Raw = g.raw(resp)
	return resp
}

// raw returns the reply as it would have come in one piece, for the trace.
func (g *gathering) raw(resp *lm.Response) json.RawMessage {
	type whole struct {
		Content   string     `json:"content"`
		Reasoning string     `json:"reasoning,omitempty"`
		ToolCalls []toolCall `json:"tool_calls,omitempty"`
	}
	w := whole{Content: resp.Text, Reasoning: resp.Reasoning}
	for _, c := range resp.ToolCalls {
		w.ToolCalls = append(w.ToolCalls, toolCall{c.ID, "function", function{c.Name, written(c.Arguments)}})
	}
	out, err := json.Marshal(map[string]any{
		"object": "chat.completion", "model": g.name, "usage": g.usage,
		"choices": []any{map[string]any{"index": 0, "message": w, "finish_reason": g.reason}},
	})
	if err != nil {
		return nil
	}
	return out
}
