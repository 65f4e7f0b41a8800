package interpreter

import (
	"context"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/program/state"
	"github.com/dspi-lang/dspi/lang/value"
)

// part makes the module of an operation ready to be called: with its settings
// evaluated, its model opened, its tools, and the modules that it holds.
func (f *frame) part(ctx context.Context, op *plan.Op, inputs *value.Object, h *host) (*module.Part, error) {
	if op.Plan != nil {
		call := &module.Call{Address: op.Address, Signature: op.Signature, Inputs: inputs, Feedback: f.feedback, Host: h}
		return module.NewProgramPart(op.Name, call, func(ctx context.Context, c *module.Call) (*value.Object, error) {
			if c.Rollout != 0 {
				ctx = module.WithAttempt(ctx, "", module.Attempt{Rollout: c.Rollout})
			}
			return f.run.plan(ctx, op.Plan, c.Inputs, caller{h.path, h.step, c.Feedback})
		}), nil
	}
	mod, ok := f.module(op)
	if !ok {
		return nil, missingModule(op)
	}
	call, err := f.call(ctx, op, inputs, h)
	if err != nil {
		return nil, err
	}
	for _, t := range op.Tools {
		x, err := f.tool(t, h, call)
		if err != nil {
			return nil, toolFault(op, t, err)
		}
		call.Tools = append(call.Tools, x)
		h.offer(x, t)
	}
	if op.Retriever != nil {
		if call.Retriever, err = f.run.retriever(retrieve.WithCounter(ctx, h), op.Retriever); err != nil {
			return nil, retrieverFault(op, err)
		}
		if op.Retriever.Rerank != nil {
			call.Retriever = inRun{call.Retriever, h}
		}
		call.Where = f.where(op)
	}
	for i, p := range op.Parts {
		own := withDefaults(p, inputs)
		held, err := f.part(ctx, p, own, h)
		if err != nil {
			return nil, err
		}
		held = f.guarded(p, own, h, held)
		held.Place, held.Predictors = placeOf(op, i), f.predictors(p, held.Call, h)
		call.Parts = append(call.Parts, held)
	}
	call.Judge = f.judgeOf(op, inputs)
	return module.NewPart(op.Name, call, mod), nil
}

// module returns what does the work of an operation: Python, where it is wanted and
// there is one, or the module of its name.
func (f *frame) module(op *plan.Op) (module.Module, bool) {
	if f.run.env.Python != nil {
		if m := f.run.env.Python(op); m != nil {
			return m, true
		}
	}
	return f.run.env.Module(op.Module)
}

// call puts together what the module of an operation gets, but for its parts.
func (f *frame) call(ctx context.Context, op *plan.Op, inputs *value.Object, h *host) (*module.Call, error) {
	st, s := op.Step, op.Step.Settings
	var first error
	eval := func(v program.Value) any {
		if v.Expr == nil || first != nil {
			return nil
		}
		x, err := f.eval(ctx, v)
		if err != nil {
			first = err
		}
		return x
	}
	call := &module.Call{
		Address: op.Address, Signature: op.Signature, Inputs: inputs, Demos: op.Demos, Mode: replyMode(s.Replies),
		Retries: plan.DefaultRetries, Stream: f.run.env.Stream, Feedback: f.feedback, Host: h,
		Predictor: state.PredictorIn(op.Module), Inner: op.Inner, Source: sourceOf(op),
	}
	call.Settings = f.settings(ctx, op, eval)
	if first != nil {
		return nil, first
	}
	if op.Model == nil { // the module's own code does the work
		return call, nil
	}
	var err error
	if call.LM, err = f.run.env.LM(op.Model); err != nil {
		return nil, modelFault(op, err)
	}
	sig := *op.Signature
	if sig.Instructions == "" {
		sig.Instructions = st.Declared.Instructions
	}
	if op.Instructions != "" {
		sig.Instructions = op.Instructions
	} else if text, ok := eval(s.Instructions).(string); ok {
		sig.Instructions = text
	}
	if sig.Instructions == "" {
		sig.Instructions = st.Declared.DefaultInstructions()
	}
	call.Signature = &sig
	call.Own = plan.Params(eval, s.Temperature, s.TopP, s.MaxTokens, s.Seed, s.Stop, s.ReasoningEffort)
	if op.Temperature != nil {
		call.Own.Temperature = op.Temperature
	}
	call.Params = call.Own.Or(op.Model.Params)
	if n, ok := eval(s.Retries).(int); ok {
		call.Retries = n
	}
	call.Rollout, _ = eval(s.Rollout).(int)
	if first != nil {
		return nil, first
	}
	if call.Inputs, err = f.loadMedia(op, sig.Inputs, inputs); err != nil {
		return nil, err
	}
	adapter, ok := prompt.Lookup(orChat(op.Adapter))
	if !ok {
		return nil, missingModule(op)
	}
	call.Adapter = adapter
	if op.Nearest > 0 {
		call.Demos = prompt.Nearest(call.Signature, op.Demos, call.Inputs, op.Nearest)
	}
	return call, nil
}

// settings evaluates the module's own settings; what judges outputs is evaluated
// later.
func (f *frame) settings(ctx context.Context, op *plan.Op, eval func(program.Value) any) *value.Object {
	o := &value.Object{}
	for _, x := range op.Step.Options {
		if x.Refs != nil || x.Judges || x.Passages {
			continue
		}
		if v := eval(x.Value); v != nil {
			o.Set(x.Name, v)
		}
	}
	return o
}

// judgeOf returns what evaluates the settings of an operation that judge outputs.
func (f *frame) judgeOf(op *plan.Op, inputs *value.Object) func(context.Context, string, *value.Object) (any, error) {
	return func(ctx context.Context, setting string, outputs *value.Object) (any, error) {
		for _, x := range op.Step.Options {
			if x.Name == setting {
				return f.judge(ctx, x.Value, inputs, outputs)
			}
		}
		return nil, nil
	}
}

// judge evaluates an expression over the inputs and outputs of a step.
func (f *frame) judge(ctx context.Context, v program.Value, inputs, outputs *value.Object) (any, error) {
	if v.Expr == nil {
		return nil, nil
	}
	code, err := v.Expr.Compile()
	if err != nil {
		return nil, expressionFault(v, err)
	}
	x, err := code.Eval(ctx, func(root string) (any, bool) {
		if v, ok := outputs.Get(root); ok {
			return v, true
		}
		if v, ok := inputs.Get(root); ok {
			return v, true
		}
		if root == "var" {
			return f.vars, true
		}
		return nil, true // an optional input that nobody gave
	})
	if err != nil {
		return nil, expressionFault(v, err)
	}
	return x, nil
}

// host is what a module sees of the machine, for one run of a step.
type host struct {
	run     *run
	op      *plan.Op
	step    int    // its number in the run
	parent  int    // the step around it
	element *int   // of a for_each
	path    string // where it stands in the run

	offered map[string][]*plan.Tool // the declared tools that it may call, by what modules call them
}

func (h *host) Emit(e trace.Event) {
	e.Address, e.Step, e.Parent, e.Element, e.Path = h.op.Address, h.step, h.parent, h.element, h.path
	h.run.emit(e)
}

func (h *host) NewCall() int { return int(h.run.calls.Add(1)) }

func (h *host) Generate(ctx context.Context, m lm.LM, req *lm.Request) (*lm.Response, error) {
	return h.generate(ctx, m, req)
}

func (h *host) CallTool(ctx context.Context, t tool.Tool, args *value.Object) (*value.Object, error) {
	return h.callTool(ctx, t, args)
}

func (h *host) Count(reply *lm.Response) { h.run.count(reply) }

func (h *host) Lost(spent []lm.Spent) { h.run.lost(spent) }
