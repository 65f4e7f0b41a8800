package syntax

import (
	"strconv"
	"unicode/utf8"
)

// Escape reads the escape that the text of a quoted string has at its begin:
// `\n`, `\u00e9`, … It returns its length in bytes and the character that it
// stands for; the length is 0 if it stands for none. quote is the string's quote.
func Escape(text string, quote byte) (n int, r rune) {
	if len(text) < 2 {
		return 0, 0
	}
	digits := 0
	switch c := text[1]; c {
	case 'n':
		return 2, '\n'
	case 'r':
		return 2, '\r'
	case 't':
		return 2, '\t'
	case '\\', '"':
		return 2, rune(c)
	case '\'':
		if quote == '\'' {
			return 2, '\''
		}
		return 0, 0
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	default:
		return 0, 0
	}
	if len(text) < 2+digits {
		return 0, 0
	}
	v, err := strconv.ParseUint(text[2:2+digits], 16, 32)
	if err != nil || v > utf8.MaxRune {
		return 0, 0
	}
	return 2 + digits, rune(v)
}
