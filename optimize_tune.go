package dspi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"time"

	"github.com/dspi-lang/dspi/interpreter/evaluate"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/diag"
)

// OptimizeOptions are what a tuning is told from outside.
type OptimizeOptions struct {
	Concurrency int           // 0: what the block says
	Limits      *BudgetLimits // nil: what the block says
	// Resume goes on with what the log of an earlier tuning has.
	Resume bool
	// Watch is told what happens, never two at once; may be nil.
	Watch func(optimize.Event)
}

// Tuning is what a tuning found.
type Tuning struct {
	Optimization string   `json:"optimization"`
	Program      string   `json:"program"`
	Stages       []string `json:"stages"`
	Seed         uint64   `json:"seed"`
	// Rows are how many there were of each kind, and where they come from.
	Train RowsUsed `json:"train"`
	Dev   RowsUsed `json:"dev"`
	Test  RowsUsed `json:"test"`
	// Trials are the candidates that were measured, in their order.
	Trials []*TrialReport `json:"trials"`
	// Front are the candidates of which none is better in every respect, the best on
	// the first aim first; one, where there is one aim.
	Front []*FrontMember `json:"front,omitempty"`
	// Test results of the program as it was, and as it was tuned, on rows that no
	// optimizer saw; nil where there were none.
	Before     *evaluate.Results      `json:"before,omitempty"`
	After      *evaluate.Results      `json:"after,omitempty"`
	Comparison []*evaluate.Comparison `json:"comparison,omitempty"`
	// Importance says how much of the scores' variance each searched parameter
	// explains, the most important first; nil without a search.
	Importance []Importance `json:"importance,omitempty"`
	// Runs counts the runs of the program; Failures says why some have no score, the
	// most frequent reason first.
	Runs     int              `json:"runs"`
	Failures []optimize.Fault `json:"failures,omitempty"`
	Spent    optimize.Spent   `json:"spent"`
	Known    int              `json:"known,omitempty"` // runs and replies that an earlier tuning had
	Seconds  float64          `json:"seconds"`
	// GivenUp says why it ended early; "" when it did not.
	GivenUp string `json:"given_up,omitempty"`
	// Broken tells that an optimizer failed, after some candidate was better than the
	// program as it was. GivenUp says why.
	Broken bool `json:"broken,omitempty"`
	// Changed tells that what was found is not the program as it was.
	Changed bool `json:"changed"`

	// Best is the candidate that was chosen.
	Best *optimize.Candidate `json:"-"`
}

// RowsUsed says which rows served as what.
type RowsUsed struct {
	Data  string `json:"data,omitempty"` // dataset.dev
	Rows  int    `json:"rows"`
	Unfit int    `json:"unfit,omitempty"` // rows that do not fit the program
	// Part says which part of the data it is: "a fifth of dev, held back".
	Part string `json:"part,omitempty"`
}

// TrialReport is a trial as it is shown and saved.
type TrialReport struct {
	N      int                `json:"trial"`
	Stage  string             `json:"stage"`
	Note   string             `json:"note,omitempty"`
	Scores map[string]float64 `json:"scores"`
	Rows   int                `json:"rows"`
	Set    string             `json:"set"`
	Full   bool               `json:"full"`
	Best   bool               `json:"best,omitempty"`
	Params map[string]any     `json:"params,omitempty"`
}

// FrontMember is a candidate of a front.
type FrontMember struct {
	Scores map[string]float64 `json:"scores"`
	Params map[string]any     `json:"params,omitempty"`

	Candidate *optimize.Candidate `json:"-"`
}

// Importance is how much of the scores' variance a parameter explains, from 0 to 1.
type Importance struct {
	Param string  `json:"param"`
	Share float64 `json:"share"`
}

// Part of the rows that are held back where no data set is named for them.
const (
	devPart  = 3 // of train, where there is no dev
	testPart = 5 // of dev, where there is no test
)

// tuning is one that is under way.
type tuning struct {
	*runner
	opt              OptimizeOptions
	out              *Tuning
	train, dev, test []*optimize.Example
	log              *optimize.Log
	limits           BudgetLimits
	spent            optimize.Spent // so far, by an earlier tuning whose log is gone on with, too
	start            time.Time
	reserved         bool // the budget under way is less than all
	study            *optimize.Study
}

// Optimize tunes a program. What the tuning found is returned even when the budget or
// ctx ends it. The error says that it cannot be begun: the data cannot be read, or
// there is nothing to tune.
func (r *Runtime) Optimize(ctx context.Context, p *OptimizePlan, opt OptimizeOptions) (*Tuning, error) {
	t := &tuning{runner: newRunner(r, p), opt: opt, limits: p.Limits, start: time.Now()}
	if opt.Limits != nil {
		t.limits = *opt.Limits
	}
	t.out = &Tuning{Optimization: p.Optimization.Name, Program: p.Start.Program, Seed: p.Seed, Trials: []*TrialReport{}}
	for _, s := range p.stages {
		t.out.Stages = append(t.out.Stages, s.declared.Optimizer)
	}
	if err := t.rows(ctx); err != nil {
		return nil, err
	}
	if err := t.Check(p.start); err != nil {
		return nil, err
	}
	if err := t.ready(); err != nil {
		return nil, err
	}
	var err error
	t.log, err = t.openLog(opt.Resume)
	switch {
	case errors.Is(err, optimize.ErrOther):
		return nil, err
	case err != nil:
		return nil, diag.New("E0619", p.Optimization.Place, "what is answered cannot be kept").Say("%v.", err).
			Hint("another place: --out FILE, or `save_to` in the block")
	}
	err = t.run(ctx)
	t.out.Failures, t.out.Runs = t.study.Faults()
	t.out.Spent, t.out.Known = t.spent, t.log.Known()
	t.out.Spent.USD = math.Round(t.spent.USD*1e9) / 1e9 // the order of the calls does not show
	t.out.Seconds = time.Since(t.start).Seconds()
	if cerr := t.log.Close(); err == nil && cerr != nil {
		err = diag.New("E0619", p.Optimization.Place, "what was answered cannot be kept").Say("%v.", cerr)
	}
	return t.out, err
}

// Done removes the log of a tuning: what was found is saved.
func (p *OptimizePlan) Done() error { return os.Remove(p.LogFile()) }

// run measures the start on the test rows, runs the optimizers, and measures what they
// found on the test rows.
func (t *tuning) run(ctx context.Context) error {
	ctx = optimize.WithLog(ctx, t.log)
	t.spent = t.log.Spent()
	t.study = t.newStudy()
	t.testRows()
	t.study.Doing("measuring the program as it is on " + count(len(t.test), "test row"))
	within, done := t.budget(ctx, BudgetLimits{})
	start, err := t.study.Evaluate(within, t.plan.start, t.test)
	done()
	if err != nil {
		t.giveUp(ctx, err)
		t.choose(nil, nil)
		return nil
	}
	if n := len(start.Outcomes); n > 0 && failures(start) == n {
		return t.nothingWorks(start.Outcomes[0], "any of "+count(n, "test row"))
	}
	reserve := BudgetLimits{}
	for _, o := range start.Outcomes {
		reserve.Calls += o.Calls
		reserve.USD += o.USD
	}
	reserve.Calls += reserve.Calls / 4
	reserve.USD *= 1.25
	reserve.Time = time.Since(t.start) * 5 / 4
	within, done = t.budget(ctx, reserve)
	t.reserved = reserve.Calls > 0 || reserve.USD > 0
	best, front, err := t.stages(within)
	broken := err != nil && !optimize.Ends(within, err)
	done()
	switch {
	case broken && (best == nil || best.Key() == t.plan.start.Key()):
		return err
	case broken: // what was found until then is not lost
		t.out.Broken, t.out.GivenUp = true, inLine(firstReport(err))
	default:
		t.giveUp(ctx, err)
	}
	t.reserved = false
	t.choose(best, front)
	if faults, runs := t.study.Faults(); runs > 0 && err == nil {
		for _, f := range faults {
			runs -= f.Runs
		}
		if runs == 0 { // without test rows nobody has looked
			first := &optimize.Outcome{Unscored: faults[0].Title}
			if !faults[0].Metric {
				first = &optimize.Outcome{Err: faults[0].Title}
			}
			return t.nothingWorks(first, "any row")
		}
	}
	return t.compare(ctx, start)
}

// budget returns a context in which no more is used than the limits allow, less what
// is reserved for later. done must be called when it is no longer used.
func (t *tuning) budget(ctx context.Context, reserve BudgetLimits) (_ context.Context, done func()) {
	cancel := func() {}
	if t.limits.Time > 0 {
		ctx, cancel = context.WithDeadlineCause(ctx, t.start.Add(t.limits.Time-min(reserve.Time, t.limits.Time/2)), optimize.ErrSpent)
	}
	l := lm.BudgetLimits{}
	if t.limits.Calls > 0 {
		l.Calls = max(t.limits.Calls-t.spent.Calls-min(reserve.Calls, t.limits.Calls/2), 0)
	}
	if t.limits.USD > 0 {
		l.USD = max(t.limits.USD-t.spent.USD-min(reserve.USD, t.limits.USD/2), 0)
	}
	if t.limits.Calls > 0 && l.Calls == 0 || t.limits.USD > 0 && l.USD == 0 {
		ctx, stop := context.WithCancelCause(ctx)
		stop(optimize.ErrSpent)
		return ctx, cancel
	}
	b := lm.NewBudget(l)
	return lm.WithBudget(ctx, b), func() {
		cancel()
		used := b.Used()
		t.spent.Calls += used.Calls
		if used.USD != nil {
			t.spent.USD += *used.USD
		}
	}
}

// testRows leaves out test rows that the budget has no calls for: measuring them twice
// may take two fifths of it.
func (t *tuning) testRows() {
	asks := 0
	eachOp(t.plan.Start.Ops, func(op *plan.Op) {
		if op.Model != nil {
			asks++
		}
	})
	most := t.limits.Calls / 5 / max(asks, 1)
	if t.limits.Calls == 0 || len(t.test) <= most {
		return
	}
	t.out.Test.Part = cmp.Or(t.out.Test.Part, "test") + fmt.Sprintf("; %d of %d, for which the budget has calls", most, len(t.test))
	t.test = t.test[:most]
	t.out.Test.Rows = most
}

func (t *tuning) newStudy() *optimize.Study {
	p, o := t.plan, t.plan.Optimization
	s := &optimize.Study{
		Program: p.Start.Checked, Predictors: p.predictors, Space: p.Space, Start: p.start, Train: t.train, Dev: t.dev,
		Seed: p.Seed, Concurrency: cmp.Or(t.opt.Concurrency, o.Concurrency, OptimizeConcurrency), EarlyStop: o.EarlyStop,
		Runner: t.runner, Log: t.log, Watch: t.opt.Watch,
	}
	for i, m := range p.scoring.Measures {
		s.Objectives = append(s.Objectives, optimize.Objective{Name: m.Name, Lower: i >= len(o.Maximize)})
	}
	return s.Begin()
}

// stages runs the optimizers one after the other: each starts where the one before it
// ended.
func (t *tuning) stages(ctx context.Context) (best *optimize.Candidate, front []*optimize.Candidate, err error) {
	start := t.plan.start
	for _, st := range t.plan.stages {
		t.reflection = st.reflection
		study := t.study.Next(st.name, st.settings, start)
		found, err := t.runStage(ctx, st, study)
		if len(found) > 0 {
			best, front, start = found[0], found, found[0]
		}
		if err != nil {
			if b := study.Best(); len(found) == 0 && b != nil {
				best, front = b.Candidate, nil
			}
			return best, front, t.placed(st, err)
		}
	}
	return best, front, nil
}

// inLine says in one line what a report says.
func inLine(r diag.Report) string {
	s := cmp.Or(r.Primary.Text, r.Title)
	if detail := strings.Join(strings.Fields(r.Detail), " "); detail != "" {
		s += ": " + detail
	}
	return s
}

// ready asks the optimizers whether they can begin.
func (t *tuning) ready() error {
	for _, st := range t.plan.stages {
		if r, ok := st.run.(optimize.Ready); ok {
			study := t.newStudy()
			study.Watch = nil
			if err := r.Ready(study.Next(st.name, st.settings, t.plan.start)); err != nil {
				return t.placed(st, err)
			}
		}
	}
	return nil
}

// placed says which optimizer an error is of, where the error does not.
func (t *tuning) placed(st stage, err error) error {
	var d *diag.Diagnostic
	var list diag.List
	if errors.As(err, &d) || errors.As(err, &list) || optimize.IsSpent(err) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return diag.New("E0524", st.declared.Place, "`"+st.declared.Optimizer+"` cannot go on").Say("%v.", err)
}

func (t *tuning) runStage(ctx context.Context, st stage, study *optimize.Study) ([]*optimize.Candidate, error) {
	if st.run == nil {
		return t.inPython(ctx, st, study)
	}
	return st.run.Optimize(ctx, study)
}

// giveUp notes why the tuning ended early.
func (t *tuning) giveUp(ctx context.Context, err error) {
	switch {
	case err == nil:
	case errors.Is(err, optimize.ErrSpent) && t.limits.Time > 0 && time.Since(t.start) >= t.limits.Time/2 && t.limits.Calls == 0 && t.limits.USD == 0:
		t.out.GivenUp = "the time of the budget is over"
	case errors.Is(err, optimize.ErrSpent):
		t.out.GivenUp = "the budget is used up"
		t.runner.mu.Lock()
		defer t.runner.mu.Unlock()
		if t.said != "" {
			t.out.GivenUp += ": " + t.said
		}
		if t.reserved {
			t.out.GivenUp += " (a part of it is kept back to measure what is found)"
		}
	default:
		t.out.GivenUp = "it was interrupted"
	}
}

// failures counts the rows that have no score: the program failed, or its metric.
func failures(s *optimize.Score) int {
	n := 0
	for _, o := range s.Outcomes {
		if o.Failed() || o.Unscored != "" {
			n++
		}
	}
	return n
}

// nothingWorks says that the program, or its metric, fails on every one of some rows:
// "any of 16 test rows".
func (t *tuning) nothingWorks(first *optimize.Outcome, rows string) error {
	o := t.plan.Optimization
	if !first.Failed() {
		return diag.New("E0524", o.Place, fmt.Sprintf("`%s` gives no score on %s", t.plan.scoring.Measures[0].Use.Address(), rows)).
			Say("The first: %s. There is nothing to compare candidates by.", first.Unscored).
			Hint("`dspi eval` with this metric says more of each row")
	}
	return diag.New("E0618", o.Place, fmt.Sprintf("`%s` does not work on %s", o.Program.Name, rows)).
		Say("The first: %s. There is nothing to compare candidates by.", first.Err).
		Hint("run it on a row first: dspi run %s", o.Place.File.Name)
}

// choose takes what the optimizers found, and the trials.
func (t *tuning) choose(best *optimize.Candidate, front []*optimize.Candidate) {
	if best == nil {
		best = t.plan.start
	}
	t.out.Best = best
	t.out.Changed = best.Key() != t.plan.start.Key()
	scores := map[string]*optimize.Trial{}
	var winner *TrialReport
	for _, x := range t.study.Trials() {
		r := &TrialReport{N: x.N, Stage: x.Stage, Note: x.Note, Scores: t.named(x.Means), Rows: x.Rows, Set: x.Set, Full: x.Full, Params: x.Params}
		t.out.Trials = append(t.out.Trials, r)
		key := x.Candidate.Key()
		if was := scores[key]; was == nil || x.Full && !was.Full {
			scores[key] = x
			if key == best.Key() {
				winner = r
			}
		}
	}
	if winner != nil {
		winner.Best = true
	}
	if len(front) > 1 {
		for _, c := range front {
			m := &FrontMember{Candidate: c}
			if x := scores[c.Key()]; x != nil {
				m.Scores, m.Params = t.named(x.Means), x.Params
			}
			t.out.Front = append(t.out.Front, m)
		}
	}
	t.out.Importance = t.importance()
}

// named gives means the names of their objectives.
func (t *tuning) named(means []float64) map[string]float64 {
	out := map[string]float64{}
	for i, o := range t.study.Objectives {
		if i < len(means) {
			out[o.Name] = means[i]
		}
	}
	return out
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
