// Package openai calls models over the chat-completions protocol: OpenAI's own
// and every server that speaks it (vLLM, llama.cpp, Ollama, OpenRouter and others).
//
//	Config   which model, on which server, with which key (openai.go)
//	Model    the lm.LM that asks it (openai.go)
//	request  what is sent (request.go)
//	reply    what is read (reply.go)
//
// To begin: New(Config{Model: "gpt-4o-mini", Key: key}), or with BaseURL
// "http://localhost:11434/v1" and no key for a server of one's own.
package openai

import (
	"context"
	"errors"
	"net/http"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/wire"
)

// KeyVariable is the environment variable in which a host looks for the key.
const KeyVariable = "OPENAI_API_KEY"

// DefaultBaseURL is the server that is asked when BaseURL is empty.
const DefaultBaseURL = "https://api.openai.com/v1"

// ownHost is the one server of which it is known that it needs a key.
const ownHost = "api.openai.com"

// Config describes a model. Only Model is required.
type Config struct {
	Model   string       // the server's name for it: gpt-4o-mini
	BaseURL string       // where /chat/completions is; its query, if any, is kept
	Key     string       // sent as a bearer token; nothing is sent when empty
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
		return nil, errors.New("a model of provider openai needs a name, such as openai/gpt-4o-mini")
	}
	if c.BaseURL == "" {
		c.BaseURL = DefaultBaseURL
	}
	header := http.Header{}
	if c.Key != "" {
		header.Set("Authorization", "Bearer "+c.Key)
	}
	endpoint, err := wire.New(wire.Options{
		Address:  "openai/" + c.Model,
		BaseURL:  c.BaseURL,
		Path:     []string{"chat", "completions"},
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

// Address returns openai/ and the model's name.
func (m *Model) Address() string { return m.endpoint.Address() }

// Features says what the model can do.
func (m *Model) Features() lm.Features { return lm.Features{} }

// Generate makes one chat completion. Without a key it calls any server but
// OpenAI's own, where it fails with KindNoKey before a request is made.
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
