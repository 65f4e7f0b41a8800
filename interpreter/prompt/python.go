package prompt

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// This file writes values and handles text the way Python does, because that is
// what DSPy's bytes are made with.

// formatValue writes a field's value: a list for a text field as marked pieces,
// other lists and objects as JSON, the rest as Python's str().
func formatValue(t types.Type, v any) string {
	if list, ok := v.([]any); ok && isPlainText(t) {
		return pieces(list)
	}
	return formatShown(shown(t, v))
}

// format writes the value of an input of sig, with the media in it taken out.
func (s *scribe) format(sig *program.Signature, t types.Type, v any) string {
	if _, ok := v.([]any); ok && isPlainText(t) {
		return formatValue(t, v)
	}
	return formatShown(s.value(sig, t, v))
}

// value is shown for an input of sig, which may be a history.
func (s *scribe) value(sig *program.Signature, t types.Type, v any) any {
	if isHistory(t) && v != nil {
		return s.asValue(sig, v)
	}
	return s.shown(t, v)
}

func formatShown(v any) string {
	switch v := v.(type) {
	case []any, *value.Object:
		return pyJSON(v)
	default:
		return pyStr(v)
	}
}

// pieces writes a list of texts: «one», or each with its number.
func pieces(list []any) string {
	switch len(list) {
	case 0:
		return "N/A"
	case 1:
		return piece(list[0])
	}
	lines := make([]string, len(list))
	for i, v := range list {
		lines[i] = "[" + strconv.Itoa(i+1) + "] " + piece(v)
	}
	return strings.Join(lines, "\n")
}

func piece(v any) string {
	s, ok := v.(string)
	if !ok {
		s = formatValue(types.JSON, v)
	}
	if !strings.ContainsAny(s, "\n«»") {
		return "«" + s + "»"
	}
	return "«««\n    " + strings.ReplaceAll(s, "\n", "\n    ") + "\n»»»"
}

// shown puts in place of each enum value what the model sees.
func shown(t types.Type, v any) any { return (*scribe)(nil).shown(t, v) }

// shown is the function of that name, and puts marks in place of media.
func (s *scribe) shown(t types.Type, v any) any {
	switch t := t.(type) {
	case *types.Primitive:
		if t.Row.Group == types.Media && s != nil {
			return s.medium(t, v)
		}
	case *types.Enum:
		if name, ok := v.(string); ok {
			if m, ok := t.Member(name); ok {
				return m.Shown
			}
		}
	case *types.Optional:
		return s.shown(t.Elem, v)
	case *types.Union:
		for _, m := range t.Members {
			if _, faults := value.Check(m, v, value.Strict); faults == nil {
				return s.shown(m, v)
			}
		}
	case *types.List:
		if list, ok := v.([]any); ok {
			out := make([]any, len(list))
			for i, x := range list {
				out[i] = s.shown(t.Elem, x)
			}
			return out
		}
	case *types.Tuple:
		if list, ok := v.([]any); ok && len(list) == len(t.Elems) {
			out := make([]any, len(list))
			for i, x := range list {
				out[i] = s.shown(t.Elems[i], x)
			}
			return out
		}
	case *types.Map:
		if o, ok := v.(*value.Object); ok {
			out := &value.Object{}
			for name, x := range o.All() {
				out.Set(name, s.shown(t.Elem, x))
			}
			return out
		}
	case *types.Record:
		if o, ok := v.(*value.Object); ok {
			out := &value.Object{}
			for name, x := range o.All() {
				if f, ok := t.Field(name); ok {
					x = s.shown(f.Type, x)
				}
				out.Set(name, x)
			}
			return out
		}
	}
	return v
}

// pyStr is Python's str() of a value that is neither list nor object.
func pyStr(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		if v {
			return "True"
		}
		return "False"
	case string:
		return v
	case int:
		return strconv.Itoa(v)
	case float64:
		return pyFloat(v)
	}
	return fmt.Sprint(v)
}

// pyFloat is Python's repr() of a float.
func pyFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	if abs := math.Abs(f); f != 0 && (abs < 1e-4 || abs >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// pyJSON is Python's json.dumps(v, ensure_ascii=False): a space after each comma
// and colon.
func pyJSON(v any) string {
	var b strings.Builder
	writeJSON(&b, v)
	return b.String()
}

func writeJSON(b *strings.Builder, v any) {
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case bool:
		b.WriteString(strconv.FormatBool(v))
	case float64:
		switch {
		case math.IsNaN(v):
			b.WriteString("NaN")
		case math.IsInf(v, 1):
			b.WriteString("Infinity")
		case math.IsInf(v, -1):
			b.WriteString("-Infinity")
		default:
			b.WriteString(pyFloat(v))
		}
	case []any:
		b.WriteByte('[')
		for i, x := range v {
			if i > 0 {
				b.WriteString(", ")
			}
			writeJSON(b, x)
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
			writeJSONString(b, name)
			b.WriteString(": ")
			writeJSON(b, x)
		}
		b.WriteByte('}')
	case string:
		writeJSONString(b, v)
	default:
		b.WriteString(pyStr(v))
	}
}

func writeJSONString(b *strings.Builder, s string) {
	b.WriteByte('"')
	for _, r := range s {
		switch r {
		case '"':
			b.WriteString(`\"`)
		case '\\':
			b.WriteString(`\\`)
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case '\t':
			b.WriteString(`\t`)
		case '\b':
			b.WriteString(`\b`)
		case '\f':
			b.WriteString(`\f`)
		default:
			if r < 0x20 {
				fmt.Fprintf(b, `\u%04x`, r)
			} else {
				b.WriteRune(r)
			}
		}
	}
	b.WriteByte('"')
}

// pySpace reports whether Python's str.strip() removes r.
func pySpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

func pyStrip(s string) string { return strings.TrimFunc(s, pySpace) }

// pySplitlines is str.splitlines().
func pySplitlines(s string) []string {
	var lines []string
	start := 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch r {
		case '\r':
			if i+1 < len(s) && s[i+1] == '\n' {
				size = 2
			}
			fallthrough
		case '\n', '\v', '\f', 0x1c, 0x1d, 0x1e, 0x85, 0x2028, 0x2029:
			lines = append(lines, s[start:i])
			start = i + size
		}
		i += size
	}
	if start < len(s) {
		lines = append(lines, s[start:])
	}
	return lines
}

// pyCleandoc is inspect.cleandoc(): tabs are expanded, the indentation that all
// lines after the first share goes, and so do empty lines around the text.
func pyCleandoc(s string) string {
	lines := strings.Split(expandTabs(s), "\n")
	margin := -1
	for _, line := range lines[1:] {
		rest := strings.TrimLeftFunc(line, pySpace)
		if n := len([]rune(line)) - len([]rune(rest)); rest != "" && (margin < 0 || n < margin) {
			margin = n
		}
	}
	lines[0] = strings.TrimLeftFunc(lines[0], pySpace)
	if margin > 0 {
		for i, line := range lines[1:] {
			runes := []rune(line)
			lines[i+1] = string(runes[min(margin, len(runes)):])
		}
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	for len(lines) > 0 && lines[0] == "" {
		lines = lines[1:]
	}
	return strings.Join(lines, "\n")
}

// expandTabs is str.expandtabs(): tabs reach to the next multiple of 8.
func expandTabs(s string) string {
	if !strings.Contains(s, "\t") {
		return s
	}
	var b strings.Builder
	column := 0
	for _, r := range s {
		switch r {
		case '\t':
			n := 8 - column%8
			b.WriteString(strings.Repeat(" ", n))
			column += n
			continue
		case '\n', '\r':
			column = -1
		}
		b.WriteRune(r)
		column++
	}
	return b.String()
}

// pyDedent is textwrap.dedent(): the indentation that all lines share goes, and
// lines of nothing but spaces become empty.
func pyDedent(s string) string {
	lines := strings.Split(s, "\n")
	margin, found := "", false
	for i, line := range lines {
		rest := strings.TrimLeft(line, " \t")
		if rest == "" {
			lines[i] = ""
			continue
		}
		lead := line[:len(line)-len(rest)]
		if !found {
			margin, found = lead, true
			continue
		}
		for !strings.HasPrefix(lead, margin) {
			margin = margin[:len(margin)-1]
		}
	}
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, margin)
	}
	return strings.Join(lines, "\n")
}
