// Package module is how a step does its work.
//
//	Module     a step's worker: a Call in, outputs out
//	Call       what one run of a step has: signature, inputs, model, settings
//	Predicting a module that asks more than one question
//	Part       a module that another one holds, ready to be called
//	Attempt    one of several goes at a part (attempt.go)
//	Feedback   an answer that was refused, and why: the next one is told
//	Send       one request that a module words itself (turns.go)
//	Ask        one question to the model: prompt, reply, asked again if it does not fit
//
// Implementations are in stdlib/modules. A module holds no state: a Call has all
// it needs, so that one module serves many runs at once.
package module

import (
	"context"

	"github.com/dspi-lang/dspi/interpreter/align"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/program/state"
	"github.com/dspi-lang/dspi/lang/value"
)

// Module does the work of a step. It is safe for use by many goroutines.
type Module interface {
	// Run returns the outputs of call.Signature, checked against their types.
	Run(ctx context.Context, call *Call) (*value.Object, error)
}

// Predicting is a Module that asks more than one question.
type Predicting interface {
	// Predictors returns the questions in DSPy's order, as they are worded where tuning
	// has not changed them; nil where call makes it ask one, which is the step's own.
	Predictors(call *Call) []Predictor
}

// Call is one run of a step.
type Call struct {
	Address string // program.rag.respond
	// Signature has the instructions of this call and the outputs that the
	// module adds.
	Signature *program.Signature
	Inputs    *value.Object
	Demos     []prompt.Demo
	LM        lm.LM
	Params    lm.Params
	Own       lm.Params // of Params, what the step and its program say; the rest is the model's
	Adapter   prompt.Adapter
	Mode      align.Mode
	Retries   int  // how often to ask again when a reply does not fit
	Rollout   int  // tells apart samples of one call, for the cache
	Stream    bool // outputs are shown as they grow

	// Settings are the module's own, by name: those that are written, and not
	// null.
	Settings *value.Object
	// Tools are those of its setting `tools`, Retriever that of `from`.
	Tools     []tool.Tool
	Retriever retrieve.Retriever
	// Where says which passages are searched: its Keep is nil for all.
	Where retrieve.Filter
	// Parts are the modules that it holds: one for a module that wraps, any
	// number for one that holds many.
	Parts []*Part
	// Judge evaluates a setting that judges outputs, `reward`; nil where the
	// module has none.
	Judge func(ctx context.Context, setting string, outputs *value.Object) (any, error)
	// Source returns the text of a setting as it is written, or that of the whole
	// step for "".
	Source func(setting string) string
	// Predictor is what DSPy calls the part of this module that asks: "predict" for
	// chain_of_thought; "" where the module itself does.
	Predictor string
	// Inner is what tuning found for the predictors inside the module, by Predictor:
	// Ask takes it in place of the signature's instructions and the call's demos.
	Inner map[string]*state.Step
	// Feedback are the answers that were refused before, the oldest first: Ask
	// tells the model.
	Feedback []Feedback
	// Watch is told of each output that a reply has finished while the rest is
	// still being written, and of outputs that grow: with what is there so far.
	// An error ends the reply early and is what Ask returns. nil: nobody watches.
	Watch func(outputs *value.Object, done map[string]bool) error

	Host Host
}

// Feedback is an answer that was refused.
type Feedback struct {
	// Outputs are the answer; nil where it is not known, or came from several
	// steps.
	Outputs  *value.Object
	Messages []string // what is wrong with it, one or more
}

// Part is a module that another holds.
type Part struct {
	Name string // what stands behind its kind: `react NAME`; "" where nothing does
	Call *Call  // what it is called with; it is not changed
	// Place is what DSPy calls it within the module that holds it: `module`.
	Place string
	// Predictors are what asks the model in it.
	Predictors []Predictor
	work       Module
	// whole, when set, does the work of a part that is a program.
	whole func(context.Context, *Call) (*value.Object, error)
}

// NewPart returns a part that module does the work of.
func NewPart(name string, call *Call, m Module) *Part { return &Part{Name: name, Call: call, work: m} }

// NewProgramPart returns a part that is a program: run is given the inputs,
// rollout, parameters and feedback of the call.
func NewProgramPart(name string, call *Call, run func(context.Context, *Call) (*value.Object, error)) *Part {
	return &Part{Name: name, Call: call, whole: run}
}

// Run calls the part. Change, if not nil, is given a copy of its Call to change:
// another rollout, another temperature, feedback, further inputs.
func (p *Part) Run(ctx context.Context, change func(*Call)) (*value.Object, error) {
	call := *p.Call
	if change != nil {
		change(&call)
	}
	if p.whole != nil {
		return p.whole(ctx, &call)
	}
	return p.work.Run(ctx, &call)
}

// With returns the part with another Call.
func (p *Part) With(call *Call) *Part {
	q := *p
	q.Call = call
	return &q
}

// Int returns a setting of type int, or otherwise where it is not written.
func (c *Call) Int(setting string, otherwise int) int {
	if n, ok := c.setting(setting).(int); ok {
		return n
	}
	return otherwise
}

// Float returns a setting that is a number, and whether it is written.
func (c *Call) Float(setting string) (float64, bool) {
	switch n := c.setting(setting).(type) {
	case float64:
		return n, true
	case int:
		return float64(n), true
	}
	return 0, false
}

// Text returns a setting of type string, or otherwise where it is not written.
func (c *Call) Text(setting, otherwise string) string {
	if s, ok := c.setting(setting).(string); ok {
		return s
	}
	return otherwise
}

// Bool returns a setting of type bool, or otherwise where it is not written.
func (c *Call) Bool(setting string, otherwise bool) bool {
	if b, ok := c.setting(setting).(bool); ok {
		return b
	}
	return otherwise
}

func (c *Call) setting(name string) any {
	if c.Settings == nil {
		return nil
	}
	v, _ := c.Settings.Get(name)
	return v
}

// Host is what the machine does for a module.
type Host interface {
	// Emit records an event; time, run, address, step and element are filled in.
	Emit(trace.Event)
	// NewCall returns a number for a call of a model or tool: no other call of
	// the run has it.
	NewCall() int
	// Generate sends a request to a model. A reply that an interrupted run had
	// already is taken from its journal.
	Generate(ctx context.Context, m lm.LM, req *lm.Request) (*lm.Response, error)
	// CallTool checks arguments, asks for approval where that is wanted, and
	// calls a tool. Args is what the model wrote: an object of any values. The
	// error is a *tool.Error for what the model should be told, a *tool.Paused
	// where a person must answer first, or that of ctx.
	CallTool(ctx context.Context, t tool.Tool, args *value.Object) (*value.Object, error)
	// Count adds a reply to what the run has used.
	Count(*lm.Response)
	// Lost adds what a call has used that failed in the end.
	Lost([]lm.Spent)
}
