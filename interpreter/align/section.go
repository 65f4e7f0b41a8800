package align

import (
	"strings"
	"unicode"

	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// asAsked reads a text that is what was asked for:
//
//   - a text is itself, without the white space around it; `code` may stand in a
//     fence
//   - a choice is one of those that were shown, or named, bare or as JSON
//   - true and false may be written True and False, null None: prompts say so
//   - everything else is JSON
func (d *desk) asAsked(t types.Type, text string) (any, bool) {
	inner, optional := types.Unwrap(t)
	if optional && (text == "null" || text == "None" || text == "" && !isText(inner)) {
		return nil, true
	}
	switch {
	case isText(inner):
		p := inner.(*types.Primitive)
		if _, thought := unthink(text); thought {
			return nil, false
		}
		if isPlain(p) && p.Constraints.IsZero() {
			return text, true
		}
		mode := value.Strict
		if p.Row.Name == "code" {
			mode = value.Lax
		}
		v, faults := value.Check(inner, text, mode)
		return v, faults == nil
	case isChoice(inner):
		if v, ok := named(inner, text); ok {
			return v, true
		}
	case types.Equal(inner, types.Bool) && (text == "True" || text == "False"):
		return text == "True", true
	}
	return d.strictJSON(inner, text)
}

// named finds the choice that a text is, by what the model sees, else by name.
func named(t types.Type, s string) (any, bool) {
	switch t := t.(type) {
	case *types.Enum:
		return member(t, s)
	case *types.Literal:
		return s, t.Value == s
	case *types.Union:
		for _, m := range t.Members {
			if v, ok := named(m, s); ok {
				return v, true
			}
		}
	}
	return nil, false
}

// isText reports whether t is held as a Go string and takes texts.
func isText(t types.Type) bool {
	p, ok := t.(*types.Primitive)
	return ok && p.Row.Base == types.StringBase
}

// isChoice reports whether t is an enum, a literal, or a union of these.
func isChoice(t types.Type) bool {
	switch t := t.(type) {
	case *types.Enum, *types.Literal:
		return true
	case *types.Union:
		for _, m := range t.Members {
			if !isChoice(m) {
				return false
			}
		}
		return len(t.Members) > 0
	}
	return false
}

// isScalar reports whether t is a number or a bool.
func isScalar(t types.Type) bool {
	p, ok := t.(*types.Primitive)
	return ok && (p.Row.Base == types.IntBase || p.Row.Base == types.FloatBase || p.Row.Base == types.BoolBase)
}

// section reads the text of a field, or a reply that is one value.
func (r *run) section(t types.Type, text string, at *loc) (any, bool) {
	text = strings.TrimSpace(text)
	r.steps += len(text)
	if v, ok := r.asAsked(t, text); ok {
		return v, true
	}
	if r.mode == Strict {
		return r.refuse(t, text, at)
	}
	rest, cut := unthink(text)
	if !isText(t) {
		rest = strings.TrimFunc(rest, func(c rune) bool { return unicode.IsSpace(c) || c == '\uFEFF' || c == '\u200B' })
	}
	if cut {
		r.fix(thinking, at, "")
	}
	if rest != text {
		if v, ok := r.asAsked(t, rest); ok {
			if !cut {
				r.fix(prose, at, "took out what is not seen around the value")
			}
			return v, true
		}
	}
	return r.optional(t, rest, at)
}

// optional is section for what is not as asked, with null in mind.
func (r *run) optional(t types.Type, text string, at *loc) (any, bool) {
	inner, optional := types.Unwrap(t)
	if !optional {
		return r.words(t, text, at)
	}
	if isNullWord(text) && !isChoice(inner) && !isText(inner) && !takesText(inner) {
		r.fix(nullFromText, at, took(t, text, nil))
		return nil, true
	}
	m := r.mark()
	v, ok := r.words(inner, text, at)
	switch {
	case ok:
		return v, true
	case isNullWord(text):
		r.reset(m)
		r.fix(nullFromText, at, took(t, text, nil))
		return nil, true
	case r.mode == Lenient && len(r.faults) > m.faults && !tooDeep(r.faults[m.faults:]):
		r.reset(m)
		r.fix(nullForMisfit, at, took(t, text, nil))
		return nil, true
	}
	return v, ok
}

func tooDeep(faults []wrong) bool {
	for _, f := range faults {
		if f.kind == "recursion_loop" {
			return true
		}
	}
	return false
}

// isNullWord reports whether a text says that there is nothing.
func isNullWord(s string) bool {
	if len(s) > 20 {
		return false
	}
	switch strings.ToLower(strings.Trim(strings.TrimSpace(s), "\"'`*_.()[]<>")) {
	case "", "null", "none", "nil", "undefined", "n/a", "na", "-", "--", "—", "–":
		return true
	}
	return false
}

// takesText reports whether any text is a value of t.
func takesText(t types.Type) bool {
	switch t := t.(type) {
	case *types.Primitive:
		return t.Row == types.String.Row || t.Row == types.JSON.Row
	case *types.Union:
		for _, m := range t.Members {
			if takesText(m) {
				return true
			}
		}
	}
	return false
}

// words reads a text that is not as asked.
func (r *run) words(t types.Type, text string, at *loc) (any, bool) {
	switch {
	case isText(t):
		return r.text(t.(*types.Primitive), &node{kind: textNode, text: text}, at)
	case isChoice(t), isScalar(t):
		return r.little(t, text, at)
	}
	return r.structured(t, text, at)
}

// little reads a number, a bool or a choice: the text itself, what stands in its
// fence, else a value found among its words.
func (r *run) little(t types.Type, text string, at *loc) (any, bool) {
	m := r.mark()
	n := r.alone(text)
	if n == nil {
		n = &node{kind: bareNode, text: text}
	}
	if n.kind != bareNode {
		if v, ok := r.value(t, n, at); ok {
			return v, true
		}
		r.reset(m)
		n = &node{kind: bareNode, text: text}
	}
	if tag := tagged(text, &r.steps); tag != nil {
		r.fix(otherForm, at, "took what stands in <"+tag.name+">")
		if v, ok := r.value(t, nodeOf([]*element{tag}, t), at); ok {
			return v, true
		}
		r.reset(m)
	}
	if inner, around, ok := unfence(text); ok {
		r.fix(aFence, at, "")
		if around {
			r.fix(prose, at, "")
		}
		if v, ok := r.asAsked(t, inner); ok {
			return v, true
		}
		if v, ok := r.value(t, &node{kind: bareNode, text: inner}, at); ok {
			return v, true
		}
		r.reset(m)
	}
	if strings.ContainsAny(text, "{[") {
		if found, deep := r.candidates(text); !deep && len(found) > 0 && len(found) <= maxCandidates {
			if o := r.best(t, found, at); o.ok || allSaid(found) {
				return r.put(o, at)
			}
		}
	}
	return r.value(t, n, at)
}

// structured reads a list, a record, anything, or one of several.
func (r *run) structured(t types.Type, text string, at *loc) (any, bool) {
	m := r.mark()
	if n := r.alone(text); n != nil {
		v, ok := r.value(t, n, at)
		if ok {
			return v, true
		}
		if n.kind != textNode && !takesText(t) {
			return v, false
		}
		r.reset(m)
	}
	if tag := tagged(text, &r.steps); tag != nil {
		r.fix(otherForm, at, "took what stands in <"+tag.name+">")
		if v, ok := r.value(t, nodeOf([]*element{tag}, t), at); ok {
			return v, true
		}
		r.reset(m)
	}
	found, deep := r.candidates(text)
	if deep {
		return r.fault(at, "recursion_loop", "expected a value nested at most 200 deep", nil)
	}
	if len(found) == 0 {
		if inner, around, ok := unfence(text); ok && inner != "" {
			r.fix(aFence, at, "")
			if around {
				r.fix(prose, at, "")
			}
			text = inner
		}
		return r.value(t, &node{kind: bareNode, text: text}, at)
	}
	wanted := t
	if u, ok := t.(*types.Union); ok && takesText(u) && (found[0].node.kind == listNode || found[0].node.kind == objectNode) {
		wanted = composites(u)
	}
	var o *outcome
	if wanted != nil && len(found) > maxCandidates && !isList(wanted) {
		return r.fault(at, "ambiguous", "expected one value, got "+itoa(len(found)), nil)
	}
	if wanted != nil && len(found) == 1 { // as best would, without keeping an account
		if v, ok := r.candidate(wanted, found[0], at); ok {
			return v, true
		}
		o = r.take(m, nil, false, at)
	} else if wanted != nil {
		if o = r.best(wanted, found, at); o.ok {
			return r.put(o, at)
		}
	}
	if o == nil || !allSaid(found) || takesText(t) {
		if v, ok := r.value(t, &node{kind: bareNode, text: text}, at); ok {
			return v, true
		}
	}
	if o != nil {
		r.reset(m)
		return r.put(o, at)
	}
	return nil, false
}

// allSaid reports whether the values found in a text are all that it says: the words
// around them, if any, are not meant.
func allSaid(found []candidate) bool {
	for _, c := range found {
		if c.alone || c.fenced {
			return true
		}
	}
	return false
}

// composites is a union without its members that are no lists and objects; nil if
// no member is.
func composites(u *types.Union) types.Type {
	var out []types.Type
	for _, m := range u.Members {
		switch types.Structure(m).(type) {
		case *types.List, *types.Tuple, *types.Map, *types.Record:
			out = append(out, m)
		case *types.Primitive:
			if types.Equal(m, types.JSON) {
				out = append(out, m)
			}
		}
	}
	if len(out) == 0 {
		return nil
	}
	return types.NewUnion(out...)
}

// maxCandidates is how many values a text may hold in which one is looked for.
const maxCandidates = 1000

// best reads the values found in a text and returns the way that fits best. Of two
// that fit equally well the last counts; where a list is wanted, several values may
// be its elements.
func (r *run) best(t types.Type, found []candidate, at *loc) *outcome {
	var best *outcome
	several := false
	if len(found) > maxCandidates { // so many can only be the elements
		return r.tryAll(t, found, at)
	}
	for _, c := range found {
		o := r.try(t, c, at)
		switch {
		case best == nil || !best.ok || o.ok && o.score < best.score:
			if best == nil || o.ok || better(o, best) {
				best, several = o, false
			}
		case o.ok && o.score == best.score:
			several = several || !value.Equal(o.value, best.value)
			best = o
		}
	}
	if several {
		m := r.mark()
		v, ok := any(nil), false
		if r.mode == Lenient {
			r.fix(severalAnswers, at, "")
			v, ok = r.put(best, at)
		} else {
			r.fault(at, "ambiguous", "expected one value, got several that differ", nil)
		}
		best = r.take(m, v, ok, at)
	}
	if _, list := types.Structure(t).(*types.List); list && len(found) > 1 {
		if o := r.tryAll(t, found, at); o.ok && better(o, best) || o.ok && (several || best.score == o.score) && (!best.ok || o.score <= best.score+kinds[singleToList].Cost) {
			return o
		}
	}
	return best
}

// tryAll takes several values for the elements of a list.
func (r *run) tryAll(t types.Type, found []candidate, at *loc) *outcome {
	all := &node{kind: listNode}
	for _, c := range found {
		all.items = append(all.items, c.node)
	}
	m := r.mark()
	r.fix(severalToList, at, "")
	v, ok := r.value(t, all, at)
	return r.take(m, v, ok, at)
}

func (r *run) try(t types.Type, c candidate, at *loc) *outcome {
	m := r.mark()
	v, ok := r.candidate(t, c, at)
	return r.take(m, v, ok, at)
}

// candidate reads one of the values found in a text.
func (r *run) candidate(t types.Type, c candidate, at *loc) (any, bool) {
	if c.fenced {
		r.fix(aFence, at, "")
	}
	if !c.alone {
		r.fix(prose, at, "")
	}
	return r.value(t, c.node, at)
}

// refuse says why a text is not as asked, in the strict mode.
func (r *run) refuse(t types.Type, text string, at *loc) (any, bool) {
	inner, _ := types.Unwrap(t)
	var in any = text
	if !isText(inner) {
		s := &strict{text: text, desk: &r.desk}
		v, ok := s.any()
		s.space()
		switch {
		case ok && s.at == len(s.text):
			in = v
		case !isChoice(inner) && !isScalar(inner):
			return r.fault(at, "json_invalid", "expected "+article(inner)+" written as JSON", text)
		}
	}
	_, faults := value.Check(t, in, value.Strict)
	if faults == nil {
		return r.fault(at, "type_error", "expected a `"+t.String()+"` as it was asked for", text)
	}
	for _, f := range faults {
		r.fault(r.along(at, f.Loc), f.Type, f.Msg, f.Input)
	}
	return nil, false
}

// article names a type in words.
func article(t types.Type) string {
	switch types.Structure(t).(type) {
	case *types.List, *types.Tuple:
		return "a list"
	case *types.Map, *types.Record:
		return "an object"
	}
	return "a value"
}
