package check

import (
	"slices"

	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
)

// bindInputs gives each input of a step its value.
func (c *checker) bindInputs(b *body, s *stepNode, scope *expr.Scope) {
	st := s.step
	bound, broken := c.writtenInputs(b, s, scope)
	var missing []types.Field
	for _, f := range st.Declared.Inputs {
		if bd, ok := bound[f.Name]; ok {
			if !bd.Value.IsZero() {
				st.Inputs = append(st.Inputs, bd)
			}
			continue
		}
		if f.HasDefault && s.given() != b.prog.Signature {
			continue // its default stands, unless it is the program's own input
		}
		in, ok := b.input(f.Name)
		if !ok {
			missing = append(missing, f)
			continue
		}
		v := program.Value{Root: in.Name, Type: in.Type, Place: st.Place}
		st.Inputs = append(st.Inputs, program.Binding{Name: f.Name, Value: v, Auto: true})
		if !types.Fits(in.Type, f.Type) {
			c.report(c.autoBindsWrong(b, s, &f, in))
		}
	}
	if len(missing) > 0 && !broken && !c.opaqueStep(s) && !b.root().opaque {
		c.report(c.inputsAreMissing(b, s, missing))
	}
}

// writtenInputs checks the block `inputs` of a step. The second result says that
// a part of it was not understood.
func (c *checker) writtenInputs(b *body, s *stepNode, scope *expr.Scope) (map[string]program.Binding, bool) {
	st := s.step
	bound := map[string]program.Binding{}
	broken := false
	if s.inputs == nil || s.inputs.Body == nil {
		return bound, false
	}
	seen := map[string]source.Place{}
	for _, it := range s.inputs.Body.Items {
		a, ok := it.(*syntax.Attribute)
		if !ok {
			broken = true
			if !isBad(it) {
				c.report(notBinding(b.fs, it, "inputs"))
			}
			continue
		}
		f, ok := st.Declared.Input(a.Name.Name)
		if !ok {
			c.report(c.unknownInput(b, s, a))
			c.typeOnly(b, a.Value, scope)
			continue
		}
		if !c.once(seen, b.fs, a.Name, "input") {
			continue
		}
		bound[f.Name] = program.Binding{Name: f.Name}
		v, ok := c.boundValue(b, a, f.Type, scope)
		if !ok {
			continue
		}
		bound[f.Name] = program.Binding{Name: f.Name, Value: v}
		if v.Sensitive {
			c.report(secretEscapes(v.Place, "the prompt of the step "+code(st.Name)))
		} else if !types.Fits(v.Type, f.Type) {
			c.report(c.stepReceives(b, s, f, v))
		}
	}
	return bound, broken
}

func (c *checker) opaqueStep(s *stepNode) bool { return s.block != nil && c.opaque(s.block) }

// boundValue checks the value of a binding.
func (c *checker) boundValue(b *body, a *syntax.Attribute, want types.Type, scope *expr.Scope) (program.Value, bool) {
	e := c.parseExpr(b.fs, a.Value)
	if e == nil {
		return program.Value{}, false
	}
	info, diags := c.expecting(e, scope, want)
	c.add(diags)
	if diags.HasErrors() {
		return program.Value{}, false
	}
	return program.Value{Expr: e, Type: info.Type, Sensitive: info.Sensitive, Place: b.fs.place(a.Value.Span)}, true
}

// typeOnly checks an expression whose place is wrong, for what is wrong in it.
func (c *checker) typeOnly(b *body, e *syntax.Expr, scope *expr.Scope) {
	if x := c.parseExpr(b.fs, e); x != nil {
		_, diags := c.typed(x, scope)
		c.add(diags)
	}
}

// bindOutputs gives each output of the program its value.
func (c *checker) bindOutputs(b *body) {
	bound := map[string]program.Binding{}
	if b.outputs != nil && b.outputs.Body != nil {
		seen := map[string]source.Place{}
		for _, it := range b.outputs.Body.Items {
			a, ok := it.(*syntax.Attribute)
			if !ok {
				if isBad(it) {
					b.opaque = true
				} else {
					c.report(notBinding(b.fs, it, "outputs"))
				}
				continue
			}
			f, ok := b.prog.Signature.Output(a.Name.Name)
			if !ok {
				if !b.opaque {
					c.report(c.unknownOutput(b, a))
				}
				c.typeOnly(b, a.Value, b.scope)
				continue
			}
			if !c.once(seen, b.fs, a.Name, "output") {
				continue
			}
			bound[f.Name] = program.Binding{Name: f.Name}
			if v, ok := c.boundValue(b, a, f.Type, b.scope); ok {
				bound[f.Name] = program.Binding{Name: f.Name, Value: v}
				if v.Sensitive {
					c.report(secretEscapes(v.Place, "the output "+code(f.Name)))
				} else if !types.Fits(v.Type, f.Type) {
					c.report(c.outputHasWrongType(b, f, v))
				}
			}
		}
	}
	for _, f := range b.prog.Signature.Outputs {
		if bd, ok := bound[f.Name]; ok {
			b.prog.Outputs = append(b.prog.Outputs, bd)
			continue
		}
		c.autoBindOutput(b, f)
	}
}

func (c *checker) autoBindOutput(b *body, f types.Field) {
	var makers []*stepNode
	for _, s := range b.steps {
		if s.repeat != nil {
			continue
		}
		if _, ok := s.step.Declared.Output(f.Name); ok {
			makers = append(makers, s)
		}
	}
	switch {
	case len(makers) == 0:
		if !b.opaque && !slices.ContainsFunc(b.steps, func(s *stepNode) bool { return s.unknown || c.opaqueStep(s) }) {
			c.report(c.outputIsMissing(b, f))
		}
	case len(makers) > 1 && b.opaque:
	case len(makers) > 1:
		c.report(outputByMany(b, f, makers))
	default:
		st := makers[0].step
		out, _ := st.Declared.Output(f.Name)
		v := program.Value{Root: st.Name, Field: f.Name, Type: st.Flow.Seen(out.Type), Place: st.Place}
		b.prog.Outputs = append(b.prog.Outputs, program.Binding{Name: f.Name, Value: v, Auto: true})
		if !types.Fits(v.Type, f.Type) {
			c.report(c.outputHasWrongType(b, &f, v))
		}
	}
}
