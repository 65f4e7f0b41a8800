package retrieve

import (
	"context"
	"fmt"
	"math"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// Embedder makes vectors of texts. It is safe for use by many goroutines.
type Embedder interface {
	// Embed returns a vector for each text, all of one dimension and of length 1
	// (or all zero, for a text that says nothing).
	Embed(ctx context.Context, texts []string) ([][]float32, error)
	// Address is the embedder's name for people: `openai/text-embedding-3-small`.
	Address() string
}

// The most that one request of an embedder holds, unless it is a single text.
const (
	batchTexts = 128
	batchBytes = 256 << 10
)

// Through returns an embedder that asks m, which answers each message with a
// vector: see lm.Response.Vectors. What stands around m (limits, attempts, its
// price, a budget) is obeyed as in any call. Many texts are sent in batches, one
// after another.
func Through(m lm.LM) Embedder { return through{m} }

type through struct{ lm lm.LM }

func (t through) Address() string { return t.lm.Address() }

func (t through) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	out := make([][]float32, 0, len(texts))
	for len(texts) > 0 {
		n, size := 0, 0
		for n < len(texts) && n < batchTexts && (n == 0 || size+len(texts[n]) <= batchBytes) {
			size += len(texts[n])
			n++
		}
		vectors, err := t.batch(ctx, texts[:n])
		if err != nil {
			return nil, err
		}
		out, texts = append(out, vectors...), texts[n:]
	}
	return out, nil
}

func (t through) batch(ctx context.Context, texts []string) ([][]float32, error) {
	req := &lm.Request{Messages: make([]lm.Message, len(texts))}
	for i, s := range texts {
		req.Messages[i] = lm.Message{Role: lm.User, Content: s}
	}
	resp, err := t.lm.Generate(ctx, req)
	if err != nil {
		if count, ok := ctx.Value(spentKey{}).(Counter); ok {
			if e := lm.AsError(err); e != nil {
				count.Lost(e.Spent)
			}
		}
		return nil, err
	}
	if count, ok := ctx.Value(spentKey{}).(Counter); ok {
		count.Count(resp)
	}
	if len(resp.Vectors) != len(texts) {
		return nil, &lm.Error{Kind: lm.KindReply, Model: t.Address(), Message: fmt.Sprintf("%d vectors came for %d texts", len(resp.Vectors), len(texts))}
	}
	for i, v := range resp.Vectors {
		if len(v) == 0 || len(v) != len(resp.Vectors[0]) {
			if len(resp.Vectors[0]) == 0 {
				return nil, &lm.Error{Kind: lm.KindReply, Model: t.Address(), Message: "the vectors have no numbers"}
			}
			return nil, &lm.Error{Kind: lm.KindReply, Model: t.Address(), Message: fmt.Sprintf("vector %d has %d numbers, the first %d", i, len(v), len(resp.Vectors[0]))}
		}
		if !Normalize(v) {
			return nil, &lm.Error{Kind: lm.KindReply, Model: t.Address(), Message: fmt.Sprintf("vector %d holds something that is no finite number", i)}
		}
	}
	return resp.Vectors, nil
}

// Counter takes what the calls of embedders have used.
type Counter interface {
	// Count adds a reply.
	Count(*lm.Response)
	// Lost adds what a call has used that failed in the end.
	Lost([]lm.Spent)
}

type spentKey struct{}

// WithCounter returns a context in which the calls of embedders are counted.
func WithCounter(ctx context.Context, c Counter) context.Context {
	return context.WithValue(ctx, spentKey{}, c)
}

// Normalize gives a vector the length 1. A vector of zeros stays as it is. It
// reports false where a number is not finite.
func Normalize(v []float32) bool {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	if math.IsNaN(sum) || math.IsInf(sum, 0) {
		return false
	}
	if sum == 0 {
		return true
	}
	by := 1 / math.Sqrt(sum)
	for i, x := range v {
		v[i] = float32(float64(x) * by)
	}
	return true
}

// Dot returns the product of two vectors of one dimension: the cosine of those that
// Normalize has seen.
func Dot(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	for len(a) >= 8 && len(b) >= 8 {
		x, y := (*[8]float32)(a), (*[8]float32)(b)
		s0 += x[0]*y[0] + x[4]*y[4]
		s1 += x[1]*y[1] + x[5]*y[5]
		s2 += x[2]*y[2] + x[6]*y[6]
		s3 += x[3]*y[3] + x[7]*y[7]
		a, b = a[8:], b[8:]
	}
	for i := range a {
		s0 += a[i] * b[i]
	}
	return s0 + s1 + s2 + s3
}
