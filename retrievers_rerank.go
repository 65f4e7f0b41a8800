package dspi

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/lang/value"
)

// reranked puts the program that orders what was found anew around a retriever.
func (r *Runtime) reranked(x retrieve.Retriever, p *plan.Retriever) retrieve.Retriever {
	if p.Rerank == nil {
		return x
	}
	return &reranker{r, p, x}
}

// reranker is a retriever whose passages a program orders.
type reranker struct {
	runtime *Runtime
	plan    *plan.Retriever
	from    retrieve.Retriever
}

func (x *reranker) Retrieve(ctx context.Context, query string, k int) ([]retrieve.Passage, error) {
	return x.RetrieveWhere(ctx, query, k, retrieve.Filter{})
}

// RetrieveWhere asks for more passages than are wanted, and gives the first of what
// the program makes of them.
func (x *reranker) RetrieveWhere(ctx context.Context, query string, k int, where retrieve.Filter) ([]retrieve.Passage, error) {
	if k <= 0 {
		if k = x.plan.K; k <= 0 {
			k = retrieve.DefaultK
		}
	}
	if within, _ := ctx.Value(rerankKey{}).(*plan.Retriever); within == x.plan {
		return nil, &retrieve.Error{Retriever: x.plan.Address, Text: "program." + x.plan.Rerank.Program + " reranks it and searches it, too, which would never end"}
	}
	found, err := retrieve.Search(ctx, x.from, query, retrieve.Candidates(x.plan.Candidates, k), where)
	if err != nil || len(found) == 0 {
		return found, err
	}
	texts := make([]any, len(found))
	for i, p := range found {
		texts[i] = p.Whole()
	}
	run := retrieve.Runner(ctx)
	if run == nil {
		run = func(ctx context.Context, program any, inputs *value.Object) (*value.Object, error) {
			in := map[string]any{}
			for name, v := range inputs.All() {
				in[name] = v
			}
			res, err := x.runtime.Run(ctx, program.(*plan.Plan), in)
			if err != nil {
				return nil, err
			}
			return res.Outputs, nil
		}
	}
	out, err := run(context.WithValue(ctx, rerankKey{}, x.plan), x.plan.Rerank, value.NewObject("query", query, "passages", texts))
	if err != nil {
		return nil, err
	}
	found, err = x.ordered(found, out)
	return found[:min(k, len(found))], err
}

type rerankKey struct{}

// ordered puts passages in the order that a program gives. Those that an order does
// not name come behind, as they were; scores are the program's.
func (x *reranker) ordered(found []retrieve.Passage, out *value.Object) ([]retrieve.Passage, error) {
	wrong := func(format string, args ...any) error {
		return &retrieve.Error{Retriever: x.plan.Address, Text: "program." + x.plan.Rerank.Program + " " + fmt.Sprintf(format, args...)}
	}
	if v, ok := out.Get("scores"); ok {
		scores, _ := v.([]any)
		if len(scores) != len(found) {
			return nil, wrong("gives %d scores for %d passages", len(scores), len(found))
		}
		for i, s := range scores {
			switch n := s.(type) {
			case float64:
				found[i].Score = n
			case int:
				found[i].Score = float64(n)
			}
		}
		slices.SortStableFunc(found, func(a, b retrieve.Passage) int { return cmp.Compare(b.Score, a.Score) })
		return found, nil
	}
	v, _ := out.Get("order")
	order, _ := v.([]any)
	taken := make([]bool, len(found))
	list := make([]retrieve.Passage, 0, len(found))
	for _, at := range order {
		i, ok := at.(int)
		switch {
		case !ok || i < 0 || i >= len(found):
			return nil, wrong("names the passage %v of %d, which are counted from 0", at, len(found))
		case taken[i]:
			return nil, wrong("names the passage %d twice", i)
		}
		taken[i] = true
		list = append(list, found[i])
	}
	for i, p := range found {
		if !taken[i] {
			list = append(list, p)
		}
	}
	return list, nil
}
