package expr

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// failure is why an evaluation ended early, in words for people.
type failure struct {
	kind  EvalKind
	msg   string
	cause error // of Cancelled: the context's error
}

func (f *failure) Error() string { return f.msg }

func failed(format string, args ...any) error {
	return &failure{kind: Failed, msg: fmt.Sprintf(format, args...)}
}

func tooLarge() error { return failed("the result does not fit a whole number of 64 bits") }

func expected(what string, got any) error {
	return failed("expected %s, got %s", what, describe(got))
}

// describe says what a value is: "null", "the text \"abc\"", "a list".
func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return fmt.Sprint(v)
	case int, float64:
		return "the number " + textOf(v)
	case string:
		return "the text " + quote(v)
	case []any:
		return "a list"
	case *value.Object:
		return "an object"
	}
	return "a value of another kind"
}

// quote returns a text in quotes, cut when it is long.
func quote(s string) string {
	if r := []rune(s[:min(len(s), 400)]); len(r) > 40 {
		s = string(r[:40]) + "…"
	}
	return types.FormatLiteral(s)
}

func asText(v any) (string, error) {
	if s, ok := v.(string); ok {
		return s, nil
	}
	return "", expected("text", v)
}

func asInt(v any) (int, error) {
	switch v := v.(type) {
	case int:
		return v, nil
	case float64: // json may hold 2.0
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int(v), nil
		}
	}
	return 0, expected("a whole number", v)
}

func asFloat(v any) (float64, error) {
	switch v := v.(type) {
	case int:
		return float64(v), nil
	case float64:
		return v, nil
	}
	return 0, expected("a number", v)
}

func asList(v any) ([]any, error) {
	if l, ok := v.([]any); ok {
		return l, nil
	}
	return nil, expected("a list", v)
}

func asObject(v any) (*value.Object, error) {
	if o, ok := v.(*value.Object); ok && o != nil {
		return o, nil
	}
	return nil, expected("an object", v)
}

// textOf returns the text form of a value: a text is itself, everything else is
// as JSON writes it.
func textOf(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return string(value.EncodeJSON(v))
}

// finite returns f, or an error when it is no number.
func finite(f float64) (any, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, failed("the result is no finite number")
	}
	return f, nil
}

// arithmetic computes `a op b`. Whole numbers do not wrap around: a result
// beyond 64 bits is an error, as are division by zero and infinity.
func arithmetic(op string, a, b any) (any, error) {
	if op == "+" {
		s, okA := a.(string)
		t, okB := b.(string)
		if okA && okB {
			return s + t, nil
		}
		if okA != okB {
			return nil, failed("cannot add %s and %s", describe(a), describe(b))
		}
	}
	x, intA := a.(int)
	y, intB := b.(int)
	if intA && intB {
		switch op {
		case "+":
			if z := x + y; (z > x) == (y > 0) {
				return z, nil
			}
			return nil, tooLarge()
		case "-":
			if z := x - y; (z < x) == (y > 0) {
				return z, nil
			}
			return nil, tooLarge()
		case "*":
			if x == 0 || y == 0 {
				return 0, nil
			}
			if z := x * y; z/y == x && !(x == -1 && y == math.MinInt) && !(y == -1 && x == math.MinInt) {
				return z, nil
			}
			return nil, tooLarge()
		case "%":
			if y == 0 {
				return nil, failed("division by zero")
			}
			return x % y, nil
		}
	}
	f, err := asFloat(a)
	if err != nil {
		return nil, err
	}
	g, err := asFloat(b)
	if err != nil {
		return nil, err
	}
	switch op {
	case "+":
		return finite(f + g)
	case "-":
		return finite(f - g)
	case "*":
		return finite(f * g)
	case "/":
		if g == 0 {
			return nil, failed("division by zero")
		}
		return finite(f / g)
	case "%":
		x, err := asInt(a)
		if err != nil {
			return nil, err
		}
		y, err := asInt(b)
		if err != nil {
			return nil, err
		}
		return arithmetic(op, x, y)
	}
	return finite(math.Pow(f, g))
}

// lessThan compares two numbers or two texts.
func lessThan(a, b any) (bool, error) {
	if s, ok := a.(string); ok {
		if t, ok := b.(string); ok {
			return s < t, nil
		}
	}
	x, intA := a.(int)
	y, intB := b.(int)
	if intA && intB {
		return x < y, nil
	}
	f, errA := asFloat(a)
	g, errB := asFloat(b)
	if err := errors.Join(errA, errB); err != nil {
		return false, failed("cannot compare %s and %s: that needs two numbers or two texts", describe(a), describe(b))
	}
	return f < g, nil
}

// get returns an element of a list, a value of an object or a character of a text.
func get(of, key any) (any, error) {
	switch v := of.(type) {
	case *value.Object:
		name, err := asText(key)
		if err != nil {
			return nil, err
		}
		x, _ := v.Get(name)
		return x, nil
	case []any:
		i, err := asInt(key)
		if err != nil {
			return nil, err
		}
		if i < 0 {
			i += len(v)
		}
		if i < 0 || i >= len(v) {
			return nil, failed("there is no element at position %s: the list has %s", textOf(key), elements(len(v)))
		}
		return v[i], nil
	case string:
		if name, ok := key.(string); ok {
			return nil, failed("%s has no field `%s`", describe(of), name)
		}
		i, err := asInt(key)
		if err != nil {
			return nil, err
		}
		r := []rune(v)
		if i < 0 {
			i += len(r)
		}
		if i < 0 || i >= len(r) {
			return nil, failed("there is no character at position %s: the text has %d", textOf(key), len(r))
		}
		return string(r[i]), nil
	case nil:
		if name, ok := key.(string); ok {
			return nil, failed("the value before `.%s` is null", name)
		}
		return nil, failed("the value before `[` is null")
	}
	if name, ok := key.(string); ok {
		return nil, failed("%s has no field `%s`", describe(of), name)
	}
	return nil, expected("a list, a text or an object", of)
}

func elements(n int) string {
	if n == 1 {
		return "1 element, counted from 0"
	}
	return fmt.Sprintf("%d elements, counted from 0", n)
}

// slice returns a part of a list or text; ends beyond it are cut to it, negative
// ones count from its end, as in expr.
func slice(r *run, of, from, to any) (any, error) {
	size := 0
	var list []any
	var runes []rune
	switch v := of.(type) {
	case []any:
		list, size = v, len(v)
	case string:
		runes = []rune(v)
		size = len(runes)
	default:
		return nil, expected("a list or a text", of)
	}
	end := func(v any, otherwise int) (int, error) {
		if v == nil {
			return otherwise, nil
		}
		i, err := asInt(v)
		if i < 0 {
			i += size
		}
		return max(0, min(i, size)), err
	}
	i, err := end(from, 0)
	if err != nil {
		return nil, err
	}
	j, err := end(to, size)
	if err != nil {
		return nil, err
	}
	j = max(i, j)
	if err := r.spend(1 + (j-i)/16); err != nil {
		return nil, err
	}
	if list != nil || runes == nil {
		if _, isText := of.(string); isText {
			return "", nil
		}
		return append(make([]any, 0, j-i), list[i:j]...), nil
	}
	return string(runes[i:j]), nil
}

// contained computes `x in of`.
func contained(r *run, x, of any) (any, error) {
	switch v := of.(type) {
	case []any:
		if err := r.spend(len(v)); err != nil {
			return nil, err
		}
		for _, y := range v {
			if value.Equal(x, y) {
				return true, nil
			}
		}
		return false, nil
	case *value.Object:
		name, ok := x.(string)
		if !ok {
			return false, nil
		}
		_, found := v.Get(name)
		return found, nil
	}
	return nil, expected("a list or an object after `in`", of)
}

// enumName brings what a value of an enum may be written as to its name; in
// lists each element.
func enumName(e *types.Enum, v any) any {
	switch v := v.(type) {
	case string:
		if m, ok := e.Member(v); ok {
			return m.Name
		}
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = enumName(e, x)
		}
		return out
	}
	return v
}

// choice returns the value of t that a text names, or null.
func choice(t types.Type, v any) (any, error) {
	s, err := asText(v)
	if err != nil {
		return nil, err
	}
	if out, faults := value.Check(t, s, value.Strict); faults == nil {
		return out, nil
	}
	if out, faults := value.Check(t, strings.TrimSpace(s), value.Strict); faults == nil {
		return out, nil
	}
	return nil, nil
}
