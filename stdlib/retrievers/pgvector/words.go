package pgvector

import (
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

// scorer adds up scores of passages.
type scorer struct {
	average float64
	scores  map[int64]float64
}

// add adds the score of a word that stands in n passages of all, times so many as
// the query has it: Robertson's, with the weight that SQLite's FTS5 gives a word in
// more than half of the passages.
func (s *scorer) add(all corpusFacts, n, times int, data []byte, only map[int64]bool) error {
	const k1, b, least = 1.2, 0.75, 1e-6
	idf := float64(times) * max(math.Log((float64(all.passages)-float64(n)+0.5)/(float64(n)+0.5)), least)
	return postings(data, func(p posting) {
		if only == nil || only[p.key] {
			f := float64(p.n)
			s.scores[p.key] += idf * f * (k1 + 1) / (f + k1*(1-b+b*float64(p.length)/s.average))
		}
	})
}
