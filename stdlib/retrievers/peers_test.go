package retrievers

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/stdlib/retrievers/corpus"
)

// TestBM25S compares the best ten for 250 queries over the passages of the tour with
// what bm25s finds (testdata/bm25s/generate.py): the same on 99 of 100 at least, ties
// in any order. Scores differ by the factor k1 + 1.
func TestBM25S(t *testing.T) {
	data, err := os.ReadFile("testdata/bm25s/found.json")
	if err != nil {
		t.Fatal(err)
	}
	var queries []struct {
		Query  string
		Scores []float64
		Among  map[string]float64
	}
	if err := json.Unmarshal(data, &queries); err != nil {
		t.Fatal(err)
	}
	if len(queries) < 200 {
		t.Fatalf("there are %d queries", len(queries))
	}
	wiki, err := filepath.Abs("../../examples/tour/data/wiki.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	x := open(t, Config{Address: "retriever.wiki", Dir: t.TempDir(), Corpus: corpus.Corpus{File: wiki, Name: "wiki.jsonl", Title: "title"}})
	same := 0
	for _, q := range queries {
		found, err := x.Retrieve(t.Context(), q.Query, 10)
		if err != nil {
			t.Fatal(err)
		}
		if agrees(found, q.Scores, q.Among) {
			same++
		} else {
			t.Logf("%q finds %v, and bm25s %v", q.Query, found, q.Among)
		}
	}
	t.Logf("the same best ten on %d of %d queries", same, len(queries))
	if float64(same) < 0.99*float64(len(queries)) {
		t.Errorf("the same best ten on %d of %d queries", same, len(queries))
	}
}

func agrees(found []retrieve.Passage, scores []float64, among map[string]float64) bool {
	if len(found) != len(scores) {
		return false
	}
	for i, p := range found {
		theirs, ok := among[p.ID]
		// At one place both have one score, and the passage has it there and here.
		if !ok || math.Abs(theirs-scores[i]) > 2e-4 || math.Abs(p.Score-theirs*2.2) > 1e-3 && math.Abs(p.Score-theirs) > 1e-3 {
			return false
		}
	}
	return true
}
