package dspi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/dspi-lang/dspi/interpreter"
	"github.com/dspi-lang/dspi/interpreter/evaluate"
	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib/datasets"
)

// Defaults of an evaluation that does not say.
const (
	EvalConcurrency = 8
	EvalMaxErrors   = 10
)

// EvalPlan is an evaluation that is ready to run: the plan of its program, and those
// of metrics that have steps.
type EvalPlan struct {
	Evaluation *program.Evaluation
	Plan       *plan.Plan
	Measures   []*Measure

	source string // SHA-256 of the texts of its project
}

// Measure is a metric of an evaluation.
type Measure struct {
	Name string
	Use  *program.MetricUse
	// Plan is that of its own steps; nil where it has none.
	Plan *plan.Plan

	score scorer
	// lower, unit and whole are those of a built-in metric. A whole one is of
	// all rows together.
	lower, whole bool
	unit         string
	usage        bool // it measures the run, also one that failed
}

// scorer computes the score of one row. NaN means that it is not known.
type scorer func(ctx context.Context, r *Runtime, x *judged) (float64, error)

// judged is a row with its prediction, as a metric sees it.
type judged struct {
	example, prediction, usage *value.Object
	used                       interpreter.Usage
	seconds                    float64

	leg      Leg // of the row's run
	feedback string
	judging  *interpreter.Usage
}

// root gives the values of the names in a metric's expressions.
func (x *judged) object() *value.Object {
	return value.NewObject("example", x.example, "prediction", x.prediction, "usage", x.usage)
}

// EvalOptions are what an evaluation is told from outside.
type EvalOptions struct {
	Concurrency int // 0: what the evaluation says
	Limit       int // 0: what the evaluation says
	// MaxErrors is how many rows may fail; nil: what the evaluation says.
	MaxErrors *int
	// Row is told of each row when it is measured, in any order but never two at
	// once; may be nil.
	Row func(*evaluate.Row)
	// Total is told how many rows there are, when that is known; may be nil.
	Total func(int)
	// Run is the id under which the evaluation is kept: the runs of its rows are
	// history.RowID of it, and the journal of the Options has what was measured,
	// until the evaluation has ended. "" keeps nothing together.
	Run string
	// Resume says that the evaluation was begun before. Rows that it measured are
	// not run again, and calls of others that are in the journal are not made again.
	Resume bool
}

// askJudge runs the steps of a metric. They are no run of the program: the trace of
// the Runtime does not see them. The journal does where the row's run has an id, so
// that a judge is not asked again when an evaluation is resumed.
func (r *Runtime) askJudge(ctx context.Context, p *plan.Plan, inputs *value.Object, x *judged) (*value.Object, error) {
	env, earlier := *r.env, &earlierCalls{}
	env.Trace, env.Journal, env.Stream = nil, nil, false
	if x.leg.Run != "" && r.options.Journal != nil {
		env.Journal, env.Run, env.Resume = r.journalOf(p), x.leg.Run+"-"+p.Program, x.leg.Resume
		env.Trace = earlier.see
	}
	env.Functions = r.options.Extension.functions()
	res, err := interpreter.Run(ctx, p, &env, inputs)
	sum := earlier.with(res.Usage)
	if x.judging != nil {
		sum = x.judging.Add(sum)
	}
	x.judging = &sum
	if err != nil {
		return nil, err
	}
	return res.Outputs, nil
}

// evalMetric evaluates an expression of a metric without steps. The error is a
// *diag.Diagnostic.
func (r *Runtime) evalMetric(ctx context.Context, v program.Value, x *judged, vars *value.Object) (any, error) {
	code, err := v.Expr.Compile()
	if err == nil {
		var out any
		out, err = code.Eval(ctx, func(root string) (any, bool) {
			switch root {
			case "example":
				return x.example, true
			case "prediction":
				return x.prediction, true
			case "usage":
				return x.usage, true
			case "var":
				return vars, true
			}
			return nil, false
		}, r.options.Extension.functions()...)
		if err == nil {
			return out, nil
		}
	}
	at, why := v.Place, err.Error()
	var e *expr.EvalError
	if errors.As(err, &e) {
		why = e.Message
		if e.Place.File != nil {
			at = e.Place
		}
	}
	return nil, diag.New("E0614", at, why)
}

// scoreOf is a score as a number; NaN for what is none.
func scoreOf(v any) float64 {
	switch v := v.(type) {
	case bool:
		if v {
			return 1
		}
		return 0
	case int:
		return float64(v)
	case int64:
		return float64(v)
	case float64:
		return v
	}
	return nan
}

// Evaluate measures a program on its data: every metric on every row, many rows at a
// time. A row whose run fails has the failure score and is counted; so is a metric
// that gives no number. The Results say what was measured even when ctx or the budget
// ends, or too many rows fail. The error says that the data cannot be read at all, or that the
// condition cannot be judged.
func (r *Runtime) Evaluate(ctx context.Context, p *EvalPlan, opt EvalOptions) (*evaluate.Results, error) {
	e := p.Evaluation
	table, err := r.OpenDataset(ctx, e.Data, p.Plan.Values)
	if err != nil {
		return nil, err
	}
	defer table.Close()
	if err := rowsFit(e, table); err != nil {
		return nil, err
	}
	v := &evaluation{
		Runtime: r, plan: p, opt: opt, table: table, secrets: About(p.Plan).Secrets,
		limit: cmp.Or(opt.Limit, e.Limit), most: EvalMaxErrors,
	}
	if e.HasMax {
		v.most = e.MaxErrors
	}
	if opt.MaxErrors != nil {
		v.most = *opt.MaxErrors
	}
	if !e.FailScore.IsZero() {
		fail, err := fixedValue(e.FailScore, e.Names, p.Plan.Values)
		if err != nil {
			return nil, err
		}
		v.fail = scoreOf(fail)
	}
	res, err := v.run(ctx, cmp.Or(opt.Concurrency, e.Concurrency, EvalConcurrency))
	if err != nil {
		return res, err
	}
	return res, v.gate(ctx, res)
}

// evaluation is one evaluation under way.
type evaluation struct {
	*Runtime
	plan    *EvalPlan
	opt     EvalOptions
	table   *datasets.Table
	secrets []string
	limit   int
	most    int // rows that may fail
	fail    float64

	mu     sync.Mutex
	rows   []*evaluate.Row
	failed int
	pairs  map[string]map[int]evaluate.Pair // by output and row
	over   string                           // why it is given up
	full   func()                           // lets no further row begin
}

func (v *evaluation) run(ctx context.Context, workers int) (*evaluate.Results, error) {
	start := time.Now()
	running, stop := context.WithCancel(ctx)
	defer stop()
	reading, full := context.WithCancel(running)
	defer full()
	v.full = full
	todo := make(chan datasets.Row)
	var readErr error
	go func() {
		defer close(todo)
		for n := 0; v.limit == 0 || n < v.limit; n++ {
			row, err := v.table.Next()
			if err != nil {
				if !errors.Is(err, io.EOF) {
					readErr = err
				}
				return
			}
			select {
			case todo <- row:
			case <-reading.Done():
				return
			}
		}
	}()
	v.pairs = map[string]map[int]evaluate.Pair{}
	var work, writing sync.WaitGroup
	unwritten := make(chan struct{}, workers) // rows whose result is on its way to the journal
	for range workers {
		work.Go(func() {
			for row := range todo {
				out, pairs := v.measure(running, row)
				switch {
				case out == nil: // interrupted, or not paid for
				case out.Before || v.journal() == nil:
					v.keep(out, pairs, stop)
				default: // the next row need not wait until this one is safe
					unwritten <- struct{}{}
					writing.Go(func() {
						defer func() { <-unwritten }()
						v.isMeasured(ctx, row, out, pairs)
						v.keep(out, pairs, stop)
					})
				}
			}
		})
	}
	work.Wait()
	writing.Wait()
	for range todo { // the reader ends before its error is read
	}
	if readErr != nil && len(v.rows) == 0 {
		return nil, readFault(v.plan.Evaluation, readErr)
	}
	res := v.results(time.Since(start))
	switch {
	case readErr != nil:
		res.GivenUp = "the data cannot be read further: " + readErr.Error()
	case v.over != "":
		res.GivenUp = v.over
	case ctx.Err() != nil:
		res.GivenUp = "it was interrupted"
	}
	if res.N == 0 && res.GivenUp == "" {
		e := v.plan.Evaluation
		return res, diag.New("E0618", e.Data.Place, "`"+e.Data.Address()+"` has no rows").Say("There is nothing to measure `%s` on.", e.Program.Name)
	}
	return res, nil
}

func readFault(e *program.Evaluation, err error) error {
	var d *diag.Diagnostic
	if errors.As(err, &d) {
		return d
	}
	return diag.New("E0619", e.Data.Place, "`"+e.Data.Address()+"` cannot be read").Say("%v.", err)
}

// keep takes a measured row. stop ends the evaluation when too many have failed.
func (v *evaluation) keep(row *evaluate.Row, pairs map[string]evaluate.Pair, stop func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.rows = append(v.rows, row)
	for name, p := range pairs {
		if v.pairs[name] == nil {
			v.pairs[name] = map[int]evaluate.Pair{}
		}
		v.pairs[name][row.N] = p
	}
	if row.Error != nil || len(row.Errors) > 0 {
		if v.failed++; v.failed > v.most && v.over == "" {
			v.over = fmt.Sprintf("%d rows failed, more than `max_errors` = %d", v.failed, v.most)
			stop()
		}
	}
	if v.opt.Row != nil {
		v.opt.Row(row)
	}
}

// spent reports whether a row failed because the budget allows no further call. What was
// not paid for is not measured: the row has no score, and no further row begins. Rows
// that are under way come to their end.
func (v *evaluation) spent(err error) bool {
	if err == nil || !isBudget(err) && !optimize.IsSpent(err) {
		return false
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.over == "" {
		v.over = "the budget allows no further call"
		if said := saidOf(firstReport(err)); said != "" {
			v.over += ": " + said
		}
	}
	v.full()
	return true
}

// saidOf returns what a model, or what keeps its budget, said in a report of a call that
// failed; "" where it said nothing.
func saidOf(r diag.Report) string {
	for line := range strings.Lines(r.Detail) {
		if said, ok := strings.CutPrefix(strings.TrimSpace(line), "said "); ok {
			return strings.TrimSpace(said)
		}
	}
	return ""
}

// measure runs the program on a row and computes its scores; nil when ctx ended, or the
// budget does not allow it.
func (v *evaluation) measure(ctx context.Context, in datasets.Row) (*evaluate.Row, map[string]evaluate.Pair) {
	row := &evaluate.Row{N: in.N, Scores: map[string]float64{}}
	row.Usage.USD = new(float64)
	refuse := func(err error) (*evaluate.Row, map[string]evaluate.Pair) {
		report := firstReport(err)
		row.Error = &report
		for _, m := range v.plan.Measures {
			if !m.usage && !m.whole {
				row.Scores[m.Name] = v.fail
			}
		}
		return row, nil
	}
	if in.Err != nil {
		return refuse(in.Err)
	}
	prog := v.plan.Plan.Checked
	if was, pairs := v.before(ctx, in); was != nil {
		return was, pairs
	}
	example, inputs, err := typedRow(prog, in.Values, v.table.Cells || in.Cells)
	row.Example = example
	if err != nil {
		return refuse(err)
	}
	if ctx.Err() != nil {
		return nil, nil
	}
	leg := v.leg(in.N)
	res, err := v.runRow(ctx, leg, inputs)
	if err != nil && (ctx.Err() != nil || v.spent(err)) {
		return nil, nil
	}
	row.Run = res.Run
	if res.Run != "" {
		row.Usage, row.Seconds = res.Usage, res.Duration.Seconds()
	}
	x := &judged{example: example, prediction: res.Outputs, used: row.Usage, seconds: row.Seconds, usage: usageObject(row.Usage, row.Seconds), leg: leg}
	pairs := pairsOf(prog, example, res.Outputs)
	if err != nil {
		refuse(err)
		if res.Run != "" {
			v.score(ctx, row, x, func(m *Measure) bool { return m.usage })
		}
		v.scrub(row)
		return row, pairs
	}
	row.Outputs = res.Outputs
	if !v.score(ctx, row, x, func(m *Measure) bool { return true }) {
		return nil, nil
	}
	v.scrub(row)
	return row, pairs
}

// score computes the scores of a row that are wanted; false when ctx ended, or the
// budget does not allow it.
func (v *evaluation) score(ctx context.Context, row *evaluate.Row, x *judged, wanted func(*Measure) bool) bool {
	for _, m := range v.plan.Measures {
		if m.whole || !wanted(m) {
			continue
		}
		x.feedback = ""
		score, err := m.score(ctx, v.Runtime, x)
		switch {
		case err != nil && (ctx.Err() != nil || v.spent(err)):
			return false
		case err == nil && !evaluate.Known(score) && !m.usage:
			err = diag.New("E0614", m.Use.Place, "this gives no number").Say("`%s` gives %v on row %d. The row has no score of it.", m.Name, score, row.N)
		}
		if err != nil {
			if row.Errors == nil {
				row.Errors = map[string]diag.Report{}
			}
			row.Errors[m.Name] = m.report(err)
			continue
		}
		if evaluate.Known(score) {
			row.Scores[m.Name] = score
		}
		if x.feedback != "" {
			if row.Feedback == nil {
				row.Feedback = map[string]string{}
			}
			row.Feedback[m.Name] = x.feedback
		}
	}
	row.Judging = x.judging
	return true
}

// report returns the first error of err as one of the metric, where it is of no place.
func (m *Measure) report(err error) diag.Report {
	if r := firstReport(err); r.Code != "" {
		return r
	}
	return diag.New("E0614", m.Use.Place, err.Error()).Report()
}

// firstReport returns the first error of err.
func firstReport(err error) diag.Report {
	var l diag.List
	if errors.As(err, &l) && len(l) > 0 {
		return l.Reports()[0]
	}
	var d *diag.Diagnostic
	if errors.As(err, &d) {
		return d.Report()
	}
	return diag.Report{Level: diag.Error, Title: err.Error()}
}
