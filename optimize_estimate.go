package dspi

import (
	"context"
	"hash/fnv"
	"math"
	"regexp"
	"strings"
	"sync/atomic"

	"github.com/dspi-lang/dspi/interpreter/estimate"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/lang/value"
)

// Forecast is what a tuning would take. It rests on the optimizers themselves: they
// are run on the same rows against a program that is not there, whose scores are drawn,
// once where almost no run is good, once where half are, once where almost all are.
type Forecast struct {
	Optimization string   `json:"optimization"`
	Stages       []string `json:"stages"`
	Train        RowsUsed `json:"train"`
	Dev          RowsUsed `json:"dev"`
	Test         RowsUsed `json:"test"`
	// Runs of the program, Asks of models that write instructions, Calls in all.
	Runs         estimate.Range  `json:"runs"`
	Asks         estimate.Range  `json:"asks"`
	Calls        estimate.Range  `json:"calls"`
	InputTokens  estimate.Range  `json:"input_tokens"` // of the runs
	OutputTokens estimate.Range  `json:"output_tokens"`
	USD          *estimate.Range `json:"usd"` // of the runs; nil: a price is not known
	Limits       BudgetLimits    `json:"limits"`
	Notes        []string        `json:"notes,omitempty"`
}

// Forecast says what a tuning would take, and sends nothing.
func (r *Runtime) Forecast(ctx context.Context, p *OptimizePlan, opt OptimizeOptions) (*Forecast, error) {
	t := &tuning{runner: newRunner(r, p), opt: opt, limits: p.Limits, out: &Tuning{Optimization: p.Optimization.Name}}
	if opt.Limits != nil {
		t.limits = *opt.Limits
	}
	if err := t.rows(ctx); err != nil {
		return nil, err
	}
	if err := t.Check(p.start); err != nil {
		return nil, err
	}
	t.testRows()
	f := &Forecast{Optimization: t.out.Optimization, Train: t.out.Train, Dev: t.out.Dev, Test: t.out.Test, Limits: t.limits}
	f.Runs.Min, f.Asks.Min = math.Inf(1), math.Inf(1)
	for _, s := range p.stages {
		f.Stages = append(f.Stages, s.declared.Optimizer)
	}
	for _, good := range []float64{0.1, 0.5, 0.9} {
		runs, asks, err := t.rehearse(ctx, good)
		if err != nil {
			return nil, err
		}
		f.Runs = estimate.Range{Min: min(f.Runs.Min, runs), Max: max(f.Runs.Max, runs)}
		f.Asks = estimate.Range{Min: min(f.Asks.Min, asks), Max: max(f.Asks.Max, asks)}
	}
	for _, s := range p.stages {
		if s.run == nil {
			f.Notes = append(f.Notes, "how often DSPy runs the program is not known beforehand: set a budget")
			f.Runs.Max, f.Asks.Max = math.Inf(1), math.Inf(1)
		}
	}
	t.price(f)
	return f, nil
}

// rehearse runs the optimizers against a program that is not there.
func (t *tuning) rehearse(ctx context.Context, good float64) (runs, asks float64, err error) {
	e := &rehearsal{tuning: t, good: good}
	s := t.newStudy()
	s.Runner, s.Log, s.Watch = e, nil, nil
	start := t.plan.start
	for _, st := range t.plan.stages {
		if st.run == nil {
			continue
		}
		found, err := st.run.Optimize(ctx, s.Next(st.name, st.settings, start))
		if err != nil {
			return 0, 0, err
		}
		if len(found) > 0 {
			start = found[0]
		}
	}
	return float64(e.runs.Load()) + 2*float64(len(t.test)), float64(e.asks.Load()), nil
}

// price makes calls, tokens and dollars of runs, by what a run on some of the rows
// would take.
func (t *tuning) price(f *Forecast) {
	const sample = 20
	rows := t.dev[:min(len(t.dev), sample)]
	var one estimate.Total
	var usd *estimate.Range = &estimate.Range{}
	for _, row := range rows {
		e := estimate.Of(t.plan.Start, row.Inputs)
		one.Calls = sum(one.Calls, e.Total.Calls)
		one.InputTokens = sum(one.InputTokens, e.Total.InputTokens)
		one.OutputTokens = sum(one.OutputTokens, e.Total.OutputTokens)
		if e.Total.USD == nil {
			usd = nil
		} else if usd != nil {
			s := sum(*usd, *e.Total.USD)
			usd = &s
		}
	}
	n := float64(len(rows))
	times := func(r estimate.Range) estimate.Range {
		return estimate.Range{Min: r.Min / n * f.Runs.Min, Max: r.Max / n * f.Runs.Max}
	}
	f.Calls = sum(times(one.Calls), f.Asks)
	f.InputTokens, f.OutputTokens = times(one.InputTokens), times(one.OutputTokens)
	if usd != nil {
		s := times(*usd)
		f.USD = &s
	}
	f.Notes = append(f.Notes, "prompts grow with the demos that are found: tokens and dollars rest on the program as it is, on "+count(len(rows), "row"))
	if f.Asks.Max > 0 {
		f.Notes = append(f.Notes, "what models are asked that write instructions is counted as calls, not as tokens")
	}
}

func sum(a, b estimate.Range) estimate.Range {
	return estimate.Range{Min: a.Min + b.Min, Max: a.Max + b.Max}
}

// rehearsal is a Runner whose program is not there: a run is good by chance, a
// function of the candidate, the row and the variation.
type rehearsal struct {
	*tuning
	good       float64
	runs, asks atomic.Int64
}

func (e *rehearsal) Run(_ context.Context, c *optimize.Candidate, row *optimize.Example, v optimize.Variation) (*optimize.Outcome, error) {
	e.runs.Add(int64(max(1, len(c.Members))))
	h := fnv.New64a()
	h.Write([]byte(c.Key() + row.Set))
	h.Write(value.EncodeJSON(row.Inputs))
	h.Write([]byte{byte(v.Rollout), byte(v.Rollout >> 8)})
	draw := float64(h.Sum64()>>11) / (1 << 53)
	out := &optimize.Outcome{Outputs: row.Labels, Calls: 1}
	for range e.plan.scoring.Measures {
		score := 0.0
		if draw < e.good {
			score = 1
		}
		out.Scores = append(out.Scores, score)
	}
	for i, p := range e.plan.predictors {
		a := optimize.Asked{Predictor: i, Inputs: &value.Object{}, Outputs: &value.Object{}}
		for _, f := range p.Signature.Inputs {
			if v, ok := row.Values.Get(f.Name); ok {
				a.Inputs.Set(f.Name, v)
			}
		}
		for _, f := range p.Signature.Outputs {
			if v, ok := row.Values.Get(f.Name); ok {
				a.Outputs.Set(f.Name, v)
			}
		}
		out.Asked = append(out.Asked, a)
	}
	return out, nil
}

func (e *rehearsal) Model(optimize.Role) (optimize.Model, error) {
	return optimize.Model{LM: &rehearsing{asks: &e.asks}}, nil
}

// rehearsing is a model that answers every question in its form, and says nothing.
type rehearsing struct{ asks *atomic.Int64 }

func (m *rehearsing) Address() string       { return "rehearsal" }
func (m *rehearsing) Features() lm.Features { return lm.Features{} }

var asksFor = regexp.MustCompile(`\[\[ ## (\w+) ## \]\]`)

func (m *rehearsing) Generate(_ context.Context, req *lm.Request) (*lm.Response, error) {
	n := m.asks.Add(1)
	last := req.Messages[len(req.Messages)-1].Content
	if i := strings.LastIndex(last, "Respond with"); i >= 0 {
		last = last[i:]
	}
	var b strings.Builder
	for _, f := range asksFor.FindAllStringSubmatch(last, -1) {
		b.WriteString("[[ ## " + f[1] + " ## ]]\nRehearsed " + strings.Repeat("again ", int(n%7)) + "\n\n")
	}
	if b.Len() == 0 {
		b.WriteString("```\nRehearsed " + strings.Repeat("again ", int(n%7)) + "\n```")
	}
	return &lm.Response{Text: b.String(), Finish: lm.FinishStop}, nil
}
