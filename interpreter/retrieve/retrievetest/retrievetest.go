// Package retrievetest is the suite that every retrieve.Retriever passes: Exercise.
package retrievetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/lang/value"
)

// Subject is a kind of retriever.
type Subject struct {
	// Open returns a retriever over passages. k is how many it gives when nobody
	// says. The embedder is nil for methods that need none. What it opens it closes
	// at the end of the test.
	Open func(t testing.TB, passages []retrieve.Passage, method retrieve.Method, e retrieve.Embedder, k int) retrieve.Retriever
	// Methods are those that it has.
	Methods []retrieve.Method
}

// Exercise tests a kind of retriever.
func Exercise(t *testing.T, s Subject) {
	for _, method := range s.Methods {
		t.Run(string(method), func(t *testing.T) {
			b := bench{s, method}
			for name, run := range map[string]func(*testing.T, bench){
				"finds": finds, "whole": whole, "how many": howMany, "order": order, "nothing": nothing,
				"hostile": hostile, "many at once": manyAtOnce, "canceled": canceled,
			} {
				t.Run(name, func(t *testing.T) { run(t, b) })
			}
			switch method {
			case retrieve.BM25:
				t.Run("words", func(t *testing.T) { words(t, b) })
				t.Run("scores", func(t *testing.T) { scores(t, b) })
				t.Run("ties", func(t *testing.T) { ties(t, b) })
			case retrieve.Vector:
				t.Run("meaning", func(t *testing.T) { meaning(t, b) })
			case retrieve.Hybrid:
				t.Run("both", func(t *testing.T) { both(t, b) })
			}
			if method.NeedsEmbedder() {
				t.Run("embedder fails", func(t *testing.T) { failing(t, b) })
			}
		})
	}
}

type bench struct {
	s      Subject
	method retrieve.Method
}

func (b bench) open(t testing.TB, passages []retrieve.Passage, k int) retrieve.Retriever {
	t.Helper()
	var e retrieve.Embedder
	if b.method.NeedsEmbedder() {
		e = Concepts{}
	}
	return b.s.Open(t, passages, b.method, e, k)
}

// Animals are the passages of most tests.
func Animals() []retrieve.Passage {
	return []retrieve.Passage{
		{ID: "fox", Title: "Fox", Text: "A fox is a small wild hunter with a bushy tail. It digs an earth to raise its young.", Meta: value.NewObject("family", "dogs", "legs", 4)},
		{ID: "owl", Title: "Owl", Text: "An owl hunts at night and hears a mouse under the snow.", Meta: value.NewObject("family", "birds", "legs", 2)},
		{ID: "cafe", Title: "Café", Text: "The naïve visitor of São Paulo orders a coffee, and a smørrebrød in København."},
		{ID: "bee", Title: "", Text: "A bee dances to tell the others where flowers are."},
		{ID: "whale", Title: "Whale", Text: "A whale breathes air and sleeps with half of its brain at a time."},
		{ID: "salmon", Title: "Salmon", Text: "A salmon swims up the river in which it was born, to spawn there.", Meta: value.NewObject("rivers", []any{"Rhine", "Yukon"})},
	}
}

func search(t testing.TB, r retrieve.Retriever, query string, k int) []retrieve.Passage {
	t.Helper()
	found, err := r.Retrieve(t.Context(), query, k)
	if err != nil {
		t.Fatalf("%q: %v", query, err)
	}
	return found
}

func ids(passages []retrieve.Passage) []string {
	out := []string{}
	for _, p := range passages {
		out = append(out, p.ID)
	}
	return out
}

// finds: the best passage is the one that a person would name.
func finds(t *testing.T, b bench) {
	r := b.open(t, Animals(), 3)
	for query, want := range map[string]string{
		"Which animal hears a mouse?":        "owl",
		"bee":                                "bee",
		"Where does a salmon spawn? (river)": "salmon",
		"whale":                              "whale", // its title
		"the young of the fox":               "fox",
	} {
		if found := search(t, r, query, 3); len(found) == 0 || found[0].ID != want {
			t.Errorf("%q finds %v, want %s first", query, ids(found), want)
		}
	}
}

// whole: a passage comes back as it was given.
func whole(t *testing.T, b bench) {
	r := b.open(t, Animals(), 3)
	for _, want := range Animals() {
		found := search(t, r, want.Text, 1)
		if len(found) != 1 {
			t.Errorf("%s is not found by its own text", want.ID)
			continue
		}
		got := found[0]
		if got.ID != want.ID || got.Title != want.Title || got.Text != want.Text {
			t.Errorf("it is %+v, want %+v", got, want)
		}
		if a, b := string(value.EncodeJSON(got.Meta)), string(value.EncodeJSON(want.Meta)); got.Meta.Len() != want.Meta.Len() || want.Meta.Len() > 0 && a != b {
			t.Errorf("the rest of %s is %s, want %s", want.ID, a, b)
		}
		if got.Score <= 0 {
			t.Errorf("the score of %s is %v", got.ID, got.Score)
		}
	}
}

// howMany: k is obeyed; 0 is the retriever's own number.
func howMany(t *testing.T, b bench) {
	var passages []retrieve.Passage
	for i := range 40 {
		passages = append(passages, retrieve.Passage{ID: fmt.Sprint(i), Text: "a fox " + strings.Repeat("and another ", i)})
	}
	r := b.open(t, passages, 7)
	for k, want := range map[int]int{1: 1, 5: 5, 0: 7, 40: 40, 1000: 40} {
		if found := search(t, r, "fox", k); len(found) != want {
			t.Errorf("k = %d finds %d, want %d", k, len(found), want)
		} else if n := len(slices.Compact(slices.Sorted(slices.Values(ids(found))))); n != want {
			t.Errorf("k = %d finds %d passages, some of them twice", k, n)
		}
	}
}

// order: best first, and the same every time.
func order(t *testing.T, b bench) {
	r := b.open(t, Animals(), 3)
	first := search(t, r, "a fox hunts a mouse at night in the river", 6)
	for i := 1; i < len(first); i++ {
		if first[i].Score > first[i-1].Score {
			t.Errorf("place %d has the score %v, the one before %v", i, first[i].Score, first[i-1].Score)
		}
	}
	for range 5 {
		if again := search(t, r, "a fox hunts a mouse at night in the river", 6); !slices.Equal(ids(again), ids(first)) {
			t.Fatalf("first %v, then %v", ids(first), ids(again))
		}
	}
	for k := 1; k < 6; k++ {
		if fewer := search(t, r, "a fox hunts a mouse at night in the river", k); b.method != retrieve.Hybrid && !slices.Equal(ids(fewer), ids(first)[:min(k, len(first))]) {
			t.Errorf("k = %d gives %v, k = 6 %v", k, ids(fewer), ids(first))
		}
	}
}

// nothing: a query without a word finds nothing and is no error.
func nothing(t *testing.T, b bench) {
	r := b.open(t, Animals(), 3)
	for _, query := range []string{"", " \n\t", "?!", "\"\"", "—", "\u0301"} {
		if found := search(t, r, query, 3); len(found) != 0 {
			t.Errorf("%q finds %v", query, ids(found))
		}
	}
	if found := search(t, r, "xylophone quasar", 3); b.method == retrieve.BM25 && len(found) != 0 {
		t.Errorf("words that are nowhere find %v", ids(found))
	}
}

// hostile: what means something in a query language means nothing here.
func hostile(t *testing.T, b bench) {
	r := b.open(t, Animals(), 3)
	for _, query := range []string{
		`owl" OR "fox`, `owl*`, `^owl`, `NEAR(owl fox, 1)`, `owl AND`, `NOT owl`, `AND OR NOT owl`, `title:owl`, `whole : owl`, `- owl`, `{owl fox} : a`,
		`owl'; DROP TABLE passage; --`, `(owl`, `owl)`, `"owl`, "owl\x00", "owl\xff", `owl + fox`, `\owl\`, `owl & !fox | bee:*`, `<owl> <-> 'fox'`, `%owl_`,
	} {
		if found := search(t, r, query, 6); !slices.Contains(ids(found), "owl") {
			t.Errorf("%q finds %v", query, ids(found))
		}
	}
	long := strings.Repeat("the quick owl and the lazy fox ", 5000)
	if found := search(t, r, long, 6); !slices.Contains(ids(found), "owl") {
		t.Errorf("a query of %d bytes finds %v", len(long), ids(found))
	}
	if found := search(t, r, "Which animal hears a mouse?", 1); len(found) != 1 || found[0].ID != "owl" {
		t.Errorf("after that an owl is not found: %v", ids(found))
	}
}

// words: case and diacritics do not matter, parts of words do.
func words(t *testing.T, b bench) {
	r := b.open(t, Animals(), 3)
	for query, want := range map[string]string{
		"NAIVE": "cafe", "naïve": "cafe", "nai\u0308ve": "cafe", "sao": "cafe", "São": "cafe", "CAFÉ": "cafe", "cafe": "cafe",
		"OWL": "owl", "københavn": "cafe", "bushy-tail": "fox",
	} {
		if found := search(t, r, query, 1); len(found) != 1 || found[0].ID != want {
			t.Errorf("%q finds %v, want %s", query, ids(found), want)
		}
	}
	for _, query := range []string{"flow", "ow", "mous"} {
		if found := search(t, r, query, 3); len(found) != 0 {
			t.Errorf("%q finds %v", query, ids(found))
		}
	}
}

// scores: those of BM25, computed by hand. Of 4 passages with 2, 2, 4 and 8 words,
// the average is 4; a word in one of them has the weight ln(3.5/1.5).
func scores(t *testing.T, b bench) {
	r := b.open(t, []retrieve.Passage{
		{ID: "1", Text: "red apple"}, {ID: "2", Text: "green pear"},
		{ID: "3", Text: "plum plum blue sky"}, {ID: "4", Text: "one two three four five six seven eight"},
	}, 3)
	for query, want := range map[string]float64{
		"apple": 0.8472978603872037 * 2.2 / (1 + 1.2*(0.25+0.75*2/4)),
		"plum":  0.8472978603872037 * 2 * 2.2 / (2 + 1.2),
		"eight": 0.8472978603872037 * 2.2 / (1 + 1.2*(0.25+0.75*8/4)),
	} {
		found := search(t, r, query, 3)
		if len(found) != 1 || found[0].Score < want-1e-9 || found[0].Score > want+1e-9 {
			t.Errorf("%q scores %v, want %v", query, found, want)
		}
	}
}

// ties: passages of equal score are in the order of the corpus.
func ties(t *testing.T, b bench) {
	var passages []retrieve.Passage
	var want []string
	for i := range 30 {
		id := fmt.Sprintf("%02d", (i*7)%30)
		passages, want = append(passages, retrieve.Passage{ID: id, Text: "an owl sits here"}), append(want, id)
	}
	for i := range 40 { // so that the word is in less than half of them
		passages = append(passages, retrieve.Passage{ID: fmt.Sprintf("other %d", i), Text: "nobody sits here"})
	}
	r := b.open(t, passages, 3)
	for _, k := range []int{1, 10, 30} {
		if found := ids(search(t, r, "owl", k)); !slices.Equal(found, want[:k]) {
			t.Errorf("k = %d gives %v", k, found)
		}
	}
}

// meaning: a passage is found that shares no word with the query.
func meaning(t *testing.T, b bench) {
	r := b.open(t, Animals(), 3)
	for query, want := range map[string]string{"darkness": "owl", "ocean mammal": "whale", "nectar": "bee"} {
		if found := search(t, r, query, 1); len(found) != 1 || found[0].ID != want {
			t.Errorf("%q finds %v, want %s", query, ids(found), want)
		}
	}
}

// both: what both rankings find is before what one does; each finds what the other
// does not.
func both(t *testing.T, b bench) {
	r := b.open(t, Animals(), 3)
	if found := search(t, r, "nectar salmon", 6); len(found) < 2 || !slices.Contains(ids(found)[:2], "bee") || !slices.Contains(ids(found)[:2], "salmon") {
		t.Errorf("words and meaning find %v", ids(found))
	}
	if found := search(t, r, "owl darkness", 6); len(found) == 0 || found[0].ID != "owl" || found[0].Score < 2.0/61-1e-9 || found[0].Score > 2.0/61+1e-9 {
		t.Errorf("the first of both is %v, want owl with 2/61", found)
	}
}

// manyAtOnce: a retriever serves many goroutines.
func manyAtOnce(t *testing.T, b bench) {
	r := b.open(t, Animals(), 3)
	want := ids(search(t, r, "a mouse in the snow", 3))
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for range 10 {
				found, err := r.Retrieve(t.Context(), "a mouse in the snow", 3)
				if err != nil || !slices.Equal(ids(found), want) {
					t.Errorf("it finds %v, %v", ids(found), err)
					return
				}
			}
		})
	}
	all.Wait()
}

// canceled: the context is obeyed.
func canceled(t *testing.T, b bench) {
	r := b.open(t, Animals(), 3)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Retrieve(ctx, "owl", 3); !errors.Is(err, context.Canceled) {
		t.Errorf("it gives %v", err)
	}
	search(t, r, "owl", 3) // it works afterwards
}

// failing: an embedder that fails for a query fails the query, and only it.
func failing(t *testing.T, b bench) {
	e := &flaky{}
	r := b.s.Open(t, Animals(), b.method, e, 3)
	search(t, r, "owl", 3)
	e.fail.Store(true)
	if _, err := r.Retrieve(t.Context(), "owl", 3); err == nil || !strings.Contains(err.Error(), "no vectors today") {
		t.Errorf("it gives %v", err)
	}
	e.fail.Store(false)
	search(t, r, "owl", 3)
}
