package gemini

import (
	"encoding/json"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/turns"
)

// content is one turn: the user's or the model's.
type content struct {
	Role  string `json:"role,omitempty"` // user, model; none for instructions
	Parts []part `json:"parts"`
}

// part is a piece of a message, sent or read.
type part struct {
	Text             string    `json:"text,omitempty"`
	Thought          bool      `json:"thought,omitempty"` // the text is of a summary of thoughts
	InlineData       *blob     `json:"inlineData,omitempty"`
	FileData         *file     `json:"fileData,omitempty"`
	FunctionCall     *called   `json:"functionCall,omitempty"`
	FunctionResponse *answered `json:"functionResponse,omitempty"`
	// ThoughtSignature goes with a call and must come back with it.
	ThoughtSignature string `json:"thoughtSignature,omitempty"`
}

type blob struct {
	MimeType string `json:"mimeType"`
	Data     []byte `json:"data"` // written as base64
}

type file struct {
	MimeType string `json:"mimeType,omitempty"`
	FileURI  string `json:"fileUri"`
}

type called struct {
	ID   string          `json:"id,omitempty"`
	Name string          `json:"name"`
	Args json.RawMessage `json:"args,omitempty"`
}

type answered struct {
	ID       string          `json:"id,omitempty"`
	Name     string          `json:"name"`
	Response json.RawMessage `json:"response"`
}

// parts returns what a message says, or why it cannot be sent. names are the tools of
// the calls so far.
func (m *Model) parts(msg lm.Message, names turns.Names) (out []part, problem string) {
	if msg.Role == lm.ToolRole {
		return m.answer(msg, names)
	}
	parts := msg.Parts
	if parts == nil && (msg.Content != "" || len(msg.ToolCalls) == 0) {
		parts = []lm.Part{{Text: msg.Content}}
	}
	for _, p := range parts {
		if p.Media == nil {
			out = append(out, part{Text: p.Text})
			continue
		}
		sent, problem := m.media(p.Media)
		if problem != "" {
			return nil, problem
		}
		out = append(out, sent)
	}
	for i, c := range msg.ToolCalls {
		id, signature := split(c.ID)
		if signature == "" && i == 0 && m.signs() {
			signature = unsigned
		}
		out = append(out, part{FunctionCall: &called{id, c.Name, turns.Object(c.Arguments)}, ThoughtSignature: signature})
	}
	return out, ""
}

// media returns a picture, a sound or a document as a part.
func (m *Model) media(x *lm.Media) (p part, problem string) {
	kind := turns.Type(x)
	switch {
	case len(x.Data) == 0:
		return part{FileData: &file{kind, x.URL}}, ""
	case kind == "" || kind == "application/octet-stream":
		return part{}, turns.Unable(m.name, x, "its media type is not known; give the file its usual extension")
	case x.Kind == lm.File && turns.IsText(kind) && kind != "text/html":
		kind = "text/plain" // of the many types of text some are not taken
	}
	return part{InlineData: &blob{kind, x.Data}}, ""
}

// answer returns what a tool answered: an object as it is, any other text as the result.
func (m *Model) answer(msg lm.Message, names turns.Names) (out []part, problem string) {
	id, _ := split(msg.ToolCallID)
	var text strings.Builder
	text.WriteString(msg.Content)
	for _, p := range msg.Parts {
		if p.Media == nil {
			text.WriteString(p.Text)
			continue
		}
		sent, problem := m.media(p.Media)
		if problem != "" {
			return nil, problem
		}
		out = append(out, sent)
	}
	response := json.RawMessage(text.String())
	if trimmed := strings.TrimSpace(text.String()); !strings.HasPrefix(trimmed, "{") || !json.Valid(response) {
		response, _ = json.Marshal(map[string]string{"result": text.String()})
	}
	return append([]part{{FunctionResponse: &answered{id, names[msg.ToolCallID], response}}}, out...), ""
}

// The ID of a call is what we make of the server's, if it gives one, and the signature
// that must come back with the call: nothing else of a call is kept between turns.
const mark = "_signed_"

// unsigned is what the documentation gives for calls that no Gemini model has made,
// which models that sign their calls refuse without a signature.
const unsigned = "skip_thought_signature_validator"

// signs reports whether the model signs its calls.
func (m *Model) signs() bool { return m.version >= 30 }

// own begins the IDs that are ours and that no server knows.
const own = "call_"

// join makes the ID of a call. The letters of base64 that other protocols do not take
// in an ID are written as in URLs.
func join(id, signature string) string {
	if signature == "" {
		return id
	}
	return id + mark + strings.NewReplacer("+", "-", "/", "_", "=", "").Replace(signature)
}

// split takes the ID of a call apart again: the server's, and the signature.
func split(id string) (string, string) {
	id, signature, _ := strings.Cut(id, mark)
	if strings.HasPrefix(id, own) {
		id = ""
	}
	if signature == "" {
		return id, ""
	}
	signature = strings.NewReplacer("-", "+", "_", "/").Replace(signature)
	return id, signature + strings.Repeat("=", -len(signature)&3)
}
