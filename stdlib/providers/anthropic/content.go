package anthropic

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/turns"
)

// message is one turn: the user's or the assistant's.
type message struct {
	Role    lm.Role `json:"role"`
	Content content `json:"content"`
}

// content is a list of blocks. One that is a single text is written as a string.
type content []block

// MarshalJSON writes the blocks, or the only text.
func (c content) MarshalJSON() ([]byte, error) {
	if len(c) == 1 && c[0].Type == "text" {
		return json.Marshal(c[0].Text)
	}
	return json.Marshal([]block(c))
}

// block is a piece of a message that is sent.
type block struct {
	Type string `json:"type"`
	Text string `json:"text,omitempty"` // text

	Source *source `json:"source,omitempty"` // image, document
	Title  string  `json:"title,omitempty"`  // document

	ID    string          `json:"id,omitempty"` // tool_use
	Name  string          `json:"name,omitempty"`
	Input json.RawMessage `json:"input,omitempty"`

	ToolUseID string  `json:"tool_use_id,omitempty"` // tool_result
	Content   content `json:"content,omitempty"`
}

// source is where the bytes of an image or a document are.
type source struct {
	Type      string `json:"type"` // base64, url, text
	MediaType string `json:"media_type,omitempty"`
	Data      any    `json:"data,omitempty"` // []byte is written as base64
	URL       string `json:"url,omitempty"`
}

// pictures are the media types of images that the protocol takes.
var pictures = []string{"image/jpeg", "image/png", "image/gif", "image/webp"}

// blocks returns what a message says, or why it cannot be sent.
func (m *Model) blocks(msg lm.Message) (out content, problem string) {
	parts := msg.Parts
	if parts == nil {
		parts = []lm.Part{{Text: msg.Content}}
	}
	for _, p := range parts {
		switch {
		case p.Media != nil:
			b, problem := m.media(p.Media)
			if problem != "" {
				return nil, problem
			}
			out = append(out, b)
		case p.Text != "" || msg.Parts == nil && len(msg.ToolCalls) == 0 && msg.Role != lm.ToolRole:
			out = append(out, block{Type: "text", Text: p.Text})
		}
	}
	for _, c := range msg.ToolCalls {
		out = append(out, block{Type: "tool_use", ID: c.ID, Name: c.Name, Input: turns.Object(c.Arguments)})
	}
	if msg.Role == lm.ToolRole {
		return content{{Type: "tool_result", ToolUseID: msg.ToolCallID, Content: out}}, ""
	}
	return out, ""
}

// media returns an image or a document as a block.
func (m *Model) media(x *lm.Media) (b block, problem string) {
	b.Type = "image"
	if x.Kind == lm.File {
		b.Type, b.Title = "document", x.Name
	}
	if len(x.Data) == 0 {
		b.Source = &source{Type: "url", URL: x.URL}
		return b, ""
	}
	kind := turns.Type(x)
	switch {
	case x.Kind == lm.Image && slices.Contains(pictures, kind), x.Kind == lm.File && kind == "application/pdf":
		b.Source = &source{Type: "base64", MediaType: kind, Data: x.Data}
	case x.Kind == lm.File && turns.IsText(kind):
		b.Source = &source{Type: "text", MediaType: "text/plain", Data: string(x.Data)}
	case x.Kind == lm.Image:
		return b, turns.Unable(m.name, x, "it takes JPEG, PNG, GIF and WebP, and this is "+orUnknown(kind))
	default:
		return b, turns.Unable(m.name, x, "it takes PDF and plain text, and this is "+orUnknown(kind))
	}
	return b, ""
}

func orUnknown(kind string) string {
	if kind == "" {
		return "of an unknown type"
	}
	return kind
}

// join adds the blocks of a neighbour of the same role. Two texts become one.
func (c content) join(more content) content {
	if len(c) == 1 && len(more) == 1 && c[0].Type == "text" && more[0].Type == "text" {
		return content{{Type: "text", Text: strings.Join([]string{c[0].Text, more[0].Text}, between)}}
	}
	return append(slices.Clip(c), more...)
}
