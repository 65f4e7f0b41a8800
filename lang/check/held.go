package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
)

// Modules that hold modules.
//
// One signature stands for all of them. It is the one of the outermost step; where
// that has none, the first that a held module has: written in it, of the program
// that it is, or of a module with a signature of its own. Where none has, it is
// the program's. A held module that has a signature of its own keeps it, and must
// then take what the outside takes and give what it gives.

// held returns the modules that the module of a step holds.
func (s *stepNode) held() []*stepNode {
	if s.inner != nil {
		return []*stepNode{s.inner}
	}
	return s.parts
}

// given is the signature with which a step calls what it holds.
func (s *stepNode) given() *program.Signature {
	if s.asked != nil {
		return s.asked
	}
	return s.step.Declared
}

// setting returns a setting of a step: its own, else that of the step whose module
// holds it; nil where none of them has it. The temperature of a module that asks
// for the outputs itself is for that question alone.
func (s *stepNode) setting(name string) *setting {
	for x := s; x != nil; x = x.around {
		if x != s && name == "temperature" && x.module.Answers {
			continue
		}
		if found, ok := x.settings[name]; ok {
			return found
		}
	}
	return nil
}

// innerModule reads the module that a wrapping module holds.
func (c *checker) innerModule(b *body, s *stepNode, it *syntax.Block) {
	if s.inner != nil {
		c.report(declaredTwice(b.fs.place(it.KindSpan()), b.fs.place(s.inner.block.KindSpan()), it.KindName(), "module", "module"))
		return
	}
	at := b.fs.place(it.KindSpan())
	in := &stepNode{block: it, around: s, step: &program.Step{Name: s.step.Name, Place: at, Block: b.fs.place(it.Span)}}
	if !c.findModule(b, in) {
		return
	}
	if len(it.Labels) > 0 {
		c.report(blockWithManyNames(b.fs, it))
	}
	c.stepSignature(b, in)
	c.onlyInside(b, in, "`inputs`, `when`, `for_each` and `model` go on the outside", "when", "otherwise", "for_each", "concurrency", "on_error", "model")
	s.inner, s.step.Inner = in, in.step
}

// onlyInside refuses what belongs to the step around a held module.
func (c *checker) onlyInside(b *body, in *stepNode, why string, outside ...string) {
	if in.inputs != nil {
		c.report(notAllowedHere(b.fs.place(in.inputs.KindSpan()), "`inputs`", "a wrapped module", why))
		in.inputs = nil
	}
	for _, name := range outside {
		if x, ok := in.settings[name]; ok {
			c.report(notAllowedHere(b.fs.place(x.attr.Name.Span), code(name), "a wrapped module", why))
			delete(in.settings, name)
		}
	}
}

// partModule reads one of the modules that a module holds which holds many. Each
// has the name of its label, else that of its kind; no two have the same.
func (c *checker) partModule(b *body, s *stepNode, it *syntax.Block) {
	name, at := it.KindName(), b.fs.place(it.KindSpan())
	if len(it.Labels) > 0 {
		name, at = it.Labels[0].Name, b.fs.place(it.Labels[0].Span)
	}
	if len(it.Labels) > 1 {
		c.report(blockWithManyNames(b.fs, it))
	}
	for _, p := range s.parts {
		if p.step.Name == name {
			c.report(declaredTwice(at, p.step.Place, name, "module", "module"))
			return
		}
	}
	in := &stepNode{block: it, around: s, step: &program.Step{Name: name, Place: at, Block: b.fs.place(it.Span)}}
	if !c.findModule(b, in) {
		return
	}
	c.stepSignature(b, in)
	c.onlyInside(b, in, "`inputs`, `when` and `for_each` go on the outside", "when", "otherwise", "for_each", "concurrency", "on_error")
	s.parts, s.step.Parts = append(s.parts, in), append(s.step.Parts, in.step)
}

// hasSignature reports whether a held module has a signature that is not the
// outside's.
func (s *stepNode) hasSignature() bool {
	return s.own || s.step.Program != nil || s.module != nil && (s.module.Outputs != nil || s.module.Lists && len(s.parts) > 0)
}

// withAdded returns what others see of a step: its signature with what its module
// adds, and what those add that it holds.
func (c *checker) withAdded(b *body, s *stepNode) *program.Signature {
	st := s.step
	if !s.own {
		for _, in := range s.held() {
			if in.hasSignature() {
				st.Declared, s.own = in.step.Declared, true
				break
			}
		}
	}
	if s.module != nil && s.module.Lists {
		s.asked = st.Declared
		lists := *st.Declared
		lists.Outputs = listed(lists.Outputs)
		st.Declared = &lists
	}
	adds := c.adds(b, s)
	if len(adds) == 0 {
		return st.Declared
	}
	sig := *st.Declared
	sig.Outputs = nil
	for _, f := range adds {
		if _, has := st.Declared.Output(f.Name); has {
			continue
		}
		if _, has := st.Declared.Input(f.Name); has {
			continue
		}
		sig.Outputs = append(sig.Outputs, f)
	}
	sig.Outputs = append(sig.Outputs, st.Declared.Outputs...)
	return &sig
}

// adds returns what the module of a step adds to its outputs, with what those add
// that it holds: of several, what all of them add.
func (c *checker) adds(b *body, s *stepNode) []types.Field {
	adds := c.addedBy(b, s)
	if s.module == nil || s.module.Answers {
		return adds
	}
	var shared []types.Field
	for i, in := range s.held() {
		more := c.adds(b, in)
		if i == 0 {
			shared = slices.Clone(more)
			continue
		}
		shared = slices.DeleteFunc(shared, func(f types.Field) bool {
			return !slices.ContainsFunc(more, func(g types.Field) bool { return g.Name == f.Name })
		})
	}
	if s.module.Lists {
		shared = listed(shared)
	}
	return append(slices.Clone(adds), shared...)
}

// listed returns fields as lists.
func listed(fields []types.Field) []types.Field {
	out := slices.Clone(fields)
	for i := range out {
		if !types.IsInvalid(out[i].Type) {
			out[i].Type = &types.List{Elem: out[i].Type}
		}
	}
	return out
}

// addedBy returns what the module of a step adds by itself; for `module` what all
// choices add.
func (c *checker) addedBy(b *body, s *stepNode) []types.Field {
	if s.module == nil {
		return nil
	}
	use, ok := s.settings["use"]
	if s.module.Name != "module" || !ok || use.bad {
		return s.module.Adds
	}
	s.step.Use = c.moduleRef(b.fs, use)
	var shared []types.Field
	for i, name := range choicesOf(s.step.Use) {
		m, ok := c.u.Module(name)
		if !ok {
			return nil // a program gives no more than it declares
		}
		if i == 0 {
			shared = m.Adds
			continue
		}
		shared = slices.DeleteFunc(slices.Clone(shared), func(f types.Field) bool {
			return !slices.ContainsFunc(m.Adds, func(g types.Field) bool { return g.Name == f.Name })
		})
	}
	return shared
}

func choicesOf(r program.ModuleRef) []string {
	if r.Variable != nil {
		if len(r.Variable.Choices) > 0 {
			return r.Variable.Choices
		}
		if name, ok := r.Variable.Default.(string); ok {
			return []string{name}
		}
		return nil
	}
	if r.Module == "" {
		return nil
	}
	return []string{r.Module}
}

// checkHeld checks a module that the module of s holds.
func (c *checker) checkHeld(b *body, s, in *stepNode, scope *expr.Scope) {
	if in.unknown {
		return
	}
	for _, x := range in.settings {
		if !x.decl.Fixed && x.info.Type == nil && !x.bad {
			c.checkSetting(x, scope)
		}
	}
	c.stepSettings(b, in)
	c.outsideProgram(b, s, in)
	given := s.given()
	if in.hasSignature() {
		c.heldFits(b, s, in, given)
	} else {
		in.step.Declared = given
		in.step.Signature = c.withAdded(b, in)
	}
	c.options(b, in, scope)
	c.needed(b, s, in)
	for _, p := range in.held() {
		c.checkHeld(b, in, p, scope)
	}
	c.outputNames(b, in)
	c.judge(b, in)
	c.stepPending(b, in)
}

// outsideProgram refuses settings of a question on a step that holds nothing but
// programs and asks nothing itself: the steps of a program have their own.
func (c *checker) outsideProgram(b *body, s, in *stepNode) {
	if in.step.Program == nil || s.module.Asks || s.held()[0] != in {
		return
	}
	if slices.ContainsFunc(s.held(), func(h *stepNode) bool { return h.step.Program == nil }) {
		return
	}
	own := callBlock()
	for i := range universe.StepBlock.Settings {
		name := universe.StepBlock.Settings[i].Name
		x, ok := s.settings[name]
		if _, fine := own.Setting(name); !ok || fine || name == "rollout" || name == "signature" {
			continue
		}
		c.report(notAllowedHere(b.fs.place(x.attr.Name.Span), code(name), "a step that holds a program",
			"the steps of the program "+code(in.step.Program.Name)+" say it themselves"))
	}
}

// heldFits compares the signature of a held module with the one that it is called
// with.
func (c *checker) heldFits(b *body, s, in *stepNode, given *program.Signature) {
	own := in.step.Declared
	if own == given {
		return
	}
	name := code(in.block.KindName())
	at := in.step.Place
	for _, f := range own.Inputs {
		g, ok := given.Input(f.Name)
		switch {
		case !ok && (f.HasDefault || types.Nullable(f.Type)):
		case !ok:
			c.report(diag.New("E0402", at, name+" asks for "+code(f.Name)).Relate(s.step.Place, "its inputs are those of this step").
				Say("A module that is held gets the inputs of the step around it:\n\n%s", fieldLines(given.Inputs, noAddition)))
		case !types.Fits(g.Type, f.Type):
			c.report(diag.New("E0301", at, fmt.Sprintf("%s asks for %s here", name, code(f.Name+": "+f.Type.String()))).
				Relate(s.step.Place, "%s has %s", code(s.step.Name), code(g.Name+": "+g.Type.String())).
				Say("    needs     %s\n    receives  %s\n", f.Type, g.Type))
		}
	}
	for _, f := range given.Outputs {
		g, ok := in.step.Signature.Output(f.Name)
		switch {
		case !ok:
			c.report(diag.New("E0309", at, name+" gives no "+code(f.Name)).Relate(s.step.Place, "%s gives it", code(s.step.Name)).
				Say("A module that is held gives all outputs of the step around it. %s gives:\n\n%s", name, fieldLines(in.step.Signature.Outputs, noAddition)))
		case !types.Fits(g.Type, f.Type):
			c.report(diag.New("E0309", at, fmt.Sprintf("%s gives %s", name, code(g.Name+": "+g.Type.String()))).
				Relate(s.step.Place, "%s gives %s", code(s.step.Name), code(f.Name+": "+f.Type.String())).
				Say("    needs     %s\n    receives  %s\n", f.Type, g.Type))
		}
	}
}

// needed refuses a held module that lacks the outputs which the module around it
// works on.
func (c *checker) needed(b *body, s, in *stepNode) {
	needs := s.module.Needs
	if len(needs) == 0 || slices.ContainsFunc(needs, func(n string) bool { _, ok := in.step.Signature.Output(n); return ok }) {
		return
	}
	names := make([]string, len(needs))
	for i, n := range needs {
		names[i] = code(n)
	}
	c.report(notAllowedHere(b.fs.place(in.block.KindSpan()), code(in.block.KindName()), code(s.module.Name),
		"it needs a module with the output "+strings.Join(names, " or ")+", such as `chain_of_thought`"))
}

// outputNames checks the settings that name an output of the step.
func (c *checker) outputNames(b *body, s *stepNode) {
	if s.module == nil {
		return
	}
	for _, decl := range s.module.Settings {
		x, ok := s.settings[decl.Name]
		if !decl.Output || !ok || x.bad {
			continue
		}
		name, known := constantOf[string](x)
		if _, there := s.step.Signature.Output(name); !known || there {
			continue
		}
		d := diag.New("E0201", x.at, code(s.step.Name)+" has no output called "+code(name))
		var names []string
		for _, f := range s.step.Signature.Outputs {
			names = append(names, f.Name)
		}
		if near, ok := diag.Nearest(name, names); ok {
			d.Fix("did you mean "+code(near)+"?", x.at, `"`+near+`"`)
		}
		c.report(d.Say("It gives:\n\n%s", fieldLines(s.step.Signature.Outputs, noAddition)))
	}
}
