package value

import (
	"math"
	"strconv"
	"strings"

	"github.com/dspi-lang/dspi/lang/types"
)

func (c *checker) primitive(t *types.Primitive, v any, mode Mode, at *loc, depth int) (any, bool) {
	if t.Row.Sensitive {
		return c.secret(t, v, mode, at)
	}
	switch t.Row.Base {
	case types.ShapedBase:
		return c.shaped(t, v, mode, at, depth)
	case types.StringBase:
		return c.text(t, v, mode, at)
	case types.IntBase:
		n, fault := toInt(v, mode)
		if fault != "" {
			return c.expected(at, fault, "a whole number"+span(t), v)
		}
		return c.bounds(t, n, float64(n), v, at)
	case types.FloatBase:
		f, fault := toFloat(t, v, mode)
		if fault != "" {
			return c.expected(at, fault, "a number"+span(t), v)
		}
		return c.bounds(t, f, f, v, at)
	case types.BoolBase:
		if b, ok := v.(bool); ok {
			return b, true
		}
		if mode == Lax {
			if b, ok := readBool(v); ok {
				return b, true
			}
			if _, text := v.(string); text {
				return c.expected(at, "bool_parsing", "true or false", v)
			}
		}
		return c.expected(at, "bool_type", "true or false", v)
	}
	return c.anything(v, at, depth) // json
}

// text checks a text: its form, then its length and pattern.
func (c *checker) text(t *types.Primitive, v any, mode Mode, at *loc) (any, bool) {
	r := rules()[t.Row.Name]
	if mode == Lax && r.read != nil {
		v = r.read(v)
	}
	s, ok := v.(string)
	if !ok {
		want := "a text"
		if t.Row.Format != "" || t.Row.Pattern != "" {
			want = "a " + t.Row.Name + " as text"
		}
		return c.expected(at, "string_type", want, v)
	}
	if r.text != nil {
		out, err := r.text(s, mode == Lax)
		if err != nil {
			return c.expected(at, t.Row.Name+"_parsing", err.Error(), s)
		}
		s = out
	}
	return c.length(t, s, at)
}

// secret checks a value that no message may show.
func (c *checker) secret(t *types.Primitive, v any, mode Mode, at *loc) (any, bool) {
	before := len(c.faults)
	out, ok := c.text(t, v, mode, at)
	for i := range c.faults[before:] {
		f := &c.faults[before+i]
		f.Input = nil
		f.Msg, _, _ = strings.Cut(f.Msg, ", got ")
	}
	return out, ok
}

// held reports whether v is of a base's own Go type.
func held(b types.Base, v any) bool {
	switch v.(type) {
	case string:
		return b == types.StringBase
	case int:
		return b == types.IntBase || b == types.FloatBase
	case float64:
		return b == types.FloatBase
	case bool:
		return b == types.BoolBase
	}
	return false
}

// anything looks for what JSON cannot say.
func (c *checker) anything(v any, at *loc, depth int) (any, bool) {
	if !known(v) {
		return c.check(types.Invalid{}, v, Strict, at, depth)
	}
	if depth > maxValueDepth {
		return c.fault(at, "recursion_loop", nil, "expected a value nested at most "+strconv.Itoa(maxValueDepth)+" deep")
	}
	ok := true
	switch v := v.(type) {
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return c.expected(at, "finite_number", "a finite number", v)
		}
	case []any:
		for i, x := range v {
			_, fits := c.anything(x, &loc{at, i}, depth+1)
			ok = ok && fits
		}
	case *Object:
		for name, x := range v.All() {
			_, fits := c.anything(x, &loc{at, name}, depth+1)
			ok = ok && fits
		}
	}
	return v, ok
}

// bounds checks min, max, multiple_of and step, and those the type itself sets.
func (c *checker) bounds(t *types.Primitive, out any, f float64, v any, at *loc) (any, bool) {
	lo, hi := t.Bounds()
	switch {
	case lo != nil && f < *lo:
		return c.expected(at, "greater_than_equal", numberKind(t)+span(t), v)
	case hi != nil && f > *hi:
		return c.expected(at, "less_than_equal", numberKind(t)+span(t), v)
	}
	if m := t.Constraints.MultipleOf; m != nil && !isMultipleOf(out, f, *m) {
		return c.expected(at, "multiple_of", "a multiple of "+types.FormatFloat(*m), v)
	}
	if m := t.Constraints.Step; m != nil {
		from := 0.0
		if lo != nil {
			from = *lo
		}
		if !isMultiple(f-from, *m) {
			return c.expected(at, "step", "a number in steps of "+types.FormatFloat(*m)+" from "+types.FormatFloat(from), v)
		}
	}
	return out, true
}

// isMultipleOf is isMultiple, exact also for an int beyond what float64 holds.
func isMultipleOf(v any, f, of float64) bool {
	if n, ok := v.(int); ok && of == math.Trunc(of) && of != 0 && math.Abs(of) < 1<<62 {
		return n%int(of) == 0
	}
	return isMultiple(f, of)
}

// isMultiple reports whether f is a whole number of times of. Between fractions, as
// 0.3 and 0.1, what float64 cannot hold is made up for; whole numbers are exact.
func isMultiple(f, of float64) bool {
	if of == 0 {
		return f == 0
	}
	if f == math.Trunc(f) && of == math.Trunc(of) {
		return math.Mod(f, of) == 0
	}
	times := f / of
	return math.Abs(times) < 1e15 && math.Abs(times-math.Round(times)) <= 1e-9+math.Abs(times)*4e-16
}

func numberKind(t *types.Primitive) string {
	if t.Row.Base == types.IntBase {
		return "a whole number"
	}
	return "a number"
}

// span says the bounds of a number: " from 1 to 5".
func span(t *types.Primitive) string {
	lo, hi := t.Bounds()
	switch {
	case lo != nil && hi != nil:
		return " from " + types.FormatFloat(*lo) + " to " + types.FormatFloat(*hi)
	case lo != nil:
		return " of at least " + types.FormatFloat(*lo)
	case hi != nil:
		return " of at most " + types.FormatFloat(*hi)
	}
	return ""
}

// toInt returns the int that v is, or the kind of fault.
func toInt(v any, mode Mode) (int, string) {
	if n, ok := v.(int); ok {
		return n, ""
	}
	if mode != Lax {
		return 0, "int_type"
	}
	switch v := v.(type) {
	case float64:
		switch {
		case v != math.Trunc(v): // also NaN
			return 0, "int_from_float"
		case v < -1<<63 || v >= 1<<63:
			return 0, "int_parsing_size"
		}
		return int(v), ""
	case bool:
		if v {
			return 1, ""
		}
		return 0, ""
	case string:
		return readInt(v)
	}
	return 0, "int_type"
}

// readInt reads a whole number as pydantic does: space around it, a sign, `_`
// between digits, and a fraction of zeros are fine.
func readInt(s string) (int, string) {
	s, ok := withoutSeparators(s)
	if whole, fraction, point := strings.Cut(s, "."); point {
		ok = ok && fraction != "" && strings.Trim(fraction, "0") == ""
		s = whole
	}
	for i, r := range s {
		if (r < '0' || r > '9') && (i > 0 || r != '-' && r != '+') {
			ok = false
		}
	}
	if !ok {
		return 0, "int_parsing"
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		if strings.Trim(s, "+-") == "" {
			return 0, "int_parsing"
		}
		return 0, "int_parsing_size"
	}
	return n, ""
}

// withoutSeparators drops space around a number and `_` between its digits.
func withoutSeparators(s string) (string, bool) {
	s = strings.TrimSpace(s)
	if !strings.Contains(s, "_") {
		return s, true
	}
	digit := func(i int) bool { return i >= 0 && i < len(s) && s[i] >= '0' && s[i] <= '9' }
	for i := range len(s) {
		if s[i] == '_' && !(digit(i-1) && digit(i+1)) {
			return s, false
		}
	}
	return strings.ReplaceAll(s, "_", ""), true
}

func toFloat(t *types.Primitive, v any, mode Mode) (float64, string) {
	var f float64
	switch x := v.(type) {
	case float64:
		f = x
	case int:
		f = float64(x)
	case bool:
		if mode != Lax || t.Row != types.Float.Row {
			return 0, "float_type"
		}
		if x {
			f = 1
		}
	case string:
		if mode != Lax || t.Row != types.Float.Row {
			return 0, "float_type"
		}
		n, ok := readFloat(x)
		if !ok {
			return 0, "float_parsing"
		}
		f = n.(float64)
	default:
		return 0, "float_type"
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, "finite_number"
	}
	return f, ""
}

// readFloat reads a number from text; the result is a float64.
func readFloat(s string) (any, bool) {
	s, ok := withoutSeparators(s)
	if !ok || strings.ContainsAny(s, "xXpP") { // Go reads hexadecimal, JSON and Python do not
		return 0.0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

// readBool reads a bool from another kind: the words and numbers pydantic takes.
func readBool(v any) (bool, bool) {
	switch v := v.(type) {
	case int:
		return v == 1, v == 0 || v == 1
	case float64:
		return v == 1, v == 0 || v == 1
	case string:
		if len(v) > 64 {
			return false, false
		}
		switch strings.ToLower(strings.TrimSpace(v)) {
		case "true", "t", "yes", "y", "on", "1":
			return true, true
		case "false", "f", "no", "n", "off", "0":
			return false, true
		}
	}
	return false, false
}
