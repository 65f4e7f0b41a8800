package state

import (
	"bytes"
	"math"
	"strconv"
	"strings"

	"github.com/dspi-lang/dspi/lang/value"
)

// encode writes JSON as orjson does with its option for an indent of two: the
// library with which DSPy saves. It differs from Go's in what it escapes and in how
// it writes floats, and a file should not change because another program wrote it.
func encode(v any) []byte {
	var b bytes.Buffer
	encodeValue(&b, v, "\n")
	return b.Bytes()
}

func encodeValue(b *bytes.Buffer, v any, line string) {
	switch v := v.(type) {
	case float64:
		b.WriteString(float(v))
	case string:
		quote(b, v)
	case []any:
		if len(v) == 0 {
			b.WriteString("[]")
			return
		}
		b.WriteByte('[')
		for i, x := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(line + "  ")
			encodeValue(b, x, line+"  ")
		}
		b.WriteString(line + "]")
	case *value.Object:
		if v.Len() == 0 {
			b.WriteString("{}")
			return
		}
		b.WriteByte('{')
		first := true
		for name, x := range v.All() {
			if !first {
				b.WriteByte(',')
			}
			first = false
			b.WriteString(line + "  ")
			quote(b, name)
			b.WriteString(": ")
			encodeValue(b, x, line+"  ")
		}
		b.WriteString(line + "}")
	default: // null, true, false, a whole number
		b.Write(value.EncodeJSON(v))
	}
}

// float writes a float in the fewest digits, always with a point or an exponent.
func float(f float64) string {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return "null"
	}
	abs := math.Abs(f)
	if f == 0 || abs >= 1e-5 && abs < 1e16 {
		s := strconv.FormatFloat(f, 'f', -1, 64)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		return s
	}
	s := strconv.FormatFloat(f, 'e', -1, 64) // 1e+20, 1.5e-07
	digits, exponent, _ := strings.Cut(s, "e")
	n, _ := strconv.Atoi(exponent)
	return digits + "e" + strconv.Itoa(n)
}

// quote writes a text: control characters are escaped, all else stands as it is.
func quote(b *bytes.Buffer, s string) {
	const hex = "0123456789abcdef"
	b.WriteByte('"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '"', '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case '\b':
			b.WriteString(`\b`)
		case '\t':
			b.WriteString(`\t`)
		case '\n':
			b.WriteString(`\n`)
		case '\f':
			b.WriteString(`\f`)
		case '\r':
			b.WriteString(`\r`)
		default:
			if c < 0x20 {
				b.WriteString(`\u00`)
				b.WriteByte(hex[c>>4])
				b.WriteByte(hex[c&15])
			} else {
				b.WriteByte(c)
			}
		}
	}
	b.WriteByte('"')
}
