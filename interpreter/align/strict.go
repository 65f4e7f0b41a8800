package align

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// The fast path: valid JSON that is of its type already. It is read straight into
// the type's values, with nothing between. Wherever the text or a value is not as
// it should be, the path ends without a word, and the tolerant reading begins.

// strict is one attempt of the fast path.
type strict struct {
	text string
	at   int
	deep int
	*desk

	shared []fieldNames // of the records that were read
}

type fieldNames struct {
	of    *types.Record
	names []string
}

// strictJSON reads a text that is one JSON value of t, as value.Check wants it in
// its Strict mode.
func (d *desk) strictJSON(t types.Type, text string) (any, bool) {
	s := &strict{text: text, desk: d}
	s.space()
	v, ok := s.typed(t)
	d.openNames, d.openValues = cutBack(d.openNames, 0), cutBack(d.openValues, 0)
	if !ok {
		return nil, false
	}
	s.space()
	return v, s.at == len(s.text)
}

func (s *strict) space() {
	for s.at < len(s.text) && s.text[s.at] <= ' ' && isSpace(s.text[s.at]) {
		s.at++
	}
}

// peek returns the next byte that is no space, 0 at the end.
func (s *strict) peek() byte {
	s.space()
	if s.at >= len(s.text) {
		return 0
	}
	return s.text[s.at]
}

func (s *strict) word(w string) bool {
	if strings.HasPrefix(s.text[s.at:], w) {
		s.at += len(w)
		return true
	}
	return false
}

// typed reads a value of t.
func (s *strict) typed(t types.Type) (any, bool) {
	switch t := t.(type) {
	case *types.Primitive:
		return s.primitive(t)
	case *types.Optional:
		if s.peek() == 'n' {
			return nil, s.word("null")
		}
		return s.typed(t.Elem)
	case *types.Record:
		return s.record(t)
	case *types.List:
		return s.list(t)
	case *types.Map:
		return s.mapping(t)
	}
	return s.checked(t)
}

// checked reads any value and holds it against t.
func (s *strict) checked(t types.Type) (any, bool) {
	v, ok := s.any()
	if !ok {
		return nil, false
	}
	switch t := t.(type) {
	case *types.Enum:
		if name, is := v.(string); is {
			return member(t, name)
		}
		return nil, false
	case *types.Literal:
		if v == t.Value {
			return v, true
		}
	case *types.Union:
		if name, is := v.(string); is {
			for _, m := range t.Members {
				if l, is := m.(*types.Literal); is && l.Value == name {
					return name, true
				}
			}
		}
	}
	v, faults := value.Check(t, v, value.Strict)
	return v, faults == nil
}

// member finds the value of an enum by what the model sees, else by its name.
func member(t *types.Enum, s string) (any, bool) {
	for i := range t.Members {
		if t.Members[i].Shown == s {
			return t.Members[i].Name, true
		}
	}
	for i := range t.Members {
		if t.Members[i].Name == s {
			return t.Members[i].Name, true
		}
	}
	return nil, false
}

// isPlain reports whether a type of the table takes every value of its base.
func isPlain(t *types.Primitive) bool {
	return t.Row == types.String.Row || t.Row == types.Int.Row || t.Row == types.Float.Row || t.Row == types.Bool.Row
}

func (s *strict) primitive(t *types.Primitive) (any, bool) {
	if !isPlain(t) || !t.Constraints.IsZero() {
		if t.Row == types.JSON.Row {
			return s.any()
		}
		v, ok := s.any()
		if !ok {
			return nil, false
		}
		v, faults := value.Check(t, v, value.Strict)
		return v, faults == nil
	}
	switch t.Row.Base {
	case types.StringBase:
		if s.peek() != '"' {
			return nil, false
		}
		return s.str()
	case types.IntBase:
		s.space()
		end, whole := scanNumber(s.text, s.at)
		if end == s.at || !whole {
			return nil, false
		}
		n, err := strconv.Atoi(s.text[s.at:end])
		s.at = end
		return n, err == nil
	case types.FloatBase:
		s.space()
		end, _ := scanNumber(s.text, s.at)
		if end == s.at {
			return nil, false
		}
		f, err := strconv.ParseFloat(s.text[s.at:end], 64)
		s.at = end
		return f, err == nil
	}
	switch s.peek() { // bool
	case 't':
		return true, s.word("true")
	case 'f':
		return false, s.word("false")
	}
	return nil, false
}

func (s *strict) list(t *types.List) (any, bool) {
	if s.peek() != '[' || !s.enter() {
		return nil, false
	}
	base := len(s.openValues)
	for first := true; ; first = false {
		if done, ok := s.next(first, ']'); !ok {
			return nil, false
		} else if done {
			break
		}
		v, ok := s.typed(t.Elem)
		if !ok {
			return nil, false
		}
		s.openValues = append(s.openValues, v)
	}
	out := s.taken(base)
	if !t.Constraints.IsZero() {
		_, faults := value.Check(&types.List{Elem: types.JSON, Constraints: t.Constraints}, out, value.Strict)
		return out, faults == nil
	}
	return out, true
}

// taken takes the values from base on off the stack.
func (s *strict) taken(base int) []any {
	out := make([]any, len(s.openValues)-base)
	copy(out, s.openValues[base:])
	s.openValues = cutBack(s.openValues, base)
	return out
}

// enter goes into a bracket.
func (s *strict) enter() bool {
	s.at++
	s.deep++
	return s.deep <= maxDepth
}

// next goes to the next element or name inside the bracket that end closes, or
// behind it; ok is false where neither a comma nor the bracket stands.
func (s *strict) next(first bool, end byte) (done, ok bool) {
	switch c := s.peek(); {
	case c == end:
		s.at++
		s.deep--
		return true, true
	case first:
		return false, true
	case c == ',':
		s.at++
		return false, s.peek() != end
	}
	return false, false
}

// name reads a name and its colon.
func (s *strict) name() (string, bool) {
	if s.peek() != '"' {
		return "", false
	}
	name, ok := s.raw()
	if !ok || s.peek() != ':' {
		return "", false
	}
	s.at++
	return name, true
}

func (s *strict) mapping(t *types.Map) (any, bool) {
	if s.peek() != '{' || !s.enter() {
		return nil, false
	}
	base, nameBase := len(s.openValues), len(s.openNames)
	var seen map[string]bool // where there are many names
	for first := true; ; first = false {
		if done, ok := s.next(first, '}'); !ok {
			return nil, false
		} else if done {
			break
		}
		name, ok := s.name()
		if !ok {
			return nil, false
		}
		before := s.openNames[nameBase:]
		if len(before) == fewKeys {
			seen = make(map[string]bool, 2*fewKeys)
			for _, n := range before {
				seen[n] = true
			}
		}
		if seen[name] || seen == nil && slices.Contains(before, name) {
			return nil, false
		}
		if seen != nil {
			seen[name] = true
		}
		s.openNames = append(s.openNames, name)
		v, ok := s.typed(t.Elem)
		if !ok {
			return nil, false
		}
		s.openValues = append(s.openValues, v)
	}
	out := value.ObjectOf(slices.Clone(s.openNames[nameBase:]), s.taken(base))
	s.openNames = cutBack(s.openNames, nameBase)
	if !t.Constraints.IsZero() {
		_, faults := value.Check(&types.Map{Elem: types.JSON, Constraints: t.Constraints}, out, value.Strict)
		return out, faults == nil
	}
	return out, true
}

// record reads an object with the fields of t; those that are missing take their
// default or null.
func (s *strict) record(t *types.Record) (any, bool) {
	if s.peek() != '{' || !s.enter() {
		return nil, false
	}
	values := make([]any, len(t.Fields))
	var bits [4]uint64 // which are given
	given := bits[:]
	if len(t.Fields) > 64*len(bits) {
		given = make([]uint64, len(t.Fields)/64+1)
	}
	expect, count := 0, 0
	for first := true; ; first = false {
		if done, ok := s.next(first, '}'); !ok {
			return nil, false
		} else if done {
			break
		}
		name, ok := s.name()
		if !ok {
			return nil, false
		}
		i := expect
		if i >= len(t.Fields) || t.Fields[i].Name != name {
			for i = 0; i < len(t.Fields) && t.Fields[i].Name != name; i++ {
			}
			if i == len(t.Fields) {
				return nil, false
			}
		}
		if given[i/64]&(1<<(i%64)) != 0 {
			return nil, false
		}
		given[i/64] |= 1 << (i % 64)
		expect = i + 1
		count++
		if values[i], ok = s.typed(t.Fields[i].Type); !ok {
			return nil, false
		}
	}
	for i := range t.Fields {
		if count < len(t.Fields) && given[i/64]&(1<<(i%64)) == 0 {
			v, ok := absent(&t.Fields[i])
			if !ok {
				return nil, false
			}
			values[i] = v
		}
	}
	return value.ObjectOf(s.namesOf(t), values), true
}

// namesOf returns the names of a record's fields, which the objects of one reading
// share.
func (s *strict) namesOf(t *types.Record) []string {
	for i := range s.shared {
		if s.shared[i].of == t {
			return s.shared[i].names
		}
	}
	names := make([]string, len(t.Fields))
	for i := range t.Fields {
		names[i] = t.Fields[i].Name
	}
	s.shared = append(s.shared, fieldNames{t, names})
	return names
}

// absent returns what a field takes that is not given.
func absent(f *types.Field) (any, bool) {
	if f.HasDefault {
		v, faults := value.Check(f.Type, value.FromGo(f.Default), value.Strict)
		return v, faults == nil
	}
	return nil, types.Nullable(f.Type)
}

// any reads any value.
func (s *strict) any() (any, bool) {
	switch c := s.peek(); {
	case c == '{':
		return s.mapping(anyMap)
	case c == '[':
		return s.list(anyList)
	case c == '"':
		return s.str()
	case c == 't':
		return true, s.word("true")
	case c == 'f':
		return false, s.word("false")
	case c == 'n':
		return nil, s.word("null")
	}
	end, whole := scanNumber(s.text, s.at)
	if end == s.at {
		return nil, false
	}
	text := s.text[s.at:end]
	s.at = end
	if whole {
		n, err := strconv.Atoi(text)
		return n, err == nil
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil
}

var (
	anyMap  = &types.Map{Elem: types.JSON}
	anyList = &types.List{Elem: types.JSON}
)

// str reads a text as a value.
func (s *strict) str() (any, bool) {
	v, ok := s.raw()
	if !ok {
		return nil, false
	}
	return v, true
}

// raw reads a text in quotes.
func (s *strict) raw() (string, bool) {
	start := s.at + 1
	for i := start; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case c == '"':
			s.at = i + 1
			return s.text[start:i], true
		case c == '\\':
			return s.escaped(start, i)
		case c < 0x20:
			return "", false
		}
	}
	return "", false
}

// escaped reads the rest of a text from its first backslash on.
func (s *strict) escaped(start, i int) (string, bool) {
	b := append(s.unescaped[:0], s.text[start:i]...)
	for i < len(s.text) {
		c := s.text[i]
		switch {
		case c == '"':
			s.at, s.unescaped = i+1, b
			return string(b), true
		case c < 0x20:
			return "", false
		case c != '\\':
			from := i
			for i < len(s.text) && s.text[i] != '"' && s.text[i] != '\\' && s.text[i] >= 0x20 {
				i++
			}
			b = append(b, s.text[from:i]...)
			continue
		case i+1 >= len(s.text):
			return "", false
		case s.text[i+1] == 'u':
			r, size, ok := unicodeEscape(s.text[i:])
			if !ok {
				return "", false
			}
			b = utf8.AppendRune(b, r)
			i += size
			continue
		}
		to := escapes[s.text[i+1]]
		if to == 0 {
			return "", false
		}
		b = append(b, to)
		i += 2
	}
	return "", false
}
