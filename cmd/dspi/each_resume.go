package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/dspi-lang/dspi"
	hist "github.com/dspi-lang/dspi/interpreter/history"
	"github.com/dspi-lang/dspi/interpreter/journal"
	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/value"
)

// A batch is kept as a run of its own, beside those of its rows. What a row made
// stays in the journal until the batch has ended, so that a batch that is resumed
// prints every line and runs only what is left.

// begin writes the batch into the history, before the first of its rows can be in
// the journal.
func (b *batch) begin(ctx context.Context, s *session) {
	inputs := &value.Object{}
	for _, f := range b.plan.Checked.Signature.Inputs {
		if v, ok := b.fixed[f.Name]; ok {
			inputs.Set(f.Name, v)
		}
	}
	s.trace.Emit(trace.Event{Time: time.Now(), Run: b.id, Kind: trace.RunStart, Address: b.plan.Checked.Address(), Inputs: inputs, Resumed: b.resume})
	if b.before != nil {
		_ = s.kept.recorder.Flush(ctx) // what cannot be kept is said at the end
	}
}

// end writes how the batch ended.
func (b *batch) end(to trace.Sink, err error) {
	var status *exit
	switch {
	case err == nil:
	case errors.As(err, &status) && status.code == exitInterrupted:
		err = diag.New("E0617", source.Place{}, "").Say("The batch was stopped.")
	case b.paused.Load():
		err = &tool.Paused{Tool: "in a row"}
	case errors.As(err, &status):
		err = errors.New("rows failed")
	}
	to.Emit(trace.Event{Time: time.Now(), Run: b.id, Kind: trace.RunEnd, Address: b.plan.Checked.Address(), Err: err})
}

// result is the key of what a row made: of its own values and those of all rows.
func (b *batch) result(j *job) journal.Key {
	args := value.NewObject("row", j.values)
	for _, name := range slices.Sorted(maps.Keys(b.fixed)) {
		args.Set("fixed "+name, value.FromGo(b.fixed[name]))
	}
	return journal.Key{Hash: journal.Call(journal.Result, b.plan.Checked.Address(), args)}
}

// doneBefore returns the line of a row that an earlier leg of the batch has done;
// nil for any other.
func (b *batch) doneBefore(ctx context.Context, j *job) []byte {
	if b.before == nil || !b.resume {
		return nil
	}
	e, err := b.before.Find(ctx, hist.RowID(b.id, j.n), b.result(j))
	if err != nil || e == nil || e.Kind != journal.Result {
		return nil
	}
	was, err := journal.DecodeOutcome(e.Data)
	if err != nil || was.Outputs == nil {
		return nil
	}
	b.known.Add(1)
	return b.line(j, &dspi.Result{Outputs: was.Outputs}, nil)
}

// isDone keeps what a row made.
func (b *batch) isDone(ctx context.Context, j *job, res *dspi.Result) {
	if b.before == nil {
		return
	}
	data, err := journal.EncodeOutcome(journal.Outcome{Outputs: res.Outputs})
	if err != nil {
		return // its calls stay, and are not made again
	}
	// What fails is told by the journal.
	_ = b.before.Write(context.WithoutCancel(ctx), &journal.Entry{Run: res.Run, Key: b.result(j), Kind: journal.Result, Data: data})
}

// tellResume prints the line that resumes the batch.
func (b *batch) tellResume() {
	if b.again != "" {
		fmt.Fprintf(b.app.err, "to go on with what is left, and have every row printed: %s\n", b.again)
	}
}
