package modules

import (
	"github.com/dspi-lang/dspi/lang/universe"
)

var bestOfN = Entry{Module: universe.Module{
		Name: "best_of_n", Doc: "the best of several answers", Pending: "sampling several answers", Wraps: true,
		Settings: []universe.Setting{
			samples,
			{Name: "reward", Kind: universe.Judgement, Required: true, Doc: "How good an answer is, over the step's own inputs and outputs."},
			{Name: "threshold", Kind: universe.Number, Doc: "An answer as good as this ends the search.", Default: "none"},
		},
		Example: `best_of_n pick {
  n      = 5
  reward = len(answer) < 80 ? 1.0 : 0.2
  chain_of_thought {}
}`,
	}}
