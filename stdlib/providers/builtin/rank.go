package builtin

import (
	"fmt"
	"math"
	"strings"
)

// How labels are ranked. A label is read as words: its name split, and its meaning
// where the prompt gives one. A word that stands in few of the labels says more than
// one that stands in many (its weight is its inverse document frequency over the
// labels), function words say little. Each word of a label is looked for in the text:
// the same stem counts whole, a near spelling or a word near in meaning counts in part.
// The sum over a label's words, divided by a power of the label's own weight so that
// long names gain nothing by length, is its score. Where the prompt has worked
// examples, their vote is added (neighbours.go). Equal scores: the first label.

const (
	minorWeight   = 0.15 // of a function word in a label
	meaningWeight = 0.5  // of a word that only the label's meaning has
	relatedMatch  = 0.55 // of a word near in meaning
	lengthPower   = 0.6  // how far a label's own weight is divided out
	softWords     = 4096 // distinct words of a text that near spellings are looked for in
)

// A ranking is the labels of one choice, scored for one text.
type ranking struct {
	best       int
	scores     []float64
	similarity float64  // of the best label, 0 to 1; 0 when nothing spoke for any
	lead       float64  // of the best label's score over the next best
	because    []string // the words that spoke for the best label
	examples   bool     // whether worked examples had a vote
}

// A labelWord is a word of a label with its weight there.
type labelWord struct {
	text   string // as written, lower case
	stem   string
	weight float64
}

// rankLabels scores the choices for a text. votes may be nil, or hold the vote of the
// examples for each choice, 0 to 1, with how much they are to count against the words.
func rankLabels(choices []choice, text *reader, votes []float64, trust float64) ranking {
	labels := labelWords(choices)
	r := ranking{scores: make([]float64, len(choices))}
	memo := map[string]float64{}
	top := 0.0
	words := make([]float64, len(choices))
	for i, label := range labels {
		sum, whole := 0.0, 0.0
		for j, w := range label {
			whole += w.weight
			m, seen := memo[w.stem]
			if !seen {
				m = text.has(w.stem)
				memo[w.stem] = m
			}
			if m < 1 && j+1 < len(label) && text.compound(w.stem, label[j+1].stem) {
				m = 1
			} else if m < 1 && j > 0 && text.compound(label[j-1].stem, w.stem) {
				m = 1
			}
			sum += w.weight * m
		}
		if whole > 0 {
			words[i] = sum / math.Pow(whole, lengthPower)
			top = max(top, sum/whole)
		}
	}
	highest := 0.0
	for _, s := range words {
		highest = max(highest, s)
	}
	for i := range choices {
		if highest > 0 {
			r.scores[i] = words[i] / highest * math.Min(1, top+0.2)
		}
		if votes != nil {
			r.scores[i] = (1-trust)*r.scores[i] + trust*votes[i]
			r.examples = true
		}
		if r.scores[i] > r.scores[r.best]+1e-9 {
			r.best = i
		}
	}
	if len(choices) == 0 || r.scores[r.best] <= 0 {
		r.best = fallback(choices)
		return r
	}
	r.lead = r.scores[r.best]
	for i, s := range r.scores {
		if i != r.best {
			r.lead = min(r.lead, r.scores[r.best]-s)
		}
	}
	for _, w := range labels[r.best] {
		if memo[w.stem] > 0.4 && !minor()[w.stem] {
			r.because = append(r.because, w.text)
		}
	}
	r.similarity = math.Round(math.Min(1, r.scores[r.best])*100) / 100
	return r
}

// fallback is the label for a text that nothing speaks for: the one that means "none
// of these" where there is one, else the first.
func fallback(choices []choice) int {
	for i, c := range choices {
		switch strings.ToLower(c.text) {
		case "other", "others", "unknown", "none", "neutral", "misc", "miscellaneous", "unclear", "n/a", "undefined", "unspecified":
			return i
		}
	}
	return 0
}

// labelWords reads each choice as words with weights.
func labelWords(choices []choice) [][]labelWord {
	labels := make([][]labelWord, len(choices))
	spread := map[string]int{}
	for i, c := range choices {
		seen := map[string]int{}
		add := func(text string, weight float64) {
			for _, w := range readWords(text) {
				if at, ok := seen[w.stem]; ok {
					labels[i][at].weight = max(labels[i][at].weight, weight)
					continue
				}
				seen[w.stem] = len(labels[i])
				labels[i] = append(labels[i], labelWord{w.text, w.stem, weight})
				spread[w.stem]++
			}
		}
		add(splitName(c.text), 1)
		if c.about != "" {
			add(c.about, meaningWeight)
		}
	}
	for i := range labels {
		for j := range labels[i] {
			w := &labels[i][j]
			w.weight *= math.Log(1 + float64(len(choices))/float64(spread[w.stem]))
			if minor()[w.stem] {
				w.weight *= minorWeight
			}
		}
	}
	return labels
}

// A reader answers whether a text has a word, and how nearly.
type reader struct {
	words  []word
	bag    bag
	pairs  map[[2]string]bool
	groups map[int]bool
	soft   map[byte][]string // the words by first letter
}

func newReader(text string) *reader {
	r := &reader{words: readWords(text)}
	r.bag = newBag(r.words)
	r.groups = map[int]bool{}
	r.soft = map[byte][]string{}
	r.pairs = make(map[[2]string]bool, len(r.words))
	t := english()
	for i, s := range r.bag.stems {
		if !minor()[s] || len(t.words[s]) > 0 {
			for _, g := range t.words[s] {
				r.groups[g] = true
			}
		}
		if i < softWords && len(s) > 3 {
			r.soft[s[0]] = append(r.soft[s[0]], s)
		}
	}
	for i := 0; i+1 < len(r.words); i++ {
		key := [2]string{r.words[i].stem, r.words[i+1].stem}
		r.pairs[key] = true
		for _, g := range t.phrases[key] {
			r.groups[g] = true
		}
	}
	return r
}

// has says how nearly the text has a word: 1 for the same stem, 0 for nothing like it.
func (r *reader) has(stem string) float64 {
	if r.bag.counts[stem] > 0 {
		return 1
	}
	best := 0.0
	if len(stem) > 3 {
		for _, s := range r.soft[stem[0]] {
			best = max(best, spelling(stem, s))
		}
	}
	if best < relatedMatch && !minor()[stem] {
		for _, g := range english().words[stem] {
			if r.groups[g] {
				return relatedMatch
			}
		}
	}
	return best
}

// compound reports whether the text has two words in one, as in "login" for "log in",
// or one after the other.
func (r *reader) compound(a, b string) bool {
	return r.bag.counts[a+b] > 0
}

// spelling says how alike two stems are spelled, by shared pairs of letters (Dice);
// unlike ones are 0.
func spelling(a, b string) float64 {
	if strings.HasPrefix(a, b) || strings.HasPrefix(b, a) {
		short, long := len(a), len(b)
		if short > long {
			short, long = long, short
		}
		if short >= 4 && long-short <= 4 {
			return 0.5 + 0.5*float64(short)/float64(long)
		}
	}
	if d := len(a) - len(b); d > 3 || d < -3 || len(a) < 5 || len(b) < 5 {
		return 0
	}
	shared := 0
	var used uint64
	for i := 0; i+1 < len(a); i++ {
		for j := 0; j+1 < len(b) && j < 64; j++ {
			if used&(1<<j) == 0 && a[i] == b[j] && a[i+1] == b[j+1] {
				used |= 1 << j
				shared++
				break
			}
		}
	}
	if s := 2 * float64(shared) / float64(len(a)+len(b)-2); s >= 0.65 {
		return s
	}
	return 0
}

// explain says in a sentence why the label was taken.
func (r ranking) explain(field string, choices []choice) string {
	label := choices[r.best].text
	switch {
	case r.similarity == 0:
		return fmt.Sprintf("Nothing in the input speaks for any label of %s; I took %q.", field, label)
	case r.examples && len(r.because) > 0:
		return fmt.Sprintf("For %s I compared the input with the examples and with the words of the labels; the nearest is %q (shared: %s).", field, label, strings.Join(r.because, ", "))
	case r.examples:
		return fmt.Sprintf("For %s I compared the input with the examples; the nearest are of the label %q.", field, label)
	case len(r.because) > 0:
		return fmt.Sprintf("For %s I looked for the label whose words are nearest to the input: %q (shared: %s).", field, label, strings.Join(r.because, ", "))
	}
	return fmt.Sprintf("For %s I looked for the label whose words are nearest to the input: %q.", field, label)
}
