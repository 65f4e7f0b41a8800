package retrievers

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/evaluate"
	"github.com/dspi-lang/dspi/interpreter/retrieve"
)

// planted is a language in which it is known what means the same: each concept has
// three words, and its embedder gives a word the vector of its concept, with noise.
type planted struct {
	words   [][]string // of each concept
	concept map[string]int
	filler  []string // words that mean nothing
}

const plantedDim = 64

func newPlanted(concepts int) *planted {
	r := rand.New(rand.NewPCG(1, 2))
	p := &planted{concept: map[string]int{}}
	syllables := strings.Fields("ba ke ti mo lu ra se ni po du fa ge hi jo ku la me no pi ru sa te vi wo zu")
	fresh := func() string {
		for {
			var w string
			for range 2 + r.IntN(2) {
				w += syllables[r.IntN(len(syllables))]
			}
			if _, taken := p.concept[w]; !taken {
				p.concept[w] = -1
				return w
			}
		}
	}
	for c := range concepts {
		var list []string
		for range 3 {
			w := fresh()
			p.concept[w] = c
			list = append(list, w)
		}
		p.words = append(p.words, list)
	}
	for range 40 {
		p.filler = append(p.filler, fresh())
	}
	return p
}

func (p *planted) Address() string { return "test/planted" }

// Embed adds up the vectors of the concepts of a text.
func (p *planted) Embed(_ context.Context, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, text := range texts {
		v := make([]float32, plantedDim)
		for _, w := range retrieve.Words(text) {
			h := fnv.New64a()
			h.Write([]byte(w))
			noise := rand.New(rand.NewPCG(h.Sum64(), 3))
			c, known := p.concept[w]
			of := rand.New(rand.NewPCG(uint64(c), 5))
			for k := range v {
				if known && c >= 0 {
					v[k] += float32(of.NormFloat64() + 0.7*noise.NormFloat64())
				} else {
					v[k] += float32(0.3 * noise.NormFloat64())
				}
			}
		}
		retrieve.Normalize(v)
		out[i] = v
	}
	return out, nil
}

// question is what is asked, and the passage that answers it.
type question struct {
	text, id   string
	paraphrase bool // it shares no word with the passage
}

// plantedCorpus makes passages, and questions of which half use the passage's words
// and half other words for the same concepts: those that passages do not use, as
// people ask in words of their own for what experts have written.
func plantedCorpus(p *planted, n, questions int) (passages []retrieve.Passage, asked []question) {
	r := rand.New(rand.NewPCG(8, 9))
	concepts := make([][]int, n)
	used := make([][]int, n) // which word of each
	for i := range n {
		var text []string
		for range 12 {
			c, w := r.IntN(len(p.words)), r.IntN(2)
			concepts[i], used[i] = append(concepts[i], c), append(used[i], w)
			text = append(text, p.words[c][w], p.filler[r.IntN(len(p.filler))])
		}
		passages = append(passages, retrieve.Passage{ID: fmt.Sprint("p", i), Text: strings.Join(text, " ")})
	}
	for q := range questions {
		i := r.IntN(n)
		x := question{id: passages[i].ID, paraphrase: q%2 == 1}
		var text []string
		for _, j := range r.Perm(12)[:4] {
			w := p.words[concepts[i][j]][used[i][j]]
			if x.paraphrase {
				w = p.words[concepts[i][j]][2]
			}
			text = append(text, w)
		}
		if !x.paraphrase {
			text = append(text, p.filler[r.IntN(len(p.filler))])
		}
		x.text = strings.Join(text, " ")
		asked = append(asked, x)
	}
	return passages, asked
}

// TestPlanted: by vectors more paraphrases are found than by words, and by both at
// least as much as by the better one, with paired intervals of 95 %.
func TestPlanted(t *testing.T) {
	p := newPlanted(3000)
	passages, asked := plantedCorpus(p, 240, 200)
	file := config(t.TempDir())
	write(t, file.Corpus.File, lines(passages))
	rank := map[retrieve.Method][]float64{} // 1/rank of the right one among ten, by question
	for _, method := range []retrieve.Method{retrieve.BM25, retrieve.Vector, retrieve.Hybrid} {
		c := file
		c.Method, c.Embedder = method, p
		x := open(t, c)
		for _, q := range asked {
			found, err := x.Retrieve(t.Context(), q.text, 10)
			if err != nil {
				t.Fatal(err)
			}
			score := 0.0
			for i, f := range found {
				if f.ID == q.id {
					score = 1 / float64(i+1)
				}
			}
			rank[method] = append(rank[method], score)
		}
	}
	part := func(method retrieve.Method, paraphrases bool) (out []float64) {
		for i, q := range asked {
			if !paraphrases || q.paraphrase {
				out = append(out, rank[method][i])
			}
		}
		return out
	}
	compare := func(a, b []float64) (difference float64, interval evaluate.Interval) {
		var diffs []float64
		for i := range a {
			diffs = append(diffs, a[i]-b[i])
		}
		return evaluate.Mean(diffs), evaluate.BootstrapMean(diffs)
	}
	words, vectors, both := part(retrieve.BM25, true), part(retrieve.Vector, true), part(retrieve.Hybrid, true)
	gain, interval := compare(vectors, words)
	t.Logf("%d paraphrases: words %.3f, vectors %.3f, both %.3f; vectors less words %+.3f (%.3f to %.3f)", len(words), evaluate.Mean(words), evaluate.Mean(vectors), evaluate.Mean(both), gain, interval.Low, interval.High)
	if interval.Low <= 0 {
		t.Errorf("on paraphrases vectors gain %v over words, %v", gain, interval)
	}
	words, vectors, both = part(retrieve.BM25, false), part(retrieve.Vector, false), part(retrieve.Hybrid, false)
	better := words
	if evaluate.Mean(vectors) > evaluate.Mean(words) {
		better = vectors
	}
	gain, interval = compare(both, better)
	t.Logf("%d questions: words %.3f, vectors %.3f, both %.3f; both less the better one %+.3f (%.3f to %.3f)", len(words), evaluate.Mean(words), evaluate.Mean(vectors), evaluate.Mean(both), gain, interval.Low, interval.High)
	if gain < 0 || interval.Low < -0.02 {
		t.Errorf("both gain %v over the better one, %v", gain, interval)
	}
}
