package modules

import (
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
)

var retrieveEntry = Entry{Module: universe.Module{
		Name: "retrieve", Doc: "find passages", Pending: "searching a retriever", Opaque: true,
		Inputs: []types.Field{{Name: "query", Type: types.String}},
		Outputs: []types.Field{
			{Name: "passages", Type: &types.List{Elem: types.String}, Description: "best first"},
			{Name: "scores", Type: &types.List{Elem: types.Float}},
			{Name: "ids", Type: &types.List{Elem: types.String}},
		},
		Settings: []universe.Setting{
			{Name: "from", Kind: universe.RetrieverOf, Required: true, Doc: "The retriever that is searched.", Fixed: true},
			{Name: "k", Kind: universe.Integer, Doc: "How many passages are wanted.", Default: "5", Min: bound(1), Max: bound(10000)},
		},
		Example: `retrieve docs {
  from = retriever.wiki
  k    = 4
  inputs { query = question }
}`,
	}}
