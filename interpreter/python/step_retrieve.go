package python

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// What the code of a step may search: the retrievers among its `tools`.

// retrieverNames returns their names: wiki for retriever.wiki.
func retrieverNames(op *plan.Op) []string {
	var out []string
	for _, t := range op.Tools {
		if t.Retriever != nil {
			out = append(out, retrieverName(t.Retriever))
		}
	}
	return out
}

func retrieverName(r *plan.Retriever) string { return strings.TrimPrefix(r.Address, "retriever.") }

// Searcher is a tool that searches a retriever.
type Searcher interface {
	tool.Tool
	Searches() retrieve.Retriever
}

// retrieve searches for the code of the step. It is a call of a tool: the trace and
// the journal see it.
func (h *stepHost) retrieve(ctx context.Context, args json.RawMessage) (json.RawMessage, error) {
	var a struct {
		Name  string `json:"name"`
		Query string `json:"query"`
		K     int    `json:"k"`
	}
	if err := json.Unmarshal(args, &a); err != nil {
		return nil, fmt.Errorf("the query cannot be read: %w", err)
	}
	for i, t := range h.step.op.Tools {
		if t.Retriever == nil || retrieverName(t.Retriever) != a.Name || i >= len(h.call.Tools) {
			continue
		}
		s, ok := h.call.Tools[i].(Searcher)
		if !ok {
			break
		}
		out, err := h.call.Host.CallTool(ctx, search{s}, value.NewObject("query", a.Query, "k", a.K))
		if err != nil {
			return nil, err
		}
		return value.EncodeJSON(out), nil
	}
	return nil, &tool.Error{Tool: a.Name, Text: fmt.Sprintf("the step has no retriever `%s`", a.Name)}
}

// search gives passages as Python's code has them.
type search struct{ Searcher }

var searchSignature = &program.Signature{
	Inputs:  []types.Field{{Name: "query", Type: types.String}, {Name: "k", Type: types.Int}},
	Outputs: []types.Field{{Name: "passages", Type: &types.List{Elem: types.JSON}}},
}

// Signature takes k, too.
func (search) Signature() *program.Signature { return searchSignature }

// Call searches.
func (s search) Call(ctx context.Context, args *value.Object) (*value.Object, error) {
	query, _ := args.Get("query")
	text, _ := query.(string)
	n, _ := args.Get("k")
	k, _ := n.(int)
	found, err := s.Searches().Retrieve(ctx, text, k)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &tool.Error{Tool: s.Name(), Text: err.Error(), Err: err}
	}
	passages := make([]any, len(found))
	for i, p := range found {
		o := value.NewObject("id", p.ID, "title", p.Title, "text", p.Text, "long_text", p.Whole(), "score", p.Score)
		if p.Meta != nil {
			o.Set("meta", p.Meta)
		}
		passages[i] = o
	}
	return value.NewObject("passages", passages), nil
}

// inputTypes are the types of what is given to Python: of a metric, whose row and
// outputs are of any type, those of the program that it measures.
func inputTypes(op *plan.Op, call *module.Call) []types.Field {
	m := op.Step.Measures
	if m == nil {
		return call.Signature.Inputs
	}
	outputs := m.Signature.Outputs
	row := append(append([]types.Field{}, m.Signature.Inputs...), outputs...)
	return []types.Field{
		{Name: "example", Type: &types.Record{Fields: row}},
		{Name: "prediction", Type: &types.Record{Fields: outputs}},
	}
}
