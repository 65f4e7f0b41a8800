package expr

import (
	"slices"
	"sort"

	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

func listFunctions() []Function {
	n := param{name: "n", takes: whole}
	return []Function{
		{Name: "len", Params: "value", Result: "int", Doc: "how many elements, characters or names a list, text or object has",
			Example: `len("día")`, Gives: "3", params: []param{{name: "value", takes: sized}}, result: gives(types.Int), run: runLen},
		{Name: "first", Params: "list", Result: "T?", Doc: "the first element, or null",
			Example: `first([1, 2])`, Gives: "1", params: []param{pList}, result: element,
			run: func(_ *run, a []any) (any, error) { return at(a[0], 0) }},
		{Name: "last", Params: "list", Result: "T?", Doc: "the last element, or null",
			Example: `last([1, 2])`, Gives: "2", params: []param{pList}, result: element,
			run: func(_ *run, a []any) (any, error) { return at(a[0], -1) }},
		{Name: "get", Params: "list, position | object, name", Result: "T?", Doc: "an element, or null where there is none",
			Example: `get([1, 2], 5)`, Gives: "null", params: []param{{name: "value", takes: listOrObject}, {name: "key", takes: anything}},
			result: getResult, run: runGet},
		{Name: "take", Params: "list, n", Result: "list[T]", Doc: "the first n elements",
			Example: `take([1, 2, 3], 2)`, Gives: "[1,2]", params: []param{pList, n}, result: sameList,
			run: func(_ *run, a []any) (any, error) {
				l, err := asList(a[0])
				if err != nil {
					return nil, err
				}
				n, err := asInt(a[1])
				if err != nil {
					return nil, err
				}
				return slices.Clone(l[:max(0, min(n, len(l)))]), nil
			}},
		{Name: "reverse", Params: "list", Result: "list[T]", Doc: "the elements from the last to the first",
			Example: `reverse([1, 2, 3])`, Gives: "[3,2,1]", params: []param{pList}, result: sameList,
			run: func(_ *run, a []any) (any, error) {
				l, err := asList(a[0])
				l = slices.Clone(l)
				slices.Reverse(l)
				return l, err
			}},
		{Name: "concat", Params: "list, …", Result: "list[T]", Doc: "the elements of all lists in one",
			Example: `concat([1], [2, 3])`, Gives: "[1,2,3]", params: []param{{name: "list", takes: aList, many: true}},
			result: func(_ *checker, _ *call, args []types.Type, _ types.Type) types.Type {
				var out types.Type = types.Invalid{}
				for _, a := range args {
					out = join(out, elemOf(a))
				}
				return &types.List{Elem: out}
			}, run: runConcat},
		{Name: "flatten", Params: "list", Result: "list[T]", Doc: "the elements of the lists in a list, in one",
			Example: `flatten([[1], [2, 3]])`, Gives: "[1,2,3]", params: []param{pList},
			result: func(_ *checker, _ *call, args []types.Type, _ types.Type) types.Type {
				return &types.List{Elem: flat(elemOf(args[0]))}
			}, run: runFlatten},
		{Name: "uniq", Params: "list", Result: "list[T]", Doc: "each element once, where it first stands",
			Example: `uniq([1, 2, 1])`, Gives: "[1,2]", params: []param{pList}, result: sameList, run: runUniq},
		{Name: "sort", Params: "list[, \"desc\"]", Result: "list[T]", Doc: "numbers or texts in their order",
			Example: `sort([3, 1, 2])`, Gives: "[1,2,3]", params: []param{{name: "list", takes: sortable}, {name: "order", takes: order, optional: true}},
			result: sameList, run: runSort},
		{Name: "join", Params: "list[, between]", Result: "string", Doc: "texts put together",
			Example: `join(["a", "b"], ", ")`, Gives: `"a, b"`, params: []param{{name: "list", takes: texts}, {name: "between", takes: text_, optional: true}},
			result: gives(types.String), run: runJoin},
		{Name: "keys", Params: "object", Result: "list[string]", Doc: "the names in an object, in their order",
			Example: `keys({a: 1, b: 2})`, Gives: `["a","b"]`, params: []param{{name: "object", takes: anObject}}, result: gives(&types.List{Elem: types.String}),
			run: func(_ *run, a []any) (any, error) {
				o, err := asObject(a[0])
				if err != nil {
					return nil, err
				}
				out := make([]any, 0, o.Len())
				for n := range o.All() {
					out = append(out, n)
				}
				return out, nil
			}},
		{Name: "values", Params: "object", Result: "list[T]", Doc: "the values in an object, in the order of its names",
			Example: `values({a: 1, b: 2})`, Gives: "[1,2]", params: []param{{name: "object", takes: anObject}},
			result: func(_ *checker, _ *call, args []types.Type, _ types.Type) types.Type {
				switch t := shapeOf(args[0]).(type) {
				case *types.Map:
					return &types.List{Elem: t.Elem}
				case *types.Record:
					var out types.Type = types.Invalid{}
					for _, f := range t.Fields {
						out = join(out, f.Type)
					}
					return &types.List{Elem: out}
				}
				return &types.List{Elem: types.JSON}
			},
			run: func(_ *run, a []any) (any, error) {
				o, err := asObject(a[0])
				if err != nil {
					return nil, err
				}
				out := make([]any, 0, o.Len())
				for _, v := range o.All() {
					out = append(out, v)
				}
				return out, nil
			}},
	}
}

// flat returns what is left of a type after taking away lists around it.
func flat(t types.Type) types.Type {
	switch t := t.(type) {
	case *types.List:
		return flat(t.Elem)
	case *types.Tuple:
		var out types.Type = types.Invalid{}
		for _, e := range t.Elems {
			out = join(out, flat(e))
		}
		return out
	case *types.Optional:
		return types.NewOptional(flat(t.Elem))
	case *types.Union:
		var out types.Type = types.Invalid{}
		for _, m := range t.Members {
			out = join(out, flat(m))
		}
		return out
	}
	return t
}

func getResult(c *checker, x *call, args []types.Type, _ types.Type) types.Type {
	want, words := types.IntBase, "a position: a whole number, counted from 0"
	if elemOf(args[0]) == nil {
		want, words = types.StringBase, "the name of a field, as text"
	}
	if !isJSON(args[0]) && !c.holds(args[1], want) {
		c.wrongArgument(x, 1, args[1], words)
		return types.Invalid{}
	}
	switch t := shapeOf(args[0]).(type) {
	case *types.Map:
		return types.NewOptional(t.Elem)
	case *types.Record:
		if s, ok := constant(x.args[1]); ok {
			if f, ok := t.Field(s.(string)); ok {
				return types.NewOptional(f.Type)
			}
			return types.Null
		}
		var out types.Type = types.Null
		for _, f := range t.Fields {
			out = join(out, f.Type)
		}
		return types.NewOptional(out)
	}
	return types.NewOptional(oneOf(args[0]))
}

func runLen(_ *run, a []any) (any, error) {
	switch v := a[0].(type) {
	case []any:
		return len(v), nil
	case string:
		return runeCount(v), nil
	case *value.Object:
		return v.Len(), nil
	}
	return nil, expected("a list, a text or an object", a[0])
}

func at(list any, i int) (any, error) {
	l, err := asList(list)
	if err != nil || len(l) == 0 {
		return nil, err
	}
	if i < 0 {
		i += len(l)
	}
	return l[i], nil
}

func runGet(_ *run, a []any) (any, error) {
	switch v := a[0].(type) {
	case []any:
		i, err := asInt(a[1])
		if err != nil {
			return nil, err
		}
		if i < 0 {
			i += len(v)
		}
		if i < 0 || i >= len(v) {
			return nil, nil
		}
		return v[i], nil
	case *value.Object:
		n, err := asText(a[1])
		if err != nil {
			return nil, err
		}
		x, _ := v.Get(n)
		return x, nil
	}
	return nil, expected("a list or an object", a[0])
}

func runConcat(r *run, a []any) (any, error) {
	out := []any{}
	for _, x := range a {
		l, err := asList(x)
		if err != nil {
			return nil, err
		}
		if err := r.spend(len(l)); err != nil {
			return nil, err
		}
		if err := r.grow(elementSize * len(l)); err != nil {
			return nil, err
		}
		out = append(out, l...)
	}
	return out, nil
}

func runFlatten(r *run, a []any) (any, error) {
	l, err := asList(a[0])
	if err != nil {
		return nil, err
	}
	out := []any{}
	var add func(l []any, depth int) error
	add = func(l []any, depth int) error {
		if err := r.spend(len(l)); err != nil {
			return err
		}
		for _, x := range l {
			if in, ok := x.([]any); ok && depth < maxDepth {
				if err := add(in, depth+1); err != nil {
					return err
				}
				continue
			}
			if err := r.grow(elementSize); err != nil {
				return err
			}
			out = append(out, x)
		}
		return nil
	}
	return out, add(l, 0)
}

// runUniq is quick for texts and numbers; lists and objects are compared with
// each other.
func runUniq(r *run, a []any) (any, error) {
	l, err := asList(a[0])
	if err != nil {
		return nil, err
	}
	seen := map[any]bool{}
	var others []any
	out := []any{}
next:
	for _, x := range l {
		key := x
		switch v := x.(type) {
		case []any, *value.Object:
			if err := r.spend(len(others)); err != nil {
				return nil, err
			}
			for _, o := range others {
				if value.Equal(o, x) {
					continue next
				}
			}
			others = append(others, x)
			out = append(out, x)
			continue
		case int:
			key = float64(v)
			if int(float64(v)) != v { // beyond what a float holds
				key = v
			}
		}
		if err := r.spend(1); err != nil {
			return nil, err
		}
		if !seen[key] {
			seen[key] = true
			out = append(out, x)
		}
	}
	return out, nil
}

func runSort(r *run, a []any) (any, error) {
	l, err := asList(a[0])
	if err != nil {
		return nil, err
	}
	desc, err := descending(a, 1)
	if err != nil {
		return nil, err
	}
	return r.sorted(l, l, desc)
}

// descending reads the order at position i of the arguments, if it is there.
func descending(a []any, i int) (bool, error) {
	if len(a) <= i {
		return false, nil
	}
	switch a[i] {
	case "asc":
		return false, nil
	case "desc":
		return true, nil
	}
	return false, expected(order.words(), a[i])
}

// sorted returns the elements of l in the order of keys.
func (r *run) sorted(l, keys []any, desc bool) (any, error) {
	if err := r.spend(len(l)); err != nil {
		return nil, err
	}
	if err := r.grow(2 * elementSize * len(l)); err != nil {
		return nil, err
	}
	order := make([]int, len(l))
	for i := range order {
		order[i] = i
	}
	var failed error
	sort.SliceStable(order, func(i, j int) bool {
		if failed != nil {
			return false
		}
		if desc {
			i, j = j, i
		}
		less, err := lessThan(keys[order[i]], keys[order[j]])
		if err == nil {
			err = r.spend(1)
		}
		if err != nil {
			failed = err
		}
		return less
	})
	if failed != nil {
		return nil, failed
	}
	out := make([]any, len(l))
	for i, k := range order {
		out[i] = l[k]
	}
	return out, nil
}

func runSortBy(r *run, a []any) (any, error) {
	l, err := asList(a[0])
	if err != nil {
		return nil, err
	}
	keys, err := asList(a[1])
	if err != nil {
		return nil, err
	}
	desc, err := descending(a, 2)
	if err != nil {
		return nil, err
	}
	return r.sorted(l, keys, desc)
}

func runGroupBy(r *run, a []any) (any, error) {
	l, err := asList(a[0])
	if err != nil {
		return nil, err
	}
	keys, err := asList(a[1])
	if err != nil {
		return nil, err
	}
	if err := r.grow(elementSize * len(l)); err != nil {
		return nil, err
	}
	groups := map[string][]any{}
	out := &value.Object{}
	for i, x := range l {
		k := textOf(keys[i])
		if groups[k] == nil {
			out.Set(k, nil)
		}
		groups[k] = append(groups[k], x)
	}
	for _, k := range out.Names() {
		out.Set(k, groups[k])
	}
	return out, nil
}

func runJoin(r *run, a []any) (any, error) {
	l, err := asList(a[0])
	if err != nil {
		return nil, err
	}
	between := ""
	if len(a) > 1 {
		if between, err = asText(a[1]); err != nil {
			return nil, err
		}
	}
	parts := make([]string, len(l))
	size := 0
	for i, x := range l {
		if parts[i], err = asText(x); err != nil {
			return nil, err
		}
		size += len(parts[i]) + len(between)
	}
	return r.joined(parts, between, size)
}
