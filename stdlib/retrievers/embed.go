package retrievers

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/stdlib/internal/database"
)

const (
	batch   = 64 // passages in a request of the embedder, as a rule
	workers = 4  // requests under way at once; the limits of the model are lower where they say so
)

// errFull ends a pass over the corpus.
var errFull = errors.New("enough")

// embed is the second pass: it makes vectors of passages that have none.
func (x *Retriever) embed(ctx context.Context, seen *survey) error {
	lacks := make(map[hash]bool, len(seen.wholes))
	for _, h := range seen.wholes {
		lacks[h] = true
	}
	size := 0 // of a vector, in bytes; 0: there is none
	err := x.with(func(db *database.DB) error {
		rows, err := db.Read.QueryContext(ctx, "SELECT whole, length(v) FROM vector")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var b []byte
			if err := rows.Scan(&b, &size); err != nil {
				return err
			}
			delete(lacks, hash(b))
		}
		return rows.Err()
	})
	if err != nil || len(lacks) == 0 {
		return err
	}
	m := &making{x: x, total: len(lacks), size: size}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	work := make(chan map[hash]string)
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
	send := func(texts map[hash]string) error {
		select {
		case work <- texts:
			return nil
		case <-ctx.Done():
			return errFull
		}
	}
	x.progress(retrieve.Embedding, 0, m.total)
	texts := map[hash]string{}
	err = x.each(ctx, seen, func(p retrieve.Passage) error {
		whole := p.Whole()
		if h := hashOf(whole); lacks[h] {
			delete(lacks, h)
			if texts[h] = whole; len(texts) == batch {
				full := texts
				texts = map[hash]string{}
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
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// making is the vectors under way.
type making struct {
	x     *Retriever
	total int

	mu   sync.Mutex
	done int
	size int
}

// make makes vectors of texts and keeps them.
func (m *making) make(ctx context.Context, texts map[hash]string) error {
	keys, list := make([]hash, 0, len(texts)), make([]string, 0, len(texts))
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
	other := m.size != 0 && m.size != 4*len(vectors[0])
	m.size = 4 * len(vectors[0])
	ctx = context.WithoutCancel(ctx) // what has come is paid, and kept
	err = m.x.with(func(db *database.DB) error {
		return db.Write(ctx, func(tx *sql.Tx) error {
			if other { // the model is another behind the same name
				if _, err := tx.ExecContext(ctx, "DELETE FROM vector"); err != nil {
					return err
				}
			}
			for i, h := range keys {
				if _, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO vector VALUES (?, ?)", h[:], encodeVector(vectors[i])); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	if other {
		return errChanged // begin again: those that are there lack vectors now
	}
	m.done += len(keys)
	m.x.progress(retrieve.Embedding, m.done, m.total)
	return nil
}
