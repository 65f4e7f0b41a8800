package modules

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// DSPy's ReAct: a predictor `react` says what to do next until it says `finish`, and
// a predictor `extract` reads the outputs from all that happened, the trajectory. Its
// messages are DSPy's to the byte; testdata/dspy holds conversations of the real one.

// cuts is how often a prompt that is too long for the model is shortened and sent
// again.
const cuts = 3

// DSPy's predictors.
const (
	reactNext    = "react"
	reactExtract = "extract.predict"
)

// Predictors are those of DSPy's ReAct; none in the typed style.
func (reactor) Predictors(call *module.Call) []module.Predictor {
	if call.Text("style", "typed") != "dspy" {
		return nil
	}
	sig := instructed(call.Signature)
	return []module.Predictor{
		{Name: reactNext, Signature: nextSignature(sig, boxOf(call.Tools))},
		{Name: reactExtract, Signature: extractSignature(sig)},
	}
}

// instructed returns a signature that has instructions.
func instructed(sig *program.Signature) *program.Signature {
	out := *sig
	if out.Instructions == "" {
		out.Instructions = out.DefaultInstructions()
	}
	return &out
}

func reactAsDSPy(ctx context.Context, call *module.Call) (*value.Object, error) {
	box := boxOf(call.Tools)
	sig := *instructed(call.Signature)
	next := *call
	next.Predictor = reactNext
	next.Signature, next.Stream, next.Watch = nextSignature(&sig, box), false, nil
	next.Demos = demosOf(call.Demos, true)
	next.Feedback = nil
	for _, f := range call.Feedback {
		next.Feedback = append(next.Feedback, module.Feedback{Messages: f.Messages})
	}

	var t trajectory
	for i, most := 0, call.Int("max_iters", 20); i < most; i++ {
		chosen, err := t.ask(ctx, &next)
		var misfit *module.MisfitError
		switch {
		case isFull(err) || errors.As(err, &misfit):
			call.Host.Emit(trace.Event{Kind: trace.Note, Reason: "the trajectory ends: " + err.Error()})
		case err != nil:
			return nil, err
		}
		if err != nil {
			break
		}
		name, args := chosenTool(chosen)
		thought, _ := chosen.Get("next_thought")
		seen, err := seenOf(ctx, call, box, name, args)
		if err != nil {
			return nil, err
		}
		t.add(i, "thought", thought, "tool_name", name, "tool_args", args, "observation", seen)
		if name == finishName {
			break
		}
	}

	extract := *call
	extract.Predictor = reactExtract
	extract.Signature = extractSignature(&sig)
	extract.Demos = demosOf(call.Demos, false)
	all, err := t.ask(ctx, &extract)
	if err != nil {
		return nil, err
	}
	outputs := &value.Object{}
	for i := range call.Signature.Outputs {
		name := call.Signature.Outputs[i].Name
		v, _ := all.Get(name)
		outputs.Set(name, v)
	}
	return outputs, nil
}

const finishName = "finish"

// nextSignature is that of the predictor `react`.
func nextSignature(sig *program.Signature, box *toolbox) *program.Signature {
	inputs, outputs := quoted(sig.Inputs), quoted(sig.Outputs)
	lines := []string{
		sig.Instructions + "\n",
		"You are an Agent. In each episode, you will be given the fields " + inputs + " as input. And you can see your past trajectory so far.",
		"Your goal is to use one or more of the supplied tools to collect any necessary information for producing " + outputs + ".\n",
		"To do this, you will interleave next_thought, next_tool_name, and next_tool_args in each turn, and also when finishing the task.",
		"After each tool call, you receive a resulting observation, which gets appended to your trajectory.\n",
		"When writing next_thought, you may reason about the current situation and plan for future steps.",
		"When selecting the next_tool_name and its next_tool_args, the tool must be one of:\n",
	}
	finish := prompt.ToolLine(finishName, "Marks the task as complete. That is, signals that all information for producing the outputs, i.e. "+
		outputs+", are now available to be extracted.", nil)
	var names []types.Type
	finished := false
	tell := func(name, line string) {
		names = append(names, &types.Literal{Value: name})
		lines = append(lines, "("+strconv.Itoa(len(names))+") "+line)
	}
	for _, t := range box.tools {
		if t.Name() == finishName { // DSPy's own takes its place
			tell(finishName, finish)
			finished = true
			continue
		}
		tell(t.Name(), prompt.ToolLine(t.Name(), t.Description(), t.Signature().Inputs))
	}
	if !finished {
		tell(finishName, finish)
	}
	lines = append(lines, "When providing `next_tool_args`, the value inside the field must be in JSON format")
	return &program.Signature{
		Instructions: strings.Join(lines, "\n"),
		Inputs:       withTrajectory(sig.Inputs),
		Outputs: []types.Field{
			{Name: "next_thought", Type: types.String},
			{Name: "next_tool_name", Type: types.NewUnion(names...)},
			{Name: "next_tool_args", Type: &types.Map{Elem: types.JSON}},
		},
	}
}

// extractSignature is that of the predictor `extract`, a ChainOfThought.
func extractSignature(sig *program.Signature) *program.Signature {
	out := *sig
	out.Inputs = withTrajectory(sig.Inputs)
	if _, has := sig.Output("reasoning"); !has {
		out.Outputs = append([]types.Field{{Name: "reasoning", Type: types.String}}, sig.Outputs...)
	}
	return &out
}

func withTrajectory(inputs []types.Field) []types.Field {
	return append(inputs[:len(inputs):len(inputs)], types.Field{Name: "trajectory", Type: types.String})
}

func quoted(fields []types.Field) string {
	names := make([]string, len(fields))
	for i := range fields {
		names[i] = "`" + fields[i].Name + "`"
	}
	return strings.Join(names, ", ")
}

// demosOf returns the demos of one of the two predictors: those that choose a tool
// are of the first.
func demosOf(demos []prompt.Demo, choose bool) []prompt.Demo {
	var out []prompt.Demo
	for _, d := range demos {
		_, chooses := d.Get("next_tool_name")
		if chooses == choose {
			out = append(out, d)
		}
	}
	return out
}

func chosenTool(chosen *value.Object) (string, *value.Object) {
	name, _ := chosen.Get("next_tool_name")
	args, _ := chosen.Get("next_tool_args")
	text, _ := name.(string)
	object, ok := args.(*value.Object)
	if !ok {
		object = &value.Object{}
	}
	return text, object
}

// seenOf calls the tool that was chosen and returns the observation.
func seenOf(ctx context.Context, call *module.Call, box *toolbox, name string, args *value.Object) (any, error) {
	if name == finishName {
		if args.Len() > 0 {
			return executionError(name, "Arg "+args.Names()[0]+" is not in the tool's args."), nil
		}
		return "Completed.", nil
	}
	t, ok := box.find(name)
	if !ok {
		return executionError(name, box.unknown(name, finishName)), nil
	}
	outputs, err := called(ctx, call, t, args)
	if err != nil && module.Ends(ctx, err) {
		return nil, err
	}
	if mine, ok := t.(own); ok {
		if ended := mine.ended(); ended != nil {
			return nil, ended
		}
	} else if a := (action{tool: name, args: args}); err == nil {
		recorded(call, a, observation(t, outputs))
	} else {
		recorded(call, a, failure(err))
	}
	if err != nil {
		return executionError(name, failure(err)), nil
	}
	return observed(t, outputs), nil
}

// executionError is DSPy's sentence. Behind it DSPy has a traceback of Python.
func executionError(name, why string) string { return "Execution error in " + name + ": " + why }

// trajectory is what happened so far, by DSPy's names: thought_0, tool_name_0,
// tool_args_0, observation_0, thought_1, …
type trajectory struct {
	names  []string
	values []any
}

func (t *trajectory) add(i int, pairs ...any) {
	for p := 0; p < len(pairs); p += 2 {
		t.names = append(t.names, pairs[p].(string)+"_"+strconv.Itoa(i))
		t.values = append(t.values, pairs[p+1])
	}
}

// text shows the trajectory as the adapter shows inputs.
func (t *trajectory) text(a prompt.Adapter) string {
	sig, values := &program.Signature{}, &value.Object{}
	for i, name := range t.names {
		sig.Inputs = append(sig.Inputs, types.Field{Name: name, Type: types.String})
		values.Set(name, t.values[i])
	}
	return prompt.User(a, sig, values).Text()
}

// errOneAction is DSPy's: what is left of the trajectory cannot be shortened.
var errOneAction = errors.New("the prompt does not fit into the model's context, and the trajectory cannot be shortened: it has no more than one action")

// ask asks a predictor, with the oldest action left out of the trajectory for each
// time that the prompt is too long for the model.
func (t *trajectory) ask(ctx context.Context, call *module.Call) (*value.Object, error) {
	var last error
	for range cuts {
		asked := *call
		asked.Inputs = call.Inputs.Clone()
		asked.Inputs.Set("trajectory", t.text(call.Adapter))
		outputs, err := module.Ask(ctx, &asked)
		if err == nil || !isFull(err) {
			return outputs, err
		}
		last = err
		const each = 4 // thought, tool name, arguments, observation
		if len(t.names) <= each {
			return nil, &tooLong{errOneAction, err}
		}
		call.Host.Emit(trace.Event{Kind: trace.Note, Reason: "the prompt does not fit into the model's context: the oldest action is left out"})
		t.names, t.values = t.names[each:], t.values[each:]
	}
	return nil, last
}

// tooLong is a prompt that stays too long: both why, and what the provider said.
type tooLong struct {
	why  error
	said error
}

func (e *tooLong) Error() string   { return e.why.Error() + ": " + e.said.Error() }
func (e *tooLong) Unwrap() []error { return []error{e.why, e.said} }

// isFull reports whether a prompt did not fit into the model's context.
func isFull(err error) bool {
	e := lm.AsError(err)
	return e != nil && e.ContextFull()
}
