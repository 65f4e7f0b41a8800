package bedrock

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/turns"
)

// message is one turn: the user's or the assistant's.
type message struct {
	Role    lm.Role `json:"role"`
	Content []block `json:"content"`
}

// block is a piece of a message, sent or read. One of its fields is set.
type block struct {
	Text       *string         `json:"text,omitempty"`
	Image      *media          `json:"image,omitempty"`
	Audio      *media          `json:"audio,omitempty"`
	Document   *media          `json:"document,omitempty"`
	ToolUse    *toolUse        `json:"toolUse,omitempty"`
	ToolResult *toolResult     `json:"toolResult,omitempty"`
	JSON       json.RawMessage `json:"json,omitempty"` // in a toolResult
	Reasoning  *reasoning      `json:"reasoningContent,omitempty"`
}

type media struct {
	Format string `json:"format"`
	Name   string `json:"name,omitempty"` // of a document
	Source source `json:"source"`
}

type source struct {
	Bytes      []byte    `json:"bytes,omitempty"` // written as base64
	S3Location *location `json:"s3Location,omitempty"`
}

type location struct {
	URI string `json:"uri"`
}

type toolUse struct {
	ToolUseID string          `json:"toolUseId"`
	Name      string          `json:"name"`
	Input     json.RawMessage `json:"input"`
}

type toolResult struct {
	ToolUseID string  `json:"toolUseId"`
	Content   []block `json:"content"`
}

type reasoning struct {
	ReasoningText *struct {
		Text      string `json:"text"`
		Signature string `json:"signature,omitempty"`
	} `json:"reasoningText,omitempty"`
	RedactedContent string `json:"redactedContent,omitempty"`
}

// formats are Converse's names for media types.
var formats = map[lm.MediaKind]map[string]string{
	lm.Image: {"image/png": "png", "image/jpeg": "jpeg", "image/gif": "gif", "image/webp": "webp"},
	lm.Audio: {"audio/wav": "wav", "audio/x-wav": "wav", "audio/wave": "wav", "audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/ogg": "ogg", "audio/flac": "flac",
		"audio/mp4": "m4a", "audio/aac": "aac", "audio/opus": "opus", "audio/webm": "webm"},
	lm.File: {"application/pdf": "pdf", "text/csv": "csv", "text/html": "html", "text/plain": "txt", "text/markdown": "md",
		"application/msword": "doc", "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
		"application/vnd.ms-excel": "xls", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx"},
}

// blocks returns what a message says, or why it cannot be sent. documents counts those
// of the request, whose names must differ.
func (m *Model) blocks(msg lm.Message, documents *int) (out []block, problem string) {
	parts := msg.Parts
	if parts == nil {
		parts = []lm.Part{{Text: msg.Content}}
	}
	for _, p := range parts {
		switch {
		case p.Media != nil:
			b, problem := m.media(p.Media, documents)
			if problem != "" {
				return nil, problem
			}
			out = append(out, b)
		case strings.TrimSpace(p.Text) != "" || msg.Parts == nil && len(msg.ToolCalls) == 0 && msg.Role != lm.ToolRole:
			out = append(out, block{Text: &p.Text})
		}
	}
	for _, c := range msg.ToolCalls {
		out = append(out, block{ToolUse: &toolUse{c.ID, c.Name, turns.Object(c.Arguments)}})
	}
	if msg.Role != lm.ToolRole {
		return out, ""
	}
	if len(out) == 0 {
		out = []block{{JSON: json.RawMessage("{}")}} // a blank text is refused
	}
	return []block{{ToolResult: &toolResult{msg.ToolCallID, out}}}, ""
}

// media returns a picture, a sound or a document as a block.
func (m *Model) media(x *lm.Media, documents *int) (b block, problem string) {
	kind := turns.Type(x)
	format := formats[x.Kind][kind]
	if format == "" && x.Kind == lm.File && turns.IsText(kind) {
		format = "txt"
	}
	if format == "" {
		known := map[string]bool{}
		for _, f := range formats[x.Kind] {
			known[f] = true
		}
		var names []string
		for f := range known {
			names = append(names, f)
		}
		slices.Sort(names)
		return b, turns.Unable(m.name, x, fmt.Sprintf("Bedrock takes %s, and this is %q", strings.Join(names, ", "), kind))
	}
	sent := &media{Format: format, Source: source{Bytes: x.Data}}
	if len(x.Data) == 0 {
		if !strings.HasPrefix(x.URL, "s3://") {
			return b, turns.Unable(m.name, x, "Bedrock takes its bytes, or a URL that begins with s3://")
		}
		sent.Source.S3Location = &location{x.URL}
	}
	switch x.Kind {
	case lm.Image:
		b.Image = sent
	case lm.Audio:
		b.Audio = sent
	default:
		*documents++
		sent.Name = title(x.Name, *documents)
		b.Document = sent
	}
	return b, ""
}

// title returns a name that Converse takes for the nth document: without extension, of
// letters, digits, single blanks, hyphens and brackets.
func title(name string, n int) string {
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		name = name[:i]
	}
	name = strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', strings.ContainsRune("-()[]", r):
			return r
		}
		return ' '
	}, name)
	name = strings.Join(strings.Fields(name), " ")
	switch {
	case name == "":
		return fmt.Sprintf("document %d", n)
	case n > 1:
		return fmt.Sprintf("%s %d", name, n)
	}
	return name
}
