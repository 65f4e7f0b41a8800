package openai

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/wire"
)

// noEmbeddings are the services that have chat completions and no embeddings.
var noEmbeddings = map[string]bool{"groq": true, "deepseek": true}

// Embeds reports whether a preset has embeddings.
func Embeds(preset string) bool { return !noEmbeddings[preset] }

// Embedder is one embedding model on one server: an lm.LM that answers each message
// with a vector. It uses Config as New does, but for API and Params.
type Embedder struct {
	name     string
	endpoint *wire.Endpoint
}

// NewEmbedder checks c and returns its model. No request is made.
func NewEmbedder(c Config) (*Embedder, error) {
	if c.Provider == "" {
		c.Provider = own
	}
	p, ok := preset(c.Provider)
	if !ok || !Embeds(c.Provider) {
		return nil, fmt.Errorf("provider %s has no embeddings", c.Provider)
	}
	endpoint, err := wire.New(endpointOptions(p, c, []string{"embeddings"}))
	if err != nil {
		return nil, err
	}
	return &Embedder{c.Model, endpoint}, nil
}

// Address returns the provider's and the model's name.
func (e *Embedder) Address() string { return e.endpoint.Address() }

// Features says that it takes text only.
func (e *Embedder) Features() lm.Features { return lm.Features{} }

// embedRequest is the body of a request.
type embedRequest struct {
	Model  string   `json:"model"`
	Input  []string `json:"input"`
	Format string   `json:"encoding_format"`
}

// embedReply is that of a success.
type embedReply struct {
	Model string `json:"model"`
	Data  []struct {
		Index  *int            `json:"index"`
		Vector json.RawMessage `json:"embedding"`
	} `json:"data"`
	Usage *usage          `json:"usage"`
	Error json.RawMessage `json:"error"`
}

// Generate makes one request for the vectors of all messages.
func (e *Embedder) Generate(ctx context.Context, req *lm.Request) (*lm.Response, error) {
	body := embedRequest{Model: e.name, Format: "float", Input: make([]string, len(req.Messages))}
	for i, m := range req.Messages {
		if body.Input[i] = m.Text(); body.Input[i] == "" {
			body.Input[i] = " " // servers refuse a text of no length
		}
	}
	if len(body.Input) == 0 {
		return nil, e.endpoint.Fail(lm.KindRequest, "there is no text to embed", nil)
	}
	var r embedReply
	raw, err := e.endpoint.Do(ctx, body, "list of embeddings", &r)
	if err != nil {
		return nil, err
	}
	if len(r.Data) == 0 && len(r.Error) > 0 && string(r.Error) != "null" {
		return nil, e.endpoint.Fail(lm.KindServer, complaint(raw).Message, nil)
	}
	resp := &lm.Response{Finish: lm.FinishStop, Model: r.Model, Vectors: make([][]float32, len(body.Input))}
	for i, d := range r.Data {
		at := i
		if d.Index != nil {
			at = *d.Index
		}
		if at < 0 || at >= len(resp.Vectors) || resp.Vectors[at] != nil {
			return nil, e.endpoint.Malformed(raw, fmt.Sprintf("the reply has an embedding with the index %d for %d texts", at, len(body.Input)), nil)
		}
		if resp.Vectors[at], err = vector(d.Vector); err != nil {
			return nil, e.endpoint.Malformed(raw, "the reply has an embedding that is no list of numbers", err)
		}
	}
	if len(r.Data) != len(body.Input) {
		return nil, e.endpoint.Malformed(raw, fmt.Sprintf("the reply has %d embeddings for %d texts", len(r.Data), len(body.Input)), nil)
	}
	resp.Usage = r.Usage.counted(req, resp)
	if r.Usage != nil {
		resp.Cost = r.Usage.Cost
	}
	return resp, nil
}

// vector reads a list of numbers, or the base64 of float32 that some servers answer
// with whatever they are asked for.
func vector(raw json.RawMessage) ([]float32, error) {
	var out []float32
	if len(raw) == 0 || raw[0] != '"' {
		err := json.Unmarshal(raw, &out)
		return out, err
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return nil, err
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, err
	}
	if len(b)%4 != 0 {
		return nil, fmt.Errorf("%d bytes are no list of float32", len(b))
	}
	for ; len(b) > 0; b = b[4:] {
		out = append(out, math.Float32frombits(binary.LittleEndian.Uint32(b)))
	}
	return out, nil
}
