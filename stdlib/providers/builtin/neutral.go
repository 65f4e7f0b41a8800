package builtin

import (
	"encoding/json"
	"math"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode/utf8"
)

// unknown is the answer to what the model cannot know.
const unknown = "unknown"

// A record is an object with its properties in order.
type record struct {
	names  []string
	values []any
}

// neutralNumber is the number nearest to zero that the limits allow.
func neutralNumber(s *shape) json.Number { return numberWithin(s, 0) }

// numberWithin moves v into the limits and onto the steps of a shape.
func numberWithin(s *shape, v float64) json.Number {
	l := s.limits
	step := 0.0
	if s.kind == intKind {
		step = 1
		v = math.Round(v)
	}
	if l.multiple != nil && *l.multiple > 0 {
		step = *l.multiple
		v = math.Round(v/step) * step
	}
	low, high := math.Inf(-1), math.Inf(1)
	if l.min != nil {
		low = *l.min
	}
	if l.max != nil {
		high = *l.max
	}
	if v < low || v == low && l.minOpen {
		v = low
		switch {
		case step > 0:
			if v = math.Ceil(low/step) * step; v == low && l.minOpen {
				v += step
			}
		case l.minOpen && !math.IsInf(high, 1):
			v = low + (high-low)/2
		case l.minOpen:
			v = low + 1
		}
	}
	if v > high || v == high && l.maxOpen {
		v = high
		switch {
		case step > 0:
			if v = math.Floor(high/step) * step; v == high && l.maxOpen {
				v -= step
			}
		case l.maxOpen && !math.IsInf(low, -1):
			v = low + (high-low)/2
		case l.maxOpen:
			v = high - 1
		}
	}
	return writeNumber(s, v)
}

func writeNumber(s *shape, v float64) json.Number {
	if math.IsInf(v, 0) || math.IsNaN(v) {
		v = 0
	}
	if v == 0 {
		v = 0 // no minus zero
	}
	text := strconv.FormatFloat(v, 'f', -1, 64)
	if s.kind != intKind && !strings.Contains(text, ".") {
		text += ".0"
	}
	return json.Number(text)
}

// fitText makes a text obey the lengths and the pattern of a shape: longer ones are
// cut, at a word where that loses little; shorter ones repeat.
func fitText(s *shape, text, source string) string {
	l := s.limits
	if l.maxLength != nil && utf8.RuneCountInString(text) > *l.maxLength {
		text = cutText(text, max(0, *l.maxLength))
	}
	if l.minLength != nil {
		least := min(*l.minLength, 1<<16)
		for base := " " + text; utf8.RuneCountInString(text) < least; {
			text += base
		}
		if l.maxLength != nil && utf8.RuneCountInString(text) > *l.maxLength {
			text = string([]rune(text)[:max(0, *l.maxLength)])
		}
	}
	if s.pattern == "" {
		return text
	}
	re, err := regexp.Compile(s.pattern)
	if err != nil || re.MatchString(text) {
		return text
	}
	for w := range strings.FieldsSeq(source) {
		if w = strings.Trim(w, `.,;:!?"'()`); re.MatchString(w) && re.FindString(w) == w {
			return w
		}
	}
	if tree, err := syntax.Parse(s.pattern, syntax.Perl); err == nil {
		if least := shortest(tree.Simplify(), 0); re.MatchString(least) {
			return least
		}
	}
	return text
}

// cutText returns the first n characters of text, up to the last whole word if that
// keeps at least half.
func cutText(text string, n int) string {
	runes := []rune(text)
	if len(runes) <= n {
		return text
	}
	cut := string(runes[:n])
	if i := strings.LastIndexByte(cut, ' '); i > len(cut)/2 && runes[n] != ' ' {
		cut = cut[:i]
	}
	return strings.TrimRight(cut, " ,;:-")
}

// shortest returns the shortest text that an expression matches.
func shortest(re *syntax.Regexp, depth int) string {
	if depth > 50 {
		return ""
	}
	switch re.Op {
	case syntax.OpLiteral:
		return string(re.Rune)
	case syntax.OpCharClass:
		for _, prefer := range "a0A" {
			for i := 0; i+1 < len(re.Rune); i += 2 {
				if re.Rune[i] <= prefer && prefer <= re.Rune[i+1] {
					return string(prefer)
				}
			}
		}
		if len(re.Rune) > 0 {
			return string(re.Rune[0])
		}
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return "a"
	case syntax.OpCapture, syntax.OpPlus:
		return shortest(re.Sub[0], depth+1)
	case syntax.OpRepeat:
		return strings.Repeat(shortest(re.Sub[0], depth+1), min(re.Min, 1000))
	case syntax.OpConcat:
		var b strings.Builder
		for _, sub := range re.Sub {
			b.WriteString(shortest(sub, depth+1))
		}
		return b.String()
	case syntax.OpAlternate:
		best := shortest(re.Sub[0], depth+1)
		for _, sub := range re.Sub[1:] {
			if s := shortest(sub, depth+1); len(s) < len(best) {
				best = s
			}
		}
		return best
	}
	return ""
}

// neutralText is the text for a place that nothing is known about.
func neutralText(s *shape, source string) string {
	switch s.format {
	case "date":
		return "1970-01-01"
	case "date-time":
		return "1970-01-01T00:00:00Z"
	case "time":
		return "00:00:00Z"
	case "duration":
		return "PT0S"
	case "email":
		return "unknown@example.com"
	case "uri", "url":
		return "https://example.com/"
	case "uuid":
		return "00000000-0000-0000-0000-000000000000"
	}
	return fitText(s, unknown, source)
}
