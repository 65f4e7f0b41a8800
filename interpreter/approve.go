package interpreter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/journal"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/value"
)

// Approval is a call of a tool that a person is asked about.
type Approval struct {
	Run  string        // the id of the run
	Key  string        // names the call in its run, the same whenever the run is resumed
	Path string        // where the step stands that calls the tool
	Step string        // its address
	Tool string        // the tool's name
	Args *value.Object // what it would be called with
}

// Answer is what a person says of an Approval.
type Answer int

// The answers.
const (
	Unanswered Answer = iota // nobody is there: the run pauses
	Allowed
	Denied
)

// Approver asks a person. It is called by many goroutines at once, and obeys ctx.
type Approver func(ctx context.Context, a Approval) (Answer, error)

// PausedError ends a run that waits for a person. It is a *diag.Diagnostic and a
// *tool.Paused, too.
type PausedError struct {
	Waiting []Approval // the calls that wait, in the order of their paths
	fault   *diag.Diagnostic
}

// Error says what waits.
func (e *PausedError) Error() string { return e.fault.Error() }

// Unwrap returns the diagnostic, and the first call that waits.
func (e *PausedError) Unwrap() []error {
	first := e.Waiting[0]
	return []error{e.fault, &tool.Paused{Tool: first.Tool, Args: first.Args, Key: first.Key}}
}

// refusal is what a model is told of a call that a person did not allow.
const refusal = "a person did not allow this call"

// approved returns nil when a tool may be called: it asks for nobody's leave, or a
// person gave it.
func (h *host) approved(ctx context.Context, t tool.Tool, args *value.Object) error {
	if !h.asks(ctx, t, args) {
		return nil
	}
	j := h.run.journal
	key := j.Ask(h.path, journal.Call(journal.Approval, t.Name(), args))
	a := Approval{Run: h.run.id, Key: key.String(), Path: h.path, Step: h.op.Address, Tool: t.Name(), Args: args}
	kept, err := j.Answered(ctx, key)
	if err != nil {
		return fmt.Errorf("the journal of the run cannot be read: %w", err)
	}
	if kept != nil {
		if was, err := journal.DecodeOutcome(kept.Data); err == nil {
			return answered(t, was.Allowed)
		}
	}
	said := Unanswered
	if ask := h.run.env.Approve; ask != nil {
		if said, err = ask(ctx, a); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	event := trace.Event{Kind: trace.Approval, Tool: t.Name(), Inputs: args, Allowed: said == Allowed}
	if said == Unanswered {
		paused := &tool.Paused{Tool: t.Name(), Args: args, Key: a.Key}
		event.Err = paused
		h.Emit(event)
		h.run.waits(a)
		return paused
	}
	data, err := journal.EncodeOutcome(journal.Outcome{Allowed: said == Allowed})
	if err == nil {
		err = j.Answer(ctx, key, journal.Approval, data)
	}
	if err != nil {
		return fmt.Errorf("the journal of the run cannot be written: %w", err)
	}
	h.Emit(event)
	return answered(t, said == Allowed)
}

func answered(t tool.Tool, allowed bool) error {
	if allowed {
		return nil
	}
	return &tool.Error{Tool: t.Name(), Text: refusal}
}

// offer notes which declared tool a module calls when it calls t.
func (h *host) offer(t tool.Tool, declared *plan.Tool) {
	if declared.Declared == nil {
		return // it is built in
	}
	if h.offered == nil {
		h.offered = map[string][]*plan.Tool{}
	}
	h.offered[t.Name()] = append(h.offered[t.Name()], declared)
}

// asks reports whether a person is asked before a call. Where two modules of a step
// mean two tools by one name, either of them makes it ask.
func (h *host) asks(ctx context.Context, t tool.Tool, args *value.Object) bool {
	return slices.ContainsFunc(h.offered[t.Name()], func(x *plan.Tool) bool { return mustAsk(ctx, x, args) })
}

// mustAsk reports whether a tool wants a person to be asked before a call. A
// condition that cannot be evaluated asks.
func mustAsk(ctx context.Context, t *plan.Tool, args *value.Object) bool {
	rule := t.Declared.Approve
	if rule.Always {
		return true
	}
	if rule.When.Expr == nil {
		return false
	}
	code, err := rule.When.Expr.Compile()
	if err != nil {
		return true
	}
	x, err := code.Eval(ctx, func(root string) (any, bool) {
		if v, ok := args.Get(root); ok {
			return v, true
		}
		switch root {
		case "inputs":
			return args, true
		case "var":
			return plan.Variables(t.Declared.Names, t.Values), true
		}
		return nil, true // an optional input that was not given
	})
	ask, isBool := x.(bool)
	return err != nil || !isBool || ask
}

// waits notes a call that waits for a person.
func (r *run) waits(a Approval) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting = append(r.waiting, a)
}

// paused returns why a run ends that has calls which wait for a person, in place of
// err; err where there is none, or where something worse happened.
func (r *run) paused(ctx context.Context, err error) error {
	r.mu.Lock()
	waiting := slices.Clone(r.waiting)
	r.mu.Unlock()
	if len(waiting) == 0 || err != nil && !isPaused(err) && (!isInterrupted(err) || ctx.Err() != nil) {
		return err
	}
	slices.SortStableFunc(waiting, func(a, b Approval) int { return strings.Compare(a.Path, b.Path) })
	return pausedFault(waiting, r.journal != nil)
}

// pausedFault words a run that waits for a person. Resumable says that it has a
// journal.
func pausedFault(waiting []Approval, resumable bool) error {
	d := diag.New("E0635", source.Place{}, "")
	var b strings.Builder
	what := "A call waits"
	if len(waiting) > 1 {
		what = fmt.Sprintf("%d calls wait", len(waiting))
	}
	fmt.Fprintf(&b, "%s for a person to allow it, and nobody was there to ask:\n\n", what)
	for _, a := range waiting {
		fmt.Fprintf(&b, "    %s  %s(%s)\n              asked for by %s\n", a.Key, a.Tool, shownArgs(a.Args), a.Path)
	}
	d.Say("%s", b.String())
	if !resumable {
		return &PausedError{waiting, d.Hint("run it on a terminal, where the question can be asked; this run is not kept, so it cannot be resumed")}
	}
	id, key := waiting[0].Run, waiting[0].Key
	d.Hint("to allow it: dspi run --resume %s --approve %s (or --approve all)", id, key).
		Hint("to refuse it: dspi run --resume %s --deny %s", id, key).
		Hint("to be asked: dspi run --resume %s on a terminal", id)
	return &PausedError{waiting, d}
}

// shownArgs are arguments for people, cut where they are long.
func shownArgs(args *value.Object) string {
	var parts []string
	for name, v := range args.All() {
		parts = append(parts, name+" = "+shortened(value.EncodeJSON(v)))
	}
	return strings.Join(parts, ", ")
}

// isPaused reports whether err only says that a call waits for a person.
func isPaused(err error) bool {
	return tool.IsPaused(err) || errors.As(err, new(*PausedError))
}
