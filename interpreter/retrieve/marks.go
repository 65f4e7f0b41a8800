package retrieve

import (
	"unicode"
	"unicode/utf8"
)

// Marks returns where the words of a query stand in a text, as byte offsets, in the
// order of the text.
func Marks(text, query string) [][2]int {
	asked := map[string]bool{}
	for _, w := range Words(query) {
		asked[w] = true
	}
	var out [][2]int
	eachWord(text, func(start, end int) {
		if asked[fold(text[start:end])] {
			out = append(out, [2]int{start, end})
		}
	})
	return out
}

// eachWord gives the words of a text.
func eachWord(text string, give func(start, end int)) {
	start := -1
	for i := 0; i <= len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		word := n > 0 && (r != utf8.RuneError || n > 1) && inWord(r)
		switch {
		case word && start < 0:
			start = i
		case !word && start >= 0:
			give(start, i)
			start = -1
		}
		i += max(n, 1)
	}
}

func inWord(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.Is(unicode.Mn, r)
}

// Snippet is a piece of a text around the words that were asked for.
type Snippet struct {
	Start, End int      // of the text, in bytes
	Marks      [][2]int // in the text, in bytes
}

// Excerpt returns the piece of a text, of at most so many bytes, that holds most of
// the different words of a query. It begins and ends between words.
func Excerpt(text, query string, most int) Snippet {
	marks := Marks(text, query)
	s := Snippet{End: len(text), Marks: marks}
	if len(text) <= most {
		return s
	}
	s.Start, s.End = 0, most
	best := -1
	for i, m := range marks {
		seen := map[string]bool{}
		last := i
		for j := i; j < len(marks) && marks[j][1] <= m[0]+most; j++ {
			seen[fold(text[marks[j][0]:marks[j][1]])] = true
			last = j
		}
		if len(seen) > best {
			best = len(seen)
			room := most - (marks[last][1] - m[0]) // before and behind
			s.Start = max(0, m[0]-room/2)
			s.End = min(len(text), s.Start+most)
			s.Start = max(0, s.End-most)
		}
	}
	s.Start, s.End = betweenWords(text, s.Start, s.End)
	s.Marks = nil
	for _, m := range marks {
		if m[0] >= s.Start && m[1] <= s.End {
			s.Marks = append(s.Marks, m)
		}
	}
	return s
}

// betweenWords moves two offsets inwards, so that they part no word.
func betweenWords(text string, start, end int) (int, int) {
	if start > 0 {
		for start < end && !(utf8.RuneStart(text[start]) && !wordBefore(text, start)) {
			start++
		}
	}
	if end < len(text) {
		for end > start && !(utf8.RuneStart(text[end]) && !wordAt(text, end)) {
			end--
		}
	}
	return start, end
}

func wordBefore(text string, i int) bool {
	r, _ := utf8.DecodeLastRuneInString(text[:i])
	return inWord(r)
}

func wordAt(text string, i int) bool {
	r, _ := utf8.DecodeRuneInString(text[i:])
	return inWord(r)
}
