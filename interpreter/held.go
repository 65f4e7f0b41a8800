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
// is called with; nil where only the plan is known. H is that of the step around it.
func (f *frame) predictors(op *plan.Op, call *module.Call, h *host) []module.Predictor {
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
			if inside := f.inside(op, call, sig, h); inside != nil {
				for _, p := range inside {
					out = append(out, module.Predictor{Name: module.PredictorName(path, p.Name), Signature: p.Signature})
				}
			} else if op.Model != nil {
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

// inside returns the predictors inside the module of an operation, as tuning has them;
// none where it asks one question, or is no module of dspi's own. Call may be nil: then
// they are as far as they are known before the step runs.
func (f *frame) inside(op *plan.Op, call *module.Call, sig *program.Signature, h *host) []module.Predictor {
	mod, _ := f.run.env.Module(op.Module)
	asks, ok := mod.(module.Predicting)
	if !ok {
		return nil
	}
	if call == nil {
		call = &module.Call{Signature: sig, Settings: &value.Object{}}
		for _, o := range op.Step.Options {
			if o.Refs == nil && !o.Judges && o.Value.Expr != nil {
				if x, ok := alone(o.Value); ok {
					call.Settings.Set(o.Name, x)
				}
			}
		}
		for _, t := range op.Tools {
			if x, err := f.tool(t, h, call); err == nil {
				call.Tools = append(call.Tools, x)
			}
		}
	}
	all := asks.Predictors(call)
	for i, p := range all {
		t := op.Inner[p.Name]
		if t == nil {
			continue
		}
		tuned := *t.Signature(p.Signature)
		if t.Instructions != "" {
			tuned.Instructions = t.Instructions
		}
		all[i].Signature = &tuned
	}
	return all
}

// alone is what an expression gives by itself.
func alone(v program.Value) (any, bool) {
	code, err := v.Expr.Compile()
	if err != nil {
		return nil, false
	}
	x, err := code.Eval(context.Background(), func(string) (any, bool) { return nil, false })
	return x, err == nil
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
	x, _ := alone(v)
	if text, ok := x.(string); ok {
		return text
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
