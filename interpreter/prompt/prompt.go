// Package prompt turns a call into the messages a model receives.
//
//	Adapter   a way to write prompts: signature + demos + inputs → messages
//	Demo      a worked example: values for the signature's fields
//	Chat      the adapter `chat`: the format of DSPy's ChatAdapter, to the byte
//
// Everything here is pure: the same call gives the same bytes, and nothing is
// read or sent. Package align reads what the model answers.
//
// The format is not ours. Programs tuned with DSPy must mean the same here, so
// each byte follows DSPy 3.3.1, and testdata/dspy holds messages written by the
// real one. The few places where more is said than DSPy says (the meaning of
// enum values, patterns) are marked there with `differs:`.
package prompt

import (
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/value"
)

// Demo is a worked example: values of the signature's inputs and outputs by name.
// One that lacks a field, or has null for it, is incomplete and is announced as
// such; one without any input or any output is left out.
type Demo = *value.Object

// Adapter writes the messages of one call.
type Adapter interface {
	// Name is the adapter's name in programs and on the command line: `chat`.
	Name() string
	// Messages returns the messages for a call of sig with inputs, after demos.
	// An input that is missing takes its default, and is left out if it has
	// none. Values are shown as they are, so they should fit their types;
	// where they do not, they are still shown.
	Messages(sig *program.Signature, demos []Demo, inputs *value.Object) []lm.Message
	// Form names the form in which replies come, as align.Read knows it.
	Form() string
	// Format returns what a model that has features can hold its reply to, nil
	// where the prompt's own words are all there is.
	Format(sig *program.Signature, features lm.Features) *lm.Format
}

// Lookup returns the adapter of a name.
func Lookup(name string) (Adapter, bool) {
	if name == "chat" {
		return Chat(), true
	}
	return nil, false
}

// Names returns the names of all adapters.
func Names() []string { return []string{"chat"} }
