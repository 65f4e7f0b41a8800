package builtin

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A kind is the sort of value a shape stands for.
type kind int

const (
	stringKind kind = iota
	intKind
	floatKind
	boolKind
	choiceKind // one of the choices: Literal['a', 'b'], an enum
	listKind   // list[elem]
	tupleKind  // tuple[elems…]
	mapKind    // dict[str, elem]
	recordKind // an object with properties
	unionKind  // one of the elems
	nullKind
	anyKind
)

// A choice is one value of a literal or enum.
type choice struct {
	value any    // string, json.Number, bool
	text  string // as the prompt writes it
	about string // what it means, where the prompt says so
}

// A property is one part of a record.
type property struct {
	name     string
	shape    *shape
	required bool
}

// A shape says which values may stand in a place.
type shape struct {
	kind       kind
	optional   bool // null is allowed too
	choices    []choice
	elems      []*shape // list and map: one; tuple and union: each
	properties []property
	about      string // description and title
	format     string // JSON Schema's: date, date-time, email …
	pattern    string
	limits     limits
}

// limits are the bounds a prompt names; nil is none.
type limits struct {
	min, max           *float64
	minOpen, maxOpen   bool // the bound itself is not allowed
	multiple           *float64
	minLength          *int // characters, or items of a list
	maxLength          *int
	minItems, maxItems *int
}

// readShape finds the shape of an output from its type, its note and its description.
func readShape(f *field, note string) *shape {
	var s *shape
	switch {
	case strings.HasPrefix(note, "must adhere to the JSON schema:"):
		_, text, _ := strings.Cut(note, ":")
		s = readSchema(text)
		if s == nil || s.kind == anyKind {
			if t := parseType(f.typeText); t != nil {
				s = t
			}
		}
	case strings.HasPrefix(note, "must exactly match (no extra characters) one of:"):
		if s = parseType(f.typeText); s == nil || s.kind != choiceKind {
			s = listedChoices(note)
		}
	case strings.HasPrefix(note, "must be one of:"):
		s = listedChoices(note)
	default:
		s = parseType(f.typeText)
		if s == nil {
			s = noted(note)
		}
	}
	if s == nil {
		s = &shape{kind: anyKind}
	}
	s.about = strings.TrimSpace(s.about + "\n" + f.about)
	s.limits.read(f.about)
	for line := range strings.SplitSeq(f.about, "\n") {
		if _, pattern, ok := strings.Cut(line, patternWords); ok && strings.HasPrefix(line, "Constraints:") {
			s.pattern = strings.TrimSpace(pattern)
		}
	}
	if s.kind == choiceKind {
		s.explain(f.about)
	}
	return s
}

// listedChoices reads `must be one of: a; b`.
func listedChoices(note string) *shape {
	_, list, _ := strings.Cut(note, ":")
	s := &shape{kind: choiceKind}
	for item := range strings.SplitSeq(list, ";") {
		if item = strings.TrimSpace(item); item != "" {
			s.choices = append(s.choices, choice{value: item, text: item})
		}
	}
	if len(s.choices) == 0 {
		s.kind = stringKind
	}
	return s
}

// noted guesses from the note when the type has an unknown name.
func noted(note string) *shape {
	switch {
	case strings.Contains(note, "True or False"):
		return &shape{kind: boolKind}
	case strings.Contains(note, "single int"):
		return &shape{kind: intKind}
	case strings.Contains(note, "single float"):
		return &shape{kind: floatKind}
	}
	return &shape{kind: stringKind}
}

// explain takes the meaning of each choice from lines such as `value: meaning`,
// `- "value" = meaning` and `value (meaning)`.
func (s *shape) explain(about string) {
	for line := range strings.SplitSeq(about, "\n") {
		if strings.HasPrefix(line, "Type description of ") {
			_, line, _ = strings.Cut(line, ": ")
		}
		for part := range strings.SplitSeq(line, ";") {
			part = strings.TrimLeft(part, " \t-*•")
			part = strings.Trim(part, "`\"' ")
			for i := range s.choices {
				c := &s.choices[i]
				if len(part) <= len(c.text) || !strings.EqualFold(part[:len(c.text)], c.text) {
					continue
				}
				rest := strings.TrimLeft(part[len(c.text):], "`\"' ")
				for _, sep := range []string{":", "=", "(", "—", "–", "- ", "->"} {
					if meaning, ok := strings.CutPrefix(rest, sep); ok {
						c.about += " " + strings.TrimRight(meaning, ") ")
						break
					}
				}
			}
		}
	}
}

var limitWords = []struct {
	words string
	set   func(l *limits, v float64)
}{
	{"greater than or equal to", func(l *limits, v float64) { l.min = &v }},
	{"less than or equal to", func(l *limits, v float64) { l.max = &v }},
	{"greater than", func(l *limits, v float64) { l.min, l.minOpen = &v, true }},
	{"less than", func(l *limits, v float64) { l.max, l.maxOpen = &v, true }},
	{"minimum length", func(l *limits, v float64) { n := int(v); l.minLength = &n }},
	{"maximum length", func(l *limits, v float64) { n := int(v); l.maxLength = &n }},
	{"minimum items", func(l *limits, v float64) { n := int(v); l.minItems = &n }},
	{"maximum items", func(l *limits, v float64) { n := int(v); l.maxItems = &n }},
	{"a multiple of the given number", func(l *limits, v float64) { l.multiple = &v }},
}

var limitValue = regexp.MustCompile(`^:?\s*(-?[0-9][0-9_]*(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)`)

// patternWords stand before a pattern, which is the last of a line's constraints.
const patternWords = "matching the pattern: "

// read takes the limits from lines that begin with `Constraints:`.
func (l *limits) read(about string) {
	for line := range strings.SplitSeq(about, "\n") {
		at := strings.Index(line, "Constraints:")
		if at < 0 {
			continue
		}
		for part := range strings.SplitSeq(line[at+len("Constraints:"):], ", ") {
			part = strings.TrimSpace(part)
			for _, w := range limitWords {
				rest, ok := strings.CutPrefix(part, w.words)
				if !ok {
					continue
				}
				if m := limitValue.FindStringSubmatch(rest); m != nil {
					if v, err := strconv.ParseFloat(strings.ReplaceAll(m[1], "_", ""), 64); err == nil {
						w.set(l, v)
					}
				}
				break
			}
		}
	}
}

// parseType reads a type as prompts write it, `Union[list[int], NoneType]`; nil when
// the name is of no type it knows.
func parseType(text string) *shape {
	p := typeParser{s: text}
	s := p.union(0)
	p.space()
	if p.i < len(p.s) {
		return nil
	}
	return s
}

type typeParser struct {
	s string
	i int
}

func (p *typeParser) space() {
	for p.i < len(p.s) && (p.s[p.i] == ' ' || p.s[p.i] == '\n' || p.s[p.i] == '\t') {
		p.i++
	}
}

func (p *typeParser) eat(c byte) bool {
	p.space()
	if p.i < len(p.s) && p.s[p.i] == c {
		p.i++
		return true
	}
	return false
}

// union reads `A | B | None`.
func (p *typeParser) union(depth int) *shape {
	first := p.one(depth)
	if first == nil {
		return nil
	}
	members := []*shape{first}
	for p.eat('|') {
		m := p.one(depth)
		if m == nil {
			return nil
		}
		members = append(members, m)
	}
	return unionOf(members)
}

// unionOf joins shapes: null makes the rest optional, literals make one choice.
func unionOf(members []*shape) *shape {
	optional := false
	var rest []*shape
	for _, m := range members {
		if m.kind == nullKind {
			optional = true
			continue
		}
		optional = optional || m.optional
		if n := len(rest); n > 0 && m.kind == choiceKind && rest[n-1].kind == choiceKind {
			rest[n-1].choices = append(rest[n-1].choices, m.choices...)
			continue
		}
		rest = append(rest, m)
	}
	switch len(rest) {
	case 0:
		return &shape{kind: nullKind, optional: true}
	case 1:
		rest[0].optional = optional
		return rest[0]
	}
	return &shape{kind: unionKind, elems: rest, optional: optional}
}

var typeNames = map[string]shape{
	"str": {kind: stringKind}, "string": {kind: stringKind}, "Reasoning": {kind: stringKind}, "reasoning_chain": {kind: stringKind},
	"int": {kind: intKind}, "float": {kind: floatKind}, "bool": {kind: boolKind},
	"NoneType": {kind: nullKind}, "None": {kind: nullKind}, "null": {kind: nullKind},
	"Any": {kind: anyKind}, "object": {kind: anyKind}, "json": {kind: anyKind},
	"dict": {kind: mapKind}, "Dict": {kind: mapKind}, "map": {kind: mapKind},
	"date": {kind: stringKind, format: "date"}, "datetime.date": {kind: stringKind, format: "date"},
	"datetime": {kind: stringKind, format: "date-time"}, "datetime.datetime": {kind: stringKind, format: "date-time"},
	"time": {kind: stringKind, format: "time"}, "duration": {kind: stringKind, format: "duration"},
	"timedelta": {kind: stringKind, format: "duration"}, "datetime.timedelta": {kind: stringKind, format: "duration"},
	"probability": {kind: floatKind, limits: limits{min: ptr(0.0), max: ptr(1.0)}},
	"confidence":  {kind: floatKind, limits: limits{min: ptr(0.0), max: ptr(1.0)}},
	"similarity":  {kind: floatKind, limits: limits{min: ptr(-1.0), max: ptr(1.0)}},
}

func ptr[T any](v T) *T { return &v }

var typeWord = regexp.MustCompile(`^[\pL_][\pL\pN_.]*`)

// one reads one member: a name, perhaps with arguments, or a literal.
func (p *typeParser) one(depth int) *shape {
	if depth > 40 {
		return nil
	}
	p.space()
	if p.i < len(p.s) && (p.s[p.i] == '\'' || p.s[p.i] == '"') {
		return p.literals(0)
	}
	name := typeWord.FindString(p.s[p.i:])
	if name == "" {
		return nil
	}
	p.i += len(name)
	name = strings.TrimPrefix(strings.TrimPrefix(name, "typing."), "builtins.")
	if !p.eat('[') {
		return namedType(name)
	}
	if name == "Literal" {
		return p.literals(']')
	}
	var args []*shape
	for !p.eat(']') {
		if p.eat('.') { // tuple[int, ...]
			continue
		}
		a := p.union(depth + 1)
		if a == nil {
			return nil
		}
		args = append(args, a)
		if !p.eat(',') && (p.i >= len(p.s) || p.s[p.i] != ']') {
			return nil
		}
	}
	switch name {
	case "list", "List", "set", "Set", "frozenset", "Sequence":
		return &shape{kind: listKind, elems: args}
	case "tuple", "Tuple":
		return &shape{kind: tupleKind, elems: args}
	case "dict", "Dict", "map", "Mapping":
		return &shape{kind: mapKind, elems: args[min(1, len(args)):]}
	case "Union", "UnionType":
		return unionOf(args)
	case "Optional":
		return unionOf(append(args, &shape{kind: nullKind}))
	}
	return nil
}

func namedType(name string) *shape {
	switch name {
	case "list", "List", "set", "Set", "tuple", "Tuple":
		return &shape{kind: listKind}
	}
	if s, ok := typeNames[name]; ok {
		return &s
	}
	return nil
}

// literals reads the constants up to the closing bracket (0: just one).
func (p *typeParser) literals(end byte) *shape {
	s := &shape{kind: choiceKind}
	for {
		p.space()
		if p.i >= len(p.s) {
			break
		}
		if c := p.s[p.i]; c == '\'' || c == '"' {
			text, ok := p.quoted(c)
			if !ok {
				return nil
			}
			s.choices = append(s.choices, choice{value: text, text: text})
		} else {
			word := p.s[p.i:]
			if n := strings.IndexAny(word, ",]|"); n >= 0 {
				word = word[:n]
			}
			p.i += len(word)
			switch word = strings.TrimSpace(word); word {
			case "None", "null":
				s.optional = true
			case "True", "true", "False", "false":
				s.choices = append(s.choices, choice{value: word[0]|0x20 == 't', text: word})
			case "":
			default:
				s.choices = append(s.choices, choice{value: json.Number(word), text: word})
			}
		}
		if end == 0 || !p.eat(',') {
			break
		}
	}
	if end != 0 && !p.eat(end) {
		return nil
	}
	if len(s.choices) == 0 {
		return &shape{kind: nullKind, optional: true}
	}
	return s
}

// quoted reads a Python string literal.
func (p *typeParser) quoted(q byte) (string, bool) {
	var b strings.Builder
	for p.i++; p.i < len(p.s); p.i++ {
		c := p.s[p.i]
		if c == q {
			p.i++
			return b.String(), true
		}
		if c != '\\' || p.i+1 >= len(p.s) {
			b.WriteByte(c)
			continue
		}
		p.i++
		switch c = p.s[p.i]; c {
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case 'r':
			b.WriteByte('\r')
		case 'x', 'u', 'U':
			n := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
			if p.i+n < len(p.s) {
				if v, err := strconv.ParseUint(p.s[p.i+1:p.i+1+n], 16, 32); err == nil && utf8.ValidRune(rune(v)) {
					b.WriteRune(rune(v))
					p.i += n
					continue
				}
			}
			b.WriteString(`\` + string(c))
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}
