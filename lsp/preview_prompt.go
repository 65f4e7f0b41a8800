package lsp

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/lsp/protocol"
)

// Prompt is the answer of dspi/renderPrompt. Where there is nothing that is sent,
// Messages has none and Note says why.
type Prompt struct {
	Program  string       `json:"program"`
	Step     string       `json:"step"`
	Adapter  string       `json:"adapter"` // "" without messages
	Messages []lm.Message `json:"messages"`
	Tools    []string     `json:"tools,omitempty"` // that the model is given beside them
	// Note says in plain sentences what is to be known beside the messages, or in
	// place of them.
	Note string `json:"note,omitempty"`
}

// Question is as in Options.
type Question = func(ctx context.Context, p *plan.Plan, op *plan.Op, inputs *value.Object) (*lm.Request, error)

// RenderPrompt returns the messages of the step at a position, with examples for
// its inputs; outside of all steps, of the first one that asks a model. Nothing is
// sent. For a step whose module asks in its own way it is the first question, if ask
// is not nil. Of a program that is called, and of the rounds of a `repeat`, it is that
// of the first step in it that asks.
func RenderPrompt(ctx context.Context, v *View, p *PreviewParams, ask Question) (*Prompt, error) {
	prog, err := v.chosen(p)
	if err != nil {
		return nil, err
	}
	if len(prog.Steps) == 0 {
		return nil, protocol.Failed("The program `%s` has no steps: it asks no model.", prog.Name)
	}
	var step *program.Step
	if p.Position != nil {
		step = stepAround(prog.Steps, v.Offset(*p.Position))
	}
	if v.check().Diags.HasErrors() {
		if step = cmp.Or(step, prog.Steps[0]); !asksPlainly(step.Module) {
			return nil, protocol.Failed("The file has mistakes: what the step `%s` asks is known when they are gone.", step.Name)
		}
		return written(prog.Name, step, step.Signature, step.Settings.Adapter)
	}
	made := v.sketch(prog)
	r := &rendering{ctx: ctx, view: v, ask: ask}
	if op := findOp(made.Ops, step); step != nil && op != nil {
		return r.of(made, op)
	}
	return r.first(made, made.Ops)
}

// asksPlainly reports whether what a module asks is what the adapter makes of the signature.
func asksPlainly(module string) bool { return module == "predict" || module == "chain_of_thought" }

// written is the prompt of a step whose module is plain. Sig is what it is called with.
func written(name string, step *program.Step, sig *program.Signature, adapter string) (*Prompt, error) {
	adapter = cmp.Or(adapter, prompt.Chat().Name())
	a, ok := prompt.Lookup(adapter)
	if !ok || sig == nil {
		return nil, protocol.Failed("The step `%s` has mistakes.", step.Name)
	}
	asked := *sig
	asked.Instructions = instructions(step)
	inputs := value.NewObject()
	for _, f := range asked.Inputs {
		inputs.Set(f.Name, value.Example(f.Type))
	}
	return &Prompt{Program: name, Step: step.Name, Adapter: adapter, Messages: a.Messages(&asked, nil, inputs)}, nil
}

// instructions returns the words of a step's instructions. Those that are made
// while the step runs are shown as they are written.
func instructions(s *program.Step) string {
	v := s.Settings.Instructions
	if v.Expr == nil {
		if s.Signature.Instructions != "" {
			return s.Signature.Instructions
		}
		return s.Declared.DefaultInstructions()
	}
	text, _, diags := expr.Literal(v.Place.File, &syntax.Expr{Text: v.Expr.Text(), Span: v.Expr.Range()})
	if t, ok := text.(string); ok && !diags.HasErrors() {
		return t
	}
	return strings.Trim(v.Text(), `"`)
}

// rendering is one dspi/renderPrompt of a program that can be planned.
type rendering struct {
	ctx  context.Context
	view *View
	ask  Question
}

// first returns the prompt of the first operation that asks a model; where none does,
// what is said of the first. It is nil without steps.
func (r *rendering) first(p *plan.Plan, ops []*plan.Op) (*Prompt, error) {
	var none *Prompt
	for _, op := range ops {
		if op.Kind == plan.ValueOp {
			continue
		}
		got, err := r.of(p, op)
		if err != nil || len(got.Messages) > 0 {
			return got, err
		}
		none = cmp.Or(none, got)
	}
	return none, nil
}

// of returns the prompt of one operation of a plan.
func (r *rendering) of(p *plan.Plan, op *plan.Op) (*Prompt, error) {
	switch {
	case op.Kind == plan.RepeatOp:
		return r.inside(p, op, op.Plan, fmt.Sprintf("The step `%s` repeats other steps.", op.Name))
	case op.Plan != nil:
		return r.inside(p, op, op.Plan, fmt.Sprintf("The step `%s` runs the program `%s`.", op.Name, op.Plan.Program))
	case op.Module == "retrieve":
		return silent(p, op, searches(op)), nil
	case op.Module == "python":
		return silent(p, op, fmt.Sprintf("The step `%s` asks no model: it is code in Python%s. What that code asks itself is known when it runs.", op.Name, called(op, "call"))), nil
	}
	native, note := op, ""
	if op.Module == "dspy" || op.Backend == "python" && r.inPython(op.Module) {
		var refusal string
		if native, refusal = r.native(op); refusal != "" {
			return silent(p, op, refusal), nil
		}
		note = fmt.Sprintf("DSPy does the work of the step `%s`: these are its messages, and Python sends them.", op.Name)
	}
	if op.Module == "knn" {
		note = nearestDemos(op)
	}
	var got *Prompt
	var err error
	switch {
	case asksPlainly(native.Module):
		got, err = written(p.Program, op.Step, native.Signature, op.Adapter)
	case !self(native):
		got, err = r.inside(p, op, &plan.Plan{Program: p.Program, Checked: p.Checked, Values: p.Values, Ops: native.Parts}, fmt.Sprintf("The step `%s` holds other modules.", op.Name))
	default:
		got, err = r.question(p, native)
	}
	if err != nil {
		return nil, err
	}
	got.Note = sentences(note, got.Note)
	return got, nil
}

// inside returns the prompt of the first of the operations that op stands for. What
// says so of op.
func (r *rendering) inside(p *plan.Plan, op *plan.Op, in *plan.Plan, what string) (*Prompt, error) {
	got, err := r.first(in, in.Ops)
	switch {
	case err != nil:
		return nil, err
	case got == nil:
		return silent(p, op, sentences(what, "There is no step in it, and no model is asked.")), nil
	case len(got.Messages) > 0 && !strings.Contains(got.Note, "first question in it"):
		what += fmt.Sprintf(" This is the first question in it, that of `%s.%s`.", got.Program, got.Step)
	}
	got.Note = sentences(what, got.Note)
	return got, nil
}

// question returns the first question of a module that asks in its own way.
func (r *rendering) question(p *plan.Plan, op *plan.Op) (*Prompt, error) {
	if r.ask == nil {
		return silent(p, op, fmt.Sprintf("What the step `%s` asks is made while it runs; `dspi render` shows its first question.", op.Name)), nil
	}
	inputs := value.NewObject()
	for _, f := range op.Step.Declared.Inputs {
		inputs.Set(f.Name, value.Example(f.Type))
	}
	request, err := r.ask(r.ctx, p, op, inputs)
	if err != nil {
		return nil, protocol.Failed("What the step `%s` asks is not known yet: %v", op.Name, err)
	}
	if request == nil {
		return silent(p, op, fmt.Sprintf("The step `%s` asks no model.", op.Name)), nil
	}
	out := &Prompt{Program: p.Program, Step: op.Name, Adapter: cmp.Or(op.Adapter, prompt.Chat().Name()), Messages: request.Messages}
	for _, t := range request.Tools {
		out.Tools = append(out.Tools, t.Name)
	}
	return out, nil
}

// inPython reports whether DSPy can do the work of a module.
func (r *rendering) inPython(module string) bool {
	m, ok := r.view.u().Module(module)
	return ok && m.Python
}

// self reports whether the modules that an operation holds can be asked with it: none
// of them searches, works in Python or is a program, which nobody starts for a preview.
func self(op *plan.Op) bool {
	return !slices.ContainsFunc(op.Parts, func(part *plan.Op) bool {
		return part.Plan != nil || part.Module == "retrieve" || part.Module == "python" || part.Module == "dspy" || !self(part)
	})
}

// classes are the classes of DSPy's whose questions a module of ours asks, to the byte.
var classes = map[string]string{
	"dspy.Predict": "predict", "dspy.ChainOfThought": "chain_of_thought", "dspy.ReAct": "react",
	"dspy.ProgramOfThought": "program_of_thought", "dspy.CodeAct": "code_act",
}

// native returns an operation that DSPy works on as the one that asks the same
// without it; or why there is none, in a sentence.
func (r *rendering) native(op *plan.Op) (*plan.Op, string) {
	out, step := *op, *op.Step
	out.Step, out.Backend = &step, ""
	if op.Module == "dspy" {
		class := text(op.Step, "class")
		name, ok := classes[class]
		m, known := r.view.u().Module(name)
		if !ok || !known {
			return nil, fmt.Sprintf("The step `%s` is the class `%s` in Python: what it asks is known when it runs.", op.Name, class)
		}
		sig := *op.Signature
		for i, f := range m.Adds {
			if _, has := sig.Output(f.Name); !has {
				sig.Outputs = slices.Insert(slices.Clone(sig.Outputs), i, f)
			}
		}
		out.Module, out.Signature = name, &sig
		step.Options = slices.DeleteFunc(slices.Clone(step.Options), func(o program.Option) bool { return o.Refs == nil })
	}
	if op.Adapter == "compact" {
		return nil, fmt.Sprintf("The step `%s` cannot run in Python: the adapter `compact` is dspi's own.", op.Name)
	}
	switch out.Module {
	case "react":
		if text(&step, "style") == "typed" {
			return nil, fmt.Sprintf("The step `%s` cannot run in Python: typed actions are dspi's own.", op.Name)
		}
		step.Options = with(step.Options, "style", "dspy")
	case "program_of_thought", "code_act":
		if text(&step, "language") == "starlark" {
			return nil, fmt.Sprintf("The step `%s` cannot run in Python: code in Starlark is dspi's own.", op.Name)
		}
		step.Options = with(step.Options, "language", "python")
	}
	out.Parts = nil
	for _, part := range op.Parts {
		if part.Backend == "python" && r.inPython(part.Module) {
			same, refusal := r.native(part)
			if refusal != "" {
				return nil, refusal
			}
			part = same
		}
		out.Parts = append(out.Parts, part)
	}
	return &out, ""
}

// text returns a setting of a step's module that is a fixed text; "" for any other.
func text(s *program.Step, setting string) string {
	for _, o := range s.Options {
		if l, ok := o.Value.Type.(*types.Literal); ok && o.Name == setting {
			t, _ := l.Value.(string)
			return t
		}
	}
	return ""
}

// with returns settings with one of them a fixed text.
func with(options []program.Option, name, text string) []program.Option {
	src := source.NewFile("", strconv.Quote(text))
	at := src.Place(source.Span{End: int32(len(src.Text))})
	x, _ := expr.Parse(src, &syntax.Expr{Text: src.Text, Span: at.Span})
	info, _ := x.Check(nil)
	out := slices.DeleteFunc(slices.Clone(options), func(o program.Option) bool { return o.Name == name })
	return append(out, program.Option{Name: name, Value: program.Value{Expr: x, Type: info.Type, Place: at}})
}

// silent is the answer for a step that sends nothing which could be shown.
func silent(p *plan.Plan, op *plan.Op, why string) *Prompt {
	return &Prompt{Program: p.Program, Step: op.Name, Messages: []lm.Message{}, Note: why}
}

// searches says what a `retrieve` step searches, and with what.
func searches(op *plan.Op) string {
	var b strings.Builder
	fmt.Fprintf(&b, "The step `%s` asks no model itself: it searches `%s`", op.Name, op.Retriever.Address)
	if d := op.Retriever.Declared; d != nil {
		switch {
		case d.Python != nil:
			fmt.Fprintf(&b, " (`%s` in Python)", d.Python.Call)
		case op.Retriever.File+op.Retriever.Folder != "":
			fmt.Fprintf(&b, " (%s)", op.Retriever.File+op.Retriever.Folder)
		}
	}
	for _, in := range op.Inputs {
		fmt.Fprintf(&b, " with `%s`", in.From)
	}
	k := "the passages that fit best"
	if op.Retriever.K > 0 {
		k = fmt.Sprintf("the %d passages that fit best", op.Retriever.K)
	}
	where := ""
	for _, o := range op.Step.Options {
		switch o.Name {
		case "k":
			k = "the " + amount(o.Value) + " passages that fit best"
		case "where":
			where = fmt.Sprintf(" of those with `%s`", o.Value.Text())
		}
	}
	fmt.Fprintf(&b, " for %s%s.", k, where)
	if m := op.Retriever.Embedder; m != nil {
		fmt.Fprintf(&b, " `%s` makes the vectors.", m.Address)
	}
	if again := op.Retriever.Rerank; again != nil {
		fmt.Fprintf(&b, " The program `%s` orders what was found anew.", again.Program)
	}
	return b.String()
}

// nearestDemos says which demos a `knn` step shows.
func nearestDemos(op *plan.Op) string {
	k := "3"
	for _, o := range op.Step.Options {
		if o.Name == "k" {
			k = amount(o.Value)
		}
	}
	return fmt.Sprintf("The demos of the step `%s` are chosen when it runs: before the question stand the %s of its saved state that are nearest to the inputs.", op.Name, k)
}

// amount is a number as it is written, or the expression that makes it.
func amount(v program.Value) string {
	if _, fixed := v.Type.(*types.Literal); fixed {
		return v.Text()
	}
	return "`" + v.Text() + "`"
}

// called names what a setting calls, in brackets.
func called(op *plan.Op, setting string) string {
	if name := text(op.Step, setting); name != "" {
		return fmt.Sprintf(" (`%s`)", name)
	}
	return ""
}

// sentences puts sentences behind each other.
func sentences(list ...string) string {
	return strings.Join(slices.DeleteFunc(list, func(s string) bool { return s == "" }), " ")
}
