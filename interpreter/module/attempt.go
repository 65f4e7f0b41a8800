package module

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// A module that holds others makes attempts with them. What it says of an attempt
// must reach every question that is asked within: those of the part, of modules
// that the part holds, of the steps of a program that it is. So an Attempt travels
// in the context; Attempted puts it into a Call, and Ask adds its hint.

// Attempt is one of several goes at a part.
type Attempt struct {
	// Rollout tells the attempts of one call apart, from 0.
	Rollout int
	// Temperature is that of steps which say none themselves, in place of their
	// model's; nil leaves it. An attempt around this one has the last word.
	Temperature *float64
	// Hints are advice for predictors, by name; nil for none.
	Hints *value.Object
	// Record, when set, is told of each question that was answered. It is called
	// by many goroutines.
	Record func(Asked)
}

// Asked is a question that was answered within an attempt.
type Asked struct {
	Predictor string // as DSPy names it: `predict`, `draft.predict`, `self`
	Inputs    *value.Object
	Outputs   *value.Object
	order     []int
}

// InOrder brings questions into the order in which a program asks them when
// nothing runs at the same time.
func InOrder(asked []Asked) {
	slices.SortStableFunc(asked, func(a, b Asked) int { return slices.Compare(a.order, b.order) })
}

// Predictor is a step of a part that asks the model.
type Predictor struct {
	Name      string // as DSPy names it
	Signature *program.Signature
}

// under is the attempts and steps that a call stands in.
type under struct {
	outer   *under // around attempt
	attempt Attempt
	path    []string // names, from the outermost attempt inwards
	base    int      // how many of path lead to the part of attempt
	order   []int
}

type underKey struct{}

func underOf(ctx context.Context) *under {
	u, _ := ctx.Value(underKey{}).(*under)
	return u
}

// InAttempt reports whether a module makes an attempt with what runs in a context.
func InAttempt(ctx context.Context) bool { return underOf(ctx) != nil }

// Enter returns the context of a step within the part of an attempt: its name as
// DSPy would have it, "" for what has none there, and what says where it stands
// among others.
func Enter(ctx context.Context, name string, order ...int) context.Context {
	u := underOf(ctx)
	if u == nil {
		return ctx
	}
	in := *u
	if name != "" {
		in.path = append(u.path[:len(u.path):len(u.path)], name)
	}
	in.order = append(u.order[:len(u.order):len(u.order)], order...)
	return context.WithValue(ctx, underKey{}, &in)
}

// WithAttempt returns the context of an attempt at what has a name within its
// module.
func WithAttempt(ctx context.Context, name string, a Attempt) context.Context {
	u := &under{attempt: a}
	if outer := underOf(Enter(ctx, name)); outer != nil {
		u.outer, u.path, u.order = outer, outer.path, outer.order
		if outer.attempt.Temperature != nil {
			u.attempt.Temperature = outer.attempt.Temperature
		}
	}
	u.base = len(u.path)
	u.order = append(u.order[:len(u.order):len(u.order)], a.Rollout)
	return context.WithValue(ctx, underKey{}, u)
}

// Attempted returns a call as the attempt wants it that it stands in: with its
// rollout and temperature.
func Attempted(ctx context.Context, call *Call) *Call {
	u := underOf(ctx)
	if u == nil || call.LM == nil {
		return call
	}
	c := *call
	c.Rollout = c.Rollout*1000 + u.attempt.Rollout
	if c.Own.Temperature == nil && u.attempt.Temperature != nil {
		c.Params.Temperature = u.attempt.Temperature
	}
	return &c
}

// Try calls a part that a module holds, as one of several attempts. What the
// module's own call was told of refused answers reaches the part. Change is as in
// Part.Run.
func (c *Call) Try(ctx context.Context, p *Part, a Attempt, change func(*Call)) (*value.Object, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	a.Rollout += c.Rollout * 1000
	ctx = WithAttempt(ctx, p.Place, a)
	return p.With(Attempted(ctx, p.Call)).Run(ctx, func(call *Call) {
		call.Feedback = nil
		for _, f := range c.Feedback {
			call.Feedback = append(call.Feedback, f.about(call.Signature))
		}
		if change != nil {
			change(call)
		}
	})
}

// about returns feedback for a module that has a signature: an answer that is not
// one of it is left out, and what is wrong with it stays.
func (f Feedback) about(sig *program.Signature) Feedback {
	if f.Outputs == nil {
		return f
	}
	for _, o := range sig.Outputs {
		v, ok := f.Outputs.Get(o.Name)
		if _, faults := value.Check(o.Type, v, value.Fitting); !ok || len(faults) > 0 {
			return Feedback{Messages: f.Messages}
		}
	}
	return f
}

// Fit leaves of a part's outputs those of the module's own signature, as values of
// their types.
func (c *Call) Fit(outputs *value.Object) (*value.Object, error) {
	out := value.MakeObject(outputs.Len())
	for _, f := range c.Signature.Outputs {
		v, _ := outputs.Get(f.Name)
		fit, faults := value.Check(f.Type, v, value.Fitting)
		if len(faults) > 0 {
			return nil, fmt.Errorf("the output `%s` does not fit: %s", f.Name, value.Faults(faults))
		}
		out.Set(f.Name, fit)
	}
	return out, nil
}

// hinted returns a call with the hint that the attempt has for it.
func hinted(ctx context.Context, call *Call) *Call {
	for u := underOf(ctx); u != nil; u = u.outer {
		if u.attempt.Hints == nil || u.attempt.Hints.Len() == 0 {
			continue
		}
		hint := "N/A"
		if v, ok := u.attempt.Hints.Get(u.name(ctx, call)); ok {
			hint, _ = v.(string)
		}
		c, sig := *call, *call.Signature
		if sig.Instructions == "" {
			sig.Instructions = sig.DefaultInstructions()
		}
		sig.Inputs = append(sig.Inputs[:len(sig.Inputs):len(sig.Inputs)], types.Field{
			Name: "hint_", Type: types.String, Description: "A hint to the module from an earlier run",
		})
		c.Signature, c.Inputs = &sig, call.Inputs.Clone()
		c.Inputs.Set("hint_", hint)
		return &c
	}
	return call
}

// name is what the question of a call is called within the part of u.
func (u *under) name(ctx context.Context, call *Call) string {
	return PredictorName(underOf(ctx).path[u.base:], call.Predictor)
}

// PredictorName is DSPy's name of a predictor: where it stands, and what its
// module calls it.
func PredictorName(path []string, predictor string) string {
	if predictor != "" {
		path = append(path[:len(path):len(path)], predictor)
	}
	return cmp.Or(strings.Join(path, "."), "self")
}

// record tells the attempts of a call that it was answered.
func record(ctx context.Context, call *Call, outputs *value.Object) {
	for u := underOf(ctx); u != nil; u = u.outer {
		if u.attempt.Record != nil {
			u.attempt.Record(Asked{u.name(ctx, call), call.Inputs, outputs, underOf(ctx).order})
		}
	}
}

// AttemptsError says that every attempt failed.
type AttemptsError struct {
	Attempts int
	Err      error // of the last one
}

func (e *AttemptsError) Error() string {
	return fmt.Sprintf("all %d attempts failed; the last: %s", e.Attempts, e.Err)
}

func (e *AttemptsError) Unwrap() error { return e.Err }

// Ends reports whether a failure ends the run, so that no further attempt is made:
// the run was stopped, waits for a person, has used up its budget, cannot call a tool
// at all, or dspi itself
// is at fault.
func Ends(ctx context.Context, err error) bool {
	if ctx.Err() != nil || tool.Ends(err) {
		return true
	}
	if e := lm.AsError(err); e != nil && (e.Kind == lm.KindBudget || e.Kind == lm.KindCanceled) {
		return true
	}
	var d *diag.Diagnostic
	if errors.As(err, &d) {
		return slices.Contains([]diag.Code{"E0617", "E0622", "E0623", "E0635"}, d.Code)
	}
	return errors.Is(err, context.Canceled)
}

// Together calls do for 0 to n-1 at once. The first error that do returns stops
// the others, and is returned when all have ended. A panic in do is one of the
// caller's goroutine.
func Together(ctx context.Context, n int, do func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		wg     sync.WaitGroup
		once   sync.Once
		failed error
		fell   any
	)
	for i := range n {
		wg.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					once.Do(func() { fell = p })
					cancel()
				}
			}()
			if err := do(ctx, i); err != nil {
				once.Do(func() { failed = err })
				cancel()
			}
		})
	}
	wg.Wait()
	if fell != nil {
		panic(fell)
	}
	return failed
}
