package prompt

import (
	"slices"
	"strings"
	"unicode"

	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// schema returns the JSON schema of t that pydantic makes of the same Python
// type, with DSPy's order of names: "type" first, the rest by alphabet, at every
// level. The constraints of t itself are left out, since DSPy tells them apart.
func (n *typeNames) schema(t types.Type) *value.Object {
	s := &schemas{names: n, defs: &value.Object{}, open: map[types.Type]bool{}}
	out := s.root(t)
	if s.defs.Len() > 0 {
		out.Set("$defs", s.defs)
	}
	return typeFirst(out).(*value.Object)
}

// schemas is one JSON schema under way.
type schemas struct {
	names *typeNames
	defs  *value.Object // by name; a name that is set is being, or has been, made
	open  map[types.Type]bool
}

// root is the schema of a whole field. A record stands at the root itself unless
// it holds itself: then it is a definition like any other.
func (s *schemas) root(t types.Type) *value.Object {
	switch t := t.(type) {
	case *types.Record:
		if !holdsItself(t) {
			return s.record(t)
		}
	case *types.List:
		return s.of(&types.List{Elem: t.Elem})
	case *types.Map:
		return s.of(&types.Map{Elem: t.Elem})
	case *types.Optional:
		switch e := t.Elem.(type) {
		case *types.Primitive:
			return s.of(&types.Optional{Elem: &types.Primitive{Row: bare(e.Row)}})
		case *types.List:
			return s.of(&types.Optional{Elem: &types.List{Elem: e.Elem}})
		case *types.Map:
			return s.of(&types.Optional{Elem: &types.Map{Elem: e.Elem}})
		}
	}
	return s.of(t)
}

// bare is a row without the bounds that the type itself sets.
func bare(r *types.Row) *types.Row {
	if r.Min == nil && r.Max == nil {
		return r
	}
	copied := *r
	copied.Min, copied.Max = nil, nil
	return &copied
}

func holdsItself(r *types.Record) bool {
	visited := map[*types.Record]bool{}
	var visit func(t types.Type) bool
	visit = func(t types.Type) bool {
		switch t := t.(type) {
		case *types.List:
			return visit(t.Elem)
		case *types.Map:
			return visit(t.Elem)
		case *types.Optional:
			return visit(t.Elem)
		case *types.Tuple:
			return slices.ContainsFunc(t.Elems, visit)
		case *types.Union:
			return slices.ContainsFunc(t.Members, visit)
		case *types.Record:
			if t == r && len(visited) > 0 {
				return true
			}
			if visited[t] {
				return false
			}
			visited[t] = true
			for i := range t.Fields {
				if visit(t.Fields[i].Type) {
					return true
				}
			}
		}
		return false
	}
	return visit(r)
}

func (s *schemas) of(t types.Type) *value.Object {
	switch t := t.(type) {
	case *types.Primitive:
		return primitive(t)
	case *types.Literal:
		return literals(t)
	case *types.List:
		o := value.NewObject("type", "array", "items", s.of(t.Elem))
		setCount(o, "minItems", t.Constraints.MinItems)
		setCount(o, "maxItems", t.Constraints.MaxItems)
		return o
	case *types.Map:
		o := value.NewObject("type", "object", "additionalProperties", any(true))
		if elem := s.of(t.Elem); elem.Len() > 0 {
			o.Set("additionalProperties", elem)
		}
		setCount(o, "minProperties", t.Constraints.MinItems)
		setCount(o, "maxProperties", t.Constraints.MaxItems)
		return o
	case *types.Tuple:
		items := make([]any, len(t.Elems))
		for i, e := range t.Elems {
			items[i] = s.of(e)
		}
		return value.NewObject("type", "array", "maxItems", len(items), "minItems", len(items), "prefixItems", items)
	case *types.Optional:
		return anyOf(append(s.members(t.Elem), value.NewObject("type", "null")))
	case *types.Union:
		return anyOf(s.members(t))
	case *types.Record:
		name := s.names.named[t]
		if !s.open[t] {
			s.open[t] = true
			s.defs.Set(name, s.record(t))
		}
		return value.NewObject("$ref", "#/$defs/"+name)
	case *types.Enum:
		name := s.names.named[t]
		if !s.open[t] {
			s.open[t] = true
			s.defs.Set(name, enum(t, name))
		}
		return value.NewObject("$ref", "#/$defs/"+name)
	}
	return &value.Object{}
}

func (s *schemas) members(t types.Type) []any {
	var out []any
	for _, a := range alternatives(t) {
		if ls, ok := a.literals(); ok {
			out = append(out, literals(ls...))
		} else {
			out = append(out, s.of(a[0]))
		}
	}
	return out
}

func anyOf(members []any) *value.Object {
	var distinct []any
	for _, m := range members {
		if !slices.ContainsFunc(distinct, func(d any) bool { return value.Equal(d, m) }) {
			distinct = append(distinct, m)
		}
	}
	if len(distinct) == 1 {
		return distinct[0].(*value.Object)
	}
	return value.NewObject("anyOf", distinct)
}

func primitive(t *types.Primitive) *value.Object {
	o := &value.Object{}
	switch t.Row.Base {
	case types.StringBase:
		o.Set("type", "string")
		if t.Row.Format != "" {
			o.Set("format", t.Row.Format)
		}
	case types.IntBase:
		o.Set("type", "integer")
	case types.FloatBase:
		o.Set("type", "number")
	case types.BoolBase:
		o.Set("type", "boolean")
	}
	lo, hi := t.Bounds()
	c := t.Constraints
	for _, limit := range []struct {
		name string
		at   *float64
	}{{"minimum", lo}, {"maximum", hi}, {"multipleOf", c.MultipleOf}} {
		if limit.at != nil {
			o.Set(limit.name, bound(*limit.at))
		}
	}
	setCount(o, "minLength", c.MinLength)
	setCount(o, "maxLength", c.MaxLength)
	if c.Pattern != nil {
		o.Set("pattern", *c.Pattern)
	}
	return o
}

func setCount(o *value.Object, name string, n *int) {
	if n != nil {
		o.Set(name, *n)
	}
}

// literals is the schema of a Literal: "const" for one value, "enum" for more, and
// the type where all values have the same.
func literals(ls ...*types.Literal) *value.Object {
	o := &value.Object{}
	values := make([]any, len(ls))
	kind := ""
	for i, l := range ls {
		values[i] = l.Value
		k := "null"
		switch l.Value.(type) {
		case string:
			k = "string"
		case int:
			k = "integer"
		case float64:
			k = "number"
		case bool:
			k = "boolean"
		}
		if i > 0 && k != kind {
			k = ""
		}
		kind = k
	}
	if kind != "" {
		o.Set("type", kind)
	}
	if len(values) == 1 {
		o.Set("const", values[0])
	} else {
		o.Set("enum", values)
	}
	return o
}

func enum(e *types.Enum, name string) *value.Object {
	shown := make([]any, len(e.Members))
	for i, m := range e.Members {
		shown[i] = m.Shown
	}
	o := value.NewObject("type", "string", "enum", shown, "title", name)
	if m := memberMeanings(e); m != "" {
		o.Set("description", m)
	}
	return o
}

func (s *schemas) record(t *types.Record) *value.Object {
	properties := &value.Object{}
	var required []any
	for i := range t.Fields {
		f := &t.Fields[i]
		p := s.of(f.Type).Clone()
		if titled(f.Type) {
			p.Set("title", pyTitle(f.Name))
		}
		if f.Description != "" {
			p.Set("description", f.Description)
		}
		if f.HasDefault {
			p.Set("default", shown(f.Type, f.Default))
		} else {
			required = append(required, f.Name)
		}
		properties.Set(f.Name, p)
	}
	o := value.NewObject("type", "object", "properties", properties, "title", s.names.named[t])
	if required != nil {
		o.Set("required", required)
	}
	return o
}

// titled reports whether pydantic gives a field of this type a title: not where a
// definition, which has its own, stands in its place.
func titled(t types.Type) bool {
	switch t := t.(type) {
	case *types.Optional:
		return titled(t.Elem)
	case *types.Record, *types.Enum:
		return false
	}
	return true
}

// pyTitle is a field's name as a title: `first_name` is First Name.
func pyTitle(name string) string {
	var b strings.Builder
	inWord := false
	for _, r := range name {
		switch {
		case r == '_':
			r = ' '
		case inWord:
			r = unicode.ToLower(r)
		default:
			r = unicode.ToTitle(r)
		}
		b.WriteRune(r)
		inWord = unicode.IsLetter(r)
	}
	return pyStrip(b.String())
}

// typeFirst sorts names by alphabet, "type" before all, at every level.
func typeFirst(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = typeFirst(x)
		}
		return out
	case *value.Object:
		names := slices.Clone(v.Names())
		slices.SortFunc(names, func(a, b string) int {
			switch {
			case a == b:
				return 0
			case a == "type":
				return -1
			case b == "type":
				return 1
			}
			return strings.Compare(a, b)
		})
		out := &value.Object{}
		for _, name := range names {
			x, _ := v.Get(name)
			out.Set(name, typeFirst(x))
		}
		return out
	}
	return v
}
