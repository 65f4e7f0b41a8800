package anthropic

import (
	"encoding/json"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/claude"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/turns"
)

// messages is the body of a request.
type messages struct {
	Model         string          `json:"model"`
	MaxTokens     int             `json:"max_tokens"`
	Tools         []tool          `json:"tools,omitempty"` // what stays the same stands in front
	System        string          `json:"system,omitempty"`
	Messages      []message       `json:"messages"`
	ToolChoice    *toolChoice     `json:"tool_choice,omitempty"`
	Temperature   *float64        `json:"temperature,omitempty"`
	TopP          *float64        `json:"top_p,omitempty"`
	StopSequences []string        `json:"stop_sequences,omitempty"`
	Thinking      *claude.Thought `json:"thinking,omitempty"`
	OutputConfig  *output         `json:"output_config,omitempty"`
	Stream        bool            `json:"stream,omitempty"`
}

type tool struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	InputSchema json.RawMessage `json:"input_schema"`
	Strict      bool            `json:"strict,omitempty"`
}

type toolChoice struct {
	Type string `json:"type"` // auto, any, tool, none
	Name string `json:"name,omitempty"`
}

type output struct {
	Effort string  `json:"effort,omitempty"`
	Format *format `json:"format,omitempty"`
}

type format struct {
	Type   string          `json:"type"` // json_schema
	Schema json.RawMessage `json:"schema"`
}

// between stands between texts that become one: system messages, and neighbours of the same role.
const between = "\n\n"

// body returns what is sent for req, or why it cannot be. The protocol knows no
// system messages in a conversation, so all of them are joined in front of it; the
// others must take turns, so neighbours of one role become one message. What a tool
// answered is said by the user.
func (m *Model) body(req *lm.Request) (body *messages, problem string) {
	if problem := turns.Refused(m.name, m.Features(), req); problem != "" {
		return nil, problem
	}
	p := req.Params.Or(m.params)
	if p.Seed != nil {
		return nil, "the Messages protocol has no seed; remove the setting from the model or the step"
	}
	body = &messages{
		Model:         m.name,
		MaxTokens:     DefaultMaxTokens,
		Temperature:   p.Temperature,
		TopP:          p.TopP,
		StopSequences: p.Stop,
		Stream:        req.OnDelta != nil,
	}
	if m.traits.Unasked || p.ReasoningEffort != "" {
		body.MaxTokens = claude.MaxTokens
	}
	if p.MaxTokens != nil {
		body.MaxTokens = *p.MaxTokens
	}
	for _, step := range []func() string{
		func() string { return m.reason(body, p.ReasoningEffort) },
		func() string { return m.tools(body, req) },
		func() string { return m.converse(body, req.Messages) },
	} {
		if problem := step(); problem != "" {
			return nil, problem
		}
	}
	if req.Format != nil {
		if body.OutputConfig == nil {
			body.OutputConfig = &output{}
		}
		body.OutputConfig.Format = &format{Type: "json_schema", Schema: req.Format.Schema}
	}
	return body, ""
}

// converse fills in the conversation.
func (m *Model) converse(body *messages, all []lm.Message) (problem string) {
	var system []string
	for _, msg := range all {
		if msg.Role == lm.System {
			system = append(system, msg.Text())
			continue
		}
		blocks, problem := m.blocks(msg)
		if problem != "" {
			return problem
		}
		role := msg.Role
		if role == lm.ToolRole {
			role = lm.User
		}
		if last := len(body.Messages) - 1; last >= 0 && body.Messages[last].Role == role {
			body.Messages[last].Content = body.Messages[last].Content.join(blocks)
		} else {
			body.Messages = append(body.Messages, message{role, blocks})
		}
	}
	body.System = strings.Join(system, between)
	switch {
	case len(body.Messages) == 0:
		return "there is no user message to send"
	case body.Messages[0].Role != lm.User:
		return "the first message is the " + string(body.Messages[0].Role) + "'s, and the Messages protocol wants the user's first"
	}
	return ""
}

// reason asks for thinking, and sees to what the model then takes of temperature and top_p.
func (m *Model) reason(body *messages, wish string) (problem string) {
	if wish != "" {
		var effort string
		if body.Thinking, effort, problem = m.traits.Think(m.name, wish, body.MaxTokens); problem != "" {
			return problem
		}
		if effort != "" {
			body.OutputConfig = &output{Effort: effort}
		}
	}
	own, problem := m.traits.Sample(m.name, body.Thinking != nil, body.Temperature, body.TopP)
	if own {
		body.Temperature, body.TopP = nil, nil
	}
	return problem
}

// tools fills in the tools and which of them must be asked for. Only models that can
// be held to a schema hold their calls to the tool's; the others are not told to.
func (m *Model) tools(body *messages, req *lm.Request) (problem string) {
	for _, t := range req.Tools {
		body.Tools = append(body.Tools, tool{t.Name, t.Description, turns.Object(t.Parameters), t.Strict && m.traits.Schema})
	}
	if len(req.Tools) == 0 {
		return ""
	}
	switch req.ToolChoice {
	case "", "auto":
		return ""
	case "none":
		body.ToolChoice = &toolChoice{Type: "none"}
		return ""
	case "required":
		body.ToolChoice = &toolChoice{Type: "any"}
	default:
		body.ToolChoice = &toolChoice{Type: "tool", Name: req.ToolChoice}
	}
	if body.Thinking != nil {
		return m.name + " cannot be made to ask for a tool while it reasons; remove reasoning_effort or leave the choice of the tool to it"
	}
	return ""
}
