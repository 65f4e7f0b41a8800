package modules

import (
	"context"

	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/lang/value"
)

var retry = Entry{
	Module: universe.Module{
		Name: "retry", Doc: "again until it succeeds", Wraps: true,
		Settings: []universe.Setting{
			{Name: "attempts", Kind: universe.Integer, Doc: "The most attempts.", Default: "3", Min: bound(1), Max: bound(100)},
		},
		Example: `retry sure {
  attempts = 3
  predict {}
}`,
	},
	New: func() module.Module { return retrier{} },
}

// retrier calls its part again when it fails: when a reply does not fit after all
// asks, an assert does not hold, a provider or a program fails. Each attempt is a
// rollout of its own, so that no reply is taken from a cache which failed before.
type retrier struct{}

func (retrier) Run(ctx context.Context, call *module.Call) (*value.Object, error) {
	n := call.Int("attempts", 3)
	var last error
	for i := range n {
		outputs, err := call.Try(ctx, call.Parts[0], module.Attempt{Rollout: i}, nil)
		if err == nil {
			return call.Fit(outputs)
		}
		if module.Ends(ctx, err) {
			return nil, err
		}
		note(call, "attempt %d of %d failed: %s", i+1, n, err)
		last = err
	}
	return nil, &module.AttemptsError{Attempts: n, Err: last}
}
