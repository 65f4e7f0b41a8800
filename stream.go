package dspi

import (
	"context"
	"iter"
	"sync"

	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/trace"
)

// Partial is an output of a step as far as a model has written it.
//
// A value never shrinks: a text is a beginning of the final one, a list holds the
// first of its items, an object some of its names; anything else is shown once
// it is whole. A reply that broke off and is written again, or one that did not fit
// and is asked for again, begins anew: the first as Restart, the second as
// another Call.
type Partial struct {
	Address string // of the step: program.rag.respond
	Element *int   // the index of the for_each element it works on; nil: none
	Step    int    // tells apart the runs of a step, as in trace.Event
	Call    int    // tells apart the calls of a run, as in trace.Event
	Field   string // the name of the output
	Value   any    // the output so far: string, []any, *value.Object, …
	Done    bool   // the output is whole
	Restart bool   // the outputs of this call begin again from nothing; no Field

	// Result is set in the last Partial of a stream alone: what the run made.
	Result *Result
}

// Stream runs a plan and yields the outputs of all its steps as they grow, then
// the Result. An error ends it: with the Result so far beside it, and it is a
// *diag.Diagnostic or a diag.List. Who is slower than the models misses steps of
// an output's growth, never an output. Leaving the loop ends the run: requests
// under way are cancelled before Stream returns, so that nothing more is paid.
func (r *Runtime) Stream(ctx context.Context, p *plan.Plan, inputs map[string]any) iter.Seq2[Partial, error] {
	return func(yield func(Partial, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		q := &partials{ready: make(chan struct{}, 1)}
		env := *r.env
		env.Stream = true
		env.Trace = func(e trace.Event) {
			q.see(e)
			r.env.Trace.Emit(e)
		}
		var res *Result
		var err error
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			res, err = r.run(ctx, p, &env, inputs)
		}()
		defer func() { cancel(); <-ended }()
		for {
			select {
			case <-q.ready:
			case <-ended:
				for _, x := range q.take() {
					if !yield(x, nil) {
						return
					}
				}
				yield(Partial{Result: res}, err)
				return
			}
			for _, x := range q.take() {
				if !yield(x, nil) {
					return
				}
			}
		}
	}
}

// Stream runs a plan as Run does, and yields outputs as they grow: see
// Runtime.Stream.
func Stream(ctx context.Context, p *plan.Plan, inputs map[string]any) iter.Seq2[Partial, error] {
	return func(yield func(Partial, error) bool) {
		r := NewRuntime(Options{})
		defer r.Close()
		for x, err := range r.Stream(ctx, p, inputs) {
			if !yield(x, err) {
				return
			}
		}
	}
}

// partials wait to be yielded. Of an output that grows faster than it is taken,
// the latest waits.
type partials struct {
	ready chan struct{} // holds a token while something may wait

	mu      sync.Mutex
	waiting []Partial
	at      map[growing]int // where an output waits
}

// growing names one output of one call.
type growing struct {
	call  int
	field string
}

func (q *partials) see(e trace.Event) {
	if e.Kind != trace.Partial {
		return
	}
	x := Partial{
		Address: e.Address, Element: e.Element, Step: e.Step, Call: e.Call,
		Field: e.Field, Value: e.Value, Done: e.Done, Restart: e.Restart,
	}
	q.mu.Lock()
	key := growing{e.Call, e.Field}
	if i, ok := q.at[key]; ok && !e.Restart {
		q.waiting[i] = x
	} else {
		if q.at == nil || e.Restart {
			q.at = map[growing]int{} // what waited before stays as it is
		}
		if !e.Restart {
			q.at[key] = len(q.waiting)
		}
		q.waiting = append(q.waiting, x)
	}
	q.mu.Unlock()
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

func (q *partials) take() []Partial {
	q.mu.Lock()
	defer q.mu.Unlock()
	out := q.waiting
	q.waiting, q.at = nil, nil
	return out
}
