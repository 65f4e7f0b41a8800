package lsp

import (
	"slices"
	"strings"
	"unicode"

	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
)

// extractSignature gives the inputs and outputs of the block around the cursor a
// name, so that others can have the same.
func extractSignature(v *View, offset int32) refactoring {
	top, ok := topAt(v.tree(), offset).(*syntax.Block)
	if !ok || top.KindName() == "signature" {
		return refactoring{}
	}
	block, fields := signatureAround(v, offset)
	if block == nil || !fields.Contains(offset) && headAt(v.tree(), offset) != block {
		return refactoring{}
	}
	name := v.fresh(camel(block.Name().Name))
	text := v.src().Slice(fields)
	if start := v.lines(fields); strings.TrimSpace(v.src().Text[start.Start:fields.Start]) == "" {
		text = v.src().Text[start.Start:fields.End]
	}
	at := v.above(top)
	return refactoring{title: "extract the signature " + name, changes: []change{
		{source.Span{Start: at, End: at}, "signature " + name + " {\n" + indentedBy(text, indent) + "\n}\n\n"},
		{fields, "signature = " + name},
	}}
}

// signatureAround returns the innermost block around an offset that has fields and
// an arrow, with the span of these; nil where other items stand between them.
func signatureAround(v *View, offset int32) (*syntax.Block, source.Span) {
	blocks := around(v.tree(), offset)
	if b := headAt(v.tree(), offset); b != nil {
		blocks = append(blocks, b)
	}
	for _, b := range slices.Backward(blocks) {
		if b.Body == nil || len(b.Labels) == 0 {
			continue
		}
		first, last, arrow := -1, -1, false
		for i, it := range b.Body.Items {
			switch it.(type) {
			case *syntax.Arrow:
				arrow = true
			case *syntax.Field:
			default:
				continue
			}
			if first < 0 {
				first = i
			}
			if last >= 0 && last != i-1 {
				return nil, source.Span{}
			}
			last = i
		}
		if arrow {
			return b, b.Body.Items[first].Range().To(b.Body.Items[last].Range())
		}
	}
	return nil, source.Span{}
}

// headAt returns the block whose first line, before its brace, an offset stands in.
func headAt(tree *syntax.File, offset int32) *syntax.Block {
	var found *syntax.Block
	for _, it := range tree.Items {
		syntax.Walk(it, func(n syntax.Node) bool {
			if !n.Range().Contains(offset) {
				return false
			}
			if b, ok := n.(*syntax.Block); ok && b.Body != nil && b.Start <= offset && offset <= b.Body.Open.End {
				found = b
			}
			return true
		})
	}
	return found
}

// camel writes a name as types are written: find_notes becomes FindNotes.
func camel(name string) string {
	var b strings.Builder
	for _, part := range strings.Split(name, "_") {
		for i, r := range part {
			if i == 0 {
				r = unicode.ToUpper(r)
			}
			b.WriteRune(r)
		}
	}
	return b.String()
}

// inlineSignature writes what a signature holds in the place of its name. The last
// use takes the signature with it.
func inlineSignature(v *View, offset int32) refactoring {
	blocks := around(v.tree(), offset)
	if len(blocks) == 0 {
		return refactoring{}
	}
	for _, it := range blocks[len(blocks)-1].Body.Items {
		a, ok := it.(*syntax.Attribute)
		if !ok || a.Name.Name != "signature" || a.Value == nil || !a.Contains(offset) {
			continue
		}
		target, _, ok := v.index().Target(a.Value.End)
		if !ok || target.File != v.src() {
			return refactoring{}
		}
		d, _ := v.index().Def(target)
		named, ok := d.Item.(*syntax.Block)
		if !ok || named.Body == nil || len(named.Body.Items) == 0 {
			return refactoring{}
		}
		items := named.Body.Items
		span := items[0].Range().To(items[len(items)-1].Range())
		text := v.src().Text[span.Start:span.End]
		if start := v.lines(span); strings.TrimSpace(v.src().Text[start.Start:span.Start]) == "" {
			text = v.src().Text[start.Start:span.End]
		}
		line := v.src().Line(v.src().LineOf(a.Start))
		by := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
		if strings.TrimSpace(v.src().Text[v.lines(a.Span).Start:a.Start]) != "" && strings.Contains(text, "\n") {
			by += indent
		}
		list := []change{{a.Span, strings.TrimLeft(indentedBy(text, by), " \t")}}
		if usesIn(v, target) == 1 {
			whole := v.lines(source.Span{Start: v.above(named), End: named.End})
			if int(whole.End) < len(v.src().Text) && strings.HasPrefix(v.src().Text[whole.End:], "\n") {
				whole.End++
			}
			list = append(list, change{whole, ""})
		}
		return refactoring{title: "inline the signature " + d.Name, changes: list}
	}
	return refactoring{}
}

// usesIn counts where a name is used, in all files of the open folders.
func usesIn(v *View, target source.Place) int { return len(usesOf(v, target)) - 1 }

// stepHead returns the step whose first line an offset stands in.
func stepHead(v *View, offset int32) (*syntax.Block, *program.Step) {
	b := headAt(v.tree(), offset)
	if b == nil || len(b.Labels) == 0 {
		return nil, nil
	}
	_, s := stepAt(v.check().Project, v.src().Place(b.Labels[0].Span))
	if s == nil || s.Module == "" {
		return nil, nil
	}
	return b, s
}

// thinkFirst makes a step that asks for its outputs alone one that reasons before.
func thinkFirst(v *View, offset int32) refactoring {
	b, s := stepHead(v, offset)
	if b == nil || s.Module != "predict" {
		return refactoring{}
	}
	return refactoring{title: "let it think first: chain_of_thought", changes: []change{{b.KindSpan(), "chain_of_thought"}}}
}

// wrapInBest has a step tried several times, and keeps the best answer.
func wrapInBest(v *View, offset int32) refactoring {
	b, s := stepHead(v, offset)
	if b == nil || s.Signature == nil {
		return refactoring{}
	}
	m, ok := v.u().Module(s.Module)
	if !ok || m.Wraps || m.Holds {
		return refactoring{}
	}
	for _, it := range b.Body.Items {
		if a, ok := it.(*syntax.Attribute); ok && slices.ContainsFunc(m.Settings, func(x universe.Setting) bool { return x.Name == a.Name.Name }) {
			return refactoring{} // it would have to move inside
		}
	}
	reward := "1.0"
	if s.Declared != nil && len(s.Declared.Outputs) > 0 {
		switch f := s.Declared.Outputs[0]; f.Type {
		case types.String:
			reward = "len(" + f.Name + ") > 0 ? 1.0 : 0.0"
		case types.Bool:
			reward = f.Name + " ? 1.0 : 0.0"
		}
	}
	by := v.src().Line(v.src().LineOf(b.Start))
	by = by[:len(by)-len(strings.TrimLeft(by, " \t"))]
	body := strings.TrimRight(v.src().Text[b.Body.Open.End:b.Body.Close.Start], " \t\n")
	if !strings.Contains(body, "\n") && strings.TrimSpace(body) != "" {
		body = "\n" + by + indent + strings.TrimSpace(body)
	}
	text := "\n" + by + indent + "n      = 3\n" + by + indent + "reward = " + reward + body + "\n" + by + indent + s.Module + " {}\n" + by
	return refactoring{title: "try it several times: best_of_n", changes: []change{
		{b.KindSpan(), "best_of_n"},
		{source.Span{Start: b.Body.Open.End, End: b.Body.Close.Start}, text},
	}}
}

// bindMissing binds the inputs that a step lacks: to an input of the program, or an
// output of another step, of a type that fits.
func bindMissing(v *View, offset int32) refactoring {
	p := v.check().Project
	if p == nil {
		return refactoring{}
	}
	for _, d := range v.check().Diags {
		if d.Code != "E0402" || d.Primary.File != v.src() {
			continue
		}
		prog, s := stepHolding(p, d.Primary.Place)
		if s == nil || !s.Block.Contains(offset) || s.Declared == nil {
			continue
		}
		b := blockAt(v, s.Block.Span)
		if b == nil || b.Body == nil || b.Body.Close.Len() == 0 {
			return refactoring{}
		}
		var lines []string
		for _, f := range s.Declared.Inputs {
			bound := slices.ContainsFunc(s.Inputs, func(x program.Binding) bool { return x.Name == f.Name })
			if bound || f.HasDefault {
				continue
			}
			if from := nearest(prog, s, f); from != "" {
				lines = append(lines, f.Name+" = "+from)
			}
		}
		if len(lines) == 0 {
			return refactoring{}
		}
		return refactoring{title: "bind the missing inputs of " + s.Name, changes: []change{bound(v, b, "inputs", lines)}}
	}
	return refactoring{}
}

// stepHolding returns the innermost step around a place, with its program.
func stepHolding(p *program.Project, at source.Place) (*program.Program, *program.Step) {
	for _, x := range p.Programs {
		if x.Block.File == at.File && x.Block.Contains(at.Start) {
			if s := stepAround(x.Steps, at.Start); s != nil {
				return x, s
			}
		}
	}
	return nil, nil
}

// nearest returns what an input may be bound to: the nearest thing before the step
// whose type fits, one of its name first.
func nearest(prog *program.Program, s *program.Step, want types.Field) string {
	best, rank := "", 0
	offer := func(text, name string, t types.Type, near int) {
		if t == nil || types.IsInvalid(t) || !types.Fits(t, want.Type) {
			return
		}
		score := near
		if name == want.Name {
			score += 1000
		}
		if best == "" || score > rank {
			best, rank = text, score
		}
	}
	for _, f := range prog.Signature.Inputs {
		offer(f.Name, f.Name, f.Type, 0)
	}
	for i, other := range prog.Steps {
		if other.Place.Start >= s.Place.Start || other.Signature == nil {
			continue
		}
		for _, f := range other.Signature.Outputs {
			offer(other.Name+"."+f.Name, f.Name, other.Flow.Seen(f.Type), i+1)
		}
	}
	return best
}

// bound puts bindings into the block `inputs` of a step, or `outputs` of a program,
// which it makes where there is none.
func bound(v *View, b *syntax.Block, kind string, lines []string) change {
	for _, it := range b.Body.Items {
		in, ok := it.(*syntax.Block)
		if ok && in.KindName() == kind && in.Body != nil && in.Body.Close.Len() > 0 {
			n := len(in.Body.Items)
			if n == 0 {
				return change{source.Span{Start: in.Body.Open.End, End: in.Body.Close.Start}, " " + strings.Join(lines, ", ") + " "}
			}
			last := in.Body.Items[n-1].Range()
			line := v.src().Line(v.src().LineOf(last.Start))
			by := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
			between := ", "
			if v.src().LineOf(in.Body.Open.Start) != v.src().LineOf(last.Start) {
				between = "\n" + by
			}
			return change{source.Span{Start: last.End, End: last.End}, between + strings.Join(lines, between)}
		}
	}
	line := v.src().Line(v.src().LineOf(b.Start))
	by := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
	text := by + indent + kind + " {\n"
	for _, l := range lines {
		text += by + indent + indent + l + "\n"
	}
	text += by + indent + "}\n" + by
	at := b.Body.Close.Start
	before := strings.TrimRight(v.src().Text[:at], " \t")
	if !strings.HasSuffix(before, "\n") {
		text = "\n" + text
	}
	return change{source.Span{Start: int32(len(before)), End: at}, text}
}
