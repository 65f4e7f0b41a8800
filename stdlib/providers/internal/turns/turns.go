// Package turns is what the providers have in common whose protocol wants a
// conversation in strict turns, or media and tools in objects of its own.
//
//	Object   the arguments of a call as a JSON object
//	Written  the arguments of a call as a model wrote them
//	Type     the media type of a picture, a sound or a document
//	IsText   whether a document is plain text
//	Names    which tool each call asks for
//	NewID    an ID for a call that came without one
//	Unable   why a model cannot be sent some kind of media
//	Refused  what a request asks for and a model cannot do
package turns

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// Object returns the arguments of a call as a JSON object. What a model wrote in
// place of one is kept as its only field, so that the model sees what it wrote.
func Object(arguments json.RawMessage) json.RawMessage {
	trimmed := bytes.TrimSpace(arguments)
	if len(trimmed) == 0 {
		return json.RawMessage("{}")
	}
	if trimmed[0] == '{' && json.Valid(trimmed) {
		return json.RawMessage(trimmed)
	}
	text := string(arguments)
	_ = json.Unmarshal(arguments, &text)
	out, _ := json.Marshal(map[string]string{"unreadable": text})
	return out
}

// Written returns the arguments of a call as a model wrote them: as they are when they
// are JSON, else as a JSON string, since a reply may end in the middle of them.
func Written(arguments []byte) json.RawMessage {
	trimmed := bytes.TrimSpace(arguments)
	if len(trimmed) == 0 {
		return json.RawMessage("{}")
	}
	if json.Valid(trimmed) {
		return json.RawMessage(trimmed)
	}
	out, _ := json.Marshal(string(arguments))
	return out
}

// extensions are the media types of what models take, by the extension of a name.
// The system's own table differs from machine to machine.
var extensions = map[string]string{
	".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp",
	".heic": "image/heic", ".heif": "image/heif",
	".wav": "audio/wav", ".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".flac": "audio/flac", ".m4a": "audio/mp4", ".aac": "audio/aac", ".aiff": "audio/aiff",
	".opus": "audio/opus", ".webm": "audio/webm",
	".pdf": "application/pdf", ".txt": "text/plain", ".md": "text/markdown", ".csv": "text/csv", ".html": "text/html", ".htm": "text/html",
	".xml": "text/xml", ".json": "application/json", ".yaml": "application/yaml", ".yml": "application/yaml",
	".doc": "application/msword", ".xls": "application/vnd.ms-excel",
	".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

// Type returns the media type of m without parameters: as it is said, or as its name,
// its bytes or its URL tell; "" when nothing does.
func Type(m *lm.Media) string {
	kind := m.Type
	if kind == "" {
		kind = extensions[strings.ToLower(path.Ext(m.Name))]
	}
	if kind == "" && len(m.Data) > 0 {
		kind = http.DetectContentType(m.Data)
	}
	if kind == "" && m.URL != "" {
		if u, err := url.Parse(m.URL); err == nil {
			kind = extensions[strings.ToLower(path.Ext(u.Path))]
		}
	}
	kind, _, _ = strings.Cut(kind, ";")
	return strings.ToLower(strings.TrimSpace(kind))
}

// IsText reports whether a media type is of text that a model can read as it is.
func IsText(kind string) bool {
	switch kind {
	case "application/json", "application/xml", "application/yaml", "application/x-yaml", "application/javascript", "application/toml":
		return true
	}
	return strings.HasPrefix(kind, "text/")
}

// Names tells which tool each call of a conversation asks for, while the messages are
// read in order: where calls of two turns have one ID, the later counts.
type Names map[string]string

// Read notes the calls that a message asks for.
func (n *Names) Read(m lm.Message) {
	for _, c := range m.ToolCalls {
		if *n == nil {
			*n = Names{}
		}
		(*n)[c.ID] = c.Name
	}
}

// NewID returns an ID for a call of a protocol that has none: the nth of a reply to
// req, from 1. It differs from those of the calls that are in req.
func NewID(req *lm.Request, n int) string {
	for _, m := range req.Messages {
		n += len(m.ToolCalls)
	}
	return "call_" + strconv.Itoa(n)
}

// Unable is why model cannot be sent m.
func Unable(model string, m *lm.Media, why string) string {
	return model + " cannot take the " + strings.Trim(m.String(), "<>") + ": " + why
}

// Refused returns what req asks for that a model with these features cannot do, in
// words that tell the way out, or "".
func Refused(model string, can lm.Features, req *lm.Request) string {
	switch {
	case len(req.Tools) > 0 && !can.Tools:
		return model + " cannot ask for tools; leave them out or choose another model"
	case req.Format != nil && len(req.Format.Schema) > 0 && !can.Schema:
		return model + " cannot be held to a JSON Schema; ask for JSON in the prompt or choose another model"
	case req.Format != nil && len(req.Format.Schema) == 0 && !can.JSON:
		return model + " cannot be held to JSON without a schema; give one or ask for JSON in the prompt"
	}
	for _, msg := range req.Messages {
		for _, p := range msg.Parts {
			if p.Media == nil {
				continue
			}
			switch {
			case msg.Role != lm.User && msg.Role != lm.ToolRole:
				return Unable(model, p.Media, "media can stand only in what the user says")
			case p.Media.Kind == lm.Image && !can.Images:
				return Unable(model, p.Media, "it takes no pictures")
			case p.Media.Kind == lm.Audio && !can.Audio:
				return Unable(model, p.Media, "it takes no sounds")
			case p.Media.Kind == lm.File && !can.Files:
				return Unable(model, p.Media, "it takes no documents")
			case len(p.Media.Data) == 0 && p.Media.URL == "":
				return Unable(model, p.Media, "there is neither a URL nor bytes")
			}
		}
	}
	return ""
}
