package history

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/lang/value"
)

// Message is a message of a Request, its media without their bytes.
type Message struct {
	Role       lm.Role       `json:"role"`
	Content    string        `json:"content"`
	Parts      []Part        `json:"parts,omitempty"`
	ToolCalls  []lm.ToolCall `json:"tool_calls,omitempty"`
	ToolCallID string        `json:"tool_call_id,omitempty"`
}

// Part is a piece of a message: a text, or a medium.
type Part struct {
	Text  string `json:"text,omitempty"`
	Media *Media `json:"media,omitempty"`
}

// Media is what is kept of a picture, sound or document.
type Media struct {
	Kind   lm.MediaKind `json:"kind"`
	URL    string       `json:"url,omitempty"` // without user and query
	Type   string       `json:"type,omitempty"`
	Name   string       `json:"name,omitempty"`
	Size   int          `json:"size,omitempty"` // of the bytes
	SHA256 string       `json:"sha256,omitempty"`
}

// mediaOf returns what is kept of a medium.
func mediaOf(m *lm.Media) *Media {
	out := &Media{Kind: m.Kind, Type: m.Type, Name: m.Name}
	data := m.Data
	if kind, bytes, ok := dataURL(m.URL); ok {
		data = bytes
		if out.Type == "" {
			out.Type = kind
		}
	} else {
		out.URL = plainURL(m.URL)
	}
	if len(data) > 0 {
		sum := sha256.Sum256(data)
		out.Size, out.SHA256 = len(data), hex.EncodeToString(sum[:])
	}
	return out
}

// plainURL returns a URL without its user and query, in which keys are sent.
func plainURL(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		before, _, _ := strings.Cut(text, "?")
		return before
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}

// dataURL reads data:TYPE;base64,BYTES.
func dataURL(text string) (kind string, data []byte, ok bool) {
	rest, ok := strings.CutPrefix(text, "data:")
	if !ok {
		return "", nil, false
	}
	head, body, ok := strings.Cut(rest, ",")
	if !ok {
		return "", nil, false
	}
	kind, coded := strings.CutSuffix(head, ";base64")
	if !coded {
		return kind, []byte(body), true
	}
	data, err := base64.StdEncoding.DecodeString(body)
	if err != nil {
		data = []byte(body)
	}
	return kind, data, true
}

// messagesOf returns what is kept of messages.
func messagesOf(messages []lm.Message) []Message {
	out := make([]Message, len(messages))
	for i, m := range messages {
		out[i] = Message{Role: m.Role, Content: m.Content, ToolCalls: m.ToolCalls, ToolCallID: m.ToolCallID}
		for _, p := range m.Parts {
			q := Part{Text: p.Text}
			if p.Media != nil {
				q.Media = mediaOf(p.Media)
			}
			out[i].Parts = append(out[i].Parts, q)
		}
	}
	return out
}

// String names a medium for people: its kind, name, type, size and hash.
func (m *Media) String() string {
	s := (&lm.Media{Kind: m.Kind, URL: m.URL, Type: m.Type, Name: m.Name}).String()
	if m.Size > 0 {
		s = strings.TrimSuffix(s, ">") + ", " + bytesText(m.Size) + ", sha256 " + m.SHA256[:min(12, len(m.SHA256))] + ">"
	}
	return s
}

// Text returns the text of a message, each medium shown as its String.
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

// longData is from how many characters on a text in a value that is the bytes of a
// medium is kept as its size and hash.
const longData = 24

// valueJSON returns a value as JSON, the bytes of media in it as their size and
// hash.
func valueJSON(v any) json.RawMessage {
	return value.EncodeJSON(withoutBytes(v))
}

// withoutBytes returns v itself where there is nothing to replace.
func withoutBytes(v any) any {
	switch v := v.(type) {
	case string:
		if len(v) >= longData && strings.HasPrefix(v, "data:") {
			if kind, data, ok := dataURL(v); ok {
				return "data:" + kind + ";" + hashText(data)
			}
		}
	case []any:
		for i, x := range v {
			y := withoutBytes(x)
			if same(x, y) {
				continue
			}
			out := append([]any{}, v...)
			out[i] = y
			for j := i + 1; j < len(v); j++ {
				out[j] = withoutBytes(v[j])
			}
			return out
		}
	case *value.Object:
		if v == nil {
			return nil
		}
		_, typed := v.Get("media_type")
		changed := &value.Object{}
		differs := false
		for name, x := range v.All() {
			y := withoutBytes(x)
			if text, ok := x.(string); ok && typed && name == "data" && len(text) >= longData {
				data, err := base64.StdEncoding.DecodeString(text)
				if err != nil {
					data = []byte(text)
				}
				y = hashText(data)
			}
			differs = differs || !same(x, y)
			changed.Set(name, y)
		}
		if differs {
			return changed
		}
	}
	return v
}

// same reports whether withoutBytes left a value as it is.
func same(x, y any) bool {
	switch x := x.(type) {
	case string:
		s, ok := y.(string)
		return ok && s == x
	case []any:
		s, ok := y.([]any)
		return ok && len(s) == len(x) && (len(x) == 0 || &s[0] == &x[0])
	case *value.Object:
		return y == any(x)
	}
	return true
}

func hashText(data []byte) string {
	sum := sha256.Sum256(data)
	return bytesText(len(data)) + ", sha256 " + hex.EncodeToString(sum[:6])
}

// LM returns the request as it is sent to a model, and how many media in it have a
// mark in place of their bytes, which are not kept.
func (r *Request) LM() (req *lm.Request, marked int) {
	req = &lm.Request{Params: r.Params, Tools: r.Tools, ToolChoice: r.ToolChoice, Format: r.Format, Rollout: r.Rollout}
	for _, m := range r.Messages {
		out := lm.Message{Role: m.Role, Content: m.Content, ToolCalls: m.ToolCalls, ToolCallID: m.ToolCallID}
		for _, p := range m.Parts {
			q := lm.Part{Text: p.Text}
			if p.Media != nil {
				q.Media = &lm.Media{Kind: p.Media.Kind, URL: p.Media.URL, Type: p.Media.Type, Name: p.Media.Name}
				if p.Media.URL == "" {
					q.Media.Data = []byte(p.Media.String())
					marked++
				}
			}
			out.Parts = append(out.Parts, q)
		}
		req.Messages = append(req.Messages, out)
	}
	return req, marked
}
