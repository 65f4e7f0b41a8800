package prompt

import (
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// A conversation is the system message, demos as pairs of turns, those that lack
// something first, then the earlier turns of a history, then the inputs. What the
// adapters that write one have in common is here; a layout is what they differ in.

// layout writes the messages of one adapter.
type layout interface {
	// system is the first message: the fields, the form, the task.
	system(sig *program.Signature, n *typeNames) string
	// user is what the person says: the inputs that are there, between words
	// that announce a demo and words that ask for a reply; both may be "".
	user(s *scribe, sig *program.Signature, inputs *value.Object, prefix, request string) string
	// assistant is a demo's answer, or that of an earlier turn: missing stands
	// where it has none for an output.
	assistant(sig *program.Signature, outputs *value.Object, missing any) string
	// request asks for the outputs, in the last message.
	request(sig *program.Signature, n *typeNames) string
}

// The words about demos.
const (
	incompleteSentence = "This is an example of the task, though some input or output fields are not supplied."
	notSupplied        = "Not supplied for this particular example. "
)

// converse writes the messages of a call in a layout.
func converse(l layout, sig *program.Signature, demos []Demo, inputs *value.Object) []lm.Message {
	sig = structured(sig)
	n := nameTypes(sig)
	messages := []lm.Message{{Role: lm.System, Content: l.system(sig, n)}}
	messages = append(messages, demonstrate(l, sig, demos)...)

	inputs = withDefaults(sig, inputs)
	if f, ok := historyOf(sig); ok {
		sig = without(sig, f)
		v, _ := inputs.Get(f.Name)
		messages = append(messages, earlier(l, sig, v)...)
	}
	last := written(lm.User, func(s *scribe) string { return l.user(s, sig, inputs, "", l.request(sig, n)) })
	return append(messages, last)
}

// demonstrate writes the demos, those that lack something first.
func demonstrate(l layout, sig *program.Signature, demos []Demo) []lm.Message {
	var complete, incomplete []Demo
	for _, d := range demos {
		switch {
		case isComplete(sig, d):
			complete = append(complete, d)
		case hasAny(sig.Inputs, d) && hasAny(sig.Outputs, d):
			incomplete = append(incomplete, d)
		}
	}
	var messages []lm.Message
	add := func(d Demo, prefix string) {
		messages = append(messages,
			written(lm.User, func(s *scribe) string { return l.user(s, sig, d, prefix, "") }),
			lm.Message{Role: lm.Assistant, Content: l.assistant(sig, d, notSupplied)})
	}
	for _, d := range incomplete {
		add(d, incompleteSentence)
	}
	for _, d := range complete {
		add(d, "")
	}
	return messages
}

// structured returns the signature as the model must see it: types that are held
// as objects or lists, `reasoning_chain` and the like, are drawn as such. Media and
// histories among the inputs stay: they are given as what they are.
func structured(sig *program.Signature) *program.Signature {
	out := *sig
	side := func(fs []types.Field, as func(types.Type) types.Type) []types.Field {
		changed := false
		made := make([]types.Field, len(fs))
		for i, f := range fs {
			t := as(f.Type)
			changed = changed || t != f.Type
			f.Type = t
			made[i] = f
		}
		if !changed {
			return fs
		}
		return made
	}
	out.Inputs = side(sig.Inputs, func(t types.Type) types.Type { return types.StructuredExcept(t, given) })
	out.Outputs = side(sig.Outputs, types.Structured)
	return &out
}

// given reports whether values of a row are given to a model as what they are.
func given(r *types.Row) bool { return r.Group == types.Media || r.Name == historyRow }

func isComplete(sig *program.Signature, d Demo) bool {
	for _, side := range [][]types.Field{sig.Inputs, sig.Outputs} {
		for i := range side {
			if v, _ := d.Get(side[i].Name); v == nil {
				return false
			}
		}
	}
	return true
}

func hasAny(fields []types.Field, d Demo) bool {
	for i := range fields {
		if _, ok := d.Get(fields[i].Name); ok {
			return true
		}
	}
	return false
}

func withDefaults(sig *program.Signature, inputs *value.Object) *value.Object {
	filled := inputs
	for i := range sig.Inputs {
		f := &sig.Inputs[i]
		if _, given := inputs.Get(f.Name); !given && f.HasDefault {
			if filled == inputs {
				filled = inputs.Clone()
			}
			filled.Set(f.Name, f.Default)
		}
	}
	return filled
}

// instructionsOf are the lines of a signature's instructions, as Python reads them
// from a docstring.
func instructionsOf(sig *program.Signature) []string {
	instructions := sig.Instructions
	if instructions == "" {
		instructions = sig.DefaultInstructions()
	}
	return pySplitlines(pyDedent(pyCleandoc(instructions)))
}

// header is the line above a field's value.
func header(name string) string { return "[[ ## " + name + " ## ]]" }

// underHeaders writes the inputs that are there, each under its header.
func underHeaders(s *scribe, sig *program.Signature, inputs *value.Object, prefix, request string) string {
	parts := []string{prefix}
	for i := range sig.Inputs {
		f := &sig.Inputs[i]
		if v, ok := inputs.Get(f.Name); ok {
			parts = append(parts, header(f.Name)+"\n"+s.format(sig, f.Type, v))
		}
	}
	return pyStrip(strings.Join(append(parts, request), "\n\n"))
}
