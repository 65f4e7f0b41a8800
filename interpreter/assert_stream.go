package interpreter

import (
	"context"

	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/value"
)

// refusedEarly ends a reply while it is written: an assert can be judged already,
// and does not hold.
type refusedEarly struct {
	outputs    *value.Object // so far
	violations []violation
}

func (e *refusedEarly) Error() string {
	return "the reply was ended early: " + e.violations[0].message
}

// watch returns what looks at a reply that is streamed: asserts over outputs that
// are whole, and those that stay false however their outputs go on. nil when the
// reply is not streamed. An assert that may not be asked again is left for the end.
func (a *asserting) watch(ctx context.Context, c *module.Call) func(*value.Object, map[string]bool) error {
	if !c.Stream {
		return nil
	}
	return func(outputs *value.Object, done map[string]bool) error {
		found, err := a.judge(ctx, outputs, func(i int, x program.Assert) bool {
			return !(x.Suggest && a.failures[i] >= x.Retries) && a.judgeable(x, outputs, done)
		})
		if err != nil || len(found) == 0 {
			return nil // an expression that fails now is judged when the reply is whole
		}
		return &refusedEarly{outputs.Clone(), found}
	}
}

// judgeable reports whether what an assert says of outputs so far is its last word
// if it is no.
func (a *asserting) judgeable(x program.Assert, outputs *value.Object, done map[string]bool) bool {
	growing := func(name string) bool {
		_, isOutput := a.op.Signature.Output(name)
		return isOutput && !done[name]
	}
	for _, r := range x.That.Expr.Refs() {
		if _, there := outputs.Get(r.Root); growing(r.Root) && !there {
			return false
		}
	}
	return x.That.Expr.StaysFalse(growing)
}
