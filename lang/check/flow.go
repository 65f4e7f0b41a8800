package check

import (
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
)

// linkSkipped finds the steps that `otherwise` names.
func (c *checker) linkSkipped(b *body) {
	for _, s := range b.steps {
		x, ok := s.settings["otherwise"]
		if !ok || x.bad {
			continue
		}
		name := nameOf(x.attr.Value)
		i := slices.IndexFunc(b.steps, func(o *stepNode) bool { return o.step.Name == name })
		if i < 0 || b.steps[i] == s {
			x.bad = true
			c.report(c.unknownStep(b, s, x, name))
			continue
		}
		s.otherwise = b.steps[i]
		if !s.otherwise.unknown && s.otherwise.settings["when"] == nil && s.otherwise.settings["otherwise"] == nil {
			c.report(diag.New("E0511", x.at, code(name)+" is never skipped").
				Relate(s.otherwise.step.Place, "it has no `when`").
				Say("`otherwise = %s` runs this step exactly when `%s` was skipped, and only a step with `when` or `otherwise` can be.", name, name))
		}
	}
}

func (c *checker) unknownStep(b *body, s *stepNode, x *setting, name string) *diag.Diagnostic {
	var names []string
	for _, o := range b.steps {
		if o != s {
			names = append(names, o.step.Name)
		}
	}
	if name == "" || name == s.step.Name {
		return diag.New("E0310", x.at, "the name of another step is expected here").
			Say("`otherwise` names the step whose being skipped runs this one.")
	}
	d := diag.New("E0203", x.at, "no step of this name stands beside "+code(s.step.Name))
	if near, ok := diag.Nearest(name, names); ok {
		d.Fix("did you mean "+code(near)+"?", x.at, near)
	}
	if len(names) > 0 {
		d.Say("The steps are: %s.", quotedList(names))
	}
	return d
}

// checkFlow checks when and how often a step runs.
func (c *checker) checkFlow(b *body, s *stepNode) {
	f := &s.step.Flow
	if s.otherwise != nil {
		f.Otherwise = s.otherwise.step.Name
	}
	if x, ok := s.settings["when"]; ok && x.expr != nil && !x.bad {
		info, diags := c.condition(x.expr, b.scope)
		c.add(diags)
		x.info, x.bad = info, diags.HasErrors()
		c.noSecret(x)
		f.When = x.value()
	}
	x, ok := s.settings["for_each"]
	if !ok {
		for _, name := range []string{"concurrency", "on_error"} {
			if y, ok := s.settings[name]; ok {
				c.report(diag.New("E0511", b.fs.place(y.attr.Name.Span), code(name)+" goes with `for_each`").Say("%s", y.decl.Doc))
				y.bad = true
			}
		}
		return
	}
	elem := types.Type(types.Invalid{})
	if x.expr != nil && !x.bad {
		c.checkSetting(x, b.scope)
		f.ForEach = x.value()
		if !x.bad {
			elem = c.elementOf(x)
		}
	}
	if f.ForEach.IsZero() { // what was said about it is enough; its outputs are lists all the same
		f.ForEach = program.Value{Root: "each", Type: types.Invalid{}, Place: x.at}
	}
	if y, ok := s.settings["concurrency"]; ok {
		c.checkSetting(y, b.scope)
		f.Concurrency = y.value()
	}
	text, _ := constantOf[string](s.settings["on_error"])
	f.NullOnError = text == "null"
	s.each = []expr.Symbol{{Name: "each", Kind: "element", Noun: "part", Place: x.at, Members: []expr.Member{
		{Name: "value", Type: elem, Place: x.at},
		{Name: "index", Type: types.Int, Place: x.at},
	}}}
}

// lacksForEach reports whether a step binds `each` and has no `for_each`: what is
// said of `each` is enough, whether its outputs are lists is not known.
func lacksForEach(s *stepNode) bool {
	if s.settings["for_each"] != nil || s.inputs == nil || s.inputs.Body == nil {
		return false
	}
	return slices.ContainsFunc(s.inputs.Body.Items, func(it syntax.Item) bool {
		a, ok := it.(*syntax.Attribute)
		return ok && a.Value != nil && strings.HasPrefix(a.Value.Text, "each.")
	})
}

// elementOf returns the type of the elements of a `for_each`.
func (c *checker) elementOf(x *setting) types.Type {
	switch t := x.info.Type.(type) {
	case *types.List:
		return t.Elem
	case *types.Tuple:
		return types.NewUnion(t.Elems...)
	case *types.Primitive:
		if t.Row == types.JSON.Row {
			return types.JSON
		}
	case *types.Optional:
		if _, list := t.Elem.(*types.List); list {
			c.report(diag.New("E0304", x.at, "this is "+article(t.String())+": it may be null").
				Say("`for_each` needs a list. Say what to run over when there is none.").
				Fix("no elements when it is null", x.at, wrapOr(x.at.Text(), "[]")))
			return types.Invalid{}
		}
	}
	if !types.IsInvalid(x.info.Type) {
		c.report(diag.New("E0310", x.at, "this is "+article(x.info.Type.String())+", not a list").
			Say("`for_each` runs the step once for each element of a list."))
	}
	return types.Invalid{}
}

// wrapOr returns `text ?? other`, with parentheses where they are needed.
func wrapOr(text, other string) string {
	if strings.ContainsAny(text, " ") {
		text = "(" + text + ")"
	}
	return text + " ?? " + other
}

// noSecret reports a secret in a setting that none may flow into.
func (c *checker) noSecret(x *setting) {
	if !x.bad && x.info.Sensitive && !x.decl.Secret {
		x.bad = true
		c.report(secretEscapes(x.at, "the setting "+code(x.decl.Name)))
	}
}

// collectRepeat reads the body of a `repeat`.
func (c *checker) collectRepeat(b *body, s *stepNode) {
	s.step.Repeat = &program.Repeat{}
	s.step.Signature = &program.Signature{}
	s.step.Declared = s.step.Signature
	s.settings = c.settings(b.fs, s.block, s.table)
	s.repeat = &body{fs: b.fs, block: s.block, prog: b.prog, parent: b, settings: b.settings, taken: b.taken, opaque: c.opaque(s.block)}
	c.collect(s.repeat)
	if len(s.repeat.steps) == 0 && !s.repeat.opaque {
		c.report(diag.New("E0127", s.step.Place, "this `repeat` has no steps"))
	}
}

// repeatBlocks returns the blocks `state` and `next` of a `repeat`.
func (c *checker) repeatBlocks(fs *fileScope, b *syntax.Block) (state, next *syntax.Block) {
	if b.Body == nil {
		return nil, nil
	}
	for _, it := range b.Body.Items {
		x, ok := it.(*syntax.Block)
		if !ok || len(x.Labels) > 0 {
			continue
		}
		var into **syntax.Block
		switch x.KindName() {
		case "state":
			into = &state
		case "next":
			into = &next
		default:
			continue
		}
		if *into != nil {
			c.report(declaredTwice(fs.place(x.KindSpan()), fs.place((*into).KindSpan()), x.KindName(), "block", "block"))
			continue
		}
		*into = x
	}
	return state, next
}

// repeat types the state of a `repeat` and makes the symbol by which others see
// it: the state, `round` and `done`.
func (t *typer) repeat(s *stepNode) {
	if t.state[s.step.Name] != 0 {
		return
	}
	t.state[s.step.Name] = 1
	c, b, r := t.c, s.repeat, s.step.Repeat
	state, _ := c.repeatBlocks(b.fs, s.block)
	seen := map[string]source.Place{}
	if state != nil && state.Body != nil {
		for _, it := range state.Body.Items {
			switch it := it.(type) {
			case *syntax.Attribute:
				if it.Name.Name == "round" || it.Name.Name == "done" || reserved(it.Name.Name) || slices.Contains(universe.Namespaces, it.Name.Name) {
					c.report(nameIsTaken(b.fs.place(it.Name.Span), it.Name.Name, "a part of the state"))
					continue
				}
				if !c.once(seen, b.fs, it.Name, "state") {
					continue
				}
				t.stateValue(r, b, it)
			case *syntax.Field:
				f, ok := c.field(b.fs, it, false)
				if !ok || !c.once(seen, b.fs, it.Name, "state") {
					continue
				}
				if !f.HasDefault && it.Default == nil {
					c.report(diag.New("E0112", b.fs.place(it.Span), "what is "+code(f.Name)+" at first?").
						Say("A part of the state has a first value: `%s: %s = …`.", f.Name, f.Type))
				}
				r.State = append(r.State, f)
				r.Init = append(r.Init, program.Binding{Name: f.Name})
			case *syntax.Bad:
				b.opaque = true
			default:
				c.report(notBinding(b.fs, it, "state"))
			}
		}
	}
	b.state = r.State
	sym := expr.Symbol{Name: s.step.Name, Kind: "step", Noun: "part", Place: s.step.Place}
	conditional := s.settings["when"] != nil || s.otherwise != nil
	see := func(name string, typ types.Type, doc string) {
		m := expr.Member{Name: name, Type: typ, Doc: doc, Place: s.step.Place}
		if conditional && !types.IsInvalid(typ) {
			m.Skipped, m.Type = !types.Nullable(typ), types.NewOptional(typ)
		}
		sym.Members = append(sym.Members, m)
	}
	for _, f := range r.State {
		see(f.Name, f.Type, "")
	}
	see("round", types.Int, "the number of rounds")
	see("done", types.Bool, "false when max_rounds ended it")
	t.state[s.step.Name] = 2
	t.done = append(t.done, sym)
}

// stateValue types one `name = value` of a state.
func (t *typer) stateValue(r *program.Repeat, b *body, it *syntax.Attribute) {
	f := types.Field{Name: it.Name.Name, Type: types.Invalid{}}
	bd := program.Binding{Name: f.Name}
	if e := t.c.parseExpr(b.fs, it.Value); e != nil {
		if ring := t.readBy(e); ring != "" {
			t.c.report(diag.New("E0401", b.fs.place(it.Value.Span), "the state of a `repeat` cannot begin with what it makes itself"))
		} else {
			info, diags := t.c.typed(e, t.sofar())
			t.c.add(diags)
			if !diags.HasErrors() {
				f.Type = types.Widen(info.Type)
				bd.Value = program.Value{Expr: e, Type: info.Type, Sensitive: info.Sensitive, Place: b.fs.place(it.Value.Span)}
			}
		}
	}
	r.State = append(r.State, f)
	r.Init = append(r.Init, bd)
}

// checkRepeat checks the steps of a `repeat`, its end and what it hands on.
func (c *checker) checkRepeat(b *body, s *stepNode) {
	r, in := s.step.Repeat, s.repeat
	c.checkSteps(in)
	for name, x := range s.settings {
		switch {
		case x.bad || x.expr == nil || x.info.Type != nil:
		case name == "until":
			info, diags := c.condition(x.expr, in.scope)
			c.add(diags)
			x.info, x.bad = info, diags.HasErrors()
			c.noSecret(x)
			r.Until = x.value()
		case name == "max_rounds":
			c.checkSetting(x, b.scope)
			r.MaxRounds = x.value()
		}
	}
	_, next := c.repeatBlocks(in.fs, s.block)
	if next != nil && next.Body != nil {
		c.checkNext(in, r, next)
	}
	for _, x := range in.steps {
		r.Steps = append(r.Steps, x.step)
	}
	for _, l := range in.lets {
		if !l.value.Value.IsZero() {
			r.Lets = append(r.Lets, l.value)
		}
	}
}

func (c *checker) checkNext(in *body, r *program.Repeat, next *syntax.Block) {
	seen := map[string]source.Place{}
	for _, it := range next.Body.Items {
		a, ok := it.(*syntax.Attribute)
		if !ok {
			if !isBad(it) {
				c.report(notBinding(in.fs, it, "next"))
			}
			continue
		}
		i := slices.IndexFunc(r.State, func(f types.Field) bool { return f.Name == a.Name.Name })
		if i < 0 {
			c.report(c.unknownState(in, r, a))
			c.typeOnly(in, a.Value, in.scope)
			continue
		}
		if !c.once(seen, in.fs, a.Name, "state") {
			continue
		}
		v, ok := c.boundValue(in, a, r.State[i].Type, in.scope)
		if !ok {
			continue
		}
		if !types.Fits(v.Type, r.State[i].Type) {
			c.report(diag.New("E0309", v.Place, "this is "+article(v.Type.String())).
				Relate(r.Init[i].Value.Place, "%s begins as %s here", code(a.Name.Name), article(r.State[i].Type.String())).
				Say("    state     %s\n    given     %s\n\nA part of the state keeps its type from round to round. Where its first value says too little, write the type: `state { %s: %s = … }`.",
					r.State[i].Type, v.Type, a.Name.Name, v.Type))
			continue
		}
		r.Next = append(r.Next, program.Binding{Name: a.Name.Name, Value: v})
	}
}

func (c *checker) unknownState(in *body, r *program.Repeat, a *syntax.Attribute) *diag.Diagnostic {
	at := in.fs.place(a.Name.Span)
	var names []string
	for _, f := range r.State {
		names = append(names, f.Name)
	}
	d := diag.New("E0216", at, "the state has no "+code(a.Name.Name))
	if near, ok := diag.Nearest(a.Name.Name, names); ok {
		d.Fix("did you mean "+code(near)+"?", at, near)
	}
	if len(names) == 0 {
		return d.Say("This `repeat` has no state. One reads `state { draft = first.text }`.")
	}
	return d.Say("`next` gives the state of the next round. The state is:\n\n%s", fieldLines(r.State, noAddition))
}
