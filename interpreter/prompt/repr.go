package prompt

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/lang/value"
)

// Repr writes a value as Python's repr() does, for prompts that DSPy writes with it:
// ['a', {'b': None}].
func Repr(v any) string { return pyRepr(v) }

// pyRepr is Python's repr() of a value: ['a', {'b': None}].
func pyRepr(v any) string {
	var b strings.Builder
	writeRepr(&b, v)
	return b.String()
}

func writeRepr(b *strings.Builder, v any) {
	switch v := v.(type) {
	case string:
		writeReprString(b, v)
	case []any:
		b.WriteByte('[')
		for i, x := range v {
			if i > 0 {
				b.WriteString(", ")
			}
			writeRepr(b, x)
		}
		b.WriteByte(']')
	case *value.Object:
		b.WriteByte('{')
		first := true
		for name, x := range v.All() {
			if !first {
				b.WriteString(", ")
			}
			first = false
			writeReprString(b, name)
			b.WriteString(": ")
			writeRepr(b, x)
		}
		b.WriteByte('}')
	default:
		b.WriteString(pyStr(v))
	}
}

// writeReprString quotes a text as Python does: in single quotes, unless it holds
// those and no double ones.
func writeReprString(b *strings.Builder, s string) {
	quote := '\''
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	b.WriteRune(quote)
	for _, r := range s {
		switch {
		case r == quote || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case unicode.IsPrint(r) || r == utf8.RuneError:
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(b, `\u%04x`, r)
		default:
			fmt.Fprintf(b, `\U%08x`, r)
		}
	}
	b.WriteRune(quote)
}

// pyJSONIndent is Python's json.dumps(v, indent=2, ensure_ascii=False).
func pyJSONIndent(v any) string {
	var b strings.Builder
	writeJSONIndent(&b, v, "\n")
	return b.String()
}

func writeJSONIndent(b *strings.Builder, v any, line string) {
	inner := line + "  "
	switch v := v.(type) {
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
			b.WriteString(inner)
			writeJSONIndent(b, x, inner)
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
			b.WriteString(inner)
			writeJSONString(b, name)
			b.WriteString(": ")
			writeJSONIndent(b, x, inner)
		}
		b.WriteString(line + "}")
	default:
		writeJSON(b, v)
	}
}
