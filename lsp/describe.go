package lsp

import (
	"fmt"
	"strings"

	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/lsp/snapshot"
)

// detail is a declaration in a few words: its type, signature or module.
func detail(v *View, d *snapshot.Def) string {
	p := v.check().Project
	if p == nil {
		return ""
	}
	switch d.Kind {
	case "program":
		for _, x := range p.Programs {
			if x.Place == d.Place && x.Signature != nil {
				return x.Signature.String()
			}
		}
	case "signature":
		for _, x := range p.Signatures {
			if x.Name == d.Name || strings.HasSuffix(x.Name, "."+d.Name) {
				return x.String()
			}
		}
	case "step":
		if b, ok := d.Item.(*syntax.Block); ok {
			return b.KindName()
		}
	case "model":
		for _, x := range p.Models {
			if x.Place == d.Place && x.Provider != "" {
				return strings.TrimSuffix(x.Provider+"/"+strings.Trim(x.ID.Text(), `"`), "/")
			}
		}
	case "variable":
		for _, x := range p.Variables {
			if x.Place == d.Place && x.Type != nil {
				return x.Type.String()
			}
		}
	case "tool":
		for _, x := range p.Tools {
			if x.Place == d.Place && x.Signature != nil {
				return x.Signature.String()
			}
		}
	case "let":
		if l, ok := findLet(p, d.Place); ok && l.Value.Type != nil {
			return l.Value.Type.String()
		}
	case "input", "output", "field":
		if f, ok := d.Item.(*syntax.Field); ok && f.Type != nil {
			return d.Place.File.Slice(f.Type.Range())
		}
	}
	return ""
}

func findLet(p *program.Project, at source.Place) (*program.Let, bool) {
	var in func(lets []*program.Let, steps []*program.Step) *program.Let
	in = func(lets []*program.Let, steps []*program.Step) *program.Let {
		for _, l := range lets {
			if l.Place == at {
				return l
			}
		}
		for _, s := range steps {
			if s.Repeat != nil {
				if l := in(s.Repeat.Lets, s.Repeat.Steps); l != nil {
					return l
				}
			}
		}
		return nil
	}
	for _, x := range p.Programs {
		if l := in(x.Lets, x.Steps); l != nil {
			return l, true
		}
	}
	return nil, false
}

// stepAt finds the step whose name stands at a place, with its program.
func stepAt(p *program.Project, at source.Place) (*program.Program, *program.Step) {
	if p == nil {
		return nil, nil
	}
	var in func(steps []*program.Step) *program.Step
	in = func(steps []*program.Step) *program.Step {
		for _, s := range steps {
			if s.Place == at {
				return s
			}
			if s.Repeat != nil {
				if x := in(s.Repeat.Steps); x != nil {
					return x
				}
			}
		}
		return nil
	}
	for _, x := range p.Programs {
		if s := in(x.Steps); s != nil {
			return x, s
		}
	}
	return nil, nil
}

// describe is a declaration in Markdown.
func describe(v *View, d *snapshot.Def) string {
	head := d.Kind + " " + d.Name
	p := v.check().Project
	var more []string
	switch d.Kind {
	case "input", "output", "field", "state":
		head = "(" + d.Kind + ") " + d.Name
		if f, ok := d.Item.(*syntax.Field); ok {
			if f.Type != nil {
				head += ": " + d.Place.File.Slice(f.Type.Range())
			}
			if f.Default != nil {
				head += " = " + f.Default.Text
			}
			if f.Description != nil {
				more = append(more, f.Description.Value)
			}
		}
	case "member":
		head = "(value) " + d.Name
		if d.Parent != nil {
			head = "(value of " + d.Parent.Name + ") " + d.Name
		}
		if m, ok := d.Item.(*syntax.EnumMember); ok && m.Description != nil {
			more = append(more, m.Description.Value)
		}
	case "step":
		prog, s := stepAt(p, d.Place)
		if s == nil {
			break
		}
		head = "(step) " + detail(v, d) + " " + d.Name
		more = append(more, outputsOf(s), stepDefaults(prog, s))
	case "variable":
		for _, x := range p.Variables {
			if x.Place == d.Place {
				head = "variable " + x.Name
				if x.Type != nil {
					head += ": " + x.Type.String()
				}
				switch {
				case x.Sensitive:
					more = append(more, "A secret: it is never shown.")
				case x.Env != "":
					more = append(more, "Default: the environment variable `"+x.Env+"`.")
				case x.HasDefault:
					more = append(more, "Default: `"+fmt.Sprint(types.FormatLiteral(x.Default))+"`.")
				case x.Computed.IsZero():
					more = append(more, "It has no default: a value must be given.")
				}
				more = append(more, x.Description)
			}
		}
	case "type", "enum":
		return joined(code(strings.TrimSpace(d.Whole.Text())), doc(d))
	default:
		if t := detail(v, d); t != "" {
			head += ": " + t
		}
	}
	return joined(append([]string{code(head), doc(d)}, more...)...)
}

// outputsOf lists the outputs of a step, as others see them.
func outputsOf(s *program.Step) string {
	if s.Repeat != nil {
		var lines []string
		for _, f := range s.Repeat.State {
			lines = append(lines, f.Name+": "+s.Flow.Seen(f.Type).String())
		}
		return "Its state:\n\n" + code(append(lines, "round: int", "done: bool")...)
	}
	if s.Signature == nil {
		return ""
	}
	var lines []string
	for _, f := range s.Signature.Outputs {
		line := f.Name + ": " + s.Flow.Seen(f.Type).String()
		if s.Declared != nil {
			if _, own := s.Declared.Output(f.Name); !own {
				line += "  # added by " + s.Module
			}
		}
		lines = append(lines, line)
	}
	return "Outputs:\n\n" + code(lines...)
}

// stepDefaults says what a step has without saying it.
func stepDefaults(p *program.Program, s *program.Step) string {
	if s.Module == "" {
		return ""
	}
	var out []string
	if m := s.Settings.Model; !m.IsZero() {
		out = append(out, "model: `"+m.String()+"`")
	} else {
		out = append(out, "model: the default model")
	}
	adapter := s.Settings.Adapter
	if adapter == "" {
		adapter = "chat"
	}
	out = append(out, "adapter: `"+adapter+"`")
	if s.Settings.Instructions.IsZero() && s.Signature != nil && s.Signature.Instructions == "" {
		out = append(out, "instructions: "+s.Signature.DefaultInstructions())
	}
	var auto []string
	for _, b := range s.Inputs {
		if b.Auto {
			auto = append(auto, "`"+b.Name+" = "+b.Value.Text()+"`")
		}
	}
	if len(auto) > 0 {
		out = append(out, "bound by name: "+strings.Join(auto, ", "))
	}
	return strings.Join(out, "  \n")
}

// doc is the comment above a declaration.
func doc(d *snapshot.Def) string { return d.Whole.File.CommentAbove(d.Whole.Start) }

func joined(parts ...string) string {
	var out []string
	for _, p := range parts {
		if strings.TrimSpace(p) != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, "\n\n")
}

// describeSetting is a setting in Markdown.
func describeSetting(s *universe.Setting) string {
	var notes []string
	if s.Required {
		notes = append(notes, "It must be given.")
	}
	if s.Default != "" {
		notes = append(notes, "Default: "+s.Default+".")
	}
	if len(s.Choices) > 0 {
		notes = append(notes, "One of: `"+strings.Join(s.Choices, "`, `")+"`.")
	}
	switch {
	case s.Min != nil && s.Max != nil:
		notes = append(notes, "From "+types.FormatFloat(*s.Min)+" to "+types.FormatFloat(*s.Max)+".")
	case s.Min != nil:
		notes = append(notes, "At least "+types.FormatFloat(*s.Min)+".")
	}
	return joined(code("(setting) "+s.Name+": "+string(s.Kind)), s.Doc, strings.Join(notes, " "))
}

// describeBlock is a kind of block in Markdown.
func describeBlock(name, text, example string) string {
	if text != "" {
		text = strings.ToUpper(text[:1]) + text[1:]
	}
	if example != "" {
		example = code(example)
	}
	return joined("**"+name+"**", text, example)
}
