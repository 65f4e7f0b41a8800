package pgvector

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/stdlib/retrievers/index"
)

// View calls f in a transaction that only reads. A single ranking by vectors needs
// none: it is one query.
func (x *Store) View(ctx context.Context, single bool, f func(index.View) error) error {
	conn, err := x.pool.Acquire(ctx)
	if err != nil {
		return x.explain(err)
	}
	defer conn.Release()
	v := &view{x: x, conn: conn, single: single}
	defer v.end()
	return x.explain(f(v))
}

// view is an index.View. Its transaction begins with the first query that is not the
// only one.
type view struct {
	x      *Store
	conn   *pgxpool.Conn
	tx     pgx.Tx
	single bool
	known  map[int64]retrieve.Passage // that came with a ranking
}

func (v *view) begin(ctx context.Context) (querier, error) {
	if v.tx == nil {
		tx, err := v.conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
		if err != nil {
			return nil, err
		}
		v.tx = tx
	}
	return v.tx, nil
}

func (v *view) end() {
	if v.tx != nil {
		_ = v.tx.Rollback(context.Background()) // there is nothing to lose
	}
}

func (v *view) Changes(ctx context.Context) (int64, error) {
	q, err := v.begin(ctx)
	if err != nil {
		return 0, err
	}
	f, err := v.x.facts(ctx, q, "")
	return f.changes, err
}

// Words ranks by BM25.
func (v *view) Words(ctx context.Context, words []string, k int, only map[int64]bool) ([]retrieve.Ranked, error) {
	q, err := v.begin(ctx)
	if err != nil {
		return nil, err
	}
	all, err := v.x.facts(ctx, q, "")
	if err != nil {
		return nil, err
	}
	times := map[string]int{}
	var asked []string
	for _, w := range words {
		for _, f := range retrieve.Words(w) {
			if times[f] == 0 {
				asked = append(asked, f)
			}
			times[f]++
		}
	}
	type found struct {
		count int
		data  []byte
	}
	have := map[string]*found{}
	rows, err := q.Query(ctx, "SELECT word, count, data FROM "+v.x.table("_word")+" WHERE word = ANY($1) ORDER BY segment", asked)
	if err != nil {
		return nil, err
	}
	var word string
	var one found
	if _, err := pgx.ForEachRow(rows, []any{&word, &one.count, &one.data}, func() error {
		f := have[word]
		if f == nil {
			f = &found{}
			have[word] = f
		}
		f.count += one.count
		f.data = append(f.data, one.data...)
		return nil
	}); err != nil {
		return nil, err
	}
	s := &scorer{average: float64(all.length) / max(1, float64(all.passages))}
	for _, w := range asked {
		if f := have[w]; f != nil {
			if err := s.add(all.corpusFacts, f.count, times[w], f.data, only); err != nil {
				return nil, err
			}
		}
	}
	best := retrieve.NewBest(k)
	for _, r := range s.scores {
		best.Add(r.Key, r.Score)
	}
	return best.List(), ctx.Err()
}

// Near ranks by the nearness of vectors.
func (v *view) Near(ctx context.Context, vector []float32, k int, only map[int64]bool) ([]retrieve.Ranked, error) {
	x := v.x
	list := "key"
	if v.single {
		list = passageColumns
	}
	distance := "v " + x.o.Distance.operator() + " $1"
	text := "SELECT " + list + ", " + distance + " FROM " + x.table("")
	args := []any{vector}
	// A filter is met exactly: an HNSW index would give what is near, and leave it.
	exact := x.o.Exact || only != nil || k > 1000
	if only != nil {
		text += " WHERE key = ANY($2)"
		args = append(args, slices.Collect(maps.Keys(only)))
	}
	// The limit is no parameter, because the plan depends on it.
	if exact {
		text += " ORDER BY (" + distance + ") + 0, key LIMIT " + strconv.Itoa(k)
	} else {
		text += " ORDER BY " + distance + " LIMIT " + strconv.Itoa(k)
	}
	var q querier = v.conn
	if !v.single || k > reach && !exact {
		var err error
		if q, err = v.begin(ctx); err != nil {
			return nil, err
		}
	}
	if k > reach && !exact {
		if _, err := v.tx.Exec(ctx, "SELECT set_config('hnsw.ef_search', $1, true)", strconv.Itoa(k)); err != nil {
			return nil, err
		}
	}
	rows, err := q.Query(ctx, text, args...)
	if err != nil {
		return nil, v.misfit(ctx, err, len(vector))
	}
	var out []retrieve.Ranked
	var r retrieve.Ranked
	var p row
	into := []any{&r.Key, &r.Score}
	if v.single {
		v.known = make(map[int64]retrieve.Passage, k)
		into = []any{&r.Key, &p.ID, &p.Title, &p.Text, &p.meta, &r.Score}
	}
	_, err = pgx.ForEachRow(rows, into, func() error {
		r.Score = x.o.Distance.score(r.Score)
		out = append(out, r)
		if !v.single {
			return nil
		}
		passage, err := p.passage()
		v.known[r.Key] = passage
		return err
	})
	if err != nil {
		return nil, v.misfit(ctx, err, len(vector))
	}
	retrieve.SortRanked(out)
	return out, nil
}

// misfit explains why vectors cannot be compared.
func (v *view) misfit(ctx context.Context, err error, given int) error {
	var pg *pgconn.PgError
	switch {
	case !errors.As(err, &pg):
		return err
	case pg.Code == "42703" && strings.Contains(pg.Message, `"v"`):
		return nil // the index has no vectors: it holds no passage
	case !strings.Contains(pg.Message, "different vector dimensions"):
		return err
	}
	f, err := v.x.facts(ctx, v.x.pool, "")
	if err != nil {
		return err
	}
	return &index.DimensionError{Index: f.dim, Given: given}
}

const passageColumns = "key, id, title, text, meta::text"

// row is a passage as it is read.
type row struct {
	retrieve.Passage
	meta *string
}

func (r *row) passage() (p retrieve.Passage, err error) {
	p = r.Passage
	if r.meta != nil {
		p.Meta, err = index.ReadMeta(*r.meta)
	}
	return p, err
}

// Passages reads the passages of a ranking, unless they came with it.
func (v *view) Passages(ctx context.Context, found []retrieve.Ranked) ([]retrieve.Passage, error) {
	if v.known == nil {
		q, err := v.begin(ctx)
		if err != nil {
			return nil, err
		}
		keys := make([]int64, len(found))
		for i, r := range found {
			keys[i] = r.Key
		}
		rows, err := q.Query(ctx, "SELECT "+passageColumns+" FROM "+v.x.table("")+" WHERE key = ANY($1)", keys)
		if err != nil {
			return nil, err
		}
		v.known = make(map[int64]retrieve.Passage, len(found))
		var key int64
		var r row
		if _, err := pgx.ForEachRow(rows, []any{&key, &r.ID, &r.Title, &r.Text, &r.meta}, func() error {
			p, err := r.passage()
			v.known[key] = p
			return err
		}); err != nil {
			return nil, err
		}
	}
	out := make([]retrieve.Passage, len(found))
	for i, r := range found {
		out[i] = v.known[r.Key]
		out[i].Score = r.Score
	}
	return out, nil
}

// Vectors returns the vectors of passages.
func (v *view) Vectors(ctx context.Context, keys []int64) ([][]float32, error) {
	q, err := v.begin(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := q.Query(ctx, "SELECT key, v FROM "+v.x.table("")+" WHERE key = ANY($1)", keys)
	if err != nil {
		return nil, err
	}
	have := map[int64][]float32{}
	var key int64
	var one []float32
	if _, err := pgx.ForEachRow(rows, []any{&key, &one}, func() error {
		have[key] = one
		return nil
	}); err != nil {
		return nil, err
	}
	out := make([][]float32, len(keys))
	for i, k := range keys {
		out[i] = have[k]
	}
	return out, nil
}

// Each gives every passage without its text.
func (v *view) Each(ctx context.Context, give func(int64, retrieve.Passage) error) error {
	q, err := v.begin(ctx)
	if err != nil {
		return err
	}
	rows, err := q.Query(ctx, "SELECT key, id, title, meta::text FROM "+v.x.table("")+" ORDER BY key")
	if err != nil {
		return err
	}
	var key int64
	var r row
	_, err = pgx.ForEachRow(rows, []any{&key, &r.ID, &r.Title, &r.meta}, func() error {
		p, err := r.passage()
		if err != nil {
			return err
		}
		return give(key, p)
	})
	return err
}
