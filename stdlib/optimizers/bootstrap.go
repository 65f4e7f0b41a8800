package optimizers

import (
	"context"
	"math"

	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib/optimizers/pyrandom"
)

// bootstrap says how demos are made by running a program.
type bootstrap struct {
	Rows []*optimize.Example // tried in this order
	// Bootstrapped is how many rows may give demos, and the most demos of a predictor
	// that a run made. Labeled is the most demos in all: rows that gave none fill up
	// what is left.
	Bootstrapped, Labeled int
	Rounds                int // how often a row is tried; at least 1
	// Threshold is the score from which on a run is good enough; nil or 0: any score
	// that is not 0.
	Threshold *float64
	// Teacher is the candidate that runs; nil: that of the study, which gets labelled
	// rows as demos unless it has some that a program made.
	Teacher *optimize.Candidate
}

// bootstrapOf reads the settings that the optimizers which bootstrap have in common.
func bootstrapOf(s *optimize.Study) bootstrap {
	return bootstrap{
		Rows:         s.Train,
		Bootstrapped: s.Settings.Int("max_bootstrapped_demos"),
		Labeled:      s.Settings.Int("max_labeled_demos"),
		Rounds:       s.Settings.Int("max_rounds"),
		Threshold:    thresholdOf(s),
	}
}

// thresholdOf returns the score from which on a run is good enough; nil where none is
// written.
func thresholdOf(s *optimize.Study) *float64 {
	if _, ok := s.Settings.Given("metric_threshold"); !ok {
		return nil
	}
	t := s.Settings.Float("metric_threshold")
	return &t
}

// bootstrapDemos makes demos for the predictors of a study: those of runs that the
// metric likes, then labelled rows. The result has an element for each predictor; nil
// for one whose demos may not be tuned. An error is ErrSpent, or that of ctx: the
// demos are then those of the runs until then.
//
// The rows are tried in their order, as DSPy's BootstrapFewShot does. Runs are made at
// once only as far as each of them is needed whatever the others give: while n demos
// are missing, the next n rows must be tried, since a row gives one at most.
func bootstrapDemos(ctx context.Context, s *optimize.Study, o bootstrap) ([][]optimize.Demo, error) {
	made, good, err := bootstrapRows(ctx, s, o)
	return bootstrapFill(s, o, made, good), err
}

// withBootstrapped returns the start of a study with bootstrapped demos.
func withBootstrapped(ctx context.Context, s *optimize.Study, o bootstrap) (*optimize.Candidate, error) {
	demos, err := bootstrapDemos(ctx, s, o)
	return withDemos(s, s.Start, demos), err
}

// withDemos gives the predictors whose demos may be tuned demos.
func withDemos(s *optimize.Study, c *optimize.Candidate, demos [][]optimize.Demo) *optimize.Candidate {
	for i, p := range s.Predictors {
		if p.TuneDemos {
			c = c.WithDemos(i, demos[i])
		}
	}
	return c
}

// bootstrapRows runs the teacher on rows until enough of them were good. Made are the
// demos of each predictor, good tells which rows were.
func bootstrapRows(ctx context.Context, s *optimize.Study, o bootstrap) (made [][]optimize.Demo, good []bool, err error) {
	made, good = make([][]optimize.Demo, len(s.Predictors)), make([]bool, len(o.Rows))
	teacher := newTeacher(s, o)
	for from, found := 0, 0; from < len(o.Rows) && found < o.Bootstrapped; {
		to := min(from+o.Bootstrapped-found, len(o.Rows))
		outcomes := make([]*optimize.Outcome, to-from)
		err = s.Each(ctx, to-from, func(ctx context.Context, i int) error {
			var err error
			outcomes[i], err = teacher.try(ctx, o.Rows[from+i])
			return err
		})
		for i, outcome := range outcomes {
			if outcome == nil {
				continue // not good, or never run
			}
			good[from+i] = true
			found++
			for p, demo := range demosOf(s, outcome) {
				if demo.Object != nil {
					made[p] = append(made[p], demo)
				}
			}
		}
		if err != nil {
			return made, good, err
		}
		from = to
	}
	return made, good, nil
}

// bootstrapFill puts the demos that runs made and labelled rows together. The rows of
// a predictor are drawn from those of the one before it, as DSPy draws them.
func bootstrapFill(s *optimize.Study, o bootstrap, made [][]optimize.Demo, good []bool) [][]optimize.Demo {
	var rest []*optimize.Example
	for i, row := range o.Rows {
		if !good[i] {
			rest = append(rest, row)
		}
	}
	pyrandom.Shuffle(chance(s, 0), rest)
	random := chance(s, 0)
	out := make([][]optimize.Demo, len(s.Predictors))
	for i, p := range s.Predictors {
		if !p.TuneDemos {
			continue
		}
		n := min(len(made[i]), o.Bootstrapped)
		rest = pyrandom.Sample(random, rest, max(0, min(o.Labeled-n, len(rest))))
		out[i] = append(append([]optimize.Demo{}, made[i][:n]...), labeled(p, rest)...)
	}
	return out
}

// teacher runs a program on rows to make demos.
type teacher struct {
	s       *optimize.Study
	o       bootstrap
	program *optimize.Candidate
	shown   [][]*optimize.Example // labelled rows that predictors show; nil: demos of another kind
}

func newTeacher(s *optimize.Study, o bootstrap) *teacher {
	t := &teacher{s: s, o: o, program: o.Teacher}
	if t.program == nil {
		t.program = s.Start
	}
	if o.Labeled > 0 && !augmented(t.program) {
		t.shown = labeledRows(s, o.Rows, o.Labeled, true)
	}
	return t
}

// augmented reports whether a candidate has demos that a program made.
func augmented(c *optimize.Candidate) bool {
	for _, step := range c.Steps {
		for _, d := range step.Demos {
			if d.Augmented {
				return true
			}
		}
	}
	return false
}

// without returns the teacher's program for a row: it is shown no demo that is the
// row.
func (t *teacher) without(row *optimize.Example) *optimize.Candidate {
	c := t.program
	for i, p := range t.s.Predictors {
		var others []optimize.Demo
		if t.shown != nil && p.TuneDemos {
			key := string(value.EncodeJSON(row.Values))
			for _, x := range t.shown[i] {
				if x != row && string(value.EncodeJSON(x.Values)) != key {
					others = append(others, labeled(p, []*optimize.Example{x})...)
				}
			}
		} else {
			key := string(value.EncodeJSON(labeled(p, []*optimize.Example{row})[0].Object))
			for _, d := range t.program.Steps[i].Demos {
				if d.Augmented || string(value.EncodeJSON(d.Object)) != key {
					others = append(others, d)
				}
			}
		}
		c = c.WithDemos(i, others)
	}
	return c
}

// try runs the teacher on a row until the metric likes what it gives, or no round is
// left: nil. Every round but the first answers anew, at temperature 1.
func (t *teacher) try(ctx context.Context, row *optimize.Example) (*optimize.Outcome, error) {
	c := t.without(row)
	for round := range max(t.o.Rounds, 1) {
		v := optimize.Variation{Rollout: round, Teacher: true}
		if round > 0 {
			hot := 1.0
			v.Temperature = &hot
		}
		outcome, err := t.s.Run(ctx, c, row, v)
		if err != nil {
			return nil, err
		}
		if t.likes(outcome) {
			return outcome, nil
		}
	}
	return nil, nil
}

// likes reports whether a run is good enough to be a demo. Of an objective of which
// less is better, without a threshold, it is when its score is known.
func (t *teacher) likes(o *optimize.Outcome) bool {
	if o == nil || o.Failed() || len(o.Scores) == 0 || math.IsNaN(o.Scores[0]) {
		return false
	}
	objective := t.s.Objectives[0]
	switch threshold := t.o.Threshold; {
	case threshold != nil && *threshold != 0:
		return objective.Value(o.Score()) >= objective.Value(*threshold)
	case objective.Lower:
		return true
	}
	return o.Score() != 0
}

// demosOf makes a demo for each predictor that a run has asked. Of several questions
// of one predictor one is taken: the last, or as likely one of those before it.
func demosOf(s *optimize.Study, outcome *optimize.Outcome) []optimize.Demo {
	all := make([][]optimize.Asked, len(s.Predictors))
	for _, a := range outcome.Asked {
		if a.Predictor >= 0 && a.Predictor < len(all) {
			all[a.Predictor] = append(all[a.Predictor], a)
		}
	}
	out := make([]optimize.Demo, len(all))
	for i, asked := range all {
		if len(asked) == 0 {
			continue
		}
		chosen := asked[len(asked)-1]
		if before := asked[:len(asked)-1]; len(before) > 0 {
			random := pyrandom.NewText(digestOf(asked))
			if random.Float64() < 0.5 {
				chosen = pyrandom.Choice(random, before)
			}
		}
		d := chosen.Inputs.Clone()
		for name, v := range chosen.Outputs.All() {
			d.Set(name, v)
		}
		out[i] = optimize.Demo{Object: d, Augmented: true}
	}
	return out
}
