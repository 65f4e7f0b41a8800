package estimate

import (
	"fmt"
	"math"

	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/lang/program"
)

// A search asks the retriever's embedder once, for the vector of the query, and the
// program that reranks once, for what was found. A query without a word asks neither.
// Making the index is no part of a run here: `dspi index` does it before.

// search estimates searches of a retriever that happen so many times. Query is where the
// query comes from, nil where a model writes it; k is how many passages are wanted.
func (e *estimator) search(address string, r *plan.Retriever, s *scope, times Range, query *program.Binding, k Range, why []string) {
	asks, length := Range{0, 1}, Range{0, math.Inf(1)}
	if query != nil {
		length = s.size(query.Value)
		if v, ok := s.eval(query.Value); ok {
			asks = exactly(0)
			if text, ok := v.(string); ok && len(retrieve.QueryWords(text)) > 0 {
				asks = exactly(1)
			}
		}
	}
	if m := r.Embedder; m != nil {
		x := &Step{Address: address, Model: m.Address, Why: append(why[:len(why):len(why)], "the vector of the query, by "+m.Address)}
		if asks.Min != asks.Max {
			x.Why = append(x.Why, "a query without words needs none")
		}
		if hedges(m) {
			x.Why = append(x.Why, "requests are sent again when no reply comes for a while (hedge)")
		}
		x.Calls = asks.times(Range{1, requests(m)}).times(times)
		x.InputTokens = length.times(exactly(1.0 / perToken)).times(x.Calls)
		x.USD = cost(m, x.InputTokens, x.OutputTokens)
		e.merge(x)
		e.note(fmt.Sprintf("the index of %s is taken to be made; making it has %s write vectors of all its passages", r.Address, m.Address))
	}
	if r.Rerank == nil || e.reranking[r] { // what reranks and searches the same fails
		return
	}
	e.reranking[r] = true
	defer delete(e.reranking, r)
	inner := newScope(r.Rerank, nil)
	if query != nil {
		if v, ok := s.eval(query.Value); ok {
			inner.known["query"] = v
		}
	}
	inner.sizes["query"] = length
	most := math.Inf(1)
	if !k.Open() {
		most = float64(retrieve.Candidates(r.Candidates, int(k.Max)))
	}
	inner.counts["passages"] = Range{1, most}
	for _, f := range r.Rerank.Checked.Signature.Inputs {
		switch {
		case f.Name == "query":
		case f.HasDefault:
			inner.known[f.Name], inner.sizes[f.Name] = f.Default, exactly(size(f.Default))
		default:
			inner.sizes[f.Name] = bounds(f.Type, math.Inf(1))
		}
	}
	ordered := asks.maybe()
	if r.Declared != nil && r.Declared.Python != nil { // what it finds for a query is its own
		ordered = Range{0, 1}
	}
	e.inside(r.Rerank, inner, times.times(ordered), append(why[:len(why):len(why)], "orders what is found in "+r.Address))
}

// wanted is how many passages a step asks for.
func (s *scope) wanted(op *plan.Op) Range {
	return s.option(op, "k", defaultWanted(op.Retriever).Max)
}

// defaultWanted is how many passages a retriever gives when nobody says.
func defaultWanted(r *plan.Retriever) Range {
	if r.K > 0 {
		return exactly(float64(r.K))
	}
	return exactly(retrieve.DefaultK)
}

// query returns the binding of the query of a search; nil where there is none.
func query(bound []program.Binding) *program.Binding {
	for i := range bound {
		if bound[i].Name == "query" {
			return &bound[i]
		}
	}
	return nil
}
