package builtin

import (
	"math"
	"slices"
	"sort"
)

// How worked examples vote. Each example and the input are vectors of features (words,
// pairs of words, and the letters inside words three and four at a time) weighted by
// TF-IDF over the examples and cut to length one. An example's similarity is the
// cosine. The nearest vote for their label by the square of their similarity, and each
// label's examples together (their mean) vote as well, which steadies labels with
// several examples.

const nearest = 10 // how many of the most similar examples vote one by one

// A feature is a hashed word, pair of words or run of letters, with its count.
type feature struct {
	key    uint64
	weight float64
}

// neighbours holds the examples of a prompt as vectors.
type neighbours struct {
	vectors [][]feature // sorted by key, length one
	common  map[uint64]int
}

func newNeighbours(texts [][]word) *neighbours {
	n := &neighbours{common: map[uint64]int{}}
	for _, ws := range texts {
		v := features(ws)
		for _, f := range v {
			n.common[f.key]++
		}
		n.vectors = append(n.vectors, v)
	}
	for _, v := range n.vectors {
		n.weigh(v)
	}
	return n
}

// weigh turns counts into TF-IDF, cut to length one.
func (n *neighbours) weigh(v []feature) {
	sum := 0.0
	for i := range v {
		idf := math.Log(1 + float64(len(n.vectors)+1)/float64(n.common[v[i].key]+1))
		v[i].weight *= idf
		sum += v[i].weight * v[i].weight
	}
	if sum > 0 {
		for i, norm := 0, math.Sqrt(sum); i < len(v); i++ {
			v[i].weight /= norm
		}
	}
}

// similarities returns the cosine of the text to each example.
func (n *neighbours) similarities(text []word) []float64 {
	q := features(text)
	n.weigh(q)
	out := make([]float64, len(n.vectors))
	for i, v := range n.vectors {
		out[i] = dot(q, v)
	}
	return out
}

func dot(a, b []feature) float64 {
	sum := 0.0
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i].key == b[j].key:
			sum += a[i].weight * b[j].weight
			i, j = i+1, j+1
		case a[i].key < b[j].key:
			i++
		default:
			j++
		}
	}
	return sum
}

// byLikeness returns the examples from the most similar on; equal ones in their order.
func byLikeness(similarities []float64) []int {
	order := make([]int, len(similarities))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return similarities[order[a]] > similarities[order[b]] })
	return order
}

// vote returns each label's share, 0 to 1, given the label of each example (-1: none of
// the labels), and how similar the nearest example is.
func vote(similarities []float64, label []int, labels int) (votes []float64, closest float64) {
	votes = make([]float64, labels)
	near := make([]float64, labels)
	mean := make([]float64, labels)
	count := make([]float64, labels)
	taken, total := 0, 0.0
	for _, i := range byLikeness(similarities) {
		l, s := label[i], similarities[i]
		if l < 0 {
			continue
		}
		closest = max(closest, s)
		if taken < nearest {
			near[l] += s * s
			total += s * s
			taken++
		}
		mean[l] += s
		count[l]++
	}
	highest := 0.0
	for l := range mean {
		if count[l] > 0 {
			mean[l] /= math.Pow(count[l], 0.8)
			highest = max(highest, mean[l])
		}
	}
	for l := range votes {
		if total > 0 {
			votes[l] += 0.5 * near[l] / total
		}
		if highest > 0 {
			votes[l] += 0.5 * mean[l] / highest
		}
	}
	return votes, closest
}

// features reads words as features with their weights before IDF, sorted by key.
func features(words []word) []feature {
	out := make([]feature, 0, len(words)*8)
	previous := uint64(0)
	for _, w := range words {
		h := hash(14695981039346656037, w.stem)
		weight := 1.0
		if minor()[w.stem] {
			weight = 0.5
		}
		out = append(out, feature{h, weight})
		if previous != 0 {
			out = append(out, feature{previous*31 ^ h, 0.5})
		}
		previous = h
		if len(w.stem) > 3 {
			out = letterRuns(out, w.text)
		}
	}
	slices.SortFunc(out, func(a, b feature) int {
		switch {
		case a.key < b.key:
			return -1
		case a.key > b.key:
			return 1
		}
		return 0
	})
	merged := out[:0]
	for _, f := range out {
		if n := len(merged); n > 0 && merged[n-1].key == f.key {
			merged[n-1].weight += f.weight
		} else {
			merged = append(merged, f)
		}
	}
	for i := range merged {
		if merged[i].weight > 1 {
			merged[i].weight = 1 + math.Log(merged[i].weight)
		}
	}
	return merged
}

const runWeight = 0.25

// letterRuns adds the runs of three and four letters of a word, its ends marked.
func letterRuns(out []feature, w string) []feature {
	padded := "^" + w + "$"
	for size := 3; size <= 4; size++ {
		for i := 0; i+size <= len(padded); i++ {
			out = append(out, feature{hash(uint64(size)*1099511628211, padded[i:i+size]), runWeight})
		}
	}
	return out
}

func hash(h uint64, s string) uint64 {
	for i := 0; i < len(s); i++ {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}
