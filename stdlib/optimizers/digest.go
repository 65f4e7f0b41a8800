package optimizers

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/big"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/lang/value"
)

// digestOf returns what DSPy seeds its choice with where one run asked a predictor
// several times: the SHA-256 of the demos as Python pickles them (protocol 4), a tuple
// of dspy.Example.
//
// A pickle names an object that it has written already by its number, so it depends on
// which equal values are one object in Python. Names of fields are; an output is an
// object of its own; an input is taken for the output or input before it that is equal,
// from which a program usually has it. Where a program of DSPy's copies a value, for
// values that are no text, number, truth, list or dict, and for demos of more than 64 KiB
// together DSPy's choice may be the other one.
func digestOf(asked []optimize.Asked) string {
	p := &pickle{names: map[string]int{}, values: map[string]int{}}
	p.tuple(len(asked), func(i int) { p.example(asked[i]) })
	p.b = append(p.b, '.')
	head := []byte{0x80, 4, 0x95}
	head = binary.LittleEndian.AppendUint64(head, uint64(len(p.b)))
	sum := sha256.Sum256(append(head, p.b...))
	return hex.EncodeToString(sum[:])
}

// pickle writes values as Python's pickle does.
type pickle struct {
	b      []byte
	known  int            // objects that have a number
	names  map[string]int // numbers of names, and of what Python keeps once
	values map[string]int // numbers of values of demos
}

func (p *pickle) op(b ...byte) { p.b = append(p.b, b...) }

// memoize gives what was just written the next number.
func (p *pickle) memoize() int {
	p.op(0x94)
	p.known++
	return p.known - 1
}

func (p *pickle) get(n int) {
	if n < 256 {
		p.op('h', byte(n))
		return
	}
	p.b = binary.LittleEndian.AppendUint32(append(p.b, 'j'), uint32(n))
}

func (p *pickle) tuple(n int, write func(i int)) {
	if n > 3 {
		p.op('(')
	}
	for i := range n {
		write(i)
	}
	if n > 3 {
		p.op('t')
	} else {
		p.op(0x84 + byte(n))
	}
	p.memoize()
}

// name writes a text of which Python has one object.
func (p *pickle) name(s string) {
	if n, ok := p.names[s]; ok {
		p.get(n)
		return
	}
	p.text(s)
	p.names[s] = p.memoize()
}

func (p *pickle) text(s string) {
	if len(s) < 256 {
		p.op(0x8c, byte(len(s)))
	} else {
		p.b = binary.LittleEndian.AppendUint32(append(p.b, 'X'), uint32(len(s)))
	}
	p.op([]byte(s)...)
}

// example writes dspy.Example(augmented=True, **inputs, **outputs).
func (p *pickle) example(a optimize.Asked) {
	const class = "dspy.primitives.example.Example"
	if n, ok := p.names[class]; ok {
		p.get(n)
	} else {
		p.name("dspy.primitives.example")
		p.name("Example")
		p.op(0x93)
		p.names[class] = p.memoize()
	}
	p.op(')', 0x81)
	p.memoize()
	p.op('}')
	p.memoize()
	p.op('(')
	p.name("_store")
	p.op('}')
	p.memoize()
	n := 1 + a.Inputs.Len() + a.Outputs.Len()
	p.items(n, 'u', 's', func(add func(func())) {
		add(func() { p.name("augmented"); p.op(0x88) })
		for name, v := range a.Inputs.All() {
			add(func() { p.name(name); p.value(v, true) })
		}
		for name, v := range a.Outputs.All() {
			add(func() { p.name(name); p.value(v, false) })
		}
	})
	p.name("_demos")
	p.op(']')
	p.memoize()
	p.name("_input_keys")
	p.op('N', 'u', 'b')
}

// items writes n members of a list or dict, in groups of a thousand; many ends a group
// and one a single member.
func (p *pickle) items(n int, many, one byte, write func(add func(func()))) {
	if n == 1 {
		write(func(item func()) { item() })
		p.op(one)
		return
	}
	at := 0
	write(func(item func()) {
		if at%1000 == 0 {
			p.op('(')
		}
		item()
		if at++; at%1000 == 0 || at == n {
			p.op(many)
		}
	})
}

// value writes the value of a field; one that is taken over is an object that was
// written already if an equal one was.
func (p *pickle) value(v any, takenOver bool) {
	var key string
	switch v := v.(type) {
	case string:
		if c, size := utf8.DecodeRuneInString(v); v == "" || size == len(v) && c < 256 {
			p.name(v) // Python has each of these once
			return
		}
		key = "t" + v
	case []any, *value.Object:
		key = "j" + string(value.EncodeJSON(v))
	}
	if n, ok := p.values[key]; takenOver && key != "" && ok {
		p.get(n)
		return
	}
	switch v := v.(type) {
	case nil:
		p.op('N')
	case bool:
		if v {
			p.op(0x88)
		} else {
			p.op(0x89)
		}
	case int:
		p.whole(v)
	case float64:
		p.b = binary.BigEndian.AppendUint64(append(p.b, 'G'), math.Float64bits(v))
	case string:
		p.text(v)
		p.values[key] = p.memoize()
	case []any:
		p.op(']')
		p.values[key] = p.memoize()
		if len(v) > 0 {
			p.items(len(v), 'e', 'a', func(add func(func())) {
				for _, x := range v {
					add(func() { p.value(x, false) })
				}
			})
		}
	case *value.Object:
		p.op('}')
		p.values[key] = p.memoize()
		if v.Len() > 0 {
			p.items(v.Len(), 'u', 's', func(add func(func())) {
				for name, x := range v.All() {
					add(func() { p.value(name, false); p.value(x, false) })
				}
			})
		}
	default:
		p.text(string(value.EncodeJSON(v)))
		p.memoize()
	}
}

func (p *pickle) whole(n int) {
	switch {
	case n >= 0 && n < 1<<8:
		p.op('K', byte(n))
	case n >= 0 && n < 1<<16:
		p.b = binary.LittleEndian.AppendUint16(append(p.b, 'M'), uint16(n))
	case n >= math.MinInt32 && n <= math.MaxInt32:
		p.b = binary.LittleEndian.AppendUint32(append(p.b, 'J'), uint32(int32(n)))
	default: // two's complement in as few bytes as there may be
		size := big.NewInt(int64(n)).BitLen()/8 + 1
		if n < 0 && byte(n>>(8*(size-1))) == 0xff && n>>(8*(size-1)-1)&1 == 1 {
			size--
		}
		p.op(0x8a, byte(size))
		for i := range size {
			p.op(byte(n >> (8 * i)))
		}
	}
}
