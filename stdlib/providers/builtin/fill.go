package builtin

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A filler works out the value of each output, and remembers how.
type filler struct {
	ctx context.Context
	t   *task

	text       string   // all input values
	reader     *reader  // of text
	steps      []string // what was done, for the reasoning
	confidence float64  // of the first answer that has one; -1 before
	found      int      // pieces taken from the input
	left       int      // values that may still be made

	calculated *result
	calcUsed   bool
	asked      question
	hasAsked   bool
	search     search
	searched   bool
	searchUsed bool

	examples     *neighbours
	similarities []float64
}

const (
	valueBudget = 50_000 // a type that branches without end stops here
	copyFrom    = 0.75   // similarity from which an example's answer is taken as it is
)

func newFiller(ctx context.Context, t *task) *filler {
	f := &filler{ctx: ctx, t: t, confidence: -1, left: valueBudget}
	var all []string
	for _, in := range t.inputs {
		if v := t.values[in.name]; v != "" {
			all = append(all, v)
		}
	}
	f.text = strings.Join(all, "\n")
	f.asked, f.hasAsked = readQuestion(t)
	for _, in := range t.inputs {
		if r, ok := calculate(t.values[in.name]); ok {
			f.calculated = &r
			break
		}
	}
	for _, out := range t.outputs {
		f.readLengths(out)
	}
	return f
}

// readLengths takes length limits from what the description and the feedback say.
func (f *filler) readLengths(out *field) {
	if out.shape.kind != stringKind || out.shape.limits.maxLength != nil {
		return
	}
	n := saidMaxLength(out.about)
	if n == 0 && roleOf(out) != reasoningRole {
		n = saidMaxLength(f.t.feedback)
	}
	if n > 0 {
		out.shape.limits.maxLength = &n
	}
}

// fill returns a value for each output, in their order. The answers come first, then
// what is said about them.
func (f *filler) fill() ([]any, error) {
	values := make([]any, len(f.t.outputs))
	for pass := range 3 {
		for i, out := range f.t.outputs {
			role := roleOf(out)
			if when(role) != pass {
				continue
			}
			if err := f.ctx.Err(); err != nil {
				return nil, err
			}
			v, err := f.value(out, role)
			if err != nil {
				return nil, err
			}
			values[i] = v
		}
	}
	return values, nil
}

// when says in which pass outputs of a role are filled.
func when(r role) int {
	switch r {
	case confidenceRole, positionsRole, evidenceRole, citationRole:
		return 1
	case reasoningRole:
		return 2
	}
	return 0
}

func (f *filler) say(format string, args ...any) {
	step := fmt.Sprintf(format, args...)
	if !slices.Contains(f.steps, step) {
		f.steps = append(f.steps, step)
	}
}

// sure keeps the confidence of the first answer.
func (f *filler) sure(c float64) {
	if f.confidence < 0 {
		f.confidence = c
	}
}

func (f *filler) value(out *field, r role) (any, error) {
	if v, ok := f.t.taken(out); ok {
		return v, nil
	}
	s := out.shape
	switch r {
	case reasoningRole:
		return fitText(s, f.reasoning(), f.text), nil
	case confidenceRole:
		return f.howSure(s), nil
	case positionsRole:
		if err := f.look(); err != nil {
			return nil, err
		}
		if f.search.found && f.searchUsed {
			return []any{json.Number(strconv.Itoa(f.search.sentence.passage))}, nil
		}
	case evidenceRole:
		if err := f.look(); err != nil {
			return nil, err
		}
		if f.search.found {
			text := f.search.sentence.text
			if s.kind == listKind {
				return []any{fitText(s.elems[0], text, f.text)}, nil
			}
			return fitText(s, text, f.text), nil
		}
	case citationRole:
		if err := f.look(); err != nil {
			return nil, err
		}
		if f.search.found && f.searchUsed {
			if s.kind != listKind {
				return f.citation(s), nil
			}
			if least, most := bounds(s); least <= 1 && most >= 1 {
				return []any{f.citation(s.elems[0])}, nil
			}
		}
	case summaryRole:
		if v, ok := f.summary(s); ok {
			return v, nil
		}
	}
	return f.answer(out)
}

func (f *filler) reasoning() string {
	if len(f.steps) == 0 {
		return "I found nothing in the input that I can answer from."
	}
	return strings.Join(f.steps, " ")
}

// howSure is the similarity that the answer rests on; 0 when it rests on nothing.
func (f *filler) howSure(s *shape) any {
	c := math.Max(0, f.confidence)
	if s.limits.max != nil && *s.limits.max > 1 && s.limits.min != nil && *s.limits.min >= 0 {
		c *= *s.limits.max // percent, or marks up to ten
	}
	return numberWithin(s, c)
}

// answer fills a plain output: by calculation, from examples, labels, passages or
// pieces of the input, else neutrally.
func (f *filler) answer(out *field) (any, error) {
	s := out.shape
	if v, ok := f.calculation(s); ok {
		return v, nil
	}
	if s.kind == choiceKind {
		return f.choose(out.name, s), nil
	}
	if v, ok := f.fromExamples(out); ok {
		return v, nil
	}
	if find := finderFor(out.name, s); find != nil {
		return f.pieces(out.name, s, find), nil
	}
	if v, ok, err := f.fromPassages(s); ok || err != nil {
		return v, err
	}
	return f.make(out.name, s), nil
}

// calculation gives the worked out expression to the first output that can hold it.
func (f *filler) calculation(s *shape) (any, bool) {
	if f.calculated == nil || f.calcUsed {
		return nil, false
	}
	r := *f.calculated
	var v any
	switch s.kind {
	case stringKind, anyKind:
		v = r.String()
	case intKind:
		if !r.rat.IsInt() || !r.rat.Num().IsInt64() {
			return nil, false
		}
		v = json.Number(r.String())
	case floatKind:
		v = json.Number(r.Float())
	case unionKind:
		for _, m := range s.elems {
			if v, ok := f.calculation(m); ok {
				return v, true
			}
		}
		return nil, false
	default:
		return nil, false
	}
	if s.kind == intKind || s.kind == floatKind {
		exact, _ := r.rat.Float64()
		if math.IsInf(exact, 0) {
			return nil, false
		}
		if within, err := numberWithin(s, exact).Float64(); err != nil || math.Abs(within-exact) > 1e-9*math.Max(1, math.Abs(exact)) {
			return nil, false // the result may not stand here
		}
	}
	if text, ok := v.(string); ok {
		v = fitText(s, text, f.text)
	}
	f.calcUsed = true
	f.sure(1)
	f.say("I computed %s = %s.", r.expression, r.String())
	return v, true
}

// textReader reads the input's words once.
func (f *filler) textReader() *reader {
	if f.reader == nil {
		f.reader = newReader(f.text)
	}
	return f.reader
}

// likeness compares the input with the examples once.
func (f *filler) likeness() []float64 {
	if f.examples == nil {
		texts := make([][]word, len(f.t.demos))
		for i, d := range f.t.demos {
			for _, in := range f.t.inputs {
				texts[i] = append(texts[i], readWords(d.in[in.name])...)
			}
		}
		f.examples = newNeighbours(texts)
		f.similarities = f.examples.similarities(f.textReader().words)
	}
	return f.similarities
}

// choose takes one of the choices, by examples where the prompt has any and by words.
func (f *filler) choose(name string, s *shape) any {
	c := s.choices
	votes, trust, closest := f.votes(name, c)
	r := rankLabels(c, f.textReader(), votes, trust)
	if r.similarity == 0 && s.optional {
		f.say("Nothing in the input speaks for any label of %s; I left it empty.", name)
		f.sure(0)
		return nil
	}
	if votes != nil {
		likeness := max(r.similarity*(1-trust), min(1, closest))
		f.sure(chance(max(0, r.lead) * likeness))
	} else {
		f.sure(r.similarity)
	}
	f.say("%s", r.explain(name, c))
	return c[r.best].value
}

// chance is how likely a label is the right one where worked examples voted, by its
// lead over the next times how alike the input and the examples are: near rivals and
// an input unlike all examples are what goes wrong. The curve is that of banking77's
// training rows, with different labels and 1 to 20 examples each.
func chance(x float64) float64 { return math.Round(100*(1-math.Exp(-x/0.05))) / 100 }

// votes returns what the examples say for each choice and how far to trust it.
func (f *filler) votes(name string, choices []choice) (votes []float64, trust, closest float64) {
	byText := make(map[string]int, len(choices))
	for i, c := range choices {
		byText[strings.ToLower(c.text)] = i
	}
	labels := make([]int, len(f.t.demos))
	labelled := 0
	for i, d := range f.t.demos {
		labels[i] = -1
		given := strings.ToLower(strings.Trim(strings.TrimSpace(d.out[name]), `"'`))
		if l, ok := byText[given]; ok && given != "" {
			labels[i] = l
			labelled++
		}
	}
	if labelled == 0 {
		return nil, 0, 0
	}
	votes, closest = vote(f.likeness(), labels, len(choices))
	trust = float64(labelled) / (float64(labelled) + trustAfter*float64(len(choices)))
	return votes, trust, closest
}

// trustAfter is how many examples per label count as much as the labels' words.
const trustAfter = 4.0

// fromExamples answers as the examples do: with one of their answers where these
// repeat, or with the answer of an example that is nearly the same.
func (f *filler) fromExamples(out *field) (any, bool) {
	s := out.shape
	if len(f.t.demos) == 0 || s.kind == listKind || s.kind == recordKind || s.kind == mapKind || s.kind == tupleKind {
		return nil, false
	}
	var given choiceSet
	for _, d := range f.t.demos {
		if text := d.out[out.name]; text != "" {
			given.add(text, s)
		}
	}
	if len(given.choices) == 0 {
		return nil, false
	}
	similar := f.likeness()
	if s.kind == boolKind || given.total >= 4 && len(given.choices)*2 <= given.total && !f.hasAsked {
		return f.choose(out.name, &shape{kind: choiceKind, choices: given.choices}), true
	}
	order := byLikeness(similar)
	for _, i := range order {
		text := f.t.demos[i].out[out.name]
		if text == "" || similar[i] < copyFrom {
			continue
		}
		if v, ok := given.value(text); ok {
			f.sure(math.Round(math.Min(1, similar[i])*100) / 100)
			f.say("For %s I took the answer of an example that is nearly the same.", out.name)
			return v, true
		}
	}
	return nil, false
}

// A choiceSet is the distinct answers of examples that fit a shape.
type choiceSet struct {
	choices []choice
	total   int
}

func (c *choiceSet) add(text string, s *shape) {
	v, ok := readAnswer(text, s)
	if !ok {
		return
	}
	c.total++
	if _, seen := c.value(text); !seen {
		c.choices = append(c.choices, choice{value: v, text: text})
	}
}

func (c *choiceSet) value(text string) (any, bool) {
	for _, x := range c.choices {
		if x.text == text {
			return x.value, true
		}
	}
	return nil, false
}

// readAnswer reads an example's answer as a value that fits the shape.
func readAnswer(text string, s *shape) (any, bool) {
	switch s.kind {
	case stringKind:
		return text, fitText(s, text, "") == text
	case boolKind:
		switch strings.ToLower(text) {
		case "true", "yes", "1":
			return true, true
		case "false", "no", "0":
			return false, true
		}
	case intKind, floatKind:
		v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil {
			return nil, false
		}
		n := numberWithin(s, v)
		if w, err := n.Float64(); err != nil || w != v {
			return nil, false
		}
		return n, true
	}
	return nil, false
}
