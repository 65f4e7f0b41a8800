package parser

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
)

// wordBytes marks the bytes of names and numbers; those beyond ASCII are decided
// by their rune.
var wordBytes = func() (t [256]bool) {
	for c := range t {
		t[c] = c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
	}
	return
}()

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// nameRune reports whether r may stand in a name. Bytes that are no UTF-8 may:
// one fault speaks of them already.
func nameRune(r rune, size int) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.In(r, unicode.Mn, unicode.Mc) || r == utf8.RuneError && size == 1
}

// wordAt returns the end of the name or number at i, or i if there is none.
func (s *scanner) wordAt(i int) int {
	for i < len(s.src) {
		c := s.src[i]
		if wordBytes[c] {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			break
		}
		r, size := utf8.DecodeRuneInString(s.src[i:])
		if !nameRune(r, size) {
			break
		}
		i += size
	}
	return i
}

// nameAt is wordAt for names only.
func (s *scanner) nameAt(i int) int {
	if i >= len(s.src) || isDigit(s.src[i]) {
		return i
	}
	return s.wordAt(i)
}

func (s *scanner) blanks(i int) int {
	for i < len(s.src) && (s.src[i] == ' ' || s.src[i] == '\t' || s.src[i] == '\r') {
		i++
	}
	return i
}

// emit makes the text from a to b the token t.
func (s *scanner) emit(t *lexer.Token, typ lexer.TokenType, a, b int) {
	*t = lexer.Token{Type: typ, Value: s.src[a:b], Pos: lexer.Position{Offset: a}}
	s.pos, s.last, s.prev = b, b, typ
}

// token reads the token at pos.
func (s *scanner) token(t *lexer.Token) {
	if s.pos >= len(s.src) {
		if len(s.stack) > 1 {
			s.closeAll(lexer.EOF)
			s.dequeue(t)
			return
		}
		marks := 0
		if s.quiet {
			marks = markQuiet
		}
		*t = lexer.Token{Type: lexer.EOF, Pos: lexer.Position{Offset: len(s.src), Line: markMade | marks}}
		return
	}
	i := s.pos
	c := s.src[i]
	top := s.top()
	if s.literalNext {
		s.literalNext = false
		if c == '[' || c == '{' {
			s.literal(t)
			return
		}
	}
	if wordBytes[c] || c >= utf8.RuneSelf {
		if isDigit(c) {
			s.number(t)
			top.words = 3
			return
		}
		if e := s.wordAt(i); e > i {
			s.emit(t, tokIdent, i, e)
			if top.words == 0 {
				top.first = t.Value
			}
			if top.words < 3 {
				top.words++
			}
			return
		}
		s.symbol(t)
		return
	}
	words := top.words
	top.words = 3
	switch c {
	case '"':
		e, st := s.quoted(i)
		s.emit(t, tokString, i, e)
		s.stringFault(t, st)
	case '`':
		e, st := s.rawString(i)
		s.emit(t, tokString, i, e)
		s.stringFault(t, st)
	case '\'':
		if e := s.singleAt(i); e > 0 {
			s.emit(t, tokSingle, i, e)
			return
		}
		s.emit(t, tokSingle, i, s.lineEnd(i))
		s.stringFault(t, stringUnclosed)
	case ',':
		s.emit(t, tokComma, i, i+1)
		top.begin()
	case '=':
		if s.arrow(t) {
			return
		}
		if strings.HasPrefix(s.src[i:], "==") {
			s.emit(t, tokOperator, i, i+2)
			return
		}
		s.emit(t, tokEquals, i, i+1)
		switch {
		case top.kind == inParen || top.typed:
			s.literalNext = true
		case top.kind == inBody && words == 2 && top.first == "type":
			top.alias = true
		case top.kind == inBody && !top.alias:
			s.rawNext = true
		}
	case ':':
		s.emit(t, tokColon, i, i+1)
		top.typed = true
	case '?':
		s.emit(t, tokQuestion, i, i+1)
	case '.':
		s.emit(t, tokDot, i, i+1)
	case '|':
		s.emit(t, tokPipe, i, i+1)
	case '(':
		s.open(t, tokOpenParen, inParen)
	case '[':
		s.open(t, tokOpenBracket, inBracket)
	case '{':
		s.brace(t, words)
	case ')', ']', '}':
		s.closer(t, c)
	case '<':
		if e, ok, is := s.heredoc(i); is {
			s.emit(t, tokString, i, e)
			if !ok {
				s.stringFault(t, stringUnclosed)
				s.quiet = len(s.stack) > 1
			}
			return
		}
		s.symbol(t)
	default:
		s.symbol(t)
	}
}

// symbol reads an arrow, or one character that has no meaning here.
func (s *scanner) symbol(t *lexer.Token) {
	if s.arrow(t) {
		return
	}
	i := s.pos
	s.top().words = 3
	c := s.src[i]
	if c < utf8.RuneSelf {
		typ := tokInvalid
		if strings.IndexByte("+-*/%<>!&^~", c) >= 0 {
			typ = tokOperator
		}
		s.emit(t, typ, i, i+1)
		return
	}
	_, size := utf8.DecodeRuneInString(s.src[i:])
	s.emit(t, tokInvalid, i, i+size)
}

// arrow reads `->` and its usual misspellings.
func (s *scanner) arrow(t *lexer.Token) bool {
	i := s.pos
	n := 0
	for _, a := range [...]string{"→", "⇒", "⟶", "⟹", "➜", "—>", "–>"} {
		if strings.HasPrefix(s.src[i:], a) {
			n = len(a)
		}
	}
	if c := s.src[i]; n == 0 && (c == '-' || c == '=') {
		j := i
		for j < len(s.src) && s.src[j] == c {
			j++
		}
		if j < len(s.src) && s.src[j] == '>' {
			n = j + 1 - i
		}
	}
	if n == 0 {
		return false
	}
	s.emit(t, tokArrow, i, i+n)
	s.top().begin()
	return true
}

func (s *scanner) number(t *lexer.Token) {
	i := s.pos
	j := s.wordAt(i)
	if j+1 < len(s.src) && s.src[j] == '.' && isDigit(s.src[j+1]) {
		j = s.wordAt(j + 1)
	}
	if c := s.src[j-1] | 0x20; c == 'e' && j+1 < len(s.src) && (s.src[j] == '-' || s.src[j] == '+') && isDigit(s.src[j+1]) {
		j = s.wordAt(j + 1)
	}
	s.emit(t, tokNumber, i, j)
}

// open reads an opening bracket.
func (s *scanner) open(t *lexer.Token, typ lexer.TokenType, kind contextKind) {
	i := s.pos
	if len(s.stack) > maxDepth {
		s.tooDeep(i)
		s.emit(t, tokSkipped, i, s.pos)
		t.Value = strings.TrimRight(t.Value, " \t\r\n")
		return
	}
	s.stack = append(s.stack, context{
		kind: kind, open: int32(i), indent: int32(s.indent), line: int32(s.lineStart), inner: -1,
	})
	s.emit(t, typ, i, i+1)
}

// tooDeep records the fault and moves pos to the next line that ends everything.
func (s *scanner) tooDeep(at int) {
	s.fault(syntax.TooDeep, at, min(at+1, len(s.src)), "")
	s.deep, s.quiet = true, true
	s.pos = s.resetAfter(at)
	s.fresh = true
	s.lineStart = strings.LastIndexByte(s.src[:s.pos], '\n') + 1
}

// brace reads a `{`: of a record where a type is wanted, else of a body.
func (s *scanner) brace(t *lexer.Token, words uint8) {
	top := s.top()
	switch s.prev {
	case tokColon, tokPipe, tokOpenParen, tokOpenBracket:
		s.open(t, tokOpenRecord, inRecord)
		return
	case tokComma:
		if !top.kind.braces() {
			s.open(t, tokOpenRecord, inRecord)
			return
		}
	case tokEquals:
		if top.alias {
			s.open(t, tokOpenRecord, inRecord)
			return
		}
	}
	if top.kind == inRecord {
		s.open(t, tokOpenRecord, inRecord)
		return
	}
	if !top.kind.braces() {
		s.closeBrackets(false)
		s.dequeue(t) // and the brace is read again after what was queued
		return
	}
	kind := inBody
	if words == 2 && top.first == "enum" || words == 0 && s.enumNext {
		kind = inEnum
	}
	s.enumNext = false
	s.open(t, tokOpen, kind)
}

// closer reads a closing bracket.
func (s *scanner) closer(t *lexer.Token, c byte) {
	i := s.pos
	top := s.top()
	if c == '}' {
		if !top.kind.braces() {
			s.closeBrackets(false)
			s.dequeue(t) // and the brace is read again after what was queued
			return
		}
		switch {
		case len(s.stack) == 1:
			s.emit(t, tokClose, i, i+1)
			top.begin()
		case top.kind == inRecord:
			s.stack = s.stack[:len(s.stack)-1]
			s.emit(t, tokCloseRecord, i, i+1)
		default:
			s.stack = s.stack[:len(s.stack)-1]
			s.emit(t, tokClose, i, i+1)
			s.top().begin()
		}
		return
	}
	typ, kind := tokCloseParen, inParen
	if c == ']' {
		typ, kind = tokCloseBracket, inBracket
	}
	if top.kind.braces() { // closes nothing: the parser says so
		s.emit(t, typ, i, i+1)
		return
	}
	if top.kind == kind {
		s.stack = s.stack[:len(s.stack)-1]
		s.emit(t, typ, i, i+1)
		return
	}
	typ, value := tokCloseParen, ")"
	if top.kind == inBracket {
		typ, value = tokCloseBracket, "]"
	}
	if s.stack[len(s.stack)-2].kind == kind { // the one around it is meant
		s.fault(syntax.UnclosedBracket, int(top.open), int(top.open)+1, "`"+value+"`")
		s.stack = s.stack[:len(s.stack)-1]
		s.make(typ, value, 0)
		s.dequeue(t)
		return
	}
	f := s.fault(syntax.MismatchedCloser, i, i+1, "`"+value+"`")
	f.Related = source.Span{Start: top.open, End: top.open + 1}
	s.stack = s.stack[:len(s.stack)-1]
	s.emit(t, typ, i, i+1)
	t.Value = value
}

// literal reads a list or object in brackets as one token.
func (s *scanner) literal(t *lexer.Token) {
	i := s.pos
	e, marks := s.expression(i, true)
	if s.deep {
		s.emit(t, tokLiteral, i, max(e, s.pos))
		t.Value = strings.TrimRight(t.Value, " \t\r\n")
	} else {
		s.emit(t, tokLiteral, i, e)
	}
	t.Pos.Line = marks
}
