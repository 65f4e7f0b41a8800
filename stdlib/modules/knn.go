package modules

import (
	"context"

	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/lang/value"
)

var knn = Entry{
	Module: universe.Module{
		Name: "knn", Doc: "only the demos that are nearest to the inputs", Wraps: true,
		Settings: []universe.Setting{
			{Name: "k", Kind: universe.Integer, Doc: "How many of the step's demos, those of its saved state, each call is shown.", Default: "3", Min: bound(1), Max: bound(1000)},
		},
		Example: `knn respond {
  k = 3
  chain_of_thought {}
}`,
	},
	New: func() module.Module { return nearest{} },
}

// nearest shows the module that it holds, of all demos that tuning found for it, the
// k whose inputs are most like those of the call, the nearest first: what DSPy's
// KNNFewShot does with the examples of a training set.
type nearest struct{}

func (nearest) Run(ctx context.Context, call *module.Call) (*value.Object, error) {
	part := call.Parts[0]
	demos := prompt.Nearest(part.Call.Signature, part.Call.Demos, call.Inputs, call.Int("k", 3))
	outputs, err := call.Try(ctx, part, module.Attempt{}, func(c *module.Call) { c.Demos = demos })
	if err != nil {
		return nil, err
	}
	return call.Fit(outputs)
}
