package anthropic

import (
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// messages is the body of a request.
type messages struct {
	Model         string       `json:"model"`
	MaxTokens     int          `json:"max_tokens"`
	System        string       `json:"system,omitempty"`
	Messages      []lm.Message `json:"messages"`
	Temperature   *float64     `json:"temperature,omitempty"`
	TopP          *float64     `json:"top_p,omitempty"`
	StopSequences []string     `json:"stop_sequences,omitempty"`
}

// between stands between texts that become one: system messages, and neighbours of the same role.
const between = "\n\n"

// body returns what is sent for req, or why it cannot be. The protocol knows no
// system messages in a conversation, so all of them are joined in front of it; the
// others must take turns, so neighbours of one role become one message.
func (m *Model) body(req *lm.Request) (body *messages, problem string) {
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
	}
	if p.MaxTokens != nil {
		body.MaxTokens = *p.MaxTokens
	}
	var system []string
	for _, msg := range req.Messages {
		last := len(body.Messages) - 1
		switch {
		case msg.Role == lm.System:
			system = append(system, msg.Content)
		case last >= 0 && body.Messages[last].Role == msg.Role:
			body.Messages[last].Content += between + msg.Content
		default:
			body.Messages = append(body.Messages, msg)
		}
	}
	body.System = strings.Join(system, between)
	switch {
	case len(body.Messages) == 0:
		return nil, "there is no user message to send"
	case body.Messages[0].Role != lm.User:
		return nil, "the first message is the " + string(body.Messages[0].Role) + "'s, and the Messages protocol wants the user's first"
	}
	return body, ""
}
