package modules

import (
	"context"

	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/lang/value"
)

var react = Entry{
	Module: universe.Module{
		Name: "react", Python: true, Doc: "act with tools until the answer is found",
		Settings: []universe.Setting{
			{Name: "tools", Kind: universe.ToolList, Required: true, Doc: "What the model may call.", Fixed: true},
			{Name: "max_iters", Kind: universe.Integer, Doc: "How often it may act; then it must answer.", Default: "20", Min: bound(1), Max: bound(1000)},
			{Name: "style", Kind: universe.Choice, Choices: []string{"typed", "dspy"}, Doc: "Typed actions, or DSPy's own fields and messages.", Default: "typed", Fixed: true},
		},
		Example: `react agent {
  tools     = [tool.calculator]
  max_iters = 6
}`,
	},
	New: func() module.Module { return reactor{} },
}

// reactor lets a model act with tools and answer. In its own style the answer is an
// action too, typed by the signature; in DSPy's a further call reads it from what
// happened (docs/decisions/0016-react.md).
type reactor struct{}

func (reactor) Run(ctx context.Context, call *module.Call) (*value.Object, error) {
	if call.Text("style", "typed") == "dspy" {
		return reactAsDSPy(ctx, call)
	}
	call = module.Hinted(ctx, call)
	outputs, err := newTalk(call).run(ctx)
	if err == nil {
		module.Answered(ctx, call, outputs)
	}
	return outputs, err
}
