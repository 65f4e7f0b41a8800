package syntax

import "github.com/dspi-lang/dspi/lang/source"

// FaultKind says what the parser did not understand. The checker's messages
// (lang/check/syntax.go) turn each into words.
type FaultKind int

const (
	// Unexpected: a token that cannot stand here. Found is its text, Wanted what could.
	Unexpected FaultKind = iota
	// UnclosedBlock: a `{` without its `}`. Related is the block's kind.
	UnclosedBlock
	// UnclosedBracket: a `(`, `[` or `{` inside an expression or type without its closer.
	UnclosedBracket
	// StrayCloser: a `}`, `)` or `]` that closes nothing.
	StrayCloser
	// MismatchedCloser: `(…]`. Related is the opener.
	MismatchedCloser
	// UnclosedString: a `"`, backtick or heredoc that never ends.
	UnclosedString
	// UnclosedComment: a `/*` without its `*/`.
	UnclosedComment
	// BadEscape: an unknown escape such as `\q` in a string.
	BadEscape
	// BadCharacter: a character that begins nothing, a NUL, or invalid UTF-8.
	BadCharacter
	// SingleQuotes: a string in `'…'`.
	SingleQuotes
	// TooDeep: brackets nested beyond the limit.
	TooDeep
	// MissingValue: an `=` with nothing behind it.
	MissingValue
	// MissingType: a `:` with nothing behind it.
	MissingType
	// MissingComma: two items on one line with no comma between them.
	MissingComma
	// BraceOnNextLine: a block's `{` that does not stand on the line of its kind.
	BraceOnNextLine
)

// Fault is one thing the parser did not understand. One cause makes one fault.
type Fault struct {
	Kind FaultKind
	source.Span
	Related source.Span // a second place that matters; empty when there is none
	Found   string      // the text found, "" at the end of the file
	Wanted  string      // what could stand here, for people: "a type"
}
