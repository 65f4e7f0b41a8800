package modules

import (
	"context"
	"fmt"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/lang/value"
)

var programOfThought = Entry{
	Module: universe.Module{
		Name: "program_of_thought", Python: true, Doc: "write code, run it, then answer",
		Settings: codeSettings("3"),
		Example: `program_of_thought respond {
  question: string -> answer: int
}`,
	},
	New: func() module.Module { return programmer{openPython} },
}

// programmer lets a model write code that computes the outputs, and write it again
// with the error when it fails. In Starlark what the code submits is the answer; in
// Python the model is asked for it once more, with DSPy's messages throughout
// (docs/decisions/0020-sandbox.md).
type programmer struct{ python openCode }

func (p programmer) Run(ctx context.Context, call *module.Call) (*value.Object, error) {
	code, err := startCode(ctx, call, p.python)
	if err != nil {
		return nil, err
	}
	defer code.close()
	if asksPython(call) {
		return thoughtAsDSPy(ctx, call, code)
	}
	return thoughtInStarlark(ctx, call, code)
}

// DSPy's predictors.
const (
	codeGenerate   = "code_generate.predict"
	codeRegenerate = "code_regenerate.predict"
	generateOutput = "generate_output.predict"
)

// Predictors are those of DSPy's ProgramOfThought; in Starlark the code gives the answer,
// and no last question reads it.
func (programmer) Predictors(call *module.Call) []module.Predictor {
	if asksPython(call) {
		return []module.Predictor{
			{Name: codeGenerate, Signature: thoughtSignature(call.Signature, "generate")},
			{Name: codeRegenerate, Signature: thoughtSignature(call.Signature, "regenerate")},
			{Name: generateOutput, Signature: thoughtSignature(call.Signature, "answer")},
		}
	}
	l, _ := limitsOf(call)
	return []module.Predictor{
		{Name: codeGenerate, Signature: starlarkSignature(call.Signature, l, false)},
		{Name: codeRegenerate, Signature: starlarkSignature(call.Signature, l, true)},
	}
}

func thoughtInStarlark(ctx context.Context, call *module.Call, code runner) (*value.Object, error) {
	l, err := limitsOf(call)
	if err != nil {
		return nil, err
	}
	most := call.Int("max_iters", 3)
	sig, predictor, inputs := starlarkSignature(call.Signature, l, false), codeGenerate, call.Inputs
	demos := demosWith(call.Demos, []string{"generated_code"}, []string{"previous_code"})
	for i := 1; ; i++ {
		said, err := askOwn(ctx, call, predictor, sig, inputs, demos)
		if err != nil {
			return nil, err
		}
		text := starlarkOf(textOf(said, "generated_code"))
		out, err := code.run(ctx, text)
		if err != nil {
			return nil, err
		}
		if out.submitted != nil {
			return out.submitted, nil
		}
		fault := out.fault
		if fault == "" {
			fault = "the code ended without SUBMIT(" + submitted(call.Signature) + ")"
		}
		if i == most {
			return nil, &codeless{most, fault}
		}
		if out.text != "" {
			fault += "\n\nIt printed:\n" + out.text
		}
		sig, predictor, inputs = starlarkSignature(call.Signature, l, true), codeRegenerate, call.Inputs.Clone()
		inputs.Set("previous_code", text)
		inputs.Set("error", fault)
		demos = demosWith(call.Demos, []string{"generated_code", "previous_code"}, nil)
	}
}

// starlarkSignature asks for code, or for better code.
func starlarkSignature(own *program.Signature, l codeLimits, again bool) *program.Signature {
	instructions := own.Instructions
	if instructions == "" {
		instructions = own.DefaultInstructions()
	}
	sig := &program.Signature{Inputs: own.Inputs[:len(own.Inputs):len(own.Inputs)]}
	lines := []string{
		instructions, "",
		fmt.Sprintf("Do not answer yourself: write code that computes %s.", typedOutputs(own)),
		l.starlarkRules(),
		fmt.Sprintf("The inputs are there as variables of their names: %s. End with SUBMIT(%s), which takes the outputs by their names and ends the code.", quoted(own.Inputs), submitted(own)),
	}
	if again {
		lines = append(lines, "The `previous_code` failed with `error`. Write all of the code again, with this put right.")
		sig.Inputs = append(sig.Inputs,
			types.Field{Name: "previous_code", Type: types.String, Description: "the code that failed"},
			types.Field{Name: "error", Type: types.String, Description: "why it failed"})
	}
	sig.Instructions = strings.Join(lines, "\n")
	sig.Outputs = []types.Field{{Name: "generated_code", Type: types.String, Description: "Starlark code that ends with SUBMIT"}}
	return withReasoning(sig)
}

// thoughtAsDSPy is DSPy's ProgramOfThought.
func thoughtAsDSPy(ctx context.Context, call *module.Call, code runner) (*value.Object, error) {
	most := call.Int("max_iters", 3)
	inputs := call.Inputs.Clone()
	sig, predictor := thoughtSignature(call.Signature, "generate"), codeGenerate
	demos := demosWith(call.Demos, []string{"generated_code"}, []string{"previous_code"})
	for i := 1; ; i++ {
		said, err := askOwn(ctx, call, predictor, sig, inputs, demos)
		if err != nil {
			return nil, err
		}
		text, fault := pythonOf(textOf(said, "generated_code"))
		var out *ran
		if fault == "" {
			if out, err = code.run(ctx, text); err != nil {
				return nil, err
			}
			fault = out.fault
		}
		if fault == "" {
			inputs.Set("final_generated_code", text)
			inputs.Set("code_output", out.text)
			return askLast(ctx, call, generateOutput, thoughtSignature(call.Signature, "answer"), inputs, demosWith(call.Demos, nil, []string{"generated_code"}))
		}
		if i == most {
			return nil, &codeless{most, fault}
		}
		inputs.Set("previous_code", text)
		inputs.Set("error", fault)
		sig, predictor = thoughtSignature(call.Signature, "regenerate"), codeRegenerate
		demos = demosWith(call.Demos, []string{"generated_code", "previous_code"}, nil)
	}
}

// thoughtSignature is that of one of DSPy's three predictors. The step's own
// instructions are not in it: DSPy leaves them out.
func thoughtSignature(own *program.Signature, mode string) *program.Signature {
	field := func(name, desc string) types.Field {
		return types.Field{Name: name, Type: types.String, Description: desc}
	}
	sig := &program.Signature{Inputs: own.Inputs[:len(own.Inputs):len(own.Inputs)]}
	generated := field("generated_code", "python code that answers the question")
	var lines []string
	switch mode {
	case "generate":
		sig.Outputs = []types.Field{generated}
		ins, outs := quoted(sig.Inputs), quoted(sig.Outputs)
		lines = []string{
			"You will be given " + ins + " and you will respond with " + outs + ".",
			"Generating executable Python code that programmatically computes the correct " + outs + ".",
			"After you're done with the computation and think you have the final output, make sure to submit your output by calling the preloaded function `SUBMIT()`.",
			`You must structure your output in a dict, like {"field_a": value_a, ...}, with the correct value mapping for the field(s): ` + quoted(own.Outputs) + ".",
		}
	case "regenerate":
		sig.Inputs = append(sig.Inputs, field("previous_code", "previously-generated python code that errored"), field("error", "error message from previously-generated python code"))
		sig.Outputs = []types.Field{generated}
		lines = []string{
			"You are given " + quoted(sig.Inputs) + " due to an error in previous code.",
			"Your task is to correct the error and provide the new `generated_code`.",
		}
	default:
		sig.Inputs = append(sig.Inputs, field("final_generated_code", "python code that answers the question"), field("code_output", "output of previously-generated python code"))
		sig.Outputs = own.Outputs
		lines = []string{"Given the final code " + quoted(sig.Inputs) + ", provide the final " + quoted(sig.Outputs) + "."}
	}
	sig.Instructions = strings.Join(lines, "\n")
	return withReasoning(sig)
}
