package builtin

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/retrieve"
)

// Hash is the one embedder of this provider: `builtin/hash`.
const Hash = "hash"

// hashSize is how many numbers its vectors have.
const hashSize = 512

// NewEmbedder returns the embedder of that name: there is one, `hash`. It answers
// each message with a vector.
//
// It knows no meanings: a word, and with less weight each three letters of it, adds
// to the number that its hash names, or takes from it. Texts that share words, or
// forms of one word, are near; paraphrases are not. It is deterministic, and needs
// no key and no network: good for tests and first runs, and a weak baseline
// otherwise.
func NewEmbedder(model string) (lm.LM, error) {
	if model != Hash {
		return nil, &lm.Error{
			Kind: lm.KindRequest, Model: "builtin/" + model,
			Message: fmt.Sprintf("there is no built-in embedder %q; there is `builtin/%s`", model, Hash),
		}
	}
	return hasher{}, nil
}

type hasher struct{}

// Address returns `builtin/hash`.
func (hasher) Address() string { return "builtin/" + Hash }

// Features says that it takes text only.
func (hasher) Features() lm.Features { return lm.Features{} }

// Generate returns a vector for each message.
func (h hasher) Generate(ctx context.Context, req *lm.Request) (*lm.Response, error) {
	if e := lm.ContextError(ctx, h.Address()); e != nil {
		return nil, e
	}
	resp := &lm.Response{Finish: lm.FinishStop, Model: Hash, Usage: lm.Usage{Estimated: true}}
	for _, m := range req.Messages {
		text := m.Text()
		resp.Usage.InputTokens += countTokens(text)
		resp.Vectors = append(resp.Vectors, hashed(text))
	}
	return resp, nil
}

// The weight of a word, and of three letters in it.
const wordWeight, piecesWeight = 1.0, 0.5

// hashed returns the vector of a text.
func hashed(text string) []float32 {
	counts := map[string]float64{}
	for _, w := range retrieve.Words(text) {
		counts["w"+w] += wordWeight
		r := []rune("<" + w + ">")
		if len(r) < 5 {
			continue // of short words the whole says more
		}
		for i := 0; i+3 <= len(r); i++ {
			counts["p"+string(r[i:i+3])] += piecesWeight / math.Sqrt(float64(len(r)-2))
		}
	}
	v := make([]float64, hashSize)
	for s, n := range counts {
		h := fnv.New64a()
		h.Write([]byte(s))
		sum := h.Sum64()
		sum ^= sum >> 32
		sum *= 0x9e3779b97f4a7c15
		weight := math.Log1p(n)
		if sum>>63 != 0 {
			weight = -weight
		}
		// Whole steps, so that the order of the words does not matter in the sum.
		v[sum%hashSize] += math.Round(weight * (1 << 20))
	}
	out := make([]float32, hashSize)
	for i, f := range v {
		out[i] = float32(f)
	}
	retrieve.Normalize(out)
	return out
}
