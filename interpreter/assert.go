package interpreter

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/value"
)

// asserted calls the module of a step until what is asserted of its outputs holds.
// An answer that is refused is told to the next one with all that was wrong with
// it. An assert that does not hold after its retries ends the run; a suggest that
// does not is recorded, and the answer is kept.
func (f *frame) asserted(ctx context.Context, op *plan.Op, inputs *value.Object, h *host, part *module.Part) (*value.Object, error) {
	if len(op.Step.Asserts) == 0 {
		return part.Run(ctx, nil)
	}
	a := &asserting{frame: f, op: op, inputs: inputs, host: h, failures: make([]int, len(op.Step.Asserts))}
	return a.run(ctx, part)
}

// guarded returns a part that obeys the asserts written in it.
func (f *frame) guarded(op *plan.Op, inputs *value.Object, h *host, part *module.Part) *module.Part {
	if len(op.Step.Asserts) == 0 {
		return part
	}
	return module.NewProgramPart(part.Name, part.Call, func(ctx context.Context, c *module.Call) (*value.Object, error) {
		a := &asserting{frame: f, op: op, inputs: inputs, host: h, failures: make([]int, len(op.Step.Asserts))}
		return a.run(ctx, part.With(c))
	})
}

// asserting is a step under its asserts.
type asserting struct {
	frame    *frame
	op       *plan.Op
	inputs   *value.Object
	host     *host
	failures []int // of each assert
	refused  []module.Feedback
}

// violation is an assert that does not hold.
type violation struct {
	index   int
	message string
}

func (a *asserting) run(ctx context.Context, part *module.Part) (*value.Object, error) {
	for {
		outputs, err := part.Run(ctx, func(c *module.Call) {
			c.Feedback = append(c.Feedback[:len(c.Feedback):len(c.Feedback)], a.refused...)
			c.Watch = a.watch(ctx, c)
		})
		var early *refusedEarly
		if errors.As(err, &early) {
			outputs, err = early.outputs, nil
		}
		if err != nil {
			return nil, err
		}
		var violations []violation
		if early != nil {
			violations = early.violations
		} else if violations, err = a.judge(ctx, outputs, nil); err != nil {
			return nil, err
		}
		if len(violations) == 0 {
			return outputs, nil
		}
		again := false
		var fatal []violation
		for _, v := range violations {
			x := a.op.Step.Asserts[v.index]
			a.failures[v.index]++
			final := a.failures[v.index] > x.Retries
			if final && !x.Suggest {
				fatal = append(fatal, v)
			}
			again = again || !final
			a.host.Emit(trace.Event{Kind: trace.Asserted, Assert: x.Name, Reason: v.message, Suggest: x.Suggest, Final: final})
		}
		feedback := module.Feedback{Outputs: outputs}
		for _, v := range violations {
			feedback.Messages = append(feedback.Messages, v.message)
		}
		a.refused = append(a.refused, feedback)
		switch {
		case len(fatal) > 0:
			return nil, a.fault(fatal)
		case !again && early == nil:
			return outputs, nil // only suggests are left, and they have been asked for often enough
		}
	}
}

// judge returns the asserts that do not hold. Where only is not nil, just those
// that it admits are looked at.
func (a *asserting) judge(ctx context.Context, outputs *value.Object, only func(int, program.Assert) bool) ([]violation, error) {
	var out []violation
	for i, x := range a.op.Step.Asserts {
		if only != nil && !only(i, x) {
			continue
		}
		v, err := a.frame.judge(ctx, x.That, a.inputs, outputs)
		if err != nil {
			return nil, err
		}
		if holds, _ := v.(bool); holds {
			continue
		}
		message := "This must hold: " + oneLine(x.That.Text())
		if !x.Message.IsZero() {
			m, err := a.frame.judge(ctx, x.Message, a.inputs, outputs)
			if err != nil {
				return nil, err
			}
			if text, ok := m.(string); ok {
				message = text
			}
		}
		out = append(out, violation{i, message})
	}
	return out, nil
}

// fault words asserts that did not hold after all retries: every answer is shown.
func (a *asserting) fault(fatal []violation) error {
	x := a.op.Step.Asserts[fatal[0].index]
	d := diag.New("E0634", x.That.Place, "this does not hold")
	for _, v := range fatal[1:] {
		d.Relate(a.op.Step.Asserts[v.index].That.Place, "nor does this")
	}
	d.Relate(a.op.Step.Place, "asked by %s", a.op.Address)
	var b strings.Builder
	n := len(a.refused)
	if n > 1 {
		fmt.Fprintf(&b, "The step was asked %d times, each time with what was wrong before. Its answers:\n", n)
	}
	for i, r := range a.refused {
		if n > 1 {
			fmt.Fprintf(&b, "\n  answer %d\n", i+1)
		}
		for name, v := range r.Outputs.All() {
			fmt.Fprintf(&b, "    %s: %s\n", name, shortened(value.EncodeJSON(v)))
		}
		for _, m := range r.Messages {
			fmt.Fprintf(&b, "    refused: %s\n", m)
		}
	}
	return d.Say("%s", b.String()).
		Hint("ask more often with `retries` in the assert, or write `suggest` to go on without it")
}

// shortened cuts a value that is too long to be shown whole.
func shortened(text []byte) string {
	const most = 400
	r := []rune(string(text))
	if len(r) <= most {
		return string(r)
	}
	return string(r[:most]) + "…"
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
