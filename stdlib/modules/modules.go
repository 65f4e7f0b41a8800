// Package modules holds the built-in modules, one file each, with what the
// universe says of them.
package modules

import (
	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/lang/universe"
)

// Entry is a module and its declaration.
type Entry struct {
	universe.Module
	New func() module.Module
}

// All returns the built-in modules in the order of the reference.
func All() []Entry { return []Entry{predict, chainOfThought} }

// Lookup returns the module of a name.
func Lookup(name string) (module.Module, bool) {
	for _, e := range All() {
		if e.Name == name {
			return e.New(), true
		}
	}
	return nil, false
}
