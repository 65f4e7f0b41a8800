package ollama

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/turns"
)

// chat is the body of a request.
type chat struct {
	Model    string          `json:"model"`
	Messages []message       `json:"messages"`
	Tools    []tool          `json:"tools,omitempty"`
	Format   json.RawMessage `json:"format,omitempty"` // "json" or a schema
	Options  *options        `json:"options,omitempty"`
	Think    any             `json:"think,omitempty"` // bool, or the name of a level
	Stream   bool            `json:"stream"`          // the server's default is true
}

type message struct {
	Role      lm.Role  `json:"role"`
	Content   string   `json:"content"`
	Thinking  string   `json:"thinking,omitempty"`
	Images    [][]byte `json:"images,omitempty"` // written as base64
	ToolCalls []call   `json:"tool_calls,omitempty"`
	ToolName  string   `json:"tool_name,omitempty"` // of a tool's answer
}

// call is a tool that the model asks for. Older servers give it no ID.
type call struct {
	ID       string `json:"id,omitempty"`
	Function struct {
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
	} `json:"function"`
}

type tool struct {
	Type     string   `json:"type"` // function
	Function function `json:"function"`
}

type function struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters"`
}

type options struct {
	Temperature *float64 `json:"temperature,omitempty"`
	TopP        *float64 `json:"top_p,omitempty"`
	NumPredict  *int     `json:"num_predict,omitempty"`
	Seed        *int     `json:"seed,omitempty"`
	Stop        []string `json:"stop,omitempty"`
}

// body returns what is sent for req, or why it cannot be.
func (m *Model) body(req *lm.Request) (body *chat, problem string) {
	if problem := turns.Refused(m.name, m.Features(), req); problem != "" {
		return nil, problem
	}
	if len(req.Messages) == 0 {
		return nil, "there is no message to send"
	}
	p := req.Params.Or(m.params)
	body = &chat{Model: m.name, Stream: req.OnDelta != nil}
	if p.Temperature != nil || p.TopP != nil || p.MaxTokens != nil || p.Seed != nil || p.Stop != nil {
		body.Options = &options{p.Temperature, p.TopP, p.MaxTokens, p.Seed, p.Stop}
	}
	if body.Think, problem = m.think(p.ReasoningEffort); problem != "" {
		return nil, problem
	}
	if f := req.Format; f != nil {
		body.Format = f.Schema
		if len(f.Schema) == 0 {
			body.Format = json.RawMessage(`"json"`)
		}
	}
	switch req.ToolChoice {
	case "", "auto":
		for _, t := range req.Tools {
			body.Tools = append(body.Tools, tool{"function", function{t.Name, t.Description, turns.Object(t.Parameters)}})
		}
	case "none": // the protocol has no choice: what it does not know it cannot ask for
	default:
		return nil, "Ollama's protocol cannot make a model ask for a tool; leave the choice to the model"
	}
	return body, m.converse(body, req.Messages)
}

// converse fills in the conversation.
func (m *Model) converse(body *chat, all []lm.Message) (problem string) {
	var names turns.Names
	for _, msg := range all {
		names.Read(msg)
		sent := message{Role: msg.Role, Content: msg.Content}
		if msg.Parts != nil {
			var text strings.Builder
			for _, p := range msg.Parts {
				switch {
				case p.Media == nil:
					text.WriteString(p.Text)
				case len(p.Media.Data) == 0:
					return turns.Unable(m.name, p.Media, "Ollama takes the bytes of a picture and fetches none from a URL")
				default:
					sent.Images = append(sent.Images, p.Media.Data)
				}
			}
			sent.Content = text.String()
		}
		for _, c := range msg.ToolCalls {
			var asked call
			asked.Function.Name, asked.Function.Arguments = c.Name, turns.Object(c.Arguments)
			sent.ToolCalls = append(sent.ToolCalls, asked)
		}
		if msg.Role == lm.ToolRole {
			sent.ToolName = names[msg.ToolCallID]
		}
		body.Messages = append(body.Messages, sent)
	}
	return ""
}

// think returns how a model is told to think. Most can only do it or not; gpt-oss
// takes a level, and always thinks.
func (m *Model) think(effort string) (think any, problem string) {
	levels := strings.HasPrefix(m.name[strings.LastIndexByte(m.name, '/')+1:], "gpt-oss")
	switch effort {
	case "":
		return nil, ""
	case "minimal":
		if levels {
			return "low", ""
		}
		return false, ""
	case "low", "medium", "high":
		if levels {
			return effort, ""
		}
		return true, ""
	}
	return nil, fmt.Sprintf("reasoning_effort is %q, and %s takes minimal, low, medium or high", effort, m.name)
}
