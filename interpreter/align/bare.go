package align

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// bare reads words without quotes inside the bracket that end closes.
func (p *parser) bare(end byte) *node {
	start, braces := p.at, 0
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case '{':
			braces++
		case '}':
			if braces > 0 {
				braces--
				p.advance(1)
				continue
			}
		}
		if p.bareEnds(start, end) {
			break
		}
		p.advance(1)
	}
	if p.at == start {
		p.advance(1)
	}
	s := strings.TrimRightFunc(p.text[start:p.at], unicode.IsSpace)
	n := p.nodes.one()
	n.classify(s)
	if n.kind == bareNode {
		n.fixes |= unquotedText.bit()
		if strings.HasSuffix(s, `"`) && strings.Count(s, `"`) == 1 { // the first quote is missing
			n.kind, n.text = textNode, s[:len(s)-1]
			n.fixes = unclosedText.bit()
		}
	}
	if p.at >= len(p.text) {
		n.fixes |= cutOff.bit()
	}
	return n
}

// bareEnds reports whether the words without quotes that began at start end here.
func (p *parser) bareEnds(start int, end byte) bool {
	i := p.at
	c := p.text[i]
	switch c {
	case end:
		return true
	case '}', ']', ')':
		return p.isOpen(c)
	case ' ':
		j, _ := p.after(i)
		return end != '}' && end != 0 && j < len(p.text) && (isDigit(p.text[j]) || p.text[j] == '-') && isJSONNumber(p.text[start:i])
	case ',':
		if end != '}' {
			return true
		}
		j, line := p.after(i + 1)
		return line || j >= len(p.text) || p.text[j] == '}' || p.opensText(j) || p.isComment(j) || p.nameAhead(j)
	case '\n':
		if end != '}' {
			return true
		}
		j, _ := p.after(i)
		return j >= len(p.text) || p.text[j] == '}' || p.text[j] == ']' || p.opensText(j) && p.nameAhead(j) ||
			p.nameAhead(j) || p.isComment(j) || p.fenced && strings.HasPrefix(p.text[j:], "```")
	case '/', '#':
		return i > start && isSpace(p.text[i-1]) && p.isComment(i)
	case '`':
		return p.fenced && strings.HasPrefix(p.text[i:], "```")
	}
	return false
}

func (p *parser) isComment(i int) bool {
	rest := p.text[i:]
	return strings.HasPrefix(rest, "//") || strings.HasPrefix(rest, "/*") || isHashComment(rest)
}

// opensText reports whether a quote stands at i.
func (p *parser) opensText(i int) bool {
	if i >= len(p.text) {
		return false
	}
	c := p.text[i]
	return c == '"' || c == '\'' || c == '`' || strings.HasPrefix(p.text[i:], "“")
}

// nameAhead reports whether a name and its colon stand at i.
func (p *parser) nameAhead(i int) bool {
	limit := min(len(p.text), i+maxAhead)
	if i >= limit {
		return false
	}
	j := i
	if q := p.text[i]; q == '"' || q == '\'' || q == '`' {
		n := strings.IndexByte(p.text[i+1:limit], q)
		p.steps += max(n, 0) + 1
		if n < 0 {
			return false
		}
		j = i + n + 2
	} else {
		for j < limit {
			r, size := utf8.DecodeRuneInString(p.text[j:])
			if r != '_' && r != '-' && r != '$' && r != '.' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
				break
			}
			j += size
		}
		p.steps += j - i
		if j == i {
			return false
		}
	}
	for j < limit && isSpace(p.text[j]) {
		j++
	}
	return j < limit && p.text[j] == ':' && !strings.HasPrefix(p.text[j:], "://")
}
