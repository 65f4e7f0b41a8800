package retrieve_test

import (
	"testing"

	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/interpreter/retrieve/retrievetest"
)

func TestMemory(t *testing.T) {
	retrievetest.Exercise(t, retrievetest.Subject{
		Methods: []retrieve.Method{retrieve.BM25, retrieve.Vector, retrieve.Hybrid},
		Open: func(t testing.TB, passages []retrieve.Passage, method retrieve.Method, e retrieve.Embedder, k int) retrieve.Retriever {
			m, err := retrieve.NewMemory(passages, retrieve.MemoryOptions{Method: method, Embedder: e, K: k})
			if err != nil {
				t.Fatal(err)
			}
			return m
		},
	})
}
