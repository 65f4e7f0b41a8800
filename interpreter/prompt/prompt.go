// Package prompt turns a call into the messages a model receives.
//
//	Adapter    a way to write prompts: signature + demos + inputs → messages
//	Extractor  an Adapter whose replies are read by a second call
//	Demo       a worked example: values for the signature's fields
//	Chat       the adapter `chat`: fields under headings (chat.go)
//	JSON       the adapter `json`: replies are JSON objects (json.go)
//	XML        the adapter `xml`: fields between tags (xml.go)
//	Compact    the adapter `compact`: as json, with types drawn short (compact.go)
//	User       inputs as one message, Opening with demos before it, for modules
//	           that talk in turns (turns.go)
//	TwoStep    the adapter `two_step`: asks in words, then reads them (twostep.go)
//
// Everything here is pure: the same call gives the same bytes, and nothing is
// read or sent. Package align reads what the model answers.
//
// What stays the same comes first: the first message depends on the signature
// alone, the demos follow, then the earlier turns of a conversation, then the
// inputs. So calls of one step share the longest beginning that they can, and
// providers that keep the beginnings of prompts find them.
//
// Except for Compact, the formats are not ours. Programs tuned with DSPy must mean
// the same here, so each byte follows DSPy 3.3.1, and testdata/dspy holds messages
// written by the real one. The few places where more is said than DSPy says (the
// meaning of enum values, patterns) are marked there with `differs:`.
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
	//
	// An input of type history becomes the earlier turns it holds. A picture, a
	// sound or a file becomes a part of its message, in its place. Its bytes
	// must be there, or a URL: a path that nobody has read yet is only named.
	Messages(sig *program.Signature, demos []Demo, inputs *value.Object) []lm.Message
	// Form names the form in which replies come, as align.Read knows it.
	Form() string
	// Format returns what a model that has features can hold its reply to, nil
	// where the prompt's own words are all there is.
	Format(sig *program.Signature, features lm.Features) *lm.Format
	// Reply returns outputs as a reply of this form would give them.
	Reply(sig *program.Signature, outputs *value.Object) string
}

// Extractor is an Adapter whose replies are in free words, so that a second call
// reads them. Of one, Messages and Format are those of the first call, and Form is
// that of the second, whose reply gives the outputs:
//
//	first := send(a.Messages(sig, demos, inputs), a.Format(sig, features))
//	sig, inputs = a.Extraction(sig, first.Text)
//	then := a.Then()
//	second := send(then.Messages(sig, nil, inputs), then.Format(sig, features))
//	align.Read(sig, then.Form(), second.Text, mode)
//
// Both are calls like any other, in the trace and in the usage. Where the second
// reply does not fit, it is the second call that is made again.
type Extractor interface {
	Adapter
	// Then returns the adapter of the second call, which is no Extractor.
	Then() Adapter
	// Extraction returns the signature of the second call, a text in and the
	// outputs of sig out, and its inputs: the reply of the first call.
	Extraction(sig *program.Signature, reply string) (*program.Signature, *value.Object)
}

// all is the one table of adapters, in the order in which people read it.
func all() []Adapter { return []Adapter{Chat(), JSON(), XML(), Compact(), TwoStep()} }

// Lookup returns the adapter of a name.
func Lookup(name string) (Adapter, bool) {
	for _, a := range all() {
		if a.Name() == name {
			return a, true
		}
	}
	return nil, false
}

// Names returns the names of all adapters.
func Names() []string {
	var names []string
	for _, a := range all() {
		names = append(names, a.Name())
	}
	return names
}
