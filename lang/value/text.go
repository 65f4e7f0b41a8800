package value

import (
	"strings"

	"github.com/dspi-lang/dspi/lang/types"
)

// ParseText reads a value of t from text as people write it on a command line or
// in a cell of a table:
//
//   - for a string the text is the value, as it is; for `string?` too, except
//     the text `null`
//   - an enum value or a literal text stands bare: `happy`, not `"happy"`
//   - anything else is JSON, or else what Lax reads from the text: `[1, 2]`,
//     `42`, `yes`
//
// The value is checked; all faults come back at once.
func ParseText(t types.Type, text string) (any, []Fault) {
	inner, optional := types.Unwrap(t)
	if p, ok := inner.(*types.Primitive); ok && p.Row.Base == types.StringBase {
		if optional && text == "null" {
			return nil, nil
		}
		return Check(t, text, Lax)
	}
	if bare(inner) {
		if v, faults := Check(inner, text, Lax); faults == nil {
			return v, nil
		}
	}
	decoded, err := DecodeJSON([]byte(text))
	if err == nil {
		v, faults := Check(t, decoded, Lax)
		if faults == nil {
			return v, nil
		}
		if v, again := Check(t, text, Lax); again == nil {
			return v, nil // "1" for the literal "1" | "2"; 007
		}
		if _, isText := decoded.(string); isText || composite(inner) || !bare(inner) {
			return nil, faults
		}
		_, faults = Check(t, text, Lax)
		return nil, faults
	}
	v, faults := Check(t, text, Lax)
	start := strings.TrimSpace(text)
	looksJSON := strings.HasPrefix(start, "{") || strings.HasPrefix(start, "[")
	if anything := types.Equal(inner, types.JSON); faults == nil && !(anything && looksJSON) {
		return v, nil
	}
	if composite(inner) || looksJSON {
		return nil, []Fault{{
			Loc: []any{}, Type: "json_invalid", Input: text,
			Msg: "expected " + article(inner) + " written as JSON, such as " + string(EncodeJSON(Example(inner))) + "; " + err.Error(),
		}}
	}
	return nil, faults
}

// bare reports whether values of t are names or texts that need no quotes.
func bare(t types.Type) bool {
	switch t := t.(type) {
	case *types.Enum:
		return true
	case *types.Literal:
		_, ok := t.Value.(string)
		return ok
	case *types.Union:
		for _, m := range t.Members {
			if !bare(m) {
				return false
			}
		}
		return true
	}
	return false
}

func composite(t types.Type) bool {
	switch t := t.(type) {
	case *types.List, *types.Tuple, *types.Map, *types.Record:
		return true
	case *types.Union:
		for _, m := range t.Members {
			if composite(m) {
				return true
			}
		}
	}
	return false
}

func article(t types.Type) string {
	switch t.(type) {
	case *types.List, *types.Tuple:
		return "a list"
	case *types.Map, *types.Record:
		return "an object"
	}
	return "`" + t.String() + "`"
}

// Example returns a value of t for messages and docs: from the table for
// primitive types, the first choice of enums and literals, one element in lists.
// Constraints are not looked at.
func Example(t types.Type) any { return example(t, 0) }

func example(t types.Type, depth int) any {
	if depth > 6 { // a record that holds itself
		return nil
	}
	switch t := t.(type) {
	case *types.Primitive:
		return FromGo(t.Row.Example)
	case *types.Literal:
		return t.Value
	case *types.Enum:
		if len(t.Members) > 0 {
			return t.Members[0].Name
		}
	case *types.Optional:
		return example(t.Elem, depth+1)
	case *types.Union:
		return example(t.Members[0], depth+1)
	case *types.List:
		return []any{example(t.Elem, depth+1)}
	case *types.Tuple:
		out := make([]any, len(t.Elems))
		for i, e := range t.Elems {
			out[i] = example(e, depth+1)
		}
		return out
	case *types.Map:
		return NewObject("name", example(t.Elem, depth+1))
	case *types.Record:
		o := &Object{}
		for _, f := range t.Fields {
			o.Set(f.Name, example(f.Type, depth+1))
		}
		return o
	case types.Model, types.Module:
		return "name"
	}
	return nil
}
