package bedrock

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/turns"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/wire"
)

// streamType is the media type of events in frames with checksums.
const streamType = "application/vnd.amazon.eventstream"

// event is the payload of one: messageStart, then for each block contentBlockStart
// (of text it may be missing), contentBlockDelta and contentBlockStop, then
// messageStop and metadata. Which it is stands in the frame's headers.
type event struct {
	Index int `json:"contentBlockIndex"`
	Start struct {
		ToolUse *toolUse `json:"toolUse"`
	} `json:"start"`
	Delta struct {
		Text    string `json:"text"`
		ToolUse *struct {
			Input string `json:"input"`
		} `json:"toolUse"`
		Reasoning *struct {
			Text      string `json:"text"`
			Signature string `json:"signature"`
			Redacted  string `json:"redactedContent"`
		} `json:"reasoningContent"`
	} `json:"delta"`
	StopReason string `json:"stopReason"` // messageStop
	Usage      *usage `json:"usage"`      // metadata
}

// gathering is a reply while it is written.
type gathering struct {
	endpoint   *wire.Endpoint
	tell       func(lm.Delta)
	blocks     []grown
	stopReason string
	ended      bool
	usage      *usage
}

// grown is what the pieces of a block are together.
type grown struct {
	tool                                *toolUse
	said                                bool
	text, thought, signature, arguments []byte
}

// stream makes the request and puts the reply together, block by block.
func (m *Model) stream(ctx context.Context, body *converse, req *lm.Request) (*lm.Response, error) {
	e := m.streamed
	g := &gathering{endpoint: e, tell: req.OnDelta}
	var whole json.RawMessage
	err := e.Stream(ctx, body, streamType, func(kind string, r io.Reader) (err error) {
		switch {
		case kind == streamType:
			return g.frames(r)
		case kind == "" || strings.HasSuffix(kind, "json"):
			whole, err = io.ReadAll(r)
			return err
		}
		start := make([]byte, 4<<10)
		n, _ := io.ReadFull(r, start)
		return e.Malformed(start[:n], "the reply is "+kind+" where a stream was expected; does base_url point at the right server?", nil)
	})
	switch {
	case err != nil:
		return nil, err
	case whole != nil: // a server that does not stream
		var r reply
		if err := json.Unmarshal(whole, &r); err != nil {
			return nil, e.Malformed(whole, "the reply is no reply of Converse", err)
		}
		resp, err := m.read(e, &r, whole, req)
		if err == nil {
			lm.Whole(req, resp)
		}
		return resp, err
	case !g.ended:
		return nil, e.Malformed(nil, "the stream ended before the reply did", nil)
	}
	r := g.reply()
	raw, err := json.Marshal(&r)
	if err != nil {
		return nil, e.Malformed(nil, "the reply cannot be put together", err)
	}
	return m.read(e, &r, raw, req)
}

// frames takes the events out of their frames.
func (g *gathering) frames(r io.Reader) error {
	decoder := eventstream.NewDecoder()
	seen := &ear{r: r}
	var buffer []byte
	for {
		seen.start = seen.start[:0]
		frame, err := decoder.Decode(seen, buffer[:0])
		switch {
		case err == io.EOF && len(seen.start) == 0:
			return nil
		case seen.err != nil:
			return seen.err // wire tells why the body broke off
		case err != nil:
			return g.endpoint.Malformed(seen.start, "the stream broke off in a frame, or the frame is damaged", err)
		}
		buffer = frame.Payload
		if err := g.take(frame); err != nil {
			return err
		}
	}
}

// ear reads on, keeps how a frame begins and why reading failed.
type ear struct {
	r     io.Reader
	start []byte
	err   error
}

func (e *ear) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	if room := 256 - len(e.start); room > 0 {
		e.start = append(e.start, p[:min(n, room)]...)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		e.err = err
	}
	return n, err
}

// take adds an event to the reply.
func (g *gathering) take(frame eventstream.Message) error {
	header := func(name string) string {
		if v := frame.Headers.Get(name); v != nil {
			return v.String()
		}
		return ""
	}
	switch header(":message-type") {
	case "exception":
		return g.failed(header(":exception-type"), complaint(frame.Payload).Message)
	case "error":
		return g.failed(header(":error-code"), header(":error-message"))
	}
	var e event
	if err := json.Unmarshal(frame.Payload, &e); err != nil {
		return g.endpoint.Malformed(frame.Payload, "an event of the stream is no JSON object of the protocol", err)
	}
	switch header(":event-type") {
	case "contentBlockStart", "contentBlockDelta":
		return g.grow(&e, frame.Payload)
	case "messageStop":
		g.stopReason, g.ended = e.StopReason, true
	case "metadata":
		g.usage = e.Usage
		if g.ended {
			return wire.ErrEnd
		}
	}
	return nil
}

// grow adds a piece to a block, which begins with its first piece.
func (g *gathering) grow(e *event, payload []byte) error {
	switch {
	case e.Index == len(g.blocks):
		g.blocks = append(g.blocks, grown{})
	case e.Index < 0 || e.Index > len(g.blocks):
		return g.endpoint.Malformed(payload, "a block of the stream begins out of order", nil)
	}
	b, d := &g.blocks[e.Index], e.Delta
	if e.Start.ToolUse != nil {
		b.tool = e.Start.ToolUse
	}
	if d.ToolUse != nil {
		b.arguments = append(b.arguments, d.ToolUse.Input...)
		g.tell(lm.Delta{}) // a sign of life
	}
	if d.Reasoning != nil {
		b.thought = append(b.thought, d.Reasoning.Text...)
		b.signature = append(b.signature, d.Reasoning.Signature...)
		if d.Reasoning.Text != "" {
			g.tell(lm.Delta{Reasoning: d.Reasoning.Text})
		}
		return nil
	}
	if b.tool == nil && d.ToolUse == nil {
		b.said = true
		b.text = append(b.text, d.Text...)
		if d.Text != "" {
			g.tell(lm.Delta{Text: d.Text})
		}
	}
	return nil
}

// reply returns what the pieces are together.
func (g *gathering) reply() reply {
	r := reply{StopReason: g.stopReason, Usage: g.usage}
	said := &message{Role: lm.Assistant, Content: []block{}}
	for _, b := range g.blocks {
		switch {
		case b.tool != nil:
			said.Content = append(said.Content, block{ToolUse: &toolUse{b.tool.ToolUseID, b.tool.Name, turns.Written(b.arguments)}})
		case b.thought != nil || b.signature != nil:
			t := &reasoning{}
			t.ReasoningText = &struct {
				Text      string `json:"text"`
				Signature string `json:"signature,omitempty"`
			}{string(b.thought), string(b.signature)}
			said.Content = append(said.Content, block{Reasoning: t})
		case b.said:
			text := string(b.text)
			said.Content = append(said.Content, block{Text: &text})
		}
	}
	r.Output.Message = said
	return r
}

// kinds are the kinds of failure that an exception in a stream stands for.
var kinds = map[string]lm.Kind{
	"throttlingException":         lm.KindRateLimit,
	"serviceUnavailableException": lm.KindServer,
	"internalServerException":     lm.KindServer,
	"modelStreamErrorException":   lm.KindServer,
	"modelTimeoutException":       lm.KindTimeout,
	"validationException":         lm.KindRequest,
}

// failed is the failure that a server reports in place of the rest of a reply.
func (g *gathering) failed(name, said string) *lm.Error {
	kind := kinds[name]
	if kind == "" {
		kind = lm.KindServer
	}
	if said == "" {
		said = name
	}
	return g.endpoint.Fail(kind, "the server ended the reply with an error: "+said, nil)
}
