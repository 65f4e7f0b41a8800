package optimizers

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/dspi-lang/dspi/interpreter/optimize"
)

// ensemble puts the best candidates of the stages before it together: all of them are
// asked, and the outputs that most give are taken, by the last output. It is DSPy's
// Ensemble with the reduction dspy.majority (the vote is that of Wang and others,
// "Self-Consistency Improves Chain of Thought Reasoning in Language Models", 2022,
// arXiv:2203.11171).
//
// DSPy's is given programs by hand and draws `size` of them anew for each call; here
// they are the `size` best that were measured, always the same. DSPy returns the
// ensemble as it is; here it is measured, and returned where it is better than the best
// of its members, since it costs as much as all of them together.
type ensemble struct{}

func (ensemble) Optimize(ctx context.Context, s *optimize.Study) ([]*optimize.Candidate, error) {
	members := bestTrials(s, s.Settings.Int("size"))
	if len(members) < 2 {
		return []*optimize.Candidate{s.Start}, nil
	}
	best := members[0]
	all := make([]*optimize.Candidate, len(members))
	for i, m := range members {
		all[i] = m.Candidate
	}
	together := best.Candidate.WithMembers(all)
	rows := devRows(s)
	if best.Set == "train" {
		rows = s.Train
	}
	s.Doing(fmt.Sprintf("measuring %d candidates together", len(all)))
	score, err := s.Evaluate(ctx, together, rows)
	if err != nil {
		return []*optimize.Candidate{best.Candidate}, err
	}
	s.Tried(score, true, fmt.Sprintf("an ensemble of %d", len(all)), nil)
	if score.Value() > s.Objectives[0].Value(best.Means[0]) {
		return []*optimize.Candidate{together}, nil
	}
	return []*optimize.Candidate{best.Candidate}, nil
}

// bestTrials returns the n best full trials, the best first and of equal ones the
// earlier: of different candidates, measured on the same rows, whose variables have the
// values that those of the best have.
func bestTrials(s *optimize.Study, n int) []*optimize.Trial {
	best := s.Best()
	if best == nil {
		return nil
	}
	all := slices.DeleteFunc(s.Trials(), func(t *optimize.Trial) bool {
		return !t.Full || t.Set != best.Set || len(t.Candidate.Members) > 0 ||
			!maps.EqualFunc(t.Candidate.Variables, best.Candidate.Variables, func(a, b any) bool { return fmt.Sprint(a) == fmt.Sprint(b) })
	})
	slices.SortStableFunc(all, func(a, b *optimize.Trial) int {
		return cmp.Compare(s.Objectives[0].Value(b.Means[0]), s.Objectives[0].Value(a.Means[0]))
	})
	seen := map[string]bool{}
	var out []*optimize.Trial
	for _, t := range all {
		if key := t.Candidate.Key(); len(out) < n && !seen[key] {
			seen[key] = true
			out = append(out, t)
		}
	}
	return out
}
