package dspi

import (
	"context"

	"github.com/dspi-lang/dspi/interpreter"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/value"
)

// Question returns the first request that a step of a plan would send to its model,
// whichever module does its work: nothing is sent, and no tool is called. Inputs are
// those of the step, of their types. It is nil for a step that asks no model.
func (r *Runtime) Question(ctx context.Context, p *plan.Plan, op *plan.Op, inputs *value.Object) (*lm.Request, error) {
	return interpreter.Question(ctx, p, op, r.env, inputs)
}
