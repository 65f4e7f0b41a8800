package retrievers

import (
	"context"
	"math/rand/v2"

	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/stdlib/retrievers/index"
)

// clustered makes vectors of 384 numbers that lie around 64 centres, as those of
// texts lie around their subjects.
type clustered struct{}

func (clustered) Address() string { return "test/clustered" }

func (clustered) Embed(_ context.Context, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, s := range texts {
		h := index.HashOf(s)
		own := rand.New(rand.NewPCG(uint64(h[0])|uint64(h[1])<<8|uint64(h[2])<<16|uint64(h[3])<<24, uint64(h[4])|uint64(h[5])<<8))
		centre := rand.New(rand.NewPCG(uint64(own.IntN(64)), 7))
		v := make([]float32, 384)
		for k := range v {
			v[k] = float32(centre.NormFloat64() + 0.6*own.NormFloat64())
		}
		retrieve.Normalize(v)
		out[i] = v
	}
	return out, nil
}
