package check

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
)

// setting is a setting as written, understood as far as it could be.
type setting struct {
	decl     *universe.Setting
	attr     *syntax.Attribute
	at       source.Place // of the value
	expr     *expr.Expr   // nil when it could not be read
	info     expr.Info
	constant any // the value when it is fixed
	fixed    bool
	bad      bool // something was reported about it
}

// value returns the setting as a value of the program.
func (s *setting) value() program.Value {
	if s == nil || s.expr == nil || s.bad {
		return program.Value{}
	}
	return program.Value{Expr: s.expr, Type: s.info.Type, Sensitive: s.info.Sensitive, Place: s.at}
}

// settings reads the attributes of a block against the table. Names that are not
// settings are reported, and what is required and missing. Values are checked
// later, by checkSetting, when the scope they stand in is known; those of Fixed
// settings are checked here.
func (c *checker) settings(fs *fileScope, b *syntax.Block, table *universe.Block) map[string]*setting {
	out := map[string]*setting{}
	if b.Body == nil {
		return out
	}
	seen := map[string]source.Place{}
	broken := false
	for _, it := range b.Body.Items {
		a, ok := it.(*syntax.Attribute)
		if !ok {
			broken = broken || isBad(it)
			continue
		}
		at := fs.place(a.Name.Span)
		decl, ok := table.Setting(a.Name.Name)
		if !ok && table.Name == "variable" && a == typeSetting(b) {
			continue // checkVariables has spoken
		}
		if !ok {
			d := c.report(c.unknownSetting(at, a.Name.Name, b, table))
			if decl, ok = meantFlow(d, table); !ok {
				continue
			}
		}
		if first, twice := seen[decl.Name]; twice {
			c.report(diag.New("E0503", at, code(decl.Name)+" is set again").Relate(first, "it is set here already").
				Say("A setting has one value."))
			continue
		}
		seen[decl.Name] = at
		s := &setting{decl: decl, attr: a}
		if a.Value != nil {
			s.at = fs.place(a.Value.Span)
		}
		out[decl.Name] = s
		if a.Value == nil {
			s.bad = true
			continue
		}
		switch decl.Kind {
		case universe.SignatureOf, universe.ModelOf, universe.ModelList, universe.Choices, universe.Literal,
			universe.RetrieverOf, universe.ToolList, universe.ModuleOf, universe.StepOf,
			universe.ProgramOf, universe.DatasetOf, universe.MetricOf, universe.MetricList, universe.TunableList:
			continue // read where they are used: they are names, not values
		}
		s.expr = c.parseExpr(fs, a.Value)
		if s.expr == nil {
			s.bad = true
			continue
		}
		if decl.Fixed {
			c.checkSetting(s, c.fixedScope(fs))
		}
	}
	for i := range table.Settings {
		decl := &table.Settings[i]
		if _, ok := seen[decl.Name]; !ok && decl.Required && !broken {
			c.report(settingIsMissing(fs, b, decl))
		}
	}
	return out
}

// checkSetting checks the value of a setting in a scope.
func (c *checker) checkSetting(s *setting, scope *expr.Scope) {
	if s == nil || s.expr == nil || s.decl.Kind == universe.Judgement || s.decl.Kind == universe.PassagesIf {
		return // a judgement has a scope of its own
	}
	info, diags := c.typed(s.expr, scope)
	c.add(diags)
	if diags.HasErrors() {
		s.bad = true
		return
	}
	s.info = info
	if info.Sensitive && !s.decl.Secret {
		s.bad = true
		c.report(secretEscapes(s.at, "the setting "+code(s.decl.Name)))
		return
	}
	want := settingType(s.decl.Kind)
	if want != nil && !types.Fits(info.Type, want) {
		s.bad = true
		c.report(settingHasWrongType(s, info.Type, want))
		return
	}
	if !info.IsConstant {
		return
	}
	s.constant, s.fixed = info.Constant, true
	switch s.decl.Kind {
	case universe.Integer, universe.Number:
		c.checkRange(s)
	case universe.Choice:
		text, _ := s.constant.(string)
		for _, choice := range s.decl.Choices {
			if text == choice {
				return
			}
		}
		s.bad = true
		c.report(unknownChoice(s, text))
	case universe.Duration:
		text, _ := s.constant.(string)
		if d, err := time.ParseDuration(text); err != nil || d <= 0 {
			s.bad = true
			c.report(diag.New("E0310", s.at, "this is not a length of time").
				Say("A length of time is a number and a unit in quotes: `\"500ms\"`, `\"30s\"`, `\"5m\"`, `\"1h30m\"`."))
		} else {
			s.constant = d
		}
	}
}

func (c *checker) checkRange(s *setting) {
	var f float64
	switch v := s.constant.(type) {
	case int:
		f = float64(v)
	case float64:
		f = v
	default:
		return
	}
	lo, hi := s.decl.Min, s.decl.Max
	if (lo == nil || f >= *lo) && (hi == nil || f <= *hi) {
		return
	}
	s.bad = true
	var want string
	switch {
	case lo != nil && hi != nil:
		want = fmt.Sprintf("from %s to %s", types.FormatFloat(*lo), types.FormatFloat(*hi))
	case lo != nil:
		want = "at least " + types.FormatFloat(*lo)
	default:
		want = "at most " + types.FormatFloat(*hi)
	}
	c.report(diag.New("E0509", s.at, code(s.decl.Name)+" is "+want).Say("%s", s.decl.Doc))
}

// settingType returns the type that a setting's value must fit; nil: any.
func settingType(k universe.ValueKind) types.Type {
	switch k {
	case universe.Text, universe.Duration, universe.Choice:
		return types.String
	case universe.Integer:
		return types.Int
	case universe.Number:
		return types.Float
	case universe.Boolean:
		return types.Bool
	case universe.TextList:
		return &types.List{Elem: types.String}
	}
	return nil
}

// fixedScope is what a value that must be known before a run may use: variables
// and enums.
func (c *checker) fixedScope(fs *fileScope) *expr.Scope {
	if fs.fixed == nil {
		fs.fixed = expr.NewScope(c.fixedSymbols(fs)...)
	}
	return fs.fixed
}

// fixedSymbols are the names of fixedScope. They are made once for a file, and
// are for every program of it the same: to append to them copies them.
func (c *checker) fixedSymbols(fs *fileScope) []expr.Symbol {
	if fs.symbols == nil {
		fs.symbols = slices.Clip(c.makeFixedSymbols(fs))
	}
	return fs.symbols
}

func (c *checker) makeFixedSymbols(fs *fileScope) []expr.Symbol {
	vars := expr.Symbol{Name: "var", Kind: "variables", Noun: "variable"}
	for _, name := range slices.Sorted(maps.Keys(fs.names[variableKind])) {
		vars.Members = append(vars.Members, variableMember(fs.names[variableKind][name]))
	}
	out := []expr.Symbol{}
	for _, name := range slices.Sorted(maps.Keys(fs.names[typeKind])) {
		d := fs.names[typeKind][name]
		if e, ok := d.typ.(*types.Enum); ok {
			out = append(out, expr.Symbol{Name: name, Kind: "enum", Noun: "value", Place: d.place, Converts: e, Members: enumMembers(e)})
		}
	}
	for _, alias := range slices.Sorted(maps.Keys(fs.aliases)) {
		nested := expr.Member{Name: alias, Noun: "variable", Doc: "variables of an imported file"}
		file := expr.Symbol{Name: alias, Kind: "imported file", Noun: "enum"}
		for _, d := range fs.aliases[alias].own {
			switch e := d.typ.(type) {
			case *types.Enum:
				file.Members = append(file.Members, expr.Member{Name: d.name, Noun: "value", Members: enumMembers(e), Place: d.place})
			}
			if d.kind == variableKind {
				nested.Members = append(nested.Members, variableMember(d))
			}
		}
		if len(nested.Members) > 0 {
			vars.Members = append(vars.Members, nested)
		}
		if len(file.Members) > 0 {
			out = append(out, file)
		}
	}
	models := expr.Symbol{Name: "model", Kind: "models", Noun: "model"}
	for _, name := range slices.Sorted(maps.Keys(fs.names[modelKind])) {
		models.Members = append(models.Members, expr.Member{Name: name, Type: types.Model{}, Place: fs.names[modelKind][name].place})
	}
	return append(append(out, vars, models), c.declarationSymbols(fs)...)
}

// declarationSymbols are the name spaces of modules, which a variable may
// choose, and of declarations, which are no values.
func (c *checker) declarationSymbols(fs *fileScope) []expr.Symbol {
	modules := expr.Symbol{Name: "module", Kind: "modules", Noun: "module"}
	for _, m := range c.u.Modules {
		modules.Members = append(modules.Members, expr.Member{Name: m.Name, Type: types.Module{}, Doc: m.Doc})
	}
	for _, name := range slices.Sorted(maps.Keys(fs.names[programKind])) {
		modules.Members = append(modules.Members, expr.Member{Name: name, Type: types.Module{}, Place: fs.names[programKind][name].place})
	}
	out := []expr.Symbol{modules}
	for _, k := range []kind{toolKind, retrieverKind, datasetKind, metricKind} {
		if len(fs.names[k]) == 0 {
			continue
		}
		sym := expr.Symbol{Name: string(k), Kind: "declarations", Noun: nouns[k]}
		for _, name := range slices.Sorted(maps.Keys(fs.names[k])) {
			sym.Members = append(sym.Members, expr.Member{Name: name, Place: fs.names[k][name].place})
		}
		out = append(out, sym)
	}
	return out
}

func variableMember(d *decl) expr.Member {
	m := expr.Member{Name: d.name, Type: types.Invalid{}, Place: d.place}
	if v := d.variable; v != nil {
		m.Type, m.Sensitive, m.Doc = v.Type, v.Sensitive, v.Description
	}
	return m
}

func enumMembers(e *types.Enum) []expr.Member {
	var out []expr.Member
	for _, m := range e.Members {
		out = append(out, expr.Member{Name: m.Name, Type: e, Doc: m.Description})
	}
	return out
}

// variableNames returns what `var.…` means in a file.
func (c *checker) variableNames(fs *fileScope) program.Names {
	if fs.vars == nil {
		fs.vars = program.Names{}
		for _, name := range fs.visible(variableKind) {
			if d, ok := fs.lookup(variableKind, name); ok && d.variable != nil {
				fs.vars[name] = d.variable
			}
		}
	}
	return fs.vars
}

// nameOf returns the dotted name that a value consists of, "" when it is
// anything else: `Triage`, `model.fast`, `rag.Answer`.
func nameOf(e *syntax.Expr) string {
	for i, r := range e.Text {
		if r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r > 127 {
			continue
		}
		if i > 0 && (r == '.' || r >= '0' && r <= '9') {
			continue
		}
		return ""
	}
	return e.Text
}
