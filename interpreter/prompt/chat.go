package prompt

import (
	"strconv"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// The sentences of the chat format; json and xml share the first two.
const (
	structureSentence = "All interactions will be structured in the following way, with the appropriate values filled in."
	objectiveSentence = "In adhering to this structure, your objective is: "
	completed         = "[[ ## completed ## ]]"
	indent            = "        "
)

// Chat returns the adapter that writes as DSPy's ChatAdapter: fields under
// `[[ ## name ## ]]` headers, demos as earlier turns of the conversation.
func Chat() Adapter { return chat{} }

type chat struct{}

func (chat) Name() string { return "chat" }

func (chat) Form() string { return "chat" }

// Format returns nil: the headings hold a reply together, and JSON has none.
func (chat) Format(*program.Signature, lm.Features) *lm.Format { return nil }

func (a chat) Reply(sig *program.Signature, outputs *value.Object) string {
	return a.assistant(sig, outputs, notSupplied)
}

func (c chat) Messages(sig *program.Signature, demos []Demo, inputs *value.Object) []lm.Message {
	return converse(c, sig, demos, inputs)
}

// ChatReply writes outputs as the chat format wants a model to write them: the
// reply that package align reads back to the same outputs.
func ChatReply(sig *program.Signature, outputs *value.Object) string {
	return chat{}.assistant(sig, outputs, notSupplied)
}

func (chat) system(sig *program.Signature, n *typeNames) string {
	return fieldLists(sig, n) + "\n" + structureSentence + "\n\n" +
		form(sig.Inputs, func(*types.Field) string { return "" }) + "\n\n" +
		form(sig.Outputs, n.note) + "\n\n" + completed + "\n" + objective(sig)
}

// objective is the last part of a system message: what is to be done.
func objective(sig *program.Signature) string {
	var b strings.Builder
	b.WriteString(objectiveSentence)
	for _, line := range instructionsOf(sig) {
		b.WriteString("\n" + indent + line)
	}
	return b.String()
}

// fieldLists are the two lists that a system message begins with.
func fieldLists(sig *program.Signature, n *typeNames) string {
	return "Your input fields are:\n" + fieldList(sig.Inputs, n, true) +
		"\nYour output fields are:\n" + fieldList(sig.Outputs, n, false)
}

// fieldList is the numbered list of a side's fields: name, type, description,
// constraints.
func fieldList(fields []types.Field, n *typeNames, inputs bool) string {
	lines := make([]string, len(fields))
	for i := range fields {
		f := &fields[i]
		var b strings.Builder
		b.WriteString(strconv.Itoa(i+1) + ". `" + f.Name + "` (" + n.of(f) + "): ")
		b.WriteString(description(f))
		b.WriteString(n.meanings(f, inputs))
		if c := constraints(f.Type); c != "" {
			b.WriteString("\nConstraints: " + c)
		}
		lines[i] = b.String()
	}
	return pyStrip(strings.Join(lines, "\n"))
}

// description is what is said about a field; `${name}` is what DSPy writes for a
// field about which nothing is said.
func description(f *types.Field) string {
	if f.Description == "${"+f.Name+"}" {
		return ""
	}
	return f.Description
}

// form shows where a side's fields go: `{name}` under each header.
func form(fields []types.Field, note func(*types.Field) string) string {
	parts := make([]string, len(fields))
	for i := range fields {
		parts[i] = header(fields[i].Name) + "\n{" + fields[i].Name + "}" + note(&fields[i])
	}
	return pyStrip(strings.Join(parts, "\n\n"))
}

func (chat) user(s *scribe, sig *program.Signature, inputs *value.Object, prefix, request string) string {
	return underHeaders(s, sig, inputs, prefix, request)
}

func (chat) assistant(sig *program.Signature, outputs *value.Object, missing any) string {
	parts := make([]string, len(sig.Outputs))
	for i := range sig.Outputs {
		f := &sig.Outputs[i]
		text := pyStr(missing)
		if v, ok := outputs.Get(f.Name); ok {
			text = formatValue(f.Type, v)
		}
		parts[i] = header(f.Name) + "\n" + text
	}
	return pyStrip(strings.Join(parts, "\n\n")) + "\n\n" + completed + "\n"
}

func (chat) request(sig *program.Signature, n *typeNames) string {
	parts := make([]string, len(sig.Outputs))
	for i := range sig.Outputs {
		f := &sig.Outputs[i]
		parts[i] = "`" + header(f.Name) + "`" + n.mustBe(f)
	}
	return "Respond with the corresponding output fields, starting with the field " +
		strings.Join(parts, ", then ") +
		", and then ending with the marker for `" + completed + "`."
}

// mustBe says of which type an output is, unless it is text.
func (n *typeNames) mustBe(f *types.Field) string {
	if isPlainText(f.Type) {
		return ""
	}
	return " (must be formatted as a valid Python " + n.of(f) + ")"
}

// isPlainText reports whether t is Python's str.
func isPlainText(t types.Type) bool {
	p, ok := t.(*types.Primitive)
	return ok && p.Row.Python == "str"
}
