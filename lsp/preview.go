package lsp

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/schema"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/lsp/protocol"
)

// PreviewParams asks for a preview of what stands at a position, or of a program
// by name.
type PreviewParams struct {
	TextDocument protocol.DocumentIdentifier `json:"textDocument"`
	Position     *protocol.Position          `json:"position,omitempty"`
	Program      string                      `json:"program,omitempty"`
	Name         string                      `json:"name,omitempty"` // of a type, enum, signature or program
	Dialect      string                      `json:"dialect,omitempty"`
}

// Prompt is the answer of dspi/renderPrompt.
type Prompt struct {
	Program  string       `json:"program"`
	Step     string       `json:"step"`
	Adapter  string       `json:"adapter"`
	Messages []lm.Message `json:"messages"`
	Tools    []string     `json:"tools,omitempty"` // that the model is given beside them
}

// Question is as in Options.
type Question = func(ctx context.Context, p *plan.Plan, step *program.Step, inputs *value.Object) (*lm.Request, error)

// PlanPreview is the answer of dspi/plan: the plan, and the same as a graph in
// Mermaid.
type PlanPreview struct {
	Program string     `json:"program"`
	Plan    *plan.Plan `json:"plan"`
	Mermaid string     `json:"mermaid"`
}

// SchemaPreview is the answer of dspi/schema.
type SchemaPreview struct {
	Name   string        `json:"name"`
	Schema any           `json:"schema"`
	Notes  []schema.Note `json:"notes"`
}

// chosen returns the program that a preview is of: the one that is named, that
// the position stands in, or that would be run.
func (v *View) chosen(p *PreviewParams) (*program.Program, error) {
	project := v.check().Project
	if project == nil {
		return nil, protocol.Failed("There is no program here.")
	}
	if p.Program != "" {
		if x, ok := project.Program(p.Program); ok {
			return x, nil
		}
		return nil, protocol.Failed("There is no program `%s` in this file.", p.Program)
	}
	if p.Position != nil {
		offset := v.Offset(*p.Position)
		for _, x := range project.Programs {
			if x.Place.File == v.src() && x.Block.Contains(offset) {
				return x, nil
			}
		}
	}
	if x, _ := project.Main(); x != nil {
		return x, nil
	}
	return nil, protocol.Failed("There is no program here.")
}

// RenderPrompt returns the messages of the step at a position, with examples for
// its inputs. Nothing is sent. For a step whose module asks in its own way it is the
// first question, if ask is not nil.
func RenderPrompt(ctx context.Context, v *View, p *PreviewParams, ask Question) (*Prompt, error) {
	prog, err := v.chosen(p)
	if err != nil {
		return nil, err
	}
	if len(prog.Steps) == 0 {
		return nil, protocol.Failed("The program `%s` has no steps.", prog.Name)
	}
	step := prog.Steps[0]
	if p.Position != nil {
		offset := v.Offset(*p.Position)
		if s := stepAround(prog.Steps, offset); s != nil {
			step = s
		}
	}
	if step.Module != "predict" && step.Module != "chain_of_thought" {
		return firstQuestion(ctx, v, prog, step, ask)
	}
	name := step.Settings.Adapter
	if name == "" {
		name = prompt.Chat().Name()
	}
	adapter, ok := prompt.Lookup(name)
	if !ok || step.Signature == nil {
		return nil, protocol.Failed("The step `%s` has mistakes.", step.Name)
	}
	sig := *step.Signature
	sig.Instructions = instructions(step)
	inputs := value.NewObject()
	for _, f := range sig.Inputs {
		inputs.Set(f.Name, value.Example(f.Type))
	}
	return &Prompt{Program: prog.Name, Step: step.Name, Adapter: name, Messages: adapter.Messages(&sig, nil, inputs)}, nil
}

// firstQuestion is the prompt of a step whose module asks in its own way.
func firstQuestion(ctx context.Context, v *View, prog *program.Program, step *program.Step, ask Question) (*Prompt, error) {
	switch {
	case step.Repeat != nil || step.Program != nil:
		return nil, protocol.Failed("The step `%s` asks nothing itself: its own steps do.", step.Name)
	case ask == nil:
		return nil, protocol.Failed("What `%s` asks is made while it runs; `dspi render` shows its first question.", step.Name)
	case step.Signature == nil || v.check().Diags.HasErrors():
		return nil, protocol.Failed("The file has mistakes; there is nothing to ask yet.")
	}
	made, _ := plan.Sketch(v.check().Project, prog, plan.Options{Universe: v.u()})
	if made == nil {
		return nil, protocol.Failed("The program `%s` cannot be planned yet.", prog.Name)
	}
	inputs := value.NewObject()
	for _, f := range step.Declared.Inputs {
		inputs.Set(f.Name, value.Example(f.Type))
	}
	request, err := ask(ctx, made, step, inputs)
	if err != nil {
		return nil, protocol.Failed("What `%s` asks is not known yet: %v", step.Name, err)
	}
	if request == nil {
		return nil, protocol.Failed("The step `%s` asks no model.", step.Name)
	}
	adapter := step.Settings.Adapter
	if adapter == "" {
		adapter = prompt.Chat().Name()
	}
	out := &Prompt{Program: prog.Name, Step: step.Name, Adapter: adapter, Messages: request.Messages}
	for _, t := range request.Tools {
		out.Tools = append(out.Tools, t.Name)
	}
	return out, nil
}

// instructions returns the words of a step's instructions. Those that are made
// while the step runs are shown as they are written.
func instructions(s *program.Step) string {
	v := s.Settings.Instructions
	if v.Expr == nil {
		if s.Signature.Instructions != "" {
			return s.Signature.Instructions
		}
		return s.Declared.DefaultInstructions()
	}
	text, _, diags := expr.Literal(v.Place.File, &syntax.Expr{Text: v.Expr.Text(), Span: v.Expr.Range()})
	if t, ok := text.(string); ok && !diags.HasErrors() {
		return t
	}
	return strings.Trim(v.Text(), `"`)
}

func stepAround(steps []*program.Step, offset int32) *program.Step {
	for _, s := range steps {
		if !s.Block.IsZero() && s.Block.Contains(offset) {
			if s.Repeat != nil {
				if in := stepAround(s.Repeat.Steps, offset); in != nil {
					return in
				}
			}
			return s
		}
	}
	return nil
}

// Plan returns what a run of a program would do, as far as that is known without
// values and keys.
func Plan(v *View, p *PreviewParams) (*PlanPreview, error) {
	prog, err := v.chosen(p)
	if err != nil {
		return nil, err
	}
	if v.check().Diags.HasErrors() {
		return nil, protocol.Failed("The file has mistakes; there is no plan yet.")
	}
	made, _ := plan.Sketch(v.check().Project, prog, plan.Options{Universe: v.u()})
	if made == nil {
		return nil, protocol.Failed("The program `%s` cannot be planned yet.", prog.Name)
	}
	return &PlanPreview{Program: prog.Name, Plan: made, Mermaid: plan.Mermaid(made)}, nil
}

// Schema returns the JSON Schema of a type, an enum, a signature or a program's
// outputs.
func Schema(v *View, p *PreviewParams) (*SchemaPreview, error) {
	project := v.check().Project
	dialect := schema.JSON
	if p.Dialect != "" {
		d, ok := schema.ParseDialect(p.Dialect)
		if !ok {
			return nil, protocol.Failed("`%s` is no dialect: it is one of %s.", p.Dialect, strings.Join(schema.Dialects(), ", "))
		}
		dialect = d
	}
	opt := schema.Options{Dialect: dialect}
	name := p.Name
	if name == "" && p.Position != nil {
		name = v.src().Slice(word(v.src().Text, v.Offset(*p.Position)))
	}
	var made *schema.Schema
	if project != nil {
		if t, ok := project.Type(name); ok && t.Type != nil {
			made = schema.Of(t.Type, opt)
		} else if s, ok := project.Signature(name); ok {
			made = schema.Fields(s.Outputs, opt)
		} else if x, err := v.chosen(&PreviewParams{Program: p.Name, Position: p.Position}); err == nil && x.Signature != nil {
			name, made = x.Name, schema.Fields(x.Signature.Outputs, opt)
		}
	}
	if made == nil {
		return nil, protocol.Failed("There is no type, signature or program `%s` here.", name)
	}
	return &SchemaPreview{Name: name, Schema: made.Document, Notes: slices.Clip(made.Notes)}, nil
}

// raw writes an answer of ours as JSON.
func raw[T any](v *T, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return protocol.Any(data), nil
}
