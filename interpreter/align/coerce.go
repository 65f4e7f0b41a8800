package align

import (
	"strings"

	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// The second stage: a node becomes a value of a type.

// maxCalls is how deep a type may be wound around a value.
const maxCalls = 8 * maxDepth

// value reads a node that was not looked at yet.
func (r *run) value(t types.Type, n *node, at *loc) (any, bool) {
	r.syntax(n, at)
	return r.typed(t, n, at)
}

// typed reads a node as t; how its text was read is noted already.
func (r *run) typed(t types.Type, n *node, at *loc) (any, bool) {
	r.calls++
	r.steps++
	defer func() { r.calls-- }()
	if r.calls > maxCalls || at.len() > maxDepth {
		return r.fault(at, "recursion_loop", "expected a value nested at most 200 deep", nil)
	}
	if n.kind == sectionNode {
		return r.section(t, n.text, at)
	}
	switch t := t.(type) {
	case *types.Optional:
		return r.maybe(t, n, at)
	case *types.Primitive:
		return r.primitive(t, n, at)
	case *types.Enum, *types.Literal:
		return r.choice(t, n, at)
	case *types.Union:
		if isChoice(t) {
			return r.choice(t, n, at)
		}
		return r.union(t, n, at)
	case *types.List:
		return r.list(t, n, at)
	case *types.Tuple:
		return r.tuple(t, n, at)
	case *types.Map:
		return r.mapping(t, n, at)
	case *types.Record:
		return r.record(t, n, at)
	case types.Model, types.Module:
		if n.isWords() {
			return n.text, true
		}
		return r.misfit(t, n, at)
	}
	return r.anything(n, at)
}

func (r *run) maybe(t *types.Optional, n *node, at *loc) (any, bool) {
	if n.kind == nullNode {
		return nil, true
	}
	null := n.isWords() && isNullWord(n.text)
	if null && !isChoice(t.Elem) && !isText(t.Elem) && !takesText(t.Elem) {
		r.fix(nullFromText, at, took(t, n.text, nil))
		return nil, true
	}
	m := r.mark()
	v, ok := r.typed(t.Elem, n, at)
	switch {
	case ok:
		return v, true
	case null:
		r.reset(m)
		r.fix(nullFromText, at, took(t, n.text, nil))
		return nil, true
	case r.mode == Lenient && !tooDeep(r.faults[m.faults:]):
		r.reset(m)
		r.fix(nullForMisfit, at, "")
		return nil, true
	}
	return v, ok
}

// anything takes a node as it is.
func (r *run) anything(n *node, at *loc) (any, bool) {
	ok := true
	switch n.kind {
	case bareNode:
		if n.fixes&unquotedText.bit() == 0 {
			r.fix(bareText, at, "")
		}
	case numberNode:
		if _, err := value.Number(n.text); err != nil {
			return r.fault(at, "number_too_large", "expected a number of 64 bits, got "+clipped(n.text), n.text)
		}
	case listNode:
		out := make([]any, len(n.items))
		for i, x := range n.items {
			place := r.item(at, i)
			r.syntax(x, place)
			v, fits := r.anything(x, place)
			out[i], ok = v, ok && fits
		}
		return out, ok
	case objectNode:
		out := &value.Object{}
		for i, key := range n.keys {
			place := r.down(at, key)
			r.syntax(n.items[i], place)
			v, fits := r.anything(n.items[i], place)
			out.Set(key, v)
			ok = ok && fits
		}
		return out, ok
	}
	r.steps++
	return n.plain(), true
}

// single returns what a list of one holds, or an object of one name: what may be
// meant where one plain value is wanted.
func (r *run) single(n *node, at *loc) (*node, bool) {
	switch {
	case n.kind == listNode && len(n.items) == 1:
		r.fix(listToSingle, at, "")
	case n.kind == objectNode && len(n.items) == 1:
		if k := n.items[0].kind; k == listNode || k == objectNode || k == nullNode {
			return nil, false
		}
		r.fix(unwrapped, at, "took the value of "+shown(n.keys[0]))
	default:
		return nil, false
	}
	r.syntax(n.items[0], at)
	return n.items[0], true
}

func (r *run) primitive(t *types.Primitive, n *node, at *loc) (any, bool) {
	switch t.Row.Base {
	case types.AnyBase:
		return r.anything(n, at)
	case types.ShapedBase:
		return r.shaped(t, n, at)
	}
	if n.kind == listNode || n.kind == objectNode {
		m := r.mark()
		if one, ok := r.single(n, at); ok {
			if v, ok := r.typed(t, one, at); ok {
				return v, true
			}
			r.reset(m)
		}
		if t.Row.Base == types.StringBase && isPlain(t) && r.mode == Lenient {
			r.fix(textFromObject, at, "")
			return r.check(t, string(value.EncodeJSON(n.plain())), at)
		}
		return r.misfit(t, n, at)
	}
	switch t.Row.Base {
	case types.StringBase:
		return r.text(t, n, at)
	case types.BoolBase:
		return r.truth(t, n, at)
	}
	return r.number(t, n, at)
}

// text reads a text. A type of the table may know other ways to write it, a date
// may stand in quotes.
func (r *run) text(t *types.Primitive, n *node, at *loc) (any, bool) {
	s := n.text
	switch n.kind {
	case nullNode:
		return r.misfit(t, n, at)
	case numberNode, boolNode:
		if n.kind == boolNode {
			s = string(value.EncodeJSON(n.truth))
		}
		r.fix(textFromValue, at, took(t, s, s))
	case bareNode:
		if n.fixes&unquotedText.bit() == 0 {
			r.fix(bareText, at, "")
		}
	}
	if isPlain(t) && t.Constraints.IsZero() {
		return s, true
	}
	m := r.mark()
	v, ok := r.check(t, s, at)
	if ok || n.kind == numberNode || n.kind == boolNode {
		return v, ok
	}
	bad := r.take(m, v, ok, at)
	for _, way := range []string{s, unquoted(s)} {
		v, faults := value.Check(t, way, value.Lax)
		if faults != nil {
			continue
		}
		if out, faults := value.Check(t, v, value.Strict); faults == nil {
			r.fix(rowForm, at, took(t, s, out))
			return out, true
		}
	}
	if t.Row.Name == "date" {
		if day, is := readDate(unquoted(s)); is {
			if out, faults := value.Check(t, day, value.Strict); faults == nil {
				r.fix(rowForm, at, took(t, s, out))
				return out, true
			}
		}
	}
	return r.put(bad, at)
}

// unquoted is a text without the quotes around it.
func unquoted(s string) string {
	if n := len(s); n > 1 && s[0] == s[n-1] && strings.IndexByte("\"'`", s[0]) >= 0 {
		return s[1 : n-1]
	}
	return s
}

// shaped reads a type of the table with a structure: as it is, as the table says it
// may also be written, else with repairs in the structure itself.
func (r *run) shaped(t *types.Primitive, n *node, at *loc) (any, bool) {
	m := r.mark()
	if plain, ok := r.anything(n, at); ok {
		if v, faults := value.Check(t, plain, value.Strict); faults == nil {
			return v, true
		}
		if v, faults := value.Check(t, plain, value.Lax); faults == nil {
			if v, faults = value.Check(t, v, value.Strict); faults == nil {
				r.fix(rowForm, at, "")
				return v, true
			}
		}
	}
	r.reset(m)
	v, ok := r.typed(r.shape(t), n, at)
	if !ok {
		return nil, false
	}
	return r.check(t, v, at)
}

// shape returns the structure of t, made once for each reading.
func (r *run) shape(t *types.Primitive) types.Type {
	return t.Shape()
}

// union reads a node as the member that fits best: the lowest score, and of two
// the one that stands first.
func (r *run) union(t *types.Union, n *node, at *loc) (any, bool) {
	key := attempt{t, n}
	if o, seen := r.tried[key]; seen {
		return r.put(o, at)
	}
	var best *outcome
	closest, near := -1, 0
	for i, member := range t.Members {
		m := r.mark()
		v, ok := r.typed(member, n, at)
		o := r.take(m, v, ok, at)
		if o.ok {
			if better(o, best) {
				best = o
			}
			if o.score == 0 {
				break
			}
			continue
		}
		if best == nil || !best.ok && len(o.faults) < len(best.faults) {
			if alike(member, n) {
				best = o
			}
		}
		if alike(member, n) {
			closest, near = i, near+1
		}
	}
	if best == nil || !best.ok && (near != 1 || closest < 0) {
		m := r.mark()
		names := make([]string, len(t.Members))
		for i, member := range t.Members {
			names[i] = member.String()
		}
		r.fault(at, "union_error", "expected one of "+strings.Join(names[:min(len(names), 12)], ", ")+", got "+n.words(), n)
		best = r.take(m, nil, false, at)
	}
	if r.tried == nil {
		r.tried = make(map[attempt]*outcome)
	}
	r.tried[key] = best
	return r.put(best, at)
}

// alike reports whether a node resembles the values of t.
func alike(t types.Type, n *node) bool {
	switch types.Structure(t).(type) {
	case *types.Record, *types.Map:
		return n.kind == objectNode
	case *types.List, *types.Tuple:
		return n.kind == listNode
	}
	if p, ok := t.(*types.Primitive); ok {
		switch p.Row.Base {
		case types.StringBase:
			return n.isWords()
		case types.IntBase, types.FloatBase:
			return n.kind == numberNode
		case types.BoolBase:
			return n.kind == boolNode
		}
	}
	return false
}

// words says in a message what a node is.
func (n *node) words() string {
	switch n.kind {
	case listNode:
		return "a list of " + itoa(len(n.items))
	case objectNode:
		if len(n.keys) == 0 {
			return "an empty object"
		}
		return "an object with " + strings.Join(n.keys[:min(len(n.keys), 4)], ", ")
	case textNode, bareNode, sectionNode:
		return shown(n.text)
	}
	return string(value.EncodeJSON(n.plain()))
}
