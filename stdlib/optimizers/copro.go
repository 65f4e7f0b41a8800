package optimizers

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/program/state"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// copro lets a model write instructions, measures them, shows them to the model with
// their scores, and lets it write better ones: DSPy's COPRO, which descends from OPRO
// (Yang, Wang, Lu, Liu, Le, Zhou and Chen 2023, "Large Language Models as Optimizers",
// arXiv 2309.03409) and came with DSPy (Khattab and others 2023, arXiv 2310.03714). As
// there, all is measured on the training rows; where there are none, on the dev rows.
//
// The messages are DSPy's to the byte (testdata/copro.py). What differs:
//
//   - DSPy asks once for n completions; here n questions are asked that differ in
//     their rollout, because not every provider gives several. They are drawn from
//     the seed, so that a cache answers the same tuning again and no other.
//   - A completion that cannot be read is left out; DSPy's compile ends there.
//   - The prefix that DSPy also lets write is asked for and shown again, because it
//     is in the prompts. It reaches no prompt of the program, in DSPy neither. So
//     instructions that differ in it alone are measured once.
//   - The instructions that were there first stay as they are written; DSPy strips
//     quotation marks from them. An instruction without a word is left out.
//   - Scores of a metric of which less is better are shown below 0, because the
//     prompt says that higher ones are better.
//   - With early stopping, a candidate that was given up is shown with the score that
//     it had, and is never the best.
type copro struct{}

func (copro) Optimize(ctx context.Context, s *optimize.Study) ([]*optimize.Candidate, error) {
	c := &coproRounds{
		s: s, rows: s.Train, current: s.Start,
		breadth: s.Settings.Int("breadth"), depth: s.Settings.Int("depth"), temperature: s.Settings.Float("init_temperature"),
	}
	if len(c.rows) == 0 {
		c.rows = s.Dev
	}
	for i, p := range s.Predictors {
		if p.TuneInstructions {
			c.steps = append(c.steps, &coproStep{at: i, tried: map[coproText]*coproAttempt{}})
		}
	}
	err := c.run(ctx)
	return []*optimize.Candidate{c.found()}, err
}

// coproText is what the model writes: an instruction, and the words that DSPy once put
// before the last output.
type coproText struct{ instruction, prefix string }

// coproAttempt is a text that was measured.
type coproAttempt struct {
	coproText
	score     float64 // of the study's first objective in per cent, more is better
	full      bool    // on all rows
	candidate *optimize.Candidate
}

// coproStep is a predictor and what was written for it.
type coproStep struct {
	at          int // in the study
	latest, all []coproText
	attempts    []*coproAttempt // in the order in which they were first measured
	tried       map[coproText]*coproAttempt
}

// coproRounds is one run of copro.
type coproRounds struct {
	s              *optimize.Study
	rows           []*optimize.Example
	steps          []*coproStep
	current        *optimize.Candidate // each step at its best so far
	best           *optimize.Score
	breadth, depth int
	temperature    float64
}

func (c *coproRounds) run(ctx context.Context) error {
	for _, step := range c.steps {
		if err := c.begin(ctx, step); err != nil {
			return err
		}
	}
	for round := range c.depth {
		if round > 0 {
			for _, step := range c.steps {
				if err := c.improve(ctx, step, round); err != nil {
					return err
				}
			}
		}
		for _, step := range c.steps {
			if err := c.measure(ctx, step, round); err != nil {
				return err
			}
		}
	}
	return nil
}

// begin lets the model write the texts of the first round; the last of them is what
// the predictor has.
func (c *coproRounds) begin(ctx context.Context, step *coproStep) error {
	p := c.s.Predictors[step.at]
	own := coproText{instructionsOf(c.s, step.at), state.InferPrefix(p.Signature.Outputs[len(p.Signature.Outputs)-1].Name)}
	c.s.Doing(fmt.Sprintf("writing %d instructions for %s", c.breadth-1, p.Path))
	texts, err := c.write(ctx, step, coproFirst(), value.NewObject("basic_instruction", own.instruction), c.breadth-1, 0)
	step.latest = append(texts, own)
	step.all = slices.Clone(step.latest)
	return err
}

// improve lets the model write further texts from those that were measured.
func (c *coproRounds) improve(ctx context.Context, step *coproStep, round int) error {
	ranked := slices.Clone(step.attempts)
	slices.SortStableFunc(ranked, func(a, b *coproAttempt) int { return cmp.Compare(b.score, a.score) })
	n := min(len(ranked), c.breadth)
	var shown []any
	for i := n - 1; i >= 0; i-- {
		number := strconv.Itoa(n - i)
		shown = append(shown,
			"Instruction #"+number+": "+ranked[i].instruction,
			"Prefix #"+number+": "+ranked[i].prefix,
			"Resulting Score #"+number+": "+percent(ranked[i].score))
	}
	c.s.Doing(fmt.Sprintf("writing %d instructions for %s, round %d of %d", c.breadth, c.s.Predictors[step.at].Path, round+1, c.depth))
	texts, err := c.write(ctx, step, coproFurther(), value.NewObject("attempted_instructions", shown), c.breadth, round)
	step.latest = texts
	step.all = append(step.all, texts...)
	return err
}

// write asks for n texts. The error ends the tuning.
func (c *coproRounds) write(ctx context.Context, step *coproStep, sig *program.Signature, inputs *value.Object, n, round int) ([]coproText, error) {
	random := c.s.Rand(fmt.Sprintf("rollouts %d %d", step.at, round))
	rollouts := make([]int, n)
	for i := range rollouts {
		rollouts[i] = 1 + random.IntN(1e9)
	}
	written := make([]*coproText, n)
	failures := make([]error, n)
	err := c.s.Each(ctx, n, func(ctx context.Context, i int) error {
		out, err := c.s.Ask(ctx, &optimize.Question{
			Role: optimize.PromptModel, Signature: sig, Inputs: inputs, Rollout: rollouts[i], Temperature: &c.temperature,
		})
		if optimize.Ends(ctx, err) {
			return err
		}
		failures[i] = err
		if err == nil {
			written[i] = &coproText{coproStrip(textOf(out, "proposed_instruction")), coproStrip(textOf(out, "proposed_prefix_for_output_field"))}
		}
		return nil
	})
	var texts []coproText
	for _, w := range written {
		if w != nil && w.instruction != "" {
			texts = append(texts, *w)
		}
	}
	if i := slices.IndexFunc(failures, func(err error) bool { return err != nil }); len(texts) == 0 && i >= 0 {
		c.s.Doing(fmt.Sprintf("no instruction for %s was written: %v", c.s.Predictors[step.at].Path, failures[i]))
	}
	return texts, err
}

// measure measures the texts of a predictor and sets it to the best of all so far. Of
// a program with several predictors all texts are measured again, with the best of the
// others.
func (c *coproRounds) measure(ctx context.Context, step *coproStep, round int) error {
	texts := step.latest
	if len(c.steps) > 1 {
		texts = step.all
	}
	path := c.s.Predictors[step.at].Path
	for n, text := range texts {
		candidate := c.current.WithInstructions(step.at, text.instruction)
		score, err := c.s.EvaluateAgainst(ctx, candidate, c.rows, c.best)
		if err != nil {
			c.settle(step)
			return err
		}
		full := !score.GivenUp
		if full && (c.best == nil || score.Value() > c.best.Value()) {
			c.best = score
		}
		c.s.Tried(score, full, fmt.Sprintf("round %d, instruction %d of %d for %s", round+1, n+1, len(texts), path), nil)
		step.keep(&coproAttempt{text, 100*score.Value() + 0, full, candidate})
	}
	c.settle(step)
	return nil
}

// keep keeps a text's better attempt.
func (step *coproStep) keep(a *coproAttempt) {
	was, twice := step.tried[a.coproText]
	switch {
	case !twice:
		step.tried[a.coproText] = a
		step.attempts = append(step.attempts, a)
	case a.full && !was.full || a.full == was.full && a.score > was.score:
		*was = *a
	}
}

// settle sets a predictor to its best instruction so far.
func (c *coproRounds) settle(step *coproStep) {
	if best := bestAttempt(step.attempts); best != nil {
		c.current = c.current.WithInstructions(step.at, best.instruction)
	}
}

// found returns the best candidate that was measured, else the start.
func (c *coproRounds) found() *optimize.Candidate {
	var all []*coproAttempt
	for _, step := range c.steps {
		all = append(all, step.attempts...)
	}
	if best := bestAttempt(all); best != nil {
		return best.candidate
	}
	return c.s.Start
}

// bestAttempt returns the first of the best attempts on all rows, nil for none.
func bestAttempt(attempts []*coproAttempt) *coproAttempt {
	var best *coproAttempt
	for _, a := range attempts {
		if a.full && (best == nil || a.score > best.score) {
			best = a
		}
	}
	return best
}

// coproStrip takes quotation marks and spaces from around a text.
func coproStrip(text string) string {
	return strings.TrimSpace(strings.Trim(text, `"`))
}

// coproFirst is the question of the first round.
func coproFirst() *program.Signature {
	return &program.Signature{
		Instructions: "You are an instruction optimizer for large language models. I will give you a ``signature`` of fields (inputs and outputs) in English. Your task is to propose an instruction that will lead a good language model to perform the task well. Don't be afraid to be creative.",
		Inputs:       []types.Field{asked("basic_instruction", "The initial instructions before optimization")},
		Outputs:      coproWritten(),
	}
}

// coproFurther is the question of the later rounds.
func coproFurther() *program.Signature {
	return &program.Signature{
		Instructions: "You are an instruction optimizer for large language models. I will give some task instructions I've tried, along with their corresponding validation scores. The instructions are arranged in increasing order based on their scores, where higher scores indicate better quality.\n\n" +
			"Your task is to propose a new instruction that will lead a good language model to perform the task even better. Don't be afraid to be creative.",
		Inputs:  []types.Field{asked("attempted_instructions", "")},
		Outputs: coproWritten(),
	}
}

func coproWritten() []types.Field {
	return []types.Field{
		asked("proposed_instruction", "The improved instructions for the language model"),
		asked("proposed_prefix_for_output_field", "The string at the end of the prompt, which will help the model start solving the task"),
	}
}
