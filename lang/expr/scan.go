package expr

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/expr-lang/expr/file"

	"github.com/dspi-lang/dspi/lang/source"
)

// reader reads one expression. It is used once.
type reader struct {
	reporter
	fatal bool // the text was not understood; there is no tree

	brackets int      // how many are open around the text now being read
	locals   []string // names bound by let, innermost last
	loops    int      // predicates around the node now being resolved
}

// chunk is a text handed to expr's parser: the whole expression or the inside of
// one `${…}`. It maps expr's places, in runes, to bytes of the file.
type chunk struct {
	base  int     // of the text in the file
	runes []int32 // the byte offset of each rune, and of the end; nil for ASCII
	texts []text  // literals that expr does not see, in order
	plain bool    // places are bytes of the file already
}

// text is a literal in an expression, as offsets of the chunk's text.
type text struct {
	from, to int
	kind     textKind
}

type textKind uint8

const (
	quoted  textKind = iota // "…"
	raw                     // `…`
	heredoc                 // <<EOT
	single                  // '…', a mistake
)

// at returns the byte of the file at which a rune of the chunk begins.
func (c *chunk) at(r int) int {
	switch {
	case c.plain:
		return r
	case c.runes == nil:
		return c.base + r
	case r >= len(c.runes):
		return c.base + int(c.runes[len(c.runes)-1])
	}
	return c.base + int(c.runes[max(r, 0)])
}

// text returns the literal that stands at a place, as expr gives it.
func (c *chunk) text(l file.Location) (text, bool) {
	if len(c.texts) == 0 {
		return text{}, false
	}
	at := c.at(l.From) - c.base
	for _, t := range c.texts {
		if t.from == at {
			return t, true
		}
	}
	return text{}, false
}

// scanner goes once over a text before expr sees it.
type scanner struct {
	r      *reader
	src    string
	base   int
	out    []byte // the text for expr, up to copied; nil while nothing was changed
	copied int
	texts  []text
	opens  []int // indexes into the pairs of the expression
	tokens int
	let    int  // 1 after `let`, 2 after its name
	ok     bool // false: expr's parser has nothing to gain from this text
}

// scan prepares src for expr's parser. It returns false when a mistake was
// reported after which parsing makes no sense.
func (r *reader) scan(src string, base int) (string, *chunk, bool) {
	s := &scanner{r: r, src: src, base: base, ok: true}
	for i := 0; i < len(src) && s.ok; {
		i = s.token(i)
	}
	for k := len(s.opens) - 1; k >= 0 && s.ok; k-- {
		open := r.x.pairs[s.opens[k]].open
		r.unclosedBracket(open, src[open-base])
		s.ok = false
	}
	if !s.ok {
		return "", nil, false
	}
	c := &chunk{base: base, texts: s.texts}
	for i := 0; i < len(src); i++ {
		if src[i] >= utf8.RuneSelf {
			c.runes = make([]int32, 0, len(src)+1)
			for j := range src {
				c.runes = append(c.runes, int32(j))
			}
			c.runes = append(c.runes, int32(len(src)))
			break
		}
	}
	out := src
	if s.out != nil {
		out = string(append(s.out, src[s.copied:]...))
	}
	return out, c, true
}

// replace puts as many of fill as there are runes from i to j in their place;
// line ends stay when fill is a space.
func (s *scanner) replace(i, j int, fill byte) {
	s.out = append(s.out, s.src[s.copied:i]...)
	for _, c := range s.src[i:j] {
		if c == '\n' && fill == ' ' {
			s.out = append(s.out, '\n')
			continue
		}
		s.out = append(s.out, fill)
	}
	s.copied = j
}

func (s *scanner) fail() int {
	s.ok = false
	return len(s.src)
}

func (s *scanner) span(i, j int) source.Span {
	return source.Span{Start: int32(s.base + i), End: int32(s.base + j)}
}

// token goes over one token and returns its end.
func (s *scanner) token(i int) int {
	b := s.src[i]
	if b == ' ' || b == '\t' || b == '\n' || b == '\r' {
		return i + 1
	}
	if s.tokens++; s.tokens > maxTokens {
		s.r.tooLong(s.span(0, len(s.src)))
		return s.fail()
	}
	switch {
	case b == '_' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z':
		return s.word(i)
	case '0' <= b && b <= '9':
		j := i + 1
		for j < len(s.src) && (isWord(s.src[j]) || s.src[j] == '.' && j+1 < len(s.src) && isDigit(s.src[j+1]) && s.src[j-1] != '.') {
			j++
		}
		return j
	case b >= utf8.RuneSelf:
		c, n := utf8.DecodeRuneInString(s.src[i:])
		switch {
		case c == utf8.RuneError && n == 1 || !unicode.IsLetter(c) && !unicode.IsSpace(c):
			s.r.badCharacter(s.span(i, i+n), s.src[i:i+n])
			return s.fail()
		case unicode.IsLetter(c):
			return s.word(i)
		}
		return i + n
	}
	switch b {
	case '#':
		return s.comment(i, s.lineEnd(i))
	case '"', '`', '\'':
		return s.literal(i)
	case '(', '[', '{':
		return s.open(i)
	case ')', ']', '}':
		return s.close(i)
	}
	return s.sign(i)
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

// isWord reports whether b can stand inside a name; every letter beyond ASCII can.
func isWord(b byte) bool {
	return b == '_' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || isDigit(b) || b >= utf8.RuneSelf
}

func (s *scanner) word(i int) int {
	j := i
	for j < len(s.src) && isWord(s.src[j]) {
		j++
	}
	word := s.src[i:j]
	switch {
	case j < len(s.src) && (s.src[j] == '"' || s.src[j] == '\'') && (word == "b" || word == "B"):
		s.r.byteLiteral(s.span(i, j+1), s.span(i, j))
		return s.fail()
	case j < len(s.src) && s.src[j] == '"' && (word == "f" || word == "F"):
		if end, _, ok := endOfString(s.src, j, s.r.brackets+len(s.opens)); ok {
			s.r.formatString(s.span(i, j), s.span(j, end))
			return s.fail()
		}
	case word == "let":
		s.let = 1
	case s.let == 1:
		s.let = 2
	default:
		s.let = 0
	}
	return j
}

func (s *scanner) lineEnd(i int) int {
	if n := strings.IndexByte(s.src[i:], '\n'); n >= 0 {
		return i + n
	}
	return len(s.src)
}

func (s *scanner) comment(i, end int) int {
	s.replace(i, end, ' ')
	return end
}

// literal goes over a string.
func (s *scanner) literal(i int) int {
	end, simple, ok := endOfString(s.src, i, s.r.brackets+len(s.opens))
	if !ok {
		s.r.unclosedString(s.span(i, end), s.src[i])
		return s.fail()
	}
	if i > 0 && isWord(s.src[i-1]) || end < len(s.src) && isWord(s.src[end]) {
		s.r.touching(s.span(i, end))
		return s.fail()
	}
	switch s.src[i] {
	case '\'':
		s.texts = append(s.texts, text{i, end, single})
		s.replace(i, end, '_')
	case '`':
		if end < len(s.src) && s.src[end] == '`' { // expr would read on
			s.texts = append(s.texts, text{i, end, raw})
			s.replace(i, end, '_')
		}
	default:
		if !simple {
			s.texts = append(s.texts, text{i, end, quoted})
			s.replace(i, end, '_')
		}
	}
	return end
}

func (s *scanner) open(i int) int {
	if s.r.brackets+len(s.opens) >= maxDepth {
		s.r.tooDeep(s.span(i, i+1))
		return s.fail()
	}
	if s.src[i] == '[' { // xs[*].a
		if j := s.blanks(i + 1); j < len(s.src) && s.src[j] == '*' {
			if k := s.blanks(j + 1); k < len(s.src) && s.src[k] == ']' {
				s.r.splat(s, i, k+1)
				return s.fail()
			}
		}
	}
	s.opens = append(s.opens, len(s.r.x.pairs))
	s.r.x.pairs = append(s.r.x.pairs, pair{s.base + i, s.base + len(s.src)})
	return i + 1
}

func (s *scanner) blanks(i int) int {
	for i < len(s.src) && (s.src[i] == ' ' || s.src[i] == '\t' || s.src[i] == '\n' || s.src[i] == '\r') {
		i++
	}
	return i
}

func closerOf(open byte) byte {
	switch open {
	case '(':
		return ')'
	case '[':
		return ']'
	}
	return '}'
}

func (s *scanner) close(i int) int {
	if len(s.opens) == 0 {
		s.r.strayCloser(s.span(i, i+1), s.src[i])
		return s.fail()
	}
	p := &s.r.x.pairs[s.opens[len(s.opens)-1]]
	if want := closerOf(s.src[p.open-s.base]); want != s.src[i] {
		s.r.wrongCloser(s.span(i, i+1), p.open, s.src[i], want)
		return s.fail()
	}
	p.close = s.base + i
	s.opens = s.opens[:len(s.opens)-1]
	return i + 1
}

// sign goes over an operator, and speaks about those of other languages.
func (s *scanner) sign(i int) int {
	src := s.src[i:]
	has := func(sign string) bool { return strings.HasPrefix(src, sign) }
	switch src[0] {
	case '/':
		switch {
		case has("//"):
			return s.comment(i, s.lineEnd(i))
		case has("/*"):
			n := strings.Index(src[2:], "*/")
			if n < 0 {
				s.r.unclosedComment(s.span(i, i+2))
				return s.fail()
			}
			return s.comment(i, i+2+n+2)
		}
	case '<':
		if end, found, is := endOfHeredoc(s.src, i); is {
			if !found {
				s.r.unclosedString(s.span(i, s.lineEnd(i)), '<')
				return s.fail()
			}
			if i > 0 && isWord(s.src[i-1]) {
				s.r.touching(s.span(i, i+2))
				return s.fail()
			}
			s.texts = append(s.texts, text{i, end, heredoc})
			s.replace(i, end, '_')
			return end
		}
		switch {
		case has("<>"):
			s.r.habit(s.span(i, i+2), "<>", "!=", "is not equal to")
			s.out = append(append(s.out, s.src[s.copied:i]...), "!="...)
			s.copied = i + 2
			return i + 2
		case has("<="):
			return i + 2
		}
	case '>':
		if has(">=") {
			return i + 2
		}
	case '=', '!':
		switch {
		case has("===") || has("!=="):
			s.r.habit(s.span(i, i+3), src[:3], src[:2], "compares")
			s.replace(i+2, i+3, ' ')
			return i + 3
		case has("=="), has("!="):
			return i + 2
		case has("=>"):
			s.r.lambda(s, i)
			return s.fail()
		case src[0] == '=' && s.let == 2:
			s.let = 0
			return i + 1
		case src[0] == '=':
			s.r.assignment(s, i)
			return s.fail()
		}
	case '&':
		if !has("&&") {
			s.r.habit(s.span(i, i+1), "&", "&&", "means “and”")
			return s.fail()
		}
		return i + 2
	case ':':
		if has("::") {
			s.r.refused(s.span(i, i+2), "`::` is not part of dspi", "a function is called by its name alone: `len(answer)`")
			return s.fail()
		}
	case '$':
		if has("${") {
			s.r.bareTemplate(s, i)
			return s.fail()
		}
		j := i + 1
		for j < len(s.src) && isWord(s.src[j]) {
			j++
		}
		s.r.dollar(s.span(i, j), s.src[i:j])
		return s.fail()
	case ';', ',', '.', '?', '|', '+', '-', '*', '%', '^':
	default:
		s.r.badCharacter(s.span(i, i+1), src[:1])
		return s.fail()
	}
	return i + 1
}
