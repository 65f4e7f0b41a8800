package dspi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/dspi-lang/dspi/interpreter"
	"github.com/dspi-lang/dspi/interpreter/evaluate"
	"github.com/dspi-lang/dspi/interpreter/history"
	"github.com/dspi-lang/dspi/interpreter/journal"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib/datasets"
)

// An evaluation that has a Run is a batch: its rows are runs of their own, and with a
// journal each row that was measured is in it until the evaluation has ended. So one
// that was cut off measures only what is left. Of a row that was cut off, the calls
// of the program and those of its metrics are in the journal, and are not made again.

// sourceOf returns the SHA-256 of the texts of a project. Rows that another text
// measured are not taken over: half of the figures would be another program's.
func sourceOf(project *program.Project) string {
	sum := sha256.New()
	for _, f := range project.Files {
		fmt.Fprintf(sum, "%d\n%s", len(f.Text), f.Text)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// leg returns the leg of a row's run.
func (v *evaluation) leg(row int) Leg {
	if v.opt.Run == "" {
		return Leg{}
	}
	return Leg{Run: history.RowID(v.opt.Run, row), Resume: v.opt.Resume}
}

// measured is a row as the journal has it.
type measured struct {
	Row   *evaluate.Row            `json:"row"`
	Pairs map[string]evaluate.Pair `json:"pairs,omitempty"`
}

// journal returns where rows that were measured are kept; nil: nowhere.
func (v *evaluation) journal() journal.Journal {
	if v.opt.Run == "" || v.options.Journal == nil {
		return nil
	}
	return v.journalOf(v.plan.Plan)
}

// result is the key of what was found of a row: of what the row holds, and of all
// that can change its figures.
func (v *evaluation) result(in datasets.Row) journal.Key {
	e := v.plan.Evaluation
	args := value.NewObject("evaluation", e.Name, "source", v.plan.source, "row", in.Values)
	for _, model := range modelsOf(v.plan.Plan) {
		args.Set("model "+model, true)
	}
	names := v.plan.Plan.Checked.Names
	for _, name := range slices.Sorted(maps.Keys(names)) { // in an order, as the key is of the text
		x := names[name]
		if val, ok := v.plan.Plan.Values[x.Name]; ok && !x.Sensitive {
			args.Set("var "+x.Name, val)
		}
	}
	return journal.Key{Hash: journal.Call(journal.Result, e.Program.Address(), args)}
}

// before returns what an earlier leg of the evaluation found of a row; nil where it
// did not come so far.
func (v *evaluation) before(ctx context.Context, in datasets.Row) (*evaluate.Row, map[string]evaluate.Pair) {
	j := v.journal()
	if j == nil || !v.opt.Resume || in.Err != nil {
		return nil, nil
	}
	e, err := j.Find(ctx, history.RowID(v.opt.Run, in.N), v.result(in))
	if err != nil || e == nil || e.Kind != journal.Result {
		return nil, nil
	}
	var was measured
	if json.Unmarshal(e.Data, &was) != nil || was.Row == nil || was.Row.Outputs == nil {
		return nil, nil
	}
	was.Row.Before = true
	return was.Row, was.Pairs
}

// isMeasured keeps what was found of a row. A row on which something failed is not
// kept: it is tried again, with the calls that it has in the journal.
func (v *evaluation) isMeasured(ctx context.Context, in datasets.Row, row *evaluate.Row, pairs map[string]evaluate.Pair) {
	j := v.journal()
	if j == nil || row.Error != nil || len(row.Errors) > 0 {
		return
	}
	data, err := json.Marshal(measured{row, pairs})
	if err != nil {
		return // its calls stay, and are not made again
	}
	// What fails is told by the journal.
	_ = j.Write(context.WithoutCancel(ctx), &journal.Entry{Run: row.Run, Key: v.result(in), Kind: journal.Result, Data: data})
}

// runRow runs the program on a row. Its usage is that of all legs of the row.
func (v *evaluation) runRow(ctx context.Context, leg Leg, inputs map[string]any) (*Result, error) {
	if !leg.Resume {
		return v.RunAs(ctx, v.plan.Plan, leg, inputs)
	}
	env, earlier := *v.env, &earlierCalls{}
	env.Run, env.Resume = leg.Run, true
	next := env.Trace
	env.Trace = func(e trace.Event) {
		earlier.see(e)
		next.Emit(e)
	}
	res, err := v.Runtime.run(ctx, v.plan.Plan, &env, inputs)
	res.Usage = earlier.with(res.Usage)
	return res, err
}

// earlierCalls adds up what the journal answered. A resumed run does not count it, as
// nothing was sent; a row's figures are those of all its legs.
type earlierCalls struct {
	mu    sync.Mutex
	usage interpreter.Usage
}

func (c *earlierCalls) see(e trace.Event) {
	if e.Kind != trace.CallEnd || e.Reply == nil || !e.Reply.Journaled {
		return
	}
	reply := *e.Reply
	reply.Journaled = false
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.usage.USD == nil && c.usage.Calls+c.usage.Cached == 0 {
		c.usage.USD = new(float64)
	}
	c.usage.Count(&reply)
}

// with returns what a run used with all that was used before.
func (c *earlierCalls) with(u interpreter.Usage) interpreter.Usage {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.usage.Calls+c.usage.Cached == 0 {
		return u
	}
	sum := u.Add(c.usage)
	sum.Journaled = 0
	return sum
}
