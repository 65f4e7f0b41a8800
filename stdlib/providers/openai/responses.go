package openai

import (
	"context"
	"encoding/json"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/turns"
)

// creation is the body of a request over the Responses protocol.
type creation struct {
	Model           string       `json:"model"`
	Input           []any        `json:"input"` // turn, called, result
	Temperature     *float64     `json:"temperature,omitempty"`
	TopP            *float64     `json:"top_p,omitempty"`
	MaxOutputTokens *int         `json:"max_output_tokens,omitempty"`
	Reasoning       *effort      `json:"reasoning,omitempty"`
	Tools           []flatTool   `json:"tools,omitempty"`
	ToolChoice      any          `json:"tool_choice,omitempty"`
	Text            *textOptions `json:"text,omitempty"`
	Stream          bool         `json:"stream,omitempty"`
	// The server would keep every reply for a month otherwise. The conversation is
	// ours, and is sent whole each time.
	Store bool `json:"store"`
}

// turn is a message.
type turn struct {
	Role    lm.Role `json:"role"`
	Content any     `json:"content"` // a string or []input
}

type input struct {
	Type     string `json:"type"`
	Text     string `json:"text,omitempty"`
	ImageURL string `json:"image_url,omitempty"` // a URL that may hold the picture
	Filename string `json:"filename,omitempty"`
	FileData string `json:"file_data,omitempty"` // a data URL
	FileURL  string `json:"file_url,omitempty"`
}

// called is a call of a tool, and result what came of it.
type called struct {
	Type      string `json:"type"`
	CallID    string `json:"call_id"`
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

type result struct {
	Type   string `json:"type"`
	CallID string `json:"call_id"`
	Output any    `json:"output"` // a string or []input
}

// flatTool is a tool. Strict is always said: the protocol's default is yes, of chat
// completions no.
type flatTool struct {
	Type        string          `json:"type"`
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters"`
	Strict      bool            `json:"strict"`
}

type textOptions struct {
	Format flatForm `json:"format"`
}

type flatForm struct {
	Type   string          `json:"type"`
	Name   string          `json:"name,omitempty"`
	Schema json.RawMessage `json:"schema,omitempty"`
	Strict bool            `json:"strict,omitempty"`
}

// respond makes one response.
func (m *Model) respond(ctx context.Context, req *lm.Request) (*lm.Response, error) {
	body, problem := m.creation(req)
	if problem != "" {
		return nil, m.endpoint.Fail(lm.KindRequest, problem, nil)
	}
	if body.Stream {
		return m.streamResponse(ctx, body, req)
	}
	var o output
	raw, err := m.endpoint.Do(ctx, body, "response", &o)
	if err != nil {
		return nil, err
	}
	return m.wholeOutput(&o, raw, req)
}

// creation returns what is sent for req, or why it cannot be.
func (m *Model) creation(req *lm.Request) (body *creation, problem string) {
	p := req.Params.Or(m.params)
	switch {
	case p.Seed != nil:
		return nil, `the Responses protocol has no seed; leave the setting out, or choose api = "chat"`
	case len(p.Stop) > 0:
		return nil, `the Responses protocol has no stop texts; leave the setting out, or choose api = "chat"`
	}
	if problem = m.refused(req, p); problem != "" {
		return nil, problem
	}
	body = &creation{Model: m.name, Temperature: p.Temperature, TopP: p.TopP, MaxOutputTokens: p.MaxTokens, Stream: req.OnDelta != nil}
	if p.ReasoningEffort != "" {
		body.Reasoning = &effort{p.ReasoningEffort}
	}
	for _, msg := range req.Messages {
		content, problem := m.inputs(msg)
		if problem != "" {
			return nil, problem
		}
		if msg.Role == lm.ToolRole {
			body.Input = append(body.Input, result{"function_call_output", msg.ToolCallID, content})
			continue
		}
		if content != "" || len(msg.ToolCalls) == 0 {
			body.Input = append(body.Input, turn{msg.Role, content})
		}
		for _, c := range msg.ToolCalls {
			body.Input = append(body.Input, called{"function_call", c.ID, c.Name, written(c.Arguments)})
		}
	}
	for _, t := range req.Tools {
		body.Tools = append(body.Tools, flatTool{"function", t.Name, t.Description, parameters(t), t.Strict})
	}
	if len(req.Tools) > 0 {
		switch req.ToolChoice {
		case "":
		case "auto", "none", "required":
			body.ToolChoice = req.ToolChoice
		default:
			body.ToolChoice = map[string]any{"type": "function", "name": req.ToolChoice}
		}
	}
	switch f := req.Format; {
	case f == nil:
	case f.Schema == nil:
		body.Text = &textOptions{flatForm{Type: "json_object"}}
	default:
		body.Text = &textOptions{flatForm{"json_schema", schemaName(f.Name), f.Schema, true}}
	}
	return body, ""
}

// inputs writes the content of a message: a string, or what it is made of.
func (m *Model) inputs(msg lm.Message) (content any, problem string) {
	media := false
	for _, p := range msg.Parts {
		media = media || p.Media != nil
	}
	if !media {
		return msg.Text(), ""
	}
	parts := make([]input, len(msg.Parts))
	for i, p := range msg.Parts {
		if p.Media == nil {
			parts[i] = input{Type: "input_text", Text: p.Text}
			continue
		}
		kind := turns.Type(p.Media)
		switch x := p.Media; {
		case x.Kind == lm.Image && x.URL != "":
			parts[i] = input{Type: "input_image", ImageURL: x.URL}
		case x.Kind == lm.Image:
			parts[i] = input{Type: "input_image", ImageURL: dataURL(kind, x.Data)}
		case x.Kind == lm.File && x.URL != "":
			parts[i] = input{Type: "input_file", FileURL: x.URL}
		case x.Kind == lm.File:
			parts[i] = input{Type: "input_file", Filename: x.Name, FileData: dataURL(kind, x.Data)}
		default:
			return nil, turns.Unable(m.name, x, "the Responses protocol has no form for it")
		}
	}
	return parts, ""
}
