package state

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
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
	// inner is the predictor inside the module of the step; nil for the step itself.
	inner *Inner
	// seated tells that others than the step's own tools are given to it in a run.
	seated bool
}

// Target is a place of a program that asks a model and can be tuned.
type Target struct {
	Path string // step names from the program on: `draft`, `inner.draft`
	Name string // as DSPy names its predictor: `draft.predict`
	Step *program.Step
	// Signature is what it asks, as far as it is known before the program is planned.
	Signature *program.Signature
	// Inner is the predictor inside the module of the step; "" for the step itself.
	Inner string
	// Seated tells that an agent is given further tools in a run, which what it is told
	// names.
	Seated bool
}

// Targets returns the places of a program that can be tuned, and of those it calls,
// in the order of the text.
func Targets(prog *program.Program) []Target {
	ts, _ := targets(prog)
	out := make([]Target, len(ts))
	for i, t := range ts {
		n := len(t.shapes[0]) - len(t.step.Signature.Outputs)
		sig := *t.step.Signature
		if n > len(sig.Inputs) { // a comparison has its attempts behind the inputs
			sig.Inputs = t.shapes[0][:n]
		}
		out[i] = Target{Path: t.path, Name: t.names[0], Step: t.step, Signature: &sig, Seated: t.seated}
		if t.inner != nil {
			sig.Inputs, sig.Outputs, out[i].Inner = t.inner.Inputs, t.inner.Outputs, t.inner.Name
		}
	}
	return out
}

// Untuned returns the steps of a program, and of those it calls, whose module does its
// work out of sight: what it asks a model cannot be tuned.
func Untuned(prog *program.Program) []*program.Step { return collect(prog).untuned }

// Tune returns a state for a program that was not read from a file: what its steps
// get by their paths, values of variables, of the variables' types, and settings of
// steps by path and name.
func Tune(prog *program.Program, steps map[string]*Step, variables, settings map[string]any) *Tuned {
	ts, _ := targets(prog)
	for _, t := range ts {
		if s := steps[t.path]; s != nil {
			s.step, s.Predictor, s.inner = t.step, t.names[0], t.inner != nil
		}
	}
	return &Tuned{Steps: steps, Variables: variables, Settings: settings}
}

// Comparison is the name that the question of a multi_chain_comparison has below
// its step, whose own path is that of the module that it wraps.
const Comparison = "comparison"

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
	c := collect(prog)
	return c.targets, c.dark
}

func collect(prog *program.Program) *collector {
	c := &collector{}
	c.steps(prog.Steps, "")
	if len(c.targets) == 1 && !strings.Contains(c.targets[0].path, ".") {
		c.targets[0].alias("self", "predict")
	}
	if len(prog.Steps) == 1 { // a module that is the whole program has no name in DSPy
		only := prog.Steps[0]
		for _, t := range c.targets {
			if t.step == only && t.inner != nil {
				t.alias(t.inner.Name)
			}
		}
		for i, u := range c.unasked {
			if u.step == only {
				c.unasked[i].names = append(u.names, strings.TrimPrefix(u.names[0], only.Name+"."))
			}
		}
	}
	for _, t := range c.targets {
		for _, n := range t.names {
			t.alias(StepName(n))
		}
	}
	for _, u := range c.unasked {
		for i, n := range u.names {
			u.names[i] = StepName(n)
		}
	}
	return c
}

type collector struct {
	targets []*target
	dark    []string
	unasked []unasked
	untuned []*program.Step
}

// unasked is a predictor that a module has in DSPy, and not as it is set here.
type unasked struct {
	names []string
	step  *program.Step
}

func (c *collector) steps(steps []*program.Step, outer string) {
	for _, st := range steps {
		path := Path(outer, st.Name)
		switch {
		case st.Repeat != nil:
			// In Python a loop is no object: its modules are the program's own.
			c.steps(st.Repeat.Steps, outer)
		default:
			c.step(st, path)
		}
	}
}

// PredictorIn returns what DSPy calls the predictor inside a module: "predict" in a
// ChainOfThought; "" for a module that is a predictor itself.
func PredictorIn(module string) string {
	switch module {
	case "chain_of_thought", "multi_chain_comparison":
		return "predict"
	}
	return ""
}

// step collects the target of a step, and those of what its module holds. A module
// that wraps another is an object whose attribute `module` it is, an ensemble has a
// list of programs:
//
//	pick.module.predict       best_of_n pick { chain_of_thought {} }
//	pick.module.module        best_of_n pick { majority { predict {} } }
//	all.programs[1].predict   ensemble all { predict {} chain_of_thought {} }
//
// The path of what a step wraps is that of the step; of several modules each has
// its own name behind it.
func (c *collector) step(st *program.Step, path string) {
	c.held(st, path, path)
}

func (c *collector) held(st *program.Step, path, name string) {
	switch {
	case st.Inner != nil:
		if st.Module == "multi_chain_comparison" {
			c.add(st, Path(path, Comparison), name+".predict", name)
			t := c.targets[len(c.targets)-1]
			t.shapes = append([][]types.Field{compared(st)}, t.shapes...)
		}
		c.held(st.Inner, path, name+".module")
	case len(st.Parts) > 0:
		for i, p := range st.Parts {
			before := len(c.targets)
			c.held(p, Path(path, p.Name), fmt.Sprintf("%s.programs[%d]", name, i))
			for _, t := range c.targets[before:] {
				t.seated = t.seated || st.Module == "agent" && t.step == p && t.inner != nil
			}
		}
	case st.Program != nil:
		before := len(c.targets)
		c.renamed(st.Program, path, name)
		if added := c.targets[before:]; len(added) == 1 && strings.Count(added[0].path, ".") == strings.Count(path, ".")+1 {
			added[0].alias(name, name+".predict")
		}
	case st.Module == "predict":
		c.add(st, path, name, name+".predict")
	case st.Module == "chain_of_thought":
		c.add(st, path, name+".predict", name)
	case manners[st.Module].dspy != "":
		c.asking(st, path, name)
	case st.Module == "module" || !st.Use.IsZero():
		c.add(st, path, name, name+".predict")
		t := c.targets[len(c.targets)-1]
		t.shapes = [][]types.Field{fields(st.Declared), reasoned(st.Declared)}
	default:
		c.dark = append(c.dark, path)
		if st.Module != "retrieve" { // which asks no model
			c.untuned = append(c.untuned, st)
		}
		if st.Module == "python" {
			// The step stands for a whole module: its predictors have the names
			// of the program's own.
			c.dark = append(c.dark, outerOf(path))
		}
	}
}

// asking collects the predictors of a module that asks in more than one way.
func (c *collector) asking(st *program.Step, path, name string) {
	inners := Inners(st)
	if inners == nil { // one conversation
		c.add(st, path, name)
	}
	for _, x := range inners {
		c.targets = append(c.targets, &target{
			path: Path(path, x.Path), names: []string{name + "." + x.Name, name + "." + x.Path}, step: st,
			shapes: [][]types.Field{append(slices.Clone(x.Inputs), x.Outputs...)}, inner: &x,
		})
	}
	for _, n := range innersOfDSPy(st.Module) {
		if !slices.ContainsFunc(inners, func(x Inner) bool { return x.Name == n }) {
			c.unasked = append(c.unasked, unasked{[]string{name + "." + n}, st})
		}
	}
}

func (c *collector) add(st *program.Step, path string, names ...string) {
	c.targets = append(c.targets, &target{path: path, names: names, step: st, shapes: [][]types.Field{fields(st.Signature)}})
}

// renamed collects the steps of a program that is held: DSPy knows them by the name
// of its place, and they have paths below the step's.
func (c *collector) renamed(p *program.Program, path, name string) {
	in := &collector{}
	in.steps(p.Steps, path)
	for _, t := range in.targets {
		for i, n := range t.names {
			t.names[i] = name + strings.TrimPrefix(n, path)
		}
	}
	for _, u := range in.unasked {
		for i, n := range u.names {
			u.names[i] = name + strings.TrimPrefix(n, path)
		}
	}
	c.targets, c.dark, c.unasked = append(c.targets, in.targets...), append(c.dark, in.dark...), append(c.unasked, in.unasked...)
	c.untuned = append(c.untuned, in.untuned...)
}

// outerOf returns what stands before the last point of a path.
func outerOf(path string) string { return path[:max(0, strings.LastIndexByte(path, '.'))] }

// noun is what messages call it.
func (t *target) noun() string {
	if t.inner != nil {
		return "predictor"
	}
	return "step"
}

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

// compared are the fields of the question of a comparison: the attempts are inputs.
func compared(st *program.Step) []types.Field {
	m := 3
	for _, o := range st.Options {
		if n, err := strconv.Atoi(o.Value.Text()); err == nil && o.Name == "m" {
			m = n
		}
	}
	all := slices.Clone(st.Signature.Inputs)
	for i := range m {
		all = append(all, types.Field{Name: fmt.Sprintf("reasoning_attempt_%d", i+1), Type: types.String})
	}
	return append(all, st.Signature.Outputs...)
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
