package dspi

import (
	"context"
	"fmt"

	"github.com/dspi-lang/dspi/interpreter/evaluate"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/stdlib"
	"github.com/dspi-lang/dspi/stdlib/metrics"
)

// builtin makes a built-in metric ready, or one of the extension.
func (m *Measure) builtin(project *program.Project, p *plan.Plan, opt plan.Options, x *Extension) error {
	name := m.Use.Builtin
	if about, ok := stdlib.Universe().Metric(name); ok {
		m.lower, m.unit = about.Lower, about.Unit
	}
	ofRun := func(f func(x *judged) float64) error {
		m.usage = true
		m.score = func(_ context.Context, _ *Runtime, x *judged) (float64, error) { return f(x), nil }
		return nil
	}
	switch name {
	case "cost":
		return ofRun(func(x *judged) float64 {
			if x.used.USD == nil {
				return nan
			}
			return *x.used.USD
		})
	case "latency":
		return ofRun(func(x *judged) float64 { return x.seconds })
	case "tokens":
		return ofRun(func(x *judged) float64 { return float64(x.used.InputTokens + x.used.OutputTokens) })
	case "calls":
		return ofRun(func(x *judged) float64 { return float64(x.used.Calls) })
	case "macro_f1":
		m.whole = true
		return nil
	}
	if compare, ok := metrics.Compare(name); ok {
		return m.compares(compare)
	}
	if x != nil {
		for _, own := range x.Metrics {
			if own.Name == name {
				return m.compares(own.Score)
			}
		}
	}
	return diag.New("E0510", m.Use.Place, fmt.Sprintf("`metric.%s` cannot be computed yet", name))
}

// compares scores outputs with the labels of the same names: the mean where there
// are several.
func (m *Measure) compares(f func(answer, expected any) (float64, error)) error {
	labels := m.Use.Labels
	m.score = func(_ context.Context, _ *Runtime, x *judged) (float64, error) {
		var scores []float64
		for _, name := range labels {
			label, ok := x.example.Get(name)
			if !ok || label == nil {
				continue
			}
			answer, _ := x.prediction.Get(name)
			score, err := f(answer, label)
			if err != nil {
				return 0, err
			}
			scores = append(scores, score)
		}
		if len(scores) == 0 {
			return 0, diag.New("E0618", m.Use.Place, "the row has no label").Say("`metric.%s` compares outputs with columns of the same name, and the row has none.", m.Use.Builtin)
		}
		return evaluate.Mean(scores), nil
	}
	return nil
}
