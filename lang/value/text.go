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
		v, faults := Check(t, text, Lax)
		if faults != nil && p.Row.Format+p.Row.Pattern != "" { // a date in quotes
			if decoded, err := DecodeJSON([]byte(text)); err == nil {
				if v, again := Check(t, decoded, Lax); again == nil {
					return v, nil
				}
			}
		}
		return v, faults
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
	if p, ok := inner.(*types.Primitive); ok && p.Row.Group == types.Media && !looksJSON {
		return nil, []Fault{{
			Loc: []any{}, Type: "media_source", Input: text,
			Msg: "expected an address (https://…), a data: URI, or an object with url, path or data, got " + show(text),
		}}
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
	switch t := types.Structure(t).(type) {
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
	if p, ok := t.(*types.Primitive); ok {
		return "`" + p.String() + "`"
	}
	switch t.(type) {
	case *types.List, *types.Tuple:
		return "a list"
	case *types.Map, *types.Record:
		return "an object"
	}
	return "`" + t.String() + "`"
}
