package check

import (
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
)

// options checks the settings that are a module's own.
func (c *checker) options(b *body, s *stepNode, scope *expr.Scope) {
	if s.module == nil {
		return
	}
	for i := range s.module.Settings {
		x, ok := s.settings[s.module.Settings[i].Name]
		if !ok || x.bad || x.decl.Name == "use" {
			continue
		}
		o := program.Option{Name: x.decl.Name}
		switch x.decl.Kind {
		case universe.RetrieverOf:
			o.Refs = c.refs(b.fs, x, "retriever", []place{{x.at}})
		case universe.ToolList:
			o.Refs = c.toolRefs(b, x)
		case universe.Judgement:
			c.judgement(b, s, x, types.Float)
			o.Value, o.Judges = x.value(), true
		case universe.PassagesIf:
			c.passagesIf(b, s, x, scope)
			o.Value, o.Passages = x.value(), true
		default:
			c.pythonNamed(s, x)
			o.Value = x.value()
		}
		s.step.Options = append(s.step.Options, o)
	}
}

type place struct{ source.Place }

// refs reads references `KIND.NAME`: declared ones and built-in ones.
func (c *checker) refs(fs *fileScope, x *setting, word string, at []place) []string {
	var out []string
	for _, p := range at {
		name, ok := strings.CutPrefix(p.Text(), word+".")
		if !ok {
			d := diag.New("E0310", p.Place, "a "+word+" is expected here").
				Say("A %s is named `%s.NAME`.", word, word)
			if _, declared := fs.lookup(kind(word), p.Text()); declared {
				d.Fix("did you mean "+code(word+"."+p.Text())+"?", p.Place, word+"."+p.Text())
			}
			c.report(d)
			continue
		}
		if d, ok := fs.lookup(kind(word), name); ok {
			out = append(out, word+"."+d.full)
			continue
		}
		builtin := c.u.BuiltinNames(word)
		if slices.Contains(builtin, name) {
			out = append(out, word+"."+name)
			continue
		}
		c.report(unknownDeclaration(p.Place, word, name, append(fs.visible(kind(word)), builtin...)))
	}
	return out
}

// unknownDeclaration speaks of `KIND.NAME` where no such one is declared.
func unknownDeclaration(at source.Place, word, name string, names []string) *diag.Diagnostic {
	at.Start += int32(len(word) + 1)
	d := diag.New("E0208", at, "no "+word+" of this name is declared")
	if near, ok := diag.Nearest(name, names); ok {
		d.Fix("did you mean "+code(near)+"?", at, near)
	}
	if len(names) == 0 {
		return d.Say("No %s is declared.", word)
	}
	return d.Say("There are: %s.", quotedList(names))
}

// moduleRef reads the value of `use`: `module.NAME`, or a variable of type module.
func (c *checker) moduleRef(fs *fileScope, x *setting) program.ModuleRef {
	text := x.attr.Value.Text
	if name, ok := strings.CutPrefix(text, "var."); ok {
		d, ok := fs.lookup(variableKind, name)
		if !ok {
			x.bad = true
			c.report(c.unknownVariable(fs, x.at, name))
			return program.ModuleRef{}
		}
		if _, isModule := d.variable.Type.(types.Module); !isModule {
			x.bad = true
			if !types.IsInvalid(d.variable.Type) {
				c.report(diag.New("E0310", x.at, code(text)+" is "+article(d.variable.Type.String())+", not a module").
					Relate(d.place, "declared here"))
			}
			return program.ModuleRef{}
		}
		return program.ModuleRef{Variable: d.variable, Place: x.at}
	}
	if !c.moduleName(fs, x.at, text) {
		x.bad = true
		return program.ModuleRef{}
	}
	return program.ModuleRef{Module: strings.TrimPrefix(text, "module."), Place: x.at}
}

// judge checks what is asserted of a step's outputs.
func (c *checker) judge(b *body, s *stepNode) {
	if len(s.asserts) == 0 {
		return
	}
	seen := map[string]source.Place{}
	for _, it := range s.asserts {
		table, _ := c.u.Step.Block(it.KindName())
		a := program.Assert{Suggest: it.KindName() == "suggest", Retries: 2, Place: b.fs.place(it.KindSpan())}
		if len(it.Labels) == 0 {
			c.report(blockWithoutName(b.fs, it))
		} else {
			a.Name = it.Labels[0].Name
			if !c.once(seen, b.fs, it.Labels[0].Ident, it.KindName()) {
				continue
			}
		}
		settings := c.settings(b.fs, it, table)
		c.onlySettings(b.fs, it, code(it.KindName()))
		if x, ok := settings["that"]; ok {
			c.judgement(b, s, x, types.Bool)
			a.That = x.value()
		}
		if x, ok := settings["message"]; ok {
			c.judgement(b, s, x, types.String)
			a.Message = x.value()
		}
		if n, ok := constantOf[int](settings["retries"]); ok {
			a.Retries = n
		}
		s.step.Asserts = append(s.step.Asserts, a)
	}
}

// judgement checks an expression over a step's own inputs and outputs.
func (c *checker) judgement(b *body, s *stepNode, x *setting, want types.Type) {
	if x.expr == nil || x.bad {
		return
	}
	scope := c.judgeScope(b, s)
	if want == types.Bool {
		info, diags := c.condition(x.expr, scope)
		c.add(diags)
		x.info, x.bad = info, diags.HasErrors()
	} else {
		info, diags := c.expecting(x.expr, scope, want)
		c.add(diags)
		x.info, x.bad = info, diags.HasErrors()
		if !x.bad && !types.Fits(info.Type, want) {
			x.bad = true
			c.report(settingHasWrongType(x, info.Type, want))
		}
	}
	c.noSecret(x)
}

// judgeScope is what a judgement sees: the step's own inputs and outputs.
func (c *checker) judgeScope(b *body, s *stepNode) *expr.Scope {
	symbols := slices.Clone(c.fixedSymbols(b.fs))
	own := map[string]bool{}
	add := func(fields []types.Field, kind string) {
		for _, f := range fields {
			own[f.Name] = true
			symbols = append(symbols, expr.Symbol{Name: f.Name, Kind: kind, Type: f.Type, Place: s.step.Place})
		}
	}
	add(s.step.Declared.Inputs, "input")
	add(s.step.Signature.Outputs, "output")
	scope := expr.NewScope(symbols...)
	hidden := map[string]string{}
	scope.Hidden = func(name string) string { return hidden[name] }
	for x := b; x != nil; x = x.parent {
		for _, o := range x.steps {
			if !own[o.step.Name] {
				hidden[o.step.Name] = "`" + o.step.Name + "` is a step, and this sees only the inputs and outputs of its own step, `" + s.step.Name + "`."
			}
		}
	}
	for _, f := range b.prog.Signature.Inputs {
		if !own[f.Name] {
			hidden[f.Name] = "`" + f.Name + "` is an input of the program, and this sees only the inputs and outputs of its own step, `" + s.step.Name + "`."
		}
	}
	return scope
}

func wrapsNothing(s *stepNode) *diag.Diagnostic {
	return diag.New("E0502", s.step.Place, code(s.module.Name)+" holds no module").
		Say("`%s` calls the module that stands in it:\n\n    %s", s.module.Name, strings.ReplaceAll(s.module.Example, "\n", "\n    "))
}
