package modules

import (
	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
)

var chainOfThought = Entry{
	Module: universe.Module{
		Name: "chain_of_thought",
		Doc:  "reason step by step, then answer",
		Adds: []types.Field{{Name: "reasoning", Type: types.String}},
		Example: `chain_of_thought respond {
  question: string -> answer: string
}`,
	},
	New: func() module.Module { return asker{} },
}
