// Package types holds dspi's types: what a value may be.
//
//	Primitive  string, int, probability, …: one row of the table (table.go)
//	Row        all that is known of such a type; some have a structure (shapes.go)
//	Literal    one fixed value: "angry", 1, true, null
//	List, Map, Tuple, Optional, Union
//	Record     named (`type Contact { … }`) or not (`{ asked: bool }`)
//	Enum       named values that may be shown otherwise and have a meaning
//	Model, Module  what variables may choose: models and modules
//	Invalid    stands for a type that could not be understood; fits everything,
//	           so that one mistake makes one message
//
// Types are compared with Equal; which value of one type may stand where another
// is wanted is Fits (fits.go). Records may contain themselves, through pointers.
// Dates and lengths of time, which are held as text, are read in times.go; JSON
// Schema is made of types by lang/schema, values are held against them by
// lang/value.
package types

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Type is one of the types of this package.
type Type interface {
	// String returns the type as dspi writes it: `list[string](max_items = 3)`.
	String() string
	typ()
}

// Primitive is a type of the table: `string`, `int(min = 1)`, `probability`.
type Primitive struct {
	Row         *Row
	Constraints Constraints
}

// Literal is one fixed value: a string, int, float64, bool, or nil for `null`.
type Literal struct{ Value any }

// List is `list[T]`.
type List struct {
	Elem        Type
	Constraints Constraints
}

// Map is `map[string, T]`.
type Map struct {
	Elem        Type
	Constraints Constraints
}

// Tuple is `tuple[A, B]`.
type Tuple struct{ Elems []Type }

// Optional is `T?`: T or null.
type Optional struct{ Elem Type }

// Union is `A | B`: flat, without null (that is Optional), at least two members.
// Make one with NewUnion.
type Union struct{ Members []Type }

// Field is one field of a record or one input or output of a signature.
type Field struct {
	Name        string
	Type        Type
	Description string
	Default     any // meaningful when HasDefault
	HasDefault  bool
}

// Record is an object with named fields, in order.
type Record struct {
	Name   string // "" for one that is not declared
	Fields []Field
}

// Field returns the field of a name.
func (r *Record) Field(name string) (*Field, bool) {
	for i := range r.Fields {
		if r.Fields[i].Name == name {
			return &r.Fields[i], true
		}
	}
	return nil, false
}

// Member is one value of an enum.
type Member struct {
	Name        string
	Shown       string // what the model sees; the name when nothing else is said
	Description string
}

// Enum is a set of named values. Its values are held by name.
type Enum struct {
	Name    string
	Members []Member
}

// Member returns the member of a name, or of what the model sees.
func (e *Enum) Member(s string) (*Member, bool) {
	for i := range e.Members {
		if e.Members[i].Name == s {
			return &e.Members[i], true
		}
	}
	for i := range e.Members {
		if e.Members[i].Shown == s {
			return &e.Members[i], true
		}
	}
	return nil, false
}

// Model is the type `model`, of variables that choose one.
type Model struct{}

// Module is the type `module`, of variables that choose one.
type Module struct{}

// Invalid is the type of what could not be understood.
type Invalid struct{}

func (*Primitive) typ() {}
func (*Literal) typ()   {}
func (*List) typ()      {}
func (*Map) typ()       {}
func (*Tuple) typ()     {}
func (*Optional) typ()  {}
func (*Union) typ()     {}
func (*Record) typ()    {}
func (*Enum) typ()      {}
func (Model) typ()      {}
func (Module) typ()     {}
func (Invalid) typ()    {}

func (t *Primitive) String() string { return t.Row.Name + t.Constraints.String() }
func (t *Literal) String() string   { return FormatLiteral(t.Value) }
func (t *List) String() string      { return "list[" + t.Elem.String() + "]" + t.Constraints.String() }
func (t *Map) String() string {
	return "map[string, " + t.Elem.String() + "]" + t.Constraints.String()
}
func (t *Tuple) String() string { return "tuple[" + join(t.Elems, ", ") + "]" }
func (t *Optional) String() string {
	switch e := t.Elem.(type) {
	case *Union:
		return e.String() + " | null"
	case *Literal:
		return e.String() + " | null"
	}
	return t.Elem.String() + "?"
}
func (t *Union) String() string { return join(t.Members, " | ") }
func (t *Enum) String() string  { return t.Name }
func (Model) String() string    { return "model" }
func (Module) String() string   { return "module" }
func (Invalid) String() string  { return "?" }

func (t *Record) String() string {
	if t.Name != "" {
		return t.Name
	}
	if len(t.Fields) == 0 {
		return "{}"
	}
	parts := make([]string, len(t.Fields))
	for i, f := range t.Fields {
		parts[i] = f.Name + ": " + f.Type.String()
	}
	return "{ " + strings.Join(parts, ", ") + " }"
}

func join(ts []Type, sep string) string {
	parts := make([]string, len(ts))
	for i, t := range ts {
		parts[i] = t.String()
	}
	return strings.Join(parts, sep)
}

// FormatLiteral returns a fixed value as dspi writes it: `"a"`, `1`, `true`, `null`.
func FormatLiteral(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		var b strings.Builder
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		_ = e.Encode(v) // a string always encodes
		return strings.TrimSuffix(b.String(), "\n")
	case float64:
		return FormatFloat(v)
	}
	return fmt.Sprint(v)
}

// FormatFloat returns f in the shortest form that reads back as f.
func FormatFloat(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

// Equal reports whether two types are the same.
func Equal(a, b Type) bool {
	switch a := a.(type) {
	case *Primitive:
		b, ok := b.(*Primitive)
		return ok && a.Row == b.Row && a.Constraints.String() == b.Constraints.String()
	case *Literal:
		b, ok := b.(*Literal)
		return ok && a.Value == b.Value
	case *List:
		b, ok := b.(*List)
		return ok && a.Constraints.String() == b.Constraints.String() && Equal(a.Elem, b.Elem)
	case *Map:
		b, ok := b.(*Map)
		return ok && a.Constraints.String() == b.Constraints.String() && Equal(a.Elem, b.Elem)
	case *Tuple:
		b, ok := b.(*Tuple)
		return ok && equalAll(a.Elems, b.Elems)
	case *Optional:
		b, ok := b.(*Optional)
		return ok && Equal(a.Elem, b.Elem)
	case *Union:
		b, ok := b.(*Union)
		return ok && equalAll(a.Members, b.Members)
	case *Record:
		b, ok := b.(*Record)
		if !ok || a.Name != b.Name {
			return ok && a == b
		}
		if a == b || a.Name != "" {
			return a == b
		}
		if len(a.Fields) != len(b.Fields) {
			return false
		}
		for i := range a.Fields {
			if a.Fields[i].Name != b.Fields[i].Name || !Equal(a.Fields[i].Type, b.Fields[i].Type) {
				return false
			}
		}
		return true
	case *Enum:
		return a == b
	}
	return a == b
}

func equalAll(a, b []Type) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

// NewOptional returns t?, which is t itself when t may be null already.
func NewOptional(t Type) Type {
	switch t := t.(type) {
	case *Optional, Invalid:
		return t
	case *Literal:
		if t.Value == nil {
			return t
		}
	case *Primitive:
		if t.Row == jsonRow {
			return t
		}
	}
	return &Optional{t}
}

// NewUnion returns the union of ts: flat, each member once, `null` made into an
// Optional around the rest.
func NewUnion(ts ...Type) Type {
	var members []Type
	null := false
	var add func(t Type) bool
	add = func(t Type) bool {
		switch t := t.(type) {
		case Invalid:
			return false
		case *Union:
			for _, m := range t.Members {
				if !add(m) {
					return false
				}
			}
			return true
		case *Optional:
			null = true
			return add(t.Elem)
		case *Literal:
			if t.Value == nil {
				null = true
				return true
			}
		}
		for _, m := range members {
			if Equal(m, t) {
				return true
			}
		}
		members = append(members, t)
		return true
	}
	for _, t := range ts {
		if !add(t) {
			return Invalid{}
		}
	}
	var u Type
	switch len(members) {
	case 0:
		return Null
	case 1:
		u = members[0]
	default:
		u = &Union{members}
	}
	if null {
		return NewOptional(u)
	}
	return u
}

// Null is the type of `null`.
var Null Type = &Literal{nil}

// Unwrap returns the type without its optional, and whether it had one.
func Unwrap(t Type) (Type, bool) {
	if o, ok := t.(*Optional); ok {
		return o.Elem, true
	}
	return t, false
}

// Nullable reports whether null is a value of t.
func Nullable(t Type) bool {
	switch t := t.(type) {
	case *Optional, Invalid:
		return true
	case *Literal:
		return t.Value == nil
	case *Primitive:
		return t.Row == jsonRow
	}
	return false
}

// IsInvalid reports whether t stands for a type that could not be understood.
func IsInvalid(t Type) bool {
	_, ok := t.(Invalid)
	return t == nil || ok
}
