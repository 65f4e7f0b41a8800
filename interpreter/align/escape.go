package align

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// escapes are the characters behind a backslash that stand for another in JSON.
var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escape reads the backslash here and what belongs to it into b. What JSON does
// not know is noted; what nobody knows, \d, stays as it is.
func (p *parser) escape(b *strings.Builder) fixes {
	if p.at+1 >= len(p.text) {
		p.advance(1) // cut off
		return oddEscape.bit()
	}
	c := p.text[p.at+1]
	if to := escapes[c]; to != 0 {
		b.WriteByte(to)
		p.advance(2)
		return 0
	}
	switch c {
	case 'u', 'x', 'U':
		r, size, ok := unicodeEscape(p.text[p.at:])
		if !ok {
			break
		}
		b.WriteRune(r)
		p.advance(size)
		if c == 'u' {
			return 0
		}
		return oddEscape.bit()
	case '\'', '`':
		b.WriteByte(c)
		p.advance(2)
		return oddEscape.bit()
	case '\n':
		p.advance(2) // a line that goes on
		return oddEscape.bit()
	}
	b.WriteByte('\\')
	p.advance(1)
	return oddEscape.bit()
}

// unicodeEscape reads \uXXXX (two of them for one character beyond the first
// plane), \xXX or \UXXXXXXXX at the start of s, and returns how long it is.
func unicodeEscape(s string) (r rune, size int, ok bool) {
	digits := 4
	switch s[1] {
	case 'x':
		digits = 2
	case 'U':
		digits = 8
	}
	r, ok = hexRune(s[2:], digits)
	if !ok {
		return 0, 0, false
	}
	size = 2 + digits
	if r >= 0xD800 && r < 0xDC00 && strings.HasPrefix(s[size:], `\u`) {
		if low, ok := hexRune(s[size+2:], 4); ok && low >= 0xDC00 && low < 0xE000 {
			return (r-0xD800)<<10 + (low - 0xDC00) + 0x10000, size + 6, true
		}
	}
	if !utf8.ValidRune(r) {
		r = utf8.RuneError
	}
	return r, size, true
}

func hexRune(s string, digits int) (rune, bool) {
	if len(s) < digits {
		return 0, false
	}
	var r uint32
	for i := range digits {
		d, ok := hexDigit(s[i])
		if !ok {
			return 0, false
		}
		r = r<<4 | uint32(d)
	}
	if r > unicode.MaxRune {
		return utf8.RuneError, true
	}
	return rune(r), true
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case isDigit(c):
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// hexNumber returns hexadecimal digits as a decimal number of 64 bits.
func hexNumber(s string) (string, bool) {
	n := uint64(0)
	if s == "" || len(s) > 15 {
		return "", false
	}
	for i := range len(s) {
		d, ok := hexDigit(s[i])
		if !ok {
			return "", false
		}
		n = n<<4 | uint64(d)
	}
	return strconv.FormatUint(n, 10), true
}
