package gemini

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/turns"
)

// generate is the body of a request. What stays the same stands in front.
type generate struct {
	SystemInstruction *content  `json:"systemInstruction,omitempty"`
	Tools             []toolset `json:"tools,omitempty"`
	ToolConfig        *choice   `json:"toolConfig,omitempty"`
	Contents          []content `json:"contents"`
	GenerationConfig  *config   `json:"generationConfig,omitempty"`
}

type toolset struct {
	FunctionDeclarations []declaration `json:"functionDeclarations"`
}

type declaration struct {
	Name                 string          `json:"name"`
	Description          string          `json:"description,omitempty"`
	Parameters           json.RawMessage `json:"parameters,omitempty"`           // in Gemini's own dialect
	ParametersJSONSchema json.RawMessage `json:"parametersJsonSchema,omitempty"` // in any other
}

type choice struct {
	FunctionCallingConfig calling `json:"functionCallingConfig"`
}

type calling struct {
	Mode                 string   `json:"mode"` // AUTO, ANY, NONE
	AllowedFunctionNames []string `json:"allowedFunctionNames,omitempty"`
}

type config struct {
	Temperature        *float64        `json:"temperature,omitempty"`
	TopP               *float64        `json:"topP,omitempty"`
	MaxOutputTokens    *int            `json:"maxOutputTokens,omitempty"`
	StopSequences      []string        `json:"stopSequences,omitempty"`
	Seed               *int            `json:"seed,omitempty"`
	ResponseMimeType   string          `json:"responseMimeType,omitempty"`
	ResponseSchema     json.RawMessage `json:"responseSchema,omitempty"`     // in Gemini's own dialect
	ResponseJSONSchema json.RawMessage `json:"responseJsonSchema,omitempty"` // in any other
	ThinkingConfig     *thinking       `json:"thinkingConfig,omitempty"`
}

type thinking struct {
	IncludeThoughts bool   `json:"includeThoughts,omitempty"`
	ThinkingLevel   string `json:"thinkingLevel,omitempty"`
	ThinkingBudget  *int   `json:"thinkingBudget,omitempty"`
}

// body returns what is sent for req, or why it cannot be. The protocol knows no
// system messages in a conversation, so all of them stand in front of it; neighbours
// of one role become one turn. What a tool answered is said by the user.
func (m *Model) body(req *lm.Request) (body *generate, problem string) {
	if problem := turns.Refused(m.name, m.Features(), req); problem != "" {
		return nil, problem
	}
	p := req.Params.Or(m.params)
	c := config{Temperature: p.Temperature, TopP: p.TopP, MaxOutputTokens: p.MaxTokens, StopSequences: p.Stop, Seed: p.Seed}
	if f := req.Format; f != nil {
		c.ResponseMimeType = "application/json"
		c.ResponseSchema, c.ResponseJSONSchema = dialect(f.Schema)
	}
	if c.ThinkingConfig, problem = m.think(p.ReasoningEffort); problem != "" {
		return nil, problem
	}
	body = &generate{}
	if b, err := json.Marshal(c); err == nil && string(b) != "{}" {
		body.GenerationConfig = &c
	}
	m.tools(body, req)
	if problem := m.converse(body, req.Messages); problem != "" {
		return nil, problem
	}
	return body, ""
}

// converse fills in the conversation.
func (m *Model) converse(body *generate, all []lm.Message) (problem string) {
	var names turns.Names
	for _, msg := range all {
		names.Read(msg)
		if msg.Role == lm.System {
			if body.SystemInstruction == nil {
				body.SystemInstruction = &content{}
			}
			body.SystemInstruction.Parts = append(body.SystemInstruction.Parts, part{Text: msg.Text()})
			continue
		}
		parts, problem := m.parts(msg, names)
		if problem != "" {
			return problem
		}
		role := "user"
		if msg.Role == lm.Assistant {
			role = "model"
		}
		if last := len(body.Contents) - 1; last >= 0 && body.Contents[last].Role == role {
			body.Contents[last].Parts = append(body.Contents[last].Parts, parts...)
		} else {
			body.Contents = append(body.Contents, content{role, parts})
		}
	}
	if len(body.Contents) == 0 {
		return "there is no user message to send"
	}
	return ""
}

// tools fills in the tools and which of them must be asked for.
func (m *Model) tools(body *generate, req *lm.Request) {
	if len(req.Tools) == 0 {
		return
	}
	var all []declaration
	for _, t := range req.Tools {
		own, foreign := dialect(t.Parameters)
		all = append(all, declaration{t.Name, t.Description, own, foreign})
	}
	body.Tools = []toolset{{all}}
	switch req.ToolChoice {
	case "", "auto":
	case "none":
		body.ToolConfig = &choice{calling{Mode: "NONE"}}
	case "required":
		body.ToolConfig = &choice{calling{Mode: "ANY"}}
	default:
		body.ToolConfig = &choice{calling{"ANY", []string{req.ToolChoice}}}
	}
}

// dialect returns a schema as the one that is sent in Gemini's dialect or as the one
// that is sent as JSON Schema. The dialect shows in the words that only it has.
func dialect(schema json.RawMessage) (own, foreign json.RawMessage) {
	if len(schema) == 0 {
		return nil, nil
	}
	if bytes.Contains(schema, []byte(`"propertyOrdering"`)) || bytes.Contains(schema, []byte(`"nullable"`)) {
		return schema, nil
	}
	return nil, schema
}

// budgets are the tokens that models of generation 2.5 think with, as Google's own
// table for servers that speak chat completions has them.
var budgets = map[string]int{"minimal": 1024, "low": 1024, "medium": 8192, "high": 24576}

// think returns how the model is told to think, and to show a summary: by a number of
// tokens up to generation 2.5, by a level from then on. Which levels a model has, the
// server says.
func (m *Model) think(effort string) (t *thinking, problem string) {
	if effort == "" {
		return nil, ""
	}
	budget, known := budgets[effort]
	switch {
	case !known:
		return nil, fmt.Sprintf("reasoning_effort is %q, and %s takes minimal, low, medium or high", effort, m.name)
	case m.version > 0 && m.version < 25:
		return nil, m.name + " does not reason before it answers; remove reasoning_effort or choose another model"
	case m.version == 25:
		return &thinking{IncludeThoughts: true, ThinkingBudget: &budget}, ""
	}
	return &thinking{IncludeThoughts: true, ThinkingLevel: effort}, ""
}
