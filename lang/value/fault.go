package value

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Fault is one thing that is wrong with a value: where, what, and what stood
// there. Its names are pydantic's, so that tools that know those know these.
type Fault struct {
	// Loc is the path to the value: names (string) and indexes (int), outermost
	// first. It is empty for the value itself.
	Loc []any `json:"loc"`
	// Type is a short name of the kind of fault for machines: "missing",
	// "int_parsing", "less_than_equal", …
	Type string `json:"type"`
	// Msg says for people what was expected and what came instead.
	Msg string `json:"msg"`
	// Input is the value that is at fault; for a missing field, what lacks it.
	Input any `json:"input"`
}

// String returns the fault in one line: `refund.amount: expected a number, got "x"`.
func (f Fault) String() string {
	if len(f.Loc) == 0 {
		return f.Msg
	}
	return f.Path() + ": " + f.Msg
}

// Path returns the place in one piece: `contact.phones[2]`; "" for the value itself.
func (f Fault) Path() string {
	var b strings.Builder
	for _, step := range f.Loc {
		switch step := step.(type) {
		case int:
			b.WriteString("[" + strconv.Itoa(step) + "]")
		case string:
			switch {
			case !plainName(step):
				b.WriteString("[" + strconv.Quote(step) + "]")
			case b.Len() == 0:
				b.WriteString(step)
			default:
				b.WriteString("." + step)
			}
		default:
			fmt.Fprintf(&b, "[%v]", step)
		}
	}
	return b.String()
}

func plainName(s string) bool {
	for i, r := range s {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) {
			return false
		}
	}
	return s != ""
}

// Faults makes one text of several faults, one a line.
func Faults(faults []Fault) string {
	lines := make([]string, len(faults))
	for i, f := range faults {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// shownRunes is how much of a text a message shows.
const shownRunes = 60

// show names a value in a message: short values as they are, the rest by kind.
func show(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		if v == "" {
			return "an empty text"
		}
		if utf8.RuneCountInString(v) > shownRunes {
			r := []rune(v[:min(len(v), 4*shownRunes+4)])
			return strconv.Quote(string(r[:min(len(r), shownRunes-1)])) + "…"
		}
		return strconv.Quote(v)
	case bool:
		return strconv.FormatBool(v)
	case int:
		return strconv.Itoa(v)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case []any:
		return "a list of " + strconv.Itoa(len(v))
	case *Object:
		names := v.Names()
		switch {
		case len(names) == 0:
			return "an empty object"
		case len(names) > 4:
			return "an object with " + strings.Join(names[:4], ", ") + " and more"
		}
		return "an object with " + strings.Join(names, ", ")
	}
	return fmt.Sprintf("a Go value of type %T", v)
}
