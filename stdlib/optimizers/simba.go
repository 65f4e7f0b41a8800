package optimizers

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/stdlib/optimizers/pyrandom"
)

// simba looks at mini-batches of rows. Each row of one is run several times, with
// programs that were good so far; where the runs differ most in their scores there is
// something to learn: from the good run a demo, or from the good and the bad one a rule
// that a model draws (simba_strategies.go). What has the best score on the batch is
// remembered of each step, and of those the one that is best on all training rows wins.
//
// It is SIMBA, stochastic introspective mini-batch ascent, as DSPy 3.3.1 has it; there
// is no paper of it. Its rows, its programs and its strategies are chosen as there, and
// with the same seed they are the same.
//
// Where it differs from DSPy:
//
//   - The program is shown as dspi writes it, not as Python; programs that it calls are
//     not. Advice that cannot be read is asked for once more in the same form, where
//     DSPy asks for JSON.
//   - What the metric says in words is its `feedback`; a metric has no other field to
//     show. Scores are floats, `1.0`, and never `true`.
//   - With fewer training rows than a batch has, a batch has all of them; DSPy refuses.
//   - A `teacher` answers the first of the models, as there, but at the temperature of
//     the others where its own settings say none.
//   - A predictor that may not be tuned keeps what it has: its demos do not count among
//     those of which some are dropped, no advice is asked for it. If no demos may be
//     changed all candidates get rules, if no instructions may, demos.
//   - The mean number of demos that are dropped is drawn as numpy does while it is below
//     10 demos for each of `max_demos`.
//   - Where less is better, scores are turned round; a run that failed has then the worst
//     score among those beside it. A temperature of 0 takes the best program.
type simba struct{}

func (simba) Optimize(ctx context.Context, s *optimize.Study) ([]*optimize.Candidate, error) {
	a := newAscent(s)
	if len(s.Train) == 0 || len(a.strategies) == 0 {
		return []*optimize.Candidate{s.Start}, nil
	}
	if _, err := s.Runner.Model(optimize.PromptModel); a.rules && err != nil {
		return nil, err
	}
	err := a.run(ctx)
	if optimize.Ends(ctx, err) || err == nil {
		return []*optimize.Candidate{a.best}, err
	}
	return nil, err
}

// ascent is a simba under way.
type ascent struct {
	study      *optimize.Study
	size, most int // rows of a batch, candidates of a step
	maxDemos   int
	strategies []strategy
	rules      bool // one of them asks for advice
	random     *pyrandom.Random
	numpy      *pyrandom.NumPy
	order      []int // of the training rows
	at         int

	pool    []*climber // all candidates, that of the start first
	winners []*climber // the best of each step, and the start
	best    *optimize.Candidate
}

// climber is a candidate with its scores on a batch; that of the start has none.
type climber struct {
	candidate *optimize.Candidate
	scores    []float64
	note      string
}

func (c *climber) mean() float64 {
	if len(c.scores) == 0 {
		return 0
	}
	return sum(c.scores) / float64(len(c.scores))
}

// trial is one run of a program on a row of a batch.
type trial struct {
	outcome *optimize.Outcome
	row     *optimize.Example
	score   float64
}

// bucket is what the runs of a row came to, the best first.
type bucket struct {
	trials []*trial
	gap    float64 // between the best and the worst
	most   float64
	above  float64 // how far the best is above the mean
}

func newAscent(s *optimize.Study) *ascent {
	a := &ascent{
		study: s, size: min(s.Settings.Int("batch"), len(s.Train)), most: s.Settings.Int("candidates"), maxDemos: s.Settings.Int("max_demos"),
		random: pyrandom.New(int64(s.Seed)), numpy: pyrandom.NewNumPy(s.Seed), best: s.Start,
	}
	demos := slices.ContainsFunc(s.Predictors, func(p *optimize.Predictor) bool { return p.TuneDemos })
	a.rules = slices.ContainsFunc(s.Predictors, func(p *optimize.Predictor) bool { return p.TuneInstructions })
	if demos && a.maxDemos > 0 {
		a.strategies = append(a.strategies, a.appendDemo)
	}
	if a.rules {
		a.strategies = append(a.strategies, a.appendRule)
	}
	start := &climber{candidate: s.Start, note: "as it is"}
	a.pool, a.winners = []*climber{start}, []*climber{start}
	for i := range s.Train {
		a.order = append(a.order, i)
	}
	pyrandom.Shuffle(a.random, a.order)
	return a
}

func (a *ascent) run(ctx context.Context) error {
	for n := range a.study.Settings.Int("max_steps") {
		if err := a.step(ctx, n); err != nil {
			return err
		}
	}
	return a.finish(ctx)
}

// step looks at the next batch.
func (a *ascent) step(ctx context.Context, n int) error {
	batch := a.batch()
	a.study.Doing(fmt.Sprintf("step %d: running %d rows %d times", n+1, len(batch), a.most))
	trials, err := a.sample(ctx, batch)
	if err != nil {
		return err
	}
	scores := make([]float64, len(trials))
	for i, t := range trials {
		scores[i] = t.score
	}
	low, high := percentile(scores, 0.1), percentile(scores, 0.9)
	var made []*climber
	for _, b := range buckets(trials, len(batch)) {
		c, err := a.climb(ctx, b, low, high)
		if err != nil {
			return err
		}
		if c != nil {
			c.note = fmt.Sprintf("step %d, %s", n+1, c.note)
			made = append(made, c)
		}
		if len(made) > a.most {
			break
		}
	}
	var winner *climber
	for _, c := range made {
		score, err := a.study.Evaluate(ctx, c.candidate, batch)
		if err != nil {
			return err
		}
		a.study.Tried(score, false, c.note, nil)
		c.scores = oriented(a.study, score.Outcomes)
		if winner == nil || c.mean() > winner.mean() {
			winner = c
		}
	}
	if winner != nil {
		a.winners = append(a.winners, winner)
		a.best = a.favourite(made)
	}
	a.pool = append(a.pool, made...)
	return nil
}

// favourite is what is left if the budget ends before the winners are compared: the
// best mean on any batch.
func (a *ascent) favourite(made []*climber) *optimize.Candidate {
	best := made[0]
	for _, c := range append(slices.Clone(a.pool[1:]), made...) {
		if c.mean() > best.mean() {
			best = c
		}
	}
	return best.candidate
}

// batch returns the next rows; when there are not enough left, the order is made anew.
func (a *ascent) batch() []*optimize.Example {
	if a.at+a.size > len(a.order) {
		pyrandom.Shuffle(a.random, a.order)
		a.at = 0
	}
	var rows []*optimize.Example
	for _, i := range a.order[a.at : a.at+a.size] {
		rows = append(rows, a.study.Train[i])
	}
	a.at += a.size
	return rows
}

// sample runs each row of a batch once with each of several models: the same, asked
// anew. The runs of one model come first, then those of the next.
func (a *ascent) sample(ctx context.Context, batch []*optimize.Example) ([]*trial, error) {
	trials := make([]*trial, a.most*len(batch))
	programs := make([]*climber, len(trials))
	top, hot, how := a.top(), 1.0, a.study.Settings.Float("temperature_for_sampling")
	for i := range trials {
		programs[i] = a.pool[a.softmax(top, how)]
	}
	err := a.study.Each(ctx, len(trials), func(ctx context.Context, i int) error {
		model, row := i/len(batch), batch[i%len(batch)]
		o, err := a.study.Run(ctx, programs[i].candidate, row, optimize.Variation{Rollout: model, Temperature: &hot, Teacher: model == 0})
		trials[i] = &trial{outcome: o, row: row}
		return err
	})
	if err != nil {
		return nil, err
	}
	outcomes := make([]*optimize.Outcome, len(trials))
	for i, t := range trials {
		outcomes[i] = t.outcome
	}
	for i, score := range oriented(a.study, outcomes) {
		trials[i].score = score
	}
	return trials, nil
}

// buckets sorts the runs by their rows, and the rows by how much they differ.
func buckets(trials []*trial, rows int) []*bucket {
	var out []*bucket
	for row := range rows {
		b := &bucket{}
		for i := row; i < len(trials); i += rows {
			b.trials = append(b.trials, trials[i])
		}
		slices.SortStableFunc(b.trials, func(x, y *trial) int { return descending(x.score, y.score) })
		total := 0.0
		for _, t := range b.trials {
			total += t.score
		}
		b.most = b.trials[0].score
		b.gap = b.most - b.trials[len(b.trials)-1].score
		b.above = b.most - total/float64(len(b.trials))
		out = append(out, b)
	}
	slices.SortStableFunc(out, func(x, y *bucket) int {
		for _, d := range []int{descending(x.gap, y.gap), descending(x.most, y.most)} {
			if d != 0 {
				return d
			}
		}
		return descending(x.above, y.above)
	})
	return out
}

func descending(x, y float64) int {
	switch {
	case x > y:
		return -1
	case x < y:
		return 1
	}
	return 0
}

// top returns the best candidates by number, and the start in place of the last if it
// is not among them.
func (a *ascent) top() []int {
	all := make([]int, len(a.pool))
	for i := range all {
		all[i] = i
	}
	slices.SortStableFunc(all, func(x, y int) int { return descending(a.pool[x].mean(), a.pool[y].mean()) })
	all = all[:min(a.most, len(all))]
	if !slices.Contains(all, 0) {
		all[len(all)-1] = 0
	}
	return all
}

// softmax draws one of some candidates: the better, the likelier, the more so the lower
// the temperature.
func (a *ascent) softmax(from []int, temperature float64) int {
	best := from[0]
	for _, i := range from {
		if a.pool[i].mean() > a.pool[best].mean() {
			best = i
		}
	}
	if temperature <= 0 {
		return best
	}
	weigh := func(from []int, base float64) ([]float64, float64) {
		weights, total := make([]float64, len(from)), 0.0
		for i, n := range from {
			weights[i] = math.Exp((a.pool[n].mean() - base) / temperature)
			total += weights[i]
		}
		return weights, total
	}
	weights, total := weigh(from, 0)
	if math.IsInf(total, 1) || total <= 0 { // the numbers are too large, or too small
		weights, total = weigh(from, a.pool[best].mean())
	}
	for i := range weights {
		weights[i] /= total
	}
	return pyrandom.Choices(a.random, from, weights, 1)[0]
}

// climb makes a candidate of what a row teaches; nil where it could not.
func (a *ascent) climb(ctx context.Context, b *bucket, low, high float64) (*climber, error) {
	from := a.softmax(a.top(), a.study.Settings.Float("temperature_for_candidates"))
	c, dropped := a.drop(a.pool[from].candidate)
	how := pyrandom.Choice(a.random, a.strategies)
	c, note, err := how(ctx, b, c, low, high)
	if optimize.Ends(ctx, err) {
		return nil, err
	}
	if err != nil || a.study.Check(c) != nil {
		return nil, nil
	}
	note = fmt.Sprintf("candidate %d, %s", from, note)
	if dropped > 0 {
		note += fmt.Sprintf(", up to %d demos dropped", dropped)
	}
	return &climber{candidate: c, note: note}, nil
}

// drop takes some demos away, at the same places of all predictors.
func (a *ascent) drop(c *optimize.Candidate) (*optimize.Candidate, int) {
	most, demos := a.maxDemos, 0
	if most == 0 {
		most = 3
	}
	for i, p := range a.study.Predictors {
		if p.TuneDemos {
			demos = max(demos, len(c.Steps[i].Demos))
		}
	}
	n := a.numpy.Poisson(float64(demos) / float64(most))
	if demos >= most {
		n = max(n, 1)
	}
	n = min(n, demos)
	gone := map[int]bool{}
	for range n {
		gone[a.random.Below(demos)] = true
	}
	if n == 0 {
		return c, 0
	}
	for i, p := range a.study.Predictors {
		if !p.TuneDemos {
			continue
		}
		var left []optimize.Demo
		for at, d := range c.Steps[i].Demos {
			if !gone[at] {
				left = append(left, d)
			}
		}
		c = c.WithDemos(i, left)
	}
	return c, n
}

// finish measures winners, evenly spaced, on all training rows.
func (a *ascent) finish(ctx context.Context) error {
	last := len(a.winners) - 1
	var chosen []int
	for i := range a.most + 1 {
		chosen = append(chosen, int(math.RoundToEven(float64(i*last)/float64(a.most))))
	}
	var best *optimize.Score
	for _, i := range slices.Compact(chosen) {
		w := a.winners[i]
		score, err := a.study.EvaluateAgainst(ctx, w.candidate, a.study.Train, best)
		if err != nil {
			return err
		}
		a.study.Tried(score, true, w.note, nil)
		if best == nil || !score.GivenUp && score.Value() > best.Value() {
			best = score
			a.best = w.candidate
		}
	}
	return nil
}

// oriented returns the scores of runs, oriented so that more is better. A run without
// one has 0; where less is better, the worst of the others.
func oriented(s *optimize.Study, outcomes []*optimize.Outcome) []float64 {
	objective, worst := s.Objectives[0], 0.0
	if objective.Lower {
		for _, o := range outcomes {
			if !unknown(o) {
				worst = min(worst, objective.Value(o.Score()))
			}
		}
	}
	out := make([]float64, len(outcomes))
	for i, o := range outcomes {
		out[i] = worst
		if !unknown(o) {
			out[i] = objective.Value(o.Score())
		}
	}
	return out
}

// percentile is numpy's: between two scores it goes in a straight line.
func percentile(scores []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(scores))
	at := float64(len(sorted)-1) * q
	below := int(at)
	if below+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	part, d := at-float64(below), sorted[below+1]-sorted[below]
	if part >= 0.5 {
		return sorted[below+1] - d*(1-part)
	}
	return sorted[below] + d*part
}
