package program

import (
	"slices"
	"time"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/types"
)

// Tool is something that a model can call: `tool weather { … }`. Exactly one of
// its bodies is set: Outputs alone, HTTP, Command, Starlark, Python, MCP or
// Program. HTTP and Command may have Outputs beside them.
type Tool struct {
	Name        string
	Description string
	Signature   *Signature
	// Outputs are expressions over the inputs, and over what the body gives:
	// body, status and headers of HTTP; stdout, stderr and status of a command.
	Outputs  []Binding
	HTTP     *HTTP
	Command  *Command
	Starlark *Starlark
	Python   *Python
	MCP      *MCP
	Program  *Program
	Approve  Approve
	Names    Names // what `var.…` means in its file
	Place    source.Place
}

// Approve says when a person is asked before a tool is called: always, or where
// When, a condition over the inputs, is true. The zero Approve never asks.
type Approve struct {
	Always bool
	When   Value
}

// Address returns `tool.NAME`.
func (t *Tool) Address() string { return "tool." + t.Name }

// Body names what answers a call of the tool: "outputs", "http", "program", …
func (t *Tool) Body() string {
	switch {
	case t.HTTP != nil:
		return "http"
	case t.Command != nil:
		return "command"
	case t.Starlark != nil:
		return "starlark"
	case t.Python != nil:
		return "python"
	case t.MCP != nil:
		return "mcp"
	case t.Program != nil:
		return "program"
	}
	return "outputs"
}

// HTTP is `http { url = … }`: a request.
type HTTP struct {
	Method       string // "GET" when none is written
	URL          Value
	Headers      []Binding // an underscore in a name stands for `-`
	Body         Value     // text as it is, anything else as JSON
	AllowPrivate bool
	Timeout      time.Duration // 0: the default
	MaxBytes     int           // 0: the default
	Place        source.Place
}

// Command is `command { argv = … }`: a program of the machine, run without a shell.
type Command struct {
	Argv     Value // list[string]
	Stdin    Value
	Folder   Value
	Env      []Binding
	Timeout  time.Duration
	MaxBytes int
	Place    source.Place
}

// Starlark is `starlark { code = … }`: a function in Starlark.
type Starlark struct {
	Code    string // either Code or File
	File    string
	Call    string // the function's name
	Timeout time.Duration
	Place   source.Place
}

// Python is `python { call = "module:function" }`.
type Python struct {
	Call    string
	Timeout time.Duration
	Place   source.Place
}

// MCP is `mcp { command = […] }` or `mcp { url = … }`: a tool of an MCP server.
type MCP struct {
	Command Value // either Command or URL
	URL     Value
	Tool    string // its name on the server
	Headers []Binding
	Env     []Binding
	Timeout time.Duration
	Place   source.Place
}

// Retriever is passages to search: `retriever wiki { file = … }`. Exactly one
// of File, Folder and Python is set.
type Retriever struct {
	Name        string
	Description string
	File        Value
	Folder      Value
	Python      *Python // searches; nil: dspi does
	Pattern     string  // which files of a folder
	Text        string  // the column that is searched
	ID          string  // the column that names a passage; "" for its position
	Title       string
	Method      string   // "" for the default
	Embedder    ModelRef // zero: none
	K           Value
	MaxLength   int  // characters of a passage; 0: the default
	Overlap     *int // characters that two parts share; nil: a tenth of MaxLength
	// VectorWeight and Diversity are from 0 to 1; zero: their defaults.
	VectorWeight Value
	Diversity    Value
	Rerank       *Program // orders what was found anew; nil: nothing does
	Candidates   Value    // for Rerank
	// Columns are what `where` may read of a passage; nil where that is not known.
	Columns []types.Field
	Names   Names
	Place   source.Place
}

// Address returns `retriever.NAME`.
func (r *Retriever) Address() string { return "retriever." + r.Name }

// Dataset is rows to evaluate and tune on: `dataset dev { file = … }`. Exactly one
// of File and Python is set.
type Dataset struct {
	Name        string
	Description string
	File        Value
	Python      *Python // gives the rows
	Format      string  // "" when the file's name tells
	// Columns are the names of the rows' values, as expressions see them; nil
	// when they are not known before a run.
	Columns []string
	// Renamed says which column of the file stands behind a name.
	Renamed map[string]string
	Limit   int // 0: all rows
	Shuffle Value
	// Only are values that rows have: a column of the file that says which part
	// a row belongs to.
	Only map[string]any
	// From and To are the part of the rows that is meant, as shares from 0 to 1;
	// To of 0 is their end. Stratify names the column whose values are parted
	// each by itself, "" for none.
	From, To float64
	Stratify string
	Sample   int // so many rows, drawn at random; 0: all
	Names    Names
	Place    source.Place
}

// Address returns `dataset.NAME`.
func (d *Dataset) Address() string { return "dataset." + d.Name }

// Has reports whether rows have a value of the name; true when that is not known.
func (d *Dataset) Has(name string) bool {
	return d == nil || d.Columns == nil || slices.Contains(d.Columns, name)
}

// Metric says how good an output is: `metric correct { score = … }`.
type Metric struct {
	Name        string
	Description string
	// Use is the metric as it is checked by itself, where nothing is known of
	// rows and outputs.
	Use *MetricUse
	// Python measures; nil: expressions do. The one step of a use's Body calls it.
	Python *Python
	Names  Names
	Place  source.Place
}

// Address returns `metric.NAME`.
func (m *Metric) Address() string { return "metric." + m.Name }

// MetricUse is a metric as it applies to a program and a data set: its
// expressions are checked against both. The value of a metric may differ in type
// from use to use, so each use has expressions of its own.
type MetricUse struct {
	Metric  *Metric // nil for a built-in one
	Builtin string
	// Labels are the outputs that a built-in metric compares with a column of
	// the same name.
	Labels []string
	Score  Value
	// Feedback says in words what was wrong, for tuners that read; may be zero.
	Feedback Value
	// Body holds the metric's own steps and named values. It has no inputs and
	// no outputs; its expressions see `example`, `prediction` and `usage`.
	Body  *Program
	Place source.Place
}

// Name returns the metric's name without `metric.`.
func (u *MetricUse) Name() string {
	if u.Metric != nil {
		return u.Metric.Name
	}
	return u.Builtin
}

// Address returns `metric.NAME`.
func (u *MetricUse) Address() string { return "metric." + u.Name() }

// Evaluation measures a program on data: `evaluate NAME { … }`.
type Evaluation struct {
	Name        string
	Description string
	Program     *Program
	Data        *Dataset
	Metrics     []*MetricUse
	Model       ModelRef
	Concurrency int // 0: the default
	MaxErrors   int
	HasMax      bool
	FailScore   Value
	Limit       int
	// Require is a condition over `metric.…`; the exit status is 1 when it does
	// not hold. Zero when there is none.
	Require Value
	SaveTo  string
	Names   Names
	Place   source.Place
}

// Address returns `evaluate.NAME`.
func (e *Evaluation) Address() string { return "evaluate." + e.Name }

// Optimization tunes a program: `optimize NAME { … }`.
type Optimization struct {
	Name        string
	Description string
	Program     *Program
	Train       *Dataset
	Dev         *Dataset // nil: the tuner parts the training rows
	Test        *Dataset // nil: no final comparison
	Maximize    []*MetricUse
	Minimize    []*MetricUse
	Tune        []Tunable // nil: everything that the optimizer can tune
	// Stages are its optimizers, in the order of the text: each starts where the one
	// before it ended.
	Stages      []*Stage
	Budget      Budget
	Concurrency int
	EarlyStop   bool // candidates that are clearly worse are given up on some rows
	Seed        Value
	Model       ModelRef
	Teacher     ModelRef // runs the program for demos; zero: the program's own
	PromptModel ModelRef // writes instructions; zero: the program's own
	SaveTo      string
	Names       Names
	Place       source.Place
}

// Stage is one optimizer of an optimization.
type Stage struct {
	Optimizer string
	Settings  []Binding           // in the order of the text
	Models    map[string]ModelRef // its settings that name a model
	Place     source.Place
}

// Address returns `optimize.NAME`.
func (o *Optimization) Address() string { return "optimize." + o.Name }

// Budget is the most that tuning may use. Zero values are no limit.
type Budget struct {
	USD   Value
	Calls Value
	Time  time.Duration
	Place source.Place
}

// Tunable is something that a tuner may change: a variable, or the demos,
// instructions or a setting of a step.
type Tunable struct {
	Variable *Variable
	Program  *Program
	Step     *Step
	Part     string // "demos", "instructions" or one of TunableSettings, of a step
	Place    source.Place
}

// TunableSettings are the settings of a step that a tuner can search without a
// variable for them.
var TunableSettings = []string{"temperature", "adapter"}

// Address returns `var.k` or `program.route.classify.demos`.
func (t Tunable) Address() string {
	if t.Variable != nil {
		return "var." + t.Variable.Name
	}
	return t.Program.Address() + "." + t.Step.Name + "." + t.Part
}

// Constraint is what variables must satisfy together, on every run:
// `constraint { require = … }`.
type Constraint struct {
	Name    string // "" for one without a name
	When    Value  // zero: always
	Require Value
	Message Value // zero: none
	Names   Names
	Place   source.Place
}

// Test is inputs with what must hold of the outputs: `test NAME { … }`.
type Test struct {
	Name        string
	Description string
	Program     *Program
	Model       ModelRef
	Timeout     time.Duration
	Inputs      []Binding
	Asserts     []*Assertion
	Names       Names
	Place       source.Place
}

// Address returns `test.NAME`.
func (t *Test) Address() string { return "test." + t.Name }

// Assertion is one `assert { that = … }` of a test.
type Assertion struct {
	Name    string // "" for one without a name
	That    Value
	Message Value // zero: none
	Place   source.Place
}

// Test returns the test of a name.
func (p *Project) Test(name string) (*Test, bool) {
	return named(p.Tests, name, func(t *Test) string { return t.Name })
}

// Dataset returns the data set of a name.
func (p *Project) Dataset(name string) (*Dataset, bool) {
	return named(p.Datasets, name, func(d *Dataset) string { return d.Name })
}

// Metric returns the metric of a name.
func (p *Project) Metric(name string) (*Metric, bool) {
	return named(p.Metrics, name, func(m *Metric) string { return m.Name })
}

// Tool returns the declared tool of a name.
func (p *Project) Tool(name string) (*Tool, bool) {
	return named(p.Tools, name, func(t *Tool) string { return t.Name })
}

// Retriever returns the retriever of a name.
func (p *Project) Retriever(name string) (*Retriever, bool) {
	return named(p.Retrievers, name, func(r *Retriever) string { return r.Name })
}

// Evaluation returns the evaluation of a name.
func (p *Project) Evaluation(name string) (*Evaluation, bool) {
	return named(p.Evaluations, name, func(e *Evaluation) string { return e.Name })
}

// Optimization returns the optimization of a name.
func (p *Project) Optimization(name string) (*Optimization, bool) {
	return named(p.Optimizations, name, func(o *Optimization) string { return o.Name })
}

func named[T any](all []T, name string, of func(T) string) (T, bool) {
	for _, x := range all {
		if of(x) == name {
			return x, true
		}
	}
	var none T
	return none, false
}

// Tunes reports whether a variable spans a space that a tuner can search: a
// number between bounds, a choice, true or false.
func (v *Variable) Tunes() bool {
	if v.Sensitive || !v.Computed.IsZero() {
		return false
	}
	return tunes(v.Type, len(v.Choices) > 0)
}

func tunes(t types.Type, choices bool) bool {
	switch t := t.(type) {
	case types.Model, types.Module:
		return choices
	case *types.Enum:
		return true
	case *types.Literal:
		return true
	case *types.Optional:
		return tunes(t.Elem, choices)
	case *types.Union:
		return !slices.ContainsFunc(t.Members, func(m types.Type) bool { return !tunes(m, choices) })
	case *types.Primitive:
		lo, hi := t.Bounds()
		return t.Row.Base == types.BoolBase ||
			(t.Row.Base == types.IntBase || t.Row.Base == types.FloatBase) && lo != nil && hi != nil
	}
	return types.IsInvalid(t)
}
