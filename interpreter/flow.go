package interpreter

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// DefaultConcurrency is how many elements of a `for_each` run at once when
// nothing is said.
const DefaultConcurrency = 8

// skips reports whether a step is skipped: its `when` does not hold, or the step
// that it stands in for was not skipped.
func (f *frame) skips(ctx context.Context, op *plan.Op) (bool, error) {
	flow := op.Step.Flow
	if flow.Otherwise != "" {
		f.mu.Lock()
		other := f.skipped[flow.Otherwise]
		f.mu.Unlock()
		if !other {
			return true, nil
		}
	}
	if flow.When.IsZero() {
		return false, nil
	}
	v, err := f.eval(ctx, flow.When)
	if err != nil {
		return false, err
	}
	holds, _ := v.(bool)
	return !holds, nil
}

// skip notes that a step was skipped; its outputs are null.
func (f *frame) skip(op *plan.Op) *value.Object {
	f.run.emit(trace.Event{Kind: trace.StepSkip, Address: op.Address})
	f.mu.Lock()
	f.skipped[op.Name] = true
	f.mu.Unlock()
	out := &value.Object{}
	for _, o := range op.Outputs {
		out.Set(o.Name, nil)
	}
	return out
}

// forEach runs a step once for each element of a list. Its outputs are lists in
// the order of the elements.
func (f *frame) forEach(ctx context.Context, op *plan.Op) (*value.Object, error) {
	flow := op.Step.Flow
	v, err := f.eval(ctx, flow.ForEach)
	if err != nil {
		return nil, err
	}
	elems, ok := v.([]any)
	if !ok {
		return nil, valueFault(flow.ForEach.Place, "`for_each`", &types.List{Elem: types.JSON},
			[]value.Fault{{Type: "list_type", Msg: "expected a list, got " + string(value.EncodeJSON(v)), Input: v}})
	}
	limit := DefaultConcurrency
	if !flow.Concurrency.IsZero() {
		n, err := f.eval(ctx, flow.Concurrency)
		if err != nil {
			return nil, err
		}
		if n, ok := n.(int); ok && n > 0 {
			limit = n
		}
	}
	results := make([]*value.Object, len(elems))
	if err := f.elements(ctx, op, elems, limit, results); err != nil {
		return nil, err
	}
	out := &value.Object{}
	for _, o := range op.Outputs {
		list := make([]any, len(elems))
		for i, r := range results {
			list[i], _ = r.Get(o.Name) // null where the element failed
		}
		out.Set(o.Name, list)
	}
	return out, nil
}

// elements runs a step for each of elems, limit at once, into results. A worker
// takes one element after another, so that a long list costs no more than its
// workers.
func (f *frame) elements(ctx context.Context, op *plan.Op, elems []any, limit int, results []*value.Object) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex
		next   int
		failed error
	)
	take := func() (int, bool) {
		mu.Lock()
		defer mu.Unlock()
		if failed != nil && !isPaused(failed) || next >= len(elems) {
			return 0, false
		}
		next++
		return next - 1, true
	}
	work := func() {
		for i, ok := take(); ok; i, ok = take() {
			each := value.NewObject("value", elems[i], "index", i)
			r, err := f.element(ctx, op, each)
			if err != nil && op.Step.Flow.NullOnError && !isInterrupted(err) && !isPaused(err) {
				continue
			}
			if err != nil {
				mu.Lock()
				failed = worse(failed, err)
				mu.Unlock()
				if isPaused(err) {
					continue // the other elements do not depend on it
				}
				cancel()
				return
			}
			results[i] = r
		}
	}
	for range min(limit, len(elems)) {
		wg.Go(work)
	}
	wg.Wait()
	return failed
}

// element runs a step for one element.
func (f *frame) element(ctx context.Context, op *plan.Op, each *value.Object) (out *value.Object, err error) {
	defer recovered(op, &err)
	return f.inner(f.plan, map[string]any{"each": each}).step(ctx, op)
}

// repeat runs the rounds of a `repeat`: all steps, then `next`, then `until`.
func (f *frame) repeat(ctx context.Context, op *plan.Op) (*value.Object, error) {
	r := op.Step.Repeat
	v, err := f.eval(ctx, r.MaxRounds)
	if err != nil {
		return nil, err
	}
	most, _ := v.(int)
	state := map[string]any{}
	for i, b := range r.Init {
		v := r.State[i].Default
		if !b.Value.IsZero() {
			if v, err = f.stateValue(ctx, b, r.State[i].Type); err != nil {
				return nil, err
			}
		}
		state[b.Name] = v
	}
	round, done := 0, false
	for round < most && !done {
		round++
		locals := map[string]any{"round": round}
		for n, v := range state {
			locals[n] = v
		}
		ctx := module.Enter(ctx, "", slices.Index(f.plan.Ops, op), round)
		in := f.inner(op.Plan, locals)
		in.path = fmt.Sprintf("%s#%d", f.pathOf(op), round)
		if err := in.schedule(ctx); err != nil {
			return nil, err
		}
		after := map[string]any{}
		for _, b := range r.Next {
			if after[b.Name], err = in.stateValue(ctx, b, typeIn(r, b.Name)); err != nil {
				return nil, err
			}
		}
		for n, v := range after {
			state[n], locals[n] = v, v
		}
		if !r.Until.IsZero() {
			v, err := in.eval(ctx, r.Until)
			if err != nil {
				return nil, err
			}
			done, _ = v.(bool)
		}
	}
	out := &value.Object{}
	for _, s := range r.State {
		out.Set(s.Name, state[s.Name])
	}
	out.Set("round", round)
	out.Set("done", done)
	return out, nil
}

func typeIn(r *program.Repeat, name string) types.Type {
	for _, s := range r.State {
		if s.Name == name {
			return s.Type
		}
	}
	return types.Invalid{}
}

func (f *frame) stateValue(ctx context.Context, b program.Binding, want types.Type) (any, error) {
	v, err := f.eval(ctx, b.Value)
	if err != nil {
		return nil, err
	}
	v, faults := value.Check(want, v, value.Fitting)
	if len(faults) > 0 {
		return nil, valueFault(b.Value.Place, "the state `"+b.Name+"`", want, faults)
	}
	return v, nil
}
