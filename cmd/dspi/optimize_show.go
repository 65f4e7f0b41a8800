package main

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/evaluate"
	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/lang/program"
)

// tellTuning prints what a tuning found, for reading. stays tells that an earlier result
// was not replaced by nothing.
func (a *app) tellTuning(p *dspi.OptimizePlan, t *dspi.Tuning, file string, stays bool) {
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
	case untried(t):
		b.WriteString("No candidate was measured before it ended.\n")
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
	for _, f := range t.Failures {
		who := "the program failed"
		if f.Metric {
			who = "`" + firstAim(p).Address() + "`" + " gave no score"
		}
		fmt.Fprintf(a.err, "    %d of %s: %s (%s)\n", f.Runs, plural(t.Runs, "run"), who, f.Title)
	}
	if stays {
		fmt.Fprintf(a.err, "%s stays as it was; to go on with what was answered: dspi optimize %s --resume --budget …\n", p.SaveTo, optimizeArgs(file, p))
		return
	}
	fmt.Fprintf(a.err, "written: %s\n", p.SaveTo)
	if t.Changed {
		fmt.Fprintf(a.err, "\nNext:\n\n    dspi run %s %s … --state %s\n", shellWord(file), t.Program, shellWord(p.SaveTo))
	}
}

// untried tells of a tuning that ended before it had measured or made any candidate.
func untried(t *dspi.Tuning) bool { return t.GivenUp != "" && len(t.Trials) == 0 && !t.Changed }

// firstAim is the metric by which candidates are compared.
func firstAim(p *dspi.OptimizePlan) *program.MetricUse {
	o := p.Optimization
	return append(slices.Clone(o.Maximize), o.Minimize...)[0]
}

// optimizeArgs are the file and the name of an optimization on a command line.
func optimizeArgs(file string, p *dspi.OptimizePlan) string {
	return shellWord(file) + " " + shellWord(p.Optimization.Name)
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
