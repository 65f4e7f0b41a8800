package main

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/program/state"
	"github.com/spf13/cobra"
)

// settings are the flags that say what a program is run with: --model, --var,
// --vars.
type settings struct {
	model string
	vars  []string
	files []string

	state string       // --state
	tuned *state.Tuned // what it says, bound by app.tune

	// What a run that is resumed had: values of variables, below --var and --vars,
	// and what DSPI_MODEL said.
	kept         map[string]any
	defaultModel string
}

func (s *settings) flags(cmd *cobra.Command, model bool) {
	if model {
		cmd.Flags().StringVar(&s.model, "model", "", "the model that answers: a declared `name`, or provider/name\n(else $DSPI_MODEL where the program names none)")
	}
	cmd.Flags().StringArrayVar(&s.vars, "var", nil, "a variable's value, `k=v`; may be repeated")
	cmd.Flags().StringArrayVar(&s.files, "vars", nil, "a `file` of variables' values (.dspvars); may be repeated,\nthe last one wins (else $DSPI_VAR_k)")
}

// plan plans a program with the settings.
func (a *app) plan(project *program.Project, name string, s settings) (*plan.Plan, error) {
	if err := a.tune(project, name, &s); err != nil {
		return nil, err
	}
	opt, err := a.planOptions(project, s)
	if err != nil {
		return nil, err
	}
	opt.Program = name
	return dspi.Plan(project, opt)
}

// planOptions collects what a plan is told from outside: flags, files of values,
// the environment, dspi.hcl.
func (a *app) planOptions(project *program.Project, s settings) (dspi.PlanOptions, error) {
	given, err := a.variables(project, s)
	if err != nil {
		return dspi.PlanOptions{}, err
	}
	own, diags := dspi.LoadSettings(project.Root.Name)
	if diags.HasErrors() {
		return dspi.PlanOptions{}, diags
	}
	values := dspi.Values(given)
	for name, v := range s.kept {
		if g := given[name]; len(g) > 0 && (g[0].Source == "--var" || g[0].Source == "--vars") {
			continue
		}
		if _, ok := project.Variable(name); ok {
			values[name] = v
		}
	}
	byDefault := s.defaultModel
	if byDefault == "" {
		byDefault = a.getenv("DSPI_MODEL")
	}
	return dspi.PlanOptions{
		Model: s.model, DefaultModel: byDefault, Settings: own, State: s.tuned, Vars: values, Getenv: a.getenv,
	}, nil
}

// variables collects the values of variables. Warnings are told.
func (a *app) variables(project *program.Project, s settings) (map[string][]dspi.Given, error) {
	from := dspi.Sources{Files: s.files, State: s.tuned, Getenv: a.getenv}
	for _, text := range s.vars {
		name, v, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return nil, wrong("--var needs name=value").say("There is no `name=` in it.").hint("such as: --var k=4")
		}
		if !utf8.ValidString(text) {
			return nil, wrong("the text of --var %s is not UTF-8", strings.ToValidUTF8(name, "?"))
		}
		from.Vars = append(from.Vars, [2]string{name, v})
	}
	given, diags, err := dspi.Variables(project, from)
	if err != nil {
		return nil, err
	}
	if diags.HasErrors() {
		return nil, diags
	}
	if len(diags) > 0 {
		a.tellReports(diags.Reports(), sources(diags))
		fmt.Fprintln(a.err)
	}
	return given, nil
}
