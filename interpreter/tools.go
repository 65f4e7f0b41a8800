package interpreter

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/value"
)

// maxToolDepth is how deep tools that are programs may call each other.
const maxToolDepth = 16

// tool makes a tool ready to be called by a step: one that Env.Tool knows, else
// what its body says. By is the call of the step: its model answers where a function
// in Python asks one.
func (f *frame) tool(t *plan.Tool, h *host, by *module.Call) (tool.Tool, error) {
	if f.run.env.Tool != nil {
		x, err := f.run.env.Tool(t)
		if err != nil {
			return nil, err
		}
		if r, ok := x.(tool.Reader); ok {
			return f.inFolder(r)
		}
		if x != nil {
			return x, nil
		}
	}
	if t.Declared == nil {
		return nil, fmt.Errorf("nothing here runs `%s`", t.Address)
	}
	return f.run.declaredTool(t, h, by)
}

// inFolder gives a tool that reads files the folder of the program.
func (f *frame) inFolder(r tool.Reader) (tool.Tool, error) {
	p := f.plan.Checked
	if p.LocalFiles == "" {
		return nil, fmt.Errorf("it reads files, and `program.%s` names no folder whose files may be read: local_files = \"…\"", p.Name)
	}
	if f.run.env.Files == nil {
		return nil, errors.New("nothing here reads files")
	}
	folder, err := f.run.env.Files(p)
	if err != nil {
		return nil, err
	}
	return r.In(folder), nil
}

// retriever opens what a step searches.
func (r *run) retriever(ctx context.Context, x *plan.Retriever) (retrieve.Retriever, error) {
	if r.env.Retriever == nil {
		return nil, errors.New("nothing here searches")
	}
	return r.env.Retriever(ctx, x)
}

// callTool checks arguments, calls a tool and checks what it gives.
func (h *host) callTool(ctx context.Context, t tool.Tool, given *value.Object) (out *value.Object, err error) {
	start, number := time.Now(), h.NewCall()
	args, repairs, wrong := toolArguments(t, given)
	h.Emit(trace.Event{Kind: trace.ToolStart, Call: number, Tool: t.Name(), Inputs: args, Repairs: repairs})
	defer func() {
		h.Emit(trace.Event{Kind: trace.ToolEnd, Call: number, Tool: t.Name(), Outputs: out, Duration: time.Since(start), Err: err})
	}()
	if wrong != nil {
		return nil, wrong
	}
	out, err = h.keptCall(retrieve.WithRunner(retrieve.WithCounter(ctx, h), h.program), t, args)
	if err != nil {
		return nil, toolFailure(ctx, t, err)
	}
	return toolOutputs(t, out)
}

// toolFailure brings the failure of a call into the form that callers expect: a
// *tool.Error for the model, unless the run ends or waits.
func toolFailure(ctx context.Context, t tool.Tool, err error) error {
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	var told *tool.Error
	if tool.Ends(err) || errors.As(err, &told) {
		return err
	}
	return &tool.Error{Tool: t.Name(), Text: err.Error(), Err: err}
}

// toolFault words a tool that cannot be called at all.
func toolFault(op *plan.Op, t *plan.Tool, err error) error {
	return diag.New("E0632", op.Step.Place, fmt.Sprintf("`%s` may call `%s`", op.Name, t.Address)).Say("The tool `%s` cannot be called: %s", t.Address, err.Error())
}

// retrieverFault words a retriever that cannot be searched.
func retrieverFault(op *plan.Op, err error) error {
	var d *diag.Diagnostic
	switch {
	case errors.As(err, &d):
		return d
	case lm.AsError(err) != nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return modelFault(op, err) // of the embedder
	}
	d = diag.New("E0633", op.Step.Place, "`"+op.Name+"` searches passages")
	if op.Retriever != nil && op.Retriever.Declared != nil {
		d.Relate(op.Retriever.Declared.Place, "in `%s`", op.Retriever.Address)
	}
	var e *retrieve.Error
	if !errors.As(err, &e) {
		return d.Say("%s.", sentence(err.Error()))
	}
	d.Say("%s.", sentence(e.Text))
	if e.Hint != "" {
		d.Hint("%s", e.Hint)
	}
	return d
}

// sentence begins a text with a capital, unless it begins with a name.
func sentence(text string) string {
	text = strings.TrimSuffix(text, ".")
	switch word, _, _ := strings.Cut(text, " "); word {
	case "line", "row", "no", "there", "the", "two", "method", "nothing", "it":
		return upper(text)
	}
	return text
}
