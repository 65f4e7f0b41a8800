// Package universe describes everything a .dsp file can name without declaring
// it: blocks and their settings, modules, providers. It is data, no code: the
// checker, the CLI's help, the editor and the reference pages all read it.
//
//	Universe  the whole table; stdlib.Universe() makes it
//	Block     a kind of block: its settings, the blocks in it, an example
//	Setting   one `name = value` of a block
//	Module    a kind of step: `predict`, `chain_of_thought`
//	Provider  a source of models: `openai`, `builtin`
//
// The blocks of the language itself are in blocks.go; modules and providers are
// declared beside their code, in stdlib.
package universe

import (
	"slices"

	"github.com/dspi-lang/dspi/lang/types"
)

// ValueKind says what a setting's value is.
type ValueKind string

// The kinds of values of settings.
const (
	Text        ValueKind = "string"
	Integer     ValueKind = "int"
	Number      ValueKind = "float"
	Boolean     ValueKind = "bool"
	Duration    ValueKind = "duration" // text such as "30s"
	TextList    ValueKind = "list[string]"
	Choice      ValueKind = "choice"          // one of Choices, as text
	SignatureOf ValueKind = "signature"       // the name of a signature
	ModelOf     ValueKind = "model"           // model.NAME, "provider/name" or a variable of type model
	ModelList   ValueKind = "list of models"  // [model.a, model.b]
	Literal     ValueKind = "a fixed value"   // of the block's own type: a variable's default
	Any         ValueKind = "any value"       // an expression of any type
	Choices     ValueKind = "list of choices" // [model.a, module.predict]
	RetrieverOf ValueKind = "retriever"       // retriever.NAME
	ToolList    ValueKind = "list of tools"   // [tool.a, tool.b]
	ProgramOf   ValueKind = "program"         // program.NAME
	DatasetOf   ValueKind = "data set"        // dataset.NAME
	MetricOf    ValueKind = "metric"          // metric.NAME
	MetricList  ValueKind = "list of metrics" // [metric.a, metric.b]
	TunableList ValueKind = "list of what is tuned"
	ModuleOf    ValueKind = "module"    // module.NAME or a variable of type module
	StepOf      ValueKind = "step"      // the name of another step
	Judgement   ValueKind = "judgement" // an expression over the step's own inputs and outputs
	PassagesIf  ValueKind = "condition" // an expression over `passage` and what the step sees: which passages are searched
)

// Setting is one `name = value` of a block.
type Setting struct {
	Name     string
	Kind     ValueKind
	Doc      string   // one line, full sentence
	Default  string   // as shown to people; "" when there is none
	Choices  []string // for Choice
	Required bool
	Min, Max *float64 // for numbers
	// Fixed says that the value must be known before a run: it may use
	// variables, but no inputs and no steps.
	Fixed bool
	// Secret says that a sensitive variable may flow here.
	Secret bool
	// Output says that the text is the name of one of the step's outputs.
	Output bool
	// Pending names what is missing when the setting is read and checked but
	// not obeyed yet. "" when it is obeyed.
	Pending string
}

// Block is a kind of block.
type Block struct {
	Name     string
	Doc      string
	Example  string // a piece of .dsp text
	Named    bool   // it needs a name
	Settings []Setting
	Blocks   []Block
	// Signature says that fields and `->` may stand in it.
	Signature bool
	// Names says that the attributes in it are names of yours: inputs, outputs.
	Names bool
	// Steps says that steps and lets may stand in it.
	Steps bool
	// Pending is as in Setting.
	Pending string
}

// Setting returns the setting of a name.
func (b *Block) Setting(name string) (*Setting, bool) {
	i := slices.IndexFunc(b.Settings, func(s Setting) bool { return s.Name == name })
	if i < 0 {
		return nil, false
	}
	return &b.Settings[i], true
}

// Block returns the inner block of a name.
func (b *Block) Block(name string) (*Block, bool) {
	i := slices.IndexFunc(b.Blocks, func(x Block) bool { return x.Name == name })
	if i < 0 {
		return nil, false
	}
	return &b.Blocks[i], true
}

// Module is a kind of step that is built in.
type Module struct {
	Name     string
	Doc      string // a few words: "reason step by step, then answer"
	Example  string
	Adds     []types.Field // outputs that the module puts before the signature's own
	Settings []Setting     // beside those of every step
	// Inputs and Outputs are the module's own signature, for one that takes
	// no other.
	Inputs, Outputs []types.Field
	// Wraps says that the module holds one module as a block and calls it.
	Wraps bool
	// Holds says that the module holds any number of modules as blocks, each
	// with a name where two are of one kind.
	Holds bool
	// Answers says that a module which wraps asks for the step's outputs itself:
	// what the held one adds is not among them.
	Answers bool
	// Asks says that a module which holds others asks the model itself, too.
	Asks bool
	// Lists says that each output of the step is a list, with one element for
	// each module that it holds.
	Lists bool
	// Needs are outputs of which every module that it holds must have one.
	Needs []string
	// Opaque says that the module's own code does the work: its step names no
	// model and no prompt.
	Opaque bool
	// Python says that DSPy can do its work, where a step says `backend = "python"`.
	Python bool
	// Pending is as in Setting.
	Pending string
}

// Provider is a source of models.
type Provider struct {
	Name    string
	Doc     string
	KeyVar  string // the environment variable that holds its key; "" when it needs none
	NeedKey bool   // its own server answers nobody without one
	NeedURL bool   // it has no server that is the same for all: a model needs base_url
	Free    bool   // its calls cost nothing
	// Own says that it is a server of one's own, on this machine unless base_url says
	// otherwise: there its calls cost nothing.
	Own     bool
	Example string   // a model's address: openai/gpt-4o-mini
	Models  []string // the only models there are; nil when any name may be
	// Embeds says that it has models that make vectors of texts, for retrievers;
	// Embedders are the only ones there are, nil when any name may be.
	Embeds    bool
	Embedders []string
	// Mute says that its models make vectors and answer nothing.
	Mute bool
}

// Builtin is a declaration that is built in: `tool.calculator`, `metric.cost`.
type Builtin struct {
	Kind string // "tool" or "metric"
	Name string
	Doc  string
}

// Universe is the whole table.
type Universe struct {
	Blocks    []Block // at the top of a file
	Step      Block   // what every step takes
	Modules   []Module
	Providers []Provider
	Adapters  []Setting // name and one line of each prompt adapter
	Builtins  []Builtin // tools and metrics that need no declaration

	Optimizers []Optimizer
	Metrics    []Metric // those of Builtins
	Tools      []Tool   // those of Builtins
}

// Block returns the top-level block of a name.
func (u *Universe) Block(name string) (*Block, bool) {
	i := slices.IndexFunc(u.Blocks, func(b Block) bool { return b.Name == name })
	if i < 0 {
		return nil, false
	}
	return &u.Blocks[i], true
}

// Module returns the module of a name.
func (u *Universe) Module(name string) (*Module, bool) {
	i := slices.IndexFunc(u.Modules, func(m Module) bool { return m.Name == name })
	if i < 0 {
		return nil, false
	}
	return &u.Modules[i], true
}

// Provider returns the provider of a name.
func (u *Universe) Provider(name string) (*Provider, bool) {
	i := slices.IndexFunc(u.Providers, func(p Provider) bool { return p.Name == name })
	if i < 0 {
		return nil, false
	}
	return &u.Providers[i], true
}

// BuiltinNames returns the built-in declarations of a kind: "tool", "metric".
func (u *Universe) BuiltinNames(kind string) []string {
	var out []string
	for _, b := range u.Builtins {
		if b.Kind == kind {
			out = append(out, b.Name)
		}
	}
	return out
}

// BlockNames returns the kinds of block at the top of a file.
func (u *Universe) BlockNames() []string {
	var out []string
	for _, b := range u.Blocks {
		out = append(out, b.Name)
	}
	return out
}

// ModuleNames returns the names of the modules.
func (u *Universe) ModuleNames() []string {
	var out []string
	for _, m := range u.Modules {
		out = append(out, m.Name)
	}
	return out
}

// ProviderNames returns the names of the providers.
func (u *Universe) ProviderNames() []string {
	var out []string
	for _, p := range u.Providers {
		out = append(out, p.Name)
	}
	return out
}

// Reserved are the words that no declaration, field or step may be named.
var Reserved = []string{"true", "false", "null", "let", "in", "not", "and", "or", "it", "it_index", "acc", "if", "else"}

// Namespaces are the words that begin a reference: `var.k`, `model.fast`.
var Namespaces = []string{
	"var", "model", "program", "module", "inputs",
	"tool", "retriever", "dataset", "metric", "evaluate", "optimize", "constraint", "test", "variable",
}
