package starlark

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// What things count for, in bytes: an element of a list, an entry of a dict or set,
// an object beside its contents.
const (
	elementBytes  = 32
	entryBytes    = 96
	objectBytes   = 48
	tableEntries  = 6 // that an empty dict or set has room for
	functionBytes = 256
)

const (
	maxNesting = 200     // of values that are compared, hashed, written or converted
	maxBits    = 1 << 16 // of a whole number
)

// guard measures what code is about to do.
type guard struct {
	ctx         context.Context
	limits      Limits
	thread      *starlark.Thread
	predeclared starlark.StringDict
	memory      int // left
	output      int // left
	printed     strings.Builder
	tell        func(string)
	loaded      map[string]*module
	stopped     atomic.Pointer[Kind] // the limit that was met
}

// stop ends the code before its next step.
func (g *guard) stop(k Kind) {
	g.stopped.CompareAndSwap(nil, &k)
	g.thread.Cancel(string(k))
}

// over ends the code at once.
func (g *guard) over(k Kind) error {
	g.stop(k)
	return errors.New(g.words(k))
}

// grow charges for bytes.
func (g *guard) grow(bytes int) error {
	if bytes < 0 || bytes > g.memory {
		return g.over(Memory)
	}
	g.memory -= bytes
	return nil
}

// growBy is grow(n * size) without overflow.
func (g *guard) growBy(n, size int) error {
	if n > 0 && size > 0 && n > g.memory/size {
		return g.over(Memory)
	}
	return g.grow(n * size)
}

// work charges for n pieces of work.
func (g *guard) work(n int) error {
	if n < 0 || g.thread.Steps+uint64(n) > uint64(g.limits.Steps) {
		return g.over(Steps)
	}
	g.thread.Steps += uint64(n)
	if g.ctx.Err() != nil {
		return g.over(Time)
	}
	return nil
}

// deep refuses calls that are too deep in each other.
func (g *guard) deep() error {
	if g.thread.CallStackDepth() > g.limits.Depth {
		return g.over(Depth)
	}
	return nil
}

// weigh goes through all of a value, as whoever compares, hashes or writes it does:
// what stands in it twice counts twice. Each part is a piece of work; bytes is about
// how long the value is when it is written.
func (g *guard) weigh(v starlark.Value) (bytes int, err error) {
	parts := 0
	var walk func(v starlark.Value, depth int) error
	walk = func(v starlark.Value, depth int) error {
		if depth > maxNesting {
			return fmt.Errorf("a value is nested more than %d deep", maxNesting)
		}
		if parts++; parts&1023 == 0 {
			if err := g.work(1024); err != nil {
				return err
			}
		}
		switch v := v.(type) {
		case starlark.String:
			bytes += 2*len(v) + 4
		case starlark.Bytes:
			bytes += 4*len(v) + 4
		case starlark.Int:
			bytes += bits(v)/3 + 2
		case *starlark.List:
			for i := range v.Len() {
				if err := walk(v.Index(i), depth+1); err != nil {
					return err
				}
			}
		case starlark.Tuple:
			for _, x := range v {
				if err := walk(x, depth+1); err != nil {
					return err
				}
			}
		case *starlark.Dict:
			for k, x := range v.Entries() {
				if err := walk(k, depth+1); err != nil {
					return err
				}
				if err := walk(x, depth+1); err != nil {
					return err
				}
			}
		case *starlark.Set:
			for x := range v.Elements() {
				if err := walk(x, depth+1); err != nil {
					return err
				}
			}
		default:
			bytes += 24
		}
		bytes += 4
		if bytes > g.limits.Memory {
			return g.over(Memory)
		}
		return nil
	}
	if err := walk(v, 0); err != nil {
		return 0, err
	}
	return bytes, g.work(parts & 1023)
}

// bits is the size of a whole number; 64 for any that is small.
func bits(n starlark.Int) int {
	if _, small := n.Int64(); small {
		return 64
	}
	return n.BigInt().BitLen()
}

// kept charges for a value that was made, but not for what is in it.
func (g *guard) kept(v starlark.Value) error {
	switch v := v.(type) {
	case starlark.String:
		return g.grow(len(v))
	case starlark.Bytes:
		return g.grow(len(v))
	case starlark.Int:
		n := bits(v)
		if n > maxBits {
			return fmt.Errorf("a whole number of %d bits is too large; at most %d are held", n, maxBits)
		}
		if n > 64 {
			return g.grow(n / 8)
		}
	case *starlark.List:
		return g.growBy(v.Len()+2, elementBytes)
	case starlark.Tuple:
		return g.growBy(len(v)+1, elementBytes)
	case *starlark.Dict:
		return g.growBy(v.Len()+tableEntries, entryBytes)
	case *starlark.Set:
		return g.growBy(v.Len()+tableEntries, entryBytes)
	case *starlark.Function:
		return g.grow(functionBytes)
	}
	return nil
}

// operator returns the guarded form of `x op y`.
func (g *guard) operator(op syntax.Token, inPlace bool) *starlark.Builtin {
	name := op.String()
	return starlark.NewBuiltin(name, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		x, y := args[0], args[1]
		switch op {
		case syntax.EQL, syntax.NEQ, syntax.LT, syntax.GT, syntax.LE, syntax.GE:
			if err := g.comparable(x, y); err != nil {
				return nil, err
			}
			holds, err := starlark.Compare(op, x, y)
			return starlark.Bool(holds), err
		case syntax.IN, syntax.NOT_IN:
			if err := g.contains(x, y); err != nil {
				return nil, err
			}
			return starlark.Binary(op, x, y)
		}
		if inPlace {
			if v, err := g.inPlace(op, x, y); v != nil || err != nil {
				return v, err
			}
		}
		if err := g.before(op, x, y); err != nil {
			return nil, err
		}
		v, err := starlark.Binary(op, x, y)
		if err != nil {
			return nil, err
		}
		return v, g.kept(v)
	})
}

// comparable charges for the comparison of two values.
func (g *guard) comparable(x, y starlark.Value) error {
	if !holdsOthers(x) || !holdsOthers(y) {
		return nil
	}
	_, err := g.weigh(x)
	if err == nil {
		_, err = g.weigh(y)
	}
	return err
}

func holdsOthers(v starlark.Value) bool {
	switch v.(type) {
	case *starlark.List, starlark.Tuple, *starlark.Dict, *starlark.Set:
		return true
	}
	return false
}

// contains charges for `x in y`.
func (g *guard) contains(x, y starlark.Value) error {
	switch y := y.(type) {
	case *starlark.List, starlark.Tuple:
		if holdsOthers(x) {
			_, err := g.weigh(y)
			return err
		}
		return g.work(starlark.Len(y) / 8)
	case *starlark.Dict, *starlark.Set:
		return g.hashable(x)
	case starlark.String:
		return g.work(len(y) / 64)
	}
	return nil
}

// hashable charges for the hash of a value.
func (g *guard) hashable(v starlark.Value) error {
	if _, ok := v.(starlark.Tuple); !ok {
		return nil
	}
	_, err := g.weigh(v)
	return err
}

// before refuses operations whose result would be far larger than what they take.
func (g *guard) before(op syntax.Token, x, y starlark.Value) error {
	a, intA := x.(starlark.Int)
	b, intB := y.(starlark.Int)
	switch op {
	case syntax.STAR:
		switch {
		case intA && intB:
			if n := bits(a) + bits(b); n > maxBits {
				return fmt.Errorf("a whole number of %d bits is too large; at most %d are held", n, maxBits)
			}
		case intA:
			return g.repeated(y, a)
		case intB:
			return g.repeated(x, b)
		}
	case syntax.PERCENT:
		if format, ok := x.(starlark.String); ok {
			n, err := g.weigh(y)
			if err != nil {
				return err
			}
			if _, ok := y.(*starlark.Dict); ok {
				return g.growBy(strings.Count(string(format), "%")+1, n)
			}
			return g.grow(n)
		}
	case syntax.PLUS:
		if starlark.Len(x) > 0 && starlark.Len(y) > 0 {
			return g.room(starlark.Len(x) + starlark.Len(y))
		}
	}
	return nil
}

// room refuses what does not fit; it charges nothing.
func (g *guard) room(bytes int) error {
	if bytes > g.memory {
		return g.over(Memory)
	}
	return nil
}

// repeated charges for x repeated n times.
func (g *guard) repeated(x starlark.Value, times starlark.Int) error {
	size := 1
	if holdsOthers(x) {
		size = elementBytes
	}
	length := starlark.Len(x)
	n, small := times.Int64()
	if length <= 0 || small && n <= 0 {
		return nil
	}
	if !small || n > int64(g.memory) {
		return g.over(Memory)
	}
	if int(n) > g.memory/(length*size) {
		return g.over(Memory)
	}
	return nil // the result is charged for
}

// inPlace is `x += y` and `x |= y` where they change x; nil for any other.
func (g *guard) inPlace(op syntax.Token, x, y starlark.Value) (starlark.Value, error) {
	method := ""
	switch x.(type) {
	case *starlark.List:
		if _, ok := y.(starlark.Iterable); ok && op == syntax.PLUS {
			method = "extend"
		}
	case *starlark.Dict:
		if _, ok := y.(*starlark.Dict); ok && op == syntax.PIPE {
			method = "update"
		}
	}
	if method == "" {
		return nil, nil
	}
	if _, err := g.method(x, method, starlark.Tuple{y}, nil); err != nil {
		return nil, err
	}
	return x, nil
}
