package openai

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/turns"
)

// completion is the body of a request.
type completion struct {
	Model               string         `json:"model"`
	Messages            []message      `json:"messages"`
	Temperature         *float64       `json:"temperature,omitempty"`
	TopP                *float64       `json:"top_p,omitempty"`
	MaxTokens           *int           `json:"max_tokens,omitempty"`
	MaxCompletionTokens *int           `json:"max_completion_tokens,omitempty"`
	Seed                *int           `json:"seed,omitempty"`
	RandomSeed          *int           `json:"random_seed,omitempty"`
	Stop                []string       `json:"stop,omitempty"`
	ReasoningEffort     string         `json:"reasoning_effort,omitempty"`
	Reasoning           *effort        `json:"reasoning,omitempty"`
	Tools               []tool         `json:"tools,omitempty"`
	ToolChoice          any            `json:"tool_choice,omitempty"`
	ResponseFormat      *form          `json:"response_format,omitempty"`
	Stream              bool           `json:"stream,omitempty"`
	StreamOptions       *streamOptions `json:"stream_options,omitempty"`
}

type effort struct {
	Effort string `json:"effort"`
}

type streamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

type message struct {
	Role       lm.Role    `json:"role"`
	Content    any        `json:"content"` // a string, []part, or null besides calls of tools
	ToolCalls  []toolCall `json:"tool_calls,omitempty"`
	ToolCallID string     `json:"tool_call_id,omitempty"`
}

type part struct {
	Type  string    `json:"type"`
	Text  string    `json:"text,omitempty"`
	Image *imageURL `json:"image_url,omitempty"`
	Audio *audio    `json:"input_audio,omitempty"`
	File  *file     `json:"file,omitempty"`
}

type imageURL struct {
	URL string `json:"url"`
}

type audio struct {
	Data   []byte `json:"data"` // base64
	Format string `json:"format"`
}

type file struct {
	Filename string `json:"filename,omitempty"`
	FileData string `json:"file_data"` // a data URL
}

type toolCall struct {
	ID       string   `json:"id"`
	Type     string   `json:"type"`
	Function function `json:"function"`
}

type function struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

type tool struct {
	Type     string     `json:"type"`
	Function definition `json:"function"`
}

type definition struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters"`
	Strict      bool            `json:"strict,omitempty"`
}

type form struct {
	Type   string  `json:"type"`
	Schema *schema `json:"json_schema,omitempty"`
}

type schema struct {
	Name   string          `json:"name"`
	Schema json.RawMessage `json:"schema"`
	Strict bool            `json:"strict"`
}

// body returns what is sent for req, or why it cannot be.
func (m *Model) body(req *lm.Request) (body *completion, problem string) {
	p := req.Params.Or(m.params)
	if problem = m.refused(req, p); problem != "" {
		return nil, problem
	}
	body = &completion{
		Model:       m.name,
		Messages:    make([]message, len(req.Messages)),
		Temperature: p.Temperature,
		TopP:        p.TopP,
		MaxTokens:   p.MaxTokens,
		Seed:        p.Seed,
		Stop:        p.Stop,
	}
	if m.preset.shortLimit || familyOf(m.name) != chat {
		body.MaxTokens, body.MaxCompletionTokens = nil, p.MaxTokens
	}
	if m.preset.seedName {
		body.Seed, body.RandomSeed = nil, p.Seed
	}
	switch {
	case p.ReasoningEffort == "":
	case m.preset.effortObject:
		body.Reasoning = &effort{p.ReasoningEffort}
	default:
		body.ReasoningEffort = p.ReasoningEffort
	}
	for i, msg := range req.Messages {
		if body.Messages[i], problem = m.message(msg); problem != "" {
			return nil, problem
		}
	}
	for _, t := range req.Tools {
		body.Tools = append(body.Tools, tool{"function", definition{t.Name, t.Description, parameters(t), t.Strict}})
	}
	if len(req.Tools) > 0 {
		if body.ToolChoice, problem = m.choice(req.ToolChoice); problem != "" {
			return nil, problem
		}
	}
	switch f := req.Format; {
	case f == nil:
	case f.Schema == nil:
		body.ResponseFormat = &form{Type: "json_object"}
	default:
		body.ResponseFormat = &form{Type: "json_schema", Schema: &schema{schemaName(f.Name), f.Schema, true}}
	}
	if req.OnDelta != nil && !(m.preset.wholeSchema && req.Format != nil && req.Format.Schema != nil) {
		body.Stream = true
		if !m.preset.noStreamOptions {
			body.StreamOptions = &streamOptions{IncludeUsage: true}
		}
	}
	return body, ""
}

// refused is why req cannot be sent over either protocol, or "".
func (m *Model) refused(req *lm.Request, p lm.Params) string {
	if len(req.Messages) == 0 {
		return "there is no message to send"
	}
	if problem := refuses(m.name, p); problem != "" {
		return problem
	}
	return turns.Refused(m.name, m.features, req)
}

// message writes a message in the protocol's form.
func (m *Model) message(msg lm.Message) (out message, problem string) {
	out = message{Role: msg.Role, ToolCallID: msg.ToolCallID}
	for _, c := range msg.ToolCalls {
		out.ToolCalls = append(out.ToolCalls, toolCall{c.ID, "function", function{c.Name, written(c.Arguments)}})
	}
	media := false
	for _, p := range msg.Parts {
		media = media || p.Media != nil
	}
	if !media {
		if text := msg.Text(); text != "" || len(out.ToolCalls) == 0 {
			out.Content = text
		}
		return out, ""
	}
	parts := make([]part, len(msg.Parts))
	for i, p := range msg.Parts {
		switch {
		case p.Media == nil:
			parts[i] = part{Type: "text", Text: p.Text}
		case msg.Role == lm.ToolRole:
			return out, turns.Unable(m.name, p.Media, "what a tool gives back can only be text")
		default:
			if parts[i], problem = m.media(p.Media); problem != "" {
				return out, turns.Unable(m.name, p.Media, problem)
			}
		}
	}
	out.Content = parts
	return out, ""
}

// media writes a picture, a sound or a document in the protocol's form.
func (m *Model) media(x *lm.Media) (p part, problem string) {
	kind := turns.Type(x)
	switch x.Kind {
	case lm.Image:
		if x.URL != "" {
			return part{Type: "image_url", Image: &imageURL{x.URL}}, ""
		}
		return part{Type: "image_url", Image: &imageURL{dataURL(kind, x.Data)}}, ""
	case lm.Audio:
		format := soundFormat(kind)
		switch {
		case x.URL != "":
			return p, "chat completions take the bytes of a sound and no URL"
		case format == "":
			return p, "chat completions take wav and mp3, and this is " + kind
		}
		return part{Type: "input_audio", Audio: &audio{x.Data, format}}, ""
	case lm.File:
		switch {
		case x.URL != "" && m.preset.fileURLs:
			return part{Type: "file", File: &file{x.Name, x.URL}}, ""
		case x.URL != "":
			return p, `chat completions take the bytes of a document and no URL; api = "responses" takes one`
		}
		return part{Type: "file", File: &file{x.Name, dataURL(kind, x.Data)}}, ""
	}
	return p, "nothing is known of its kind"
}

// dataURL writes bytes as a URL that holds them.
func dataURL(kind string, data []byte) string {
	return "data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(data)
}

// soundFormat returns the protocol's name for a media type, or "".
func soundFormat(kind string) string {
	switch kind {
	case "audio/wav", "audio/wave", "audio/x-wav", "audio/vnd.wave":
		return "wav"
	case "audio/mpeg", "audio/mp3":
		return "mp3"
	}
	return ""
}

// choice writes which tool must be asked for.
func (m *Model) choice(choice string) (out any, problem string) {
	switch choice {
	case "":
		return nil, ""
	case "auto", "none":
		return choice, ""
	case "required":
		if m.preset.anyChoice {
			return "any", ""
		}
		return choice, ""
	}
	if m.preset.unnamedChoice {
		return nil, "the server of " + m.name + " cannot be told to ask for the tool " + choice + "; offer only this one, and require any"
	}
	return map[string]any{"type": "function", "function": map[string]any{"name": choice}}, ""
}

// parameters returns the schema of a tool's arguments; of one that has none, an
// empty object's.
func parameters(t lm.Tool) json.RawMessage {
	if len(t.Parameters) == 0 {
		return json.RawMessage(`{"type":"object","properties":{}}`)
	}
	return t.Parameters
}

// schemaName returns a name that the protocol takes: up to 64 letters, digits, _ and -.
func schemaName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, name)
	if name == "" {
		return "reply"
	}
	return name[:min(len(name), 64)]
}

// written returns the arguments of a call as the protocol has them, in a string.
// What a model wrote in place of JSON is kept as a JSON string (see arguments).
func written(arguments json.RawMessage) string {
	var text string
	if len(arguments) > 0 && arguments[0] == '"' && json.Unmarshal(arguments, &text) == nil {
		return text
	}
	if len(arguments) == 0 {
		return "{}"
	}
	return string(arguments)
}
