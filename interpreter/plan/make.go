package plan

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/program/state"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/lang/value"
)

// Defaults of a model's settings.
const (
	DefaultTimeout     = 60 * time.Second
	DefaultConcurrency = 64
	DefaultRetries     = 1
)

// Options are what a plan is told from outside.
type Options struct {
	Universe *universe.Universe
	// Model, when set, answers every step: a declared name or provider/name.
	Model string
	// DefaultModel answers where neither a step nor a program names a model,
	// before the file's own default.
	DefaultModel string
	// ProjectModel answers where the file has no default either: what dspi.hcl
	// says, at ProjectPlace.
	ProjectModel string
	ProjectPlace source.Place
	// Backend is the runtime of steps where neither they nor their program say:
	// "python", or anything else for native.
	Backend string
	// FallbackModel answers when nothing at all names a model.
	FallbackModel string
	// State is what tuning found: demos and instructions of steps. The values that
	// it has for variables are taken where Values has none.
	State *state.Tuned
	// Values of variables, by name, already of the variables' types.
	Values map[string]any
	// Prices knows what a provider asks for a model on its own server; nil when it
	// does not, and may be nil itself.
	Prices func(provider, model string) *lm.Price
	// Getenv reads the environment, for keys and `env("…")`; nil: it is empty.
	Getenv func(string) string
}

// Make plans a program of a checked project. The list says what keeps it from
// being planned: a variable without a value, a model that does not exist.
func Make(project *program.Project, prog *program.Program, opt Options) (*Plan, diag.List) {
	p, diags := Sketch(project, prog, opt)
	if diags.HasErrors() {
		return nil, diags
	}
	return p, diags
}

// Sketch plans a program as far as it can be planned. When the list has errors
// the plan is only to be looked at: models in it may lack what was not known.
func Sketch(project *program.Project, prog *program.Program, opt Options) (*Plan, diag.List) {
	m := newMaker(project, opt)
	p := m.program(opt.State.Ensembled(prog), nil)
	m.diags.Sort()
	p.Variables = slices.Sorted(maps.Keys(m.read))
	p.About = about(project, prog)
	return p, m.diags
}

// newMaker returns a maker that knows the values of all variables.
func newMaker(project *program.Project, opt Options) *maker {
	m := &maker{project: project, opt: opt, models: map[string]*Model{}, tools: map[string]*Tool{}, retrievers: map[string]*Retriever{}, read: map[string]bool{}}
	if m.opt.Getenv == nil {
		m.opt.Getenv = func(string) string { return "" }
	}
	m.values = maps.Clone(opt.Values)
	if m.values == nil {
		m.values = map[string]any{}
	}
	if opt.State != nil {
		for name, v := range opt.State.Variables {
			if _, given := m.values[name]; !given {
				m.values[name] = v
			}
		}
	}
	for _, v := range project.Variables {
		if _, given := m.values[v.Name]; given {
			continue
		}
		if v.HasDefault {
			m.values[v.Name] = v.Default
		} else if v.Env != "" {
			if text := m.opt.Getenv(v.Env); text != "" {
				m.values[v.Name] = text
			}
		}
	}
	m.settle()
	return m
}

type maker struct {
	project    *program.Project
	opt        Options
	values     map[string]any
	models     map[string]*Model
	tools      map[string]*Tool
	retrievers map[string]*Retriever
	read       map[string]bool // variables read
	diags      diag.List
	path       string // of steps, from the planned program to the one under way
}

// program plans a program; outer are the models written around the step that
// calls it, the nearest first.
func (m *maker) program(prog *program.Program, outer []Choice) *Plan {
	p := &Plan{
		Program: prog.Name, Checked: prog, Values: m.values,
		Inputs: planFields(prog.Signature.Inputs),
	}
	p.Ops = m.ops(prog, prog.Steps, prog.Lets, outer)
	for _, out := range prog.Outputs {
		m.uses(prog.Names, out.Value)
		p.Outputs = append(p.Outputs, Bind{out.Name, out.Value.Text(), out.Auto})
	}
	return p
}

// ops plans steps and named values that stand together.
func (m *maker) ops(prog *program.Program, steps []*program.Step, lets []*program.Let, outer []Choice) []*Op {
	var ops []*Op
	for _, l := range lets {
		m.uses(prog.Names, l.Value)
		ops = append(ops, &Op{
			Name: l.Name, Address: prog.Address() + "." + l.Name, Kind: ValueOp, After: l.Needs, Let: l,
			Inputs:  []Bind{{l.Name, l.Value.Text(), false}},
			Outputs: []Field{{l.Name, l.Value.Type.String()}},
		})
	}
	for _, st := range steps {
		if st.Repeat != nil {
			ops = append(ops, m.repeat(prog, st, outer))
		} else {
			ops = append(ops, m.step(prog, st, outer))
		}
	}
	return inOrder(ops)
}

// repeat plans the rounds of a `repeat`.
func (m *maker) repeat(prog *program.Program, st *program.Step, outer []Choice) *Op {
	r := st.Repeat
	op := &Op{Name: st.Name, Address: prog.Address() + "." + st.Name, Kind: RepeatOp, After: st.Needs, Step: st}
	op.Outputs = append(planFields(r.State), Field{"round", "int"}, Field{"done", "bool"})
	for _, b := range append(slices.Clone(r.Init), r.Next...) {
		m.uses(prog.Names, b.Value)
	}
	for _, v := range []program.Value{r.Until, r.MaxRounds, st.Flow.When} {
		m.uses(prog.Names, v)
	}
	op.Plan = &Plan{Program: prog.Name, Checked: prog, Values: m.values, Ops: m.ops(prog, r.Steps, r.Lets, outer)}
	return op
}

func (m *maker) step(prog *program.Program, st *program.Step, outer []Choice) *Op {
	return m.stepAt(prog, st, outer, state.Path(m.path, st.Name))
}

// stepAt plans a step, or a module that is held. At is where tuning finds it.
func (m *maker) stepAt(prog *program.Program, st *program.Step, outer []Choice, at string) *Op {
	op := &Op{
		Name: st.Name, Address: prog.Address() + "." + st.Name, Kind: StepOp,
		Module: st.Module, After: st.Needs, Step: st, Adapter: st.Settings.Adapter, Backend: cmp.Or(st.Settings.Backend, m.opt.Backend),
		Outputs: planFields(st.Signature.Outputs), Signature: st.Signature, Pending: st.Pending,
	}
	for _, in := range st.Inputs {
		m.uses(prog.Names, in.Value)
		op.Inputs = append(op.Inputs, Bind{in.Name, in.Value.Text(), in.Auto})
	}
	s := st.Settings
	for _, v := range []program.Value{s.Instructions, s.Temperature, s.TopP, s.MaxTokens, s.Seed, s.Stop, s.Retries, s.Rollout, s.ReasoningEffort, st.Flow.When, st.Flow.ForEach, st.Flow.Concurrency} {
		m.uses(prog.Names, v)
	}
	for _, o := range st.Options {
		m.uses(prog.Names, o.Value)
	}
	m.outside(op, st)
	called := st.Program
	if !st.Use.IsZero() {
		called = m.choose(op, st)
	}
	written := m.written(s.Model, outer)
	for _, part := range parts(st) {
		op.Parts = append(op.Parts, m.part(prog, op, part, written, at))
	}
	if called != nil {
		op.Kind, op.Module = CallOp, ""
		around := m.path
		m.path = at
		op.Plan = m.program(called, written)
		m.path = around
		return op
	}
	own := at
	if st.Inner != nil { // what tuning found at the step is for the module in it
		own = state.Path(at, state.Comparison)
	}
	if t := m.opt.State.Step(own); t != nil {
		op.Instructions, op.Demos, op.Nearest, op.Signature = t.Instructions, t.Demos, t.Nearest, t.Signature(op.Signature)
	}
	for _, x := range state.Inners(st) {
		if t := m.opt.State.Step(state.Path(own, x.Path)); t != nil {
			if op.Inner == nil {
				op.Inner = map[string]*state.Step{}
			}
			op.Inner[x.Name] = t
		}
	}
	switch v := m.opt.State.Setting(own, "temperature").(type) {
	case float64:
		op.Temperature = &v
	case int:
		warm := float64(v)
		op.Temperature = &warm
	}
	if name, ok := m.opt.State.Setting(own, "adapter").(string); ok {
		op.Adapter = name
	}
	if x, ok := m.opt.Universe.Module(op.Module); ok && x.Opaque {
		return op
	}
	op.Choices = m.choices(written)
	op.Model = op.Choices[0].resolve()
	m.confidence(op)
	return op
}

// parts returns the modules that the module of a step holds.
func parts(st *program.Step) []*program.Step {
	if st.Inner != nil {
		return []*program.Step{st.Inner}
	}
	return st.Parts
}

// part plans a module that the module of op holds. At is where tuning finds op: a
// module that is wrapped stands there, too, one of several below.
func (m *maker) part(prog *program.Program, op *Op, st *program.Step, outer []Choice, at string) *Op {
	if op.Step.Inner == nil {
		at = state.Path(at, st.Name)
	}
	p := m.stepAt(prog, st, outer, at)
	p.Address = op.Address
	return p
}

// choose puts the module that `module` stands for into the operation, or returns
// the program that it is.
func (m *maker) choose(op *Op, st *program.Step) *program.Program {
	name := st.Use.Module
	if st.Use.Variable != nil {
		m.variable(st.Use.Variable, st.Use.Place)
		name, _ = m.values[st.Use.Variable.Name].(string)
	}
	x, ok := m.opt.Universe.Module(name)
	if !ok {
		p, _ := m.project.Program(name)
		return p
	}
	op.Module = x.Name
	if x.Pending != "" {
		op.Pending = append(slices.Clone(op.Pending), program.Pending{Setting: x.Name, Missing: x.Pending, Place: st.Use.Place})
	}
	sig := *st.Signature
	sig.Outputs = slices.Clone(sig.Outputs)
	for i, f := range x.Adds {
		_, in := st.Declared.Input(f.Name)
		if _, out := sig.Output(f.Name); !out && !in {
			sig.Outputs = slices.Insert(sig.Outputs, min(i, len(sig.Outputs)), f)
		}
	}
	op.Signature = &sig
	return nil
}

// uses notes the variables that a value reads and reports those without a value.
func (m *maker) uses(names program.Names, v program.Value) {
	if v.Expr == nil {
		return
	}
	for _, r := range v.Expr.Refs() {
		if r.Root != "var" {
			continue
		}
		if x, ok := names.Resolve(r.Path); ok {
			m.variable(x, source.Place{File: v.Place.File, Span: r.Span})
		}
	}
}

func (m *maker) variable(v *program.Variable, at source.Place) {
	if m.read[v.Name] {
		return
	}
	m.read[v.Name] = true
	if !v.Computed.IsZero() {
		m.uses(v.Names, v.Computed)
		return
	}
	if _, ok := m.values[v.Name]; ok {
		return
	}
	name := v.Name
	d := diag.New("E0512", at, "`"+name+"` is needed here").Relate(v.Place, "declared here without a default")
	if v.Env != "" {
		d.Related = nil
		d.Relate(v.Place, "declared here; the environment variable %s is not set", v.Env)
		d.Hint("set %s in the environment", v.Env)
	}
	d.Hint("give it a value: --var %s=…", name)
	m.diags = append(m.diags, d)
}

// fixed evaluates a value that depends on variables only; nil when there is none
// or it was reported.
func (m *maker) fixed(names program.Names, v program.Value) any {
	if v.Expr == nil {
		return nil
	}
	n := len(m.diags)
	m.uses(names, v)
	if len(m.diags) > n {
		return nil
	}
	code, err := v.Expr.Compile()
	if err == nil {
		var out any
		out, err = code.Eval(context.Background(), func(root string) (any, bool) {
			if root == "var" {
				return Variables(names, m.values), true
			}
			return nil, false
		})
		if err == nil {
			return out
		}
	}
	why := err.Error()
	if v.Sensitive {
		why = "What went wrong is not shown, because a secret is part of it."
	}
	m.diags = append(m.diags, diag.New("E0614", v.Place, "this cannot be evaluated").Say("%s", why))
	return nil
}

// secrets returns the values of the sensitive variables that v reads, and of those
// that they are made of.
func (m *maker) secrets(names program.Names, v program.Value) []string {
	var out []string
	for _, x := range reads(names, v) {
		if !x.Sensitive || m.values[x.Name] == nil {
			continue
		}
		text, ok := m.values[x.Name].(string)
		if !ok {
			text = string(value.EncodeJSON(m.values[x.Name]))
		}
		out = append(append(out, text), m.secrets(x.Names, x.Computed)...)
	}
	return out
}

// Variables returns what `var` is in a file: the values of the variables that it
// can use, those of a file imported as rag in an object of their own.
func Variables(names program.Names, values map[string]any) *value.Object {
	o := &value.Object{}
	for _, n := range slices.Sorted(maps.Keys(names)) {
		at := o
		path := strings.Split(n, ".")
		for _, p := range path[:len(path)-1] {
			inner, ok := at.Get(p)
			if !ok {
				inner = &value.Object{}
				at.Set(p, inner)
			}
			at, ok = inner.(*value.Object)
			if !ok {
				return o
			}
		}
		at.Set(path[len(path)-1], values[names[n].Name])
	}
	return o
}

// Params builds the parameters of a call from values that eval evaluates.
func Params(eval func(program.Value) any, temperature, topP, maxTokens, seed, stop, effort program.Value) lm.Params {
	var p lm.Params
	float := func(v program.Value) *float64 {
		switch x := eval(v).(type) {
		case float64:
			return &x
		case int:
			f := float64(x)
			return &f
		}
		return nil
	}
	integer := func(v program.Value) *int {
		if n, ok := eval(v).(int); ok {
			return &n
		}
		return nil
	}
	p.Temperature, p.TopP = float(temperature), float(topP)
	p.MaxTokens, p.Seed = integer(maxTokens), integer(seed)
	p.ReasoningEffort, _ = eval(effort).(string)
	if list, ok := eval(stop).([]any); ok {
		for _, s := range list {
			if text, ok := s.(string); ok {
				p.Stop = append(p.Stop, text)
			}
		}
	}
	return p
}

func orDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

// inOrder sorts operations so that each stands behind those it waits for, and
// numbers the waves. Operations of one wave keep the order of the text.
func inOrder(ops []*Op) []*Op {
	byName := map[string]*Op{}
	for _, op := range ops {
		byName[op.Name] = op
	}
	var wave func(op *Op) int
	wave = func(op *Op) int {
		if op.Wave > 0 {
			return op.Wave
		}
		op.Wave = 1
		for _, n := range op.After {
			if other, ok := byName[n]; ok {
				op.Wave = max(op.Wave, wave(other)+1)
			}
		}
		return op.Wave
	}
	for _, op := range ops {
		wave(op)
	}
	slices.SortStableFunc(ops, func(a, b *Op) int { return a.Wave - b.Wave })
	return ops
}
