package lm

import (
	"encoding/json"
	"strings"
)

// Message is one turn of the conversation that is sent. Its content is Content,
// or Parts where it is more than one text.
type Message struct {
	Role    Role   `json:"role"`
	Content string `json:"content"`
	Parts   []Part `json:"parts,omitempty"`
	// ToolCalls are what an Assistant message asked for; ToolCallID says of a
	// ToolRole message which of them it answers.
	ToolCalls  []ToolCall `json:"tool_calls,omitempty"`
	ToolCallID string     `json:"tool_call_id,omitempty"`
}

// Text returns the text of a message; of parts, their texts together, each
// picture, sound or file shown as its String.
func (m Message) Text() string {
	if m.Parts == nil {
		return m.Content
	}
	var b strings.Builder
	for _, p := range m.Parts {
		if p.Media != nil {
			b.WriteString(p.Media.String())
		} else {
			b.WriteString(p.Text)
		}
	}
	return b.String()
}

// Part is a piece of a message: a text, or Media.
type Part struct {
	Text  string `json:"text,omitempty"`
	Media *Media `json:"media,omitempty"`
}

// MediaKind says what a Media is.
type MediaKind string

// The kinds of media.
const (
	Image MediaKind = "image"
	Audio MediaKind = "audio"
	File  MediaKind = "file"
)

// Media is a picture, a sound or a document: at a URL, or its bytes.
type Media struct {
	Kind MediaKind `json:"kind"`
	URL  string    `json:"url,omitempty"`
	Data []byte    `json:"data,omitempty"` // base64 in JSON
	Type string    `json:"type,omitempty"` // media type of Data: image/png
	Name string    `json:"name,omitempty"` // a file's name, without its folder
}

// String names the media for people, without its bytes.
func (m *Media) String() string {
	what := string(m.Kind)
	switch {
	case m.Name != "":
		what += " " + m.Name
	case m.URL != "":
		what += " " + m.URL
	}
	if m.Type != "" {
		what += " " + m.Type
	}
	return "<" + what + ">"
}

// Tool is a function that a model may ask for.
type Tool struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters"` // JSON Schema of an object
	Strict      bool            `json:"strict,omitempty"`
}

// ToolCall is a function that a model asks for.
type ToolCall struct {
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Arguments json.RawMessage `json:"arguments"` // a JSON object, or what the model wrote in its place
}

// Format is what the text of a reply must be: JSON that fits a schema.
type Format struct {
	Name   string          `json:"name"`             // of the schema, for providers that want one
	Schema json.RawMessage `json:"schema,omitempty"` // JSON Schema in the provider's dialect; nil: any JSON object
}
