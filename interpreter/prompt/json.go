package prompt

import (
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// JSON returns the adapter that writes as DSPy's JSONAdapter: inputs under
// headers, replies as one JSON object with the outputs in their order.
func JSON() Adapter { return jsonAdapter{} }

type jsonAdapter struct{}

func (jsonAdapter) Name() string { return "json" }

func (jsonAdapter) Form() string { return "json" }

// Format holds the reply to the outputs' JSON Schema; see strictFormat.
func (jsonAdapter) Format(sig *program.Signature, features lm.Features) *lm.Format {
	return strictFormat(sig, features)
}

func (a jsonAdapter) Reply(sig *program.Signature, outputs *value.Object) string {
	return a.assistant(sig, outputs, notSupplied)
}

func (j jsonAdapter) Messages(sig *program.Signature, demos []Demo, inputs *value.Object) []lm.Message {
	return converse(j, sig, demos, inputs)
}

func (jsonAdapter) system(sig *program.Signature, n *typeNames) string {
	notes := &value.Object{}
	for i := range sig.Outputs {
		f := &sig.Outputs[i]
		notes.Set(f.Name, "{"+f.Name+"}"+n.note(f))
	}
	return fieldLists(sig, n) + "\n" + structureSentence +
		"\n\nInputs will have the following structure:\n\n" +
		form(sig.Inputs, func(*types.Field) string { return "" }) +
		"\n\nOutputs will be a JSON object with the following fields.\n\n" +
		pyJSONIndent(notes) + "\n" + objective(sig)
}

func (jsonAdapter) user(s *scribe, sig *program.Signature, inputs *value.Object, prefix, request string) string {
	return underHeaders(s, sig, inputs, prefix, request)
}

func (jsonAdapter) assistant(sig *program.Signature, outputs *value.Object, missing any) string {
	o := &value.Object{}
	for i := range sig.Outputs {
		f := &sig.Outputs[i]
		v := missing
		if given, ok := outputs.Get(f.Name); ok {
			v = shown(f.Type, given)
		}
		o.Set(f.Name, v)
	}
	return pyJSONIndent(o)
}

func (jsonAdapter) request(sig *program.Signature, n *typeNames) string {
	return inOrder(sig, n.mustBe)
}

// inOrder asks for a JSON object and names its fields.
func inOrder(sig *program.Signature, note func(*types.Field) string) string {
	parts := make([]string, len(sig.Outputs))
	for i := range sig.Outputs {
		f := &sig.Outputs[i]
		parts[i] = "`" + f.Name + "`" + note(f)
	}
	return "Respond with a JSON object in the following order of fields: " + strings.Join(parts, ", then ") + "."
}
