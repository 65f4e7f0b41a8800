package parser

import "strings"

// look is what the text at the start of a line seems to begin.
type look uint8

const (
	looksOther     look = iota
	looksAttribute      // NAME =
	looksField          // NAME: or NAME?:
	looksBlock          // NAME {, NAME NAME {, NAME "NAME" {
	looksArrow          // ->
)

// lookAt says what the line at i seems to begin. It is used where something is
// still open, to find out whether it was meant to be.
func (s *scanner) lookAt(i int) look {
	if strings.HasPrefix(s.src[i:], "->") {
		return looksArrow
	}
	e := s.nameAt(i)
	if e == i || operatorWord(s.src[i:e]) {
		return looksOther
	}
	word := s.src[i:e]
	j := s.blanks(e)
	if j >= len(s.src) {
		return looksOther
	}
	switch s.src[j] {
	case '=':
		if strings.HasPrefix(s.src[j:], "==") || strings.HasPrefix(s.src[j:], "=>") {
			return looksOther
		}
		return looksAttribute
	case ':':
		if strings.HasPrefix(s.src[j:], "::") {
			return looksOther
		}
		return looksField
	case '?':
		if k := s.blanks(j + 1); k < len(s.src) && s.src[k] == ':' {
			return looksField
		}
		return looksOther
	}
	for range 4 {
		if j >= len(s.src) {
			return looksOther
		}
		if s.src[j] == '{' {
			return looksBlock
		}
		k := s.labelAt(j)
		if k == j {
			return looksOther
		}
		if operatorWord(s.src[j:k]) {
			return looksOther
		}
		j = s.blanks(k)
		if word == "let" && j < len(s.src) && s.src[j] == '=' && !strings.HasPrefix(s.src[j:], "==") {
			return looksAttribute
		}
	}
	return looksOther
}

// labelAt returns the end of the name or quoted name at i, or i.
func (s *scanner) labelAt(i int) int {
	if i < len(s.src) && s.src[i] == '"' {
		if n := strings.IndexAny(s.src[i+1:min(len(s.src), i+200)], "\"\n"); n >= 0 && s.src[i+1+n] == '"' {
			return i + n + 2
		}
		return i
	}
	return s.nameAt(i)
}

// operatorWord reports whether word is an operator of expressions, or the `let`
// that expressions have too.
func operatorWord(word string) bool {
	switch word {
	case "and", "or", "not", "in", "contains", "matches", "startsWith", "endsWith":
		return true
	}
	return false
}

// topKeyword reports whether word begins an item that stands only at the top of a file.
func topKeyword(word string) bool {
	switch word {
	case "import", "type", "enum", "signature", "model", "variable", "program", "tool",
		"retriever", "dataset", "metric", "evaluate", "optimize", "constraint", "test":
		return true
	}
	return false
}

// resets reports whether at i, in the first column, an item begins that stands
// only at the top of a file: `program NAME {`. Whatever is open before it was
// left open by mistake.
func (s *scanner) resets(i int) bool {
	if i >= len(s.src) {
		return false
	}
	if c := s.src[i]; c < 'c' || c > 'v' {
		return false
	}
	e := s.nameAt(i)
	word := s.src[i:e]
	if !topKeyword(word) {
		return false
	}
	j := s.blanks(e)
	if j >= len(s.src) {
		return false
	}
	if word == "import" {
		return s.src[j] == '"'
	}
	if word == "constraint" && s.src[j] == '{' {
		return true
	}
	k := s.labelAt(j)
	if k == j || operatorWord(s.src[j:k]) {
		return false
	}
	k = s.blanks(k)
	if k >= len(s.src) {
		return true
	}
	switch s.src[k] {
	case '{', '\n', '#':
		return true
	case ':':
		return word == "variable"
	case '=':
		return word == "type" && !strings.HasPrefix(s.src[k:], "==")
	}
	return false
}

// resetAfter returns the start of the first line after i that ends everything
// open, or the end of the text.
func (s *scanner) resetAfter(i int) int {
	for {
		n := strings.IndexByte(s.src[i:], '\n')
		if n < 0 {
			return len(s.src)
		}
		i += n + 1
		if s.resets(i) {
			return i
		}
	}
}

// resetWithin reports whether such a line begins between a and b.
func (s *scanner) resetWithin(a, b int) bool {
	if strings.IndexByte(s.src[a:b], '\n') < 0 {
		return false
	}
	return s.resetAfter(a) < b
}

// lineEnd returns the end of the line that holds i, without the line's mark.
func (s *scanner) lineEnd(i int) int {
	n := strings.IndexByte(s.src[i:], '\n')
	if n < 0 {
		n = len(s.src) - i
	}
	return i + len(strings.TrimRight(s.src[i:i+n], "\r"))
}
