package dspi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/dspi-lang/dspi/interpreter"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib/datasets"
)

// Synthetic rows are candidates: a model writes them from what a program takes and
// gives, and what can be checked without a person is checked. They are marked, so that
// nobody takes them for rows that people made.

// SyntheticColumn marks rows that a model wrote.
const SyntheticColumn = "synthetic"

// synthesis is the program that asks for rows. Its outputs are checked row by row
// against the types of the program that they are for.
const synthesis = `program synthesize {
  task: string, fields: list[string], examples: list[json], avoid: list[json], count: int -> rows: list[json]
  instructions = "Write rows of data for a program that is to be tested.\nEach row is an object with a value for each of the fields. The rows are realistic, correct and as different from each other, from the examples and from the rows to avoid as rows of this task can be: in subject, length, tone and difficulty, and in the values of the outputs. Write count rows."
  temperature  = 1.0
  max_tokens   = 4096
}
`

var synthesizer = sync.OnceValue(func() *program.Program {
	project, diags := Check(Parse("synthesis", synthesis))
	if diags.HasErrors() {
		panic(diags.Err())
	}
	p, _ := project.Program("synthesize")
	return p
})

// SynthPlan is the writing of rows for a program, ready to run.
type SynthPlan struct {
	For  *program.Program
	Plan *plan.Plan // of the program that asks the model

	about string // the program, in words
}

// PlanSynthesis plans the writing of rows for a program of a project, by the model that
// opt says. The error is a diag.List or a *diag.Diagnostic.
func PlanSynthesis(project *program.Project, prog *program.Program, opt PlanOptions) (*SynthPlan, error) {
	for _, f := range slices.Concat(prog.Signature.Inputs, prog.Signature.Outputs) {
		if types.Sensitive(f.Type) {
			return nil, unwritten(prog, f, "a secret")
		}
		if medium(f.Type) {
			return nil, unwritten(prog, f, "a picture, sound or document")
		}
	}
	values, diags := variableValues(project, opt.Vars)
	if diags != nil {
		return nil, diags
	}
	opt.State = nil
	made, diags := plan.Make(project, synthesizer(), opt.plan(values))
	if err := diags.Err(); err != nil {
		return nil, err
	}
	for _, op := range made.Ops {
		if op.Model != nil && op.Model.Provider == "builtin" {
			return nil, diag.New("E0510", prog.Place, "rows for `"+prog.Name+"` are written by a model").
				Say("`%s` is no language model: it answers from worked examples and can write nothing new.", op.Model.Address).
				Hint("name a language model: --model openai/gpt-4o-mini")
		}
	}
	return &SynthPlan{For: prog, Plan: made, about: aboutProgram(prog, values)}, nil
}

// aboutProgram is what is said of a program in words: the comment above it, and the
// instructions of its steps.
func aboutProgram(prog *program.Program, values map[string]any) string {
	words := []string{prog.Doc}
	for _, step := range prog.Steps {
		if step.Settings.Instructions.Expr == nil {
			continue
		}
		v, err := fixedValue(step.Settings.Instructions, prog.Names, values)
		if text, ok := v.(string); ok && err == nil && !slices.Contains(words, text) {
			words = append(words, text)
		}
	}
	return strings.TrimSpace(strings.Join(words, "\n"))
}

func unwritten(prog *program.Program, f types.Field, what string) error {
	return diag.New("E0510", prog.Place, fmt.Sprintf("`%s` of `%s` is %s", f.Name, prog.Name, what)).
		Say("A model cannot write %s, so it cannot write rows for this program.", what)
}

// medium reports whether a type holds bytes that a model cannot write.
func medium(t types.Type) bool {
	s := t.String()
	for _, name := range []string{"image", "audio", "file"} {
		if slices.Contains(strings.FieldsFunc(s, func(r rune) bool { return r < 'a' || r > 'z' }), name) {
			return true
		}
	}
	return false
}

// SynthOptions say which rows are wanted.
type SynthOptions struct {
	N     int // how many
	Batch int // how many a call is asked for; 0: 10
	Seed  uint64
	// From are rows that people made: some are shown to the model, and none is
	// written again.
	From *datasets.Table
	// Row is told of each row that is kept; may be nil.
	Row func(*value.Object)
}

// Synthetic is what was written.
type Synthetic struct {
	Rows []*value.Object `json:"rows"`
	// Written counts the rows that the model wrote, Refused those of them that
	// were not kept, by why.
	Written int       `json:"written"`
	Refused []Refusal `json:"refused"`
	// Unread counts replies that held no rows at all.
	Unread  int               `json:"unread"`
	Usage   interpreter.Usage `json:"usage"`
	GivenUp string            `json:"given_up,omitempty"` // why there are fewer than wanted
}

// Refusal is why rows were not kept.
type Refusal struct {
	Why  string `json:"why"`
	Rows int    `json:"rows"`
}

// Why rows are refused.
const (
	refusedObject  = "no object"
	refusedField   = "a field that the program does not have"
	refusedMissing = "a value is missing"
	refusedType    = "a value does not fit its type"
	refusedSame    = "the same as another row"
	refusedNear    = "nearly the same as another row"
)

// How rows are asked for.
const (
	synthBatch    = 10
	synthExamples = 8  // rows of people that a call shows
	synthAvoid    = 12 // written rows that a call shows
	synthStall    = 3  // calls without a new row after which it is given up
)

// Synthesize has rows written until there are as many as are wanted. What was written
// and paid for is returned with an error, too; the error is that of the model.
func (r *Runtime) Synthesize(ctx context.Context, p *SynthPlan, opt SynthOptions) (*Synthetic, error) {
	w := &writer{plan: p, out: &Synthetic{Rows: []*value.Object{}, Refused: []Refusal{}, Usage: interpreter.Usage{USD: new(float64)}}, seen: map[string]bool{}}
	people, err := w.readPeople(opt.From)
	if err != nil {
		return w.out, err
	}
	rng := rand.New(rand.NewPCG(opt.Seed, 3))
	size := opt.Batch
	if size == 0 {
		size = synthBatch
	}
	for stalled := 0; len(w.out.Rows) < opt.N; {
		if stalled == synthStall {
			w.out.GivenUp = fmt.Sprintf("%d calls in a row gave no row that is new", stalled)
			break
		}
		inputs := map[string]any{
			"task": w.task(), "fields": w.fields(), "count": min(size, opt.N-len(w.out.Rows)),
			"examples": some(rng, people, synthExamples), "avoid": some(rng, w.out.Rows, synthAvoid),
		}
		res, err := r.Run(ctx, p.Plan, inputs)
		w.out.Usage = w.out.Usage.Add(res.Usage)
		var d *diag.Diagnostic
		switch {
		case err != nil && errors.As(err, &d) && d.Code == "E0601":
			w.out.Unread++
			stalled++
			continue
		case err != nil:
			w.out.GivenUp = "a call failed"
			return w.out, err
		}
		list, _ := res.Outputs.Get("rows")
		before := len(w.out.Rows)
		rows, _ := list.([]any)
		for _, row := range rows {
			if len(w.out.Rows) < opt.N {
				w.take(row, opt.Row)
			}
		}
		stalled++
		if len(w.out.Rows) > before {
			stalled = 0
		}
	}
	return w.out, nil
}

// writer collects what is written.
type writer struct {
	plan *SynthPlan
	out  *Synthetic

	seen  map[string]bool       // rows as JSON, and as bare words
	words []map[string]struct{} // of each row that is there
}

// readPeople reads rows that people made, and has them be there already.
func (w *writer) readPeople(t *datasets.Table) ([]*value.Object, error) {
	if t == nil {
		return nil, nil
	}
	var out []*value.Object
	for {
		row, err := t.Next()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return out, nil
			}
			return nil, diag.New("E0619", source.Place{}, t.Name+" cannot be read").Say("%v.", err)
		}
		if row.Err != nil {
			continue
		}
		example, _, err := typedRow(w.plan.For, row.Values, t.Cells || row.Cells)
		if err != nil {
			continue
		}
		own := w.own(example)
		w.same(own)
		out = append(out, own)
	}
}

// own returns what a row has of the program's fields, in their order.
func (w *writer) own(row *value.Object) *value.Object {
	out := &value.Object{}
	for _, f := range slices.Concat(w.plan.For.Signature.Inputs, w.plan.For.Signature.Outputs) {
		if v, ok := row.Get(f.Name); ok {
			out.Set(f.Name, v)
		}
	}
	return out
}

// take keeps a row that a model wrote, or counts why not.
func (w *writer) take(v any, told func(*value.Object)) {
	w.out.Written++
	row, why := w.checked(v)
	if why == "" {
		why = w.same(row)
	}
	if why != "" {
		i := slices.IndexFunc(w.out.Refused, func(r Refusal) bool { return r.Why == why })
		if i < 0 {
			w.out.Refused = append(w.out.Refused, Refusal{why, 0})
			i = len(w.out.Refused) - 1
		}
		w.out.Refused[i].Rows++
		return
	}
	row.Set(w.plan.Mark(), true)
	w.out.Rows = append(w.out.Rows, row)
	if told != nil {
		told(row)
	}
}

// Mark returns the column that marks the rows: SyntheticColumn, unless the program has
// a field of that name.
func (p *SynthPlan) Mark() string {
	name := SyntheticColumn
	for {
		_, input := p.For.Signature.Input(name)
		_, output := p.For.Signature.Output(name)
		if !input && !output {
			return name
		}
		name += "_"
	}
}

// checked brings a row into the types of the program, or says why it cannot be.
func (w *writer) checked(v any) (*value.Object, string) {
	row, ok := v.(*value.Object)
	if !ok {
		return nil, refusedObject
	}
	sig := w.plan.For.Signature
	for name := range row.All() {
		_, input := sig.Input(name)
		_, output := sig.Output(name)
		if !input && !output {
			return nil, refusedField
		}
	}
	for _, f := range slices.Concat(sig.Inputs, sig.Outputs) {
		if x, given := row.Get(f.Name); (!given || x == nil) && !f.HasDefault && !types.Nullable(f.Type) {
			return nil, refusedMissing
		}
	}
	example, _, err := typedRow(w.plan.For, row, false)
	if err != nil {
		return nil, refusedType
	}
	return w.own(example), ""
}

// nearness is from which share of common words on two rows are nearly the same.
const nearness = 0.85

// same reports whether a row is there already, and has it be there from now on.
func (w *writer) same(row *value.Object) string {
	given := &value.Object{} // two rows with the same inputs are the same row
	for _, f := range w.plan.For.Signature.Inputs {
		if v, ok := row.Get(f.Name); ok {
			given.Set(f.Name, v)
		}
	}
	exact := string(value.EncodeJSON(given))
	if w.seen[exact] {
		return refusedSame
	}
	words := strings.Fields(bare(given))
	normal := "\x00" + strings.Join(words, " ")
	if len(words) > 0 && w.seen[normal] {
		return refusedNear
	}
	set := map[string]struct{}{}
	for _, word := range words {
		set[word] = struct{}{}
	}
	for _, other := range w.words {
		if len(set) > 3 && alike(set, other) >= nearness {
			return refusedNear
		}
	}
	w.seen[exact], w.seen[normal] = true, true
	w.words = append(w.words, set)
	return ""
}

// bare is the words of the values of a row: small letters and digits.
func bare(v any) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(strings.Join(scalarsIn(v), " ")), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}), " ")
}

// scalarsIn returns the texts and numbers in a value.
func scalarsIn(v any) []string {
	switch v := v.(type) {
	case []any:
		var out []string
		for _, x := range v {
			out = append(out, scalarsIn(x)...)
		}
		return out
	case *value.Object:
		var out []string
		for _, x := range v.All() {
			out = append(out, scalarsIn(x)...)
		}
		return out
	}
	return []string{class(v)}
}

// alike is the share of the words of two sets that both have (Jaccard).
func alike(a, b map[string]struct{}) float64 {
	both := 0
	for word := range a {
		if _, ok := b[word]; ok {
			both++
		}
	}
	return float64(both) / float64(len(a)+len(b)-both)
}

// task tells the model what the program does.
func (w *writer) task() string {
	p := w.plan.For
	s := p.Name + ": " + p.Signature.String()
	if w.plan.about != "" {
		s += "\n" + w.plan.about
	}
	return s
}

// fields tells the model what a row has.
func (w *writer) fields() []any {
	var out []any
	add := func(kind string, fields []types.Field) {
		for _, f := range fields {
			s := fmt.Sprintf("%s (%s): %s", f.Name, kind, f.Type)
			if f.Description != "" {
				s += ", " + f.Description
			}
			out = append(out, s)
		}
	}
	add("input", w.plan.For.Signature.Inputs)
	add("output", w.plan.For.Signature.Outputs)
	return out
}

// some draws up to n rows.
func some(rng *rand.Rand, rows []*value.Object, n int) []any {
	out := []any{}
	for _, i := range rng.Perm(len(rows))[:min(n, len(rows))] {
		out = append(out, rows[i])
	}
	return out
}
