package retrievers

import (
	"bufio"
	"context"
	stdsql "database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/stdlib/internal/database"
	"github.com/dspi-lang/dspi/stdlib/retrievers/index"
)

// benchPassages is how many passages the benchmarks of stores have:
// DSPI_BENCH_PASSAGES, else 100,000.
func benchPassages() int {
	if n, err := strconv.Atoi(os.Getenv("DSPI_BENCH_PASSAGES")); err == nil && n > 0 {
		return n
	}
	return 100_000
}

// beforehand gives vectors that were made beforehand, by text.
type beforehand struct {
	clustered
	vectors map[string][]float32
}

func (e *beforehand) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, s := range texts {
		v, ok := e.vectors[s]
		if !ok {
			list, err := e.clustered.Embed(ctx, []string{s})
			if err != nil {
				return nil, err
			}
			v = list[0]
		}
		out[i] = v
	}
	return out, nil
}

// benchCorpus is the corpus of the benchmarks, made once.
var benchCorpus = sync.OnceValue(func() *corpusUnderBench {
	x := &corpusUnderBench{passages: synthetic(benchPassages()), embedder: &beforehand{vectors: map[string][]float32{}}}
	texts := make([]string, len(x.passages))
	for i, p := range x.passages {
		texts[i] = p.Whole()
	}
	list, _ := clustered{}.Embed(context.Background(), texts)
	for i, s := range texts {
		x.embedder.vectors[s] = list[i]
	}
	for i := range 200 { // a few words of a passage each
		words := strings.Fields(x.passages[i*37%len(x.passages)].Text)
		q := strings.Join(words[len(words)-6:], " ")
		x.queries = append(x.queries, q)
		x.embedder.vectors[q] = list[i*41%len(list)]
	}
	return x
})

type corpusUnderBench struct {
	passages []retrieve.Passage
	embedder *beforehand
	queries  []string
}

// measured runs queries and reports the median and the 95th percentile of a query.
func measured(b *testing.B, queries []string, ask func(query string) error) {
	b.Helper()
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		begin := time.Now()
		if err := ask(queries[i%len(queries)]); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*95/100].Microseconds()), "p95-µs")
}

func rate(b *testing.B, n int) {
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "passages/s")
}

// BenchmarkSQLite measures indexes of 100,000 passages with vectors of 384 numbers in a
// file, beside FTS5 used directly.
func BenchmarkSQLite(b *testing.B) {
	x := benchCorpus()
	c := config(b.TempDir())
	write(b, c.Corpus.File, lines(x.passages))
	c.Embedder = x.embedder
	b.Run("index", func(b *testing.B) {
		for b.Loop() {
			c := c
			c.Dir = b.TempDir()
			r, err := Open(b.Context(), c)
			if err != nil {
				b.Fatal(err)
			}
			r.Close()
		}
		rate(b, len(x.passages))
	})
	b.Run("index-direct", func(b *testing.B) {
		for b.Loop() {
			db := direct(b, c.Corpus.File, x.embedder)
			db.Close()
		}
		rate(b, len(x.passages))
	})
	for _, method := range []retrieve.Method{retrieve.BM25, retrieve.Vector, retrieve.Hybrid} {
		c := c
		c.Method = method
		c.K = 10
		b.Run(string(method), func(b *testing.B) {
			r := open(b, c)
			if _, err := r.Retrieve(b.Context(), "first", 1); err != nil {
				b.Fatal(err)
			}
			measured(b, x.queries, func(q string) error {
				_, err := r.Retrieve(b.Context(), q, 10)
				return err
			})
		})
	}
	b.Run("bm25-direct", func(b *testing.B) {
		db := direct(b, c.Corpus.File, x.embedder)
		defer db.Close()
		measured(b, x.queries, func(q string) error {
			return askDirectly(b.Context(), db, `"`+strings.Join(strings.Fields(q), `" OR "`)+`"`)
		})
	})
}

// direct makes an index as a program without dspi would: a table, FTS5 and vectors, in
// one transaction.
func direct(b *testing.B, file string, e *beforehand) *database.DB {
	b.Helper()
	db, err := database.Open(filepath.Join(b.TempDir(), "direct.db"), []string{`
CREATE TABLE passage (key INTEGER PRIMARY KEY, id TEXT NOT NULL, title TEXT NOT NULL, text TEXT NOT NULL);
CREATE TABLE vector (key INTEGER PRIMARY KEY, v BLOB NOT NULL);
CREATE VIRTUAL TABLE words USING fts5(whole, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2');`})
	if err != nil {
		b.Fatal(err)
	}
	f, err := os.Open(file)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	err = db.Write(b.Context(), func(tx *stdsql.Tx) error {
		var put [3]*stdsql.Stmt
		for i, q := range []string{"INSERT INTO passage VALUES (?, ?, ?, ?)", "INSERT INTO vector VALUES (?, ?)", "INSERT INTO words(rowid, whole) VALUES (?, ?)"} {
			if put[i], err = tx.Prepare(q); err != nil {
				return err
			}
			defer put[i].Close()
		}
		in := bufio.NewScanner(f)
		in.Buffer(nil, 1<<20)
		for key := 1; in.Scan(); key++ {
			var row struct{ ID, Title, Text string }
			if err := json.Unmarshal(in.Bytes(), &row); err != nil {
				return err
			}
			whole := row.Title + " | " + row.Text
			if _, err := put[0].Exec(key, row.ID, row.Title, row.Text); err != nil {
				return err
			}
			if _, err := put[1].Exec(key, index.AppendVector(nil, e.vectors[whole])); err != nil {
				return err
			}
			if _, err := put[2].Exec(key, whole); err != nil {
				return err
			}
		}
		return in.Err()
	})
	if err != nil {
		b.Fatal(err)
	}
	return db
}

func askDirectly(ctx context.Context, db *database.DB, match string) error {
	rows, err := db.Read.QueryContext(ctx, "SELECT p.id, p.title, p.text, -f.rank FROM (SELECT rowid, rank FROM words WHERE words MATCH ? ORDER BY rank LIMIT 10) f JOIN passage p ON p.key = f.rowid ORDER BY f.rank", match)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id, title, text string
		var score float64
		if err := rows.Scan(&id, &title, &text, &score); err != nil {
			return err
		}
	}
	return rows.Err()
}
