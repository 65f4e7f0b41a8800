package modules

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/lang/value"
)

// What program_of_thought and code_act share: code that a model wrote is run, in
// Starlark in this process or in Python in a confined one (code_starlark.go,
// code_python.go), and ends with SUBMIT, a value, or a fault that the model is told.

// codeSettings are those of a module that runs code, with its default of max_iters.
func codeSettings(maxIters string) []universe.Setting {
	return []universe.Setting{
		{Name: "language", Kind: universe.Choice, Choices: []string{"starlark", "python"}, Doc: "What the model writes: Starlark, run here within limits, or Python, run in a confined process with DSPy's messages.", Default: "starlark", Fixed: true},
		{Name: "max_iters", Kind: universe.Integer, Doc: "How often it may write code.", Default: maxIters, Min: bound(1), Max: bound(100)},
		{Name: "timeout", Kind: universe.Duration, Doc: "The longest that one piece of code may take; tools that it calls do not count.", Default: "10s", Fixed: true},
		{Name: "memory", Kind: universe.Integer, Doc: "How many megabytes the code may take.", Default: "256", Min: bound(16), Max: bound(65536), Fixed: true},
		{Name: "sandbox", Kind: universe.Choice, Choices: []string{"auto", "bubblewrap", "landlock", "none"}, Doc: "How Python is confined; `none` runs it with your rights.", Default: "auto", Fixed: true},
	}
}

// codeLimited are the settings of a class of DSPy's whose model writes code.
func codeLimited() []universe.Setting {
	all := codeSettings("")
	memory, sandbox := all[3], all[4]
	memory.Doc = "How many megabytes code that its model writes may take, with the inputs."
	sandbox.Doc = "How that code is confined; `none` runs it with your rights."
	return []universe.Setting{memory, sandbox}
}

// limits of the code of a call.
type codeLimits struct {
	time   time.Duration
	memory int // bytes
}

func limitsOf(call *module.Call) (codeLimits, error) {
	l := codeLimits{memory: call.Int("memory", 256) << 20}
	text := call.Text("timeout", "10s")
	var err error
	if l.time, err = time.ParseDuration(text); err == nil && l.time <= 0 {
		err = errors.New("it is not above zero")
	}
	if err != nil {
		return l, fmt.Errorf("the `timeout` %q is no duration such as \"10s\": %w", text, err)
	}
	return l, nil
}

// runner runs one piece of code after another and keeps its variables.
type runner interface {
	// run returns what came of code. The error is one that ends the step.
	run(ctx context.Context, code string) (*ran, error)
	close()
}

// idleRunner runs nothing: no model writes code that could be run.
type idleRunner struct{}

func (idleRunner) run(context.Context, string) (*ran, error) { return &ran{}, nil }
func (idleRunner) close()                                    {}

// ran is what came of code.
type ran struct {
	text      string // for the model: what it gave or printed
	fault     string // why it failed; "" when it did not
	submitted *value.Object
	final     bool // Python gave the text to SUBMIT
}

// openCode starts what runs the code of a call.
type openCode func(ctx context.Context, call *module.Call, l codeLimits) (runner, error)

// recordedRunner puts what is run into the trace.
type recordedRunner struct {
	runner
	call *module.Call
	name string // of the language
}

func (r *recordedRunner) run(ctx context.Context, code string) (*ran, error) {
	number := r.call.Host.NewCall()
	r.call.Host.Emit(trace.Event{Kind: trace.ToolStart, Call: number, Tool: r.name, Inputs: value.NewObject("code", code)})
	start := time.Now()
	out, err := r.runner.run(ctx, code)
	end := trace.Event{Kind: trace.ToolEnd, Call: number, Tool: r.name, Duration: time.Since(start), Err: err}
	switch {
	case err != nil:
	case out.fault != "":
		end.Err = errors.New(out.fault)
	case out.submitted != nil:
		end.Outputs = value.NewObject("submitted", out.submitted, "output", out.text)
	default:
		end.Outputs = value.NewObject("output", out.text)
	}
	r.call.Host.Emit(end)
	return out, err
}

// startCode starts the runner of a call in its language.
func startCode(ctx context.Context, call *module.Call, python openCode) (runner, error) {
	l, err := limitsOf(call)
	if err != nil {
		return nil, err
	}
	language, open := "starlark", openCode(openStarlark)
	if asksPython(call) {
		language, open = "python", python
	}
	if module.IsUnanswered(ctx) {
		return idleRunner{}, nil
	}
	r, err := open(ctx, call, l)
	if err != nil {
		return nil, err
	}
	return &recordedRunner{r, call, language}, nil
}

func asksPython(call *module.Call) bool { return call.Text("language", "starlark") == "python" }

// callFromCode calls a tool with the arguments that code gave: those without a name
// are the inputs in their order.
func callFromCode(ctx context.Context, call *module.Call, i int, args []any, named *value.Object) (any, error) {
	t := call.Tools[i]
	given := named.Clone()
	inputs := t.Signature().Inputs
	if len(args) > len(inputs) {
		return nil, fmt.Errorf("%s takes %d arguments, not %d", t.Name(), len(inputs), len(args))
	}
	for k, v := range args {
		name := inputs[k].Name
		if _, twice := given.Get(name); twice {
			return nil, fmt.Errorf("%s is given `%s` twice", t.Name(), name)
		}
		given.Set(name, v)
	}
	outputs, err := called(ctx, call, t, withoutNulls(t, given))
	if err != nil {
		if module.Ends(ctx, err) {
			return nil, err
		}
		return nil, errors.New(failure(err))
	}
	return plainValue(observed(t, outputs)), nil
}

// plainValue leaves of a value what code can hold.
func plainValue(v any) any {
	switch v := v.(type) {
	case nil, bool, int, float64, string:
		return v
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plainValue(v[i])
		}
		return out
	case *value.Object:
		out := value.MakeObject(v.Len())
		for name, x := range v.All() {
			out.Set(name, plainValue(x))
		}
		return out
	}
	return prompt.Text(v)
}

// submission reads what SUBMIT was given into the outputs of a signature, or says
// what does not fit.
func submission(sig *program.Signature, args []any, named *value.Object) (*value.Object, error) {
	given := named
	if len(args) == 1 && named.Len() == 0 {
		if o, ok := args[0].(*value.Object); ok {
			given = o
		} else if len(sig.Outputs) == 1 {
			given = value.NewObject(sig.Outputs[0].Name, args[0])
		}
	}
	want := "SUBMIT(" + submitted(sig) + ")"
	if given == named && len(args) > 0 {
		return nil, fmt.Errorf("give the outputs by name: %s", want)
	}
	out := value.MakeObject(len(sig.Outputs))
	var faults []value.Fault
	for name := range given.All() {
		if _, ok := sig.Output(name); !ok {
			faults = append(faults, value.Fault{Loc: []any{name}, Msg: "there is no such output; call " + want})
		}
	}
	for _, f := range sig.Outputs {
		v, ok := given.Get(f.Name)
		if !ok {
			faults = append(faults, value.Fault{Loc: []any{f.Name}, Msg: "it is missing; call " + want})
			continue
		}
		x, bad := value.Check(f.Type, v, value.Lax)
		for _, b := range bad {
			b.Loc = append([]any{f.Name}, b.Loc...)
			faults = append(faults, b)
		}
		out.Set(f.Name, x)
	}
	if faults != nil {
		return nil, errors.New("what SUBMIT was given does not fit: " + value.Faults(faults))
	}
	return out, nil
}

// submitted is `answer = …, sources = …`.
func submitted(sig *program.Signature) string {
	names := make([]string, len(sig.Outputs))
	for i, f := range sig.Outputs {
		names[i] = f.Name + " = …"
	}
	return strings.Join(names, ", ")
}

// askOwn asks a question of the module's own: what was refused of an earlier answer
// is told in words, since that answer is none of this question.
func askOwn(ctx context.Context, call *module.Call, predictor string, sig *program.Signature, inputs *value.Object, demos []prompt.Demo) (*value.Object, error) {
	c := *call
	c.Predictor, c.Signature, c.Inputs, c.Demos = predictor, sig, inputs, demos
	c.Stream, c.Watch, c.Feedback = false, nil, nil
	for _, f := range call.Feedback {
		c.Feedback = append(c.Feedback, module.Feedback{Messages: f.Messages})
	}
	return module.Ask(ctx, &c)
}

// askLast asks for the outputs of the step, behind a reasoning.
func askLast(ctx context.Context, call *module.Call, predictor string, sig *program.Signature, inputs *value.Object, demos []prompt.Demo) (*value.Object, error) {
	c := *call
	c.Predictor, c.Signature, c.Inputs, c.Demos = predictor, sig, inputs, demos
	all, err := module.Ask(ctx, &c)
	if err != nil {
		return nil, err
	}
	outputs := value.MakeObject(len(call.Signature.Outputs))
	for _, f := range call.Signature.Outputs {
		v, _ := all.Get(f.Name)
		outputs.Set(f.Name, v)
	}
	return outputs, nil
}

// withReasoning puts a reasoning before the outputs, as ChainOfThought does.
func withReasoning(sig *program.Signature) *program.Signature {
	out := *sig
	if _, has := sig.Output("reasoning"); !has {
		out.Outputs = append([]types.Field{{Name: "reasoning", Type: types.String}}, sig.Outputs...)
	}
	return &out
}

// demosWith are the demos that have all of some fields and none of others.
func demosWith(demos []prompt.Demo, has, lacks []string) []prompt.Demo {
	var out []prompt.Demo
next:
	for _, d := range demos {
		for _, name := range has {
			if _, ok := d.Get(name); !ok {
				continue next
			}
		}
		for _, name := range lacks {
			if _, ok := d.Get(name); ok {
				continue next
			}
		}
		out = append(out, d)
	}
	return out
}

func textOf(o *value.Object, name string) string {
	v, _ := o.Get(name)
	s, _ := v.(string)
	return s
}

// codeless says that no piece of code gave an answer.
type codeless struct {
	iters int
	fault string
}

func (e *codeless) Error() string {
	times := fmt.Sprintf("%d pieces of code", e.iters)
	if e.iters == 1 {
		times = "one piece of code"
	}
	return fmt.Sprintf("the model wrote %s and none gave an answer; the last failed: %s", times, e.fault)
}

// Advice is a way out.
func (*codeless) Advice() string {
	return "let it write more often with `max_iters`, give the code more with `timeout` and `memory`, or try `language = \"python\"`"
}
