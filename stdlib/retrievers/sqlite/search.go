package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/stdlib/internal/database"
	"github.com/dspi-lang/dspi/stdlib/retrievers/index"
)

// vectors are those of an index, in memory.
type vectors struct {
	changes int64 // the state of the index that they are of
	keys    []int64
	place   map[int64]int // of a key in keys; nil until it is needed
	flat    []float32     // one after another
	dim     int
}

func (v *vectors) at(i int) []float32 { return v.flat[i*v.dim : (i+1)*v.dim] }

// View calls f in a transaction that only reads.
func (x *Store) View(ctx context.Context, _ bool, f func(index.View) error) error {
	return x.with(ctx, func(db *database.DB) error {
		tx, err := db.Read.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		return f(&view{x, tx})
	})
}

// view is an index.View.
type view struct {
	x  *Store
	tx *sql.Tx
}

func (v *view) Changes(ctx context.Context) (n int64, err error) {
	return n, v.tx.QueryRowContext(ctx, "SELECT changes FROM state").Scan(&n)
}

// Words ranks by FTS5's bm25. Each word stands in quotes, so that nothing in it
// means anything, and they are joined by OR.
func (v *view) Words(ctx context.Context, words []string, k int, only map[int64]bool) ([]retrieve.Ranked, error) {
	var match strings.Builder
	for i, w := range words {
		if i > 0 {
			match.WriteString(" OR ")
		}
		match.WriteString(`"` + w + `"`)
	}
	limit := k
	if only != nil {
		limit = -1
	}
	rows, err := v.tx.QueryContext(ctx, "SELECT rowid, -rank FROM words WHERE words MATCH ? ORDER BY rank, rowid LIMIT ?", match.String(), limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []retrieve.Ranked
	for len(out) < k && rows.Next() {
		var r retrieve.Ranked
		if err := rows.Scan(&r.Key, &r.Score); err != nil {
			return nil, err
		}
		if only == nil || only[r.Key] {
			out = append(out, r)
		}
	}
	return out, rows.Err()
}

// Near ranks by the cosine of vectors, all of which are compared.
func (v *view) Near(ctx context.Context, query []float32, k int, only map[int64]bool) ([]retrieve.Ranked, error) {
	all, err := v.loaded(ctx)
	if err != nil {
		return nil, err
	}
	if len(all.keys) > 0 && all.dim != len(query) {
		return nil, &index.DimensionError{Index: all.dim, Given: len(query)}
	}
	best := retrieve.NewBest(k)
	for i, key := range all.keys {
		if only == nil || only[key] {
			best.Add(key, float64(retrieve.Dot(query, all.at(i))))
		}
	}
	return best.List(), ctx.Err()
}

// Vectors returns the vectors of passages.
func (v *view) Vectors(ctx context.Context, keys []int64) ([][]float32, error) {
	all, err := v.loaded(ctx)
	if err != nil {
		return nil, err
	}
	v.x.near.Lock()
	if all.place == nil {
		all.place = make(map[int64]int, len(all.keys))
		for i, key := range all.keys {
			all.place[key] = i
		}
	}
	v.x.near.Unlock()
	out := make([][]float32, len(keys))
	for i, key := range keys {
		if at, ok := all.place[key]; ok {
			out[i] = all.at(at)
		}
	}
	return out, nil
}

// loaded returns the vectors of the index as the transaction sees it.
func (v *view) loaded(ctx context.Context) (*vectors, error) {
	x := v.x
	x.near.Lock()
	defer x.near.Unlock()
	changes, err := v.Changes(ctx)
	if err != nil {
		return nil, err
	}
	if x.vectors != nil && x.vectors.changes == changes {
		return x.vectors, nil
	}
	all := &vectors{changes: changes}
	first := map[index.Hash]int{} // the place of the first passage of a text
	var same [][2]int             // the place of a further one, and of the first
	if err := eachHash(ctx, v.tx, "SELECT key, whole FROM passage ORDER BY key", func(key int64, h index.Hash) {
		if at, ok := first[h]; ok {
			same = append(same, [2]int{len(all.keys), at})
		} else {
			first[h] = len(all.keys)
		}
		all.keys = append(all.keys, key)
	}); err != nil {
		return nil, err
	}
	if err := all.read(ctx, v.tx, first); err != nil {
		return nil, err
	}
	if all.flat == nil { // there is no vector
		all.keys, same = nil, nil
	}
	for _, s := range same {
		copy(all.at(s[0]), all.at(s[1]))
	}
	x.vectors = all
	return all, nil
}

// read reads the vectors to their places. What is not found is left without one, as a
// vector of zeros: the transaction that wrote the index has seen to it that all are.
func (v *vectors) read(ctx context.Context, tx *sql.Tx, places map[index.Hash]int) error {
	rows, err := tx.QueryContext(ctx, "SELECT whole, v FROM vector")
	if err != nil {
		return err
	}
	defer rows.Close()
	var h, b sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&h, &b); err != nil {
			return err
		}
		at, ok := places[index.Hash(h)]
		if !ok {
			continue
		}
		if v.flat == nil {
			v.dim = len(b) / 4
			v.flat = make([]float32, len(v.keys)*v.dim)
		}
		one, err := index.ReadVector(v.at(at)[:0], b)
		if err != nil {
			return err
		}
		if len(one) != v.dim {
			return fmt.Errorf("the index holds vectors of %d and of %d numbers", v.dim, len(one))
		}
	}
	return rows.Err()
}

// Passages reads the passages of a ranking.
func (v *view) Passages(ctx context.Context, found []retrieve.Ranked) ([]retrieve.Passage, error) {
	get, err := v.tx.PrepareContext(ctx, "SELECT id, title, text, meta FROM passage WHERE key = ?")
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
		if p.Meta, err = index.ReadMeta(meta.String); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Each gives every passage without its text.
func (v *view) Each(ctx context.Context, give func(int64, retrieve.Passage) error) error {
	rows, err := v.tx.QueryContext(ctx, "SELECT key, id, title, meta FROM passage ORDER BY key")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var key int64
		var p retrieve.Passage
		var meta sql.NullString
		if err := rows.Scan(&key, &p.ID, &p.Title, &meta); err != nil {
			return err
		}
		if p.Meta, err = index.ReadMeta(meta.String); err != nil {
			return err
		}
		if err := give(key, p); err != nil {
			return err
		}
	}
	return rows.Err()
}
