package optimize

import (
	"math"

	"github.com/dspi-lang/dspi/lang/program"
)

// Space is what may be changed of a program: the product of its parameters, less
// what its constraints forbid (Study.Check).
type Space struct {
	Params []*Param
}

// Kind is the kind of a parameter.
type Kind string

// The kinds of parameters.
const (
	Float        Kind = "float"
	Int          Kind = "int"
	Choice       Kind = "choice"       // one of Values: literals, members of an enum, true and false, models, modules
	Demos        Kind = "demos"        // the demos of a predictor: which there are an optimizer finds out
	Instructions Kind = "instructions" // likewise
)

// Param is one thing that may be changed.
type Param struct {
	// Address is `var.k`, `program.route.classify.demos` or
	// `program.route.classify.temperature`.
	Address   string
	Kind      Kind
	Low, High float64 // of Float and Int, both included
	Step      float64 // of Float and Int; 0: none, which is 1 for Int
	Log       bool    // equal ratios count as equal distances
	Values    []any   // of Choice, in the order in which they are declared
	Default   any     // what it is now; nil: nothing
	// Variable is the variable that it is; "" for any other. Predictor is the index
	// of the predictor whose demos or instructions it is. Setting is the key in
	// Candidate.Settings.
	Variable  string
	Predictor int
	Setting   string
	Declared  *program.Variable
}

// Size returns how many values the parameter has: +Inf where there is no end of
// them, 0 where an optimizer finds them out.
func (p *Param) Size() float64 {
	switch p.Kind {
	case Choice:
		return float64(len(p.Values))
	case Int:
		return math.Floor((p.High-p.Low)/max(p.Step, 1)) + 1
	case Float:
		if p.Step > 0 {
			return math.Floor((p.High-p.Low)/p.Step+1e-9) + 1
		}
		return math.Inf(1)
	}
	return 0
}

// Size returns how many configurations there are of what has values of its own:
// +Inf where there is no end of them.
func (s *Space) Size() float64 {
	n := 1.0
	for _, p := range s.Params {
		if k := p.Size(); k > 0 {
			n *= k
		}
	}
	return n
}

// Searched returns the parameters that have values of their own: all but demos and
// instructions.
func (s *Space) Searched() []*Param {
	var out []*Param
	for _, p := range s.Params {
		if p.Kind != Demos && p.Kind != Instructions {
			out = append(out, p)
		}
	}
	return out
}

// With returns c with a value for the parameter: a float64, int or member of Values.
// Demos and instructions are changed with Candidate.WithDemos and WithInstructions.
func (p *Param) With(c *Candidate, v any) *Candidate {
	if p.Variable != "" {
		return c.WithVariable(p.Variable, v)
	}
	return c.WithSetting(p.Setting, v)
}

// Check says why a candidate cannot be run; nil: it can.
func (s *Study) Check(c *Candidate) error { return s.Runner.Check(c) }
