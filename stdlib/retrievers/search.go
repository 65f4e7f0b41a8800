package retrievers

import (
	"context"

	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/stdlib/retrievers/index"
)

// Retrieve returns at most k passages for a query, best first.
func (x *Retriever) Retrieve(ctx context.Context, query string, k int) ([]retrieve.Passage, error) {
	return x.RetrieveWhere(ctx, query, k, retrieve.Filter{})
}

// RetrieveWhere is Retrieve among the passages that a filter keeps.
func (x *Retriever) RetrieveWhere(ctx context.Context, query string, k int, where retrieve.Filter) ([]retrieve.Passage, error) {
	if k <= 0 {
		k = x.c.K
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var words []string
	for _, w := range retrieve.QueryWords(query) {
		if len(retrieve.Words(w)) > 0 { // not accents alone
			words = append(words, w)
		}
	}
	if len(words) == 0 {
		return nil, nil
	}
	var near []float32
	if x.c.Embedder != nil {
		list, err := x.c.Embedder.Embed(ctx, []string{query})
		if err != nil {
			return nil, x.wrap(err)
		}
		near = list[0]
	}
	var out []retrieve.Passage
	err := x.mended(ctx, func() error {
		single := where.Keep == nil && x.c.Diversity == 0 && x.c.method() != retrieve.Hybrid
		return x.store.View(ctx, single, func(v index.View) error { // what is found and its passages are of one moment
			only, err := x.kept(ctx, v, where)
			if err != nil {
				return err
			}
			found, err := x.find(ctx, v, words, near, k, only)
			if err == nil {
				out, err = v.Passages(ctx, found)
			}
			return err
		})
	})
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, x.wrap(err)
	}
	return out, nil
}

// find ranks passages by the method, and picks diverse ones where that is wanted.
func (x *Retriever) find(ctx context.Context, v index.View, words []string, near []float32, k int, only map[int64]bool) ([]retrieve.Ranked, error) {
	depth := k
	if x.c.Diversity > 0 {
		depth = retrieve.FuseDepth(k)
	}
	found, err := x.rank(ctx, v, words, near, depth, only)
	if err != nil || x.c.Diversity == 0 {
		return found, err
	}
	keys := make([]int64, len(found))
	for i, r := range found {
		keys[i] = r.Key
	}
	vectors, err := v.Vectors(ctx, keys)
	if err != nil {
		return nil, err
	}
	return retrieve.Diverse(k, 1-x.c.Diversity, found, vectors), nil
}

// rank ranks passages by the method.
func (x *Retriever) rank(ctx context.Context, v index.View, words []string, near []float32, k int, only map[int64]bool) ([]retrieve.Ranked, error) {
	switch x.c.method() {
	case retrieve.Vector:
		return v.Near(ctx, near, k, only)
	case retrieve.Hybrid:
		depth := retrieve.FuseDepth(k)
		byWords, err := v.Words(ctx, words, depth, only)
		if err != nil {
			return nil, err
		}
		byVectors, err := v.Near(ctx, near, depth, only)
		if err != nil {
			return nil, err
		}
		var weights []float64
		if w := x.c.VectorWeight; w != nil {
			weights = []float64{2 * (1 - *w), 2 * *w}
		}
		return retrieve.FuseWeighted(k, weights, byWords, byVectors), nil
	}
	return v.Words(ctx, words, k, only)
}

// kept returns the passages that a filter keeps; nil for all. What filters have kept
// is remembered while the index stays as it is.
func (x *Retriever) kept(ctx context.Context, v index.View, where retrieve.Filter) (map[int64]bool, error) {
	if where.Keep == nil {
		return nil, nil
	}
	changes, err := v.Changes(ctx)
	if err != nil {
		return nil, err
	}
	x.filters.Lock()
	if x.changes != changes || len(x.keeps) >= mostFilters {
		x.changes, x.keeps = changes, map[string]map[int64]bool{}
	}
	only, ok := x.keeps[where.Key]
	x.filters.Unlock()
	if ok {
		return only, nil
	}
	only = map[int64]bool{}
	err = v.Each(ctx, func(key int64, p retrieve.Passage) error {
		keep, err := where.Keep(ctx, p)
		if keep {
			only[key] = true
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	x.filters.Lock()
	defer x.filters.Unlock()
	if x.changes == changes {
		x.keeps[where.Key] = only
	}
	return only, nil
}

// mostFilters is for how many filters it is remembered what they keep.
const mostFilters = 16
