package starlark

import (
	"errors"
	"fmt"
	"math"
	"strings"

	starmath "go.starlark.net/lib/math"
	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
	"go.starlark.net/syntax"

	"github.com/dspi-lang/dspi/lang/value"
)

type builtin = func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error)

// names are what code finds without defining it: guarded forms of the functions of
// Starlark, ours, and the host's.
func (g *guard) names(s *Script) (starlark.StringDict, error) {
	out := starlark.StringDict{}
	for name, f := range starlark.Universe {
		if b, ok := f.(*starlark.Builtin); ok {
			out[name] = g.guarded(b)
		}
	}
	for op := range operators {
		out[mark+op.String()] = g.operator(op, false)
	}
	for _, op := range assigning {
		out[mark+op.String()+"="] = g.operator(op, true)
	}
	add := func(name string, f builtin) { out[name] = starlark.NewBuiltin(strings.TrimPrefix(name, mark), f) }
	add(attrFunc, g.attr)
	add(enterFunc, func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
		return starlark.True, g.deep()
	})
	add(keyFunc, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		return args[0], g.hashable(args[0])
	})
	add(keepFunc, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		return args[0], g.kept(args[0])
	})
	add(spreadFunc, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		return args[0], g.taken(args[0])
	})
	add("sum", g.sum)
	add("round", round)
	add("pow", g.pow)
	out["math"] = starmath.Module
	out["json"] = &starlarkstruct.Module{Name: "json", Members: starlark.StringDict{
		"encode": starlark.NewBuiltin("json.encode", g.encode),
		"decode": starlark.NewBuiltin("json.decode", g.decode),
	}}
	for name, f := range s.Functions {
		add(name, g.hosted(name, f))
	}
	for name, v := range s.Values.All() {
		x, err := g.toStarlark(v)
		if err != nil {
			return nil, fmt.Errorf("the value `%s`: %w", name, err)
		}
		out[name] = x
	}
	return out, nil
}

// guarded is a function of Starlark that charges for what it does.
func (g *guard) guarded(b *starlark.Builtin) *starlark.Builtin {
	name := b.Name()
	return starlark.NewBuiltin(name, func(t *starlark.Thread, self *starlark.Builtin, args starlark.Tuple, named []starlark.Tuple) (starlark.Value, error) {
		if name == "getattr" && len(args) > 1 {
			if text, ok := args[1].(starlark.String); ok && guardsMethods(args[0]) {
				if v, err := g.bound(args[0], string(text)); v != nil || err != nil || len(args) < 3 {
					return v, err
				}
			}
		}
		if err := g.spend(name, args, named); err != nil {
			return nil, err
		}
		v, err := starlark.Call(t, b, args, named)
		if err != nil {
			return nil, err
		}
		return v, g.kept(v)
	})
}

// spend charges for the call of a function before it is made.
func (g *guard) spend(name string, args starlark.Tuple, named []starlark.Tuple) error {
	switch name {
	case "str", "repr", "print", "fail", "hash":
		for _, x := range args {
			if _, isText := x.(starlark.String); isText && name != "repr" {
				continue
			}
			n, err := g.weigh(x)
			if err == nil {
				err = g.grow(n)
			}
			if err != nil {
				return err
			}
		}
	case "sorted", "min", "max":
		for _, x := range args {
			if err := g.taken(x); err != nil {
				return err
			}
			if holdsOthers(x) {
				if _, err := g.weigh(x); err != nil {
					return err
				}
			}
			if err := g.work(4 * max(0, starlark.Len(x))); err != nil {
				return err
			}
		}
	case "any", "all", "len":
		for _, x := range args {
			if _, ok := x.(starlark.Iterable); ok && name != "len" {
				if err := g.work(max(0, starlark.Len(x))); err != nil {
					return err
				}
			}
		}
	case "list", "tuple", "reversed", "bytes", "enumerate", "zip", "dict", "set":
		for _, x := range args {
			if err := g.taken(x); err != nil {
				return err
			}
			if name == "dict" || name == "set" {
				if _, err := g.weigh(x); err != nil {
					return err
				}
			}
		}
	case "int":
		for _, x := range args {
			if s, ok := x.(starlark.String); ok && len(s) > maxBits/3 {
				return fmt.Errorf("a whole number of %d digits is too large", len(s))
			}
		}
	}
	return nil
}

// taken charges for the elements of a value, as for a list of them.
func (g *guard) taken(v starlark.Value) error {
	if _, ok := v.(starlark.Iterable); !ok {
		return nil
	}
	n := starlark.Len(v)
	if n < 0 {
		return errors.New("a value whose length is not known cannot be used here")
	}
	if err := g.growBy(n, 2*elementBytes); err != nil {
		return err
	}
	return g.work(n / 8)
}

// guardsMethods reports whether a value has methods that are guarded.
func guardsMethods(v starlark.Value) bool {
	switch v.(type) {
	case starlark.String, starlark.Bytes, *starlark.List, *starlark.Dict, *starlark.Set:
		return true
	}
	return false
}

// attr is x.name.
func (g *guard) attr(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	x, name := args[0], string(args[1].(starlark.String))
	if guardsMethods(x) {
		if v, err := g.bound(x, name); v != nil || err != nil {
			return v, err
		}
	}
	if has, ok := x.(starlark.HasAttrs); ok {
		v, err := has.Attr(name)
		if v != nil || err != nil {
			return v, err
		}
	}
	return nil, fmt.Errorf("%s has no .%s", x.Type(), name)
}

// bound is a guarded method of a value; nil where it has none of the name.
func (g *guard) bound(x starlark.Value, name string) (starlark.Value, error) {
	v, err := x.(starlark.HasAttrs).Attr(name)
	if v == nil || err != nil {
		return nil, err
	}
	return starlark.NewBuiltin(name, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, named []starlark.Tuple) (starlark.Value, error) {
		return g.method(x, name, args, named)
	}), nil
}

// method calls a method of a value, and charges for what it makes and adds.
func (g *guard) method(x starlark.Value, name string, args starlark.Tuple, named []starlark.Tuple) (starlark.Value, error) {
	if err := g.spendOn(x, name, args, named); err != nil {
		return nil, err
	}
	m, err := x.(starlark.HasAttrs).Attr(name)
	if err != nil {
		return nil, err
	}
	before := starlark.Len(x)
	v, err := starlark.Call(g.thread, m, args, named)
	if err != nil {
		return nil, err
	}
	if grown := starlark.Len(x) - before; grown > 0 {
		if err := g.growBy(grown, entryBytes); err != nil {
			return nil, err
		}
	}
	return v, g.kept(v)
}

func (g *guard) spendOn(x starlark.Value, name string, args starlark.Tuple, named []starlark.Tuple) error {
	if s, ok := x.(starlark.String); ok {
		if err := g.work(len(s) / 64); err != nil {
			return err
		}
		return g.spendOnText(string(s), name, args, named)
	}
	switch name {
	case "extend", "update", "union", "intersection", "difference", "symmetric_difference", "issubset", "issuperset":
		for _, a := range args {
			if err := g.taken(a); err != nil {
				return err
			}
			if _, isText := a.(starlark.String); !isText && name != "extend" {
				if _, err := g.weigh(a); err != nil {
					return err
				}
			}
		}
		if name != "extend" && name != "update" {
			return g.taken(x)
		}
	case "get", "setdefault", "pop", "add", "remove", "discard", "index":
		if len(args) == 0 {
			return nil
		}
		if _, isList := x.(*starlark.List); isList {
			return g.contains(args[0], x)
		}
		return g.hashable(args[0])
	case "insert":
		return g.work(max(0, starlark.Len(x)) / 8)
	case "items", "keys", "values":
		return g.growBy(starlark.Len(x), 2*elementBytes)
	}
	return nil
}

// spendOnText refuses methods of a text whose result would be far larger than it.
func (g *guard) spendOnText(s, name string, args starlark.Tuple, named []starlark.Tuple) error {
	switch name {
	case "join":
		if len(args) != 1 {
			return nil
		}
		if err := g.taken(args[0]); err != nil {
			return err
		}
		list, ok := args[0].(starlark.Iterable)
		if !ok {
			return nil
		}
		size := 0
		for e := range starlark.Elements(list) {
			t, _ := e.(starlark.String)
			if size += len(t) + len(s); size > g.memory {
				return g.over(Memory)
			}
		}
	case "replace":
		if len(args) < 2 {
			return nil
		}
		from, okFrom := args[0].(starlark.String)
		to, okTo := args[1].(starlark.String)
		if okFrom && okTo && len(to) > len(from) {
			n := strings.Count(s, string(from))
			if n > 0 && n > (g.memory-len(s))/len(to) {
				return g.over(Memory)
			}
		}
	case "format":
		most := 0
		see := func(v starlark.Value) error {
			n, err := g.weigh(v)
			most = max(most, n)
			return err
		}
		for _, a := range args {
			if err := see(a); err != nil {
				return err
			}
		}
		for _, a := range named {
			if err := see(a[1]); err != nil {
				return err
			}
		}
		if n := strings.Count(s, "{"); n > 0 && most > 0 && n > g.memory/most {
			return g.over(Memory)
		}
	case "split", "rsplit", "splitlines", "elems", "codepoints":
		return g.room(len(s))
	}
	return nil
}

func (g *guard) print(_ *starlark.Thread, line string) {
	if len(line)+1 > g.output {
		line = line[:max(0, g.output-1)]
		g.stop(Output)
	}
	g.output -= len(line) + 1
	g.printed.WriteString(line + "\n")
	if g.tell != nil {
		g.tell(line)
	}
}

// sum adds numbers up.
func (g *guard) sum(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, named []starlark.Tuple) (starlark.Value, error) {
	var list starlark.Iterable
	var total starlark.Value = starlark.MakeInt(0)
	if err := starlark.UnpackArgs(b.Name(), args, named, "iterable", &list, "start?", &total); err != nil {
		return nil, err
	}
	if err := g.work(max(0, starlark.Len(list))); err != nil {
		return nil, err
	}
	for x := range starlark.Elements(list) {
		_, isInt := x.(starlark.Int)
		_, isFloat := x.(starlark.Float)
		if !isInt && !isFloat {
			return nil, fmt.Errorf("sum takes numbers, not a %s", x.Type())
		}
		var err error
		if total, err = starlark.Binary(syntax.PLUS, total, x); err != nil {
			return nil, err
		}
	}
	return total, g.kept(total)
}

func round(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, named []starlark.Tuple) (starlark.Value, error) {
	var number starlark.Value
	var digits starlark.Value = starlark.None
	if err := starlark.UnpackArgs(b.Name(), args, named, "number", &number, "ndigits?", &digits); err != nil {
		return nil, err
	}
	f, ok := starlark.AsFloat(number)
	if !ok {
		return nil, fmt.Errorf("round takes a number, not a %s", number.Type())
	}
	if n, isInt := number.(starlark.Int); isInt && digits == starlark.None {
		return n, nil
	}
	if digits == starlark.None {
		return starlark.NumberToInt(starlark.Float(math.RoundToEven(f)))
	}
	n, err := starlark.AsInt32(digits)
	if err != nil {
		return nil, err
	}
	scale := math.Pow(10, float64(n))
	if scaled := f * scale; !math.IsInf(scaled, 0) && !math.IsNaN(scaled) && scale != 0 {
		f = math.RoundToEven(scaled) / scale
	}
	return starlark.Float(f), nil
}

// pow is a power of numbers: whole where both are, and the exponent is not negative.
func (g *guard) pow(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, named []starlark.Tuple) (starlark.Value, error) {
	var x, y starlark.Value
	if err := starlark.UnpackArgs(b.Name(), args, named, "base", &x, "exp", &y); err != nil {
		return nil, err
	}
	n, intX := x.(starlark.Int)
	e, intY := y.(starlark.Int)
	if exponent, small := e.Int64(); intX && intY && (!small || exponent >= 0) {
		size := n.BigInt().BitLen()
		if size > 1 && (!small || exponent > int64(maxBits/size)) {
			return nil, fmt.Errorf("a whole number of more than %d bits is too large", maxBits)
		}
		if size <= 1 { // -1, 0, 1
			exponent = exponent&1 + 2*min(exponent/2, 1)
		}
		out := starlark.MakeInt(1)
		for range exponent {
			out = out.Mul(n)
		}
		return out, g.kept(out)
	}
	f, okX := starlark.AsFloat(x)
	p, okY := starlark.AsFloat(y)
	if !okX || !okY {
		return nil, fmt.Errorf("pow takes numbers, not %s and %s", x.Type(), y.Type())
	}
	return starlark.Float(math.Pow(f, p)), nil
}

func (g *guard) encode(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, named []starlark.Tuple) (starlark.Value, error) {
	var x starlark.Value
	if err := starlark.UnpackArgs(b.Name(), args, named, "x", &x); err != nil {
		return nil, err
	}
	v, err := g.fromStarlark(x)
	if err != nil {
		return nil, err
	}
	text := starlark.String(value.EncodeJSON(v))
	return text, g.kept(text)
}

func (g *guard) decode(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, named []starlark.Tuple) (starlark.Value, error) {
	var text string
	if err := starlark.UnpackArgs(b.Name(), args, named, "x", &text); err != nil {
		return nil, err
	}
	if err := g.growBy(len(text), 4); err != nil {
		return nil, err
	}
	v, err := value.DecodeJSON([]byte(text))
	if err != nil {
		return nil, err
	}
	return g.toStarlark(v)
}

// hosted makes a function of the host one of the code.
func (g *guard) hosted(name string, f Function) builtin {
	return func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, named []starlark.Tuple) (starlark.Value, error) {
		in := make([]any, len(args))
		for i, a := range args {
			v, err := g.fromStarlark(a)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			in[i] = v
		}
		byName := &value.Object{}
		for _, a := range named {
			v, err := g.fromStarlark(a[1])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			byName.Set(string(a[0].(starlark.String)), v)
		}
		out, err := f(g.ctx, in, byName)
		if err != nil {
			return nil, err
		}
		return g.toStarlark(out)
	}
}
