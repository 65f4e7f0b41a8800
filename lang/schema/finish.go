package schema

import (
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// draft is the address of the draft that the dialect JSON is written in.
const draft = "https://json-schema.org/draft/2020-12/schema"

// finish makes the document: definitions at the end, keywords in reading order.
func (b *builder) finish(o *value.Object) *Schema {
	out := &value.Object{}
	if b.Dialect == JSON {
		out.Set("$schema", draft)
	}
	for name, v := range o.All() {
		out.Set(name, v)
	}
	if b.defs.Len() > 0 {
		out.Set("$defs", b.defs)
	}
	if b.Dialect == OpenAI {
		b.path = nil
		b.over(b.properties, openAIProperties, "properties")
		b.over(b.deepest, openAIDepth, "levels of nesting")
		b.over(b.enums, openAIEnum, "values of enums")
	}
	return &Schema{Document: arranged(out), Notes: b.notes, Strict: b.strict}
}

func (b *builder) over(n, most int, what string) {
	if n > most {
		b.strict = false
		b.note("OpenAI takes at most %d %s, this has %d", most, what, n)
	}
}

// described adds words to a schema's description: the first to come are the
// outermost, what was there goes into parentheses behind them.
func described(o *value.Object, words string) *value.Object {
	if words == "" {
		return o
	}
	out := o.Clone()
	if inner, ok := get[string](o, "description"); ok && inner != words {
		words = strings.TrimRight(words, " .") + " (" + inner + ")"
	}
	out.Set("description", words)
	return out
}

// enumWords says what the values of an enum mean; "" if nothing is said.
func enumWords(e *types.Enum, shown bool) string {
	var parts []string
	for _, m := range e.Members {
		name, words := m.Name, m.Description
		if shown {
			name = m.Shown
		} else if m.Shown != m.Name && words == "" {
			words = m.Shown
		}
		if words != "" {
			parts = append(parts, name+": "+words)
		}
	}
	return strings.Join(parts, "; ")
}

// reading is the order of keywords for people and models: what it is, what it is
// for, what it must be, what is in it.
var reading = []string{
	"$schema", "$ref", "type", "description", "nullable", "format", "pattern", "const", "enum",
	"minimum", "maximum", "multipleOf", "minLength", "maxLength", "writeOnly",
	"properties", "propertyOrdering", "required", "additionalProperties", "minProperties", "maxProperties",
	"items", "prefixItems", "minItems", "maxItems", "uniqueItems", "anyOf", "default", "$defs",
}

// arranged puts the keywords of a schema, and of those in it, into reading order.
func arranged(o *value.Object) *value.Object {
	out := &value.Object{}
	for _, keyword := range reading {
		v, ok := o.Get(keyword)
		if !ok {
			continue
		}
		switch keyword {
		case "properties", "$defs":
			inner := &value.Object{}
			for name, s := range v.(*value.Object).All() {
				inner.Set(name, arranged(s.(*value.Object)))
			}
			v = inner
		case "items", "additionalProperties":
			if s, ok := v.(*value.Object); ok {
				v = arranged(s)
			}
		case "prefixItems", "anyOf":
			list := slices.Clone(v.([]any))
			for i := range list {
				list[i] = arranged(list[i].(*value.Object))
			}
			v = list
		}
		out.Set(keyword, v)
	}
	return out
}
