package align

import (
	"slices"
	"strings"
	"unicode"

	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// plainNames returns the plain forms of a record's names, in the order of its
// fields; "" for a form that two share. They are made once for each reading.
func (r *run) plainNames(t *types.Record) []string {
	if known, ok := r.names[t]; ok {
		return known
	}
	out := make([]string, len(t.Fields))
	shared := map[string]int{}
	for i := range t.Fields {
		out[i] = plainForm(t.Fields[i].Name)
		shared[out[i]]++
	}
	for i, form := range out {
		if shared[form] > 1 {
			out[i] = ""
		}
	}
	if r.names == nil {
		r.names = make(map[*types.Record][]string)
	}
	r.names[t] = out
	return out
}

// find returns the field that a key means, and whether it is its very name; -1
// means none.
func (r *run) find(t *types.Record, key string) (i int, exact bool) {
	for i := range t.Fields {
		if t.Fields[i].Name == key {
			return i, true
		}
	}
	if len(key) > 200 {
		return -1, false
	}
	if form := plainForm(key); form != "" {
		return slices.Index(r.plainNames(t), form), false
	}
	return -1, false
}

func (r *run) record(t *types.Record, n *node, at *loc) (any, bool) {
	switch n.kind {
	case objectNode:
		return r.object(t, n, at)
	case listNode:
		if len(n.items) == 1 && !(len(t.Fields) == 1 && isList(t.Fields[0].Type)) {
			r.fix(listToSingle, at, "")
			return r.value(t, n.items[0], at)
		}
	case textNode, bareNode:
		if inner := r.nested(n); inner != nil {
			return r.within(t, inner, at)
		}
		wanted := func(name string) bool { i, _ := r.find(t, name); return i >= 0 }
		if pairs, _ := namedLines(n.text, wanted); len(pairs) > 0 {
			m := r.mark()
			r.fix(linesToObject, at, "")
			v, ok := r.object(t, objectOf(pairs), at)
			if ok || len(t.Fields) > 1 {
				return v, ok
			}
			r.reset(m)
		}
		if tags := elementsIn(n.text, &r.steps); tags != nil {
			if o := tags.object(t, r); o != nil {
				r.fix(linesToObject, at, "took tags for fields")
				return r.object(t, o, at)
			}
		}
	}
	return r.implied(t, n, at)
}

func isList(t types.Type) bool {
	t, _ = types.Unwrap(t)
	_, ok := types.Structure(t).(*types.List)
	return ok
}

// implied takes a value for the only field of a record. Words without quotes may
// be anything, so they are not taken for a text.
func (r *run) implied(t *types.Record, n *node, at *loc) (any, bool) {
	key := attempt{t, n}
	if len(t.Fields) != 1 || n.kind == nullNode || r.busy[key] ||
		n.kind == bareNode && takesText(t.Fields[0].Type) && r.mode != Lenient {
		return r.misfit(t, n, at)
	}
	defer r.enter(key)()
	m := r.mark()
	f := &t.Fields[0]
	r.fix(impliedField, at, "took the value for its field "+f.Name)
	v, ok := r.typed(f.Type, n, r.down(at, f.Name))
	if !ok {
		r.reset(m)
		return r.misfit(t, n, at)
	}
	return value.NewObject(f.Name, v), true
}

// object reads the names and values of an object as the fields of t.
func (r *run) object(t *types.Record, n *node, at *loc) (any, bool) {
	var few [16]int
	var fewInexact [16]bool
	from, inexact := few[:], fewInexact[:] // which key gives a field, counted from 1
	if len(t.Fields) > len(few) {
		from, inexact = make([]int, len(t.Fields)), make([]bool, len(t.Fields))
	}
	var extra []int
	var rest []string // the keys once more, where one is no very name

	for i, key := range n.keys { // the very names first
		switch j, exact := r.find(t, key); {
		case exact:
			from[j] = i + 1
		case j < 0:
			extra = append(extra, i)
		default:
			rest = n.keys
		}
	}
	for i, key := range rest {
		if j, exact := r.find(t, key); j >= 0 && !exact {
			if from[j] != 0 {
				if inexact[j] && !value.Equal(n.items[i].plain(), n.items[from[j]-1].plain()) {
					r.fault(r.down(at, t.Fields[j].Name), "ambiguous", "expected one value, got those of "+shown(n.keys[from[j]-1])+" and "+shown(key), n)
					return nil, false
				}
				extra = append(extra, i)
				continue
			}
			from[j], inexact[j] = i+1, true
		}
	}
	if len(extra) == len(n.keys) && len(n.keys) > 0 {
		if v, ok := r.wrapped(t, n, at); ok {
			return v, true
		}
	}
	out := value.MakeObject(len(t.Fields))
	ok := true
	for i := range t.Fields {
		f := &t.Fields[i]
		if from[i] == 0 {
			v, may := absent(f)
			if !may {
				r.fault(r.down(at, f.Name), "missing", "a `"+f.Type.String()+"` is missing here", n)
				ok = false
			}
			out.Set(f.Name, v)
			continue
		}
		place := r.down(at, f.Name)
		key, x := n.keys[from[i]-1], n.items[from[i]-1]
		if inexact[i] {
			r.fix(keyName, place, "took the name "+shown(key)+" for "+f.Name)
		}
		v, fits := r.field(f, x, place)
		out.Set(f.Name, v)
		ok = ok && fits
	}
	for _, i := range extra {
		r.fix(extraKey, at, "left out "+shown(n.keys[i])+"; there is no field of this name")
	}
	return out, ok
}

// field reads the value of a field. A null for a field with a default is none.
func (r *run) field(f *types.Field, n *node, at *loc) (any, bool) {
	if n.kind == nullNode && f.HasDefault && !types.Nullable(f.Type) {
		if v, ok := absent(f); ok {
			r.fix(nullFromText, at, "took null for the default")
			return v, true
		}
	}
	return r.value(f.Type, n, at)
}

// wrapped takes an object none of whose names fits: around the record under one
// name, or as the value of the only field.
func (r *run) wrapped(t *types.Record, n *node, at *loc) (any, bool) {
	m := r.mark()
	only := -1 // {"name": "f", "arguments": {…}}, {"answer": {…}}
	for i, x := range n.items {
		if x.kind == objectNode || x.isWords() && r.nested(x) != nil {
			if only >= 0 {
				only = -1
				break
			}
			only = i
		}
	}
	if only >= 0 {
		r.fix(unwrapped, at, "took the value of "+shown(n.keys[only]))
		if v, ok := r.value(t, n.items[only], at); ok {
			return v, true
		}
		r.reset(m)
	}
	if len(t.Fields) == 1 {
		inner, _ := types.Unwrap(t.Fields[0].Type)
		switch types.Structure(inner).(type) {
		case *types.Map, *types.Record:
			if v, ok := r.implied(t, n, at); ok {
				return v, true
			}
			r.reset(m)
		}
	}
	return nil, false
}

// pair is a name and the text behind it.
type pair struct{ name, text string }

// namedLines reads lines `name: value`, each with the lines up to the next name.
// wanted says which names count; nil: any. rest is the text before the first.
func namedLines(text string, wanted func(string) bool) (pairs []pair, rest string) {
	var value []string
	flush := func() {
		s := strings.TrimSpace(strings.Join(value, "\n"))
		if len(pairs) == 0 {
			rest = s
		} else {
			pairs[len(pairs)-1].text = s
		}
		value = value[:0]
	}
	for line := range strings.SplitSeq(text, "\n") {
		if name, after, ok := nameOf(line); ok && (wanted == nil || wanted(name)) {
			flush()
			pairs = append(pairs, pair{name: name})
			line = after
		}
		value = append(value, line)
	}
	flush()
	return pairs, rest
}

// nameOf returns the name at the start of a line and what stands behind its colon:
// `name: x`, `- **Name:** x`, `"name" = x`.
func nameOf(line string) (name, after string, ok bool) {
	line = strings.TrimSpace(line)
	if item, is := bullet(line); is {
		line = item
	}
	head := line[:min(len(line), 80)]
	i := strings.IndexAny(head, ":=")
	if i <= 0 {
		return "", "", false
	}
	name = strings.TrimSpace(strings.Trim(strings.TrimSpace(head[:i]), "*_`\"'#"))
	if name == "" || strings.IndexFunc(name, func(c rune) bool {
		return !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune(" _-.", c)
	}) >= 0 {
		return "", "", false
	}
	after = line[i+1:]
	if strings.HasPrefix(after, "//") || strings.HasPrefix(after, "=") { // a URL, a comparison
		return "", "", false
	}
	for _, mark := range []string{"**", "__"} {
		if strings.HasPrefix(line, mark) {
			after = strings.TrimPrefix(after, mark)
		}
	}
	return name, strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(after), ",")), true
}
