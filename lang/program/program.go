// Package program is the checked program: what lang/check makes of a file, with
// every name resolved and every value typed.
//
//	Project    everything a root file and its imports declare
//	Program    a signature and the steps that fulfil it
//	Step       one call of a module or of another program
//	Let        a named value
//	Binding    a name that gets its value from an expression
//	Value      an expression with its type and what it reads
//	Model      where calls go
//	Variable   a value that can be set from outside
//	Signature  what a step takes and gives (signature.go)
//
// A project does not change once made. interpreter/plan turns one of its
// programs into a plan.
package program

import (
	"slices"
	"time"

	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/types"
)

// Project is everything that a root file and its imports declare. Names of a
// file imported `as rag` are written `rag.name`.
type Project struct {
	Root      *source.File
	Files     []*source.File // the root first, then the imported ones in order
	Programs  []*Program     // in the order of the text; those of the root first
	Models    []*Model
	Variables []*Variable

	// What stands around programs; see declarations.go.
	Tools         []*Tool
	Retrievers    []*Retriever
	Datasets      []*Dataset
	Metrics       []*Metric
	Evaluations   []*Evaluation
	Optimizations []*Optimization
	Constraints   []*Constraint
	Tests         []*Test

	Types      []*NamedType // declared types and enums, in the order of the text; those of the root first
	Signatures []*Signature // declared ones, likewise
}

// NamedType is a declared type: `type Mood = …`, `type Contact { … }`, `enum Queue { … }`.
type NamedType struct {
	Name  string
	Type  types.Type
	Place source.Place
}

// Type returns the declared type or enum of a name.
func (p *Project) Type(name string) (*NamedType, bool) {
	i := slices.IndexFunc(p.Types, func(x *NamedType) bool { return x.Name == name })
	if i < 0 {
		return nil, false
	}
	return p.Types[i], true
}

// Signature returns the declared signature of a name.
func (p *Project) Signature(name string) (*Signature, bool) {
	i := slices.IndexFunc(p.Signatures, func(x *Signature) bool { return x.Name == name })
	if i < 0 {
		return nil, false
	}
	return p.Signatures[i], true
}

// Program returns the program of a name.
func (p *Project) Program(name string) (*Program, bool) {
	i := slices.IndexFunc(p.Programs, func(x *Program) bool { return x.Name == name })
	if i < 0 {
		return nil, false
	}
	return p.Programs[i], true
}

// Model returns the declared model of a name.
func (p *Project) Model(name string) (*Model, bool) {
	i := slices.IndexFunc(p.Models, func(x *Model) bool { return x.Name == name })
	if i < 0 {
		return nil, false
	}
	return p.Models[i], true
}

// Variable returns the variable of a name.
func (p *Project) Variable(name string) (*Variable, bool) {
	i := slices.IndexFunc(p.Variables, func(x *Variable) bool { return x.Name == name })
	if i < 0 {
		return nil, false
	}
	return p.Variables[i], true
}

// Main returns the program to run when none is named: the only one of the root
// file, else the only one there that no other program calls. Where that leaves
// several, those that tools and metrics run are left out, too. The second result
// lists the candidates when there is no such one.
func (p *Project) Main() (*Program, []*Program) {
	var own []*Program
	for _, x := range p.Programs {
		if x.Place.File == p.Root {
			own = append(own, x)
		}
	}
	if len(own) == 1 {
		return own[0], nil
	}
	used := map[*Program]bool{}
	for _, x := range p.Programs {
		markCalled(x.Steps, used)
	}
	free := without(own, used)
	if len(free) > 1 {
		for _, t := range p.Tools {
			used[t.Program] = true
		}
		for _, m := range p.Metrics {
			if m.Use != nil && m.Use.Body != nil {
				markCalled(m.Use.Body.Steps, used)
			}
		}
		free = without(free, used)
	}
	if len(free) == 1 {
		return free[0], nil
	}
	return nil, own
}

// markCalled adds the programs that steps call, those in a `repeat` included.
func markCalled(steps []*Step, called map[*Program]bool) {
	for _, s := range steps {
		if s.Program != nil {
			called[s.Program] = true
		}
		if s.Repeat != nil {
			markCalled(s.Repeat.Steps, called)
		}
	}
}

func without(programs []*Program, used map[*Program]bool) []*Program {
	return slices.DeleteFunc(slices.Clone(programs), func(x *Program) bool { return used[x] })
}

// Program is a signature and the steps that fulfil it.
type Program struct {
	Name      string
	Doc       string // the comment above it, without its marks
	Signature *Signature
	Steps     []*Step // in the order of the text
	Lets      []*Let
	Outputs   []Binding // one for each output of the signature, in its order
	Names     Names     // what `var.…` means in its file
	// LocalFiles is the folder from which media given as a path are read,
	// relative to the program's file; "": none.
	LocalFiles string
	Place      source.Place
	Block      source.Place // all of it, from its kind to its brace
}

// Address returns `program.NAME`.
func (p *Program) Address() string { return "program." + p.Name }

// Step returns the step of a name.
func (p *Program) Step(name string) (*Step, bool) {
	i := slices.IndexFunc(p.Steps, func(x *Step) bool { return x.Name == name })
	if i < 0 {
		return nil, false
	}
	return p.Steps[i], true
}

// Step is one call of a module or of another program, or steps that repeat.
type Step struct {
	Name     string
	Module   string     // a built-in module; "" when Program is called or Repeat set
	Program  *Program   // nil for a module
	Repeat   *Repeat    // nil but for `repeat`
	Use      ModuleRef  // of the module `module`: what it stands for
	Inner    *Step      // the module that a wrapping module holds
	Parts    []*Step    // the modules that a module holds that holds many
	Declared *Signature // as written, or the program's
	// Signature is Declared with what the module adds: `reasoning`.
	Signature *Signature
	Inputs    []Binding // one for each input that is bound, in the signature's order
	Settings  Settings
	Flow      Flow
	Options   []Option // the module's own settings
	Asserts   []Assert
	Needs     []string // names of the steps and lets that must come first, in order of the text
	Pending   []Pending
	// Measures is the program that the step measures: of a metric in Python, whose
	// inputs are `example` and `prediction`. It is nil for any other step.
	Measures *Program
	Place    source.Place
	Block    source.Place // all of it, from its kind to its brace
}

// At returns where the step stands; nowhere for a nil step.
func (s *Step) At() source.Place {
	if s == nil {
		return source.Place{}
	}
	return s.Place
}

// Flow says when and how often a step runs.
type Flow struct {
	When        Value  // zero: always
	Otherwise   string // the step that must have been skipped; "": none
	ForEach     Value  // a list; zero: once
	Concurrency Value
	NullOnError bool // an element that fails leaves null
}

// Conditional reports whether the step may be skipped.
func (f Flow) Conditional() bool { return !f.When.IsZero() || f.Otherwise != "" }

// Seen returns the type that others see of an output of type t: a list of one
// for each element, and null where the step was skipped.
func (f Flow) Seen(t types.Type) types.Type {
	if types.IsInvalid(t) {
		return t
	}
	if !f.ForEach.IsZero() {
		if f.NullOnError {
			t = types.NewOptional(t)
		}
		t = &types.List{Elem: t}
	}
	if f.Conditional() {
		t = types.NewOptional(t)
	}
	return t
}

// Option is a setting of a module's own: a value, or the names of declarations.
type Option struct {
	Name  string
	Value Value
	Refs  []string // addresses: `tool.area`, `retriever.wiki`
	// Judges says that Value is over the step's own inputs and outputs.
	Judges bool
	// Passages says that Value is a condition on `passage`, beside what the step sees.
	Passages bool
}

// Assert is `assert NAME { … }` or `suggest NAME { … }`.
type Assert struct {
	Name    string
	That    Value
	Message Value // zero: the condition's text
	Retries int
	Suggest bool
	Place   source.Place
}

// ModuleRef says which module `module` stands for: one that is named, or the one
// that a variable names.
type ModuleRef struct {
	Module   string
	Variable *Variable
	Place    source.Place
}

// IsZero reports whether no module is named.
func (r ModuleRef) IsZero() bool { return r.Module == "" && r.Variable == nil }

// Repeat is `repeat NAME { … }`: rounds of steps that hand on a state.
type Repeat struct {
	State     []types.Field
	Init      []Binding // one for each field of State, in its order
	Next      []Binding // the state after a round; what is left out stays
	Until     Value     // zero: only MaxRounds ends it
	MaxRounds Value
	Steps     []*Step
	Lets      []*Let
}

// Let is `let NAME = EXPRESSION`.
type Let struct {
	Name  string
	Value Value
	Needs []string
	Place source.Place
}

// Binding gives a name its value.
type Binding struct {
	Name  string
	Value Value
	Auto  bool // not written: bound by name
}

// Value is a checked expression. A Binding that was not written has no Expr: it
// is the reference Root, or Root.Field.
type Value struct {
	Expr      *expr.Expr
	Root      string
	Field     string
	Type      types.Type
	Sensitive bool
	Place     source.Place
}

// IsZero reports whether there is no value.
func (v Value) IsZero() bool { return v.Expr == nil && v.Root == "" }

// Text returns the value as it is, or could be, written.
func (v Value) Text() string {
	switch {
	case v.Expr != nil:
		return v.Place.Text()
	case v.Field != "":
		return v.Root + "." + v.Field
	}
	return v.Root
}

// Settings are the settings of a step. Those of its program are already in them
// where the step has none of its own.
type Settings struct {
	Instructions Value
	Model        ModelRef
	Adapter      string
	Backend      string // "python", or anything else for native
	Replies      string // how replies are read: "strict", "lenient", or anything else for repaired
	Rollout      Value
	Temperature  Value
	TopP         Value
	MaxTokens    Value
	Seed         Value
	Stop         Value
	Retries      Value

	ReasoningEffort Value
}

// ModelRef says which model answers: a declared one, an address
// `provider/name`, or the one that a variable names. The zero ModelRef leaves it
// to whoever calls.
type ModelRef struct {
	Model    *Model
	Address  string
	Variable *Variable
	Place    source.Place
}

// IsZero reports whether no model is named.
func (r ModelRef) IsZero() bool { return r.Model == nil && r.Address == "" && r.Variable == nil }

// String returns the reference as it is written.
func (r ModelRef) String() string {
	switch {
	case r.Model != nil:
		return "model." + r.Model.Name
	case r.Variable != nil:
		return "var." + r.Variable.Name
	}
	return r.Address
}

// Model is a declared model.
type Model struct {
	Name     string
	Provider string
	ID       Value // the provider's name for it
	BaseURL  Value
	APIKey   Value
	Default  bool
	Timeout  time.Duration // 0: the default

	API string // which interface of the provider; "": its usual one

	Temperature, TopP, MaxTokens, Seed, Stop, ReasoningEffort Value

	Concurrency       int // 0: the default
	RequestsPerMinute int // 0: no limit
	TokensPerMinute   int

	Attempts  int // 0: the default
	RetryBase time.Duration
	RetryMax  time.Duration

	Connect, FirstToken, Idle time.Duration // 0: no limit
	BreakerFailures           int           // 0: the default
	BreakerCooldown           time.Duration
	HedgeAfter                time.Duration // 0: never
	HedgeMax                  int           // 0: the default

	Price *Price
	Route *Route // of a model that is a choice among others
	Names Names  // what `var.…` means in its file
	Place source.Place
}

// Route is how a model chooses among others: `route = "fallback"`.
type Route struct {
	Strategy      string
	Members       []RouteMember // in the order of the text
	QualityMin    float64
	Confidence    string // the output that says how sure a reply is; "" for none
	ConfidenceMin float64
	Place         source.Place // of the strategy
}

// RouteMember is one model of a Route. What is 0 or nil is not limited, or not known.
type RouteMember struct {
	Model        ModelRef // a declared model, or an address
	Weight       float64
	Quality      *float64
	InputSizeMax int     // characters
	CostLimit    float64 // US dollars
	MaxLatency   time.Duration
}

// Pending is what a step needs that is understood but cannot run yet.
type Pending struct {
	Setting string
	Missing string // what would be needed to obey it
	Place   source.Place
}

// Names are the variables that a file can use, by the name they have in it: `k`,
// or `rag.k` for one of a file imported as rag.
type Names map[string]*Variable

// Resolve returns the variable that a reference `var.PATH…` reads.
func (n Names) Resolve(path []string) (*Variable, bool) {
	name := ""
	for _, p := range path {
		name += p
		if v, ok := n[name]; ok {
			return v, true
		}
		name += "."
	}
	return nil, false
}

// Price is in US dollars per million tokens.
type Price struct{ Input, Output float64 }

// Variable is a value that can be set from outside.
type Variable struct {
	Name        string
	Type        types.Type
	Default     any // meaningful when HasDefault
	HasDefault  bool
	Env         string // the environment variable that `default = env("…")` names
	Description string
	Sensitive   bool
	Choices     []string // of a variable of type model or module
	Scale       string
	Computed    Value // of a variable that is made of others; zero for any other
	Names       Names // what `var.…` means in its file
	Place       source.Place
}
