package prompt

import (
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/schema"
	"github.com/dspi-lang/dspi/lang/value"
)

// formatName is what providers are told the schema is called.
const formatName = "outputs"

// strictFormat returns what a model can hold a JSON reply to. In this order:
//
//   - the JSON Schema of the outputs, where the model takes one and it can be
//     said strictly: every output required, no other allowed, null in place of
//     absent, fields in the order of the signature;
//   - any JSON object, where the model has that: a map with names of its own, or
//     json, cannot be said strictly, and half a schema would forbid right replies;
//   - nothing. The prompt says the form in any case, and package align reads
//     whatever comes.
//
// The schema is in the dialect of OpenAI, the narrowest; other providers take it
// or are given their own by whoever sends it.
func strictFormat(sig *program.Signature, features lm.Features) *lm.Format {
	if features.Schema {
		s := schema.Fields(sig.Outputs, schema.Options{Dialect: schema.OpenAI, Shown: true})
		if s.Strict {
			return &lm.Format{Name: formatName, Schema: value.EncodeJSON(s.Document)}
		}
	}
	if features.JSON {
		return &lm.Format{Name: formatName}
	}
	return nil
}
