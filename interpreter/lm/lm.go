// Package lm is how dspi talks to language models.
//
//	LM        a model: a Request in, a Response out
//	Request   messages and parameters
//	Response  the reply's text, why it ended, what it used
//	Usage     tokens in and out
//	Error     why no reply came, with its Kind
//
// Around any LM go the wrappers of this package: WithRetry (retry.go), WithLimits
// (limits.go), WithTimeout (timeout.go). A host composes them in one order,
//
//	WithRetry(WithLimits(WithTimeout(provider, timeout), limits), policy)
//
// so that the timeout bounds each attempt and starts when the attempt is sent, not
// when it begins to wait for its place; and so that a pause between attempts takes
// no place from other calls. The time for all attempts together is the context's
// deadline. Providers are in stdlib/providers; each
// passes the suite in lmtest. No wrapper and no provider makes a hidden call: one
// Generate of a provider is one request to its server.
package lm

import (
	"context"
	"encoding/json"
	"unicode/utf8"
)

// Role says who speaks a message.
type Role string

// The roles of messages.
const (
	System    Role = "system"
	User      Role = "user"
	Assistant Role = "assistant"
)

// Message is one turn of the conversation that is sent.
type Message struct {
	Role    Role   `json:"role"`
	Content string `json:"content"`
}

// Params are the settings of a call. A nil pointer leaves the choice to the
// provider.
type Params struct {
	Temperature *float64 `json:"temperature,omitempty"`
	TopP        *float64 `json:"top_p,omitempty"`
	MaxTokens   *int     `json:"max_tokens,omitempty"`
	Seed        *int     `json:"seed,omitempty"`
	Stop        []string `json:"stop,omitempty"`
}

// Or returns p with what it leaves open taken from defaults.
func (p Params) Or(defaults Params) Params {
	if p.Temperature == nil {
		p.Temperature = defaults.Temperature
	}
	if p.TopP == nil {
		p.TopP = defaults.TopP
	}
	if p.MaxTokens == nil {
		p.MaxTokens = defaults.MaxTokens
	}
	if p.Seed == nil {
		p.Seed = defaults.Seed
	}
	if p.Stop == nil {
		p.Stop = defaults.Stop
	}
	return p
}

// Request is one call of a model.
type Request struct {
	Messages []Message
	Params
}

// Usage counts tokens, as the provider reports them. Estimated says that the
// provider did not and that they were counted another way.
type Usage struct {
	InputTokens  int  `json:"input_tokens"`
	OutputTokens int  `json:"output_tokens"`
	Estimated    bool `json:"estimated,omitempty"`
}

// Add returns the sum of two counts.
func (u Usage) Add(v Usage) Usage {
	return Usage{u.InputTokens + v.InputTokens, u.OutputTokens + v.OutputTokens, u.Estimated || v.Estimated}
}

// EstimateUsage counts the tokens of a call whose provider did not, at four
// characters a token, rounded up, and marks the count as Estimated.
func EstimateUsage(messages []Message, reply string) Usage {
	in := 0
	for _, m := range messages {
		in += utf8.RuneCountInString(m.Content)
	}
	return Usage{(in + 3) / 4, (utf8.RuneCountInString(reply) + 3) / 4, true}
}

// Finish says why a reply ended.
type Finish string

// The reasons for a reply to end. Others are passed on as the provider names them.
const (
	FinishStop   Finish = "stop"   // the model was done
	FinishLength Finish = "length" // max_tokens was reached: the text is cut
	FinishFilter Finish = "filter" // the provider withheld the rest
)

// Response is a model's reply.
type Response struct {
	Text   string
	Finish Finish
	Usage  Usage
	Model  string          // the name the provider answered under
	Raw    json.RawMessage // the provider's own reply, for the trace; may be nil
}

// LM is a model that can be called. It is safe for use by many goroutines, obeys
// ctx, and reports failures as *Error.
type LM interface {
	// Generate sends req once and returns the reply.
	Generate(ctx context.Context, req *Request) (*Response, error)
	// Address is the model's name for people and traces: `openai/gpt-4o-mini`.
	Address() string
}

// Price is in US dollars per million tokens. A nil *Price is unknown, never zero.
type Price struct{ Input, Output float64 }

// Cost returns the price of u in US dollars.
func (p Price) Cost(u Usage) float64 {
	return (float64(u.InputTokens)*p.Input + float64(u.OutputTokens)*p.Output) / 1e6
}
