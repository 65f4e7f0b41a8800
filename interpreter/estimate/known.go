package estimate

import (
	"context"
	"math"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// scope is what is known of the names in a plan.
type scope struct {
	plan  *plan.Plan
	known map[string]any   // values
	sizes map[string]Range // lengths in characters, by name or STEP.FIELD
	runs  map[string]Range // how often a step happens, by name: from 0 to 1
	// counts are the numbers of elements of lists, by name or STEP.FIELD, where
	// more is known than their types say.
	counts map[string]Range
}

func newScope(p *plan.Plan, outer *scope) *scope {
	s := &scope{plan: p, known: map[string]any{}, sizes: map[string]Range{}, runs: map[string]Range{}, counts: map[string]Range{}}
	if outer != nil {
		for n, v := range outer.known {
			s.known[n] = v
		}
		for n, v := range outer.sizes {
			s.sizes[n] = v
		}
		for n, v := range outer.counts {
			s.counts[n] = v
		}
	}
	return s
}

// eval returns a value that follows from what is known.
func (s *scope) eval(v program.Value) (any, bool) {
	switch {
	case v.IsZero():
		return nil, false
	case v.Expr == nil:
		if v.Field != "" {
			return nil, false
		}
		x, ok := s.known[v.Root]
		return x, ok
	}
	code, err := v.Expr.Compile()
	if err != nil {
		return nil, false
	}
	lacking := false
	x, err := code.Eval(context.Background(), func(root string) (any, bool) {
		if x, ok := s.known[root]; ok {
			return x, true
		}
		if root == "var" {
			return plan.Variables(s.plan.Checked.Names, s.plan.Values), true
		}
		lacking = true
		return nil, false
	})
	return x, err == nil && !lacking
}

// size returns how many characters a value has.
func (s *scope) size(v program.Value) Range {
	if x, ok := s.eval(v); ok {
		return exactly(size(x))
	}
	if v.Expr == nil {
		if r, ok := s.sizes[name(v)]; ok {
			return r
		}
		return Range{0, math.Inf(1)}
	}
	sum := Range{0, 0}
	for _, ref := range v.Expr.Refs() {
		name := ref.Root
		if len(ref.Path) > 0 {
			if r, ok := s.sizes[name+"."+ref.Path[0]]; ok {
				sum.Max += r.Max
				continue
			}
		}
		if r, ok := s.sizes[name]; ok {
			sum.Max += r.Max
		} else if x, ok := s.known[name]; ok {
			sum.Max += size(x)
		} else if name != "var" {
			sum.Max = math.Inf(1)
		}
	}
	return Range{0, sum.Max + float64(utf8.RuneCountInString(v.Text()))}
}

// length returns how many elements a list has.
func (s *scope) length(v program.Value) Range {
	if x, ok := s.eval(v); ok {
		if list, ok := x.([]any); ok {
			return exactly(float64(len(list)))
		}
	}
	r := Range{0, math.Inf(1)}
	inner, _ := types.Unwrap(v.Type)
	if list, ok := inner.(*types.List); ok {
		if n := list.Constraints.MinItems; n != nil {
			r.Min = float64(*n)
		}
		if n := list.Constraints.MaxItems; n != nil {
			r.Max = float64(*n)
		}
	}
	if n, ok := s.counts[name(v)]; ok {
		r = Range{max(r.Min, n.Min), min(r.Max, n.Max)}
	}
	return r
}

// name is what a value refers to, NAME or STEP.FIELD; of an expression that does more,
// it is none's name.
func name(v program.Value) string {
	if v.Expr != nil {
		return v.Expr.Text()
	}
	if v.Field != "" {
		return v.Root + "." + v.Field
	}
	return v.Root
}

// size is how many characters a value has in a prompt.
func size(v any) float64 {
	if text, ok := v.(string); ok {
		return float64(utf8.RuneCountInString(text))
	}
	return float64(utf8.RuneCount(value.EncodeJSON(v)))
}

// bounds is how many characters a value of a type may have, at most most.
func bounds(t types.Type, most float64) Range {
	inner, _ := types.Unwrap(t)
	r := Range{0, most}
	switch t := inner.(type) {
	case *types.Primitive:
		switch {
		case t.Constraints.MaxLength != nil:
			r.Max = min(most, float64(*t.Constraints.MaxLength))
		case t.Row.Base == types.IntBase || t.Row.Base == types.FloatBase || t.Row.Base == types.BoolBase:
			r.Max = min(most, 24)
		}
	case *types.Enum, *types.Literal:
		r.Max = min(most, 200)
	}
	return r
}
