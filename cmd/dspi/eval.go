package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/evaluate"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/spf13/cobra"
)

// evalFlags are the flags of `dspi eval`.
type evalFlags struct {
	settings
	concurrency int
	limit       int
	maxErrors   int
	worst       int
	json        bool
	jsonl       bool
	csv         bool
	save        []string
	budget      []string
	callFlags
	keepFlags
	evalResume

	maxErrorsGiven bool
}

func evalCommand(a *app) *cobra.Command {
	var f evalFlags
	cmd := &cobra.Command{
		Use:   "eval FILE [NAME] | --resume RUN",
		Short: "Measure a program on data",
		Long: `Runs the program of an evaluate block on each row of its data and computes its
metrics. Each score comes with the rows that it rests on and its 95 % interval:
Wilson's for a share, else that of the bootstrap (BCa).

A row on which the program fails counts with the failure score and does not end the
evaluation, unless more than max_errors fail. The exit status is 1 when that
happens, or when the condition of require does not hold.

--model answers the program. The steps of a metric keep the model that the metric
names. Results can be saved in several forms: .json holds everything and is what
dspi compare reads, .jsonl and .csv hold the rows, .html is a page to look at.

An evaluation that was stopped, killed or given up goes on with --resume: rows
that were measured are not run again, and no call that was answered is made again.
It has the model, variables, rows, --no-cache and --save that it was begun with; a
budget is given anew.

--budget ends the evaluation: rows that it does not pay for are not measured, and
count in no score.`,
		Example: `  dspi eval route.dsp
  dspi eval route.dsp route_dev --limit 100 --model openai/gpt-4o-mini
  dspi eval route.dsp --save before.json --save before.html
  dspi eval route.dsp --json | jq .metrics
  dspi eval --resume last`,
		Args: arguments(0, 2, "a FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.resume == "" && len(args) == 0 {
				return arguments(1, 2, "a FILE")(cmd, args)
			}
			if err := f.check(cmd); err != nil {
				return err
			}
			return a.runEval(cmd.Context(), &f, cmd, args)
		},
	}
	f.settings.flags(cmd, true)
	f.settings.stateFlag(cmd)
	flags := cmd.Flags()
	flags.IntVar(&f.concurrency, "concurrency", 0, "rows under way at once (else what the file says, else 8)")
	flags.IntVar(&f.limit, "limit", 0, "measure only the first `N` rows")
	flags.IntVar(&f.maxErrors, "max-errors", 0, "give up when more than `N` rows fail (else what the file says,\nelse 10)")
	flags.IntVar(&f.worst, "worst", 10, "how many rows are shown, the worst first")
	jsonFlag(cmd, &f.json, "print one JSON object with all results")
	flags.BoolVar(&f.jsonl, "jsonl", false, "print each row as a line of JSON")
	flags.BoolVar(&f.csv, "csv", false, "print the rows as CSV")
	flags.StringArrayVar(&f.save, "save", nil, "write the results to a `file`: .json, .jsonl, .csv or .html;\nmay be repeated")
	budgetFlag(cmd, &f.budget)
	f.callFlags.flags(cmd)
	f.keepFlags.flags(cmd)
	f.resumeFlag(a, cmd)
	completeFiles(cmd)
	return cmd
}

func (f *evalFlags) check(cmd *cobra.Command) error {
	changed := cmd.Flags().Changed
	switch {
	case changed("concurrency") && (f.concurrency < 1 || f.concurrency > 1024):
		return wrong("--concurrency cannot be %d", f.concurrency).say("It is a number from 1 to 1024.")
	case changed("limit") && f.limit < 1:
		return wrong("--limit cannot be %d", f.limit).say("It is a number of rows, at least 1.")
	case f.maxErrors < 0:
		return wrong("--max-errors cannot be %d", f.maxErrors).say("It is a number of rows.")
	case f.worst < 0:
		return wrong("--worst cannot be %d", f.worst).say("It is a number of rows.")
	}
	forms := 0
	for _, on := range []bool{f.json, f.jsonl, f.csv} {
		if on {
			forms++
		}
	}
	if forms > 1 {
		return wrong("--json, --jsonl and --csv exclude each other").hint("--save FILE writes a further form")
	}
	for _, path := range f.save {
		if err := savedForm(path); err != nil {
			return err
		}
	}
	f.maxErrorsGiven = changed("max-errors")
	return f.checkResume(cmd)
}

// savedForms are the endings of files of results.
var savedForms = []string{".json", ".jsonl", ".csv", ".html"}

func savedForm(path string) error {
	if slices.Contains(savedForms, strings.ToLower(filepath.Ext(path))) {
		return nil
	}
	return wrong("%s does not tell what shall be written", path).say("Its name ends in one of: %s.", strings.Join(savedForms, ", "))
}

// runEval is `dspi eval`.
func (a *app) runEval(ctx context.Context, f *evalFlags, cmd *cobra.Command, args []string) (err error) {
	file, name := "", ""
	if f.resume != "" {
		if file, name, err = a.resumeEval(ctx, f, cmd, args); err != nil {
			return err
		}
	} else {
		file = args[0]
		if len(args) > 1 {
			name = args[1]
		}
	}
	project, err := a.load(file, "")
	if err != nil {
		return err
	}
	e, err := chooseEvaluation(project, file, name)
	if err != nil {
		return err
	}
	if err := a.tune(project, e.Program.Name, &f.settings); err != nil {
		return err
	}
	opt, err := a.planOptions(project, f.settings)
	if err != nil {
		return err
	}
	p, err := dspi.PlanEvaluation(project, e, opt)
	if err != nil {
		return err
	}
	saves := slices.Clone(f.save)
	if e.SaveTo != "" {
		at := filepath.FromSlash(e.SaveTo)
		if !filepath.IsAbs(at) && e.Place.File != nil {
			at = filepath.Join(filepath.Dir(e.Place.File.Name), at)
		}
		if err := savedForm(at); err != nil {
			return err
		}
		saves = append(saves, at)
	}
	for _, path := range saves { // before anything is paid for
		if err := a.makeFolder(filepath.Dir(path)); err != nil {
			return err
		}
	}
	if f.origin, err = a.evalOrigin(f, e, project, opt); err != nil {
		return err
	}
	if ctx, err = withBudget(ctx, f.budget); err != nil {
		return err
	}
	a.noteBaseline(p.Plan)
	f.newEvalID()
	var options dspi.Options
	calls := newRowCalls(saves, f.noHistory, p.Plan, &options)
	runtime, err := a.openSession(f.callFlags, f.keepFlags, opt.Settings, p.Plan, options)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := runtime.close(); err == nil {
			err = cerr
		}
	}()
	limits := dspi.EvalOptions{Concurrency: f.concurrency, Limit: f.limit, Run: f.id, Resume: f.before != nil}
	if f.maxErrorsGiven {
		limits.MaxErrors = &f.maxErrors
	}
	progress := newEvalProgress(p)
	limits.Row = progress.row
	counting, stopCounting := context.WithCancel(ctx)
	defer stopCounting()
	go progress.count(counting, p, f.limit)
	var display display
	display.show(func() func() { return progress.show(a) })
	runtime.beginEval(ctx, f, p)
	results, err := runtime.Evaluate(ctx, p, limits)
	runtime.endEval(ctx, f, p, results, err)
	display.stop()
	if results == nil || results.N == 0 && err != nil {
		return err
	}
	source := calls.source(context.WithoutCancel(ctx), runtime)
	var written []string
	for _, path := range saves {
		if werr := saveResults(path, results, source); werr != nil {
			a.report(werr)
			err = errors.Join(err, &exit{code: exitFailed})
			continue
		}
		written = append(written, path)
	}
	if perr := a.printResults(f, results, written); perr != nil {
		return perr
	}
	a.tellEvalResume(runtime, f, results)
	switch {
	case err != nil:
		return err
	case ctx.Err() != nil && results.GivenUp != "":
		return &exit{code: exitInterrupted}
	case results.GivenUp != "" || results.Require != nil && !results.Require.Holds:
		return &exit{code: exitFailed}
	}
	return nil
}

// printResults prints results in the form that the flags ask for. written are the files
// that have them, too.
func (a *app) printResults(f *evalFlags, r *evaluate.Results, written []string) error {
	switch {
	case f.json:
		return a.writeJSON(r)
	case f.jsonl:
		return writeLines(a.out, r)
	case f.csv:
		return writeCells(a.out, r)
	}
	a.tellResults(r, f.worst)
	for _, path := range written {
		fmt.Fprintf(a.err, "written: %s\n", path)
	}
	return nil
}

// chooseEvaluation returns the evaluation of a name, "" for the only one.
func chooseEvaluation(project *program.Project, file, name string) (*program.Evaluation, error) {
	var names []string
	for _, e := range project.Evaluations {
		if e.Place.File == project.Root || name != "" {
			names = append(names, e.Name)
		}
	}
	if name == "" && len(names) == 1 {
		name = names[0]
	}
	if e, ok := project.Evaluation(name); ok {
		return e, nil
	}
	switch {
	case len(names) == 0:
		return nil, wrong("%s declares no evaluation", file).
			say("An evaluation measures a program on data:\n\n    evaluate route_dev {\n      program = program.route\n      data    = dataset.dev\n      metrics = [metric.exact_match]\n    }")
	case name == "":
		return nil, wrong("which evaluation of %s?", file).say("It declares: %s.", strings.Join(names, ", ")).
			hint("name one behind the file: dspi eval %s %s", file, names[0])
	}
	return nil, wrong("%s has no evaluation %s", file, name).say("It declares: %s.", strings.Join(names, ", ")).near(name, names)
}

// evalProgress is how far an evaluation is: rows, the running score of its first
// metric, what it cost and will.
type evalProgress struct {
	*progress
	metric string

	mu     sync.Mutex
	scores evaluate.Running
}

func newEvalProgress(p *dspi.EvalPlan) *evalProgress {
	x := &evalProgress{progress: newProgress()}
	if len(p.Measures) > 0 {
		x.metric = p.Measures[0].Name
	}
	return x
}

// count counts the rows, as far as ctx lasts.
func (x *evalProgress) count(ctx context.Context, p *dspi.EvalPlan, limit int) {
	t, err := dspi.OpenDataset(p.Evaluation.Data, p.Plan)
	if err != nil {
		return
	}
	defer t.Close()
	most := limit
	if most == 0 {
		most = p.Evaluation.Limit
	}
	n := 0
	for ; ctx.Err() == nil && (most == 0 || n < most); n++ {
		if _, err := t.Next(); err != nil {
			break
		}
	}
	if ctx.Err() == nil {
		x.setTotal(n)
	}
}

// row counts a measured row.
func (x *evalProgress) row(r *evaluate.Row) {
	if !r.Before {
		x.used(r.Usage)
	}
	x.wrote(r.Error != nil || len(r.Errors) > 0)
	x.mu.Lock()
	defer x.mu.Unlock()
	if s, ok := r.Scores[x.metric]; ok {
		x.scores.Add(s)
	}
}

// line is that of the rows, with the score so far and the money.
func (x *evalProgress) line(now time.Time) string {
	s := x.progress.line(now)
	x.mu.Lock()
	if n := x.scores.N(); n > 0 {
		s += fmt.Sprintf("; %s %s", x.metric, figure(x.scores.Mean()))
		if n > 1 {
			s += fmt.Sprintf(" ± %s", figure(x.scores.Half()))
		}
	}
	x.mu.Unlock()
	x.progress.mu.Lock()
	defer x.progress.mu.Unlock()
	if usd := x.usage.USD; usd != nil && *usd > 0 {
		s += "; " + dollars(usd)
		if x.total > x.done && x.done > 0 {
			left := *usd / float64(x.done) * float64(x.total-x.done)
			s += ", about " + dollars(&left) + " to come"
		}
	}
	return s
}

// show keeps people informed, as progress.show does.
func (x *evalProgress) show(a *app) (stop func()) {
	if a.terminal(a.errFile) {
		return a.redraw(100*time.Millisecond, x.line)
	}
	return a.everyNow(x.line)
}

// everyNow writes a line now and then, until stop is called.
func (a *app) everyNow(line func(time.Time) string) (stop func()) {
	quit, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		tick := time.NewTicker(quiet)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				return
			case now := <-tick.C:
				fmt.Fprintln(a.err, line(now))
			}
		}
	}()
	return sync.OnceFunc(func() { close(quit); <-gone })
}

// figure writes a score with as many digits as it needs to be read.
func figure(x float64) string {
	switch abs := math.Abs(x); {
	case abs == 0:
		return "0.000"
	case abs < 0.001:
		return fmt.Sprintf("%.2g", x)
	case abs < 100:
		return fmt.Sprintf("%.3f", x)
	}
	return fmt.Sprintf("%.0f", x)
}

// modelsLine names the models of a plan.
func modelsLine(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return ", " + strings.Join(names, ", ")
}
