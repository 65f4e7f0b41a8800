package modules

import (
	"context"
	"fmt"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/lang/value"
)

var retrieveEntry = Entry{
	Module: universe.Module{
		Name: "retrieve", Doc: "find passages", Opaque: true,
		Inputs: []types.Field{{Name: "query", Type: types.String}},
		Outputs: []types.Field{
			{Name: "passages", Type: &types.List{Elem: types.String}, Description: "best first"},
			{Name: "scores", Type: &types.List{Elem: types.Float}},
			{Name: "ids", Type: &types.List{Elem: types.String}},
		},
		Settings: []universe.Setting{
			{Name: "from", Kind: universe.RetrieverOf, Required: true, Doc: "The retriever that is searched.", Fixed: true},
			{Name: "k", Kind: universe.Integer, Doc: "How many passages are wanted.", Default: "the `k` of the retriever", Min: bound(1), Max: bound(10000)},
			{Name: "where", Kind: universe.PassagesIf, Doc: "Which passages are searched: a condition on the columns of their corpus, such as `passage.year >= 2020`, and on what the step sees.", Default: "all"},
		},
		Example: `retrieve docs {
  from = retriever.wiki
  k    = 4
  inputs { query = question }
}`,
	},
	New: func() module.Module { return searcher{} },
}

// searcher asks a retriever for passages. What its embedder uses is counted with the
// run.
type searcher struct{}

func (searcher) Run(ctx context.Context, call *module.Call) (*value.Object, error) {
	v, _ := call.Inputs.Get("query")
	query, _ := v.(string)
	if call.Retriever == nil {
		return nil, &retrieve.Error{Text: "nothing here searches"}
	}
	found, err := retrieve.Search(retrieve.WithCounter(ctx, call.Host), call.Retriever, query, call.Int("k", 0), call.Where)
	if err != nil {
		return nil, err
	}
	passages, scores, ids := make([]any, len(found)), make([]any, len(found)), make([]any, len(found))
	for i, p := range found {
		passages[i], scores[i], ids[i] = p.Whole(), p.Score, p.ID
	}
	call.Host.Emit(trace.Event{Kind: trace.Note, Reason: hits(found)})
	return value.NewObject("passages", passages, "scores", scores, "ids", ids), nil
}

// mostHits is how many hits a note names.
const mostHits = 20

// hits says what was found: `found seine (7.31), paris (5.02)`.
func hits(found []retrieve.Passage) string {
	if len(found) == 0 {
		return "found nothing"
	}
	var names []string
	for _, p := range found[:min(len(found), mostHits)] {
		names = append(names, fmt.Sprintf("%s (%.4g)", p.ID, p.Score))
	}
	s := "found " + strings.Join(names, ", ")
	if n := len(found) - mostHits; n > 0 {
		s += fmt.Sprintf(" and %d more", n)
	}
	return s
}
