package modules

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/lang/value"
)

var ensemble = Entry{
	Module: universe.Module{
		Name: "ensemble", Doc: "several modules or programs, the answer that most give", Holds: true,
		Settings: []universe.Setting{
			{Name: "size", Kind: universe.Integer, Doc: "How many of the modules are asked. Which ones depends on the inputs and on `rollout`, so that the same call asks the same.", Default: "all", Min: bound(1), Max: bound(100)},
			votedOn,
			{Name: "reward", Kind: universe.Judgement, Doc: "How much an answer counts in the vote, over the step's own inputs and outputs. Where no two answers agree, the one with the most wins.", Default: "1"},
		},
		Example: `ensemble panel {
  question: string -> answer: string
  predict short {}
  chain_of_thought long {}
  predict plain { temperature = 0.2 }
}`,
	},
	New: func() module.Module { return panel{} },
}

// panel calls several parts at once on the same inputs and gives the answer that
// most give: DSPy's Ensemble with the reduction dspy.majority. A part that fails
// has no vote.
type panel struct{}

func (panel) Run(ctx context.Context, call *module.Call) (*value.Object, error) {
	asked := drawn(call, call.Int("size", len(call.Parts)))
	weights := make([]float64, len(asked))
	weighed := call.Source("reward") != ""
	answers, err := together(ctx, call, len(asked), func(ctx context.Context, k int) (*value.Object, error) {
		i := asked[k]
		outputs, err := call.Try(ctx, call.Parts[i], module.Attempt{Rollout: i}, nil)
		if err != nil {
			return nil, err
		}
		if outputs, err = call.Fit(outputs); err != nil {
			return nil, err
		}
		if weights[k] = 1; weighed {
			if weights[k], err = rewarded(ctx, call, outputs); err != nil {
				return nil, err
			}
			note(call, "answer %d counts %v", i+1, weights[k])
		}
		return outputs, nil
	})
	if err != nil {
		return nil, err
	}
	return vote(answers, votedField(call), func(k int) float64 { return weights[k] }), nil
}

// drawn returns which n of the parts are asked, in the order of the text. It is a
// function of the inputs and the rollout: a run that is resumed, or repeated, asks
// the same.
func drawn(call *module.Call, n int) []int {
	all := make([]int, len(call.Parts))
	lots := make([][]byte, len(call.Parts))
	for i := range all {
		sum := sha256.Sum256(fmt.Appendf(nil, "%d\n%d\n%s", call.Rollout, i, value.EncodeJSON(call.Inputs)))
		all[i], lots[i] = i, sum[:]
	}
	if n >= len(all) {
		return all
	}
	slices.SortFunc(all, func(a, b int) int {
		return cmp.Or(slices.Compare(lots[a], lots[b]), cmp.Compare(a, b))
	})
	all = all[:n]
	slices.Sort(all)
	return all
}
