package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter"
	"github.com/dspi-lang/dspi/interpreter/evaluate"
	hist "github.com/dspi-lang/dspi/interpreter/history"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/spf13/cobra"
)

// An evaluation is kept as a run of its own, beside those of its rows, as the batch of
// --each is. What was found of a row stays in the journal until all are measured.

// evalResume are the flags and the findings of an evaluation that goes on.
type evalResume struct {
	resume string

	before *hist.Run // as the history has it; nil: the evaluation is new
	id     string    // of the evaluation
}

func (f *evalFlags) resumeFlag(a *app, cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.resume, "resume", "", "go on with an evaluation that has no good end: its `run` or the\nbeginning of it, or last")
	must(cmd.RegisterFlagCompletionFunc("resume", func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		in := "."
		if len(args) > 0 {
			in = args[0]
		}
		return append(a.resumableIn(cmd.Context(), in, true), "last"), cobra.ShellCompDirectiveNoFileComp
	}))
}

// checkResume refuses flags that would make the rest another evaluation.
func (f *evalFlags) checkResume(cmd *cobra.Command) error {
	for _, name := range []string{"model", "state", "limit", "vars", "no-history"} {
		if f.resume != "" && cmd.Flags().Changed(name) {
			return wrong("--%s and --resume do not go together", name).say("An evaluation is resumed with the model, the variables and the rows that it had.")
		}
	}
	return nil
}

// resumeEval finds the evaluation that --resume names, puts into the flags what it
// had, and returns its file and name.
func (a *app) resumeEval(ctx context.Context, f *evalFlags, cmd *cobra.Command, args []string) (file, name string, err error) {
	in := "."
	if len(args) > 0 {
		in = args[0]
	}
	at, err := a.storeOf(in)
	if err != nil {
		return "", "", err
	}
	store, err := a.openStore(in)
	if err != nil {
		return "", "", err
	}
	defer store.Close()
	run, err := a.resumable(ctx, store, f.resume, true)
	if err != nil {
		return "", "", err
	}
	o := run.Origin
	if len(args) > 1 && args[1] != o.Evaluation {
		return "", "", wrong("the run %s is of the evaluation %s, not of %s", run.ID, o.Evaluation, args[1])
	}
	f.at, f.before, f.id = &at, run, run.ID
	f.model, f.defaultModel, f.state = o.Model, o.DefaultModel, o.State
	if f.kept, err = keptVars(run); err != nil {
		return "", "", err
	}
	if t := o.Table; t != nil {
		f.limit = t.Limit
		if !cmd.Flags().Changed("concurrency") {
			f.concurrency = t.Concurrency
		}
	}
	if o.MaxErrors != nil && !cmd.Flags().Changed("max-errors") {
		f.maxErrors, f.maxErrorsGiven = *o.MaxErrors, true
	}
	f.noCache = f.noCache || o.NoCache
	if len(f.save) == 0 {
		f.save = o.Save
	}
	file = run.File
	if len(args) > 0 {
		file = args[0]
	}
	a.note("going on with the run %s, the evaluation %s, which %s", run.ID, o.Evaluation, statusWords(run.Status))
	return file, o.Evaluation, nil
}

// keptVars returns the values of variables that a run was given.
func keptVars(run *hist.Run) (map[string]any, error) {
	kept := map[string]any{}
	for name, text := range run.Origin.Vars {
		v, err := value.DecodeJSON(text)
		if err != nil {
			return nil, fmt.Errorf("the variable %s of the run %s cannot be read: %w", name, run.ID, err)
		}
		kept[name] = v
	}
	return kept, nil
}

// evalOrigin returns how an evaluation is begun, for whoever resumes it. Of one that
// goes on it says what keeps it from going on.
func (a *app) evalOrigin(f *evalFlags, e *program.Evaluation, project *program.Project, opt dspi.PlanOptions) (*hist.Origin, error) {
	run := &runFlags{settings: f.settings}
	o := a.originOf(run, &target{}, project, opt)
	o.Program, o.Evaluation = e.Program.Name, e.Name
	if f.state != "" { // what was tuned is a part of the program
		data, err := os.ReadFile(f.state)
		if err != nil {
			return nil, wrong("%s cannot be read", f.state).say("%v.", err)
		}
		sum := sha256.Sum256(append(data, o.Source...))
		o.Source = hex.EncodeToString(sum[:])
	}
	o.Table = &hist.Table{Path: e.Data.Address(), Limit: f.limit, Concurrency: f.concurrency}
	if f.maxErrorsGiven {
		o.MaxErrors = &f.maxErrors
	}
	o.NoCache = f.noCache
	for _, path := range f.save {
		o.Save = append(o.Save, absolute(path))
	}
	if f.before == nil {
		return o, nil
	}
	had := f.before.Origin
	for _, name := range had.Secrets {
		if d, ok := project.Variable(name); ok && opt.Vars[name] == nil {
			return nil, wrong("the variable `%s` of the run %s is not kept", d.Name, f.before.ID).say("It held a secret.").
				hint("give it again: --var %s=…, or DSPI_VAR_%s in the environment", d.Name, d.Name)
		}
	}
	if had.DefaultModel != o.DefaultModel {
		return nil, wrong("DSPI_MODEL is %s, and it was %s when the evaluation %s began", orNothing(o.DefaultModel), orNothing(had.DefaultModel), f.before.ID).
			say("Half of the rows would be measured with another model.").hint("set it to what it was, or measure anew")
	}
	for name, v := range o.Vars {
		if was, ok := had.Vars[name]; ok && string(was) != string(v) {
			return nil, wrong("the variable `%s` has another value than when the evaluation %s began", name, f.before.ID).
				say("It was %s. Half of the rows would be measured with another program.", was).hint("leave it out: what it was is taken over")
		}
	}
	if had.Source != o.Source {
		return nil, wrong("the program has changed since the evaluation %s began", f.before.ID).
			say("The rows that are measured already are those of another program, and the figures of both together would be of neither.").
			hint("measure it anew: dspi eval %s %s; calls that are still the same are answered from the cache", e.Place.File.Name, e.Name)
	}
	return o, nil
}

// beginEval writes the evaluation into the history, before the first of its rows can
// be in the journal.
func (s *session) beginEval(ctx context.Context, f *evalFlags, p *dspi.EvalPlan) {
	if s.kept == nil {
		return
	}
	s.trace.Emit(trace.Event{Time: time.Now(), Run: f.id, Kind: trace.RunStart, Address: p.Plan.Checked.Address(), Inputs: &value.Object{}, Resumed: f.before != nil})
	if s.kept.journal != nil {
		_ = s.kept.recorder.Flush(ctx) // what cannot be kept is said at the end
	}
}

// endEval writes how the evaluation ended.
func (s *session) endEval(ctx context.Context, f *evalFlags, p *dspi.EvalPlan, r *evaluate.Results, err error) {
	if s.kept == nil {
		return
	}
	switch {
	case r != nil && r.GivenUp != "" && ctx.Err() != nil:
		err = diag.New("E0617", source.Place{}, "").Say("The evaluation was stopped.")
	case r != nil && r.GivenUp != "":
		err = errors.New(r.GivenUp)
	case r != nil && r.N > 0:
		err = nil // what does not hold is no reason to go on
	}
	s.trace.Emit(trace.Event{Time: time.Now(), Run: f.id, Kind: trace.RunEnd, Address: p.Plan.Checked.Address(), Err: err})
}

// tellResume says how many rows were not measured again, and how to go on with one that
// was cut off.
func (a *app) tellEvalResume(s *session, f *evalFlags, r *evaluate.Results) {
	before := 0
	for _, row := range r.Rows {
		if row.Before {
			before++
		}
	}
	if before > 0 {
		fmt.Fprintf(a.err, "%s of them measured before, and not run again\n", plural(before, "row"))
	}
	if again := s.resumeLine(f.id); again != "" && r.GivenUp != "" {
		fmt.Fprintf(a.err, "to go on with what is left: %s\n", again)
	}
}

// newEvalID gives a new evaluation its id.
func (f *evalFlags) newEvalID() {
	if f.id == "" {
		f.id = interpreter.NewID()
	}
}

// orNothing names a setting, or says that it is not set.
func orNothing(s string) string {
	if s == "" {
		return "not set"
	}
	return s
}
