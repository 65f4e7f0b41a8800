package builtin

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
)

// The prompt of the adapter compact draws types as declarations:
//
//	Each input stands under its name, as in [[ ## message ## ]]:
//
//	message: string // the message, verbatim
//
//	Answer with one JSON object, the last of these types:
//
//	Queue =
//	  | "refunds" // money is to be given back
//	  | "other"
//
//	{
//	  queue: Queue // where it goes
//	  urgency: int // 1 to 5
//	}
//
//	Your task:
//	…

const (
	compactInputs  = "Each input stands under its name, as in "
	compactOutputs = "Answer with one JSON object"
	compactTask    = "\n\nYour task:\n"
)

// readCompact reads such a system message.
func (t *task) readCompact(system string) bool {
	head, rest, ok := strings.Cut("\n"+system, "\n"+compactOutputs)
	if !ok {
		return false
	}
	_, rest, _ = strings.Cut(rest, "\n") // the sentence
	drawn, objective, ok := strings.Cut(rest, compactTask)
	if !ok {
		return false
	}
	if _, inputs, ok := strings.Cut(head, compactInputs); ok {
		_, inputs, _ = strings.Cut(inputs, "\n")
		// A declaration among the inputs follows them.
		p := newDeclarations(inputs)
		t.inputs = p.fields(0)
	}
	p := newDeclarations(head + "\n" + drawn)
	p.i = len(head) + 1
	for !p.done() {
		if p.space(); p.s[p.i:] != "" && p.s[p.i] == '{' {
			p.i++
			t.outputs = p.fields(0)
			break
		}
		p.skipLine()
	}
	t.format = jsonObject
	t.instruction = strings.TrimSpace(objective)
	for _, f := range t.outputs {
		if f.shape.kind == choiceKind {
			f.shape.explain(t.instruction)
		}
	}
	return len(t.outputs) > 0
}

// declarations reads drawn types. Each declared one is read once; inside itself it
// is "anything".
type declarations struct {
	typeParser
	at   map[string]int // where the type of each name begins
	read map[string]*shape
	open map[string]bool
}

var declaration = regexp.MustCompile(`(?m)^([\pL_][\pL\pN_]*) =`)

func newDeclarations(text string) *declarations {
	p := &declarations{typeParser{s: text}, map[string]int{}, map[string]*shape{}, map[string]bool{}}
	for _, m := range declaration.FindAllStringSubmatchIndex(text, -1) {
		p.at[text[m[2]:m[3]]] = m[1]
	}
	return p
}

func (p *declarations) done() bool { return p.i >= len(p.s) }

func (p *declarations) skipLine() {
	if n := strings.IndexByte(p.s[p.i:], '\n'); n >= 0 {
		p.i += n + 1
	} else {
		p.i = len(p.s)
	}
}

// remark reads `// words` to the end of the line, if that comes next in it.
func (p *declarations) remark() (string, bool) {
	rest := strings.TrimLeft(p.s[p.i:], " ")
	words, ok := strings.CutPrefix(rest, "//")
	if !ok {
		return "", false
	}
	words, _, _ = strings.Cut(words, "\n")
	p.skipLine()
	return strings.TrimSpace(words), true
}

// fields reads `name: type // words` up to a closing brace, or as long as such
// lines come.
func (p *declarations) fields(depth int) []*field {
	var out []*field
	above := ""
	for !p.done() {
		p.space()
		if words, ok := p.remark(); ok {
			above += "\n" + words
			continue
		}
		if p.done() || p.eat('}') {
			break
		}
		if p.eat(',') {
			continue
		}
		start := p.i
		name := typeWord.FindString(p.s[p.i:])
		p.i += len(name)
		needed := !p.eat('?')
		if name == "" || !p.eat(':') {
			p.i = start
			break
		}
		start = p.i
		f := &field{name: name, shape: p.union(depth+1, false)}
		if f.shape == nil {
			break
		}
		f.typeText = strings.TrimSpace(p.s[start:p.i])
		if f.shape.kind == listKind {
			f.typeText = "list" // as other prompts begin the name of such a type
		}
		words, _ := p.remark()
		f.about = strings.TrimSpace(above + "\n" + words)
		above = ""
		f.shape.drawnLimits(f.about)
		f.shape.about = f.about
		f.shape.optional = f.shape.optional || !needed
		out = append(out, f)
	}
	return out
}

// union reads `A | B | null`; in a declaration each may stand on its line, with
// words about it.
func (p *declarations) union(depth int, declared bool) *shape {
	if depth > schemaDepth {
		return nil
	}
	p.eat('|')
	var members []*shape
	for {
		m := p.member(depth)
		if m == nil {
			return nil
		}
		if declared && m.kind == choiceKind {
			if words, ok := p.remark(); ok {
				m.choices[0].about = words
			}
		}
		members = append(members, m)
		before := p.i
		if !p.eat('|') {
			p.i = before
			return unionOf(members)
		}
	}
}

// member reads one type with the [] behind it.
func (p *declarations) member(depth int) *shape {
	s := p.one(depth)
	for s != nil && strings.HasPrefix(p.s[p.i:], "[]") {
		p.i += 2
		s = &shape{kind: listKind, elems: []*shape{s}}
	}
	return s
}

func (p *declarations) one(depth int) *shape {
	if p.space(); p.done() {
		return nil
	}
	switch c := p.s[p.i]; {
	case c == '(':
		p.i++
		s := p.union(depth+1, false)
		if !p.eat(')') {
			return nil
		}
		return s
	case c == '[':
		p.i++
		s := &shape{kind: tupleKind}
		for !p.eat(']') {
			e := p.union(depth+1, false)
			if e == nil {
				return nil
			}
			s.elems = append(s.elems, e)
			p.eat(',')
		}
		return s
	case c == '{':
		p.i++
		if p.eat('[') {
			return p.table(depth)
		}
		s := &shape{kind: recordKind}
		for _, f := range p.fields(depth + 1) {
			s.properties = append(s.properties, property{f.name, f.shape, !f.shape.optional})
		}
		return s
	case c == '"' || c == '-' || c >= '0' && c <= '9':
		return p.constant()
	}
	name := typeWord.FindString(p.s[p.i:])
	p.i += len(name)
	switch name {
	case "":
		return nil
	case "true", "false":
		return choicesOf([]any{name == "true"})
	case "any":
		return &shape{kind: anyKind}
	}
	if _, ok := p.at[name]; ok {
		return p.declared(name, depth)
	}
	if s := namedType(name); s != nil {
		return s
	}
	return &shape{kind: anyKind} // a picture, a record that is not drawn
}

// table reads `key: string]: T }`.
func (p *declarations) table(depth int) *shape {
	_, rest, ok := strings.Cut(p.s[p.i:], "]:")
	if !ok {
		return nil
	}
	p.i = len(p.s) - len(rest)
	elem := p.union(depth+1, false)
	if elem == nil || !p.eat('}') {
		return nil
	}
	return &shape{kind: mapKind, elems: []*shape{elem}}
}

// constant reads a text or a number of JSON.
func (p *declarations) constant() *shape {
	d := json.NewDecoder(strings.NewReader(p.s[p.i:]))
	d.UseNumber()
	if p.s[p.i] != '"' {
		word := p.s[p.i:]
		if n := strings.IndexAny(word, " \n,|)]}"); n >= 0 {
			word = word[:n]
		}
		p.i += len(word)
		return &shape{kind: choiceKind, choices: []choice{{value: json.Number(word), text: word}}}
	}
	var text string
	if d.Decode(&text) != nil {
		return nil
	}
	p.i += int(d.InputOffset())
	return choicesOf([]any{text})
}

// declared reads the type of a name where it is declared.
func (p *declarations) declared(name string, depth int) *shape {
	if s := p.read[name]; s != nil {
		return copyOf(s)
	}
	if p.open[name] {
		return &shape{kind: anyKind}
	}
	p.open[name] = true
	back := p.i
	p.i = p.at[name]
	s := p.union(depth+1, true)
	p.i = back
	p.open[name] = false
	if s == nil {
		s = &shape{kind: anyKind}
	}
	p.read[name] = s
	return copyOf(s)
}

var drawnLimit = regexp.MustCompile(`(?:^|[;,.:] |\n)((?:each )*)(?:(at least|at most) )?(-?[0-9.]+(?:e[-+]?[0-9]+)?)(?: to (-?[0-9.]+(?:e[-+]?[0-9]+)?))?(?: (characters?|items?|keys?))?(?:$|[,\n])`)

var (
	drawnMultiple = regexp.MustCompile(`((?:each )*)a multiple of (-?[0-9.]+)`)
	drawnPattern  = regexp.MustCompile(`(?m)((?:each )*)matches (.*)$`)
)

// drawnLimits takes the limits from the words about a type: `1 to 3 items, each at
// most 140 characters`.
func (s *shape) drawnLimits(words string) {
	number := func(text string) *float64 {
		if v, err := strconv.ParseFloat(text, 64); err == nil {
			return &v
		}
		return nil
	}
	whole := func(v *float64) *int {
		if v == nil {
			return nil
		}
		return ptr(int(*v))
	}
	// The end of one limit is the start of the next, so they are found one by one.
	for rest := words; ; {
		m := drawnLimit.FindStringSubmatchIndex(rest)
		if m == nil {
			break
		}
		part := func(i int) string {
			if m[2*i] < 0 {
				return ""
			}
			return rest[m[2*i]:m[2*i+1]]
		}
		least, most := number(part(3)), number(part(4))
		switch part(2) {
		case "at most":
			least, most = nil, least
		case "":
			if most == nil {
				most = least
			}
		}
		if of := s.element(part(1)); of != nil {
			l := &of.limits
			switch strings.TrimSuffix(part(5), "s") {
			case "character":
				l.minLength, l.maxLength = whole(least), whole(most)
			case "item", "key":
				l.minItems, l.maxItems = whole(least), whole(most)
			default:
				l.min, l.max = least, most
			}
		}
		end := m[1]
		if end < len(rest) {
			end-- // the comma that ended it
		}
		if end <= 0 {
			break
		}
		rest = rest[end:]
	}
	if m := drawnMultiple.FindStringSubmatch(words); m != nil {
		if of := s.element(m[1]); of != nil {
			of.limits.multiple = number(m[2])
		}
	}
	if m := drawnPattern.FindStringSubmatch(words); m != nil {
		if of := s.element(m[1]); of != nil && of.kind == stringKind {
			of.pattern = m[2]
		}
	}
}

// element is the shape that "each" of a list or map, so often said, speaks of.
func (s *shape) element(each string) *shape {
	for range strings.Count(each, "each") {
		if s.kind != listKind && s.kind != mapKind || len(s.elems) == 0 {
			return nil
		}
		s = s.elems[0]
	}
	return s
}
