package plan

import (
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
)

// Choice is one place that says which model answers a step. Of all that speak
// of a step the first wins: this file holds the order for models.
type Choice struct {
	Name   string       // as it is said there: model.fast, openai/gpt-4o-mini, fast
	Source string       // who says so: "--model", "the program", "DSPI_MODEL", …
	Place  source.Place // where it is written; zero when it is in no file

	resolve func() *Model
}

// written returns what the program says: ref, which is the step's or its
// program's, and then what stands around it.
func (m *maker) written(ref program.ModelRef, outer []Choice) []Choice {
	var own Choice
	switch {
	case ref.Model != nil:
		own = Choice{ref.String(), "the program", ref.Place, func() *Model {
			return m.declared(ref.Model, "the program", ref.Place)
		}}
	case ref.Variable != nil:
		from := ref.String()
		own = Choice{from, from, ref.Place, func() *Model {
			m.variable(ref.Variable, ref.Place)
			name, ok := m.values[ref.Variable.Name].(string)
			if !ok {
				return &Model{}
			}
			return m.named(name, from, ref.Place)
		}}
	case ref.Address != "":
		own = Choice{ref.Address, "the program", ref.Place, func() *Model {
			return m.address(ref.Address, "the program")
		}}
	default:
		return outer
	}
	return append([]Choice{own}, outer...)
}

// choices returns all that names a model for a step, in order: --model, what is
// written in the program, DSPI_MODEL, the file's default, dspi.hcl, and the
// baseline when there is nothing else.
func (m *maker) choices(written []Choice) []Choice {
	var out []Choice
	outside := func(name, from string, at source.Place) {
		if name != "" {
			out = append(out, Choice{name, from, at, func() *Model { return m.named(name, from, at) }})
		}
	}
	outside(m.opt.Model, "--model", source.Place{})
	out = append(out, written...)
	outside(m.opt.DefaultModel, "DSPI_MODEL", source.Place{})
	for _, x := range m.project.Models {
		if x.Default {
			const from = "default = true"
			out = append(out, Choice{"model." + x.Name, from, x.Place, func() *Model { return m.declared(x, from, x.Place) }})
			break
		}
	}
	outside(m.opt.ProjectModel, "dspi.hcl", m.opt.ProjectPlace)
	const from = "nothing else"
	return append(out, Choice{m.opt.FallbackModel, from, source.Place{}, func() *Model {
		return m.address(m.opt.FallbackModel, from)
	}})
}
