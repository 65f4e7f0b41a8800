package check

import (
	"slices"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
)

// body is a program under check.
type body struct {
	fs       *fileScope
	decl     *decl
	block    *syntax.Block
	prog     *program.Program
	settings map[string]*setting
	steps    []*stepNode
	lets     []*letNode
	outputs  *syntax.Block
	scope    *expr.Scope
	// opaque says that a part was not understood, so that what seems to be
	// missing may have stood there.
	opaque bool
}

type stepNode struct {
	block    *syntax.Block
	step     *program.Step
	table    *universe.Block
	settings map[string]*setting
	inputs   *syntax.Block
	own      bool // it has a signature of its own
	unknown  bool // its module is not known
}

type letNode struct {
	let       *syntax.Let
	expr      *expr.Expr
	value     *program.Let
	info      expr.Info
	done      bool
	resolving bool
}

// declarePrograms makes the signature of every program, so that programs can
// call each other.
func (c *checker) declarePrograms(fs *fileScope) {
	for _, d := range fs.own {
		if d.kind != programKind {
			continue
		}
		b := d.node.(*syntax.Block)
		d.program = &program.Program{Name: d.full, Place: d.place, Names: c.variableNames(fs)}
		c.project.Programs = append(c.project.Programs, d.program)
		table, _ := c.u.Block("program")
		bd := &body{fs: fs, decl: d, block: b, prog: d.program, settings: c.settings(fs, b, table), opaque: c.opaque(b)}
		c.bodies = append(c.bodies, bd)
		bd.prog.Signature = c.ownSignature(fs, b, bd.settings["signature"])
		if bd.prog.Signature == nil {
			if !bd.opaque && bd.settings["signature"] == nil && !slices.ContainsFunc(b.Body.Items, isSignaturePart) {
				c.report(programWithoutSignature(d))
			}
			bd.opaque = true
			bd.prog.Signature = &program.Signature{}
		}
	}
}

func isSignaturePart(it syntax.Item) bool {
	switch it.(type) {
	case *syntax.Field, *syntax.Arrow:
		return true
	}
	return false
}

// ownSignature returns the signature that a block has by its fields or by
// `signature = NAME`, nil when by neither.
func (c *checker) ownSignature(fs *fileScope, b *syntax.Block, s *setting) *program.Signature {
	fields := c.signature(fs, b)
	if s == nil || s.bad {
		return fields
	}
	if fields != nil {
		c.report(diag.New("E0511", fs.place(s.attr.Span), "this block has fields of its own").
			Say("A block has one signature: either its own fields, or the declared one that `signature` names."))
		return fields
	}
	name := nameOf(s.attr.Value)
	if name == "" {
		c.report(signatureByName(s))
		return nil
	}
	d, ok := fs.lookup(typeKind, name)
	if !ok || d.word != "signature" {
		c.report(c.unknownSignature(fs, s.at, name, d))
		return nil
	}
	c.resolveDecl(d)
	return d.sig
}

func (c *checker) checkPrograms(fs *fileScope) {
	for _, b := range c.bodies {
		if b.fs == fs {
			c.checkProgram(b)
		}
	}
}

func (c *checker) checkProgram(b *body) {
	c.collect(b)
	if len(b.steps) == 0 && !b.opaque {
		c.soleStep(b)
	}
	c.buildScope(b)
	for _, s := range b.steps {
		c.checkStep(b, s)
	}
	c.checkProgramSettings(b)
	c.bindOutputs(b)
	c.orderProgram(b)
}

// collect reads the items of a program's body.
func (c *checker) collect(b *body) {
	if b.block.Body == nil {
		return
	}
	taken := map[string]source.Place{}
	for _, it := range b.block.Body.Items {
		switch it := it.(type) {
		case *syntax.Let:
			c.collectLet(b, it, taken)
		case *syntax.Block:
			if it.KindName() == "outputs" && len(it.Labels) == 0 {
				if b.outputs != nil {
					c.report(declaredTwice(b.fs.place(it.KindSpan()), b.fs.place(b.outputs.KindSpan()), "outputs", "block", "block"))
					continue
				}
				b.outputs = it
				continue
			}
			c.collectStep(b, it, taken)
		case *syntax.Import, *syntax.TypeAlias, *syntax.EnumMember:
			c.report(notAllowedHere(b.fs.place(headOf(it)), "this", "a program", "it stands at the top of a file"))
		}
	}
}

func (c *checker) collectLet(b *body, it *syntax.Let, taken map[string]source.Place) {
	if it.Name.Name == "" || !c.nameFree(b, it.Name, "a named value", taken) {
		return
	}
	b.lets = append(b.lets, &letNode{
		let: it, expr: c.parseExpr(b.fs, it.Value),
		value: &program.Let{Name: it.Name.Name, Place: b.fs.place(it.Name.Span)},
	})
}

func (c *checker) collectStep(b *body, it *syntax.Block, taken map[string]source.Place) {
	kind := it.KindName()
	s := &stepNode{block: it, step: &program.Step{Place: b.fs.place(it.KindSpan())}, table: &c.u.Step}
	switch {
	case kind == "outputs":
		c.report(blockWithManyNames(b.fs, it))
		return
	case kind == "inputs":
		c.report(notAllowedHere(b.fs.place(it.KindSpan()), code("inputs"), "a program", "a program's inputs are its fields before `->`; `inputs { … }` stands in a step"))
		return
	default:
		if d, ok := b.fs.lookup(programKind, kind); ok {
			s.step.Program = d.program
			s.table = callBlock()
		} else if m, ok := c.u.Module(kind); ok {
			s.step.Module = m.Name
		} else if _, top := c.u.Block(kind); top {
			c.report(notAllowedHere(b.fs.place(it.KindSpan()), code(kind), "a program", "it stands at the top of a file"))
			return
		} else if p, ok := universe.Planned("module", kind); ok {
			c.report(notYet(b.fs.place(it.KindSpan()), p))
			s.unknown = true
		} else {
			c.report(c.unknownModule(b.fs, b.fs.place(it.KindSpan()), kind, 0))
			s.unknown = true
		}
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
	if !c.nameFree(b, it.Labels[0].Ident, "a step", taken) {
		return
	}
	s.step.Name = it.Labels[0].Name
	s.step.Place = b.fs.place(it.Labels[0].Span)
	b.steps = append(b.steps, s)
	c.stepSignature(b, s)
}

// nameFree reports a name that a step or a named value cannot have.
func (c *checker) nameFree(b *body, name syntax.Ident, what string, taken map[string]source.Place) bool {
	at := b.fs.place(name.Span)
	if first, twice := taken[name.Name]; twice {
		c.report(declaredTwice(at, first, name.Name, "step", "step"))
		return false
	}
	if reserved(name.Name) || slices.Contains(universe.Namespaces, name.Name) || name.Name == "outputs" {
		c.report(nameIsTaken(at, name.Name, what))
		return false
	}
	if _, ok := b.prog.Signature.Input(name.Name); ok {
		c.report(diag.New("E0213", at, code(name.Name)+" is an input of the program").
			Say("In expressions `%s` would mean both. Give %s another name.", name.Name, what))
		return false
	}
	if _, ok := b.fs.lookup(typeKind, name.Name); ok {
		d, _ := b.fs.lookup(typeKind, name.Name)
		c.report(diag.New("E0213", at, code(name.Name)+" is a "+d.word).Relate(d.place, "declared here"))
		return false
	}
	taken[name.Name] = at
	return true
}

// stepSignature finds the signature of a step: its own, the called program's, or
// the one of the program around it.
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
	own := c.ownSignature(b.fs, s.block, s.settings["signature"])
	switch {
	case st.Program != nil:
		if own != nil {
			c.report(notAllowedHere(st.Place, "a signature", "a call of a program", "the step has the signature of the program "+code(st.Program.Name)))
		}
		st.Declared = st.Program.Signature
	case own != nil:
		st.Declared, s.own = own, true
	default:
		st.Declared = b.prog.Signature
	}
	st.Signature = c.withAdded(st)
	if s.block.Body == nil {
		return
	}
	for _, it := range s.block.Body.Items {
		switch it := it.(type) {
		case *syntax.Block:
			if it.KindName() == "inputs" && len(it.Labels) == 0 {
				if s.inputs != nil {
					c.report(declaredTwice(b.fs.place(it.KindSpan()), b.fs.place(s.inputs.KindSpan()), "inputs", "block", "block"))
					continue
				}
				s.inputs = it
				continue
			}
			c.report(unknownInnerBlock(b.fs, it, "a step", s.table))
		case *syntax.Let:
			c.report(notAllowedHere(b.fs.place(it.Span), "a named value", "a step", "`let` stands in the program, beside its steps"))
		case *syntax.Import, *syntax.TypeAlias, *syntax.EnumMember:
			c.report(notAllowedHere(b.fs.place(headOf(it)), "this", "a step", "it stands at the top of a file"))
		}
	}
}

// quietSignature reads the signature of a step whose module is not known, so
// that other steps can be checked against it.
func (c *checker) quietSignature(fs *fileScope, b *syntax.Block) *program.Signature {
	n := len(c.diags)
	sig := c.signature(fs, b)
	c.diags = c.diags[:n]
	return sig
}

// withAdded returns the step's signature with what its module adds.
func (c *checker) withAdded(st *program.Step) *program.Signature {
	m, ok := c.u.Module(st.Module)
	if !ok || len(m.Adds) == 0 {
		return st.Declared
	}
	sig := *st.Declared
	sig.Outputs = nil
	for _, f := range m.Adds {
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

// soleStep makes the one step of a program that has none: `predict`.
func (c *checker) soleStep(b *body) {
	st := &program.Step{
		Name: "predict", Module: "predict",
		Declared: b.prog.Signature, Signature: b.prog.Signature, Place: b.prog.Place,
	}
	b.steps = append(b.steps, &stepNode{step: st, table: &c.u.Step, settings: map[string]*setting{}})
}

// callBlock is what a step that calls a program takes.
func callBlock() *universe.Block {
	b := universe.StepBlock
	b.Settings = slices.DeleteFunc(slices.Clone(b.Settings), func(s universe.Setting) bool { return s.Name != "model" })
	b.Signature = false
	return &b
}

// buildScope makes the scope of the program's expressions: inputs, steps, named
// values, variables, enums.
func (c *checker) buildScope(b *body) {
	symbols := c.fixedSymbols(b.fs)
	in := expr.Symbol{Name: "inputs", Kind: "inputs", Noun: "input"}
	for _, f := range b.prog.Signature.Inputs {
		symbols = append(symbols, expr.Symbol{Name: f.Name, Kind: "input", Type: f.Type, Place: b.prog.Place})
		in.Members = append(in.Members, expr.Member{Name: f.Name, Type: f.Type, Doc: f.Description})
	}
	symbols = append(symbols, in)
	for _, s := range b.steps {
		if s.unknown && !s.own { // nothing is known of its outputs
			symbols = append(symbols, expr.Symbol{Name: s.step.Name, Kind: "step", Type: types.Invalid{}, Place: s.step.Place})
			continue
		}
		symbols = append(symbols, c.stepSymbol(s.step))
	}
	base := symbols
	for _, l := range b.lets {
		c.resolveLet(b, l, base)
		symbols = append(symbols, expr.Symbol{Name: l.value.Name, Kind: "named value", Type: l.info.Type, Sensitive: l.info.Sensitive, Place: l.value.Place})
	}
	b.scope = expr.NewScope(symbols...)
	b.scope.Hidden = c.hiddenNames(b)
}

// hiddenNames are the steps of other programs: they exist, but out of reach.
func (c *checker) hiddenNames(b *body) map[string]string {
	if c.stepOwners == nil {
		c.stepOwners = map[string]string{}
		for _, other := range c.bodies {
			if other.block.Body == nil {
				continue
			}
			for _, it := range other.block.Body.Items {
				if s, ok := it.(*syntax.Block); ok && len(s.Labels) > 0 {
					c.stepOwners[s.Labels[0].Name] = other.prog.Name
				}
			}
		}
	}
	hidden := map[string]string{}
	for step, owner := range c.stepOwners {
		if owner != b.prog.Name {
			hidden[step] = "`" + step + "` is a step of the program `" + owner + "`, and what happens inside another program stays there."
		}
	}
	return hidden
}

func (c *checker) stepSymbol(st *program.Step) expr.Symbol {
	sym := expr.Symbol{Name: st.Name, Kind: "step", Noun: "output", Place: st.Place}
	for _, f := range st.Signature.Outputs {
		m := expr.Member{Name: f.Name, Type: f.Type, Place: st.Place}
		if _, own := st.Declared.Output(f.Name); !own {
			m.Doc = "added by " + st.Module
		}
		sym.Members = append(sym.Members, m)
	}
	return sym
}

// resolveLet types a named value, after those that it reads.
func (c *checker) resolveLet(b *body, l *letNode, base []expr.Symbol) {
	if l.done {
		return
	}
	l.done, l.resolving = true, true
	defer func() { l.resolving = false }()
	l.info.Type = types.Invalid{}
	if l.expr == nil {
		return
	}
	symbols := slices.Clone(base)
	for _, other := range b.lets {
		ring := false
		if reads(l.expr, other.value.Name) {
			ring = other.resolving
			c.resolveLet(b, other, base)
		}
		if ring {
			c.report(letRing(b, l, other))
			return
		}
		if other != l {
			symbols = append(symbols, expr.Symbol{Name: other.value.Name, Kind: "named value", Type: orInvalid(other.info.Type), Sensitive: other.info.Sensitive, Place: other.value.Place})
		}
	}
	info, diags := l.expr.Check(expr.NewScope(symbols...))
	c.add(diags)
	if diags.HasErrors() {
		return
	}
	l.info = info
	l.value.Value = program.Value{Expr: l.expr, Type: info.Type, Sensitive: info.Sensitive, Place: b.fs.place(l.let.Value.Span)}
	b.prog.Lets = append(b.prog.Lets, l.value)
}

func orInvalid(t types.Type) types.Type {
	if t == nil {
		return types.Invalid{}
	}
	return t
}

func reads(e *expr.Expr, root string) bool {
	return slices.ContainsFunc(e.Refs(), func(r expr.Ref) bool { return r.Root == root })
}

func (c *checker) checkStep(b *body, s *stepNode) {
	b.prog.Steps = append(b.prog.Steps, s.step)
	if s.unknown {
		return
	}
	for _, x := range s.settings {
		if !x.decl.Fixed {
			c.checkSetting(x, b.scope)
		}
	}
	c.stepSettings(b, s)
	c.bindInputs(b, s)
}

// bindInputs gives each input of a step its value.
func (c *checker) bindInputs(b *body, s *stepNode) {
	st := s.step
	bound := map[string]program.Binding{}
	broken := false
	if s.inputs != nil && s.inputs.Body != nil {
		seen := map[string]source.Place{}
		for _, it := range s.inputs.Body.Items {
			a, ok := it.(*syntax.Attribute)
			if !ok {
				broken = broken || isBad(it)
				if !isBad(it) {
					c.report(notBinding(b.fs, it, "inputs"))
				}
				continue
			}
			f, ok := st.Declared.Input(a.Name.Name)
			if !ok {
				c.report(c.unknownInput(b, s, a))
				c.typeOnly(b, a.Value)
				continue
			}
			if !c.once(seen, b.fs, a.Name, "input") {
				continue
			}
			bound[f.Name] = program.Binding{Name: f.Name}
			if v, ok := c.boundValue(b, a, f.Type); ok {
				bound[f.Name] = program.Binding{Name: f.Name, Value: v}
				if v.Sensitive {
					c.report(secretEscapes(v.Place, "the prompt of the step "+code(st.Name)))
				} else if !types.Fits(v.Type, f.Type) {
					c.report(c.stepReceives(b, s, f, v))
				}
			}
		}
	}
	var missing []types.Field
	for _, f := range st.Declared.Inputs {
		if bd, ok := bound[f.Name]; ok {
			if !bd.Value.IsZero() {
				st.Inputs = append(st.Inputs, bd)
			}
			continue
		}
		if f.HasDefault {
			continue
		}
		in, ok := b.prog.Signature.Input(f.Name)
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
	if len(missing) > 0 && !broken && !c.opaqueStep(s) && !b.opaque {
		c.report(c.inputsAreMissing(b, s, missing))
	}
}

func (c *checker) opaqueStep(s *stepNode) bool { return s.block != nil && c.opaque(s.block) }

// boundValue checks the value of a binding.
func (c *checker) boundValue(b *body, a *syntax.Attribute, want types.Type) (program.Value, bool) {
	e := c.parseExpr(b.fs, a.Value)
	if e == nil {
		return program.Value{}, false
	}
	info, diags := e.CheckExpecting(b.scope, want)
	c.add(diags)
	if diags.HasErrors() {
		return program.Value{}, false
	}
	return program.Value{Expr: e, Type: info.Type, Sensitive: info.Sensitive, Place: b.fs.place(a.Value.Span)}, true
}

// typeOnly checks an expression whose place is wrong, for what is wrong in it.
func (c *checker) typeOnly(b *body, e *syntax.Expr) {
	if x := c.parseExpr(b.fs, e); x != nil {
		_, diags := x.Check(b.scope)
		c.add(diags)
	}
}

// stepSettings puts the settings of a step, and those of its program where it
// has none, into the step.
func (c *checker) stepSettings(b *body, s *stepNode) {
	get := func(name string) program.Value {
		if x, ok := s.settings[name]; ok {
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
	if x, ok := s.settings["instructions"]; ok {
		st.Instructions = x.value()
	} else if !s.own && s.step.Program == nil {
		st.Instructions = b.programSetting(c, "instructions")
	}
	if x, ok := s.settings["adapter"]; ok {
		st.Adapter, _ = constantOf[string](x)
	} else {
		st.Adapter, _ = constantOf[string](b.settings["adapter"])
	}
	x, ok := s.settings["model"]
	if !ok {
		x, ok = b.settings["model"]
	}
	if ok && !x.bad {
		st.Model = c.modelRef(b.fs, x.at, x.attr.Value.Text, true)
		if st.Model.IsZero() {
			x.bad = true // reported once
		}
	}
}

// programSetting returns a setting of the program, checked in its scope.
func (b *body) programSetting(c *checker, name string) program.Value {
	x, ok := b.settings[name]
	if !ok || x.bad {
		return program.Value{}
	}
	if x.info.Type == nil {
		c.checkSetting(x, b.scope)
	}
	return x.value()
}

// checkProgramSettings checks those settings of the program that no step took.
func (c *checker) checkProgramSettings(b *body) {
	for _, x := range b.settings {
		switch {
		case x.decl.Kind == universe.ModelOf && !x.bad && len(b.steps) == 0:
			c.modelRef(b.fs, x.at, x.attr.Value.Text, true)
		case x.expr != nil && x.info.Type == nil && !x.bad:
			c.checkSetting(x, b.scope)
		}
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
				c.typeOnly(b, a.Value)
				continue
			}
			if !c.once(seen, b.fs, a.Name, "output") {
				continue
			}
			bound[f.Name] = program.Binding{Name: f.Name}
			if v, ok := c.boundValue(b, a, f.Type); ok {
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
		if _, ok := s.step.Declared.Output(f.Name); ok {
			makers = append(makers, s)
		}
	}
	switch {
	case len(makers) == 0:
		if !b.opaque && !slices.ContainsFunc(b.steps, func(s *stepNode) bool { return s.unknown || c.opaqueStep(s) }) {
			c.report(c.outputIsMissing(b, f))
		}
	case len(makers) > 1:
		c.report(outputByMany(b, f, makers))
	default:
		st := makers[0].step
		out, _ := st.Declared.Output(f.Name)
		v := program.Value{Root: st.Name, Field: f.Name, Type: out.Type, Place: st.Place}
		b.prog.Outputs = append(b.prog.Outputs, program.Binding{Name: f.Name, Value: v, Auto: true})
		if !types.Fits(out.Type, f.Type) {
			c.report(c.outputHasWrongType(b, &f, v))
		}
	}
}
