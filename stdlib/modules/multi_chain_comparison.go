package modules

import (
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
)

var multiChainComparison = Entry{Module: universe.Module{
		Name: "multi_chain_comparison", Doc: "compare several chains of reasoning", Pending: "sampling several answers", Wraps: true,
		Adds: []types.Field{{Name: "rationale", Type: types.String}},
		Settings: []universe.Setting{
			{Name: "m", Kind: universe.Integer, Doc: "How many chains are compared.", Default: "3", Min: bound(2), Max: bound(20)},
		},
		Example: `multi_chain_comparison compare {
  m = 3
  chain_of_thought {}
}`,
	}}
