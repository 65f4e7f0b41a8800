package python

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// spec is what a worker makes a program of. Equal specs are one program.
type spec struct {
	id     string // of its text
	text   json.RawMessage
	inputs []types.Field
	shown  bool // the replies of the model are the outputs of the step
}

// programSpec is a spec as a worker reads it.
type programSpec struct {
	Kind      string     `json:"kind"`
	Signature *classText `json:"signature,omitempty"`
	Inputs    []string   `json:"inputs"`
	Outputs   []string   `json:"outputs"`
	Demos     []jsonText `json:"demos,omitempty"`
	// Inner is what tuning found for the predictors inside the module, by name.
	Inner    map[string]*innerSpec `json:"inner,omitempty"`
	Settings *value.Object         `json:"settings,omitempty"`
	Tools    []toolSpec            `json:"tools,omitempty"`
	// Retrievers are the names of those that the step may search.
	Retrievers []string `json:"retrievers,omitempty"`
	// Measures are the inputs of the program that a metric measures.
	Measures []string     `json:"measures,omitempty"`
	Adapter  string       `json:"adapter,omitempty"`
	Part     *programSpec `json:"part,omitempty"`
	Reward   string       `json:"reward,omitempty"`
	Call     string       `json:"call,omitempty"`
}

// innerSpec is what tuning found for a predictor inside a module.
type innerSpec struct {
	Instructions string            `json:"instructions,omitempty"`
	Demos        []jsonText        `json:"demos"`
	Descriptions map[string]string `json:"descriptions,omitempty"`
}

// classText is a class in Python.
type classText struct {
	Source string `json:"source"`
	Name   string `json:"name"`
}

type toolSpec struct {
	Name         string            `json:"name"`
	Description  string            `json:"description"`
	Signature    *classText        `json:"signature"`
	Descriptions map[string]string `json:"descriptions,omitempty"`
}

// folder is where the code of the step's file is looked for; "" where it needs none.
func (s *Step) folder() string {
	if s.op.Module != "python" && s.op.Module != "dspy" {
		return ""
	}
	if s.op.Step.Place.File == nil {
		return ""
	}
	dir, err := filepath.Abs(filepath.Dir(s.op.Step.Place.File.Name))
	if err != nil {
		return ""
	}
	return dir
}

// describe says what the worker calls. The error is a *diag.Diagnostic.
func (s *Step) describe(call *module.Call) (*spec, error) {
	sp, err := s.programSpec(s.op, call)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(sp)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	return &spec{
		id: hex.EncodeToString(sum[:8]), text: text, inputs: inputTypes(s.op, call),
		shown: sp.Kind == "predict" || sp.Kind == "chain_of_thought",
	}, nil
}

func (s *Step) programSpec(op *plan.Op, call *module.Call) (*programSpec, error) {
	sig, own := call.Signature, writtenOutputs(op, call.Signature)
	sp := &programSpec{Kind: op.Module, Inputs: names(sig.Inputs), Settings: call.Settings}
	if call.Adapter != nil {
		sp.Adapter = call.Adapter.Name()
	}
	if sp.Adapter == "compact" {
		return nil, diag.New("E0656", op.Step.Place, "`"+op.Name+"` runs in Python").
			Say("The adapter `compact` is dspi's own, and DSPy has none that is like it.").
			Hint("give the step another: adapter = \"json\"").
			Hint("or let dspi do the work: backend = \"native\"")
	}
	for _, t := range call.Tools {
		spec, err := toolOf(op, t)
		if err != nil {
			return nil, err
		}
		sp.Tools = append(sp.Tools, spec)
	}
	sp.Retrievers = retrieverNames(op)
	sp.Outputs = names(sig.Outputs)
	switch op.Module {
	case "python":
		sp.Kind, sp.Call, sp.Settings = "call", call.Text("call", ""), nil
		if m := op.Step.Measures; m != nil {
			sp.Kind, sp.Measures = "metric", names(m.Signature.Inputs)
		}
		return sp, nil
	case "dspy":
		sp.Kind, sp.Settings = "class", &value.Object{}
		for _, name := range []string{"class", "arguments"} {
			if v, ok := call.Settings.Get(name); ok {
				sp.Settings.Set(name, v)
			}
		}
	case "react":
		if s.says(op, "style") && call.Text("style", "") == "typed" {
			return nil, diag.New("E0656", op.Step.Place, "`"+op.Name+"` runs in Python").
				Say("DSPy's ReAct has its own fields and messages; the typed actions of `style = \"typed\"` are dspi's.").
				Hint("take DSPy's: style = \"dspy\"").
				Hint("or let dspi do the work: backend = \"native\"")
		}
	case "program_of_thought", "code_act":
		if call.Text("language", "python") != "python" {
			return nil, diag.New("E0656", op.Step.Place, "`"+op.Name+"` runs in Python").
				Say("DSPy lets a model write Python; code in Starlark is dspi's.").
				Hint("let it write Python: language = \"python\"").
				Hint("or let dspi do the work: backend = \"native\"")
		}
	case "best_of_n", "refine", "multi_chain_comparison":
		part, err := s.partSpec(op.Parts[0], call.Parts[0])
		if err != nil {
			return nil, err
		}
		sp.Part = part
		if call.Source != nil {
			sp.Reward = call.Source("reward")
		}
	}
	for _, d := range call.Demos {
		o := &value.Object{}
		for name, v := range d.All() {
			o.Set(name, toPython(fieldType(sig, name), v))
		}
		sp.Demos = append(sp.Demos, value.EncodeJSON(o))
	}
	for name, t := range call.Inner {
		x := &innerSpec{Instructions: t.Instructions, Demos: []jsonText{}, Descriptions: t.Descriptions}
		demos := t.Demos
		if t.Nearest > 0 {
			demos = prompt.Nearest(sig, demos, call.Inputs, t.Nearest)
		}
		for _, d := range demos {
			x.Demos = append(x.Demos, value.EncodeJSON(d))
		}
		if sp.Inner == nil {
			sp.Inner = map[string]*innerSpec{}
		}
		sp.Inner[name] = x
	}
	c, err := signatureText(op.Step.Place, &program.Signature{Instructions: sig.Instructions, Inputs: sig.Inputs, Outputs: own})
	sp.Signature = c
	return sp, err
}

// partSpec describes what a wrapping module holds. What DSPy cannot hold, dspi runs
// itself, and DSPy asks for it.
func (s *Step) partSpec(op *plan.Op, part *module.Part) (*programSpec, error) {
	if !Runs(op.Module) || codes(op.Module) || len(op.Step.Asserts) > 0 || op.Plan != nil {
		return &programSpec{Kind: "host", Inputs: names(part.Call.Signature.Inputs), Outputs: names(part.Call.Signature.Outputs)}, nil
	}
	return s.programSpec(op, part.Call)
}

// says reports whether a setting is written on a step.
func (s *Step) says(op *plan.Op, setting string) bool {
	return slices.ContainsFunc(op.Step.Options, func(o program.Option) bool { return o.Name == setting })
}

// writtenOutputs are the outputs without those that the module adds, which DSPy adds
// itself.
func writtenOutputs(op *plan.Op, sig *program.Signature) []types.Field {
	return slices.DeleteFunc(slices.Clone(sig.Outputs), func(f types.Field) bool {
		_, written := op.Step.Declared.Output(f.Name)
		return !written
	})
}

func names(fields []types.Field) []string {
	out := make([]string, len(fields))
	for i := range fields {
		out[i] = fields[i].Name
	}
	return out
}

func fieldType(sig *program.Signature, name string) types.Type {
	if f, ok := sig.Input(name); ok {
		return f.Type
	}
	if f, ok := sig.Output(name); ok {
		return f.Type
	}
	return types.JSON
}

// toolOf describes a tool: its parameters are the inputs of a signature.
func toolOf(op *plan.Op, t tool.Tool) (toolSpec, error) {
	spec := toolSpec{Name: t.Name(), Description: t.Description(), Descriptions: map[string]string{}}
	sig := &program.Signature{}
	if declared := t.Signature(); declared != nil {
		sig.Inputs = declared.Inputs
	}
	for _, f := range sig.Inputs {
		if f.Description != "" {
			spec.Descriptions[f.Name] = f.Description
		}
	}
	var err error
	spec.Signature, err = signatureText(op.Step.Place, sig)
	return spec, err
}

// signatureText writes a signature as a class, as `dspi export python` does.
func signatureText(at source.Place, sig *program.Signature) (*classText, error) {
	e := &exporter{classes: map[string]types.Type{}, taken: map[string]bool{}}
	for _, name := range prompt.ClassNames(sig) {
		e.taken[name] = true
	}
	name := e.className("StepSignature", "Class")
	c := &classes{exporter: e, names: prompt.ClassNames(sig), at: at}
	var lines strings.Builder
	for i, side := range [][]types.Field{sig.Inputs, sig.Outputs} {
		kind := []string{"InputField", "OutputField"}[i]
		for _, f := range side {
			e.pythonName(f.Name, at, "the field")
			lines.WriteString("    " + f.Name + ": " + c.python(f.Type) + " = dspy." + kind + "(" + strings.Join(c.arguments(f, "desc"), ", ") + ")\n")
		}
	}
	c.flush(&e.body)
	e.body.WriteString("\n\nclass " + name + "(dspy.Signature):\n")
	if sig.Instructions != "" && sig.Instructions != sig.DefaultInstructions() {
		e.body.WriteString(docstring(sig.Instructions))
	} else if lines.Len() == 0 {
		e.body.WriteString("    pass\n")
	}
	e.body.WriteString(lines.String())
	if e.diags.HasErrors() {
		d := *e.diags[0]
		d.Help = nil
		return nil, d.Hint("change it, or let dspi do the work: backend = \"native\"")
	}
	var b strings.Builder
	e.imports(&b)
	return &classText{b.String() + e.body.String(), name}, nil
}
