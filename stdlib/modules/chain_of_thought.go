package modules

import (
	"context"

	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/lang/value"
)

var chainOfThought = Entry{
	Module: universe.Module{
		Name: "chain_of_thought", Python: true,
		Doc:  "reason step by step, then answer",
		Adds: []types.Field{{Name: "reasoning", Type: types.String}},
		Settings: []universe.Setting{
			{Name: "samples", Kind: universe.Integer, Doc: "How many answers are asked for at once; the one that most give is taken.", Default: "1", Min: bound(1), Max: bound(100)},
			votedOn,
			{Name: "min_steps", Kind: universe.Integer, Doc: "The fewest steps of a `reasoning: reasoning_chain`.", Default: "1", Min: bound(1), Max: bound(types.MaxReasoningSteps)},
			{Name: "max_steps", Kind: universe.Integer, Doc: "The most steps of it.", Default: "50", Min: bound(1), Max: bound(types.MaxReasoningSteps)},
			{Name: "min_confidence", Kind: universe.Number, Doc: "How sure each step of it must be, in the model's own words; the model is asked to say so.", Default: "it does not matter", Min: bound(0), Max: bound(1)},
			{Name: "checks", Kind: universe.Choice, Choices: []string{"none", "basic", "strict"}, Doc: "What else is checked of the steps: basic, that they are numbered without a gap and none is there twice; strict, also that each says something, refers to earlier ones only, and that the answer occurs in them.", Default: "basic", Fixed: true},
		},
		Example: `chain_of_thought respond {
  question: string -> reasoning: reasoning_chain, answer: string
  samples   = 3
  max_steps = 8
}`,
	},
	New: func() module.Module { return thinker{} },
}

// thinker asks the model to reason before it answers: DSPy's ChainOfThought. With
// samples it asks several times at once and takes a vote; where the signature wants
// the reasoning as a reasoning_chain, its steps are read and checked.
type thinker struct{}

func (thinker) Run(ctx context.Context, call *module.Call) (*value.Object, error) {
	n := call.Int("samples", 1)
	if n <= 1 {
		return think(ctx, call)
	}
	answers, err := together(ctx, call, n, func(ctx context.Context, i int) (*value.Object, error) {
		c := *call
		c.Rollout = call.Rollout*1000 + i + 1
		c.Stream, c.Watch = false, nil // which of them is the answer is not known yet
		if t := c.Params.Temperature; c.Own.Temperature == nil && (t == nil || *t <= 0.15) {
			warm := 0.7 // as DSPy's Predict has it for several generations
			c.Params.Temperature = &warm
		}
		return think(ctx, &c)
	})
	if err != nil {
		return nil, err
	}
	return vote(answers, votedField(call), nil), nil
}

func think(ctx context.Context, call *module.Call) (*value.Object, error) {
	if f, ok := call.Signature.Output("reasoning"); ok && isChain(f.Type) {
		return thinkInSteps(ctx, call, f)
	}
	for _, setting := range []string{"min_steps", "max_steps", "min_confidence", "checks"} {
		if _, written := call.Settings.Get(setting); written {
			return nil, &stepless{setting}
		}
	}
	return module.Ask(ctx, call)
}

func isChain(t types.Type) bool {
	p, ok := t.(*types.Primitive)
	return ok && p.Row.Name == "reasoning_chain"
}

// stepless is a setting about steps where the reasoning is a text.
type stepless struct{ setting string }

func (e *stepless) Error() string {
	return "`" + e.setting + "` speaks of the steps of the reasoning, and here it is a text"
}

// Advice says how to have steps.
func (e *stepless) Advice() string {
	return "put `reasoning: reasoning_chain` first among the outputs of the step's signature"
}
