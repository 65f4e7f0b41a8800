package expr

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/dspi-lang/dspi/lang/types"
)

func numberFunctions() []Function {
	one := []param{{name: "number", takes: aNumber}}
	many := []param{{name: "numbers", takes: numberOrNumbers, many: true}}
	round := func(f func(float64) float64) func(*run, []any) (any, error) {
		return func(_ *run, a []any) (any, error) {
			x, err := asFloat(a[0])
			return f(x), err
		}
	}
	return []Function{
		{Name: "abs", Params: "number", Result: "int or float", Doc: "the number without its sign", Example: `abs(-3)`, Gives: "3", params: one, result: sameNumber,
			run: func(_ *run, a []any) (any, error) {
				switch v := a[0].(type) {
				case int:
					if v == math.MinInt {
						return nil, tooLarge()
					}
					return max(v, -v), nil
				case float64:
					return math.Abs(v), nil
				}
				return nil, expected("a number", a[0])
			}},
		{Name: "ceil", Params: "number", Result: "float", Doc: "the next whole number above", Example: `ceil(1.2)`, Gives: "2.0", params: one, result: gives(types.Float), run: round(math.Ceil)},
		{Name: "floor", Params: "number", Result: "float", Doc: "the next whole number below", Example: `floor(1.8)`, Gives: "1.0", params: one, result: gives(types.Float), run: round(math.Floor)},
		{Name: "round", Params: "number", Result: "float", Doc: "the nearest whole number; halves go away from 0", Example: `round(1.5)`, Gives: "2.0", params: one, result: gives(types.Float), run: round(math.Round)},
		{Name: "int", Params: "number or text", Result: "int", Doc: "the number without its fraction, or the whole number that the text holds", Example: `int("42")`, Gives: "42",
			params: []param{{name: "value", takes: numeric}}, result: gives(types.Int), run: runInt},
		{Name: "float", Params: "number or text", Result: "float", Doc: "the number as a float, or the number that the text holds", Example: `float("1.5")`, Gives: "1.5",
			params: []param{{name: "value", takes: numeric}}, result: gives(types.Float), run: runFloat},
		{Name: "max", Params: "number, … or list", Result: "int or float", Doc: "the largest number", Example: `max(1, 3, 2)`, Gives: "3", params: many, result: mostNumber,
			run: func(r *run, a []any) (any, error) { return extreme(r, "max", a, false) }},
		{Name: "min", Params: "number, … or list", Result: "int or float", Doc: "the smallest number", Example: `min([4, 2])`, Gives: "2", params: many, result: mostNumber,
			run: func(r *run, a []any) (any, error) { return extreme(r, "min", a, true) }},
		{Name: "mean", Params: "number, … or list", Result: "float", Doc: "the average", Example: `mean([1, 2])`, Gives: "1.5", params: many, result: gives(types.Float),
			run: func(r *run, a []any) (any, error) {
				ns, err := r.floats("mean", a)
				if err != nil {
					return nil, err
				}
				total := 0.0
				for _, n := range ns {
					total += n
				}
				return finite(total / float64(len(ns)))
			}},
		{Name: "median", Params: "number, … or list", Result: "float", Doc: "the number in the middle", Example: `median([5, 1, 2])`, Gives: "2.0", params: many, result: gives(types.Float),
			run: func(r *run, a []any) (any, error) {
				ns, err := r.floats("median", a)
				if err != nil {
					return nil, err
				}
				slices.Sort(ns)
				if m := len(ns) / 2; len(ns)%2 == 0 {
					return finite(ns[m-1]/2 + ns[m]/2)
				}
				return ns[len(ns)/2], nil
			}},
	}
}

// mostNumber gives int when every argument holds ints.
func mostNumber(c *checker, x *call, args []types.Type, want types.Type) types.Type {
	var out types.Type = types.Invalid{}
	for _, a := range args {
		out = join(out, sameNumber(c, x, []types.Type{a}, want))
	}
	return out
}

// spread returns the numbers in the arguments, those in lists included.
func (r *run) spread(name string, a []any) ([]any, error) {
	var out []any
	for _, x := range a {
		if l, ok := x.([]any); ok {
			if err := r.spend(len(l)); err != nil {
				return nil, err
			}
			out = append(out, l...)
			continue
		}
		out = append(out, x)
	}
	if len(out) == 0 {
		return nil, failed("`%s` needs at least one number, and the list is empty", name)
	}
	return out, nil
}

func (r *run) floats(name string, a []any) ([]float64, error) {
	in, err := r.spread(name, a)
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(in))
	for i, x := range in {
		if out[i], err = asFloat(x); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func extreme(r *run, name string, a []any, smallest bool) (any, error) {
	in, err := r.spread(name, a)
	if err != nil {
		return nil, err
	}
	best := in[0]
	for _, x := range in {
		if _, err := asFloat(x); err != nil {
			return nil, err
		}
		less, err := lessThan(x, best)
		if err != nil {
			return nil, err
		}
		if more, _ := lessThan(best, x); smallest && less || !smallest && more {
			best = x
		}
	}
	return best, nil
}

func runSum(r *run, a []any) (any, error) {
	l, err := asList(a[len(a)-1])
	if err != nil {
		return nil, err
	}
	var total any = 0
	for _, x := range l {
		if err := r.spend(1); err != nil {
			return nil, err
		}
		if total, err = arithmetic("+", total, x); err != nil {
			return nil, err
		}
		if _, isText := total.(string); isText {
			return nil, expected("a number", x)
		}
	}
	return total, nil
}

func runInt(_ *run, a []any) (any, error) {
	switch v := a[0].(type) {
	case int:
		return v, nil
	case float64:
		if math.IsNaN(v) || v >= math.MaxInt64 || v <= math.MinInt64 {
			return nil, tooLarge()
		}
		return int(v), nil
	case string:
		n, err := strconv.Atoi(strings.TrimSpace(v))
		if err != nil {
			return nil, failed("%s is not a whole number", quote(v))
		}
		return n, nil
	}
	return nil, expected("a number or a text", a[0])
}

func runFloat(_ *run, a []any) (any, error) {
	s, ok := a[0].(string)
	if !ok {
		return asFloat(a[0])
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, failed("%s is not a number", quote(s))
	}
	return f, nil
}
