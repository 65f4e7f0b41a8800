package modules

import (
	"context"

	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/lang/value"
)

var bestOfN = Entry{
	Module: universe.Module{
		Name: "best_of_n", Python: true, Doc: "the best of several answers", Wraps: true,
		Settings: []universe.Setting{
			samples,
			{Name: "reward", Kind: universe.Judgement, Required: true, Doc: "How good an answer is, over the step's own inputs and outputs."},
			{Name: "threshold", Kind: universe.Number, Doc: "An answer as good as this ends the search. With it the answers are asked for one after another, without it all at once.", Default: "none"},
		},
		Example: `best_of_n pick {
  n      = 5
  reward = len(answer) < 80 ? 1.0 : 0.2
  chain_of_thought {}
}`,
	},
	New: func() module.Module { return bester{} },
}

// bester takes the best of several answers. Each attempt is one of DSPy's BestOfN:
// a rollout of its own, and a temperature of 1.0 where the step says none.
type bester struct{}

func (bester) Run(ctx context.Context, call *module.Call) (*value.Object, error) {
	n := call.Int("n", 5)
	threshold, sequential := call.Float("threshold")
	part := call.Parts[0]
	rewards := make([]float64, n)
	attempt := func(ctx context.Context, i int) (*value.Object, error) {
		outputs, err := call.Try(ctx, part, module.Attempt{Rollout: i, Temperature: hot()}, nil)
		if err != nil {
			return nil, err
		}
		if outputs, err = call.Fit(outputs); err != nil {
			return nil, err
		}
		if rewards[i], err = rewarded(ctx, call, outputs); err != nil {
			return nil, err
		}
		note(call, "attempt %d of %d has the reward %v", i+1, n, rewards[i])
		return outputs, nil
	}
	if !sequential {
		answers, err := together(ctx, call, n, attempt)
		if err != nil {
			return nil, err
		}
		return answers[bestIndex(answers, rewards)], nil
	}
	answers := make([]*value.Object, n)
	var last error
	for i := range n {
		var err error
		if answers[i], err = attempt(ctx, i); err != nil {
			if module.Ends(ctx, err) {
				return nil, err
			}
			note(call, "attempt %d of %d failed: %s", i+1, n, err)
			last = err
			continue
		}
		if rewards[i] >= threshold {
			return answers[i], nil
		}
	}
	if best := bestIndex(answers, rewards); best >= 0 {
		return answers[best], nil
	}
	return nil, &module.AttemptsError{Attempts: n, Err: last}
}

// bestIndex returns which answer has the highest reward, the first of several; -1
// when there is none. An answer that is nil is no candidate, and a reward that is
// no number is lower than any.
func bestIndex(answers []*value.Object, rewards []float64) int {
	best := -1
	for i, a := range answers {
		if a == nil {
			continue
		}
		if best < 0 || rewards[i] > rewards[best] || rewards[best] != rewards[best] && rewards[i] == rewards[i] {
			best = i
		}
	}
	return best
}
