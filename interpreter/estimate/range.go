package estimate

import (
	"fmt"
	"math"
)

// Range is from Min to Max, both of which may be reached. An open Range has no Max
// that is known: Max is then +Inf.
type Range struct{ Min, Max float64 }

func exactly(n float64) Range { return Range{n, n} }

// Open reports whether nothing bounds the range.
func (r Range) Open() bool { return math.IsInf(r.Max, 1) }

func (r Range) add(s Range) Range { return Range{r.Min + s.Min, r.Max + s.Max} }

// times returns how much comes together when s of r happen. Nothing of anything is
// nothing, also of what has no bound.
func (r Range) times(s Range) Range {
	out := Range{r.Min * s.Min, r.Max * s.Max}
	if r.Max == 0 || s.Max == 0 {
		out.Max = 0
	}
	return out
}

// maybe is the range of what may also not happen.
func (r Range) maybe() Range { return Range{0, r.Max} }

// Holds reports whether n is in the range.
func (r Range) Holds(n float64) bool { return r.Min <= n && n <= r.Max }

// String writes the range for people: 4, 2–6, at least 2.
func (r Range) String() string {
	switch {
	case r.Open():
		return "at least " + number(r.Min)
	case r.Min == r.Max:
		return number(r.Min)
	}
	return number(r.Min) + "–" + number(r.Max)
}

func number(n float64) string { return fmt.Sprintf("%.0f", math.Ceil(n)) }

// MarshalJSON writes {"min":1,"max":4}; the max of an open range is null.
func (r Range) MarshalJSON() ([]byte, error) {
	if r.Open() {
		return fmt.Appendf(nil, `{"min":%v,"max":null}`, r.Min), nil
	}
	return fmt.Appendf(nil, `{"min":%v,"max":%v}`, r.Min, r.Max), nil
}
