package main

import (
	"fmt"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/program/state"
	"github.com/spf13/cobra"
)

// stateFlag adds --state.
func (s *settings) stateFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.state, "state", "", "what tuning found: a `file` that dspi or DSPy's save() wrote")
}

// tune binds the file of --state to a program. Warnings are told once.
func (a *app) tune(project *program.Project, name string, s *settings) error {
	if s.state == "" || s.tuned != nil {
		return nil
	}
	tuned, diags, err := dspi.LoadState(s.state, project, name)
	if err != nil {
		return err
	}
	if err := diags.Err(); err != nil {
		return err
	}
	a.warnAll(diags)
	s.tuned = tuned
	return nil
}

// warnAll tells warnings.
func (a *app) warnAll(diags diag.List) {
	if len(diags) > 0 {
		a.tellReports(diags.Reports(), sources(diags))
		fmt.Fprintln(a.err)
	}
}

// tunedStep returns what --state says of a step; nil when nothing. A step of a
// program that the main one calls is looked for in the state of the main one.
func (a *app) tunedStep(project *program.Project, prog *program.Program, step *program.Step, s *settings) (*state.Step, error) {
	if s.state == "" {
		return nil, nil
	}
	if main, err := dspi.Choose(project, ""); err == nil && main != prog {
		if tuned, diags, err := dspi.LoadState(s.state, project, main.Name); err == nil && !diags.HasErrors() {
			if found := tuned.Of(step); found != nil {
				s.tuned = tuned
				return found, nil
			}
		}
	}
	if err := a.tune(project, prog.Name, s); err != nil {
		return nil, err
	}
	return s.tuned.Of(step), nil
}
