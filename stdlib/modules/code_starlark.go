package modules

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/starlark"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/value"
)

// starlarkCode runs Starlark in this process. Each piece of code begins with the
// variables and functions of those before that did not fail.
type starlarkCode struct {
	call      *module.Call
	limits    codeLimits
	kept      *value.Object // variables; the step's inputs at first
	functions string        // definitions
}

func openStarlark(_ context.Context, call *module.Call, l codeLimits) (runner, error) {
	s := &starlarkCode{call: call, limits: l, kept: &value.Object{}}
	for name, v := range call.Inputs.All() {
		s.kept.Set(name, plainValue(v))
	}
	return s, nil
}

func (s *starlarkCode) close() {}

// was is what a variable is called on its way into a piece of code.
const was = "dspi_was_"

// errSubmitted ends code that called SUBMIT.
var errSubmitted = errors.New("submitted")

func (s *starlarkCode) run(ctx context.Context, code string) (*ran, error) {
	var head strings.Builder
	values := &value.Object{}
	for name, v := range s.kept.All() {
		values.Set(was+name, v)
		fmt.Fprintf(&head, "%s = %s%s\n", name, was, name)
	}
	head.WriteString(s.functions)
	var submitted *value.Object
	var ends error
	functions := map[string]starlark.Function{
		"SUBMIT": func(_ context.Context, args []any, named *value.Object) (any, error) {
			out, err := submission(s.call.Signature, args, named)
			if err == nil {
				submitted, err = out, errSubmitted
			}
			return nil, err
		},
	}
	for i, t := range s.call.Tools {
		functions[t.Name()] = func(ctx context.Context, args []any, named *value.Object) (any, error) {
			v, err := callFromCode(ctx, s.call, i, args, named)
			if err != nil && module.Ends(ctx, err) {
				ends = err
			}
			return v, err
		}
	}
	names, printed, err := starlark.Run(ctx, head.String()+code, values, functions, starlark.Limits{Time: s.limits.time, Memory: s.limits.memory})
	switch {
	case ends != nil:
		return nil, ends
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case submitted != nil:
		return &ran{text: printed, submitted: submitted}, nil
	case err != nil:
		return &ran{text: printed, fault: told(err, strings.Count(head.String(), "\n"))}, nil
	}
	s.kept = names
	s.functions += starlark.Definitions(code)
	return &ran{text: printed}, nil
}

// told is an error in words for the model, with lines of its own code.
func told(err error, before int) string {
	e, ok := errors.AsType[*starlark.Error](err)
	if !ok {
		return err.Error()
	}
	if line := e.Line - before; line > 0 {
		return fmt.Sprintf("line %d: %s", line, e.Message)
	}
	return e.Message
}

// fence is a block of code in a reply. The last is taken: models correct themselves.
var fence = regexp.MustCompile("(?s)```(?:starlark|python|py|bzl)?[ \t]*\n(.*?)(?:\n```|$)")

// starlarkOf is the code in what a model wrote as code.
func starlarkOf(text string) string {
	if all := fence.FindAllStringSubmatch(text, -1); all != nil {
		text = all[len(all)-1][1]
	}
	return strings.Trim(text, "\n")
}

// starlarkRules tell the model what it writes.
func (l codeLimits) starlarkRules() string {
	return fmt.Sprintf("The code is Starlark, a small dialect of Python. It has functions, `for`, `while`, recursion, comprehensions, "+
		"lists, dicts and sets, and the modules `math` and `json` without importing them, with `sum`, `round`, `pow`, `sorted`, `min`, `max`, `zip` and `enumerate`. "+
		"It has no `import`, classes, `try`, `with`, `yield`, f-strings (write `\"{}\".format(x)`), `**` (write `pow(a, b)`), `is` (write `==`), and a text is gone through with `s.elems()`. "+
		"There are no files, no network and no clock. It may run for %s and make %d MB of data.", l.time, l.memory>>20)
}

// typed names fields with their types.
func typedOutputs(sig *program.Signature) string {
	parts := make([]string, len(sig.Outputs))
	for i, f := range sig.Outputs {
		parts[i] = fmt.Sprintf("`%s` (%s)", f.Name, f.Type)
	}
	return strings.Join(parts, ", ")
}
