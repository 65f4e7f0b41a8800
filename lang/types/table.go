package types

import "sync"

// Base says how a value of a primitive type is held while a program runs.
type Base int

// The bases of primitive types.
const (
	StringBase Base = iota // Go string
	IntBase                // Go int
	FloatBase              // Go float64
	BoolBase               // Go bool
	AnyBase                // any value: json
)

// Row is one row of the table of primitive types: everything that is to be known
// of the type stands here, once.
type Row struct {
	Name   string
	Base   Base
	Python string // the type's name in Python: "str"
	Doc    string // one line for hover text and `dspi doc`

	// Min and Max are bounds that the type itself sets; nil: none.
	Min, Max *float64
	// Allows lists the constraints that apply.
	Allows []string
	// Example is a value of the type.
	Example any
	// Neutral is the value that says least; the baseline model's answer to
	// what it cannot know.
	Neutral any
}

var (
	zero, one, minusOne = 0.0, 1.0, -1.0

	stringLimits = []string{"min_length", "max_length", "pattern"}
	numberLimits = []string{"min", "max", "multiple_of"}
)

var table = []*Row{
	{Name: "string", Base: StringBase, Python: "str", Doc: "text", Allows: stringLimits, Example: "some text", Neutral: ""},
	{Name: "int", Base: IntBase, Python: "int", Doc: "a whole number of 64 bits", Allows: numberLimits, Example: 42, Neutral: 0},
	{Name: "float", Base: FloatBase, Python: "float", Doc: "a number", Allows: numberLimits, Example: 3.14, Neutral: 0.0},
	{Name: "bool", Base: BoolBase, Python: "bool", Doc: "true or false", Example: true, Neutral: false},
	{Name: "json", Base: AnyBase, Python: "Any", Doc: "any JSON value; what is in it is checked when it is used", Example: map[string]any{"a": 1}, Neutral: nil},
	{Name: "probability", Base: FloatBase, Python: "float", Doc: "a number from 0 to 1: how likely something is", Min: &zero, Max: &one, Example: 0.75, Neutral: 0.0},
	{Name: "confidence", Base: FloatBase, Python: "float", Doc: "a number from 0 to 1: how sure the answer is", Min: &zero, Max: &one, Example: 0.85, Neutral: 0.0},
	{Name: "similarity", Base: FloatBase, Python: "float", Doc: "a number from -1 to 1: how alike two things are", Min: &minusOne, Max: &one, Example: 0.6, Neutral: 0.0},
}

// Table returns the primitive types in the order of the reference.
func Table() []*Row { return table }

var rows = sync.OnceValue(func() map[string]*Row {
	m := make(map[string]*Row, len(table))
	for _, r := range table {
		m[r.Name] = r
	}
	return m
})

// Lookup returns the primitive type of a name.
func Lookup(name string) (*Row, bool) {
	r, ok := rows()[name]
	return r, ok
}

var jsonRow = table[4]

// The primitive types without constraints.
var (
	String = &Primitive{Row: table[0]}
	Int    = &Primitive{Row: table[1]}
	Float  = &Primitive{Row: table[2]}
	Bool   = &Primitive{Row: table[3]}
	JSON   = &Primitive{Row: table[4]}
)

// Composite names the types that are built from others, for messages and docs.
var Composite = []struct{ Form, Doc string }{
	{"list[T]", "values of one type, in order"},
	{"map[string, T]", "values of one type by name"},
	{"tuple[A, B]", "a fixed number of values, each with its type"},
	{"T?", "T or null"},
	{"A | B", "a value of one of several types"},
	{"{ field: T, … }", "an object with these fields"},
	{`"a" | "b"`, "one of these texts"},
}

// Bounds returns the numeric bounds of p: those of its constraints within those
// that the type itself sets.
func (t *Primitive) Bounds() (lo, hi *float64) {
	lo, hi = t.Row.Min, t.Row.Max
	if c := t.Constraints.Min; c != nil && (lo == nil || *c > *lo) {
		lo = c
	}
	if c := t.Constraints.Max; c != nil && (hi == nil || *c < *hi) {
		hi = c
	}
	return lo, hi
}
