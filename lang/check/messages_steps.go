package check

import (
	"fmt"
	"strings"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
)

// The words about steps, their inputs and outputs.

func notBinding(fs *fileScope, it syntax.Item, block string) *diag.Diagnostic {
	d := diag.New("E0125", fs.place(headOf(it)), "a `"+block+"` block holds `name = value`").
		Say("`:` starts a type, `=` starts a value. In `%s { … }` names get values.", block)
	if f, ok := it.(*syntax.Field); ok && f.Type == nil {
		at := fs.place(f.Name.Span)
		d.Fix("bind it to the value of the same name", at, f.Name.Name+" = "+f.Name.Name)
	} else if ok && f.Default == nil {
		if n, named := f.Type.(*syntax.NamedType); named && !n.HasArgs && len(n.Params) == 0 {
			between := fs.place(source.Span{Start: f.Name.End, End: n.Start})
			d.Fix("write a `=`", between, " = ")
		}
	}
	return d
}

func (c *checker) unknownInput(b *body, s *stepNode, a *syntax.Attribute) *diag.Diagnostic {
	at := b.fs.place(a.Name.Span)
	st := s.step
	d := diag.New("E0215", at, code(st.Name)+" has no input called "+code(a.Name.Name)).
		Relate(c.signaturePlace(b, s), "the inputs of %s come from here", code(st.Name))
	var names []string
	for _, f := range st.Declared.Inputs {
		names = append(names, f.Name)
	}
	if near, ok := diag.Nearest(a.Name.Name, names); ok {
		d.Fix("did you mean "+code(near)+"?", at, near)
	}
	if len(names) == 0 {
		return d.Say("It has no inputs.")
	}
	return d.Say("The step `%s` takes these inputs:\n\n%s", st.Name, fieldLines(st.Declared.Inputs, noAddition))
}

// signaturePlace returns where the signature of a step is written.
func (c *checker) signaturePlace(b *body, s *stepNode) source.Place {
	if s.step.Program != nil {
		return s.step.Program.Place
	}
	block := s.block
	if x, ok := s.settings["signature"]; ok {
		if d, ok := b.fs.lookup(typeKind, nameOf(x.attr.Value)); ok {
			return d.place
		}
	}
	if !s.own {
		block = b.block
		if x, ok := b.settings["signature"]; ok {
			if d, ok := b.fs.lookup(typeKind, nameOf(x.attr.Value)); ok {
				return d.place
			}
		}
	}
	if block == nil || block.Body == nil {
		return source.Place{}
	}
	var span source.Span
	for _, it := range block.Body.Items {
		if isSignaturePart(it) {
			if span.Len() == 0 {
				span = it.Range()
			}
			span = span.To(it.Range())
		}
	}
	if span.Len() == 0 {
		return source.Place{}
	}
	return b.fs.place(span)
}

// fieldPlace returns where a field of a step's or program's block is written.
func fieldPlace(fs *fileScope, block *syntax.Block, name string) source.Place {
	if block == nil || block.Body == nil {
		return source.Place{}
	}
	for _, it := range block.Body.Items {
		if f, ok := it.(*syntax.Field); ok && f.Name.Name == name {
			return fs.place(f.Span)
		}
	}
	return source.Place{}
}

func (c *checker) stepReceives(b *body, s *stepNode, f *types.Field, v program.Value) *diag.Diagnostic {
	st := s.step
	d := diag.New("E0301", v.Place, "this is "+article(v.Type.String()))
	if at := fieldPlace(b.fs, s.block, f.Name); s.own && !at.IsZero() {
		d.Relate(at, "%s asks for %s here", code(st.Name), code(f.Type.String()))
	} else {
		d.Relate(c.signaturePlace(b, s), "%s asks for %s here", code(st.Name), code(f.Type.String()))
	}
	say := fmt.Sprintf("    needs     %s\n    receives  %s\n", f.Type, v.Type)
	if refs := v.Expr.Refs(); len(refs) == 1 {
		if other, ok := b.prog.Step(refs[0].Root); ok || refs[0].Root != "" {
			if other == nil {
				other = b.stepNamed(refs[0].Root)
			}
			if other != nil {
				say += fmt.Sprintf("\nThe step `%s` produces these outputs:\n\n%s", other.Name, outputLines(other))
				for _, o := range other.Signature.Outputs {
					if !types.IsInvalid(o.Type) && types.Fits(o.Type, f.Type) && v.Text() == refs[0].Root+"."+lastPart(v.Text()) {
						d.Fix("did you mean "+code(other.Name+"."+o.Name)+"?", v.Place, other.Name+"."+o.Name)
						break
					}
				}
			}
		}
	}
	return d.Say("%s", say)
}

func lastPart(text string) string { return text[strings.LastIndexByte(text, '.')+1:] }

func (b *body) stepNamed(name string) *program.Step {
	for _, s := range b.steps {
		if s.step.Name == name {
			return s.step
		}
	}
	return nil
}

func (c *checker) autoBindsWrong(b *body, s *stepNode, f, in *types.Field) *diag.Diagnostic {
	at := fieldPlace(b.fs, s.block, f.Name)
	if at.IsZero() || !s.own {
		at = s.step.Place
	}
	what := "the program's input"
	if b.isState(in) {
		what = "the state"
	}
	d := diag.New("E0301", at, fmt.Sprintf("%s takes %s %s, which is %s", code(s.step.Name), what, code(f.Name), article(in.Type.String())))
	if what != "the state" {
		d.Relate(fieldPlace(b.fs, b.root().block, in.Name), "the program's input is declared here")
	}
	return d.Say("    needs     %s\n    receives  %s\n\nAn input that is not bound takes %s of the same name. Bind it in the step: `inputs { %s = … }`.", f.Type, in.Type, what, f.Name)
}

func (c *checker) inputsAreMissing(b *body, s *stepNode, missing []types.Field) *diag.Diagnostic {
	st := s.step
	names := make([]string, len(missing))
	for i, f := range missing {
		names[i] = f.Name
	}
	verb := "is"
	if len(names) > 1 {
		verb = "are"
	}
	where := st.Place
	if s.inputs != nil { // the others are bound there
		where = b.fs.place(s.inputs.KindSpan())
	}
	d := diag.New("E0402", where, fmt.Sprintf("%s of %s %s not bound", quotedList(names), code(st.Name), verb))
	if at := fieldPlace(b.fs, s.block, names[0]); s.own && !at.IsZero() {
		d.Relate(at, "asked for here")
	}
	var say strings.Builder
	say.WriteString("An input that is not bound takes the program's input of the same name, but ")
	if len(b.prog.Signature.Inputs) == 0 {
		say.WriteString("the program has no inputs.\n")
	} else {
		fmt.Fprintf(&say, "the program's inputs are:\n\n%s", fieldLines(b.prog.Signature.Inputs, noAddition))
	}
	// Offer the one value that would fit, where there is just one.
	binds := make([]string, 0, len(missing))
	for _, f := range missing {
		source := b.onlyFit(st, f)
		if source == "" {
			binds = nil
			break
		}
		binds = append(binds, f.Name+" = "+source)
	}
	if s.inputs == nil && len(binds) > 0 && s.block != nil && s.block.Body != nil && s.block.Body.Close.Len() > 0 {
		d.Fix("bind "+quotedList(names), b.fs.place(s.block.Body.Close), insertBlock(b.fs, s.block, "inputs { "+strings.Join(binds, ", ")+" }"))
	}
	return d.Say("%s", say.String()).Hint("bind it in the step: inputs { %s = … }", names[0])
}

// insertBlock returns the text that puts a line before a block's `}`.
func insertBlock(fs *fileScope, b *syntax.Block, line string) string {
	src := fs.file.Source
	if src.LineOf(b.Body.Open.Start) == src.LineOf(b.Body.Close.Start) {
		return "\n" + indentOf(src, b.Start) + "  " + line + "\n" + indentOf(src, b.Start) + "}"
	}
	return "  " + line + "\n" + indentOf(src, b.Start) + "}"
}

func indentOf(src *source.File, offset int32) string {
	line := src.Line(src.LineOf(offset))
	return line[:len(line)-len(strings.TrimLeft(line, " \t"))]
}

// onlyFit returns the one output of another step with the field's name or, if
// there is none, the one output or input of the program that fits; "" when there
// is not exactly one.
func (b *body) onlyFit(st *program.Step, f types.Field) string {
	var byName, byType []string
	if st != nil {
		for _, in := range b.prog.Signature.Inputs {
			if !types.IsInvalid(in.Type) && types.Fits(in.Type, f.Type) {
				byType = append(byType, in.Name)
			}
		}
	}
	for _, other := range b.steps {
		if other.step == st {
			continue
		}
		for _, o := range other.step.Declared.Outputs {
			if types.IsInvalid(o.Type) || !types.Fits(o.Type, f.Type) {
				continue
			}
			text := other.step.Name + "." + o.Name
			byType = append(byType, text)
			if o.Name == f.Name {
				byName = append(byName, text)
			}
		}
	}
	switch {
	case len(byName) == 1:
		return byName[0]
	case len(byName) == 0 && len(byType) == 1:
		return byType[0]
	}
	return ""
}

func (c *checker) unknownOutput(b *body, a *syntax.Attribute) *diag.Diagnostic {
	at := b.fs.place(a.Name.Span)
	d := diag.New("E0216", at, "the program has no output called "+code(a.Name.Name))
	var names []string
	for _, f := range b.prog.Signature.Outputs {
		names = append(names, f.Name)
	}
	if near, ok := diag.Nearest(a.Name.Name, names); ok {
		d.Fix("did you mean "+code(near)+"?", at, near)
	}
	return d.Say("The program `%s` produces these outputs:\n\n%s", b.prog.Name, fieldLines(b.prog.Signature.Outputs, noAddition))
}

func (c *checker) outputHasWrongType(b *body, f *types.Field, v program.Value) *diag.Diagnostic {
	var d *diag.Diagnostic
	if v.Expr != nil {
		d = diag.New("E0309", v.Place, "this is "+article(v.Type.String()))
	} else {
		d = diag.New("E0309", v.Place, fmt.Sprintf("%s of %s is %s", code(v.Field), code(v.Root), article(v.Type.String())))
	}
	d.Relate(fieldPlace(b.fs, b.block, f.Name), "the program promises %s here", code(f.Type.String()))
	return d.Say("    promised  %s\n    given     %s", f.Type, v.Type)
}

func (c *checker) outputIsMissing(b *body, f types.Field) *diag.Diagnostic {
	at := fieldPlace(b.fs, b.block, f.Name)
	if at.IsZero() {
		at = b.prog.Place
	}
	d := diag.New("E0403", at, "no step makes "+code(f.Name))
	var say strings.Builder
	say.WriteString("An output that is not bound takes the field of the same name, if exactly one step makes it. There are:\n\n")
	for _, s := range b.steps {
		for _, o := range s.step.Signature.Outputs {
			fmt.Fprintf(&say, "    %s.%s: %s\n", s.step.Name, o.Name, o.Type)
		}
		if s.repeat != nil { // never bound by name
			for _, f := range s.repeat.state {
				fmt.Fprintf(&say, "    %s.%s: %s\n", s.step.Name, f.Name, f.Type)
			}
		}
	}
	d.Say("%s", say.String())
	if only := b.onlyFit(nil, f); only != "" && b.outputs == nil && b.block.Body != nil && b.block.Body.Close.Len() > 0 {
		d.Fix("bind "+code(f.Name), b.fs.place(b.block.Body.Close), insertBlock(b.fs, b.block, "outputs { "+f.Name+" = "+only+" }"))
	}
	return d.Hint("bind it in the program: outputs { %s = … }", f.Name)
}

func outputByMany(b *body, f types.Field, makers []*stepNode) *diag.Diagnostic {
	at := fieldPlace(b.fs, b.block, f.Name)
	if at.IsZero() {
		at = b.prog.Place
	}
	d := diag.New("E0404", at, "which "+code(f.Name)+"?")
	for _, s := range makers {
		d.Relate(s.step.Place, "%s makes one", code(s.step.Name))
	}
	last := makers[len(makers)-1].step.Name
	if b.outputs == nil && b.block.Body != nil && b.block.Body.Close.Len() > 0 {
		for i := len(makers) - 1; i >= 0; i-- {
			from := makers[i].step.Name + "." + f.Name
			d.Fix("take the one of "+code(makers[i].step.Name), b.fs.place(b.block.Body.Close), insertBlock(b.fs, b.block, "outputs { "+f.Name+" = "+from+" }"))
		}
		return d.Say("An output that is not bound takes the field of the same name, but several steps make one.")
	}
	return d.Say("An output that is not bound takes the field of the same name, but several steps make one.").
		Hint("say which: outputs { %s = %s.%s }", f.Name, last, f.Name)
}
