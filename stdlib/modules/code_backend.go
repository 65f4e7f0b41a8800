package modules

import (
	"context"

	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/python"
	"github.com/dspi-lang/dspi/interpreter/sandbox"
	"github.com/dspi-lang/dspi/lang/value"
)

// longest is how many characters a piece of code may print, and how many its value may
// have, where DSPy shows a model the ends of it only.
const longest = 1 << 20

// OpenCode starts the confined Python of program_of_thought and code_act for a call
// whose module DSPy does the work of: the one that the native modules have. Functions
// of DSPy's stand above the tools of the step that have their names.
func OpenCode(ctx context.Context, call *module.Call, o python.CodeOptions) (python.Code, error) {
	boxed := *call
	boxed.Tools = boxOf(call.Tools).tools
	l, err := limitsOf(call)
	if err != nil {
		return nil, err
	}
	r, err := openPython(ctx, &boxed, l)
	if err != nil {
		return nil, err
	}
	p := r.(*pythonCode)
	if len(o.Functions) > 0 || len(o.Outputs) > 0 {
		p.options.Limits.Output, p.options.Limits.Value = longest, longest
	}
	p.options.Outputs, p.options.Parameters = o.Outputs, map[string][]sandbox.Parameter{}
	for _, f := range o.Functions {
		p.options.Functions[f.Name] = func(ctx context.Context, args []any, named *value.Object) (any, error) {
			return o.Call(ctx, f.Name, args, named)
		}
		if f.Parameters == nil {
			continue
		}
		declared := make([]sandbox.Parameter, len(f.Parameters))
		for i, x := range f.Parameters {
			declared[i] = sandbox.Parameter{Name: x.Name, Needed: x.Default == nil}
			if x.Default != nil {
				if declared[i].Default, err = value.DecodeJSON(x.Default); err != nil {
					return nil, err
				}
			}
		}
		p.options.Parameters[f.Name] = declared
	}
	return &backendCode{&recordedRunner{p, &boxed, "python"}, p}, nil
}

// backendCode is a runner as DSPy is given it.
type backendCode struct {
	runner
	python *pythonCode
}

func (c *backendCode) Run(ctx context.Context, piece python.Piece) (*python.Outcome, error) {
	if piece.Variables != nil {
		c.python.kept = piece.Variables
	}
	out, err := c.run(ctx, piece.Text)
	if err != nil {
		return nil, err
	}
	return &python.Outcome{Value: out.text, Final: out.final, Fault: out.fault}, nil
}

func (c *backendCode) Close() { c.close() }
