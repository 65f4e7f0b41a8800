package modules

import (
	"github.com/dspi-lang/dspi/lang/universe"
)

// What runs in Python: interpreter/python does the work.

var (
	pythonTools      = universe.Setting{Name: "tools", Kind: universe.ToolList, Doc: "What the code may call: `dspi.tool(\"name\")`.", Fixed: true}
	pythonTimeout    = universe.Setting{Name: "timeout", Kind: universe.Duration, Doc: "The longest that it may be at work without asking a model or a tool.", Default: "5m", Fixed: true}
	pythonIdempotent = func(otherwise string) universe.Setting {
		return universe.Setting{Name: "idempotent", Kind: universe.Boolean, Doc: "Calling it twice does no harm: it is done again when its process ends in the middle.", Default: otherwise, Fixed: true}
	}
)

var pythonEntry = Entry{Module: universe.Module{
	Name: "python", Doc: "a class or function in Python", Python: true,
	Settings: []universe.Setting{
		{Name: "call", Kind: universe.Text, Required: true, Doc: "What is called: `module:Class` or `module:function`, from a file beside this one.", Fixed: true},
		pythonTools, pythonTimeout, pythonIdempotent("false"),
	},
	Example: `python rank {
  call = "rankers:Ranker"
  question: string, answer: string -> score: float
}`,
}}
