package bedrock

import (
	"encoding/json"
	"fmt"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/claude"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/turns"
)

// converse is the body of a request. What stays the same stands in front.
type converse struct {
	System          []block        `json:"system,omitempty"`
	ToolConfig      *toolConfig    `json:"toolConfig,omitempty"`
	Messages        []message      `json:"messages"`
	InferenceConfig *inference     `json:"inferenceConfig,omitempty"`
	OutputConfig    *output        `json:"outputConfig,omitempty"`
	More            map[string]any `json:"additionalModelRequestFields,omitempty"`
}

type toolConfig struct {
	Tools      []tool      `json:"tools"`
	ToolChoice *toolChoice `json:"toolChoice,omitempty"`
}

type tool struct {
	ToolSpec toolSpec `json:"toolSpec"`
}

type toolSpec struct {
	Name        string      `json:"name"`
	Description string      `json:"description,omitempty"`
	InputSchema inputSchema `json:"inputSchema"`
	Strict      bool        `json:"strict,omitempty"`
}

type inputSchema struct {
	JSON json.RawMessage `json:"json"`
}

type toolChoice struct {
	Any  *struct{} `json:"any,omitempty"`
	Tool *named    `json:"tool,omitempty"`
}

type named struct {
	Name string `json:"name"`
}

type inference struct {
	MaxTokens     *int     `json:"maxTokens,omitempty"`
	Temperature   *float64 `json:"temperature,omitempty"`
	TopP          *float64 `json:"topP,omitempty"`
	StopSequences []string `json:"stopSequences,omitempty"`
}

type output struct {
	TextFormat textFormat `json:"textFormat"`
}

type textFormat struct {
	Type      string    `json:"type"` // json_schema
	Structure structure `json:"structure"`
}

type structure struct {
	JSONSchema jsonSchema `json:"jsonSchema"`
}

type jsonSchema struct {
	Schema string `json:"schema"` // JSON in a text
	Name   string `json:"name,omitempty"`
}

// body returns what is sent for req, or why it cannot be. The protocol knows no
// system messages in a conversation, so all of them stand in front of it; the others
// must take turns, so neighbours of one role become one message. What a tool answered
// is said by the user.
func (m *Model) body(req *lm.Request) (body *converse, problem string) {
	if problem := turns.Refused(m.name, m.can, req); problem != "" {
		return nil, problem
	}
	p := req.Params.Or(m.params)
	if p.Seed != nil {
		return nil, "Converse has no seed; remove the setting from the model or the step"
	}
	body = &converse{}
	c := inference{p.MaxTokens, p.Temperature, p.TopP, p.Stop}
	if problem := m.reason(body, &c, p.ReasoningEffort); problem != "" {
		return nil, problem
	}
	if c.MaxTokens != nil || c.Temperature != nil || c.TopP != nil || c.StopSequences != nil {
		body.InferenceConfig = &c
	}
	if problem := m.tools(body, req); problem != "" {
		return nil, problem
	}
	if f := req.Format; f != nil {
		body.OutputConfig = &output{textFormat{"json_schema", structure{jsonSchema{string(f.Schema), f.Name}}}}
	}
	return body, m.converse(body, req.Messages)
}

// converse fills in the conversation.
func (m *Model) converse(body *converse, all []lm.Message) (problem string) {
	documents := 0
	for _, msg := range all {
		if msg.Role == lm.System {
			text := msg.Text()
			body.System = append(body.System, block{Text: &text})
			continue
		}
		blocks, problem := m.blocks(msg, &documents)
		if problem != "" {
			return problem
		}
		role := msg.Role
		if role == lm.ToolRole {
			role = lm.User
		}
		if last := len(body.Messages) - 1; last >= 0 && body.Messages[last].Role == role {
			body.Messages[last].Content = append(body.Messages[last].Content, blocks...)
		} else {
			body.Messages = append(body.Messages, message{role, blocks})
		}
	}
	switch {
	case len(body.Messages) == 0:
		return "there is no user message to send"
	case body.Messages[0].Role != lm.User:
		return "the first message is the " + string(body.Messages[0].Role) + "'s, and Converse wants the user's first"
	}
	return ""
}

// reason asks for reasoning in the model's own words, for which Converse has none, and
// sees to what the model then takes of temperature and top_p.
func (m *Model) reason(body *converse, c *inference, effort string) (problem string) {
	var thought *claude.Thought
	switch {
	case effort == "":
	case m.traits.Known:
		limit := claude.MaxTokens
		if c.MaxTokens != nil {
			limit = *c.MaxTokens
		}
		var level string
		if thought, level, problem = m.traits.Think(m.name, effort, limit); problem != "" {
			return problem
		}
		if thought.BudgetTokens > 0 {
			c.MaxTokens = &limit
		}
		body.More = map[string]any{"thinking": thought}
		if level != "" {
			body.More["output_config"] = map[string]string{"effort": level}
		}
	case effort != "minimal" && effort != "low" && effort != "medium" && effort != "high":
		return fmt.Sprintf("reasoning_effort is %q, and %s takes minimal, low, medium or high", effort, m.name)
	case nova2.MatchString(m.name) && effort == "minimal":
		body.More = map[string]any{"reasoningConfig": map[string]string{"type": "disabled"}}
	case nova2.MatchString(m.name):
		body.More = map[string]any{"reasoningConfig": map[string]string{"type": "enabled", "maxReasoningEffort": effort}}
	case gptOSS.MatchString(m.name):
		if effort == "minimal" {
			effort = "low"
		}
		body.More = map[string]any{"reasoning_effort": effort}
	default:
		return "it is not known how " + m.name + " is told to reason; remove reasoning_effort or choose another model"
	}
	own, problem := m.traits.Sample(m.name, thought != nil, c.Temperature, c.TopP)
	if own {
		c.Temperature, c.TopP = nil, nil
	}
	return problem
}

// tools fills in the tools and which of them must be asked for. Only models that can
// be held to a schema hold their calls to the tool's; the others are not told to.
func (m *Model) tools(body *converse, req *lm.Request) (problem string) {
	if len(req.Tools) == 0 {
		return ""
	}
	c := &toolConfig{}
	for _, t := range req.Tools {
		c.Tools = append(c.Tools, tool{toolSpec{t.Name, t.Description, inputSchema{turns.Object(t.Parameters)}, t.Strict && m.can.Schema}})
	}
	_, thinks := body.More["thinking"]
	switch req.ToolChoice {
	case "", "auto":
	case "none": // Converse has no such choice: what a model does not know it cannot ask for
		for _, msg := range req.Messages {
			if len(msg.ToolCalls) > 0 || msg.Role == lm.ToolRole {
				return "Converse cannot keep a model from asking for tools in a conversation that has calls of tools; leave the choice to the model"
			}
		}
		return ""
	case "required":
		c.ToolChoice = &toolChoice{Any: &struct{}{}}
	default:
		c.ToolChoice = &toolChoice{Tool: &named{req.ToolChoice}}
	}
	if thinks && c.ToolChoice != nil {
		return m.name + " cannot be made to ask for a tool while it reasons; remove reasoning_effort or leave the choice of the tool to it"
	}
	body.ToolConfig = c
	return ""
}
