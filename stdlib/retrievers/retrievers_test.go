package retrievers

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/interpreter/retrieve/retrievetest"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib/retrievers/corpus"
	"github.com/dspi-lang/dspi/stdlib/retrievers/index"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(builderVar); dir != "" {
		if err := build(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// lines writes passages as rows.
func lines(passages []retrieve.Passage) []byte {
	var b bytes.Buffer
	for _, p := range passages {
		o := value.NewObject("id", p.ID, "title", p.Title, "text", p.Text)
		for name, v := range p.Meta.All() {
			o.Set(name, v)
		}
		b.Write(value.EncodeJSON(o))
		b.WriteByte('\n')
	}
	return b.Bytes()
}

func write(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// config is that of a retriever over data/wiki.jsonl in a folder.
func config(dir string) Config {
	return Config{
		Address: "retriever.wiki", Dir: filepath.Join(dir, ".dspi", "index"), Project: dir,
		Corpus: corpus.Corpus{File: filepath.Join(dir, "data", "wiki.jsonl"), Name: "data/wiki.jsonl", Title: "title"},
	}
}

func open(t testing.TB, c Config) *Retriever {
	t.Helper()
	x, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
	return x
}

func TestRetriever(t *testing.T) {
	retrievetest.Exercise(t, retrievetest.Subject{
		Methods: []retrieve.Method{retrieve.BM25, retrieve.Vector, retrieve.Hybrid},
		Open: func(t testing.TB, passages []retrieve.Passage, method retrieve.Method, e retrieve.Embedder, k int) retrieve.Retriever {
			c := config(t.TempDir())
			write(t, c.Corpus.File, lines(passages))
			c.Method, c.Embedder, c.K = method, e, k
			return open(t, c)
		},
	})
}

// TestLikeMemory: the index ranks as a search in the process does, whatever the
// passages and the query.
func TestLikeMemory(t *testing.T) {
	words := []string{"owl", "fox", "night", "river", "salmon", "the", "a", "Éclair", "eclair", "ocean", "bee", "x1", "42", "nectar"}
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.Custom(func(t *rapid.T) string {
			return strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 1, 12).Draw(t, "words"), " ")
		})
		var passages []retrieve.Passage
		for i, s := range rapid.SliceOfN(text, 1, 30).Draw(rt, "passages") {
			p := retrieve.Passage{ID: fmt.Sprint(i), Text: s}
			if i%3 == 0 {
				p.Title = words[i%len(words)]
			}
			passages = append(passages, p)
		}
		query, k := text.Draw(rt, "query"), rapid.IntRange(1, 35).Draw(rt, "k")
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			rt.Fatal(err)
		}
		c := config(dir)
		c.Embedder = retrievetest.Concepts{}
		write(t, c.Corpus.File, lines(passages))
		x, err := Open(t.Context(), c)
		if err != nil {
			rt.Fatal(err)
		}
		defer x.Close()
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
				rt.Fatalf("%s: %q finds %d in the index and %d in the process", method, query, len(got), len(want))
			}
			for i := range got {
				if math.Abs(got[i].Score-want[i].Score) > 1e-9 || got[i].ID != want[i].ID && math.Abs(got[i].Score-want[i].Score) > 1e-12 {
					rt.Fatalf("%s: %q: place %d is %s (%v) in the index, %s (%v) in the process", method, query, i, got[i].ID, got[i].Score, want[i].ID, want[i].Score)
				}
			}
		}
	})
}

// BenchmarkIndex measures the making of an index of 20,000 passages, and searches in
// it, by words and by vectors of 384 numbers that were made beforehand.
func BenchmarkIndex(b *testing.B) {
	const n = 20_000
	passages := synthetic(n)
	dir := b.TempDir()
	c := config(dir)
	write(b, c.Corpus.File, lines(passages))
	b.Run("make", func(b *testing.B) {
		for b.Loop() {
			c := c
			c.Dir = b.TempDir()
			x, err := Open(b.Context(), c)
			if err != nil {
				b.Fatal(err)
			}
			x.Close()
		}
		b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "passages/s")
	})
	for _, method := range []retrieve.Method{retrieve.BM25, retrieve.Vector, retrieve.Hybrid} {
		c := c
		c.Method, c.Embedder = method, spread{}
		x, err := Open(b.Context(), c)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(string(method), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				if _, err := x.Retrieve(b.Context(), passages[i*37%n].Text[:60], 10); err != nil {
					b.Fatal(err)
				}
			}
		})
		x.Close()
	}
}

// synthetic makes passages of words whose frequencies fall off as those of a language
// do.
func synthetic(n int) []retrieve.Passage {
	state := uint64(1)
	next := func() float64 {
		state = state*6364136223846793005 + 1442695040888963407
		return float64(state>>11) / (1 << 53)
	}
	out := make([]retrieve.Passage, n)
	for i := range out {
		var text []string
		for range 40 + int(60*next()) {
			text = append(text, fmt.Sprintf("w%d", int(math.Pow(20_000, next()))))
		}
		out[i] = retrieve.Passage{ID: fmt.Sprint(i), Title: fmt.Sprint("Passage ", i), Text: strings.Join(text, " ")}
	}
	return out
}

// spread makes vectors of 384 numbers of the hash of a text.
type spread struct{}

func (spread) Address() string { return "test/spread" }

func (spread) Embed(_ context.Context, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, s := range texts {
		h := index.HashOf(s)
		state := binary.LittleEndian.Uint64(h[:])
		v := make([]float32, 384)
		for k := range v {
			state = state*6364136223846793005 + 1442695040888963407
			v[k] = float32(int64(state)>>40) / (1 << 23)
		}
		retrieve.Normalize(v)
		out[i] = v
	}
	return out, nil
}
