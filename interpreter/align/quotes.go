package align

import (
	"strings"
	"unicode/utf8"
)

// Where a text ends. Models forget to escape quotes, and they forget to write
// them. So a quote ends a text only where what follows makes sense: a colon behind
// a name, a comma and the next name behind the value of one, a comma and the next
// value in a list, the bracket that is open. Of quotes inside a text, those that
// open and those that close alternate; where an odd number stood before, what
// follows must be beyond doubt.

// openers are the quotes that may begin a text, the longest first, with those that
// may end it.
var openers = []struct {
	open    string
	closers []string
}{
	{`"""`, []string{`"""`}},
	{`'''`, []string{`'''`}},
	{"```", []string{"```"}},
	{`"`, []string{`"`}},
	{`'`, []string{`'`}},
	{"`", []string{"`"}},
	{`\"`, []string{`\"`, `"`}},
	{"“", []string{"”", "“", `"`}},
	{"„", []string{"“", "”", `"`}},
	{"‘", []string{"’"}},
	{"”", []string{"”"}},
}

func closersOf(quote string) []string {
	for i := range openers {
		if openers[i].open == quote {
			return openers[i].closers
		}
	}
	return nil
}

// opener returns the quote that begins a text here, "" if none does.
func (p *parser) opener() string {
	rest := p.text[p.at:]
	switch rest[0] {
	case '"', '\'', '`', '\\', 0xE2:
	case 'r', 'b', 'f', 'u': // r"…" of Python
		if len(rest) > 1 && (rest[1] == '"' || rest[1] == '\'') {
			return rest[:2]
		}
		return ""
	default:
		return ""
	}
	if c := rest[0]; c < utf8.RuneSelf && c != '\\' && !(len(rest) > 2 && rest[1] == c && rest[2] == c) {
		return rest[:1]
	}
	for i, o := range openers {
		if !strings.HasPrefix(rest, o.open) {
			continue
		}
		if len(o.open) == 3 && i < 3 && !p.closesLater(i, o.open) {
			continue
		}
		return o.open
	}
	return ""
}

// closesLater reports whether a triple quote stands once more behind this one.
// That there is none is remembered, so that it is looked for in vain only once.
func (p *parser) closesLater(i int, quote string) bool {
	if p.tripleless[i] {
		return false
	}
	n := strings.Index(p.text[p.at+3:], quote)
	if n < 0 {
		p.tripleless[i] = true
		p.steps += len(p.text) - p.at
	} else {
		p.steps += n
	}
	return n >= 0
}

// fenceHolds reports whether the ``` here begins a text and ends no fence.
func (p *parser) fenceHolds() bool {
	rest := p.text[p.at:]
	return strings.HasPrefix(rest, "```") && !strings.HasPrefix(strings.TrimLeft(rest[3:min(len(rest), 8)], " \r"), "\n") &&
		p.closesLater(2, "```")
}

// quoted reads a text that begins with opener, inside the bracket that end closes;
// 'k' for a name, 0 for a text that stands alone.
func (p *parser) quoted(opener string, end byte) *node {
	n := p.node(textNode)
	raw := false
	p.advance(len(opener))
	if opener != `"` {
		n.fixes |= otherQuotes.bit()
	}
	quote := opener
	if c := opener[0]; c >= 'a' && c <= 'z' {
		raw = c == 'r'
		n.fixes |= foreignLiteral.bit()
		quote = opener[1:]
	}
	closers := closersOf(quote)
	if len(opener) == 3 && isASCII(opener) {
		return p.tripled(n, opener)
	}
	var b strings.Builder
	start, from := p.at, p.at // from: not yet written to b
	inner, braces, curly := 0, 0, false
	breaks := -1 // b's length and place where a text without its closing quote would end
	for {
		p.skipPlain()
		if p.at >= len(p.text) {
			break
		}
		c := p.text[p.at]
		p.steps++
		if c == '\\' && !raw && !strings.HasPrefix(p.text[p.at:], closers[0]) {
			b.WriteString(p.text[from:p.at])
			n.fixes |= p.escape(&b)
			from = p.at
			continue
		}
		if closer := startsWith(p.text[p.at:], closers); closer != "" {
			if p.closes(p.at+len(closer), end, inner%2 == 1) {
				n.text = p.text[from:p.at]
				if b.Len() > 0 {
					b.WriteString(n.text)
					n.text = b.String()
				}
				p.at += len(closer)
				if inner > 0 {
					n.fixes |= innerQuotes.bit()
				}
				return n
			}
			if end == '}' && inner%2 == 0 && braces <= 0 && c == '"' && p.nameAhead(p.at) {
				if at := p.breakBefore(start); at > from || at == from && b.Len() > 0 {
					breaks = at
				}
			}
			if breaks >= 0 {
				b.WriteString(p.text[from:max(from, breaks)])
				p.at = breaks
				n.text = b.String()
				n.fixes |= unclosedText.bit()
				return n
			}
			inner++
			p.advance(len(closer))
			continue
		}
		switch c {
		case ':':
			if end == 'k' && p.nameEnds(start) {
				n.text = strings.TrimSpace(p.text[start:p.at])
				n.fixes |= unclosedText.bit()
				return n
			}
		case 0xE2: // a text that begins with " and ends with ”
			switch rest := p.text[p.at:]; {
			case strings.HasPrefix(rest, "“"):
				curly = true
			case strings.HasPrefix(rest, "”") && opener == `"` && !curly && p.closes(p.at+3, end, inner%2 == 1):
				b.WriteString(p.text[from:p.at])
				p.at += 3
				n.text = b.String()
				n.fixes |= otherQuotes.bit()
				return n
			}
		case '{':
			braces++
		case '}':
			braces--
		case '`':
			if p.fenced && strings.HasPrefix(p.text[p.at:], "```") && strings.TrimSpace(p.text[p.at+3:min(len(p.text), p.at+300)]) == "" {
				b.WriteString(p.text[from:p.at]) // the fence ends inside the text
				n.text = strings.TrimRight(b.String(), " \r\n")
				n.fixes |= cutOff.bit()
				return n
			}
		}
		if c < 0x20 {
			n.fixes |= rawNewline.bit()
		}
		p.at++
	}
	b.WriteString(p.text[from:])
	n.text = b.String()
	n.fixes |= cutOff.bit()
	if inner > 0 {
		n.fixes |= innerQuotes.bit()
	}
	return n
}

// plainInText are the bytes that mean nothing but themselves in a text, whichever
// quotes are around it.
var plainInText = func() (plain [256]bool) {
	for c := range plain {
		plain[c] = c >= ' ' && c != 0xE2 && strings.IndexByte("\"'`\\:{}", byte(c)) < 0
	}
	return plain
}()

// skipPlain goes to the next byte that is not plain.
func (p *parser) skipPlain() {
	from := p.at
	for p.at < len(p.text) && plainInText[p.text[p.at]] {
		p.at++
	}
	p.steps += p.at - from
}

func isASCII(s string) bool { return s[0] < utf8.RuneSelf }

func startsWith(s string, of []string) string {
	for _, o := range of {
		if s[0] == o[0] && strings.HasPrefix(s, o) {
			return o
		}
	}
	return ""
}

// tripled reads up to the next triple quote; opener stood once more, as was seen.
func (p *parser) tripled(n *node, opener string) *node {
	i := strings.Index(p.text[p.at:], opener)
	if i < 0 {
		i = len(p.text) - p.at
		n.fixes |= cutOff.bit()
	}
	n.text = p.text[p.at : p.at+i]
	if opener == "```" { // the language, then the line end, are not part of it
		if line, after, ok := strings.Cut(n.text, "\n"); ok && isWord(strings.TrimSpace(line)) {
			n.text = strings.TrimSuffix(after, "\n")
		}
	}
	p.advance(min(i+3, len(p.text)-p.at))
	return n
}

// nameEnds reports whether a name that began at start ends at the colon here,
// without its quote: the next quote opens a text or a name, or there is none.
func (p *parser) nameEnds(start int) bool {
	if p.at == start || p.at-start > 60 || strings.ContainsAny(p.text[start:p.at], "\n{}[],") {
		return false
	}
	limit := min(len(p.text), p.at+maxAhead)
	i := strings.IndexByte(p.text[p.at:limit], '"')
	p.steps += max(i, 0) + 1
	if i < 0 {
		return true
	}
	j, _ := p.after(p.at + i + 1)
	return j >= len(p.text) || strings.IndexByte(":=,}", p.text[j]) < 0
}

// breakBefore returns where a text without its closing quote ends, if a name stands
// here: before the comma or line end between the two; -1 if there is neither.
func (p *parser) breakBefore(start int) int {
	i := p.at
	for i > start && isSpace(p.text[i-1]) {
		i--
		p.steps++
	}
	switch {
	case i > start && p.text[i-1] == ',':
		return i - 1
	case strings.Contains(p.text[i:p.at], "\n"):
		return i
	}
	return -1
}

// closes reports whether the quote before i ends its text. odd says that an odd
// number of such quotes stood in it.
func (p *parser) closes(i int, end byte, odd bool) bool {
	j, line := p.after(i)
	if j >= len(p.text) {
		return true
	}
	c := p.text[j]
	if p.fenced && strings.HasPrefix(p.text[j:], "```") && line {
		return true
	}
	switch end {
	case 0:
		return false
	case 'k':
		return c == ':' || c == '=' || c == ',' || c == '}' || j > i && (isDigit(c) || c == '{' || c == '[' || p.opensText(j))
	}
	if p.isComment(j) && (j > i || c == '/') {
		return true
	}
	if c == '\\' { // \n between the tokens of JSON that was escaped as a whole
		if j+1 >= len(p.text) {
			return true
		}
		return strings.IndexByte("nrt", p.text[j+1]) >= 0 && p.at > 0 && p.text[p.at] == '\\'
	}
	if end == '}' {
		return p.closesMember(i, j, line, odd)
	}
	switch {
	case c == end:
		return !odd || p.sure(j+1)
	case c == ',':
		k, _ := p.after(j + 1)
		switch {
		case k >= len(p.text):
			return true
		case p.opensText(k):
			return !odd || p.itemAhead(k)
		case isDigit(p.text[k]), strings.IndexByte("-{[(", p.text[k]) >= 0, p.text[k] == end, p.isComment(k):
			return true
		}
		return !odd && p.noQuoteAhead(k, end) || p.wordAhead(k, end)
	case c == ':':
		return p.within() == '}' && !odd
	case c == '}' || c == ']' || c == ')':
		return p.isOpen(c) && (!odd || p.sure(j+1))
	case p.opensText(j):
		return j > i && !odd
	case c == '{' || c == '[':
		return line
	}
	return false
}

// closesMember is closes for the value of a name; j is the first character behind
// it and line says that a line ends between.
func (p *parser) closesMember(i, j int, line, odd bool) bool {
	switch c := p.text[j]; {
	case c == '}':
		return !odd || p.sure(j+1)
	case c == ',':
		k, newLine := p.after(j + 1)
		switch {
		case k >= len(p.text), p.text[k] == '}', p.text[k] == '#', p.isComment(k):
			return true
		case p.opensText(k):
			return !odd || p.nameAhead(k)
		case p.text[k] == ',', p.text[k] == '\\':
			return !odd
		}
		return p.nameAhead(k) || !odd && (newLine || p.wordsAhead(k))
	case c == ']' || c == ')':
		return p.isOpen(c) && (!odd || p.sure(j+1))
	case c == ';':
		return !odd
	case p.opensText(j):
		return j > i && p.nameAhead(j)
	}
	return line && p.nameAhead(j)
}

// wordsAhead reports whether words stand at i, and behind them a name in quotes.
func (p *parser) wordsAhead(i int) bool {
	j := i
	for j < len(p.text) && j < i+maxAhead && (p.text[j] == ' ' || p.text[j]|0x20 >= 'a' && p.text[j]|0x20 <= 'z') {
		j++
	}
	p.steps += j - i
	return j > i && j < len(p.text) && p.text[j] == '"' && p.text[j-1] == ' ' && p.nameAhead(j)
}

// sure reports whether what follows a closing bracket leaves no doubt that it
// closes: the end, a line end, another bracket or a comma.
func (p *parser) sure(i int) bool {
	j, line := p.after(i)
	return line || j >= len(p.text) || strings.IndexByte(",]})", p.text[j]) >= 0
}

// itemAhead reports whether a text in quotes stands at i, and a comma or bracket
// behind it.
func (p *parser) itemAhead(i int) bool {
	limit := min(len(p.text), i+maxAhead)
	n := strings.IndexByte(p.text[i+1:limit], p.text[i])
	p.steps += max(n, 0) + 1
	if n < 0 {
		return true
	}
	j, _ := p.after(i + n + 2)
	return j >= len(p.text) || strings.IndexByte(",])", p.text[j]) >= 0
}

// noQuoteAhead reports whether the next item, which begins at i, has no quotes.
func (p *parser) noQuoteAhead(i int, end byte) bool {
	j := i
	for j < len(p.text) && j < i+maxAhead && p.text[j] != '"' && p.text[j] != ',' && p.text[j] != end {
		j++
	}
	p.steps += j - i
	return j < len(p.text) && j < i+maxAhead && p.text[j] != '"'
}

// wordAhead reports whether one word without quotes stands at i, and a comma or
// the bracket behind it.
func (p *parser) wordAhead(i int, end byte) bool {
	j := i
	for j < len(p.text) && j < i+maxAhead && (p.text[j] == '_' || p.text[j] == '.' || p.text[j] >= utf8.RuneSelf ||
		p.text[j]|0x20 >= 'a' && p.text[j]|0x20 <= 'z' || isDigit(p.text[j])) {
		j++
	}
	p.steps += j - i
	j, _ = p.after(j)
	return j > i && j < len(p.text) && (p.text[j] == ',' || p.text[j] == end)
}
