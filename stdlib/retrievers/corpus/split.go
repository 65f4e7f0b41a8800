package corpus

import (
	"strings"
	"unicode"
)

// split parts a text into passages of at most max characters, of which two share
// about overlap. It parts where a paragraph ends, else where a sentence, a line or a
// word does, and only a word that is longer than a passage in its middle.
func split(text string, max, overlap int) []string {
	text = strings.TrimSpace(text)
	r := []rune(text)
	if len(r) <= max {
		return []string{text}
	}
	overlap = min(overlap, max*3/4) // each part brings something new
	var out []string
	for start := 0; start < len(r); {
		if len(r)-start <= max {
			out = append(out, strings.TrimSpace(string(r[start:])))
			break
		}
		end := start + cut(r[start:start+max+1], min(max, overlap+1+(max-overlap)/3))
		if part := strings.TrimSpace(string(r[start:end])); part != "" {
			out = append(out, part)
		}
		next := end - overlap
		for next < end && next > 0 && !unicode.IsSpace(r[next-1]) {
			next++ // to the start of a word
		}
		for next < len(r) && unicode.IsSpace(r[next]) {
			next++
		}
		start = next
	}
	return out
}

// cut returns where a passage ends that holds all but the last character of r at
// most, and its first least at least.
func cut(r []rune, least int) int {
	most := len(r) - 1
	sentence, line, word := 0, 0, 0
	for i := most; i >= least; i-- {
		switch before := r[i-1]; {
		case before == '\n' && i >= 2 && blankBefore(r, i-1):
			return i // the end of a paragraph
		case sentence == 0 && unicode.IsSpace(r[i]) && ends(r[:i]):
			sentence = i
		case line == 0 && before == '\n':
			line = i
		case word == 0 && (unicode.IsSpace(r[i]) || unicode.IsSpace(before)):
			word = i
		}
	}
	for _, i := range []int{sentence, line, word} {
		if i > 0 {
			return i
		}
	}
	return most
}

// blankBefore reports whether only blanks stand between the line break at i and the
// one before it.
func blankBefore(r []rune, i int) bool {
	for i--; i >= 0; i-- {
		if r[i] == '\n' {
			return true
		}
		if !unicode.IsSpace(r[i]) {
			return false
		}
	}
	return false
}

// ends reports whether a sentence ends r.
func ends(r []rune) bool {
	for i := len(r) - 1; i >= 0; i-- {
		switch r[i] {
		case '.', '!', '?', '…', '。', '！', '？':
			return true
		case '"', '\'', ')', ']', '”', '’', '»':
			continue
		}
		return false
	}
	return false
}
