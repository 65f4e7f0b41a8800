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

// body is the steps of a program, or of a `repeat` in it, under check.
type body struct {
	fs       *fileScope
	block    *syntax.Block
	prog     *program.Program
	parent   *body // the body around a `repeat`; nil for a program's own
	settings map[string]*setting
	steps    []*stepNode
	lets     []*letNode
	outputs  *syntax.Block
	scope    *expr.Scope
	taken    map[string]source.Place // names of steps and named values, of all bodies of the program
	// extra is what the scope has beside inputs, steps, named values and
	// variables: `example` and `prediction` in a metric.
	extra []expr.Symbol
	// state is what a `repeat` hands from round to round.
	state []types.Field
	// opaque says that a part was not understood, so that what seems to be
	// missing may have stood there.
	opaque bool
}

// root returns the body of the program itself.
func (b *body) root() *body {
	for b.parent != nil {
		b = b.parent
	}
	return b
}

// input returns the state or program's input that a step's input of this name
// takes when it is not bound.
func (b *body) input(name string) (*types.Field, bool) {
	for x := b; x != nil; x = x.parent {
		for i := range x.state {
			if x.state[i].Name == name {
				return &x.state[i], true
			}
		}
	}
	return b.prog.Signature.Input(name)
}

// isState reports whether f is a part of the state of a `repeat` around b.
func (b *body) isState(f *types.Field) bool {
	for x := b; x != nil; x = x.parent {
		for i := range x.state {
			if f == &x.state[i] {
				return true
			}
		}
	}
	return false
}

// declarePrograms makes the signature of every program, so that programs can
// call each other.
func (c *checker) declarePrograms(fs *fileScope) {
	for _, d := range fs.own {
		if d.kind == programKind {
			c.declareProgram(fs, d)
		}
	}
}

func (c *checker) declareProgram(fs *fileScope, d *decl) *body {
	b := d.node.(*syntax.Block)
	d.program = &program.Program{Name: d.full, Doc: fs.file.Source.CommentAbove(b.Span.Start), Place: d.place, Block: fs.place(b.Span), Names: c.variableNames(fs)}
	c.project.Programs = append(c.project.Programs, d.program)
	table, _ := c.u.Block("program")
	bd := &body{
		fs: fs, block: b, prog: d.program, settings: c.settings(fs, b, table),
		taken: map[string]source.Place{}, opaque: c.opaque(b),
	}
	c.bodies = append(c.bodies, bd)
	bd.prog.Signature = c.ownSignature(fs, b, bd.settings["signature"])
	bd.prog.LocalFiles, _ = constantOf[string](bd.settings["local_files"])
	if bd.prog.Signature == nil {
		if !bd.opaque && bd.settings["signature"] == nil && !slices.ContainsFunc(b.Body.Items, isSignaturePart) {
			c.report(programWithoutSignature(d))
		}
		bd.opaque = true
		bd.prog.Signature = &program.Signature{}
	}
	return bd
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
	if len(b.steps) == 0 && !b.opaque && !b.allBound() {
		c.soleStep(b)
	}
	c.checkSteps(b)
	c.checkProgramSettings(b)
	c.bindOutputs(b)
	c.orderProgram(b)
	for _, s := range b.steps {
		b.prog.Steps = append(b.prog.Steps, s.step)
	}
	for _, l := range b.lets {
		if !l.value.Value.IsZero() {
			b.prog.Lets = append(b.prog.Lets, l.value)
		}
	}
}

// allBound reports whether the block `outputs` speaks of every output, so that
// a program without steps asks no model.
func (b *body) allBound() bool {
	if b.outputs == nil || b.outputs.Body == nil {
		return false
	}
	written := map[string]bool{}
	for _, it := range b.outputs.Body.Items {
		if a, ok := it.(*syntax.Attribute); ok {
			written[a.Name.Name] = true
		}
	}
	for _, f := range b.prog.Signature.Outputs {
		if !written[f.Name] {
			return false
		}
	}
	return true
}

// checkSteps gives a body its scope and checks its steps in it.
func (c *checker) checkSteps(b *body) {
	c.linkSkipped(b)
	c.buildScope(b)
	for _, s := range b.steps {
		c.checkStep(b, s)
	}
}

// collect reads the items of a body.
func (c *checker) collect(b *body) {
	if b.block.Body == nil {
		return
	}
	for _, it := range b.block.Body.Items {
		switch it := it.(type) {
		case *syntax.Let:
			c.collectLet(b, it)
		case *syntax.Block:
			switch kind := it.KindName(); {
			case kind == "outputs" && len(it.Labels) == 0 && b.parent == nil:
				if b.outputs != nil {
					c.report(declaredTwice(b.fs.place(it.KindSpan()), b.fs.place(b.outputs.KindSpan()), "outputs", "block", "block"))
					continue
				}
				b.outputs = it
			case b.parent != nil && (kind == "state" || kind == "next") && len(it.Labels) == 0:
				// read by repeatBlocks
			default:
				c.collectStep(b, it)
			}
		case *syntax.Import, *syntax.TypeAlias, *syntax.EnumMember:
			c.report(notAllowedHere(b.fs.place(headOf(it)), "this", "a program", "it stands at the top of a file"))
		case *syntax.Field, *syntax.Arrow:
			if b.parent != nil {
				c.report(notAllowedHere(b.fs.place(headOf(it)), "a field", "`repeat`", "`repeat` holds steps, `state`, `next` and settings"))
			}
		}
	}
}

// letNode is a named value under check.
type letNode struct {
	let   *syntax.Let
	expr  *expr.Expr
	value *program.Let
	info  expr.Info
}

func (c *checker) collectLet(b *body, it *syntax.Let) {
	if it.Name.Name == "" || !c.nameFree(b, it.Name, "a named value") {
		return
	}
	b.lets = append(b.lets, &letNode{
		let: it, expr: c.parseExpr(b.fs, it.Value),
		value: &program.Let{Name: it.Name.Name, Place: b.fs.place(it.Name.Span)},
	})
}

// nameFree reports a name that a step or a named value cannot have.
func (c *checker) nameFree(b *body, name syntax.Ident, what string) bool {
	at := b.fs.place(name.Span)
	if first, twice := b.taken[name.Name]; twice {
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
	if d, ok := b.fs.lookup(typeKind, name.Name); ok {
		c.report(diag.New("E0213", at, code(name.Name)+" is a "+d.word).Relate(d.place, "declared here"))
		return false
	}
	b.taken[name.Name] = at
	return true
}

// buildScope makes the scope of a body's expressions: inputs, steps, named
// values, variables, enums; in a `repeat` what is around it, the state and `round`.
//
// What a step gives is known from its signature, but a named value and the state
// of a `repeat` have the types of expressions, which may read each other. They
// are typed in the order of their reading.
func (c *checker) buildScope(b *body) {
	var symbols []expr.Symbol
	if b.parent == nil {
		in := expr.Symbol{Name: "inputs", Kind: "inputs", Noun: "input"}
		for _, f := range b.prog.Signature.Inputs {
			symbols = append(symbols, expr.Symbol{Name: f.Name, Kind: "input", Type: f.Type, Place: b.prog.Place})
			in.Members = append(in.Members, expr.Member{Name: f.Name, Type: f.Type, Doc: f.Description})
		}
		symbols = append(append(symbols, in), b.extra...)
	} else {
		for _, f := range b.state {
			symbols = append(symbols, expr.Symbol{Name: f.Name, Kind: "state", Type: f.Type})
		}
		symbols = append(symbols, expr.Symbol{Name: "round", Kind: "number of the round", Type: types.Int})
	}
	alternatives := map[string]string{}
	for _, s := range b.steps {
		if s.otherwise != nil && s.settings["when"] == nil {
			alternatives[s.step.Name] = s.otherwise.step.Name
		}
		if s.repeat == nil {
			symbols = append(symbols, c.stepSymbol(s))
		}
	}
	if b.parent == nil {
		b.scope = c.fixedScope(b.fs).With(symbols...)
		b.scope.Hidden = c.hiddenNames(b)
	} else {
		b.scope = b.parent.scope.With(symbols...)
	}
	b.scope.Alternatives = alternatives
	typer := &typer{c: c, b: b, state: map[string]int{}, scope: b.scope}
	b.scope = typer.all()
}

// typer types named values and the states of repeats.
type typer struct {
	c     *checker
	b     *body
	scope *expr.Scope    // without them
	state map[string]int // 1: under way, 2: done
	done  []expr.Symbol
}

// all returns the scope with all of them.
func (t *typer) all() *expr.Scope {
	for _, l := range t.b.lets {
		t.let(l)
	}
	for _, s := range t.b.steps {
		if s.repeat != nil {
			t.repeat(s)
		}
	}
	return t.sofar()
}

// sofar returns the scope with those that are typed.
func (t *typer) sofar() *expr.Scope {
	if len(t.done) == 0 {
		return t.scope
	}
	return t.scope.With(t.done...)
}

// readBy types what an expression reads first. It returns the name that is under
// way already, "" when there is none.
func (t *typer) readBy(e *expr.Expr) string {
	if e == nil {
		return ""
	}
	for _, r := range e.Refs() {
		for _, l := range t.b.lets {
			if l.value.Name == r.Root {
				if t.state[r.Root] == 1 {
					return r.Root
				}
				t.let(l)
			}
		}
		for _, s := range t.b.steps {
			if s.repeat != nil && s.step.Name == r.Root {
				if t.state[r.Root] == 1 {
					return r.Root
				}
				t.repeat(s)
			}
		}
	}
	return ""
}

func (t *typer) let(l *letNode) {
	if t.state[l.value.Name] != 0 {
		return
	}
	t.state[l.value.Name] = 1
	l.info.Type = types.Invalid{}
	if l.expr != nil {
		if ring := t.readBy(l.expr); ring != "" {
			t.c.report(t.ring(l, ring))
		} else if info, diags := t.c.typed(l.expr, t.sofar()); diags.HasErrors() {
			t.c.add(diags)
		} else {
			t.c.add(diags)
			l.info = info
			l.value.Value = program.Value{Expr: l.expr, Type: info.Type, Sensitive: info.Sensitive, Place: t.b.fs.place(l.let.Value.Span)}
		}
	}
	t.state[l.value.Name] = 2
	t.done = append(t.done, expr.Symbol{Name: l.value.Name, Kind: "named value", Type: l.info.Type, Sensitive: l.info.Sensitive, Place: l.value.Place})
}

func (t *typer) ring(l *letNode, other string) *diag.Diagnostic {
	var place source.Place
	for _, x := range t.b.lets {
		if x.value.Name == other {
			place = x.value.Place
		}
	}
	for _, s := range t.b.steps {
		if s.step.Name == other {
			place = s.step.Place
		}
	}
	return letRing(t.b, l, other, place)
}

// hiddenNames says of the steps of other programs that they exist, but out of reach.
// It says so while the check goes on; scopes are kept longer, and keep no more alive
// than they need.
func (c *checker) hiddenNames(b *body) func(step string) string {
	if c.stepOwners == nil {
		c.stepOwners = &stepOwners{checker: c}
	}
	owners, own := c.stepOwners, b.prog.Name
	return func(step string) string {
		owner, ok := owners.of(step)
		if !ok || owner == own {
			return ""
		}
		return "`" + step + "` is a step of the program `" + owner + "`, and what happens inside another program stays there."
	}
}

// stepOwners knows which program has a step of a name.
type stepOwners struct {
	checker *checker // nil when its check is over
	names   map[string]string
}

// of returns the name of a program that has a step of a name.
func (o *stepOwners) of(step string) (owner string, ok bool) {
	if o.names == nil && o.checker != nil {
		o.names = map[string]string{}
		for _, other := range o.checker.bodies {
			if other.block.Body == nil {
				continue
			}
			for _, it := range other.block.Body.Items {
				if s, ok := it.(*syntax.Block); ok && len(s.Labels) > 0 {
					o.names[s.Labels[0].Name] = other.prog.Name
				}
			}
		}
	}
	owner, ok = o.names[step]
	return owner, ok
}

// forget ends a check: what is kept of it for the next one must not keep this one,
// and with it the one before, and so on.
func (c *checker) forget() {
	c.kept, c.next = nil, nil
	if c.stepOwners != nil {
		c.stepOwners.checker, c.stepOwners.names = nil, nil
	}
}

// programSetting returns a setting of the program, checked in its scope.
func (b *body) programSetting(c *checker, name string) program.Value {
	b = b.root()
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
