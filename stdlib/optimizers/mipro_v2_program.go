package optimizers

import (
	"strings"

	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
)

// programText writes the program of a study for a model to read, as dspi writes it:
// the types it names, the programs it calls, then itself. Values that must not be
// shown are left out.
func programText(s *optimize.Study) string {
	w := &programWriter{done: map[any]bool{}}
	if s.Program.Signature == nil { // a program that was made without a text
		for _, p := range s.Predictors {
			w.types(p.Declared)
			w.open(p.Module + " " + p.Path)
			w.signature(p.Declared, p.Declared.Instructions)
			w.close()
		}
	} else {
		w.program(s.Program)
	}
	return strings.TrimSpace(w.String())
}

type programWriter struct {
	strings.Builder
	depth int
	done  map[any]bool // types and programs that were written
}

func (w *programWriter) line(text string) {
	w.WriteString(strings.Repeat("  ", w.depth) + text + "\n")
}

func (w *programWriter) open(head string) {
	w.line(head + " {")
	w.depth++
}

func (w *programWriter) close() {
	w.depth--
	w.line("}")
	if w.depth == 0 {
		w.WriteString("\n")
	}
}

func (w *programWriter) program(p *program.Program) {
	if w.done[p] {
		return
	}
	w.done[p] = true
	var before func(steps []*program.Step)
	before = func(steps []*program.Step) {
		for _, s := range steps {
			if s.Program != nil {
				w.program(s.Program)
			}
			if s.Declared != nil {
				w.types(s.Declared)
			}
			if s.Repeat != nil {
				before(s.Repeat.Steps)
			}
		}
	}
	w.types(p.Signature)
	before(p.Steps)
	for line := range strings.Lines(p.Doc) {
		w.line(strings.TrimSpace("# " + strings.TrimSpace(line)))
	}
	w.open("program " + p.Name)
	w.signature(p.Signature, p.Signature.Instructions)
	w.steps(p.Steps, p.Lets)
	if len(p.Steps) > 0 {
		w.WriteString("\n")
	}
	w.bindings("outputs", p.Outputs)
	w.close()
}

func (w *programWriter) steps(steps []*program.Step, lets []*program.Let) {
	for i, l := range lets {
		if i == 0 {
			w.WriteString("\n")
		}
		w.value("let "+l.Name, l.Value)
	}
	for _, s := range steps {
		w.step(s, s.Name)
	}
}

// step writes a step; one that another holds has no name.
func (w *programWriter) step(s *program.Step, name string) {
	w.WriteString("\n")
	switch {
	case s.Repeat != nil:
		w.open("repeat " + name)
		w.value("until", s.Repeat.Until)
		w.value("max_rounds", s.Repeat.MaxRounds)
		w.bindings("state", s.Repeat.Init)
		w.steps(s.Repeat.Steps, s.Repeat.Lets)
		w.bindings("next", s.Repeat.Next)
		w.close()
		return
	case s.Program != nil:
		w.open(s.Program.Name + " " + name)
	default:
		w.open(strings.TrimSpace(s.Module + " " + name))
	}
	instructions := ""
	if s.Declared != nil {
		instructions = s.Declared.Instructions
	}
	if given := s.Settings.Instructions; !given.IsZero() {
		w.value("instructions", given)
		instructions = ""
	}
	if s.Declared != nil && s.Program == nil && s.Inner == nil && len(s.Parts) == 0 {
		w.signature(s.Declared, instructions)
	}
	w.bindings("inputs", s.Inputs)
	w.value("when", s.Flow.When)
	if s.Flow.Otherwise != "" {
		w.line("otherwise = " + s.Flow.Otherwise)
	}
	w.value("for_each", s.Flow.ForEach)
	for _, o := range s.Options {
		if len(o.Refs) > 0 {
			w.line(o.Name + " = [" + strings.Join(o.Refs, ", ") + "]")
		} else {
			w.value(o.Name, o.Value)
		}
	}
	for _, a := range s.Asserts {
		kind := "assert "
		if a.Suggest {
			kind = "suggest "
		}
		w.open(kind + a.Name)
		w.value("that", a.That)
		w.value("message", a.Message)
		w.close()
	}
	if s.Inner != nil {
		w.step(s.Inner, "")
	}
	for _, part := range s.Parts {
		w.step(part, "")
	}
	w.close()
}

// value writes a setting unless it has none, or one that must not be shown.
func (w *programWriter) value(name string, v program.Value) {
	if text := v.Text(); !v.IsZero() && !v.Sensitive && text != "" {
		w.line(name + " = " + text)
	}
}

// bindings writes a block of what is bound by hand.
func (w *programWriter) bindings(name string, list []program.Binding) {
	var written []program.Binding
	for _, b := range list {
		if !b.Auto {
			written = append(written, b)
		}
	}
	if len(written) == 0 {
		return
	}
	w.open(name)
	for _, b := range written {
		w.value(b.Name, b.Value)
	}
	w.close()
}

// signature writes the fields, one a line.
func (w *programWriter) signature(sig *program.Signature, instructions string) {
	if instructions != "" {
		w.line("instructions = " + types.FormatLiteral(instructions))
	}
	w.fields(sig.Inputs)
	w.line("->")
	w.fields(sig.Outputs)
}

func (w *programWriter) fields(fields []types.Field) {
	for _, f := range fields {
		text := f.Name + ": " + f.Type.String()
		if f.HasDefault {
			text += " = " + types.FormatLiteral(f.Default)
		}
		if f.Description != "" {
			text += " " + types.FormatLiteral(f.Description)
		}
		w.line(text)
	}
}

// types writes the types that a signature names, each once.
func (w *programWriter) types(sig *program.Signature) {
	for _, f := range sig.Inputs {
		w.declare(f.Type)
	}
	for _, f := range sig.Outputs {
		w.declare(f.Type)
	}
}

func (w *programWriter) declare(t types.Type) {
	switch t := t.(type) {
	case *types.List:
		w.declare(t.Elem)
	case *types.Optional:
		w.declare(t.Elem)
	case *types.Map:
		w.declare(t.Elem)
	case *types.Tuple:
		for _, x := range t.Elems {
			w.declare(x)
		}
	case *types.Union:
		for _, x := range t.Members {
			w.declare(x)
		}
	case *types.Record:
		if w.done[t] {
			return
		}
		w.done[t] = true
		for _, f := range t.Fields {
			w.declare(f.Type)
		}
		if t.Name != "" {
			w.open("type " + t.Name)
			w.fields(t.Fields)
			w.close()
		}
	case *types.Enum:
		if w.done[t] {
			return
		}
		w.done[t] = true
		w.open("enum " + t.Name)
		for _, m := range t.Members {
			text := m.Name
			if m.Shown != m.Name {
				text += " = " + types.FormatLiteral(m.Shown)
			}
			if m.Description != "" {
				text += " " + types.FormatLiteral(m.Description)
			}
			w.line(text)
		}
		w.close()
	}
}
