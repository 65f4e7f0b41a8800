package check

import (
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
)

func (c *checker) checkEvaluation(d *decl, b *syntax.Block) {
	fs := d.scope
	table, _ := c.u.Block("evaluate")
	s := c.settings(fs, b, table)
	c.inner(fs, b, table, "an evaluation", nil)
	e := &program.Evaluation{Name: d.full, Names: c.variableNames(fs), Place: d.place}
	c.project.Evaluations = append(c.project.Evaluations, e)
	e.Description, _ = constantOf[string](s["description"])
	e.Program, e.Data = c.programOf(fs, s["program"]), c.datasetOf(fs, s["data"])
	e.Model = c.modelOf(fs, s["model"])
	e.Concurrency, _ = constantOf[int](s["concurrency"])
	e.MaxErrors, e.HasMax = constantOf[int](s["max_errors"])
	e.Limit, _ = constantOf[int](s["limit"])
	e.FailScore = s["failure_score"].value()
	e.SaveTo, _ = constantOf[string](s["save_to"])
	if e.Program != nil && e.Data != nil {
		c.dataFits(fs, s["data"].at, e.Program, e.Data)
	}
	switch one, many := s["metric"], s["metrics"]; {
	case one != nil && many != nil:
		c.report(diag.New("E0511", fs.place(one.attr.Name.Span), code("metrics")+" says it already").
			Relate(fs.place(many.attr.Name.Span), "here").Say("Put the metric into the list."))
	case one != nil && !one.bad:
		if use := c.metricAt(fs, one.at, e.Program, e.Data); use != nil {
			e.Metrics = append(e.Metrics, use)
		}
	case many != nil:
		e.Metrics = c.metricList(fs, many, e.Program, e.Data)
	case !c.opaque(b):
		c.report(diag.New("E0502", d.place, code(d.name)+" has no "+code("metrics")).
			Say("Metrics say what is measured.").
			Hint("list them: metrics = [metric.exact_match, metric.cost]"))
	}
	c.requirement(fs, s["require"], e)
}

// requirement checks `require`: a condition over the mean of each metric.
func (c *checker) requirement(fs *fileScope, s *setting, e *program.Evaluation) {
	if s == nil {
		return
	}
	sym := expr.Symbol{Name: "metric", Kind: "metrics", Noun: "measured metric"}
	for _, use := range e.Metrics {
		sym.Members = append(sym.Members, expr.Member{Name: lastPart(use.Name()), Type: types.Float, Doc: "its mean"})
	}
	if len(e.Metrics) == 0 { // what was reported of the metrics is enough
		sym.Members, sym.Type = nil, types.Invalid{}
	}
	scope := c.within(fs, []expr.Symbol{sym})
	c.checkCondition(s, scope)
	e.Require = s.value()
}
