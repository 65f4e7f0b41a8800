package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/spf13/cobra"
)

// optimizeFlags are the flags of `dspi optimize`.
type optimizeFlags struct {
	settings
	concurrency int
	seed        int64
	resume      bool
	dryRun      bool
	out         string
	json        bool
	budget      []string
	callFlags
}

func optimizeCommand(a *app) *cobra.Command {
	var f optimizeFlags
	cmd := &cobra.Command{
		Use:   "optimize FILE [NAME]",
		Short: "Tune a program on data",
		Long: `Runs the optimizers of an optimize block, one after the other, and writes what they
found: instructions, demos and values of variables, in a file that dspi run --state
and DSPy's load() read.

The program is measured before and after on rows that no optimizer sees: those of
test, else a fifth of the dev rows, held back by chance. What is printed is the
difference on these rows, with its 95 % interval.

Every run and reply is kept beside the result until it is written: a tuning that
was killed goes on with --resume and pays for nothing twice. The same seed and the
same answers of models give the same result.`,
		Example: `  dspi optimize route.dsp
  dspi optimize route.dsp route_tuned --budget usd=2,calls=5000,time=20m
  dspi optimize route.dsp --dry-run
  dspi run route.dsp text="where is my card" --state route.tuned.json`,
		Args: arguments(1, 2, "a FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("concurrency") && (f.concurrency < 1 || f.concurrency > 1024) {
				return wrong("--concurrency cannot be %d", f.concurrency).say("It is a number from 1 to 1024.")
			}
			if cmd.Flags().Changed("seed") && f.seed < 0 {
				return wrong("--seed cannot be %d", f.seed).say("It is a whole number from 0.")
			}
			return a.runOptimize(cmd.Context(), &f, args)
		},
	}
	f.settings.flags(cmd, true)
	f.settings.stateFlag(cmd)
	flags := cmd.Flags()
	flags.IntVar(&f.concurrency, "concurrency", 0, "runs under way at once (else what the file says, else 8)")
	flags.Int64Var(&f.seed, "seed", -1, "makes the choices of chance (else what the file says, else 0)")
	flags.BoolVar(&f.resume, "resume", false, "go on with a tuning that was cut off")
	flags.BoolVar(&f.dryRun, "dry-run", false, "say what it would take, and send nothing")
	flags.StringVar(&f.out, "out", "", "write what is found to this `file` (else save_to of the block)")
	jsonFlag(cmd, &f.json, "print one JSON object with all that was found")
	budgetFlag(cmd, &f.budget)
	flags.Lookup("budget").Usage = "the most that all calls together may use: `usd=0.50,calls=500,time=10m`\n(else what the block says)"
	flags.Lookup("seed").DefValue = "0" // which help leaves out
	f.callFlags.flags(cmd)
	completeFiles(cmd)
	return cmd
}

// runOptimize is `dspi optimize`.
func (a *app) runOptimize(ctx context.Context, f *optimizeFlags, args []string) (err error) {
	project, err := a.load(args[0], "")
	if err != nil {
		return err
	}
	name := ""
	if len(args) > 1 {
		name = args[1]
	}
	o, err := chooseOptimization(project, args[0], name)
	if err != nil {
		return err
	}
	if err := a.tune(project, o.Program.Name, &f.settings); err != nil {
		return err
	}
	opt, err := a.planOptions(project, f.settings)
	if err != nil {
		return err
	}
	p, err := dspi.PlanOptimization(project, o, opt, f.seed)
	if err != nil {
		return err
	}
	if f.out != "" {
		p.SaveTo = f.out
	}
	for _, st := range p.Untuned() {
		a.note("the step `%s` is not tuned: what its module `%s` asks a model is out of sight", st.Name, st.Module)
	}
	told := dspi.OptimizeOptions{Concurrency: f.concurrency, Resume: f.resume}
	if len(f.budget) > 0 {
		limits, err := tuningLimits(f.budget)
		if err != nil {
			return err
		}
		told.Limits = &limits
	}
	if f.dryRun {
		r := dspi.NewRuntime(dspi.Options{})
		defer r.Close()
		forecast, err := r.Forecast(ctx, p, told)
		if err != nil {
			return err
		}
		if f.json {
			return a.writeJSON(forecast)
		}
		a.tellForecast(forecast)
		return nil
	}
	if err := a.checkLog(p, f.resume, args); err != nil {
		return err
	}
	if err := a.makeFolder(filepath.Dir(p.SaveTo)); err != nil {
		return err
	}
	a.noteBaseline(p.Start)
	s, err := a.openSession(f.callFlags, keepFlags{}, opt.Settings, nil, dspi.Options{})
	if err != nil {
		return err
	}
	defer func() {
		if cerr := s.close(); err == nil {
			err = cerr
		}
	}()
	view := newTuningView(a, p)
	told.Watch = view.event
	var display display
	display.show(view.show)
	t, err := s.Optimize(ctx, p, told)
	display.stop()
	if err != nil {
		return tuningError(err, args)
	}
	if ctx.Err() != nil {
		fmt.Fprintf(a.err, "what was answered is kept; to go on: %s\n", optimizeAgain(args))
		return &exit{code: exitInterrupted}
	}
	stays := untried(t) && exists(p.SaveTo) // what an earlier tuning found, and the log
	if !stays {
		if err := a.saveTuning(p, t); err != nil {
			return err
		}
	}
	if f.json {
		err = a.writeJSON(t)
	} else {
		a.tellTuning(p, t, args[0], stays)
	}
	if err == nil && t.Broken {
		err = &exit{code: exitFailed}
	}
	return err
}

// tuningLimits reads --budget.
func tuningLimits(parts []string) (dspi.BudgetLimits, error) {
	l, err := budgetLimits(parts)
	if err == nil && l.Tokens > 0 {
		err = wrong("a tuning has no budget of tokens").hint("it has: usd=2.00, calls=5000, time=20m")
	}
	return dspi.BudgetLimits{USD: l.USD, Calls: l.Calls, Time: l.Time}, err
}

// checkLog sees that a log is there that is gone on with, and that none is lost.
func (a *app) checkLog(p *dspi.OptimizePlan, resume bool, args []string) error {
	_, err := os.Stat(p.LogFile())
	switch {
	case resume && errors.Is(err, fs.ErrNotExist):
		return wrong("there is nothing to resume").say("%s is not there: no tuning of %s was cut off.", p.LogFile(), p.Optimization.Name).
			hint("begin one: dspi optimize %s", strings.Join(args, " "))
	case !resume && err == nil:
		return wrong("a tuning of %s was cut off", p.Optimization.Name).say("%s has what it was answered.", p.LogFile()).
			hint("go on with it: %s", optimizeAgain(args)).hint("or begin anew: remove that file")
	}
	return nil
}

func optimizeAgain(args []string) string {
	words := []string{"dspi", "optimize"}
	for _, x := range args {
		words = append(words, shellWord(x))
	}
	return strings.Join(append(words, "--resume"), " ")
}

func tuningError(err error, args []string) error {
	if errors.Is(err, optimize.ErrOther) {
		return wrong("this tuning cannot be resumed").say("Its program, data, settings or seed have changed since it was cut off, so what was answered does not belong to it.").
			hint("give the same flags as before, or begin anew: remove the log and run dspi optimize %s", strings.Join(args, " "))
	}
	return err
}

// saveTuning writes what was found, in one step, and removes the log.
func (a *app) saveTuning(p *dspi.OptimizePlan, t *dspi.Tuning) error {
	s, err := p.State(t.Best, t)
	if err != nil {
		return err
	}
	if err := replaceOrWrite(p.SaveTo, s.Write()); err != nil {
		return wrong("%s cannot be written", p.SaveTo).say("%v.", problem(err)).hint("what was answered is kept in %s", p.LogFile())
	}
	for i, m := range t.Front {
		if i == 0 {
			continue
		}
		s, err := p.State(m.Candidate, nil)
		if err != nil {
			return err
		}
		if err := replaceOrWrite(frontFile(p.SaveTo, i), s.Write()); err != nil {
			return wrong("%s cannot be written", frontFile(p.SaveTo, i)).say("%v.", problem(err))
		}
	}
	return p.Done()
}

// frontFile is the file of a further member of a front: route.2.tuned.json.
func frontFile(path string, i int) string {
	stem := strings.TrimSuffix(strings.TrimSuffix(path, ".json"), ".tuned")
	return stem + "." + strconv.Itoa(i+1) + ".tuned.json"
}

func replaceOrWrite(path string, data []byte) error {
	err := writeNew(path, data)
	if errors.Is(err, os.ErrExist) {
		err = replaceFile(path, data)
	}
	return err
}

// chooseOptimization returns the optimization of a name, "" for the only one.
func chooseOptimization(project *program.Project, file, name string) (*program.Optimization, error) {
	var names []string
	for _, o := range project.Optimizations {
		if o.Place.File == project.Root || name != "" {
			names = append(names, o.Name)
		}
	}
	if name == "" && len(names) == 1 {
		name = names[0]
	}
	if o, ok := project.Optimization(name); ok {
		return o, nil
	}
	switch {
	case len(names) == 0:
		return nil, wrong("%s declares no optimization", file).
			say("An optimization tunes a program on data:\n\n    optimize route_tuned {\n      program = program.route\n      train   = dataset.train\n      metric  = metric.exact_match\n      bootstrap_few_shot {}\n    }")
	case name == "":
		return nil, wrong("which optimization of %s?", file).say("It declares: %s.", strings.Join(names, ", ")).
			hint("name one behind the file: dspi optimize %s %s", file, names[0])
	}
	return nil, wrong("%s has no optimization %s", file, name).say("It declares: %s.", strings.Join(names, ", ")).near(name, names)
}
