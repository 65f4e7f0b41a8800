// Package ollama calls models over Ollama's own protocol, /api/chat.
//
//	Config   which model, on which server (ollama.go)
//	Model    the lm.LM that asks it (ollama.go)
//	chat     what is sent (request.go)
//	reply    what is read, whole or line by line (reply.go)
//
// Unlike Ollama's chat completions, it holds replies to a schema, turns thinking on
// and off, and tells why a reply ended. How long a prompt may be is the server's
// setting (num_ctx): what is longer it cuts without a word.
//
// To begin: New(Config{Model: "llama3.2"}).
package ollama

import (
	"context"
	"net/http"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/wire"
)

// DefaultBaseURL is the server that is asked when BaseURL is empty.
const DefaultBaseURL = "http://localhost:11434"

// Config describes a model. Only Model is required.
type Config struct {
	Model   string       // the server's name for it: llama3.2, qwen3:8b
	BaseURL string       // where /api/chat is; its query, if any, is kept
	Key     string       // sent as a bearer token; a server of one's own needs none
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
	endpoint, err := wire.New(wire.Options{
		Provider:  "ollama",
		Model:     c.Model,
		Example:   "ollama/llama3.2",
		BaseURL:   c.BaseURL,
		OwnURL:    DefaultBaseURL,
		Path:      []string{"api", "chat"},
		Key:       c.Key,
		KeyHeader: "Authorization",
		KeyPrefix: "Bearer ",
		Client:    c.Client,
		Complain:  complaint,
	})
	if err != nil {
		return nil, err
	}
	return &Model{name: c.Model, params: c.Params, endpoint: endpoint}, nil
}

// Address returns ollama/ and the model's name.
func (m *Model) Address() string { return m.endpoint.Address() }

// Features says what the protocol can do. A name does not tell whether a model sees
// pictures or asks for tools: of one that does not, the server says so.
func (m *Model) Features() lm.Features {
	return lm.Features{JSON: true, Schema: true, Tools: true, Images: true}
}

// Generate makes one chat request.
func (m *Model) Generate(ctx context.Context, req *lm.Request) (*lm.Response, error) {
	body, problem := m.body(req)
	if problem != "" {
		return nil, m.endpoint.Fail(lm.KindRequest, problem, nil)
	}
	if req.OnDelta != nil {
		return m.stream(ctx, body, req)
	}
	var r reply
	raw, err := m.endpoint.Do(ctx, body, "chat reply", &r)
	if err != nil {
		return nil, err
	}
	return m.read(&r, raw, req)
}
