package modules

import (
	"context"

	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/lang/value"
)

var parallel = Entry{
	Module: universe.Module{
		Name: "parallel", Doc: "several modules at once, the answers of all", Holds: true, Lists: true,
		Example: `parallel opinions {
  question: string -> answer: string
  predict short {}
  chain_of_thought long {}
}`,
	},
	New: func() module.Module { return allAtOnce{} },
}

// allAtOnce calls all its parts at once on the same inputs. Each output is a list:
// what the first part gave, what the second gave, in the order of the text. A part
// that fails stops the others, and the step fails.
type allAtOnce struct{}

func (allAtOnce) Run(ctx context.Context, call *module.Call) (*value.Object, error) {
	answers := make([]*value.Object, len(call.Parts))
	err := module.Together(ctx, len(call.Parts), func(ctx context.Context, i int) (err error) {
		answers[i], err = call.Try(ctx, call.Parts[i], module.Attempt{Rollout: i}, nil)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &value.Object{}
	for _, f := range call.Signature.Outputs {
		list := make([]any, len(answers))
		for i, a := range answers {
			list[i], _ = a.Get(f.Name)
		}
		out.Set(f.Name, list)
	}
	return call.Fit(out)
}
