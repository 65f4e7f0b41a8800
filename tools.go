package dspi

import (
	"context"

	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/interpreter/tool"
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
