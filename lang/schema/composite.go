package schema

import (
	"slices"
	"strconv"
	"strings"

	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// count says "3 items".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// limit sets a keyword, or says it in the description where the dialect has none.
func (b *builder) limit(o *value.Object, keyword string, v any, words string) {
	if b.Dialect.knows(keyword) {
		o.Set(keyword, v)
		return
	}
	b.inWords(o, words)
}

// inWords puts into the description what the dialect cannot say otherwise.
func (b *builder) inWords(o *value.Object, words string) {
	b.note("%s has no word for: %s", b.Dialect.Title(), words)
	if before, ok := get[string](o, "description"); ok {
		words = before + "; " + words
	}
	o.Set("description", words)
}

func (b *builder) primitive(t *types.Primitive) *value.Object {
	o := &value.Object{}
	switch t.Row.Base {
	case types.ShapedBase:
		return b.shaped(t)
	case types.AnyBase:
		return b.anything()
	case types.StringBase:
		o.Set("type", b.kind("string"))
		b.text(o, t)
	case types.BoolBase:
		o.Set("type", b.kind("boolean"))
	case types.IntBase:
		o.Set("type", b.kind("integer"))
		if b.Dialect == Gemini {
			o.Set("format", "int64")
		}
	case types.FloatBase:
		o.Set("type", b.kind("number"))
	}
	lo, hi := t.Bounds()
	if lo != nil {
		o.Set("minimum", number(*lo))
	}
	if hi != nil {
		o.Set("maximum", number(*hi))
	}
	if m := t.Constraints.MultipleOf; m != nil {
		b.limit(o, "multipleOf", number(*m), "a multiple of "+types.FormatFloat(*m))
	}
	return o
}

// shaped is the schema of a type with a structure. What the structure does not say
// stands in its description.
func (b *builder) shaped(t *types.Primitive) *value.Object {
	if t.Row.Rule != "" {
		b.note("a schema has no word for: %s", t.Row.Rule)
	}
	if r, ok := t.Shape().(*types.Record); ok {
		return b.named(r, r.Name, func() *value.Object { return described(b.record(r), t.Row.Rule) })
	}
	return described(b.of(t.Shape()), t.Row.Rule)
}

// anything is the schema of json.
func (b *builder) anything() *value.Object {
	switch b.Dialect {
	case OpenAI:
		b.strict = false
		b.note("any JSON value is refused in strict mode; send it with strict = false")
	case Gemini:
		b.note("any JSON value: Gemini is told of texts, numbers, booleans and null only")
		return value.NewObject("anyOf", []any{
			value.NewObject("type", "STRING"), value.NewObject("type", "NUMBER"), value.NewObject("type", "BOOLEAN"),
		}, "nullable", true)
	}
	return &value.Object{}
}

func (b *builder) text(o *value.Object, t *types.Primitive) {
	least, most := t.Lengths()
	if least != nil {
		words := "at least " + count(*least, "character")
		if *least == 1 {
			words = "not empty"
		}
		b.limit(o, "minLength", *least, words)
	}
	if most != nil {
		b.limit(o, "maxLength", *most, "at most "+count(*most, "character"))
	}
	pattern := t.Row.Pattern
	if p := t.Constraints.Pattern; p != nil {
		pattern = *p
	} else if pattern != "" {
		*o = *described(o, t.Row.Doc) // a pattern alone says little to a model
	}
	switch {
	case pattern == "":
	case portable(pattern):
		o.Set("pattern", pattern)
	default:
		b.inWords(o, "matches the RE2 pattern "+pattern)
	}
	format, words := t.Row.Format, t.Row.Doc
	if f := t.Constraints.Format; f != nil {
		format = *f
		for _, known := range types.Formats {
			if known.Name == format {
				words = format + ", " + known.Doc
			}
		}
	}
	switch {
	case format == "":
	case b.Dialect.knowsFormat(format):
		o.Set("format", format)
	default:
		b.inWords(o, words)
	}
	if t.Row.Rule != "" && format == "" && t.Row.Pattern == "" {
		b.inWords(o, t.Row.Rule)
	}
	if lang := t.Constraints.Lang; lang != nil {
		*o = *described(o, *lang+" code")
	}
	if t.Row.Sensitive {
		if b.Dialect == JSON {
			o.Set("writeOnly", true)
		}
		b.note("a secret, which no model may be asked for or told")
	}
}

func (b *builder) list(t *types.List) *value.Object {
	o := value.NewObject("type", b.kind("array"), "items", b.in("[]", func() *value.Object { return b.deeper(t.Elem) }))
	c := t.Constraints
	if c.MinItems != nil {
		o.Set("minItems", *c.MinItems)
	}
	if c.MaxItems != nil {
		o.Set("maxItems", *c.MaxItems)
	}
	if c.Unique {
		b.limit(o, "uniqueItems", true, "no two items are alike")
		if !asWritten(t.Elem) {
			b.note("items are compared with their defaults filled in and in one form; a schema compares them as written")
		}
	}
	return o
}

// asWritten reports whether a value of t is held as it is written: no defaults are
// filled in, and no form of a text stands for another.
func asWritten(t types.Type) bool {
	switch t := types.Structure(t).(type) {
	case *types.Primitive:
		return t.Row.Rule == ""
	case *types.Literal, *types.Enum:
		return true
	case *types.Optional:
		return asWritten(t.Elem)
	case *types.List:
		return asWritten(t.Elem)
	case *types.Map:
		return asWritten(t.Elem)
	case *types.Union:
		return !slices.ContainsFunc(t.Members, func(m types.Type) bool { return !asWritten(m) })
	case *types.Tuple:
		return !slices.ContainsFunc(t.Elems, func(e types.Type) bool { return !asWritten(e) })
	}
	return false
}

func (b *builder) tuple(t *types.Tuple) *value.Object {
	n := len(t.Elems)
	items := make([]any, n)
	for i, e := range t.Elems {
		items[i] = b.in("["+strconv.Itoa(i)+"]", func() *value.Object { return b.deeper(e) })
	}
	o := value.NewObject("type", b.kind("array"))
	if b.Dialect.knows("prefixItems") {
		o.Set("prefixItems", items)
	} else {
		var distinct []any
		for _, x := range items {
			if !contains(distinct, x) {
				distinct = append(distinct, x)
			}
		}
		if len(distinct) == 1 {
			o.Set("items", distinct[0])
		} else {
			o.Set("items", value.NewObject("anyOf", distinct))
			parts := make([]string, n)
			for i, e := range t.Elems {
				parts[i] = e.String()
			}
			b.inWords(o, "in this order: "+strings.Join(parts, ", "))
		}
	}
	o.Set("minItems", n)
	o.Set("maxItems", n)
	return o
}

func contains(list []any, v any) bool {
	for _, x := range list {
		if value.Equal(x, v) {
			return true
		}
	}
	return false
}

func (b *builder) mapping(t *types.Map) *value.Object {
	o := value.NewObject("type", b.kind("object"))
	elem := b.in("{}", func() *value.Object { return b.deeper(t.Elem) })
	switch b.Dialect {
	case Gemini:
		b.note("%s: Gemini has no objects with names of their own; it is told of any object", t)
	case OpenAI:
		b.strict = false
		b.note("%s: an object with names of its own is refused in strict mode; send it with strict = false", t)
		o.Set("additionalProperties", elem)
	default:
		o.Set("additionalProperties", elem)
	}
	c := t.Constraints
	if c.MinItems != nil {
		b.limit(o, "minProperties", *c.MinItems, "at least "+count(*c.MinItems, "name"))
	}
	if c.MaxItems != nil {
		b.limit(o, "maxProperties", *c.MaxItems, "at most "+count(*c.MaxItems, "name"))
	}
	return o
}

func (b *builder) record(t *types.Record) *value.Object {
	properties := &value.Object{}
	required, order := []any{}, []any{}
	for i := range t.Fields {
		f := &t.Fields[i]
		b.properties++
		properties.Set(f.Name, b.in("."+f.Name, func() *value.Object { return b.field(f) }))
		order = append(order, f.Name)
		if b.Dialect == OpenAI || !f.HasDefault && !types.Nullable(f.Type) {
			required = append(required, f.Name)
		}
	}
	o := value.NewObject("type", b.kind("object"), "properties", properties)
	if b.Dialect == Gemini {
		o.Set("propertyOrdering", order)
	} else {
		o.Set("additionalProperties", false)
	}
	if len(required) > 0 || b.Dialect == OpenAI {
		o.Set("required", required)
	}
	return o
}

// field is the schema of a field, with its description and default.
func (b *builder) field(f *types.Field) *value.Object {
	o := b.deeper(f.Type)
	if _, ref := o.Get("$ref"); ref && b.Dialect == OpenAI && f.Description != "" {
		o = value.NewObject("anyOf", []any{o}) // nothing may stand beside a reference
	}
	o = described(o, f.Description)
	if f.HasDefault {
		if b.Dialect.knows("default") {
			o.Set("default", b.shown(f.Type, value.FromGo(f.Default)))
		} else {
			b.note("%s has no word for: the default %s", b.Dialect.Title(), value.EncodeJSON(value.FromGo(f.Default)))
		}
	}
	return o
}

// shown puts what the model sees in place of an enum's value, where asked to.
func (b *builder) shown(t types.Type, v any) any {
	inner, _ := types.Unwrap(t)
	if e, ok := inner.(*types.Enum); ok && b.Shown {
		if s, ok := v.(string); ok {
			if m, ok := e.Member(s); ok {
				return m.Shown
			}
		}
	}
	return v
}

// deeper is of, one level down.
func (b *builder) deeper(t types.Type) *value.Object {
	b.depth++
	b.deepest = max(b.deepest, b.depth)
	o := b.of(t)
	b.depth--
	return o
}
