package align

import (
	"errors"
	"strings"

	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// read makes a value of t from the text of a section.
//
// As DSPy: a text is itself. A literal may have space, quotes or `Literal[…]`
// around it. An enum value is known by what the model sees, or by its name. Other
// types are read as JSON, or as Python writes values, and then brought into the
// type laxly; a text that is neither stands for itself.
//
// Where DSPy would refuse or misread, though one meaning is plain:
//
//   - `null` or `None` for an optional text is null, not that word
//   - nothing at all for an optional that is no text is null
//   - an enum value may have quotes around it, as a literal may
//   - a number in quotes is a literal number, a probability, …
//   - a text fits a union with string in it, whatever it looks like
func read(t types.Type, text string) (any, []value.Fault) {
	inner, optional := types.Unwrap(t)
	if optional && (text == "null" || text == "None" || text == "" && !isText(inner)) {
		return nil, nil
	}
	switch {
	case isText(inner):
		return value.Check(inner, text, value.Lax)
	case isChoice(inner):
		return choice(inner, text)
	}
	return literalValue(inner, text)
}

// isText reports whether t is held as a Go string and takes any text.
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

// choice finds the member that a text names.
func choice(t types.Type, text string) (any, []value.Fault) {
	for _, s := range []string{text, unwrapped(text)} {
		if v, ok := shownAs(t, s); ok {
			return v, nil
		}
		if v, faults := value.Check(t, s, value.Lax); faults == nil {
			return v, nil
		}
	}
	return value.Check(t, text, value.Lax)
}

// shownAs finds an enum's member by what the model sees. That comes before its
// name, since the model was shown nothing else.
func shownAs(t types.Type, s string) (any, bool) {
	switch t := t.(type) {
	case *types.Enum:
		for _, m := range t.Members {
			if m.Shown == s {
				return m.Name, true
			}
		}
	case *types.Union:
		for _, m := range t.Members {
			if v, ok := shownAs(m, s); ok {
				return v, true
			}
		}
	}
	return nil, false
}

// unwrapped is a text without `Literal[…]` and quotes around it.
func unwrapped(s string) string {
	s = strings.TrimSpace(s)
	if strings.HasSuffix(s, "]") {
		for _, prefix := range []string{"Literal[", "str["} {
			if strings.HasPrefix(s, prefix) {
				s = strings.TrimSpace(s[len(prefix) : len(s)-1])
				break
			}
		}
	}
	if n := len(s); n > 1 && s[0] == s[n-1] && (s[0] == '"' || s[0] == '\'') {
		s = s[1 : n-1]
	}
	return s
}

// literalValue reads a value written as JSON or Python would write it.
func literalValue(t types.Type, text string) (any, []value.Fault) {
	decoded, err := decode(text)
	if err != nil {
		return fromText(t, text, err)
	}
	v, faults := value.Check(t, decoded, value.Lax)
	if faults == nil {
		return v, nil
	}
	if s, ok := decoded.(string); ok && isNumber(t) { // "0.5"
		if n, err := decode(s); err == nil && isNumeric(n) {
			if v, again := value.Check(t, n, value.Lax); again == nil {
				return v, nil
			}
		}
	}
	if v, again := value.Check(t, text, value.Lax); again == nil {
		return v, nil // `1_0.5`, or a text for a union with string
	}
	return nil, faults
}

func isNumber(t types.Type) bool {
	p, ok := t.(*types.Primitive)
	return ok && (p.Row.Base == types.FloatBase || p.Row.Base == types.IntBase)
}

func composite(t types.Type) bool {
	switch types.Structure(t).(type) {
	case *types.List, *types.Tuple, *types.Map, *types.Record:
		return true
	}
	return false
}

func isNumeric(v any) bool {
	switch v.(type) {
	case int, float64:
		return true
	}
	return false
}

// fromText is for a text that is no literal: it stands for itself, or is at fault.
func fromText(t types.Type, text string, err error) (any, []value.Fault) {
	v, faults := value.Check(t, text, value.Lax)
	broken := types.Equal(t, types.JSON) && (strings.HasPrefix(text, "{") || strings.HasPrefix(text, "["))
	if faults == nil && !broken {
		return v, nil
	}
	want := ""
	switch types.Structure(t).(type) {
	case *types.List, *types.Tuple:
		want = "a list"
	case *types.Map, *types.Record:
		want = "an object"
	case *types.Primitive:
		want = "a value"
	}
	if want == "" || faults != nil && !composite(t) {
		return nil, faults
	}
	var place *literalError
	detail := "it is not written as JSON"
	if errors.As(err, &place) {
		detail = place.Error()
	}
	return nil, []value.Fault{{
		Loc: []any{}, Type: "json_invalid", Input: text,
		Msg: "expected " + want + " written as JSON: " + detail,
	}}
}
