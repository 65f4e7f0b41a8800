package interpreter

import (
	"context"
	"fmt"
	"slices"

	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/program/state"
	"github.com/dspi-lang/dspi/lang/value"
)

// What modules that hold others learn of these: DSPy's names for what asks in them,
// and the text that the program has for them.

// enter returns the context of a step of a program that a module attempts.
func (f *frame) enter(ctx context.Context, op *plan.Op) context.Context {
	if !module.InAttempt(ctx) {
		return ctx
	}
	order := []int{slices.Index(f.plan.Ops, op)}
	if i := f.elementIndex(); i != nil {
		order = append(order, *i)
	}
	return module.Enter(ctx, op.Name, order...)
}

// withDefaults returns the inputs of a held module: those of the step around it,
// and its own defaults for what that does not have.
func withDefaults(op *plan.Op, inputs *value.Object) *value.Object {
	out := inputs
	for _, field := range op.Step.Declared.Inputs {
		if _, ok := out.Get(field.Name); ok || !field.HasDefault {
			continue
		}
		if out == inputs {
			out = inputs.Clone()
		}
		out.Set(field.Name, field.Default)
	}
	return out
}

// placeOf is what DSPy calls the module that op holds at i.
func placeOf(op *plan.Op, i int) string {
	if op.Step.Inner != nil {
		return "module"
	}
	return fmt.Sprintf("programs[%d]", i)
}

// predictors returns what asks the model in a held module. Call is what the module
// is called with; nil where only the plan is known.
func predictors(op *plan.Op, call *module.Call) []module.Predictor {
	var out []module.Predictor
	var visit func(op *plan.Op, path []string, call *module.Call)
	inside := func(ops []*plan.Op, path []string) {
		for _, op := range ops {
			switch op.Kind {
			case plan.RepeatOp:
				visit(op, path, nil)
			case plan.ValueOp:
			default:
				visit(op, append(path[:len(path):len(path)], op.Name), nil)
			}
		}
	}
	visit = func(op *plan.Op, path []string, call *module.Call) {
		if op.Plan != nil {
			inside(op.Plan.Ops, path)
			return
		}
		if len(op.Parts) == 0 || op.Module == "multi_chain_comparison" {
			sig := op.Signature
			if call != nil && call.Signature != nil {
				sig = call.Signature
			} else if sig.Instructions == "" {
				told := *sig
				told.Instructions = instructionsOf(op)
				sig = &told
			}
			if op.Model != nil {
				out = append(out, module.Predictor{Name: module.PredictorName(path, state.PredictorIn(op.Module)), Signature: sig})
			}
		}
		for i, p := range op.Parts {
			visit(p, append(path[:len(path):len(path)], placeOf(op, i)), nil)
		}
	}
	visit(op, nil, call)
	return out
}

// instructionsOf is what a step tells the model, as far as it is known before a
// run.
func instructionsOf(op *plan.Op) string {
	switch d := op.Step.Declared; {
	case op.Instructions != "":
		return op.Instructions
	case op.Step.Settings.Instructions.Expr != nil:
		return written(op.Step.Settings.Instructions)
	case d.Instructions != "":
		return d.Instructions
	default:
		return d.DefaultInstructions()
	}
}

// written is the text that an expression gives by itself, else the expression.
func written(v program.Value) string {
	if code, err := v.Expr.Compile(); err == nil {
		x, err := code.Eval(context.Background(), func(string) (any, bool) { return nil, false })
		if text, ok := x.(string); ok && err == nil {
			return text
		}
	}
	return v.Text()
}

// sourceOf returns what gives the text of an operation's settings, and of its step
// with the program that it holds.
func sourceOf(op *plan.Op) func(string) string {
	return func(setting string) string {
		if setting == "" {
			text := op.Step.Block.Text()
			for _, p := range programsIn(op) {
				text = p.Block.Text() + "\n\n" + text
			}
			return text
		}
		for _, o := range op.Step.Options {
			if o.Name == setting {
				return o.Value.Text()
			}
		}
		return ""
	}
}

// programsIn returns the programs that a module holds, each once.
func programsIn(op *plan.Op) []*program.Program {
	var out []*program.Program
	for _, p := range op.Parts {
		if p.Plan != nil && !slices.Contains(out, p.Plan.Checked) {
			out = append(out, p.Plan.Checked)
		}
		out = append(out, programsIn(p)...)
	}
	return out
}
