package interpreter

import (
	"context"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/lang/value"
)

// where returns what the setting `where` of an operation keeps of the passages that
// it searches. Two runs have one filter where all that the condition reads is equal.
func (f *frame) where(op *plan.Op) retrieve.Filter {
	for _, o := range op.Step.Options {
		if !o.Passages || o.Value.Expr == nil {
			continue
		}
		v := o.Value
		var key strings.Builder
		key.WriteString(v.Expr.Text())
		for _, r := range v.Expr.Refs() {
			if r.Root == "passage" {
				continue
			}
			x, _ := f.lookup(r.Root)
			key.WriteString("\x00" + r.Root + "=")
			key.Write(value.EncodeJSON(x))
		}
		return retrieve.Filter{Key: key.String(), Keep: func(ctx context.Context, p retrieve.Passage) (bool, error) {
			code, err := v.Expr.Compile()
			if err != nil {
				return false, expressionFault(v, err)
			}
			x, err := code.Eval(ctx, func(root string) (any, bool) {
				if root == "passage" {
					return retrieve.Facts(p), true
				}
				return f.lookup(root)
			}, f.run.env.Functions...)
			if err != nil {
				return false, expressionFault(v, err)
			}
			keep, _ := x.(bool)
			return keep, nil
		}}
	}
	return retrieve.Filter{}
}

// inRun is a retriever whose programs run as parts of a run.
type inRun struct {
	from retrieve.Retriever
	host *host
}

func (x inRun) Retrieve(ctx context.Context, query string, k int) ([]retrieve.Passage, error) {
	return x.from.Retrieve(retrieve.WithRunner(ctx, x.host.program), query, k)
}

func (x inRun) RetrieveWhere(ctx context.Context, query string, k int, where retrieve.Filter) ([]retrieve.Passage, error) {
	return retrieve.Search(retrieve.WithRunner(ctx, x.host.program), x.from, query, k, where)
}

// program runs a program for a retriever, within the step.
func (h *host) program(ctx context.Context, p any, inputs *value.Object) (*value.Object, error) {
	return h.run.plan(ctx, p.(*plan.Plan), inputs, caller{path: h.path, step: h.step})
}
