package modules

import (
	"context"
	"strings"
	"sync"

	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/lang/value"
)

var refine = Entry{
	Module: universe.Module{
		Name: "refine", Python: true, Doc: "again with advice, until good enough", Wraps: true, Asks: true,
		Settings: []universe.Setting{
			{Name: "n", Kind: universe.Integer, Doc: "The most attempts.", Default: "3", Min: bound(1), Max: bound(100)},
			{Name: "reward", Kind: universe.Judgement, Required: true, Doc: "How good an answer is, over the step's own inputs and outputs."},
			{Name: "threshold", Kind: universe.Number, Required: true, Doc: "An answer as good as this ends the attempts."},
		},
		Example: `refine better {
  n         = 3
  threshold = 0.9
  reward    = len(answer) < 80 ? 1.0 : 0.2
  predict {}
}`,
	},
	New: func() module.Module { return refiner{} },
}

// refiner makes attempts until one is good enough, as DSPy's Refine does. Between
// two of them the model is asked for advice to each predictor, and each gets its own
// in the input `hint_`. The best answer is given. DSPy shows the adviser Python, for
// the program and for the reward: here it is the text of the step, with the program
// that it holds, and the expression.
type refiner struct{}

func (refiner) Run(ctx context.Context, call *module.Call) (*value.Object, error) {
	n := call.Int("n", 3)
	threshold, _ := call.Float("threshold")
	r := &refining{call: call, part: call.Parts[0], answers: make([]*value.Object, n), rewards: make([]float64, n)}
	var last error
	for i := range n {
		enough := func() bool { return r.rewards[i] >= threshold || i == n-1 }
		if err := r.attempt(ctx, i, enough); err != nil {
			if module.Ends(ctx, err) {
				return nil, err
			}
			note(call, "attempt %d of %d failed: %s", i+1, n, err)
			last = err
		}
		if r.answers[i] != nil && r.rewards[i] >= threshold {
			return r.answers[i], nil
		}
	}
	if best := bestIndex(r.answers, r.rewards); best >= 0 {
		return r.answers[best], nil
	}
	return nil, &module.AttemptsError{Attempts: n, Err: last}
}

// refining is a refine under way.
type refining struct {
	call    *module.Call
	part    *module.Part
	answers []*value.Object // of the attempts; nil for one that failed
	rewards []float64
	hints   *value.Object // what was advised last
}

// attempt makes an attempt. Unless it is enough, it asks for advice to the next one.
func (r *refining) attempt(ctx context.Context, i int, enough func() bool) error {
	var mu sync.Mutex
	var asked []module.Asked
	raw, err := r.call.Try(ctx, r.part, module.Attempt{
		Rollout: i, Temperature: hot(), Hints: r.hints,
		Record: func(a module.Asked) {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, a)
		},
	}, nil)
	if err != nil {
		return err
	}
	outputs, err := r.call.Fit(raw)
	if err != nil {
		return err
	}
	reward, err := r.call.Judge(ctx, "reward", outputs)
	if err != nil {
		return err
	}
	r.answers[i], r.rewards[i] = outputs, number(reward)
	note(r.call, "attempt %d of %d has the reward %v", i+1, len(r.answers), reward)
	if enough() {
		return nil
	}
	hints, err := advise(ctx, r.call, r.part, asked, raw, reward)
	if err == nil {
		r.hints = hints
	}
	return err
}

// advise asks how each predictor of a part should do better.
func advise(ctx context.Context, call *module.Call, part *module.Part, asked []module.Asked, outputs *value.Object, reward any) (*value.Object, error) {
	module.InOrder(asked)
	trajectory := []any{}
	for _, a := range asked {
		trajectory = append(trajectory, value.NewObject("module_name", a.Predictor, "inputs", a.Inputs, "outputs", a.Outputs))
	}
	names := []any{}
	for _, p := range part.Predictors {
		names = append(names, p.Name)
	}
	threshold, _ := call.Settings.Get("threshold")
	text := func(v any) string { return string(value.EncodeJSONIndent(v)) }
	c := *call
	c.Signature = adviceSignature()
	c.Inputs = value.NewObject(
		"program_code", call.Source(""),
		"modules_defn", definitions(part.Predictors),
		"program_inputs", text(call.Inputs),
		"program_trajectory", text(trajectory),
		"program_outputs", text(outputs),
		"reward_code", call.Source("reward"),
		"target_threshold", text(threshold),
		"reward_value", text(reward),
		"module_names", text(names),
	)
	c.Demos, c.Feedback, c.Watch, c.Stream, c.Predictor = nil, nil, nil, false, "advice"
	said, err := module.Ask(ctx, &c)
	if err != nil {
		return nil, err
	}
	advice, _ := said.Get("advice")
	hints, _ := advice.(*value.Object)
	return hints, nil
}

// definitions describes predictors as DSPy does.
func definitions(predictors []module.Predictor) string {
	rule := strings.Repeat("-", 80)
	indented := func(text string) string {
		return "\t\t" + strings.Join(prompt.Lines(text), "\n\t\t")
	}
	lines := []string{rule}
	for _, p := range predictors {
		lines = append(lines,
			"Module "+p.Name,
			"\tInput Fields:",
			indented(prompt.Inputs(p.Signature)),
			"\tOutput Fields:",
			indented(prompt.Outputs(p.Signature)),
			"\tOriginal Instructions: \n"+indented(prompt.Dedent(p.Signature.Instructions)),
			rule)
	}
	return strings.Join(lines, "\n")
}

// adviceSignature is DSPy's signature OfferFeedback.
func adviceSignature() *program.Signature {
	text := func(name, description string) types.Field {
		return types.Field{Name: name, Type: types.String, Description: description}
	}
	number := func(name, description string) types.Field {
		return types.Field{Name: name, Type: types.Float, Description: description}
	}
	return &program.Signature{
		Name: "OfferFeedback",
		Instructions: `In the discussion, assign blame to each module that contributed to the final reward being below the threshold, if
any. Then, prescribe concrete advice of how the module should act on its future input when we retry the process, if
it were to receive the same or similar inputs. If a module is not to blame, the advice should be N/A.
The module will not see its own history, so it needs to rely on entirely concrete and actionable advice from you
to avoid the same mistake on the same or similar inputs.`,
		Inputs: []types.Field{
			text("program_code", "The code of the program that we are analyzing"),
			text("modules_defn", "The definition of each module in the program, including its I/O"),
			text("program_inputs", "The inputs to the program that we are analyzing"),
			text("program_trajectory", "The trajectory of the program's execution, showing each module's I/O"),
			text("program_outputs", "The outputs of the program that we are analyzing"),
			text("reward_code", "The code of the reward function that we are analyzing"),
			number("target_threshold", "The target threshold for the reward function"),
			number("reward_value", "The reward value assigned to the program's outputs"),
			{Name: "module_names", Type: &types.List{Elem: types.String}, Description: "The names of the modules in the program, for which we seek advice"},
		},
		Outputs: []types.Field{
			text("discussion", "Discussing blame of where each module went wrong, if it did"),
			{Name: "advice", Type: &types.Map{Elem: types.String}, Description: "For each module, describe very concretely, in this order: the specific scenarios in which it has made " +
				"mistakes in the past and what each mistake was, followed by what it should do differently in that kind of" +
				"scenario in the future. If the module is not to blame, write N/A."},
		},
	}
}
