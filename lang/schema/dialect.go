package schema

import (
	"regexp"
	"slices"
	"sync"
)

// Dialect is a way to write JSON Schema.
type Dialect int

// The dialects.
const (
	// JSON is draft 2020-12, whole.
	JSON Dialect = iota
	// OpenAI is the part that structured outputs and strict tools take: every
	// property required, no other allowed, null in place of absent.
	OpenAI
	// Anthropic is draft 2020-12 with an object at the root, for a tool's
	// input_schema.
	Anthropic
	// Gemini is the part of OpenAPI 3.0 that Gemini calls Schema: nullable,
	// propertyOrdering, no references.
	Gemini
)

var names = []string{"json", "openai", "anthropic", "gemini"}

// Dialects returns the names of all dialects.
func Dialects() []string { return slices.Clone(names) }

// ParseDialect returns the dialect of a name.
func ParseDialect(name string) (Dialect, bool) {
	i := slices.Index(names, name)
	return Dialect(max(i, 0)), i >= 0
}

// String returns the dialect's name: "openai".
func (d Dialect) String() string { return names[d] }

// Title returns the name as people write it: "OpenAI".
func (d Dialect) Title() string {
	return []string{"JSON Schema", "OpenAI", "Anthropic", "Gemini"}[d]
}

// formats lists the forms of text that a dialect knows; JSON and Anthropic know all.
var formats = map[Dialect][]string{
	OpenAI: {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"},
	Gemini: {"date-time"},
}

func (d Dialect) knowsFormat(name string) bool {
	list, limited := formats[d]
	return !limited || slices.Contains(list, name)
}

// missing lists the keywords that a dialect has not.
var missing = map[Dialect][]string{
	OpenAI: {"minLength", "maxLength", "uniqueItems", "prefixItems", "minProperties", "maxProperties", "default"},
	Gemini: {"multipleOf", "uniqueItems", "prefixItems", "const", "default"},
}

func (d Dialect) knows(keyword string) bool { return !slices.Contains(missing[d], keyword) }

// The limits of OpenAI's structured outputs.
const (
	openAIProperties = 5000
	openAIDepth      = 10
	openAIEnum       = 1000
)

// foreign finds what RE2 has and ECMAScript, whose patterns JSON Schema means,
// has not.
var foreign = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\(\?[imsU-]+[:)]|\(\?P<|\\[AzQECa]|\\[pP][A-Z]|\\x\{|\[\[:`)
})

// portable reports whether a pattern means the same in ECMAScript.
func portable(pattern string) bool { return !foreign().MatchString(pattern) }
