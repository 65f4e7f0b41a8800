package optimizers

import (
	"slices"
	"testing"

	"github.com/dspi-lang/dspi/lang/universe"
)

// TestRegistry: every optimizer that can be named has code behind it, and the other way
// round.
func TestRegistry(t *testing.T) {
	for _, o := range universe.Optimizers {
		if _, ok := Lookup(o.Name); ok == o.Python {
			t.Errorf("%s: in Python %t, here %t", o.Name, o.Python, ok)
		}
	}
	for name := range all {
		if !slices.ContainsFunc(universe.Optimizers, func(o universe.Optimizer) bool { return o.Name == name }) {
			t.Errorf("%s cannot be named", name)
		}
	}
}
