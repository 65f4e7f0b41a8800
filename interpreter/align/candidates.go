package align

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// candidate is a value that was found in a text.
type candidate struct {
	node   *node
	fenced bool
	alone  bool // nothing but the value stands in the text, or in its fence
}

// maxRetries is how often a bracket may turn out to be none: `see [the notes`.
const maxRetries = 16

// candidates finds what may be meant as a value in a text: each list and object, in
// its order. deep says that one is nested deeper than the limit, and none counts.
func (r *run) candidates(text string) (out []candidate, deep bool) {
	p := &parser{text: text, desk: &r.desk}
	defer func() { r.steps += p.steps }()
	first, retries := len(text), maxRetries
	inFence := false
	end := 0 // of the last candidate
	words := false
	for i := 0; i < len(text); {
		c := text[i]
		p.steps++
		if !mayBegin[c] {
			if !isSpace(c) {
				first, words = min(first, i), true
			}
			i++
			continue
		}
		switch {
		case c == '`' && strings.HasPrefix(text[i:], "```"):
			inFence = !inFence
			i += 3
			if inFence { // the language
				for i < len(text) && (unicode.IsLetter(rune(text[i])) || isDigit(text[i])) {
					i++
				}
			}
			continue
		case c == '[' && isHeader(text[i:]):
			words = true
			i += 2
			continue
		case c == '(' && first == len(text) && strings.HasSuffix(text, ")"):
		case c != '{' && c != '[' || !p.plausible(i):
			first, words = min(first, i), true
			i++
			continue
		}
		first = min(first, i)
		p.at, p.fenced, p.open = i, inFence, p.open[:0]
		n := p.value(0)
		if p.deep {
			return nil, true
		}
		if retries > 0 && unlikely(n, text, p.at) {
			retries--
			words = true
			i++
			continue
		}
		out = append(out, candidate{node: n, fenced: inFence})
		end = p.at
		i = end
	}
	if len(out) == 1 && !words && strings.Trim(text[end:], "` \t\r\n") == "" {
		out[0].alone = true
		out[0].fenced = out[0].fenced || strings.Contains(text[end:], "`")
	}
	return out, false
}

// mayBegin are the bytes with which a value, a fence or a header begins.
var mayBegin = [256]bool{'{': true, '[': true, '(': true, '`': true}

// isHeader reports whether s begins with a header of the chat format.
func isHeader(s string) bool {
	if !strings.HasPrefix(s, "[[") {
		return false
	}
	return strings.HasPrefix(strings.TrimLeft(s[2:min(len(s), 12)], " "), "#")
}

// plausible reports whether a bracket in a text may begin a value.
func (p *parser) plausible(i int) bool {
	j, _ := p.after(i + 1)
	if j >= len(p.text) {
		return false
	}
	c := p.text[j]
	if p.text[i] == '{' {
		switch {
		case strings.IndexByte("\"'`}\\/#{", c) >= 0, strings.HasPrefix(p.text[j:], "“"), strings.HasPrefix(p.text[j:], "‘"):
			return true
		}
		return p.nameAhead(j) || p.arrowAhead(j)
	}
	switch {
	case strings.IndexByte("\"'`[{]-+.(\\/", c) >= 0, isDigit(c), strings.HasPrefix(p.text[j:], "“"):
		return true
	}
	r, _ := utf8.DecodeRuneInString(p.text[j:])
	return unicode.IsLetter(r)
}

// arrowAhead reports whether a name and `=` stand at i.
func (p *parser) arrowAhead(i int) bool {
	j := i
	for j < len(p.text) && j < i+maxAhead && (p.text[j] == '_' || p.text[j]|0x20 >= 'a' && p.text[j]|0x20 <= 'z' || isDigit(p.text[j])) {
		j++
	}
	p.steps += j - i
	k, _ := p.after(j)
	return j > i && k < len(p.text) && p.text[k] == '='
}

// unlikely reports whether what was read at a bracket among words is no value: a
// list of words that was never closed, or the words of a link.
func unlikely(n *node, text string, end int) bool {
	if n.kind == listNode && len(n.items) > 0 && n.items[0].kind == bareNode {
		return n.fixes&cutOff.bit() != 0 || n.items[len(n.items)-1].fixes&cutOff.bit() != 0 ||
			end < len(text) && text[end] == '('
	}
	return n.kind == objectNode && len(n.items) == 0 && n.fixes&cutOff.bit() != 0
}

// alone reads a text that is one value and nothing else, without a bracket around
// it: words in quotes, a number, true. It is nil for any other.
func (r *run) alone(text string) *node {
	if text == "" {
		return nil
	}
	p := &parser{text: text, desk: &r.desk}
	defer func() { r.steps += p.steps }()
	if p.opener() != "" && !strings.HasPrefix(text, "```") {
		n := p.value(0)
		if p.at == len(text) && n.fixes&cutOff.bit() == 0 && (n.fixes&innerQuotes.bit() == 0 || !strings.Contains(text, "\", \"")) {
			return n
		}
		return nil
	}
	if len(text) > 400 {
		return nil
	}
	if n := classify(text); n.kind != bareNode {
		return n
	}
	return nil
}

// unfence returns what stands in the only fence of a text, and whether words stand
// around it. ok is false where there is no fence or more than one.
func unfence(text string) (inner string, words, ok bool) {
	i := strings.Index(text, "```")
	if i < 0 {
		return "", false, false
	}
	rest := text[i+3:]
	if line, after, cut := strings.Cut(rest, "\n"); cut && isWord(strings.TrimSpace(line)) {
		rest = after
	}
	inner, after, closed := strings.Cut(rest, "```")
	if closed && strings.Contains(after, "```") {
		return "", false, false
	}
	return strings.TrimSpace(inner), strings.TrimSpace(text[:i]) != "" || strings.TrimSpace(after) != "", true
}

func isWord(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) < 0
}
