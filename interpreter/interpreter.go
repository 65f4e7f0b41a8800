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
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/value"
)

// Env is what a run needs from outside. It may serve many runs at once.
type Env struct {
	// LM opens a model. It is asked once per model and run; it should return
	// the same LM for the same *plan.Model, so that limits are shared.
	LM func(*plan.Model) (lm.LM, error)
	// Module returns the module of a name.
	Module func(name string) (module.Module, bool)
	// Trace takes the events of runs; nil drops them.
	Trace trace.Sink
}

// Usage is what a run has used.
type Usage struct {
	Calls        int      `json:"calls"`
	InputTokens  int      `json:"input_tokens"`
	OutputTokens int      `json:"output_tokens"`
	Cached       int      `json:"cached"`
	USD          *float64 `json:"usd"` // nil when a price is not known
	Estimated    bool     `json:"-"`   // some tokens were counted by us
}

// Add returns the sum of two counts. Its cost is known when both are.
func (u Usage) Add(v Usage) Usage {
	sum := Usage{
		Calls: u.Calls + v.Calls, Cached: u.Cached + v.Cached,
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
	r := &run{env: env, id: newID(), start: time.Now(), usage: Usage{USD: new(float64)}}
	address := p.Checked.Address()
	res := &Result{Run: r.id, Program: p.Program}
	if d := refusePending(p); d != nil {
		res.Usage = r.usage
		return res, d
	}
	r.emit(trace.Event{Kind: trace.RunStart, Address: address, Inputs: inputs})
	outputs, err := r.plan(ctx, p, inputs)
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

	mu    sync.Mutex
	usage Usage
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

func (r *run) count(u lm.Usage, price *lm.Price) *float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.usage.Calls++
	r.usage.InputTokens += u.InputTokens
	r.usage.OutputTokens += u.OutputTokens
	r.usage.Estimated = r.usage.Estimated || u.Estimated
	if price == nil {
		r.usage.USD = nil
		return nil
	}
	usd := price.Cost(u)
	if r.usage.USD != nil {
		*r.usage.USD += usd
	}
	return &usd
}

// Refused says why Run would refuse a plan before anything is sent: the error
// is a *diag.Diagnostic, nil when nothing keeps the plan from running.
func Refused(p *plan.Plan) error {
	if d := refusePending(p); d != nil {
		return d
	}
	return nil
}

// refusePending refuses a plan that needs a setting which is not obeyed yet.
func refusePending(p *plan.Plan) *diag.Diagnostic {
	for _, op := range p.Ops {
		if op.Plan != nil {
			if d := refusePending(op.Plan); d != nil {
				return d
			}
		}
		if len(op.Pending) > 0 {
			x := op.Pending[0]
			return diag.New("E0510", x.Place, "`"+x.Setting+"` is understood but cannot run yet").
				Say("The step `%s` needs `%s`, and this version of dspi cannot run it: %s is missing. Nothing was sent.", op.Name, x.Setting, x.Missing).
				Hint("`dspi check` and `dspi plan` work all the same")
		}
		if op.Model == nil || len(op.Model.Pending) == 0 {
			continue
		}
		first := op.Model.Pending[0]
		d := diag.New("E0506", first.Place, "`"+first.Setting+"` is understood but not obeyed yet")
		for _, more := range op.Model.Pending[1:] {
			d.Relate(more.Place, "`%s` neither", more.Setting)
		}
		return d.Say("The step `%s` would be answered by %s, and this version of dspi cannot do what `%s` asks for: %s is missing. Nothing was sent, because a setting that is not obeyed must not be ignored.",
			op.Name, op.Model.Address, first.Setting, first.Missing).
			Hint("take the setting out, or choose another model with --model")
	}
	return nil
}

func newID() string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails, crypto/rand says
	return hex.EncodeToString(b[:])
}
