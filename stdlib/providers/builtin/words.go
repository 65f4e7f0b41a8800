package builtin

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A word is one word of a text.
type word struct {
	text  string // as written, lower case
	stem  string
	start int // byte offsets in the text it was read from
	end   int
}

// readWords cuts text into words: runs of letters and digits. `n't` counts as "not",
// other endings after an apostrophe are dropped.
func readWords(text string) []word {
	out := make([]word, 0, len(text)/6+1)
	add := func(start, end int) {
		w := strings.ToLower(text[start:end])
		if after, ok := expandNot(w); ok {
			out = append(out, word{after, stem(after), start, end}, word{"not", "not", start, end})
			return
		}
		if i := strings.IndexAny(w, "'’"); i >= 0 {
			w = w[:i]
		}
		if w != "" {
			out = append(out, word{w, stem(w), start, end})
		}
	}
	start := -1
	for i, r := range text {
		inside := unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)
		if !inside && start >= 0 && (r == '\'' || r == '’') {
			next, _ := utf8.DecodeRuneInString(text[i+utf8.RuneLen(r):])
			inside = unicode.IsLetter(next)
		}
		switch {
		case inside && start < 0:
			start = i
		case !inside && start >= 0:
			add(start, i)
			start = -1
		}
	}
	if start >= 0 {
		add(start, len(text))
	}
	return out
}

// expandNot turns "hasn't" into "has"; ok says that there was a "not".
func expandNot(w string) (string, bool) {
	for _, suffix := range []string{"n't", "n’t"} {
		if head, ok := strings.CutSuffix(w, suffix); ok && head != "" {
			switch head {
			case "ca":
				head = "can"
			case "wo":
				head = "will"
			}
			return head, true
		}
	}
	return w, false
}

// splitName cuts a name at `_`, `-`, spaces, and where camel case and digits begin:
// "lostCard_v2" is "lost card v 2".
func splitName(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' {
			b.WriteByte(' ')
			continue
		}
		if i > 0 {
			prev := runes[i-1]
			camel := unicode.IsUpper(r) && (unicode.IsLower(prev) || i+1 < len(runes) && unicode.IsLower(runes[i+1]) && unicode.IsUpper(prev))
			digit := unicode.IsDigit(r) != unicode.IsDigit(prev) && (unicode.IsDigit(r) || unicode.IsDigit(prev)) && unicode.IsLetter(prev) != unicode.IsLetter(r)
			if camel || digit {
				b.WriteByte(' ')
			}
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}

// stem takes the endings off an English word, so that "arrival", "arrives" and
// "arrived" are one. Irregular forms come from a table. Other scripts pass unchanged.
func stem(w string) string {
	if s, ok := irregular()[w]; ok {
		return s
	}
	return strip(w)
}

func strip(w string) string {
	if len(w) <= 3 {
		return w
	}
	for i := 0; i < len(w); i++ {
		if w[i] < 'a' || w[i] > 'z' {
			return w
		}
	}
	w = stripInflection(w)
	for _, e := range endings {
		if head, ok := strings.CutSuffix(w, e.suffix); ok && len(head) >= e.least && hasVowel(head) {
			w = head + e.with
			break
		}
	}
	if n := len(w); n > 4 && w[n-1] == 'y' && w[n-2] == 'r' {
		w = w[:n-1]
	}
	if n := len(w); n > 3 && w[n-1] == 'e' {
		w = w[:n-1]
	}
	return w
}

// stripInflection takes off plural, past and -ing.
func stripInflection(w string) string {
	switch n := len(w); {
	case strings.HasSuffix(w, "ies") && n > 4:
		w = w[:n-3] + "y"
	case strings.HasSuffix(w, "sses") || strings.HasSuffix(w, "xes") || strings.HasSuffix(w, "ches") || strings.HasSuffix(w, "shes") || strings.HasSuffix(w, "zes"):
		w = w[:n-2]
	case strings.HasSuffix(w, "s") && w[n-2] != 's' && w[n-2] != 'u' && w[n-2] != 'i':
		w = w[:n-1]
	}
	n := len(w)
	switch {
	case strings.HasSuffix(w, "ied") && n > 4:
		return w[:n-3] + "y"
	case strings.HasSuffix(w, "eed"):
		return w
	case strings.HasSuffix(w, "ed") && n > 4 && hasVowel(w[:n-2]):
		return verbIn(undouble(w[:n-2]))
	case strings.HasSuffix(w, "ing") && n > 5 && hasVowel(w[:n-3]):
		return verbIn(undouble(w[:n-3]))
	}
	return w
}

// verbIn gives verbs in -ate their e back, so that "activated" goes on as "activate".
func verbIn(w string) string {
	if n := len(w); n > 5 && strings.HasSuffix(w, "at") && w[n-3] != 'e' && w[n-3] != 'o' {
		return w + "e"
	}
	return w
}

func undouble(w string) string {
	n := len(w)
	if n > 3 && w[n-1] == w[n-2] && w[n-1] != 's' && w[n-1] != 'l' && w[n-1] != 'e' && w[n-1] != 'o' {
		return w[:n-1]
	}
	return w
}

func hasVowel(w string) bool { return strings.ContainsAny(w, "aeiouy") }

// endings make nouns, adjectives and adverbs of verbs; the first that fits is taken.
var endings = []struct {
	suffix string
	least  int // letters that must remain
	with   string
}{
	{"ization", 4, ""}, {"isation", 4, ""}, {"ification", 4, "ify"},
	{"ically", 4, "ic"}, {"ation", 4, ""}, {"ition", 4, ""}, {"ution", 4, ""}, {"ction", 3, "ct"}, {"tion", 4, "t"}, {"sion", 4, ""},
	{"fulness", 4, ""}, {"ingness", 4, ""}, {"iness", 3, "y"}, {"ness", 4, ""},
	{"ability", 4, ""}, {"ibility", 4, ""}, {"ivity", 4, ""}, {"ality", 4, ""},
	{"ement", 4, ""}, {"ment", 3, ""},
	{"ance", 4, ""}, {"ence", 4, ""}, {"ancy", 4, ""}, {"ency", 4, ""},
	{"able", 4, ""}, {"ible", 4, ""},
	{"fully", 4, ""}, {"ally", 4, ""}, {"ily", 4, "y"}, {"ly", 4, ""},
	{"ize", 4, ""}, {"ise", 5, ""}, {"ify", 4, ""},
	{"ate", 4, ""}, {"ive", 4, ""}, {"ity", 4, ""}, {"ful", 4, ""}, {"ous", 4, ""},
	{"al", 5, ""}, {"ist", 5, ""}, {"ism", 5, ""},
}

// A bag is the words of one text, in the order in which they first occur.
type bag struct {
	stems  []string
	counts map[string]int
}

func newBag(words []word) bag {
	b := bag{counts: make(map[string]int, len(words))}
	for _, w := range words {
		if b.counts[w.stem] == 0 {
			b.stems = append(b.stems, w.stem)
		}
		b.counts[w.stem]++
	}
	return b
}
