package builtin

import (
	"math"
	"strconv"
	"strings"
)

// look searches the passages once.
func (f *filler) look() error {
	if f.searched || !f.hasAsked {
		return nil
	}
	var err error
	f.search, err = lookUp(f.ctx, f.asked.text, f.asked.passages)
	f.searched = err == nil
	return err
}

// fromPassages answers the first text or number from the passages.
func (f *filler) fromPassages(s *shape) (any, bool, error) {
	if !f.hasAsked || f.searchUsed {
		return nil, false, nil
	}
	switch s.kind {
	case stringKind, intKind, floatKind, anyKind:
	default:
		return nil, false, nil
	}
	if err := f.look(); err != nil {
		return nil, false, err
	}
	if !f.search.found {
		f.say("I looked through the passages for the words of the question and found no sentence with enough of them.")
		f.searchUsed = true
		return nil, false, nil
	}
	var v any = fitText(s, f.search.answer, f.text)
	if s.kind == intKind || s.kind == floatKind {
		n, ok := firstNumber(f.search.answer)
		if !ok || s.kind == intKind && n != math.Trunc(n) {
			return nil, false, nil
		}
		v = numberWithin(s, n)
	}
	f.searchUsed = true
	f.sure(f.search.score)
	f.say("The sentence that shares most with the question is in passage %d: %q.", f.search.sentence.passage, cutText(f.search.sentence.text, 300))
	return v, true, nil
}

// citation cites the sentence that was used, and its passage by its number, counted
// from 1.
func (f *filler) citation(s *shape) any {
	found := f.search.sentence
	r := &record{}
	for _, p := range s.properties {
		r.names = append(r.names, p.name)
		switch p.name {
		case "text":
			r.values = append(r.values, fitText(p.shape, found.text, f.text))
		case "source":
			r.values = append(r.values, fitText(p.shape, strconv.Itoa(found.passage+1), f.text))
		default:
			r.values = append(r.values, f.neutral(p.name, p.shape, 0))
		}
	}
	return r
}

// firstNumber reads the first number of a text.
func firstNumber(text string) (float64, bool) {
	text = strings.TrimLeft(text, "$€£ ")
	m := numeral.FindString(text)
	if m == "" {
		if n, ok := numberWords[strings.ToLower(text)]; ok {
			return float64(n), true
		}
		return 0, false
	}
	v, err := strconv.ParseFloat(strings.NewReplacer(",", "", "_", "").Replace(m), 64)
	return v, err == nil
}

// summary is the first sentence of the longest input, of a list the first of each.
func (f *filler) summary(s *shape) (any, bool) {
	longest := ""
	for _, in := range f.t.inputs {
		if v := f.t.values[in.name]; len(v) > len(longest) {
			longest = v
		}
	}
	const most = 400 // characters, where the prompt names no limit
	var firsts []string
	length := 0
	for _, p := range readPassages(longest) {
		sentences := splitSentences(p[:min(len(p), 1<<14)])
		if len(sentences) == 0 {
			continue
		}
		if length += len(sentences[0]); len(firsts) > 0 && length > most {
			break
		}
		firsts = append(firsts, sentences[0])
	}
	if len(firsts) == 0 {
		return nil, false
	}
	text := strings.ToValidUTF8(cutText(strings.Join(firsts, " "), most), "")
	f.say("I took the beginning of the input as its summary.")
	return fitText(s, text, f.text), true
}

// pieces takes what the finder finds: one for a single value, all for a list.
func (f *filler) pieces(name string, s *shape, find finder) any {
	found := find(f.text)
	if len(found) == 0 {
		return f.neutral(name, s, 0)
	}
	f.found++
	f.say("I found %s in the input.", strings.ToLower(splitName(name)))
	f.sure(0.5)
	return f.piece(s, found[0])
}

// piece writes one found piece as a value of the shape.
func (f *filler) piece(s *shape, text string) any {
	if s.kind == intKind || s.kind == floatKind {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || s.kind == intKind && v != math.Trunc(v) {
			return f.neutral("", s, 0)
		}
		return numberWithin(s, v)
	}
	return fitText(s, text, f.text)
}

// make fills a shape from the inside: labels by their words, pieces by their names,
// the rest neutrally.
func (f *filler) make(name string, s *shape) any { return f.makeAt(name, s, 0) }

const deepest = 64

func (f *filler) makeAt(name string, s *shape, depth int) any {
	f.left--
	if f.left < 0 || depth > deepest {
		return f.neutral(name, s, deepest)
	}
	if find := finderFor(name, s); find != nil {
		return f.pieces(name, s, find)
	}
	switch s.kind {
	case choiceKind:
		return f.choose(name, s)
	case recordKind:
		before := f.found
		r := &record{}
		for _, p := range s.properties {
			r.names = append(r.names, p.name)
			r.values = append(r.values, f.makeAt(p.name, p.shape, depth+1))
		}
		if s.optional && f.found == before {
			return nil
		}
		return r
	case listKind:
		return f.list(name, s, depth)
	}
	return f.neutral(name, s, depth)
}

// list fills a list: pieces that its name asks for, labels that fit nearly as well as
// the best one, and as many neutral elements as it must have.
func (f *filler) list(name string, s *shape, depth int) any {
	items := []any{}
	least, most := bounds(s)
	if len(s.elems) == 1 {
		e := s.elems[0]
		if find := finderFor(name, e); find != nil && most > 0 {
			for _, p := range find(f.text) {
				if len(items) == most {
					break
				}
				items = append(items, f.piece(e, p))
			}
			if len(items) > 0 {
				f.found++
				f.say("I found %s in the input.", strings.ToLower(splitName(name)))
			}
		} else if e.kind == choiceKind && most > 0 {
			items = f.several(name, e.choices, most)
		}
		for len(items) < least && f.left > 0 {
			items = append(items, f.makeAt("", e, depth+1))
		}
	}
	if len(items) == 0 && s.optional {
		return nil
	}
	return items
}

func bounds(s *shape) (least, most int) {
	most = 1000
	for _, n := range []*int{s.limits.minItems, s.limits.minLength} {
		if n != nil {
			least = max(least, *n)
		}
	}
	for _, n := range []*int{s.limits.maxItems, s.limits.maxLength} {
		if n != nil {
			most = min(most, *n)
		}
	}
	return least, most
}

// several returns the labels whose score is near that of the best.
func (f *filler) several(name string, choices []choice, most int) []any {
	r := rankLabels(choices, f.textReader(), nil, 0)
	items := []any{}
	if r.similarity == 0 {
		return items
	}
	f.say("%s", r.explain(name, choices))
	f.sure(r.similarity)
	for i, c := range choices {
		if len(items) < most && r.scores[i] >= 0.8*r.scores[r.best] {
			items = append(items, c.value)
		}
	}
	return items
}

// neutral is the value of a type that claims nothing.
func (f *filler) neutral(name string, s *shape, depth int) any {
	if s.optional {
		return nil
	}
	switch s.kind {
	case stringKind:
		return neutralText(s, f.text)
	case intKind, floatKind:
		return neutralNumber(s)
	case boolKind:
		return false
	case choiceKind:
		return s.choices[fallback(s.choices)].value
	case listKind:
		if least, _ := bounds(s); least == 0 || depth >= deepest {
			return []any{}
		}
		return f.list(name, s, depth)
	case tupleKind:
		items := make([]any, len(s.elems))
		for i, e := range s.elems {
			if depth < deepest {
				items[i] = f.makeAt("", e, depth+1)
			}
		}
		return items
	case mapKind:
		return f.entries(s, depth)
	case recordKind:
		if depth < deepest {
			return f.makeAt(name, s, depth+1)
		}
	case unionKind:
		for _, m := range s.elems {
			if m.kind != anyKind && depth < deepest {
				return f.makeAt(name, m, depth+1)
			}
		}
	}
	return nil
}

// entries are as many neutral entries as a map must have.
func (f *filler) entries(s *shape, depth int) *record {
	r := &record{}
	least, _ := bounds(s)
	for len(r.names) < least && f.left > 0 && depth < deepest {
		name := unknown
		if n := len(r.names); n > 0 {
			name += strconv.Itoa(n + 1)
		}
		f.left--
		r.names = append(r.names, name)
		var v any
		if len(s.elems) == 1 {
			v = f.makeAt("", s.elems[0], depth+1)
		}
		r.values = append(r.values, v)
	}
	return r
}
