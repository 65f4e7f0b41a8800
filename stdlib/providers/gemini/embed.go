package gemini

import (
	"context"
	"fmt"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/wire"
)

// Embedder is one embedding model on one server, over batchEmbedContents: an lm.LM that
// answers each message with a vector. The API does not say how many tokens it read, so
// they are counted here.
type Embedder struct {
	name     string // models/gemini-embedding-001
	endpoint *wire.Endpoint
}

// NewEmbedder checks c and returns its model. No request is made.
func NewEmbedder(c Config) (*Embedder, error) {
	m, err := New(c)
	if err != nil {
		return nil, err
	}
	folder, name, found := strings.Cut(c.Model, "/")
	if !found {
		folder, name = "models", c.Model
	}
	return &Embedder{folder + "/" + name, m.endpoint.At("v1beta", folder, name+":batchEmbedContents")}, nil
}

// Address returns gemini/ and the model's name.
func (e *Embedder) Address() string { return e.endpoint.Address() }

// Features says that it takes text only.
func (e *Embedder) Features() lm.Features { return lm.Features{} }

// embedRequest is the body of a request.
type embedRequest struct {
	Requests []embedOne `json:"requests"`
}

type embedOne struct {
	Model   string       `json:"model"`
	Content embedContent `json:"content"`
}

type embedContent struct {
	Parts []embedPart `json:"parts"`
}

type embedPart struct {
	Text string `json:"text"`
}

// embedReply is that of a success.
type embedReply struct {
	Embeddings []struct {
		Values []float32 `json:"values"`
	} `json:"embeddings"`
}

// Generate makes one request for the vectors of all messages.
func (e *Embedder) Generate(ctx context.Context, req *lm.Request) (*lm.Response, error) {
	var body embedRequest
	for _, m := range req.Messages {
		text := m.Text()
		if text == "" {
			text = " " // a part without text is refused
		}
		body.Requests = append(body.Requests, embedOne{e.name, embedContent{[]embedPart{{text}}}})
	}
	if len(body.Requests) == 0 {
		return nil, e.endpoint.Fail(lm.KindRequest, "there is no text to embed", nil)
	}
	var r embedReply
	raw, err := e.endpoint.Do(ctx, body, "list of embeddings", &r)
	if err != nil {
		return nil, err
	}
	if len(r.Embeddings) != len(body.Requests) {
		return nil, e.endpoint.Malformed(raw, fmt.Sprintf("the reply has %d embeddings for %d texts", len(r.Embeddings), len(body.Requests)), nil)
	}
	resp := &lm.Response{Finish: lm.FinishStop, Model: e.name, Usage: lm.EstimateUsage(req.Messages, "")}
	for _, x := range r.Embeddings {
		resp.Vectors = append(resp.Vectors, x.Values)
	}
	return resp, nil
}
