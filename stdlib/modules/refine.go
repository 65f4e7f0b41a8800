package modules

import (
	"github.com/dspi-lang/dspi/lang/universe"
)

var refine = Entry{Module: universe.Module{
		Name: "refine", Doc: "again with advice, until good enough", Pending: "asking again with advice", Wraps: true,
		Settings: []universe.Setting{
			{Name: "n", Kind: universe.Integer, Doc: "The most attempts.", Default: "3", Min: bound(1), Max: bound(100)},
			{Name: "reward", Kind: universe.Judgement, Required: true, Doc: "How good an answer is, over the step's own inputs and outputs."},
			{Name: "threshold", Kind: universe.Number, Required: true, Doc: "An answer as good as this ends the attempts."},
		},
		Example: `refine better {
  n         = 3
  threshold = 0.9
  reward    = len(answer) < 80 ? 1.0 : 0.2
  predict {}
}`,
	}}
