package value

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/lang/types"
)

// unique reports each element that equals one before it.
func (c *checker) unique(list []any, at *loc) bool {
	seen := make(map[string]int, len(list))
	ok := true
	for i, x := range list {
		key := sameAs(x)
		if first, twice := seen[key]; twice {
			c.fault(&loc{at, i}, "unique", x, "expected values that differ, this equals the one at "+strconv.Itoa(first))
			ok = false
			continue
		}
		seen[key] = i
	}
	return ok
}

// sameAs returns a text that equal values share: 1 and 1.0 do, and objects whose
// names stand in another order.
func sameAs(v any) string {
	switch v := v.(type) {
	case float64:
		if n := int(v); float64(n) == v && math.Abs(v) < 1<<53 {
			return strconv.Itoa(n)
		}
	case []any:
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = sameAs(x)
		}
		return "[" + strings.Join(parts, ",") + "]"
	case *Object:
		parts := make([]string, 0, v.Len())
		for name, x := range v.All() {
			parts = append(parts, strconv.Quote(name)+":"+sameAs(x))
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, ",") + "}"
	}
	return string(EncodeJSON(v))
}

// length checks min_length, max_length, pattern and format.
func (c *checker) length(t *types.Primitive, s string, at *loc) (any, bool) {
	k := t.Constraints
	least, most := t.Lengths()
	n := -1
	if least != nil || most != nil {
		n = utf8.RuneCountInString(s)
	}
	ok := true
	if least != nil && n < *least {
		c.fault(at, "string_too_short", s, "expected at least "+count(*least, "character")+", got "+strconv.Itoa(n))
		ok = false
	}
	if most != nil && n > *most {
		c.fault(at, "string_too_long", s, "expected at most "+count(*most, "character")+", got "+strconv.Itoa(n))
		ok = false
	}
	if k.Pattern != nil {
		re, err := c.pattern(*k.Pattern)
		switch {
		case err != nil:
			c.fault(at, "pattern_error", s, "the pattern "+*k.Pattern+" cannot be read: "+err.Error())
			ok = false
		case !re.MatchString(s):
			c.fault(at, "string_pattern_mismatch", s, "expected a text that matches "+*k.Pattern+", got "+show(s))
			ok = false
		}
	}
	if k.Format != nil {
		if is, known := formats()[*k.Format]; known && !is(s) {
			c.fault(at, "string_format", s, "expected "+formatWords(*k.Format)+", got "+show(s))
			ok = false
		}
	}
	return s, ok
}

// formatWords says what a format demands.
func formatWords(name string) string {
	for _, f := range types.Formats {
		if f.Name == name {
			return name + ", " + f.Doc
		}
	}
	return name
}

func (c *checker) pattern(p string) (*regexp.Regexp, error) {
	if re, ok := c.patterns[p]; ok {
		return re, nil
	}
	re, err := regexp.Compile(p)
	if err != nil {
		return nil, err
	}
	if c.patterns == nil {
		c.patterns = make(map[string]*regexp.Regexp)
	}
	c.patterns[p] = re
	return re, nil
}
