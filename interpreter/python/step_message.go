package python

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// wireMessage is a message as DSPy's adapters write it: OpenAI's form.
type wireMessage struct {
	Role       string          `json:"role"`
	Content    json.RawMessage `json:"content"` // a text, a list of parts, or null
	ToolCallID string          `json:"tool_call_id"`
	ToolCalls  []struct {
		ID       string `json:"id"`
		Function struct {
			Name      string `json:"name"`
			Arguments string `json:"arguments"`
		} `json:"function"`
	} `json:"tool_calls"`
}

type wirePart struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	ImageURL struct {
		URL string `json:"url"`
	} `json:"image_url"`
	Audio struct {
		Data   string `json:"data"`
		Format string `json:"format"`
	} `json:"input_audio"`
	File struct {
		Data string `json:"file_data"`
		Name string `json:"filename"`
		ID   string `json:"file_id"`
	} `json:"file"`
}

// message is the message as models take it here.
func (m *wireMessage) message() (lm.Message, error) {
	out := lm.Message{Role: lm.Role(m.Role), ToolCallID: m.ToolCallID}
	if m.Role == "developer" {
		out.Role = lm.System
	}
	for _, c := range m.ToolCalls {
		out.ToolCalls = append(out.ToolCalls, lm.ToolCall{ID: c.ID, Name: c.Function.Name, Arguments: json.RawMessage(c.Function.Arguments)})
	}
	switch {
	case len(m.Content) == 0 || string(m.Content) == "null":
		return out, nil
	case m.Content[0] == '"':
		return out, json.Unmarshal(m.Content, &out.Content)
	}
	var parts []wirePart
	if err := json.Unmarshal(m.Content, &parts); err != nil {
		return out, fmt.Errorf("a message that DSPy wrote has content of an unknown form: %w", err)
	}
	media := false
	for _, p := range parts {
		x, err := p.part()
		if err != nil {
			return out, err
		}
		media = media || x.Media != nil
		out.Parts = append(out.Parts, x)
	}
	if !media {
		out.Content, out.Parts = out.Text(), nil
	}
	return out, nil
}

func (p *wirePart) part() (lm.Part, error) {
	switch p.Type {
	case "text":
		return lm.Part{Text: p.Text}, nil
	case "image_url":
		m, err := located(lm.Image, p.ImageURL.URL)
		return lm.Part{Media: m}, err
	case "input_audio":
		data, err := base64.StdEncoding.DecodeString(p.Audio.Data)
		return lm.Part{Media: &lm.Media{Kind: lm.Audio, Data: data, Type: "audio/" + p.Audio.Format}}, err
	case "file":
		if p.File.Data == "" {
			return lm.Part{}, fmt.Errorf("a file by the id of a provider (%s) cannot be sent: give its data", p.File.ID)
		}
		m, err := located(lm.File, p.File.Data)
		if m != nil {
			m.Name = p.File.Name
		}
		return lm.Part{Media: m}, err
	}
	return lm.Part{}, fmt.Errorf("a message that DSPy wrote has a part of the type `%s`, which cannot be sent", p.Type)
}

// located is what is at a URL, or in a data: URI.
func located(kind lm.MediaKind, address string) (*lm.Media, error) {
	head, data, ok := strings.Cut(address, ";base64,")
	if !ok || !strings.HasPrefix(head, "data:") {
		return &lm.Media{Kind: kind, URL: address}, nil
	}
	bytes, err := base64.StdEncoding.DecodeString(data)
	return &lm.Media{Kind: kind, Data: bytes, Type: strings.TrimPrefix(head, "data:")}, err
}

// request reads the arguments of the command `lm`. Its rollout is left to the caller.
func (a *asking) request(args json.RawMessage) (*lm.Request, error) {
	if err := json.Unmarshal(args, a); err != nil {
		return nil, fmt.Errorf("what DSPy sends to the model cannot be read: %w", err)
	}
	req := &lm.Request{Tools: a.Tools, ToolChoice: a.ToolChoice}
	for _, m := range a.Messages {
		x, err := m.message()
		if err != nil {
			return nil, err
		}
		req.Messages = append(req.Messages, x)
	}
	req.Params = lm.Params{
		Temperature: a.Params.Temperature, TopP: a.Params.TopP, MaxTokens: a.Params.MaxTokens, Seed: a.Params.Seed,
		Stop: a.Params.Stop, ReasoningEffort: a.Params.ReasoningEffort,
	}
	if a.Format != nil {
		req.Format = &lm.Format{Name: a.Format.Name, Schema: a.Format.Schema}
	}
	return req, nil
}

// replyText is a reply as DSPy reads it.
func replyText(reply *lm.Response) (json.RawMessage, error) {
	type toolCall struct {
		ID        string `json:"id"`
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	}
	out := struct {
		Text         string     `json:"text"`
		Reasoning    string     `json:"reasoning,omitempty"`
		ToolCalls    []toolCall `json:"tool_calls,omitempty"`
		Finish       string     `json:"finish"`
		InputTokens  int        `json:"input_tokens"`
		OutputTokens int        `json:"output_tokens"`
		Model        string     `json:"model"`
	}{reply.Text, reply.Reasoning, nil, string(reply.Finish), reply.Usage.InputTokens, reply.Usage.OutputTokens, reply.Model}
	if reply.Finish == lm.FinishTools {
		out.Finish = "tool_calls"
	}
	for _, c := range reply.ToolCalls {
		out.ToolCalls = append(out.ToolCalls, toolCall{c.ID, c.Name, string(c.Arguments)})
	}
	return json.Marshal(out)
}
