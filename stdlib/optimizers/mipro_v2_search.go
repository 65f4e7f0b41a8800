package optimizers

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/evaluate"
	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/stdlib/optimizers/pyrandom"
	"github.com/dspi-lang/dspi/stdlib/optimizers/search"
)

// miproSearch looks for the best combination of what was proposed.
type miproSearch struct {
	s            *optimize.Study
	plan         *miproPlan
	instructions [][]string          // for each predictor
	demos        [][][]optimize.Demo // likewise: its sets
	random       *pyrandom.Random

	choices []miproChoice
	sampler search.Sampler
	combos  []*miproCombo // in the order in which they were first measured
	known   map[string]*miproCombo
	best    *optimize.Score // of those on all rows of the plan
	fulls   int             // how many were measured so
}

// miproChoice is one thing that is chosen: the instruction or the demos of a predictor.
type miproChoice struct {
	predictor int
	demos     bool
	n         int    // of how many
	address   string // of the parameter
}

// miproCombo is a combination that was measured.
type miproCombo struct {
	point     search.Point
	candidate *optimize.Candidate
	parts     []float64 // what it was worth on parts of the rows
	full      bool      // it was measured on all
}

func newMiproSearch(s *optimize.Study, plan *miproPlan, instructions [][]string, demos [][][]optimize.Demo, random *pyrandom.Random) (*miproSearch, error) {
	m := &miproSearch{s: s, plan: plan, instructions: instructions, demos: demos, random: random, known: map[string]*miproCombo{}}
	space := &search.Space{}
	choose := func(c miproChoice, kind optimize.Kind) {
		for _, p := range s.Space.Params {
			if p.Kind == kind && p.Predictor == c.predictor {
				c.address = p.Address
			}
		}
		m.choices = append(m.choices, c)
		space.Dimensions = append(space.Dimensions, search.Dimension{Name: fmt.Sprintf("%d %s", c.predictor, kind), Kind: search.Choice, Choices: c.n})
	}
	for i, p := range s.Predictors {
		if p.TuneInstructions {
			choose(miproChoice{predictor: i, n: len(instructions[i])}, optimize.Instructions)
		}
		if p.TuneDemos && !plan.zero {
			choose(miproChoice{predictor: i, demos: true, n: len(demos[i])}, optimize.Demos)
		}
	}
	if len(m.choices) == 0 {
		return m, nil
	}
	var err error
	m.sampler, err = search.NewTPE(space, s.Rand("search").Uint64(), search.TPEOptions{})
	return m, err
}

// run measures the program as it is, and then combinations.
func (m *miproSearch) run(ctx context.Context) error {
	first := m.combo(make(search.Point, len(m.choices)))
	if err := m.whole(ctx, first, "as it was"); err != nil || len(m.choices) == 0 {
		return err
	}
	if m.plan.minibatch {
		return m.inParts(ctx)
	}
	for range m.plan.trials {
		c, err := m.next()
		if c == nil {
			return err
		}
		if err := m.whole(ctx, c, m.note(c)); err != nil {
			return err
		}
	}
	return nil
}

// inParts measures combinations on parts of the rows. Trials are numbered as in DSPy:
// 1 is the program as it is, and each measurement on all rows has a number, too.
func (m *miproSearch) inParts(ctx context.Context) error {
	trials, every := m.plan.trials, m.plan.every
	last := trials + trials/every + 1
	if trials%every != 0 {
		last++
	}
	number := 1
	for range trials {
		number++
		c, err := m.next()
		if err != nil {
			return err
		}
		if c == nil {
			break
		}
		score, err := m.s.Evaluate(ctx, c.candidate, m.part())
		if err != nil {
			return err
		}
		c.parts = append(c.parts, score.Value())
		m.s.Tried(score, false, m.note(c), m.params(c))
		if number%(every+1) == 0 || number == last-1 {
			number++
			if top := m.top(); top != nil {
				if err := m.whole(ctx, top, "best in parts: "+m.note(top)); err != nil {
					return err
				}
			}
		}
		m.sampler.Tell(c.point, []float64{-score.Value()}, true)
	}
	if top := m.top(); top != nil && m.fulls == 1 { // the search ended before any other was measured on all rows
		return m.whole(ctx, top, "best in parts: "+m.note(top))
	}
	return nil
}

// next asks for the combination to measure; nil: there is none left.
func (m *miproSearch) next() (*miproCombo, error) {
	points, err := m.sampler.Ask(1)
	switch {
	case len(points) > 0:
		return m.combo(points[0]), nil
	case err != nil && !errors.Is(err, search.ErrExhausted):
		return nil, err
	case m.plan.minibatch:
		return m.top(), nil
	}
	return nil, nil
}

// top returns the best combination by the mean of its parts that was not measured on
// all rows, nil for none.
func (m *miproSearch) top() *miproCombo {
	var top *miproCombo
	for _, c := range m.combos {
		if !c.full && len(c.parts) > 0 && (top == nil || evaluate.Mean(c.parts) > evaluate.Mean(top.parts)) {
			top = c
		}
	}
	return top
}

// whole measures a combination on all rows of the plan.
func (m *miproSearch) whole(ctx context.Context, c *miproCombo, note string) error {
	score, err := m.s.EvaluateAgainst(ctx, c.candidate, m.plan.dev, m.best)
	if err != nil {
		return err
	}
	c.full = true
	m.fulls++
	m.s.Tried(score, m.plan.full, note, m.params(c))
	if !score.GivenUp && (m.best == nil || score.Value() > m.best.Value()) {
		m.best = score
	}
	if m.sampler != nil {
		m.sampler.Tell(c.point, []float64{-score.Value()}, true)
	}
	return nil
}

// part draws rows for one trial.
func (m *miproSearch) part() []*optimize.Example {
	if m.plan.part >= len(m.plan.dev) {
		return m.plan.dev
	}
	return pyrandom.Sample(m.random, m.plan.dev, m.plan.part)
}

// combo returns the combination at a point. What has the number 0 stays as it is.
func (m *miproSearch) combo(at search.Point) *miproCombo {
	key := fmt.Sprint(at)
	if c, ok := m.known[key]; ok {
		return c
	}
	c := &miproCombo{point: at, candidate: m.s.Start}
	for i, choice := range m.choices {
		switch k := int(at[i]); {
		case k == 0:
		case choice.demos:
			c.candidate = c.candidate.WithDemos(choice.predictor, m.demos[choice.predictor][k])
		default:
			c.candidate = c.candidate.WithInstructions(choice.predictor, m.instructions[choice.predictor][k])
		}
	}
	m.known[key] = c
	m.combos = append(m.combos, c)
	return c
}

// note says what was chosen: "classify: instruction 2, demos 0".
func (m *miproSearch) note(c *miproCombo) string {
	var b strings.Builder
	for i, choice := range m.choices {
		switch {
		case i > 0 && m.choices[i-1].predictor == choice.predictor:
			b.WriteString(", ")
		case i > 0:
			b.WriteString("; ")
			fallthrough
		default:
			b.WriteString(m.s.Predictors[choice.predictor].Path + ": ")
		}
		what := "instruction"
		if choice.demos {
			what = "demos"
		}
		fmt.Fprintf(&b, "%s %d", what, int(c.point[i]))
	}
	return b.String()
}

// params are the numbers that were chosen, by the addresses of the parameters.
func (m *miproSearch) params(c *miproCombo) map[string]any {
	out := map[string]any{}
	for i, choice := range m.choices {
		if choice.address != "" {
			out[choice.address] = int(c.point[i])
		}
	}
	return out
}

// found returns the best combination on all rows, else the start.
func (m *miproSearch) found() *optimize.Candidate {
	if m.best == nil {
		return m.s.Start
	}
	return m.best.Candidate
}
