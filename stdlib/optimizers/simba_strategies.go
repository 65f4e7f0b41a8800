package optimizers

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// strategy changes a candidate by what the runs of a row teach. low and high are the
// scores that a tenth of the batch's runs are below and above. It says in a few words
// what it has done; where there is nothing to learn it returns the candidate as it was.
type strategy func(ctx context.Context, b *bucket, c *optimize.Candidate, low, high float64) (*optimize.Candidate, string, error)

const truncated = "\n\t\t... <TRUNCATED FOR BREVITY>"

// appendDemo gives each predictor what it was asked and answered in the best run.
func (a *ascent) appendDemo(_ context.Context, b *bucket, c *optimize.Candidate, low, _ float64) (*optimize.Candidate, string, error) {
	good := b.trials[0]
	if good.score <= low {
		return c, "no demo: no run is good enough", nil
	}
	longest := a.study.Settings.Int("demo_input_max_length")
	last := make([]*value.Object, len(a.study.Predictors))
	for _, q := range good.outcome.Asked {
		d := value.MakeObject(q.Inputs.Len() + q.Outputs.Len())
		for name, v := range q.Inputs.All() {
			if text := []rune(prompt.Text(v)); len(text) > longest {
				v = string(text[:longest]) + truncated
			}
			d.Set(name, v)
		}
		for name, v := range q.Outputs.All() {
			d.Set(name, v)
		}
		last[q.Predictor] = d
	}
	n := 0
	for i, d := range last {
		if d != nil && a.study.Predictors[i].TuneDemos {
			demos := c.Steps[i].Demos
			c = c.WithDemos(i, append(demos[:len(demos):len(demos)], optimize.Demo{Object: d, Augmented: true}))
			n++
		}
	}
	return c, fmt.Sprintf("a demo for %s", predictors(n)), nil
}

func predictors(n int) string {
	if n == 1 {
		return "1 predictor"
	}
	return fmt.Sprintf("%d predictors", n)
}

// side is a run as it is shown to the model that gives advice.
type side struct {
	asked   []optimize.Asked
	outputs *value.Object
	score   any // a float, or "N/A"
	info    *value.Object
}

func sideOf(t *trial) *side {
	s := &side{asked: t.outcome.Asked, outputs: t.outcome.Outputs, score: t.outcome.Score(), info: &value.Object{}}
	if t.outcome.Feedback != "" {
		s.info.Set("feedback", t.outcome.Feedback)
	}
	if t.outcome.Failed() {
		s.outputs = nil
	}
	return s
}

func (s *side) hide() {
	s.asked, s.score = nil, "N/A"
	s.outputs = value.NewObject("N/A", "Prediction not available")
}

// appendRule lets a model compare the best and the worst run, and adds its advice to
// the instructions of each predictor.
func (a *ascent) appendRule(ctx context.Context, b *bucket, c *optimize.Candidate, low, high float64) (*optimize.Candidate, string, error) {
	best, worst := b.trials[0], b.trials[len(b.trials)-1]
	if best.score <= low || worst.score >= high {
		return c, "no rule: the runs teach nothing", nil
	}
	good := sideOf(best)
	bad := good
	if worst != best {
		bad = sideOf(worst)
	}
	if best.score <= worst.score {
		if best.score > high {
			bad.hide()
		} else {
			good.hide()
		}
	}
	if good.outputs == nil {
		return nil, "", errors.New("the best run failed")
	}
	if bad.outputs == nil {
		bad.outputs = &value.Object{}
	}
	answer, err := a.study.Ask(ctx, &optimize.Question{Role: optimize.PromptModel, Signature: feedbackSignature(), Inputs: a.compared(c, best.row, good, bad)})
	if err != nil {
		return nil, "", err
	}
	v, _ := answer.Get("module_advice")
	advice, _ := v.(*value.Object)
	n := 0
	for i, p := range a.study.Predictors {
		if v, ok := advice.Get(p.Name); ok && p.TuneInstructions {
			c = c.WithInstructions(i, told(a.study, c, i)+"\n\n"+prompt.Text(v))
			n++
		}
	}
	return c, fmt.Sprintf("a rule for %s", predictors(n)), nil
}

// compared are the inputs of the question for advice: a good and a bad run.
func (a *ascent) compared(c *optimize.Candidate, row *optimize.Example, good, bad *side) *value.Object {
	text := func(v any) string { return string(value.EncodeJSONIndent(v)) }
	score := func(v any) string {
		if s, ok := v.(string); ok {
			return s
		}
		return text(v)
	}
	labels := &value.Object{}
	for name, v := range row.Values.All() {
		if _, ok := row.Inputs.Get(name); !ok {
			labels.Set(name, v)
		}
	}
	names := []any{}
	for _, p := range a.study.Predictors {
		if p.TuneInstructions {
			names = append(names, p.Name)
		}
	}
	return value.NewObject(
		"program_code", sourceOf(a.study.Program),
		"modules_defn", modulesOf(a.study, c),
		"program_inputs", text(row.Inputs),
		"oracle_metadata", text(labels),
		"better_program_trajectory", text(a.trajectory(good)),
		"better_program_outputs", text(good.outputs),
		"worse_program_trajectory", text(a.trajectory(bad)),
		"worse_program_outputs", text(bad.outputs),
		"worse_reward_value", score(bad.score),
		"better_reward_value", score(good.score),
		"worse_reward_info", text(bad.info),
		"better_reward_info", text(good.info),
		"module_names", text(names),
	)
}

// sourceOf is a program as it is written, without the values of secrets.
func sourceOf(p *program.Program) string {
	if p.Block.IsZero() {
		return ""
	}
	return source.NewFile(p.Block.File.Name, p.Block.File.Shown()).Slice(p.Block.Span)
}

// trajectory are the questions of a run with their answers.
func (a *ascent) trajectory(s *side) []any {
	out := []any{}
	for _, q := range s.asked {
		out = append(out, value.NewObject("module_name", a.study.Predictors[q.Predictor].Name, "inputs", q.Inputs, "outputs", q.Outputs))
	}
	return out
}

// modulesOf describes the predictors of a candidate as DSPy does.
func modulesOf(s *optimize.Study, c *optimize.Candidate) string {
	rule := strings.Repeat("-", 80)
	indented := func(text string) string {
		var b strings.Builder
		for _, line := range prompt.Lines(text) {
			b.WriteString("\n\t\t" + line)
		}
		return b.String()
	}
	parts := []string{rule}
	for i, p := range s.Predictors {
		parts = append(parts,
			"Module "+p.Name,
			"\tInput Fields:", indented(prompt.Inputs(p.Signature)),
			"\tOutput Fields:", indented(prompt.Outputs(p.Signature)),
			"\tOriginal Instructions: "+indented(prompt.Dedent(told(s, c, i))),
			rule)
	}
	for i := range parts {
		parts[i] = strings.Trim(parts[i], "\n")
	}
	return strings.Join(parts, "\n")
}

// feedbackSignature is DSPy's signature OfferFeedback of SIMBA.
func feedbackSignature() *program.Signature {
	number := func(name, description string) types.Field {
		return types.Field{Name: name, Type: types.Float, Description: description}
	}
	return &program.Signature{
		Name: "OfferFeedback",
		Instructions: `You will be given two trajectories of an LLM-driven program's execution. Your goal is to help the program's modules
build up experience on how to maximize the reward value assigned to the program's outputs if it were to receive
similar inputs in the future.

The module won't see its own history. It will rely on your advice balancing being concrete and being generalizable.

In your advice:
- Avoid boilerplate. Offer advice that would change the module's behavior for the better in the future.
- Ensure that advice offered to a module M is specific to that M's specific sub-task, not the overall program.
- Rely on contrasting the behavior of the worse trajectory against the better trajectory in making recommendations.
- Ensure each unique module name appears exactly once as a key in the advice dictionary.`,
		Inputs: []types.Field{
			asked("program_code", "The code of the program that we are analyzing"),
			asked("modules_defn", "The definition of each module in the program, including its I/O"),
			asked("program_inputs", "The inputs to the program that we are analyzing"),
			asked("oracle_metadata", "Any (hidden) metadata about the training set instance we're analyzing"),
			asked("worse_program_trajectory", "The trajectory of the program's execution, showing each module's I/O"),
			asked("worse_program_outputs", "The outputs of the program that we are analyzing"),
			number("worse_reward_value", "The reward value assigned to the program's outputs"),
			asked("worse_reward_info", "Additional information that might be helpful to understanding the assigned reward value."),
			asked("better_program_trajectory", "The trajectory of the program's execution, showing each module's I/O"),
			asked("better_program_outputs", "The outputs of the program that we are analyzing"),
			number("better_reward_value", "The reward value assigned to the program's outputs"),
			asked("better_reward_info", "Additional information that might be helpful to understanding the assigned reward value."),
			{Name: "module_names", Type: &types.List{Elem: types.String}, Description: "The names of the modules in the program, for which we seek advice"},
		},
		Outputs: []types.Field{
			asked("discussion", "Discussing blame of where each module went wrong, if it did"),
			{Name: "module_advice", Type: &types.Map{Elem: types.String}, Description: "For each module, describe very concretely: If the module receives ${description of input or patterns " +
				"therein}, then it should ${description of content, behavior, or strategies to adopt and/or others to avoid}. " +
				"Basically, your advice be such that if the module has access to your tip, it would be much more likely to act " +
				"like the successful trajectory rather than the lower-scoring trajectory."},
		},
	}
}
