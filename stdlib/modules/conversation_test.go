package modules_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/align"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/lm/lmtest"
	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/check"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/program/state"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/parser"
	"github.com/dspi-lang/dspi/stdlib"
)

// stage is what a module has around it in a test: a model that was told what to say,
// tools that are functions, and the events.
type stage struct {
	project *program.Project
	model   lm.LM
	tools   map[string]func(ctx context.Context, args *value.Object) (any, error)

	calls  atomic.Int64
	mu     sync.Mutex
	events []trace.Event
}

// stageOf checks a program.
func stageOf(t *testing.T, text string) *stage {
	t.Helper()
	project, diags := check.Check(parser.Parse(source.NewFile("test.dsp", text)), check.Options{Universe: stdlib.Universe()})
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	return &stage{project: project, tools: map[string]func(context.Context, *value.Object) (any, error){}}
}

// call is the call of the first step of the program, with its written settings.
func (s *stage) call(t *testing.T, inputs *value.Object) *module.Call {
	t.Helper()
	main, _ := s.project.Main()
	return s.callOf(t, main.Steps[0], inputs)
}

func (s *stage) callOf(t *testing.T, step *program.Step, inputs *value.Object) *module.Call {
	t.Helper()
	sig := *step.Signature
	fixed := func(v program.Value) any {
		if v.Expr == nil {
			return nil
		}
		code, err := v.Expr.Compile()
		if err != nil {
			t.Fatal(err)
		}
		x, err := code.Eval(t.Context(), func(string) (any, bool) { return nil, false })
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	sig.Instructions = step.Declared.Instructions
	if text, ok := fixed(step.Settings.Instructions).(string); ok {
		sig.Instructions = text
	}
	if sig.Instructions == "" {
		sig.Instructions = step.Declared.DefaultInstructions()
	}
	name := step.Settings.Adapter
	if name == "" {
		name = "chat"
	}
	adapter, _ := prompt.Lookup(name)
	c := &module.Call{
		Address: "program.test." + step.Name, Signature: &sig, Inputs: inputs, LM: s.model, Adapter: adapter,
		Mode: align.Repairing, Retries: 2, Settings: &value.Object{}, Host: s,
	}
	for _, o := range step.Options {
		for _, ref := range o.Refs {
			c.Tools = append(c.Tools, s.tool(t, ref))
		}
		if v := fixed(o.Value); o.Refs == nil && v != nil {
			c.Settings.Set(o.Name, v)
		}
	}
	return c
}

// tuned gives a call of the first step what a state has for the predictors inside its
// module. Values of demos that no field shows, as DSPy keeps them, are warnings.
func (s *stage) tuned(t *testing.T, c *module.Call, text []byte) {
	t.Helper()
	read, diags := state.Read(source.NewFile("state.json", string(text)))
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	if got := string(read.Write()); got != string(text) {
		t.Errorf("the state is written otherwise than DSPy wrote it:\n%s", got)
	}
	main, _ := s.project.Main()
	bound, diags := state.Bind(read, s.project, main)
	for _, d := range diags {
		if !strings.Contains(d.Error(), "values in demos that no field shows") {
			t.Error(d)
		}
	}
	c.Inner = map[string]*state.Step{}
	for _, x := range state.Inners(main.Steps[0]) {
		found := bound.Step(state.Path(main.Steps[0].Name, x.Path))
		if found == nil {
			t.Fatalf("%s is not bound", x.Name)
		}
		c.Inner[x.Name] = found
	}
	if len(c.Inner) != len(read.Predictors) {
		t.Errorf("%d predictors are bound of %d", len(c.Inner), len(read.Predictors))
	}
}

// tool is a declared tool whose body is a function of the test.
func (s *stage) tool(t *testing.T, ref string) tool.Tool {
	t.Helper()
	for _, d := range s.project.Tools {
		if d.Address() == ref {
			return &function{d, s.tools[d.Name]}
		}
	}
	t.Fatalf("no tool %s", ref)
	return nil
}

type function struct {
	declared *program.Tool
	run      func(context.Context, *value.Object) (any, error)
}

func (f *function) Name() string                  { return f.declared.Name }
func (f *function) Description() string           { return f.declared.Description }
func (f *function) Signature() *program.Signature { return f.declared.Signature }

func (f *function) Call(ctx context.Context, args *value.Object) (*value.Object, error) {
	v, err := f.run(ctx, args)
	if err != nil {
		return nil, err
	}
	if o, ok := v.(*value.Object); ok {
		return o, nil
	}
	return value.NewObject(f.declared.Signature.Outputs[0].Name, v), nil
}

// The stage is the module's host.

func (s *stage) Emit(e trace.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, e)
}

func (s *stage) NewCall() int { return int(s.calls.Add(1)) }

func (s *stage) Generate(ctx context.Context, m lm.LM, req *lm.Request) (*lm.Response, error) {
	return m.Generate(ctx, req)
}

// CallTool checks arguments as the machine does.
func (s *stage) CallTool(ctx context.Context, t tool.Tool, args *value.Object) (*value.Object, error) {
	s.Emit(trace.Event{Kind: trace.ToolStart, Tool: t.Name(), Inputs: args})
	checked := &value.Object{}
	var faults []value.Fault
	sig := t.Signature()
	for name := range args.All() {
		if _, ok := sig.Input(name); !ok {
			faults = append(faults, value.Fault{Loc: []any{name}, Msg: "there is no such input"})
		}
	}
	for _, f := range sig.Inputs {
		v, given := args.Get(f.Name)
		switch {
		case !given && f.HasDefault:
			checked.Set(f.Name, f.Default)
			continue
		case !given:
			faults = append(faults, value.Fault{Loc: []any{f.Name}, Msg: "this input is missing"})
			continue
		}
		x, bad := value.Check(f.Type, v, value.Lax)
		for _, b := range bad {
			b.Loc = append([]any{f.Name}, b.Loc...)
			faults = append(faults, b)
		}
		checked.Set(f.Name, x)
	}
	if faults != nil {
		return nil, &tool.Error{Tool: t.Name(), Text: "the arguments do not fit: " + value.Faults(faults)}
	}
	return t.Call(ctx, checked)
}

func (s *stage) Count(*lm.Response) {}
func (s *stage) Lost([]lm.Spent)    {}

// seen are the events of a kind.
func (s *stage) seen(kind trace.Kind) []trace.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []trace.Event
	for _, e := range s.events {
		if e.Kind == kind {
			out = append(out, e)
		}
	}
	return out
}

// withoutTools is a model that cannot ask for tools.
type withoutTools struct{ *lmtest.Recorder }

func (withoutTools) Features() lm.Features { return lm.Features{} }

// full is what a model says whose context is full.
func full() error {
	return &lm.Error{Kind: lm.KindRequest, Model: "test/scripted", Status: 400, Message: "This model's maximum context length is 100 tokens."}
}
