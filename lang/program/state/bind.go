package state

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// Tuned is a state bound to a program. The nil Tuned tunes nothing.
type Tuned struct {
	State *State
	// Steps by their paths from the program on: `draft`, or `inner.draft` for
	// the step draft of the program that the step inner calls. A program that is
	// called twice may be tuned differently each time, as in DSPy. Predictors inside a
	// module stand below its step: `look.extract` (Inners).
	Steps map[string]*Step
	// Variables by name, of the variables' types.
	Variables map[string]any
	// Settings of steps, by the path of the step and the name: `draft.temperature`.
	Settings map[string]any

	members int // how many members there are, whose steps are below their paths
}

// Step is what one step gets, or a predictor inside its module.
type Step struct {
	Predictor    string // the name it has in the state
	Instructions string
	// Demos have the names of the step's own fields.
	Demos []*value.Object
	// Nearest is how many of Demos each call is shown: those that are nearest to its
	// inputs; 0: all.
	Nearest int
	// Descriptions of fields that the state changes.
	Descriptions map[string]string

	step      *program.Step
	inner     bool   // it is for a predictor inside the module of the step
	signature string // as dspi writes it, with the types that DSPy does not save
}

// Step returns what the step at a path gets; nil when nothing.
func (t *Tuned) Step(path string) *Step {
	if t == nil {
		return nil
	}
	return t.Steps[path]
}

// Bound returns the number of steps that get something.
func (t *Tuned) Bound() int {
	seen := map[*program.Step]bool{}
	for _, s := range t.Steps {
		seen[s.step] = true
	}
	return len(seen)
}

// Setting returns what tuning found for a setting of the step at a path; nil for
// nothing.
func (t *Tuned) Setting(path, name string) any {
	if t == nil {
		return nil
	}
	return t.Settings[path+"."+name]
}

// Of returns what a step gets where it stands first in the program; not what predictors
// inside its module get.
func (t *Tuned) Of(st *program.Step) *Step {
	if t == nil {
		return nil
	}
	var first string
	for path, s := range t.Steps {
		if s.step == st && !s.inner && (first == "" || path < first) {
			first = path
		}
	}
	return t.Steps[first]
}

// Signature returns sig with the descriptions that the state changes.
func (s *Step) Signature(sig *program.Signature) *program.Signature {
	if s == nil || len(s.Descriptions) == 0 {
		return sig
	}
	out := *sig
	out.Inputs, out.Outputs = slices.Clone(sig.Inputs), slices.Clone(sig.Outputs)
	for _, side := range [][]types.Field{out.Inputs, out.Outputs} {
		for i := range side {
			if d, ok := s.Descriptions[side[i].Name]; ok {
				side[i].Description = d
			}
		}
	}
	return &out
}

// Annotate writes into the state what DSPy does not save: the program that it is
// bound to, and the types of each predictor's fields.
func (t *Tuned) Annotate(prog *program.Program) {
	own := t.State.Additions()
	own.Set("program", prog.Name)
	signatures := &value.Object{}
	for _, p := range t.State.Predictors {
		for _, s := range t.Steps {
			if s.Predictor == p.Name {
				signatures.Set(p.Name, s.signature)
			}
		}
	}
	own.Set("signatures", signatures)
}

// Bind binds a state to a program of a project. Predictors are found by DSPy's
// names, fields by their order. The list says what did not fit: errors where
// something of the state would be lost, warnings where the program keeps what is
// written. What fits is returned beside it.
func Bind(s *State, project *program.Project, prog *program.Program) (*Tuned, diag.List) {
	b := &binder{state: s, project: project, prog: prog, tuned: &Tuned{State: s, Steps: map[string]*Step{}, Variables: map[string]any{}, Settings: s.Settings()}}
	c := collect(prog)
	b.targets, b.dark, b.unasked = c.targets, c.dark, c.unasked
	by := map[*target]*Predictor{}
	for _, p := range s.Predictors {
		t := b.find(p)
		if t == nil || b.foreign(p, t) {
			continue
		}
		if first, twice := by[t]; twice {
			b.report(diag.New("E0641", p.Place, "`"+p.Name+"` is for the step `"+t.path+"`, too").
				Relate(first.Place, "`%s` is for it already", first.Name).
				Say("Both predictors `%s` and `%s` belong to the step `%s`, and a step has one.", first.Name, p.Name, t.path))
			continue
		}
		by[t] = p
		b.bind(p, t)
	}
	b.uncovered(by)
	b.variables()
	b.bindMembers()
	return b.tuned, b.diags
}

type binder struct {
	state   *State
	project *program.Project
	prog    *program.Program
	targets []*target
	dark    []string
	unasked []unasked
	tuned   *Tuned
	diags   diag.List
	others  []*program.Step // of which it was said that they ask otherwise
}

func (b *binder) report(d *diag.Diagnostic) { b.diags = append(b.diags, d) }

// find returns the target of a predictor, or says that there is none.
func (b *binder) find(p *Predictor) *target {
	name := StepName(p.Name)
	for i := range 2 { // the name that is written first, then the others
		for _, t := range b.targets {
			if slices.Contains(t.names[:1+i*(len(t.names)-1)], name) {
				return t
			}
		}
	}
	for _, u := range b.unasked {
		if slices.Contains(u.names, name) {
			b.otherManner(p, u.step)
			return nil
		}
	}
	for _, path := range b.dark {
		if path == "" || name == path || strings.HasPrefix(name, path+".") {
			b.report(diag.New("W0640", p.Place, "`"+p.Name+"` is not used").
				Say("The predictor `%s` belongs to the step `%s`, whose module this version cannot tune. It is kept in the file.", p.Name, path))
			return nil
		}
	}
	d := diag.New("E0641", p.Place, "no step of `"+b.prog.Name+"` is `"+p.Name+"`").
		Relate(b.prog.Place, "the program that the state is bound to")
	var names []string
	for _, t := range b.targets {
		names = append(names, t.names[0])
	}
	if near, ok := diag.Nearest(name, names); ok {
		d.Hint("did you mean the step `%s`?", near)
	}
	step, _, _ := strings.Cut(name, ".")
	if !slices.Contains(names, step) {
		d.Hint("name the step as DSPy names the predictor: `%s`", step)
	}
	b.report(d.Say("%s", "The predictors of the state and the steps of the program do not go together.\n\n"+b.lists()))
	return nil
}

// lists shows predictors and steps.
func (b *binder) lists() string {
	var out strings.Builder
	out.WriteString("The state has:\n\n")
	for _, p := range b.state.Predictors {
		fmt.Fprintf(&out, "    %s\n", p.Name)
	}
	fmt.Fprintf(&out, "\nThe program `%s` asks a model in:\n\n", b.prog.Name)
	for _, t := range b.targets {
		fmt.Fprintf(&out, "    %s    (%s, in DSPy `%s`)\n", t.path, t.step.Module, t.names[0])
	}
	if len(b.targets) == 0 {
		out.WriteString("    no step\n")
	}
	return out.String()
}

// bind gives a step what its predictor says.
func (b *binder) bind(p *Predictor, t *target) {
	var own []types.Field
	for _, shape := range t.shapes {
		if len(shape) == len(p.Fields) {
			own = shape
			break
		}
	}
	if own == nil {
		b.otherFields(p, t)
		return
	}
	order := b.order(p, t, own)
	n := len(t.step.Declared.Inputs)
	if t.inner != nil {
		n = len(t.inner.Inputs)
	}
	st := &Step{
		Predictor: p.Name, Instructions: p.Instructions, Nearest: p.Nearest, Descriptions: map[string]string{}, step: t.step, inner: t.inner != nil,
		signature: (&program.Signature{Inputs: own[:n], Outputs: own[n:]}).String(),
	}
	for i, saved := range p.Fields {
		f := own[order[i]]
		// `${name}` is what DSPy writes where nobody described the field.
		if !isPlaceholder(saved.Description) && saved.Description != f.Description {
			st.Descriptions[f.Name] = saved.Description
		}
	}
	b.demos(p, t, own, order, st)
	b.otherTools(p, t)
	if p.LM != nil {
		model, _ := p.LM.Get("model")
		b.report(diag.New("W0640", p.Place, "its model is not used").
			Say("In DSPy `%s` was saved with the model %v. dspi takes a step's model from the program and the command line.", p.Name, model).
			Hint("to use it: --model %v, or `model` in the step `%s`", model, t.path))
	}
	b.tuned.Steps[t.path] = st
}

// otherFields says that a predictor has another number of fields than its step.
func (b *binder) otherFields(p *Predictor, t *target) {
	want := t.shapes[0]
	var out strings.Builder
	fmt.Fprintf(&out, "DSPy saves fields by their order, without names or types: inputs, then outputs. `%s` has %d, the step `%s` has %d.\n\n", p.Name, len(p.Fields), t.path, len(want))
	width := len("in the state")
	for _, f := range p.Fields {
		width = max(width, len(f.Prefix))
	}
	fmt.Fprintf(&out, "    %-*s  in the step\n", width, "in the state")
	for i := range max(len(p.Fields), len(want)) {
		left, right := "", ""
		if i < len(p.Fields) {
			left = p.Fields[i].Prefix
		}
		if i < len(want) {
			right = want[i].Name + ": " + want[i].Type.String()
		}
		fmt.Fprintf(&out, "    %s\n", strings.TrimRight(fmt.Sprintf("%-*s  %s", width, left, right), " "))
	}
	d := diag.New("E0642", p.Place, "saved with "+strconv.Itoa(len(p.Fields))+" fields").
		Relate(t.step.Place, "this step has %d", len(want)).Say("%s", out.String())
	reasoning := slices.ContainsFunc(p.Fields, func(f Field) bool { return isField(f, "reasoning") })
	has := slices.ContainsFunc(want, func(f types.Field) bool { return f.Name == "reasoning" })
	switch {
	case reasoning && !has:
		d.Hint("it was a ChainOfThought: make the step `chain_of_thought %s { … }`", t.step.Name)
	case !reasoning && has:
		d.Hint("it was a Predict: make the step `predict %s { … }`", t.step.Name)
	}
	b.report(d)
}

// order returns, for each saved field, the position of the step's own: the same
// position, but where the names show that the step has them in another order.
func (b *binder) order(p *Predictor, t *target, own []types.Field) []int {
	byName := make([]int, 0, len(own))
	same := true
	for i, saved := range p.Fields {
		at := slices.IndexFunc(own, func(f types.Field) bool { return isField(saved, f.Name) })
		if at < 0 || slices.Contains(byName, at) {
			break
		}
		same = same && at == i
		byName = append(byName, at)
	}
	positions := make([]int, len(own))
	for i := range positions {
		positions[i] = i
	}
	if len(byName) == len(own) {
		if !same {
			b.report(diag.New("W0640", p.Place, "the fields stand in another order").Relate(t.step.Place, "in this step").
				Say("`%s` was saved with the same fields as the step `%s`, in another order. They are bound by name.", p.Name, t.path))
		}
		return byName
	}
	var renamed []string
	for i, saved := range p.Fields {
		if !isField(saved, own[i].Name) && !customPrefix(saved) {
			renamed = append(renamed, fmt.Sprintf("    %s    is now    %s\n", saved.Prefix, own[i].Name))
		}
	}
	if len(renamed) > 0 {
		b.report(diag.New("W0640", p.Place, "fields have other names").Relate(t.step.Place, "in this step").
			Say("The fields of `%s` are bound to those of the step `%s` by their order, and some have other names:\n\n%s", p.Name, t.path, strings.Join(renamed, "")))
	}
	return positions
}

// isField reports whether a saved field is that of a name, as far as the file
// tells.
func isField(f Field, name string) bool {
	return f.Prefix == InferPrefix(name) || f.Description == "${"+name+"}"
}

// customPrefix reports whether a prefix was written by hand, and not made from a
// name: then it does not tell the name.
func customPrefix(f Field) bool {
	if isPlaceholder(f.Description) {
		return false
	}
	name := strings.ToLower(strings.ReplaceAll(strings.TrimSuffix(f.Prefix, ":"), " ", "_"))
	return !strings.EqualFold(InferPrefix(name), f.Prefix)
}

func isPlaceholder(description string) bool {
	return strings.HasPrefix(description, "${") && strings.HasSuffix(description, "}")
}

// demos brings the demos of a predictor to the names of the step's fields.
func (b *binder) demos(p *Predictor, t *target, own []types.Field, order []int, st *Step) {
	name := func(key string) (string, bool) {
		for _, f := range own {
			if f.Name == key {
				return key, true
			}
		}
		for i, saved := range p.Fields {
			if isField(saved, key) {
				return own[order[i]].Name, true
			}
		}
		return "", false
	}
	var strangers, misfits []string
	for i, d := range p.Demos {
		demo := &value.Object{}
		for key, v := range d.All() {
			if key == "augmented" || strings.HasPrefix(key, "dspy_") {
				continue // DSPy's own notes
			}
			field, ok := name(key)
			if !ok {
				if !slices.Contains(strangers, "`"+key+"`") {
					strangers = append(strangers, "`"+key+"`")
				}
				continue
			}
			demo.Set(field, v)
			at := slices.IndexFunc(own, func(f types.Field) bool { return f.Name == field })
			if v == nil {
				continue
			}
			if _, faults := value.Check(own[at].Type, v, value.Strict); len(faults) > 0 {
				misfits = append(misfits, fmt.Sprintf("    demo %d, %s: %s\n", i+1, field, faults[0]))
			}
		}
		st.Demos = append(st.Demos, demo)
	}
	if strangers != nil {
		b.report(diag.New("W0640", p.Place, "values in demos that no field shows").Relate(t.step.Place, "the step").
			Say("Demos of `%s` have %s. The %s `%s` has no such field, so these values are not shown to the model; DSPy does not show them either.", p.Name, strings.Join(strangers, ", "), t.noun(), t.path))
	}
	if misfits != nil {
		b.report(diag.New("W0640", p.Place, "demos that do not fit the types").Relate(t.step.Place, "the step").
			Say("Some values in the demos of `%s` do not fit the types of the %s `%s`. They are shown to the model as they are.\n\n%s", p.Name, t.noun(), t.path, strings.Join(misfits, "")))
	}
}

// uncovered says which steps the state does not speak of.
func (b *binder) uncovered(by map[*target]*Predictor) {
	var missing []string
	var at source.Place
	for _, t := range b.targets {
		if _, ok := by[t]; !ok && !slices.Contains(b.others, t.step) {
			missing = append(missing, "`"+t.path+"`")
			if at.IsZero() {
				at = t.step.Place
			}
		}
	}
	switch {
	case missing == nil || len(b.state.Predictors) == 0:
		return
	case b.diags.HasErrors():
		return // a predictor that was meant for it has been reported
	}
	b.report(diag.New("W0640", at, "the state says nothing of this step").
		Say("The state has no predictor for %s. What is written in the program stays there. DSPy would not load the state into such a program.", strings.Join(missing, ", ")))
}

// variables brings the values of variables into the types that the program
// declares.
func (b *binder) variables() {
	for _, x := range b.state.Variables() {
		at := place(b.state.File, "metadata", "dspi", "variables", x.Name)
		v, ok := b.project.Variable(x.Name)
		if !ok {
			d := diag.New("W0640", at, "no variable is called `"+x.Name+"`")
			var names []string
			for _, v := range b.project.Variables {
				names = append(names, v.Name)
			}
			if near, ok := diag.Nearest(x.Name, names); ok {
				d.Hint("did you mean `%s`?", near)
			}
			b.report(d.Say("The state has a value for the variable `%s`, and the program declares none of that name. The value is not used.", x.Name))
			continue
		}
		misfit := func(format string, args ...any) {
			b.report(diag.New("E0643", at, "this does not fit `"+x.Name+"`").Relate(v.Place, "declared here").
				Say("The state has a value for the variable `%s` that does not fit.\n\n    needs     %s\n    tuned as  %s\n%s", x.Name, v.Type, x.Type, fmt.Sprintf(format, args...)).
				Hint("tune again, or take the value out of the state"))
		}
		switch v.Type.(type) {
		case types.Model, types.Module:
			name, ok := x.Value.(string)
			switch {
			case !ok:
				misfit("    it is the name of a %s, as text", v.Type)
			case len(v.Choices) > 0 && !slices.Contains(v.Choices, name):
				misfit("    `%s` is not among its choices: %s", name, strings.Join(v.Choices, ", "))
			default:
				b.tuned.Variables[x.Name] = name
			}
			continue
		}
		got, faults := value.Check(v.Type, x.Value, value.Strict)
		if len(faults) > 0 {
			var lines strings.Builder
			for _, f := range faults {
				shown := f.String()
				if v.Sensitive {
					shown = "the value is a secret and is not shown"
				}
				lines.WriteString("    " + shown + "\n")
			}
			misfit("%s", lines.String())
			continue
		}
		b.tuned.Variables[x.Name] = got
	}
}
