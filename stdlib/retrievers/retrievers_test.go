package retrievers

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/interpreter/retrieve/retrievetest"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib/retrievers/corpus"
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
