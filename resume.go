package dspi

import (
	"context"
	"sync"

	"github.com/dspi-lang/dspi/interpreter"
	"github.com/dspi-lang/dspi/interpreter/history"
	"github.com/dspi-lang/dspi/interpreter/journal"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/value"
)

// Approval is a call of a tool that a person is asked about.
type Approval = interpreter.Approval

// What a person says of an Approval.
const (
	Unanswered = interpreter.Unanswered // nobody is there: the run pauses
	Allowed    = interpreter.Allowed
	Denied     = interpreter.Denied
)

// Leg says which run is meant: one whose id is known before, or one that was begun
// before and goes on.
type Leg struct {
	Run    string // the id of the run; "" gives it a new one
	Resume bool   // it was begun before
}

// Resume goes on with a run that was cut off: it was killed, failed, was interrupted
// or waits for a person. What the journal of the Options has of it is not asked for
// again. The plan and the inputs may be others than before: whatever asks the same
// is answered from the journal.
func (r *Runtime) Resume(ctx context.Context, p *plan.Plan, run string, inputs map[string]any) (*Result, error) {
	return r.RunAs(ctx, p, Leg{run, true}, inputs)
}

// RunAs runs a plan as Run does, under an id that is given.
func (r *Runtime) RunAs(ctx context.Context, p *plan.Plan, leg Leg, inputs map[string]any) (*Result, error) {
	env := *r.env
	env.Run, env.Resume = leg.Run, leg.Resume
	return r.run(ctx, p, &env, inputs)
}

// journalled runs a plan with a journal that keeps no secret of it, and forgets the
// run when it has ended well.
func (r *Runtime) journalled(ctx context.Context, p *plan.Plan, env *interpreter.Env, in *value.Object) (*Result, error) {
	if env.Journal == nil {
		return interpreter.Run(ctx, p, env, in)
	}
	with := *env
	with.Journal = r.journalOf(p)
	res, err := interpreter.Run(ctx, p, &with, in)
	if err == nil {
		if err := with.Journal.Forget(context.WithoutCancel(ctx), res.Run); err != nil && r.options.JournalFailed != nil {
			r.options.JournalFailed(err)
		}
	}
	return res, err
}

// journalOf returns the journal of a plan's runs.
func (r *Runtime) journalOf(p *plan.Plan) journal.Journal {
	r.mu.Lock()
	defer r.mu.Unlock()
	if j, ok := r.guards[p]; ok {
		return j
	}
	j := journal.Guard(r.options.Journal, journal.Guards{Secrets: About(p).Secrets, Failed: r.options.JournalFailed})
	r.guards[p] = j
	return j
}

// JournalOf returns the journal that lies beside the runs in a store; nil where the
// store has none. The recorder is the one that keeps the runs there: a run is in the
// store before its first entry is, and its entries leave with the end that the
// recorder writes. A batch must be flushed before its rows begin.
func JournalOf(store history.Store, recorder *history.Recorder) journal.Journal {
	s, ok := store.(interface{ Journal() journal.Journal })
	if !ok {
		return nil
	}
	return &storeJournal{Journal: s.Journal(), recorder: recorder}
}

// storeJournal is a journal beside a history.
type storeJournal struct {
	journal.Journal
	recorder *history.Recorder
	begun    sync.Map // ids of runs to the *begun that waits until they are written
}

// begun is a run that is being written to the store.
type begun struct {
	once sync.Once
	err  error
}

func (s *storeJournal) Write(ctx context.Context, e *journal.Entry) error {
	if _, row := history.IsRow(e.Run); row {
		return s.Journal.Write(ctx, e) // it is found by its batch
	}
	x, ok := s.begun.Load(e.Run)
	if !ok {
		x, _ = s.begun.LoadOrStore(e.Run, &begun{})
	}
	b := x.(*begun)
	b.once.Do(func() { b.err = s.recorder.Flush(ctx) })
	if b.err != nil {
		return b.err
	}
	return s.Journal.Write(ctx, e)
}

// Forget leaves the entries to the store, which deletes them when it writes the end
// of the run: until then the run may have to be resumed.
func (s *storeJournal) Forget(_ context.Context, run string) error {
	s.begun.Delete(run)
	return nil
}
