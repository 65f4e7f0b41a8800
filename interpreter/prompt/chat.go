package prompt

import (
	"strconv"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// The sentences of the chat format.
const (
	structureSentence  = "All interactions will be structured in the following way, with the appropriate values filled in."
	objectiveSentence  = "In adhering to this structure, your objective is: "
	incompleteSentence = "This is an example of the task, though some input or output fields are not supplied."
	notSupplied        = "Not supplied for this particular example. "
	completed          = "[[ ## completed ## ]]"
	indent             = "        "
)

// Chat returns the adapter that writes as DSPy's ChatAdapter: fields under
// `[[ ## name ## ]]` headers, demos as earlier turns of the conversation.
func Chat() Adapter { return chat{} }

type chat struct{}

func (chat) Name() string { return "chat" }

func (chat) Form() string { return "chat" }

// Format returns nil: the headings hold a reply together, and JSON has none.
func (chat) Format(*program.Signature, lm.Features) *lm.Format { return nil }

// structured returns the signature as the model must see it: types that are held
// as objects or lists, `reasoning_chain` and the like, are drawn as such.
func structured(sig *program.Signature) *program.Signature {
	out := *sig
	side := func(fs []types.Field) []types.Field {
		changed := false
		made := make([]types.Field, len(fs))
		for i, f := range fs {
			t := types.Structured(f.Type)
			changed = changed || t != f.Type
			f.Type = t
			made[i] = f
		}
		if !changed {
			return fs
		}
		return made
	}
	out.Inputs, out.Outputs = side(sig.Inputs), side(sig.Outputs)
	return &out
}

func (chat) Messages(sig *program.Signature, demos []Demo, inputs *value.Object) []lm.Message {
	sig = structured(sig)
	n := nameTypes(sig)
	messages := []lm.Message{{Role: lm.System, Content: system(sig, n)}}

	var complete, incomplete []Demo
	for _, d := range demos {
		switch {
		case isComplete(sig, d):
			complete = append(complete, d)
		case hasAny(sig.Inputs, d) && hasAny(sig.Outputs, d):
			incomplete = append(incomplete, d)
		}
	}
	for _, d := range incomplete {
		messages = append(messages,
			lm.Message{Role: lm.User, Content: user(sig, d, incompleteSentence, "")},
			lm.Message{Role: lm.Assistant, Content: assistant(sig, d)})
	}
	for _, d := range complete {
		messages = append(messages,
			lm.Message{Role: lm.User, Content: user(sig, d, "", "")},
			lm.Message{Role: lm.Assistant, Content: assistant(sig, d)})
	}
	return append(messages, lm.Message{Role: lm.User, Content: user(sig, withDefaults(sig, inputs), "", request(sig, n))})
}

// ChatReply writes outputs as the chat format wants a model to write them: the
// reply that package align reads back to the same outputs.
func ChatReply(sig *program.Signature, outputs *value.Object) string { return assistant(sig, outputs) }

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

// system is the first message: the fields, the form, the task.
func system(sig *program.Signature, n *typeNames) string {
	var b strings.Builder
	b.WriteString("Your input fields are:\n")
	b.WriteString(fieldList(sig.Inputs, n, true))
	b.WriteString("\nYour output fields are:\n")
	b.WriteString(fieldList(sig.Outputs, n, false))

	b.WriteString("\n" + structureSentence + "\n\n")
	b.WriteString(form(sig.Inputs, func(*types.Field) string { return "" }))
	b.WriteString("\n\n")
	b.WriteString(form(sig.Outputs, n.note))
	b.WriteString("\n\n" + completed + "\n")

	b.WriteString(objectiveSentence)
	instructions := sig.Instructions
	if instructions == "" {
		instructions = sig.DefaultInstructions()
	}
	for _, line := range pySplitlines(pyDedent(pyCleandoc(instructions))) {
		b.WriteString("\n" + indent + line)
	}
	return b.String()
}

// fieldList is the numbered list of a side's fields: name, type, description,
// constraints.
func fieldList(fields []types.Field, n *typeNames, inputs bool) string {
	lines := make([]string, len(fields))
	for i := range fields {
		f := &fields[i]
		var b strings.Builder
		b.WriteString(strconv.Itoa(i+1) + ". `" + f.Name + "` (" + n.of(f) + "): ")
		if f.Description != "${"+f.Name+"}" {
			b.WriteString(f.Description)
		}
		b.WriteString(n.meanings(f, inputs))
		if c := constraints(f.Type); c != "" {
			b.WriteString("\nConstraints: " + c)
		}
		lines[i] = b.String()
	}
	return pyStrip(strings.Join(lines, "\n"))
}

// form shows where a side's fields go: `{name}` under each header.
func form(fields []types.Field, note func(*types.Field) string) string {
	parts := make([]string, len(fields))
	for i := range fields {
		parts[i] = header(fields[i].Name) + "\n{" + fields[i].Name + "}" + note(&fields[i])
	}
	return pyStrip(strings.Join(parts, "\n\n"))
}

func header(name string) string { return "[[ ## " + name + " ## ]]" }

// user is what the person says: the inputs that are there, between prefix and
// suffix.
func user(sig *program.Signature, inputs *value.Object, prefix, suffix string) string {
	parts := []string{prefix}
	for i := range sig.Inputs {
		f := &sig.Inputs[i]
		if v, ok := inputs.Get(f.Name); ok {
			parts = append(parts, header(f.Name)+"\n"+formatValue(f.Type, v))
		}
	}
	return pyStrip(strings.Join(append(parts, suffix), "\n\n"))
}

// assistant is a demo's answer, or a model's.
func assistant(sig *program.Signature, outputs *value.Object) string {
	parts := make([]string, len(sig.Outputs))
	for i := range sig.Outputs {
		f := &sig.Outputs[i]
		text := notSupplied
		if v, ok := outputs.Get(f.Name); ok {
			text = formatValue(f.Type, v)
		}
		parts[i] = header(f.Name) + "\n" + text
	}
	return pyStrip(strings.Join(parts, "\n\n")) + "\n\n" + completed + "\n"
}

// request asks for the outputs, in the last message.
func request(sig *program.Signature, n *typeNames) string {
	parts := make([]string, len(sig.Outputs))
	for i := range sig.Outputs {
		f := &sig.Outputs[i]
		parts[i] = "`" + header(f.Name) + "`"
		if name := n.of(f); !isPlainText(f.Type) {
			parts[i] += " (must be formatted as a valid Python " + name + ")"
		}
	}
	return "Respond with the corresponding output fields, starting with the field " +
		strings.Join(parts, ", then ") +
		", and then ending with the marker for `" + completed + "`."
}

// isPlainText reports whether t is Python's str.
func isPlainText(t types.Type) bool {
	p, ok := t.(*types.Primitive)
	return ok && p.Row.Python == "str"
}
