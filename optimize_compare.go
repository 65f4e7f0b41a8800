package dspi

import (
	"context"
	"slices"

	"github.com/dspi-lang/dspi/interpreter/evaluate"
	"github.com/dspi-lang/dspi/interpreter/optimize"
)

// compare measures what was found on the test rows.
func (t *tuning) compare(ctx context.Context, start *optimize.Score) error {
	if len(t.test) == 0 {
		return nil
	}
	t.out.Before = t.results(start.Outcomes)
	if !t.out.Changed || ctx.Err() != nil {
		return nil
	}
	t.study.Doing("measuring what was found on " + count(len(t.test), "test row"))
	within, done := t.budget(ctx, BudgetLimits{})
	defer done()
	outcomes := make([]*optimize.Outcome, len(t.test))
	err := t.study.Each(within, len(t.test), func(ctx context.Context, i int) error {
		o, err := t.study.Run(ctx, t.out.Best, t.test[i], optimize.Variation{})
		outcomes[i] = o
		return err
	})
	if err != nil {
		t.giveUp(ctx, err)
		if len(slices.DeleteFunc(slices.Clone(outcomes), func(o *optimize.Outcome) bool { return o == nil })) == 0 {
			return nil
		}
	}
	t.out.After = t.results(outcomes)
	t.out.Comparison = evaluate.Compare(t.out.Before, t.out.After)
	return nil
}

// results are outcomes on the test rows, as an evaluation has them. A row that failed
// has the score 0 of what is made high.
func (t *tuning) results(outcomes []*optimize.Outcome) *evaluate.Results {
	r := &evaluate.Results{
		Version: evaluate.Version, Evaluation: t.out.Optimization, Program: t.out.Program, Data: t.out.Test.Data, Failures: []evaluate.Failure{},
		Metrics: []*evaluate.Summary{}, Models: modelsOf(t.plan.Start),
	}
	var seconds, costs []float64
	for i, o := range outcomes {
		if o == nil {
			continue
		}
		row := &evaluate.Row{N: i + 1, Example: t.test[i].Values, Outputs: o.Outputs, Scores: map[string]float64{}, Seconds: o.Seconds}
		row.Usage.Calls, row.Usage.USD = o.Calls, &o.USD
		for k, objective := range t.study.Objectives {
			switch {
			case k < len(o.Scores) && evaluate.Known(o.Scores[k]):
				row.Scores[objective.Name] = o.Scores[k]
			case !objective.Lower:
				row.Scores[objective.Name] = 0
			}
		}
		if o.Failed() {
			r.Failed++
		}
		r.Rows = append(r.Rows, row)
		seconds, costs = append(seconds, o.Seconds), append(costs, o.USD)
	}
	r.N = len(r.Rows)
	r.Latency, r.Cost = evaluate.NewSpread(seconds), evaluate.NewSpread(costs)
	for i, m := range t.plan.scoring.Measures {
		scores := r.Scores(m.Name)
		s := evaluate.Summarize(m.Name, m.unit, scores, r.N-len(scores))
		s.Lower, s.Unit = t.study.Objectives[i].Lower, m.unit
		r.Metrics = append(r.Metrics, s)
	}
	return r
}
