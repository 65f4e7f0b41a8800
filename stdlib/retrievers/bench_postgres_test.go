//go:build postgres

package retrievers

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/stdlib/retrievers/pgvector"
)

// BenchmarkPostgres measures indexes of 100,000 passages with vectors of 384 numbers in
// Postgres, beside pgvector used directly: COPY, an HNSW index, a query.
func BenchmarkPostgres(b *testing.B) {
	x := benchCorpus()
	file := config(b.TempDir())
	write(b, file.Corpus.File, lines(x.passages))
	with := func(b *testing.B, method retrieve.Method, exact bool) Config {
		c := inPostgres(b, pgvector.Options{Exact: exact})
		c.Corpus, c.Embedder, c.Method, c.K = file.Corpus, x.embedder, method, 10
		return c
	}
	b.Run("index", func(b *testing.B) {
		for b.Loop() {
			r, err := Open(b.Context(), with(b, retrieve.Vector, false))
			if err != nil {
				b.Fatal(err)
			}
			r.Close()
		}
		rate(b, len(x.passages))
	})
	b.Run("index-direct", func(b *testing.B) {
		for b.Loop() {
			directly(b, file.Corpus.File, x.embedder).Close(context.Background())
		}
		rate(b, len(x.passages))
	})
	hybrid := open(b, with(b, retrieve.Hybrid, false))
	settled(b)
	for _, method := range []retrieve.Method{retrieve.Vector, retrieve.BM25, retrieve.Hybrid} {
		b.Run(string(method), func(b *testing.B) {
			hybrid.c.Method = method
			measured(b, x.queries, func(q string) error {
				_, err := hybrid.Retrieve(b.Context(), q, 10)
				return err
			})
		})
	}
	b.Run("vector-direct", func(b *testing.B) {
		conn := directly(b, file.Corpus.File, x.embedder)
		defer conn.Close(context.Background())
		settled(b)
		measured(b, x.queries, func(q string) error {
			rows, err := conn.Query(b.Context(), "SELECT id, title, text, 1 - (v <=> $1::vector) FROM direct ORDER BY v <=> $1::vector LIMIT 10", textOf(x.embedder.vectors[q]))
			if err != nil {
				return err
			}
			var id, title, text string
			var score float64
			_, err = pgx.ForEachRow(rows, []any{&id, &title, &text, &score}, func() error { return nil })
			return err
		})
	})
}

// settled has the server do beforehand what it would do soon after a table was filled,
// in the middle of the queries that are measured.
func settled(b *testing.B) {
	sql(b, "VACUUM")
	sql(b, "CHECKPOINT")
}

// directly makes a table with an HNSW index as a program without dspi would.
func directly(b *testing.B, file string, e *beforehand) *pgx.Conn {
	b.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, address(b))
	if err != nil {
		b.Fatal(err)
	}
	run := func(q string) {
		if _, err := conn.Exec(ctx, q); err != nil {
			b.Fatal(err)
		}
	}
	schema := fmt.Sprintf("direct_%x", rand.Uint64())
	b.Cleanup(func() { sql(b, "DROP SCHEMA IF EXISTS "+schema+" CASCADE") })
	run("CREATE EXTENSION IF NOT EXISTS vector")
	run("CREATE SCHEMA " + schema)
	run("SET search_path = " + schema + ", public")
	run("SET hnsw.ef_search = 100")
	run("CREATE TABLE direct (key bigint PRIMARY KEY, id text, title text, text text, v vector(384))")
	f, err := os.Open(file)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	reader, writer, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	go func() {
		out := bufio.NewWriter(writer)
		for key := 1; in.Scan(); key++ {
			var row struct{ ID, Title, Text string }
			if err := json.Unmarshal(in.Bytes(), &row); err != nil {
				break
			}
			fmt.Fprintf(out, "%d\t%s\t%s\t%s\t%s\n", key, row.ID, row.Title, row.Text, textOf(e.vectors[row.Title+" | "+row.Text]))
		}
		out.Flush()
		writer.Close()
	}()
	if _, err := conn.PgConn().CopyFrom(ctx, reader, "COPY direct FROM STDIN"); err != nil {
		b.Fatal(err)
	}
	run(fmt.Sprintf("SET maintenance_work_mem = '%dMB'", max(64, len(e.vectors)*(4*384+400)*5/4>>20)))
	run("CREATE INDEX ON direct USING hnsw (v vector_cosine_ops)")
	run("ANALYZE direct")
	return conn
}

// textOf writes a vector as Postgres reads it.
func textOf(v []float32) string {
	var b strings.Builder
	for i, f := range v {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%g", f)
	}
	return "[" + b.String() + "]"
}
