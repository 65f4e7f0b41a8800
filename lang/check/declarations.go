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

// What the checks of tools, data, metrics, tuning and tests share.

// Kinds of declarations that stand around programs.
const (
	toolKind       kind = "tool"
	retrieverKind  kind = "retriever"
	datasetKind    kind = "dataset"
	metricKind     kind = "metric"
	evaluateKind   kind = "evaluate"
	optimizeKind   kind = "optimize"
	constraintKind kind = "constraint"
	testKind       kind = "test"
)

// each calls f for every declaration of a kind in a file.
func (fs *fileScope) each(k kind, f func(*decl, *syntax.Block)) {
	for _, d := range fs.own {
		if b, ok := d.node.(*syntax.Block); ok && d.kind == k {
			f(d, b)
		}
	}
}

// checkAround checks what programs use: tools, retrievers, data sets.
func (c *checker) checkAround(fs *fileScope) {
	fs.each(toolKind, func(d *decl, b *syntax.Block) { c.checkTool(d, b) })
	fs.each(retrieverKind, func(d *decl, b *syntax.Block) { c.checkRetriever(d, b) })
	fs.each(datasetKind, func(d *decl, b *syntax.Block) { c.checkDataset(d, b) })
}

// declareAround makes the declarations that programs name, so that they can be
// named before they are checked.
func (c *checker) declareAround(fs *fileScope) {
	names := c.variableNames(fs)
	for _, d := range fs.own {
		switch d.kind {
		case toolKind:
			d.tool = &program.Tool{Name: d.full, Names: names, Place: d.place, Signature: &program.Signature{}}
			c.project.Tools = append(c.project.Tools, d.tool)
		case retrieverKind:
			d.retriever = &program.Retriever{Name: d.full, Names: names, Place: d.place}
			c.project.Retrievers = append(c.project.Retrievers, d.retriever)
		case datasetKind:
			d.dataset = &program.Dataset{Name: d.full, Names: names, Place: d.place}
			c.project.Datasets = append(c.project.Datasets, d.dataset)
		case metricKind:
			d.metric = &program.Metric{Name: d.full, Names: names, Place: d.place}
			c.project.Metrics = append(c.project.Metrics, d.metric)
		}
	}
}

// checkUses checks what uses programs: metrics, evaluations, tuning, tests.
func (c *checker) checkUses() {
	for _, fs := range c.order {
		fs.each(metricKind, func(d *decl, b *syntax.Block) { c.checkMetric(d, b) })
	}
	for _, fs := range c.order {
		fs.each(evaluateKind, func(d *decl, b *syntax.Block) { c.checkEvaluation(d, b) })
		fs.each(optimizeKind, func(d *decl, b *syntax.Block) { c.checkOptimization(d, b) })
		fs.each(constraintKind, func(d *decl, b *syntax.Block) { c.checkConstraint(d, b) })
		fs.each(testKind, func(d *decl, b *syntax.Block) { c.checkTest(d, b) })
	}
}

// inner returns the inner blocks of a declaration by name and reports whatever
// else it holds beside its settings. Blocks for which keep returns true are left
// to the caller; keep may be nil.
func (c *checker) inner(fs *fileScope, b *syntax.Block, table *universe.Block, where string, keep func(*syntax.Block) bool) map[string]*syntax.Block {
	out := map[string]*syntax.Block{}
	if b.Body == nil {
		return out
	}
	seen := map[string]source.Place{}
	free := *table // the blocks that a misspelt one may have been meant to be
	free.Blocks = slices.DeleteFunc(slices.Clone(table.Blocks), func(x universe.Block) bool {
		return slices.ContainsFunc(b.Body.Items, func(it syntax.Item) bool {
			y, ok := it.(*syntax.Block)
			return ok && y.KindName() == x.Name
		})
	})
	for _, it := range b.Body.Items {
		switch it := it.(type) {
		case *syntax.Attribute, *syntax.Bad:
		case *syntax.Field, *syntax.Arrow:
			if !table.Signature && !c.afterField(b.Body.Items, it) {
				c.report(notAllowedHere(fs.place(headOf(it)), "a field", where, where+" has no signature of its own"))
			}
		case *syntax.Block:
			if keep != nil && keep(it) {
				continue
			}
			decl, ok := table.Block(it.KindName())
			if !ok {
				c.report(unknownInnerBlock(fs, it, where, &free))
				continue
			}
			if !c.once(seen, fs, syntax.Ident{Name: decl.Name, Span: it.KindSpan()}, "block") {
				continue
			}
			if len(it.Labels) > 0 {
				c.report(blockWithManyNames(fs, it))
			}
			out[decl.Name] = it
		default:
			c.report(notAllowedHere(fs.place(headOf(it)), "this", where, where+" holds settings and blocks"))
		}
	}
	return out
}

// named is a name that gets a value in a block of names: `header { A = x }`.
type named struct {
	attr  *syntax.Attribute
	value program.Value
	ok    bool // the value could be understood
}

// names reads a block in which names get values. want returns the type that the
// value of a name must fit, and false for a name that was reported. broken tells
// that a part of the block was not understood.
func (c *checker) names(fs *fileScope, b *syntax.Block, scope *expr.Scope, want func(syntax.Ident) (types.Type, bool)) (out []named, broken bool) {
	if b == nil || b.Body == nil {
		return nil, b != nil
	}
	seen := map[string]source.Place{}
	for _, it := range b.Body.Items {
		a, ok := it.(*syntax.Attribute)
		if !ok {
			broken = true
			if !isBad(it) {
				c.report(notBinding(fs, it, b.KindName()))
			}
			continue
		}
		t, known := want(a.Name)
		if known && !c.once(seen, fs, a.Name, "name") {
			continue
		}
		v, fine := c.valueIn(fs, a.Value, scope, t)
		if known {
			out = append(out, named{a, v, fine})
		}
	}
	return out, broken
}

// valueIn checks an expression in a scope.
func (c *checker) valueIn(fs *fileScope, e *syntax.Expr, scope *expr.Scope, want types.Type) (program.Value, bool) {
	x := c.parseExpr(fs, e)
	if x == nil {
		return program.Value{}, false
	}
	info, diags := c.expecting(x, scope, want)
	c.add(diags)
	if diags.HasErrors() {
		return program.Value{}, false
	}
	return program.Value{Expr: x, Type: info.Type, Sensitive: info.Sensitive, Place: fs.place(e.Span)}, true
}

// texts reads a block of names whose values are texts and may be secret, such as
// `header` and `env`.
func (c *checker) texts(fs *fileScope, b *syntax.Block, scope *expr.Scope) []program.Binding {
	var out []program.Binding
	all, _ := c.names(fs, b, scope, func(syntax.Ident) (types.Type, bool) { return types.String, true })
	for _, n := range all {
		if !n.ok {
			continue
		}
		if !types.Fits(n.value.Type, types.String) {
			d := diag.New("E0310", n.value.Place, "this is "+article(n.value.Type.String())+", and a text is expected here")
			d.Fix("make it a text", n.value.Place, "string("+n.value.Place.Text()+")")
			c.report(d)
			continue
		}
		out = append(out, program.Binding{Name: n.attr.Name.Name, Value: n.value})
	}
	return out
}

// checkIn checks the settings of a block that are not fixed, in a scope.
func (c *checker) checkIn(s map[string]*setting, scope *expr.Scope) {
	for _, x := range s {
		if x.decl.Fixed || x.expr == nil || x.info.Type != nil {
			continue
		}
		if x.decl.Kind == universe.Boolean {
			c.checkCondition(x, scope)
		} else {
			c.checkSetting(x, scope)
		}
	}
}

// checkCondition is checkSetting for a setting that is true or false.
func (c *checker) checkCondition(s *setting, scope *expr.Scope) {
	if s == nil || s.expr == nil || s.bad {
		return
	}
	info, diags := c.condition(s.expr, scope)
	c.add(diags)
	if diags.HasErrors() {
		s.bad = true
		return
	}
	s.info = info
	if info.Sensitive && !s.decl.Secret {
		s.bad = true
		c.report(secretEscapes(s.at, "the condition "+code(s.decl.Name)))
	}
}

// fieldSymbols are the symbols of fields: each by its name, and all behind `inputs.`.
func fieldSymbols(fields []types.Field, kind string, at source.Place) []expr.Symbol {
	out := make([]expr.Symbol, 0, len(fields))
	for _, f := range fields {
		out = append(out, expr.Symbol{Name: f.Name, Kind: kind, Type: f.Type, Place: at})
	}
	return out
}

func inputsSymbol(fields []types.Field) expr.Symbol {
	return expr.Symbol{Name: "inputs", Kind: "inputs", Noun: "input", Members: fieldMembers(fields)}
}

func fieldMembers(fields []types.Field) []expr.Member {
	var out []expr.Member
	for _, f := range fields {
		out = append(out, expr.Member{Name: f.Name, Type: f.Type, Doc: f.Description})
	}
	return out
}

// within returns the symbols of a file's fixed scope and more.
func (c *checker) within(fs *fileScope, more ...[]expr.Symbol) *expr.Scope {
	symbols := append([]expr.Symbol{}, c.fixedSymbols(fs)...)
	for _, m := range more {
		symbols = append(symbols, m...)
	}
	return expr.NewScope(symbols...)
}
