package optimizers

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/stdlib/optimizers/pyrandom"
)

// miproV2 proposes demos and instructions for each predictor and then searches for the
// combination that is best on the dev rows: DSPy's MIPROv2 (Opsahl-Ong, Ryan, Purtell,
// Broman, Potts, Zaharia and Khattab 2024, "Optimizing Instructions and Demonstrations
// for Multi-Stage Language Model Programs", arXiv 2406.11695).
//
//	1  sets of demos are bootstrapped (miproDemos)
//	2  a model proposes instructions, grounded in the data, the program, demos and a
//	   tip (mipro_v2_propose.go; the prompts are in mipro_v2_prompts.go)
//	3  combinations are searched with TPE, most of them measured on a part of the
//	   rows, and every few trials the best one on all (mipro_v2_search.go)
//
// The numbers of sets, instructions, trials and measurements are DSPy's. So are the
// rows, the demos, the tips and, to the byte, the messages to the model that writes
// instructions, with the seed 0 (testdata/mipro_v2.py). What differs:
//
//   - The program is shown as dspi writes it, and not as Python (mipro_v2_program.go).
//   - The first set of a predictor is what it has at the start: its demos, where an
//     earlier optimizer has found some, and else none. In DSPy it is always none, and
//     the search is told that the program's score was had so.
//   - DSPy lets the model write as many instructions as are to be tried, and puts the
//     program's own in place of the first. Here that one is not asked for.
//   - An instruction that cannot be had, because a reply cannot be read or a call
//     fails, is left out; DSPy's compile ends there.
//   - The search asks for each combination once. When all have been tried, and rows
//     are measured in parts, the best that was not measured on all rows is measured on
//     another part. DSPy's search repeats itself as it happens, and fails when all
//     that was tried has been measured on all rows.
//   - `minibatch = false` holds with `auto`, too, and parts larger than the dev rows
//     are all of them; DSPy overrides the one and refuses the other.
//   - `candidates` and `trials` without `auto` switch it off.
//   - With max_bootstrapped_demos 0 and labelled demos DSPy fails.
//   - What may not be tuned is not proposed for, and does not count in the number of
//     trials.
type miproV2 struct{}

// miproLeast is the number of rows up to which all are measured in each trial.
const miproLeast = 50

// miproContext is how many demos are shown to the model that writes instructions, and
// bootstrapped for that alone where the program gets none.
const miproContext = 3

// miproSeed is the seed that MIPROv2 has in DSPy.
const miproSeed = 9

// miproPlan is how much is tried, and on what.
type miproPlan struct {
	trials, instructions, sets int
	train, dev                 []*optimize.Example
	full                       bool // dev are all rows of the study's
	minibatch                  bool
	part, every                int  // rows of a part, and trials between full measurements
	zero                       bool // the program gets no demos
	bootstrap                  bootstrap
}

func (miproV2) Optimize(ctx context.Context, s *optimize.Study) ([]*optimize.Candidate, error) {
	random := chance(s, miproSeed)
	plan, err := newMiproPlan(s, random)
	if err != nil {
		return nil, err
	}
	start := []*optimize.Candidate{s.Start}
	demos, err := miproDemos(ctx, s, plan, random)
	if err != nil {
		return start, err
	}
	instructions, err := newProposer(s, plan, demos, random).propose(ctx)
	if err != nil {
		return start, err
	}
	search, err := newMiproSearch(s, plan, instructions, demos, random)
	if err != nil {
		return start, err
	}
	err = search.run(ctx)
	return []*optimize.Candidate{search.found()}, err
}

// newMiproPlan reads the settings, by DSPy's rules.
func newMiproPlan(s *optimize.Study, random *pyrandom.Random) (*miproPlan, error) {
	p := &miproPlan{
		minibatch: s.Settings.Bool("minibatch"), part: s.Settings.Int("minibatch_size"), every: s.Settings.Int("minibatch_full_eval_steps"),
		bootstrap: bootstrap{
			Bootstrapped: s.Settings.Int("max_bootstrapped_demos"), Labeled: s.Settings.Int("max_labeled_demos"), Rounds: 1,
		},
	}
	if _, ok := s.Settings.Given("metric_threshold"); ok {
		least := s.Settings.Float("metric_threshold")
		p.bootstrap.Threshold = &least
	}
	p.zero = p.bootstrap.Bootstrapped == 0 && p.bootstrap.Labeled == 0
	if p.zero {
		p.bootstrap.Bootstrapped = miproContext
	}
	if err := p.split(s); err != nil {
		return nil, err
	}
	p.bootstrap.Rows = p.train
	if err := p.amount(s, random); err != nil {
		return nil, err
	}
	p.full = len(p.dev) == len(s.Dev)
	p.minibatch = p.minibatch && p.part <= len(p.dev)
	return p, nil
}

// split takes four fifths of the training rows, but 1,000 at most, for comparing
// candidates where there are no dev rows.
func (p *miproPlan) split(s *optimize.Study) error {
	p.train, p.dev = s.Train, s.Dev
	if len(p.dev) > 0 {
		return nil
	}
	if len(p.train) < 2 {
		return errors.New("mipro_v2 needs two rows at least: one to learn from, and one to measure on; give `dev`, or more rows")
	}
	at := len(p.train) - min(1000, max(1, len(p.train)*4/5))
	p.train, p.dev = p.train[:at], p.train[at:]
	return nil
}

// amount sets how much is tried.
func (p *miproPlan) amount(s *optimize.Study, random *pyrandom.Random) error {
	candidates, some := s.Settings.Given("candidates")
	trials, often := s.Settings.Given("trials")
	_, written := s.Settings.Given("auto")
	auto := s.Settings.Text("auto")
	if !written && some && often {
		auto = "off"
	}
	variables := p.variables(s)
	if auto == "off" {
		if some && !often {
			return fmt.Errorf("mipro_v2 with `auto = \"off\"` also needs `trials`; for %d candidates about %d", candidates, miproTrials(variables, candidates.(int)))
		}
		if !some {
			return errors.New("mipro_v2 with `auto = \"off\"` needs `candidates` and `trials`")
		}
		p.instructions, p.sets, p.trials = candidates.(int), candidates.(int), trials.(int)
		return nil
	}
	if some || often {
		return fmt.Errorf("mipro_v2 with `auto = %q` chooses `candidates` and `trials` itself; leave them out, or say `auto = \"off\"` and both", auto)
	}
	n, rows := miproAuto(auto)
	p.dev = pyrandom.Sample(random, p.dev, min(rows, len(p.dev)))
	p.minibatch = p.minibatch && len(p.dev) > miproLeast
	p.instructions, p.sets, p.trials = n/2, n, miproTrials(variables, n)
	if p.zero {
		p.instructions = n
	}
	return nil
}

// variables is how many things the search chooses.
func (p *miproPlan) variables(s *optimize.Study) int {
	n := 0
	for _, x := range s.Predictors {
		if x.TuneInstructions {
			n++
		}
		if x.TuneDemos && !p.zero {
			n++
		}
	}
	return n
}

// miproAuto returns how many candidates and dev rows a run of a size has.
func miproAuto(size string) (candidates, rows int) {
	switch size {
	case "heavy":
		return 18, 1000
	case "medium":
		return 12, 300
	}
	return 6, 100
}

// miproTrials is DSPy's number of trials for a search of n candidates for each of so
// many variables.
func miproTrials(variables, n int) int {
	return int(max(2*float64(variables)*math.Log2(float64(n)), 1.5*float64(n)))
}

// miproDemos makes the sets of demos: for each predictor a list of them. The first is
// what it has; then come labelled rows, demos of the rows in their order, and demos of
// shuffled rows, as many as chance says.
func miproDemos(ctx context.Context, s *optimize.Study, p *miproPlan, random *pyrandom.Random) ([][][]optimize.Demo, error) {
	sets := make([][][]optimize.Demo, len(s.Predictors))
	for i := range sets {
		sets[i] = [][]optimize.Demo{s.Start.Steps[i].Demos}
	}
	for n := 1; n < p.sets; n++ {
		s.Doing(fmt.Sprintf("making demos, set %d of %d", n+1, p.sets))
		b := p.bootstrap
		if n == 1 && b.Labeled > 0 {
			for i, rows := range labeledRows(s, b.Rows, b.Labeled, true) {
				sets[i] = append(sets[i], labeled(s.Predictors[i], rows))
			}
			continue
		}
		if n != 2 {
			b.Rows = append([]*optimize.Example(nil), b.Rows...)
			pyrandom.Shuffle(random, b.Rows)
			if b.Bootstrapped > 0 {
				b.Bootstrapped = random.Int(1, b.Bootstrapped)
			}
		}
		made, good, err := bootstrapRows(ctx, s, b)
		if err != nil {
			return nil, err
		}
		for i, demos := range bootstrapFill(s, b, made, good) {
			if !s.Predictors[i].TuneDemos { // they are shown to the model that writes instructions
				demos = made[i][:min(len(made[i]), b.Bootstrapped)]
			}
			sets[i] = append(sets[i], demos)
		}
	}
	return sets, nil
}
