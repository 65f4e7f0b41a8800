// Package lm is how dspi talks to language models.
//
//	LM        a model: a Request in, a Response out
//	Request   messages and parameters, tools, the form of the reply
//	Message   one turn: text, or Parts with media; calls of tools (content.go)
//	Response  the reply's text, why it ended, what it used and cost
//	Delta     a piece of a reply while it is written (stream.go)
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
	ToolRole  Role = "tool" // the result of a call that an Assistant message asked for
)

// Params are the settings of a call. A nil pointer leaves the choice to the
// provider.
type Params struct {
	Temperature *float64 `json:"temperature,omitempty"`
	TopP        *float64 `json:"top_p,omitempty"`
	MaxTokens   *int     `json:"max_tokens,omitempty"`
	Seed        *int     `json:"seed,omitempty"`
	Stop        []string `json:"stop,omitempty"`
	// ReasoningEffort asks a model that reasons to do so little or much:
	// "minimal", "low", "medium", "high"; "" leaves it to the provider.
	ReasoningEffort string `json:"reasoning_effort,omitempty"`
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
	if p.ReasoningEffort == "" {
		p.ReasoningEffort = defaults.ReasoningEffort
	}
	return p
}

// Request is one call of a model.
type Request struct {
	Messages []Message
	Params
	// Tools are the functions that the model may ask for; ToolChoice is "" or
	// "auto" for may, "required" for must, "none" for must not, or the name of
	// the one that it must ask for.
	Tools      []Tool
	ToolChoice string
	// Format is what the reply's text must be; nil: any text.
	Format *Format
	// Rollout tells apart calls that are alike in everything else, so that each
	// gets a reply of its own although a cache keeps replies. It is not sent.
	Rollout int
	// OnDelta, if set, asks for the reply as it is written, and is called with
	// each piece, one after another, before Generate returns. The texts of the
	// pieces since the last Restart are together the Response's Text. It must
	// not block.
	OnDelta func(Delta) `json:"-"`
}

// Usage counts tokens, as the provider reports them. Estimated says that the
// provider did not and that they were counted another way.
type Usage struct {
	InputTokens  int `json:"input_tokens"`
	OutputTokens int `json:"output_tokens"`
	// CachedTokens are those of InputTokens that the provider had kept from an
	// earlier call, CacheWriteTokens those that it keeps for later ones and charges
	// otherwise; ReasoningTokens those of OutputTokens that are not shown.
	CachedTokens     int  `json:"cached_tokens,omitempty"`
	CacheWriteTokens int  `json:"cache_write_tokens,omitempty"`
	ReasoningTokens  int  `json:"reasoning_tokens,omitempty"`
	Estimated        bool `json:"estimated,omitempty"`
}

// Add returns the sum of two counts.
func (u Usage) Add(v Usage) Usage {
	return Usage{
		u.InputTokens + v.InputTokens, u.OutputTokens + v.OutputTokens,
		u.CachedTokens + v.CachedTokens, u.CacheWriteTokens + v.CacheWriteTokens, u.ReasoningTokens + v.ReasoningTokens,
		u.Estimated || v.Estimated,
	}
}

// EstimateUsage counts the tokens of a call whose provider did not, at four
// characters a token, rounded up, and marks the count as Estimated.
func EstimateUsage(messages []Message, reply string) Usage {
	in := 0
	for _, m := range messages {
		in += utf8.RuneCountInString(m.Text())
	}
	return Usage{InputTokens: (in + 3) / 4, OutputTokens: (utf8.RuneCountInString(reply) + 3) / 4, Estimated: true}
}

// Finish says why a reply ended.
type Finish string

// The reasons for a reply to end. Others are passed on as the provider names them.
const (
	FinishStop   Finish = "stop"   // the model was done
	FinishLength Finish = "length" // max_tokens was reached: the text is cut
	FinishFilter Finish = "filter" // the provider withheld the rest
	FinishTools  Finish = "tools"  // the model asks for tools
)

// Response is a model's reply.
type Response struct {
	Text      string
	Reasoning string     // what the model thought before it answered, where the provider shows it
	ToolCalls []ToolCall // what it asks for
	Finish    Finish
	Usage     Usage
	Model     string          // the name the provider answered under
	Raw       json.RawMessage // the provider's own reply, for the trace; may be nil

	// Address is that of the model that answered, where it is not the one that
	// was asked: a route answers through one of its members.
	Address string
	// Cost is in US dollars; nil: the price is not known. WithPrice sets it.
	Cost *float64
	// Cached says that the reply was kept from an earlier call: nothing was
	// sent, and Cost is zero.
	Cached bool
	// Journaled says that an earlier leg of the same run had the reply: nothing
	// was sent for it now. All else is as it was then.
	Journaled bool
	// Also are other requests that were sent for this reply and are paid, too: a
	// hedge that came second, a member of a route that failed after it answered.
	Also []Spent
	// Vectors are what a model that embeds answers with, in place of a text: one for
	// each message of the request.
	Vectors [][]float32
}

// Spent is what one request used.
type Spent struct {
	Address string
	Usage   Usage
	Cost    *float64 // US dollars; nil: not known
}

// LM is a model that can be called. It is safe for use by many goroutines, obeys
// ctx, and reports failures as *Error.
type LM interface {
	// Generate sends req once and returns the reply. What a request asks for
	// and Features lacks is refused with KindRequest, except OnDelta: a model
	// that cannot stream gives the whole text in one piece.
	Generate(ctx context.Context, req *Request) (*Response, error)
	// Address is the model's name for people and traces: `openai/gpt-4o-mini`.
	Address() string
	// Features says what the model can do beyond text.
	Features() Features
}

// Features are what a model can do beyond text in, text out.
type Features struct {
	JSON   bool // hold a reply to being a JSON object
	Schema bool // hold a reply to a JSON Schema
	Tools  bool // ask for tools
	Images bool // take pictures
	Audio  bool // take sounds
	Files  bool // take documents
}

// Price is in US dollars per million tokens. A nil *Price is unknown, never zero.
type Price struct {
	Input, Output float64
	// CachedInput is the price of tokens that the provider had kept from an
	// earlier call; nil: that of Input.
	CachedInput *float64
	// CacheWrite is the price of tokens that the provider keeps for later calls; nil:
	// that of Input.
	CacheWrite *float64
	// UpTo is how many input tokens a call may have for the price to hold; 0:
	// any number.
	UpTo int
}

// Cost returns the price of u in US dollars.
func (p Price) Cost(u Usage) float64 {
	usd := float64(u.InputTokens)*p.Input + float64(u.OutputTokens)*p.Output
	if p.CachedInput != nil {
		usd += float64(u.CachedTokens) * (*p.CachedInput - p.Input)
	}
	if p.CacheWrite != nil {
		usd += float64(u.CacheWriteTokens) * (*p.CacheWrite - p.Input)
	}
	return usd / 1e6
}

// WithPrice sets the Cost of m's replies. It stays unknown where the price does not
// tell: for a nil price, for more input than it holds for, and for sounds, whose
// tokens have prices of their own.
func WithPrice(m LM, p *Price) LM {
	if p == nil {
		return m
	}
	return &priced{m, *p}
}

type priced struct {
	LM
	price Price
}

func (p *priced) Generate(ctx context.Context, req *Request) (*Response, error) {
	resp, err := p.LM.Generate(ctx, req)
	if err != nil || resp.Cached || resp.Cost != nil || p.price.UpTo > 0 && resp.Usage.InputTokens > p.price.UpTo || hasAudio(req) {
		return resp, err
	}
	c := *resp
	usd := p.price.Cost(c.Usage)
	c.Cost = &usd
	return &c, nil
}

func hasAudio(req *Request) bool {
	for _, m := range req.Messages {
		for _, p := range m.Parts {
			if p.Media != nil && p.Media.Kind == Audio {
				return true
			}
		}
	}
	return false
}
