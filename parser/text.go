package parser

import (
	"strings"
	"unicode/utf8"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
)

// stringState is how a string ended.
type stringState uint8

const (
	stringClosed stringState = iota
	stringUnclosed
	stringDeep // templates nest too deeply
)

func (s *scanner) stringFault(t *lexer.Token, st stringState) {
	if st != stringClosed {
		s.stringFaultAt(t.Pos.Offset, t.Pos.Offset+len(t.Value), st)
		t.Pos.Line |= markBroken
	}
}

func (s *scanner) stringFaultAt(from, to int, st stringState) {
	if st == stringDeep {
		s.fault(syntax.TooDeep, from, from+1, "")
		return
	}
	text := s.src[from:to]
	wanted := "`\"`"
	switch {
	case text == "":
	case text[0] == '<':
		wanted = "`" + strings.TrimRight(strings.TrimLeft(clip(text), "<-"), " \t") + "` on a line of its own"
		to = s.lineEnd(from)
	case text[0] == '`':
		wanted = "a backtick"
	case text[0] == '\'':
		wanted = "`'`"
	}
	s.fault(syntax.UnclosedString, from, to, wanted)
}

// stringAt returns the end of the string at i, of whichever quotes.
func (s *scanner) stringAt(i int) (int, stringState) {
	switch s.src[i] {
	case '"':
		return s.quoted(i)
	case '`':
		return s.rawString(i)
	}
	if e := s.singleAt(i); e > 0 {
		return e, stringClosed
	}
	return i + 1, stringClosed // an apostrophe; whoever reads the expression speaks of it
}

// quoted returns the end of the "…" at i. Between `${` and `}` stands an
// expression, with strings of its own. A string ends with its line at the latest.
func (s *scanner) quoted(i int) (int, stringState) {
	var braces []int // for each open ${ the number of { open in it
	inString := true
	src := s.src
	for j := i + 1; j < len(src); {
		b := src[j]
		if b == '\n' {
			return i + len(strings.TrimRight(src[i:j], "\r")), stringUnclosed
		}
		if inString {
			switch b {
			case '\\':
				j++
				if j < len(src) && src[j] != '\n' {
					j++
				}
			case '"':
				j++
				if len(braces) == 0 {
					return j, stringClosed
				}
				inString = false
			case '$':
				switch {
				case strings.HasPrefix(src[j:], "$${"):
					j += 3
				case strings.HasPrefix(src[j:], "${"):
					if len(braces)+len(s.stack) > maxDepth {
						return s.lineEnd(j), stringDeep
					}
					braces = append(braces, 0)
					inString = false
					j += 2
				default:
					j++
				}
			default:
				j++
			}
			continue
		}
		switch b {
		case '"':
			inString = true
			j++
		case '\'':
			j = max(j+1, s.singleAt(j))
		case '`':
			if n := strings.IndexAny(src[j+1:], "`\n"); n >= 0 && src[j+1+n] == '`' {
				j += n + 1
			}
			j++
		case '{':
			braces[len(braces)-1]++
			j++
		case '}':
			if n := len(braces) - 1; braces[n] > 0 {
				braces[n]--
			} else {
				braces = braces[:n]
				inString = true
			}
			j++
		default:
			j++
		}
	}
	return len(src), stringUnclosed
}

// rawString returns the end of the string in backticks at i.
func (s *scanner) rawString(i int) (int, stringState) {
	if i < s.noBacktick {
		n := strings.IndexByte(s.src[i+1:], '`')
		if n < 0 {
			s.noBacktick = i
		} else if !s.resetWithin(i, i+1+n) {
			return i + 1 + n + 1, stringClosed
		}
	}
	return s.lineEnd(i), stringUnclosed
}

// singleAt returns the end of the '…' at i, or 0 if it does not end in its line.
func (s *scanner) singleAt(i int) int {
	for j := i + 1; j < len(s.src); j++ {
		switch s.src[j] {
		case '\\':
			j++
		case '\'':
			return j + 1
		case '\n':
			return 0
		}
	}
	return 0
}

// heredoc returns the end of the `<<EOT` or `<<-EOT` at i: of the line that
// holds nothing but the mark. is says whether one begins here, ok whether it ends.
func (s *scanner) heredoc(i int) (end int, ok, is bool) {
	if !strings.HasPrefix(s.src[i:], "<<") {
		return 0, false, false
	}
	j := i + 2
	if j < len(s.src) && s.src[j] == '-' {
		j++
	}
	k := s.nameAt(j)
	mark := s.src[j:k]
	k = s.blanks(k)
	if mark == "" || k < len(s.src) && s.src[k] != '\n' {
		return 0, false, false
	}
	limit := len(s.src)
	if s.waste > 4*len(s.src)+1<<16 {
		limit = min(limit, k+1<<12)
	}
	for j = k + 1; j < limit; {
		e := s.lineEnd(j)
		line := s.src[j:e]
		if strings.HasSuffix(strings.TrimRight(line, " \t"), mark) && strings.TrimSpace(line) == mark {
			return j + len(strings.TrimRight(line, " \t")), true, true
		}
		n := strings.IndexByte(s.src[e:], '\n')
		if n < 0 {
			break
		}
		j = e + n + 1
	}
	s.waste += limit - k
	end = s.resetAfter(i)
	return i + len(strings.TrimRight(s.src[i:end], " \t\r\n")), false, true
}

// text returns what the literal t means. It records a fault for each escape that
// means nothing, unless the scanner found the literal broken already.
func (s *scanner) text(t *lexer.Token) *syntax.String {
	out := &syntax.String{Span: span(t)}
	body, at := t.Value, t.Pos.Offset
	broken := t.Pos.Line&markBroken != 0
	switch {
	case body == "":
		return out
	case body[0] == '`':
		out.Value = strings.TrimSuffix(body[1:], "`")
		return out
	case body[0] == '<':
		out.Value = s.heredocText(t, out)
		return out
	}
	quote := body[0]
	body = body[1:]
	if !broken {
		body = body[:len(body)-1]
	}
	at++
	if strings.IndexByte(body, '\\') < 0 && strings.IndexByte(body, '$') < 0 {
		out.Value = body
		return out
	}
	var b strings.Builder
	for i := 0; i < len(body); {
		switch {
		case body[i] == '\\':
			n, r := syntax.Escape(body[i:], quote)
			if n == 0 {
				n = 1
				if i+1 < len(body) {
					_, size := utf8.DecodeRuneInString(body[i+1:])
					n += size
				}
				if !broken {
					s.fault(syntax.BadEscape, at+i, at+i+n, "one of \\n \\r \\t \\\" \\\\ \\uNNNN \\UNNNNNNNN")
				}
				b.WriteString(body[i : i+n])
			} else {
				b.WriteRune(r)
			}
			i += n
		case quote == '"' && strings.HasPrefix(body[i:], "$${"):
			b.WriteString("${")
			i += 3
		case quote == '"' && strings.HasPrefix(body[i:], "${"):
			n := templateEnd(body[i:])
			if out.Template == (source.Span{}) {
				out.Template = source.Span{Start: int32(at + i), End: int32(at + i + n)}
			}
			b.WriteString(body[i : i+n])
			i += n
		default:
			b.WriteByte(body[i])
			i++
		}
	}
	out.Value = b.String()
	return out
}

// templateEnd returns the length of the `${…}` that body begins with.
func templateEnd(body string) int {
	depth := 0
	for i := 1; i < len(body); i++ {
		switch body[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(body)
}

// heredocText returns the lines of a heredoc; those of `<<-` without the
// indentation that all of them share.
func (s *scanner) heredocText(t *lexer.Token, out *syntax.String) string {
	head, rest, _ := strings.Cut(t.Value, "\n")
	if t.Pos.Line&markBroken == 0 {
		i := strings.LastIndexByte(rest, '\n')
		rest = rest[:i+1]
	}
	if i := strings.Index(t.Value, "${"); i > 0 && t.Value[i-1] != '$' {
		out.Template = source.Span{
			Start: out.Start + int32(i), End: out.Start + int32(i+templateEnd(t.Value[i:])),
		}
	}
	rest = strings.ReplaceAll(strings.ReplaceAll(rest, "\r\n", "\n"), "$${", "${")
	if !strings.HasPrefix(head, "<<-") {
		return rest
	}
	lines := strings.SplitAfter(rest, "\n")
	indent := -1
	for _, l := range lines {
		if strings.TrimSpace(l) == "" {
			continue
		}
		n := len(l) - len(strings.TrimLeft(l, " \t"))
		if indent < 0 || n < indent {
			indent = n
		}
	}
	for i, l := range lines {
		lines[i] = l[min(max(indent, 0), len(l)-len(strings.TrimLeft(l, " \t"))):]
	}
	return strings.Join(lines, "")
}
