package retrievetest

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"

	"github.com/dspi-lang/dspi/interpreter/retrieve"
)

// concepts are words that mean the same.
var concepts = [][]string{
	{"night", "dark", "darkness", "owl", "mouse", "hears", "snow"},
	{"whale", "ocean", "mammal", "breathes", "brain"},
	{"bee", "nectar", "flowers", "dances"},
	{"salmon", "river", "spawn", "fish"},
	{"fox", "hunter", "bushy", "young", "earth"},
	{"coffee", "cafe", "visitor", "sao", "paulo", "københavn"},
}

// Concepts is an embedder that knows which words mean the same: a vector has a
// number for each concept, and two more, so that none is zero. It is for tests.
type Concepts struct{}

// Address returns `test/concepts`.
func (Concepts) Address() string { return "test/concepts" }

// Embed counts the words of each concept.
func (Concepts) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	out := make([][]float32, len(texts))
	for i, text := range texts {
		v := make([]float32, len(concepts)+2)
		v[len(concepts)] = 0.1
		for _, w := range strings.Fields(strings.Join(retrieve.Words(text), " ")) {
			known := false
			for c, list := range concepts {
				for _, x := range list {
					if x == w || x == "københavn" && w == "kobenhavn" {
						v[c]++
						known = true
					}
				}
			}
			if !known {
				v[len(concepts)+1] += 0.01
			}
		}
		retrieve.Normalize(v)
		out[i] = v
	}
	return out, nil
}

// flaky fails when it is told to.
type flaky struct {
	Concepts
	fail atomic.Bool
}

func (f *flaky) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	if f.fail.Load() {
		return nil, errors.New("no vectors today")
	}
	return f.Concepts.Embed(ctx, texts)
}
