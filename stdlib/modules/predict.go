package modules

import (
	"context"

	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/lang/value"
)

var predict = Entry{
	Module: universe.Module{
		Name: "predict", Python: true,
		Doc: "ask the model once for the outputs",
		Example: `predict answer {
  question: string -> answer: string
}`,
	},
	New: func() module.Module { return asker{} },
}

// asker asks the model once for all outputs of the signature. What a module
// adds to the signature is declared in its Entry; the checker has put it there.
type asker struct{}

func (asker) Run(ctx context.Context, call *module.Call) (*value.Object, error) {
	return module.Ask(ctx, call)
}
