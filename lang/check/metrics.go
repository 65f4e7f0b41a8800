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

// A metric is checked more than once: by itself, where a row and the outputs may
// be anything, and then at every use, against the columns of that data set and
// the outputs of that program. A mistake that shows already when it is checked by
// itself is reported there and not again at its uses.

// metricNames are what a metric's expressions see beside its own steps.
var metricNames = []string{"example", "prediction", "usage"}

// checkMetric checks a metric by itself.
func (c *checker) checkMetric(d *decl, b *syntax.Block) {
	before := len(c.diags)
	d.metric.Use = c.metricBody(d, b, nil, nil)
	if b.Body != nil {
		for _, it := range b.Body.Items {
			switch it.(type) {
			case *syntax.Field, *syntax.Arrow:
				if !c.afterField(b.Body.Items, it) {
					c.report(notAllowedHere(d.scope.place(headOf(it)), "a field", "a metric", "its expressions see `example`, `prediction` and `usage`"))
				}
			}
		}
	}
	for _, diagnostic := range c.diags[before:] {
		d.faults = append(d.faults, fault{diagnostic.Code, diagnostic.Primary.Place})
	}
}

// fault is a mistake that was reported.
type fault struct {
	code diag.Code
	at   source.Place
}

// metricUse is a metric with what it is applied to.
type metricUse struct {
	metric *program.Metric
	prog   *program.Program
	data   *program.Dataset
}

// useMetric checks a metric against a program and a data set. at is the place
// that brings them together.
func (c *checker) useMetric(d *decl, at source.Place, prog *program.Program, data *program.Dataset) *program.MetricUse {
	key := metricUse{d.metric, prog, data}
	if use, ok := c.metricUses[key]; ok {
		return use
	}
	before := len(c.diags)
	use := c.metricBody(d, d.node.(*syntax.Block), prog, data)
	use.Place = at
	found := slices.Clone(c.diags[before:])
	c.diags = c.diags[:before]
	for _, x := range found {
		if slices.Contains(d.faults, fault{x.Code, x.Primary.Place}) || x.Level == diag.Warning {
			continue
		}
		what := code(prog.Name)
		if data != nil {
			what += " on " + code(data.Address())
		}
		if x.Primary.File != at.File { // what is said of a file rests on it and its imports only
			x.Relate(x.Primary.Place, "%s", x.Primary.Text)
			x.Primary = diag.Label{Place: at, Text: code(d.metric.Address()) + " does not fit " + what}
			c.report(x)
			continue
		}
		c.report(x.Relate(at, "%s measures %s here", code(d.metric.Address()), what))
	}
	if c.metricUses == nil {
		c.metricUses = map[metricUse]*program.MetricUse{}
	}
	c.metricUses[key] = use
	return use
}

// metricBody checks the settings and steps of a metric for a use, or by itself
// when prog is nil.
func (c *checker) metricBody(d *decl, block *syntax.Block, prog *program.Program, data *program.Dataset) *program.MetricUse {
	fs := d.scope
	table, _ := c.u.Block("metric")
	block, python := pythonMetric(block)
	if python != nil { // it gives the score
		t := *table
		t.Settings = slices.DeleteFunc(slices.Clone(t.Settings), func(s universe.Setting) bool { return s.Name == "score" || s.Name == "feedback" })
		table = &t
	}
	use := &program.MetricUse{Metric: d.metric, Place: d.place}
	use.Body = &program.Program{Name: d.metric.Name, Place: d.place, Names: d.metric.Names, Signature: &program.Signature{}}
	b := c.newBody(fs, block, use.Body, c.settings(fs, block, table))
	b.extra = []expr.Symbol{rowSymbol(prog, data), predictionSymbol(prog), usageSymbol()}
	c.collect(b)
	if b.outputs != nil {
		c.report(notAllowedHere(fs.place(b.outputs.KindSpan()), code("outputs"), "a metric", "a metric has one result, its `score`"))
	}
	c.freeOf(b, metricNames)
	if python != nil {
		c.measuredByPython(b, python, use, prog)
		return use
	}
	c.finishBody(b, func() {
		c.checkScore(b.settings["score"], b.scope)
		c.checkIn(b.settings, b.scope)
	})
	use.Score, use.Feedback = b.settings["score"].value(), b.settings["feedback"].value()
	d.metric.Description, _ = constantOf[string](b.settings["description"])
	return use
}

// measuredByPython checks a metric whose score a function in Python gives.
func (c *checker) measuredByPython(b *body, python *syntax.Block, use *program.MetricUse, prog *program.Program) {
	d := use.Metric
	for _, s := range b.steps {
		c.report(notAllowedHere(s.step.Place, "a step", "a metric in Python", "the function does all the work"))
	}
	for _, l := range b.lets {
		c.report(notAllowedHere(l.value.Place, "a named value", "a metric in Python", "the function does all the work"))
	}
	b.steps, b.lets = nil, nil
	c.finishBody(b, func() { c.checkIn(b.settings, b.scope) })
	d.Python = c.pythonStep(b, python, prog)
	use.Score, use.Feedback = pythonResult("score", types.Float, d.Python.Place), pythonResult("feedback", types.NewOptional(types.String), d.Python.Place)
	d.Description, _ = constantOf[string](b.settings["description"])
}

// checkScore checks that a score is a number, or true and false.
func (c *checker) checkScore(s *setting, scope *expr.Scope) {
	c.checkSetting(s, scope)
	if s == nil || s.bad || s.expr == nil {
		return
	}
	t := s.info.Type
	if types.Fits(t, types.Float) || types.Fits(t, types.Bool) {
		return
	}
	s.bad = true
	d := diag.New("E0316", s.at, "this is "+article(expr.Widen(t).String())).
		Say("A score is a number, usually from 0 to 1, or true and false.")
	if inner, optional := types.Unwrap(t); optional && (types.Fits(inner, types.Float) || types.Fits(inner, types.Bool)) {
		d.Fix("count a missing one as 0", s.at, "("+s.at.Text()+") ?? "+zeroOf(inner))
	}
	c.report(d)
}

func zeroOf(t types.Type) string {
	if types.Fits(t, types.Bool) {
		return "false"
	}
	return "0.0"
}

// freeOf reports steps with a name that has a meaning in this body.
func (c *checker) freeOf(b *body, names []string) {
	for _, s := range b.steps {
		if slices.Contains(names, s.step.Name) {
			c.report(nameIsTaken(s.step.Place, s.step.Name, "a step"))
		}
	}
	for _, l := range b.lets {
		if slices.Contains(names, l.value.Name) {
			c.report(nameIsTaken(l.value.Place, l.value.Name, "a named value"))
		}
	}
}

// predictionSymbol is `prediction`: the outputs of a program.
func predictionSymbol(prog *program.Program) expr.Symbol {
	sym := expr.Symbol{Name: "prediction", Kind: "prediction", Noun: "output"}
	if prog == nil {
		sym.Type = types.JSON
		return sym
	}
	sym.Place = prog.Place
	sym.Members = fieldMembers(prog.Signature.Outputs)
	return sym
}

func usageSymbol() expr.Symbol {
	return expr.Symbol{Name: "usage", Kind: "what the run used", Noun: "number", Members: fieldMembers(universe.UsageFields)}
}

// metricAt reads one reference `metric.NAME` and checks the metric for the use.
// It returns nil when something was reported about the reference.
func (c *checker) metricAt(fs *fileScope, at source.Place, prog *program.Program, data *program.Dataset) *program.MetricUse {
	d, name, ok := c.reference(fs, at, metricKind, func(n string) bool { _, ok := c.u.Metric(n); return ok })
	switch {
	case !ok:
		return nil
	case d != nil && prog == nil:
		return &program.MetricUse{Metric: d.metric, Place: at}
	case d != nil:
		return c.useMetric(d, at, prog, data)
	}
	return c.builtinMetric(at, name, prog, data)
}

// builtinMetric checks the use of a metric that is built in.
func (c *checker) builtinMetric(at source.Place, name string, prog *program.Program, data *program.Dataset) *program.MetricUse {
	m, _ := c.u.Metric(name)
	use := &program.MetricUse{Builtin: name, Place: at}
	use.Score.Type = m.Type
	if m.Params != "" && !m.Compares {
		c.report(diag.New("E0310", at, "it must be said what "+code("metric."+name)+" compares").
			Say("%s Call it in a metric of your own:\n\n    metric found {\n      score = %s(prediction.passages, example.answer)\n    }", m.Doc, name))
		return nil
	}
	if !m.Compares || prog == nil {
		return use
	}
	for _, f := range prog.Signature.Outputs {
		if data == nil || data.Columns == nil || data.Has(f.Name) {
			use.Labels = append(use.Labels, f.Name)
		}
	}
	if len(use.Labels) == 0 && len(prog.Signature.Outputs) > 0 {
		c.report(diag.New("E0220", at, "there is no label to compare with").
			Relate(data.Place, "the data set is declared here").
			Say("`metric.%s` compares an output with the column of the same name. `%s` has these outputs:\n\n%s\n%s", name, prog.Name, fieldLines(prog.Signature.Outputs, noAddition), columnsLine(data.Columns)).
			Hint("to call a column of the file so: columns { %s = \"…\" }", prog.Signature.Outputs[0].Name))
		return nil
	}
	return use
}

// metricList reads a setting `metrics = [metric.a, metric.b]`.
func (c *checker) metricList(fs *fileScope, s *setting, prog *program.Program, data *program.Dataset) []*program.MetricUse {
	if s == nil || s.bad {
		return nil
	}
	var out []*program.MetricUse
	seen := map[string]source.Place{}
	for _, at := range c.list(fs, s, "metric.correct, metric.cost") {
		if use := c.metricAt(fs, at, prog, data); use != nil && c.once(seen, fs, identAt(at), "metric") {
			out = append(out, use)
		}
	}
	return out
}
