package modules

import (
	"github.com/dspi-lang/dspi/lang/universe"
)

var dspyEntry = Entry{Module: universe.Module{
	Name: "dspy", Doc: "any class of DSPy", Python: true,
	Settings: append([]universe.Setting{
		{Name: "class", Kind: universe.Text, Required: true, Doc: "The class: `dspy.RLM`, or one of a file beside this one, `agents.Planner`.", Fixed: true},
		{Name: "arguments", Kind: universe.Any, Doc: "What the class is made with beside the signature: `{max_iters: 8}`.", Default: "none"},
		{Name: "tools", Kind: universe.ToolList, Doc: "What it may call, for a class that takes `tools`.", Fixed: true},
		pythonTimeout, pythonIdempotent("true"),
	}, codeLimited()...),
	Example: `dspy explore {
  class     = "dspy.RLM"
  arguments = {max_iters: 8}
  question: string -> answer: string
}`,
}}
