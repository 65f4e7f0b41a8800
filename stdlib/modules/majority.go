package modules

import (
	"context"

	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/lang/value"
)

var majority = Entry{
	Module: universe.Module{
		Name: "majority", Doc: "the answer that most samples give", Wraps: true,
		Settings: []universe.Setting{
			samples,
			votedOn,
		},
		Example: `majority vote {
  n = 5
  chain_of_thought {}
}`,
	},
	New: func() module.Module { return voter{} },
}

// votedOn is the setting of modules that vote.
var votedOn = universe.Setting{Name: "field", Kind: universe.Text, Doc: "The output that is voted on.", Default: "the last one", Fixed: true, Output: true}

// voter asks n times at once and gives the answer that most give: DSPy's majority
// over as many samples. A sample that fails has no vote.
type voter struct{}

func (voter) Run(ctx context.Context, call *module.Call) (*value.Object, error) {
	part := call.Parts[0]
	answers, err := together(ctx, call, call.Int("n", 5), func(ctx context.Context, i int) (*value.Object, error) {
		outputs, err := call.Try(ctx, part, module.Attempt{Rollout: i, Temperature: varied(part)}, nil)
		if err != nil {
			return nil, err
		}
		return call.Fit(outputs)
	})
	if err != nil {
		return nil, err
	}
	return vote(answers, votedField(call), nil), nil
}
