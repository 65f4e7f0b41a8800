package python

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/value"
)

// Source returns the module as the text of a .dsp file. Its layout is plain;
// parser/format gives it the one form.
func (m *Module) Source(from string) string {
	var b strings.Builder
	b.WriteString("# Made from " + from + " (" + m.Class + ", DSPy " + m.DSPy + ").\n")
	for _, n := range m.Notes {
		b.WriteString("# note: " + strings.Join(strings.Fields(n), " ") + "\n")
	}
	for _, t := range m.Types {
		b.WriteString("\n")
		t.write(&b)
	}
	for _, p := range m.Programs {
		b.WriteString("\n")
		p.write(&b)
	}
	return b.String()
}

func (t Type) write(b *strings.Builder) {
	if t.Kind == "enum" {
		b.WriteString("enum " + t.Name + " {\n")
		for _, m := range t.Members {
			b.WriteString("  " + m.Name)
			if m.Shown != m.Name {
				b.WriteString(" = " + text(m.Shown))
			}
			b.WriteString("\n")
		}
		b.WriteString("}\n")
		return
	}
	b.WriteString("type " + t.Name + " {\n")
	for _, f := range t.Fields {
		b.WriteString("  " + f.text() + "\n")
	}
	b.WriteString("}\n")
}

func (f Field) text() string {
	s := f.Name + ": " + f.Type
	if f.Default != nil {
		s += " = " + *f.Default
	}
	if f.Description != "" {
		s += " " + text(f.Description)
	}
	return s
}

// text writes a fixed text: `${` would begin a template.
func text(s string) string {
	quoted := string(value.EncodeJSON(s))
	return template.Replace(quoted)
}

var template = strings.NewReplacer("${", "$${")

// signature writes a signature: on one line where that is easy to read.
func signature(inputs, outputs []Field) string {
	side := func(fs []Field, sep string) string {
		parts := make([]string, len(fs))
		for i, f := range fs {
			parts[i] = f.text()
		}
		return strings.Join(parts, sep)
	}
	described := slices.ContainsFunc(append(slices.Clone(inputs), outputs...), func(f Field) bool { return f.Description != "" })
	line := strings.TrimSpace(side(inputs, ", ") + " -> " + side(outputs, ", "))
	if !described && len(line) <= 100 {
		return line + "\n"
	}
	return side(inputs, "\n") + "\n->\n" + side(outputs, "\n") + "\n"
}

func (p Program) write(b *strings.Builder) {
	if p.Single && p.Ops[0].Module == "predict" && len(p.Ops[0].Settings) == 0 {
		op := p.Ops[0]
		b.WriteString("program " + p.Name + " {\n")
		op.writeInstructions(b)
		b.WriteString(signature(op.Inputs, op.Outputs) + "}\n")
		return
	}
	b.WriteString("program " + p.Name + " {\n" + signature(p.Inputs, p.Outputs))
	for _, op := range p.Ops {
		b.WriteString("\n")
		if op.Kind == "let" {
			b.WriteString("let " + op.Name + " = " + op.Value + "\n")
			continue
		}
		op.write(b, p)
	}
	if len(p.Bindings) > 0 {
		b.WriteString("\noutputs {\n")
		for _, x := range p.Bindings {
			b.WriteString("  " + x.Name + " = " + x.Value + "\n")
		}
		b.WriteString("}\n")
	}
	b.WriteString("}\n")
}

func (op Op) write(b *strings.Builder, p Program) {
	if op.Comment != "" {
		b.WriteString("# " + strings.Join(strings.Fields(op.Comment), " ") + "\n")
	}
	b.WriteString(op.Module + " " + op.Name + " {\n")
	if op.ForEach != "" {
		b.WriteString("for_each = " + op.ForEach + "\n")
	}
	if op.Call != "" {
		b.WriteString("call = " + text(op.Call) + "\n")
	}
	for _, name := range slices.Sorted(maps.Keys(op.Settings)) {
		b.WriteString(name + " = " + op.Settings[name] + "\n")
	}
	if !op.IsProgram {
		op.writeInstructions(b)
		b.WriteString("\n" + signature(op.Inputs, op.Outputs))
	}
	var bound []Binding
	for _, a := range op.Args {
		// What has the name of a program's input is bound by it, but where it has
		// a default of its own.
		byName := slices.ContainsFunc(p.Inputs, func(f Field) bool { return f.Name == a.Name })
		hasDefault := slices.ContainsFunc(op.Inputs, func(f Field) bool { return f.Name == a.Name && f.Default != nil })
		if a.Name != a.Value || !byName || hasDefault {
			bound = append(bound, a)
		}
	}
	if len(bound) > 0 {
		b.WriteString("\ninputs {\n")
		for _, a := range bound {
			b.WriteString("  " + a.Name + " = " + a.Value + "\n")
		}
		b.WriteString("}\n")
	}
	b.WriteString("}\n")
}

// writeInstructions writes what the model is told, over several lines where the
// text has several.
func (op Op) writeInstructions(b *strings.Builder) {
	if op.Instructions == nil {
		return
	}
	s := *op.Instructions
	if !strings.Contains(s, "\n") || strings.ContainsAny(s, "\r") || json.Valid([]byte(s)) || !plainLines.MatchString(s) {
		b.WriteString("instructions = " + text(s) + "\n")
		return
	}
	word := "EOT"
	for strings.Contains(s, word) {
		word += "_"
	}
	// A heredoc ends with a newline that DSPy's cleandoc takes away again.
	b.WriteString("instructions = <<" + word + "\n" + template.Replace(s) + "\n" + word + "\n")
}

// plainLines are lines without control characters, the first and last not empty.
var plainLines = regexp.MustCompile(`^[^\s\x00-\x1f][^\x00-\x09\x0b-\x1f]*[^\s\x00-\x1f]$`)
