package interpreter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/value"
)

// tool makes a tool ready to be called by a step.
func (r *run) tool(t *plan.Tool, h *host) (tool.Tool, error) {
	if r.env.Tool == nil {
		return nil, errors.New("nothing here runs tools")
	}
	return r.env.Tool(t)
}

// retriever opens what a step searches.
func (r *run) retriever(ctx context.Context, x *plan.Retriever) (retrieve.Retriever, error) {
	if r.env.Retriever == nil {
		return nil, errors.New("nothing here searches")
	}
	return r.env.Retriever(ctx, x)
}

// callTool checks arguments and calls a tool.
func (h *host) callTool(ctx context.Context, t tool.Tool, args *value.Object) (out *value.Object, err error) {
	start, number := time.Now(), h.NewCall()
	h.Emit(trace.Event{Kind: trace.ToolStart, Call: number, Tool: t.Name(), Inputs: args})
	defer func() {
		h.Emit(trace.Event{Kind: trace.ToolEnd, Call: number, Tool: t.Name(), Outputs: out, Duration: time.Since(start), Err: err})
	}()
	return t.Call(ctx, args)
}

// toolFault words a tool that cannot be called at all.
func toolFault(op *plan.Op, t *plan.Tool, err error) error {
	return diag.New("E0632", op.Step.Place, fmt.Sprintf("`%s` may call `%s`", op.Name, t.Address)).Say("%s", err.Error())
}

// retrieverFault words a retriever that cannot be searched.
func retrieverFault(op *plan.Op, err error) error {
	var d *diag.Diagnostic
	if errors.As(err, &d) {
		return d
	}
	return diag.New("E0633", op.Step.Place, "`"+op.Name+"` searches it").Say("%s", err.Error())
}
