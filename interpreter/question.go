package interpreter

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/value"
)

// Question returns the first request that a step would send to its model, whichever
// module does its work. Nothing is sent, and no tool is called. Inputs are those of
// the step. It is nil for a step that asks no model.
func Question(ctx context.Context, p *plan.Plan, op *plan.Op, env *Env, inputs *value.Object) (*lm.Request, error) {
	asked := &listener{}
	quiet := *env
	quiet.Trace, quiet.Journal, quiet.Stream = nil, nil, false
	quiet.LM = func(m *plan.Model) (lm.LM, error) {
		// What the model can do decides how it is asked; one that cannot be opened,
		// for want of a key, is asked as one that can nothing.
		features := lm.Features{}
		if x, err := env.LM(m); err == nil {
			features = x.Features()
		}
		return &listening{asked, m.Address, features}, nil
	}
	r := &run{env: &quiet, id: "question", start: time.Now(), usage: Usage{USD: new(float64)}}
	f := &frame{run: r, plan: p, inputs: inputs, vars: plan.Variables(p.Checked.Names, p.Values), values: map[string]any{}, skipped: map[string]bool{}}
	h := &host{run: r, op: op, path: op.Name}
	ctx = module.Unanswered(ctx)
	part, err := f.part(ctx, op, inputs, h)
	if err != nil {
		return nil, err
	}
	_, err = part.Run(ctx, nil)
	asked.mu.Lock()
	defer asked.mu.Unlock()
	if asked.first != nil {
		return asked.first, nil
	}
	if err != nil {
		return nil, callFault(op, err)
	}
	return nil, nil
}

// listener keeps the first request of a step.
type listener struct {
	mu    sync.Mutex
	first *lm.Request
}

// listening is a model that answers nobody.
type listening struct {
	*listener
	address  string
	features lm.Features
}

var errListening = errors.New("nobody answers: the question was only wanted")

func (l *listening) Address() string       { return l.address }
func (l *listening) Features() lm.Features { return l.features }

func (l *listening) Generate(_ context.Context, req *lm.Request) (*lm.Response, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.first == nil {
		l.first = req
	}
	return nil, &lm.Error{Kind: lm.KindCanceled, Model: l.address, Err: errListening}
}
