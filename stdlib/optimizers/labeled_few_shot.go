package optimizers

import (
	"context"

	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib/optimizers/pyrandom"
)

// labeledFewShot gives each predictor labelled rows as demos: DSPy's LabeledFewShot
// (Khattab and others, "DSPy: Compiling Declarative Language Model Calls into
// Self-Improving Pipelines", 2023, arXiv:2310.03714). It runs nothing. With the seed 0
// it takes the rows that DSPy takes; of a row DSPy keeps all columns, and here a demo
// has those that the predictor's signature has, which are those that are shown.
type labeledFewShot struct{}

func (labeledFewShot) Optimize(_ context.Context, s *optimize.Study) ([]*optimize.Candidate, error) {
	return []*optimize.Candidate{withLabeled(s, s.Start, s.Train, s.Settings.Int("k"), s.Settings.Bool("sample"))}, nil
}

// withLabeled gives each predictor whose demos may be tuned k of the rows as demos:
// at random, one source for all predictors, or the first.
func withLabeled(s *optimize.Study, c *optimize.Candidate, rows []*optimize.Example, k int, sample bool) *optimize.Candidate {
	for i, taken := range labeledRows(s, rows, k, sample) {
		if s.Predictors[i].TuneDemos {
			c = c.WithDemos(i, labeled(s.Predictors[i], taken))
		}
	}
	return c
}

// labeledRows chooses k of the rows for each predictor whose demos may be tuned.
func labeledRows(s *optimize.Study, rows []*optimize.Example, k int, sample bool) [][]*optimize.Example {
	k = min(k, len(rows))
	random := chance(s, 0)
	out := make([][]*optimize.Example, len(s.Predictors))
	for i, p := range s.Predictors {
		switch {
		case !p.TuneDemos:
		case sample:
			out[i] = pyrandom.Sample(random, rows, k)
		default:
			out[i] = rows[:k]
		}
	}
	return out
}

// labeled makes demos of rows for a predictor: what they have of its fields.
func labeled(p *optimize.Predictor, rows []*optimize.Example) []optimize.Demo {
	var demos []optimize.Demo
	for _, row := range rows {
		d := &value.Object{}
		for name, v := range row.Values.All() {
			_, in := p.Signature.Input(name)
			_, out := p.Signature.Output(name)
			if (in || out) && v != nil {
				d.Set(name, v)
			}
		}
		demos = append(demos, optimize.Demo{Object: d})
	}
	return demos
}
