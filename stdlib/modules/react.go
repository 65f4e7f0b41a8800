package modules

import (
	"github.com/dspi-lang/dspi/lang/universe"
)

var react = Entry{Module: universe.Module{
		Name: "react", Doc: "act with tools until the answer is found", Pending: "calling tools",
		Settings: []universe.Setting{
			{Name: "tools", Kind: universe.ToolList, Required: true, Doc: "What the model may call.", Fixed: true},
			{Name: "max_iters", Kind: universe.Integer, Doc: "The most actions.", Default: "20", Min: bound(1), Max: bound(1000)},
			{Name: "style", Kind: universe.Choice, Choices: []string{"typed", "dspy"}, Doc: "Typed actions, or DSPy's own fields and messages.", Default: "typed", Fixed: true},
		},
		Example: `react agent {
  tools     = [tool.calculator]
  max_iters = 6
}`,
	}}
