package dspi

import (
	"context"
	"errors"

	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib/retrievers"
	"github.com/dspi-lang/dspi/stdlib/tools"
)

// UseTool makes the Runtime call x where a program names the tool of an address,
// `tool.weather`: code in Go in place of the body that is declared, or of a built-in
// tool. The signature is that of x.
func (r *Runtime) UseTool(address string, x tool.Tool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.tools == nil {
		r.tools = map[string]tool.Tool{}
	}
	r.tools[address] = x
}

// tool returns a tool of the host or a built-in one; nil for one that does what its
// body says.
func (r *Runtime) tool(t *plan.Tool) (tool.Tool, error) {
	r.mu.Lock()
	x, ok := r.tools[t.Address]
	r.mu.Unlock()
	switch {
	case ok:
		return x, nil
	case t.Retriever != nil:
		description := ""
		if t.Retriever.Declared != nil {
			description = t.Retriever.Declared.Description
		}
		return retrievers.AsTool(t.Name, description, &onFirstUse{r, t.Retriever}, 0), nil
	case t.Declared != nil:
		return nil, nil
	}
	x, _ = tools.Builtin(t.Name, &r.bodies)
	return x, nil
}

// described is a tool that is known by what it is declared as, and cannot be called.
type described struct {
	name, description string
	signature         *program.Signature
}

func (d *described) Name() string                  { return d.name }
func (d *described) Description() string           { return d.description }
func (d *described) Signature() *program.Signature { return d.signature }
func (d *described) Call(context.Context, *value.Object) (*value.Object, error) {
	return nil, &tool.Broken{Tool: d.name, Err: errors.New("it is only described")}
}

// describedTool returns what a model is told of a tool before a run; nil for one that is
// not known.
func describedTool(t *plan.Tool) tool.Tool {
	switch {
	case t.Retriever != nil:
		description := ""
		if t.Retriever.Declared != nil {
			description = t.Retriever.Declared.Description
		}
		return retrievers.AsTool(t.Name, description, nil, 0)
	case t.Declared != nil:
		return &described{t.Name, t.Declared.Description, t.Declared.Signature}
	}
	x, _ := tools.Builtin(t.Name, &tools.Bodies{})
	return x
}

// onFirstUse is a retriever whose index is made when a model first searches it.
type onFirstUse struct {
	runtime *Runtime
	plan    *plan.Retriever
}

func (o *onFirstUse) Retrieve(ctx context.Context, query string, k int) ([]retrieve.Passage, error) {
	x, err := o.runtime.Retriever(ctx, o.plan)
	if err != nil {
		return nil, err
	}
	return x.Retrieve(ctx, query, k)
}
