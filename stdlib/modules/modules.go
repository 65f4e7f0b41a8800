// Package modules holds the built-in modules, one file each, with what the
// universe says of them.
package modules

import (
	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/lang/universe"
)

// Entry is a module and its declaration. New is nil where Pending says what is
// missing, for `module`, which stands for another, and for those that run in Python
// alone.
type Entry struct {
	universe.Module
	New func() module.Module
}

// All returns the built-in modules in the order of the reference.
func All() []Entry {
	return []Entry{
		predict, chainOfThought, choosing,
		retrieveEntry, react, programOfThought, codeAct, bestOfN, refine, retry, majority, multiChainComparison, parallel, ensemble, agent, knn, pythonEntry, dspyEntry,
	}
}

func bound(f float64) *float64 { return &f }

// samples is the setting of modules that ask several times.
var samples = universe.Setting{Name: "n", Kind: universe.Integer, Doc: "How many answers are asked for.", Default: "5", Min: bound(1), Max: bound(100)}

// Lookup returns the module of a name.
func Lookup(name string) (module.Module, bool) {
	for _, e := range All() {
		if e.Name == name && e.New != nil {
			return e.New(), true
		}
	}
	return nil, false
}
