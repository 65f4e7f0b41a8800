package retrievers

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib/internal/database"
)

// vectors are those of an index, in memory.
type vectors struct {
	changes int // the state of the index that they are of
	keys    []int64
	flat    []float32 // one after another
	dim     int
}

// Retrieve returns at most k passages for a query, best first.
func (x *Retriever) Retrieve(ctx context.Context, query string, k int) ([]retrieve.Passage, error) {
	if k <= 0 {
		k = x.c.K
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	words := match(query)
	if words == "" {
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
		return x.with(func(db *database.DB) error {
			tx, err := db.Read.BeginTx(ctx, nil) // what is found and its passages are of one moment
			if err != nil {
				return err
			}
			defer tx.Rollback()
			found, err := x.find(ctx, tx, words, near, k)
			if err == nil {
				out, err = fetch(ctx, tx, found)
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

// match writes the words of a query as an expression of FTS5: each in quotes, so
// that nothing in it means anything, joined by OR. It is "" for no words.
func match(query string) string {
	var b strings.Builder
	for _, w := range retrieve.QueryWords(query) {
		if len(retrieve.Words(w)) == 0 {
			continue // accents alone
		}
		if b.Len() > 0 {
			b.WriteString(" OR ")
		}
		b.WriteString(`"` + w + `"`)
	}
	return b.String()
}

// find ranks passages by the method.
func (x *Retriever) find(ctx context.Context, tx *sql.Tx, words string, near []float32, k int) ([]retrieve.Ranked, error) {
	switch x.c.method() {
	case retrieve.Vector:
		return x.nearest(ctx, tx, near, k)
	case retrieve.Hybrid:
		depth := retrieve.FuseDepth(k)
		byWords, err := bm25(ctx, tx, words, depth)
		if err != nil {
			return nil, err
		}
		byVectors, err := x.nearest(ctx, tx, near, depth)
		if err != nil {
			return nil, err
		}
		return retrieve.Fuse(k, byWords, byVectors), nil
	}
	return bm25(ctx, tx, words, k)
}

// bm25 ranks by words.
func bm25(ctx context.Context, tx *sql.Tx, words string, k int) ([]retrieve.Ranked, error) {
	rows, err := tx.QueryContext(ctx, "SELECT rowid, -rank FROM words WHERE words MATCH ? ORDER BY rank, rowid LIMIT ?", words, k)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []retrieve.Ranked
	for rows.Next() {
		var r retrieve.Ranked
		if err := rows.Scan(&r.Key, &r.Score); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// nearest ranks by the cosine of vectors.
func (x *Retriever) nearest(ctx context.Context, tx *sql.Tx, query []float32, k int) ([]retrieve.Ranked, error) {
	v, err := x.loaded(ctx, tx)
	if err != nil {
		return nil, err
	}
	if len(v.keys) > 0 && v.dim != len(query) {
		return nil, &retrieve.Error{
			Retriever: x.c.Address,
			Text:      fmt.Sprintf("the vectors of the index have %d numbers, that of %s for the query %d: the model has changed", v.dim, x.c.Embedder.Address(), len(query)),
			Hint:      "delete " + x.c.Path() + "; it is made again at the next run",
		}
	}
	best := retrieve.NewBest(k)
	for i, key := range v.keys {
		best.Add(key, float64(retrieve.Dot(query, v.flat[i*v.dim:(i+1)*v.dim])))
	}
	return best.List(), ctx.Err()
}

// loaded returns the vectors of the index as the transaction sees it.
func (x *Retriever) loaded(ctx context.Context, tx *sql.Tx) (*vectors, error) {
	x.near.Lock()
	defer x.near.Unlock()
	var changes int
	if err := tx.QueryRowContext(ctx, "SELECT changes FROM state").Scan(&changes); err != nil {
		return nil, err
	}
	if x.vectors != nil && x.vectors.changes == changes {
		return x.vectors, nil
	}
	rows, err := tx.QueryContext(ctx, "SELECT p.key, v.v FROM passage p JOIN vector v ON v.whole = p.whole ORDER BY p.key")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	v := &vectors{changes: changes}
	for rows.Next() {
		var key int64
		var b sql.RawBytes
		if err := rows.Scan(&key, &b); err != nil {
			return nil, err
		}
		before := len(v.flat)
		if v.flat, err = decodeVector(v.flat, b); err != nil {
			return nil, err
		}
		if v.keys = append(v.keys, key); len(v.keys) == 1 {
			v.dim = len(v.flat)
		}
		if len(v.flat)-before != v.dim {
			return nil, fmt.Errorf("the index holds vectors of %d and of %d numbers; delete %s, and it is made again", v.dim, len(v.flat)-before, x.c.Path())
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	x.vectors = v
	return v, nil
}

// fetch reads the passages of a ranking.
func fetch(ctx context.Context, tx *sql.Tx, found []retrieve.Ranked) ([]retrieve.Passage, error) {
	get, err := tx.PrepareContext(ctx, "SELECT id, title, text, meta FROM passage WHERE key = ?")
	if err != nil {
		return nil, err
	}
	defer get.Close()
	out := make([]retrieve.Passage, len(found))
	for i, r := range found {
		p := &out[i]
		var meta sql.NullString
		if err := get.QueryRowContext(ctx, r.Key).Scan(&p.ID, &p.Title, &p.Text, &meta); err != nil {
			return nil, err
		}
		p.Score = r.Score
		if meta.Valid {
			v, err := value.DecodeJSON([]byte(meta.String))
			if err != nil {
				return nil, err
			}
			p.Meta, _ = v.(*value.Object)
		}
	}
	return out, nil
}
