package lsp

import (
	"encoding/json"

	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/lsp/protocol"
)

// PreviewParams asks for a preview of what stands at a position, or of a program
// by name.
type PreviewParams struct {
	TextDocument protocol.DocumentIdentifier `json:"textDocument"`
	Position     *protocol.Position          `json:"position,omitempty"`
	Program      string                      `json:"program,omitempty"`
	Name         string                      `json:"name,omitempty"` // of a type, enum, signature, program or program.step
	Dialect      string                      `json:"dialect,omitempty"`
}

// PlanPreview is the answer of dspi/plan: the plan, and the same as a graph in
// Mermaid. Inputs and Variables are what a run wants to be given.
type PlanPreview struct {
	Program   string     `json:"program"`
	Plan      *plan.Plan `json:"plan"`
	Inputs    []Wanted   `json:"inputs"`    // in the order of the signature
	Variables []Wanted   `json:"variables"` // those that the plan reads, in alphabetical order
	Mermaid   string     `json:"mermaid"`
}

// Wanted is an input of a program, or a variable that it reads.
type Wanted struct {
	Name        string `json:"name"`
	Type        string `json:"type"`
	Description string `json:"description,omitempty"`
	// Required says that a run fails without it. What is not required may still have
	// no Default: an input that may be null, a variable of the environment.
	Required bool `json:"required"`
	// Default is JSON; nil: none. It is not shown of a secret.
	Default json.RawMessage `json:"default,omitempty"`
	Secret  bool            `json:"secret,omitempty"`
	Env     string          `json:"env,omitempty"` // the environment variable that a variable takes its value from
}

// chosen returns the program that a preview is of: the one that is named, that
// the position stands in, or that would be run.
func (v *View) chosen(p *PreviewParams) (*program.Program, error) {
	project := v.check().Project
	if project == nil {
		return nil, protocol.Failed("There is no program here.")
	}
	if p.Program != "" {
		if x, ok := project.Program(p.Program); ok {
			return x, nil
		}
		return nil, protocol.Failed("There is no program `%s` in this file.", p.Program)
	}
	if p.Position != nil {
		if x := v.programAround(v.Offset(*p.Position)); x != nil {
			return x, nil
		}
	}
	if x, _ := project.Main(); x != nil {
		return x, nil
	}
	return nil, protocol.Failed("There is no program here.")
}

// programAround returns the program of this file that an offset stands in; nil outside
// of all.
func (v *View) programAround(offset int32) *program.Program {
	for _, x := range v.check().Project.Programs {
		if x.Place.File == v.src() && x.Block.Contains(offset) {
			return x
		}
	}
	return nil
}

// stepAround returns the innermost step that an offset stands in: one of the rounds of
// a `repeat`, too, but not what a module holds.
func stepAround(steps []*program.Step, offset int32) *program.Step {
	for _, s := range steps {
		if !s.Block.IsZero() && s.Block.Contains(offset) {
			if s.Repeat != nil {
				if in := stepAround(s.Repeat.Steps, offset); in != nil {
					return in
				}
			}
			return s
		}
	}
	return nil
}

// sketch plans a program as far as that is known without values and keys.
func (v *View) sketch(prog *program.Program) *plan.Plan {
	made, _ := plan.Sketch(v.check().Project, prog, plan.Options{Universe: v.u()})
	return made
}

// findOp returns the operation of a step, also in the rounds of a repeat.
func findOp(ops []*plan.Op, step *program.Step) *plan.Op {
	for _, op := range ops {
		if op.Step == step {
			return op
		}
		if op.Kind == plan.RepeatOp {
			if x := findOp(op.Plan.Ops, step); x != nil {
				return x
			}
		}
	}
	return nil
}

// Plan returns what a run of a program would do, as far as that is known without
// values and keys, and what it wants to be given.
func Plan(v *View, p *PreviewParams) (*PlanPreview, error) {
	prog, err := v.chosen(p)
	if err != nil {
		return nil, err
	}
	if v.check().Diags.HasErrors() {
		return nil, protocol.Failed("The file has mistakes; there is no plan yet.")
	}
	made := v.sketch(prog)
	out := &PlanPreview{Program: prog.Name, Plan: made, Inputs: []Wanted{}, Variables: []Wanted{}, Mermaid: plan.Mermaid(made)}
	for _, f := range prog.Signature.Inputs {
		w := Wanted{Name: f.Name, Type: f.Type.String(), Description: f.Description, Required: !f.HasDefault && !types.Nullable(f.Type)}
		if f.HasDefault {
			w.Default = value.EncodeJSON(f.Default)
		}
		out.Inputs = append(out.Inputs, w)
	}
	for _, name := range made.Variables {
		x, ok := v.check().Project.Variable(name)
		if !ok || !x.Computed.IsZero() {
			continue
		}
		w := Wanted{Name: x.Name, Type: x.Type.String(), Description: x.Description, Required: !x.HasDefault && x.Env == "", Secret: x.Sensitive, Env: x.Env}
		if x.HasDefault && !x.Sensitive {
			w.Default = value.EncodeJSON(x.Default)
		}
		out.Variables = append(out.Variables, w)
	}
	return out, nil
}

// raw writes an answer of ours as JSON.
func raw[T any](v *T, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return protocol.Any(data), nil
}
