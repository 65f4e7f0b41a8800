package program

import (
	"strings"

	"github.com/dspi-lang/dspi/lang/types"
)

// Signature is what a step takes and gives: `question: string -> answer: string`.
type Signature struct {
	Name string // "" for one that is not declared
	// Instructions tell the model what to do; "" leaves it to the words below.
	Instructions string
	Inputs       []types.Field
	Outputs      []types.Field
}

// Input returns the input of a name.
func (s *Signature) Input(name string) (*types.Field, bool) { return field(s.Inputs, name) }

// Output returns the output of a name.
func (s *Signature) Output(name string) (*types.Field, bool) { return field(s.Outputs, name) }

func field(fs []types.Field, name string) (*types.Field, bool) {
	for i := range fs {
		if fs[i].Name == name {
			return &fs[i], true
		}
	}
	return nil, false
}

// String returns the signature as dspi writes it.
func (s *Signature) String() string {
	side := func(fs []types.Field) string {
		parts := make([]string, len(fs))
		for i, f := range fs {
			parts[i] = f.Name + ": " + f.Type.String()
		}
		return strings.Join(parts, ", ")
	}
	return side(s.Inputs) + " -> " + side(s.Outputs)
}

// DefaultInstructions are what the model is told when a signature says nothing:
// the sentence that DSPy writes.
func (s *Signature) DefaultInstructions() string {
	names := func(fs []types.Field) string {
		parts := make([]string, len(fs))
		for i, f := range fs {
			parts[i] = "`" + f.Name + "`"
		}
		return strings.Join(parts, ", ")
	}
	return "Given the fields " + names(s.Inputs) + ", produce the fields " + names(s.Outputs) + "."
}
