package value

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/dspi-lang/dspi/lang/types"
)

// Mode says how far Check goes to make a value fit.
type Mode int

const (
	// Strict takes a value only in its own shape. The one liberty is JSON's:
	// a whole number may stand for a float.
	Strict Mode = iota
	// Fitting is Strict, but extra fields of a record are dropped: the rule for
	// values that pass between steps, as types.Fits allows it.
	Fitting
	// Lax also reads one kind from another, as pydantic does: "42" and 42.0
	// are the int 42, "3.14" is the float 3.14, "yes" and 1 are true, true is
	// the int 1, space around a number, name or literal does not count. Extra
	// fields of a record are dropped. A numeric text is no probability,
	// confidence or similarity: those must come as numbers. Types of the table
	// are read as their rows say: a text as a step of a reasoning_chain, an
	// address as an image.
	Lax
)

// The limits of Check: how deep values may nest, and how deep a type may be
// wound around one value (A | (B | …)).
const (
	maxValueDepth = maxDepth
	maxCallDepth  = 8 * maxDepth
)

// Check brings v into t and returns the value as t holds it, or every fault at
// once, each with its path. v is not changed.
//
// Records come back in the order of their type; a field that is missing takes its
// default, or null where it may be null. Enum values come back by name; data may
// give the name or what the model sees. A union takes the first member that fits
// as it is (Strict), else the first that fits without its extra fields, else, in
// Lax mode, the first that fits with reading. Lengths count characters. Whatever
// v is, Check does not panic.
func Check(t types.Type, v any, mode Mode) (any, []Fault) {
	c := &checker{}
	out, ok := c.check(t, v, mode, nil, 0)
	if ok {
		return out, nil
	}
	if types.Sensitive(t) {
		for i, f := range c.faults {
			switch f.Input.(type) {
			case []any, *Object: // may hold the secret
				c.faults[i].Input = nil
			}
		}
	}
	return nil, c.faults
}

// checker is one Check under way.
//
// Unions are why it remembers: each member is tried on the same value, and a
// record in a union in a record in a union would try 2ⁿ ways. An attempt at one
// node with one type in one mode has one result, so it is kept.
type checker struct {
	faults   []Fault
	calls    int
	patterns map[string]*regexp.Regexp
	tried    map[attempt]result
	shapes   map[*types.Primitive]types.Type // see shapeOf
}

type attempt struct {
	union *types.Union
	node  any // *Object, or *any: the first element of a list
	mode  Mode
}

type result struct {
	value  any
	faults []Fault // their paths begin at the node
	ok     bool
}

// loc is a path that shares its beginning with others.
type loc struct {
	parent *loc
	step   any
}

func (l *loc) path() []any {
	out := []any{}
	for ; l != nil; l = l.parent {
		out = append(out, l.step)
	}
	slices.Reverse(out)
	return out
}

func (c *checker) fault(at *loc, kind string, v any, msg string) (any, bool) {
	c.faults = append(c.faults, Fault{Loc: at.path(), Type: kind, Msg: msg, Input: v})
	return nil, false
}

// expected is the fault of a value of the wrong kind.
func (c *checker) expected(at *loc, kind, want string, v any) (any, bool) {
	return c.fault(at, kind, v, "expected "+want+", got "+show(v))
}

// known reports whether v is of one of the package's kinds.
func known(v any) bool {
	switch v := v.(type) {
	case nil, bool, int, float64, string, []any:
		return true
	case *Object:
		return v != nil
	}
	return false
}

func (c *checker) check(t types.Type, v any, mode Mode, at *loc, depth int) (any, bool) {
	if !known(v) {
		return c.fault(at, "unsupported_value", nil, show(v)+" cannot be held by dspi; give it as null, bool, int, float64, string, []any or *Object")
	}
	c.calls++
	defer func() { c.calls-- }()
	if depth > maxValueDepth || c.calls > maxCallDepth {
		return c.fault(at, "recursion_loop", nil, "expected a value nested at most "+strconv.Itoa(maxValueDepth)+" deep")
	}
	switch t := t.(type) {
	case *types.Primitive:
		return c.primitive(t, v, mode, at, depth)
	case *types.Literal:
		if out, ok := literal(t, v, mode); ok {
			return out, true
		}
		return c.expected(at, "literal_error", t.String(), v)
	case *types.Enum:
		if s, ok := v.(string); ok {
			if m, ok := t.Member(s); ok {
				return m.Name, true
			}
			if m, ok := t.Member(strings.TrimSpace(s)); ok && mode == Lax {
				return m.Name, true
			}
		}
		return c.expected(at, "enum", oneOf(enumNames(t)), v)
	case *types.Optional:
		if v == nil {
			return nil, true
		}
		return c.check(t.Elem, v, mode, at, depth)
	case *types.Union:
		return c.union(t, v, mode, at, depth)
	case *types.List:
		return c.list(t, v, mode, at, depth)
	case *types.Tuple:
		return c.tuple(t, v, mode, at, depth)
	case *types.Map:
		return c.mapping(t, v, mode, at, depth)
	case *types.Record:
		return c.record(t, v, mode, at, depth)
	case types.Model, types.Module:
		if s, ok := v.(string); ok {
			return s, true
		}
		return c.expected(at, "string_type", "the name of a "+t.String(), v)
	}
	return v, true // types.Invalid: its own mistake has been reported
}

func (c *checker) list(t *types.List, v any, mode Mode, at *loc, depth int) (any, bool) {
	in, ok := v.([]any)
	if !ok {
		return c.expected(at, "list_type", "a list", v)
	}
	ok = c.size(t.Constraints, len(in), "a list", v, at)
	out := make([]any, len(in))
	for i, x := range in {
		y, fits := c.check(t.Elem, x, mode, &loc{at, i}, depth+1)
		out[i], ok = y, ok && fits
	}
	if ok && t.Constraints.Unique {
		ok = c.unique(out, at)
	}
	return out, ok
}

// size checks min_items and max_items.
func (c *checker) size(limits types.Constraints, n int, what string, v any, at *loc) bool {
	if lo := limits.MinItems; lo != nil && n < *lo {
		c.fault(at, "too_short", v, "expected "+what+" of at least "+count(*lo, "item")+", got "+strconv.Itoa(n))
		return false
	}
	if hi := limits.MaxItems; hi != nil && n > *hi {
		c.fault(at, "too_long", v, "expected "+what+" of at most "+count(*hi, "item")+", got "+strconv.Itoa(n))
		return false
	}
	return true
}

func (c *checker) tuple(t *types.Tuple, v any, mode Mode, at *loc, depth int) (any, bool) {
	in, ok := v.([]any)
	if !ok {
		return c.expected(at, "tuple_type", "a list of "+count(len(t.Elems), "item"), v)
	}
	if len(in) != len(t.Elems) {
		kind := "too_long"
		if len(in) < len(t.Elems) {
			kind = "too_short"
		}
		return c.fault(at, kind, v, "expected exactly "+count(len(t.Elems), "item")+", got "+strconv.Itoa(len(in)))
	}
	out := make([]any, len(in))
	for i, x := range in {
		y, fits := c.check(t.Elems[i], x, mode, &loc{at, i}, depth+1)
		out[i], ok = y, ok && fits
	}
	return out, ok
}

func (c *checker) mapping(t *types.Map, v any, mode Mode, at *loc, depth int) (any, bool) {
	in, ok := v.(*Object)
	if !ok {
		return c.expected(at, "dict_type", "an object", v)
	}
	ok = c.size(t.Constraints, in.Len(), "an object", v, at)
	out := &Object{}
	for name, x := range in.All() {
		y, fits := c.check(t.Elem, x, mode, &loc{at, name}, depth+1)
		out.Set(name, y)
		ok = ok && fits
	}
	return out, ok
}

func (c *checker) record(t *types.Record, v any, mode Mode, at *loc, depth int) (any, bool) {
	in, ok := v.(*Object)
	if !ok {
		want := "an object"
		if t.Name != "" {
			want += " (" + t.Name + ")"
		}
		return c.expected(at, "object_type", want, v)
	}
	out := &Object{}
	for i := range t.Fields {
		f := &t.Fields[i]
		x, given := in.Get(f.Name)
		switch {
		case given:
		case f.HasDefault:
			x = FromGo(f.Default)
		case types.Nullable(f.Type):
			out.Set(f.Name, nil)
			continue
		default:
			c.fault(&loc{at, f.Name}, "missing", v, "a `"+f.Type.String()+"` is missing here")
			ok = false
			continue
		}
		y, fits := c.check(f.Type, x, mode, &loc{at, f.Name}, depth+1)
		out.Set(f.Name, y)
		ok = ok && fits
	}
	if mode == Strict {
		for name, x := range in.All() {
			if _, declared := t.Field(name); !declared {
				c.fault(&loc{at, name}, "extra_forbidden", x, "there is no field of this name; "+t.String()+" has "+fieldNames(t))
				ok = false
			}
		}
	}
	return out, ok
}

// union takes the first member that fits in the strictest mode that any fits in.
func (c *checker) union(t *types.Union, v any, mode Mode, at *loc, depth int) (any, bool) {
	n := node(v)
	if n == nil {
		return c.members(t, v, mode, at, depth)
	}
	key, here := attempt{t, n, mode}, at.path()
	if r, seen := c.tried[key]; seen {
		for _, f := range r.faults {
			f.Loc = slices.Concat(here, f.Loc)
			c.faults = append(c.faults, f)
		}
		return r.value, r.ok
	}
	before := len(c.faults)
	out, ok := c.members(t, v, mode, at, depth)
	kept := slices.Clone(c.faults[before:])
	for i := range kept {
		kept[i].Loc = kept[i].Loc[len(here):]
	}
	if c.tried == nil {
		c.tried = make(map[attempt]result)
	}
	c.tried[key] = result{out, kept, ok}
	return out, ok
}

func (c *checker) members(t *types.Union, v any, mode Mode, at *loc, depth int) (any, bool) {
	before := len(c.faults)
	for m := Strict; m <= mode; m++ {
		for _, member := range t.Members {
			if out, ok := c.check(member, v, m, at, depth); ok {
				return out, true
			}
			c.faults = c.faults[:before]
		}
	}
	if only := sameShape(t.Members, v); only != nil {
		return c.check(only, v, mode, at, depth) // its faults say more
	}
	names := make([]string, len(t.Members))
	literals := true
	for i, m := range t.Members {
		names[i] = m.String()
		_, is := m.(*types.Literal)
		literals = literals && is
	}
	if literals {
		return c.expected(at, "literal_error", oneOf(names), v)
	}
	return c.expected(at, "union_error", oneOf(names), v)
}

// node identifies a value that may hold others; nil for the rest.
func node(v any) any {
	switch v := v.(type) {
	case *Object:
		return v
	case []any:
		if len(v) > 0 {
			return &v[0]
		}
	}
	return nil
}

// sameShape returns the one member that v resembles, if there is exactly one.
func sameShape(members []types.Type, v any) types.Type {
	var only types.Type
	for _, m := range members {
		alike := false
		switch v := v.(type) {
		case *Object:
			switch types.Structure(m).(type) {
			case *types.Record, *types.Map:
				alike = true
			}
		case []any:
			switch types.Structure(m).(type) {
			case *types.List, *types.Tuple:
				alike = true
			}
		default:
			if p, ok := m.(*types.Primitive); ok {
				alike = held(p.Row.Base, v)
			}
		}
		if alike {
			if only != nil {
				return nil
			}
			only = m
		}
	}
	return only
}

func literal(t *types.Literal, v any, mode Mode) (any, bool) {
	if v == t.Value {
		return t.Value, true
	}
	switch want := t.Value.(type) {
	case string:
		if s, ok := v.(string); ok && mode == Lax && strings.TrimSpace(s) == want {
			return want, true
		}
	case int, float64:
		n, ok := v, isNumber(v)
		if s, text := v.(string); text && mode == Lax {
			n, ok = readFloat(s)
		}
		if ok && Equal(n, want) {
			return want, true
		}
	case bool:
		if mode == Lax {
			if b, ok := readBool(v); ok && b == want {
				return want, true
			}
		}
	}
	return nil, false
}

func isNumber(v any) bool {
	switch v.(type) {
	case int, float64:
		return true
	}
	return false
}

func enumNames(e *types.Enum) []string {
	names := make([]string, len(e.Members))
	for i, m := range e.Members {
		names[i] = m.Name
	}
	return names
}

func fieldNames(r *types.Record) string {
	names := make([]string, len(r.Fields))
	for i, f := range r.Fields {
		names[i] = f.Name
	}
	if len(names) == 0 {
		return "no fields"
	}
	return strings.Join(names, ", ")
}

// oneOf names choices: "one of a, b, c"; a long list is cut.
func oneOf(names []string) string {
	const most = 12
	switch n := len(names); {
	case n == 0:
		return "nothing: there is no value of this type"
	case n == 1:
		return names[0]
	case n > most:
		return "one of " + strings.Join(names[:most], ", ") + " … (" + strconv.Itoa(n) + " in all)"
	}
	return "one of " + strings.Join(names, ", ")
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
