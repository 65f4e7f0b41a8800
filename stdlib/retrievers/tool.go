package retrievers

import (
	"context"
	"errors"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// AsTool returns a tool that searches a retriever: a query in, passages out, the best
// first. Description tells the model what the passages are about; "" says only that
// there are some. A k of 0 is the retriever's own number.
func AsTool(name, description string, r retrieve.Retriever, k int) tool.Tool {
	if description == "" {
		description = "Searches passages and gives the best ones."
	}
	return &searching{name, description, r, k}
}

type searching struct {
	name, description string
	retriever         retrieve.Retriever
	k                 int
}

var searchSignature = &program.Signature{
	Inputs: []types.Field{{Name: "query", Type: types.String, Description: "what is looked for, in words"}},
	Outputs: []types.Field{
		{Name: "passages", Type: &types.List{Elem: types.String}, Description: "best first"},
		{Name: "ids", Type: &types.List{Elem: types.String}},
	},
}

func (s *searching) Name() string                  { return s.name }
func (s *searching) Description() string           { return s.description }
func (s *searching) Signature() *program.Signature { return searchSignature }

// Searches returns the retriever, for code that wants passages whole.
func (s *searching) Searches() retrieve.Retriever { return s.retriever }

// Call searches. What a model can do nothing about (no key, no server) is a
// *tool.Error, too, so that it can go on without.
func (s *searching) Call(ctx context.Context, args *value.Object) (*value.Object, error) {
	v, _ := args.Get("query")
	query, _ := v.(string)
	found, err := s.retriever.Retrieve(ctx, query, s.k)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return nil, ctx.Err()
	default:
		text := err.Error()
		var e *lm.Error
		if errors.As(err, &e) {
			text = "the passages cannot be searched at the moment: " + string(e.Kind)
		}
		return nil, &tool.Error{Tool: s.name, Text: text, Err: err}
	}
	passages, ids := make([]any, len(found)), make([]any, len(found))
	for i, p := range found {
		passages[i], ids[i] = p.Whole(), p.ID
	}
	return value.NewObject("passages", passages, "ids", ids), nil
}
