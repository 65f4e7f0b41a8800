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
	ShapedBase             // as the row's Shape is held: message, embedding, image
)

// Group is the part of the reference in which a row stands.
type Group string

// The groups of the table, in the order of the reference.
const (
	Basic     Group = "basic"
	Media     Group = "media"
	Measures  Group = "measures"  // numbers with a meaning
	Reasoning Group = "reasoning" // how an answer came to be
	Talk      Group = "talk"      // messages, tools, replies
	Vectors   Group = "vectors"   // numbers a model computes with
	Texts     Group = "texts"     // texts with a purpose
)

// Row is one row of the table of primitive types: everything that is to be known
// of the type stands here, once.
//
// What a value must meet beyond its base, bounds and shape is a Rule in words
// here; lang/value has the function of the same name and a test compares the two.
type Row struct {
	Name   string
	Group  Group
	Base   Base
	Python string // the type's name in Python: "str"
	// Database is the type of a PostgreSQL column for it: "bigint".
	Database string
	Doc      string // one line for hover text and `dspi doc`

	// Shape is the structure of a ShapedBase value; nil for the others. Ask
	// Primitive.Shape, which also knows the constraints.
	Shape Type
	// Min and Max are bounds that the type itself sets; nil: none.
	Min, Max *float64
	// MinLength and MaxLength are what the type itself demands of a text, in
	// characters; 0: nothing.
	MinLength, MaxLength int
	// Format is JSON Schema's name for the form of a text: "date".
	Format string
	// Pattern is the form of a text for which JSON Schema has no name, RE2.
	Pattern string
	// Rule says what else a value must meet: "total_tokens is the sum of …".
	Rule string
	// Reads says what else is taken where values are read leniently, from a
	// reply or a command line: "a text of steps becomes …".
	Reads string
	// Sensitive values stay out of prompts, outputs, messages and logs.
	Sensitive bool

	// Argument is what stands in parentheses without a name: the 1536 of
	// `embedding(1536)`; nil: nothing may.
	Argument *Argument
	// Allows lists the constraints that apply.
	Allows []string
	// Example is a value of the type, in plain Go.
	Example any
	// Neutral is the value that says least, nil where there is none; the
	// baseline model's answer to what it cannot know.
	Neutral any
}

// Argument is what a type takes in parentheses without a name.
type Argument struct {
	Name string // for messages: "the number of dimensions"
	Base Base   // IntBase or StringBase
	Max  int    // of an int, which is at least 1
	Doc  string
}

// Formats are the values of the constraint `format` of a string, with what they
// demand. Dates, times and durations are types of their own.
var Formats = []struct{ Name, Doc string }{
	{"email", "an address with one `@`: eva@example.com"},
	{"uri", "an absolute address: https://example.com/a?b=c"},
	{"uuid", "32 hexadecimal digits in five groups"},
	{"hostname", "a name of the Internet: api.example.com"},
	{"ipv4", "four numbers from 0 to 255: 192.0.2.1"},
	{"ipv6", "an address of IP version 6: 2001:db8::1"},
}

var (
	zero, one, minusOne = 0.0, 1.0, -1.0

	stringLimits = []string{"min_length", "max_length", "pattern", "format"}
	textLimits   = []string{"min_length", "max_length"}
	numberLimits = []string{"min", "max", "multiple_of"}
	listLimits   = []string{"min_items", "max_items"}
)

// ListLimits are the constraints of `list[T]`, MapLimits those of `map[string, T]`.
var (
	ListLimits = []string{"min_items", "max_items", "unique"}
	MapLimits  = listLimits
)

var (
	stringRow = &Row{Name: "string", Group: Basic, Base: StringBase, Python: "str", Database: "text",
		Doc: "text", Allows: stringLimits, Example: "some text", Neutral: ""}
	intRow = &Row{Name: "int", Group: Basic, Base: IntBase, Python: "int", Database: "bigint",
		Doc: "a whole number of 64 bits", Allows: numberLimits, Example: 42, Neutral: 0}
	floatRow = &Row{Name: "float", Group: Basic, Base: FloatBase, Python: "float", Database: "double precision",
		Doc: "a number", Allows: numberLimits, Example: 3.14, Neutral: 0.0}
	boolRow = &Row{Name: "bool", Group: Basic, Base: BoolBase, Python: "bool", Database: "boolean",
		Doc: "true or false", Example: true, Neutral: false}
	jsonRow = &Row{Name: "json", Group: Basic, Base: AnyBase, Python: "Any", Database: "jsonb",
		Doc: "any JSON value; what is in it is checked when it is used", Example: map[string]any{"a": 1}}

	dateRow = &Row{Name: "date", Group: Basic, Base: StringBase, Python: "date", Database: "date",
		Doc: "a day, written 2026-11-21", Format: "date",
		Rule: "a day of the calendar, written YYYY-MM-DD", Example: "2026-11-21"}
	datetimeRow = &Row{Name: "datetime", Group: Basic, Base: StringBase, Python: "datetime", Database: "timestamp with time zone",
		Doc: "a moment with its zone, written 2026-11-21T09:30:00Z", Format: "date-time",
		Rule:  "a moment as in RFC 3339: date, `T`, time and zone",
		Reads: "a space or a small letter in place of `T` and `Z`", Example: "2026-11-21T09:30:00Z"}
	durationRow = &Row{Name: "duration", Group: Basic, Base: StringBase, Python: "timedelta", Database: "interval",
		Doc: "a length of time, written 1h30m", Pattern: DurationPattern,
		Rule:  "numbers with units, largest first: d, h, m, s, ms, us, ns",
		Reads: "the form of ISO 8601, PT1H30M", Example: "1h30m", Neutral: "0s"}

	probabilityRow = &Row{Name: "probability", Group: Measures, Base: FloatBase, Python: "float", Database: "double precision",
		Doc: "a number from 0 to 1: how likely something is", Min: &zero, Max: &one, Example: 0.75, Neutral: 0.0}
	confidenceRow = &Row{Name: "confidence", Group: Measures, Base: FloatBase, Python: "float", Database: "double precision",
		Doc: "a number from 0 to 1: how sure the answer is", Min: &zero, Max: &one, Example: 0.85, Neutral: 0.0}
	similarityRow = &Row{Name: "similarity", Group: Measures, Base: FloatBase, Python: "float", Database: "double precision",
		Doc: "a number from -1 to 1: how alike two things are", Min: &minusOne, Max: &one, Example: 0.6, Neutral: 0.0}
	tokenCountRow = &Row{Name: "token_count", Group: Measures, Base: IntBase, Python: "int", Database: "bigint",
		Doc: "a number of tokens, 0 or more", Min: &zero, Allows: numberLimits, Example: 128, Neutral: 0}
)

// table is in the order of the reference. The rows with a shape stand in shapes.go.
var table = sync.OnceValue(func() []*Row {
	return []*Row{
		stringRow, intRow, floatRow, boolRow, dateRow, datetimeRow, durationRow, jsonRow,
		imageRow, audioRow, fileRow,
		probabilityRow, confidenceRow, similarityRow, tokenCountRow, tokenUsageRow, qualityMetricsRow,
		reasoningChainRow, reasoningStepRow, citationRow,
		messageRow, historyRow, toolCallRow, toolResultRow, modelOutputRow, modelResponseRow, variableConfigRow,
		embeddingRow, tensorRow, tokenListRow, attentionWeightsRow,
		codeRow, promptTemplateRow, generatedTextRow, apiKeyRow,
	}
})

// Table returns the primitive types in the order of the reference.
func Table() []*Row { return table() }

var rows = sync.OnceValue(func() map[string]*Row {
	m := make(map[string]*Row, len(table()))
	for _, r := range table() {
		m[r.Name] = r
	}
	return m
})

// Lookup returns the primitive type of a name.
func Lookup(name string) (*Row, bool) {
	r, ok := rows()[name]
	return r, ok
}

// The primitive types without constraints that others are built with.
var (
	String = &Primitive{Row: stringRow}
	Int    = &Primitive{Row: intRow}
	Float  = &Primitive{Row: floatRow}
	Bool   = &Primitive{Row: boolRow}
	JSON   = &Primitive{Row: jsonRow}
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

// Lengths returns how many characters a text of p has at least and at most: its
// constraints within what the type itself demands; nil where nothing does.
func (t *Primitive) Lengths() (lo, hi *int) {
	if n := t.Row.MinLength; n > 0 {
		lo = &n
	}
	if n := t.Row.MaxLength; n > 0 {
		hi = &n
	}
	if c := t.Constraints.MinLength; c != nil && (lo == nil || *c > *lo) {
		lo = c
	}
	if c := t.Constraints.MaxLength; c != nil && (hi == nil || *c < *hi) {
		hi = c
	}
	return lo, hi
}
