package check

import (
	"slices"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/syntax"
)

// Constraints are conditions over variables, checked before every run.

func (c *checker) checkConstraint(d *decl, b *syntax.Block) {
	fs := d.scope
	table, _ := c.u.Block("constraint")
	s := c.settings(fs, b, table)
	c.inner(fs, b, table, "a constraint", nil)
	k := &program.Constraint{
		Name: d.full, Names: c.variableNames(fs), Place: d.place,
		When: s["when"].value(), Require: s["require"].value(), Message: s["message"].value(),
	}
	c.project.Constraints = append(c.project.Constraints, k)
	x := s["require"]
	if x == nil || x.bad || x.expr == nil {
		return
	}
	reads := x.expr.Refs()
	if w := s["when"]; w != nil && w.expr != nil {
		reads = slices.Concat(reads, w.expr.Refs())
	}
	if !slices.ContainsFunc(reads, func(r expr.Ref) bool { return r.Root == "var" }) {
		c.report(diag.New("E0525", x.at, "this says nothing about a variable").
			Say("A constraint says what variables must satisfy together: `require = var.temperature <= 0.9`."))
	}
}
