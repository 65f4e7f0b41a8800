package plan

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// Variables that are made of others, and what variables must satisfy together.

// settle gives computed variables their values and sees that constraints hold.
func (m *maker) settle() {
	m.diags = append(m.diags, Compute(m.project, m.values)...)
	m.diags = append(m.diags, Violations(m.project, m.values)...)
}

// Compute gives every computed variable of a project its value, from the values
// of the others in values, by name. One that reads a variable without a value
// gets none. The list says what cannot be computed.
func Compute(project *program.Project, values map[string]any) diag.List {
	var diags diag.List
	begun := map[*program.Variable]bool{}
	var compute func(v *program.Variable)
	compute = func(v *program.Variable) {
		if begun[v] || v.Computed.IsZero() {
			return
		}
		begun[v] = true
		delete(values, v.Name)
		for _, x := range reads(v.Names, v.Computed) {
			compute(x)
			if _, ok := values[x.Name]; !ok {
				return
			}
		}
		out, err := evaluate(v.Names, v.Computed, values)
		if err != nil {
			diags = append(diags, notEvaluated(v.Computed, err))
			return
		}
		out, faults := value.Check(v.Type, out, value.Fitting)
		if len(faults) == 0 {
			values[v.Name] = out
			return
		}
		said := "    (the value is a secret and is not shown)"
		if !v.Sensitive {
			var lines []string
			for _, f := range faults {
				lines = append(lines, "    "+f.String())
			}
			said = strings.Join(lines, "\n")
		}
		diags = append(diags, diag.New("E0610", v.Computed.Place, "this gives a value that does not fit").
			Relate(v.Place, "`%s` is declared here", v.Name).
			Say("    needs     %s\n%s", v.Type, said))
	}
	for _, v := range project.Variables {
		compute(v)
	}
	return diags
}

// Violations returns one error for each constraint of a project that the values
// of its variables, by name, break. A constraint that reads a variable without a
// value is passed over: whatever needs that variable cannot run.
func Violations(project *program.Project, values map[string]any) diag.List {
	var diags diag.List
	for _, k := range project.Constraints {
		if k.Require.IsZero() {
			continue // it was reported when it was checked
		}
		all := slices.Concat(reads(k.Names, k.When), reads(k.Names, k.Require), reads(k.Names, k.Message))
		if slices.ContainsFunc(all, func(v *program.Variable) bool { _, ok := values[v.Name]; return !ok }) {
			continue
		}
		if !k.When.IsZero() {
			applies, err := evaluate(k.Names, k.When, values)
			if err != nil {
				diags = append(diags, notEvaluated(k.When, err))
				continue
			}
			if applies != true {
				continue
			}
		}
		holds, err := evaluate(k.Names, k.Require, values)
		switch {
		case err != nil:
			diags = append(diags, notEvaluated(k.Require, err))
		case holds != true:
			diags = append(diags, violated(k, all, values))
		}
	}
	return diags
}

// violated words a constraint that does not hold.
func violated(k *program.Constraint, read []*program.Variable, values map[string]any) *diag.Diagnostic {
	d := diag.New("E0526", k.Require.Place, "this does not hold")
	if !k.When.IsZero() {
		d.Relate(k.When.Place, "it must hold, as this does")
	}
	var b strings.Builder
	if !k.Message.IsZero() {
		if text, err := evaluate(k.Names, k.Message, values); err == nil {
			fmt.Fprintf(&b, "%s\n\n", text)
		}
	}
	b.WriteString("The variables in it:\n\n")
	seen := map[*program.Variable]bool{}
	var names []string
	for _, v := range read {
		if seen[v] {
			continue
		}
		seen[v] = true
		fmt.Fprintf(&b, "    var.%s = %s\n", v.Name, shown(v, values[v.Name]))
		if v.Computed.IsZero() {
			names = append(names, v.Name)
		}
	}
	d.Say("%s", b.String())
	if len(names) > 0 {
		d.Hint("give other values: --var %s=…", strings.Join(names, "=… --var "))
	}
	return d
}

// shown is a variable's value as dspi writes it.
func shown(v *program.Variable, x any) string {
	switch {
	case v.Sensitive:
		return "(a secret, which is not shown)"
	case isName(v.Type):
		return fmt.Sprintf("%s.%v", v.Type, x)
	}
	return string(value.EncodeJSON(x))
}

func isName(t types.Type) bool {
	switch t.(type) {
	case types.Model, types.Module:
		return true
	}
	return false
}

// reads returns the variables that a value reads.
func reads(names program.Names, v program.Value) []*program.Variable {
	if v.Expr == nil {
		return nil
	}
	var out []*program.Variable
	for _, r := range v.Expr.Refs() {
		if x, ok := names.Resolve(r.Path); ok && r.Root == "var" {
			out = append(out, x)
		}
	}
	return out
}

// evaluate computes a value that reads variables, models and modules only. A
// model or module is its name, as it is in a variable that chooses one.
func evaluate(names program.Names, v program.Value, values map[string]any) (any, error) {
	code, err := v.Expr.Compile()
	if err != nil {
		return nil, err
	}
	return code.Eval(context.Background(), func(root string) (any, bool) {
		switch root {
		case "var":
			return Variables(names, values), true
		case "model", "module":
			return NamesIn(v.Expr, root), true
		}
		return nil, false
	})
}

// NamesIn returns the names that an expression reads of a root: of
// `var.a == module.predict` and `module` it is {predict: "predict"}.
func NamesIn(x *expr.Expr, root string) *value.Object {
	o := &value.Object{}
	for _, r := range x.Refs() {
		if r.Root == root && len(r.Path) > 0 {
			o.Set(r.Path[0], r.Path[0])
		}
	}
	return o
}

func notEvaluated(v program.Value, err error) *diag.Diagnostic {
	at, why := v.Place, err.Error()
	if e, ok := err.(*expr.EvalError); ok {
		why = e.Message + "."
		if e.Place.File != nil {
			at = e.Place
		}
	}
	if v.Sensitive {
		why = "What went wrong is not shown, because a secret is part of it."
	}
	return diag.New("E0614", at, "this cannot be evaluated").Say("%s", strings.ToUpper(why[:1])+why[1:])
}
