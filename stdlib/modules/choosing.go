package modules

import "github.com/dspi-lang/dspi/lang/universe"

// choosing is `module NAME { use = … }`: the machine looks at what is chosen.
var choosing = Entry{Module: universe.Module{
	Name: "module", Doc: "a module that a variable chooses",
	Settings: []universe.Setting{
		{Name: "use", Kind: universe.ModuleOf, Required: true, Doc: "The module, usually a variable of type `module`.", Fixed: true},
	},
	Example: `module classify {
  use = var.strategy
}`,
}}
