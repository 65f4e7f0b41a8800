package align

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/lang/value"
)

// decode reads a text as a value: JSON, or what Python prints for the same, with
// or without a fence or words around it.
func decode(text string) (any, error) {
	text = strings.TrimSpace(text)
	if v, err := value.DecodeJSON([]byte(text)); err == nil {
		return v, nil
	}
	v, err := parseLiteral(text)
	if err == nil {
		return v, nil
	}
	for _, inner := range []string{fenced(text), bracketed(text)} {
		if inner == "" || inner == text {
			continue
		}
		if v, err := value.DecodeJSON([]byte(inner)); err == nil {
			return v, nil
		}
		if v, err := parseLiteral(inner); err == nil {
			return v, nil
		}
	}
	return nil, err
}

// fenced returns what stands in the first ``` fence; "" if there is none.
func fenced(text string) string {
	_, rest, open := strings.Cut(text, "```")
	if !open {
		return ""
	}
	if line, after, ok := strings.Cut(rest, "\n"); ok && isWord(strings.TrimSpace(line)) {
		rest = after
	}
	inner, _, _ := strings.Cut(rest, "```")
	return strings.TrimSpace(inner)
}

func isWord(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) < 0
}

// bracketed returns the text from its first bracket to the last that closes one of
// that kind: an object or a list among words.
func bracketed(text string) string {
	i := strings.IndexAny(text, "{[")
	if i < 0 {
		return ""
	}
	closer := "}"
	if text[i] == '[' {
		closer = "]"
	}
	j := strings.LastIndex(text, closer)
	if j < i {
		return ""
	}
	return text[i : j+1]
}

// literalError is a place in a text that is no literal.
type literalError struct {
	offset int // in bytes
	msg    string
}

func (e *literalError) Error() string { return fmt.Sprintf("%s at byte %d", e.msg, e.offset) }

// maxDepth is how deep lists and objects may nest.
const maxDepth = 200

// parseLiteral reads one value as Python writes it: quotes of both kinds, True,
// False and None, (1, 2) for a list, `_` in numbers, a comma before the end.
// JSON's words are known too.
func parseLiteral(text string) (any, error) {
	p := &literalParser{text: text}
	v, err := p.value(0)
	if err != nil {
		return nil, err
	}
	p.space()
	if p.at < len(p.text) {
		return nil, p.fail("more text after the value")
	}
	return v, nil
}

type literalParser struct {
	text string
	at   int
}

func (p *literalParser) fail(format string, args ...any) error {
	return &literalError{p.at, fmt.Sprintf(format, args...)}
}

func (p *literalParser) space() {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
}

// peek returns the next byte that is no space, 0 at the end.
func (p *literalParser) peek() byte {
	p.space()
	if p.at >= len(p.text) {
		return 0
	}
	return p.text[p.at]
}

func (p *literalParser) value(depth int) (any, error) {
	if depth > maxDepth {
		return nil, p.fail("nested more than %d deep", maxDepth)
	}
	switch c := p.peek(); {
	case c == 0 && p.at >= len(p.text):
		return nil, p.fail("the value ends too early")
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.list(']', depth)
	case c == '(':
		return p.list(')', depth)
	case c == '"' || c == '\'':
		return p.str()
	case c == '-' || c == '+' || c == '.' || c >= '0' && c <= '9':
		return p.number()
	}
	return p.word()
}

func (p *literalParser) list(closer byte, depth int) (any, error) {
	p.at++
	out := []any{}
	comma := false
	for p.peek() != closer {
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
		if p.peek() == ',' {
			p.at++
			comma = true
		} else if p.peek() != closer {
			return nil, p.fail("expected `,` or `%c`", closer)
		}
	}
	p.at++
	if closer == ')' && len(out) == 1 && !comma {
		return out[0], nil // (1) is 1, (1,) a list
	}
	return out, nil
}

func (p *literalParser) object(depth int) (any, error) {
	p.at++
	o := &value.Object{}
	for p.peek() != '}' {
		if c := p.peek(); c != '"' && c != '\'' {
			return nil, p.fail("expected a name in quotes")
		}
		name, err := p.str()
		if err != nil {
			return nil, err
		}
		if p.peek() != ':' {
			return nil, p.fail("expected `:`")
		}
		p.at++
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		if _, twice := o.Get(name); twice {
			return nil, p.fail("the name %q stands twice", name)
		}
		o.Set(name, v)
		if p.peek() == ',' {
			p.at++
		} else if p.peek() != '}' {
			return nil, p.fail("expected `,` or `}`")
		}
	}
	p.at++
	return o, nil
}

// escapes are the characters after a backslash that stand for another.
var escapes = map[byte]string{
	'n': "\n", 't': "\t", 'r': "\r", 'b': "\b", 'f': "\f", 'v': "\v", 'a': "\a", '0': "\x00",
	'\\': "\\", '\'': "'", '"': `"`, '/': "/", '\n': "",
}

func (p *literalParser) str() (string, error) {
	quote := p.text[p.at]
	open := p.at
	p.at++
	var b strings.Builder
	for p.at < len(p.text) {
		i := strings.IndexAny(p.text[p.at:], string([]byte{quote, '\\'}))
		if i < 0 {
			break
		}
		b.WriteString(p.text[p.at : p.at+i])
		p.at += i
		if p.text[p.at] == quote {
			p.at++
			return b.String(), nil
		}
		if p.at+1 >= len(p.text) {
			break
		}
		c := p.text[p.at+1]
		switch s, known := escapes[c]; {
		case known:
			b.WriteString(s)
			p.at += 2
		case c == 'u' || c == 'x' || c == 'U':
			if err := p.code(&b, c); err != nil {
				return "", err
			}
		default: // Python keeps the backslash
			b.WriteString(p.text[p.at : p.at+2])
			p.at += 2
		}
	}
	p.at = open
	return "", p.fail("the text that begins with %c does not end", quote)
}

// code reads \uXXXX (two of them for one character beyond the first plane), \xXX
// or \UXXXXXXXX.
func (p *literalParser) code(b *strings.Builder, kind byte) error {
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[kind]
	r, ok := p.hex(p.at+2, digits)
	if !ok {
		return p.fail("expected %d hexadecimal digits after \\%c", digits, kind)
	}
	p.at += 2 + digits
	if r >= 0xD800 && r < 0xDC00 && strings.HasPrefix(p.text[p.at:], `\u`) {
		if low, ok := p.hex(p.at+2, 4); ok && low >= 0xDC00 && low < 0xE000 {
			r = (r-0xD800)<<10 + (low - 0xDC00) + 0x10000
			p.at += 6
		}
	}
	if !utf8.ValidRune(r) {
		r = utf8.RuneError
	}
	b.WriteRune(r)
	return nil
}

func (p *literalParser) hex(at, digits int) (rune, bool) {
	if at+digits > len(p.text) {
		return 0, false
	}
	var r uint32
	for _, c := range []byte(p.text[at : at+digits]) {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | uint32(c)
	}
	if r > unicode.MaxRune {
		return utf8.RuneError, true
	}
	return rune(r), true
}

func (p *literalParser) number() (any, error) {
	start := p.at
	for p.at < len(p.text) && strings.IndexByte("+-._0123456789eE", p.text[p.at]) >= 0 {
		p.at++
	}
	s := p.text[start:p.at]
	digits := strings.TrimLeft(s, "+-")
	leadingZero := len(digits) > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9' // 007 is a text
	if leadingZero || strings.Contains(s, "__") || strings.HasPrefix(s, "_") || strings.HasSuffix(s, "_") {
		p.at = start
		return nil, p.fail("%q is no number", s)
	}
	v, err := value.Number(strings.TrimPrefix(strings.ReplaceAll(s, "_", ""), "+"))
	if err != nil {
		p.at = start
		return nil, p.fail("%q is no number of 64 bits", s)
	}
	return v, nil
}

var words = map[string]any{
	"true": true, "True": true,
	"false": false, "False": false,
	"null": nil, "None": nil,
}

func (p *literalParser) word() (any, error) {
	start := p.at
	for p.at < len(p.text) {
		r, size := utf8.DecodeRuneInString(p.text[p.at:])
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' {
			break
		}
		p.at += size
	}
	word := p.text[start:p.at]
	if v, ok := words[word]; ok {
		return v, nil
	}
	p.at = start
	if len(word) > 40 {
		word = word[:40]
	}
	if word == "" {
		r, _ := utf8.DecodeRuneInString(p.text[start:])
		return nil, p.fail("unexpected %q", r)
	}
	return nil, p.fail("%q is no value; a text needs quotes", strings.ToValidUTF8(word, "…"))
}
