package retrieve

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxWords is how many words of a query are compared; a query is a question or a
// passage, not a book.
const maxWords = 2048

// Words returns the words of a text, folded as they are compared: in lower case and
// without diacritics. A word is a run of letters and digits.
func Words(text string) []string {
	var out []string
	for _, w := range Split(text) {
		if f := fold(w); f != "" {
			out = append(out, f)
		}
	}
	return out
}

// Split returns the words of a text as they are written.
func Split(text string) []string {
	return strings.FieldsFunc(strings.ToValidUTF8(text, " "), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.Is(unicode.Mn, r)
	})
}

// QueryWords returns the words of a query as they are written: at most the first
// 2,048.
func QueryWords(query string) []string {
	words := Split(query)
	return words[:min(len(words), maxWords)]
}

// fold writes a word as it is compared.
func fold(word string) string {
	ascii := true
	for i := range len(word) {
		ascii = ascii && word[i] < 0x80
	}
	if ascii {
		return strings.ToLower(word)
	}
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(word))
}
