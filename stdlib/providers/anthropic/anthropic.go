// Package anthropic calls models over the Messages protocol.
//
//	Config   which model, on which server, with which key (anthropic.go)
//	Model    the lm.LM that asks it (anthropic.go)
//	request  what is sent, and how a conversation is made to fit (request.go)
//	block    a piece of a message: text, media, calls of tools (content.go)
//	reply    what is read (reply.go), and what is read while it is written (stream.go)
//
// What a model takes depends on its generation: internal/claude knows it by the name.
// A prompt is not marked for the provider's cache: writing to it costs more than
// sending, which is for the program to decide. What the cache gave is counted.
//
// To begin: New(Config{Model: name, Key: key}).
package anthropic

import (
	"context"
	"net/http"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/claude"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/wire"
)

// KeyVariable is the environment variable in which a host looks for the key.
const KeyVariable = "ANTHROPIC_API_KEY"

// DefaultBaseURL is the server that is asked when BaseURL is empty.
const DefaultBaseURL = "https://api.anthropic.com"

// DefaultMaxTokens is sent when max_tokens is not set, since the protocol demands a
// number. A model that thinks first is given more, since what it thinks is part of it.
const DefaultMaxTokens = 4096

// Version is the protocol's version that is asked for with every request.
const Version = "2023-06-01"

// Config describes a model. Only Model is required.
type Config struct {
	Model   string       // the server's name for it
	BaseURL string       // where /v1/messages is; its query, if any, is kept
	Key     string       // sent as x-api-key; nothing is sent when empty
	Params  lm.Params    // used where a request leaves a parameter open
	Client  *http.Client // nil for the client that all providers share
}

// Model is one model on one server. It implements lm.LM.
type Model struct {
	name     string
	traits   claude.Traits
	params   lm.Params
	endpoint *wire.Endpoint
}

// New checks c and returns its model. No request is made. The error says what is
// wrong with the name, the base URL or the key.
func New(c Config) (*Model, error) {
	header := http.Header{}
	header.Set("Anthropic-Version", Version)
	endpoint, err := wire.New(wire.Options{
		Provider:  "anthropic",
		Model:     c.Model,
		Example:   "anthropic/claude-sonnet-4-5",
		BaseURL:   c.BaseURL,
		OwnURL:    DefaultBaseURL,
		NeedKey:   true,
		Path:      []string{"v1", "messages"},
		Header:    header,
		Key:       c.Key,
		KeyHeader: "X-Api-Key",
		KeyName:   KeyVariable,
		Client:    c.Client,
		Complain:  complaint,
	})
	if err != nil {
		return nil, err
	}
	return &Model{name: c.Model, traits: claude.Of(c.Model), params: c.Params, endpoint: endpoint}, nil
}

// Address returns anthropic/ and the model's name.
func (m *Model) Address() string { return m.endpoint.Address() }

// Features says what the model can do. The protocol has no way to ask for JSON
// without a schema, and takes no sounds.
func (m *Model) Features() lm.Features {
	return lm.Features{Schema: m.traits.Schema, Tools: true, Images: m.traits.Vision, Files: m.traits.Vision}
}

// Generate sends one message request. Without a key it calls any server but
// Anthropic's own, where it fails with KindNoKey before a request is made.
func (m *Model) Generate(ctx context.Context, req *lm.Request) (*lm.Response, error) {
	body, problem := m.body(req)
	if problem != "" {
		return nil, m.endpoint.Fail(lm.KindRequest, problem, nil)
	}
	if req.OnDelta != nil {
		return m.stream(ctx, body, req)
	}
	var r reply
	raw, err := m.endpoint.Do(ctx, body, "message", &r)
	if err != nil {
		return nil, err
	}
	return m.read(&r, raw, req)
}
