package state

import (
	"regexp"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
)

// A target is a place of a program that a predictor can be bound to.
//
// DSPy names a predictor after the attributes that lead to it: `draft` for a
// Predict, `draft.predict` for the Predict inside a ChainOfThought, `inner.draft`
// inside a module, `steps[0]` in a list. A root Predict is `self`, that of a root
// ChainOfThought `predict`. The names of a target are all those under which DSPy
// may know it; the first is the one that is written.
type target struct {
	path  string // step names from the program on: `draft`, `inner.draft`
	names []string
	step  *program.Step
	// shapes are the fields it may have, inputs first: a step whose module a
	// variable chooses has `reasoning` or not.
	shapes [][]types.Field
}

// Path returns the path of a step below another one; "" is the program itself.
func Path(outer, step string) string {
	if outer == "" {
		return step
	}
	return outer + "." + step
}

// targets returns the targets of a program and of those it calls, in the order
// of the text; dark are the paths of steps whose predictors are not known here.
func targets(prog *program.Program) (ts []*target, dark []string) {
	c := &collector{}
	c.steps(prog.Steps, "")
	if len(c.targets) == 1 && !strings.Contains(c.targets[0].path, ".") {
		c.targets[0].alias("self", "predict")
	}
	return c.targets, c.dark
}

type collector struct {
	targets []*target
	dark    []string
}

func (c *collector) steps(steps []*program.Step, outer string) {
	for _, st := range steps {
		path := Path(outer, st.Name)
		switch {
		case st.Repeat != nil:
			// In Python a loop is no object: its modules are the program's own.
			c.steps(st.Repeat.Steps, outer)
		case st.Program != nil:
			before := len(c.targets)
			c.steps(st.Program.Steps, path)
			if added := c.targets[before:]; len(added) == 1 && strings.Count(added[0].path, ".") == strings.Count(path, ".")+1 {
				added[0].alias(path, path+".predict")
			}
		default:
			c.step(st, path)
		}
	}
}

func (c *collector) step(st *program.Step, path string) {
	t := &target{path: path, step: st}
	inner, name := st, path
	if st.Inner != nil {
		inner, name = st.Inner, path+".module"
	}
	switch {
	case inner.Program != nil:
		c.dark = append(c.dark, path)
		return
	case inner.Module == "predict":
		t.names = []string{name, name + ".predict"}
	case inner.Module == "chain_of_thought":
		t.names = []string{name + ".predict", name}
	case inner.Module == "module" || !inner.Use.IsZero():
		t.names = []string{name, name + ".predict"}
		t.shapes = append(t.shapes, fields(inner.Declared), reasoned(inner.Declared))
	default:
		c.dark = append(c.dark, path)
		if inner.Module == "python" {
			// The step stands for a whole module: its predictors have the names
			// of the program's own.
			c.dark = append(c.dark, outerOf(path))
		}
		return
	}
	if t.shapes == nil {
		t.shapes = [][]types.Field{fields(inner.Signature)}
	}
	c.targets = append(c.targets, t)
}

// outerOf returns what stands before the last point of a path.
func outerOf(path string) string { return path[:max(0, strings.LastIndexByte(path, '.'))] }

func (t *target) alias(names ...string) {
	for _, n := range names {
		if !slices.Contains(t.names, n) {
			t.names = append(t.names, n)
		}
	}
}

func fields(s *program.Signature) []types.Field {
	return append(slices.Clone(s.Inputs), s.Outputs...)
}

func reasoned(s *program.Signature) []types.Field {
	all := append(slices.Clone(s.Inputs), types.Field{Name: "reasoning", Type: types.String})
	return append(all, s.Outputs...)
}

var inBrackets = regexp.MustCompile(`\[(?:'([^']*)'|"([^"]*)"|([^\]]*))\]`)

// StepName turns DSPy's name of a part into one that a step can have: `steps[0]`
// is steps_0, `by['kind']` is by_kind.
func StepName(name string) string {
	return inBrackets.ReplaceAllString(name, "_${1}${2}${3}")
}

// steps of InferPrefix.
var (
	lowerUpper  = regexp.MustCompile(`([a-z0-9])([A-Z])`)
	anyWord     = regexp.MustCompile(`(.)([A-Z][a-z]+)`)
	letterDigit = regexp.MustCompile(`([a-zA-Z])([0-9])`)
	digitLetter = regexp.MustCompile(`([0-9])([a-zA-Z])`)
)

// InferPrefix returns the prefix that DSPy saves for a field of a name:
// `first_name` is `First Name:`.
func InferPrefix(name string) string {
	s := anyWord.ReplaceAllString(name, "${1}_${2}")
	s = lowerUpper.ReplaceAllString(s, "${1}_${2}")
	s = letterDigit.ReplaceAllString(s, "${1}_${2}")
	s = digitLetter.ReplaceAllString(s, "${1}_${2}")
	words := strings.Split(s, "_")
	for i, w := range words {
		if w == strings.ToUpper(w) && w != strings.ToLower(w) {
			continue // an acronym
		}
		r := []rune(strings.ToLower(w))
		if len(r) > 0 {
			words[i] = strings.ToUpper(string(r[0])) + string(r[1:])
		}
	}
	return strings.Join(words, " ") + ":"
}
