package types

import (
	"strconv"
	"strings"
)

// Constraints narrow a type; nil fields do not. Which apply is in the table.
type Constraints struct {
	Min, Max   *float64 // int, float
	MinLength  *int     // string, in characters
	MaxLength  *int
	Pattern    *string // string, RE2
	Format     *string // string, one of Formats
	MinItems   *int    // list, map
	MaxItems   *int
	Unique     bool     // list: no two alike
	MultipleOf *float64 // int, float
	Step       *float64 // int, float: only in a variable's type
	Dims       *int     // embedding(n)
	Lang       *string  // code("python")
}

// IsZero reports whether nothing is narrowed.
func (c Constraints) IsZero() bool { return c == Constraints{} }

// list returns the constraints as they are written, in a fixed order.
func (c Constraints) list() []string {
	var out []string
	num := func(name string, v *float64) {
		if v != nil {
			out = append(out, name+" = "+FormatFloat(*v))
		}
	}
	count := func(name string, v *int) {
		if v != nil {
			out = append(out, name+" = "+strconv.Itoa(*v))
		}
	}
	if c.Dims != nil {
		out = append(out, strconv.Itoa(*c.Dims))
	}
	if c.Lang != nil {
		out = append(out, FormatLiteral(*c.Lang))
	}
	num("min", c.Min)
	num("max", c.Max)
	num("multiple_of", c.MultipleOf)
	num("step", c.Step)
	count("min_length", c.MinLength)
	count("max_length", c.MaxLength)
	if c.Pattern != nil {
		out = append(out, "pattern = "+strconv.Quote(*c.Pattern))
	}
	if c.Format != nil {
		out = append(out, "format = "+FormatLiteral(*c.Format))
	}
	count("min_items", c.MinItems)
	count("max_items", c.MaxItems)
	if c.Unique {
		out = append(out, "unique = true")
	}
	return out
}

func (c Constraints) String() string {
	if c.IsZero() {
		return ""
	}
	return "(" + strings.Join(c.list(), ", ") + ")"
}

// Set gives the constraint of a name its value. It reports whether the value is
// of the right kind.
func (c *Constraints) Set(name string, v any) bool {
	num := func(p **float64) bool {
		f, ok := number(v)
		if ok {
			*p = &f
		}
		return ok
	}
	count := func(p **int) bool {
		n, ok := v.(int)
		if ok = ok && n >= 0; ok {
			*p = &n
		}
		return ok
	}
	switch name {
	case "min":
		return num(&c.Min)
	case "max":
		return num(&c.Max)
	case "multiple_of":
		return num(&c.MultipleOf) && *c.MultipleOf > 0
	case "step":
		return num(&c.Step) && *c.Step > 0
	case "min_length":
		return count(&c.MinLength)
	case "max_length":
		return count(&c.MaxLength)
	case "min_items":
		return count(&c.MinItems)
	case "max_items":
		return count(&c.MaxItems)
	case "pattern":
		s, ok := v.(string)
		if ok {
			c.Pattern = &s
		}
		return ok
	case "format":
		s, _ := v.(string)
		for _, f := range Formats {
			if f.Name == s {
				c.Format = &s
				return true
			}
		}
	case "unique":
		b, ok := v.(bool)
		c.Unique = b
		return ok
	}
	return false
}

// SetArgument gives a type of the row r its argument, the 1536 of
// `embedding(1536)`. It reports whether the value may stand there.
func (c *Constraints) SetArgument(r *Row, v any) bool {
	if r.Argument == nil {
		return false
	}
	switch v := v.(type) {
	case int:
		if ok := r.Argument.Base == IntBase && v >= 1 && v <= r.Argument.Max; !ok {
			return false
		}
		c.Dims = &v
	case string:
		if ok := r.Argument.Base == StringBase && strings.TrimSpace(v) != ""; !ok {
			return false
		}
		c.Lang = &v
	default:
		return false
	}
	return true
}

// Widen returns the type of which a fixed value is one: string for `"a"`. Other
// types are returned as they are.
func Widen(t Type) Type {
	l, ok := t.(*Literal)
	if !ok {
		return t
	}
	switch l.Value.(type) {
	case string:
		return String
	case int:
		return Int
	case float64:
		return Float
	case bool:
		return Bool
	}
	return t
}
