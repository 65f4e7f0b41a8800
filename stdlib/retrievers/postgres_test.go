//go:build postgres

package retrievers

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/interpreter/retrieve/retrievetest"
	"github.com/dspi-lang/dspi/stdlib/retrievers/pgvector"
)

// address is that of the Postgres that the tests use; make test-postgres starts one.
func address(t testing.TB) string {
	t.Helper()
	url := os.Getenv("DSPI_POSTGRES")
	if url == "" {
		t.Fatal("DSPI_POSTGRES names no Postgres: make test-postgres starts one")
	}
	return url
}

// sql runs a statement as another program would.
func sql(t testing.TB, q string, args ...any) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), address(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(context.Background(), q, args...); err != nil {
		t.Fatal(err)
	}
}

// inPostgres is config in a schema of its own.
func inPostgres(t testing.TB, o pgvector.Options) Config {
	t.Helper()
	c := config(t.TempDir())
	o.Schema = fmt.Sprintf("dspi_%x", rand.Uint64())
	c.Store, c.Postgres = address(t), o
	t.Cleanup(func() { sql(t, "DROP SCHEMA IF EXISTS "+o.Schema+" CASCADE") })
	return c
}

// variants are the ways in which vectors are searched.
var variants = map[string]pgvector.Options{
	"hnsw": {}, "exact": {Exact: true}, "dot": {Distance: pgvector.Dot}, "l2": {Distance: pgvector.L2, Exact: true},
}

// TestPostgres: the suite that every retriever passes.
func TestPostgres(t *testing.T) {
	for name, o := range variants {
		t.Run(name, func(t *testing.T) {
			retrievetest.Exercise(t, retrievetest.Subject{
				Methods: []retrieve.Method{retrieve.BM25, retrieve.Vector, retrieve.Hybrid},
				Open: func(t testing.TB, passages []retrieve.Passage, method retrieve.Method, e retrieve.Embedder, k int) retrieve.Retriever {
					c := inPostgres(t, o)
					write(t, c.Corpus.File, lines(passages))
					c.Method, c.Embedder, c.K = method, e, k
					return open(t, c)
				},
			})
		})
	}
}

// TestPostgresFollows: after any changes of the corpus the index in Postgres finds
// what one in the process finds, and keeps the vectors that it has.
func TestPostgresFollows(t *testing.T) {
	words := []string{"owl", "fox", "night", "river", "salmon", "the", "a", "Éclair", "eclair", "ocean", "bee", "x1", "42", "nectar", "zero\x00byte"}
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.Custom(func(t *rapid.T) string {
			return strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 1, 12).Draw(t, "words"), " ")
		})
		e := &counting{}
		c := inPostgres(t, pgvector.Options{Exact: true})
		c.Embedder = e
		var x *Retriever
		for round := range 3 {
			var passages []retrieve.Passage
			for i, s := range rapid.SliceOfN(text, 1, 25).Draw(rt, "passages") {
				passages = append(passages, retrieve.Passage{ID: fmt.Sprint(i), Text: s})
			}
			write(t, c.Corpus.File, lines(passages))
			var err error
			if round == 0 {
				x, err = Open(t.Context(), c)
			} else {
				err = x.Refresh(t.Context())
			}
			if err != nil {
				rt.Fatal(err)
			}
			query, k := text.Draw(rt, "query"), rapid.IntRange(1, 30).Draw(rt, "k")
			for _, method := range []retrieve.Method{retrieve.BM25, retrieve.Vector, retrieve.Hybrid} {
				x.c.Method = method
				m, err := retrieve.NewMemory(passages, retrieve.MemoryOptions{Method: method, Embedder: retrievetest.Concepts{}})
				if err != nil {
					rt.Fatal(err)
				}
				want, err1 := m.Retrieve(t.Context(), query, k)
				got, err2 := x.Retrieve(t.Context(), query, k)
				if err := errors.Join(err1, err2); err != nil {
					rt.Fatal(err)
				}
				if len(got) != len(want) {
					rt.Fatalf("%s: %q finds %d in Postgres and %d in the process", method, query, len(got), len(want))
				}
				for i := range got {
					// Hybrid ranks by places, which a difference in the last digit changes.
					if near := math.Abs(got[i].Score - want[i].Score); method != retrieve.Hybrid && near > 1e-6 {
						rt.Fatalf("%s: %q: place %d is %s (%v) in Postgres, %s (%v) in the process", method, query, i, got[i].ID, got[i].Score, want[i].ID, want[i].Score)
					}
				}
			}
			x.c.Method = ""
		}
		if err := x.Close(); err != nil {
			rt.Fatal(err)
		}
	})
}

// TestPostgresIncremental: only what changed is written and embedded; another method
// finds the vectors that are there; many changes leave few segments.
func TestPostgresIncremental(t *testing.T) {
	var p progress
	e := &counting{}
	c := inPostgres(t, pgvector.Options{})
	c.Embedder, c.Progress, c.Method = e, p.tell, retrieve.Vector
	list := animals(300)
	write(t, c.Corpus.File, lines(list))
	x := open(t, c)
	if n := p.written(); n != 300 || e.texts.Load() != 300 {
		t.Errorf("%d passages are written, %d embedded", n, e.texts.Load())
	}
	c.Method = retrieve.Hybrid
	y := open(t, c) // now words are wanted, too
	if n := p.written(); n != 300 || e.texts.Load() != 300 {
		t.Errorf("for its words %d passages are written, %d embedded more", n, e.texts.Load()-300)
	}
	for i := range 40 {
		list[i].Text = fmt.Sprintf("changed %d of the owl", i)
		write(t, c.Corpus.File, lines(list))
		if err := y.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := p.written(); n != 40 || e.texts.Load() != 340 {
		t.Errorf("of 40 changes %d passages are written, %d embedded", n, e.texts.Load()-300)
	}
	fresh := inPostgres(t, pgvector.Options{})
	fresh.Corpus, fresh.Embedder, fresh.Method = c.Corpus, retrievetest.Concepts{}, retrieve.BM25
	z := open(t, fresh)
	y.c.Method = retrieve.BM25
	for _, query := range []string{"owl", "fox1 fox2", "changed 17", "passage 250"} {
		if a, b := found(t, y, query), found(t, z, query); !slices.Equal(a, b) {
			t.Errorf("%q finds %v, in a new index %v", query, a, b)
		}
	}
	if err := x.Refresh(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestPostgresMany: several processes make one index at once, and one of them does
// the work.
func TestPostgresMany(t *testing.T) {
	c := inPostgres(t, pgvector.Options{})
	e := &counting{}
	c.Embedder = e
	write(t, c.Corpus.File, lines(animals(400)))
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			x, err := Open(t.Context(), c)
			if err != nil {
				t.Error(err)
				return
			}
			defer x.Close()
			if list, err := x.Retrieve(t.Context(), "owl", 500); err != nil || len(list) != 400 {
				t.Errorf("%d passages, %v", len(list), err)
			}
		})
	}
	all.Wait()
	if n := e.texts.Load(); n != 400+6 { // and the queries
		t.Errorf("%d vectors were made", n)
	}
}

// TestPostgresKilled: as TestKilled.
func TestPostgresKilled(t *testing.T) {
	for _, after := range []int{1, 10, 40, 60} {
		t.Run(fmt.Sprint(after), func(t *testing.T) {
			c := inPostgres(t, pgvector.Options{})
			c.Embedder = retrievetest.Concepts{}
			write(t, c.Corpus.File, lines(animals(3000)))
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), builderVar+"="+c.Project, "DSPI_TEST_SCHEMA="+c.Postgres.Schema)
			killAfter(t, cmd, after)
			checkWhole(t, open(t, c), 3000)
		})
	}
}

// TestPostgresRecall: an HNSW index finds at least 95 of 100 that an exact search
// does, in vectors of 384 numbers that lie in clusters; an exact one all.
func TestPostgresRecall(t *testing.T) {
	const n, queries, k = 5000, 100, 10
	e := clustered{}
	var passages []retrieve.Passage
	for i := range n {
		passages = append(passages, retrieve.Passage{ID: fmt.Sprint(i), Text: fmt.Sprint("passage ", i)})
	}
	file := filepath.Join(t.TempDir(), "wiki.jsonl")
	write(t, file, lines(passages))
	retrievers := map[string]*Retriever{}
	for name, store := range map[string]*pgvector.Options{"sqlite": nil, "exact": {Exact: true}, "hnsw": {}} {
		c := config(t.TempDir())
		if store != nil {
			c = inPostgres(t, *store)
		}
		c.Corpus.File, c.Embedder, c.Method = file, e, retrieve.Vector
		retrievers[name] = open(t, c)
	}
	exact, err := retrieve.NewMemory(passages, retrieve.MemoryOptions{Method: retrieve.Vector, Embedder: e})
	if err != nil {
		t.Fatal(err)
	}
	hits := map[string]int{}
	for q := range queries {
		query := fmt.Sprint("question ", q)
		want, err := exact.Retrieve(t.Context(), query, k)
		if err != nil {
			t.Fatal(err)
		}
		for name, r := range retrievers {
			got, err := r.Retrieve(t.Context(), query, k)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range got {
				if slices.ContainsFunc(want, func(w retrieve.Passage) bool { return w.ID == p.ID }) {
					hits[name]++
				}
			}
		}
	}
	t.Logf("recall@%d over %d questions: %v of %d", k, queries, hits, queries*k)
	for name, least := range map[string]float64{"sqlite": 1, "exact": 1, "hnsw": 0.95} {
		if recall := float64(hits[name]) / (queries * k); recall < least {
			t.Errorf("%s has recall %v", name, recall)
		}
	}
}

// TestPostgresFaults: what is wrong with a Postgres is said with the way out, and no
// password.
func TestPostgresFaults(t *testing.T) {
	base := address(t)
	other := func(name string) string { return strings.Replace(base, "/postgres?", "/"+name+"?", 1) }
	if other("x") == base {
		t.Fatalf("the address %s names no database postgres", base)
	}
	sql(t, "DROP DATABASE IF EXISTS bare")
	sql(t, "CREATE DATABASE bare")
	sql(t, "DROP ROLE IF EXISTS guest")
	sql(t, "CREATE ROLE guest LOGIN PASSWORD 'hunter22'")
	newer := inPostgres(t, pgvector.Options{})
	write(t, newer.Corpus.File, lines(retrievetest.Animals()))
	open(t, newer)
	sql(t, "UPDATE "+newer.Postgres.Schema+".version SET n = 99")
	for name, c := range map[string]struct {
		url, schema, text, hint string
	}{
		"down":         {"postgres://me:hunter22@127.0.0.1:1/wiki", "", "postgres://127.0.0.1:1/wiki cannot be reached", "start it"},
		"no address":   {"postgres://me:hunter22@:::/", "", "cannot be read", "postgres://USER@HOST"},
		"no database":  {other("nowhere"), "", "database \"nowhere\" does not exist", "create it"},
		"no extension": {strings.Replace(other("bare"), "postgres:@", "guest:hunter22@", 1), "", "may not create the extension vector", "CREATE EXTENSION vector"},
		"newer":        {base, newer.Postgres.Schema, "made by a newer dspi", "newer dspi"},
	} {
		t.Run(name, func(t *testing.T) {
			x := inPostgres(t, pgvector.Options{})
			write(t, x.Corpus.File, lines(retrievetest.Animals()))
			x.Store, x.Embedder = c.url, retrievetest.Concepts{}
			if c.schema != "" {
				x.Postgres.Schema = c.schema
			}
			_, err := Open(t.Context(), x)
			var told *retrieve.Error
			if !errors.As(err, &told) || !strings.Contains(told.Text, c.text) || !strings.Contains(told.Hint, c.hint) {
				t.Fatalf("it gives %v (%#v)", err, told)
			}
			for e := error(told); e != nil; e = errors.Unwrap(e) {
				if strings.Contains(e.Error(), "hunter22") {
					t.Errorf("the password is in %v", e)
				}
			}
		})
	}
	x := inPostgres(t, pgvector.Options{})
	x.Embedder = &counting{}
	write(t, x.Corpus.File, lines(animals(50)))
	r := open(t, x)
	x.Embedder.(*counting).dim = 4
	if _, err := r.Retrieve(t.Context(), "owl", 3); err == nil || !strings.Contains(err.Error(), "have 8 numbers, those of test/concepts now 4") {
		t.Errorf("another dimension gives %v", err)
	}
	r.c.Method = retrieve.Vector
	if _, err := r.Retrieve(t.Context(), "owl", 3); err == nil || !strings.Contains(err.Error(), "have 8 numbers, those of test/concepts now 4") {
		t.Errorf("another dimension gives %v", err)
	}
	x.Frozen, x.Corpus.Title = true, "other"
	if _, err := Open(t.Context(), x); err == nil || !strings.Contains(err.Error(), "was not made yet") {
		t.Errorf("a frozen index that is not there gives %v", err)
	}
}
