package align

import (
	"html"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/lang/types"
)

// element is a tag of a reply with what stands in it. The root has no name.
type element struct {
	name       string
	key        string // the attribute of <entry key="…">
	keyed      bool   // written <x=key>
	doc        string // the whole text
	from, to   int    // of what stands between the tags
	outer, end int    // with the tags
	children   []*element
	unclosed   bool
	deep       bool // of the root: tags stand deeper than maxDepth
}

// elementsIn finds the tags of a text in one pass; nil if there are none. A closing
// tag closes the nearest that is open under its name, and with it what was opened
// since; one that closes nothing is text.
func elementsIn(text string, steps *int) *element {
	root := &element{doc: text, to: len(text), end: len(text)}
	stack := []*element{root}
	open := map[string]int{}
	closeTo := func(n, to, end int) {
		for len(stack) > n {
			e := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			open[e.name]--
			e.to, e.end, e.unclosed = to, end, len(stack) > n || end == to
			if e.unclosed {
				e.end = to
			}
		}
	}
	noComment, noData := false, false
	for i := 0; i < len(text); {
		n := strings.IndexByte(text[i:], '<')
		if n < 0 {
			*steps += len(text) - i
			break
		}
		*steps += n + 1
		i += n
		switch rest := text[i:]; {
		case strings.HasPrefix(rest, "<!--") && !noComment:
			n := strings.Index(rest, "-->")
			noComment = n < 0
			i += max(n, 1)
			continue
		case strings.HasPrefix(rest, "<![CDATA[") && !noData:
			n := strings.Index(rest, "]]>")
			noData = n < 0
			i += max(n, 1)
			continue
		}
		name, key, kind, size := tagAt(text[i:])
		*steps += max(size, 1)
		if size == 0 {
			i++
			continue
		}
		switch {
		case kind == '/':
			if open[name] == 0 { // </x> stood in what <x> holds
				of := stack[len(stack)-1].children
				if n := len(of) - 1; n >= 0 && of[n].name == name && len(of[n].children) == 0 && !of[n].unclosed {
					of[n].to, of[n].end = i, i+size
				}
			} else {
				n := len(stack) - 1
				for stack[n].name != name {
					n--
				}
				closeTo(n, i, i+size)
			}
		case len(stack) > maxDepth:
			root.deep = true
		default:
			e := &element{name: name, key: key, doc: text, outer: i, from: i + size, to: i + size, end: i + size}
			e.keyed = text[i+1+len(name)] == '='
			parent := stack[len(stack)-1]
			parent.children = append(parent.children, e)
			if kind != '>' { // <x/>
				break
			}
			stack = append(stack, e)
			open[name]++
		}
		i += size
	}
	closeTo(1, len(text), len(text))
	if len(root.children) == 0 {
		return nil
	}
	return root
}

// maxTag is the length of the longest tag.
const maxTag = 300

// tagAt reads a tag at the start of s: its name, and '>' for one that opens, '/'
// for one that closes, '.' for one that does both. size is 0 where there is none.
func tagAt(s string) (name, key string, kind byte, size int) {
	i := 1
	kind = '>'
	if i < len(s) && s[i] == '/' {
		kind = '/'
		i++
	}
	from := i
	for i < len(s) && i < maxTag {
		r, n := utf8.DecodeRuneInString(s[i:])
		if !unicode.IsLetter(r) && r != '_' && (i == from || !unicode.IsDigit(r) && r != '-' && r != '.') {
			break
		}
		i += n
	}
	name = s[from:i]
	if name == "" {
		return "", "", 0, 0
	}
	end := strings.IndexAny(s[i:min(len(s), i+maxTag)], "<>")
	if end < 0 || s[i+end] == '<' {
		return "", "", 0, 0
	}
	attributes := s[i : i+end]
	size = i + end + 1
	if len(attributes) > 1 && attributes[0] == '=' { // <parameter=name>
		return name, strings.Trim(attributes[1:], " \"'/"), kind, size
	}
	if attributes != "" && !isSpace(attributes[0]) && attributes != "/" {
		return "", "", 0, 0
	}
	if strings.HasSuffix(attributes, "/") && kind == '>' {
		kind = '.'
	}
	if _, after, ok := strings.Cut(attributes, `key=`); ok && len(after) > 1 {
		if value, _, ok := strings.Cut(after[1:], after[:1]); ok {
			key = html.UnescapeString(value)
		}
	}
	return name, key, kind, size
}

// text returns what stands in an element: entities in it are characters; the tags
// of elements in it stay.
func (e *element) text() string {
	var b strings.Builder
	at := e.from
	for _, c := range e.children {
		b.WriteString(unescaped(e.doc[at:c.outer]))
		b.WriteString(e.doc[c.outer:c.end])
		at = c.end
	}
	b.WriteString(unescaped(e.doc[at:max(at, e.to)]))
	return strings.TrimSpace(b.String())
}

func unescaped(s string) string {
	before, rest, ok := strings.Cut(s, "<![CDATA[")
	if !ok {
		return html.UnescapeString(s)
	}
	data, after, ok := strings.Cut(rest, "]]>")
	if !ok {
		return html.UnescapeString(s)
	}
	return html.UnescapeString(before) + data + unescaped(after)
}

// called returns the name of an element: that of an entry is its key.
func (e *element) called() string {
	if (e.name == "entry" || e.keyed) && e.key != "" {
		return e.key
	}
	return e.name
}

// nodeOf makes a node of the elements of one name, as DSPy's XMLAdapter writes t:
// lists of <item>, records and maps of tags of their names.
func nodeOf(elements []*element, t types.Type) *node {
	t, optional := types.Unwrap(t)
	e := elements[0]
	odd := false
	for _, x := range elements {
		odd = odd || x.unclosed
	}
	n := func() *node {
		if optional && len(elements) == 1 && len(e.children) == 0 && e.text() == "" {
			return &node{kind: nullNode}
		}
		switch t := types.Structure(t).(type) {
		case *types.List:
			return listOf(elements, t.Elem)
		case *types.Tuple:
			n := &node{kind: listNode}
			if len(e.children) == 0 {
				return &node{kind: sectionNode, text: e.text()}
			}
			for i, x := range e.children {
				n.items = append(n.items, nodeOf([]*element{x}, t.Elems[min(i, len(t.Elems)-1)]))
			}
			return n
		case *types.Map:
			return e.objectNode(func(string) types.Type { return t.Elem })
		case *types.Record:
			return e.objectNode(func(name string) types.Type {
				for i := range t.Fields {
					if t.Fields[i].Name == name || plainForm(t.Fields[i].Name) == plainForm(name) {
						return t.Fields[i].Type
					}
				}
				return types.JSON
			})
		case *types.Union:
			if composites(t) != nil && len(e.children) > 0 {
				return e.generic()
			}
		case *types.Primitive:
			if t.Row == types.JSON.Row && len(e.children) > 0 {
				return e.generic()
			}
		}
		return &node{kind: sectionNode, text: e.text()}
	}()
	n.oddTag = odd
	return n
}

func listOf(elements []*element, elem types.Type) *node {
	n := &node{kind: listNode}
	e := elements[0]
	if len(elements) == 1 {
		if len(e.children) == 0 {
			if s := e.text(); s != "" {
				return &node{kind: sectionNode, text: s}
			}
			return n
		}
		same := true
		for _, x := range e.children {
			same = same && x.name == e.children[0].name
		}
		if record, ok := types.Structure(elem).(*types.Record); same && ok && e.children[0].name != "item" {
			_, isField := record.Field(e.children[0].name)
			same = !isField
		}
		if isText(elem) && e.children[0].name != "item" && strings.TrimSpace(e.doc[e.from:e.children[0].outer]) != "" {
			same = false // words with tags among them
		}
		if same {
			elements = e.children
		}
	}
	for _, x := range elements {
		n.items = append(n.items, nodeOf([]*element{x}, elem))
	}
	return n
}

// objectNode makes an object of the elements in e.
func (e *element) objectNode(typeOf func(name string) types.Type) *node {
	if len(e.children) == 0 {
		if s := e.text(); s != "" {
			return &node{kind: sectionNode, text: s}
		}
		return &node{kind: objectNode}
	}
	n := &node{kind: objectNode}
	names, groups := e.groups()
	for _, name := range names {
		n.keys, n.items = append(n.keys, name), append(n.items, nodeOf(groups[name], typeOf(name)))
	}
	return n
}

// groups returns the elements in e by name, and the names in order.
func (e *element) groups() (names []string, groups map[string][]*element) {
	groups = make(map[string][]*element, len(e.children))
	for _, x := range e.children {
		name := x.called()
		if groups[name] == nil {
			names = append(names, name)
		}
		groups[name] = append(groups[name], x)
	}
	return names, groups
}

// generic makes a node of an element of which no type is known.
func (e *element) generic() *node {
	names, groups := e.groups()
	switch {
	case len(names) == 0:
		return sectionOf(e.text())
	case len(names) == 1 && names[0] == "item":
		n := &node{kind: listNode}
		for _, x := range e.children {
			n.items = append(n.items, x.generic())
		}
		return n
	}
	n := &node{kind: objectNode}
	for _, name := range names {
		child := groups[name][0].generic()
		if len(groups[name]) > 1 {
			child = &node{kind: listNode}
			for _, x := range groups[name] {
				child.items = append(child.items, x.generic())
			}
		}
		n.keys, n.items = append(n.keys, name), append(n.items, child)
	}
	return n
}

// object finds the fields of t among the elements of a text, at the top or inside
// one element around them; nil if there are none.
func (e *element) object(t *types.Record, r *run) *node {
	for _, from := range []*element{e, e.only()} {
		if from == nil {
			continue
		}
		n := &node{kind: objectNode}
		names, groups := from.groups()
		for _, name := range names {
			if i, _ := r.find(t, name); i >= 0 {
				n.keys, n.items = append(n.keys, name), append(n.items, nodeOf(groups[name], t.Fields[i].Type))
			}
		}
		if len(n.keys) > 0 {
			return n
		}
	}
	return nil
}

// only returns the one element in e, nil if there is not one.
func (e *element) only() *element {
	if len(e.children) != 1 {
		return nil
	}
	return e.children[0]
}

// tagged returns the element that a text consists of, nil if it is no such text.
func tagged(text string, steps *int) *element {
	if !strings.HasPrefix(text, "<") {
		return nil
	}
	root := elementsIn(text, steps)
	if root == nil || root.deep {
		return nil
	}
	e := root.only()
	if e == nil || e.outer > 0 || strings.TrimSpace(text[e.end:]) != "" {
		return nil
	}
	return e
}
