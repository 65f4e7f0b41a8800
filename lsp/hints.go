package lsp

import (
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lsp/protocol"
)

// Hints returns what a span of a file leaves unsaid: types of named values, inputs
// and outputs that are bound by name, the model of a step.
func Hints(v *View, span source.Span) []protocol.InlayHint {
	out := []protocol.InlayHint{}
	p := v.check().Project
	if p == nil {
		return out
	}
	add := func(at int32, label, tooltip string, parameter bool) {
		if at < span.Start || at > span.End {
			return
		}
		h := protocol.InlayHint{Position: v.Position(at), Label: protocol.String(label), PaddingLeft: ptr(!strings.HasPrefix(label, ":"))}
		h.Kind = protocol.HintType
		if parameter {
			h.Kind = protocol.HintParameter
		}
		if tooltip != "" {
			h.Tooltip = protocol.String(tooltip)
		}
		out = append(out, h)
	}
	var steps func(prog *program.Program, list []*program.Step, lets []*program.Let)
	steps = func(prog *program.Program, list []*program.Step, lets []*program.Let) {
		for _, l := range lets {
			if l.Value.Type != nil && !types.IsInvalid(l.Value.Type) {
				add(l.Place.End, ": "+l.Value.Type.String(), "", false)
			}
		}
		for _, s := range list {
			if s.Place == prog.Place { // the one step of a program without steps
				continue
			}
			if s.Repeat != nil {
				steps(prog, s.Repeat.Steps, s.Repeat.Lets)
				continue
			}
			block := blockAt(v, s.Block.Span)
			if block == nil || block.Body == nil {
				continue
			}
			if bound := autoBound(s.Inputs); bound != "" {
				add(block.Body.Open.End, bound, "Inputs that are bound by name.", true)
			}
		}
	}
	for _, x := range p.Programs {
		if x.Place.File != v.src() {
			continue
		}
		steps(x, x.Steps, x.Lets)
		if block := blockAt(v, x.Block.Span); block != nil && block.Body != nil {
			if bound := autoBound(x.Outputs); bound != "" && len(x.Steps) > 0 && x.Steps[0].Place != x.Place {
				add(block.Body.Close.End, "outputs: "+bound, "Outputs that are bound by name.", true)
			}
			if m := effective(p, x); m != "" {
				add(x.Place.End, m, "The model of steps for which nothing else is said.", false)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b protocol.InlayHint) int {
		if a.Position.Line != b.Position.Line {
			return int(a.Position.Line) - int(b.Position.Line)
		}
		return int(a.Position.Character) - int(b.Position.Character)
	})
	return out
}

// autoBound lists the bindings that were not written.
func autoBound(list []program.Binding) string {
	var out []string
	for _, b := range list {
		if b.Auto {
			out = append(out, b.Name+" = "+b.Value.Text())
		}
	}
	return strings.Join(out, ", ")
}

// effective is the model of a program that names none.
func effective(p *program.Project, x *program.Program) string {
	for _, s := range x.Steps {
		if !s.Settings.Model.IsZero() {
			return ""
		}
	}
	for _, m := range p.Models {
		if m.Default {
			return "model." + m.Name
		}
	}
	return ""
}

// blockAt returns the block that spans a place of the file.
func blockAt(v *View, s source.Span) *syntax.Block {
	var found *syntax.Block
	for _, it := range v.tree().Items {
		syntax.Walk(it, func(n syntax.Node) bool {
			b, ok := n.(*syntax.Block)
			if ok && b.Span == s {
				found = b
			}
			return ok && found == nil && b.Start <= s.Start && s.End <= b.End
		})
	}
	return found
}
