// Package interpreter is the machine: it runs plans.
//
//	Run     a plan, an Env and inputs make a Result
//	Env     what a run needs from outside: models, modules, a trace
//	Result  the outputs and what they cost
//	Fault   why a run failed, as a diagnostic (faults.go)
//
// A run is a set of operations that wait for each other (schedule.go). Each is
// started when all it waits for is done; those that wait for nothing run at
// once, in parallel. The first failure stops the rest. All state of a run is in
// its run value and its context; there is none outside.
package interpreter

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dspi-lang/dspi/interpreter/journal"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/value"
)

// Env is what a run needs from outside. It may serve many runs at once.
type Env struct {
	// LM opens a model. It is asked once per model and run; it should return
	// the same LM for the same *plan.Model, so that limits are shared.
	LM func(*plan.Model) (lm.LM, error)
	// Module returns the module of a name.
	Module func(name string) (module.Module, bool)
	// Python returns what does the work of an operation in Python, nil for one that
	// is done here; nil: there is no Python.
	Python func(*plan.Op) module.Module
	// Tool returns a built-in tool, or one that stands in for a declared one; nil
	// where a declared tool shall do what its body says. What its body asks for,
	// requests and commands, Bodies does; nil: such tools cannot be called.
	Tool   func(*plan.Tool) (tool.Tool, error)
	Bodies tool.Bodies
	// PythonTool calls the function that is the body of a tool, and returns what it
	// returns; nil: such tools cannot be called. The call is that of the step. The
	// error is a *python.Fault, where Python failed, or that of ctx.
	PythonTool func(context.Context, *program.Tool, *value.Object, *module.Call) (any, error)
	// Retriever opens what steps search. It should return the same one for the
	// same *plan.Retriever.
	Retriever func(context.Context, *plan.Retriever) (retrieve.Retriever, error)
	// Files opens the folder from which a program may read pictures, sounds and
	// documents; nil: none can be opened.
	Files Files
	// Journal keeps what was answered in a run, so that it can be resumed; nil:
	// nothing is kept.
	Journal journal.Journal
	// Run is the id of the run, where it is known before: of one that is resumed,
	// if Resume is set. "" gives it a new one.
	Run    string
	Resume bool
	// Approve asks a person whether a tool may be called that wants it; nil: such
	// a call pauses the run.
	Approve Approver
	// Functions are of the host, for expressions that may call them: a metric's.
	Functions []expr.Option
	// Trace takes the events of runs; nil drops them.
	Trace trace.Sink
	// Stream makes models write their replies piece by piece, and the outputs
	// that grow with them events of the trace.
	Stream bool
}

// Usage is what a run has used.
type Usage struct {
	Calls        int `json:"calls"` // requests that were answered
	InputTokens  int `json:"input_tokens"`
	OutputTokens int `json:"output_tokens"`
	Cached       int `json:"cached"` // replies that were kept from earlier calls: nothing was sent
	// Journaled counts the replies that an earlier leg of a resumed run had:
	// nothing was sent, and they are in no other count.
	Journaled int      `json:"journaled,omitempty"`
	USD       *float64 `json:"usd"` // nil when a price is not known
	Estimated bool     `json:"-"`   // some tokens were counted by us
}

// Add returns the sum of two counts. Its cost is known when both are.
func (u Usage) Add(v Usage) Usage {
	sum := Usage{
		Calls: u.Calls + v.Calls, Cached: u.Cached + v.Cached, Journaled: u.Journaled + v.Journaled,
		InputTokens: u.InputTokens + v.InputTokens, OutputTokens: u.OutputTokens + v.OutputTokens,
		Estimated: u.Estimated || v.Estimated,
	}
	if u.USD != nil && v.USD != nil {
		usd := *u.USD + *v.USD
		sum.USD = &usd
	}
	return sum
}

// Result is what a run made.
type Result struct {
	Run      string // its id
	Program  string
	Outputs  *value.Object
	Usage    Usage
	Duration time.Duration
}

// Run runs a plan. Inputs must fit the program's signature: CheckInputs makes
// them so. The Result is returned with an error, too: it says what was used
// until then. The error is a *diag.Diagnostic.
func Run(ctx context.Context, p *plan.Plan, env *Env, inputs *value.Object) (*Result, error) {
	r := &run{env: env, id: env.Run, start: time.Now(), usage: Usage{USD: new(float64)}}
	if r.id == "" {
		r.id = NewID()
	}
	r.journal = journal.Begin(env.Journal, r.id, env.Resume)
	address := p.Checked.Address()
	res := &Result{Run: r.id, Program: p.Program}
	if d := refusePending(p); d != nil {
		res.Usage = r.usage
		return res, d
	}
	r.emit(trace.Event{Kind: trace.RunStart, Address: address, Inputs: inputs, Resumed: env.Resume})
	outputs, err := r.plan(ctx, p, inputs, caller{})
	if err = r.paused(ctx, err); err != nil {
		outputs = nil
	}
	res.Outputs, res.Usage, res.Duration = outputs, r.used(), time.Since(r.start)
	r.emit(trace.Event{Kind: trace.RunEnd, Address: address, Outputs: outputs, Duration: res.Duration, Err: err})
	if err != nil {
		return res, err
	}
	return res, nil
}

// run is one run under way.
type run struct {
	env   *Env
	id    string
	start time.Time

	journal *journal.Run // nil: none

	steps, calls atomic.Int64 // numbers that were given out

	mu      sync.Mutex
	usage   Usage
	waiting []Approval // calls that wait for a person
}

func (r *run) emit(e trace.Event) {
	if r.env.Trace == nil {
		return
	}
	e.Time, e.Run = time.Now(), r.id
	r.env.Trace(e)
}

func (r *run) used() Usage {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.usage
}

// count adds a reply to what the run has used.
func (r *run) count(reply *lm.Response) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.usage.Count(reply)
}

func (r *run) lost(spent []lm.Spent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range spent {
		r.usage.spend(s.Usage, s.Cost)
	}
}

// Count adds a reply, and all that was sent for it.
func (u *Usage) Count(reply *lm.Response) {
	if reply.Journaled {
		u.Journaled++
		return
	}
	if reply.Cached {
		u.Cached++
	} else {
		u.spend(reply.Usage, reply.Cost)
	}
	for _, also := range reply.Also {
		u.spend(also.Usage, also.Cost)
	}
}

// spend adds one request. The cost of all is known as long as that of each is.
func (u *Usage) spend(tokens lm.Usage, usd *float64) {
	u.Calls++
	u.InputTokens += tokens.InputTokens
	u.OutputTokens += tokens.OutputTokens
	u.Estimated = u.Estimated || tokens.Estimated
	switch {
	case usd == nil:
		u.USD = nil
	case u.USD != nil:
		*u.USD += *usd
	}
}

// Refused says why Run would refuse a plan before anything is sent: the error
// is a *diag.Diagnostic, nil when nothing keeps the plan from running.
func Refused(p *plan.Plan) error {
	if d := refusePending(p); d != nil {
		return d
	}
	return nil
}

// refusePending refuses a plan that needs what this version cannot run.
func refusePending(p *plan.Plan) *diag.Diagnostic {
	return pendingIn(p, map[*plan.Tool]bool{})
}

// pendingIn is refusePending; seen are the tools that were looked at, which may
// call each other.
func pendingIn(p *plan.Plan, seen map[*plan.Tool]bool) *diag.Diagnostic {
	for _, op := range p.Ops {
		if op.Plan != nil {
			if d := pendingIn(op.Plan, seen); d != nil {
				return d
			}
		}
		for _, part := range op.Parts {
			if d := pendingIn(&plan.Plan{Ops: []*plan.Op{part}}, seen); d != nil {
				return d
			}
		}
		for _, t := range op.Tools {
			if t.Plan == nil || seen[t] {
				continue
			}
			seen[t] = true
			if d := pendingIn(t.Plan, seen); d != nil {
				return d
			}
		}
		if len(op.Pending) > 0 {
			x := op.Pending[0]
			return diag.New("E0510", x.Place, "`"+x.Setting+"` is understood but cannot run yet").
				Say("The step `%s` needs `%s`, and this version of dspi cannot run it: %s is missing. Nothing was sent.", op.Name, x.Setting, x.Missing).
				Hint("`dspi check` and `dspi plan` work all the same")
		}
	}
	return nil
}

// NewID returns an id for a run that no other has.
func NewID() string { return newID() }

func newID() string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails, crypto/rand says
	return hex.EncodeToString(b[:])
}
