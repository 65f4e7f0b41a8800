// Package value holds the values that pass between steps.
//
// A value is one of these Go types:
//
//	nil        null
//	bool       bool
//	int        int
//	float64    float and its kin
//	string     string, enum values (by name), dates and the like
//	[]any      list, tuple
//	*Object    record, map, json object: names in order
//
// Check (check.go) brings a value into a type, or lists every fault with its
// path. DecodeJSON and EncodeJSON keep the order of names and tell 1 from 1.0.
package value

import (
	"iter"
	"maps"
	"slices"
)

// Object is a set of named values in order. The zero Object is empty.
type Object struct {
	names  []string
	values []any          // in the order of names
	places map[string]int // of each name; nil while there are few
}

// fewNames is how many names are looked through one by one.
const fewNames = 16

// NewObject returns an object with names and values in turn:
// NewObject("a", 1, "b", 2).
func NewObject(pairs ...any) *Object {
	o := &Object{}
	for i := 0; i+1 < len(pairs); i += 2 {
		o.Set(pairs[i].(string), pairs[i+1])
	}
	return o
}

// MakeObject returns an empty object with room for n names.
func MakeObject(n int) *Object {
	return &Object{names: make([]string, 0, n), values: make([]any, 0, n)}
}

// ObjectOf returns an object of names, each of which stands once, and their values.
// It keeps both slices; several objects may share their names.
func ObjectOf(names []string, values []any) *Object {
	o := &Object{names: slices.Clip(names), values: values}
	o.arrange()
	return o
}

// arrange notes the places of the names where there are many.
func (o *Object) arrange() {
	if len(o.names) <= fewNames {
		return
	}
	o.places = make(map[string]int, len(o.names))
	for i, n := range o.names {
		o.places[n] = i
	}
}

// Len returns the number of names; 0 for a nil object.
func (o *Object) Len() int {
	if o == nil {
		return 0
	}
	return len(o.names)
}

// Get returns the value of a name.
func (o *Object) Get(name string) (any, bool) {
	if o == nil {
		return nil, false
	}
	if i := o.place(name); i >= 0 {
		return o.values[i], true
	}
	return nil, false
}

// place returns where a name stands, -1 if it does not.
func (o *Object) place(name string) int {
	if o.places == nil {
		return slices.Index(o.names, name)
	}
	if i, ok := o.places[name]; ok {
		return i
	}
	return -1
}

// Set gives a name a value; a new name goes to the end.
func (o *Object) Set(name string, v any) {
	if i := o.place(name); i >= 0 {
		o.values[i] = v
		return
	}
	o.names, o.values = append(o.names, name), append(o.values, v)
	if o.places == nil {
		o.arrange()
		return
	}
	o.places[name] = len(o.names) - 1
}

// Names returns the names in order. The slice must not be changed.
func (o *Object) Names() []string {
	if o == nil {
		return nil
	}
	return o.names
}

// All yields names and values in order.
func (o *Object) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for i, n := range o.Names() {
			if !yield(n, o.values[i]) {
				return
			}
		}
	}
}

// Clone returns a copy of o; its values are shared.
func (o *Object) Clone() *Object {
	if o == nil {
		return &Object{}
	}
	return &Object{slices.Clone(o.names), slices.Clone(o.values), maps.Clone(o.places)}
}

// Equal reports whether two values are the same; the order of names does not count.
func Equal(a, b any) bool {
	switch a := a.(type) {
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, Equal)
	case *Object:
		b, ok := b.(*Object)
		if !ok || a.Len() != b.Len() {
			return false
		}
		for n, v := range a.All() {
			w, ok := b.Get(n)
			if !ok || !Equal(v, w) {
				return false
			}
		}
		return true
	case int:
		if f, ok := b.(float64); ok {
			return float64(a) == f
		}
	case float64:
		if i, ok := b.(int); ok {
			return a == float64(i)
		}
	}
	switch b.(type) {
	case []any, *Object:
		return false
	}
	return a == b
}

// FromGo turns Go values (maps, slices, all kinds of numbers) into values of
// this package. Names of Go maps are put in alphabetical order. A value of
// another kind is returned as it is, and Check will refuse it.
func FromGo(v any) any {
	switch v := v.(type) {
	case map[string]any:
		o := &Object{}
		for _, n := range slices.Sorted(maps.Keys(v)) {
			o.Set(n, FromGo(v[n]))
		}
		return o
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = FromGo(v[i])
		}
		return out
	case []string:
		out := make([]any, len(v))
		for i := range v {
			out[i] = v[i]
		}
		return out
	case int8:
		return int(v)
	case int16:
		return int(v)
	case int32:
		return int(v)
	case int64:
		return int(v)
	case uint8:
		return int(v)
	case uint16:
		return int(v)
	case uint32:
		return int(v)
	case float32:
		return float64(v)
	}
	return v
}

// ToGo turns a value into plain Go: objects become map[string]any.
func ToGo(v any) any {
	switch v := v.(type) {
	case *Object:
		m := make(map[string]any, v.Len())
		for n, x := range v.All() {
			m[n] = ToGo(x)
		}
		return m
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = ToGo(v[i])
		}
		return out
	}
	return v
}
