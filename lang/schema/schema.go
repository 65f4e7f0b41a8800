// Package schema writes types as JSON Schema, in the dialects of those who read it.
//
//	Dialect  who reads it: JSON (anybody), OpenAI, Anthropic, Gemini (dialect.go)
//	Schema   the document, and what it could not say
//	Note     one thing that it could not say, with the place
//	Of       the schema of a type
//	Fields   the schema of one side of a signature
//	Tool     a signature as a tool that a model may call
//
// The fields of objects keep their order, everywhere: a model writes its answer in
// the order of the schema, so `reasoning` before `answer` means that it thinks
// first. That is why documents are value.Objects and not maps.
//
// A schema accepts what value.Check (Strict) gives back, and value.Check takes
// what a schema without notes accepts. Where a dialect has no word for a
// constraint, the constraint goes into the description, so that the model still
// learns of it, and into the Notes.
package schema

import (
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// Options say for whom a schema is.
type Options struct {
	Dialect Dialect
	// Shown lists what the model sees of enum values, instead of their names.
	// Replies may use either.
	Shown bool
}

// Schema is a document and what it could not say.
type Schema struct {
	Document *value.Object
	Notes    []Note
	// Strict says that the dialect can hold a model to the schema: OpenAI's
	// `strict: true`. It is false where a map or json stands in it, or more than
	// it takes of something, which that mode refuses; always true for the other
	// dialects.
	Strict bool
}

// Note is something that a schema could not say.
type Note struct {
	Path string `json:"path"` // contact.phones[]; "" for the whole
	Text string `json:"text"`
}

func (n Note) String() string {
	if n.Path == "" {
		return n.Text
	}
	return n.Path + ": " + n.Text
}

// JSON returns the document over several lines.
func (s *Schema) JSON() []byte { return value.EncodeJSONIndent(s.Document) }

// Of returns the schema of a type.
func Of(t types.Type, opt Options) *Schema {
	b := newBuilder(opt)
	b.survey(t)
	if r, ok := types.Structure(t).(*types.Record); ok && b.circular[r] {
		b.root = r
	}
	o := b.of(t)
	if b.needsObject() {
		if _, ok := types.Structure(t).(*types.Record); !ok {
			b.note("%s takes only an object here; make this a field of one", opt.Dialect.Title())
		}
	}
	return b.finish(o)
}

// Fields returns the schema of an object with these fields: the inputs or the
// outputs of a signature.
func Fields(fields []types.Field, opt Options) *Schema {
	b := newBuilder(opt)
	r := &types.Record{Fields: fields}
	b.survey(r)
	return b.finish(b.of(r))
}

// Tool returns a signature as a tool in the form of the dialect:
//
//	OpenAI     {name, description, strict, parameters}
//	Anthropic  {name, description, input_schema}
//	others     {name, description, parameters}
//
// A description of "" is left out.
func Tool(name, description string, inputs []types.Field, opt Options) *Schema {
	s := Fields(inputs, opt)
	tool := value.NewObject("name", name)
	if description != "" {
		tool.Set("description", description)
	}
	key := "parameters"
	switch opt.Dialect {
	case OpenAI:
		tool.Set("strict", s.Strict)
	case Anthropic:
		key = "input_schema"
	}
	tool.Set(key, s.Document)
	s.Document = tool
	return s
}
