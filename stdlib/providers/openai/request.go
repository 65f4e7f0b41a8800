package openai

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// completion is the body of a request.
type completion struct {
	Model               string       `json:"model"`
	Messages            []lm.Message `json:"messages"`
	Temperature         *float64     `json:"temperature,omitempty"`
	TopP                *float64     `json:"top_p,omitempty"`
	MaxTokens           *int         `json:"max_tokens,omitempty"`
	MaxCompletionTokens *int         `json:"max_completion_tokens,omitempty"`
	Seed                *int         `json:"seed,omitempty"`
	Stop                []string     `json:"stop,omitempty"`
}

// body returns what is sent for req, or why it cannot be.
func (m *Model) body(req *lm.Request) (body *completion, problem string) {
	if len(req.Messages) == 0 {
		return nil, "there is no message to send"
	}
	p := req.Params.Or(m.params)
	body = &completion{
		Model:       m.name,
		Messages:    req.Messages,
		Temperature: p.Temperature,
		TopP:        p.TopP,
		MaxTokens:   p.MaxTokens,
		Seed:        p.Seed,
		Stop:        p.Stop,
	}
	family := familyOf(m.name)
	if family == chat {
		return body, ""
	}
	body.MaxTokens, body.MaxCompletionTokens = nil, p.MaxTokens
	if family == fixedSampling {
		for _, setting := range []struct {
			name  string
			value *float64
		}{{"temperature", p.Temperature}, {"top_p", p.TopP}} {
			if setting.value != nil && *setting.value != 1 {
				return nil, fmt.Sprintf("%s is a reasoning model and takes no %s other than 1 (this is %v); leave the setting out or choose another model",
					m.name, setting.name, *setting.value)
			}
		}
	}
	return body, ""
}

// family says which parameters a model takes, as far as its name tells.
//
// The models that reason before they answer count the hidden reasoning as output, so
// their limit is called max_completion_tokens and they refuse max_tokens. The first
// generations also refuse to be sampled in any way but the default. From gpt-5.1 on, a
// model takes a temperature as long as it does not reason, which is a matter of the
// request and not of the name: the server is left to judge.
type family int

const (
	chat          family = iota // max_tokens, any sampling
	reasoning                   // max_completion_tokens
	fixedSampling               // the same, and temperature and top_p can only be 1
)

var (
	oSeries = regexp.MustCompile(`^o[1-9][0-9]*($|-)`)
	gpt5    = regexp.MustCompile(`^gpt-([5-9]|[1-9][0-9]+)(\.[0-9]+)?($|-)`)
)

func familyOf(model string) family {
	// A router's names hold the maker's: openai/o3-mini.
	name := model[strings.LastIndexByte(model, '/')+1:]
	if oSeries.MatchString(name) {
		return fixedSampling
	}
	version := gpt5.FindStringSubmatch(name)
	switch {
	case version == nil:
		return chat
	case version[1] == "5" && version[2] == "" && strings.HasPrefix(name, "gpt-5-chat"):
		return chat
	case version[1] == "5" && version[2] == "":
		return fixedSampling
	}
	return reasoning
}
