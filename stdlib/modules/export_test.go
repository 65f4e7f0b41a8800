package modules

import (
	"context"

	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/lang/value"
)

// WithPython returns a module whose code in Python comes to what run says: a text, or
// a fault. Call calls a tool by its place.
func WithPython(name string, run func(code string, call func(tool int, args []any, named *value.Object) (any, error)) (text, fault string)) module.Module {
	open := func(ctx context.Context, call *module.Call, _ codeLimits) (runner, error) {
		return sayer{func(code string) (string, string) {
			return run(code, func(tool int, args []any, named *value.Object) (any, error) {
				return callFromCode(ctx, call, tool, args, named)
			})
		}}, nil
	}
	if name == "code_act" {
		return codeActor{open}
	}
	return programmer{open}
}

type sayer struct {
	say func(code string) (text, fault string)
}

func (r sayer) run(_ context.Context, code string) (*ran, error) {
	text, fault := r.say(code)
	return &ran{text: text, fault: fault}, nil
}

func (sayer) close() {}
