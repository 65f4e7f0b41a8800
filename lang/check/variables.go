package check

import (
	"regexp"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
)

// envCall is `env("NAME")`, the one function that may stand in a default.
var envCall = regexp.MustCompile(`^env\(\s*"([A-Za-z_][A-Za-z0-9_]*)"\s*\)$`)

func (c *checker) checkVariables(fs *fileScope) {
	table, _ := c.u.Block("variable")
	var pending []*decl
	for _, d := range fs.own {
		if d.kind != variableKind {
			continue
		}
		b := d.node.(*syntax.Block)
		v := &program.Variable{Name: d.full, Place: d.place, Type: types.Invalid{}}
		d.variable = v
		c.project.Variables = append(c.project.Variables, v)
		if b.Type == nil {
			if a := typeSetting(b); a != nil {
				c.report(variableWithTypeSetting(fs, b, a))
			} else if b.Body != nil && !hasValue(b) {
				c.report(variableWithoutType(fs, d, b))
			}
		} else {
			v.Type = c.typeOf(fs, b.Type, typeOptions{variable: true})
		}
		pending = append(pending, d)
	}
	fs.forgetFixed()
	for _, d := range pending {
		b := d.node.(*syntax.Block)
		s := c.settings(fs, b, table)
		c.onlySettings(fs, b, "a variable")
		v := d.variable
		c.variableSensitive(fs, v, s["sensitive"])
		v.Description, _ = constantOf[string](s["description"])
		v.Scale, _ = constantOf[string](s["scale"])
		if c.computed(fs, d, s) {
			continue
		}
		c.variableScale(fs, v, s["scale"])
		c.variableDefault(fs, v, s["default"])
		c.variableChoices(fs, v, s["choices"])
	}
	fs.forgetFixed() // made anew, now that variables know whether they are sensitive
}

// variableSensitive refuses the names of models and modules as secrets: they are
// written into plans, traces and results.
func (c *checker) variableSensitive(fs *fileScope, v *program.Variable, s *setting) {
	v.Sensitive, _ = constantOf[bool](s)
	switch v.Type.(type) {
	case types.Model, types.Module:
	default:
		return
	}
	if v.Sensitive {
		v.Sensitive = false
		c.report(diag.New("E0511", fs.place(s.attr.Span), "the name of a "+v.Type.String()+" is no secret").
			Relate(v.Place, "declared here as %s", code(v.Type.String())).
			Say("`%s` names a %s, and plans, traces and results show which one a step uses. What is secret of a model is its key: a variable of type `string` that its `api_key` takes.", v.Name, v.Type).
			Fix("take it out", wholeLines(fs.place(s.attr.Span)), ""))
	}
}

func (c *checker) variableDefault(fs *fileScope, v *program.Variable, s *setting) {
	if s == nil || s.bad || types.IsInvalid(v.Type) {
		return
	}
	text := s.attr.Value.Text
	if m := envCall.FindStringSubmatch(text); m != nil {
		if !types.Fits(types.String, v.Type) {
			c.report(diag.New("E0306", s.at, "an environment variable is text, "+code(v.Name)+" is "+article(v.Type.String())).
				Say("`env` gives the text of an environment variable. Only a variable of type `string` can take it."))
			return
		}
		v.Env = m[1]
		return
	}
	switch v.Type.(type) {
	case types.Model:
		if c.modelName(fs, s.at, text) {
			v.Default, v.HasDefault = strings.TrimPrefix(text, "model."), true
		}
		return
	case types.Module:
		if c.moduleName(fs, s.at, text) {
			v.Default, v.HasDefault = strings.TrimPrefix(text, "module."), true
		}
		return
	}
	lit, lt, diags := expr.Literal(fs.file.Source, s.attr.Value)
	c.add(diags)
	if diags.HasErrors() {
		return
	}
	if fixed, ok := c.defaultFits(s.at, lit, lt, v.Type); ok {
		v.Default, v.HasDefault = fixed, true
	}
}

func (c *checker) variableChoices(fs *fileScope, v *program.Variable, s *setting) {
	if s == nil || s.bad || types.IsInvalid(v.Type) {
		return
	}
	check := c.modelName
	switch v.Type.(type) {
	case types.Model:
	case types.Module:
		check = c.moduleName
	default:
		c.report(diag.New("E0511", fs.place(s.attr.Name.Span), code("choices")+" is for variables of type `model` or `module`").
			Say("The choices of any other variable are its type: `variable tone: \"formal\" | \"casual\" { default = \"formal\" }`."))
		return
	}
	for _, name := range c.nameList(fs, s) {
		at := fs.place(name.Span)
		if check(fs, at, at.Text()) {
			_, bare, _ := strings.Cut(at.Text(), ".")
			v.Choices = append(v.Choices, bare)
		}
	}
}

// hasValue reports whether a variable's block has `value`.
func hasValue(b *syntax.Block) bool {
	return slices.ContainsFunc(b.Body.Items, func(it syntax.Item) bool {
		a, ok := it.(*syntax.Attribute)
		return ok && a.Name.Name == "value"
	})
}

// variableScale reports a scale that the variable's range does not have.
func (c *checker) variableScale(fs *fileScope, v *program.Variable, s *setting) {
	if s == nil || s.bad || types.IsInvalid(v.Type) {
		return
	}
	p, _ := v.Type.(*types.Primitive)
	if p == nil || p.Row.Base != types.IntBase && p.Row.Base != types.FloatBase {
		c.report(diag.New("E0511", fs.place(s.attr.Name.Span), code("scale")+" is for numbers").
			Say("`%s` is %s. A scale says how a tuner spreads its trials between two numbers.", v.Name, article(v.Type.String())))
		return
	}
	lo, hi := p.Bounds()
	switch {
	case lo == nil || hi == nil:
		c.report(diag.New("E0511", fs.place(s.attr.Name.Span), "a scale needs both bounds").
			Relate(v.Place, "declared here as %s", code(v.Type.String())).
			Hint("give it bounds: %s(min = …, max = …)", p.Row.Name))
	case v.Scale == "log" && *lo <= 0:
		c.report(diag.New("E0511", s.at, "a logarithmic scale begins above 0").
			Relate(v.Place, "declared here as %s", code(v.Type.String())))
	}
}

// nameList reads `[model.a, model.b]` as the places of its names.
func (c *checker) nameList(fs *fileScope, s *setting) []syntax.Expr {
	e := s.attr.Value
	if e == nil {
		return nil // the parser has said that it is missing
	}
	text := fs.file.Source.Slice(e.Span) // as it stands, so that places are right
	if !strings.HasPrefix(text, "[") || !strings.HasSuffix(text, "]") {
		c.report(diag.New("E0310", s.at, "a list is expected here").
			Say("%s It is written as a list: `[model.small, model.large]`.", s.decl.Doc))
		s.bad = true
		return nil
	}
	var out []syntax.Expr
	start := 1
	for i := 1; i < len(text); i++ {
		if text[i] != ',' && i != len(text)-1 {
			continue
		}
		part := text[start:i]
		trimmed := strings.TrimSpace(part)
		if trimmed != "" {
			at := e.Start + int32(start+strings.Index(part, trimmed))
			out = append(out, syntax.Expr{Text: trimmed, Span: source.Span{Start: at, End: at + int32(len(trimmed))}})
		}
		start = i + 1
	}
	return out
}

// modelName checks a reference `model.NAME` or an address in quotes.
func (c *checker) modelName(fs *fileScope, at source.Place, text string) bool {
	n := len(c.diags) // models are made later, so the reference may be empty and right
	c.modelRef(fs, at, text, false)
	return len(c.diags) == n
}

// moduleName checks a reference `module.NAME`.
func (c *checker) moduleName(fs *fileScope, at source.Place, text string) bool {
	name, ok := strings.CutPrefix(text, "module.")
	if !ok {
		c.report(diag.New("E0310", at, "a module is expected here").Say("A module is named `module.NAME`, say `module.predict`."))
		return false
	}
	if _, ok := fs.lookup(programKind, name); ok {
		return true
	}
	if m, ok := c.u.Module(name); ok {
		if !m.Wraps && !m.Holds {
			return true
		}
		c.report(diag.New("E0310", at, code(name)+" holds a module, and there is none here").
			Say("What a variable chooses stands alone. A module that holds others is written as a step, and may hold the choice:\n\n    %s NAME {\n      …\n      module { use = var.… }\n    }", name))
		return false
	}
	c.report(c.unknownModule(fs, at, name, int32(len("module."))))
	return false
}

func constantOf[T any](s *setting) (T, bool) {
	var zero T
	if s == nil || s.bad || !s.fixed {
		return zero, false
	}
	v, ok := s.constant.(T)
	return v, ok
}

// onlySettings reports whatever is not a setting in a block that holds only
// settings.
func (c *checker) onlySettings(fs *fileScope, b *syntax.Block, what string) {
	if b.Body == nil {
		return
	}
	for _, it := range b.Body.Items {
		switch it.(type) {
		case *syntax.Attribute, *syntax.Bad:
		default:
			c.report(notAllowedHere(fs.place(headOf(it)), "this", what, what+" holds settings: `name = value`"))
		}
	}
}
