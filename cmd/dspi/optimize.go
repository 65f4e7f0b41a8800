package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/evaluate"
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
	if err := a.saveTuning(p, t); err != nil {
		return err
	}
	if f.json {
		return a.writeJSON(t)
	}
	a.tellTuning(p, t, args[0])
	return nil
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

// tellTuning prints what a tuning found, for reading.
func (a *app) tellTuning(p *dspi.OptimizePlan, t *dspi.Tuning, file string) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s by %s, seed %d\n", t.Optimization, t.Program, strings.Join(t.Stages, ", then "), t.Seed)
	fmt.Fprintf(&b, "learned from %s, compared on %s, tested on %s\n\n", rowsLine(t.Train), rowsLine(t.Dev), rowsLine(t.Test))
	if n := len(t.Trials); n > 0 {
		trialTable(&b, t)
	}
	if len(t.Front) > 1 {
		frontTable(&b, p, t)
	}
	switch {
	case !t.Changed:
		b.WriteString("Nothing was better than the program as it is.\n")
	case len(t.Comparison) > 0:
		comparisonTable(&b, t.Comparison)
		for _, c := range t.Comparison {
			fmt.Fprintf(&b, "%s: %s\n", c.Metric, tunedVerdict(c))
		}
	case t.Test.Rows == 0:
		b.WriteString("There are too few rows to hold some back, so what was found is not compared with the program as it was.\n")
	default:
		b.WriteString("What was found could not be measured on the test rows any more.\n")
	}
	if len(t.Importance) > 0 {
		b.WriteString("\nwhat explains the scores:\n")
		for _, i := range t.Importance {
			fmt.Fprintf(&b, "  %5.1f %%  %s\n", 100*i.Share, i.Param)
		}
	}
	text := b.String()
	if a.terminal(a.outFile) {
		text = harmless(text)
	}
	fmt.Fprint(a.out, text)
	if t.GivenUp != "" {
		fmt.Fprintf(a.err, "\nended early: %s\n", t.GivenUp)
	}
	fmt.Fprintf(a.err, "\n%s, %s, %s\n", plural(t.Spent.Calls, "call"), dollars(&t.Spent.USD), duration(time.Duration(t.Seconds*float64(time.Second))))
	if t.Known > 0 {
		fmt.Fprintf(a.err, "%d runs and replies were known from before\n", t.Known)
	}
	fmt.Fprintf(a.err, "written: %s\n", p.SaveTo)
	if t.Changed {
		fmt.Fprintf(a.err, "\nNext:\n\n    dspi run %s %s … --state %s\n", shellWord(file), t.Program, shellWord(p.SaveTo))
	}
}

func rowsLine(r dspi.RowsUsed) string {
	s := plural(r.Rows, "row")
	switch {
	case r.Part != "":
		s += " (" + r.Part + ")"
	case r.Data != "":
		s += " of " + r.Data
	}
	if r.Unfit > 0 {
		s += fmt.Sprintf(", %d left out that do not fit", r.Unfit)
	}
	return s
}

// trialTable prints the best trials, and how many there were.
func trialTable(b *strings.Builder, t *dspi.Tuning) {
	const most = 10
	names := metricsOf(t)
	trials := slices.Clone(t.Trials)
	slices.SortStableFunc(trials, func(x, y *dspi.TrialReport) int {
		if x.Best != y.Best {
			if x.Best {
				return -1
			}
			return 1
		}
		if x.Full != y.Full {
			if x.Full {
				return -1
			}
			return 1
		}
		switch d := y.Scores[names[0]] - x.Scores[names[0]]; {
		case d < 0:
			return -1
		case d > 0:
			return 1
		}
		return 0
	})
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "trial\t%s\trows\t\t\n", strings.Join(names, "\t"))
	for _, x := range trials[:min(len(trials), most)] {
		scores := make([]string, len(names))
		for i, n := range names {
			scores[i] = figure(x.Scores[n])
		}
		note := x.Note
		if x.Best {
			note += "  ← chosen"
		}
		fmt.Fprintf(w, "%d\t%s\t%d\t%s\t\n", x.N, strings.Join(scores, "\t"), x.Rows, note)
	}
	_ = w.Flush() // a Builder does not fail
	if n := len(trials) - most; n > 0 {
		fmt.Fprintf(b, "and %s, which --json shows\n", plural(n, "further trial"))
	}
	b.WriteString("\n")
}

// metricsOf returns the names of the objectives, in their order.
func metricsOf(t *dspi.Tuning) []string {
	if t.Before != nil {
		var names []string
		for _, m := range t.Before.Metrics {
			names = append(names, m.Name)
		}
		return names
	}
	var names []string
	for n := range t.Trials[0].Scores {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

func frontTable(b *strings.Builder, p *dspi.OptimizePlan, t *dspi.Tuning) {
	names := metricsOf(t)
	b.WriteString("none of these is better in every respect:\n\n")
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s\tfile\t\n", strings.Join(names, "\t"))
	for i, m := range t.Front {
		scores := make([]string, len(names))
		for k, n := range names {
			scores[k] = figure(m.Scores[n])
		}
		path := p.SaveTo
		if i > 0 {
			path = frontFile(path, i)
		}
		fmt.Fprintf(w, "%s\t%s\t\n", strings.Join(scores, "\t"), filepath.Base(path))
	}
	_ = w.Flush() // a Builder does not fail
	b.WriteString("\n")
}

func comparisonTable(b *strings.Builder, all []*evaluate.Comparison) {
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "on test rows\tbefore\tafter\tdifference\t95 % interval\tn\tp\t\n")
	for _, c := range all {
		span := ""
		if c.Interval != nil {
			span = signed(c.Interval.Low) + " to " + signed(c.Interval.High)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t\n", c.Metric, figure(c.A), figure(c.B), signed(c.Difference), span, c.N, pValue(c.Adjusted))
	}
	_ = w.Flush() // a Builder does not fail
	b.WriteString("\n")
}

// tunedVerdict says in words what a comparison of before and after shows.
func tunedVerdict(c *evaluate.Comparison) string {
	switch {
	case c.N == 0:
		return "no row has a score of both"
	case c.Better+c.Worse == 0:
		return "the same on every row"
	case !c.Clear():
		return fmt.Sprintf("the data cannot tell before and after apart; %s would show a difference of %s or more", plural(c.N, "row"), figure(c.Detectable))
	case (c.Difference > 0) == c.Lower:
		return "clearly worse than before: do not use what was found"
	}
	return "clearly better than before"
}

// tellForecast prints what a tuning would take.
func (a *app) tellForecast(f *dspi.Forecast) {
	fmt.Fprintf(a.out, "%s by %s would take\n\n", f.Optimization, strings.Join(f.Stages, ", then "))
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	amount := func(name string, low, high float64) {
		switch {
		case math.IsInf(high, 1):
			fmt.Fprintf(w, "  %s\tat least %.0f\n", name, math.Ceil(low))
		case math.Ceil(low) == math.Ceil(high):
			fmt.Fprintf(w, "  %s\t%.0f\n", name, math.Ceil(low))
		default:
			fmt.Fprintf(w, "  %s\t%.0f to %.0f\n", name, math.Ceil(low), math.Ceil(high))
		}
	}
	amount("runs of the program", f.Runs.Min, f.Runs.Max)
	amount("questions of optimizers", f.Asks.Min, f.Asks.Max)
	amount("calls", f.Calls.Min, f.Calls.Max)
	amount("tokens in", f.InputTokens.Min, f.InputTokens.Max)
	amount("tokens out", f.OutputTokens.Min, f.OutputTokens.Max)
	fmt.Fprintf(w, "  US dollars\t%s\n", money(f.USD))
	_ = w.Flush() // what cannot be printed cannot be told
	fmt.Fprintf(a.out, "\nlearning from %s, comparing on %s, testing on %s\n", rowsLine(f.Train), rowsLine(f.Dev), rowsLine(f.Test))
	if f.Limits != (dspi.BudgetLimits{}) {
		fmt.Fprintf(a.out, "the budget ends it at %s\n", limitsLine(f.Limits))
	}
	fmt.Fprintln(a.out, "reckoned by running the optimizers on these rows against a program that is not there: once where almost no run is good, once where half are, once where almost all are")
	for _, n := range f.Notes {
		fmt.Fprintln(a.out, n)
	}
}

func limitsLine(l dspi.BudgetLimits) string {
	var parts []string
	if l.Calls > 0 {
		parts = append(parts, plural(l.Calls, "call"))
	}
	if l.USD > 0 {
		parts = append(parts, dollars(&l.USD))
	}
	if l.Time > 0 {
		parts = append(parts, l.Time.String())
	}
	return strings.Join(parts, ", ")
}

// tuningView says how far a tuning is.
type tuningView struct {
	app    *app
	metric string
	lower  bool

	mu     sync.Mutex
	start  time.Time
	doing  string
	trials int
	best   *optimize.Trial
	curve  []float64 // the best so far, after each full trial
}

func newTuningView(a *app, p *dspi.OptimizePlan) *tuningView {
	v := &tuningView{app: a, start: time.Now()}
	o := p.Optimization
	if len(o.Maximize) > 0 {
		v.metric = o.Maximize[0].Name()
	} else {
		v.metric, v.lower = o.Minimize[0].Name(), true
	}
	return v
}

// event takes what happens. Where no terminal is, each trial is a line.
func (v *tuningView) event(e optimize.Event) {
	v.mu.Lock()
	if e.Trial == nil {
		v.doing = e.Doing
	} else {
		v.trials++
		if e.Trial.Best {
			v.best = e.Trial
		}
		if e.Trial.Full && v.best != nil {
			v.curve = append(v.curve, v.best.Means[0])
		}
	}
	v.mu.Unlock()
	if v.app.terminal(v.app.errFile) {
		return
	}
	if t := e.Trial; t != nil {
		mark := ""
		if t.Best {
			mark = ", the best so far"
		}
		fmt.Fprintf(v.app.err, "trial %d: %s %s on %s (%s)%s\n", t.N, v.metric, figure(t.Means[0]), plural(t.Rows, t.Set+" row"), t.Note, mark)
	}
}

// show redraws two lines on a terminal.
func (v *tuningView) show() (stop func()) {
	return v.app.redraw(100*time.Millisecond, func(now time.Time) string {
		v.mu.Lock()
		defer v.mu.Unlock()
		s := fmt.Sprintf("%s, %s", plural(v.trials, "trial"), duration(now.Sub(v.start)))
		if v.best != nil {
			s += fmt.Sprintf("; best %s %s (trial %d)  %s", v.metric, figure(v.best.Means[0]), v.best.N, spark(v.curve, v.lower))
		}
		return s + "\n" + v.doing
	})
}

// spark draws a curve in one line.
func spark(xs []float64, lower bool) string {
	const width = 30
	if len(xs) > width {
		xs = xs[len(xs)-width:]
	}
	if len(xs) < 2 {
		return ""
	}
	lo, hi := slices.Min(xs), slices.Max(xs)
	bars := []rune("▁▂▃▄▅▆▇█")
	var b strings.Builder
	for _, x := range xs {
		at := 0.0
		if hi > lo {
			at = (x - lo) / (hi - lo)
		}
		if lower {
			at = 1 - at
		}
		b.WriteRune(bars[int(at*float64(len(bars)-1))])
	}
	return b.String()
}
