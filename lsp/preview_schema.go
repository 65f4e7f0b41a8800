package lsp

import (
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/schema"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lsp/protocol"
)

// SchemaPreview is the answer of dspi/schema.
type SchemaPreview struct {
	Name   string        `json:"name"` // Contact, program, or program.step
	Schema any           `json:"schema"`
	Notes  []schema.Note `json:"notes"`
}

// Schema returns the JSON Schema of what is named, or of what stands at a position:
//
//	in a step                          what it gives, with what its module adds
//	elsewhere in a program             what the program gives
//	in a type, enum or signature       that one
//	anywhere else                      what the word there names, or the program to be run
//
// That of a step lists what its model sees of enum values, as adapters do.
func Schema(v *View, p *PreviewParams) (*SchemaPreview, error) {
	opt := schema.Options{Dialect: schema.JSON}
	if p.Dialect != "" {
		d, ok := schema.ParseDialect(p.Dialect)
		if !ok {
			return nil, protocol.Failed("`%s` is no dialect: it is one of %s.", p.Dialect, strings.Join(schema.Dialects(), ", "))
		}
		opt.Dialect = d
	}
	if v.check().Project == nil {
		return nil, protocol.Failed("There is no program here.")
	}
	switch {
	case p.Name != "":
		if out := v.schemaNamed(p.Name, opt); out != nil {
			return out, nil
		}
		return nil, protocol.Failed("There is no type, signature, program or step `%s` here.", p.Name)
	case p.Position != nil && p.Program == "":
		if out := v.schemaAt(v.Offset(*p.Position), opt); out != nil {
			return out, nil
		}
	}
	prog, err := v.chosen(p)
	if err != nil {
		return nil, err
	}
	if prog.Signature == nil {
		return nil, protocol.Failed("The program `%s` has mistakes: what it gives is not known yet.", prog.Name)
	}
	return schemaOf(prog.Name, schema.Fields(prog.Signature.Outputs, opt)), nil
}

// schemaAt is the schema of what stands at an offset; nil where nothing has one.
func (v *View) schemaAt(offset int32, opt schema.Options) *SchemaPreview {
	if prog := v.programAround(offset); prog != nil {
		if step := stepAround(prog.Steps, offset); step != nil {
			return v.schemaOfStep(prog, step, opt)
		}
		return nil
	}
	if name := declaredAt(v.tree(), offset); name != "" {
		return v.schemaNamed(name, opt)
	}
	return v.schemaNamed(v.src().Slice(word(v.src().Text, offset)), opt)
}

// declaredAt returns the name of the type, enum or signature whose declaration an
// offset stands in; "" in none.
func declaredAt(tree *syntax.File, offset int32) string {
	for _, it := range tree.Items {
		if !it.Range().Contains(offset) {
			continue
		}
		switch it := it.(type) {
		case *syntax.TypeAlias:
			return it.Name.Name
		case *syntax.Block:
			if slices.Contains([]string{"type", "enum", "signature"}, it.KindName()) && len(it.Labels) > 0 {
				return it.Name().Name
			}
		}
	}
	return ""
}

// schemaNamed is the schema of a type, enum, signature, program or program.step; nil
// where there is none.
func (v *View) schemaNamed(name string, opt schema.Options) *SchemaPreview {
	project := v.check().Project
	if t, ok := project.Type(name); ok && t.Type != nil {
		return schemaOf(name, schema.Of(t.Type, opt))
	}
	if s, ok := project.Signature(name); ok {
		return schemaOf(name, schema.Fields(s.Outputs, opt))
	}
	if x, ok := project.Program(name); ok && x.Signature != nil {
		return schemaOf(name, schema.Fields(x.Signature.Outputs, opt))
	}
	i := strings.LastIndexByte(name, '.')
	if prog, ok := project.Program(name[:max(i, 0)]); ok {
		if step := stepNamed(prog.Steps, name[i+1:]); step != nil {
			return v.schemaOfStep(prog, step, opt)
		}
	}
	return nil
}

// stepNamed returns the step of a name, also in the rounds of a `repeat`.
func stepNamed(steps []*program.Step, name string) *program.Step {
	for _, s := range steps {
		if s.Name == name {
			return s
		}
		if s.Repeat != nil {
			if in := stepNamed(s.Repeat.Steps, name); in != nil {
				return in
			}
		}
	}
	return nil
}

// schemaOfStep is the schema of what a step gives; nil where mistakes keep it from
// being known.
func (v *View) schemaOfStep(prog *program.Program, step *program.Step, opt schema.Options) *SchemaPreview {
	opt.Shown = step.Program == nil && step.Repeat == nil // the model of a step inside is asked for those
	name := prog.Name + "." + step.Name
	switch {
	case step.Repeat != nil:
		var out []types.Field
		for _, f := range step.Repeat.State {
			f.HasDefault = false // its first value, which whoever reads the state never lacks
			out = append(out, f)
		}
		out = append(out, types.Field{Name: "round", Type: types.Int}, types.Field{Name: "done", Type: types.Bool})
		return schemaOf(name, schema.Fields(out, opt))
	case step.Signature == nil:
		return nil
	}
	sig := step.Signature
	if step.Module == "module" && !v.check().Diags.HasErrors() { // what a variable chose may add to it
		if op := findOp(v.sketch(prog).Ops, step); op != nil && op.Kind == plan.StepOp {
			sig = op.Signature
		}
	}
	return schemaOf(name, schema.Fields(sig.Outputs, opt))
}

func schemaOf(name string, made *schema.Schema) *SchemaPreview {
	return &SchemaPreview{Name: name, Schema: made.Document, Notes: slices.Clip(made.Notes)}
}
