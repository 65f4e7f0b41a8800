package modules

import (
	"github.com/dspi-lang/dspi/lang/universe"
)

var pythonEntry = Entry{Module: universe.Module{
	Name: "python", Doc: "a class or function in Python", Pending: "running Python", Opaque: true,
	Settings: []universe.Setting{
		{Name: "call", Kind: universe.Text, Required: true, Doc: "What is called: `module:Class` or `module:function`, from a file beside this one.", Fixed: true},
	},
	Example: `python rank {
  call = "rankers:Ranker"
  question: string, answer: string -> score: float
}`,
}}
