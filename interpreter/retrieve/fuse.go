package retrieve

import (
	"cmp"
	"slices"
)

// fuseK softens the advantage of the first ranks in Fuse.
const fuseK = 60

// FuseDepth is how deep each ranking is read to fuse the best k of them.
func FuseDepth(k int) int { return max(100, 4*k) }

// Ranked is a thing in a ranking: its key, and its place in the corpus, by which
// those of equal score are ordered.
type Ranked struct {
	Key   int64
	Score float64
}

// Fuse makes one ranking of several by reciprocal rank fusion (Cormack, Clarke and
// Büttcher, SIGIR 2009): each ranking gives what stands in it at rank r, counted from
// 1, the score 1/(60+r), and the sums decide. Equal sums are in the order of their
// keys. At most k are returned.
func Fuse(k int, rankings ...[]Ranked) []Ranked { return FuseWeighted(k, nil, rankings...) }

// FuseWeighted is Fuse where some rankings count more than others: the scores of
// each are multiplied by its weight. No weights are as many ones.
func FuseWeighted(k int, weights []float64, rankings ...[]Ranked) []Ranked {
	at := map[int64]int{}
	var out []Ranked
	for i, ranking := range rankings {
		weight := 1.0
		if weights != nil {
			weight = weights[i]
		}
		if weight == 0 {
			continue
		}
		for r, x := range ranking {
			score := weight / float64(fuseK+r+1)
			if j, ok := at[x.Key]; ok {
				out[j].Score += score
				continue
			}
			at[x.Key] = len(out)
			out = append(out, Ranked{x.Key, score})
		}
	}
	SortRanked(out)
	return out[:min(k, len(out))]
}

// Diverse picks k of a ranking by maximal marginal relevance (Carbonell and
// Goldstein, SIGIR 1998): one after another, the one for which
//
//	lambda * score/best - (1-lambda) * likeness to what was picked
//
// is greatest. Vectors are those of the ranking, of length 1; one that is nil is like
// nothing. With lambda 1 the ranking stays as it is. Scores are kept.
func Diverse(k int, lambda float64, ranking []Ranked, vectors [][]float32) []Ranked {
	if len(ranking) == 0 || lambda >= 1 {
		return ranking[:min(k, len(ranking))]
	}
	best := ranking[0].Score
	if best <= 0 {
		best = 1
	}
	like := make([]float64, len(ranking)) // to the most alike that was picked
	taken := make([]bool, len(ranking))
	var out []Ranked
	for len(out) < k && len(out) < len(ranking) {
		next, most := -1, 0.0
		for i, x := range ranking {
			if taken[i] {
				continue
			}
			if worth := lambda*x.Score/best - (1-lambda)*like[i]; next < 0 || worth > most {
				next, most = i, worth
			}
		}
		taken[next] = true
		out = append(out, ranking[next])
		for i := range ranking {
			if !taken[i] && vectors[i] != nil && vectors[next] != nil {
				like[i] = max(like[i], float64(Dot(vectors[i], vectors[next])))
			}
		}
	}
	return out
}

// SortRanked orders by score, best first, then by key.
func SortRanked(list []Ranked) {
	slices.SortFunc(list, func(a, b Ranked) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Key, b.Key))
	})
}

// Best keeps the best k of what it is shown.
type Best struct {
	k    int
	heap []Ranked // the worst first
}

// NewBest returns a Best that keeps k.
func NewBest(k int) *Best { return &Best{k: k, heap: make([]Ranked, 0, min(k, 1024))} }

// worse reports whether a stands behind b.
func worse(a, b Ranked) bool { return a.Score < b.Score || a.Score == b.Score && a.Key > b.Key }

// Add shows it one more.
func (b *Best) Add(key int64, score float64) {
	x := Ranked{key, score}
	if len(b.heap) < b.k {
		b.heap = append(b.heap, x)
		for i := len(b.heap) - 1; i > 0; {
			up := (i - 1) / 2
			if !worse(b.heap[i], b.heap[up]) {
				break
			}
			b.heap[i], b.heap[up] = b.heap[up], b.heap[i]
			i = up
		}
		return
	}
	if b.k == 0 || !worse(b.heap[0], x) {
		return
	}
	b.heap[0] = x
	for i := 0; ; {
		low := i
		for _, c := range [2]int{2*i + 1, 2*i + 2} {
			if c < len(b.heap) && worse(b.heap[c], b.heap[low]) {
				low = c
			}
		}
		if low == i {
			return
		}
		b.heap[i], b.heap[low] = b.heap[low], b.heap[i]
		i = low
	}
}

// List returns what is kept, best first.
func (b *Best) List() []Ranked {
	out := slices.Clone(b.heap)
	SortRanked(out)
	return out
}
