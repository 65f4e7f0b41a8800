package dspi

import (
	"context"
	"path/filepath"

	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/stdlib/datasets"
)

// OpenDataset opens the rows of a data set: renamed, chosen and put in their order as
// it says. The plan knows the values of variables. The error is a *diag.Diagnostic.
func OpenDataset(d *program.Dataset, p *plan.Plan) (*datasets.Table, error) {
	return OpenDatasetWith(d, p.Values)
}

// OpenDatasetWith is OpenDataset with the values of variables, by name.
// What Python gives is opened by Runtime.OpenDataset alone.
func OpenDatasetWith(d *program.Dataset, values map[string]any) (*datasets.Table, error) {
	if d.Python != nil {
		return nil, givenByPython(d)
	}
	file, err := fixedValue(d.File, d.Names, values)
	if err != nil {
		return nil, err
	}
	path, _ := file.(string)
	full := filepath.FromSlash(path)
	if !filepath.IsAbs(full) && d.Place.File != nil {
		full = filepath.Join(filepath.Dir(d.Place.File.Name), full)
	}
	c, err := choiceOf(d, values)
	if err != nil {
		return nil, err
	}
	t, err := datasets.Open(full, d.Format)
	if err != nil {
		return nil, err
	}
	t = datasets.Choose(t, c)
	t.Name = path
	return t, nil
}

// choiceOf is which rows a data set wants.
func choiceOf(d *program.Dataset, values map[string]any) (datasets.Choice, error) {
	c := datasets.Choice{
		Renamed: d.Renamed, Only: d.Only, From: d.From, To: d.To, Stratify: d.Stratify, Sample: d.Sample, Limit: d.Limit,
	}
	if !d.Shuffle.IsZero() {
		seed, err := fixedValue(d.Shuffle, d.Names, values)
		if err != nil {
			return c, err
		}
		c.Seed, c.Shuffle = seed.(int)
	}
	return c, nil
}

// VariableValues returns the values that the variables of a project have: those that
// are given, else their defaults. The error is a diag.List.
func VariableValues(project *program.Project, opt PlanOptions) (map[string]any, error) {
	values, diags := variableValues(project, opt.Vars)
	if diags != nil {
		return nil, diags
	}
	for _, v := range project.Variables {
		if _, given := values[v.Name]; !given && v.HasDefault {
			values[v.Name] = v.Default
		}
	}
	return values, nil
}

// fixedValue evaluates a value that rests on variables only.
func fixedValue(v program.Value, names program.Names, values map[string]any) (any, error) {
	vars := plan.Variables(names, values)
	code, err := v.Expr.Compile()
	if err != nil {
		return nil, diag.New("E0614", v.Place, err.Error())
	}
	out, err := code.Eval(context.Background(), func(root string) (any, bool) { return vars, root == "var" })
	if err != nil {
		return nil, diag.New("E0614", v.Place, err.Error())
	}
	return out, nil
}
