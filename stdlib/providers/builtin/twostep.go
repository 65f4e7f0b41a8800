package builtin

import (
	"encoding/json"
	"strings"
)

// The adapter two_step asks in two calls. The first prompt lists the fields and
// leaves the form of the reply free; the second is a chat whose one input is that
// reply. This model answers the first with `name: value`, which it can read in the
// second.

const (
	freeInputs   = "As input, you will be provided with:\n"
	freeOutputs  = "\nYour outputs must contain:\n"
	freeEnd      = "\nYou should lay out your outputs in detail"
	freeTask     = "\nSpecific instructions: "
	verbatimTask = "extract the fields from the text verbatim"
)

// readFree reads the system message of a free question.
func (t *task) readFree(system string) bool {
	_, rest, ok := strings.Cut(system, freeInputs)
	if !ok {
		return false
	}
	inputs, rest, ok := strings.Cut(rest, freeOutputs)
	if !ok {
		return false
	}
	outputs, rest, _ := strings.Cut(rest, freeEnd)
	_, objective, _ := strings.Cut(rest, freeTask)
	t.inputs, t.outputs = readFields(inputs), readFields(outputs)
	t.format, t.instruction = words, strings.TrimSpace(objective)
	for _, f := range t.outputs {
		f.shape = readShape(f, "")
		if f.shape.kind == choiceKind {
			f.shape.explain(t.instruction)
		}
	}
	return len(t.outputs) > 0
}

// wordValues cuts a text at its paragraphs that begin with `name: `.
func wordValues(content string, fields []*field) map[string]string {
	values := map[string]string{}
	name, start := "", 0
	put := func(end int) {
		if name != "" {
			values[name] = strings.TrimSpace(content[start:end])
		}
	}
	for at := 0; at < len(content); {
		for _, f := range fields {
			if _, seen := values[f.name]; !seen && f.name != name && strings.HasPrefix(content[at:], f.name+":") {
				put(at)
				name, start = f.name, at+len(f.name)+1
				break
			}
		}
		next := strings.Index(content[at:], "\n\n")
		if next < 0 {
			break
		}
		at += next + 2
	}
	put(len(content))
	return values
}

// verbatim takes the outputs of the second prompt from its one input.
func (t *task) verbatim() {
	if len(t.inputs) != 1 || !strings.Contains(t.instruction, verbatimTask) {
		return
	}
	t.said = wordValues(t.values[t.inputs[0].name], t.outputs)
}

// taken reads what the first reply said of an output.
func (t *task) taken(out *field) (any, bool) {
	text, ok := t.said[out.name]
	if !ok {
		return nil, false
	}
	if out.shape.optional && text == "null" {
		return nil, true
	}
	if out.shape.kind == choiceKind {
		for _, c := range out.shape.choices {
			if c.text == text {
				return c.value, true
			}
		}
		return nil, false
	}
	if v, ok := readAnswer(text, out.shape); ok {
		return v, true
	}
	switch out.shape.kind {
	case listKind, tupleKind, mapKind, recordKind, unionKind, anyKind:
		return json.RawMessage(text), json.Valid([]byte(text))
	}
	return nil, false
}
