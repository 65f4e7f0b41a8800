package modules

import (
	"github.com/dspi-lang/dspi/lang/universe"
)

var majority = Entry{Module: universe.Module{
		Name: "majority", Doc: "the answer that most samples give", Pending: "sampling several answers", Wraps: true,
		Settings: []universe.Setting{
			samples,
			{Name: "field", Kind: universe.Text, Doc: "The output that is voted on.", Default: "the last one", Fixed: true},
		},
		Example: `majority vote {
  n = 5
  chain_of_thought {}
}`,
	}}
