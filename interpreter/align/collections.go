package align

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

func itoa(n int) string { return strconv.Itoa(n) }

// nested returns what stands in a text that holds a list or an object, nil for any
// other text. It is looked for once.
func (r *run) nested(n *node) *node {
	if r.inside >= maxInside {
		return nil
	}
	if !n.once {
		n.once = true
		s := strings.TrimSpace(n.text)
		if n.isWords() && s != "" && (s[0] == '[' || s[0] == '{') {
			if found, deep := r.candidates(s); !deep && len(found) == 1 && found[0].alone {
				n.inner = found[0].node
			}
		}
	}
	return n.inner
}

// maxInside is how often JSON may stand in a text of JSON in a text of JSON.
const maxInside = 3

// within reads what stands in a text.
func (r *run) within(t types.Type, inner *node, at *loc) (any, bool) {
	r.inside++
	defer func() { r.inside-- }()
	r.fix(nestedJSON, at, "")
	return r.value(t, inner, at)
}

func (r *run) list(t *types.List, n *node, at *loc) (any, bool) {
	switch n.kind {
	case listNode:
	case nullNode:
		return r.misfit(t, n, at)
	case objectNode:
		return r.listOfObject(t, n, at)
	case textNode, bareNode:
		if inner := r.nested(n); inner != nil {
			return r.within(t, inner, at)
		}
		if isNullWord(n.text) {
			return r.misfit(t, n, at)
		}
		if items := r.quotedItems(n.text); items != nil {
			m := r.mark()
			r.fix(linesToList, at, "took the texts for "+itoa(len(items.items))+" items")
			if v, ok := r.list(t, items, at); ok {
				return v, true
			}
			r.reset(m)
		}
		if parts, by := splitList(n.text, isText(t.Elem)); parts != nil {
			m := r.mark()
			r.fix(linesToList, at, "took the "+by+" for "+itoa(len(parts))+" items")
			items := &node{kind: listNode}
			for _, s := range parts {
				items.items = append(items.items, sectionOf(s))
			}
			v, ok := r.list(t, items, at)
			if ok || by != "commas" {
				return v, ok
			}
			r.reset(m)
		}
		return r.listOfOne(t, n, at)
	default:
		return r.listOfOne(t, n, at)
	}
	out := make([]any, len(n.items))
	ok := true
	for i, x := range n.items {
		v, fits := r.value(t.Elem, x, r.item(at, i))
		out[i], ok = v, ok && fits
	}
	return r.sized(t, t.Constraints, out, ok, at)
}

// quotedItems reads texts in quotes with commas between; nil for any other text.
func (r *run) quotedItems(text string) *node {
	text = strings.TrimSpace(text)
	if text == "" || text[0] != '"' && text[0] != '\'' || !strings.Contains(text, ",") {
		return nil
	}
	p := &parser{text: "[" + text + "]", desk: &r.desk}
	n := p.list(']')
	r.steps += p.steps
	if p.at != len(p.text) || p.deep || n.fixes != 0 || len(n.items) < 2 {
		return nil
	}
	for _, x := range n.items {
		if x.kind != textNode || x.fixes&innerQuotes.bit() != 0 {
			return nil
		}
	}
	return n
}

// sectionOf makes a node of a piece of text: a literal, or words.
func sectionOf(s string) *node {
	if n := classify(s); n.kind != bareNode {
		n.fixes = 0
		return n
	}
	return &node{kind: textNode, text: unquoted(s)}
}

// sized holds a list or map that was read against the limits of its type.
func (r *run) sized(t types.Type, c types.Constraints, v any, ok bool, at *loc) (any, bool) {
	if !ok || c.IsZero() {
		return v, ok
	}
	switch t.(type) {
	case *types.Map:
		return r.check(&types.Map{Elem: types.JSON, Constraints: c}, v, at)
	}
	return r.check(&types.List{Elem: types.JSON, Constraints: c}, v, at)
}

// listOfOne takes one value for a list.
func (r *run) listOfOne(t *types.List, n *node, at *loc) (any, bool) {
	key := attempt{t, n}
	if r.busy[key] {
		return r.misfit(t, n, at)
	}
	defer r.enter(key)()
	m := r.mark()
	r.fix(singleToList, at, "")
	v, ok := r.typed(t.Elem, n, r.item(at, 0))
	if !ok && n.isWords() {
		r.reset(m) // words are no list
		return r.misfit(t, n, at)
	}
	return r.sized(t, t.Constraints, []any{v}, ok, at)
}

// enter notes that a node is being read as a type, so that a type that holds only
// itself comes to an end. The function that it returns takes the note back.
func (r *run) enter(key attempt) func() {
	if r.busy == nil {
		r.busy = make(map[attempt]bool)
	}
	r.busy[key] = true
	return func() { delete(r.busy, key) }
}

// listOfObject takes an object where a list is wanted: as its only element, or as
// a wrapper around the list.
func (r *run) listOfObject(t *types.List, n *node, at *loc) (any, bool) {
	m := r.mark()
	v, ok := r.listOfOne(t, n, at)
	if ok {
		return v, true
	}
	bad := r.take(m, v, ok, at)
	if len(n.items) == 1 && n.items[0].kind == listNode {
		r.fix(unwrapped, at, "took the value of "+shown(n.keys[0]))
		return r.value(t, n.items[0], at)
	}
	return r.put(bad, at)
}

// splitList cuts a text into the items of a list: bullets or numbered lines, else
// lines, else commas. For texts, commas only count between a few words each.
func splitList(text string, texts bool) (parts []string, by string) {
	var lines []string
	bullets := 0
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if item, ok := bullet(line); ok {
			bullets++
			lines = append(lines, item)
			continue
		}
		if bullets > 0 { // an item goes on
			lines[len(lines)-1] += "\n" + line
			continue
		}
		lines = append(lines, line)
	}
	switch {
	case bullets > 0 && bullets == len(lines):
		return lines, "bullets"
	case bullets > 1 && bullets == len(lines)-1 && strings.HasSuffix(lines[0], ":"):
		return lines[1:], "bullets"
	case bullets == 0 && len(lines) > 1:
		return lines, "lines"
	case len(lines) != 1 || !strings.ContainsAny(text, ",;"):
		return nil, ""
	}
	separator := ","
	if strings.Contains(text, ";") {
		separator = ";"
	}
	if grouped(lines[0]) {
		return nil, ""
	}
	for part := range strings.SplitSeq(strings.TrimSuffix(lines[0], "."), separator) {
		part = strings.TrimSpace(part)
		if part == "" || texts && len(strings.Fields(part)) > 4 {
			return nil, ""
		}
		parts = append(parts, part)
	}
	return parts, "commas"
}

// grouped reports whether a text is one number with groups of digits: 1,234.
func grouped(s string) bool {
	whole, _, _ := strings.Cut(s, ".")
	for i, group := range strings.Split(strings.TrimLeft(whole, "+-$€£ "), ",") {
		if len(group) != 3 && (i > 0 || len(group) > 3 || group == "") || strings.Trim(group, "0123456789") != "" {
			return false
		}
	}
	return strings.Contains(s, ",")
}

// bullet returns a line without the mark of a list before it: `- `, `* `, `3. `.
func bullet(line string) (string, bool) {
	for _, mark := range []string{"- ", "* ", "• ", "– ", "+ "} {
		if rest, ok := strings.CutPrefix(line, mark); ok {
			return strings.TrimSpace(rest), true
		}
	}
	digits := strings.TrimLeftFunc(line, unicode.IsDigit)
	if n := len(line) - len(digits); n > 0 && n < 4 {
		for _, mark := range []string{". ", ") "} {
			if rest, ok := strings.CutPrefix(digits, mark); ok {
				return strings.TrimSpace(rest), true
			}
		}
	}
	return "", false
}

func (r *run) tuple(t *types.Tuple, n *node, at *loc) (any, bool) {
	if inner := r.nested(n); inner != nil {
		return r.within(t, inner, at)
	}
	if n.isWords() {
		if parts, by := splitList(n.text, false); len(parts) == len(t.Elems) {
			r.fix(linesToList, at, "took the "+by+" for "+itoa(len(parts))+" items")
			n = &node{kind: listNode}
			for _, s := range parts {
				n.items = append(n.items, sectionOf(s))
			}
		}
	}
	if n.kind != listNode || len(n.items) != len(t.Elems) {
		return r.misfit(t, n, at)
	}
	out := make([]any, len(n.items))
	ok := true
	for i, x := range n.items {
		v, fits := r.value(t.Elems[i], x, r.item(at, i))
		out[i], ok = v, ok && fits
	}
	return out, ok
}

func (r *run) mapping(t *types.Map, n *node, at *loc) (any, bool) {
	switch {
	case n.isWords():
		if inner := r.nested(n); inner != nil {
			return r.within(t, inner, at)
		}
		if pairs, rest := namedLines(n.text, nil); len(pairs) > 0 && rest == "" {
			r.fix(linesToObject, at, "")
			n = objectOf(pairs)
		}
	case n.kind == listNode:
		if len(n.items) == 1 && n.items[0].kind == objectNode && !isPair(n.items[0]) {
			r.fix(listToSingle, at, "")
			n = n.items[0]
			r.syntax(n, at)
		} else if pairs := pairsOf(n); pairs != nil {
			r.fix(pairsToMap, at, "")
			n = pairs
		}
	}
	if n.kind != objectNode {
		return r.misfit(t, n, at)
	}
	out := &value.Object{}
	ok := true
	for i, key := range n.keys {
		v, fits := r.value(t.Elem, n.items[i], r.down(at, key))
		out.Set(key, v)
		ok = ok && fits
	}
	return r.sized(t, t.Constraints, out, ok, at)
}

func objectOf(pairs []pair) *node {
	n := &node{kind: objectNode}
	seen := map[string]bool{}
	for _, p := range pairs {
		if !seen[p.name] {
			seen[p.name] = true
			n.keys, n.items = append(n.keys, p.name), append(n.items, &node{kind: sectionNode, text: p.text})
		}
	}
	return n
}

// isPair reports whether n is {key, value} or {name, value}.
func isPair(n *node) bool {
	return n.kind == objectNode && len(n.keys) == 2 && (n.keys[0] == "key" || n.keys[0] == "name") && n.keys[1] == "value"
}

// pairsOf makes an object of a list of pairs; nil if n is none, or names one key
// twice.
func pairsOf(n *node) *node {
	out := &node{kind: objectNode}
	seen := map[string]bool{}
	for _, x := range n.items {
		if !(x.kind == listNode && len(x.items) == 2) && !isPair(x) || !x.items[0].isWords() || seen[x.items[0].text] {
			return nil
		}
		seen[x.items[0].text] = true
		out.keys, out.items = append(out.keys, x.items[0].text), append(out.items, x.items[1])
	}
	if len(out.keys) == 0 {
		return nil
	}
	return out
}
