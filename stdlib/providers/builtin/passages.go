package builtin

import (
	"context"
	"encoding/json"
	"math"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A sentence is one sentence of the passages, with where it stands.
type sentence struct {
	title   string // of the passage, where the sentence is its first
	text    string
	passage int // counted from 0
	words   []word
	score   float64 // how much of the question's weight it and its passage hold, 0 to 1
}

// readPassages reads an input that is a list as its elements, any other as one passage.
// DSPy writes a list in a text field as `[1] «first»`.
func readPassages(value string) []string {
	trimmed := strings.TrimSpace(value)
	if strings.HasPrefix(trimmed, "[") {
		var items []any
		if json.Unmarshal([]byte(trimmed), &items) == nil {
			out := make([]string, len(items))
			for i, item := range items {
				out[i] = textOf(item)
			}
			return out
		}
	}
	if marks := numbered.FindAllStringIndex(trimmed, -1); len(marks) > 0 && marks[0][0] == 0 {
		var out []string
		for i, m := range marks {
			end := len(trimmed)
			if i+1 < len(marks) {
				end = marks[i+1][0]
			}
			out = append(out, strings.Trim(strings.TrimSpace(trimmed[m[1]:end]), "«» \n"))
		}
		return out
	}
	if trimmed == "" {
		return nil
	}
	return []string{trimmed}
}

var numbered = regexp.MustCompile(`(?m)^\[[0-9]+\] «`)

// textOf is the text in a JSON value: of an object its `text`, or all its strings.
func textOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case map[string]any:
		for _, name := range []string{"text", "content", "passage", "body"} {
			if s, ok := v[name].(string); ok {
				return s
			}
		}
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

// longest is how many bytes a sentence may have before it is cut at a space.
const longest = 4000

// splitSentences cuts text where a sentence ends, and at blank lines.
func splitSentences(text string) []string {
	var out []string
	start := 0
	put := func(end int) {
		if s := strings.Join(strings.Fields(text[start:end]), " "); s != "" {
			out = append(out, s)
		}
		start = end
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case ' ':
			if i-start > longest {
				put(i)
			}
		case '\n':
			if next := strings.TrimLeft(text[i+1:min(len(text), i+8)], " \t"); strings.HasPrefix(next, "\n") || strings.HasPrefix(next, "- ") || strings.HasPrefix(next, "* ") {
				put(i + 1)
			}
		case '.', '!', '?':
			end := i + 1
			for end < len(text) && strings.IndexByte(`"')]`, text[end]) >= 0 {
				end++
			}
			if end == len(text) {
				put(end)
			} else if unicode.IsSpace(rune(text[end])) && !(c == '.' && abbreviates(text[start:i], text[end:])) {
				put(end)
			}
			i = end - 1
		}
	}
	put(len(text))
	return out
}

// abbreviates reports whether a full stop belongs to the word before it.
func abbreviates(before, after string) bool {
	w := before[strings.LastIndexAny(before, " \n\t(")+1:]
	next, _ := utf8.DecodeRuneInString(strings.TrimLeft(after[:min(len(after), 16)], " \n\t"))
	if unicode.IsLower(next) {
		return true
	}
	if utf8.RuneCountInString(w) == 1 && w != "I" && strings.ToUpper(w) == w && !unicode.IsDigit(rune(w[0])) {
		return true
	}
	switch strings.ToLower(w) {
	case "mr", "mrs", "ms", "dr", "prof", "st", "no", "vs", "etc", "e.g", "i.e", "c", "ca", "fig", "approx", "jr", "sr", "inc", "ltd", "co":
		return true
	}
	return false
}

// A search is what looking for a question in the passages found.
type search struct {
	found    bool
	sentence sentence
	answer   string // the part of the sentence that answers
	score    float64
}

const (
	enough       = 0.34 // the least score of a sentence that may answer
	own          = 0.7  // how far a sentence counts by itself; the rest is its passage
	rightKind    = 0.25 // what it is worth to hold something of the kind asked for
	contextEvery = 1024 // sentences between two looks at the context
)

// lookUp finds the sentence that shares most with the question, words that stand in
// few sentences counting more (TF-IDF), and the part of it that answers.
func lookUp(ctx context.Context, question string, passages []string) (search, error) {
	asked := readWords(question)
	weight := map[string]float64{}
	for _, w := range asked {
		if !minor()[w.stem] {
			weight[w.stem] = 0
		}
	}
	if len(weight) == 0 {
		return search{}, nil
	}
	var sentences []sentence
	holds := map[string]int{}
	for p, passage := range passages {
		for i, text := range splitSentences(passage) {
			if len(sentences)%contextEvery == 0 {
				if err := ctx.Err(); err != nil {
					return search{}, err
				}
			}
			s := sentence{text: text, passage: p}
			seen := map[string]bool{}
			for _, w := range readWords(text) {
				if _, asked := weight[w.stem]; asked && !seen[w.stem] {
					seen[w.stem] = true
					holds[w.stem]++
					s.words = append(s.words, w)
				}
			}
			if title, body, ok := strings.Cut(text, " | "); ok && i == 0 && title != "" && body != "" {
				s.title, s.text = title, body // the answer stands in the body, if it does
			}
			sentences = append(sentences, s)
		}
	}
	total := 0.0
	for _, w := range asked { // in order, so that the sum is the same each time
		if v, ok := weight[w.stem]; ok && v == 0 {
			weight[w.stem] = math.Log(1 + float64(len(sentences)+1)/float64(holds[w.stem]+1))
			total += weight[w.stem]
		}
	}
	q := readQuery(question)
	best := search{}
	bestRank := 0.0
	shares := passageShares(sentences, len(passages), weight)
	for _, s := range sentences {
		for _, w := range s.words {
			s.score += weight[w.stem]
		}
		if s.score == 0 {
			continue
		}
		s.score = (own*s.score + (1-own)*shares[s.passage]) / total
		rank := s.score
		if s.score < enough || rank+rightKind <= bestRank {
			continue
		}
		span := q.span(s.text)
		if span != "" {
			rank += rightKind
		} else if s.title != "" {
			span = q.span(s.title + " | " + s.text)
		}
		if rank > bestRank+1e-9 {
			bestRank = rank
			best = search{found: true, sentence: s, answer: span, score: math.Round(min(1, s.score)*100) / 100}
		}
	}
	if best.found && best.answer == "" {
		best.answer = best.sentence.text
	}
	return best, nil
}

// passageShares is the weight of the question's words that each passage holds.
func passageShares(sentences []sentence, passages int, weight map[string]float64) []float64 {
	shares := make([]float64, passages)
	at, seen := -1, map[string]bool{}
	for _, s := range sentences {
		if s.passage != at {
			at = s.passage
			clear(seen)
		}
		for _, w := range s.words {
			if !seen[w.stem] {
				seen[w.stem] = true
				shares[at] += weight[w.stem]
			}
		}
	}
	return shares
}
