package retrievers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/stdlib/retrievers/index"
)

const (
	batch   = 64 // passages in a request of the embedder, as a rule
	workers = 4  // requests under way at once; the limits of the model are lower where they say so
)

// errFull ends a pass over the corpus.
var errFull = errors.New("enough")

// embed is the second pass: it makes vectors of passages that have none.
func (x *Retriever) embed(ctx context.Context, seen *survey) error {
	have, dim, err := x.store.Embedded(ctx)
	if err != nil {
		return err
	}
	lacks := map[index.Hash]bool{}
	for _, h := range seen.wholes {
		if !have[h] {
			lacks[h] = true
		}
	}
	if len(lacks) == 0 {
		return nil
	}
	m := &making{x: x, total: len(lacks), dim: dim}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	work := make(chan map[index.Hash]string)
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for texts := range work {
				if err := m.make(ctx, texts); err != nil {
					cancel(err)
				}
			}
		})
	}
	send := func(texts map[index.Hash]string) error {
		select {
		case work <- texts:
			return nil
		case <-ctx.Done():
			return errFull
		}
	}
	x.progress(retrieve.Embedding, 0, m.total)
	texts := map[index.Hash]string{}
	err = x.each(ctx, seen, func(p retrieve.Passage) error {
		whole := p.Whole()
		if h := index.HashOf(whole); lacks[h] {
			delete(lacks, h)
			if texts[h] = whole; len(texts) == batch {
				full := texts
				texts = map[index.Hash]string{}
				return send(full)
			}
		}
		return nil
	})
	if err == nil && len(texts) > 0 {
		err = send(texts)
	}
	close(work)
	all.Wait()
	// What has come is paid, and kept even if the rest was cancelled.
	if kerr := m.keep(context.WithoutCancel(ctx)); err == nil || errors.Is(err, errFull) {
		err = errors.Join(err, kerr)
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// making is the vectors under way.
type making struct {
	x     *Retriever
	total int

	mu      sync.Mutex
	done    int
	dim     int          // of the vectors that there are; 0: there is none
	keys    []index.Hash // that have come and are not kept yet
	vectors [][]float32
	kept    time.Time
}

// Vectors are kept when so many have come, or when the last time is so long ago: that
// is what an interruption loses, beside what is under way.
const (
	keepVectors = 4096
	keepEvery   = time.Second
)

// make makes vectors of texts and keeps them.
func (m *making) make(ctx context.Context, texts map[index.Hash]string) error {
	keys, list := make([]index.Hash, 0, len(texts)), make([]string, 0, len(texts))
	for h, s := range texts {
		keys, list = append(keys, h), append(list, s)
	}
	vectors, err := m.x.c.Embedder.Embed(ctx, list)
	if err != nil {
		return err
	}
	if len(vectors) != len(list) {
		return fmt.Errorf("%s gives %d vectors for %d texts", m.x.c.Embedder.Address(), len(vectors), len(list))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, v := range vectors {
		if m.dim == 0 {
			m.dim = len(v)
		}
		if len(v) != m.dim {
			return &index.DimensionError{Index: m.dim, Given: len(v)}
		}
	}
	m.keys, m.vectors = append(m.keys, keys...), append(m.vectors, vectors...)
	m.done += len(keys)
	m.x.progress(retrieve.Embedding, m.done, m.total)
	if len(m.keys) < keepVectors && time.Since(m.kept) < keepEvery {
		return nil
	}
	return m.keep(context.WithoutCancel(ctx))
}

// keep keeps the vectors that have come. The lock is held, or nobody else works.
func (m *making) keep(ctx context.Context) error {
	if len(m.keys) == 0 {
		return nil
	}
	err := m.x.store.Keep(ctx, m.keys, m.vectors)
	m.keys, m.vectors, m.kept = nil, nil, time.Now()
	return err
}
