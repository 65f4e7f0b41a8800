package modules

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/lang/value"
)

var codeAct = Entry{
	Module: universe.Module{
		Name: "code_act", Python: true, Doc: "act by writing code that calls tools",
		Settings: append([]universe.Setting{
			{Name: "tools", Kind: universe.ToolList, Required: true, Doc: "What the code may call, as functions.", Fixed: true},
		}, codeSettings("5")...),
		Example: `code_act agent {
  tools     = [tool.calculator]
  max_iters = 4
}`,
	},
	New: func() module.Module { return codeActor{openPython} },
}

// codeActor lets a model act by code that calls tools as functions; variables stay
// from one piece to the next. In Starlark SUBMIT ends it with the answer; in Python
// the model says that it has finished, and a further question reads the answer from
// what happened, with DSPy's messages.
type codeActor struct{ python openCode }

// DSPy's predictors.
const (
	codeActNext    = "codeact"
	codeActExtract = "extractor.predict"
)

// Predictors are those of DSPy's CodeAct.
func (codeActor) Predictors(call *module.Call) []module.Predictor {
	boxed, sig := *call, instructed(call.Signature)
	boxed.Tools = boxOf(call.Tools).tools
	act := actAsDSPy(sig, &boxed)
	if !asksPython(call) {
		l, _ := limitsOf(call)
		act = actInStarlark(sig, &boxed, l)
	}
	return []module.Predictor{{Name: codeActNext, Signature: act}, {Name: codeActExtract, Signature: extractSignature(sig)}}
}

func (a codeActor) Run(ctx context.Context, call *module.Call) (*value.Object, error) {
	boxed := *call
	boxed.Tools = boxOf(call.Tools).tools
	call = &boxed
	code, err := startCode(ctx, call, a.python)
	if err != nil {
		return nil, err
	}
	defer code.close()
	l, err := limitsOf(call)
	if err != nil {
		return nil, err
	}
	sig := *instructed(call.Signature)
	act, python := actInStarlark(&sig, call, l), asksPython(call)
	if python {
		act = actAsDSPy(&sig, call)
	}
	var t trajectory
	demos := demosWith(call.Demos, []string{"generated_code"}, nil)
	for i, most := 0, call.Int("max_iters", 5); i < most; i++ {
		inputs := call.Inputs.Clone()
		inputs.Set("trajectory", t.object())
		said, err := askOwn(ctx, call, codeActNext, act, inputs, demos)
		if err != nil {
			return nil, err
		}
		text, fault := starlarkOf(textOf(said, "generated_code")), ""
		if python {
			text, fault = pythonOf(textOf(said, "generated_code"))
		}
		if fault != "" {
			t.add(i, "observation", "Failed to parse the generated code: "+fault)
			continue
		}
		t.add(i, "generated_code", text)
		out, err := code.run(ctx, text)
		switch {
		case err != nil:
			return nil, err
		case out.submitted != nil:
			return out.submitted, nil
		case out.fault != "":
			if !python && out.text != "" {
				t.add(i, "code_output", out.text)
			}
			t.add(i, "observation", "Failed to execute the generated code: "+out.fault)
		default:
			t.add(i, "code_output", out.text)
		}
		if finished, _ := said.Get("finished"); finished == true {
			break
		}
	}
	extract := *call
	extract.Predictor = codeActExtract
	extract.Signature = extractSignature(&sig)
	extract.Demos = demosWith(call.Demos, nil, []string{"generated_code"})
	all, err := t.ask(ctx, &extract)
	if err != nil {
		return nil, err
	}
	outputs := value.MakeObject(len(sig.Outputs))
	for _, f := range sig.Outputs {
		v, _ := all.Get(f.Name)
		outputs.Set(f.Name, v)
	}
	return outputs, nil
}

// object is the trajectory as one value.
func (t *trajectory) object() *value.Object {
	o := value.MakeObject(len(t.names))
	for i, name := range t.names {
		o.Set(name, t.values[i])
	}
	return o
}

// toolLines are the tools, numbered.
func toolLines(call *module.Call) []string {
	var lines []string
	for i, t := range call.Tools {
		lines = append(lines, "("+strconv.Itoa(i+1)+") "+prompt.ToolLine(t.Name(), t.Description(), t.Signature().Inputs))
	}
	return lines
}

// actAsDSPy is the signature of DSPy's predictor `codeact`.
func actAsDSPy(sig *program.Signature, call *module.Call) *program.Signature {
	inputs, outputs := quoted(sig.Inputs), quoted(sig.Outputs)
	lines := []string{
		sig.Instructions + "\n",
		"You are an intelligent agent. For each episode, you will receive the fields " + inputs + " as input.\n" +
			"Your goal is to generate executable Python code that collects any necessary information for producing " + outputs + ".\n" +
			"For each iteration, you will generate a code snippet that either solves the task or progresses towards the solution.\n" +
			"Ensure any output you wish to extract from the code is printed to the console. The code should be enclosed in a fenced code block.\n" +
			"When all information for producing the outputs (" + outputs + ") are available to be extracted, mark `finished=True` besides the final Python code.\n" +
			"You have access to the Python Standard Library and the following functions:",
	}
	return &program.Signature{
		Instructions: strings.Join(append(lines, toolLines(call)...), "\n"),
		Inputs:       withTrajectory(sig.Inputs),
		Outputs: []types.Field{
			{Name: "generated_code", Type: types.String, Description: "Python code that when executed, produces output relevant to answering the question"},
			{Name: "finished", Type: types.Bool, Description: "a boolean flag to determine if the process is done"},
		},
	}
}

// actInStarlark is the signature of the question for code in Starlark.
func actInStarlark(sig *program.Signature, call *module.Call, l codeLimits) *program.Signature {
	lines := []string{
		sig.Instructions, "",
		fmt.Sprintf("Do not answer yourself: work towards %s by writing code, one piece in each turn. Each is run, and `trajectory` shows what all of them printed or why they failed.", typedOutputs(sig)),
		l.starlarkRules(),
		fmt.Sprintf("The inputs are there as variables of their names: %s. Variables and functions of a piece that did not fail are there in the next.", quoted(sig.Inputs)),
		fmt.Sprintf("Print what you need to see. As soon as the outputs are known, call SUBMIT(%s), which takes them by their names and ends the work.", submitted(sig)),
		"The code can call these functions:",
	}
	return withReasoning(&program.Signature{
		Instructions: strings.Join(append(lines, toolLines(call)...), "\n"),
		Inputs:       withTrajectory(sig.Inputs),
		Outputs:      []types.Field{{Name: "generated_code", Type: types.String, Description: "the next piece of Starlark code"}},
	})
}
