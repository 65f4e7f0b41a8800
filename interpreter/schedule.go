package interpreter

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/dspi-lang/dspi/interpreter/align"
	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/value"
)

// frame is a plan under way: the values made so far.
type frame struct {
	run    *run
	plan   *plan.Plan
	inputs *value.Object
	vars   *value.Object
	parent *frame         // around a round of a `repeat` or an element of a `for_each`
	locals map[string]any // `each`, the state and `round`
	path   string         // of the steps around it, with elements and rounds; "" for the run's own program
	caller int            // the step that called its program; 0 for the run's own

	// feedback is what was refused of the whole program's outputs before.
	feedback []module.Feedback

	mu      sync.Mutex
	values  map[string]any // of steps (an object of outputs) and named values
	skipped map[string]bool
}

// inner returns a frame within f with names of its own.
func (f *frame) inner(p *plan.Plan, locals map[string]any) *frame {
	return &frame{
		run: f.run, plan: p, inputs: f.inputs, vars: f.vars, parent: f, locals: locals,
		path: f.path, caller: f.caller, feedback: f.feedback,
		values: make(map[string]any, len(p.Ops)), skipped: map[string]bool{},
	}
}

// caller is what calls a program: a step, or nothing for the run's own.
type caller struct {
	path     string
	step     int
	feedback []module.Feedback
}

// plan runs the operations of a plan and returns its outputs.
func (r *run) plan(ctx context.Context, p *plan.Plan, inputs *value.Object, by caller) (*value.Object, error) {
	f := &frame{
		run: r, plan: p, inputs: inputs, vars: plan.Variables(p.Checked.Names, p.Values), values: make(map[string]any, len(p.Ops)), skipped: map[string]bool{},
		path: by.path, caller: by.step, feedback: by.feedback,
	}
	if err := f.schedule(ctx); err != nil {
		return nil, err
	}
	outputs := &value.Object{}
	for i, out := range p.Checked.Outputs {
		v, err := f.eval(ctx, out.Value)
		if err != nil {
			return nil, err
		}
		want := p.Checked.Signature.Outputs[i].Type
		v, faults := value.Check(want, v, value.Fitting)
		if len(faults) > 0 {
			return nil, valueFault(out.Value.Place, "the output `"+out.Name+"`", want, faults)
		}
		outputs.Set(out.Name, v)
	}
	return outputs, nil
}

// schedule starts each operation when all it waits for is done. The goroutine of
// the caller runs one operation itself whenever nothing else is ready, so that a
// chain of steps costs no goroutines.
func (f *frame) schedule(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ops := f.plan.Ops
	waiting := make(map[string]int, len(ops)) // how many it still waits for
	next := make(map[string][]*plan.Op)       // who waits for it
	var ready []*plan.Op
	for _, op := range ops {
		waiting[op.Name] = len(op.After)
		for _, n := range op.After {
			next[n] = append(next[n], op)
		}
		if len(op.After) == 0 {
			ready = append(ready, op)
		}
	}
	type done struct {
		op  *plan.Op
		err error
	}
	results := make(chan done)
	running := 0
	var failed error
	finish := func(d done) {
		if d.err != nil {
			failed = worse(failed, d.err)
			if !isPaused(d.err) { // what does not depend on a call that waits goes on
				cancel()
			}
			return
		}
		for _, op := range next[d.op.Name] {
			waiting[op.Name]--
			if waiting[op.Name] == 0 {
				ready = append(ready, op)
			}
		}
	}
	for {
		if failed != nil && !isPaused(failed) {
			ready = nil
		}
		for len(ready) > 1 || len(ready) == 1 && running > 0 {
			op := ready[len(ready)-1]
			ready = ready[:len(ready)-1]
			running++
			go func() { results <- done{op, f.do(ctx, op)} }()
		}
		switch {
		case len(ready) == 1:
			op := ready[0]
			ready = nil
			finish(done{op, f.do(ctx, op)})
		case running > 0:
			finish(<-results)
			running--
		default:
			return failed
		}
	}
}

// do runs one operation and keeps its value. A panic in it becomes an error, so
// that it ends this run only.
func (f *frame) do(ctx context.Context, op *plan.Op) (err error) {
	defer recovered(op, &err)
	if err := ctx.Err(); err != nil {
		return interrupted(op.Address, err)
	}
	var v any
	switch op.Kind {
	case plan.ValueOp:
		v, err = f.eval(ctx, op.Let.Value)
	default:
		var skip bool
		if skip, err = f.skips(ctx, op); err != nil {
			return err
		}
		switch {
		case skip:
			v = f.skip(op)
		case op.Kind == plan.RepeatOp:
			v, err = f.repeat(ctx, op)
		case !op.Step.Flow.ForEach.IsZero():
			v, err = f.forEach(ctx, op)
		default:
			v, err = f.step(ctx, op)
		}
	}
	if err != nil {
		return err
	}
	f.mu.Lock()
	f.values[op.Name] = v
	f.mu.Unlock()
	return nil
}

// step runs a step: its inputs are evaluated, its module or program called.
func (f *frame) step(ctx context.Context, op *plan.Op) (out *value.Object, err error) {
	start := time.Now()
	inputs, err := f.stepInputs(ctx, op)
	if err != nil {
		return nil, err
	}
	ctx = f.enter(ctx, op)
	h := &host{run: f.run, op: op, step: int(f.run.steps.Add(1)), parent: f.caller, element: f.elementIndex(), path: f.pathOf(op)}
	h.Emit(trace.Event{Kind: trace.StepStart, Inputs: inputs})
	defer func() {
		h.Emit(trace.Event{Kind: trace.StepEnd, Outputs: out, Duration: time.Since(start), Err: err})
	}()
	part, err := f.part(ctx, op, inputs, h)
	if err != nil {
		return nil, err
	}
	out, err = f.asserted(ctx, op, inputs, h, part.With(module.Attempted(ctx, part.Call)))
	if err != nil {
		return nil, callFault(op, err)
	}
	return out, nil
}

// pathOf is where a step of the frame stands.
func (f *frame) pathOf(op *plan.Op) string {
	path := op.Name
	if f.path != "" {
		path = f.path + "/" + path
	}
	if each, ok := f.locals["each"].(*value.Object); ok {
		i, _ := each.Get("index")
		path += fmt.Sprintf("[%d]", i)
	}
	return path
}

// elementIndex returns the index of the for_each element that is worked on, nil
// for none.
func (f *frame) elementIndex() *int {
	for x := f; x != nil; x = x.parent {
		if each, ok := x.locals["each"].(*value.Object); ok {
			i, _ := each.Get("index")
			n, _ := i.(int)
			return &n
		}
	}
	return nil
}

// given reports whether a name has a value of its own.
func (f *frame) given(name string) bool {
	for x := f; x != nil; x = x.parent {
		if _, ok := x.locals[name]; ok {
			return true
		}
	}
	_, ok := f.inputs.Get(name)
	return ok
}

func (f *frame) stepInputs(ctx context.Context, op *plan.Op) (*value.Object, error) {
	st := op.Step
	bound := make(map[string]program.Value, len(st.Inputs))
	for _, in := range st.Inputs {
		bound[in.Name] = in.Value
	}
	inputs := &value.Object{}
	for _, field := range st.Declared.Inputs {
		b, ok := bound[field.Name]
		if !ok {
			if field.HasDefault {
				inputs.Set(field.Name, field.Default)
			}
			continue
		}
		v, err := f.eval(ctx, b)
		if err != nil {
			return nil, err
		}
		v, faults := value.Check(field.Type, v, value.Fitting)
		if len(faults) > 0 {
			return nil, valueFault(b.Place, "the input `"+field.Name+"` of `"+st.Name+"`", field.Type, faults)
		}
		if v == nil && b.Expr == nil && b.Field == "" {
			if _, isInput := f.plan.Checked.Signature.Input(b.Root); isInput && !f.given(b.Root) {
				continue // an optional input that nobody gave stays out of the prompt
			}
		}
		inputs.Set(field.Name, v)
	}
	return inputs, nil
}

func replyMode(name string) align.Mode {
	if name == "" {
		return align.Repairing
	}
	return align.Mode(name)
}

func orChat(adapter string) string {
	if adapter == "" {
		return "chat"
	}
	return adapter
}

// eval evaluates a value in the frame.
func (f *frame) eval(ctx context.Context, v program.Value) (any, error) {
	if v.Expr == nil {
		root, ok := f.lookup(v.Root)
		if !ok {
			return nil, nil
		}
		if v.Field == "" {
			return root, nil
		}
		o, _ := root.(*value.Object)
		x, _ := o.Get(v.Field)
		return x, nil
	}
	code, err := v.Expr.Compile()
	if err != nil {
		return nil, expressionFault(v, err)
	}
	x, err := code.Eval(ctx, func(root string) (any, bool) {
		x, ok := f.lookup(root)
		if !ok && (root == "model" || root == "module") {
			return plan.NamesIn(v.Expr, root), true
		}
		return x, ok
	}, f.run.env.Functions...)
	if err != nil {
		return nil, expressionFault(v, err)
	}
	return x, nil
}

// lookup finds what a bare name means: from the inside out.
func (f *frame) lookup(root string) (any, bool) {
	if v, ok := f.locals[root]; ok {
		return v, true
	}
	f.mu.Lock()
	v, ok := f.values[root]
	f.mu.Unlock()
	if ok {
		return v, true
	}
	if f.parent != nil {
		return f.parent.lookup(root)
	}
	if v, ok := f.inputs.Get(root); ok {
		return v, true
	}
	switch root {
	case "inputs":
		return f.inputs, true
	case "var":
		return f.vars, true
	}
	if _, ok := f.plan.Checked.Signature.Input(root); ok {
		return nil, true // an optional input that nobody gave
	}
	return nil, false
}
