package dspi

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/dspi-lang/dspi/interpreter"
	"github.com/dspi-lang/dspi/interpreter/evaluate"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/value"
)

// usageObject is `usage` in a metric.
func usageObject(u interpreter.Usage, seconds float64) *value.Object {
	var usd any
	if u.USD != nil {
		usd = *u.USD
	}
	return value.NewObject("calls", u.Calls, "input_tokens", u.InputTokens, "output_tokens", u.OutputTokens, "usd", usd, "seconds", seconds)
}

// results sums up what was measured.
func (v *evaluation) results(took time.Duration) *evaluate.Results {
	e := v.plan.Evaluation
	slices.SortFunc(v.rows, func(a, b *evaluate.Row) int { return cmp.Compare(a.N, b.N) })
	r := &evaluate.Results{
		Version: evaluate.Version, Evaluation: e.Name, Program: e.Program.Name, Data: e.Data.Name, File: v.table.Name,
		Rows: v.rows, N: len(v.rows), Seconds: took.Seconds(), Failures: []evaluate.Failure{}, Metrics: []*evaluate.Summary{},
		Usage: interpreter.Usage{USD: new(float64)}, Judging: interpreter.Usage{USD: new(float64)},
		Models: modelsOf(v.plan.Plan), Variables: map[string]json.RawMessage{},
	}
	if r.Rows == nil {
		r.Rows = []*evaluate.Row{}
	}
	for name, x := range v.plan.Plan.Checked.Names {
		if val, ok := v.plan.Plan.Values[x.Name]; ok && !x.Sensitive {
			r.Variables[name] = value.EncodeJSON(val)
		}
	}
	why := map[diag.Code]*evaluate.Failure{}
	count := func(d diag.Report) {
		if why[d.Code] == nil {
			why[d.Code] = &evaluate.Failure{Code: d.Code, Title: d.Title}
		}
		why[d.Code].Rows++
	}
	var seconds, costs []float64
	for _, row := range v.rows {
		r.Usage = r.Usage.Add(row.Usage)
		if row.Judging != nil {
			r.Judging = r.Judging.Add(*row.Judging)
		}
		switch {
		case row.Error != nil:
			r.Failed++
			count(*row.Error)
		case len(row.Errors) > 0:
			for _, d := range row.Errors {
				count(d)
			}
		}
		if row.Run != "" {
			seconds = append(seconds, row.Seconds)
			if row.Usage.USD != nil {
				costs = append(costs, *row.Usage.USD)
			}
		}
	}
	r.Failures = append(r.Failures, sortedFailures(why)...)
	r.Latency, r.Cost = evaluate.NewSpread(seconds), evaluate.NewSpread(costs)
	for _, name := range slices.Sorted(maps.Keys(v.pairs)) {
		var pairs []evaluate.Pair // in the order of the rows, whichever ended first
		for _, n := range slices.Sorted(maps.Keys(v.pairs[name])) {
			pairs = append(pairs, v.pairs[name][n])
		}
		if c := evaluate.NewConfusion(name, pairs); c != nil {
			r.Confusion = append(r.Confusion, c)
		}
	}
	for _, m := range v.plan.Measures {
		scores := r.Scores(m.Name)
		s := evaluate.Summarize(m.Name, m.unit, scores, r.N-len(scores))
		if m.whole {
			s = v.wholeSummary(m, r)
		}
		s.Lower, s.Unit = m.lower, m.unit
		r.Metrics = append(r.Metrics, s)
	}
	return r
}

// wholeSummary is the summary of a metric of all rows together, macro F1: the mean of
// the outputs that are one of a few classes and have a label.
func (v *evaluation) wholeSummary(m *Measure, r *evaluate.Results) *evaluate.Summary {
	s := &evaluate.Summary{Name: m.Name, Whole: true}
	var outputs []map[int]evaluate.Pair
	for _, c := range r.Confusion {
		if !slices.Contains(m.Use.Labels, c.Output) {
			continue
		}
		outputs = append(outputs, v.pairs[c.Output])
		i := c.Macro
		s.N, s.Mean, s.Interval = c.N, c.MacroF1, &i
	}
	if len(outputs) > 1 {
		s.N, s.Mean, s.Interval = evaluate.MacroF1(outputs)
	}
	s.Missing = r.N - s.N
	return s
}

func sortedFailures(why map[diag.Code]*evaluate.Failure) []evaluate.Failure {
	var out []evaluate.Failure
	for _, f := range why {
		out = append(out, *f)
	}
	slices.SortFunc(out, func(a, b evaluate.Failure) int {
		return cmp.Or(cmp.Compare(b.Rows, a.Rows), cmp.Compare(a.Code, b.Code))
	})
	return out
}

// modelsOf returns the addresses of the models that a plan asks.
func modelsOf(p *plan.Plan) []string {
	var out []string
	var see func([]*plan.Op)
	see = func(ops []*plan.Op) {
		for _, op := range ops {
			if op.Model != nil && !slices.Contains(out, op.Model.Address) {
				out = append(out, op.Model.Address)
			}
			see(op.Parts)
			if op.Plan != nil {
				see(op.Plan.Ops)
			}
		}
	}
	see(p.Ops)
	return out
}

// gate judges the condition of an evaluation over the means.
func (v *evaluation) gate(ctx context.Context, r *evaluate.Results) error {
	e := v.plan.Evaluation
	if e.Require.IsZero() {
		return nil
	}
	means := &value.Object{}
	for _, s := range r.Metrics {
		means.Set(s.Name, s.Mean)
	}
	vars := plan.Variables(e.Names, v.plan.Plan.Values)
	code, err := e.Require.Expr.Compile()
	if err == nil {
		var holds any
		holds, err = code.Eval(context.WithoutCancel(ctx), func(root string) (any, bool) {
			switch root {
			case "metric":
				return means, true
			case "var":
				return vars, true
			}
			return nil, false
		}, v.options.Extension.functions()...)
		r.Require = &evaluate.Gate{Condition: e.Require.Text(), Holds: holds == true}
	}
	if err != nil {
		return diag.New("E0614", e.Require.Place, err.Error())
	}
	return nil
}
