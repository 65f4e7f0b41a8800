package module

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/dspi-lang/dspi/interpreter/align"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/value"
)

// MisfitError is a reply that did not fit the signature, after every retry.
type MisfitError struct {
	Misfits []*align.Misfit // one for each reply, in order
	Model   string
	Finish  lm.Finish // why the last reply ended
}

// Error returns the faults of the last reply in one line.
func (e *MisfitError) Error() string {
	last := e.Misfits[len(e.Misfits)-1]
	return fmt.Sprintf("reply %d of %d does not fit: %s", len(e.Misfits), len(e.Misfits), last.Error())
}

// Ask writes the prompt of a call, sends it, and reads the reply into the
// signature's outputs. A reply that does not fit is sent back with what is wrong
// with it, up to call.Retries times; each is a call of its own in trace and usage.
func Ask(ctx context.Context, call *Call) (*value.Object, error) {
	messages := call.Adapter.Messages(call.Signature, call.Demos, call.Inputs)
	failed := &MisfitError{Model: call.LM.Address()}
	for try := 0; ; try++ {
		reply, err := send(ctx, call, messages)
		if err != nil {
			return nil, err
		}
		outputs, misfit := align.Chat(call.Signature, reply.Text)
		if misfit == nil {
			return outputs, nil
		}
		failed.Misfits = append(failed.Misfits, misfit)
		failed.Finish = reply.Finish
		if try >= call.Retries {
			return nil, failed
		}
		call.Host.Emit(trace.Event{Kind: trace.Misfit, Model: call.LM.Address(), Number: try + 1, Err: misfit})
		messages = append(messages[:len(messages):len(messages)],
			lm.Message{Role: lm.Assistant, Content: reply.Text},
			lm.Message{Role: lm.User, Content: feedback(misfit)})
	}
}

// feedback tells the model what is wrong with its reply.
func feedback(m *align.Misfit) string {
	var b strings.Builder
	b.WriteString("This reply does not fit:\n\n")
	for _, f := range m.Faults {
		b.WriteString("- " + f.String() + "\n")
	}
	b.WriteString("\nGive the whole reply again, in the same form, with this put right.")
	return b.String()
}

func send(ctx context.Context, call *Call, messages []lm.Message) (*lm.Response, error) {
	model := call.LM.Address()
	start := time.Now()
	call.Host.Emit(trace.Event{Kind: trace.CallStart, Model: model, Messages: messages})
	ctx = lm.WithObserver(ctx, func(a lm.Attempt) {
		if a.Err != nil && a.Wait > 0 {
			call.Host.Emit(trace.Event{Kind: trace.Attempt, Model: model, Number: a.Number, Wait: a.Wait, Duration: a.Duration, Err: a.Err})
		}
	})
	reply, err := call.LM.Generate(ctx, &lm.Request{Messages: messages, Params: call.Params})
	end := trace.Event{Kind: trace.CallEnd, Model: model, Reply: reply, Err: err, Duration: time.Since(start)}
	if err == nil {
		end.Cost = call.Host.Count(model, reply.Usage)
	}
	call.Host.Emit(end)
	return reply, err
}
