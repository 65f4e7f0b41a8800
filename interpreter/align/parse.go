package align

import (
	"slices"
	"strings"
)

// The tolerant parser. It reads one value that begins like JSON's, whatever is
// wrong with it, and never gives up: each thing that is not as in JSON is taken in
// the one way in which it makes sense and noted on its node.
//
// It goes through the text once. What it looks at ahead of its place is bounded:
// the white space up to the next character, and at most maxAhead bytes to see
// whether a name with its colon follows. (quotes.go says where a text ends.) So
// its time grows with the text and not faster; steps counts the work, and a test
// holds it to that.

const (
	// maxDepth is how deep lists and objects may nest.
	maxDepth = 200
	// fewKeys is how many names are looked through one by one.
	fewKeys = 16
	// maxAhead is how far the parser looks for the end of a name.
	maxAhead = 200
)

type parser struct {
	text   string
	at     int
	fenced bool   // ``` ends the value
	open   []byte // the closers of what is open
	deep   bool   // nested deeper than maxDepth: nothing was read
	steps  int    // bytes looked at

	tripleless [4]bool // no further """, ''', ```, in the text
	*desk
}

// node makes a node.
func (p *parser) node(k nodeKind) *node {
	n := p.nodes.one()
	n.kind = k
	return n
}

// close gives n its children, those from base on.
func (p *parser) close(n *node, base int) {
	of := p.children[base:]
	n.items = p.items.take(len(of))
	for i, m := range of {
		n.items[i] = m.node
	}
	if n.kind == objectNode {
		n.keys = p.keys.take(len(of))
		for i, m := range of {
			n.keys[i] = m.key
		}
	}
	p.children = cutBack(p.children, base)
}

// isSpace reports whether c is white space between tokens.
func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// after returns the place of the first character from i on that is no white space,
// and whether a line ends before it.
func (p *parser) after(i int) (int, bool) {
	from, line := i, false
	for i < len(p.text) {
		c := p.text[i]
		if !isSpace(c) {
			if c != 0xC2 || !strings.HasPrefix(p.text[i:], "\u00A0") {
				break
			}
			i++
		}
		line = line || c == '\n'
		i++
	}
	p.steps += i - from
	return i, line
}

// space goes over white space and comments.
func (p *parser) space() fixes {
	var seen fixes
	for {
		p.at, _ = p.after(p.at)
		rest := p.text[p.at:]
		if rest == "" || rest[0] != '/' && rest[0] != '#' && rest[0] != '\\' {
			return seen
		}
		switch {
		case strings.HasPrefix(rest, "//"), isHashComment(rest):
			n := strings.IndexByte(rest, '\n')
			if n < 0 {
				n = len(rest)
			}
			p.advance(n)
		case strings.HasPrefix(rest, "/*"):
			n := strings.Index(rest, "*/")
			if n < 0 {
				n = len(rest) - 2
			}
			p.advance(n + 2)
		case strings.HasPrefix(rest, `\n`), strings.HasPrefix(rest, `\t`), strings.HasPrefix(rest, `\r`):
			p.advance(2) // JSON that was escaped as a whole
			seen |= oddEscape.bit()
			continue
		default:
			return seen
		}
		seen |= aComment.bit()
	}
}

// isHashComment reports whether a comment of Python begins here: `# words`.
func isHashComment(s string) bool {
	return len(s) > 0 && s[0] == '#' && (len(s) == 1 || s[1] == ' ' || s[1] == '#' || s[1] == '\n')
}

func (p *parser) advance(n int) {
	p.at += n
	p.steps += n
}

// ended reports whether nothing more belongs to the value.
func (p *parser) ended() bool {
	return p.at >= len(p.text) || p.fenced && strings.HasPrefix(p.text[p.at:], "```")
}

// isOpen reports whether a bracket that is open, other than the innermost, is
// closed by c.
func (p *parser) isOpen(c byte) bool {
	for i := len(p.open) - 2; i >= 0; i-- {
		if p.open[i] == c {
			return true
		}
	}
	return false
}

// within returns what closes the bracket around the innermost one, 0 if none.
func (p *parser) within() byte {
	if len(p.open) < 2 {
		return 0
	}
	return p.open[len(p.open)-2]
}

// value reads a value inside the bracket that end closes, 0 for none.
func (p *parser) value(end byte) *node {
	p.steps++
	c := p.text[p.at]
	switch c {
	case '{':
		return p.object()
	case '[':
		return p.list(']')
	case '(':
		return p.list(')')
	}
	if opener := p.opener(); opener != "" {
		return p.quoted(opener, end)
	}
	return p.bare(end)
}

func (p *parser) object() *node {
	n := p.node(objectNode)
	base := len(p.children)
	p.advance(1)
	if !p.push('}') {
		return n
	}
	defer p.pop()
	colons, comma := 0, false
	var seen map[string]int // where there are many
	for {
		n.fixes |= p.space()
		if p.ended() {
			n.fixes |= cutOff.bit()
			break
		}
		c := p.text[p.at]
		if end := p.strays(); c == '}' && end > 0 {
			n.fixes |= oddBracket.bit()
			p.at = end
			comma = true
			continue
		}
		if c == '}' {
			if comma {
				n.fixes |= trailingComma.bit()
			}
			p.advance(1)
			break
		}
		if c == '#' { // no name begins so
			n.fixes |= aComment.bit()
			p.advance(1)
			for p.at < len(p.text) && p.text[p.at] != '\n' {
				p.advance(1)
			}
			continue
		}
		if c == ',' || c == ';' {
			n.fixes |= extraComma.bit()
			p.advance(1)
			continue
		}
		if c == ']' || c == ')' || c == '{' || c == '[' || c == '(' {
			n.fixes |= oddBracket.bit()
			if c != '{' && c != '[' && c != '(' && p.isOpen(c) {
				break
			}
			p.advance(1)
			continue
		}
		if len(p.children) > base && !comma {
			n.fixes |= missingComma.bit()
		}
		key, fix := p.key()
		n.fixes |= p.space()
		x, colon := p.member(&fix)
		comma = false
		if colon {
			colons++
		}
		if x == nil { // cut off between name and value
			n.fixes |= cutOff.bit() | fix
			break
		}
		x.fixes |= fix
		before := p.children[base:]
		i, twice := seen[key]
		if len(before) <= fewKeys {
			i = slices.IndexFunc(before, func(c child) bool { return c.key == key })
			twice = i >= 0
		}
		if twice && colon {
			x.fixes |= duplicateKey.bit()
			before[i].node = x
		} else {
			if len(before) == fewKeys {
				seen = make(map[string]int)
				for i, m := range before {
					seen[m.key] = i
				}
			}
			if seen != nil {
				seen[key] = len(before)
			}
			p.children = append(p.children, child{key, x})
		}
		n.fixes |= p.space()
		if !p.ended() && p.text[p.at] == ',' {
			p.advance(1)
			comma = true
		}
	}
	p.close(n, base)
	if colons == 0 && len(n.keys) > 0 { // {"a", "b"}: a set of Python
		n.kind = listNode
		n.fixes |= foreignLiteral.bit()
		for i, key := range n.keys {
			n.items[i] = classify(key)
			if n.items[i].kind == bareNode {
				n.items[i].kind = textNode
			}
		}
		n.keys = nil
	}
	return n
}

// strays returns where the object goes on if the } here does not close it: another
// follows that closes nothing, then a comma and a name. It is 0 otherwise.
func (p *parser) strays() int {
	j, _ := p.after(p.at + 1)
	if j >= len(p.text) || p.text[j] != '}' || p.isOpen('}') {
		return 0
	}
	j, _ = p.after(j + 1)
	if j >= len(p.text) || p.text[j] != ',' {
		return 0
	}
	j, _ = p.after(j + 1)
	if !p.nameAhead(j) {
		return 0
	}
	return j
}

// member reads the colon and the value behind a name. It is nil where the text
// ends before the value.
func (p *parser) member(fix *fixes) (x *node, colon bool) {
	if p.ended() {
		return nil, false
	}
	switch c := p.text[p.at]; {
	case c == ':':
		p.advance(1)
		if p.at < len(p.text) && p.text[p.at] == '=' {
			p.advance(1)
			*fix |= oddColon.bit()
		}
	case c == '=':
		p.advance(1)
		if p.at < len(p.text) && p.text[p.at] == '>' {
			p.advance(1)
		}
		*fix |= oddColon.bit()
	case c == ',' || c == '}' || c == ']':
		*fix |= missingValue.bit()
		return &node{}, false
	default:
		*fix |= oddColon.bit()
	}
	*fix |= p.space()
	if p.at >= len(p.text) || p.ended() && !p.fenceHolds() {
		return nil, true
	}
	if c := p.text[p.at]; c == ',' || c == '}' || c == ']' && p.isOpen(c) {
		*fix |= missingValue.bit()
		return &node{}, true
	}
	return p.value('}'), true
}

// key reads a name. It takes at least one byte.
func (p *parser) key() (string, fixes) {
	if opener := p.opener(); opener != "" {
		n := p.quoted(opener, 'k')
		return n.text, n.fixes &^ cutOff.bit()
	}
	start := p.at
	for p.at < len(p.text) {
		c := p.text[p.at]
		if c == '"' && p.at > start && isSpace(p.text[p.at-1]) && p.nameAhead(p.at) { // words before the name
			name, fix := p.key()
			return name, fix | aComment.bit()
		}
		if c == ':' || c == '=' || c == ',' || c == '}' || c == '\n' || (c == ']' || c == '{' || c == '[') && p.at > start {
			break
		}
		p.advance(1)
	}
	if p.at == start {
		p.advance(1)
	}
	return strings.TrimSpace(p.text[start:p.at]), unquotedKey.bit()
}

// list reads what end closes: a list, or a tuple of Python.
func (p *parser) list(end byte) *node {
	n := p.node(listNode)
	base := len(p.children)
	p.advance(1)
	if !p.push(end) {
		return n
	}
	defer p.pop()
	comma, closed := false, false
	for {
		n.fixes |= p.space()
		if p.ended() {
			n.fixes |= cutOff.bit()
			break
		}
		c := p.text[p.at]
		if c == end {
			closed = true
			p.advance(1)
			break
		}
		if c == ',' || c == ';' {
			n.fixes |= extraComma.bit()
			p.advance(1)
			comma = true
			continue
		}
		if c == '}' || c == ']' || c == ')' || c == ':' {
			n.fixes |= oddBracket.bit()
			if p.isOpen(c) {
				break
			}
			p.advance(1)
			if c != ':' && !p.isOpen(end) && len(p.open) == 1 { // [1, 2}
				closed = true
				break
			}
			continue
		}
		if len(p.children) > base && !comma {
			n.fixes |= missingComma.bit()
		}
		start := p.at
		x := p.value(end)
		n.fixes |= p.space()
		if x.kind == textNode && !p.ended() && p.text[p.at] == ':' && p.within() == '}' {
			p.at = start // the list was not closed before the next name
			n.fixes |= oddBracket.bit()
			comma, closed = false, true
			break
		}
		p.children = append(p.children, child{node: x})
		comma = !p.ended() && p.text[p.at] == ','
		if comma {
			p.advance(1)
		}
	}
	p.close(n, base)
	if end == ')' {
		n.fixes |= foreignLiteral.bit()
		if len(n.items) == 1 && !comma && closed {
			one := n.items[0] // (1) is 1, (1,) a list
			one.fixes |= n.fixes
			return one
		}
	} else if comma && closed {
		n.fixes |= trailingComma.bit()
	}
	return n
}

func (p *parser) push(end byte) bool {
	p.open = append(p.open, end)
	if len(p.open) > maxDepth {
		p.deep = true
		p.at = len(p.text)
	}
	return !p.deep
}

func (p *parser) pop() { p.open = p.open[:len(p.open)-1] }
