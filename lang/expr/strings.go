package expr

import (
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"

	"github.com/dspi-lang/dspi/lang/syntax"
)

// Strings are HCL's. `"…"` ends on its line, knows the escapes \n \r \t \" \\
// \uNNNN \UNNNNNNNN, and `${…}` in it holds an expression; `$${` means `${`. A
// heredoc knows `${…}` and no escapes; `<<-` takes away the indentation that its
// lines share. Backticks hold raw text.

// textCall is the function that a template becomes: its arguments are joined. A
// name with `$` cannot be written in an expression.
const textCall = "$text"

// endOfString returns the end of the string at i. simple tells that expr reads it
// as we do: no template, no escape that only one of us knows.
func endOfString(src string, i, depth int) (end int, simple, ok bool) {
	quote := src[i]
	simple = true
	for j := i + 1; j < len(src); {
		switch b := src[j]; {
		case b == quote:
			return j + 1, simple, true
		case quote == '`':
			j++
		case b == '\n':
			return j, false, false
		case b == '\\':
			simple = false
			j++
			if j < len(src) && src[j] != '\n' {
				j++
			}
		case b == '$' && quote == '"':
			switch {
			case strings.HasPrefix(src[j:], "$${"):
				simple = false
				j += 3
			case strings.HasPrefix(src[j:], "${"):
				simple = false
				end, ok := endOfTemplate(src, j, depth)
				if !ok {
					return end, false, false
				}
				j = end
			default:
				j++
			}
		default:
			if b >= utf8.RuneSelf {
				c, n := utf8.DecodeRuneInString(src[j:])
				if c == utf8.RuneError && n == 1 {
					simple = false
				}
				j += n
				continue
			}
			j++
		}
	}
	return len(src), false, false
}

// endOfTemplate returns the end of the `${…}` at i.
func endOfTemplate(src string, i, depth int) (end int, ok bool) {
	if depth > maxDepth {
		return i + 2, false
	}
	braces := 0
	for j := i + 2; j < len(src); {
		switch src[j] {
		case '{':
			braces++
		case '}':
			if braces == 0 {
				return j + 1, true
			}
			braces--
		case '"', '`', '\'':
			end, _, ok := endOfString(src, j, depth+1)
			if !ok {
				return end, false
			}
			j = end
			continue
		}
		j++
	}
	return len(src), false
}

// endOfHeredoc returns the end of the heredoc at i: of the line that holds
// nothing but its mark.
func endOfHeredoc(src string, i int) (end int, found, is bool) {
	if !strings.HasPrefix(src[i:], "<<") {
		return 0, false, false
	}
	j := i + 2
	if j < len(src) && src[j] == '-' {
		j++
	}
	k := j
	for k < len(src) && isWord(src[k]) {
		k++
	}
	mark := src[j:k]
	rest, _, _ := strings.Cut(src[k:], "\n")
	if mark == "" || strings.TrimSpace(rest) != "" || k+len(rest) >= len(src) {
		return 0, false, mark != "" && strings.TrimSpace(rest) == ""
	}
	for j = k + len(rest) + 1; j <= len(src); {
		line, _, more := strings.Cut(src[j:], "\n")
		if strings.TrimSpace(line) == mark {
			return j + len(strings.TrimRight(line, " \t\r")), true, true
		}
		if !more {
			break
		}
		j += len(line) + 1
	}
	return len(src), false, true
}

// literal returns the node of a text that was taken out of src: a string, or
// the join of a template.
func (r *reader) literal(src string, t text, base int) ast.Node {
	lit := src[t.from:t.to]
	loc := file.Location{From: base + t.from, To: base + t.to}
	switch t.kind {
	case raw:
		return located(&ast.StringNode{Value: lit[1 : len(lit)-1]}, loc)
	case heredoc:
		head := strings.IndexByte(lit, '\n') + 1
		body := lit[head : strings.LastIndexByte(lit, '\n')+1]
		cut := 0
		if strings.HasPrefix(lit, "<<-") {
			cut = indentation(body)
		}
		return r.template(body, base+t.from+head, loc, 0, cut)
	case single:
		r.singleQuotes(loc, lit)
		return r.template(lit[1:len(lit)-1], loc.From+1, loc, '\'', 0)
	}
	return r.template(lit[1:len(lit)-1], loc.From+1, loc, '"', 0)
}

// indentation returns how many blanks all lines that hold text begin with.
func indentation(body string) int {
	least := -1
	for line := range strings.Lines(body) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		if n := len(line) - len(strings.TrimLeft(line, " \t")); least < 0 || n < least {
			least = n
		}
	}
	return max(least, 0)
}

// template reads what stands between quotes. A quote of 0 is a heredoc's: no
// escapes, and cut blanks are taken from the start of each line.
func (r *reader) template(body string, base int, loc file.Location, quote byte, cut int) ast.Node {
	var parts []ast.Node
	var b strings.Builder
	from := 0
	flush := func(i int) {
		if b.Len() > 0 {
			parts = append(parts, located(&ast.StringNode{Value: b.String()}, file.Location{From: base + from, To: base + i}))
			b.Reset()
		}
	}
	templates := false
	lineStart := quote == 0
	for i := 0; i < len(body); {
		if lineStart {
			lineStart = false
			for n := 0; n < cut && i < len(body) && (body[i] == ' ' || body[i] == '\t'); n++ {
				i++
			}
			continue
		}
		switch c := body[i]; {
		case c == '\\' && quote != 0:
			n, v := syntax.Escape(body[i:], quote)
			if n == 0 {
				n = 1
				if i+1 < len(body) {
					_, size := utf8.DecodeRuneInString(body[i+1:])
					n += size
				}
				r.badEscape(file.Location{From: base + i, To: base + i + n}, body[i:i+n])
				b.WriteString(body[i : i+n])
			} else {
				b.WriteRune(v)
			}
			i += n
		case c == '$' && quote != '\'' && strings.HasPrefix(body[i:], "$${"):
			b.WriteString("${")
			i += 3
		case c == '$' && quote != '\'' && strings.HasPrefix(body[i:], "${"):
			end, ok := endOfTemplate(body, i, r.brackets)
			if !ok { // only in a heredoc: a string would not have ended
				r.unclosedTemplate(file.Location{From: base + i, To: base + i + 2})
				r.fatal = true
				return nil
			}
			flush(i)
			templates = true
			if part := r.part(body[i+2:end-1], base+i, base+end); part != nil {
				parts = append(parts, part)
			}
			i, from = end, end
		case c == '\r' && quote == 0 && strings.HasPrefix(body[i:], "\r\n"):
			i++
		default:
			b.WriteByte(c)
			lineStart = quote == 0 && c == '\n'
			i++
		}
	}
	if !templates {
		return located(&ast.StringNode{Value: b.String()}, loc)
	}
	flush(len(body))
	return located(&ast.CallNode{Callee: located(&ast.IdentifierNode{Value: textCall}, loc), Arguments: parts}, loc)
}

// part reads the inside of a `${…}` that stands from from to to.
func (r *reader) part(inside string, from, to int) ast.Node {
	if strings.TrimSpace(inside) == "" {
		r.emptyTemplate(file.Location{From: from, To: to})
		r.fatal = true
		return nil
	}
	if r.brackets >= maxDepth {
		r.tooDeep(spanAt(from, to))
		r.fatal = true
		return nil
	}
	r.brackets++
	n := r.read(inside, from+2)
	r.brackets--
	return n
}
