package retrieve

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
)

// MemoryOptions are how a Memory searches.
type MemoryOptions struct {
	Method   Method   // "" for BM25
	Embedder Embedder // for the methods that compare vectors
	K        int      // how many passages are given when nobody says; 0 for DefaultK
}

// Memory searches passages in the process: for tests, and for passages that a
// program in Go makes. Its vectors are made at the first search that needs them.
type Memory struct {
	o        MemoryOptions
	passages []Passage
	postings map[string][]posting
	lengths  []int
	average  float64

	mu      sync.Mutex
	vectors [][]float32
}

type posting struct{ passage, count int }

// NewMemory returns a retriever over passages. It is an error to name a method that
// needs an embedder without one.
func NewMemory(passages []Passage, o MemoryOptions) (*Memory, error) {
	if o.Method == "" {
		o.Method = BM25
	}
	if o.K <= 0 {
		o.K = DefaultK
	}
	if o.Method.NeedsEmbedder() && o.Embedder == nil {
		return nil, fmt.Errorf("method %s needs an embedder", o.Method)
	}
	m := &Memory{o: o, passages: passages, postings: map[string][]posting{}, lengths: make([]int, len(passages))}
	total := 0
	for i, p := range passages {
		counts := map[string]int{}
		for _, w := range Words(p.Whole()) {
			counts[w]++
			m.lengths[i]++
		}
		total += m.lengths[i]
		for w, n := range counts {
			m.postings[w] = append(m.postings[w], posting{i, n})
		}
	}
	m.average = float64(total) / math.Max(1, float64(len(passages)))
	return m, nil
}

// Retrieve returns at most k passages for a query, best first.
func (m *Memory) Retrieve(ctx context.Context, query string, k int) ([]Passage, error) {
	if k <= 0 {
		k = m.o.K
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	words := Words(query)
	if len(words) == 0 {
		return nil, nil
	}
	words = words[:min(len(words), maxWords)]
	var found []Ranked
	switch m.o.Method {
	case Vector:
		list, err := m.near(ctx, query, k)
		if err != nil {
			return nil, err
		}
		found = list
	case Hybrid:
		list, err := m.near(ctx, query, FuseDepth(k))
		if err != nil {
			return nil, err
		}
		found = Fuse(k, m.bm25(words, FuseDepth(k)), list)
	default:
		found = m.bm25(words, k)
	}
	out := make([]Passage, len(found))
	for i, x := range found {
		out[i] = m.passages[x.Key]
		out[i].Score = x.Score
	}
	return out, nil
}

// bm25 is Robertson's score, as SQLite's FTS5 computes it: a word in more than half
// of the passages counts next to nothing.
func (m *Memory) bm25(words []string, k int) []Ranked {
	const k1, b, least = 1.2, 0.75, 1e-6
	scores := map[int]float64{}
	for _, w := range words {
		list := m.postings[w]
		n := float64(len(list))
		idf := max(math.Log((float64(len(m.passages))-n+0.5)/(n+0.5)), least)
		for _, p := range list {
			f := float64(p.count)
			scores[p.passage] += idf * f * (k1 + 1) / (f + k1*(1-b+b*float64(m.lengths[p.passage])/m.average))
		}
	}
	best := NewBest(k)
	for i, s := range scores {
		best.Add(int64(i), s)
	}
	return best.List()
}

// near compares the query's vector with all others.
func (m *Memory) near(ctx context.Context, query string, k int) ([]Ranked, error) {
	vectors, err := m.embedded(ctx)
	if err != nil || len(vectors) == 0 {
		return nil, err
	}
	q, err := m.o.Embedder.Embed(ctx, []string{query})
	if err != nil {
		return nil, err
	}
	if len(q) != 1 || len(q[0]) != len(vectors[0]) {
		return nil, errors.New("the embedder gives vectors of several dimensions")
	}
	best := NewBest(k)
	for i, v := range vectors {
		best.Add(int64(i), float64(Dot(q[0], v)))
	}
	return best.List(), nil
}

// embedded returns the vectors of all passages.
func (m *Memory) embedded(ctx context.Context) ([][]float32, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.vectors == nil && len(m.passages) > 0 {
		texts := make([]string, len(m.passages))
		for i, p := range m.passages {
			texts[i] = p.Whole()
		}
		vectors, err := m.o.Embedder.Embed(ctx, texts)
		if err != nil {
			return nil, err
		}
		m.vectors = vectors
	}
	return m.vectors, nil
}
