package optimizers

import (
	"context"

	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/lang/value"
)

// knnFewShot gives each predictor a demo of every training row, of which each call is
// shown the k nearest to its inputs: DSPy's KNNFewShot, after Liu and others, "What
// Makes Good In-Context Examples for GPT-3?", 2021, arXiv:2101.06804. A demo is made by
// the program where the metric likes what it gives, and is the labelled row elsewhere.
//
// DSPy bootstraps the k nearest rows anew in each call of the tuned program. Here that
// is done once, while tuning: as a teacher the program is shown the labels of the k
// rows that are nearest to the one it runs on, and never that row. The nearest are found
// by their words, for which no embedder is needed, and for each predictor by its own
// inputs. A file of such a tuning has all demos; DSPy, which does not know what is
// nearest, shows all of them.
type knnFewShot struct{}

func (knnFewShot) Optimize(ctx context.Context, s *optimize.Study) ([]*optimize.Candidate, error) {
	k := s.Settings.Int("k")
	s.Doing("running the program on every training row")
	o := bootstrap{Rows: s.Train, Rounds: s.Settings.Int("max_rounds"), Threshold: thresholdOf(s)}
	all := make([][]optimize.Demo, len(s.Predictors)) // labelled, an element for each row
	for i, p := range s.Predictors {
		all[i] = labeled(p, s.Train)
	}
	made := make([][]optimize.Demo, len(s.Train))
	err := s.Each(ctx, len(s.Train), func(ctx context.Context, n int) error {
		near := s.Start
		for i, p := range s.Predictors {
			if p.TuneDemos {
				near = near.WithDemos(i, nearestOthers(p, all[i], n, k))
			}
		}
		o := o
		o.Teacher = near
		outcome, err := newTeacher(s, o).try(ctx, s.Train[n])
		if outcome != nil {
			made[n] = demosOf(s, outcome)
		}
		return err
	})
	c := s.Start
	for i, p := range s.Predictors {
		if !p.TuneDemos {
			continue
		}
		var demos []optimize.Demo
		for n := range s.Train {
			switch {
			case made[n] != nil && made[n][i].Object != nil:
				demos = append(demos, made[n][i])
			case shows(p, all[i][n]):
				demos = append(demos, all[i][n])
			}
		}
		c = c.WithNearest(i, demos, k)
	}
	return []*optimize.Candidate{c}, err
}

// nearestOthers returns the k labelled demos that are nearest to that of row n, and are
// not equal to it.
func nearestOthers(p *optimize.Predictor, all []optimize.Demo, n, k int) []optimize.Demo {
	own := string(value.EncodeJSON(all[n].Object))
	var others []prompt.Demo
	for i, d := range all {
		if i != n && shows(p, d) && string(value.EncodeJSON(d.Object)) != own {
			others = append(others, d.Object)
		}
	}
	var out []optimize.Demo
	for _, d := range prompt.Nearest(p.Signature, others, all[n].Object, k) {
		out = append(out, optimize.Demo{Object: d})
	}
	return out
}

// shows reports whether a demo has an input and an output of a predictor: one that has
// not is not shown to a model.
func shows(p *optimize.Predictor, d optimize.Demo) bool {
	in, out := false, false
	for name := range d.All() {
		_, isIn := p.Signature.Input(name)
		_, isOut := p.Signature.Output(name)
		in, out = in || isIn, out || isOut
	}
	return in && out
}
