package align

import (
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// grower reads one JSON value of a type from text that comes in pieces. Each byte
// is looked at once. What it shows is certain: texts as far as they have come, and
// everything else only when it is whole. Where the text is not plain JSON of the
// type's shape, the grower is lost: it shows what it had, and the whole reply is
// left to Read.
type grower struct {
	stack  []growing
	result any
	done   bool // the value is whole
	lost   bool
	fresh  bool // something was added since the last look
	open   bool // the outermost record may lack fields
}

// growing is a value that is not whole yet.
type growing struct {
	kind  growKind
	typ   types.Type // without the optional around it; nil: any
	null  bool       // null fits
	state growState
	skip  bool // the value of a name that the type does not have

	object *value.Object
	list   []any
	name   string // of an object: the one whose value is being read
	text   *strings.Builder
	quoted bool // of a leaf or opaque value: it is, or is within, a text

	escape []byte // a part of \uXXXX, from the backslash on
	high   rune   // the first half of a pair
	depth  int    // of brackets within an opaque value
}

type growKind int

const (
	growAny    growKind = iota // nothing of it was seen yet
	growObject                 // { … }
	growList                   // [ … ]
	growText                   // a text that is shown while it grows
	growName                   // a name in an object
	growLeaf                   // a number, a word, or a text that counts only when whole
	growOpaque                 // a union or the like: read when it is whole
)

type growState int

const (
	beforeFirst growState = iota // behind { or [
	beforeItem                   // behind a comma
	afterName                    // before the colon
	inItem                       // an item is being read
	afterItem
)

func newGrower(t types.Type) *grower {
	g := &grower{}
	g.push(t, false)
	return g
}

func (g *grower) push(t types.Type, skip bool) {
	n := growing{skip: skip, text: &strings.Builder{}}
	if t != nil {
		n.typ, n.null = types.Unwrap(t)
		if n.typ == types.JSON {
			n.typ = nil
		}
	}
	g.stack = append(g.stack, n)
}

// feed reads more text.
func (g *grower) feed(s string) {
	for len(s) > 0 && !g.lost {
		if g.done {
			return // Read sees what follows
		}
		n := &g.stack[len(g.stack)-1]
		var used int
		switch n.kind {
		case growText, growName:
			used = g.inText(n, s)
		case growLeaf:
			used = g.inLeaf(n, s)
		case growOpaque:
			used = g.inOpaque(n, s)
		default:
			used = 1
			if !isSpace(s[0]) {
				used = g.structure(n, s[0])
			}
		}
		s = s[used:]
	}
}

// structure reads a byte between texts and leaves. It returns how many bytes it
// has used: 0 when the byte is the first of something else.
func (g *grower) structure(n *growing, c byte) int {
	switch n.kind {
	case growAny:
		return g.begin(n, c)
	case growObject:
		switch {
		case c == '"' && (n.state == beforeFirst || n.state == beforeItem):
			n.state = afterName
			g.stack = append(g.stack, growing{kind: growName, text: &strings.Builder{}})
		case c == ':' && n.state == afterName:
			n.state = inItem
			g.fresh = g.fresh || len(g.stack) == 1
			g.item(n)
		case c == ',' && n.state == afterItem:
			n.state = beforeItem
		case c == '}' && (n.state == beforeFirst || n.state == afterItem):
			g.endObject(n)
		default:
			g.lost = true
		}
	case growList:
		switch {
		case c == ']' && (n.state == beforeFirst || n.state == afterItem):
			g.end(n.list)
		case c == ',' && n.state == afterItem:
			n.state = beforeItem
		case n.state == beforeFirst || n.state == beforeItem:
			n.state = inItem
			t, ok := elem(n.typ, len(n.list))
			if !ok {
				g.lost = true
				return 1
			}
			g.push(t, n.skip)
			return 0
		default:
			g.lost = true
		}
	}
	return 1
}

// elem returns the type of a list's element; nil: any.
func elem(t types.Type, i int) (types.Type, bool) {
	switch t := t.(type) {
	case nil:
		return nil, true
	case *types.List:
		return t.Elem, true
	case *types.Tuple:
		if i < len(t.Elems) {
			return t.Elems[i], true
		}
	}
	return nil, false
}

// item begins the value of a name.
func (g *grower) item(n *growing) {
	switch t := n.typ.(type) {
	case nil:
		g.push(nil, n.skip)
	case *types.Map:
		g.push(t.Elem, n.skip)
	case *types.Record:
		if f, ok := t.Field(n.name); ok {
			g.push(f.Type, n.skip)
		} else {
			g.push(nil, true)
		}
	}
}

// begin looks at the first byte of a value.
func (g *grower) begin(n *growing, c byte) int {
	switch t := n.typ.(type) {
	case nil:
		switch c {
		case '{':
			n.kind, n.object = growObject, &value.Object{}
		case '[':
			n.kind, n.list = growList, []any{}
		case '"':
			n.kind = growText
		default:
			n.kind = growLeaf
			return 0
		}
		g.fresh = true
		return 1
	case *types.Record, *types.Map:
		if c == '{' {
			n.kind, n.object, g.fresh = growObject, &value.Object{}, true
			return 1
		}
	case *types.List, *types.Tuple:
		if c == '[' {
			n.kind, n.list, g.fresh = growList, []any{}, true
			return 1
		}
	case *types.Primitive:
		if t.Row.Name == "string" && c == '"' {
			n.kind, g.fresh = growText, true
			return 1
		}
		if c != '{' && c != '[' {
			n.kind = growLeaf
			return 0
		}
		n.kind = growOpaque
		return 0
	case *types.Enum, *types.Literal:
		n.kind = growLeaf
		return 0
	default:
		n.kind = growOpaque
		return 0
	}
	if n.null && c == 'n' {
		n.kind = growLeaf
		return 0
	}
	g.lost = true
	return 1
}

// endObject ends an object. A record gets what may be missing.
func (g *grower) endObject(n *growing) {
	r, ok := n.typ.(*types.Record)
	if !ok || n.skip || g.open && len(g.stack) == 1 {
		g.end(n.object)
		return
	}
	full, faults := value.Check(r, n.object, value.Lax)
	if faults != nil {
		g.lost = true
		return
	}
	g.end(full)
}

// end takes a whole value off the stack and gives it to what it stands in.
func (g *grower) end(v any) {
	skip := g.stack[len(g.stack)-1].skip
	g.stack = g.stack[:len(g.stack)-1]
	g.fresh = g.fresh || !skip
	if len(g.stack) == 0 {
		g.result, g.done = v, true
		return
	}
	n := &g.stack[len(g.stack)-1]
	n.state = afterItem
	if n.kind == growList {
		n.list = append(n.list, v)
		return
	}
	if skip && !n.skip {
		return
	}
	n.object.Set(n.name, v)
}

// inText reads on in a text.
func (g *grower) inText(n *growing, s string) int {
	if n.escape != nil {
		return g.inEscape(n, s)
	}
	i := strings.IndexAny(s, "\"\\\n")
	if i < 0 {
		i = len(s)
	}
	if i > 0 {
		if n.high != 0 {
			n.text.WriteRune(utf8.RuneError)
			n.high = 0
		}
		n.text.WriteString(s[:i])
		g.fresh = true
	}
	if i == len(s) {
		return i
	}
	switch s[i] {
	case '\\':
		n.escape = []byte{'\\'}
	case '\n': // no JSON: what ends this text is a matter of repair
		g.lost = true
	default:
		if n.high != 0 {
			n.text.WriteRune(utf8.RuneError)
		}
		text := n.text.String()
		if n.kind == growText {
			g.end(text)
			break
		}
		g.stack = g.stack[:len(g.stack)-1]
		outer := &g.stack[len(g.stack)-1]
		_, twice := outer.object.Get(text)
		g.lost = twice
		outer.name = text
	}
	return i + 1
}

func (g *grower) inEscape(n *growing, s string) int {
	c := s[0]
	n.escape = append(n.escape, c)
	if len(n.escape) == 2 && c != 'u' {
		plain := escapes[c]
		if plain == 0 {
			g.lost = true
			return 1
		}
		if n.high != 0 {
			n.text.WriteRune(utf8.RuneError)
			n.high = 0
		}
		n.text.WriteByte(plain)
		n.escape, g.fresh = nil, true
		return 1
	}
	if len(n.escape) < 6 {
		return 1
	}
	var r rune
	for _, h := range n.escape[2:] {
		d := strings.IndexByte("0123456789abcdef", h|0x20)
		if d < 0 {
			g.lost = true
			return 1
		}
		r = r<<4 | rune(d)
	}
	n.escape = nil
	switch {
	case n.high != 0 && utf16.IsSurrogate(r) && utf16.DecodeRune(n.high, r) != utf8.RuneError:
		n.text.WriteRune(utf16.DecodeRune(n.high, r))
		n.high = 0
	case n.high != 0:
		g.lost = true
	case r >= 0xD800 && r < 0xDC00:
		n.high = r
	default:
		n.text.WriteRune(r)
	}
	g.fresh = true
	return 1
}

// inLeaf reads on in a number, a word or a text that counts only when whole.
func (g *grower) inLeaf(n *growing, s string) int {
	if n.text.Len() == 0 && s[0] == '"' {
		n.quoted = true
		n.text.WriteByte('"')
		return 1
	}
	if n.quoted {
		i, whole := textEnd(n, s)
		n.text.WriteString(s[:i])
		if whole {
			g.settle(n)
		}
		return i
	}
	i := strings.IndexAny(s, ",}] \n\r\t")
	if i < 0 {
		i = len(s)
	}
	n.text.WriteString(s[:i])
	if i == len(s) {
		return i
	}
	g.settle(n)
	return i
}

// textEnd returns how much of s belongs to the text that n is within, and whether
// it ends there.
func textEnd(n *growing, s string) (int, bool) {
	for i := 0; i < len(s); i++ {
		switch {
		case n.escape != nil:
			n.escape = nil
		case s[i] == '\\':
			n.escape = []byte{'\\'}
		case s[i] == '"':
			return i + 1, true
		}
	}
	return len(s), false
}

func (g *grower) inOpaque(n *growing, s string) int {
	for i := 0; i < len(s); {
		if n.quoted {
			j, whole := textEnd(n, s[i:])
			i += j
			if whole {
				n.quoted = false
				if n.depth == 0 {
					n.text.WriteString(s[:i])
					g.settle(n)
					return i
				}
			}
			continue
		}
		switch c := s[i]; {
		case c == '"':
			n.quoted = true
		case c == '{' || c == '[':
			n.depth++
		case (c == '}' || c == ']') && n.depth > 0:
			if n.depth--; n.depth == 0 {
				n.text.WriteString(s[:i+1])
				g.settle(n)
				return i + 1
			}
		case n.depth == 0 && (c == ',' || c == '}' || c == ']' || isSpace(c)):
			n.text.WriteString(s[:i])
			g.settle(n)
			return i
		}
		i++
	}
	n.text.WriteString(s)
	return len(s)
}

// settle ends a value that counts only now that it is whole.
func (g *grower) settle(n *growing) {
	v, err := value.DecodeJSON([]byte(n.text.String()))
	switch {
	case err != nil:
		g.lost = true
	case n.typ == nil || n.skip, n.null && v == nil:
		g.end(v)
	case types.Equal(n.typ, types.String):
		g.lost = true // a number or an object where a text should be
	default:
		fitting, faults := value.Check(n.typ, v, value.Lax)
		if faults != nil {
			g.lost = true
			return
		}
		g.end(fitting)
	}
}

// look returns the value as far as it has come, and whether there is any of it.
// Later text does not change what it returned.
func (g *grower) look() (any, bool) {
	if g.done {
		return g.result, true
	}
	var v any
	seen := false
	for _, n := range slices.Backward(g.stack) {
		switch {
		case n.skip:
			seen = false
		case n.kind == growText:
			v, seen = whole(n.text.String()), true
		case n.kind == growObject:
			o := n.object.Clone()
			if seen {
				o.Set(n.name, v)
			}
			v, seen = o, true
		case n.kind == growList:
			list := slices.Clip(n.list)
			if seen {
				list = append(list, v)
			}
			v, seen = list, true
		default:
			seen = false
		}
	}
	return v, seen
}
