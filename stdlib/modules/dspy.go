package modules

import (
	"github.com/dspi-lang/dspi/lang/universe"
)

var dspyEntry = Entry{Module: universe.Module{
	Name: "dspy", Doc: "any class of DSPy", Pending: "running Python",
	Settings: []universe.Setting{
		{Name: "class", Kind: universe.Text, Required: true, Doc: "The class: `dspy.RLM`.", Fixed: true},
	},
	Example: `dspy explore {
  class = "dspy.RLM"
  question: string -> answer: string
}`,
}}
