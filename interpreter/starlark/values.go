package starlark

import (
	"fmt"
	"unicode/utf8"

	"go.starlark.net/starlark"

	"github.com/dspi-lang/dspi/lang/value"
)

// toStarlark makes a value of ours one of Starlark: objects become dicts.
func (g *guard) toStarlark(v any) (starlark.Value, error) { return g.to(v, 0) }

func (g *guard) to(v any, depth int) (starlark.Value, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("a value is nested more than %d deep", maxNesting)
	}
	switch v := v.(type) {
	case nil:
		return starlark.None, nil
	case bool:
		return starlark.Bool(v), nil
	case int:
		return starlark.MakeInt(v), nil
	case float64:
		return starlark.Float(v), nil
	case string:
		return starlark.String(v), nil
	case []any:
		list := make([]starlark.Value, len(v))
		for i, x := range v {
			y, err := g.to(x, depth+1)
			if err != nil {
				return nil, err
			}
			list[i] = y
		}
		return starlark.NewList(list), nil
	case *value.Object:
		d := starlark.NewDict(v.Len())
		for n, x := range v.All() {
			y, err := g.to(x, depth+1)
			if err != nil {
				return nil, err
			}
			if err := d.SetKey(starlark.String(n), y); err != nil {
				return nil, err
			}
		}
		return d, nil
	}
	return nil, fmt.Errorf("a Go value of type %T cannot be used by the code", v)
}

// fromStarlark makes a value of Starlark one of ours: dicts become objects whose
// names are the keys as text, tuples and sets become lists.
func (g *guard) fromStarlark(v starlark.Value) (any, error) { return g.from(v, 0) }

func (g *guard) from(v starlark.Value, depth int) (any, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("a value is nested more than %d deep", maxNesting)
	}
	if err := g.grow(objectBytes); err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case starlark.NoneType:
		return nil, nil
	case starlark.Bool:
		return bool(v), nil
	case starlark.Int:
		n, ok := v.Int64()
		if !ok {
			return nil, fmt.Errorf("the whole number has %d bits; at most 64 can be handed on", bits(v))
		}
		return int(n), nil
	case starlark.Float:
		return float64(v), nil
	case starlark.String:
		return asText(string(v))
	case starlark.Bytes:
		return asText(string(v))
	case *starlark.Dict:
		o := &value.Object{}
		for k, x := range v.Entries() {
			name, ok := starlark.AsString(k)
			if !ok {
				n, err := g.weigh(k)
				if err == nil {
					err = g.grow(n)
				}
				if err != nil {
					return nil, err
				}
				name = k.String()
			}
			y, err := g.from(x, depth+1)
			if err != nil {
				return nil, err
			}
			o.Set(name, y)
		}
		return o, nil
	case starlark.Iterable: // lists, tuples, sets, ranges
		if err := g.taken(v); err != nil {
			return nil, err
		}
		list := make([]any, 0, max(0, starlark.Len(v)))
		for x := range starlark.Elements(v) {
			y, err := g.from(x, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, y)
		}
		return list, nil
	}
	return nil, fmt.Errorf("a %s cannot be handed on", v.Type())
}

func asText(s string) (any, error) {
	if !utf8.ValidString(s) {
		return nil, fmt.Errorf("a text of %d bytes is not UTF-8", len(s))
	}
	return s, nil
}

// isFunction reports whether a value is something that can be called, or a module.
func isFunction(v starlark.Value) bool {
	if _, ok := v.(starlark.Callable); ok {
		return true
	}
	return v.Type() == "module"
}
