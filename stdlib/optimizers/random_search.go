package optimizers

import (
	"context"
	"fmt"

	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/stdlib/optimizers/pyrandom"
)

// bootstrapRandomSearch measures several sets of demos on the dev rows and keeps the
// best: DSPy's BootstrapFewShotWithRandomSearch (Khattab and others, 2023,
// arXiv:2310.03714). The candidates are DSPy's, in DSPy's order: no demos, labelled
// rows, bootstrapped demos with the rows as they are, then sets of 1 to
// max_bootstrapped_demos with the rows shuffled, one for each of `candidates`. Of equal
// ones the first wins. DSPy compares percentages that it has rounded to two digits;
// here they are not rounded.
type bootstrapRandomSearch struct{}

func (bootstrapRandomSearch) Optimize(ctx context.Context, s *optimize.Study) ([]*optimize.Candidate, error) {
	o := bootstrapOf(s)
	_, stops := s.Settings.Given("stop_at_score")
	var best *optimize.Score
	ended := func(err error) ([]*optimize.Candidate, error) {
		if best == nil {
			return nil, err
		}
		return []*optimize.Candidate{best.Candidate}, err
	}
	for seed := -3; seed < s.Settings.Int("candidates"); seed++ {
		c, note, err := demoSet(ctx, s, o, seed)
		if err != nil {
			return ended(err)
		}
		score, err := s.EvaluateAgainst(ctx, c, devRows(s), best)
		if err != nil {
			return ended(err)
		}
		s.Tried(score, true, note, nil)
		if !score.GivenUp && (best == nil || score.Value() > best.Value()) {
			best = score
		}
		if stops && !score.GivenUp && score.Value() >= s.Objectives[0].Value(s.Settings.Float("stop_at_score")) {
			break
		}
	}
	return ended(nil)
}

// demoSet makes the candidate of a seed: -3 has no demos, -2 labelled rows, -1 demos of
// the rows in their order, any other those of shuffled rows. An error is ErrSpent, or
// that of ctx.
func demoSet(ctx context.Context, s *optimize.Study, o bootstrap, seed int) (c *optimize.Candidate, note string, err error) {
	switch seed {
	case -3:
		return s.Start.WithoutDemos(s), "no demos", nil
	case -2:
		return withLabeled(s, s.Start, o.Rows, o.Labeled, true), "labelled rows", nil
	case -1:
		note = "bootstrapped, rows in order"
	default:
		note = fmt.Sprintf("bootstrapped, seed %d", seed)
		o.Rows = append([]*optimize.Example(nil), o.Rows...)
		pyrandom.Shuffle(chance(s, seed), o.Rows)
		if o.Bootstrapped > 1 {
			o.Bootstrapped = chance(s, seed).Int(1, o.Bootstrapped)
		}
	}
	s.Doing("making demos: " + note)
	c, err = withBootstrapped(ctx, s, o)
	return c, note, err
}

// devRows are the rows by which candidates are compared: the training rows where
// there are no others, as in DSPy.
func devRows(s *optimize.Study) []*optimize.Example {
	if len(s.Dev) == 0 {
		return s.Train
	}
	return s.Dev
}
