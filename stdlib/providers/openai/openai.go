// Package openai calls models over OpenAI's two protocols, chat completions and
// Responses: OpenAI's own and those of every server that speaks one of them.
//
//	Config    which model, on which server, with which key, over which protocol (openai.go)
//	Model     the lm.LM that asks it (openai.go)
//	Preset    a server or service that speaks chat completions in its own way (presets.go)
//	family    what a model's name says of it (family.go)
//	chat      chat completions: what is sent (request.go), what is read whole
//	          (reply.go) and while it is written (stream.go)
//	responses the same for Responses (responses.go, output.go)
//	Embedder  a model that makes vectors of texts (embeddings.go)
//
// To begin: New(Config{Model: "gpt-4o-mini", Key: key}), or with Provider "vllm"
// and no key for a server of one's own.
package openai

import (
	"context"
	"fmt"
	"net/http"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/wire"
)

// KeyVariable is the environment variable in which a host looks for OpenAI's key.
const KeyVariable = "OPENAI_API_KEY"

// DefaultBaseURL is OpenAI's own server.
const DefaultBaseURL = "https://api.openai.com/v1"

// The protocols.
const (
	Chat      = "chat"      // POST /chat/completions
	Responses = "responses" // POST /responses
)

// Config describes a model. Only Model is required, and BaseURL where the preset has
// no server of its own.
type Config struct {
	Provider string       // a preset's name; "" for openai
	Model    string       // the server's name for it: gpt-4o-mini
	API      string       // Chat or Responses; "" for Chat
	BaseURL  string       // where /chat/completions is; its query, if any, is kept
	Key      string       // nothing is sent when empty
	Params   lm.Params    // used where a request leaves a parameter open
	Client   *http.Client // nil for the client that all providers share
}

// Model is one model on one server. It implements lm.LM.
type Model struct {
	name     string
	preset   Preset
	api      string
	params   lm.Params
	features lm.Features
	endpoint *wire.Endpoint
}

// New checks c and returns its model. No request is made. The error says what is
// wrong with the provider, the protocol, the name, the base URL or the key.
func New(c Config) (*Model, error) {
	if c.Provider == "" {
		c.Provider = own
	}
	p, ok := preset(c.Provider)
	if !ok {
		return nil, fmt.Errorf("no server of OpenAI's protocols is called %q", c.Provider)
	}
	m := &Model{name: c.Model, preset: p, api: c.API, params: c.Params, features: p.features(c.Model)}
	path := []string{"chat", "completions"}
	switch c.API {
	case "":
		m.api = Chat
	case Chat:
	case Responses:
		path = []string{"responses"}
		m.features.Audio = false // the protocol has no form for it
	default:
		return nil, fmt.Errorf("the api of %s/%s is %q; it can be %q or %q", c.Provider, c.Model, c.API, Chat, Responses)
	}
	endpoint, err := wire.New(endpointOptions(p, c, path))
	if err != nil {
		return nil, err
	}
	m.endpoint = endpoint
	return m, nil
}

// endpointOptions describes the endpoint of a model on a preset's server.
func endpointOptions(p Preset, c Config, path []string) wire.Options {
	o := wire.Options{
		Provider: p.Name, Model: c.Model, Example: p.Example,
		BaseURL: c.BaseURL, OwnURL: p.BaseURL, NeedKey: p.NeedKey, Path: path,
		Key: c.Key, KeyHeader: "Authorization", KeyPrefix: "Bearer ", KeyName: p.KeyVar,
		Client: c.Client, Complain: complaint,
	}
	if p.KeyHeader != "" {
		o.KeyHeader, o.KeyPrefix = p.KeyHeader, ""
	}
	return o
}

// Address returns the provider's and the model's name: openai/gpt-4o-mini.
func (m *Model) Address() string { return m.endpoint.Address() }

// Features says what the model can do, as far as its name and its server's
// documentation tell. A server that can do less refuses with KindRequest.
func (m *Model) Features() lm.Features { return m.features }

// Generate makes one request. Without a key it fails with KindNoKey before that
// where the server is known to want one.
func (m *Model) Generate(ctx context.Context, req *lm.Request) (*lm.Response, error) {
	if m.api == Responses {
		return m.respond(ctx, req)
	}
	return m.complete(ctx, req)
}
