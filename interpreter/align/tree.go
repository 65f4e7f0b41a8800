package align

import (
	"strings"

	"github.com/dspi-lang/dspi/lang/value"
)

// The tree of a text: what stands there, before anybody asks for a type.
//
//	null, true, 1.5    nullNode, boolNode, numberNode
//	"a", 'a'           textNode: quoted, so it is meant as a text
//	a                  bareNode: words without quotes, which may mean anything
//	[…], (…), {…}      listNode, objectNode
//	<a>…</a>           sectionNode: the text of a field, read as a reply of its own
//
// A node remembers how its text had to be read (fixes); which of them become
// repairs is known when the node is chosen for a value and has a path.
type nodeKind uint8

const (
	nullNode nodeKind = iota
	boolNode
	numberNode
	textNode
	bareNode
	listNode
	objectNode
	sectionNode
)

type node struct {
	kind  nodeKind
	truth bool   // of a boolNode
	fixes fixes  // how the text had to be read
	text  string // of texts; a number as JSON writes it
	keys  []string
	items []*node // elements, or the values of keys

	once   bool  // inner was looked for
	inner  *node // what stands in a text that holds JSON
	oddTag bool  // made of a tag that was not closed
}

// plain returns the node as a value, for types that take anything. The numbers
// are those that DecodeJSON would give.
func (n *node) plain() any {
	switch n.kind {
	case boolNode:
		return n.truth
	case numberNode:
		v, err := value.Number(n.text)
		if err != nil {
			return n.text
		}
		return v
	case textNode, bareNode, sectionNode:
		return n.text
	case listNode:
		out := make([]any, len(n.items))
		for i, x := range n.items {
			out[i] = x.plain()
		}
		return out
	case objectNode:
		o := &value.Object{}
		for i, key := range n.keys {
			o.Set(key, n.items[i].plain())
		}
		return o
	}
	return nil
}

// isWords reports whether n is a text of some kind.
func (n *node) isWords() bool { return n.kind == textNode || n.kind == bareNode }

// classify makes a node of words without quotes: a literal of JSON, one of Python
// or JavaScript, or a text.
func classify(s string) *node {
	n := &node{}
	n.classify(s)
	return n
}

func (n *node) classify(s string) {
	switch s {
	case "null":
		n.kind = nullNode
		return
	case "true", "false":
		n.kind, n.truth = boolNode, s == "true"
		return
	case "None", "undefined", "nil":
		n.kind, n.fixes = nullNode, foreignLiteral.bit()
		return
	case "True", "False":
		n.kind, n.truth, n.fixes = boolNode, s == "True", foreignLiteral.bit()
		return
	}
	if isJSONNumber(s) {
		n.kind, n.text = numberNode, s
	} else if number, ok := foreignNumber(s); ok {
		n.kind, n.text, n.fixes = numberNode, number, foreignLiteral.bit()
	} else {
		n.kind, n.text = bareNode, s
	}
}

// isJSONNumber reports whether s is a number in JSON's grammar.
func isJSONNumber(s string) bool {
	end, _ := scanNumber(s, 0)
	return end == len(s) && s != ""
}

// scanNumber returns the end of the JSON number that begins at i, i if there is
// none, and whether it is whole.
func scanNumber(s string, i int) (end int, whole bool) {
	start, whole := i, true
	if i < len(s) && s[i] == '-' {
		i++
	}
	switch {
	case i >= len(s) || !isDigit(s[i]):
		return start, false
	case s[i] == '0':
		i++
	default:
		i = digitsFrom(s, i)
	}
	if i < len(s) && s[i] == '.' {
		point := i + 1
		if i = digitsFrom(s, point); i == point {
			return start, false
		}
		whole = false
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		power := i
		if i = digitsFrom(s, i); i == power {
			return start, false
		}
		whole = false
	}
	return i, whole
}

// digitsFrom returns the end of the digits that stand at i.
func digitsFrom(s string, i int) int {
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	return i
}

// foreignNumber turns a number as Python and JavaScript write it into JSON's form:
// +3, 1_000, .5, 5., 0x10.
func foreignNumber(s string) (string, bool) {
	if s == "" || len(s) > 400 || strings.IndexByte("+-.0123456789", s[0]) < 0 {
		return "", false
	}
	sign, rest := "", s
	if s[0] == '+' || s[0] == '-' {
		sign, rest = strings.TrimPrefix(s[:1], "+"), s[1:]
	}
	if len(rest) > 2 && rest[0] == '0' && (rest[1] == 'x' || rest[1] == 'X') {
		n, ok := hexNumber(rest[2:])
		return sign + n, ok
	}
	for i := range len(rest) {
		if rest[i] == '_' && (i == 0 || i == len(rest)-1 || !isDigit(rest[i-1]) || !isDigit(rest[i+1])) {
			return "", false
		}
	}
	rest = strings.ReplaceAll(rest, "_", "")
	if strings.HasPrefix(rest, ".") {
		rest = "0" + rest
	}
	if strings.HasSuffix(rest, ".") {
		rest += "0"
	}
	rest = strings.Replace(strings.Replace(rest, ".e", ".0e", 1), ".E", ".0e", 1)
	return sign + rest, isJSONNumber(sign + rest)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
