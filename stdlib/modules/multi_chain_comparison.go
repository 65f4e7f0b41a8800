package modules

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/lang/value"
)

var multiChainComparison = Entry{
	Module: universe.Module{
		Name: "multi_chain_comparison", Python: true, Doc: "compare several chains of reasoning", Wraps: true,
		Answers: true, Asks: true, Needs: []string{"rationale", "reasoning"},
		Adds: []types.Field{{Name: "rationale", Type: types.String, Description: "${corrected reasoning}"}},
		Settings: []universe.Setting{
			{Name: "m", Kind: universe.Integer, Doc: "How many chains are compared.", Default: "3", Min: bound(2), Max: bound(20)},
		},
		Example: `multi_chain_comparison compare {
  m = 3
  chain_of_thought {}
}`,
	},
	New: func() module.Module { return comparer{} },
}

// comparer asks its part m times at once, and then once for an answer in view of
// all of these: the question of DSPy's MultiChainComparison, whose attempts the
// caller has to make there. Of each attempt the first line of its reasoning and of
// its last output is shown.
type comparer struct{}

func (comparer) Run(ctx context.Context, call *module.Call) (*value.Object, error) {
	m, part := call.Int("m", 3), call.Parts[0]
	attempts := make([]string, m)
	last := call.Signature.Outputs[len(call.Signature.Outputs)-1].Name
	err := module.Together(ctx, m, func(ctx context.Context, i int) error {
		outputs, err := call.Try(ctx, part, module.Attempt{Rollout: i, Temperature: varied(part)}, nil)
		if err != nil {
			return err
		}
		reasons, ok := outputs.Get("rationale")
		if !ok {
			reasons, ok = outputs.Get("reasoning")
		}
		if !ok {
			return errors.New("the module that is held gives neither `rationale` nor `reasoning`")
		}
		answer, _ := outputs.Get(last)
		attempts[i] = fmt.Sprintf("«I'm trying to %s I'm not sure but my prediction is %s»", firstLine(reasons), firstLine(answer))
		return nil
	})
	if err != nil {
		return nil, err
	}
	c, sig := *call, *call.Signature
	sig.Inputs, c.Inputs = sig.Inputs[:len(sig.Inputs):len(sig.Inputs)], call.Inputs.Clone()
	for i, text := range attempts {
		name := fmt.Sprintf("reasoning_attempt_%d", i+1)
		sig.Inputs = append(sig.Inputs, types.Field{Name: name, Type: types.String, Description: "${reasoning attempt}"})
		c.Inputs.Set(name, text)
	}
	c.Signature = &sig
	if c.Own.Temperature == nil {
		t := 0.7
		c.Params.Temperature = &t
	}
	return module.Ask(ctx, &c)
}

// firstLine is the first line of a value's text, without the space around it.
func firstLine(v any) string {
	line, _, _ := strings.Cut(strings.TrimSpace(prompt.Text(v)), "\n")
	return strings.TrimSpace(line)
}
