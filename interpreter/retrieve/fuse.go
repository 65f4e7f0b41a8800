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

// Fuse makes one ranking of several by reciprocal rank fusion: each ranking gives
// what stands in it at rank r, counted from 1, the score 1/(60+r), and the sums
// decide. Equal sums are in the order of their keys. At most k are returned.
func Fuse(k int, rankings ...[]Ranked) []Ranked {
	at := map[int64]int{}
	var out []Ranked
	for _, ranking := range rankings {
		for r, x := range ranking {
			score := 1 / float64(fuseK+r+1)
			if i, ok := at[x.Key]; ok {
				out[i].Score += score
				continue
			}
			at[x.Key] = len(out)
			out = append(out, Ranked{x.Key, score})
		}
	}
	SortRanked(out)
	return out[:min(k, len(out))]
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
