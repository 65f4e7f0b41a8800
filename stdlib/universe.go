// Package stdlib is everything that a .dsp file can name without declaring it.
// This file is its table of contents; the parts are in
//
//	modules/    predict, chain_of_thought
//	metrics/    exact_match, f1, passage_match
//	providers/  openai, anthropic, builtin, scripted
//	tools/      calculator, files, http_get, and what bodies of tools ask for
//	retrievers/ passages of files
//
// It is the only place that knows both a name and the code behind it.
package stdlib

import (
	"sync"

	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/stdlib/modules"
	"github.com/dspi-lang/dspi/stdlib/providers"
)

// Universe returns the table of built-in names.
var Universe = sync.OnceValue(func() *universe.Universe {
	u := &universe.Universe{
		Blocks:    universe.Blocks,
		Step:      universe.StepBlock,
		Adapters:  universe.Adapters,
		Providers: providers.All(),

		Optimizers: universe.Optimizers,
		Metrics:    universe.Metrics,
		Tools:      universe.Tools,
	}
	for _, e := range modules.All() {
		u.Modules = append(u.Modules, e.Module)
	}
	for _, t := range u.Tools {
		u.Builtins = append(u.Builtins, universe.Builtin{Kind: "tool", Name: t.Name, Doc: t.Doc})
	}
	for _, m := range u.Metrics {
		u.Builtins = append(u.Builtins, universe.Builtin{Kind: "metric", Name: m.Name, Doc: m.Doc})
	}
	return u
})

// Module returns the built-in module of a name.
func Module(name string) (module.Module, bool) { return modules.Lookup(name) }
