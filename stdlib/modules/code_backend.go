package modules

import (
	"context"

	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/python"
)

// OpenCode starts the confined Python of program_of_thought and code_act for a call
// whose module DSPy does the work of: the one that the native modules have.
func OpenCode(ctx context.Context, call *module.Call) (python.Code, error) {
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
	return backendCode{&recordedRunner{r, &boxed, "python"}}, nil
}

// backendCode is a runner as DSPy is given it.
type backendCode struct{ runner }

func (c backendCode) Run(ctx context.Context, text string) (value, fault string, err error) {
	out, err := c.run(ctx, text)
	if err != nil {
		return "", "", err
	}
	return out.text, out.fault, nil
}

func (c backendCode) Close() { c.close() }
