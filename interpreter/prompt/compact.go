package prompt

import (
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// Compact returns the adapter whose prompts are short. Replies are JSON objects
// and inputs stand under headers, as with JSON; what an output is, is drawn as a
// declaration that people write in TypeScript, instead of in JSON Schema:
//
//	Each input stands under its name, as in [[ ## message ## ]]:
//
//	message: string // the message, verbatim
//
//	Answer with one JSON object, the last of these types:
//
//	Desk =
//	  | "billing" // money
//	  | "lost card"
//
//	{
//	  desk: Desk
//	  urgency: int // 5 = someone is being harmed now; 1 to 5
//	  refund: { asked: bool, amount: float | null }
//	}
//
//	Your task:
//	Read one customer message.
func Compact() Adapter { return compact{} }

type compact struct{}

func (compact) Name() string { return "compact" }

func (compact) Form() string { return "json" }

// Format holds the reply to the outputs' JSON Schema; see strictFormat.
func (compact) Format(sig *program.Signature, features lm.Features) *lm.Format {
	return strictFormat(sig, features)
}

func (a compact) Reply(sig *program.Signature, outputs *value.Object) string {
	return a.assistant(sig, outputs, notSupplied)
}

func (c compact) Messages(sig *program.Signature, demos []Demo, inputs *value.Object) []lm.Message {
	return converse(c, sig, demos, inputs)
}

func (compact) system(sig *program.Signature, n *typeNames) string {
	d := newDeclarer(sig, n)
	var b strings.Builder
	if len(sig.Inputs) > 0 {
		b.WriteString("Each input stands under its name, as in " + header(sig.Inputs[0].Name) + ":\n\n")
		inputs := d.fields(sig.Inputs, "", true)
		b.WriteString(inputs + d.declarations() + "\n")
	}
	outputs := d.object(sig.Outputs)
	if declared := d.declarations(); declared != "" {
		b.WriteString("Answer with one JSON object, the last of these types:\n" + declared + "\n" + outputs)
	} else {
		b.WriteString("Answer with one JSON object of this type:\n\n" + outputs)
	}
	b.WriteString("\n\nYour task:\n" + strings.Join(instructionsOf(sig), "\n"))
	return b.String()
}

func (compact) user(s *scribe, sig *program.Signature, inputs *value.Object, prefix, request string) string {
	return underHeaders(s, sig, inputs, prefix, request)
}

// assistant writes the object in one line. It leaves out what a demo does not
// give, and says null of what an earlier turn does not.
func (compact) assistant(sig *program.Signature, outputs *value.Object, missing any) string {
	o := &value.Object{}
	for i := range sig.Outputs {
		f := &sig.Outputs[i]
		if v, ok := outputs.Get(f.Name); ok {
			o.Set(f.Name, shown(f.Type, v))
		} else if missing == nil {
			o.Set(f.Name, nil)
		}
	}
	return pyJSON(o)
}

func (compact) request(sig *program.Signature, _ *typeNames) string {
	return inOrder(sig, func(*types.Field) string { return "" })
}
