package value

import (
	"math"
	"strings"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/lang/types"
)

// Example returns a value of t for messages, documents and scripted models: from
// the table for primitive types, the first choice of enums and literals, one
// element in lists. Bounds and lengths are kept, and the pattern of a text is
// not looked at.
func Example(t types.Type) any { return example(t, 0) }

func example(t types.Type, depth int) any {
	if depth > 6 { // a record that holds itself
		return nil
	}
	switch t := t.(type) {
	case *types.Primitive:
		return primitiveExample(t)
	case *types.Literal:
		return t.Value
	case *types.Enum:
		if len(t.Members) > 0 {
			return t.Members[0].Name
		}
	case *types.Optional:
		if depth > 3 {
			return nil
		}
		return example(t.Elem, depth+1)
	case *types.Union:
		return example(t.Members[0], depth+1)
	case *types.List:
		n := 1
		if lo := t.Constraints.MinItems; lo != nil && *lo > n {
			n = min(*lo, 100)
		}
		if hi := t.Constraints.MaxItems; hi != nil && *hi < n || depth > 3 && t.Constraints.MinItems == nil {
			n = 0
		}
		out := make([]any, n)
		for i := range out {
			out[i] = example(t.Elem, depth+1)
		}
		return out
	case *types.Tuple:
		out := make([]any, len(t.Elems))
		for i, e := range t.Elems {
			out[i] = example(e, depth+1)
		}
		return out
	case *types.Map:
		if depth > 3 && t.Constraints.MinItems == nil {
			return &Object{}
		}
		return NewObject("name", example(t.Elem, depth+1))
	case *types.Record:
		o := &Object{}
		for _, f := range t.Fields {
			if f.HasDefault {
				o.Set(f.Name, FromGo(f.Default))
			} else {
				o.Set(f.Name, example(f.Type, depth+1))
			}
		}
		return o
	case types.Model, types.Module:
		return "name"
	}
	return nil
}

func primitiveExample(t *types.Primitive) any {
	v := FromGo(t.Row.Example)
	switch x := v.(type) {
	case int:
		return int(within(t, float64(x)))
	case float64:
		return within(t, x)
	case string:
		if f := t.Constraints.Format; f != nil {
			return formatExamples[*f]
		}
		least, most := t.Lengths()
		if n := utf8.RuneCountInString(x); least != nil && n < *least {
			return x + strings.Repeat("…", *least-n)
		} else if most != nil && n > *most {
			return string([]rune(x)[:*most])
		}
	case []any:
		if l, ok := t.Shape().(*types.List); ok {
			return sized(l, t, x)
		}
	}
	if out, faults := Check(t, v, Strict); faults == nil {
		return out // in the order of its fields
	}
	return v
}

var formatExamples = map[string]string{
	"email": "eva@example.com", "uri": "https://example.com/a", "uuid": "6d1f9c1e-7a3b-4c55-9e0e-2f8a4b1c7d90",
	"hostname": "api.example.com", "ipv4": "192.0.2.1", "ipv6": "2001:db8::1",
}

// within moves a number into the bounds of t, and onto its multiples.
func within(t *types.Primitive, f float64) float64 {
	lo, hi := t.Bounds()
	if m := t.Constraints.MultipleOf; m != nil {
		f = math.Round(f / *m) * *m
	}
	if hi != nil && f > *hi {
		f = *hi
		if m := t.Constraints.MultipleOf; m != nil {
			f = math.Floor(f / *m) * *m
		} else if t.Row.Base == types.IntBase {
			f = math.Floor(f)
		}
	}
	if lo != nil && f < *lo {
		f = *lo
		if m := t.Constraints.MultipleOf; m != nil {
			f = math.Ceil(f / *m) * *m
		} else if t.Row.Base == types.IntBase {
			f = math.Ceil(f)
		}
	}
	return f
}

// sized brings an example list to a length that fits, its numbers into bounds.
func sized(l *types.List, t *types.Primitive, in []any) any {
	n := len(in)
	if lo := l.Constraints.MinItems; lo != nil && n < *lo {
		n = *lo
	}
	if hi := l.Constraints.MaxItems; hi != nil && n > *hi {
		n = *hi
	}
	out := make([]any, n)
	for i := range out {
		out[i] = in[i%len(in)]
		if e, ok := l.Elem.(*types.Primitive); ok {
			if f, ok := out[i].(float64); ok {
				out[i] = within(e, f)
			}
		}
	}
	if v, faults := Check(t, out, Strict); faults == nil {
		return v
	}
	return out
}
