package ollama

import (
	"context"
	"fmt"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/wire"
)

// Embedder is one embedding model on one server, over /api/embed: an lm.LM that answers
// each message with a vector.
type Embedder struct {
	name     string
	endpoint *wire.Endpoint
}

// NewEmbedder checks c and returns its model. No request is made.
func NewEmbedder(c Config) (*Embedder, error) {
	m, err := New(c)
	if err != nil {
		return nil, err
	}
	return &Embedder{m.name, m.endpoint.At("api", "embed")}, nil
}

// Address returns ollama/ and the model's name.
func (e *Embedder) Address() string { return e.endpoint.Address() }

// Features says that it takes text only.
func (e *Embedder) Features() lm.Features { return lm.Features{} }

// embedRequest is the body of a request.
type embedRequest struct {
	Model string   `json:"model"`
	Input []string `json:"input"`
}

// embedReply is that of a success.
type embedReply struct {
	Model   string      `json:"model"`
	Vectors [][]float32 `json:"embeddings"`
	Tokens  *int        `json:"prompt_eval_count"`
}

// Generate makes one request for the vectors of all messages.
func (e *Embedder) Generate(ctx context.Context, req *lm.Request) (*lm.Response, error) {
	body := embedRequest{Model: e.name, Input: make([]string, len(req.Messages))}
	for i, m := range req.Messages {
		body.Input[i] = m.Text()
	}
	if len(body.Input) == 0 {
		return nil, e.endpoint.Fail(lm.KindRequest, "there is no text to embed", nil)
	}
	var r embedReply
	raw, err := e.endpoint.Do(ctx, body, "list of embeddings", &r)
	if err != nil {
		return nil, err
	}
	if len(r.Vectors) != len(body.Input) {
		return nil, e.endpoint.Malformed(raw, fmt.Sprintf("the reply has %d embeddings for %d texts", len(r.Vectors), len(body.Input)), nil)
	}
	resp := &lm.Response{Finish: lm.FinishStop, Model: r.Model, Vectors: r.Vectors, Usage: lm.EstimateUsage(req.Messages, "")}
	if r.Tokens != nil {
		resp.Usage = lm.Usage{InputTokens: *r.Tokens}
	}
	return resp, nil
}
