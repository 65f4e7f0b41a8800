package anthropic

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/turns"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/wire"
)

// event is one of a stream: message_start, then for each block content_block_start,
// any number of content_block_delta and content_block_stop, then message_delta and
// message_stop; ping and error anywhere. Others may come and are passed over.
type event struct {
	Type    string          `json:"type"`
	Message json.RawMessage `json:"message"` // message_start
	Index   int             `json:"index"`
	Block   *said           `json:"content_block"` // content_block_start
	Delta   struct {
		Type        string `json:"type"`
		Text        string `json:"text"`
		Thinking    string `json:"thinking"`
		Signature   string `json:"signature"`
		PartialJSON string `json:"partial_json"`
		StopReason  string `json:"stop_reason"` // message_delta
	} `json:"delta"`
	Usage json.RawMessage `json:"usage"` // message_delta
	Error *complains      `json:"error"`
}

// gathering is a reply while it is written.
type gathering struct {
	model   *Model
	tell    func(lm.Delta)
	reply   reply
	grown   []grown // of the block of the same index
	started bool
	ended   bool
}

// grown is what the pieces of a block are together.
type grown struct{ text, thinking, signature, input []byte }

// stream makes the request and puts the reply together, block by block.
func (m *Model) stream(ctx context.Context, body *messages, req *lm.Request) (*lm.Response, error) {
	g := &gathering{model: m, tell: req.OnDelta}
	var whole json.RawMessage
	err := m.endpoint.Events(ctx, body, func(name string, data []byte) error {
		if name == wire.NameJSON {
			whole = append(json.RawMessage(nil), data...)
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
			return nil, m.endpoint.Malformed(whole, "the reply is no message", err)
		}
		resp, err := m.read(&r, whole, req)
		if err == nil {
			lm.Whole(req, resp)
		}
		return resp, err
	case !g.ended:
		return nil, m.endpoint.Malformed(nil, "the stream ended before the reply did", nil)
	}
	for i, p := range g.grown {
		b := &g.reply.Content[i]
		b.Text, b.Thinking, b.Signature = string(p.text), string(p.thinking), string(p.signature)
		if b.Type == "tool_use" {
			b.Input = turns.Written(p.input)
		}
	}
	raw, err := json.Marshal(&g.reply)
	if err != nil {
		return nil, m.endpoint.Malformed(nil, "the reply cannot be put together", err)
	}
	return m.read(&g.reply, raw, req)
}

// take adds an event to the reply.
func (g *gathering) take(data []byte) error {
	var e event
	if err := json.Unmarshal(data, &e); err != nil {
		return g.broken(data, "an event of the stream is no JSON object of the protocol", err)
	}
	switch e.Type {
	case "error":
		return g.model.failed(e.Error)
	case "message_start":
		if err := json.Unmarshal(e.Message, &g.reply); err != nil {
			return g.broken(data, "the stream begins with no message", err)
		}
		g.reply.Content, g.started = []said{}, true
	case "content_block_start":
		return g.open(&e, data)
	case "content_block_delta":
		return g.grow(&e, data)
	case "message_delta":
		if e.Delta.StopReason != "" {
			g.reply.StopReason = e.Delta.StopReason
		}
		if len(e.Usage) > 0 {
			if g.reply.Usage == nil {
				g.reply.Usage = &usage{}
			}
			// Counts that are not repeated keep what the start said.
			if err := json.Unmarshal(e.Usage, g.reply.Usage); err != nil {
				return g.broken(data, "the stream's usage is not in the protocol's form", err)
			}
		}
	case "message_stop":
		if !g.started {
			return g.broken(data, "the stream ends a message that it did not begin", nil)
		}
		g.ended = true
		return wire.ErrEnd
	}
	return nil
}

// open begins a block.
func (g *gathering) open(e *event, data []byte) error {
	if !g.started || e.Block == nil || e.Index != len(g.reply.Content) {
		return g.broken(data, "a block of the stream begins out of order", nil)
	}
	b := *e.Block
	g.reply.Content = append(g.reply.Content, b)
	g.grown = append(g.grown, grown{text: []byte(b.Text), thinking: []byte(b.Thinking), signature: []byte(b.Signature)})
	if b.Text != "" || b.Thinking != "" {
		g.tell(lm.Delta{Text: b.Text, Reasoning: b.Thinking})
	}
	return nil
}

// grow adds a piece to a block.
func (g *gathering) grow(e *event, data []byte) error {
	if e.Index < 0 || e.Index >= len(g.reply.Content) {
		return g.broken(data, fmt.Sprintf("the stream continues block %d, which did not begin", e.Index), nil)
	}
	b, d := &g.grown[e.Index], e.Delta
	b.text = append(b.text, d.Text...)
	b.thinking = append(b.thinking, d.Thinking...)
	b.signature = append(b.signature, d.Signature...)
	b.input = append(b.input, d.PartialJSON...)
	g.tell(lm.Delta{Text: d.Text, Reasoning: d.Thinking}) // a sign of life if it is empty
	return nil
}

func (g *gathering) broken(data []byte, problem string, cause error) error {
	return g.model.endpoint.Malformed(data, problem, cause)
}
