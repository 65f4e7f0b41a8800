// Package anthropic calls models over the Messages protocol.
//
//	Config   which model, on which server, with which key (anthropic.go)
//	Model    the lm.LM that asks it (anthropic.go)
//	request  what is sent, and how a conversation is made to fit (request.go)
//	reply    what is read (reply.go)
//
// To begin: New(Config{Model: name, Key: key}).
package anthropic

import (
	"context"
	"errors"
	"net/http"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/wire"
)

// KeyVariable is the environment variable in which a host looks for the key.
const KeyVariable = "ANTHROPIC_API_KEY"

// DefaultBaseURL is the server that is asked when BaseURL is empty.
const DefaultBaseURL = "https://api.anthropic.com"

// DefaultMaxTokens is sent when max_tokens is not set, since the protocol demands a number.
const DefaultMaxTokens = 4096

// Version is the protocol's version that is asked for with every request.
const Version = "2023-06-01"

// ownHost is the one server of which it is known that it needs a key.
const ownHost = "api.anthropic.com"

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
	params   lm.Params
	endpoint *wire.Endpoint
}

// New checks c and returns its model. No request is made. The error says what is
// wrong with the name, the base URL or the key.
func New(c Config) (*Model, error) {
	if c.Model == "" {
		return nil, errors.New("a model of provider anthropic needs a name: anthropic/NAME")
	}
	if c.BaseURL == "" {
		c.BaseURL = DefaultBaseURL
	}
	header := http.Header{}
	header.Set("Anthropic-Version", Version)
	if c.Key != "" {
		header.Set("X-Api-Key", c.Key)
	}
	endpoint, err := wire.New(wire.Options{
		Address:  "anthropic/" + c.Model,
		BaseURL:  c.BaseURL,
		Path:     []string{"v1", "messages"},
		Header:   header,
		Key:      c.Key,
		KeyName:  KeyVariable,
		Client:   c.Client,
		Complain: complaint,
	})
	if err != nil {
		return nil, err
	}
	return &Model{name: c.Model, params: c.Params, endpoint: endpoint}, nil
}

// Address returns anthropic/ and the model's name.
func (m *Model) Address() string { return m.endpoint.Address() }

// Features says what the model can do.
func (m *Model) Features() lm.Features { return lm.Features{} }

// Generate sends one message request. Without a key it calls any server but
// Anthropic's own, where it fails with KindNoKey before a request is made.
func (m *Model) Generate(ctx context.Context, req *lm.Request) (*lm.Response, error) {
	if !m.endpoint.HasKey() && m.endpoint.OnHost(ownHost) {
		return nil, m.endpoint.NoKey()
	}
	body, problem := m.body(req)
	if problem != "" {
		return nil, m.endpoint.Fail(lm.KindRequest, problem, nil)
	}
	raw, err := m.endpoint.Post(ctx, body)
	if err != nil {
		return nil, err
	}
	resp, err := m.read(raw, req)
	if err == nil {
		lm.Whole(req, resp)
	}
	return resp, err
}
