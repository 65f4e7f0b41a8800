package gateway

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// completion is the body of a request, in the protocol's own shape.
type completion struct {
	Model               string          `json:"model"`
	Messages            []message       `json:"messages"`
	Temperature         *float64        `json:"temperature"`
	TopP                *float64        `json:"top_p"`
	MaxTokens           *int            `json:"max_tokens"`
	MaxCompletionTokens *int            `json:"max_completion_tokens"`
	Seed                *int            `json:"seed"`
	Stop                stops           `json:"stop"`
	N                   *int            `json:"n"`
	ReasoningEffort     string          `json:"reasoning_effort"`
	Tools               []tool          `json:"tools"`
	ToolChoice          json.RawMessage `json:"tool_choice"`
	ResponseFormat      *responseFormat `json:"response_format"`
	Stream              bool            `json:"stream"`
	StreamOptions       *struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`

	// What would change the reply and cannot be passed on.
	PresencePenalty  *float64        `json:"presence_penalty"`
	FrequencyPenalty *float64        `json:"frequency_penalty"`
	LogitBias        map[string]any  `json:"logit_bias"`
	Logprobs         *bool           `json:"logprobs"`
	TopLogprobs      *int            `json:"top_logprobs"`
	Modalities       []string        `json:"modalities"`
	Audio            json.RawMessage `json:"audio"`
	Prediction       json.RawMessage `json:"prediction"`
	WebSearch        json.RawMessage `json:"web_search_options"`
	Functions        json.RawMessage `json:"functions"`
	FunctionCall     json.RawMessage `json:"function_call"`
	ParallelTools    *bool           `json:"parallel_tool_calls"`
}

// stops are texts at which a reply ends: one, or a list.
type stops []string

func (s *stops) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil && string(data) != "null" {
		*s = stops{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(s))
}

type message struct {
	Role       string          `json:"role"`
	Content    json.RawMessage `json:"content"`
	ToolCalls  []toolCall      `json:"tool_calls"`
	ToolCallID string          `json:"tool_call_id"`
}

type toolCall struct {
	Index    *int   `json:"index,omitempty"`
	ID       string `json:"id"`
	Type     string `json:"type"`
	Function struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	} `json:"function"`
}

type tool struct {
	Type     string `json:"type"`
	Function struct {
		Name        string          `json:"name"`
		Description string          `json:"description"`
		Parameters  json.RawMessage `json:"parameters"`
		Strict      bool            `json:"strict"`
	} `json:"function"`
}

type responseFormat struct {
	Type       string `json:"type"`
	JSONSchema *struct {
		Name   string          `json:"name"`
		Schema json.RawMessage `json:"schema"`
	} `json:"json_schema"`
}

// part is a piece of a message's content.
type part struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	ImageURL *struct {
		URL string `json:"url"`
	} `json:"image_url"`
	InputAudio *struct {
		Data   string `json:"data"`
		Format string `json:"format"`
	} `json:"input_audio"`
	File *struct {
		Data string `json:"file_data"`
		Name string `json:"filename"`
		ID   string `json:"file_id"`
	} `json:"file"`
}

// choices returns how many replies are asked for.
func (c *completion) choices() int {
	if c.N == nil {
		return 1
	}
	return *c.N
}

// request returns what m is asked, or why it cannot be.
func (c *completion) request(m Model) (*lm.Request, *problem) {
	if p := c.unsupported(); p != nil {
		return nil, p
	}
	if len(c.Messages) == 0 {
		return nil, bad("messages", "there is no message")
	}
	req := &lm.Request{Params: lm.Params{
		Temperature: c.Temperature, TopP: c.TopP, MaxTokens: c.MaxTokens, Seed: c.Seed, Stop: c.Stop, ReasoningEffort: c.ReasoningEffort,
	}}
	if c.MaxCompletionTokens != nil {
		req.MaxTokens = c.MaxCompletionTokens
	}
	req.Params = req.Params.Or(m.Params)
	for i, msg := range c.Messages {
		x, p := msg.read(fmt.Sprintf("messages[%d]", i))
		if p != nil {
			return nil, p
		}
		req.Messages = append(req.Messages, x)
	}
	if p := c.readTools(req); p != nil {
		return nil, p
	}
	return req, c.readFormat(m, req)
}

// unsupported names the first parameter that cannot be obeyed.
func (c *completion) unsupported() *problem {
	given := func(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }
	for _, x := range []struct {
		name string
		on   bool
	}{
		{"presence_penalty", c.PresencePenalty != nil && *c.PresencePenalty != 0},
		{"frequency_penalty", c.FrequencyPenalty != nil && *c.FrequencyPenalty != 0},
		{"logit_bias", len(c.LogitBias) > 0},
		{"logprobs", c.Logprobs != nil && *c.Logprobs},
		{"top_logprobs", c.TopLogprobs != nil && *c.TopLogprobs > 0},
		{"modalities", len(c.Modalities) > 0 && !slices.Equal(c.Modalities, []string{"text"})},
		{"audio", given(c.Audio)},
		{"prediction", given(c.Prediction)},
		{"web_search_options", given(c.WebSearch)},
		{"functions", given(c.Functions)},
		{"function_call", given(c.FunctionCall)},
		{"parallel_tool_calls", c.ParallelTools != nil && !*c.ParallelTools && len(c.Tools) > 0},
	} {
		if x.on {
			p := bad(x.name, "this gateway cannot pass "+x.name+" on; leave it out")
			p.code = "unsupported_parameter"
			return p
		}
	}
	switch n := c.choices(); {
	case n < 1 || n > MaxChoices:
		return bad("n", fmt.Sprintf("n is %d; it is a number from 1 to %d", n, MaxChoices))
	case n > 1 && c.Stream:
		return bad("n", "a stream has one reply; leave n out, or stream")
	}
	return nil
}

func (m *message) read(at string) (lm.Message, *problem) {
	out := lm.Message{ToolCallID: m.ToolCallID}
	switch m.Role {
	case "system", "developer":
		out.Role = lm.System
	case "user":
		out.Role = lm.User
	case "assistant":
		out.Role = lm.Assistant
	case "tool":
		out.Role = lm.ToolRole
		if m.ToolCallID == "" {
			return out, bad(at+".tool_call_id", "a message of a tool says which call it answers: tool_call_id")
		}
	default:
		return out, bad(at+".role", fmt.Sprintf("the role %q is none of system, developer, user, assistant and tool", m.Role))
	}
	for _, c := range m.ToolCalls {
		out.ToolCalls = append(out.ToolCalls, lm.ToolCall{ID: c.ID, Name: c.Function.Name, Arguments: json.RawMessage(c.Function.Arguments)})
	}
	switch {
	case len(m.Content) == 0 || string(m.Content) == "null":
		return out, nil
	case m.Content[0] == '"':
		if err := json.Unmarshal(m.Content, &out.Content); err != nil {
			return out, bad(at+".content", err.Error())
		}
		return out, nil
	}
	var parts []part
	if err := json.Unmarshal(m.Content, &parts); err != nil {
		return out, bad(at+".content", "the content is neither a text nor a list of parts")
	}
	media := false
	for i, p := range parts {
		x, problem := p.read(fmt.Sprintf("%s.content[%d]", at, i))
		if problem != nil {
			return out, problem
		}
		media = media || x.Media != nil
		out.Parts = append(out.Parts, x)
	}
	if !media { // texts alone are one text
		out.Content, out.Parts = out.Text(), nil
	}
	return out, nil
}

func (p *part) read(at string) (lm.Part, *problem) {
	switch {
	case p.Type == "text":
		return lm.Part{Text: p.Text}, nil
	case p.Type == "image_url" && p.ImageURL != nil:
		if !strings.HasPrefix(p.ImageURL.URL, "data:") {
			return lm.Part{Media: &lm.Media{Kind: lm.Image, URL: p.ImageURL.URL}}, nil
		}
		return dataPart(at+".image_url.url", lm.Image, p.ImageURL.URL, "")
	case p.Type == "input_audio" && p.InputAudio != nil:
		data, err := base64.StdEncoding.DecodeString(p.InputAudio.Data)
		if err != nil {
			return lm.Part{}, bad(at+".input_audio.data", "the data is not base64")
		}
		kind := map[string]string{"wav": "audio/wav", "mp3": "audio/mpeg"}[p.InputAudio.Format]
		if kind == "" {
			kind = "audio/" + p.InputAudio.Format
		}
		return lm.Part{Media: &lm.Media{Kind: lm.Audio, Data: data, Type: kind}}, nil
	case p.Type == "file" && p.File != nil && p.File.Data != "":
		return dataPart(at+".file.file_data", lm.File, p.File.Data, p.File.Name)
	}
	return lm.Part{}, bad(at, fmt.Sprintf("a part of type %q cannot be passed on; known are text, image_url, input_audio, and file with file_data", p.Type))
}

// dataPart reads a data: URI.
func dataPart(at string, kind lm.MediaKind, uri, name string) (lm.Part, *problem) {
	head, data, ok := strings.Cut(strings.TrimPrefix(uri, "data:"), ";base64,")
	if !ok {
		return lm.Part{}, bad(at, "the data is no URI such as data:image/png;base64,…")
	}
	bytes, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		return lm.Part{}, bad(at, "the data is not base64")
	}
	return lm.Part{Media: &lm.Media{Kind: kind, Data: bytes, Type: head, Name: name}}, nil
}

func (c *completion) readTools(req *lm.Request) *problem {
	for i, t := range c.Tools {
		if t.Type != "function" || t.Function.Name == "" {
			return bad(fmt.Sprintf("tools[%d]", i), "a tool is a function with a name")
		}
		params := t.Function.Parameters
		if len(params) == 0 || string(params) == "null" {
			params = json.RawMessage(`{"type":"object","properties":{}}`)
		}
		req.Tools = append(req.Tools, lm.Tool{Name: t.Function.Name, Description: t.Function.Description, Parameters: params, Strict: t.Function.Strict})
	}
	if len(c.ToolChoice) == 0 || string(c.ToolChoice) == "null" {
		return nil
	}
	var named struct {
		Function struct {
			Name string `json:"name"`
		} `json:"function"`
	}
	switch {
	case json.Unmarshal(c.ToolChoice, &req.ToolChoice) == nil && slices.Contains([]string{"auto", "none", "required"}, req.ToolChoice):
	case json.Unmarshal(c.ToolChoice, &named) == nil && named.Function.Name != "":
		req.ToolChoice = named.Function.Name
		if !slices.ContainsFunc(req.Tools, func(t lm.Tool) bool { return t.Name == req.ToolChoice }) {
			return bad("tool_choice", fmt.Sprintf("no tool is called %q", req.ToolChoice))
		}
	default:
		return bad("tool_choice", "tool_choice is auto, none, required, or the name of a function")
	}
	return nil
}

func (c *completion) readFormat(m Model, req *lm.Request) *problem {
	f := c.ResponseFormat
	if f == nil || f.Type == "text" {
		return nil
	}
	can := m.LM.Features()
	switch {
	case f.Type == "json_object":
		if !can.JSON && !can.Schema {
			return bad("response_format", "the model "+m.Name+" cannot hold its reply to being JSON; ask for JSON in the prompt instead")
		}
		req.Format = &lm.Format{Name: "reply"}
	case f.Type == "json_schema" && f.JSONSchema != nil && len(f.JSONSchema.Schema) > 0:
		if !can.Schema {
			return bad("response_format", "the model "+m.Name+" cannot hold its reply to a JSON Schema; put the schema into the prompt instead")
		}
		req.Format = &lm.Format{Name: f.JSONSchema.Name, Schema: f.JSONSchema.Schema}
	default:
		return bad("response_format", "response_format is text, json_object, or json_schema with a schema")
	}
	return nil
}

func bad(param, message string) *problem {
	return &problem{status: http.StatusBadRequest, kind: "invalid_request_error", param: param, message: message}
}
