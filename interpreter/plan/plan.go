// Package plan turns a checked program into a Plan: what a run will do, as a
// value that can be printed, compared and run.
//
//	Plan   the operations of one program, in an order that respects their waits
//	Op     one operation: a step, a call of another program, a named value
//	Model  where the calls of an operation go, with every setting resolved
//	Choice one place that names the model of an operation (choice.go)
//
// Make (make.go) fixes everything that is known before a run: variables, models,
// their addresses and keys. What is left is to evaluate expressions and to call
// modules, and package interpreter does that.
package plan

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/program/state"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// Plan is what a run of a program will do.
type Plan struct {
	Program   string   // its name
	Inputs    []Field  // what it takes
	Ops       []*Op    // in an order in which they could run one after another
	Outputs   []Bind   // what it gives
	Variables []string // names of the variables it reads, in alphabetical order
	About     []About  // what is declared about the program

	// Checked is the program that the plan was made of; Values are those of
	// the variables, by name.
	Checked *program.Program
	Values  map[string]any
}

// Field is an input or output of a plan or operation.
type Field struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// Bind says where a value comes from.
type Bind struct {
	Name string `json:"name"`
	From string `json:"from"`
	Auto bool   `json:"auto"` // bound by name, not written
}

// Kind is a kind of operation.
type Kind string

// The kinds of operations.
const (
	StepOp  Kind = "step"    // a module is called
	CallOp  Kind = "program" // another program is called
	ValueOp Kind = "value"   // an expression is evaluated and named
	// RepeatOp is rounds of the operations of its Plan.
	RepeatOp Kind = "repeat"
)

// Op is one operation.
type Op struct {
	Name    string
	Address string // program.rag.respond
	Kind    Kind
	Module  string   // of a step
	Model   *Model   // of a step; nil otherwise
	Choices []Choice // of a step: all that names a model for it; the first wins
	After   []string // the operations it waits for
	Wave    int      // 1 for those that wait for nothing; else one more than the latest it waits for
	Inputs  []Bind
	Outputs []Field
	Adapter string
	Backend string // "python": DSPy does the work, where it has the module
	Plan    *Plan  // of a called program, or of a `repeat`
	// Signature is what the module is called with: the step's, and what a
	// module that a variable chose adds to it.
	Signature *program.Signature
	Pending   []program.Pending // what this version cannot run yet
	// Instructions and Demos are what tuning found for the step: they stand in
	// place of those that are written, "" and none where there are none.
	Instructions string
	Demos        []*value.Object
	// Nearest is how many of Demos each call is shown: those that are nearest to its
	// inputs; 0: all.
	Nearest int
	// Inner is what tuning found for the predictors inside the module, by the names that
	// they have there: `extract.predict`.
	Inner map[string]*state.Step
	// Temperature, where it is not nil, is what tuning found; it stands in place of
	// the one that is written. Adapter is the tuned one, too.
	Temperature *float64

	// Parts are the modules that the step's module holds, in the order of the
	// text; they have the step's address.
	Parts []*Op
	// Tools are those of the setting `tools`, Retriever that of `from`.
	Tools     []*Tool
	Retriever *Retriever

	Step *program.Step
	Let  *program.Let
}

// Tool is a tool that a step may call.
type Tool struct {
	Name     string        // what a model calls it
	Address  string        // tool.area
	Declared *program.Tool // nil for a built-in one
	Plan     *Plan         // of a tool that is a program
	// Retriever is what a built-in tool searches; nil for any other.
	Retriever *Retriever
	// Values are those of the variables, by name.
	Values map[string]any
}

// Retriever is what a step searches. Steps that search the same have the same one.
type Retriever struct {
	Address  string
	Declared *program.Retriever
	Root     string // the file that is run, whose dspi.hcl says where the index lies
	File     string // as it is written, relative to the file of the declaration; "" for a folder
	Folder   string
	// VectorWeight is nil where it is not said, Rerank where nothing reranks.
	VectorWeight *float64
	Diversity    float64
	Rerank       *Plan
	Candidates   int            // for Rerank; 0: the default
	K            int            // how many passages are given when a step does not say; 0: the default
	Embedder     *Model         // what makes vectors; nil: nothing
	Values       map[string]any // of the variables, by name
}

// Model is where calls go, every setting resolved.
type Model struct {
	Name     string // the declared name; "" for one that is only an address
	Address  string // provider/name
	Provider string
	ID       string
	BaseURL  string
	Key      string // never printed
	// Secrets are the values of sensitive variables that are in Key and
	// BaseURL; never printed.
	Secrets []string
	Source  string // why this model: "the step", "the program", "--model", …

	API         string // which interface of the provider; "": its usual one
	Params      lm.Params
	Timeout     time.Duration // for the whole reply
	Timeouts    lm.Timeouts   // for its parts; Whole is not set
	Concurrency int
	Retry       lm.RetryPolicy
	Breaker     lm.BreakerPolicy
	Hedge       lm.HedgePolicy
	Own         bool // a server of one's own on this machine: Price is zero
	Price       *lm.Price
	Route       *Route // of a model that is a choice among others

	RequestsPerMinute, TokensPerMinute int // 0: no limit
}

// String returns the plan for people.
func (p *Plan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "program %s\n", p.Program)
	p.write(&b, "  ")
	if len(p.About) > 0 {
		b.WriteString("\n  declared about it\n")
	}
	for _, a := range p.About {
		fmt.Fprintf(&b, "       %s\n", a)
	}
	return b.String()
}

func (p *Plan) write(b *strings.Builder, indent string) {
	fields := func(fs []Field) string {
		parts := make([]string, len(fs))
		for i, f := range fs {
			parts[i] = f.Name + ": " + f.Type
		}
		return strings.Join(parts, ", ")
	}
	if p.Inputs != nil || p.Outputs != nil {
		fmt.Fprintf(b, "%stakes  %s\n", indent, orNothing(fields(p.Inputs)))
	}
	for _, op := range p.Ops {
		fmt.Fprintf(b, "\n%s%d. %s %s", indent, op.Wave, op.what(), op.Name)
		if len(op.After) > 0 {
			fmt.Fprintf(b, "  after %s", strings.Join(op.After, ", "))
		}
		b.WriteString("\n")
		for _, line := range op.flow() {
			fmt.Fprintf(b, "%s     %s\n", indent, line)
		}
		for _, in := range op.Inputs {
			fmt.Fprintf(b, "%s     %s = %s%s\n", indent, in.Name, oneLine(in.From), byName(in.Auto))
		}
		if len(op.Outputs) > 0 {
			fmt.Fprintf(b, "%s     -> %s\n", indent, fields(op.Outputs))
		}
		if op.Instructions != "" {
			fmt.Fprintf(b, "%s     tuned: instructions and %s\n", indent, op.demos())
		}
		op.writeInner(b, indent)
		if op.Model != nil {
			fmt.Fprintf(b, "%s     model %s\n", indent, op.Model.label())
			op.Model.Route.write(b, indent+"       ")
		}
		for _, held := range op.Parts {
			held.writeHeld(b, op, indent+"     ")
		}
		if op.Retriever != nil && op.Retriever.Embedder != nil {
			fmt.Fprintf(b, "%s     embedder %s\n", indent, op.Retriever.Embedder.title())
		}
		for _, x := range op.Pending {
			fmt.Fprintf(b, "%s     `%s` cannot run yet: %s is missing\n", indent, x.Setting, x.Missing)
		}
		if op.Plan != nil {
			op.Plan.write(b, indent+"     ")
		}
	}
	if p.Inputs == nil && p.Outputs == nil {
		return // the rounds of a `repeat`
	}
	fmt.Fprintf(b, "\n%sgives\n", indent)
	for _, out := range p.Outputs {
		fmt.Fprintf(b, "%s     %s = %s%s\n", indent, out.Name, oneLine(out.From), byName(out.Auto))
	}
}

// writeHeld writes a module that the module of outer holds.
func (op *Op) writeHeld(b *strings.Builder, outer *Op, indent string) {
	name := op.Module
	if op.Plan != nil {
		name = op.Plan.Program
	}
	if op.Step.Name != outer.Name && op.Step.Name != name {
		name += " " + op.Step.Name
	}
	fmt.Fprintf(b, "%sholds %s\n", indent, name)
	for _, line := range op.flow() {
		fmt.Fprintf(b, "%s     %s\n", indent, line)
	}
	if op.Instructions != "" {
		fmt.Fprintf(b, "%s     tuned: instructions and %s\n", indent, op.demos())
	}
	op.writeInner(b, indent)
	if op.Model != nil && (outer.Model == nil || op.Model.Address != outer.Model.Address) {
		fmt.Fprintf(b, "%s     model %s\n", indent, op.Model.label())
		op.Model.Route.write(b, indent+"       ")
	}
	for _, held := range op.Parts {
		held.writeHeld(b, op, indent+"     ")
	}
	if op.Plan != nil {
		op.Plan.write(b, indent+"     ")
	}
}

// flow says when and how often the operation runs.
func (op *Op) flow() []string {
	if op.Step == nil {
		return nil
	}
	var out []string
	f := op.Step.Flow
	if !f.When.IsZero() {
		out = append(out, "when "+oneLine(f.When.Text()))
	}
	if f.Otherwise != "" {
		out = append(out, "otherwise: when "+f.Otherwise+" was skipped")
	}
	if !f.ForEach.IsZero() {
		s := "for each of " + oneLine(f.ForEach.Text())
		if !f.Concurrency.IsZero() {
			s += ", " + f.Concurrency.Text() + " at once"
		}
		if f.NullOnError {
			s += ", null where one fails"
		}
		out = append(out, s)
	}
	if r := op.Step.Repeat; r != nil {
		for _, b := range r.Init {
			out = append(out, "state "+b.Name+" = "+oneLine(b.Value.Text()))
		}
		s := "at most " + r.MaxRounds.Text() + " rounds"
		if !r.Until.IsZero() {
			s += ", until " + oneLine(r.Until.Text())
		}
		out = append(out, s)
		for _, b := range r.Next {
			out = append(out, "next "+b.Name+" = "+oneLine(b.Value.Text()))
		}
	}
	for _, o := range op.Step.Options {
		text := strings.Join(o.Refs, ", ")
		if o.Refs == nil {
			text = oneLine(o.Value.Text())
		}
		out = append(out, o.Name+" "+text)
	}
	for _, a := range op.Step.Asserts {
		word := "assert "
		if a.Suggest {
			word = "suggest "
		}
		out = append(out, word+a.Name+": "+oneLine(a.That.Text()))
	}
	return out
}

func (op *Op) what() string {
	switch op.Kind {
	case RepeatOp:
		return "repeat"

	case StepOp:
		return op.Module
	case CallOp:
		return "program " + op.Plan.Program + " as"
	}
	return "let"
}

func (m *Model) label() string {
	s := m.title()
	if m.Source != "" {
		s += ", from " + m.Source
	}
	if m.Own {
		s += "; your own server, which costs nothing"
	}
	return s
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}

func byName(auto bool) string {
	if auto {
		return "  (by name)"
	}
	return ""
}

// writeInner says what tuning found for the predictors inside the module.
func (op *Op) writeInner(b *strings.Builder, indent string) {
	for _, name := range slices.Sorted(maps.Keys(op.Inner)) {
		x := op.Inner[name]
		fmt.Fprintf(b, "%s     tuned: instructions and %s of `%s`\n", indent, demosShown(len(x.Demos), x.Nearest), name)
	}
}

func demos(n int) string {
	if n == 1 {
		return "1 demo"
	}
	return strconv.Itoa(n) + " demos"
}

// demos says how many demos tuning found, and how many of them a call is shown.
func (op *Op) demos() string { return demosShown(len(op.Demos), op.Nearest) }

func demosShown(n, nearest int) string {
	text := demos(n)
	if nearest > 0 {
		text += ", the " + strconv.Itoa(nearest) + " nearest in each call"
	}
	return text
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// MarshalJSON writes the plan for machines. Keys are not in it.
func (p *Plan) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Program   string   `json:"program"`
		Inputs    []Field  `json:"inputs"`
		Ops       []*Op    `json:"ops"`
		Outputs   []Bind   `json:"outputs"`
		Variables []string `json:"variables"`
		About     []About  `json:"about"`
	}{p.Program, p.Inputs, p.Ops, p.Outputs, append([]string{}, p.Variables...), append([]About{}, p.About...)})
}

// MarshalJSON writes the operation for machines.
func (op *Op) MarshalJSON() ([]byte, error) {
	var pending []string
	for _, p := range op.Pending {
		pending = append(pending, p.Setting)
	}
	return json.Marshal(struct {
		Name    string   `json:"name"`
		Address string   `json:"address"`
		Kind    Kind     `json:"kind"`
		Module  string   `json:"module,omitempty"`
		Wave    int      `json:"wave"`
		After   []string `json:"after"`
		Inputs  []Bind   `json:"inputs"`
		Outputs []Field  `json:"outputs"`
		Model   *Model   `json:"model,omitempty"`
		Adapter string   `json:"adapter,omitempty"`
		Flow    []string `json:"flow,omitempty"`
		Pending []string `json:"not_runnable_yet,omitempty"`
		Plan    *Plan    `json:"plan,omitempty"`
		Holds   []*Op    `json:"holds,omitempty"`
		Tuned   *tuned   `json:"tuned,omitempty"`
	}{op.Name, op.Address, op.Kind, op.Module, op.Wave, append([]string{}, op.After...), append([]Bind{}, op.Inputs...),
		append([]Field{}, op.Outputs...), op.Model, op.Adapter, op.flow(), pending, op.Plan, op.Parts, op.tuned()})
}

// tuned is what a state gives a step, for machines.
type tuned struct {
	Instructions string          `json:"instructions"`
	Demos        []*value.Object `json:"demos"`
	Nearest      int             `json:"nearest,omitempty"`
	// Predictors are those inside the module, by the names that they have there.
	Predictors map[string]*tuned `json:"predictors,omitempty"`
}

func (op *Op) tuned() *tuned {
	if op.Instructions == "" && op.Demos == nil && op.Inner == nil {
		return nil
	}
	t := &tuned{Instructions: op.Instructions, Demos: append([]*value.Object{}, op.Demos...), Nearest: op.Nearest}
	for name, x := range op.Inner {
		if t.Predictors == nil {
			t.Predictors = map[string]*tuned{}
		}
		t.Predictors[name] = &tuned{Instructions: x.Instructions, Demos: append([]*value.Object{}, x.Demos...), Nearest: x.Nearest}
	}
	return t
}

// MarshalJSON writes the model for machines, without its key and address of
// server, which may hold secrets.
func (m *Model) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Name    string `json:"name,omitempty"`
		Address string `json:"address"`
		Source  string `json:"source"`
		Own     bool   `json:"own,omitempty"`
		Route   *Route `json:"route,omitempty"`
	}{m.Name, m.Address, m.Source, m.Own, m.Route})
}

func planFields(fs []types.Field) []Field {
	out := make([]Field, len(fs))
	for i, f := range fs {
		out[i] = Field{f.Name, f.Type.String()}
	}
	return out
}
