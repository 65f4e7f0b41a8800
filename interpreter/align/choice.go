package align

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// options are the choices of a type in all the forms in which they are known.
//
// A text is held against them in levels: as it is, in other capitals, with other
// accents, with other punctuation, as a meaning, as the only choice that a sentence
// names. The first level at which a choice is found decides; where two are found at
// one level, the text is ambiguous.
type options struct {
	members []option
	levels  [levelCount]map[string]int // a form: the choice; -1: of several
	words   map[string][]int           // the first word: of which choices
}

type option struct {
	value any
	forms [][]string // as words
}

const (
	exactLevel = iota
	caseLevel
	accentLevel
	punctuationLevel
	meaningLevel
	levelCount
)

var levelKinds = [levelCount]kind{caseLevel: choiceCase, accentLevel: choiceAccents, punctuationLevel: choicePunctuation, meaningLevel: choiceDescription}

// optionsOf collects the choices of t once for each reading.
func (r *run) optionsOf(t types.Type) *options {
	if o, ok := r.options[t]; ok {
		return o
	}
	o := &options{words: map[string][]int{}}
	for i := range o.levels {
		o.levels[i] = map[string]int{}
	}
	o.add(t)
	if r.options == nil {
		r.options = make(map[types.Type]*options)
	}
	r.options[t] = o
	return o
}

func (o *options) add(t types.Type) {
	switch t := t.(type) {
	case *types.Enum:
		for _, m := range t.Members {
			i := len(o.members)
			o.members = append(o.members, option{value: m.Name})
			o.form(i, m.Shown)
			if m.Name != m.Shown {
				o.form(i, m.Name)
			}
			if m.Description != "" {
				o.put(meaningLevel, strings.Join(wordsOf(m.Description), " "), i)
			}
		}
	case *types.Literal:
		i := len(o.members)
		o.members = append(o.members, option{value: t.Value})
		if s, ok := t.Value.(string); ok {
			o.form(i, s)
		} else {
			o.form(i, types.FormatLiteral(t.Value))
		}
	case *types.Union:
		for _, m := range t.Members {
			o.add(m)
		}
	}
}

func (o *options) form(i int, s string) {
	o.put(exactLevel, s, i)
	o.put(caseLevel, strings.ToLower(s), i)
	o.put(accentLevel, unaccented(strings.ToLower(s)), i)
	if plain := plainForm(s); plain != "" {
		o.put(punctuationLevel, plain, i)
	}
	if words := wordsOf(s); len(words) > 0 && strings.Trim(s, "0123456789.-") != "" {
		o.members[i].forms = append(o.members[i].forms, words)
		if of := o.words[words[0]]; len(of) == 0 || of[len(of)-1] != i {
			o.words[words[0]] = append(of, i)
		}
	}
}

func (o *options) put(level int, s string, i int) {
	if j, taken := o.levels[level][s]; taken && j != i {
		if level == exactLevel && o.members[j].value != o.members[i].value {
			return // what is shown comes before a name
		}
		i = -1
	}
	o.levels[level][s] = i
}

// choice reads an enum, a fixed value, or one of several.
func (r *run) choice(t types.Type, n *node, at *loc) (any, bool) {
	text := n.text
	switch n.kind {
	case listNode, objectNode:
		m := r.mark()
		if one, ok := r.single(n, at); ok {
			if v, ok := r.typed(t, one, at); ok {
				return v, true
			}
			r.reset(m)
		}
		return r.misfit(t, n, at)
	case numberNode, boolNode, nullNode:
		plain := n.plain()
		for _, o := range r.optionsOf(t).members {
			if value.Equal(plain, o.value) {
				return o.value, true
			}
		}
		if n.kind == nullNode {
			return r.misfit(t, n, at)
		}
		text = string(value.EncodeJSON(plain))
	}
	s := strings.TrimSpace(text)
	if v, how, ok := r.plainChoice(t, s); ok && n.isWords() {
		if how > exactLevel {
			r.fix(levelKinds[how], at, took(nil, text, v))
		}
		return v, true
	}
	o := r.optionsOf(t)
	if len(s) <= maxChoiceText {
		for level, key := range [...]string{s, strings.ToLower(s), unaccented(strings.ToLower(s)), plainForm(s), strings.Join(wordsOf(s), " ")} {
			i, found := o.levels[level][key]
			if !found {
				continue
			}
			if i < 0 {
				break
			}
			v := o.members[i].value
			switch {
			case level > exactLevel:
				r.fix(levelKinds[level], at, took(nil, text, v))
			case n.kind == numberNode || n.kind == boolNode:
				r.fix(textFromValue, at, took(nil, text, v))
			case n.isWords() && !isString(v):
				r.fix(numberFromText, at, took(nil, text, v))
			}
			return v, true
		}
	}
	if number, how, ok := readNumber(s); ok && n.isWords() {
		if i, found := o.levels[exactLevel][number]; found && i >= 0 {
			v := o.members[i].value
			for k, left := kind(0), how; left != 0; k, left = k+1, left>>1 {
				if left&1 != 0 {
					r.fix(k, at, took(nil, text, v))
				}
			}
			return v, true
		}
	}
	return r.mentioned(t, o, n, text, at)
}

// plainChoice finds a text's choice at the first two levels without the forms of
// all the others, where there are few.
func (r *run) plainChoice(t types.Type, s string) (any, int, bool) {
	if v, ok := named(t, s); ok {
		return v, exactLevel, true
	}
	if r.options[t] != nil {
		return nil, 0, false
	}
	var found any
	count := 0
	var look func(t types.Type)
	look = func(t types.Type) {
		switch t := t.(type) {
		case *types.Enum:
			for i := range t.Members {
				if m := &t.Members[i]; strings.EqualFold(m.Shown, s) || strings.EqualFold(m.Name, s) {
					found = m.Name
					count++
				}
			}
		case *types.Literal:
			if text, ok := t.Value.(string); ok && strings.EqualFold(text, s) {
				found = text
				count++
			}
		case *types.Union:
			for _, m := range t.Members {
				look(m)
			}
		}
	}
	look(t)
	return found, caseLevel, count == 1
}

func isString(v any) bool { _, ok := v.(string); return ok }

// maxChoiceText is the length of the longest text that can be a choice as a whole.
const maxChoiceText = 2000

// mentioned reads a text that names one choice among other words.
func (r *run) mentioned(t types.Type, o *options, n *node, text string, at *loc) (any, bool) {
	words := wordsOf(text)
	r.steps += len(text)
	var named []int
	for i := 0; i < len(words); {
		best, size := -1, 0
		for _, j := range o.words[words[i]] {
			for _, form := range o.members[j].forms {
				if len(form) > size && hasPrefix(words[i:], form) {
					best, size = j, len(form)
				}
			}
		}
		if best < 0 {
			i++
			continue
		}
		if negated(words[:i]) {
			return r.misfit(t, n, at)
		}
		if len(named) == 0 || named[len(named)-1] != best {
			named = append(named, best)
		}
		i += size
	}
	one := len(named) > 0
	for _, j := range named {
		one = one && j == named[0]
	}
	switch {
	case one:
		v := o.members[named[0]].value
		r.fix(choiceInWords, at, took(nil, text, v))
		return v, true
	case len(named) > 1 && r.mode == Lenient:
		v := o.members[named[0]].value
		r.fix(firstChoice, at, took(nil, text, v))
		return v, true
	case len(named) > 1:
		r.misfit(t, n, at)
		if last := len(r.faults) - 1; last >= 0 {
			r.faults[last].kind = "ambiguous"
			r.faults[last].msg += ", which names " + shown(types.FormatLiteral(o.members[named[0]].value)) + " and " + shown(types.FormatLiteral(o.members[named[1]].value))
		}
		return nil, false
	}
	return r.misfit(t, n, at)
}

// negated reports whether the words before a choice deny it.
func negated(before []string) bool {
	for _, w := range before[max(0, len(before)-3):] {
		switch w {
		case "not", "never", "isn", "aren", "wasn", "doesn", "don", "no", "nor", "neither", "non", "without", "cannot", "rather":
			return true
		}
	}
	return false
}

func hasPrefix(words, form []string) bool {
	if len(words) < len(form) {
		return false
	}
	for i := range form {
		if words[i] != form[i] {
			return false
		}
	}
	return true
}

// wordsOf returns the words of a text in small letters, without accents.
func wordsOf(s string) []string {
	return strings.FieldsFunc(unaccented(strings.ToLower(s)), func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
}

// plainForm is a name without what people write differently: capitals, accents,
// punctuation, spaces. firstName, first_name and "First name" share it.
func plainForm(s string) string {
	plain := true
	for i := range len(s) {
		if c := s[i]; !(c >= 'a' && c <= 'z' || isDigit(c)) {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	return strings.Map(func(c rune) rune {
		if unicode.IsLetter(c) || unicode.IsDigit(c) {
			return c
		}
		return -1
	}, unaccented(strings.ToLower(s)))
}

var letters = strings.NewReplacer("ß", "ss", "æ", "ae", "œ", "oe", "ø", "o", "ł", "l", "đ", "d", "ð", "d", "þ", "th", "ı", "i")

// unaccented is a text without accents: é as e, ß as ss, ﬁ as fi.
func unaccented(s string) string {
	ascii := true
	for i := range len(s) {
		if s[i] >= 0x80 {
			ascii = false
			break
		}
	}
	if ascii {
		return s
	}
	s = norm.NFKD.String(s)
	return letters.Replace(strings.Map(func(c rune) rune {
		if unicode.Is(unicode.Mn, c) {
			return -1
		}
		return c
	}, s))
}
