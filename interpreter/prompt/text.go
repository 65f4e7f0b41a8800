package prompt

import (
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/value"
)

// What modules write into inputs the way DSPy does.

// Text is what Python's str() makes of a value.
func Text(v any) string {
	switch v.(type) {
	case []any, *value.Object:
		return pyRepr(v)
	}
	return pyStr(v)
}

// Inputs returns the numbered list of a signature's inputs that stands in a system
// message, Outputs that of its outputs.
func Inputs(sig *program.Signature) string { return fieldList(sig.Inputs, nameTypes(sig), true) }

// Outputs is as Inputs.
func Outputs(sig *program.Signature) string { return fieldList(sig.Outputs, nameTypes(sig), false) }

// Lines returns the lines of a text as Python's splitlines does.
func Lines(text string) []string { return pySplitlines(text) }

// Dedent takes from the lines of a text the space that all begin with.
func Dedent(text string) string { return pyDedent(text) }
