package python

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/program/state"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// Exported is a program as a module in Python.
type Exported struct {
	Module string // the text of the .py file; its `program` is the dspy.Module
	State  *state.State
	// Notes say what Python gets otherwise, or from somewhere else.
	Notes []string
}

// Export writes a planned program as a module that builds the same in DSPy, with
// variables as the plan has them. The list has an E0646 for each place that has no
// simple form in DSPy; the Exported is nil then.
func Export(p *plan.Plan) (*Exported, diag.List) {
	e := &exporter{state: state.New(), classes: map[string]types.Type{}, programs: map[*program.Program]string{}, values: p.Values, taken: map[string]bool{}}
	e.take(p)
	main := e.program(p, "")
	if e.diags.HasErrors() {
		e.diags.Sort()
		return nil, e.diags
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\"\"\"The program `%s` for DSPy %s.\n\nMade by `dspi export python`. Its tuned instructions and demos stand in the .json file\nbeside this one: `program.load(...)`.\n\"\"\"\n\n", p.Program, state.Format)
	e.imports(&b)
	b.WriteString(strings.TrimLeft(e.body.String(), "\n"))
	fmt.Fprintf(&b, "\n\nprogram = %s()\n", main)
	own := e.state.Additions()
	own.Set("program", p.Program)
	own.Set("signatures", e.signatures())
	var vars []state.Variable
	for _, name := range p.Variables {
		if v := e.variable(p, name); v != nil && !v.Sensitive {
			if x, ok := p.Values[name]; ok {
				vars = append(vars, state.Variable{Name: name, Type: v.Type.String(), Value: x})
			}
		}
	}
	if vars != nil {
		e.state.SetVariables(vars)
	}
	return &Exported{Module: b.String(), State: e.state, Notes: slices.Compact(e.notes)}, nil
}

type exporter struct {
	state    *state.State
	types    []string // signature of each predictor, in the state's order
	diags    diag.List
	notes    []string
	body     strings.Builder
	values   map[string]any
	classes  map[string]types.Type       // what a class name stands for at the moment
	programs map[*program.Program]string // classes that are written
	taken    map[string]bool             // names of classes, those of records and enums before all
	used     struct{ enum, datetime, pydantic, text, given bool }
}

// take keeps the names of records and enums free: they are shown to the model, so
// the names of modules and signatures give way.
func (e *exporter) take(p *plan.Plan) {
	for _, op := range p.Ops {
		if op.Signature != nil {
			for _, name := range prompt.ClassNames(op.Signature) {
				e.taken[name] = true
			}
		}
		if op.Plan != nil {
			e.take(op.Plan)
		}
	}
}

// className returns a name for a class, with kind behind it where it is taken.
func (e *exporter) className(name, kind string) string {
	found := name
	for n := 2; e.taken[found] || slices.Contains(imported, found); n++ {
		if found = name + kind; n > 2 {
			found += strconv.Itoa(n - 1)
		}
	}
	e.taken[found] = true
	return found
}

// imported are the names of classes that the module imports.
var imported = []string{"Any", "Literal", "Optional", "Union", "BaseModel", "Field"}

func (e *exporter) note(format string, args ...any) {
	if n := fmt.Sprintf(format, args...); !slices.Contains(e.notes, n) {
		e.notes = append(e.notes, n)
	}
}

func (e *exporter) refuse(at source.Place, label, format string, args ...any) {
	e.diags = append(e.diags, diag.New("E0646", at, label).Say(format, args...).
		Hint("take it out, or keep the program in dspi and call it from Python: dspi run --json"))
}

func (e *exporter) variable(p *plan.Plan, name string) *program.Variable {
	for _, v := range p.Checked.Names {
		if v.Name == name {
			return v
		}
	}
	return nil
}

func (e *exporter) signatures() *value.Object {
	o := &value.Object{}
	for i, p := range e.state.Predictors {
		o.Set(p.Name, e.types[i])
	}
	return o
}

func (e *exporter) imports(b *strings.Builder) {
	if e.used.datetime {
		b.WriteString("import datetime\n")
	}
	if e.used.enum {
		b.WriteString("import enum\n")
	}
	if e.used.text {
		b.WriteString("import json\n")
	}
	body := e.body.String()
	var names []string
	for _, n := range []string{"Any", "Literal", "Optional", "Union"} {
		if regexp.MustCompile(`\b` + n + `\b`).MatchString(body) {
			names = append(names, n)
		}
	}
	if names != nil {
		b.WriteString("from typing import " + strings.Join(names, ", ") + "\n")
	}
	if b.Len() > 0 && strings.HasSuffix(b.String(), "\n") && !strings.HasSuffix(b.String(), "\n\n") {
		b.WriteString("\n")
	}
	b.WriteString("import dspy\n")
	if e.used.pydantic {
		b.WriteString("from pydantic import BaseModel, Field\n")
	}
	if e.used.text {
		b.WriteString(textHelper)
	}
	if e.used.given {
		b.WriteString(givenHelper)
	}
	b.WriteString("\n\n")
}

const textHelper = `

def _text(value):
    """A value inside a text, as dspi writes it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
`

const givenHelper = `

_NOTHING = object()


def _given(**inputs):
    """Leaves out what nobody gave, so that the prompt does not speak of it."""
    return {name: value for name, value in inputs.items() if value is not _NOTHING}
`

// program writes the class of a program, those it calls first, and returns its
// name. Its predictors go into the state under path.
func (e *exporter) program(p *plan.Plan, path string) string {
	prog := p.Checked
	name, written := e.programs[prog]
	if !written {
		name = e.className(pascal(prog.Name), "Module")
	}
	w := &writer{exporter: e, plan: p, name: name, written: written}
	for _, f := range prog.Signature.Inputs {
		e.pythonName(f.Name, prog.Place, "the input")
		if types.Nullable(f.Type) && !f.HasDefault {
			w.optional = append(w.optional, f.Name)
		}
	}
	for _, op := range p.Ops {
		w.op(op, path)
	}
	if written {
		return e.programs[prog]
	}
	e.programs[prog] = name
	w.outputs(prog)
	b := &e.body
	fmt.Fprintf(b, "\n\nclass %s(dspy.Module):\n", name)
	if prog.Doc != "" && !strings.ContainsAny(prog.Doc, "\"\\") {
		fmt.Fprintf(b, "    \"\"\"%s\"\"\"\n\n", strings.ReplaceAll(strings.TrimSpace(prog.Doc), "\n", "\n    "))
	}
	b.WriteString("    def __init__(self):\n        super().__init__()\n")
	b.WriteString(w.init.String())
	b.WriteString("\n    def forward(self" + w.parameters() + "):\n")
	b.WriteString(w.forward.String())
	return name
}

// writer writes one program.
type writer struct {
	*exporter
	plan     *plan.Plan
	name     string
	written  bool // its class is there already; only the state is made
	optional []string
	init     strings.Builder
	forward  strings.Builder
	each     bool // inside a for_each
}

func (w *writer) parameters() string {
	var plain, optional []string
	for _, f := range w.plan.Checked.Signature.Inputs {
		switch {
		case f.HasDefault:
			text, ok := w.literal(f.Type, f.Default, prompt.ClassNames(w.plan.Checked.Signature))
			if !ok {
				w.refuse(w.plan.Checked.Place, "the default of `"+f.Name+"`", "The default of the input `%s` is a record, which has no simple form as a default in Python.", f.Name)
			}
			optional = append(optional, f.Name+"="+text)
		case types.Nullable(f.Type):
			w.used.given = true
			optional = append(optional, f.Name+"=_NOTHING")
		default:
			plain = append(plain, f.Name)
		}
	}
	all := append(plain, optional...)
	if len(all) == 0 {
		return ""
	}
	return ", " + strings.Join(all, ", ")
}

// withoutCounterpart refuses a part of a step that DSPy has nothing like.
func (w *writer) withoutCounterpart(op *plan.Op, at source.Place, what string) {
	w.refuse(at, what+" is not exported", "DSPy has no counterpart that does the same as %s in the step `%s`.", what, op.Name)
}

func (w *writer) op(op *plan.Op, path string) {
	w.pythonName(op.Name, opPlace(op), "the step")
	if op.Kind == plan.ValueOp {
		if text, ok := w.expression(op.Let.Value); ok {
			fmt.Fprintf(&w.forward, "        %s = %s\n", op.Name, text)
		}
		return
	}
	st := op.Step
	for _, bad := range []struct {
		is   bool
		at   source.Place
		what string
	}{
		{st.Repeat != nil, st.Place, "`repeat`"},
		{!st.Flow.When.IsZero(), st.Flow.When.Place, "`when`"},
		{st.Flow.Otherwise != "", st.Place, "`otherwise`"},
		{st.Flow.NullOnError, st.Place, "`on_error = \"null\"`"},
		{st.Inner != nil || len(st.Parts) > 0, st.Place, "a wrapping module"},
	} {
		if bad.is {
			w.withoutCounterpart(op, bad.at, bad.what)
			return
		}
	}
	if len(st.Asserts) > 0 {
		what := "`assert`"
		if st.Asserts[0].Suggest {
			what = "`suggest`"
		}
		w.withoutCounterpart(op, st.Asserts[0].Place, what)
		return
	}
	each := ""
	if !st.Flow.ForEach.IsZero() {
		text, ok := w.expression(st.Flow.ForEach)
		if !ok {
			return
		}
		each = text
		if !st.Flow.Concurrency.IsZero() {
			w.note("`concurrency` of `%s`: in Python the elements run one after another", op.Name)
		}
	}
	inner := state.Path(path, op.Name)
	if op.Kind == plan.CallOp {
		class := w.exporter.program(op.Plan, inner)
		fmt.Fprintf(&w.init, "        self.%s = %s()\n", op.Name, class)
		w.call(op, each)
		return
	}
	class, predictor := "dspy.Predict", inner
	switch op.Module {
	case "predict":
	case "chain_of_thought":
		class, predictor = "dspy.ChainOfThought", inner+".predict"
	default:
		w.refuse(st.Place, "the module `"+op.Module+"` is not exported", "Steps of the modules `predict` and `chain_of_thought` and of programs have a counterpart in DSPy that is known here; `%s` has none.", op.Module)
		return
	}
	sig := *op.Signature
	sig.Instructions = w.instructions(op)
	w.predictor(predictor, op, &sig)
	var name string
	if !w.written {
		name = w.className(w.name+pascal(op.Name), "Signature")
		w.signature(name, op, &sig)
	}
	fmt.Fprintf(&w.init, "        self.%s = %s(%s%s)\n", op.Name, class, name, w.settings(op))
	w.call(op, each)
}

func opPlace(op *plan.Op) source.Place {
	if op.Let != nil {
		return op.Let.Place
	}
	return op.Step.Place
}

// instructions returns what the model is told, fixed before a run.
func (w *writer) instructions(op *plan.Op) string {
	declared := op.Step.Declared
	if op.Instructions != "" {
		return op.Instructions
	}
	if written := op.Step.Settings.Instructions; !written.IsZero() {
		v, ok := w.fixed(written)
		text, isText := v.(string)
		if !ok || !isText {
			w.refuse(written.Place, "known only while the program runs", "In DSPy instructions are fixed text. Those of `%s` depend on what it is given.", op.Name)
		}
		return text
	}
	if op.Signature.Instructions != "" {
		return op.Signature.Instructions
	}
	if declared.Instructions != "" {
		return declared.Instructions
	}
	return declared.DefaultInstructions()
}

// predictor adds the step to the state.
func (w *writer) predictor(name string, op *plan.Op, sig *program.Signature) {
	p := &state.Predictor{Name: name, Instructions: sig.Instructions, Demos: op.Demos, Nearest: op.Nearest}
	for _, f := range append(slices.Clone(sig.Inputs), sig.Outputs...) {
		description := f.Description
		if description == "" {
			description = "${" + f.Name + "}"
		}
		p.Fields = append(p.Fields, state.Field{Prefix: state.InferPrefix(f.Name), Description: description})
	}
	w.state.Add(p)
	w.types = append(w.types, sig.String())
	if op.Model != nil && op.Model.Source != "nothing else" {
		w.note("the model is not exported: in Python, dspy.configure(lm=dspy.LM(%q))", op.Model.Address)
	}
}

// settings returns the parameters of a step's calls as arguments.
func (w *writer) settings(op *plan.Op) string {
	s := op.Step.Settings
	var b strings.Builder
	for _, x := range []struct {
		name string
		v    program.Value
	}{{"temperature", s.Temperature}, {"top_p", s.TopP}, {"max_tokens", s.MaxTokens}, {"seed", s.Seed}, {"stop", s.Stop}, {"reasoning_effort", s.ReasoningEffort}} {
		if x.v.IsZero() {
			continue
		}
		v, ok := w.fixed(x.v)
		if !ok {
			w.refuse(x.v.Place, "known only while the program runs", "In DSPy the setting `%s` of a predictor is fixed when it is made.", x.name)
			continue
		}
		fmt.Fprintf(&b, ", %s=%s", x.name, pythonValue(v))
	}
	if !s.Retries.IsZero() {
		w.note("`retries` of `%s` is not exported: DSPy asks once more, in JSON", op.Name)
	}
	return b.String()
}

// call writes the call of a step's module.
func (w *writer) call(op *plan.Op, each string) {
	st := op.Step
	bound := map[string]program.Value{}
	for _, in := range st.Inputs {
		bound[in.Name] = in.Value
	}
	w.each = each != ""
	defer func() { w.each = false }()
	var args []string
	optional := false
	for _, f := range st.Declared.Inputs {
		v, ok := bound[f.Name]
		if !ok {
			continue // its default
		}
		text, ok := w.expression(v)
		if !ok {
			continue
		}
		optional = optional || slices.Contains(w.optional, text)
		args = append(args, f.Name+"="+text)
	}
	list := strings.Join(args, ", ")
	if optional {
		w.used.given = true
		list = "**_given(" + list + ")"
	}
	call := "self." + op.Name + "(" + list + ")"
	switch {
	case each == "":
	case regexp.MustCompile(`\b_index\b`).MatchString(call):
		call = "[" + call + " for _index, _each in enumerate(" + each + ")]"
	default:
		call = "[" + call + " for _each in " + each + "]"
	}
	fmt.Fprintf(&w.forward, "        %s = %s\n", op.Name, call)
}

func (w *writer) outputs(prog *program.Program) {
	var args []string
	for _, out := range prog.Outputs {
		w.pythonName(out.Name, prog.Place, "the output")
		if text, ok := w.expression(out.Value); ok {
			args = append(args, out.Name+"="+text)
		}
	}
	fmt.Fprintf(&w.forward, "        return dspy.Prediction(%s)\n", strings.Join(args, ", "))
}

// keywords are the words that Python keeps for itself, and the names that a module
// of DSPy has already.
var keywords = strings.Fields(`False None True and as assert async await break class continue def del elif else except finally for
from global if import in is lambda nonlocal not or pass raise return try while with yield self dspy json enum datetime`)

// attributes are names that a dspy.Module has, which a step would hide.
var attributes = strings.Fields(`acall aforward batch callbacks deepcopy demos dump_state forward get_lm history inspect_history load load_state
map_named_predictors named_parameters named_predictors named_sub_modules parameters predictors reset_copy save set_lm`)

func (e *exporter) pythonName(name string, at source.Place, what string) {
	switch {
	case slices.Contains(keywords, name), strings.HasPrefix(name, "_"):
		e.refuse(at, "`"+name+"` cannot be a name in Python", "%s `%s` has a name that Python, or DSPy, keeps for itself.", upper(what), name)
	case what == "the step" && slices.Contains(attributes, name):
		e.refuse(at, "`"+name+"` has a meaning in DSPy", "Every dspy.Module has a `%s` of its own, which the step would hide.", name)
	}
}

func pascal(name string) string {
	var b strings.Builder
	for _, part := range strings.FieldsFunc(name, func(r rune) bool { return r == '_' || r == '.' }) {
		r := []rune(part)
		b.WriteString(strings.ToUpper(string(r[0])) + string(r[1:]))
	}
	return b.String()
}
