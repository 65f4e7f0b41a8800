package parser

import (
	"strings"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
)

// maxDepth is how deep brackets of all kinds may nest.
const maxDepth = 200

// maxParts is how many tokens one item may have, bodies not counted.
const maxParts = 100_000

// maxFaults is how many faults are enough: what follows them is not read.
const maxFaults = 1000

// contextKind is what the innermost open bracket holds.
type contextKind uint8

const (
	inBody    contextKind = iota // items: a file, or a block's { }
	inEnum                       // members
	inRecord                     // fields: a type's { }
	inParen                      // constraints: a type's ( )
	inBracket                    // arguments: a type's [ ]
)

// braces reports whether items stand in k, one a line.
func (k contextKind) braces() bool { return k <= inRecord }

// context is an open bracket and how far the item now being read in it has come.
type context struct {
	kind   contextKind
	open   int32 // where the bracket stands
	indent int32 // indentation of its line
	line   int32 // where its line begins
	inner  int32 // indentation of the first line in it; -1 before that

	words uint8  // names since the item began; more than 2 when anything else was there
	first string // the first of them
	typed bool   // a colon was there: what follows is a type
	alias bool   // `type NAME =` was there: likewise
}

func (c *context) begin() { c.words, c.first, c.typed, c.alias = 0, "", false, false }

// scanner cuts a text into tokens, one at a time. It keeps the open brackets, as
// what `=` and `{` mean depends on them. It never fails.
type scanner struct {
	src       string
	pos       int
	lineStart int
	indent    int // indentation of the line now being read
	fresh     bool
	stack     []context // stack[0] is the file
	prev      lexer.TokenType
	last      int           // end of the last token
	queue     []lexer.Token // tokens that were made, not read
	head      int
	opens     []int32 // the brackets of the expression being read

	rawNext     bool
	literalNext bool
	enumNext    bool // `enum NAME` was the last line: its brace may follow

	guided     bool // indentation decides what a `}` closes
	unbalanced bool // braces were open at the end
	deep       bool // the limit of depth was reached
	quiet      bool // a fault is recorded for all that is open now
	shortForm  bool // '…' is legal
	waste      int  // bytes read more than once

	noCommentEnd int // no `*/` from here on; none known while beyond the text
	noBacktick   int // likewise

	comments []syntax.Comment
	faults   []syntax.Fault
}

func newScanner(text string) *scanner {
	s := &scanner{src: text, fresh: true, stack: make([]context, 1, 8), noCommentEnd: len(text) + 1, noBacktick: len(text) + 1}
	s.stack[0].inner = -1
	s.stack[0].indent = -1
	if strings.HasPrefix(text, "\uFEFF") {
		s.pos = len("\uFEFF")
		s.lineStart = s.pos
	}
	return s
}

// restart goes back to pos, where a top-level item begins.
func (s *scanner) restart(pos int) {
	s.pos = pos
	s.lineStart = strings.LastIndexByte(s.src[:pos], '\n') + 1
	s.indent = pos - s.lineStart
	s.fresh = true
	s.stack = s.stack[:1]
	s.stack[0].begin()
	s.prev, s.last = 0, pos
	s.queue, s.head = s.queue[:0], 0
	s.rawNext, s.literalNext, s.enumNext = false, false, false
	s.unbalanced, s.deep, s.quiet = false, false, false
}

func (s *scanner) top() *context { return &s.stack[len(s.stack)-1] }

func (s *scanner) fault(kind syntax.FaultKind, from, to int, wanted string) *syntax.Fault {
	s.faults = append(s.faults, syntax.Fault{
		Kind: kind, Span: source.Span{Start: int32(from), End: int32(to)},
		Found: clip(s.src[from:to]), Wanted: wanted,
	})
	return &s.faults[len(s.faults)-1]
}

// clip cuts text to what fits in a message.
func clip(text string) string {
	if i := strings.IndexByte(text, '\n'); i >= 0 {
		text = strings.TrimRight(text[:i], "\r")
	}
	if len(text) <= 80 {
		return text
	}
	n := 80
	for n > 0 && text[n]&0xC0 == 0x80 {
		n--
	}
	return text[:n]
}

// next writes the next token to t: at the end, again and again, lexer.EOF.
func (s *scanner) next(t *lexer.Token) {
	if s.head < len(s.queue) {
		s.dequeue(t)
		return
	}
	if len(s.faults) >= maxFaults && s.pos < len(s.src) {
		s.giveUp(t)
		return
	}
	if s.rawNext {
		s.rawNext = false
		if s.raw(t) {
			return
		}
	}
	newline := s.trivia()
	if newline || s.fresh {
		s.fresh = false
		s.indent = s.pos - s.lineStart
		s.lineBegins()
		if s.head < len(s.queue) {
			s.dequeue(t)
			return
		}
	}
	s.token(t)
}

// giveUp jumps to the end of the text.
func (s *scanner) giveUp(t *lexer.Token) {
	from := s.pos + len(s.src[s.pos:]) - len(strings.TrimLeft(s.src[s.pos:], " \t\r\n"))
	s.emit(t, tokSkipped, from, max(from, len(strings.TrimRight(s.src, " \t\r\n"))))
	s.pos = len(s.src)
	s.deep, s.quiet = true, true
}

func (s *scanner) dequeue(t *lexer.Token) {
	*t = s.queue[s.head]
	s.head++
	if s.head == len(s.queue) {
		s.queue, s.head = s.queue[:0], 0
	}
}

// make queues a token that is not in the text.
func (s *scanner) make(typ lexer.TokenType, value string, marks int) {
	if typ == tokNewline && s.quiet {
		s.quiet = false
		marks |= markQuiet
	}
	s.queue = append(s.queue, lexer.Token{
		Type: typ, Value: value, Pos: lexer.Position{Offset: s.last, Line: markMade | marks},
	})
	s.prev = typ
	s.literalNext = false
}

// trivia skips space and comments, records the comments, and reports whether
// a line ended.
func (s *scanner) trivia() (newline bool) {
	for s.pos < len(s.src) {
		switch s.src[s.pos] {
		case ' ', '\t', '\r', '\v', '\f':
			s.pos++
		case '\n':
			newline = true
			s.pos++
			s.lineStart = s.pos
		case '#', '/':
			n := s.commentEnd(s.pos)
			if n < 0 {
				return newline
			}
			from := s.pos
			own := strings.TrimSpace(s.src[s.lineStart:from]) == ""
			if strings.HasPrefix(s.src[from:n], "/*") && (n-from < 4 || !strings.HasSuffix(s.src[from:n], "*/")) {
				n = s.resetAfter(n)
				s.fault(syntax.UnclosedComment, from, from+2, "`*/`")
				s.quiet = len(s.stack) > 1
			}
			text := strings.TrimRight(s.src[from:n], " \t\r\n")
			s.comments = append(s.comments, syntax.Comment{
				Span: source.Span{Start: int32(from), End: int32(from + len(text))}, OwnLine: own,
			})
			s.pos = n
			if i := strings.LastIndexByte(s.src[from:n], '\n'); i >= 0 {
				newline = true
				s.lineStart = from + i + 1
			}
		default:
			return newline
		}
	}
	return newline
}

// commentEnd returns where the comment at i ends, the line's end excluded, or -1
// if none begins there. A `/*` without an end ends with its line.
func (s *scanner) commentEnd(i int) int {
	rest := s.src[i:]
	switch {
	case rest[0] == '#', strings.HasPrefix(rest, "//"):
	case strings.HasPrefix(rest, "/*"):
		if i < s.noCommentEnd {
			if n := strings.Index(rest[2:], "*/"); n >= 0 {
				return i + 2 + n + 2
			}
			s.noCommentEnd = i
		}
	default:
		return -1
	}
	if n := strings.IndexByte(rest, '\n'); n >= 0 {
		return i + n
	}
	return len(s.src)
}

// peekTrivia returns where the next text that is no space and no comment begins,
// and whether a line ends before it.
func (s *scanner) peekTrivia(i int) (next int, newline bool) {
	for i < len(s.src) {
		switch s.src[i] {
		case ' ', '\t', '\r', '\v', '\f':
			i++
		case '\n':
			newline = true
			i++
		case '#', '/':
			n := s.commentEnd(i)
			if n < 0 {
				return i, newline
			}
			newline = newline || strings.IndexByte(s.src[i:n], '\n') >= 0
			i = n
		default:
			return i, newline
		}
	}
	return i, newline
}

// column returns how far i is from the start of its line.
func (s *scanner) column(i int) int { return i - 1 - strings.LastIndexByte(s.src[:i], '\n') }

// lineBegins is called before the first token of a line. It queues the tokens
// that stand for the line's end, and those that close what the new line shows to
// have been left open.
func (s *scanner) lineBegins() {
	if s.pos >= len(s.src) {
		return
	}
	if len(s.stack) > 1 && s.indent == 0 && s.resets(s.pos) {
		s.closeAll(tokReset)
		return
	}
	if !s.top().kind.braces() {
		if !s.typeEndsBefore(s.pos) {
			return
		}
		s.closeBrackets(false)
	}
	if s.guided && s.dedent() {
		return
	}
	top := s.top()
	if top.inner < 0 && s.src[s.pos] != '}' {
		top.inner = int32(s.indent)
	}
	switch s.prev {
	case 0, tokNewline, tokOpen, tokOpenRecord, tokComma, tokReset, tokSkipped:
		return
	case tokPipe:
		if s.lookAt(s.pos) == looksOther {
			return
		}
	}
	switch c := s.src[s.pos]; {
	case c == '|' && (top.typed || top.alias):
		return
	case (c == '"' || c == '\'') && (top.typed || top.kind == inEnum && top.words > 0):
		return
	case c == '"' && top.alias && s.prev == tokEquals:
		return
	}
	s.enumNext = top.kind == inBody && top.first == "enum" && top.words == 2
	s.make(tokNewline, "\n", 0)
	top.begin()
}

// typeEndsBefore reports whether the line at i begins an item, so that a bracket
// of a type that is open before it was never closed.
func (s *scanner) typeEndsBefore(i int) bool {
	switch s.lookAt(i) {
	case looksOther:
		return false
	case looksAttribute:
		return s.top().kind != inParen || s.prev != tokOpenParen && s.prev != tokComma
	}
	return true
}

// closeBrackets closes the open brackets of a type down to the next brace, and
// records one fault, at the innermost.
func (s *scanner) closeBrackets(quiet bool) {
	for {
		top := s.top()
		typ, closer := tokCloseParen, ")"
		switch top.kind {
		case inParen:
		case inBracket:
			typ, closer = tokCloseBracket, "]"
		default:
			return
		}
		if !quiet {
			s.fault(syntax.UnclosedBracket, int(top.open), int(top.open)+1, "`"+closer+"`")
			quiet = true
		}
		s.stack = s.stack[:len(s.stack)-1]
		s.make(typ, closer, 0)
	}
}

// closeAll closes all that is open and queues a token that says so.
func (s *scanner) closeAll(typ lexer.TokenType) {
	quiet := s.quiet
	for len(s.stack) > 1 {
		top := s.top()
		switch top.kind {
		case inParen, inBracket:
			s.closeBrackets(quiet)
			quiet = true
			continue
		case inRecord:
			if !quiet {
				s.fault(syntax.UnclosedBracket, int(top.open), int(top.open)+1, "`}`")
			}
			quiet = true
			s.make(tokCloseRecord, "}", 0)
		}
		s.unbalanced = true
		s.stack = s.stack[:len(s.stack)-1]
	}
	marks := 0
	if quiet {
		marks = markQuiet
	}
	s.quiet = false
	s.top().begin()
	s.make(typ, "", marks)
}

// dedent closes the blocks that, to judge by the indentation of the line that
// now begins, were meant to be closed. It reports whether the line began with a
// `}` too many, which it then has read.
func (s *scanner) dedent() bool {
	col := int32(s.indent)
	to := len(s.stack)
	if s.src[s.pos] == '}' {
		for i := len(s.stack) - 1; i > 0; i-- {
			if c := &s.stack[i]; c.kind.braces() && c.indent == col && c.line != int32(s.lineStart) {
				to = i + 1
				break
			}
		}
		if to == len(s.stack) && len(s.stack) > 1 && col > s.top().indent && s.top().line != int32(s.lineStart) {
			s.fault(syntax.StrayCloser, s.pos, s.pos+1, "")
			if s.prev != 0 && s.prev != tokNewline && s.prev != tokOpen {
				s.make(tokNewline, "\n", 0)
			}
			s.queue = append(s.queue, lexer.Token{Type: tokSkipped, Value: s.src[s.pos : s.pos+1], Pos: lexer.Position{Offset: s.pos}})
			s.pos++
			s.last = s.pos
			s.make(tokNewline, "\n", 0)
			s.top().begin()
			return true
		}
	} else if s.wordAt(s.pos) > s.pos {
		for to > 1 {
			c := &s.stack[to-1]
			begun := c.inner >= 0 || c.kind == inRecord && s.prev != tokOpenRecord
			if c.kind.braces() && (col > c.indent || !begun || c.inner >= 0 && col >= c.inner) {
				break
			}
			to--
		}
	}
	quiet := false
	for len(s.stack) > to {
		top := s.top()
		switch top.kind {
		case inParen, inBracket:
			s.closeBrackets(quiet)
			quiet = true
			continue
		case inRecord:
			if !quiet {
				s.fault(syntax.UnclosedBracket, int(top.open), int(top.open)+1, "`}`")
			}
			s.stack = s.stack[:len(s.stack)-1]
			s.make(tokCloseRecord, "}", 0)
		default:
			marks := 0
			if quiet {
				marks = markQuiet
			}
			s.stack = s.stack[:len(s.stack)-1]
			s.make(tokClose, "}", marks)
			s.top().begin()
		}
		quiet = true
	}
	return false
}
