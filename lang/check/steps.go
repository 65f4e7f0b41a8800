package check

import (
	"slices"
	"sync"

	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
)

// stepNode is a step under check.
type stepNode struct {
	block    *syntax.Block
	step     *program.Step
	module   *universe.Module // nil for a call of a program and for `repeat`
	table    *universe.Block  // the settings and blocks that may stand in it
	settings map[string]*setting
	inputs   *syntax.Block
	asserts  []*syntax.Block
	inner    *stepNode          // the module that a wrapping module holds
	parts    []*stepNode        // those of a module that holds many
	around   *stepNode          // the step whose module holds this one
	asked    *program.Signature // of a module that lists: what each one that it holds is called with
	repeat   *body              // of `repeat`
	own      bool               // it has a signature of its own
	unknown  bool               // its module is not known

	otherwise *stepNode       // the step that must have been skipped
	inside    []program.Value // of `repeat`: all values in it
	each      []expr.Symbol
}

func (c *checker) collectStep(b *body, it *syntax.Block) {
	s := &stepNode{block: it, step: &program.Step{Place: b.fs.place(it.KindSpan()), Block: b.fs.place(it.Span)}}
	if !c.findModule(b, s) {
		return
	}
	if len(it.Labels) == 0 {
		if !s.unknown {
			c.report(blockWithoutName(b.fs, it))
		}
		b.opaque = true
		return
	}
	if len(it.Labels) > 1 {
		c.report(blockWithManyNames(b.fs, it))
	}
	if !c.nameFree(b, it.Labels[0].Ident, "a step") {
		return
	}
	s.step.Name = it.Labels[0].Name
	s.step.Place = b.fs.place(it.Labels[0].Span)
	b.steps = append(b.steps, s)
	if it.KindName() == "repeat" && !s.unknown {
		c.collectRepeat(b, s)
		return
	}
	c.stepSignature(b, s)
}

// findModule finds what a step's block calls. It reports whether the block is a
// step at all.
func (c *checker) findModule(b *body, s *stepNode) bool {
	kind := s.block.KindName()
	at := b.fs.place(s.block.KindSpan())
	switch {
	case kind == "repeat":
		s.table = &universe.RepeatBlock
		return true
	case kind == "outputs":
		if b.parent != nil {
			c.report(notAllowedHere(at, code(kind), "`repeat`", "what a `repeat` gives is its state"))
		} else {
			c.report(blockWithManyNames(b.fs, s.block))
		}
		return false
	case kind == "inputs":
		c.report(notAllowedHere(at, code(kind), "a program", "a program's inputs are its fields before `->`; `inputs { … }` stands in a step"))
		return false
	case kind == "state" || kind == "next":
		c.report(notAllowedHere(at, code(kind), "a program", "`state` and `next` stand in a `repeat`"))
		return false
	case kind == "assert" || kind == "suggest":
		c.report(notAllowedHere(at, code(kind), "a program", "it stands in the step whose outputs it judges"))
		return false
	}
	if d, ok := b.fs.lookup(programKind, kind); ok {
		s.step.Program, s.table = d.program, callBlock()
		return true
	}
	if m, ok := c.u.Module(kind); ok {
		s.module, s.step.Module, s.table = m, m.Name, c.moduleBlock(m)
		return true
	}
	if _, top := c.u.Block(kind); top {
		c.report(notAllowedHere(at, code(kind), "a program", "it stands at the top of a file"))
		return false
	}
	s.unknown, s.table = true, &c.u.Step
	c.report(c.unknownModule(b.fs, at, kind, 0))
	return true
}

// moduleBlock is what a step of a module takes: what every step does, and the
// module's own settings.
func (c *checker) moduleBlock(m *universe.Module) *universe.Block {
	if b, ok := c.moduleBlocks[m.Name]; ok {
		return b
	}
	b := c.u.Step
	b.Settings = append(slices.Clone(m.Settings), c.u.Step.Settings...)
	if m.Outputs != nil {
		b.Signature = false
	}
	if c.moduleBlocks == nil {
		c.moduleBlocks = map[string]*universe.Block{}
	}
	c.moduleBlocks[m.Name] = &b
	return &b
}

// callBlock is what a step that calls a program takes.
var callBlock = sync.OnceValue(func() *universe.Block {
	b := universe.StepBlock
	b.Settings = slices.DeleteFunc(slices.Clone(b.Settings), func(s universe.Setting) bool {
		return s.Name != "model" && !slices.ContainsFunc(universe.FlowSettings, func(f universe.Setting) bool { return f.Name == s.Name })
	})
	b.Signature = false
	return &b
})

// stepSignature reads the settings, blocks and signature of a step. Its
// signature is its own, the called program's, its module's, or that of the
// program around it.
func (c *checker) stepSignature(b *body, s *stepNode) {
	st := s.step
	if s.unknown {
		st.Declared = c.quietSignature(b.fs, s.block)
		s.own = st.Declared != nil
		if !s.own {
			st.Declared = &program.Signature{}
		}
		st.Signature = st.Declared
		return
	}
	s.settings = c.settings(b.fs, s.block, s.table)
	c.stepBlocks(b, s)
	own := c.ownSignature(b.fs, s.block, s.settings["signature"])
	switch {
	case st.Program != nil:
		if own != nil {
			c.report(notAllowedHere(st.Place, "a signature", "a call of a program", "the step has the signature of the program "+code(st.Program.Name)))
		}
		st.Declared = st.Program.Signature
	case s.module.Outputs != nil:
		if own != nil {
			c.report(notAllowedHere(st.Place, "a signature", "a step of "+code(s.module.Name), "it takes and gives what its module does"))
		}
		st.Declared = &program.Signature{Inputs: s.module.Inputs, Outputs: s.module.Outputs}
	case own != nil:
		st.Declared, s.own = own, true
	case s.block.Body != nil && slices.ContainsFunc(s.block.Body.Items, isSignaturePart):
		s.unknown, st.Declared = true, &program.Signature{} // what was said of its fields is enough
		st.Signature = st.Declared
		return
	default:
		st.Declared = b.prog.Signature
	}
	st.Signature = c.withAdded(b, s)
}

// stepBlocks reads the blocks in a step.
func (c *checker) stepBlocks(b *body, s *stepNode) {
	if s.block.Body == nil {
		return
	}
	wraps := s.module != nil && s.module.Wraps
	holds := s.module != nil && s.module.Holds
	held := false // a module seems to be there
	for _, it := range s.block.Body.Items {
		switch it := it.(type) {
		case *syntax.Block:
			switch kind := it.KindName(); {
			case kind == "inputs" && len(it.Labels) == 0:
				if s.inputs != nil {
					c.report(declaredTwice(b.fs.place(it.KindSpan()), b.fs.place(s.inputs.KindSpan()), "inputs", "block", "block"))
					continue
				}
				s.inputs = it
			case kind == "assert" || kind == "suggest":
				s.asserts = append(s.asserts, it)
			case wraps && c.isModule(b, kind):
				c.innerModule(b, s, it)
			case holds && c.isModule(b, kind):
				c.partModule(b, s, it)
			case wraps && s.inner == nil && len(it.Labels) == 0:
				held = true // a misspelt module, most likely
				c.report(c.unknownInnerModule(b.fs, it, s.table))
			default:
				c.report(unknownInnerBlock(b.fs, it, "a step", s.table))
			}
		case *syntax.Let:
			c.report(notAllowedHere(b.fs.place(it.Span), "a named value", "a step", "`let` stands in the program, beside its steps"))
		case *syntax.Import, *syntax.TypeAlias, *syntax.EnumMember:
			c.report(notAllowedHere(b.fs.place(headOf(it)), "this", "a step", "it stands at the top of a file"))
		}
	}
	if (wraps && s.inner == nil || holds && len(s.parts) == 0) && !held && !c.opaque(s.block) {
		c.report(wrapsNothing(s))
	}
}

func (c *checker) isModule(b *body, kind string) bool {
	_, isProgram := b.fs.lookup(programKind, kind)
	_, isModule := c.u.Module(kind)
	return isProgram || isModule
}

// quietSignature reads the signature of a step whose module is not known, so
// that other steps can be checked against it.
func (c *checker) quietSignature(fs *fileScope, b *syntax.Block) *program.Signature {
	n := len(c.diags)
	sig := c.signature(fs, b)
	c.diags = c.diags[:n]
	return sig
}

// soleStep makes the one step of a program that has none: `predict`.
func (c *checker) soleStep(b *body) {
	m, _ := c.u.Module("predict")
	st := &program.Step{
		Name: "predict", Module: "predict",
		Declared: b.prog.Signature, Signature: b.prog.Signature, Place: b.prog.Place,
	}
	b.steps = append(b.steps, &stepNode{step: st, module: m, table: &c.u.Step, settings: map[string]*setting{}})
}

// stepSymbol is what a step is to others: its outputs.
func (c *checker) stepSymbol(s *stepNode) expr.Symbol {
	st := s.step
	if s.unknown && !s.own { // nothing is known of its outputs
		return expr.Symbol{Name: st.Name, Kind: "step", Type: types.Invalid{}, Place: st.Place}
	}
	sym := expr.Symbol{Name: st.Name, Kind: "step", Noun: "output", Place: st.Place}
	conditional := s.settings["when"] != nil || s.otherwise != nil
	lost := lacksForEach(s)
	for _, f := range st.Signature.Outputs {
		t := f.Type
		if lost {
			t = types.Invalid{}
		}
		if s.settings["for_each"] != nil && !types.IsInvalid(t) {
			if text, ok := constantOf[string](s.settings["on_error"]); ok && text == "null" {
				t = types.NewOptional(t)
			}
			t = &types.List{Elem: t}
		}
		m := expr.Member{Name: f.Name, Type: t, Place: st.Place}
		if conditional && !types.IsInvalid(t) {
			m.Skipped = !types.Nullable(t)
			m.Type = types.NewOptional(t)
		}
		if _, own := st.Declared.Output(f.Name); !own {
			m.Doc = "added by " + st.Module
		}
		sym.Members = append(sym.Members, m)
	}
	return sym
}

func (c *checker) checkStep(b *body, s *stepNode) {
	if s.unknown {
		return
	}
	c.checkFlow(b, s)
	if s.repeat != nil {
		c.checkRepeat(b, s)
		return
	}
	scope := b.scope
	if s.each != nil {
		scope = b.scope.With(s.each...)
	}
	for _, x := range s.settings {
		if !x.decl.Fixed && x.info.Type == nil && !x.bad {
			c.checkSetting(x, scope)
		}
	}
	c.stepSettings(b, s)
	c.options(b, s, scope)
	if s.inner != nil {
		c.checkHeld(b, s, s.inner, scope)
	}
	for _, p := range s.parts {
		c.checkHeld(b, s, p, scope)
	}
	c.outputNames(b, s)
	c.judge(b, s)
	c.bindInputs(b, s, scope)
	c.stepPending(b, s)
}

// stepSettings puts the settings of a step, and those of its program where it
// has none, into the step.
func (c *checker) stepSettings(b *body, s *stepNode) {
	get := func(name string) program.Value {
		if x := s.setting(name); x != nil {
			return x.value()
		}
		if s.step.Program != nil {
			return program.Value{}
		}
		return b.programSetting(c, name)
	}
	st := &s.step.Settings
	st.Temperature, st.TopP, st.MaxTokens = get("temperature"), get("top_p"), get("max_tokens")
	st.Seed, st.Stop, st.Retries = get("seed"), get("stop"), get("retries")
	st.ReasoningEffort = get("reasoning_effort")
	if x, ok := s.settings["rollout"]; ok {
		st.Rollout = x.value()
	}
	if x := s.setting("instructions"); x != nil {
		st.Instructions = x.value()
	} else if !s.own && s.step.Program == nil {
		st.Instructions = b.programSetting(c, "instructions")
	}
	around := b.root().settings
	fixed := func(name string) string {
		if x := s.setting(name); x != nil {
			text, _ := constantOf[string](x)
			return text
		}
		text, _ := constantOf[string](around[name])
		return text
	}
	st.Adapter, st.Backend, st.Replies = fixed("adapter"), fixed("backend"), fixed("replies")
	x := s.setting("model")
	if x == nil {
		x = around["model"]
	}
	if x != nil && !x.bad {
		st.Model = c.modelRef(b.fs, x.at, x.attr.Value.Text, true)
		if st.Model.IsZero() {
			x.bad = true // reported once
		}
	}
}

// stepPending notes what this version cannot run yet.
func (c *checker) stepPending(b *body, s *stepNode) {
	if s.module != nil && s.module.Pending != "" {
		s.step.Pending = append(s.step.Pending, program.Pending{Setting: s.module.Name, Missing: s.module.Pending, Place: b.fs.place(s.block.KindSpan())})
	}
	x, ok := s.settings["backend"]
	if s.step.Settings.Backend == "python" && ok && s.module != nil && !s.module.Python {
		s.step.Pending = append(s.step.Pending, program.Pending{Setting: "backend", Missing: "the module `" + s.module.Name + "` in Python", Place: b.fs.place(x.attr.Span)})
	}
	if x, ok := s.settings["replies"]; ok && s.step.Settings.Backend == "python" && s.module != nil && s.module.Python {
		s.step.Pending = append(s.step.Pending, program.Pending{Setting: "replies", Missing: "reading replies in DSPy otherwise than DSPy does", Place: b.fs.place(x.attr.Span)})
	}
}
