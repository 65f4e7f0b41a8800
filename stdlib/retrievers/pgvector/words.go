package pgvector

import (
	"cmp"
	"encoding/binary"
	"errors"
	"maps"
	"math"
	"slices"

	"github.com/dspi-lang/dspi/interpreter/retrieve"
)

// For each word the table of words holds the passages that it stands in: their keys,
// how often, and how many words they have. Each change of the index adds a segment,
// as Lucene's do. The data of one are blocks, one after another, so that segments are
// merged by putting their data behind each other:
//
//	block    count, then so many postings
//	posting  key less the one before, how often, words of the passage
//
// all as unsigned varints. Scores are computed here from what a query's words have,
// because that is little: five bytes for each passage that a word stands in.

// posting is a passage in which a word stands.
type posting struct {
	key       int64
	n, length int
}

// segment collects postings of passages, whose keys ascend.
type segment struct {
	words    map[string]*block
	postings int
}

type block struct {
	count int
	last  int64
	data  []byte
}

// add adds a passage, and returns how many words it has.
func (s *segment) add(key int64, whole string) int {
	words := retrieve.Words(whole)
	counts := make(map[string]int, len(words))
	for _, w := range words {
		counts[w]++
	}
	if s.words == nil {
		s.words = map[string]*block{}
	}
	for w, n := range counts {
		b := s.words[w]
		if b == nil {
			b = &block{}
			s.words[w] = b
		}
		b.add(posting{key, n, len(words)})
	}
	s.postings += len(counts)
	return len(words)
}

func (b *block) add(p posting) {
	b.data = binary.AppendUvarint(b.data, uint64(p.key-b.last))
	b.data = binary.AppendUvarint(b.data, uint64(p.n))
	b.data = binary.AppendUvarint(b.data, uint64(p.length))
	b.last = p.key
	b.count++
}

// bytes returns the block as it is kept.
func (b *block) bytes() []byte {
	return append(binary.AppendUvarint(make([]byte, 0, len(b.data)+4), uint64(b.count)), b.data...)
}

// sorted returns the words of the segment.
func (s *segment) sorted() []string { return slices.Sorted(maps.Keys(s.words)) }

var errPostings = errors.New("what is kept of a word cannot be read: make the index anew with --rebuild")

// postings reads the blocks of a word.
func postings(data []byte, give func(posting)) error {
	read := func() uint64 {
		x, n := binary.Uvarint(data)
		if n <= 0 {
			data = nil
			return math.MaxUint64
		}
		data = data[n:]
		return x
	}
	for len(data) > 0 {
		count, key := read(), int64(0)
		for ; count > 0; count-- {
			if len(data) < 3 {
				return errPostings
			}
			key += int64(read())
			give(posting{key, int(read()), int(read())})
		}
	}
	return nil
}

// without returns the blocks of a word without the passages of some keys, as one
// block; count is what is left.
func without(data []byte, gone map[int64]bool) (left []byte, count int, err error) {
	var list []posting
	if err := postings(data, func(p posting) {
		if !gone[p.key] {
			list = append(list, p)
		}
	}); err != nil {
		return nil, 0, err
	}
	slices.SortFunc(list, func(a, b posting) int {
		if a.key < b.key {
			return -1
		}
		return 1
	})
	var b block
	for _, p := range list {
		b.add(p)
	}
	return b.bytes(), b.count, nil
}

// corpusFacts are what BM25 wants to know of all passages.
type corpusFacts struct{ passages, length int64 }

// scorer adds up scores of passages, in the order of their keys.
type scorer struct {
	average float64
	scores  []retrieve.Ranked
}

// add adds the score of a word that stands in n passages of all, times so many as
// the query has it: Robertson's, with the weight that SQLite's FTS5 gives a word in
// more than half of the passages.
func (s *scorer) add(all corpusFacts, n, times int, data []byte, only map[int64]bool) error {
	const k1, b, least = 1.2, 0.75, 1e-6
	idf := float64(times) * max(math.Log((float64(all.passages)-float64(n)+0.5)/(float64(n)+0.5)), least)
	of := make([]retrieve.Ranked, 0, n)
	ordered := true // where there is one segment
	err := postings(data, func(p posting) {
		if only != nil && !only[p.key] {
			return
		}
		f := float64(p.n)
		ordered = ordered && (len(of) == 0 || of[len(of)-1].Key < p.key)
		of = append(of, retrieve.Ranked{Key: p.key, Score: idf * f * (k1 + 1) / (f + k1*(1-b+b*float64(p.length)/s.average))})
	})
	if err != nil {
		return err
	}
	if !ordered {
		slices.SortFunc(of, func(a, b retrieve.Ranked) int { return cmp.Compare(a.Key, b.Key) })
	}
	s.scores = merged(s.scores, of)
	return nil
}

// merged adds two lists, both in the order of their keys.
func merged(a, b []retrieve.Ranked) []retrieve.Ranked {
	if len(a) == 0 {
		return b
	}
	out := make([]retrieve.Ranked, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].Key < b[0].Key:
			out, a = append(out, a[0]), a[1:]
		case a[0].Key > b[0].Key:
			out, b = append(out, b[0]), b[1:]
		default:
			out = append(out, retrieve.Ranked{Key: a[0].Key, Score: a[0].Score + b[0].Score})
			a, b = a[1:], b[1:]
		}
	}
	return append(append(out, a...), b...)
}
