package prompt

import (
	"strconv"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// TwoStep returns the adapter that writes as DSPy's TwoStepAdapter: the model
// answers in its own words, which suits those that reason, and a second call reads
// the outputs out of them. It is an Extractor.
func TwoStep() Adapter { return twoStep{} }

type twoStep struct{}

var _ Extractor = twoStep{}

func (twoStep) Name() string { return "two_step" }

// Form returns the form of the second reply, from which the outputs are read.
func (t twoStep) Form() string { return t.Then().Form() }

// Format returns nil: the first reply is free.
func (twoStep) Format(*program.Signature, lm.Features) *lm.Format { return nil }

func (a twoStep) Reply(sig *program.Signature, outputs *value.Object) string {
	return a.assistant(sig, outputs, notSupplied)
}

func (twoStep) Then() Adapter { return Chat() }

// Extraction is DSPy's: the input is called text. Where an output has that name,
// DSPy leaves the reply out of the second prompt; here the input is then `reply`,
// or the first of reply_2, reply_3, … that is free.
func (twoStep) Extraction(sig *program.Signature, reply string) (*program.Signature, *value.Object) {
	names := make([]string, len(sig.Outputs))
	for i := range sig.Outputs {
		names[i] = "`" + sig.Outputs[i].Name + "`"
	}
	input := "text"
	for i := 1; ; i++ {
		if _, taken := sig.Output(input); !taken {
			break
		}
		if input = "reply"; i > 1 {
			input += "_" + strconv.Itoa(i)
		}
	}
	return &program.Signature{
		Instructions: "The input is a text that should contain all the necessary information to produce the fields " +
			strings.Join(names, ", ") + ". " + strings.Repeat(" ", 12) + "Your job is to extract the fields from the text verbatim. " +
			"Extract precisely the appropriate value (content) for each field.",
		Inputs:  []types.Field{{Name: input, Type: types.String}},
		Outputs: sig.Outputs,
	}, value.NewObject(input, reply)
}

// Messages writes the first prompt. A history is shown as the value that it is,
// since the form of DSPy's prompt has no earlier turns.
func (t twoStep) Messages(sig *program.Signature, demos []Demo, inputs *value.Object) []lm.Message {
	sig = structured(sig)
	messages := []lm.Message{{Role: lm.System, Content: t.system(sig, nameTypes(sig))}}
	messages = append(messages, demonstrate(t, sig, demos)...)
	inputs = withDefaults(sig, inputs)
	return append(messages, written(lm.User, func(s *scribe) string { return t.user(s, sig, inputs, "", "") }))
}

func (twoStep) system(sig *program.Signature, n *typeNames) string {
	instructions := sig.Instructions
	if instructions == "" {
		instructions = sig.DefaultInstructions()
	}
	return "You are a helpful assistant that can solve tasks based on user input.\n" +
		"As input, you will be provided with:\n" + fieldList(sig.Inputs, n, true) + "\n" +
		"Your outputs must contain:\n" + fieldList(sig.Outputs, n, false) + "\n" +
		"You should lay out your outputs in detail so that your answer can be understood by another agent\n" +
		"Specific instructions: " + pyCleandoc(instructions)
}

func (twoStep) user(s *scribe, sig *program.Signature, inputs *value.Object, prefix, _ string) string {
	parts := []string{prefix}
	for i := range sig.Inputs {
		f := &sig.Inputs[i]
		if v, ok := inputs.Get(f.Name); ok {
			parts = append(parts, f.Name+": "+inWords(f.Type, s.value(sig, f.Type, v)))
		}
	}
	return pyStrip(strings.Join(append(parts, ""), "\n\n"))
}

// assistant leaves out what a demo does not give.
func (twoStep) assistant(sig *program.Signature, outputs *value.Object, _ any) string {
	var parts []string
	for i := range sig.Outputs {
		f := &sig.Outputs[i]
		if v, ok := outputs.Get(f.Name); ok {
			parts = append(parts, f.Name+": "+inWords(f.Type, shown(f.Type, v)))
		}
	}
	return pyStrip(strings.Join(parts, "\n\n"))
}

// request is nothing: the model is free.
func (twoStep) request(*program.Signature, *typeNames) string { return "" }

// inWords is Python's str() of a value that is shown, as an f-string writes it.
func inWords(t types.Type, v any) string {
	if isHistory(t) && v != nil {
		list, _ := v.(*value.Object).Get("messages")
		return "messages=" + pyRepr(list)
	}
	if isStructure(v) {
		return pyRepr(v)
	}
	return pyStr(v)
}
