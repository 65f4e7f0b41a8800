package parser

import (
	"strings"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
)

// An expression is one token: where it ends is found by its brackets and
// strings alone. It ends at the end of the line, at a comma, a comment or a
// closing bracket that it did not open, and before `name =` and the like when
// what precedes could end it (a comma was forgotten). Its line goes on when it
// ends in a binary operator or the next one begins with one.
//
// A bracket that is never closed must not swallow the file. While brackets are
// open, the first line that begins like an item is remembered; if the brackets
// turn out not to be closed, the expression ends before it.

// What the last thing in an expression was.
type tail uint8

const (
	tailNone    tail = iota // nothing yet, or an opening bracket or comma
	tailOperand             // a name, a literal, a closing bracket
	tailOperator
)

// cut is a line at which an expression ends if its brackets are never closed.
type cut struct {
	end   int   // end of the text before it
	open  int32 // the innermost bracket open there
	depth int   // how many were
	known int   // how many faults were recorded before it
	quiet bool  // and whether one of them is this expression's
}

// raw reads the expression at pos, after an `=`. It returns false when there is
// none.
func (s *scanner) raw(t *lexer.Token) bool {
	i, ok := s.rawStart()
	if !ok {
		return false
	}
	end, marks := s.expression(i, false)
	deep := s.deep
	next := s.pos
	s.emit(t, tokRaw, i, end)
	if deep {
		s.pos = next
	}
	t.Pos.Line = marks
	s.top().begin()
	return true
}

// rawStart finds the first byte of an expression. A value may stand on the next
// line when it is indented further and looks like nothing else.
func (s *scanner) rawStart() (int, bool) {
	i := s.blanks(s.pos)
	for strings.HasPrefix(s.src[i:], "/*") {
		n := s.commentEnd(i)
		if strings.IndexByte(s.src[i:n], '\n') >= 0 || !strings.HasSuffix(s.src[i:n], "*/") || n-i < 4 {
			break
		}
		s.comments = append(s.comments, syntax.Comment{Span: source.Span{Start: int32(i), End: int32(n)}})
		i = s.blanks(n)
		s.pos = i
	}
	j, newline := s.peekTrivia(i)
	if j >= len(s.src) {
		return 0, false
	}
	switch s.src[j] {
	case ',', ')', ']', '}':
		return 0, false
	}
	if j == i {
		return i, true
	}
	if !newline || s.column(j) <= s.indent || s.lookAt(j) != looksOther {
		return 0, false
	}
	s.trivia()
	return s.pos, s.pos == j
}

// expression reads from i to the end of the expression and returns it, with the
// token's marks. With only, it ends when the bracket at i is closed.
func (s *scanner) expression(i int, only bool) (end, marks int) {
	from, src := i, s.src
	end = i
	last := tailNone
	opens := s.opens[:0]
	ternary, silent := false, false
	var c cut
	defer func() { s.opens = opens[:0] }()

	// unclosed ends the expression where its brackets show to be unclosed.
	unclosed := func(at int) (int, int) {
		open := int32(from)
		if len(opens) > 0 {
			open = opens[len(opens)-1]
		}
		if c.depth > 0 {
			s.waste += at - c.end
			s.faults = s.faults[:c.known]
			end, open, silent = c.end, c.open, c.quiet
		}
		if !silent {
			s.fault(syntax.UnclosedBracket, int(open), int(open)+1, "`"+closerOf(src[open])+"`")
		}
		return end, markBroken
	}

	for i < len(src) {
		b := src[i]
		if wordBytes[b] || b >= 0x80 {
			j := i + 1
			for j < len(src) && (wordBytes[src[j]] || src[j] >= 0x80) {
				j++
			}
			if isDigit(b) {
				if j+1 < len(src) && src[j] == '.' && isDigit(src[j+1]) {
					for j++; j < len(src) && wordBytes[src[j]]; j++ {
					}
				}
				last = tailOperand
			} else if last == tailOperand && len(opens) == 0 && s.forgottenComma(i, j, ternary) {
				return end, marks
			} else if operatorWord(src[i:j]) || src[i:j] == "let" {
				last = tailOperator
			} else {
				last = tailOperand
			}
			i, end = j, j
			continue
		}
		switch b {
		case ' ', '\t', '\r', '\v', '\f':
			i++
			continue
		case '\n', '#', '/':
			if b == '/' && s.commentEnd(i) < 0 {
				break
			}
			j, newline := s.peekTrivia(i)
			if len(opens) == 0 {
				if !s.goesOn(last, j, newline) {
					return end, marks
				}
				i = j
				continue
			}
			if newline && j < len(src) {
				if s.column(j) == 0 && s.resets(j) {
					return unclosed(j)
				}
				switch s.lookAt(j) {
				case looksBlock, looksArrow:
					if c.depth == 0 {
						c = cut{end, opens[len(opens)-1], len(opens), len(s.faults), silent}
					}
					return unclosed(j)
				case looksAttribute:
					// In braces it may be an object of another language; in
					// others it must at least follow a comma.
					open := opens[len(opens)-1]
					if c.depth == 0 {
						c = cut{end, open, len(opens), len(s.faults), silent}
					}
					if src[open] != '{' && last == tailOperand || s.waste > 4*len(src)+1<<16 {
						return unclosed(j)
					}
				}
			}
			i = j
			continue
		case '"', '`', '\'':
			j, st := s.stringAt(i)
			if st != stringClosed {
				s.stringFaultAt(i, j, st)
				marks, silent = markBroken, true
			}
			i, end, last = j, j, tailOperand
			continue
		case '<':
			if j, ok, is := s.heredoc(i); is {
				if !ok {
					s.stringFaultAt(i, j, stringUnclosed)
					s.quiet = len(s.stack) > 1
					return j, markBroken
				}
				i, end, last = j, j, tailOperand
				continue
			}
		case '(', '[', '{':
			if len(opens)+len(s.stack) > maxDepth {
				s.tooDeep(i)
				return from + len(strings.TrimRight(src[from:s.pos], " \t\r\n")), markBroken
			}
			opens = append(opens, int32(i))
			i++
			end, last = i, tailNone
			continue
		case ')', ']', '}':
			if len(opens) == 0 {
				if b != '}' && marks == markBroken {
					break // follows from a mismatch before
				}
				return end, marks
			}
			open := src[opens[len(opens)-1]]
			if closerOf(open)[0] == b {
				if b == '}' && c.depth == len(opens) && s.closesOuter(i) {
					return unclosed(i)
				}
				opens = opens[:len(opens)-1]
				i++
				end, last = i, tailOperand
				if only && len(opens) == 0 {
					return end, marks
				}
				continue
			}
			if b == '}' && s.endsBody(i, from) {
				return unclosed(i)
			}
			if b == '}' && c.depth > 0 {
				return unclosed(i)
			}
			at := -1
			for k := len(opens) - 2; k >= 0 && at < 0; k-- {
				if closerOf(src[opens[k]])[0] == b {
					at = k
				}
			}
			if marks != markBroken {
				o := opens[len(opens)-1]
				if at >= 0 {
					s.fault(syntax.UnclosedBracket, int(o), int(o)+1, "`"+closerOf(open)+"`")
				} else {
					s.fault(syntax.MismatchedCloser, i, i+1, "`"+closerOf(open)+"`").Related = source.Span{Start: o, End: o + 1}
				}
			}
			marks, silent = markBroken, true
			if at >= 0 {
				opens = opens[:at]
			}
			i++
			end, last = i, tailOperand
			continue
		case ',':
			if len(opens) == 0 {
				return end, marks
			}
			i++
			end, last = i, tailNone
			continue
		case '?':
			if next := i + 1; next >= len(src) || src[next] != '?' && src[next] != '.' {
				ternary = true
			}
		}
		i++
		end, last = i, tailOperator
	}
	if len(opens) > 0 {
		return unclosed(i)
	}
	return end, marks
}

func closerOf(open byte) string {
	switch open {
	case '(':
		return ")"
	case '[':
		return "]"
	}
	return "}"
}

// goesOn reports whether an expression that has no open bracket goes on at next,
// behind space and comments.
func (s *scanner) goesOn(last tail, next int, newline bool) bool {
	if next >= len(s.src) {
		return false
	}
	b := s.src[next]
	switch b {
	case ',', ')', ']', '}':
		return false
	}
	if !newline {
		return true
	}
	if s.column(next) == 0 && s.resets(next) {
		return false
	}
	if last == tailOperator {
		return s.lookAt(next) == looksOther || s.lookAt(next) == looksField
	}
	switch b {
	case '|', '?', ':', '.':
		return true
	case '&':
		return strings.HasPrefix(s.src[next:], "&&")
	}
	return false
}

// forgottenComma reports whether the name from i to j, after something that could
// end the expression, begins the next item.
func (s *scanner) forgottenComma(i, j int, ternary bool) bool {
	k := s.blanks(j)
	if k >= len(s.src) || operatorWord(s.src[i:j]) {
		return false
	}
	switch s.src[k] {
	case '=', '{', ':', '"':
	default:
		if !wordBytes[s.src[k]] && s.src[k] < 0x80 {
			return false
		}
	}
	switch s.lookAt(i) {
	case looksAttribute, looksBlock:
		return true
	case looksField:
		return !ternary
	}
	return false
}

// closesOuter reports whether the `}` at i begins its line further left than the
// item does, so that it closes not the item's bracket but the block.
func (s *scanner) closesOuter(i int) bool {
	col := s.column(i)
	return col < s.indent && strings.TrimSpace(s.src[i-col:i]) == ""
}

// endsBody reports whether the `}` at i, that does not close the bracket open in
// an expression from from on, closes the body: it stands on a later line, or the
// body's `{` stands on this one.
func (s *scanner) endsBody(i, from int) bool {
	if strings.IndexByte(s.src[from:i], '\n') >= 0 {
		return true
	}
	return len(s.stack) > 1 && int(s.top().line) == s.lineStart
}
